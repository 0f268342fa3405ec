/* SPDX-License-Identifier: Apache-2.0 */
#include "control/keeper.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/base/durable.h"
#include "dataplane/base/log.h"

enum {
  TARGETS_PER_TURN = 1024, /* under a millisecond of copying */
  SHARE = 20,              /* writing takes one part in so many of the time */
  SETTLE_MS = 10,          /* an lcore that has looked so much later has read what had come */
  WAIT_NS = 200000,
};

void asz_keeper_open(struct asz_keeper *k, const char *path, uint64_t every_s, const struct asz_identity *validator) {
  memset(k, 0, sizeof *k);
  if (!path || every_s == 0)
    return;
  k->path = path;
  k->every_ns = every_s * UINT64_C(1000000000);
  asz_snapshot_key(k->key, validator);
}

void asz_keeper_begin(struct asz_keeper *k, uint64_t now_ns) {
  asz_snapshot_abandon(&k->writer);
  k->has_older = k->has_newer = false;
  k->next_ns = now_ns + k->every_ns;
}

void asz_keeper_close(struct asz_keeper *k) {
  asz_snapshot_abandon(&k->writer);
  sodium_memzero(k->key, sizeof k->key);
  k->path = NULL;
}

void asz_keeper_drop(struct asz_keeper *k) {
  asz_snapshot_abandon(&k->writer);
  if (k->path && unlink(k->path) == 0)
    (void)!asz_sync_parent(k->path); /* best effort: a file that comes back is known to be of a closed epoch */
}

/* The time from the last word of one progress to the first of another. */
static bool is_behind(const struct asz_engine *engine, const struct asz_progress *from, const struct asz_progress *to,
                      uint64_t span_ns) {
  return to->first_tsc > from->last_tsc && asz_clock_ns(asz_engine_clock(engine), to->first_tsc - from->last_tsc) >= span_ns;
}

static void remember(struct asz_keeper *k, const struct asz_keeper_epoch *e, const struct asz_progress *now) {
  if (k->has_newer && !is_behind(e->engine, &k->newer, now, e->plan->timeout_ns))
    return;
  k->older = k->newer;
  k->has_older = k->has_newer;
  k->newer = *now;
  k->has_newer = true;
}

/* The newest word whose probes have all had their time; NULL: the epoch is too young. */
static const struct asz_progress *settled(const struct asz_keeper *k, const struct asz_keeper_epoch *e,
                                          const struct asz_progress *now) {
  uint64_t span_ns = e->plan->timeout_ns + SETTLE_MS * UINT64_C(1000000);
  if (k->has_newer && is_behind(e->engine, &k->newer, now, span_ns))
    return &k->newer;
  return k->has_older && is_behind(e->engine, &k->older, now, span_ns) ? &k->older : NULL;
}

static void tell(struct asz_keeper *k, int err, const struct asz_diag *diag) {
  uint64_t now_ns = asz_clock_monotonic_ns(), took_ns = now_ns - k->began_ns;
  k->next_ns = now_ns + (k->every_ns > SHARE * took_ns ? k->every_ns : SHARE * took_ns);
  if (err && !k->failing)
    asz_log(ASZ_LOG_WARN, "%s; measuring goes on, and a stop now would lose more than %u s", diag->text,
            (unsigned)(k->every_ns / 1000000000u));
  if (!err && k->failing)
    asz_log(ASZ_LOG_INFO, "%s: written again", k->path);
  k->failing = err != 0;
  k->failed += err != 0;
  k->written += err == 0;
}

