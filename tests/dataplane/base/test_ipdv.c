/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "dataplane/base/ipdv.h"
#include "dataplane/base/stamp.h"

/* NTP64 units of a time in ns, and what two clocks may differ by. */
static uint64_t ntp64(int64_t ns) {
  return (uint64_t)(((__int128)ns << 32) / 1000000000);
}
static const uint64_t offset = UINT64_C(0x123456789abcdef0);

static struct asz_ipdv pair_of(int64_t forward_a, int64_t forward_b, int64_t backward_a, int64_t backward_b) {
  struct asz_ipdv ipdv = {0};
  asz_ipdv_take(&ipdv, 6, ntp64(forward_a) + offset, ntp64(backward_a) - offset);
  asz_ipdv_take(&ipdv, 7, ntp64(forward_b) + offset, ntp64(backward_b) - offset);
  return ipdv;
}

static void check_near(uint64_t ns, uint64_t expected) {
  cr_assert(le(u64, ns, expected + 2));
  cr_assert(ge(u64, ns + 2, expected));
}

Test(ipdv, each_way_varies_by_itself_whatever_the_clocks_differ_by)
{
  struct asz_ipdv ipdv = pair_of(1000000, 1250000, 3000000, 2300000);
  cr_assert(eq(u16, ipdv.pairs, 1));
  check_near(asz_ipdv_mean_ns(ipdv.forward_sum, ipdv.pairs), 250000);
  check_near(asz_ipdv_mean_ns(ipdv.backward_sum, ipdv.pairs), 700000);
  cr_assert(ge(u64, asz_bound_ns(ipdv.forward_max), 249998));
  cr_assert(le(u64, asz_bound_ns(ipdv.forward_max), 250002 * 5 / 4));
  cr_assert(ge(u64, asz_bound_ns(ipdv.backward_max), 699998));
}

Test(ipdv, it_is_right_up_to_two_seconds)
{
  struct asz_ipdv ipdv = pair_of(5, 1999999995, 1999999995, 5);
  check_near(asz_ipdv_mean_ns(ipdv.forward_sum, 1), 1999999990);
  check_near(asz_ipdv_mean_ns(ipdv.backward_sum, 1), 1999999990);
}

Test(ipdv, the_halves_may_come_in_any_order)
{
  struct asz_ipdv ipdv = {0};
  asz_ipdv_take(&ipdv, 9, ntp64(500), ntp64(100));
  asz_ipdv_take(&ipdv, 8, ntp64(300), ntp64(900));
  cr_assert(eq(u16, ipdv.pairs, 1));
  check_near(asz_ipdv_mean_ns(ipdv.forward_sum, 1), 200);
  check_near(asz_ipdv_mean_ns(ipdv.backward_sum, 1), 800);
}

/* RFC 3393 section 2.3: only packets that the selection function names; of a pair with a lost half nothing is defined. */
Test(ipdv, neighbours_of_two_pairs_are_no_pair_and_a_lost_half_leaves_none)
{
  struct asz_ipdv ipdv = {0};
  asz_ipdv_take(&ipdv, 0, 0, 0);
  asz_ipdv_take(&ipdv, 3, ntp64(1000000), 0); /* 1 and 2 were lost */
  asz_ipdv_take(&ipdv, 4, ntp64(9000000), 0);
  asz_ipdv_take(&ipdv, 2, 0, 0); /* too late: its other half waits no more */
  cr_assert(eq(u16, ipdv.pairs, 0));
  asz_ipdv_take(&ipdv, UINT32_MAX - 1, ntp64(70), 0);
  asz_ipdv_take(&ipdv, UINT32_MAX - 2, ntp64(70), 0);
  cr_assert(eq(u16, ipdv.pairs, 0), "the last sequences: 2^32 - 2 and 2^32 - 3 are of two pairs");
}

Test(ipdv, mean_and_largest_of_many_against_plain_arithmetic)
{
  struct asz_ipdv ipdv = {0};
  uint64_t sum[2] = {0}, most[2] = {0};
  enum { PAIRS = 30000 };
  srand(7);
  for (uint32_t pair = 0; pair < PAIRS; pair++) {
    int64_t delay[2][2];
    for (unsigned way = 0; way < 2; way++) {
      for (unsigned half = 0; half < 2; half++)
        delay[way][half] = 20000000 + rand() % 5000000;
      uint64_t varied = (uint64_t)llabs(delay[way][1] - delay[way][0]);
      sum[way] += varied;
      most[way] = varied > most[way] ? varied : most[way];
    }
    for (unsigned half = 0; half < 2; half++)
      asz_ipdv_take(&ipdv, 2 * pair + half, ntp64(delay[0][half]) - offset, ntp64(delay[1][half]) + offset);
  }
  cr_assert(eq(u16, ipdv.pairs, PAIRS));
  check_near(asz_ipdv_mean_ns(ipdv.forward_sum, PAIRS), sum[0] / PAIRS);
  check_near(asz_ipdv_mean_ns(ipdv.backward_sum, PAIRS), sum[1] / PAIRS);
  cr_assert(ge(u64, asz_bound_ns(ipdv.forward_max) + 2, most[0]));
  cr_assert(le(u64, asz_bound_ns(ipdv.backward_max), most[1] * 5 / 4 + 2));
}

Test(ipdv, counts_stay_at_their_end)
{
  struct asz_ipdv ipdv = {.pairs = UINT16_MAX - 1};
  for (uint32_t seq = 0; seq < 8; seq++)
    asz_ipdv_take(&ipdv, seq, ntp64(seq % 2 * 1000), 0);
  cr_assert(eq(u16, ipdv.pairs, UINT16_MAX));
  check_near(asz_ipdv_ns(ipdv.forward_sum), 1000);
  cr_assert(eq(u64, asz_ipdv_mean_ns(0, 0), 0));
}

/* RFC 8762 section 4.2.1: Z says which of two formats; both halves of a pair are in the same. */
Test(ipdv, times_in_ptp_format_are_taken_for_what_they_are)
{
  const uint64_t ptp = UINT64_C(1700000000) << 32 | 500000000; /* half a second, counted in ns */
  cr_assert(eq(u64, asz_stamp_time(ptp, 0x4801), (UINT64_C(1700000000) << 32) + (UINT64_C(1) << 31)));
  cr_assert(eq(u64, asz_stamp_time(ptp, ASZ_STAMP_ERROR_UNSYNCHRONISED), ptp), "NTP's is as it is");
  const uint64_t carried = UINT64_C(18446744069); /* (2^32 - 1) ns are over four seconds: they carry, and wrap */
  cr_assert(eq(u64, asz_stamp_time(UINT64_MAX, 0x4000), (UINT64_MAX >> 32 << 32) + carried), "nonsense is no crash");
}
