/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/emulator/fate.h"

enum { PROBES = 4000, TIMEOUT_NS = 500000000 };

static struct asz_provider_facts facts_of(const struct asz_truth *truth, uint32_t provider) {
  return (struct asz_provider_facts){.truth = truth, .seed = 11, .timeout_ns = TIMEOUT_NS, .provider = provider};
}

Test(fate, is_what_the_single_rules_say_of_the_same_number)
{
  const struct asz_truth truth = {.delay_ns = 20000000,
                                  .jitter_ns = 1000000,
                                  .loss_ppm = 50000,
                                  .bad_loss_ppm = 500000,
                                  .to_bad_ppm = 50000,
                                  .to_good_ppm = 200000,
                                  .outage_ppm = 50000,
                                  .outage_log2_probes = 3,
                                  .detour_ppm = 100000,
                                  .detour_ns = 5000,
                                  .duplicate_ppm = 100000,
                                  .cheat = ASZ_CHEAT_FORGE};
  struct asz_provider_facts facts = facts_of(&truth, 6);
  uint32_t lost = 0, outage = 0;
  bool bad = false;
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_fate fate;
    struct asz_reply_plan plan;
    struct asz_reply_fault fault;
    memset(&fate, 0, sizeof fate);
    memset(&fault, 0, sizeof fault);
    asz_fate_next(&fate, &facts, n, bad);
    bad = asz_weather_next(&facts, n, bad);
    cr_assert(eq(int, fate.bad, bad));
    cr_assert(eq(int, fate.outage, asz_fault_outage(&facts, n)));
    cr_assert(eq(int, fate.lost, fate.outage || asz_fault_loses(&facts, n, bad, false)));
    lost += fate.lost;
    outage += fate.outage;
    if (fate.lost)
      continue;
    asz_plan_probe(&plan, &facts, n);
    asz_fault_reply(&fault, &facts, n);
    cr_assert(eq(u64, fate.plan.delay_ns, plan.delay_ns));
    cr_assert(eq(u64, fate.plan.extra_bits, plan.extra_bits));
    cr_assert(eq(u64, fate.fault.detour_ns, fault.detour_ns));
    cr_assert(eq(int, fate.fault.copied, fault.copied));
  }
  cr_expect(0 < outage && outage < lost && lost < PROBES, "%u in outages, %u lost", outage, lost);
}

Test(fate, a_region_fails_for_all_its_providers_at_once_and_for_no_other)
{
  const struct asz_truth one = {.region_outage_ppm = 100000, .outage_log2_probes = 4, .region = 3};
  struct asz_truth other = one;
  other.region = 4;
  uint32_t out = 0, both = 0;
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_provider_facts first = facts_of(&one, 0), second = facts_of(&one, 77), stranger = facts_of(&other, 5);
    bool outage = asz_fault_outage(&first, n);
    cr_assert(eq(int, outage, asz_fault_outage(&second, n)), "probe %lu", n);
    out += outage;
    both += outage && asz_fault_outage(&stranger, n);
  }
  /* 250 runs of 16: 25 expected, sigma 4.7; five of them. */
  cr_expect(out >= 2 * 16 && out <= 48 * 16, "%u", out);
  cr_expect(both < out / 2, "regions fail apart: %u of %u together", both, out);
}

Test(fate, true_rtts_are_of_those_that_are_answered_and_come_back_whole)
{
  struct asz_truth truth = {.delay_ns = 1000, .loss_ppm = 100000, .broken_ppm = 100000, .detour_ppm = 100000, .detour_ns = 7};
  static uint64_t rtt_ns[PROBES];
  uint32_t detoured = 0, count = asz_truth_rtts(&truth, 11, 6, PROBES, rtt_ns);
  for (uint32_t i = 0; i < count; i++) {
    cr_assert(rtt_ns[i] == 1000 || rtt_ns[i] == 1007);
    detoured += rtt_ns[i] == 1007;
  }
  /* 3,240 expected of 4,000, of them 324 detoured; sigma 25 and 17; five of them. */
  cr_expect(abs((int)count - 3240) < 125, "%u", count);
  cr_expect(abs((int)detoured - 324) < 85, "%u", detoured);
  truth.cheat = ASZ_CHEAT_DEAD;
  cr_expect(eq(u32, asz_truth_rtts(&truth, 11, 6, PROBES, rtt_ns), 0));
}
