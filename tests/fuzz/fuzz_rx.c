/* SPDX-License-Identifier: Apache-2.0 */
/* Frames against the prober's receive path, with an epoch running: whatever arrives ends in exactly one counter or is handed on
 * whole, no score moves but by RX_ANSWERED, and nothing is touched outside the statistics (the sanitizers' part). The seeds are
 * honest replies of every kind under the keys below. */
#include <string.h>

#include "dataplane/rx.h"
#include "tests/fuzz/fuzz.h"

enum { TARGETS = ASZ_PROBE_COUNT };

static struct asz_hmac_lanes *lanes; /* made once */

struct scene {
  struct asz_target target[TARGETS];
  struct asz_session session[TARGETS];
  struct asz_hmac_key hmac[TARGETS];
  struct asz_target_stats target_stats[TARGETS];
  uint16_t cell[TARGETS * ASZ_SKETCH_CELLS_MIN];
  struct asz_stats stats;
  struct asz_slots slots;
  struct asz_addrmap map;
  struct asz_counters counters;
  struct asz_rx rx;
};

/* The same epoch as in tests/dataplane/bed.c, its targets of all kinds. */
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
  for (uint32_t i = 0; i < TARGETS; i++) {
    asz_hmac_key_set(&s->hmac[i], (const uint8_t[]){(uint8_t)i, 1, 2, 3}, 4);
    s->target[i] = (struct asz_target){.ipv4 = 0x0a400001 + i, .port = 862, .probe = (uint8_t)(i % ASZ_PROBE_COUNT)};
    FUZZ_CHECK(asz_addrmap_put(&s->map, s->target[i].ipv4, i) == 0);
  }
  s->stats =
      (struct asz_stats){.target_count = TARGETS, .cell_count = ASZ_SKETCH_CELLS_MIN, .target = s->target_stats, .cell = s->cell};
  asz_stats_aim(&s->stats, s->target);
  s->slots = (struct asz_slots){.count = 1, .start_ntp64 = {UINT64_C(0xe8000000) << 32}};
  s->rx.config = (struct asz_rx_config){
      .local_ipv4 = 0x0a000001, .source_port_base = 49152, .challenge_source_port = 48620, .check = ASZ_WIRE_CHECK_L3};
  s->rx.counters = &s->counters;
  struct asz_rx_run run = {
      .epoch = {.map = &s->map, .target_count = TARGETS, .valid = true},
      .shard = {.count = TARGETS},
      .stats = &s->stats,
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
    burst.now_ntp64 = scene.slots.start_ntp64[0] + UINT64_C(620) * 4294967;
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
  return 0;
}
