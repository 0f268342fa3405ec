/* SPDX-License-Identifier: Apache-2.0 */
/* Chains and openings are made once and copied: they cost the judge the same as different ones. An opening needs no prover: its
 * column is right, the siblings on its paths are anybody's, and the roots are what those lead to. */
#include "bench/verify_items.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "gpu/kind.h"
#include "gpu/prove/prove.h"
#include "gpu/tree.h"

static const struct asz_gemm_pick pick = {.t = 1, .j = 17}; /* step 0 is its sibling, so that both of a step's paths are walked */
static const uint8_t beacon[32] = {1}, rho[32] = {2}, answer_seed[32] = {3}, fold_seed[32] = {4};

enum asz_backend asz_bench_backend_named(const char *name) {
  return strcmp(name, "cpu") == 0         ? ASZ_BACKEND_CPU
         : strcmp(name, "cuda") == 0      ? ASZ_BACKEND_CUDA
         : strcmp(name, "reference") == 0 ? ASZ_BACKEND_REFERENCE
                                          : ASZ_BACKEND_AUTO;
}

static bool is_wrong(uint32_t i) {
  return asz_bench_items_expected(i) != ASZ_VERDICT_PASS;
}

static int fill_sig(struct asz_verifier *verifier, struct asz_batch *batch, const struct asz_bench_items *what) {
  for (uint32_t i = 0; i < what->items; i++) {
    uint32_t key = what->keys ? i % what->keys : i;
    uint8_t seed[32] = {0}, secret_key[64];
    memcpy(seed, &key, sizeof key);
    crypto_sign_seed_keypair(batch->public_key[i], secret_key, seed);
    batch->key[i] = what->keys ? key : ASZ_KEY_NONE;
    if (i < what->keys && asz_verify_key_set(verifier, key, batch->public_key[i]) != 0)
      return ASZ_ENOMEM;
    memset(batch->message[i], (int)i, ASZ_SIGNED_BYTES); /* as long as the answers of a real run */
    batch->message_bytes[i] = ASZ_SIGNED_BYTES;
    crypto_sign_detached(batch->signature[i], NULL, batch->message[i], ASZ_SIGNED_BYTES, secret_key);
    if (is_wrong(i))
      batch->signature[i][i % 32] ^= 1; /* R: S next to L would be refused before the work */
  }
  return 0;
}

/* The wrong ones are wrong at the end, which leaves no judge a short cut. */
static void fill_seq(struct asz_batch *batch, const struct asz_bench_items *what) {
  asz_prove_seq(batch->checkpoint[0], batch->seed[0], what->log2_steps);
  for (uint32_t i = 0; i < what->items; i++) {
    memcpy(batch->checkpoint[i], batch->checkpoint[0], sizeof batch->checkpoint[0]);
    memcpy(batch->seed[i], batch->seed[0], 32);
    batch->log2_steps[i] = (uint8_t)what->log2_steps;
    if (is_wrong(i))
      batch->checkpoint[i][ASZ_SEQ_CHECKPOINTS - 1][i % 32] ^= 1;
  }
}

/* The column of A B_1 that is opened; work: 2 k bytes. */
static void make_column(uint8_t *ret_column, const struct asz_gemm_shape *shape, const uint8_t b_key[32], uint8_t *work) {
  uint8_t a_key[32];
  int8_t *a = (int8_t *)work, *b = a + shape->k;
  const struct asz_gemm_backend *backend = asz_gemm_backend_at(0);
  asz_gemm_host_a_key(a_key, shape->preset, beacon);
  backend->matrix(b, b_key, (uint64_t)pick.j * (shape->k / 64), shape->k / 64);
  for (uint32_t i = 0; i < shape->n; i++) {
    int32_t sum = 0;
    backend->matrix(a, a_key, (uint64_t)i * (shape->k / 64), shape->k / 64);
    for (uint32_t k = 0; k < shape->k; k++)
      sum += a[k] * b[k];
    asz_hd_le32_store(ret_column + (size_t)4 * i, (uint32_t)sum);
  }
}

static void make_leaf(uint8_t *ret_hash, enum asz_tree_tag tag, uint32_t a, uint32_t b, uint32_t c, const uint8_t *bytes,
                      size_t size_bytes) {
  uint8_t head[ASZ_TREE_HEAD_BYTES];
  asz_tree_head(head, tag, a, b, c);
  asz_tree_host_leaf(ret_hash, head, bytes, size_bytes);
}

