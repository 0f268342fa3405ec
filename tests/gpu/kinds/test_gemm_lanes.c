/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of the kernels for openings, run lane by lane on the host, against the host's verifier. */
#include <string.h>

#include "gpu/kinds/gemm_lanes.h"
#include "tests/gpu/gemm_vectors.h"
#include "tests/random.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, OPENING_BYTES_MAX = 2048 };

/* One opening of the vectors, and the slot that it is judged by. */
struct judged {
  json_t *json;
  void *memory;
  struct asz_gemm_slot *slot;
  bool is_fold;
  size_t opening_bytes;
  uint8_t opening[OPENING_BYTES_MAX], seed[1][32], root[1][32], fold_seed[1][32], z_root[1][32];
  struct asz_gemm_pick pick;
};

static struct judged open_judged(void) {
  struct judged judged = {.json = asz_challenge_vectors_open()};
  uint8_t beacon[32], rho[32];
  json_t *given = asz_vectors_get(judged.json, "given");
  asz_vectors_hex(beacon, 32, asz_vectors_get(given, "beacon"));
  asz_vectors_hex(rho, 32, asz_vectors_get(given, "rho"));
  asz_vectors_hex(judged.fold_seed[0], 32, asz_vectors_get(given, "fold_seed"));
  judged.memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (asz_gemm_slot_footprint(TINY) + 63) / 64 * 64);
  cr_assert_not_null(judged.memory);
  judged.slot = asz_gemm_slot_new(judged.memory, TINY, asz_gemm_backend_at(0), beacon, rho);
  return judged;
}

static void close_judged(struct judged *judged) {
  json_decref(judged->json);
  free(judged->memory);
}

/* Takes opening `index` of "gemm" or "mem". */
static void take(struct judged *judged, const char *part, size_t index) {
  json_t *values = asz_vectors_get(judged->json, part);
  json_t *kinds = asz_vectors_get(asz_vectors_get(judged->json, "challenges"), "kinds");
  judged->is_fold = strcmp(part, "mem") == 0;
  judged->opening_bytes =
      judged->is_fold ? asz_mem_opening_bytes(&judged->slot->shape) : asz_gemm_opening_bytes(&judged->slot->shape);
  cr_assert_leq(judged->opening_bytes, OPENING_BYTES_MAX);
  asz_vectors_hex(judged->opening, judged->opening_bytes, json_array_get(asz_vectors_get(values, "openings"), index));
  asz_vectors_hex(judged->seed[0], 32, asz_vectors_get(asz_vectors_get(kinds, part), "seed"));
  asz_vectors_hex(judged->root[0], 32, asz_vectors_get(values, "root"));
  if (judged->is_fold)
    asz_vectors_hex(judged->z_root[0], 32, asz_vectors_get(values, "z_root"));
  judged->pick = asz_vectors_pick(asz_vectors_get(values, "picks"), index);
}

static struct asz_gemm_item item_of(const struct judged *judged) {
  return (struct asz_gemm_item){
      .opening = judged->opening,
      .seed = judged->seed[0],
      .root = judged->root[0],
      .fold_seed = judged->is_fold ? judged->fold_seed[0] : NULL,
      .z_root = judged->is_fold ? judged->z_root[0] : NULL,
      .t = judged->pick.t,
      .j = judged->pick.j,
  };
}

static uint32_t found_by_jobs(const struct judged *judged, uint32_t b_key[ASZ_GEMM_B_WORDS]) {
  struct asz_gemm_item item = item_of(judged);
  uint32_t found = 0;
  for (int job = 0; job < (judged->is_fold ? ASZ_GEMM_JOBS : ASZ_GEMM_JOB_FOLD); job++)
    found |= asz_gemm_job_run((enum asz_gemm_job)job, b_key, &judged->slot->shape, &item);
  return found;
}

/* What one lane of `lanes` adds up, as the kernel has it do. */
static struct asz_gemm_share share_of(const struct judged *judged, const uint32_t b_key[ASZ_GEMM_B_WORDS], uint32_t lane,
                                      uint32_t lanes) {
  const struct asz_gemm_shape *shape = &judged->slot->shape;
  const uint8_t *column = judged->opening + ASZ_GEMM_AT_COLUMN;
  struct asz_gemm_share share = asz_gemm_share_none();
  struct asz_chacha20_key key;
  memcpy(key.word, b_key, sizeof key.word);
  uint32_t blocks = shape->k / ASZ_GEMM_WORDS_A_LANE;
  for (uint32_t block = lane; block < blocks; block += lanes)
    asz_gemm_share_b(&share, judged->slot->u + (size_t)block * ASZ_GEMM_WORDS_A_LANE, key,
                     (uint64_t)judged->pick.j * blocks + block);
  asz_gemm_share_c(&share, shape, judged->slot->s, column, lane, lanes);
  for (uint32_t block = lane; judged->is_fold && block < shape->n / 8; block += lanes)
    asz_gemm_share_fold(&share, asz_chacha20_key_load(judged->fold_seed[0]), column, block);
  return share;
}

