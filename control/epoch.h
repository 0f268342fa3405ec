/* SPDX-License-Identifier: Apache-2.0 */
/* asz_epochs: opens and closes epochs. It owns what is known of every provider between epochs and is the only unit that writes
 * log and store.
 *
 *   open   a fresh secret; its commitment, the beacon and the registrations go into the log, durably, before the first probe
 * leaves
 *   ...    outcomes of challenges arrive; after each correctness slot every e-process takes one step
 *   close  scores from the sealed statistics; the report's root and the secret go into the log; slashes with their evidence; then
 * one store transaction for all of it
 *
 * The number of an epoch is spent in the store before it is used in the log: after a crash it is skipped, never used twice.
 *
 * Beacon: BLAKE2b-256("assize/1/beacon" || log root before the opening || epoch BE32). It chains an epoch's challenges to
 * everything logged before; it is the validator's own, so it keeps providers from working ahead, not a validator from choosing. A
 * public source replaces it when consensus is built. */
#ifndef ASZ_CONTROL_EPOCH_H
#define ASZ_CONTROL_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/config.h"
#include "control/measure.h"
#include "control/pipeline.h"
#include "control/store/store.h"
#include "control/tlog/tlog.h"

struct asz_epoch {
  uint32_t number;
  uint64_t opened_ns;
  uint64_t open_index; /* in the log */
  uint8_t secret[32], beacon[32];
  const struct asz_session *session; /* by plan index */
  const uint32_t *rtt_ns;            /* by plan index: median of the last epoch that was closed by then, as published; 0: none */
};

/* What closing an epoch found, for status lines and reports. */
struct asz_epoch_summary {
  uint32_t number;
  bool complete;
  uint32_t providers, judged, up, down;
  uint32_t recommendations; /* made in this epoch */
  uint32_t slots_judged;
};

struct asz_epochs;

/* asz_epochs_new loads the providers' states. Everything passed in is borrowed for its life. */
ASZ_MUST_CHECK int asz_epochs_new(struct asz_epochs **ret_epochs, const struct asz_config *config, const struct asz_identity *key,
                                  struct asz_store *store, struct asz_tlog *log, const char *log_dir, struct asz_roster *roster,
                                  struct asz_diag *diag);
void asz_epochs_free(struct asz_epochs *epochs);

ASZ_MUST_CHECK int asz_epochs_open(struct asz_epochs *epochs, struct asz_epoch *ret_epoch, struct asz_diag *diag);

/* asz_epochs_outcome: the pipeline's sink (context: struct asz_epochs *). */
void asz_epochs_outcome(void *context, const struct asz_outcome *outcome);
/* asz_epochs_slot_done: a correctness slot is over: every provider with a key takes one step of its e-process for it (and steps
 * with x = 0 for slots that passed without us), and one of that of paces. */
void asz_epochs_slot_done(struct asz_epochs *epochs, uint64_t slot);
/* asz_epochs_slot_last: the last correctness slot that was stepped by anyone; a slot is never used twice. */
uint64_t asz_epochs_slot_last(const struct asz_epochs *epochs);

/* For snapshots (snapshot.h): what is held of the running epoch in memory alone: outcomes, steps of the e-processes, transcripts.
 * asz_epochs_keep_write fills asz_epochs_keep_bytes bytes; round_slot: of the round that is open; 0: none. asz_epochs_keep_check:
 * ASZ_EFORMAT unless these are such bytes, of so many providers; asz_epochs_keep_row: which provider of the store is there (of
 * checked bytes). asz_epochs_restore: into fresh ones, just loaded; a round that
 * was open is over then; ASZ_EFORMAT, ASZ_ENOMEM: only good to be freed. */
size_t asz_epochs_keep_bytes(const struct asz_epochs *epochs);
void asz_epochs_keep_write(const struct asz_epochs *epochs, uint64_t round_slot, uint8_t *ret_bytes);
ASZ_MUST_CHECK int asz_epochs_keep_check(const uint8_t *bytes, size_t size_bytes, uint32_t provider_count);
int64_t asz_epochs_keep_row(const uint8_t *bytes, uint32_t index);
ASZ_MUST_CHECK int asz_epochs_restore(struct asz_epochs *epochs, uint32_t epoch, const uint8_t *bytes, size_t size_bytes,
                                      struct asz_diag *diag);

/* asz_epochs_close: plan and stats are of this epoch, sealed. On error nothing of the epoch is in the store. */
ASZ_MUST_CHECK int asz_epochs_close(struct asz_epochs *epochs, const struct asz_epoch *epoch, const struct asz_plan *plan,
                                    const struct asz_stats *stats, bool complete, struct asz_epoch_summary *ret_summary,
                                    struct asz_diag *diag);

/* The state after the last close, by plan index: for reports (lab). */
const struct asz_score *asz_epochs_score(const struct asz_epochs *epochs, uint32_t index);
bool asz_epochs_slashed_s1(const struct asz_epochs *epochs, uint32_t index);

#endif
