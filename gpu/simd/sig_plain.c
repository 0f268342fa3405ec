/* SPDX-License-Identifier: Apache-2.0 */
/* The backend in plain C: the reference of the fast ones, and what serves where neither is supported. One item after the other,
 * but for the inversions. */
#include "gpu/kinds/sha512.h"
#include "gpu/simd/ge51.h"
#include "gpu/simd/sig_private.h"

enum { PREFETCH_AHEAD = 4 }; /* additions: about 1 us, longer than memory takes */

static void hash_of(uint64_t ret_hash[8], const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t item) {
  uint8_t block[256];
  unsigned blocks = asz_sig_pad(block, keys, items, item);
  asz_sha512_init(ret_hash);
  for (unsigned i = 0; i < blocks; i++)
    asz_sha512_block(ret_hash, block + (size_t)128 * i);
  for (int i = 0; i < 8; i++)
    ret_hash[i] = __builtin_bswap64(ret_hash[i]); /* a digest is big-endian words, the number it stands for is little-endian */
}

static struct asz_ge51_affine load(asz_sig_step step) {
  const struct asz_sig_point *point = asz_sig_step_point(step);
  struct asz_fe51 t2d = asz_fe51_unpack(point->t2d);
  if (step & 1)
    return (struct asz_ge51_affine){asz_fe51_unpack(point->y_minus_x), asz_fe51_unpack(point->y_plus_x),
                                    asz_fe51_sub(asz_fe51_small(0), t2d)};
  return (struct asz_ge51_affine){asz_fe51_unpack(point->y_plus_x), asz_fe51_unpack(point->y_minus_x), t2d};
}

/* p and the points of steps first..last-1. */
static struct asz_ge51 add_all(struct asz_ge51 p, const asz_sig_step *step, unsigned first, unsigned last) {
  for (unsigned i = first; i < last; i++) {
    asz_sig_step_prefetch(step[i + PREFETCH_AHEAD]);
    p = asz_ge51_add(p, load(step[i]), asz_fe51_add(p.z, p.z));
  }
  return p;
}

/* [S]B - [h]A */
static struct asz_ge51 sum_of(const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t item) {
  uint64_t hash[8];
  asz_sig_step step[ASZ_SIG_STEPS + PREFETCH_AHEAD] = {0};
  hash_of(hash, keys, items, item);
  asz_sig_steps(step, 1, keys, items, item, hash);
  struct asz_ge51 p = asz_ge51_neutral();
  unsigned first = 0;
  for (unsigned pass = keys->a.spacing; pass-- > 0;) {
    unsigned last = first + asz_sig_pass_steps(&keys->a, pass);
    p = add_all(p, step, first, last);
    for (unsigned i = 0; pass > 0 && i < keys->a.bits; i++)
      p = asz_ge51_double(p);
    first = last;
  }
  return add_all(p, step, first, first + keys->b.digits);
}

static void judge_group(const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t first, uint32_t count) {
  uint32_t item[ASZ_SIG_GROUP];
  struct {
    struct asz_fe51 x, y, z, product; /* product: of the z so far */
  } sum[ASZ_SIG_GROUP];
  unsigned left = asz_sig_refuse(item, keys, items, first, count);
  if (left == 0)
    return;
  for (unsigned i = 0; i < left; i++) {
    struct asz_ge51 p = sum_of(keys, items, item[i]);
    sum[i].x = p.x;
    sum[i].y = p.y;
    sum[i].z = p.z;
    sum[i].product = i ? asz_fe51_mul(sum[i - 1].product, p.z) : p.z;
  }
  struct asz_fe51 inverse = asz_fe51_invert(sum[left - 1].product);
  for (unsigned i = left; i-- > 0;) {
    struct asz_fe51 z_inverse = i ? asz_fe51_mul(inverse, sum[i - 1].product) : inverse;
    inverse = asz_fe51_mul(inverse, sum[i].z);
    uint64_t x[4], encoded[4];
    asz_fe51_pack(x, asz_fe51_mul(sum[i].x, z_inverse));
    asz_fe51_pack(encoded, asz_fe51_mul(sum[i].y, z_inverse));
    encoded[3] |= x[0] << 63;
    items->verdict[item[i]] = asz_sig_compare(items->signature[item[i]], encoded);
  }
}

static void judge(const struct asz_sig_keys *keys, const struct asz_sig_items *items) {
  asz_sig_judge_groups(keys, items, judge_group);
}

static bool supported(void) {
  return true;
}

const struct asz_sig_backend asz_sig_plain = {.name = "plain", .supported = supported, .judge = judge};
