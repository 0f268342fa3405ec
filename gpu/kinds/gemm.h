/* SPDX-License-Identifier: Apache-2.0 */
/* asz_gemm: the verifier's half of the gemm challenge: C_t = A B_t in exact integers, T of them chained, and the judgement of one
 * opened column. docs/challenges.md has every byte.
 *
 * A (n x K) belongs to the epoch and the preset, B_t (K x m) to the answer: it comes from the seed and from the root over
 * C_{t-1}, so the steps can only be taken in turn. What a verifier does not want to do is the product. Freivalds' check spares
 * it: with s unknown to the prover until it had committed, <s, c> = <u, b> mod p for u = s^T A tells a wrong column c from A b
 * but for one case in p = 2^31 - 1, at K multiplications instead of n K. u serves all columns of all providers of a slot. Since
 * |c_i| is at most K 127^2 < p / 2, two different columns never agree mod p, and the check decides about the integers themselves.
 *
 * The functions here are one thread's; a device shares the loops out among its lanes, and the host takes gpu/gemm.h. */
#ifndef ASZ_GPU_KINDS_GEMM_H
#define ASZ_GPU_KINDS_GEMM_H

#include "gpu/kinds/chacha20.h"
#include "gpu/kinds/tree.h"
#include "gpu/verify.h"

/* X(symbol, value, name): why an opening is not a PASS, in the order of the checks; the first that fails gives the reason. */
#define ASZ_GEMM_REASON_LIST(X)                                                                                                  \
  X(NONE, 0, "none")                                                                                                             \
  X(WRONG_SIZE, 1, "wrong_size")                                                                                                 \
  X(WRONG_PICK, 2, "wrong_pick")                                                                                                 \
  X(NONZERO_PADDING, 3, "nonzero_padding")                                                                                       \
  X(OUT_OF_RANGE, 4, "out_of_range")                                                                                             \
  X(WRONG_PRODUCT, 5, "wrong_product")                                                                                           \
  X(WRONG_LEAF_PATH, 6, "wrong_leaf_path")                                                                                       \
  X(WRONG_STEP_PATH, 7, "wrong_step_path")                                                                                       \
  X(WRONG_LINK, 8, "wrong_link")                                                                                                 \
  X(WRONG_FOLD, 9, "wrong_fold")                                                                                                 \
  X(WRONG_FOLD_PATH, 10, "wrong_fold_path")

enum asz_gemm_reason {
#define ASZ_GEMM_REASON_ENUM(symbol, value, name) ASZ_GEMM_REASON_##symbol = value,
  ASZ_GEMM_REASON_LIST(ASZ_GEMM_REASON_ENUM)
#undef ASZ_GEMM_REASON_ENUM
};

enum {
  ASZ_GEMM_PRIME = 0x7fffffff, /* 2^31 - 1 */
  ASZ_GEMM_PICKS_MAX = 32,     /* openings of one answer */
  ASZ_GEMM_FOLD_COLUMNS = 64,  /* columns in a leaf of a fold's tree (mem) */
  /* An opening: offsets of what does not depend on the shape. */
  ASZ_GEMM_AT_T = 0,
  ASZ_GEMM_AT_J = 4,
  ASZ_GEMM_AT_PREVIOUS_ROOT = 8,
  ASZ_GEMM_AT_ROOT = 40,
  ASZ_GEMM_AT_COLUMN = 72,
};

struct asz_gemm_shape {
  uint32_t preset;         /* enum asz_gemm_preset; 0: no such preset, and all else is 0 */
  uint32_t n, k, m, t;     /* A is n x k, B_t k x m, t steps */
  uint32_t log2_m, log2_t; /* levels of a step's tree and of the tree over the steps */
};

ASZ_HD_HOST uint32_t asz_gemm_log2(uint32_t power) {
  uint32_t log2 = 0;
  while (power >> log2 > 1)
    log2++;
  return log2;
}

