/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of gpu/simd/sig_private.h: their shapes, their memory, how they are filled.
 *
 * All is one mapping, so that what a key needs is touched when the key is set and not before, and in huge pages where the kernel
 * has them: a table entry is read once and at random, and with small pages each such reading would be two, the other for its
 * page's address. A table is filled group by group in projective coordinates; the divisions by z are collected over as many
 * points as the scratch takes and cost one inversion. */
#include <assert.h>
#include <sys/mman.h>

#include "gpu/kinds/sig.h"
#include "gpu/simd/ge51.h"
#include "gpu/simd/sig_private.h"

enum {
  CAPACITY_MAX = 1 << 24,
  SCRATCH_POINTS = 1024, /* B's groups are that large; more gains nothing: an inversion is then less than a product a point */
  ALIGN_BYTES = 4096,
};

const struct asz_sig_point asz_sig_neutral = {{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}};

/* The shapes worth having, by size: each is faster than all before it. digits: the least that hold every scalar below L. */
static const struct shape {
  uint8_t bits, spacing, digits;
} shapes[] = {
    {4, 4, 64}, /*  12 KB: 64 additions of A, 12 doublings */
    {5, 4, 51}, /*  20 KB: 51, 15 */
    {5, 3, 51}, /*  26 KB: 51, 10 */
    {5, 2, 51}, /*  40 KB: 51, 5 */
    {6, 2, 43}, /*  68 KB: 43, 6 */
    {7, 2, 37}, /* 117 KB: 37, 7 */
    {8, 2, 32}, /* 197 KB: 32, 8 */
    {8, 1, 32}, /* 393 KB: 32, 0 */
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
static const struct shape base_shape = {11, 1, ASZ_SIG_B_DIGITS};

static struct asz_sig_comb comb_of(struct shape shape) {
  struct asz_sig_comb comb = {.bits = shape.bits, .spacing = shape.spacing, .digits = shape.digits};
  comb.groups = (uint8_t)((shape.digits + shape.spacing - 1) / shape.spacing);
  comb.entries = (uint16_t)(1 << (shape.bits - 1));
  for (unsigned i = 0; i + 1 < shape.digits; i++) {
    unsigned bit = (i + 1) * shape.bits - 1;
    comb.bias[bit / 64] |= UINT64_C(1) << bit % 64;
  }
  return comb;
}

static size_t comb_points(const struct asz_sig_comb *comb) {
  return (size_t)comb->groups * comb->entries;
}

/* False when even the smallest does not fit. */
static bool choose(struct asz_sig_comb *ret_comb, size_t table_bytes_max) {
  for (unsigned i = SHAPES; i-- > 0;) {
    *ret_comb = comb_of(shapes[i]);
    if (comb_points(ret_comb) * sizeof(struct asz_sig_point) <= table_bytes_max)
      return true;
  }
  return false;
}

size_t asz_sig_keys_table_bytes(size_t table_bytes_max) {
  struct asz_sig_comb comb;
  return choose(&comb, table_bytes_max) ? comb_points(&comb) * sizeof(struct asz_sig_point) : 0;
}

static size_t aligned(size_t bytes) {
  return (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
}

/* Points on their way into a table. */
struct scratch {
  unsigned count;               /* 0 between two tables */
  struct asz_sig_point *target; /* of the first; the others follow */
  struct asz_ge51 point[SCRATCH_POINTS];
  struct asz_fe51 product[SCRATCH_POINTS]; /* z(0) .. z(i) multiplied */
};

/* The parts of the mapping, in order. */
struct layout {
  size_t scratch_at, base_at, table_at, public_key_at, state_at, end;
};

static struct layout layout_of(const struct asz_sig_comb *a, const struct asz_sig_comb *b, uint32_t capacity) {
  struct layout layout;
  layout.scratch_at = aligned(sizeof(struct asz_sig_keys));
  layout.base_at = layout.scratch_at + aligned(sizeof(struct scratch));
  layout.table_at = layout.base_at + aligned(comb_points(b) * sizeof(struct asz_sig_point));
  layout.public_key_at = layout.table_at + aligned(comb_points(a) * sizeof(struct asz_sig_point) * capacity);
  layout.state_at = layout.public_key_at + aligned((size_t)32 * capacity);
  layout.end = layout.state_at + aligned(capacity);
  return layout;
}

size_t asz_sig_keys_footprint(uint32_t capacity, size_t table_bytes_max) {
  struct asz_sig_comb a, b = comb_of(base_shape);
  if (capacity == 0 || capacity > CAPACITY_MAX || !choose(&a, table_bytes_max))
    return 0;
  return layout_of(&a, &b, capacity).end;
}

static const struct asz_fe51 d2 = {
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}}; /* 2d, asz_fe_2d() */

static void flush(struct scratch *scratch) {
  if (scratch->count == 0)
    return;
  struct asz_fe51 inverse = asz_fe51_invert(scratch->product[scratch->count - 1]);
  for (unsigned i = scratch->count; i-- > 0;) {
    const struct asz_ge51 *point = &scratch->point[i];
    struct asz_fe51 z_inverse = i ? asz_fe51_mul(inverse, scratch->product[i - 1]) : inverse;
    inverse = asz_fe51_mul(inverse, point->z);
    struct asz_fe51 x = asz_fe51_mul(point->x, z_inverse), y = asz_fe51_mul(point->y, z_inverse);
    struct asz_sig_point *target = &scratch->target[i];
    asz_fe51_pack(target->y_plus_x, asz_fe51_add(y, x));
    asz_fe51_pack(target->y_minus_x, asz_fe51_sub(y, x));
    asz_fe51_pack(target->t2d, asz_fe51_mul(asz_fe51_mul(x, y), d2));
  }
  scratch->target += scratch->count;
  scratch->count = 0;
}

static void push(struct scratch *scratch, const struct asz_ge51 *point) {
  if (scratch->count == SCRATCH_POINTS)
    flush(scratch);
  unsigned i = scratch->count++;
  scratch->point[i] = *point;
  scratch->product[i] = i ? asz_fe51_mul(scratch->product[i - 1], point->z) : point->z;
}

/* All multiples of p that the comb needs. */
static void fill(struct asz_sig_point *ret_table, const struct asz_sig_comb *comb, struct asz_ge51 p, struct scratch *scratch) {
  scratch->target = ret_table;
  for (unsigned group = 0; group < comb->groups; group++) {
    struct asz_ge51_affine step = {asz_fe51_add(p.y, p.x), asz_fe51_sub(p.y, p.x), asz_fe51_mul(p.t, d2)};
    struct asz_fe51 z2 = asz_fe51_add(p.z, p.z);
    struct asz_ge51 multiple = p;
    push(scratch, &multiple);
    for (unsigned i = 2; i <= comb->entries; i++) {
      multiple = i == 2 ? asz_ge51_double(p) : asz_ge51_add(multiple, step, asz_fe51_mul(multiple.z, z2));
      push(scratch, &multiple);
    }
    p = multiple; /* 2^(w-1) times what it was */
    for (int i = 0; i < comb->bits * comb->spacing - comb->bits + 1; i++)
      p = asz_ge51_double(p);
  }
  flush(scratch);
}

static struct asz_fe51 widen(struct asz_fe a) {
  a = asz_fe_canonical(a);
  uint64_t words[4];
  for (int i = 0; i < 4; i++)
    words[i] = (uint64_t)a.v[2 * i + 1] << 32 | a.v[2 * i];
  return asz_fe51_unpack(words);
}

static bool decode(struct asz_ge51 *ret_point, const uint8_t encoded[32]) {
  struct asz_ge point;
  if (!asz_ge_decode(&point, encoded))
    return false;
  *ret_point = (struct asz_ge51){widen(point.x), widen(point.y), widen(point.z), widen(point.t)};
  return true;
}

int asz_sig_keys_new(struct asz_sig_keys **ret_keys, uint32_t capacity, size_t table_bytes_max) {
  size_t bytes = asz_sig_keys_footprint(capacity, table_bytes_max);
  if (bytes == 0)
    return ASZ_EINVAL;
  uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return ASZ_ENOMEM;
  (void)madvise(memory, bytes, MADV_HUGEPAGE); /* as good as the kernel has it: speed only */

  struct asz_sig_keys *keys = (struct asz_sig_keys *)memory;
  bool fits = choose(&keys->a, table_bytes_max);
  assert(fits);
  keys->b = comb_of(base_shape);
  keys->capacity = capacity;
  keys->points = comb_points(&keys->a);
  keys->mapped_bytes = bytes;
  struct layout layout = layout_of(&keys->a, &keys->b, capacity);
  keys->base = (struct asz_sig_point *)(memory + layout.base_at);
  keys->table = (struct asz_sig_point *)(memory + layout.table_at);
  keys->public_key = (uint8_t(*)[32])(memory + layout.public_key_at);
  keys->state = memory + layout.state_at;
  keys->scratch = (struct scratch *)(memory + layout.scratch_at);

  /* B = (x, 4/5), x even: 0x58, then 31 times 0x66 (RFC 8032, 5.1). */
  uint8_t encoded[32];
  memset(encoded, 0x66, sizeof encoded);
  encoded[0] = 0x58;
  struct asz_ge51 base;
  bool is_point = decode(&base, encoded);
  assert(is_point);
  fill(keys->base, &keys->b, base, keys->scratch);
  *ret_keys = keys;
  return ASZ_OK;
}

void asz_sig_keys_free(struct asz_sig_keys *keys) {
  if (keys)
    munmap(keys, keys->mapped_bytes);
}

int asz_sig_keys_set(struct asz_sig_keys *keys, uint32_t key, const uint8_t public_key[32]) {
  if (key >= keys->capacity)
    return ASZ_ERANGE;
  memcpy(keys->public_key[key], public_key, 32);
  struct asz_ge51 a;
  if (!asz_sig_has_canonical_y(public_key) || asz_sig_has_small_order(public_key) || !decode(&a, public_key)) {
    keys->state[key] = ASZ_SIG_KEY_BAD;
    return ASZ_OK;
  }
  a.x = asz_fe51_sub(asz_fe51_small(0), a.x);
  a.t = asz_fe51_sub(asz_fe51_small(0), a.t);
  a.x = asz_fe51_mul(a.x, asz_fe51_small(1)); /* tight again */
  a.t = asz_fe51_mul(a.t, asz_fe51_small(1));
  fill(keys->table + keys->points * key, &keys->a, a, keys->scratch);
  keys->state[key] = ASZ_SIG_KEY_GOOD;
  return ASZ_OK;
}

const uint8_t *asz_sig_keys_get(const struct asz_sig_keys *keys, uint32_t key) {
  return key < keys->capacity && keys->state[key] != ASZ_SIG_KEY_NONE ? keys->public_key[key] : NULL;
}
