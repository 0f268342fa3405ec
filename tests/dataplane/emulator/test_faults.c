/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/wire.h"
#include "dataplane/emulator/faults.h"

enum { PROBES = 20000, PPM = ASZ_EMULATOR_PPM };

static struct asz_provider_facts facts_of(const struct asz_truth *truth, uint32_t provider) {
  return (struct asz_provider_facts){.truth = truth, .seed = 11, .timeout_ns = 500000000, .provider = provider};
}

/* The whole of what faults.c decides about one probe. */
struct fate {
  bool bad, outage, lost;
  struct asz_reply_fault reply;
};

static struct fate fate_of(const struct asz_provider_facts *facts, uint64_t number) {
  struct fate fate;
  memset(&fate, 0, sizeof fate);
  fate.bad = asz_weather(facts, number);
  fate.outage = asz_fault_outage(facts, number);
  fate.lost = asz_fault_loses(facts, number, fate.bad, false);
  asz_fault_reply(&fate.reply, facts, number);
  return fate;
}

static const struct asz_truth storm = {.loss_ppm = 5000,
                                       .bad_loss_ppm = 400000,
                                       .to_bad_ppm = 20000,
                                       .to_good_ppm = 100000,
                                       .outage_ppm = 50000,
                                       .outage_log2_probes = 3,
                                       .duplicate_ppm = 100000,
                                       .detour_ppm = 50000,
                                       .detour_ns = 60000000,
                                       .broken_ppm = 30000,
                                       .altered_ppm = 20000};

Test(faults, shares_out_of_range_are_refused_field_by_field)
{
  cr_expect(asz_truth_ok(&storm));
  struct asz_truth t[14];
  for (size_t i = 0; i < sizeof t / sizeof *t; i++)
    t[i] = storm;
  t[0].loss_ppm = t[1].bad_loss_ppm = t[2].to_bad_ppm = t[3].to_good_ppm = t[4].outage_ppm = t[5].duplicate_ppm = PPM + 1;
  t[6].detour_ppm = t[7].broken_ppm = t[8].altered_ppm = PPM + 1;
  t[9].outage_log2_probes = 17;
  t[10].detour_ns = 2000000001;
  t[11].to_bad_ppm = PPM - storm.to_good_ppm + 1;
  t[12].cheat = ASZ_CHEAT_COUNT;
  t[13].floor_ns = 2000000001;
  for (size_t i = 0; i < sizeof t / sizeof *t; i++)
    cr_expect(not(asz_truth_ok(&t[i])), "case %zu", i);
  struct asz_truth around = {.broken_ppm = UINT32_MAX, .altered_ppm = 2};
  cr_expect(not(asz_truth_ok(&around)), "a sum that goes around is none");
}

Test(faults, a_network_without_faults_has_none)
{
  struct asz_truth truth = {.outage_log2_probes = 5, .detour_ns = 1000, .to_good_ppm = 5, .bad_loss_ppm = PPM};
  struct asz_provider_facts facts = facts_of(&truth, 4);
  for (uint64_t n = 0; n < 200; n++) {
    struct fate fate = fate_of(&facts, n);
    cr_assert(not(fate.bad || fate.outage || fate.lost));
    cr_assert(not(fate.reply.corruption != ASZ_CORRUPT_NOT || fate.reply.detour_ns != 0 || fate.reply.copied));
  }
}

Test(faults, loss_of_nothing_and_of_everything_are_exact)
{
  struct asz_truth truth = {.loss_ppm = 0, .bad_loss_ppm = PPM};
  struct asz_provider_facts facts = facts_of(&truth, 0);
  for (uint64_t n = 0; n < PROBES; n++) {
    cr_assert(not(asz_fault_loses(&facts, n, false, false)));
    cr_assert(asz_fault_loses(&facts, n, true, false));
  }
}

