/* SPDX-License-Identifier: Apache-2.0 */
/* Frames against the prober's receive path, with an epoch running: whatever arrives ends in exactly one counter or is handed on
 * whole, no score moves but by RX_ANSWERED, and nothing is touched outside the statistics (the sanitizers' part). The seeds are
 * honest replies of every kind and family under the keys below. */
#include <string.h>

#include "dataplane/rx.h"
#include "tests/fuzz/fuzz.h"

enum { IPV4_TARGETS = ASZ_PROBE_COUNT, IPV6_TARGETS = ASZ_PROBE_COUNT, TARGETS = IPV4_TARGETS + IPV6_TARGETS };

static struct asz_hmac_lanes *lanes; /* made once */

struct scene {
  struct asz_target target[TARGETS];
  struct asz_session session[TARGETS];
  struct asz_hmac_key hmac[TARGETS];
  struct asz_target_stats target_stats[TARGETS];
  struct asz_ipdv ipdv[TARGETS];
  uint16_t cell[TARGETS * ASZ_SKETCH_CELLS_MIN];
  struct asz_stats stats;
  struct asz_slots slots;
  uint8_t ipv6[IPV6_TARGETS][16];
  struct asz_addrmap map;
  struct asz_addrmap6 map6;
  struct asz_counters counters;
  struct asz_rx rx;
};

/* 2001:db8:: and an IPv4 address behind it. */
static void ipv6_set(uint8_t ret_ipv6[16], uint32_t ipv4) {
  memcpy(ret_ipv6, (uint8_t[12]){0x20, 0x01, 0x0d, 0xb8}, 12);
  asz_be32_store(ret_ipv6 + 12, ipv4);
}

/* The same epoch as in tests/dataplane/bed.c, its targets of all kinds and both families. */
static void scene_open(struct scene *s) {
  memset(s, 0, sizeof *s);
  asz_sketch_init();
  if (lanes == NULL)
    FUZZ_CHECK(asz_hmac_lanes_new(&lanes) == 0);
  FUZZ_CHECK(asz_addrmap_new(&s->map, TARGETS, -1) == 0);
  asz_addrmap_reset(&s->map, TARGETS);
  uint8_t secret[32];
  for (unsigned i = 0; i < sizeof secret; i++)
    secret[i] = (uint8_t)i;
  for (unsigned i = 0; i < sizeof s->session; i++)
    ((uint8_t *)s->session)[i] = (uint8_t)(3 * i + 1);
  for (uint32_t i = 0; i < TARGETS; i++)
    asz_hmac_key_set(&s->hmac[i], (const uint8_t[]){(uint8_t)i, 1, 2, 3}, 4);
  for (uint32_t i = 0; i < IPV4_TARGETS; i++) {
    s->target[i] = (struct asz_target){.ipv4 = 0x0a400001 + i, .port = 862, .probe = (uint8_t)(i % ASZ_PROBE_COUNT)};
    FUZZ_CHECK(asz_addrmap_put(&s->map, s->target[i].ipv4, i) == 0);
  }
  FUZZ_CHECK(asz_addrmap6_new(&s->map6, IPV6_TARGETS, -1) == 0);
  asz_addrmap6_reset(&s->map6, IPV6_TARGETS, secret);
  for (uint32_t n = 0; n < IPV6_TARGETS; n++) {
    uint32_t i = IPV4_TARGETS + n;
    s->target[i] = (struct asz_target){.ipv4 = n, .port = 862, .probe = (uint8_t)(n % ASZ_PROBE_COUNT), .flags = ASZ_TARGET_IPV6};
    ipv6_set(s->ipv6[n], 0x0a400001 + i);
    FUZZ_CHECK(asz_addrmap6_put(&s->map6, s->ipv6[n], i) == 0);
  }
  s->stats = (struct asz_stats){
      .target_count = TARGETS, .cell_count = ASZ_SKETCH_CELLS_MIN, .target = s->target_stats, .cell = s->cell, .ipdv = s->ipdv};
  asz_stats_aim(&s->stats, s->target);
  s->slots = (struct asz_slots){.count = 1, .start_ntp64 = {UINT64_C(0xe8000000) << 32}};
  s->rx.config = (struct asz_rx_config){.local_ipv4 = 0x0a000001,
                                        .has_ipv6 = true,
                                        .source_port_base = 49152,
                                        .challenge_source_port = 48620,
                                        .check = ASZ_WIRE_CHECK_L3};
  ipv6_set(s->rx.config.local_ipv6, 0x0a000001);
  s->rx.counters = &s->counters;
  struct asz_rx_run run = {
      .epoch = {.map = &s->map, .map6 = &s->map6, .target_count = TARGETS, .valid = true},
      .shard = {.count = TARGETS},
      .stats = &s->stats,
      .pairs = true,
      .slots = &s->slots,
      .timeout_ns = 100000000,
      .start_ntp64 = s->slots.start_ntp64[0],
      .setup = {.local_ipv4 = 0x0a000001,
                .source_port_base = 49152,
                .epoch = 7,
                .session = s->session,
                .hmac = s->hmac,
                .lanes = lanes},
  };
  run.epoch.seq_last = 5;
  asz_cookie_key_derive(&run.epoch.key, secret, 7);
  asz_rx_begin(&s->rx, &run);
  s->rx.previous = run.epoch; /* another key: the previous epoch is asked, too */
  s->rx.previous.key.k0 ^= 1;
}

static uint64_t outcomes(const struct asz_counters *counters) {
  uint64_t sum = 0;
  for (int i = 0; i < ASZ_CTR_COUNT; i++)
    if (i != ASZ_CTR_RX_FRAMES && i != ASZ_CTR_RX_REORDERED)
      sum += counters->value[i];
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static struct asz_rx_burst burst;
  struct scene scene;
  if (size_bytes > 2048)
    return 0;
  scene_open(&scene);
  uint64_t answered = 0;
  for (uint32_t twice = 0; twice < 2; twice++) {
    burst.count = 1;
    burst.bytes[0] = data;
    burst.size_bytes[0] = (uint32_t)size_bytes;
    burst.taken.ntp64 = scene.slots.start_ntp64[0] + UINT64_C(620) * 4294967;
    asz_rx_take(&scene.rx, &burst);
    uint32_t resets = 0; /* counted like any reply, and handed on as well */
    for (uint32_t i = 0; i < burst.leftover_count; i++)
      resets += burst.leftover[i].left == ASZ_RX_LEFT_RESET;
    FUZZ_CHECK(outcomes(&scene.counters) + (burst.leftover_count - resets) * (twice + 1) == twice + 1);
    FUZZ_CHECK(resets == 0 || scene.counters.value[ASZ_CTR_RX_UNSOLICITED] + scene.counters.value[ASZ_CTR_RX_FORGED] == 0);
    for (uint32_t i = 0; i < burst.leftover_count; i++)
      FUZZ_CHECK(burst.leftover[i].frame.payload_offset + (size_t)burst.leftover[i].frame.payload_bytes <= size_bytes);
  }
  for (uint32_t i = 0; i < TARGETS; i++)
    answered += scene.target_stats[i].answered;
  FUZZ_CHECK(answered == scene.counters.value[ASZ_CTR_RX_ANSWERED] && answered <= 1);
  asz_addrmap_free(&scene.map);
  asz_addrmap6_free(&scene.map6);
  return 0;
}
