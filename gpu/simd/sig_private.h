/* SPDX-License-Identifier: Apache-2.0 */
/* What the backends of gpu/simd/sig.h share: the tables, and the parts of judging that are done item by item: refusing by the
 * bytes alone, laying out what is hashed, finding the table entries that sum up to [S]B - [h]A, comparing.
 *
 * The sum of a key. h is written in signed digits of w bits, h = sum of d(i) 2^(w i), -2^(w-1) <= d(i) < 2^(w-1) but for the
 * last, which is not negative. Digit i = s g + j (s: the comb's spacing, 0 <= j < s) is looked up in group g of the key's table,
 * which has 1 .. 2^(w-1) times -2^(w s g) A. The sum goes over all digits with j = s - 1, is doubled w times, goes on with j = s
 * - 2, and so on: s = 1 needs a table for every digit and no doubling, s = 4 a fourth of that and 3 w doublings. Then B's digits
 * are added, out of a table with s = 1 for all. A digit of 0 adds the neutral point. */
#ifndef ASZ_GPU_SIMD_SIG_PRIVATE_H
#define ASZ_GPU_SIMD_SIG_PRIVATE_H

#include <string.h>

#include "gpu/simd/sig.h"
#include "gpu/simd/sig_scalar.h"

/* An affine point ready to be added: y + x, y - x, 2dxy, each in 0..p-1, little-endian words. 32-byte aligned, so that one lies
 * in two lines of cache, never three, and a pointer to one has five bits to spare. */
struct asz_sig_point {
  _Alignas(32) uint64_t y_plus_x[4];
  uint64_t y_minus_x[4], t2d[4];
};
_Static_assert(sizeof(struct asz_sig_point) == 96, "what the footprints count with");

struct asz_sig_comb {
  uint8_t bits, spacing; /* w, s */
  uint8_t digits;        /* of a scalar below L */
  uint8_t groups;        /* digits / spacing, rounded up */
  uint16_t entries;      /* of a group: 2^(w-1) */
  uint64_t bias[4];      /* 2^(w-1) in every digit but the last: adding it does all the carrying at once */
};

enum {
  ASZ_SIG_GROUP = 256,   /* items that share inversions: at 8 a lane, an inversion of 265 products costs an item 1 */
  ASZ_SIG_A_DIGITS = 64, /* at most: 4-bit digits */
  ASZ_SIG_B_DIGITS = 23, /* 11 bits each, 2.3 MB */
  ASZ_SIG_STEPS = ASZ_SIG_A_DIGITS + ASZ_SIG_B_DIGITS,
};

enum asz_sig_key_state { ASZ_SIG_KEY_NONE = 0, ASZ_SIG_KEY_GOOD, ASZ_SIG_KEY_BAD };

struct asz_sig_keys {
  struct asz_sig_comb a, b;
  uint32_t capacity;
  size_t points;               /* of a key's table */
  size_t mapped_bytes;         /* this struct and all behind it: one mapping */
  struct asz_sig_point *base;  /* B's table */
  struct asz_sig_point *table; /* capacity times points */
  uint8_t (*public_key)[32];
  uint8_t *state;          /* enum asz_sig_key_state */
  struct scratch *scratch; /* of sig_keys.c */
};

extern const struct asz_sig_backend asz_sig_plain, asz_sig_avx2, asz_sig_ifma;

/* The point that adds nothing. */
extern const struct asz_sig_point asz_sig_neutral;

/* asz_sig_refuse gives their verdicts to those of the items first..first+count-1 that need no curve; the others' indices go to
 * ret_item. Returns how many those are. count <= ASZ_SIG_GROUP. */
unsigned asz_sig_refuse(uint32_t ret_item[ASZ_SIG_GROUP], const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                        uint32_t first, uint32_t count);

/* asz_sig_judge_groups has a backend judge all items, ASZ_SIG_GROUP at a time. */
typedef void asz_sig_judge_group(const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t first,
                                 uint32_t count);
static inline void asz_sig_judge_groups(const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                                        asz_sig_judge_group *judge_group) {
  for (uint32_t first = 0, left = items->count; left > 0;) {
    uint32_t count = left < ASZ_SIG_GROUP ? left : ASZ_SIG_GROUP;
    judge_group(keys, items, first, count);
    first += count;
    left -= count;
  }
}

