/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/prove/cheat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/draw.h"
#include "gpu/tree.h"

/* What a draw is for. */
enum { DRAW_COLUMN = 1, DRAW_GARBAGE, DRAW_ENTRY };

struct asz_cheat {
  struct asz_gemm_shape shape;
  const struct asz_gemm_backend *backend;
  enum asz_gemm_cheat mode;
  uint32_t wrong;
  uint64_t draw;
  int8_t *a, *b; /* n rows, m columns of k */
  void *a_packed;
  int32_t *c;               /* t m columns of n */
  uint32_t *order;          /* t m: a permutation; the first `wrong` are spoilt */
  uint8_t (*leaf)[32];      /* t m */
  uint8_t (*previous)[32];  /* t: the root that a step's B was made from */
  uint8_t (*step_root)[32]; /* t */
  uint64_t *z;              /* t m */
  uint8_t (*group)[32];     /* hashes of z leaves */
  uint8_t (*scratch)[32];   /* t m */
};

static size_t columns_of(const struct asz_cheat *cheat) {
  return (size_t)cheat->shape.t * cheat->shape.m;
}

static void *take(size_t bytes) {
  return aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES);
}

int asz_cheat_new(struct asz_cheat **ret_cheat, uint32_t preset, const struct asz_gemm_backend *backend) {
  struct asz_gemm_shape shape = asz_gemm_shape_of(preset);
  if (shape.preset == 0)
    return ASZ_EINVAL;
  struct asz_cheat *cheat = calloc(1, sizeof *cheat);
  if (cheat == NULL)
    return ASZ_ENOMEM;
  cheat->shape = shape;
  cheat->backend = backend;
  size_t columns = columns_of(cheat);
  cheat->a = take((size_t)shape.n * shape.k);
  cheat->a_packed = take((size_t)shape.n * shape.k);
  cheat->b = take((size_t)shape.m * shape.k);
  cheat->c = take(columns * shape.n * 4);
  cheat->order = take(columns * 4);
  cheat->leaf = take(columns * 32);
  cheat->previous = take((size_t)shape.t * 32);
  cheat->step_root = take((size_t)shape.t * 32);
  cheat->z = take(columns * 8);
  cheat->group = take(columns / ASZ_GEMM_FOLD_COLUMNS * 32);
  cheat->scratch = take(columns * 32);
  if (!cheat->a || !cheat->a_packed || !cheat->b || !cheat->c || !cheat->order || !cheat->leaf || !cheat->previous ||
      !cheat->step_root || !cheat->z || !cheat->group || !cheat->scratch) {
    asz_cheat_free(cheat);
    return ASZ_ENOMEM;
  }
  *ret_cheat = cheat;
  return ASZ_OK;
}

void asz_cheat_free(struct asz_cheat *cheat) {
  if (cheat == NULL)
    return;
  free(cheat->a);
  free(cheat->a_packed);
  free(cheat->b);
  free(cheat->c);
  free(cheat->order);
  free(cheat->leaf);
  free(cheat->previous);
  free(cheat->step_root);
  free(cheat->z);
  free(cheat->group);
  free(cheat->scratch);
  free(cheat);
}

/* Four bits, as a multiple of 16: what a device with twice the rate at half the width would compute with. */
static void round_to_int4(int8_t *entries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int rounded = (entries[i] + 128 + 8) / 16 * 16 - 128;
    entries[i] = (int8_t)(rounded > 112 ? 112 : rounded);
  }
}

static void make_a(struct asz_cheat *cheat, const uint8_t beacon[32]) {
  uint32_t n = cheat->shape.n, k = cheat->shape.k;
  uint8_t key[32];
  asz_gemm_host_a_key(key, cheat->shape.preset, beacon);
  cheat->backend->matrix(cheat->a, key, 0, (size_t)n * k / 64);
  if (cheat->mode == ASZ_GEMM_CHEAT_INT4)
    round_to_int4(cheat->a, (size_t)n * k);
  for (uint32_t i = 0; i < n; i++)
    cheat->backend->a_pack(cheat->a_packed, cheat->a + (size_t)i * k, i, n, k);
}

/* The columns to spoil: the head of a permutation (Fisher and Yates). */
static void choose_columns(struct asz_cheat *cheat) {
  uint32_t columns = (uint32_t)columns_of(cheat);
  for (uint32_t i = 0; i < columns; i++)
    cheat->order[i] = i;
  for (uint32_t i = 0; i < cheat->wrong; i++) {
    uint32_t other = i + (uint32_t)asz_draw_below(asz_draw(cheat->draw, 0, i, DRAW_COLUMN), columns - i), kept = cheat->order[i];
    cheat->order[i] = cheat->order[other];
    cheat->order[other] = kept;
  }
}

