/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_attack: the ways to answer challenges with less than the work that the lab's providers know, and for each how often it
 * is caught: a formula of docs/challenges.md ("What an answer is worth"), whose numbers are those of the lab.
 *
 * One challenge is one trial. It is caught when its outcome is what the attack shows as; it is not when it passes. Of the timed
 * ones, whose answers are right, it is caught when the answer is late, or a fold's pace is out of bounds. Pure. */
#ifndef ASZ_CONTROL_LAB_ATTACK_H
#define ASZ_CONTROL_LAB_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "control/lab_device.h"
#include "dataplane/base/challenge.h"
#include "gpu/verify.h"

/* X(symbol, name, kind, verdict that shows it, chance, help)
 * chance: an opening, or a whole answer of sig and seq, is right with probability
 *   NEVER     0
 *   COLUMNS   1 - columns / (T m)
 *   RANK      columns / m
 *   COLUMN    1 / m
 *   STEP      1 / T
 *   QUEUE     none is wrong: the attack is timed, and what a device can do for several decides */
#define ASZ_LAB_ATTACK_LIST(X)                                                                                                   \
  X(OTHER_KEY, "other-key", SIG, MALFORMED, NEVER, "signs with the key of another provider")                                     \
  X(OTHER_NONCE, "other-nonce", SIG, MALFORMED, NEVER, "signs the question of another nonce")                                    \
  X(NON_CANONICAL, "non-canonical", SIG, MALFORMED, NEVER, "adds the order of the group to S of its true signature")             \
  X(SMALL_ORDER, "small-order", SIG, MALFORMED, NEVER, "a signature of a point of order 1 and S = 0")                            \
  X(REPLAYED_ANSWER, "replayed-answer", SIG, NONE, NEVER, "answers each question with its answer to the one before")             \
  X(FORGED_SOURCE, "forged-source", SIG, NONE, NEVER, "somebody answers in its name, without the session's key")                 \
  X(BROKEN_CHAIN, "broken-chain", SEQ, FAIL, NEVER, "one of 32 segments does not begin where the one before ended")              \
  X(SHORT_CHAIN, "short-chain", SEQ, FAIL, NEVER, "half of the steps, as if they were all")                                      \
  X(STALE_CHAIN, "stale-chain", SEQ, FAIL, NEVER, "the chain of another nonce")                                                  \
  X(LAZY, "lazy", GEMM, FAIL, COLUMNS, "columns are garbage that nobody computed")                                               \
  X(ONE_ENTRY, "one-entry", GEMM, FAIL, COLUMNS, "columns have one entry that is off by one")                                    \
  X(ALIAS, "alias", GEMM, FAIL, COLUMNS, "columns have one entry moved by p, and so the right product")                          \
  X(UPPER_HALVES, "upper-halves", GEMM, FAIL, COLUMNS, "the same, but their upper halves are chosen after the reveal")           \
  X(SELECTIVE, "selective", GEMM, NONE, COLUMNS, "the same, and silence when one of them is to be opened")                       \
  X(INT4, "int4", GEMM, FAIL, NEVER, "inputs of four bits")                                                                      \
  X(LOW_RANK, "low-rank", GEMM, FAIL, RANK, "that many columns of each step, repeated")                                          \
  X(RECURRENCE, "recurrence", GEMM, FAIL, COLUMN, "each row from the one before, as Hankel matrices would allow")                \
  X(FORGED_LINK, "forged-link", GEMM, FAIL, STEP, "all steps at once, from roots of nobody's steps")                             \
  X(STALE_SEED, "stale-seed", GEMM, FAIL, NEVER, "the work of another nonce")                                                    \
  X(FOREIGN_SEED, "foreign-seed", GEMM, FAIL, NEVER, "the work of another identity")                                             \
  X(LAZY_ARENA, "lazy-arena", MEM, FAIL, COLUMNS, "columns of its arena are garbage that nobody computed")                       \
  X(MISSING_ARENA, "missing-arena", MEM, FAIL, COLUMNS, "columns of its arena are gone when a fold is asked for")                \
  X(STALE_FOLD, "stale-fold", MEM, FAIL, NEVER, "the fold of weights asked for before")                                          \
  X(OTHER_ARENA, "other-arena", MEM, FAIL, NEVER, "the fold of another arena than it built")                                     \
  X(SHARED_FOLD, "shared-fold", MEM, NONE, QUEUE, "several identities have one device, whose folds wait for each other")         \
  X(SHARED_PRODUCT, "shared-product", GEMM, NONE, QUEUE, "several identities have one device, whose products do")                \
  X(RELAYED_FOLD, "relayed-fold", MEM, NONE, QUEUE, "a device elsewhere folds for it")                                           \
  X(RELAYED_PRODUCT, "relayed-product", GEMM, NONE, QUEUE, "a device elsewhere computes for it")

