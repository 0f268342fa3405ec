/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cheat: providers of gemm and mem who try to pass with less than the work. For labs and tests only.
 *
 * A cheat has no need to be fast: it makes all columns in plain sight, spoils them as its mode says, and then commits to and
 * opens what it has, with every hash in order. What it saves is what the real one would save; what it risks is real. One caller
 * at a time. */
#ifndef ASZ_GPU_PROVE_CHEAT_H
#define ASZ_GPU_PROVE_CHEAT_H

#include "dataplane/base/err.h"
#include "gpu/gemm.h"

/* X(symbol, name). `wrong` below is the number of columns, of all t m, that a mode spoils; modes marked * spoil what they must.
 */
#define ASZ_GEMM_CHEAT_LIST(X)                                                                                                   \
  X(NONE, "none")                                                                                                                \
  X(LAZY, "lazy")                   /* `wrong` columns are garbage that nobody computed */                                       \
  X(ONE_ENTRY, "one_entry")         /* `wrong` columns have one entry that is off by one */                                      \
  X(ALIAS, "alias")                 /* `wrong` columns have one entry moved by p */                                              \
  X(INT4, "int4")                   /* * inputs rounded to four bits */                                                          \
  X(LOW_RANK, "low_rank")           /* * all but the first `wrong` columns of a step repeat those */                             \
  X(RECURRENCE, "recurrence")       /* * each row from the one before, as if A and B were Hankel matrices */                     \
  X(FORGED_LINK, "forged_link")     /* * all steps at once, from roots of nobody's steps */                                      \
  X(STALE_SEED, "stale_seed")       /* * the work of another nonce */                                                            \
  X(FOREIGN_SEED, "foreign_seed")   /* * the work of another identity */                                                         \
  X(MISSING_ARENA, "missing_arena") /* `wrong` columns of the arena are gone when a fold is asked for */                         \
  X(STALE_FOLD, "stale_fold")       /* * the fold of weights asked for before */

enum asz_gemm_cheat {
#define ASZ_GEMM_CHEAT_ENUM(symbol, name) ASZ_GEMM_CHEAT_##symbol,
  ASZ_GEMM_CHEAT_LIST(ASZ_GEMM_CHEAT_ENUM)
#undef ASZ_GEMM_CHEAT_ENUM
};

struct asz_cheat;

/* asz_cheat_new: room for a whole answer, 4 t m n bytes and more: for presets tiny and cpu. ASZ_EINVAL for a preset that is none,
 * ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_cheat_new(struct asz_cheat **ret_cheat, uint32_t preset, const struct asz_gemm_backend *backend);
void asz_cheat_free(struct asz_cheat *cheat);

/* asz_cheat_run: makes and commits to an answer. seed: what the work starts from: for STALE_SEED and FOREIGN_SEED the caller's
 * other one. draw: where the choice of columns and all garbage come from. */
void asz_cheat_run(struct asz_cheat *cheat, enum asz_gemm_cheat mode, uint32_t wrong, uint64_t draw, const uint8_t beacon[32],
                   const uint8_t seed[32], uint8_t ret_root[32]);
/* asz_cheat_fold: the fold of what is left of the last run. */
void asz_cheat_fold(struct asz_cheat *cheat, const uint8_t fold_seed[32], uint8_t ret_z_root[32]);
/* asz_cheat_open: an opening of the run; with is_fold of its fold. */
void asz_cheat_open(struct asz_cheat *cheat, struct asz_gemm_pick pick, bool is_fold, uint8_t *ret_opening);

/* asz_cheat_upper_halves: after the reveal, gives a column whose lower halves are fixed such upper halves that <s, c> = u_dot_b
 * mod p and that every entry is in range. false when the search finds none, which for a preset's sizes has no chance worth
 * naming. */
bool asz_cheat_upper_halves(int32_t *column, const struct asz_gemm_shape *shape, const uint32_t *s, uint32_t u_dot_b);

#endif
