/* SPDX-License-Identifier: Apache-2.0 */
/* asz_snapshot: what is known of an epoch that still runs, as a file: written every few seconds, so that a stop of whatever kind
 * loses no more than that. (A checkpoint, were the word not the log's already.)
 *
 *   head       which epoch: number, secret, beacon, its opening in the log, parameters, providers
 *   keep       what the control plane holds of the epoch (asz_epochs_keep_write)
 *   targets    one line and the non-empty cells of its sketch each
 *   tail       how far the lcores were, when
 *   MAC        BLAKE2b-256 under a key that only this validator's key gives: a checksum, and nobody else's file
 * All integers big-endian; snapshot_internal.h has the layout. The file holds the epoch's secret: mode 0600.
 *
 * A target's line is copied while the prober may write to it, and targets are copied one after another, over seconds when there
 * are many. So two counts of what was scheduled are kept: `settled`, as of a timeout before the first line was read, when every
 * answer to those was in; and as of after the last line was read. What is unanswered is called so only up to the first count; the
 * probes in between may have been in flight and are unjudged (asz_snapshot_settle). A slot counts only when it was over at the
 * first count. Delay variation is left out: it is advice, and a cut-off epoch can do without. */
#ifndef ASZ_CONTROL_SNAPSHOT_H
#define ASZ_CONTROL_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/identity.h"
#include "dataplane/engine.h"

enum { ASZ_SNAPSHOT_VERSION = 4, ASZ_SNAPSHOT_KEY_BYTES = 32, ASZ_SNAPSHOT_PATH_MAX = 4096 };

struct asz_snapshot_head {
  uint32_t epoch;
  uint64_t opened_ns, open_index;
  uint8_t secret[32], beacon[32], params_hash[32], root[32];
  uint32_t target_count, cell_count;
  uint64_t keep_bytes;
};

struct asz_snapshot_tail {
  uint64_t at_ns;                            /* wall time of the last word */
  uint64_t sent;                             /* probes that left by then */
  uint64_t slots_whole;                      /* bit s: over, and every answer in */
  uint64_t settled[ASZ_ENGINE_LCORES_MAX];   /* scheduled so long ago that their answers were in */
  uint64_t scheduled[ASZ_ENGINE_LCORES_MAX]; /* not below */
  uint32_t shard_count;
  uint64_t start_realtime_ns, slots_unjudged, slots_no_gateway[ASZ_FAMILY_COUNT], rtt_error_ns, late_ns_max;
  struct asz_faults faults;
};

/* asz_snapshot_key: the MAC's key. */
void asz_snapshot_key(uint8_t ret_key[ASZ_SNAPSHOT_KEY_BYTES], const struct asz_identity *validator);

/* Writing: begin, then targets until none is left, then finish; all in slices of the caller's choice. The file takes its name in
 * finish, whole and on the disk; until then, and after a failure, the one before it stands. Each failure is one line that names
 * file and cause, and has abandoned the writing. Control thread. */
struct asz_snapshot_writer {
  FILE *out; /* NULL: not writing */
  char path[ASZ_SNAPSHOT_PATH_MAX], part[ASZ_SNAPSHOT_PATH_MAX + 8];
  struct asz_snapshot_head head;
  uint32_t target_next;
  uint8_t mac_state[512] __attribute__((aligned(64))); /* crypto_generichash_state */
};
ASZ_MUST_CHECK int asz_snapshot_begin(struct asz_snapshot_writer *writer, const char *path,
                                      const uint8_t key[ASZ_SNAPSHOT_KEY_BYTES], const struct asz_snapshot_head *head,
                                      const uint8_t *keep, struct asz_diag *diag);
/* asz_snapshot_targets: the next `count` targets at most; writer->target_next says how many are written. */
ASZ_MUST_CHECK int asz_snapshot_targets(struct asz_snapshot_writer *writer, const struct asz_stats *stats, uint32_t count,
                                        struct asz_diag *diag);
ASZ_MUST_CHECK int asz_snapshot_finish(struct asz_snapshot_writer *writer, const struct asz_snapshot_tail *tail,
                                       struct asz_diag *diag);
void asz_snapshot_abandon(struct asz_snapshot_writer *writer);

struct asz_snapshot {
  struct asz_snapshot_head head;
  struct asz_snapshot_tail tail;
  const uint8_t *keep;     /* head.keep_bytes, in the caller's bytes */
  struct asz_stats *stats; /* as a seal would have left them, but for what asz_snapshot_settle does */
};
/* asz_snapshot_read: `name` stands for the file. ASZ_EFORMAT: no snapshot, or one that no writer makes; ASZ_ENOTSUP: of another
 * version; ASZ_EAUTH: truncated, damaged or another validator's; ASZ_ENOMEM. Close with asz_snapshot_close, also a zeroed one. */
ASZ_MUST_CHECK int asz_snapshot_read(struct asz_snapshot *ret_snapshot, const uint8_t *bytes, size_t size_bytes, const char *name,
                                     const uint8_t key[ASZ_SNAPSHOT_KEY_BYTES], struct asz_diag *diag);
void asz_snapshot_close(struct asz_snapshot *snapshot);
/* asz_snapshot_settle: what may have been in flight becomes unjudged, and so does every slot that is not whole. `plan` is the
 * epoch's; plan->stats == snapshot->stats. ASZ_EFORMAT when a target has more answers than questions; ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_snapshot_settle(struct asz_snapshot *snapshot, const struct asz_plan *plan, struct asz_diag *diag);

#endif
