/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/prove/gemm.h"

#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "gpu/prove/gemm_private.h"
#include "gpu/tree.h"

size_t asz_prove_gemm_lay_out(struct asz_prove_gemm *prove, uint8_t *memory) {
  const struct asz_gemm_shape *shape = &prove->shape;
  size_t used = 0, columns = (size_t)shape->t * shape->m;
  prove->a = asz_prove_take(&memory, &used, (size_t)shape->n * shape->k);
  prove->leaf = asz_prove_take(&memory, &used, columns * 32);
  prove->step_root = asz_prove_take(&memory, &used, (size_t)shape->t * 32);
  prove->scratch = asz_prove_take(&memory, &used, (size_t)(shape->m > shape->t ? shape->m : shape->t) * 32);
  for (unsigned i = 0; i < prove->threads; i++) {
    prove->thread[i].b = asz_prove_take(&memory, &used, (size_t)ASZ_PROVE_COLUMNS * shape->k);
    prove->thread[i].c = asz_prove_take(&memory, &used, (size_t)ASZ_PROVE_COLUMNS * shape->n * 4);
  }
  return used;
}

static void start(struct asz_prove_gemm *prove, uint32_t preset, unsigned threads, const struct asz_gemm_backend *backend) {
  memset(prove, 0, sizeof *prove);
  prove->shape = asz_gemm_shape_of(preset);
  prove->backend = backend;
  prove->threads = threads;
}

size_t asz_prove_gemm_footprint(uint32_t preset, unsigned threads) {
  struct asz_prove_gemm prove;
  if (threads < 1 || threads > ASZ_PARALLEL_MAX || asz_gemm_shape_of(preset).preset == 0)
    return 0;
  start(&prove, preset, threads, NULL);
  return sizeof prove + ASZ_GEMM_ALIGN_BYTES + asz_prove_gemm_lay_out(&prove, NULL);
}

struct asz_prove_gemm *asz_prove_gemm_new(void *memory, uint32_t preset, unsigned threads,
                                          const struct asz_gemm_backend *backend) {
  struct asz_prove_gemm *prove = memory;
  uint8_t *rest = memory;
  size_t used = 0;
  assert(asz_prove_gemm_footprint(preset, threads) != 0 && (uintptr_t)memory % ASZ_GEMM_ALIGN_BYTES == 0);
  start(prove, preset, threads, backend);
  asz_prove_take(&rest, &used, sizeof *prove);
  asz_prove_gemm_lay_out(prove, rest + used);
  return prove;
}

static void make_row(void *context, uint32_t row, unsigned thread) {
  struct asz_prove_gemm *prove = context;
  uint32_t n = prove->shape.n, k = prove->shape.k;
  int8_t *entries = prove->thread[thread].b;
  prove->backend->matrix(entries, prove->a_key, (uint64_t)row * (k / 64), k / 64);
  prove->backend->a_pack(prove->a, entries, row, n, k);
}

static void make_a(struct asz_prove_gemm *prove) {
  if (!prove->a_made)
    asz_parallel_for(prove->threads, prove->shape.n, make_row, prove);
  prove->a_made = true;
}

void asz_prove_gemm_epoch(struct asz_prove_gemm *prove, const uint8_t beacon[32]) {
  uint8_t key[32];
  asz_gemm_host_a_key(key, prove->shape.preset, beacon);
  prove->a_made = prove->a_made && memcmp(key, prove->a_key, 32) == 0;
  memcpy(prove->a_key, key, 32);
  if (prove->device.ops == NULL)
    make_a(prove); /* a device makes its own, and openings theirs */
}

void asz_prove_gemm_attach(struct asz_prove_gemm *prove, const struct asz_prove_device *device) {
  asz_prove_gemm_detach(prove);
  prove->device = *device;
}

void asz_prove_gemm_detach(struct asz_prove_gemm *prove) {
  if (prove->device.ops != NULL)
    prove->device.ops->free(prove->device.state);
  prove->device.ops = NULL;
}

const char *asz_prove_gemm_failure(const struct asz_prove_gemm *prove) {
  return prove->failure.text;
}

void asz_prove_gemm_give_up(struct asz_prove_gemm *prove) {
  asz_prove_gemm_detach(prove);
  if (prove->failure.text[0] == '\0')
    asz_diag_set(&prove->failure, ASZ_EDEVICE, "the device failed without a word");
}

static const uint8_t *previous_root(const struct asz_prove_gemm *prove, uint32_t t) {
  static const uint8_t zeros[32];
  return t == 0 ? zeros : prove->step_root[t - 1];
}

/* Columns first..first+count-1 of the current step, in the thread's c. */
static void make_columns(struct asz_prove_gemm *prove, uint32_t first, uint32_t count, struct asz_prove_thread *own) {
  uint32_t n = prove->shape.n, k = prove->shape.k;
  prove->backend->matrix(own->b, prove->b_key, (uint64_t)first * (k / 64), (size_t)count * (k / 64));
  prove->backend->multiply(own->c, prove->a, own->b, n, k, count);
}

