/* SPDX-License-Identifier: Apache-2.0 */
/* asz_store: what a validator remembers. SQLite in WAL mode behind this one header, so that another engine can follow as one
 * file. All writes of an epoch happen in one transaction: a crash leaves the store before or after it, never between. Integers in
 * the database are signed 64-bit; blobs are the fixed big-endian forms of their owners. One process, one thread; a second writer
 * is refused (ASZ_EAGAIN). Errors carry a line that names file and cause. */
#ifndef ASZ_CONTROL_STORE_STORE_H
#define ASZ_CONTROL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/provider.h"
#include "control/score/performance.h"
#include "control/score/score.h"
#include "control/slash/slash.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/exchange.h"
#include "dataplane/base/faults.h"

struct asz_store;

/* asz_store_create makes a new database (ASZ_EEXIST when there is one). asz_store_open opens one, migrating older schemas forward
 * in a transaction; a newer schema than this program knows is refused. read_only: for status and the like while `run` writes. */
ASZ_MUST_CHECK int asz_store_create(const char *path, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_open(struct asz_store **ret_store, const char *path, bool read_only, struct asz_diag *diag);
void asz_store_close(struct asz_store *store); /* rolls back an open transaction; NULL is fine */
int asz_store_schema_version(void);

/* Transactions. Not nested. A write that fails inside one rolls all of it back; later writes and the commit are refused
 * (ASZ_ESTATE), so that no half of an epoch is ever kept. */
ASZ_MUST_CHECK int asz_store_begin(struct asz_store *store, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_commit(struct asz_store *store, struct asz_diag *diag);
void asz_store_rollback(struct asz_store *store);

/* Providers. add: row is filled in; ASZ_EEXIST with a line that names which field collides. list: ascending rows, heap array to
 * be freed with free. */
ASZ_MUST_CHECK int asz_store_provider_add(struct asz_store *store, struct asz_provider *provider, struct asz_diag *diag);
/* asz_store_provider_update: everything but name, row and time of registration, by row. The same errors. */
ASZ_MUST_CHECK int asz_store_provider_update(struct asz_store *store, const struct asz_provider *provider, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_provider_list(struct asz_store *store, struct asz_provider **ret_providers, size_t *ret_count,
                                           struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_provider_find(struct asz_store *store, const char *name, struct asz_provider *ret_provider,
                                           struct asz_diag *diag); /* ASZ_ENOENT */

/* State between epochs: asz_score_state and asz_slash_history of a provider. load: initial values where there are none yet. */
ASZ_MUST_CHECK int asz_store_state_load(struct asz_store *store, int64_t provider_row, struct asz_score_state *ret_state,
                                        struct asz_slash_history *ret_history, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_state_save(struct asz_store *store, int64_t provider_row, const struct asz_score_state *state,
                                        const struct asz_slash_history *history, struct asz_diag *diag);

/* Epochs. */
struct asz_epoch_row {
  uint32_t epoch;
  uint64_t opened_ns, closed_ns;
  uint8_t secret[32], beacon[32], params_hash[32], report_root[32];
  uint64_t open_index, close_index; /* in the log */
  uint32_t provider_count;
  bool complete; /* false: ended early (Ctrl-C) */
  uint64_t probes_sent, probes_answered, rate_pps, slots_unjudged;
  struct asz_faults faults; /* of ours, in the slots that they spoiled */
};
ASZ_MUST_CHECK int asz_store_epoch_put(struct asz_store *store, const struct asz_epoch_row *row,
                                       struct asz_diag *diag); /* insert or replace by epoch */
ASZ_MUST_CHECK int asz_store_epoch_get(struct asz_store *store, uint32_t epoch, struct asz_epoch_row *ret_row,
                                       struct asz_diag *diag); /* ASZ_ENOENT */
ASZ_MUST_CHECK int asz_store_epoch_last(struct asz_store *store, struct asz_epoch_row *ret_row,
                                        struct asz_diag *diag); /* ASZ_ENOENT: none yet */

/* Scores: the newest of each provider and the one before (for the profile). A report blob of an epoch: all 96-byte records
 * in provider row order. */
struct asz_score_row {
  int64_t provider_row;
  uint32_t epoch;
  struct asz_score score;
};
ASZ_MUST_CHECK int asz_store_score_put(struct asz_store *store, const struct asz_score_row *row,
                                       struct asz_diag *diag); /* becomes the newest */
ASZ_MUST_CHECK int asz_store_score_newest(struct asz_store *store, int64_t provider_row, struct asz_score_row *ret_row,
                                          struct asz_diag *diag); /* ASZ_ENOENT */
/* asz_store_score_previous: the one before the newest, of an earlier epoch: what changed. ASZ_ENOENT: none yet. */
ASZ_MUST_CHECK int asz_store_score_previous(struct asz_store *store, int64_t provider_row, struct asz_score_row *ret_row,
                                            struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_report_put(struct asz_store *store, uint32_t epoch, const uint8_t *blob, size_t size_bytes,
                                        struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_report_get(struct asz_store *store, uint32_t epoch, uint8_t **ret_blob, size_t *ret_size,
                                        struct asz_diag *diag);

/* Performance: of the newest epoch in which a provider did some work. newest: ASZ_ENOENT: none yet. */
struct asz_performance_row {
  int64_t provider_row;
  uint32_t epoch;
  struct asz_performance performance;
};
ASZ_MUST_CHECK int asz_store_performance_put(struct asz_store *store, const struct asz_performance_row *row,
                                             struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_performance_newest(struct asz_store *store, int64_t provider_row,
                                                struct asz_performance_row *ret_row, struct asz_diag *diag);

/* Transcripts of challenges: all failures, a sample of successes. */
struct asz_transcript_row {
  int64_t provider_row;
  uint32_t epoch;
  uint64_t slot;
  uint8_t kind, verdict; /* enum asz_kind, enum asz_verdict (gpu/verify.h) */
  uint64_t tx_ns, rx_ns, clock_error_ns;
  struct asz_exchange exchange;
};
ASZ_MUST_CHECK int asz_store_transcript_put(struct asz_store *store, const struct asz_transcript_row *row, struct asz_diag *diag);
/* asz_store_transcript_each: rows of one provider with one verdict, slots slot_first..slot_last, ascending; stops when visit
 * returns non-zero and returns that. Pointers are valid during the visit. */
ASZ_MUST_CHECK int asz_store_transcript_each(struct asz_store *store, int64_t provider_row, unsigned verdict, uint64_t slot_first,
                                             uint64_t slot_last,
                                             int (*visit)(void *context, const struct asz_transcript_row *row), void *context,
                                             struct asz_diag *diag);
/* asz_store_transcript_prune: those sent before then, but of that verdict only what lies before the provider's e-process year:
 * evidence needs all wrong answers of the year. */
ASZ_MUST_CHECK int asz_store_transcript_prune(struct asz_store *store, uint64_t before_ns, unsigned verdict,
                                              struct asz_diag *diag);
/* The year of a provider's e-process: correctness slot at which it began; 0: none yet. */
ASZ_MUST_CHECK int asz_store_eprocess_start(struct asz_store *store, int64_t provider_row, uint64_t *ret_slot,
                                            struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_eprocess_start_set(struct asz_store *store, int64_t provider_row, uint64_t slot,
                                                struct asz_diag *diag);

/* Incidents: what the profile shows as "last incidents". kind: a short word ("down", "wrong-answer", "slow", "forged", "slash").
 */
struct asz_incident {
  int64_t provider_row;
  uint32_t epoch;
  uint64_t at_ns;
  char kind[24];
  char detail[160];
};
ASZ_MUST_CHECK int asz_store_incident_put(struct asz_store *store, const struct asz_incident *incident, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_incident_last(struct asz_store *store, int64_t provider_row, struct asz_incident *ret_incidents,
                                           size_t capacity, size_t *ret_count, struct asz_diag *diag); /* newest first */

/* Slashing recommendations. id: 1, 2, ... */
struct asz_slash_row {
  int64_t id;
  int64_t provider_row;
  uint32_t epoch;
  uint64_t at_ns;
  uint8_t offence;
  uint32_t stake_bps;
  uint64_t jail_ns;
  uint8_t bundle_hash[32];
  uint64_t log_index; /* of the slash entry */
  char reason[160];
};
ASZ_MUST_CHECK int asz_store_slash_put(struct asz_store *store, struct asz_slash_row *row, const uint8_t *bundle,
                                       size_t bundle_bytes, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_slash_list(struct asz_store *store, struct asz_slash_row **ret_rows, size_t *ret_count,
                                        struct asz_diag *diag);
ASZ_MUST_CHECK int asz_store_slash_get(struct asz_store *store, int64_t id, struct asz_slash_row *ret_row, uint8_t **ret_bundle,
                                       size_t *ret_size, struct asz_diag *diag);

/* Small values by name. */
ASZ_MUST_CHECK int asz_store_meta_get(struct asz_store *store, const char *name, char *ret_text, size_t capacity,
                                      struct asz_diag *diag); /* ASZ_ENOENT */
ASZ_MUST_CHECK int asz_store_meta_set(struct asz_store *store, const char *name, const char *text, struct asz_diag *diag);

#endif