/* asz_gemm_shape_of: a preset's sizes; ret->preset is 0 when there is no such preset. */
ASZ_HD_HOST struct asz_gemm_shape asz_gemm_shape_of(uint32_t preset) {
  struct asz_gemm_shape shape = {0, 0, 0, 0, 0, 0, 0};
#define ASZ_GEMM_PRESET_ROW(symbol, value, name, n_, k_, m_, t_)                                                                 \
  if (preset == value) {                                                                                                         \
    shape.preset = value;                                                                                                        \
    shape.n = n_;                                                                                                                \
    shape.k = k_;                                                                                                                \
    shape.m = m_;                                                                                                                \
    shape.t = t_;                                                                                                                \
  }
  ASZ_GEMM_PRESET_LIST(ASZ_GEMM_PRESET_ROW)
#undef ASZ_GEMM_PRESET_ROW
  shape.log2_m = asz_gemm_log2(shape.m);
  shape.log2_t = asz_gemm_log2(shape.t);
  return shape;
}

#if !defined(__CUDACC__)
/* What the arithmetic and the layout rest on, for every preset. */
#define ASZ_GEMM_PRESET_ASSERT(symbol, value, name, n, k, m, t)                                                                  \
  _Static_assert((n & (n - 1)) == 0 && (k & (k - 1)) == 0 && (m & (m - 1)) == 0 && (t & (t - 1)) == 0,                           \
                 name " has powers of two");                                                                                     \
  _Static_assert(2 * (INT64_C(1) * k * 127 * 127) < ASZ_GEMM_PRIME, name " has no alias mod p");                                 \
  _Static_assert(n >= 64 && n <= 32768 && k >= 256 && m >= 64, name " fits the loops and the groups of a fold");
ASZ_GEMM_PRESET_LIST(ASZ_GEMM_PRESET_ASSERT)
#undef ASZ_GEMM_PRESET_ASSERT
#endif

/* The rest of an opening: where the three paths stand, and its size. */
ASZ_HD_HOST size_t asz_gemm_at_path(const struct asz_gemm_shape *shape) {
  return ASZ_GEMM_AT_COLUMN + (size_t)4 * shape->n;
}
ASZ_HD_HOST size_t asz_gemm_at_step_path(const struct asz_gemm_shape *shape) {
  return asz_gemm_at_path(shape) + (size_t)shape->log2_m * ASZ_TREE_HASH_BYTES;
}
ASZ_HD_HOST size_t asz_gemm_at_link_path(const struct asz_gemm_shape *shape) {
  return asz_gemm_at_step_path(shape) + (size_t)shape->log2_t * ASZ_TREE_HASH_BYTES;
}
ASZ_HD_HOST size_t asz_gemm_opening_bytes(const struct asz_gemm_shape *shape) {
  return asz_gemm_at_link_path(shape) + (size_t)shape->log2_t * ASZ_TREE_HASH_BYTES;
}

/* asz_gemm_a_key: the key of A. */
ASZ_HD void asz_gemm_a_key(uint8_t *ret_key /* 32 */, uint32_t preset, const uint8_t beacon[32]) {
  const uint8_t label[15] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'g', 'e', 'm', 'm', '/', 'a'};
  const uint8_t last = (uint8_t)preset;
  struct asz_blake2b hash;
  asz_blake2b_start(&hash, 0, 0);
  asz_blake2b_add(&hash, label, sizeof label);
  asz_blake2b_add(&hash, beacon, 32);
  asz_blake2b_add(&hash, &last, 1);
  asz_blake2b_end(&hash, ret_key);
}

/* asz_gemm_b_key: the key of B_t; previous_root is root_{t-1}, zeros for t = 0. */
ASZ_HD void asz_gemm_b_key(uint8_t *ret_key /* 32 */, const uint8_t seed[32], uint32_t t, const uint8_t previous_root[32]) {
  const uint8_t label[15] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'g', 'e', 'm', 'm', '/', 'b'};
  uint8_t step[4];
  struct asz_blake2b hash;
  asz_hd_be32_store(step, t);
  asz_blake2b_start(&hash, 0, 0);
  asz_blake2b_add(&hash, label, sizeof label);
  asz_blake2b_add(&hash, seed, 32);
  asz_blake2b_add(&hash, step, sizeof step);
  asz_blake2b_add(&hash, previous_root, 32);
  asz_blake2b_end(&hash, ret_key);
}

/* asz_gemm_s_key: the key of s, the same for everybody in a slot. */
ASZ_HD void asz_gemm_s_key(uint8_t *ret_key /* 32 */, uint32_t preset, const uint8_t rho[32]) {
  const uint8_t label[15] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'g', 'e', 'm', 'm', '/', 's'};
  const uint8_t last = (uint8_t)preset;
  struct asz_blake2b hash;
  asz_blake2b_start(&hash, rho, 32);
  asz_blake2b_add(&hash, label, sizeof label);
  asz_blake2b_add(&hash, &last, 1);
  asz_blake2b_end(&hash, ret_key);
}

