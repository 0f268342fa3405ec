/* SPDX-License-Identifier: Apache-2.0 */
/* What epoch.c (open, outcomes), epoch_close.c (scores, report, store), epoch_keep.c (snapshots) and accuse.c (evidence) share.
 * Nobody else includes it. */
#ifndef ASZ_CONTROL_EPOCH_INTERNAL_H
#define ASZ_CONTROL_EPOCH_INTERNAL_H

#include "control/epoch.h"
#include "control/evidence/evidence.h"
#include "control/rtt_targets.h"
#include "control/tlog/tree.h"

struct asz_epochs_entry {
  struct asz_score_state state;
  struct asz_slash_history history;
  struct asz_score score;           /* of the last close, or before the first one its newest in the store */
  struct asz_answer_counts answers; /* of the running epoch, as is performance */
  struct asz_performance performance;
  uint64_t slot_start; /* first correctness slot of the e-process year; 0: none yet */
  bool wrong;          /* in the running slot: a confirmed wrong signed answer */
  bool slow;           /* in the running slot: a fold that was surely too slow */
};

/* What transcripts of one epoch may take: of 44,000 providers who all open 32 wrong columns of the largest preset a quarter. An
 * answer beyond it is unjudged. */
#define ASZ_KEPT_MAX_BYTES ((size_t)2 << 30)

/* A transcript waiting for its epoch's transaction; the pieces of its exchange are its own memory. */
struct asz_kept_transcript {
  struct asz_transcript_row row;
  uint32_t provider; /* plan index */
  uint8_t *bytes;    /* one piece after the other */
};

struct asz_epochs {
  const struct asz_config *config;
  struct asz_rtt_targets targets;
  const struct asz_identity *key;
  struct asz_store *store;
  struct asz_tlog *log;
  const char *log_dir;
  struct asz_roster *roster;
  uint8_t params_hash[32];
  uint64_t slot_last;
  struct asz_epochs_entry *entry; /* roster->count */
  struct asz_kept_transcript *transcript;
  size_t transcript_count, transcript_capacity, kept_bytes;
  uint64_t transcripts_lost; /* in the running epoch */
  /* taken once, used by every close */
  uint32_t *sent;
  uint32_t *rtt_ns[2]; /* of an epoch, by its parity: the next one opens before the last is closed */
  uint8_t *report;     /* records of ASZ_RECORD_BYTES */
  uint8_t (*leaf)[32], (*node)[32];
};

/* asz_epochs_transcript_keep copies an outcome with its exchange until the epoch's transaction; ASZ_ENOMEM, also when all
 * transcripts together are too large. */
ASZ_MUST_CHECK int asz_epochs_transcript_keep(struct asz_epochs *epochs, const struct asz_outcome *outcome);

/* An accusation on its way: decided, evidence built, entry appended to the log but not yet published. */
struct asz_accusation {
  uint32_t provider;
  struct asz_slash_decision decision;
  struct asz_slash_row row;
  uint8_t *bundle;
  size_t bundle_bytes;
};

/* The report that a closing epoch has logged: S3 evidence points into it. */
struct asz_closed_report {
  uint32_t epoch;
  uint64_t closed_ns;
  uint64_t close_index;  /* log index of the epoch-close entry */
  uint32_t record_count; /* leaves of the tree */
  struct asz_tlog_tree tree;
};

/* asz_accuse builds the evidence of one decision against the published log and appends the slash entry. The epoch's row and
 * transcripts are already in the open transaction. On success ret_accusation->bundle is the caller's to free. record_index: the
 * provider's leaf in the report. */
ASZ_MUST_CHECK int asz_accuse(struct asz_epochs *epochs, const struct asz_closed_report *report, uint32_t provider,
                              uint32_t record_index, const struct asz_slash_decision *decision,
                              struct asz_accusation *ret_accusation, struct asz_diag *diag);

#endif
