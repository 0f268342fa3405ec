/* SPDX-License-Identifier: Apache-2.0 */
/* asz_pipeline: the one unit that sees both the engine and the verifier. It asks every provider with a key each challenge kind
 * once a correctness slot (gemm and mem only those who consent), and brings back one outcome for each.
 *
 *   begin(slot) -> queued -> sent (again after a third of the deadline, `tries` times) -> answered: MAC and fields checked
 *               -> batches for the verifier -> verdicts -> outcome
 *   gemm: a HELLO once an epoch -> WELCOME: consent and token -> queued as above; the answer is a signed commitment, which waits
 *         until all are in or late -> the reveal, chunk by chunk -> openings and their signature -> verifier -> outcome
 *   receipts: a reply to a probe that the engine drew -> ASK -> RECEIPT (pipeline_receipt.c); no outcome, counters alone
 *   mem:  as gemm; in its first slot of an epoch the provider builds an arena, in later ones it folds it, against the
 *         clock (fold_pace.h)
 *
 * What decides (control/pipeline_verify.c, outcome_of; control/pipeline_ask.c for silence):
 *   signature invalid               MALFORMED   nobody signed it: no evidence against anyone
 *   signature valid, work wrong     FAIL        a wrong signed answer: x = 1 of the e-process
 *   both right                      PASS
 *   no answer until the deadline    NONE        missing, as is a commitment that is not opened; UNJUDGED instead when we dropped
 *                                               frames or never sent the question
 *   opening signed and wrong        FAIL
 *   fold of another arena than the provider signed that it built, signed: FAIL
 * An answer that fails the MAC, or that repeats another slot, nonce or device, is counted and ignored: it did not come from this
 * session.
 *
 * One control thread calls asz_pipeline_step often; each step does a bounded amount of work and never blocks. */
#ifndef ASZ_CONTROL_PIPELINE_H
#define ASZ_CONTROL_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/fold_pace.h"
#include "control/roster.h"
#include "control/rtt_targets.h"
#include "dataplane/base/exchange.h"
#include "dataplane/engine.h"
#include "gpu/verify.h"

struct asz_pipeline_config {
  uint64_t rate_ps;     /* challenges sent a second */
  uint64_t deadline_ns; /* from the first transmission */
  uint32_t tries;       /* transmissions at most, spread over the deadline */
  uint8_t seq_log2_steps;
  uint8_t gemm_preset;                          /* enum asz_gemm_preset; 0: gemm is not asked */
  uint8_t openings;                             /* columns of each answer, 1..ASZ_OPENINGS_MAX */
  uint64_t gemm_deadline_ns;                    /* of the commitment */
  uint8_t mem_preset;                           /* enum asz_gemm_preset; 0: mem is not asked */
  uint64_t build_deadline_ns, fold_deadline_ns; /* of mem's commitments */
  struct asz_rtt_targets targets;               /* what a fold is allowed for the way */
  uint64_t opening_deadline_ns;                 /* from the first OPEN */
  bool receipts;                                /* are asked for, where the engine gives samples */
  uint64_t duty_ns;                             /* what a provider may spend of an epoch on gemm and mem for us */
};

/* X(symbol, name, help): what happened to answers on their way. */
#define ASZ_PIPELINE_COUNTER_LIST(X)                                                                                             \
  X(SENT, "challenges_sent", "challenge datagrams queued to the engine, repeats included")                                       \
  X(REPEATED, "challenges_repeated", "sent again because no answer had come")                                                    \
  X(ANSWERS, "answers", "answers that belong to an open challenge")                                                              \
  X(MALFORMED, "answers_malformed", "datagrams that are no answer")                                                              \
  X(BAD_MAC, "answers_bad_mac", "answers whose MAC is not of this session")                                                      \
  X(FOREIGN, "answers_foreign", "answers to another slot, nonce, device or kind")                                                \
  X(DUPLICATE, "answers_duplicate", "second answers to a challenge")                                                             \
  X(LATE, "answers_late", "answers and chunks after the deadline")                                                               \
  X(HELLOS, "hellos_sent", "questions for consent, repeats included")                                                            \
  X(WELCOMES, "welcomes", "signed declarations, one a provider and epoch")                                                       \
  X(NOT_ASKED, "challenges_not_asked", "challenges of gemm and mem kept back: no declaration, or none that consents")            \
  X(OVER_DUTY, "challenges_over_duty", "challenges of gemm and mem kept back: the provider has done its share of the epoch")     \
  X(OPENS, "opens_sent", "questions for chunks of openings, repeats included")                                                   \
  X(CHUNKS, "chunks", "chunks of openings that were missing")                                                                    \
  X(CHUNKS_FOREIGN, "chunks_foreign", "chunks that nobody asked for, or that came twice")                                        \
  X(OPENED, "openings_complete", "answers whose openings came whole")                                                            \
  X(NOT_OPENED, "openings_missing", "commitments that were not opened in time")                                                  \
  X(RECEIPTS_ASKED, "receipts_asked", "questions for receipts, repeats included")                                                \
  X(RECEIPTS_CONFIRMED, "receipts_confirmed", "receipts that have the reply that was drawn, with the times that we saw")         \
  X(RECEIPTS_CONTRADICTED, "receipts_contradicted", "signed receipts that do not, though nothing was lost before them")          \
  X(RECEIPTS_TOO_OLD, "receipts_too_old", "receipts whose provider did not keep the reply any more")                             \
  X(RECEIPTS_UNSIGNED, "receipts_unsigned", "receipts under the right MAC whose signature is not valid")                         \
  X(RECEIPTS_MISSING, "receipts_missing", "receipts that did not come in time")                                                  \
  X(FOLDS_IN_BOUNDS, "folds_in_bounds", "right folds as fast as the memory that was claimed")                                    \
  X(FOLDS_TOO_SLOW, "folds_too_slow", "right folds slower than 0.7 of the claimed speed and the latency target allow")           \
  X(FOLDS_TOO_FAST, "folds_too_fast", "right folds at more than twice the claimed speed")                                        \
  X(FOLDS_UNTIMED, "folds_untimed", "right folds without a pace: no claim, asked again, or spoiled by us")

