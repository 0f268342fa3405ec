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
  bool sums_away;         /* z and group_hash of the last fold are the device's still */
  uint8_t fold_seed[32];
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

struct asz_prove_gemm *asz_prove_mem_gemm(struct asz_prove_mem *prove) {
  return &prove->gemm;
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

/* Every column's z, here; the arena is built again when it was a device's that failed. */
static void fold_here(struct asz_prove_mem *prove) {
  uint8_t root[32];
  if (prove->gemm.ran_there)
    asz_prove_gemm_run(&prove->gemm, prove->gemm.seed, root);
  asz_mem_host_weights(prove->weights, &prove->gemm.shape, prove->fold_seed);
  asz_parallel_for(prove->gemm.threads, prove->groups, fold_group, prove);
}

static bool fold_there(struct asz_prove_mem *prove, uint8_t ret_z_root[32]) {
  const struct asz_prove_device *device = &prove->gemm.device;
  if (device->ops == NULL)
    return false;
  prove->sums_away = device->ops->fold(device->state, prove->fold_seed, ret_z_root, &prove->gemm.failure) == 0;
  if (!prove->sums_away)
    asz_prove_gemm_give_up(&prove->gemm);
  return prove->sums_away;
}

/* The root over the groups, and the path of one. */
static void fold_groups(struct asz_prove_mem *prove, uint32_t group, uint8_t ret_root[32], uint8_t *ret_path) {
  memcpy(prove->scratch, prove->group_hash, (size_t)32 * prove->groups);
  asz_tree_host_root(ret_root, ret_path, prove->scratch, prove->groups, group);
}

void asz_prove_mem_fold(struct asz_prove_mem *prove, const uint8_t fold_seed[32], uint8_t ret_z_root[32]) {
  memcpy(prove->fold_seed, fold_seed, 32);
  if (fold_there(prove, ret_z_root))
    return;
  fold_here(prove);
  fold_groups(prove, 0, ret_z_root, NULL);
}

static void fetch_sums(struct asz_prove_mem *prove) {
  const struct asz_prove_device *device = &prove->gemm.device;
  if (prove->sums_away &&
      (device->ops == NULL || device->ops->sums(device->state, prove->z, prove->group_hash, &prove->gemm.failure) != 0)) {
    asz_prove_gemm_give_up(&prove->gemm);
    fold_here(prove);
  }
  prove->sums_away = false;
}

void asz_prove_mem_open_build(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  asz_prove_gemm_open(&prove->gemm, pick, ret_opening);
}

void asz_prove_mem_open(struct asz_prove_mem *prove, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  const struct asz_gemm_shape *shape = &prove->gemm.shape;
  uint32_t group = pick.t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + pick.j / ASZ_GEMM_FOLD_COLUMNS;
  uint8_t root[32];
  asz_prove_gemm_open(&prove->gemm, pick, ret_opening);
  fetch_sums(prove);
  memcpy(ret_opening + asz_mem_at_z(shape), prove->z + (size_t)group * ASZ_GEMM_FOLD_COLUMNS, ASZ_MEM_GROUP_BYTES);
  fold_groups(prove, group, root, ret_opening + asz_mem_at_z_path(shape));
}