/* asz_gemm_residue: x mod p, 0..p-1, for x under 2^62. */
ASZ_HD uint32_t asz_gemm_residue(uint64_t x) {
  x = (x & ASZ_GEMM_PRIME) + (x >> 31); /* under 2^32 */
  x = (x & ASZ_GEMM_PRIME) + (x >> 31); /* at most p + 1 */
  return (uint32_t)(x >= ASZ_GEMM_PRIME ? x - ASZ_GEMM_PRIME : x);
}

/* asz_gemm_residue_signed: the same for -2^62 < x < 2^62. */
ASZ_HD uint32_t asz_gemm_residue_signed(int64_t x) {
  uint32_t r = asz_gemm_residue((uint64_t)(x < 0 ? -x : x));
  return x < 0 && r != 0 ? (uint32_t)ASZ_GEMM_PRIME - r : r;
}

/* asz_gemm_s_of: s_i from word i of its stream. */
ASZ_HD uint32_t asz_gemm_s_of(uint32_t word) {
  word &= 0x7fffffff;
  return word == ASZ_GEMM_PRIME ? 0 : word;
}

/* asz_gemm_u_block: u_k = sum_i s_i A[i][k] mod p for one block of 64 k's. Cost: n blocks of keystream. */
ASZ_HD void asz_gemm_u_block(uint32_t *ret_u /* 64 */, const struct asz_gemm_shape *shape, struct asz_chacha20_key a_key,
                             const uint32_t *s, uint32_t block) {
  int64_t sum[64];
  for (unsigned i = 0; i < 64; i++)
    sum[i] = 0;
  for (uint32_t row = 0; row < shape->n; row++) {
    struct asz_chacha20_block a = asz_chacha20(a_key, (uint64_t)row * (shape->k / 64) + block);
    for (unsigned i = 0; i < 64; i++) /* under 2^31 2^7 n: far from 2^62 */
      sum[i] += (int64_t)s[row] * asz_chacha20_int8_of(&a, i);
  }
  for (unsigned i = 0; i < 64; i++)
    ret_u[i] = asz_gemm_residue_signed(sum[i]);
}

/* asz_gemm_u_dot_b: <u, b> mod p for column j of the B with this key, regenerated. */
ASZ_HD uint32_t asz_gemm_u_dot_b(const struct asz_gemm_shape *shape, const uint32_t *u, struct asz_chacha20_key b_key,
                                 uint32_t j) {
  int64_t sum = 0; /* under 2^31 2^7 k, so under 2^62 for k under 2^24 */
  uint32_t blocks = shape->k / 64;
  for (uint32_t block = 0; block < blocks; block++) {
    struct asz_chacha20_block b = asz_chacha20(b_key, (uint64_t)j * blocks + block);
    for (unsigned i = 0; i < 64; i++)
      sum += (int64_t)u[(size_t)block * 64 + i] * asz_chacha20_int8_of(&b, i);
  }
  return asz_gemm_residue_signed(sum);
}

/* asz_gemm_s_dot_c: <s, c> mod p for a column as it stands in an opening, whose entries are in range. */
ASZ_HD uint32_t asz_gemm_s_dot_c(const struct asz_gemm_shape *shape, const uint32_t *s, const uint8_t *column) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < shape->n; i++) {
    int32_t c = (int32_t)asz_hd_le32_load(column + (size_t)4 * i);
    sum += asz_gemm_residue(asz_hd_mul_wide(s[i], c < 0 ? (uint32_t)(c + ASZ_GEMM_PRIME) : (uint32_t)c));
  }
  return asz_gemm_residue(sum);
}

/* asz_gemm_in_range: 1 when every entry of the column can be a sum of k products. */
ASZ_HD int asz_gemm_in_range(const struct asz_gemm_shape *shape, const uint8_t *column) {
  int32_t limit = (int32_t)shape->k * 127 * 127;
  int outside = 0;
  for (uint32_t i = 0; i < shape->n; i++) {
    int32_t c = (int32_t)asz_hd_le32_load(column + (size_t)4 * i);
    outside |= c > limit || c < -limit;
  }
  return !outside;
}

