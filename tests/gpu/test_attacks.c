/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks on gemm and mem, and how often each is caught beside how often docs/challenges.md says so.
 *
 * One trial is one slot: a fresh rho, so other picks, another s and u. A cheat spoils a known number of columns, so that the
 * claim is a number: 1 - (1 - f)^k. The measured count must lie within four and a half standard deviations of it; the seed makes
 * that one fixed outcome, not a chance. Every failed opening must also have the reason that its mode earns. */
#include <criterion/criterion.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gpu/prove/cheat.h"
#include "gpu/tree.h"
#include "tests/random.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, COLUMNS = 128, TRIALS = 1000, BYTES_MAX = 1152, DRAW = 7 };

struct attack {
  enum asz_gemm_cheat mode;
  uint32_t wrong;
  unsigned k;
  bool is_fold;
  const uint8_t *worked_seed; /* NULL: the one that is judged against */
};

struct bed {
  uint8_t beacon[32], seed[32], other_seed[32], fold_seed[32], provider_pk[32], root[32], z_root[32];
  struct asz_test_random random;
  struct asz_cheat *cheat;
  const struct asz_gemm_backend *backend;
  void *slot_memory;
  uint8_t opening[COLUMNS][BYTES_MAX];                   /* of every column: a cheat's answer does not change from slot to slot */
  unsigned reasons[ASZ_GEMM_REASON_WRONG_FOLD_PATH + 1]; /* of all openings of an attack */
};

static void bed_open(struct bed *bed) {
  memset(bed, 0, sizeof *bed);
  bed->random = asz_test_random_start(DRAW);
  asz_test_random_bytes(&bed->random, bed->beacon, 5 * 32);
  bed->backend = asz_gemm_backend_at(0);
  bed->slot_memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, asz_gemm_slot_footprint(TINY));
  cr_assert_not_null(bed->slot_memory);
  cr_assert_eq(asz_cheat_new(&bed->cheat, TINY, bed->backend), ASZ_OK);
}

static void bed_close(struct bed *bed) {
  asz_cheat_free(bed->cheat);
  free(bed->slot_memory);
}

/* One slot: true when at least one of k openings was no PASS. */
static bool is_caught(struct bed *bed, const struct attack *attack) {
  static uint8_t opening[ASZ_GEMM_PICKS_MAX * BYTES_MAX];
  static uint8_t seed[ASZ_GEMM_PICKS_MAX][32], root[ASZ_GEMM_PICKS_MAX][32], fold_seed[ASZ_GEMM_PICKS_MAX][32];
  static uint8_t z_root[ASZ_GEMM_PICKS_MAX][32], verdict[ASZ_GEMM_PICKS_MAX], reason[ASZ_GEMM_PICKS_MAX];
  struct asz_gemm_pick pick[ASZ_GEMM_PICKS_MAX];
  uint8_t rho[32];
  asz_test_random_bytes(&bed->random, rho, sizeof rho);
  struct asz_gemm_slot *slot = asz_gemm_slot_new(bed->slot_memory, TINY, bed->backend, bed->beacon, rho);
  size_t bytes = attack->is_fold ? asz_mem_opening_bytes(&slot->shape) : asz_gemm_opening_bytes(&slot->shape);
  asz_gemm_picks(pick, attack->k, &slot->shape, rho, attack->is_fold ? ASZ_KIND_MEM : ASZ_KIND_GEMM, bed->provider_pk, 0,
                 attack->is_fold ? bed->z_root : bed->root);
  for (unsigned i = 0; i < attack->k; i++) {
    memcpy(seed[i], bed->seed, 32);
    memcpy(root[i], bed->root, 32);
    memcpy(fold_seed[i], bed->fold_seed, 32);
    memcpy(z_root[i], bed->z_root, 32);
    memcpy(opening + i * bytes, bed->opening[pick[i].t * slot->shape.m + pick[i].j], bytes);
  }
  struct asz_gemm_openings openings = {
      .count = attack->k,
      .opening_bytes = bytes,
      .opening = opening,
      .pick = pick,
      .seed = (const uint8_t(*)[32])seed,
      .root = (const uint8_t(*)[32])root,
      .fold_seed = attack->is_fold ? (const uint8_t(*)[32])fold_seed : NULL,
      .z_root = attack->is_fold ? (const uint8_t(*)[32])z_root : NULL,
      .verdict = verdict,
      .reason = reason,
  };
  asz_gemm_judge(slot, &openings, 0, attack->k);
  bool caught = false;
  for (unsigned i = 0; i < attack->k; i++) {
    caught |= verdict[i] != ASZ_VERDICT_PASS;
    bed->reasons[reason[i]]++;
  }
  return caught;
}