static void garbage(const struct asz_cheat *cheat, uint32_t index, int32_t *column) {
  uint32_t limit = cheat->shape.k * 127 * 127;
  for (uint32_t i = 0; i < cheat->shape.n; i++)
    column[i] = (int32_t)asz_draw_below(asz_draw(cheat->draw, index, i, DRAW_GARBAGE), 2 * (uint64_t)limit + 1) - (int32_t)limit;
}

/* Spoils the chosen columns of a step. */
static void spoil_columns(struct asz_cheat *cheat, uint32_t t) {
  uint32_t n = cheat->shape.n, m = cheat->shape.m;
  for (uint32_t i = 0; i < cheat->wrong; i++) {
    uint32_t index = cheat->order[i];
    int32_t *column = cheat->c + (size_t)index * n;
    int32_t *entry = column + asz_draw_below(asz_draw(cheat->draw, 0, index, DRAW_ENTRY), n);
    if (index / m != t)
      continue;
    if (cheat->mode == ASZ_GEMM_CHEAT_LAZY)
      garbage(cheat, index, column);
    if (cheat->mode == ASZ_GEMM_CHEAT_ONE_ENTRY)
      *entry += *entry < 0 ? 1 : -1;
    if (cheat->mode == ASZ_GEMM_CHEAT_ALIAS)
      *entry += *entry < 0 ? ASZ_GEMM_PRIME : -ASZ_GEMM_PRIME;
  }
}

/* Were A[i+1][k] = A[i][k+1] and B[k][j+1] = B[k+1][j], then C[i+1][j] = C[i][j+1] but for what enters and leaves at the ends. */
static void follow_recurrence(struct asz_cheat *cheat, uint32_t t) {
  uint32_t n = cheat->shape.n, m = cheat->shape.m, k = cheat->shape.k;
  int32_t *c = cheat->c + (size_t)t * m * n;
  for (uint32_t i = 0; i + 1 < n; i++)
    for (uint32_t j = 0; j + 1 < m; j++) {
      int enters = cheat->a[(size_t)(i + 1) * k + k - 1] * cheat->b[(size_t)j * k + k - 1];
      int leaves = cheat->a[(size_t)i * k] * cheat->b[(size_t)(j + 1) * k];
      c[(size_t)j * n + i + 1] = c[(size_t)(j + 1) * n + i] + enters - leaves;
    }
}

static void make_columns(struct asz_cheat *cheat, uint32_t t, const uint8_t seed[32]) {
  uint32_t n = cheat->shape.n, m = cheat->shape.m, k = cheat->shape.k;
  int32_t *c = cheat->c + (size_t)t * m * n;
  uint8_t key[32];
  asz_gemm_host_b_key(key, seed, t, cheat->previous[t]);
  cheat->backend->matrix(cheat->b, key, 0, (size_t)m * k / 64);
  if (cheat->mode == ASZ_GEMM_CHEAT_INT4)
    round_to_int4(cheat->b, (size_t)m * k);
  cheat->backend->multiply(c, cheat->a_packed, cheat->b, n, k, m);
  if (cheat->mode == ASZ_GEMM_CHEAT_LOW_RANK)
    for (uint32_t j = cheat->wrong; j < m; j++)
      memcpy(c + (size_t)j * n, c + (size_t)(j % cheat->wrong) * n, (size_t)4 * n);
  else if (cheat->mode == ASZ_GEMM_CHEAT_RECURRENCE)
    follow_recurrence(cheat, t);
  else
    spoil_columns(cheat, t);
}

static void commit_step(struct asz_cheat *cheat, uint32_t t) {
  uint32_t n = cheat->shape.n, m = cheat->shape.m;
  for (uint32_t j = 0; j < m; j++) {
    size_t index = (size_t)t * m + j;
    uint8_t head[ASZ_TREE_HEAD_BYTES];
    asz_tree_head(head, ASZ_TREE_COLUMN, t, j, n);
    asz_tree_host_leaf(cheat->leaf[index], head, (const uint8_t *)(cheat->c + index * n), (size_t)4 * n);
  }
  memcpy(cheat->scratch, cheat->leaf + (size_t)t * m, (size_t)m * 32);
  asz_tree_host_root(cheat->step_root[t], NULL, cheat->scratch, m, 0);
}