Test(faults, loss_comes_at_its_rate_and_differs_by_provider_and_kind)
{
  struct asz_truth truth = {.loss_ppm = 50000};
  uint32_t lost = 0, same_provider = 0, same_kind = 0;
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_provider_facts one = facts_of(&truth, 1), two = facts_of(&truth, 2);
    bool loses = asz_fault_loses(&one, n, false, false);
    lost += loses;
    same_provider += loses && asz_fault_loses(&two, n, false, false);
    same_kind += loses && asz_fault_loses(&one, n, false, true);
  }
  /* 1,000 expected, sigma 31; both at once: 50 expected, sigma 7. Bounds at five sigma; the seed is fixed. */
  cr_expect(abs((int)lost - 1000) < 155, "lost %u", lost);
  cr_expect(abs((int)same_provider - 50) < 36, "both %u", same_provider);
  cr_expect(abs((int)same_kind - 50) < 36, "both %u", same_kind);
}

Test(faults, bad_weather_has_its_share_and_comes_in_spells_of_its_length)
{
  enum { MANY = 400000 };
  struct asz_truth truth = {.to_bad_ppm = 20000, .to_good_ppm = 80000};
  struct asz_provider_facts facts = facts_of(&truth, 9);
  uint32_t bad_probes = 0, spells = 0;
  bool bad = false;
  for (uint64_t n = 0; n < MANY; n++) {
    bool before = bad;
    bad = asz_weather_next(&facts, n, bad);
    bad_probes += bad;
    spells += bad && !before;
  }
  /* A share of 0.2: 80,000, in spells of 12.5: 6,400. The sum of a chain with correlation 0.9 has a sigma of about
   * sqrt(n p q (1.9 / 0.1)) = 1,103; a spell's length is geometric: sigma of the count about 80. Five sigma. */
  cr_expect(abs((int)bad_probes - 80000) < 5515, "%u", bad_probes);
  cr_expect(abs((int)spells - 6400) < 400, "%u", spells);
}

Test(faults, the_weather_at_a_number_is_the_same_step_by_step_and_from_nothing)
{
  struct asz_provider_facts facts = facts_of(&storm, 2);
  bool bad = false;
  for (uint64_t n = 0; n < 500; n++) {
    bad = asz_weather_next(&facts, n, bad);
    cr_assert(eq(int, bad, asz_weather(&facts, n)), "probe %lu", n);
  }
}

Test(faults, weather_that_always_changes_alternates)
{
  struct asz_truth truth = {.to_bad_ppm = PPM};
  struct asz_provider_facts facts = facts_of(&truth, 0);
  for (uint64_t n = 0; n < 100; n++)
    cr_assert(asz_weather_next(&facts, n, n % 2), "bad at once, and no way back");
  truth = (struct asz_truth){.to_bad_ppm = 1, .to_good_ppm = PPM - 1};
  for (uint64_t n = 0; n < 100; n++)
    cr_assert(not(asz_weather_next(&facts, n, true)), "good again after one probe");
}

Test(faults, an_outage_is_a_whole_run_of_numbers_and_comes_at_its_rate)
{
  enum { RUN = 8, RUNS = 20000 };
  struct asz_truth truth = {.outage_ppm = 50000, .outage_log2_probes = 3};
  uint32_t firsts[RUN] = {0};
  for (uint32_t provider = 0; provider < 64; provider++) {
    struct asz_provider_facts facts = facts_of(&truth, provider);
    uint64_t first = 0; /* of a run */
    while (first < PROBES && !(asz_fault_outage(&facts, first + 1) && !asz_fault_outage(&facts, first)))
      first++;
    cr_assert(first < PROBES, "provider %u has no outage", provider);
    firsts[(first + 1) % RUN]++;
    for (uint64_t n = 1; n <= RUN; n++)
      cr_assert(asz_fault_outage(&facts, first + n), "provider %u, probe %lu", provider, first + n);
  }
  for (unsigned i = 0; i < RUN; i++)
    cr_expect(firsts[i] < 32, "providers fail in step: %u of 64 at %u", firsts[i], i);
  struct asz_provider_facts facts = facts_of(&truth, 1);
  uint32_t out = 0;
  for (uint64_t n = 0; n < RUN * RUNS; n++)
    out += asz_fault_outage(&facts, n);
  cr_expect(abs((int)out / RUN - 1000) < 155, "%u runs, 1,000 expected, sigma 31", out / RUN);
}