/* How many of TRIALS slots catch it. */
static unsigned measure(struct bed *bed, const struct attack *attack) {
  unsigned caught = 0;
  memset(bed->reasons, 0, sizeof bed->reasons);
  asz_cheat_run(bed->cheat, attack->mode, attack->wrong, DRAW, bed->beacon,
                attack->worked_seed != NULL ? attack->worked_seed : bed->seed, bed->root);
  if (attack->is_fold)
    asz_cheat_fold(bed->cheat, bed->fold_seed, bed->z_root);
  for (uint32_t i = 0; i < COLUMNS; i++)
    asz_cheat_open(bed->cheat, (struct asz_gemm_pick){i / (COLUMNS / 2), i % (COLUMNS / 2)}, attack->is_fold, bed->opening[i]);
  for (int trial = 0; trial < TRIALS; trial++)
    caught += is_caught(bed, attack);
  return caught;
}

/* The measured rate against 1 - (1 - f)^k, and every failure for `expected` reason. */
static void check_rate(struct bed *bed, const struct attack *attack, double f, enum asz_gemm_reason expected) {
  double claimed = 1 - pow(1 - f, attack->k), sigma = sqrt(TRIALS * claimed * (1 - claimed));
  unsigned caught = measure(bed, attack);
  cr_log_info("f %.4f, k %u: claimed %.4f, measured %.4f", f, attack->k, claimed, (double)caught / TRIALS);
  cr_assert(fabs(caught - TRIALS * claimed) <= 4.5 * sigma, "f %f, k %u: claimed %f, measured %f, seed %lu", f, attack->k,
            claimed, (double)caught / TRIALS, bed->random.seed);
  for (unsigned reason = 1; reason < sizeof bed->reasons / sizeof bed->reasons[0]; reason++)
    cr_assert(reason == expected || bed->reasons[reason] == 0, "%u times %s", bed->reasons[reason], asz_gemm_reason_name(reason));
}

static void check_fractions(enum asz_gemm_cheat mode, bool is_fold, enum asz_gemm_reason expected) {
  const uint32_t wrong[] = {1, 16, 64};
  const unsigned k[] = {1, 4, 16};
  static struct bed bed;
  bed_open(&bed);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    for (size_t o = 0; o < sizeof k / sizeof k[0]; o++)
      check_rate(&bed, &(struct attack){.mode = mode, .wrong = wrong[i], .k = k[o], .is_fold = is_fold},
                 (double)wrong[i] / COLUMNS, expected);
  bed_close(&bed);
}

Test(attacks, lazy_columns_are_caught_at_the_rate_of_their_share)
{ check_fractions(ASZ_GEMM_CHEAT_LAZY, false, ASZ_GEMM_REASON_WRONG_PRODUCT); }

Test(attacks, one_wrong_entry_in_a_column_is_a_wrong_column)
{ check_fractions(ASZ_GEMM_CHEAT_ONE_ENTRY, false, ASZ_GEMM_REASON_WRONG_PRODUCT); }

Test(attacks, an_entry_moved_by_p_has_the_right_product_and_the_wrong_range)
{ check_fractions(ASZ_GEMM_CHEAT_ALIAS, false, ASZ_GEMM_REASON_OUT_OF_RANGE); }

Test(attacks, a_missing_part_of_the_arena_is_caught_at_the_rate_of_its_share)
{ check_fractions(ASZ_GEMM_CHEAT_MISSING_ARENA, true, ASZ_GEMM_REASON_WRONG_FOLD); }

Test(attacks, lazy_columns_of_a_build_are_caught_when_its_fold_is_opened)
{ check_fractions(ASZ_GEMM_CHEAT_LAZY, true, ASZ_GEMM_REASON_WRONG_PRODUCT); }

Test(attacks, four_bits_of_precision_are_always_caught)
{
  static struct bed bed;
  bed_open(&bed);
  check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_INT4, .k = 1}, 1, ASZ_GEMM_REASON_WRONG_PRODUCT);
  bed_close(&bed);
}

Test(attacks, a_product_of_low_rank_is_caught_at_the_rate_of_what_it_repeats)
{
  static struct bed bed;
  bed_open(&bed);
  for (uint32_t rank = 1; rank <= 64; rank *= 4)
    check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_LOW_RANK, .wrong = rank, .k = 3}, 1 - (double)rank / 64,
               ASZ_GEMM_REASON_WRONG_PRODUCT);
  bed_close(&bed);
}

Test(attacks, the_recurrence_of_hankel_matrices_gives_one_right_column_a_step)
{
  static struct bed bed;
  bed_open(&bed);
  struct attack attack = {.mode = ASZ_GEMM_CHEAT_RECURRENCE, .k = 2};
  unsigned caught = measure(&bed, &attack);
  double claimed = 1 - pow(1. / 64, 2);
  cr_assert(fabs(caught - TRIALS * claimed) <= 4.5 * sqrt(TRIALS * claimed * (1 - claimed)) + 1, "%u", caught);
  cr_assert_eq(bed.reasons[ASZ_GEMM_REASON_NONE] + bed.reasons[ASZ_GEMM_REASON_WRONG_PRODUCT] +
                   bed.reasons[ASZ_GEMM_REASON_OUT_OF_RANGE],
               2 * TRIALS);
  bed_close(&bed);
}