static void make_opening(uint8_t *opening, uint8_t ret_root[32], const struct asz_gemm_shape *shape, uint8_t *work) {
  uint8_t b_key[32], *root = opening + ASZ_GEMM_AT_ROOT, *column = opening + ASZ_GEMM_AT_COLUMN;
  uint8_t *step_path = opening + asz_gemm_at_step_path(shape), *link_path = opening + asz_gemm_at_link_path(shape);
  asz_be32_store(opening + ASZ_GEMM_AT_T, pick.t);
  asz_be32_store(opening + ASZ_GEMM_AT_J, pick.j);
  asz_gemm_host_b_key(b_key, answer_seed, pick.t, opening + ASZ_GEMM_AT_PREVIOUS_ROOT);
  make_column(column, shape, b_key, work);
  make_leaf(root, ASZ_TREE_COLUMN, pick.t, pick.j, shape->n, column, (size_t)4 * shape->n);
  asz_tree_host_climb(root, pick.j, opening + asz_gemm_at_path(shape), shape->log2_m);
  make_leaf(link_path, ASZ_TREE_STEP, pick.t, shape->t, shape->m, root, 32);
  make_leaf(step_path, ASZ_TREE_STEP, pick.t - 1, shape->t, shape->m, opening + ASZ_GEMM_AT_PREVIOUS_ROOT, 32);
  memcpy(ret_root, link_path, 32);
  asz_tree_host_climb(ret_root, pick.t, step_path, shape->log2_t);
}

/* The fold of the column, by the same words as the verifier's, and a path that leads anywhere. */
static void add_fold(uint8_t *opening, uint8_t ret_z_root[32], const struct asz_gemm_shape *shape) {
  uint32_t group = pick.j / ASZ_GEMM_FOLD_COLUMNS;
  uint64_t z = asz_mem_fold(shape, asz_chacha20_key_load(fold_seed), opening + ASZ_GEMM_AT_COLUMN);
  uint8_t *all = opening + asz_mem_at_z(shape);
  uint8_t *mine = all + (size_t)8 * (pick.j % ASZ_GEMM_FOLD_COLUMNS);
  asz_hd_le32_store(mine, (uint32_t)z);
  asz_hd_le32_store(mine + 4, (uint32_t)(z >> 32));
  make_leaf(ret_z_root, ASZ_TREE_FOLD, pick.t, group, ASZ_GEMM_FOLD_COLUMNS, all, ASZ_MEM_GROUP_BYTES);
  asz_tree_host_climb(ret_z_root, pick.t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + group, opening + asz_mem_at_z_path(shape),
                      asz_mem_log2_groups(shape));
}

static int fill_openings(struct asz_verifier *verifier, struct asz_batch *batch, const struct asz_bench_items *what) {
  struct asz_gemm_shape shape = asz_gemm_shape_of(what->preset);
  bool is_fold = what->kind == ASZ_KIND_MEM;
  uint8_t *work = malloc((size_t)2 * shape.k);
  if (!work || asz_verify_slot_set(verifier, 0, what->preset, beacon, rho) != 0) {
    free(work);
    return ASZ_ENOMEM;
  }
  batch->slot = 0;
  batch->opening_bytes = is_fold ? asz_mem_opening_bytes(&shape) : asz_gemm_opening_bytes(&shape);
  memset(batch->opening, 0, batch->opening_bytes);
  make_opening(batch->opening, batch->root[0], &shape, work);
  if (is_fold)
    add_fold(batch->opening, batch->z_root[0], &shape);
  free(work);
  for (uint32_t i = 0; i < what->items; i++) {
    uint8_t *opening = batch->opening + i * batch->opening_bytes;
    if (i > 0) {
      memcpy(opening, batch->opening, batch->opening_bytes);
      memcpy(batch->root[i], batch->root[0], 32);
      if (is_fold)
        memcpy(batch->z_root[i], batch->z_root[0], 32);
    }
    memcpy(batch->seed[i], answer_seed, 32);
    if (is_fold)
      memcpy(batch->fold_seed[i], fold_seed, 32);
    memcpy(batch->pick[i], &pick, sizeof pick);
    if (is_wrong(i))
      opening[batch->opening_bytes - 1] ^= 1; /* the end of the last path */
  }
  return 0;
}

int asz_bench_items_fill(struct asz_verifier *verifier, struct asz_batch *batch, const struct asz_bench_items *what) {
  batch->count = what->items;
  if (what->kind == ASZ_KIND_SIG)
    return fill_sig(verifier, batch, what);
  if (what->kind != ASZ_KIND_SEQ)
    return fill_openings(verifier, batch, what);
  fill_seq(batch, what);
  return 0;
}

void asz_bench_items_copy(struct asz_batch *to, struct asz_batch *from) {
  const struct asz_verify_kind *kind = asz_verify_kind_of(from->kind);
  to->slot = from->slot;
  to->opening_bytes = from->opening_bytes;
  to->count = from->count;
  for (unsigned c = 0; c < kind->column_count; c++) {
    bool openings = kind->column[c].pointer_at == offsetof(struct asz_batch, opening);
    size_t item_bytes = openings ? from->opening_bytes : kind->column[c].item_bytes;
    memcpy(*asz_column_data(&kind->column[c], to), *asz_column_data(&kind->column[c], from), item_bytes * from->count);
  }
}
