/* SPDX-License-Identifier: Apache-2.0 */
/* asz_gemm on the host: the verifier of opened columns of gemm and mem, and the derivations that it shares with the provers.
 *
 * What is the same for all openings of a slot, s and u = s^T A, is made once (struct asz_gemm_slot) and read by any number of
 * threads. Openings come in batches: the few words that differ from item to item as arrays of their own, the opening itself as
 * the fixed-size byte string that it is on the wire. A device lets a warp or a block judge one opening, so that its column is
 * read by neighbouring lanes in one piece as it stands; the bytes need no second layout, on the host neither.
 *
 * Hashing is libsodium's, keystream and dot products a backend's of gpu/simd/gemm.h. No function here fails: sizes are checked by
 * the footprint, and whatever an opening holds has a verdict. */
#ifndef ASZ_GPU_GEMM_H
#define ASZ_GPU_GEMM_H

#include "gpu/simd/gemm.h"

const char *asz_gemm_reason_name(unsigned reason); /* "unknown" for what is none */

/* The derivations of docs/challenges.md. */
void asz_gemm_host_a_key(uint8_t ret_key[32], uint32_t preset, const uint8_t beacon[32]);
void asz_gemm_host_b_key(uint8_t ret_key[32], const uint8_t seed[32], uint32_t t, const uint8_t previous_root[32]);
/* asz_gemm_host_stream: the first size_bytes bytes of a key's keystream. */
void asz_gemm_host_stream(uint8_t *ret_bytes, size_t size_bytes, const uint8_t key[32]);
/* asz_gemm_host_s: the n words of a slot's s. */
void asz_gemm_host_s(uint32_t *ret_s, const struct asz_gemm_shape *shape, const uint8_t rho[32]);
/* asz_mem_host_weights: of a fold, 2 n words: the low halves, then the high ones. */
void asz_mem_host_weights(uint64_t *ret_weights, const struct asz_gemm_shape *shape, const uint8_t fold_seed[32]);

struct asz_gemm_pick {
  uint32_t t, j;
};

/* asz_gemm_picks: which columns an answer has to open. root: of the answer; of a fold its z root. kind: ASZ_KIND_GEMM or
 * ASZ_KIND_MEM. count 1..ASZ_GEMM_PICKS_MAX (asserted); picks may repeat. */
void asz_gemm_picks(struct asz_gemm_pick *ret_pick, unsigned count, const struct asz_gemm_shape *shape, const uint8_t rho[32],
                    uint8_t kind, const uint8_t provider_pk[32], uint32_t device, const uint8_t root[32]);

/* What all openings of a slot and preset share. Constant once made. */
struct asz_gemm_slot {
  struct asz_gemm_shape shape;
  const struct asz_gemm_backend *backend;
  uint32_t *s;    /* n words under p */
  uint32_t *u;    /* k words under p: what a device is given */
  void *u_packed; /* the backend's */
};

/* asz_gemm_slot_footprint: bytes of memory for a slot, about 8 k; 0 for a preset that is none. */
size_t asz_gemm_slot_footprint(uint32_t preset);
/* asz_gemm_slot_new: makes s and u, in memory of that size, which is aligned to ASZ_GEMM_ALIGN_BYTES and outlives the slot. A is
 * generated piece by piece and never held. Cost: n k bytes of keystream and as many products; some ms on AVX-512 for preset gpu.
 */
struct asz_gemm_slot *asz_gemm_slot_new(void *memory, uint32_t preset, const struct asz_gemm_backend *backend,
                                        const uint8_t beacon[32], const uint8_t rho[32]);

/* Openings of one slot and preset, all of gemm or all of folds. Arrays of `count`, the caller's. */
struct asz_gemm_openings {
  uint32_t count;
  size_t opening_bytes;             /* of each; other than what preset and kind fix: MALFORMED, unread */
  const uint8_t *opening;           /* count * opening_bytes */
  const struct asz_gemm_pick *pick; /* what was picked: t and j in range */
  const uint8_t (*seed)[32];        /* of the answer; for a fold of the build of its arena */
  const uint8_t (*root)[32];        /* of the answer; for a fold the arena's */
  const uint8_t (*fold_seed)[32];   /* folds; else NULL */
  const uint8_t (*z_root)[32];      /* folds */
  uint8_t *verdict;                 /* enum asz_verdict: PASS, FAIL or MALFORMED */
  uint8_t *reason;                  /* enum asz_gemm_reason */
};

/* asz_gemm_judge: judges items first..first+count-1. */
void asz_gemm_judge(const struct asz_gemm_slot *slot, const struct asz_gemm_openings *openings, uint32_t first, uint32_t count);

#endif
