/* SPDX-License-Identifier: Apache-2.0 */
/* asz_gemm_lanes: the judgement of gpu/kinds/gemm.h and mem.h, cut into pieces for a device. Verdict and reason are those of
 * asz_gemm_reason_of and asz_mem_reason_of on every byte string.
 *
 * An opening is two sorts of work. The product is wide: K/64 blocks of keystream that know nothing of each other, which the 32
 * lanes of a warp share out; what they find are exact integers, whose sum does not depend on who added what. The hashes are long:
 * a leaf and its path are a chain of some fifty compressions, in which 31 lanes of a warp would wait for one. So hashes are cut
 * across the openings instead: a lane takes one of the jobs below of one opening, and its neighbours the same job of other ones.
 * Counted in instructions that a multiprocessor issues for an opening of K = 65,536: the product 47,000 either way, the hashes
 * 149,000 with a warp an opening and 4,700 with a lane a job.
 *
 * Each piece says what it found wrong in a word of the opening, a bit for each reason, and that it was there, in another bit. The
 * reasons are numbered in the order of the checks, so the lowest bit is the reason that a verifier gives who stops at the first;
 * a piece that never ran leaves no verdict at all. Everything is read at fixed places, whatever the bytes say. */
#ifndef ASZ_GPU_KINDS_GEMM_LANES_H
#define ASZ_GPU_KINDS_GEMM_LANES_H

#include "gpu/kinds/mem.h"

/* Jobs of one lane; a fold's opening has all of them, another all but the last. */
enum asz_gemm_job {
  ASZ_GEMM_JOB_FIRST,  /* pick and padding; makes B's key */
  ASZ_GEMM_JOB_COLUMN, /* leaf and path of the column */
  ASZ_GEMM_JOB_STEP,   /* its step */
  ASZ_GEMM_JOB_LINK,   /* the step before */
  ASZ_GEMM_JOB_FOLD,   /* leaf and path of the group of z */
  ASZ_GEMM_JOBS,
};

enum {
  ASZ_GEMM_RAN = 16, /* bit of the first job in the word of findings */
  ASZ_GEMM_RAN_PRODUCT = ASZ_GEMM_RAN + ASZ_GEMM_JOBS,
  ASZ_GEMM_B_WORDS = 8,       /* B's key between the pieces */
  ASZ_GEMM_WORDS_A_LANE = 64, /* of u, that belong to one block of keystream */
};

/* What a device is given of one opening. All pointers are multiples of 4. */
struct asz_gemm_item {
  const uint8_t *opening, *seed, *root;
  const uint8_t *fold_seed, *z_root; /* NULL: no fold */
  uint32_t t, j;                     /* as picked, in range */
};

/* Hashes by words: h is the state of BLAKE2b after a start without a key. */
ASZ_HD void asz_gemm_hash_start(uint64_t h[8]) {
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    h[i] = asz_blake2b_iv[i];
  h[0] ^= 0x01010000u ^ ASZ_BLAKE2B_OUT_BYTES;
}

ASZ_HD int asz_gemm_hash_is(const uint64_t hash[4], const uint8_t *expected) {
  uint64_t difference = 0;
  for (size_t i = 0; i < 4; i++)
    difference |= hash[i] ^ asz_hd_aligned_le64(expected + 8 * i);
  return difference == 0;
}

/* The hash of a head (asz_tree_head) and `words` words of 8 bytes. */
ASZ_HD void asz_gemm_hash_leaf(uint64_t *ret_hash /* 4 */, enum asz_tree_tag tag, uint32_t a, uint32_t b, uint32_t c,
                               const uint8_t *bytes, uint32_t words) {
  uint64_t h[8], m[16];
  uint32_t total = 2 + words;
  asz_gemm_hash_start(h);
  ASZ_HD_ROLLED
  for (uint32_t first = 0; first < total; first += 16) {
    ASZ_HD_UNROLL
    for (uint32_t i = 0; i < 16; i++) {
      uint32_t at = first + i;
      m[i] = 0;
      if (at >= 2 && at < total)
        m[i] = asz_hd_aligned_le64(bytes + (size_t)8 * (at - 2));
    }
    if (first == 0) {
      m[0] = (uint64_t)asz_hd_swap32(a) << 32 | (uint32_t)tag;
      m[1] = (uint64_t)asz_hd_swap32(c) << 32 | asz_hd_swap32(b);
    }
    uint32_t end = first + 16 < total ? first + 16 : total;
    asz_blake2b_compress_words(h, m, (uint64_t)8 * end, end == total);
  }
  for (int i = 0; i < 4; i++)
    ret_hash[i] = h[i];
}