static enum asz_gemm_reason reason_by_lanes(const struct judged *judged, uint8_t *ret_verdict, uint32_t lanes) {
  uint32_t b_key[ASZ_GEMM_B_WORDS];
  uint32_t found = found_by_jobs(judged, b_key);
  struct asz_gemm_share all = asz_gemm_share_none();
  for (uint32_t lane = lanes; lane-- > 0;) {
    struct asz_gemm_share share = share_of(judged, b_key, lane, lanes);
    asz_gemm_share_add(&all, &share);
  }
  struct asz_gemm_item item = item_of(judged);
  found |= asz_gemm_share_found(&all, &judged->slot->shape, asz_gemm_u_sum(judged->slot->u, judged->slot->shape.k), &item);
  return asz_gemm_found_reason(ret_verdict, found, judged->is_fold);
}

/* The reason by 32 lanes, which must be the host's, in verdict as well. */
static enum asz_gemm_reason judge(const struct judged *judged) {
  uint8_t expected_verdict, expected_reason, verdict;
  const struct asz_gemm_openings openings = {
      .count = 1,
      .opening_bytes = judged->opening_bytes,
      .opening = judged->opening,
      .pick = &judged->pick,
      .seed = (const uint8_t(*)[32])judged->seed,
      .root = (const uint8_t(*)[32])judged->root,
      .fold_seed = judged->is_fold ? (const uint8_t(*)[32])judged->fold_seed : NULL,
      .z_root = judged->is_fold ? (const uint8_t(*)[32])judged->z_root : NULL,
      .verdict = &expected_verdict,
      .reason = &expected_reason,
  };
  asz_gemm_judge(judged->slot, &openings, 0, 1);
  enum asz_gemm_reason reason = reason_by_lanes(judged, &verdict, 32);
  cr_assert_eq(reason, expected_reason, "lanes say %s, the host %s", asz_gemm_reason_name(reason),
               asz_gemm_reason_name(expected_reason));
  cr_assert_eq(verdict, expected_verdict);
  return reason;
}

static const char *const parts[] = {"gemm", "mem"};

Test(gemm_lanes, spoilt_openings_get_the_reason_of_the_vectors)
{
  struct judged judged = open_judged();
  uint32_t reasons = 0;
  for (int p = 0; p < 2; p++) {
    json_t *wrong = asz_vectors_get(asz_vectors_get(judged.json, parts[p]), "wrong"), *value;
    size_t w;
    json_array_foreach(wrong, w, value) {
      take(&judged, parts[p], asz_vectors_number(asz_vectors_get(value, "opening")));
      judged.opening[asz_vectors_number(asz_vectors_get(value, "at"))] ^=
          (uint8_t)asz_vectors_number(asz_vectors_get(value, "xor"));
      enum asz_gemm_reason reason = judge(&judged);
      cr_assert_str_eq(asz_gemm_reason_name(reason), json_string_value(asz_vectors_get(value, "reason")), "%s %zu", parts[p], w);
      reasons |= 1u << reason;
    }
  }
  for (unsigned reason = ASZ_GEMM_REASON_WRONG_PICK; reason <= ASZ_GEMM_REASON_WRONG_FOLD_PATH; reason++)
    cr_assert(reasons >> reason & 1, "no vector is wrong by %s", asz_gemm_reason_name(reason));
  close_judged(&judged);
}

Test(gemm_lanes, every_flipped_byte_gets_the_reason_of_the_host)
{
  struct judged judged = open_judged();
  struct asz_test_random random = asz_test_random_start(51);
  for (int p = 0; p < 2; p++)
    for (size_t index = 0; index < 2; index++) {
      take(&judged, parts[p], index);
      for (size_t at = 0; at < judged.opening_bytes; at++) {
        uint8_t bits = (uint8_t)(1 + asz_test_random_next(&random) % 255);
        judged.opening[at] ^= bits;
        cr_assert_neq(judge(&judged), ASZ_GEMM_REASON_NONE, "%s byte %zu, seed %lu", parts[p], at, random.seed);
        judged.opening[at] ^= bits;
      }
    }
  close_judged(&judged);
}

Test(gemm_lanes, several_faults_at_once_get_the_first_reason)
{
  struct judged judged = open_judged();
  struct asz_test_random random = asz_test_random_start(52);
  for (unsigned n = 0; n < 2000; n++) {
    take(&judged, parts[n % 2], n / 2 % 2);
    for (unsigned faults = 1 + n % 5; faults > 0; faults--)
      judged.opening[asz_test_random_next(&random) % judged.opening_bytes] ^= (uint8_t)(1 << asz_test_random_next(&random) % 8);
    if (n % 7 == 0)
      judged.seed[0][n % 32] ^= 1;
    if (n % 11 == 0)
      judged.root[0][n % 32] ^= 1;
    if (n % 13 == 0)
      judged.fold_seed[0][n % 32] ^= 1;
    judge(&judged);
    judged.fold_seed[0][n % 32] ^= n % 13 == 0;
  }
  close_judged(&judged);
}