enum asz_lab_attack {
  ASZ_LAB_ATTACK_NONE = 0,
#define ASZ_LAB_ATTACK_ENUM(symbol, name, kind, verdict, chance, help) ASZ_LAB_ATTACK_##symbol,
  ASZ_LAB_ATTACK_LIST(ASZ_LAB_ATTACK_ENUM)
#undef ASZ_LAB_ATTACK_ENUM
      ASZ_LAB_ATTACK_COUNT
};

enum { ASZ_LAB_PRESET = ASZ_GEMM_PRESET_TINY }; /* of all gemm and mem in the lab: thousands of products a second on one core */

/* What a provider does. */
struct asz_lab_trait {
  uint8_t attack;   /* enum asz_lab_attack */
  uint16_t columns; /* chance COLUMNS: 1..T m are spoilt; RANK: 1..m - 1 are computed; else 0 */
  struct asz_lab_device device;
  uint32_t device_number; /* the same of all identities of one device: the first one's number */
};

/* What a lab asks, as far as claims hang on it. */
struct asz_lab_terms {
  unsigned openings;     /* of an answer of gemm or mem; 0: they are not asked */
  uint64_t deadline_ns;  /* of products, builds and folds */
  uint64_t allowance_ns; /* what the pace of a fold allows for the way, over what the way takes */
  uint32_t ipv6_ppm;     /* who has an IPv6 address is in another network */
};

const char *asz_lab_attack_name(enum asz_lab_attack attack);    /* of NONE: "none" */
enum asz_lab_attack asz_lab_attack_from_name(const char *name); /* ASZ_LAB_ATTACK_COUNT when unknown */
/* asz_lab_attack_kind: whose challenges it answers amiss; 0 for NONE. All others it answers honestly. */
unsigned asz_lab_attack_kind(enum asz_lab_attack attack);
/* asz_lab_attack_is_tried: is a challenge one that shows the attack? Of mem, but for LAZY_ARENA, only folds do. Of NONE: all. */
bool asz_lab_attack_is_tried(enum asz_lab_attack attack, unsigned kind, unsigned param);
/* asz_lab_attack_verdict: what a trial that is caught ends as. */
enum asz_verdict asz_lab_attack_verdict(enum asz_lab_attack attack);
/* asz_lab_attack_is_timed: it answers right. */
bool asz_lab_attack_is_timed(enum asz_lab_attack attack);
/* asz_lab_attack_columns_max: of the trait's columns; 0: it has none. */
uint32_t asz_lab_attack_columns_max(enum asz_lab_attack attack);

/* asz_lab_attack_claim_ppb: in parts of 10^9, rounded to the nearest: how many trials are caught, of gemm and mem
 * 1 - (probability that an opening is right)^openings; of the timed ones the share of the places in a device's queue whose answer
 * is out of bounds, if all its identities are asked at once. Of NONE: 0. */
uint32_t asz_lab_attack_claim_ppb(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms);
/* asz_lab_attack_is_clear: does a timed claim stand where every answer takes up to noise_ns longer? */
bool asz_lab_attack_is_clear(const struct asz_lab_trait *trait, const struct asz_lab_terms *terms, uint64_t noise_ns);

#endif