/* The hash of a node; ret_hash may be left or right. */
ASZ_HD void asz_gemm_hash_node(uint64_t *ret_hash /* 4 */, const uint64_t left[4], const uint64_t right[4]) {
  uint64_t h[8], m[16];
  m[0] = ASZ_TREE_NODE;
  m[1] = 0;
  ASZ_HD_UNROLL
  for (size_t i = 0; i < 4; i++) {
    m[2 + i] = left[i];
    m[6 + i] = right[i];
  }
  ASZ_HD_UNROLL
  for (int i = 10; i < 16; i++)
    m[i] = 0;
  asz_gemm_hash_start(h);
  asz_blake2b_compress_words(h, m, ASZ_TREE_HEAD_BYTES + 2 * ASZ_TREE_HASH_BYTES, 1);
  for (int i = 0; i < 4; i++)
    ret_hash[i] = h[i];
}

/* As asz_tree_climb. */
ASZ_HD void asz_gemm_hash_climb(uint64_t hash[4], uint32_t index, const uint8_t *path, uint32_t levels) {
  ASZ_HD_ROLLED
  for (uint32_t level = 0; level < levels; level++) {
    uint64_t left[4], right[4];
    int is_right = (int)(index >> level & 1);
    ASZ_HD_UNROLL
    for (size_t i = 0; i < 4; i++) {
      uint64_t sibling = asz_hd_aligned_le64(path + (size_t)level * ASZ_TREE_HASH_BYTES + 8 * i);
      left[i] = is_right ? sibling : hash[i];
      right[i] = is_right ? hash[i] : sibling;
    }
    asz_gemm_hash_node(hash, left, right);
  }
}

ASZ_HD uint32_t asz_gemm_job_first(uint32_t *ret_b_key, const struct asz_gemm_shape *shape, const struct asz_gemm_item *item) {
  uint8_t key[32];
  uint32_t found = 0;
  if (asz_hd_be32_load(item->opening + ASZ_GEMM_AT_T) != item->t || asz_hd_be32_load(item->opening + ASZ_GEMM_AT_J) != item->j)
    found |= 1u << ASZ_GEMM_REASON_WRONG_PICK;
  if (!asz_gemm_first_step_is_empty(shape, item->t, item->opening))
    found |= 1u << ASZ_GEMM_REASON_NONZERO_PADDING;
  asz_gemm_b_key(key, item->seed, item->t, item->opening + ASZ_GEMM_AT_PREVIOUS_ROOT);
  for (size_t i = 0; i < ASZ_GEMM_B_WORDS; i++)
    ret_b_key[i] = asz_hd_le32_load(key + 4 * i);
  return found;
}

ASZ_HD uint32_t asz_gemm_job_column(const struct asz_gemm_shape *shape, const struct asz_gemm_item *item) {
  uint64_t hash[4];
  asz_gemm_hash_leaf(hash, ASZ_TREE_COLUMN, item->t, item->j, shape->n, item->opening + ASZ_GEMM_AT_COLUMN, shape->n / 2);
  asz_gemm_hash_climb(hash, item->j, item->opening + asz_gemm_at_path(shape), shape->log2_m);
  return asz_gemm_hash_is(hash, item->opening + ASZ_GEMM_AT_ROOT) ? 0 : 1u << ASZ_GEMM_REASON_WRONG_LEAF_PATH;
}

/* Of step t with this root of its own. */
ASZ_HD int asz_gemm_step_holds(const struct asz_gemm_shape *shape, const struct asz_gemm_item *item, uint32_t t,
                               const uint8_t *step_root, const uint8_t *path) {
  uint64_t hash[4];
  asz_gemm_hash_leaf(hash, ASZ_TREE_STEP, t, shape->t, shape->m, step_root, ASZ_TREE_HASH_BYTES / 8);
  asz_gemm_hash_climb(hash, t, path, shape->log2_t);
  return asz_gemm_hash_is(hash, item->root);
}