Test(attacks, steps_made_at_once_break_their_link)
{
  static struct bed bed;
  bed_open(&bed);
  for (unsigned k = 1; k <= 8; k *= 2) /* half of all picks are of step 1, the first with a step before it */
    check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_FORGED_LINK, .k = k}, 0.5, ASZ_GEMM_REASON_WRONG_LINK);
  bed_close(&bed);
}

Test(attacks, the_work_of_another_nonce_or_identity_is_always_caught)
{
  static struct bed bed;
  bed_open(&bed);
  check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_STALE_SEED, .k = 1, .worked_seed = bed.other_seed}, 1,
             ASZ_GEMM_REASON_WRONG_PRODUCT);
  check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_FOREIGN_SEED, .k = 1, .worked_seed = bed.provider_pk}, 1,
             ASZ_GEMM_REASON_WRONG_PRODUCT);
  bed_close(&bed);
}

Test(attacks, the_fold_of_stale_weights_is_always_caught)
{
  static struct bed bed;
  bed_open(&bed);
  check_rate(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_STALE_FOLD, .k = 1, .is_fold = true}, 1, ASZ_GEMM_REASON_WRONG_FOLD);
  bed_close(&bed);
}

/* The leaf of the design that docs/decisions/0022 replaces. */
static void leaf_of_low_halves(uint8_t ret_hash[32], const int32_t *column, uint32_t n) {
  uint8_t head[ASZ_TREE_HEAD_BYTES];
  uint16_t low[64];
  cr_assert_eq(n, 64);
  for (uint32_t i = 0; i < n; i++)
    low[i] = (uint16_t)column[i];
  asz_tree_head(head, ASZ_TREE_COLUMN, 0, 0, n);
  asz_tree_host_leaf(ret_hash, head, (const uint8_t *)low, sizeof low);
}

Test(attacks, upper_halves_chosen_after_the_reveal_pass_a_leaf_of_low_halves_and_fail_ours)
{
  static struct bed bed;
  bed_open(&bed);
  asz_cheat_run(bed.cheat, ASZ_GEMM_CHEAT_LAZY, COLUMNS, DRAW, bed.beacon, bed.seed, bed.root);
  for (int trial = 0; trial < 8; trial++) {
    uint8_t rho[32], opening[BYTES_MAX], committed[32], opened[32], key[32], verdict, reason;
    int32_t column[64];
    asz_test_random_bytes(&bed.random, rho, sizeof rho);
    struct asz_gemm_slot *slot = asz_gemm_slot_new(bed.slot_memory, TINY, bed.backend, bed.beacon, rho);
    const struct asz_gemm_shape *shape = &slot->shape;
    struct asz_gemm_pick pick;
    asz_gemm_picks(&pick, 1, shape, rho, ASZ_KIND_GEMM, bed.provider_pk, 0, bed.root);
    asz_cheat_open(bed.cheat, pick, false, opening);
    memcpy(column, opening + ASZ_GEMM_AT_COLUMN, sizeof column);
    leaf_of_low_halves(committed, column, shape->n);
    asz_gemm_host_b_key(key, bed.seed, pick.t, opening + ASZ_GEMM_AT_PREVIOUS_ROOT);
    uint32_t u_dot_b = bed.backend->u_dot_b(slot->u_packed, shape->k, key, pick.j);
    cr_assert(asz_cheat_upper_halves(column, shape, slot->s, u_dot_b), "seed %lu", bed.random.seed);
    leaf_of_low_halves(opened, column, shape->n);
    cr_assert_arr_eq(opened, committed, 32, "the old leaf cannot tell");
    memcpy(opening + ASZ_GEMM_AT_COLUMN, column, sizeof column);
    struct asz_gemm_openings openings = {
        .count = 1,
        .opening_bytes = asz_gemm_opening_bytes(shape),
        .opening = opening,
        .pick = &pick,
        .seed = (const uint8_t(*)[32]) & bed.seed,
        .root = (const uint8_t(*)[32]) & bed.root,
        .verdict = &verdict,
        .reason = &reason,
    };
    asz_gemm_judge(slot, &openings, 0, 1);
    cr_assert_eq(reason, ASZ_GEMM_REASON_WRONG_LEAF_PATH, "range and product are right, and the leaf is not: %s",
                 asz_gemm_reason_name(reason));
  }
  bed_close(&bed);
}

Test(attacks, honest_work_is_never_caught)
{
  static struct bed bed;
  bed_open(&bed);
  cr_assert_eq(measure(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_NONE, .k = 8}), 0);
  cr_assert_eq(measure(&bed, &(struct attack){.mode = ASZ_GEMM_CHEAT_NONE, .k = 8, .is_fold = true}), 0);
  bed_close(&bed);
}
