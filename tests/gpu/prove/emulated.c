/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/gpu/prove/emulated.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu/prove/mma.h"

enum asz_emulated_fault asz_emulated_fault;
int asz_emulated_open_devices;

struct emulated {
  struct asz_gemm_shape shape;
  int32_t *c;
  uint16_t *arena; /* NULL without one */
  uint64_t (*leaf)[4], (*group_hash)[4], (*scratch)[4], *z;
  struct asz_tile_weight *weight;
};

static void *memory_of(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  cr_assert_not_null(memory);
  return memory;
}

/* Nothing may rest on what was there. */
static uint8_t *packed_of(size_t bytes) {
  uint8_t *packed = memory_of(bytes);
  memset(packed, 0x55, bytes);
  return packed;
}

uint8_t *asz_emulated_a(const uint8_t key[32], uint32_t n, uint32_t k) {
  const uint32_t blocks = k / ASZ_TILE_SLAB;
  const size_t bytes = asz_tile_bytes(n, ASZ_TILE_ROWS, k);
  uint8_t *packed = packed_of(bytes);
  for (uint32_t i = 0; i < bytes / ASZ_TILE_SLAB; i++)
    asz_tile_fill_a(packed, asz_chacha20_key_load(key), i / blocks, i % blocks, blocks, i / blocks >= n);
  return packed;
}

uint8_t *asz_emulated_b(const uint8_t key[32], uint32_t first, uint32_t count, uint32_t k) {
  const uint32_t blocks = k / ASZ_TILE_SLAB;
  const size_t bytes = asz_tile_bytes(count, ASZ_TILE_COLUMNS, k);
  uint8_t *packed = packed_of(bytes);
  for (uint32_t i = 0; i < bytes / ASZ_TILE_SLAB; i++)
    asz_tile_fill_b(packed, asz_chacha20_key_load(key), first, i / blocks, i % blocks, blocks, i / blocks >= count);
  return packed;
}

static void multiply(int32_t sum[ASZ_TILE_LANES][ASZ_TILE_SUMS], const uint8_t *slab_a, const uint8_t *slab_b, uint32_t row,
                     uint32_t column) {
  for (uint32_t half = 0; half < 2; half++) {
    struct asz_tile_operands in[ASZ_TILE_LANES];
    for (unsigned lane = 0; lane < ASZ_TILE_LANES; lane++)
      in[lane] = asz_tile_operands_of(asz_tile_load_a(slab_a, row, half, lane), asz_tile_load_b(slab_b, column, lane), half);
    for (unsigned lane = 0; lane < ASZ_TILE_LANES; lane++)
      asz_test_mma_lane(sum[lane], in, lane);
  }
}

/* 16 rows and 8 columns of C at this place of a tile. */
static void make_part(const struct asz_tile_c *to, const uint8_t *a, const uint8_t *b, uint32_t blocks, uint32_t row,
                      uint32_t column) {
  int32_t sum[ASZ_TILE_LANES][ASZ_TILE_SUMS] = {{0}};
  for (uint32_t block = 0; block < blocks; block++)
    multiply(sum, a + asz_tile_at(row / ASZ_TILE_ROWS * ASZ_TILE_ROWS, ASZ_TILE_ROWS, block, blocks),
             b + asz_tile_at(column / ASZ_TILE_COLUMNS * ASZ_TILE_COLUMNS, ASZ_TILE_COLUMNS, block, blocks), row % ASZ_TILE_ROWS,
             column % ASZ_TILE_COLUMNS);
  for (unsigned lane = 0; lane < ASZ_TILE_LANES; lane++)
    for (unsigned i = 0; i < ASZ_TILE_SUMS; i++)
      asz_tile_store(to, row + asz_tile_sum_row(lane, i), column + asz_tile_sum_column(lane, i), sum[lane][i]);
}

void asz_emulated_product(const struct asz_tile_c *to, const uint8_t *a, const uint8_t *b, uint32_t k) {
  for (uint32_t tile_row = 0; tile_row < to->n; tile_row += ASZ_TILE_ROWS)
    for (uint32_t tile_column = 0; tile_column < to->columns; tile_column += ASZ_TILE_COLUMNS)
      for (uint32_t warp = 0; warp < ASZ_TILE_WARPS; warp++)
        for (uint32_t part = 0; part < ASZ_TILE_DOWN * ASZ_TILE_ACROSS; part++) {
          uint32_t row = tile_row + asz_tile_warp_row(warp) + part % ASZ_TILE_DOWN * 16;
          uint32_t column = tile_column + asz_tile_warp_column(warp) + part / ASZ_TILE_DOWN * 8;
          if (row < to->n && column < to->columns) /* the rest would be made and left out */
            make_part(to, a, b, k / ASZ_TILE_SLAB, row, column);
        }
}

static void fold_up(const struct emulated *state, uint64_t ret_root[4], const uint64_t (*hash)[4], uint32_t count) {
  memcpy(state->scratch, hash, sizeof *hash * count);
  for (; count > 1; count /= 2)
    for (uint32_t i = 0; i < count / 2; i++)
      asz_gemm_hash_node(state->scratch[i], state->scratch[2 * i], state->scratch[2 * i + 1]);
  memcpy(ret_root, state->scratch[0], 32);
}

