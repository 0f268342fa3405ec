/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of an epoch, with the MAC that makes them this validator's: what is accepted can be scored: its quantiles
 * rise, and nobody has more answers than questions. */
#include <sodium.h>
#include <string.h>

#include "control/epoch.h"
#include "control/snapshot.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[ASZ_SNAPSHOT_KEY_BYTES] = {1};

static void check_stats(const struct asz_stats *stats) {
  for (uint32_t i = 0; i < stats->target_count; i++) {
    struct asz_sketch sketch = asz_stats_sketch(stats, i);
    uint64_t before_ns = 0;
    for (uint32_t q_ppm = 0; q_ppm <= 1000000; q_ppm += 100000) {
      uint64_t now_ns = asz_sketch_quantile(&sketch, q_ppm);
      FUZZ_CHECK(now_ns >= before_ns);
      before_ns = now_ns;
    }
    FUZZ_CHECK((before_ns != 0) == (stats->target[i].rtt_max_ns != 0));
  }
}

/* A plan with these targets, so that what was sent can be told; accepted or not, nothing is out of bounds. */
static void settle(struct asz_snapshot *snapshot) {
  struct asz_diag diag = {""};
  struct asz_target *target = calloc(snapshot->head.target_count, sizeof *target);
  uint32_t *sent = calloc(snapshot->head.target_count, sizeof *sent);
  FUZZ_CHECK(target != NULL && sent != NULL);
  const struct asz_plan plan = {
      .duration_ns = 10, .slot_ns = 1, .target_count = snapshot->head.target_count, .target = target, .stats = snapshot->stats};
  if (asz_snapshot_settle(snapshot, &plan, &diag) == 0) {
    asz_engine_sent(&plan, snapshot->stats, sent);
    for (uint32_t i = 0; i < plan.target_count; i++)
      FUZZ_CHECK(sent[i] <= 65535 && sent[i] >= (uint32_t)snapshot->stats->target[i].answered + snapshot->stats->target[i].late);
  }
  free(target);
  free(sent);
}

static void run_file(const uint8_t *data, size_t size_bytes) {
  struct asz_snapshot snapshot;
  struct asz_diag diag = {""};
  uint8_t *bytes = malloc(size_bytes + crypto_generichash_BYTES);
  FUZZ_CHECK(bytes != NULL);
  memcpy(bytes, data, size_bytes);
  crypto_generichash(bytes + size_bytes, crypto_generichash_BYTES, data, size_bytes, key, sizeof key);
  if (asz_snapshot_read(&snapshot, bytes, size_bytes + crypto_generichash_BYTES, "fuzz", key, &diag) == 0) {
    (void)!asz_epochs_keep_check(snapshot.keep, snapshot.head.keep_bytes, snapshot.head.target_count);
    check_stats(snapshot.stats);
    settle(&snapshot);
    asz_snapshot_close(&snapshot);
  } else {
    FUZZ_CHECK(strncmp(diag.text, "fuzz: ", 6) == 0 && strchr(diag.text, '\n') == NULL);
  }
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  run_file(data, size_bytes);
  if (size_bytes > 0)
    (void)!asz_epochs_keep_check(data + 1, size_bytes - 1, data[0]);
  return 0;
}