static int begin(struct asz_keeper *k, const struct asz_keeper_epoch *e, struct asz_diag *diag) {
  struct asz_snapshot_head head = {
      .epoch = e->epoch->number,
      .opened_ns = e->epoch->opened_ns,
      .open_index = e->epoch->open_index,
      .target_count = e->plan->target_count,
      .cell_count = e->plan->stats->cell_count,
      .keep_bytes = asz_epochs_keep_bytes(e->epochs),
  };
  memcpy(head.secret, e->epoch->secret, 32);
  memcpy(head.beacon, e->epoch->beacon, 32);
  memcpy(head.params_hash, e->params_hash, 32);
  memcpy(head.root, e->root, 32);
  uint8_t *keep = malloc(head.keep_bytes);
  if (!keep)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a snapshot of epoch %u", head.epoch);
  asz_epochs_keep_write(e->epochs, e->round_slot, keep);
  int err = asz_snapshot_begin(&k->writer, k->path, k->key, &head, keep, diag);
  free(keep);
  return err;
}

static int finish(struct asz_keeper *k, const struct asz_progress *now, struct asz_diag *diag) {
  struct asz_snapshot_tail tail = {
      .at_ns = asz_clock_now_ns(),
      .sent = now->sent,
      .slots_whole = (UINT64_C(1) << k->settled.slots_closed) - 1, /* at most 63: the last one is closed by the seal */
      .shard_count = now->joined.shard_count,
      .start_realtime_ns = now->joined.start_realtime_ns,
      .slots_unjudged = now->joined.slots_unjudged,
      .rtt_error_ns = now->joined.rtt_error_ns,
      .late_ns_max = now->joined.late_ns_max,
      .faults = now->joined.faults,
  };
  memcpy(tail.slots_no_gateway, now->joined.slots_no_gateway, sizeof tail.slots_no_gateway);
  memcpy(tail.settled, k->settled.joined.shard_scheduled, sizeof tail.settled);
  memcpy(tail.scheduled, now->joined.shard_scheduled, sizeof tail.scheduled);
  return asz_snapshot_finish(&k->writer, &tail, diag);
}

/* One slice of a writing that has begun. */
static void go_on(struct asz_keeper *k, const struct asz_keeper_epoch *e, const struct asz_progress *now) {
  struct asz_diag diag;
  int err = 0;
  if (k->writer.target_next < e->plan->target_count) {
    err = asz_snapshot_targets(&k->writer, e->plan->stats, TARGETS_PER_TURN, &diag);
    k->lines_tsc = asz_tsc();
    if (err)
      tell(k, err, &diag);
  } else if (now->first_tsc > k->lines_tsc) { /* nothing that was read is newer than what is said of it */
    err = finish(k, now, &diag);
    tell(k, err, &diag);
  }
}

static void turn(struct asz_keeper *k, const struct asz_keeper_epoch *e, uint64_t now_ns, bool at_once) {
  struct asz_progress now;
  if (!k->path || !asz_engine_progress(e->engine, e->plan->epoch, &now))
    return;
  remember(k, e, &now);
  if (k->writer.out) {
    go_on(k, e, &now);
    return;
  }
  const struct asz_progress *from = settled(k, e, &now);
  if (!from || (now_ns < k->next_ns && !at_once))
    return;
  struct asz_diag diag;
  k->settled = *from;
  k->began_ns = asz_clock_monotonic_ns();
  int err = begin(k, e, &diag);
  if (err)
    tell(k, err, &diag);
}

void asz_keeper_turn(struct asz_keeper *k, const struct asz_keeper_epoch *e, uint64_t now_ns) {
  turn(k, e, now_ns, false);
}

static bool runs(const struct asz_engine *engine) {
  enum asz_engine_phase phase = asz_engine_phase(engine);
  return phase == ASZ_PHASE_PROBING || phase == ASZ_PHASE_COOLDOWN;
}

void asz_keeper_now(struct asz_keeper *k, const struct asz_keeper_epoch *e) {
  asz_snapshot_abandon(&k->writer);
  if (!runs(e->engine))
    return;
  turn(k, e, 0, true);
  while (k->writer.out && runs(e->engine)) {
    turn(k, e, 0, true);
    nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
  }
  asz_snapshot_abandon(&k->writer);
}
