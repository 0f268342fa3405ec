/* SPDX-License-Identifier: Apache-2.0 */
/* asz_keeper: writes a snapshot of the running epoch every few seconds, a slice a turn of the loop, so that neither prober nor
 * challenges wait for a disk. A writing that fails is said once, counted, and tried again; the snapshot before it stays, and the
 * run goes on. The next one begins store.snapshot_s after the last, but writing takes a twentieth of the time at most. Control
 * thread. */
#ifndef ASZ_CONTROL_KEEPER_H
#define ASZ_CONTROL_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "control/epoch.h"
#include "control/snapshot.h"

struct asz_keeper {
  /* set by asz_keeper_open */
  const char *path; /* NULL: off */
  uint64_t every_ns;
  uint8_t key[ASZ_SNAPSHOT_KEY_BYTES];
  /* of the running epoch: two older words of the lcores, one of which is far enough back to be settled */
  struct asz_progress older, newer;
  bool has_older, has_newer;
  /* of the writing */
  struct asz_snapshot_writer writer;
  struct asz_progress settled;
  uint64_t lines_tsc; /* when the last line had been read */
  uint64_t began_ns, next_ns;
  bool failing;
  uint32_t written, failed; /* of all epochs */
};

/* What is kept of: the running epoch. round_slot: of the round of challenges that is open; 0: none. */
struct asz_keeper_epoch {
  struct asz_engine *engine;
  const struct asz_epochs *epochs;
  const struct asz_epoch *epoch;
  const struct asz_plan *plan;
  const uint8_t *params_hash, *root; /* 32 bytes each */
  uint64_t round_slot;
};

/* asz_keeper_open: path is borrowed; NULL or every_s 0: every call does nothing. */
void asz_keeper_open(struct asz_keeper *keeper, const char *path, uint64_t every_s, const struct asz_identity *validator);
/* asz_keeper_begin: another epoch runs; what was being written of the last is abandoned, its file stays. */
void asz_keeper_begin(struct asz_keeper *keeper, uint64_t now_ns);
/* asz_keeper_turn: while the engine probes or cools down. now_ns: CLOCK_MONOTONIC. */
void asz_keeper_turn(struct asz_keeper *keeper, const struct asz_keeper_epoch *epoch, uint64_t now_ns);
/* asz_keeper_now writes one to its end at once, unless the epoch is sealed before: the run is being stopped. */
void asz_keeper_now(struct asz_keeper *keeper, const struct asz_keeper_epoch *epoch);
/* asz_keeper_drop: the epoch is closed, in log and store: its file goes. */
void asz_keeper_drop(struct asz_keeper *keeper);
void asz_keeper_close(struct asz_keeper *keeper); /* a file stays */

#endif