Test(faults, a_reply_has_each_fault_at_its_rate_and_a_corrupted_one_nothing_else)
{
  struct asz_provider_facts facts = facts_of(&storm, 3);
  uint32_t broken = 0, altered = 0, detoured = 0, copied = 0;
  for (uint64_t n = 0; n < PROBES; n++) {
    struct asz_reply_fault fault;
    asz_fault_reply(&fault, &facts, n);
    broken += fault.corruption == ASZ_CORRUPT_BROKEN;
    altered += fault.corruption == ASZ_CORRUPT_ALTERED;
    detoured += fault.detour_ns != 0;
    copied += fault.copied;
    cr_assert(fault.detour_ns == 0 || fault.detour_ns == 60000000);
    cr_assert(fault.copy_ns < 50000);
    cr_assert(fault.corruption == ASZ_CORRUPT_NOT || (fault.detour_ns == 0 && !fault.copied));
  }
  cr_expect(abs((int)broken - 600) < 122, "%u", broken); /* five sigma each */
  cr_expect(abs((int)altered - 400) < 99, "%u", altered);
  cr_expect(abs((int)detoured - 950) < 151, "%u", detoured);
  cr_expect(abs((int)copied - 1900) < 208, "%u", copied);
}

Test(faults, every_fault_follows_from_seed_provider_and_number_alone)
{
  struct asz_provider_facts facts = facts_of(&storm, 5);
  for (uint64_t n = 300; n-- > 0;) {
    struct fate once = fate_of(&facts, n), again = fate_of(&facts, n);
    cr_assert(eq(int, memcmp(&once, &again, sizeof once), 0));
  }
}

/* --- corruption of frames --- */

enum { UDP, ICMP, TCP, UDP6, ICMP6, TCP6, KINDS, FRAME_MAX = 128 };