ASZ_HD uint32_t asz_gemm_job_fold(const struct asz_gemm_shape *shape, const struct asz_gemm_item *item) {
  uint64_t hash[4];
  uint32_t group = item->j / ASZ_GEMM_FOLD_COLUMNS;
  asz_gemm_hash_leaf(hash, ASZ_TREE_FOLD, item->t, group, ASZ_GEMM_FOLD_COLUMNS, item->opening + asz_mem_at_z(shape),
                     ASZ_MEM_GROUP_BYTES / 8);
  asz_gemm_hash_climb(hash, item->t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + group, item->opening + asz_mem_at_z_path(shape),
                      asz_mem_log2_groups(shape));
  return asz_gemm_hash_is(hash, item->z_root) ? 0 : 1u << ASZ_GEMM_REASON_WRONG_FOLD_PATH;
}

/* asz_gemm_job_run: one job of one opening: its findings, for the opening's word. ret_b_key: ASZ_GEMM_B_WORDS words, written by
 * ASZ_GEMM_JOB_FIRST. */
ASZ_HD uint32_t asz_gemm_job_run(enum asz_gemm_job job, uint32_t *ret_b_key, const struct asz_gemm_shape *shape,
                                 const struct asz_gemm_item *item) {
  const uint8_t *opening = item->opening;
  uint32_t found = 1u << (ASZ_GEMM_RAN + (int)job);
  if (job == ASZ_GEMM_JOB_FIRST)
    found |= asz_gemm_job_first(ret_b_key, shape, item);
  else if (job == ASZ_GEMM_JOB_COLUMN)
    found |= asz_gemm_job_column(shape, item);
  else if (job == ASZ_GEMM_JOB_FOLD)
    found |= asz_gemm_job_fold(shape, item);
  else if (job == ASZ_GEMM_JOB_STEP)
    found |= asz_gemm_step_holds(shape, item, item->t, opening + ASZ_GEMM_AT_ROOT, opening + asz_gemm_at_step_path(shape))
                 ? 0
                 : 1u << ASZ_GEMM_REASON_WRONG_STEP_PATH;
  else if (item->t > 0)
    found |=
        asz_gemm_step_holds(shape, item, item->t - 1, opening + ASZ_GEMM_AT_PREVIOUS_ROOT, opening + asz_gemm_at_link_path(shape))
            ? 0
            : 1u << ASZ_GEMM_REASON_WRONG_LINK;
  return found;
}

/* What one lane, or all of them together, has of an opening's product and fold. Sums of any split of the work are the same. */
struct asz_gemm_share {
  uint64_t u_dot_b;   /* sum of u_k (b_k + 127), under 2^31 2^8 k */
  uint64_t s_dot_c;   /* sum of residues, under 2^31 n */
  uint64_t low, high; /* of the fold */
  uint32_t outside;   /* not 0: an entry that is out of range */
};

ASZ_HD struct asz_gemm_share asz_gemm_share_none(void) {
  struct asz_gemm_share share = {0, 0, 0, 0, 0};
  return share;
}

struct asz_gemm_four {
  uint32_t word[4];
};
ASZ_HD struct asz_gemm_four asz_gemm_four_load(const uint32_t *u) {
  struct asz_gemm_four four;
#if defined(__CUDACC__)
  const uint4 loaded = *(const uint4 *)u;
  four.word[0] = loaded.x, four.word[1] = loaded.y, four.word[2] = loaded.z, four.word[3] = loaded.w;
#else
  for (int i = 0; i < 4; i++)
    four.word[i] = u[i];
#endif
  return four;
}

/* asz_gemm_share_b: adds what one block of B's column brings: u: the 64 words of u that meet it, 16-byte aligned. A byte counts
 * as itself, but 255 as 0; the 127 less that it stands for are taken off all at once (asz_gemm_share_reason). */
ASZ_HD void asz_gemm_share_b(struct asz_gemm_share *share, const uint32_t u[ASZ_GEMM_WORDS_A_LANE], struct asz_chacha20_key b_key,
                             uint64_t block) {
  struct asz_chacha20_block b = asz_chacha20(b_key, block);
  ASZ_HD_UNROLL
  for (int i = 0; i < 16; i++) {
    uint32_t word = asz_chacha20_zero_255(b.word[i]);
    struct asz_gemm_four four = asz_gemm_four_load(u + 4 * i);
    ASZ_HD_UNROLL
    for (int k = 0; k < 4; k++)
      share->u_dot_b += asz_hd_mul_wide(four.word[k], word >> 8 * k & 0xff);
  }
}

/* asz_gemm_share_c: adds what the entries lane, lane + lanes, .. of the column bring. An entry out of range brings anything: it
 * has been noticed. */