enum asz_pipeline_counter {
#define ASZ_PIPELINE_COUNTER_ENUM(symbol, name, help) ASZ_PCTR_##symbol,
  ASZ_PIPELINE_COUNTER_LIST(ASZ_PIPELINE_COUNTER_ENUM)
#undef ASZ_PIPELINE_COUNTER_ENUM
      ASZ_PCTR_COUNT
};
const char *asz_pipeline_counter_name(enum asz_pipeline_counter counter);

/* asz_pipeline_sample_every: what the engine's plan takes, so that a run that sends rate_pps draws 1,000 samples a second at
 * most. */
uint32_t asz_pipeline_sample_every(uint64_t rate_pps);

/* The result of one challenge. Datagrams are the pipeline's, valid during the call of the sink. */
struct asz_outcome {
  uint32_t provider; /* plan index */
  uint32_t epoch;
  uint64_t slot;
  uint8_t kind, param;                   /* enum asz_kind; the challenge's */
  uint8_t verdict;                       /* enum asz_verdict; NONE: missing */
  uint64_t tx_ns, rx_ns, clock_error_ns; /* wall time; rx_ns 0 when missing */
  uint64_t took_ns;                      /* from the first question that left to the answer, by our clock; 0: not known */
  bool is_timed;                         /* took_ns is certain: one question, and nothing of ours in between */
  uint8_t pace;                          /* enum asz_fold_pace: of a right fold */
  uint64_t claimed_bytes_ps;             /* of a right fold; 0: no claim */
  struct asz_exchange exchange;          /* answer and opening: no bytes when missing */
};

struct asz_pipeline;

/* asz_pipeline_new borrows engine, verifier and roster for its life. sink is called from asz_pipeline_step. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_pipeline_new(struct asz_pipeline **ret_pipeline, const struct asz_pipeline_config *config,
                                    struct asz_engine *engine, struct asz_verifier *verifier, const struct asz_roster *roster,
                                    void (*sink)(void *context, const struct asz_outcome *outcome), void *context,
                                    struct asz_diag *diag);
void asz_pipeline_free(struct asz_pipeline *pipeline); /* not while a round is open unless the engine is stopped */

/* asz_pipeline_know_rtt: each provider's median RTT by plan index, 0: not known; whom the agenda takes for neighbours. All 0
 * until then. */
void asz_pipeline_know_rtt(struct asz_pipeline *pipeline, const uint32_t *rtt_ns);
/* asz_pipeline_begin opens a round: every kind to every provider with a key, spread over the time until until_ns as the agenda
 * has it, all at once where asz_pipeline_round_ns leaves no time. The last round must be over (asz_pipeline_idle; asserted).
 * `session` is the epoch's, by plan index. Times are CLOCK_MONOTONIC. */
void asz_pipeline_begin(struct asz_pipeline *pipeline, uint32_t epoch, uint64_t slot, const uint8_t secret[32],
                        const uint8_t beacon[32], const struct asz_session *session, uint64_t now_ns, uint64_t until_ns);
/* asz_pipeline_round_ns: what a round needs at least: sending all at the configured rate, then the deadline. */
uint64_t asz_pipeline_round_ns(const struct asz_pipeline *pipeline);
/* asz_pipeline_step: returns the number of things done; 0 means the caller may sleep a little. */
unsigned asz_pipeline_step(struct asz_pipeline *pipeline, uint64_t now_ns);
bool asz_pipeline_idle(const struct asz_pipeline *pipeline);
/* asz_pipeline_abort ends the round now: what is unanswered becomes UNJUDGED. */
void asz_pipeline_abort(struct asz_pipeline *pipeline);
void asz_pipeline_counters(const struct asz_pipeline *pipeline, uint64_t ret_value[ASZ_PCTR_COUNT]);

#endif
