/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_trials: for each attack of a lab the claimed probability of being caught beside the rate that was measured.
 *
 * A group of providers with one trait is one row, the honest groups are one together. The measured count of n trials says with
 * which probabilities it is compatible: the exact binomial interval (Clopper and Pearson) of 99.9 %, which leaves 0.05 % on
 * either side. A row holds when the claim lies inside. One in a thousand true rows does not, and of a row whose claim is certain
 * (0 or 1) a single trial that ends otherwise is enough. What the machine kept from being judged is no trial. */
#ifndef ASZ_CONTROL_LAB_TRIALS_H
#define ASZ_CONTROL_LAB_TRIALS_H

#include <stdio.h>

#include "control/fold_pace.h"
#include "control/lab_attack.h"
#include "dataplane/base/err.h"

struct json_t;

enum { ASZ_LAB_TRIALS_MAX = 64 };

/* Outcomes of one provider, of the kind that its attack is about; of an honest one of all kinds. */
struct asz_lab_tally {
  uint64_t count[ASZ_VERDICT_UNJUDGED + 1]; /* by enum asz_verdict */
  uint64_t unwanted;                        /* of NONE: for another reason than that it was kept shut */
  uint64_t out_of_pace;                     /* of PASS: folds too slow or too fast for their claim */
  uint64_t untimed;                         /* of PASS: folds with a claim and without a pace */
};

/* The outcome of a challenge, as far as trials go. */
struct asz_lab_outcome {
  unsigned kind, param;
  enum asz_verdict verdict;
  enum asz_fold_pace pace;
  bool is_shut; /* there is an answer, which the provider refused to open */
  bool at_once; /* all identities of the device were asked in one moment */
};
/* asz_lab_tally_add: if it shows the trait. Of a timed one what was not asked at once is unjudged: nothing is claimed of it. */
void asz_lab_tally_add(struct asz_lab_tally *tally, const struct asz_lab_trait *trait, const struct asz_lab_outcome *outcome);

struct asz_lab_trial {
  struct asz_lab_trait trait;
  uint32_t providers;
  uint64_t trials, caught;
  uint64_t odd;      /* judged, and neither passed nor as the attack shows */
  uint64_t unjudged; /* or missing where that is not how it shows, or untimed where time is: no trials */
  uint32_t claim_ppb, measured_ppb;
  uint32_t low_ppb, high_ppb; /* of the interval, rounded outwards */
  bool ok;                    /* trials > 0, odd = 0, low <= claim <= high */
};

struct asz_lab_trials {
  struct asz_lab_terms terms;
  uint32_t count; /* 0: nobody has a trait */
  struct asz_lab_trial trial[ASZ_LAB_TRIALS_MAX];
  bool ok; /* all are */
};

/* asz_lab_trials_make: rows in the order in which traits first appear, the honest last. ASZ_ETOOBIG: more traits than
 * ASZ_LAB_TRIALS_MAX. */
ASZ_MUST_CHECK int asz_lab_trials_make(struct asz_lab_trials *ret_trials, const struct asz_lab_trait *trait,
                                       const struct asz_lab_tally *tally, uint32_t providers, const struct asz_lab_terms *terms);

/* asz_lab_interval: the 99.9 % interval of `caught` of `trials` (1 at least, asserted), 0..10^9. */
void asz_lab_interval(uint64_t caught, uint64_t trials, uint32_t *ret_low_ppb, uint32_t *ret_high_ppb);

/* asz_lab_trials_print: a table; nothing when there is no row. ASZ_ENOMEM. asz_lab_trials_json: a new array; NULL when out of
 * memory. */
ASZ_MUST_CHECK int asz_lab_trials_print(const struct asz_lab_trials *trials, FILE *out);
struct json_t *asz_lab_trials_json(const struct asz_lab_trials *trials);

#endif
