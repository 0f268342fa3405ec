/* SPDX-License-Identifier: Apache-2.0 */
/* What the provers of gemm and mem share: mem's arena is what gemm's run leaves behind. */
#ifndef ASZ_GPU_PROVE_GEMM_PRIVATE_H
#define ASZ_GPU_PROVE_GEMM_PRIVATE_H

#include "gpu/prove/gemm.h"

/* 64: a group of a fold, and a multiple of every backend's tile; its B (64 K bytes) is in cache for all rows of A. */
enum { ASZ_PROVE_COLUMNS = 64 };

/* A thread's own memory. */
struct asz_prove_thread {
  int8_t *b;  /* ASZ_PROVE_COLUMNS * k, or a row of A */
  int32_t *c; /* ASZ_PROVE_COLUMNS * n */
};

struct asz_prove_gemm {
  struct asz_gemm_shape shape;
  const struct asz_gemm_backend *backend;
  unsigned threads;
  uint8_t a_key[32], b_key[32], seed[32];
  uint32_t step; /* that a run is in */
  struct asz_prove_device device;
  struct asz_diag failure;  /* of a device that is none any more */
  bool a_made;              /* here, with a_key */
  bool ran_there;           /* the last run was a device's; so is its arena */
  bool leaves_away;         /* and its leaves still are */
  void *a;                  /* packed, n k bytes */
  uint8_t (*leaf)[32];      /* t m: of column j of step i at i m + j */
  uint8_t (*step_root)[32]; /* t */
  uint8_t (*scratch)[32];   /* max(t, m): a tree while it is folded up */
  uint16_t *arena;          /* t m n low halves; NULL in gemm */
  struct asz_prove_thread thread[ASZ_PARALLEL_MAX];
};

/* asz_prove_take: the next `bytes` bytes of memory, aligned; with *memory NULL only adds up. */
static inline void *asz_prove_take(uint8_t **memory, size_t *used, size_t bytes) {
  void *taken = *memory == NULL ? NULL : *memory + *used;
  *used += (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES;
  return taken;
}

/* asz_prove_gemm_give_up: the end of a device that failed: prove->failure says how. */
void asz_prove_gemm_give_up(struct asz_prove_gemm *prove);

/* asz_prove_gemm_lay_out: bytes that follow the structure, which gets its pointers when memory is not NULL. */
size_t asz_prove_gemm_lay_out(struct asz_prove_gemm *prove, uint8_t *memory);

#endif