/* asz_sig_pad lays out R || A || M for SHA-512. Returns the number of blocks, 1 or 2. */
static inline unsigned asz_sig_pad(uint8_t ret_block[256], const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                                   uint32_t item) {
  unsigned message_bytes = items->message_bytes[item], total = 64 + message_bytes, blocks = total + 17 > 128 ? 2 : 1;
  memcpy(ret_block, items->signature[item], 32);
  memcpy(ret_block + 32, keys->public_key[items->key[item]], 32);
  memcpy(ret_block + 64, items->message[item], message_bytes);
  memset(ret_block + total, 0, 128 * blocks - total);
  ret_block[total] = 0x80;
  ret_block[128 * blocks - 2] = (uint8_t)(total * 8 >> 8);
  ret_block[128 * blocks - 1] = (uint8_t)(total * 8);
  return blocks;
}

/* A table entry to add, or to subtract where bit 0 is set. */
typedef uintptr_t asz_sig_step;

static inline const struct asz_sig_point *asz_sig_step_point(asz_sig_step step) {
  return (const struct asz_sig_point *)(step & ~(uintptr_t)1);
}

static inline void asz_sig_step_prefetch(asz_sig_step step) {
  __builtin_prefetch((const void *)(step & ~(uintptr_t)1));
  __builtin_prefetch((const void *)((step & ~(uintptr_t)1) + 64));
}

/* The steps of one scalar, every `stride`-th place from ret_step on, in the order in which they are added. Returns how many. */
static inline unsigned asz_sig_comb_steps(asz_sig_step *ret_step, unsigned stride, const struct asz_sig_comb *comb,
                                          const struct asz_sig_point *table, const uint64_t scalar[4]) {
  uint64_t x[5] = {scalar[0], scalar[1], scalar[2], scalar[3], 0};
  asz_sig_scalar_add(x, comb->bias[0], comb->bias[1], comb->bias[2], comb->bias[3]);
  int64_t mask = ((int64_t)1 << comb->bits) - 1, half = comb->entries;
  unsigned count = 0;
  for (unsigned j = comb->spacing; j-- > 0;) {
    const struct asz_sig_point *group = table - 1;
    for (unsigned i = j; i < comb->digits; i += comb->spacing, group += comb->entries) {
      unsigned bit = i * comb->bits, word = bit / 64, shift = bit % 64;
      int64_t digit = (int64_t)(x[word] >> shift | x[word + 1] << 1 << (63 - shift)) & mask;
      digit -= i + 1 < comb->digits ? half : 0;
      int64_t sign = digit >> 63, size = (digit ^ sign) - sign;
      const struct asz_sig_point *point = size ? group + size : &asz_sig_neutral;
      ret_step[count++ * stride] = (uintptr_t)point | (uintptr_t)(sign & 1);
    }
  }
  return count;
}

/* asz_sig_pass_steps: how many digits have j = pass. */
static inline unsigned asz_sig_pass_steps(const struct asz_sig_comb *comb, unsigned pass) {
  return (comb->digits - pass + comb->spacing - 1) / comb->spacing;
}

/* asz_sig_steps: what adds up to [S]B - [h]A, every `stride`-th place from ret_step on; hash: the digest of what asz_sig_pad
 * laid out, as the little-endian words that it stands for; spent. */
static inline void asz_sig_steps(asz_sig_step *ret_step, unsigned stride, const struct asz_sig_keys *keys,
                                 const struct asz_sig_items *items, uint32_t item, uint64_t hash[8]) {
  uint64_t h[4], s[4];
  asz_sig_scalar_reduce(h, hash);
  memcpy(s, items->signature[item] + 32, sizeof s);
  unsigned count = asz_sig_comb_steps(ret_step, stride, &keys->a, keys->table + keys->points * items->key[item], h);
  asz_sig_comb_steps(ret_step + (size_t)count * stride, stride, &keys->b, keys->base, s);
}

/* asz_sig_compare: PASS when R is the encoding that [S]B - [h]A has, and is none of the small order's. */
uint8_t asz_sig_compare(const uint8_t signature[64], const uint64_t encoded[4]);

#endif