ASZ_HD void asz_gemm_share_c(struct asz_gemm_share *share, const struct asz_gemm_shape *shape, const uint32_t *s,
                             const uint8_t *column, uint32_t lane, uint32_t lanes) {
  int32_t limit = (int32_t)shape->k * 127 * 127;
  ASZ_HD_ROLLED
  for (uint32_t i = lane; i < shape->n; i += lanes) {
    int32_t c = (int32_t)asz_hd_aligned_le32(column + (size_t)4 * i);
    share->outside |= c > limit || c < -limit;
    share->s_dot_c += asz_gemm_residue(asz_hd_mul_wide(s[i], c < 0 ? (uint32_t)c + ASZ_GEMM_PRIME : (uint32_t)c));
  }
}

/* asz_gemm_share_fold: adds what eight entries of the column bring to its fold, number block of n / 8. */
ASZ_HD void asz_gemm_share_fold(struct asz_gemm_share *share, struct asz_chacha20_key fold_key, const uint8_t *column,
                                uint32_t block) {
  const uint32_t half_mask = (1u << ASZ_MEM_HALF_BITS) - 1;
  struct asz_chacha20_block w = asz_chacha20(fold_key, block);
  ASZ_HD_UNROLL
  for (unsigned i = 0; i < 8; i++) {
    uint32_t x = asz_hd_aligned_le32(column + (size_t)4 * (8 * block + i)) & 0xffff;
    uint64_t weight = asz_mem_weight(&w, i);
    share->low += asz_hd_mul_wide((uint32_t)weight & half_mask, x);
    share->high += asz_hd_mul_wide((uint32_t)(weight >> ASZ_MEM_HALF_BITS), x);
  }
}

ASZ_HD void asz_gemm_share_add(struct asz_gemm_share *share, const struct asz_gemm_share *other) {
  share->u_dot_b += other->u_dot_b;
  share->s_dot_c += other->s_dot_c;
  share->low += other->low;
  share->high += other->high;
  share->outside |= other->outside;
}

/* asz_gemm_u_sum: 127 times the sum of u mod p: what asz_gemm_share_b has too much. */
ASZ_HD_HOST uint32_t asz_gemm_u_sum(const uint32_t *u, uint32_t k) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < k; i++)
    sum += u[i];
  return (uint32_t)(sum % ASZ_GEMM_PRIME * 127 % ASZ_GEMM_PRIME);
}

/* asz_gemm_share_found: the findings of all shares added up; u_sum: asz_gemm_u_sum. */
ASZ_HD uint32_t asz_gemm_share_found(const struct asz_gemm_share *all, const struct asz_gemm_shape *shape, uint32_t u_sum,
                                     const struct asz_gemm_item *item) {
  uint32_t found = 1u << ASZ_GEMM_RAN_PRODUCT;
  if (all->outside)
    found |= 1u << ASZ_GEMM_REASON_OUT_OF_RANGE;
  if (asz_gemm_residue(all->s_dot_c) != asz_gemm_residue(all->u_dot_b + ASZ_GEMM_PRIME - u_sum))
    found |= 1u << ASZ_GEMM_REASON_WRONG_PRODUCT;
  if (item->fold_seed) {
    const uint8_t *z = item->opening + asz_mem_at_z(shape) + (size_t)8 * (item->j % ASZ_GEMM_FOLD_COLUMNS);
    if (asz_hd_aligned_le64(z) != asz_mem_join(all->low, all->high))
      found |= 1u << ASZ_GEMM_REASON_WRONG_FOLD;
  }
  return found;
}

/* asz_gemm_found_reason: the first reason among an opening's findings; *ret_verdict is ASZ_VERDICT_NONE when a piece is missing.
 */
ASZ_HD enum asz_gemm_reason asz_gemm_found_reason(uint8_t *ret_verdict, uint32_t found, int is_fold) {
  uint32_t jobs = is_fold ? (uint32_t)ASZ_GEMM_JOBS : (uint32_t)ASZ_GEMM_JOB_FOLD;
  uint32_t ran = ((1u << jobs) - 1) << ASZ_GEMM_RAN | 1u << ASZ_GEMM_RAN_PRODUCT;
  uint32_t reason = 0, wrong = found & ((1u << ASZ_GEMM_RAN) - 1);
  *ret_verdict = ASZ_VERDICT_NONE;
  if ((found & ran) != ran)
    return ASZ_GEMM_REASON_NONE;
  while (wrong != 0 && (wrong >> reason & 1) == 0)
    reason++;
  *ret_verdict = (uint8_t)asz_gemm_verdict_of((enum asz_gemm_reason)reason);
  return (enum asz_gemm_reason)reason;
}

#endif