/* asz_gemm_step_leads_to: 1 when step(t) with this root of its own and the path give `root`. */
ASZ_HD int asz_gemm_step_leads_to(const uint8_t root[32], const struct asz_gemm_shape *shape, uint32_t t,
                                  const uint8_t step_root[32], const uint8_t *path) {
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[ASZ_TREE_HASH_BYTES];
  asz_tree_head(head, ASZ_TREE_STEP, t, shape->t, shape->m);
  asz_tree_leaf(hash, head, step_root, 32);
  asz_tree_climb(hash, t, path, shape->log2_t);
  return asz_tree_equal(hash, root, 32);
}

/* asz_gemm_first_step_is_empty: 1 unless t is 0 and a byte of what came before the first step is not 0. */
ASZ_HD int asz_gemm_first_step_is_empty(const struct asz_gemm_shape *shape, uint32_t t, const uint8_t *opening) {
  const uint8_t *path = opening + asz_gemm_at_link_path(shape);
  uint32_t bits = 0;
  if (t != 0)
    return 1;
  for (size_t i = 0; i < 32; i++)
    bits |= opening[ASZ_GEMM_AT_PREVIOUS_ROOT + i];
  for (size_t i = 0; i < (size_t)shape->log2_t * ASZ_TREE_HASH_BYTES; i++)
    bits |= path[i];
  return bits == 0;
}

/* asz_gemm_verdict_of: what a reason makes of an opening. */
ASZ_HD enum asz_verdict asz_gemm_verdict_of(enum asz_gemm_reason reason) {
  return reason == ASZ_GEMM_REASON_NONE              ? ASZ_VERDICT_PASS
         : reason <= ASZ_GEMM_REASON_NONZERO_PADDING ? ASZ_VERDICT_MALFORMED
                                                     : ASZ_VERDICT_FAIL;
}

/* asz_gemm_reason_of: the judgement of one opening (asz_gemm_opening_bytes bytes) for the pick (t, j) of an answer with this seed
 * and root; s (n words) and u (k words) are the slot's. */
ASZ_HD enum asz_gemm_reason asz_gemm_reason_of(const struct asz_gemm_shape *shape, const uint32_t *s, const uint32_t *u,
                                               const uint8_t seed[32], const uint8_t root[32], uint32_t t, uint32_t j,
                                               const uint8_t *opening) {
  const uint8_t *previous_root = opening + ASZ_GEMM_AT_PREVIOUS_ROOT, *step_root = opening + ASZ_GEMM_AT_ROOT;
  const uint8_t *column = opening + ASZ_GEMM_AT_COLUMN;
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[32];
  if (asz_hd_be32_load(opening + ASZ_GEMM_AT_T) != t || asz_hd_be32_load(opening + ASZ_GEMM_AT_J) != j)
    return ASZ_GEMM_REASON_WRONG_PICK;
  if (!asz_gemm_first_step_is_empty(shape, t, opening))
    return ASZ_GEMM_REASON_NONZERO_PADDING;
  if (!asz_gemm_in_range(shape, column))
    return ASZ_GEMM_REASON_OUT_OF_RANGE;
  asz_gemm_b_key(hash, seed, t, previous_root);
  if (asz_gemm_s_dot_c(shape, s, column) != asz_gemm_u_dot_b(shape, u, asz_chacha20_key_load(hash), j))
    return ASZ_GEMM_REASON_WRONG_PRODUCT;
  asz_tree_head(head, ASZ_TREE_COLUMN, t, j, shape->n);
  asz_tree_leaf(hash, head, column, (size_t)4 * shape->n);
  asz_tree_climb(hash, j, opening + asz_gemm_at_path(shape), shape->log2_m);
  if (!asz_tree_equal(hash, step_root, 32))
    return ASZ_GEMM_REASON_WRONG_LEAF_PATH;
  if (!asz_gemm_step_leads_to(root, shape, t, step_root, opening + asz_gemm_at_step_path(shape)))
    return ASZ_GEMM_REASON_WRONG_STEP_PATH;
  if (t > 0 && !asz_gemm_step_leads_to(root, shape, t - 1, previous_root, opening + asz_gemm_at_link_path(shape)))
    return ASZ_GEMM_REASON_WRONG_LINK;
  return ASZ_GEMM_REASON_NONE;
}

#endif