static void fold_steps(struct asz_cheat *cheat, uint32_t t, uint8_t ret_root[32], uint8_t *ret_path) {
  for (uint32_t i = 0; i < cheat->shape.t; i++) {
    uint8_t head[ASZ_TREE_HEAD_BYTES];
    asz_tree_head(head, ASZ_TREE_STEP, i, cheat->shape.t, cheat->shape.m);
    asz_tree_host_leaf(cheat->scratch[i], head, cheat->step_root[i], 32);
  }
  asz_tree_host_root(ret_root, ret_path, cheat->scratch, cheat->shape.t, t);
}

void asz_cheat_run(struct asz_cheat *cheat, enum asz_gemm_cheat mode, uint32_t wrong, uint64_t draw, const uint8_t beacon[32],
                   const uint8_t seed[32], uint8_t ret_root[32]) {
  assert(wrong <= columns_of(cheat) && (mode != ASZ_GEMM_CHEAT_LOW_RANK || (wrong > 0 && wrong <= cheat->shape.m)));
  cheat->mode = mode;
  cheat->wrong = wrong;
  cheat->draw = draw;
  make_a(cheat, beacon);
  choose_columns(cheat);
  for (uint32_t t = 0; t < cheat->shape.t; t++) {
    memset(cheat->previous[t], t == 0 ? 0 : (int)t, 32);
    if (t > 0 && mode != ASZ_GEMM_CHEAT_FORGED_LINK)
      memcpy(cheat->previous[t], cheat->step_root[t - 1], 32);
    make_columns(cheat, t, seed);
    commit_step(cheat, t);
  }
  fold_steps(cheat, 0, ret_root, NULL);
}

static uint64_t fold_column(const uint64_t *weights, const int32_t *column, uint32_t n) {
  uint64_t low = 0, high = 0;
  for (uint32_t i = 0; i < n; i++) {
    low += weights[i] * (uint16_t)column[i];
    high += weights[n + i] * (uint16_t)column[i];
  }
  return asz_mem_join(low, high);
}

void asz_cheat_fold(struct asz_cheat *cheat, const uint8_t fold_seed[32], uint8_t ret_z_root[32]) {
  const struct asz_gemm_shape *shape = &cheat->shape;
  uint64_t weights[2 * 1024];
  int32_t lost[1024];
  uint32_t columns = (uint32_t)columns_of(cheat), groups = columns / ASZ_GEMM_FOLD_COLUMNS;
  uint32_t groups_a_step = shape->m / ASZ_GEMM_FOLD_COLUMNS;
  uint8_t stale[32];
  assert(shape->n <= 1024);
  memset(stale, 0x55, sizeof stale);
  asz_mem_host_weights(weights, shape, cheat->mode == ASZ_GEMM_CHEAT_STALE_FOLD ? stale : fold_seed);
  for (uint32_t i = 0; i < columns; i++)
    cheat->z[i] = fold_column(weights, cheat->c + (size_t)i * shape->n, shape->n);
  for (uint32_t i = 0; cheat->mode == ASZ_GEMM_CHEAT_MISSING_ARENA && i < cheat->wrong; i++) {
    garbage(cheat, cheat->order[i], lost);
    cheat->z[cheat->order[i]] = fold_column(weights, lost, shape->n);
  }
  for (uint32_t g = 0; g < groups; g++) {
    uint8_t head[ASZ_TREE_HEAD_BYTES];
    asz_tree_head(head, ASZ_TREE_FOLD, g / groups_a_step, g % groups_a_step, ASZ_GEMM_FOLD_COLUMNS);
    asz_tree_host_leaf(cheat->group[g], head, (const uint8_t *)(cheat->z + (size_t)g * ASZ_GEMM_FOLD_COLUMNS),
                       ASZ_MEM_GROUP_BYTES);
  }
  memcpy(cheat->scratch, cheat->group, (size_t)groups * 32);
  asz_tree_host_root(ret_z_root, NULL, cheat->scratch, groups, 0);
}