Test(gemm_lanes, a_piece_that_never_ran_leaves_no_verdict)
{
  uint8_t verdict;
  for (int is_fold = 0; is_fold < 2; is_fold++) {
    uint32_t all = 1u << ASZ_GEMM_RAN_PRODUCT;
    for (int job = 0; job < (is_fold ? ASZ_GEMM_JOBS : ASZ_GEMM_JOB_FOLD); job++)
      all |= 1u << (ASZ_GEMM_RAN + job);
    cr_assert_eq(asz_gemm_found_reason(&verdict, all, is_fold), ASZ_GEMM_REASON_NONE);
    cr_assert_eq(verdict, ASZ_VERDICT_PASS);
    for (unsigned bit = 0; bit < 32; bit++)
      if (all >> bit & 1) {
        asz_gemm_found_reason(&verdict, all ^ 1u << bit, is_fold);
        cr_assert_eq(verdict, ASZ_VERDICT_NONE, "without bit %u", bit);
      }
  }
}

Test(gemm_lanes, right_openings_pass_with_any_number_of_lanes)
{
  struct judged judged = open_judged();
  for (int p = 0; p < 2; p++)
    for (size_t index = 0; index < 2; index++) {
      take(&judged, parts[p], index);
      cr_assert_eq(judge(&judged), ASZ_GEMM_REASON_NONE);
      for (uint32_t lanes = 1; lanes <= 64; lanes += 1 + lanes / 4) {
        uint8_t verdict;
        reason_by_lanes(&judged, &verdict, lanes);
        cr_assert_eq(verdict, ASZ_VERDICT_PASS, "%s %zu with %u lanes", parts[p], index, lanes);
      }
    }
  close_judged(&judged);
}

/* At the ends of the ranges, in the shape of the largest preset, where sums are largest. */
Test(gemm_lanes, large_sums_are_those_of_one_thread)
{
  struct asz_gemm_shape shape = asz_gemm_shape_of(ASZ_GEMM_PRESET_GPU);
  struct asz_test_random random = asz_test_random_start(53);
  uint32_t *u = aligned_alloc(64, sizeof *u * shape.k), *s = aligned_alloc(64, sizeof *s * shape.n);
  uint8_t *column = aligned_alloc(64, (size_t)4 * shape.n);
  cr_assert(u && s && column);
  for (unsigned round = 0; round < 6; round++) {
    uint8_t key_bytes[32];
    asz_test_random_bytes(&random, key_bytes, sizeof key_bytes);
    struct asz_chacha20_key key = asz_chacha20_key_load(key_bytes);
    int32_t limit = (int32_t)shape.k * 127 * 127;
    for (uint32_t k = 0; k < shape.k; k++)
      u[k] = round < 2 ? ASZ_GEMM_PRIME - 1 - round : (uint32_t)(asz_test_random_next(&random) % ASZ_GEMM_PRIME);
    for (uint32_t i = 0; i < shape.n; i++) {
      s[i] = round < 2 ? ASZ_GEMM_PRIME - 1 : (uint32_t)(asz_test_random_next(&random) % ASZ_GEMM_PRIME);
      int64_t drawn = (int64_t)(asz_test_random_next(&random) % (2 * (uint64_t)limit + 1)) - limit;
      int32_t c = round == 0 ? limit : round == 1 ? -limit : (int32_t)drawn;
      memcpy(column + (size_t)4 * i, &c, sizeof c);
    }
    struct asz_gemm_share all = asz_gemm_share_none();
    uint32_t j = round * 1365, blocks = shape.k / ASZ_GEMM_WORDS_A_LANE;
    for (uint32_t lane = 0; lane < 32; lane++) {
      struct asz_gemm_share share = asz_gemm_share_none();
      for (uint32_t block = lane; block < blocks; block += 32)
        asz_gemm_share_b(&share, u + (size_t)block * ASZ_GEMM_WORDS_A_LANE, key, (uint64_t)j * blocks + block);
      asz_gemm_share_c(&share, &shape, s, column, lane, 32);
      for (uint32_t block = lane; block < shape.n / 8; block += 32)
        asz_gemm_share_fold(&share, key, column, block);
      asz_gemm_share_add(&all, &share);
    }
    uint32_t u_sum = asz_gemm_u_sum(u, shape.k);
    cr_assert_eq(asz_gemm_residue(all.u_dot_b + ASZ_GEMM_PRIME - u_sum), asz_gemm_u_dot_b(&shape, u, key, j),
                 "round %u, seed %lu", round, random.seed);
    cr_assert_eq(asz_gemm_residue(all.s_dot_c), asz_gemm_s_dot_c(&shape, s, column), "round %u", round);
    cr_assert_eq(asz_mem_join(all.low, all.high), asz_mem_fold(&shape, key, column), "round %u", round);
    cr_assert_eq(all.outside, 0);
    int32_t beyond = round % 2 ? limit + 1 : -limit - 1;
    memcpy(column + (size_t)4 * (asz_test_random_next(&random) % shape.n), &beyond, sizeof beyond);
    asz_gemm_share_c(&all, &shape, s, column, 0, 1);
    cr_assert_neq(all.outside, 0);
  }
  free(column);
  free(s);
  free(u);
}