static size_t reply_frame(uint8_t *frame, unsigned kind) {
  static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, here[16] = {0xfd, 1}, there[16] = {0xfd, 2};
  static const uint8_t protocol[KINDS] = {ASZ_PROTOCOL_UDP, ASZ_PROTOCOL_ICMP,   ASZ_PROTOCOL_TCP,
                                          ASZ_PROTOCOL_UDP, ASZ_PROTOCOL_ICMPV6, ASZ_PROTOCOL_TCP};
  static const uint16_t l4_bytes[] = {ASZ_UDP_BYTES + ASZ_STAMP_BYTES, ASZ_ICMP_BYTES, ASZ_TCP_BYTES};
  bool ipv6 = kind >= UDP6;
  size_t ip_bytes = ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES;
  uint8_t *ip = frame + ASZ_ETH_BYTES, *l4 = ip + ip_bytes;
  memset(frame, 0, FRAME_MAX);
  asz_wire_eth_write(frame, mac, mac, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  if (ipv6)
    asz_wire_ipv6_write(ip, there, here, protocol[kind], 64, l4_bytes[kind % UDP6]);
  else
    asz_wire_ipv4_write(ip, 0x0a400001, 0x0a3ffffd, protocol[kind], 64, l4_bytes[kind]);
  if (kind % UDP6 == UDP) {
    asz_wire_udp_write(l4, ASZ_STAMP_PORT, 50000, ASZ_STAMP_BYTES);
    asz_wire_udp_finish(ip);
  } else if (kind == ICMP) {
    asz_wire_icmp_finish(l4, ASZ_ICMP_BYTES);
  } else if (kind == ICMP6) {
    l4[0] = ASZ_ICMPV6_ECHO_REPLY;
    asz_wire_icmpv6_finish(ip);
  } else {
    l4[ASZ_TCP_OFFSET] = 5 << 4;
    asz_wire_tcp_finish(ip);
  }
  size_t size = ASZ_ETH_BYTES + ip_bytes + l4_bytes[kind % UDP6];
  return size < ASZ_ETH_MIN_BYTES ? ASZ_ETH_MIN_BYTES : size;
}

static unsigned bits_changed(const uint8_t *a, const uint8_t *b, size_t from, size_t to) {
  unsigned bits = 0;
  for (size_t i = from; i < to; i++)
    bits += (unsigned)__builtin_popcount((unsigned)(a[i] ^ b[i]));
  return bits;
}

Test(faults, a_broken_reply_has_one_bit_flipped_and_every_checksum_check_finds_it)
{
  for (unsigned kind = 0; kind < KINDS; kind++)
    for (uint64_t n = 0; n < 2000; n++) {
      uint8_t good[FRAME_MAX], bad[FRAME_MAX];
      size_t size = reply_frame(good, kind);
      memcpy(bad, good, sizeof bad);
      asz_corrupt(bad, size, ASZ_CORRUPT_BROKEN, asz_draw_mix(n));
      struct asz_frame frame;
      asz_wire_parse(&frame, bad, size, ASZ_WIRE_CHECK_ALL);
      cr_assert(eq(int, frame.kind, ASZ_FRAME_BAD_CHECKSUM), "kind %u, bits %lu", kind, n);
      cr_assert(eq(uint, bits_changed(good, bad, 0, size), 1));
    }
}

Test(faults, an_altered_reply_has_one_bit_flipped_that_the_cookie_protects_and_a_right_checksum)
{
  for (uint64_t n = 0; n < 2000; n++) {
    uint8_t good[FRAME_MAX], bad[FRAME_MAX];
    for (unsigned kind = 0; kind < KINDS; kind++) {
      size_t size = reply_frame(good, kind);
      memcpy(bad, good, sizeof bad);
      asz_corrupt(bad, size, ASZ_CORRUPT_ALTERED, asz_draw_mix(n));
      struct asz_frame frame;
      asz_wire_parse(&frame, bad, size, ASZ_WIRE_CHECK_ALL);
      cr_assert(frame.kind == ASZ_FRAME_UDP || frame.kind == ASZ_FRAME_ICMP || frame.kind == ASZ_FRAME_TCP);
      if (kind % UDP6 != UDP)
        continue;
      size_t at = (size_t)frame.payload_offset;
      cr_assert(eq(uint, bits_changed(good, bad, at, at + ASZ_STAMP_BYTES), 1));
      cr_assert(eq(uint, bits_changed(good, bad, at + ASZ_STAMP_SENDER_SEQ, at + ASZ_STAMP_SENDER_ERROR), 1));
    }
  }
}

Test(faults, an_altered_reply_of_authenticated_mode_has_another_time_under_the_old_hmac)
{
  enum { SIZE = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_STAMP_AUTH_BYTES };
  static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
  uint8_t good[SIZE] = {0}, *ip = good + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  asz_wire_eth_write(good, mac, mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, 0x0a400001, 0x0a3ffffd, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + ASZ_STAMP_AUTH_BYTES);
  asz_wire_udp_write(udp, ASZ_STAMP_PORT, 50000, ASZ_STAMP_AUTH_BYTES);
  asz_stamp_auth_request_write(udp + ASZ_UDP_BYTES, 7, 1, 0, 1);
  asz_be64_store(udp + ASZ_UDP_BYTES + ASZ_STAMP_AUTH_RX_TIME, 5);
  asz_wire_udp_finish(ip);
  for (uint64_t n = 0; n < 2000; n++) {
    uint8_t bad[SIZE];
    memcpy(bad, good, SIZE);
    asz_corrupt(bad, SIZE, ASZ_CORRUPT_ALTERED, asz_draw_mix(n));
    size_t at = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES;
    cr_assert(eq(uint, bits_changed(good, bad, at, SIZE), 1));
    cr_assert(eq(uint, bits_changed(good, bad, at + ASZ_STAMP_AUTH_SENDER_TIME, at + ASZ_STAMP_AUTH_SENDER_ERROR), 1));
  }
}