void asz_cheat_open(struct asz_cheat *cheat, struct asz_gemm_pick pick, bool is_fold, uint8_t *ret_opening) {
  const struct asz_gemm_shape *shape = &cheat->shape;
  size_t index = (size_t)pick.t * shape->m + pick.j;
  uint32_t group = (uint32_t)(index / ASZ_GEMM_FOLD_COLUMNS);
  uint8_t root[32], *link = ret_opening + asz_gemm_at_link_path(shape);
  asz_be32_store(ret_opening + ASZ_GEMM_AT_T, pick.t);
  asz_be32_store(ret_opening + ASZ_GEMM_AT_J, pick.j);
  memcpy(ret_opening + ASZ_GEMM_AT_PREVIOUS_ROOT, cheat->previous[pick.t], 32);
  memcpy(ret_opening + ASZ_GEMM_AT_ROOT, cheat->step_root[pick.t], 32);
  memcpy(ret_opening + ASZ_GEMM_AT_COLUMN, cheat->c + index * shape->n, (size_t)4 * shape->n);
  memcpy(cheat->scratch, cheat->leaf + (size_t)pick.t * shape->m, (size_t)shape->m * 32);
  asz_tree_host_root(root, ret_opening + asz_gemm_at_path(shape), cheat->scratch, shape->m, pick.j);
  fold_steps(cheat, pick.t, root, ret_opening + asz_gemm_at_step_path(shape));
  if (pick.t > 0)
    fold_steps(cheat, pick.t - 1, root, link);
  else
    memset(link, 0, (size_t)shape->log2_t * ASZ_TREE_HASH_BYTES);
  if (!is_fold)
    return;
  memcpy(ret_opening + asz_mem_at_z(shape), cheat->z + (size_t)group * ASZ_GEMM_FOLD_COLUMNS, ASZ_MEM_GROUP_BYTES);
  uint32_t groups = (uint32_t)(columns_of(cheat) / ASZ_GEMM_FOLD_COLUMNS);
  memcpy(cheat->scratch, cheat->group, (size_t)groups * 32);
  asz_tree_host_root(root, ret_opening + asz_mem_at_z_path(shape), cheat->scratch, groups, group);
}

/* One equation mod p in five unknowns: a sorted table of all values of two of them, then a search among those of the other three
 * until the rest is in it. With 15,625 values in the table one in 137,000 hits. */
enum { TABLE_UNKNOWNS = 2, UNKNOWNS = 5 };

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* The number-th choice of upper halves for entries from..to-1, each -bound..bound, and what they add to <s, c>. */
static uint32_t choose(int32_t *half, const uint32_t *s, uint64_t number, int32_t bound, int from, int to) {
  uint32_t sum = 0;
  for (int i = from; i < to; i++, number /= (uint32_t)(2 * bound + 1)) {
    half[i] = (int32_t)(number % (uint32_t)(2 * bound + 1)) - bound;
    sum = asz_gemm_residue((uint64_t)sum + asz_gemm_residue_signed((int64_t)s[i] * half[i] * 65536));
  }
  return sum;
}

bool asz_cheat_upper_halves(int32_t *column, const struct asz_gemm_shape *shape, const uint32_t *s, uint32_t u_dot_b) {
  int32_t bound = (int32_t)(shape->k * 127 * 127 / 65536) - 1, half[UNKNOWNS];
  bound = bound > 62 ? 62 : bound; /* more would only make the table larger */
  uint64_t values = (uint64_t)(2 * bound + 1), table_count = values * values, others = values * values * values, found = 0;
  uint64_t *table = malloc(table_count * sizeof *table);
  if (table == NULL)
    return false;
  for (uint32_t i = 0; i < shape->n; i++)
    column[i] = (uint16_t)column[i];
  uint32_t missing = asz_gemm_residue((uint64_t)u_dot_b + ASZ_GEMM_PRIME - asz_gemm_s_dot_c(shape, s, (const uint8_t *)column));
  for (uint64_t i = 0; i < table_count; i++)
    table[i] = (uint64_t)choose(half, s, i, bound, 0, TABLE_UNKNOWNS) << 32 | i;
  qsort(table, table_count, sizeof *table, ascending);
  for (uint64_t i = 0; i < others && found == 0; i++) {
    uint32_t rest = asz_gemm_residue((uint64_t)missing + ASZ_GEMM_PRIME - choose(half, s, i, bound, TABLE_UNKNOWNS, UNKNOWNS));
    uint64_t low = 0, high = table_count; /* the first entry that is at least rest */
    while (low < high) {
      uint64_t middle = (low + high) / 2;
      if (table[middle] >> 32 < rest)
        low = middle + 1;
      else
        high = middle;
    }
    found = low < table_count && table[low] >> 32 == rest;
    if (found)
      choose(half, s, table[low] & UINT32_MAX, bound, 0, TABLE_UNKNOWNS);
  }
  for (int i = 0; found && i < UNKNOWNS; i++)
    column[i] += half[i] * 65536;
  free(table);
  return found != 0;
}
