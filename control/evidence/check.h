/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of an envelope share. Each check is one function that returns an outcome; a failing one leaves its reason in
 * diag, a passing one may leave a remark there. Within control/evidence only. */
#ifndef ASZ_CONTROL_EVIDENCE_CHECK_H
#define ASZ_CONTROL_EVIDENCE_CHECK_H

#include "control/evidence/bundle.h"
#include "control/evidence/entry.h"

/* One transcript, read: made by the check "challenges", used by those behind it. */
struct asz_read_transcript {
  struct asz_challenge challenge;
  struct asz_answer answer; /* points into the bundle, as does the build */
  uint8_t seed[32];
  unsigned openings;       /* gemm, mem: how many are shown */
  struct asz_answer build; /* of a fold */
  uint8_t build_seed[32];
};

struct asz_check {
  const uint8_t *file;
  size_t file_bytes;
  const uint8_t *validator_pk; /* whom the caller expects, or NULL */
  struct asz_envelope envelope;
  struct asz_bundle bundle;
  struct asz_checkpoint head; /* the envelope's */
  struct asz_checkpoint base; /* the bundle's */
  struct asz_read_transcript *read;
  struct asz_evidence_report *report;
  struct asz_diag *diag; /* the report's */
};

struct asz_check_step {
  const char *name;
  enum asz_evidence_outcome (*run)(struct asz_check *check);
};

/* The checks of each offence, behind the common ones; a NULL name ends a list. */
extern const struct asz_check_step asz_check_wrong[];  /* S1 */
extern const struct asz_check_step asz_check_silent[]; /* S3 */

/* asz_check_fail sets the reason and returns outcome. */
#define asz_check_fail(check, outcome, ...) ((enum asz_evidence_outcome)asz_diag_set((check)->diag, (int)(outcome), __VA_ARGS__))
/* asz_check_remark says something about a check that passed. */
#define asz_check_remark(check, ...) asz_check_fail(check, ASZ_EVIDENCE_VALID, __VA_ARGS__)

/* asz_check_bad: the S1 claim does not hold, because of transcript `at`. */
enum asz_evidence_outcome asz_check_bad(struct asz_check *check, size_t at, const char *what);
/* Steps of S1 in check_work.c: what a transcript's pieces must be, and the judgement of the work in them. */
enum asz_evidence_outcome asz_check_pieces(struct asz_check *check);
enum asz_evidence_outcome asz_check_work(struct asz_check *check);

/* asz_check_logged: entry lies at its inclusion's index in the tree of `checkpoint`. */
bool asz_check_logged(const struct asz_checkpoint *checkpoint, const struct asz_inclusion *inclusion, const uint8_t *entry,
                      size_t entry_bytes);

#endif