static void make_leaves(void *context, uint32_t part, unsigned thread) {
  struct asz_prove_gemm *prove = context;
  struct asz_prove_thread *own = &prove->thread[thread];
  uint32_t n = prove->shape.n, first = part * ASZ_PROVE_COLUMNS;
  size_t at = (size_t)prove->step * prove->shape.m + first;
  make_columns(prove, first, ASZ_PROVE_COLUMNS, own);
  for (uint32_t i = 0; i < ASZ_PROVE_COLUMNS; i++) {
    uint8_t head[ASZ_TREE_HEAD_BYTES];
    asz_tree_head(head, ASZ_TREE_COLUMN, prove->step, first + i, n);
    asz_tree_host_leaf(prove->leaf[at + i], head, (const uint8_t *)(own->c + (size_t)i * n), (size_t)4 * n);
  }
  if (prove->arena != NULL)
    for (size_t i = 0; i < (size_t)ASZ_PROVE_COLUMNS * n; i++)
      prove->arena[at * n + i] = (uint16_t)own->c[i];
}

static void step_hash(const struct asz_prove_gemm *prove, uint32_t t, uint8_t ret_hash[32]) {
  uint8_t head[ASZ_TREE_HEAD_BYTES];
  asz_tree_head(head, ASZ_TREE_STEP, t, prove->shape.t, prove->shape.m);
  asz_tree_host_leaf(ret_hash, head, prove->step_root[t], 32);
}

/* The root over all steps, and the path of one. */
static void fold_steps(struct asz_prove_gemm *prove, uint32_t t, uint8_t ret_root[32], uint8_t *ret_path) {
  for (uint32_t i = 0; i < prove->shape.t; i++)
    step_hash(prove, i, prove->scratch[i]);
  asz_tree_host_root(ret_root, ret_path, prove->scratch, prove->shape.t, t);
}

static void fold_columns(struct asz_prove_gemm *prove, struct asz_gemm_pick pick, uint8_t ret_root[32], uint8_t *ret_path) {
  uint32_t m = prove->shape.m;
  memcpy(prove->scratch, prove->leaf[(size_t)pick.t * m], (size_t)m * 32);
  asz_tree_host_root(ret_root, ret_path, prove->scratch, m, pick.j);
}

static void enter_step(struct asz_prove_gemm *prove, uint32_t t) {
  prove->step = t;
  asz_gemm_host_b_key(prove->b_key, prove->seed, t, previous_root(prove, t));
}

/* The last run's steps, here. */
static void run_here(struct asz_prove_gemm *prove) {
  make_a(prove);
  for (uint32_t t = 0; t < prove->shape.t; t++) {
    enter_step(prove, t);
    asz_parallel_for(prove->threads, prove->shape.m / ASZ_PROVE_COLUMNS, make_leaves, prove);
    fold_columns(prove, (struct asz_gemm_pick){.t = t}, prove->step_root[t], NULL);
  }
  prove->ran_there = prove->leaves_away = false;
}

static bool run_there(struct asz_prove_gemm *prove) {
  const struct asz_prove_device *device = &prove->device;
  if (device->ops == NULL)
    return false;
  bool ran = device->ops->run(device->state, prove->a_key, prove->seed, prove->step_root, &prove->failure) == 0;
  if (!ran)
    asz_prove_gemm_give_up(prove);
  prove->ran_there = prove->leaves_away = ran;
  return ran;
}

void asz_prove_gemm_run(struct asz_prove_gemm *prove, const uint8_t seed[32], uint8_t ret_root[32]) {
  memmove(prove->seed, seed, 32);
  if (!run_there(prove))
    run_here(prove);
  fold_steps(prove, 0, ret_root, NULL);
}

/* What openings need and a device still has. */
static void fetch_leaves(struct asz_prove_gemm *prove) {
  const struct asz_prove_device *device = &prove->device;
  make_a(prove);
  if (prove->leaves_away && (device->ops == NULL || device->ops->leaves(device->state, prove->leaf, &prove->failure) != 0)) {
    asz_prove_gemm_give_up(prove);
    run_here(prove);
  }
  prove->leaves_away = false;
}

void asz_prove_gemm_open(struct asz_prove_gemm *prove, struct asz_gemm_pick pick, uint8_t *ret_opening) {
  const struct asz_gemm_shape *shape = &prove->shape;
  struct asz_prove_thread *own = &prove->thread[0];
  uint8_t root[32];
  assert(pick.t < shape->t && pick.j < shape->m);
  fetch_leaves(prove);
  asz_be32_store(ret_opening + ASZ_GEMM_AT_T, pick.t);
  asz_be32_store(ret_opening + ASZ_GEMM_AT_J, pick.j);
  memcpy(ret_opening + ASZ_GEMM_AT_PREVIOUS_ROOT, previous_root(prove, pick.t), 32);
  memcpy(ret_opening + ASZ_GEMM_AT_ROOT, prove->step_root[pick.t], 32);
  enter_step(prove, pick.t);
  make_columns(prove, pick.j, 1, own);
  memcpy(ret_opening + ASZ_GEMM_AT_COLUMN, own->c, (size_t)4 * shape->n);
  fold_columns(prove, pick, root, ret_opening + asz_gemm_at_path(shape));
  fold_steps(prove, pick.t, root, ret_opening + asz_gemm_at_step_path(shape));
  uint8_t *link = ret_opening + asz_gemm_at_link_path(shape);
  if (pick.t > 0)
    fold_steps(prove, pick.t - 1, root, link);
  else
    memset(link, 0, (size_t)shape->log2_t * ASZ_TREE_HASH_BYTES);
}
