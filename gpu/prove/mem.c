/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/prove/mem.h"

#include <assert.h>
#include <string.h>

#include "gpu/prove/gemm_private.h"
#include "gpu/tree.h"

struct asz_prove_mem {
  struct asz_prove_gemm gemm; /* first: its threads are ours */
  uint32_t groups;            /* of 64 columns, in all steps */
  uint64_t *z;                /* a column */
  uint64_t *weights;          /* 2 n */
  uint8_t (*group_hash)[32];
  uint8_t (*scratch)[32]; /* groups */
};

static size_t lay_out(struct asz_prove_mem *prove, uint8_t *memory) {
  const struct asz_gemm_shape *shape = &prove->gemm.shape;
  size_t used = asz_prove_gemm_lay_out(&prove->gemm, memory);
  prove->groups = shape->t * (shape->m / ASZ_GEMM_FOLD_COLUMNS);
  prove->gemm.arena = asz_prove_take(&memory, &used, asz_mem_arena_bytes(shape->preset));
  prove->z = asz_prove_take(&memory, &used, (size_t)8 * prove->groups * ASZ_GEMM_FOLD_COLUMNS);
  prove->weights = asz_prove_take(&memory, &used, (size_t)16 * shape->n);
  prove->group_hash = asz_prove_take(&memory, &used, (size_t)32 * prove->groups);
  prove->scratch = asz_prove_take(&memory, &used, (size_t)32 * prove->groups);
  return used;
}

static void start(struct asz_prove_mem *prove, uint32_t preset, unsigned threads, const struct asz_gemm_backend *backend) {
  memset(prove, 0, sizeof *prove);
  prove->gemm.shape = asz_gemm_shape_of(preset);
  prove->gemm.backend = backend;
  prove->gemm.threads = threads;
}

size_t asz_prove_mem_footprint(uint32_t preset, unsigned threads) {
  struct asz_prove_mem prove;
  if (asz_prove_gemm_footprint(preset, threads) == 0)
    return 0;
  start(&prove, preset, threads, NULL);
  return sizeof prove + ASZ_GEMM_ALIGN_BYTES + lay_out(&prove, NULL);
}

struct asz_prove_mem *asz_prove_mem_new(void *memory, uint32_t preset, unsigned threads, const struct asz_gemm_backend *backend) {
  struct asz_prove_mem *prove = memory;
  uint8_t *rest = memory;
  size_t used = 0;
  assert(asz_prove_mem_footprint(preset, threads) != 0 && (uintptr_t)memory % ASZ_GEMM_ALIGN_BYTES == 0);
  start(prove, preset, threads, backend);
  asz_prove_take(&rest, &used, sizeof *prove);
  lay_out(prove, rest + used);
  return prove;
}

void asz_prove_mem_build(struct asz_prove_mem *prove, const uint8_t beacon[32], const uint8_t seed[32], uint8_t ret_root[32]) {
  asz_prove_gemm_epoch(&prove->gemm, beacon);
  asz_prove_gemm_run(&prove->gemm, seed, ret_root);
}

static void fold_group(void *context, uint32_t group, unsigned thread) {
  struct asz_prove_mem *prove = context;
  const struct asz_gemm_shape *shape = &prove->gemm.shape;
  uint32_t groups_a_step = shape->m / ASZ_GEMM_FOLD_COLUMNS;
  uint64_t *z = prove->z + (size_t)group * ASZ_GEMM_FOLD_COLUMNS;
  uint8_t head[ASZ_TREE_HEAD_BYTES];
  prove->gemm.backend->fold(z, prove->gemm.arena + (size_t)group * ASZ_GEMM_FOLD_COLUMNS * shape->n, ASZ_GEMM_FOLD_COLUMNS,
                            prove->weights, shape->n);
  asz_tree_head(head, ASZ_TREE_FOLD, group / groups_a_step, group % groups_a_step, ASZ_GEMM_FOLD_COLUMNS);
  asz_tree_host_leaf(prove->group_hash[group], head, (const uint8_t *)z, ASZ_MEM_GROUP_BYTES);
}

void asz_prove_mem_fold(struct asz_prove_mem *prove, const uint8_t fold_seed[32], uint8_t ret_z_root[32]) {
  asz_mem_host_weights(prove->weights, &prove->gemm.shape, fold_seed);
  asz_parallel_for(prove->gemm.threads, prove->groups, fold_group, prove);
  memcpy(prove->scratch, prove->group_hash, (size_t)32 * prove->groups);
  asz_tree_host_root(ret_z_root, NULL, prove->scratch, prove->groups, 0);
}

void asz_prove_mem_open_build(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  asz_prove_gemm_open(&prove->gemm, pick, ret_opening);
}

void asz_prove_mem_open(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  const struct asz_gemm_shape *shape = &prove->gemm.shape;
  uint32_t group = pick.t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + pick.j / ASZ_GEMM_FOLD_COLUMNS;
  uint8_t root[32];
  asz_prove_gemm_open(&prove->gemm, pick, ret_opening);
  memcpy(ret_opening + asz_mem_at_z(shape), prove->z + (size_t)group * ASZ_GEMM_FOLD_COLUMNS, ASZ_MEM_GROUP_BYTES);
  memcpy(prove->scratch, prove->group_hash, (size_t)32 * prove->groups);
  asz_tree_host_root(root, ret_opening + asz_mem_at_z_path(shape), prove->scratch, prove->groups, group);
}