static int failing(enum asz_emulated_fault function, struct asz_diag *diag) {
  return asz_emulated_fault == function ? asz_diag_set(diag, ASZ_EDEVICE, "function %d fails", function) : 0;
}

static int run(void *opaque, const uint8_t a_key[32], const uint8_t seed[32], uint8_t (*ret_step_root)[32],
               struct asz_diag *diag) {
  struct emulated *state = opaque;
  const struct asz_gemm_shape *shape = &state->shape;
  uint8_t *a = asz_emulated_a(a_key, shape->n, shape->k), b_key[32];
  static const uint8_t zeros[32];
  for (uint32_t t = 0; t < shape->t; t++) {
    const size_t at = (size_t)t * shape->m;
    asz_gemm_b_key(b_key, seed, t, t == 0 ? zeros : ret_step_root[t - 1]);
    uint8_t *b = asz_emulated_b(b_key, 0, shape->m, shape->k);
    const struct asz_tile_c to = {
        .c = state->c, .arena = state->arena ? state->arena + at * shape->n : NULL, .n = shape->n, .columns = shape->m};
    asz_emulated_product(&to, a, b, shape->k);
    state->c[7] += asz_emulated_fault == ASZ_EMULATED_WRONG_SUM;
    for (uint32_t j = 0; j < shape->m; j++)
      asz_tile_leaf(state->leaf[at + j], state->c + (size_t)j * shape->n, shape->n, t, j);
    uint64_t root[4];
    fold_up(state, root, (const uint64_t(*)[4])state->leaf + at, shape->m);
    memcpy(ret_step_root[t], root, 32);
    free(b);
  }
  free(a);
  return failing(ASZ_EMULATED_RUN, diag);
}

static int leaves(void *opaque, uint8_t (*ret_leaf)[32], struct asz_diag *diag) {
  struct emulated *state = opaque;
  memcpy(ret_leaf, state->leaf, (size_t)32 * state->shape.t * state->shape.m);
  return failing(ASZ_EMULATED_LEAVES, diag);
}

static int fold(void *opaque, const uint8_t fold_seed[32], uint8_t ret_z_root[32], struct asz_diag *diag) {
  struct emulated *state = opaque;
  const uint32_t n = state->shape.n, columns = state->shape.t * state->shape.m;
  for (uint32_t block = 0; block < n / 8; block++)
    asz_tile_weights(state->weight, asz_chacha20_key_load(fold_seed), block);
  for (uint32_t j = 0; j < columns; j++) {
    struct asz_tile_fold sum = {0, 0};
    for (uint32_t row = 0; row < n; row += ASZ_TILE_FOLD_ROWS)
      asz_tile_fold_rows(&sum, asz_gemm_four_load((const uint32_t *)(state->arena + (size_t)j * n + row)), state->weight + row);
    state->z[j] = asz_mem_join(sum.low, sum.high);
  }
  for (uint32_t group = 0; group < columns / ASZ_GEMM_FOLD_COLUMNS; group++)
    asz_tile_fold_leaf(state->group_hash[group], &state->shape, state->z, group);
  uint64_t root[4];
  fold_up(state, root, (const uint64_t(*)[4])state->group_hash, columns / ASZ_GEMM_FOLD_COLUMNS);
  memcpy(ret_z_root, root, 32);
  return failing(ASZ_EMULATED_FOLD, diag);
}

static int sums(void *opaque, uint64_t *ret_z, uint8_t (*ret_group_hash)[32], struct asz_diag *diag) {
  struct emulated *state = opaque;
  const uint32_t columns = state->shape.t * state->shape.m;
  memcpy(ret_z, state->z, sizeof *ret_z * columns);
  memcpy(ret_group_hash, state->group_hash, (size_t)32 * columns / ASZ_GEMM_FOLD_COLUMNS);
  return failing(ASZ_EMULATED_SUMS, diag);
}

static void release(void *opaque) {
  struct emulated *state = opaque;
  free(state->c);
  free(state->arena);
  free(state->leaf);
  free(state->scratch);
  free(state->group_hash);
  free(state->z);
  free(state->weight);
  free(state);
  asz_emulated_open_devices--;
}

int asz_emulated_open(struct asz_prove_device *ret_device, uint32_t preset, bool with_arena, struct asz_diag *diag) {
  static const struct asz_prove_device_ops ops = {run, leaves, fold, sums, release};
  if (asz_emulated_fault == ASZ_EMULATED_NO_MEMORY)
    return asz_diag_set(diag, ASZ_ENOMEM, "too little memory");
  struct emulated *state = calloc(1, sizeof *state);
  cr_assert_not_null(state);
  state->shape = asz_gemm_shape_of(preset);
  const size_t columns = (size_t)state->shape.t * state->shape.m;
  state->c = memory_of(sizeof *state->c * state->shape.m * state->shape.n);
  state->leaf = memory_of(sizeof *state->leaf * columns);
  state->scratch = memory_of(sizeof *state->scratch * columns);
  state->group_hash = memory_of(sizeof *state->group_hash * columns / ASZ_GEMM_FOLD_COLUMNS);
  state->z = memory_of(sizeof *state->z * columns);
  state->weight = memory_of(sizeof *state->weight * state->shape.n);
  if (with_arena)
    state->arena = memory_of(sizeof *state->arena * columns * state->shape.n);
  *ret_device = (struct asz_prove_device){.ops = &ops, .state = state};
  asz_emulated_open_devices++;
  return 0;
}
