/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig_known: Ed25519 verification against keys that are known in advance, for a device: one thread an item. The verdict on
 * every byte string is that of gpu/kinds/sig.h, whose rules are followed in another order.
 *
 * Every key has a table of multiples of -A, and B one for all. A scalar is written in signed digits of w bits; digit i is looked
 * up among 1 .. 2^(w-1) times 2^(w i) P. Nothing is ever doubled: [S]B - [h]A is a sum of as many entries as there are digits, 7
 * products each. With w = 8 for A (393,216 bytes a key) and w = 12 for B (4.3 MB: the second-level cache holds it) these are
 * 32 + 22 additions, 378 products; with w = 4 for A (49,152 bytes a key) 64 + 22, 602. Without tables it would be some 2,400.
 * R is never decoded: the sum is encoded and compared with R as bytes, which libsodium does as well.
 *
 * An encoding takes an inversion, 265 products. They are shared in a second pass (asz_sig_known_finish): a thread takes
 * ASZ_SIG_KNOWN_SHARE items of the batch, one inversion and 3 products an item (Montgomery's trick), 20 products instead of 265.
 * Sharing it inside the block that made the sums would cost more: four warps would wait at a barrier, their registers taken,
 * while one of them inverts, 69 products an item; in a pass of its own every lane that is there inverts. Sums come from complete
 * formulas, so that no Z is ever 0 and no item can spoil another's.
 *
 * Nothing here is secret, and nothing is constant in time. */
#ifndef ASZ_GPU_KINDS_SIG_KNOWN_H
#define ASZ_GPU_KINDS_SIG_KNOWN_H

#include "gpu/kinds/sig.h"

enum {
  ASZ_SIG_KNOWN_BITS = 8,       /* of a digit of h; 44,000 keys: 17.3 GB */
  ASZ_SIG_KNOWN_BITS_SMALL = 4, /* for a device with little memory; 44,000 keys: 2.2 GB */
  ASZ_SIG_KNOWN_BASE_BITS = 12, /* of a digit of S; 11 bits: one addition more, 16 bits: 6 less and 50 MB, no cache */
  ASZ_SIG_KNOWN_SHARE = 16,     /* items that share an inversion; 32: 8 products less, of 400, and half as many threads */
  ASZ_SIG_KNOWN_SUM_WORDS = 32, /* of an item between the two passes: x, y, z, and the product of the z before */
  ASZ_SIG_KNOWN_KEPT = 255,     /* in the place of a verdict between the passes: no verdict, nor 0, which is an item left out */
  ASZ_COMB_CHUNK = 16,          /* points of a table that share an inversion while it is made */
};

/* How scalars below L are cut. bits 4..13: other sizes are untested. */
struct asz_comb {
  uint32_t bits, digits, entries; /* w; as many as 253 bits take; 2^(w-1), of a digit */
  uint32_t bias[8];               /* 2^(w-1) in every digit but the last: adding it does all the carrying at once */
};

/* A point with z = 1, made ready to be added: y + x, y - x, 2dxy, each below 2^256. Three sectors of memory, none shared. */
struct ASZ_HD_ALIGNED(32) asz_comb_point {
  uint32_t y_plus_x[8], y_minus_x[8], t2d[8];
};

#if !defined(__CUDACC__)
_Static_assert(sizeof(struct asz_comb_point) == 96, "what tables are sized by");
#endif

ASZ_HD_HOST struct asz_comb asz_comb_of(uint32_t bits) {
  struct asz_comb comb = {bits, (252 + bits) / bits, 1u << (bits - 1), {0, 0, 0, 0, 0, 0, 0, 0}};
  for (uint32_t i = 0; i + 1 < comb.digits; i++)
    comb.bias[(i * bits + bits - 1) / 32] |= 1u << (i * bits + bits - 1) % 32;
  return comb;
}

/* asz_comb_points: in a table. */
ASZ_HD_HOST size_t asz_comb_points(const struct asz_comb *comb) {
  return (size_t)comb->digits * comb->entries;
}

ASZ_HD struct asz_fe asz_comb_coordinate_load(const uint32_t words[8]) {
  struct asz_fe r;
#if defined(__CUDACC__)
  const uint4 low = __ldg((const uint4 *)words), high = __ldg((const uint4 *)words + 1);
  r.v[0] = low.x, r.v[1] = low.y, r.v[2] = low.z, r.v[3] = low.w;
  r.v[4] = high.x, r.v[5] = high.y, r.v[6] = high.z, r.v[7] = high.w;
#else
  for (int i = 0; i < 8; i++)
    r.v[i] = words[i];
#endif
  return r;
}

/* asz_comb_add: p + q or, if negative, p - q. The other sign swaps y + x with y - x, and turns 2dxy's: which is another swap, of
 * the two factors that it enters. */
ASZ_HD struct asz_ge asz_comb_add(struct asz_ge p, const struct asz_comb_point *q, int negative) {
  struct asz_fe plus = asz_comb_coordinate_load(negative ? q->y_minus_x : q->y_plus_x);
  struct asz_fe minus = asz_comb_coordinate_load(negative ? q->y_plus_x : q->y_minus_x);
  struct asz_fe a = asz_fe_mul(asz_fe_sub(p.y, p.x), minus);
  struct asz_fe b = asz_fe_mul(asz_fe_add(p.y, p.x), plus);
  struct asz_fe c = asz_fe_mul(p.t, asz_comb_coordinate_load(q->t2d));
  struct asz_fe z2 = asz_fe_add(p.z, p.z), less = asz_fe_sub(z2, c), more = asz_fe_add(z2, c);
  struct asz_fe f, g;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    f.v[i] = negative ? more.v[i] : less.v[i];
    g.v[i] = negative ? less.v[i] : more.v[i];
  }
  return asz_ge_complete(asz_fe_sub(b, a), f, g, asz_fe_add(b, a));
}

/* asz_comb_sum: p + scalar P, for the P of the table; scalar < L. A digit of 0 adds nothing: its lane waits for the others. */
ASZ_HD struct asz_ge asz_comb_sum(struct asz_ge p, const struct asz_comb *comb, const struct asz_comb_point *table,
                                  struct asz_sc scalar) {
  uint32_t x[9], mask = 2 * comb->entries - 1;
  uint64_t t = 0;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    t += (uint64_t)scalar.v[i] + comb->bias[i];
    x[i] = (uint32_t)t;
    t >>= 32;
  }
  x[8] = 0;
  ASZ_HD_ROLLED
  for (uint32_t i = 0; i < comb->digits; i++) {
    uint32_t bit = i * comb->bits, word = bit / 32, shift = bit % 32;
    int32_t digit = (int32_t)((x[word] >> shift | x[word + 1] << 1 << (31 - shift)) & mask);
    digit -= i + 1 < comb->digits ? (int32_t)comb->entries : 0;
    if (digit != 0)
      p = asz_comb_add(p, table + (digit < 0 ? -digit : digit) - 1, digit < 0);
    table += comb->entries;
  }
  return p;
}

/* Writes `count` (1..ASZ_COMB_CHUNK) points as entries, with one inversion. */
ASZ_HD void asz_comb_store(struct asz_comb_point *ret_entry, const struct asz_ge *point, uint32_t count) {
  struct asz_fe before[ASZ_COMB_CHUNK], inverse = asz_fe_small(1);
  ASZ_HD_ROLLED
  for (uint32_t i = 0; i < count; i++) {
    before[i] = inverse;
    inverse = asz_fe_mul(inverse, point[i].z);
  }
  inverse = asz_fe_invert(inverse);
  ASZ_HD_ROLLED
  for (uint32_t i = count; i-- > 0;) {
    struct asz_fe z_inverse = asz_fe_mul(inverse, before[i]);
    struct asz_fe x = asz_fe_mul(point[i].x, z_inverse), y = asz_fe_mul(point[i].y, z_inverse);
    struct asz_fe plus = asz_fe_add(y, x), minus = asz_fe_sub(y, x), t2d = asz_fe_mul(asz_fe_mul(x, y), asz_fe_2d());
    inverse = asz_fe_mul(inverse, point[i].z);
    for (int w = 0; w < 8; w++) {
      ret_entry[i].y_plus_x[w] = plus.v[w];
      ret_entry[i].y_minus_x[w] = minus.v[w];
      ret_entry[i].t2d[w] = t2d.v[w];
    }
  }
}

/* asz_comb_fill: the entries of the digits lane, lane + lanes, .. of p's table; all lanes together make all of it. */
ASZ_HD void asz_comb_fill(struct asz_comb_point *ret_table, const struct asz_comb *comb, struct asz_ge p, uint32_t lane,
                          uint32_t lanes) {
  struct asz_ge chunk[ASZ_COMB_CHUNK];
  uint32_t doubled = 0; /* p is 2^doubled times what it was */
  ASZ_HD_ROLLED
  for (uint32_t digit = lane; digit < comb->digits; digit += lanes) {
    ASZ_HD_ROLLED
    for (; doubled < digit * comb->bits; doubled++)
      p = asz_ge_double(p);
    struct asz_ge_prepared step = asz_ge_prepare(p);
    struct asz_ge multiple = p;
    ASZ_HD_ROLLED
    for (uint32_t i = 0; i < comb->entries; i++) {
      if (i > 0)
        multiple = asz_ge_add_prepared(multiple, step); /* complete: right for p + p as well */
      uint32_t held = i % ASZ_COMB_CHUNK;
      chunk[held] = multiple;
      if (held + 1 == ASZ_COMB_CHUNK || i + 1 == comb->entries)
        asz_comb_store(ret_table + (size_t)digit * comb->entries + i - held, chunk, held + 1);
    }
  }
}

/* asz_sig_known_key: -A, for its table; 0 when rule 3 refuses the key, so that every signature by it FAILs. */
ASZ_HD int asz_sig_known_key(struct asz_ge *ret_minus_a, const uint8_t public_key[32]) {
  struct asz_ge a;
  if (!asz_sig_has_canonical_y(public_key) || asz_sig_has_small_order(public_key) || !asz_ge_decode(&a, public_key))
    return 0;
  *ret_minus_a = asz_ge_neg(a);
  return 1;
}

/* asz_sig_known_base: B = (x, 4/5), x even: 0x58, then 31 times 0x66 (RFC 8032, 5.1). */
ASZ_HD struct asz_ge asz_sig_known_base(void) {
  uint8_t encoded[32];
  struct asz_ge b = asz_ge_neutral();
  encoded[0] = 0x58;
  for (int i = 1; i < 32; i++)
    encoded[i] = 0x66;
  (void)asz_ge_decode(&b, encoded);
  return b;
}

/* Word `index` (0..29) of R || A || M and the bit that ends it. May read to the end of the message's array. */
ASZ_HD uint64_t asz_sig_known_word(const uint8_t *r, const uint8_t *public_key, const uint8_t *message, unsigned message_bytes,
                                   unsigned index) {
  if (index < 4)
    return asz_hd_aligned_be64(r + 8 * (size_t)index);
  if (index < 8)
    return asz_hd_aligned_be64(public_key + 8 * (size_t)(index - 4));
  unsigned at = 8 * (index - 8);
  if (at > message_bytes)
    return 0;
  unsigned left = message_bytes - at;
  uint64_t word = left == 0 ? 0 : asz_hd_aligned_be64(message + at);
  if (left >= 8)
    return word;
  uint64_t end = UINT64_C(1) << (63 - 8 * left);
  return (word & ~(2 * end - 1)) | end; /* what comes after the message is not the message's */
}

/* asz_sig_known_hash: as asz_sig_hash, but by words: all pointers multiples of 4 on a device, and message that array of a batch
 * whose ASZ_SIG_MESSAGE_MAX + 1 bytes may all be read. */
ASZ_HD struct asz_sc asz_sig_known_hash(const uint8_t r[32], const uint8_t public_key[32],
                                        const uint8_t message[ASZ_SIG_MESSAGE_MAX + 1], unsigned message_bytes) {
  unsigned total = 64 + message_bytes, blocks = total + 17 > 128 ? 2 : 1;
  uint64_t state[8];
  uint32_t words[16];
  asz_sha512_init(state);
  ASZ_HD_ROLLED
  for (unsigned block = 0; block < blocks; block++) {
    uint64_t w[16];
    ASZ_HD_UNROLL
    for (unsigned i = 0; i < 16; i++)
      w[i] = asz_sig_known_word(r, public_key, message, message_bytes, 16 * block + i);
    if (block + 1 == blocks)
      w[15] = (uint64_t)total * 8;
    asz_sha512_words(state, w);
  }
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) { /* the digest's words are big-endian, the number that it stands for is little-endian */
    words[2 * i] = asz_hd_swap32((uint32_t)(state[i] >> 32));
    words[2 * i + 1] = asz_hd_swap32((uint32_t)state[i]);
  }
  return asz_sc_reduce(words);
}

/* The tables that one item needs. */
struct asz_sig_known_tables {
  struct asz_comb key_comb, base_comb;
  const struct asz_comb_point *key;  /* NULL: rule 3 refuses the key */
  const struct asz_comb_point *base; /* of B */
};

/* asz_sig_known_sum: as asz_sig_sum, for a key with a table. Rule 2 is left to asz_sig_known_finish. */
ASZ_HD uint8_t asz_sig_known_sum(struct asz_ge *ret_sum, const struct asz_sig_known_tables *tables, const uint8_t public_key[32],
                                 const uint8_t signature[64], const uint8_t message[ASZ_SIG_MESSAGE_MAX + 1],
                                 unsigned message_bytes) {
  if (message_bytes > ASZ_SIG_MESSAGE_MAX)
    return ASZ_VERDICT_MALFORMED;
  struct asz_sc s;
  ASZ_HD_UNROLL
  for (size_t i = 0; i < 8; i++)
    s.v[i] = asz_hd_aligned_le32(signature + 32 + 4 * i);
  if (!tables->key || !asz_sc_is_canonical(s))
    return ASZ_VERDICT_FAIL;
  struct asz_sc h = asz_sig_known_hash(signature, public_key, message, message_bytes);
  *ret_sum = asz_comb_sum(asz_comb_sum(asz_ge_neutral(), &tables->key_comb, tables->key, h), &tables->base_comb, tables->base, s);
  return ASZ_VERDICT_NONE;
}

/* Between the passes an item's words lie `items` apart, so that the lanes of a warp write and read neighbouring ones. */
ASZ_HD void asz_sig_known_put(uint32_t *sums, uint32_t items, uint32_t item, unsigned place, struct asz_fe value) {
  for (size_t w = 0; w < 8; w++)
    sums[(8 * place + w) * items + item] = value.v[w];
}
ASZ_HD struct asz_fe asz_sig_known_get(const uint32_t *sums, uint32_t items, uint32_t item, unsigned place) {
  struct asz_fe value;
  for (size_t w = 0; w < 8; w++)
    value.v[w] = sums[(8 * place + w) * items + item];
  return value;
}

/* asz_sig_known_keep: puts an item's sum away for asz_sig_known_finish. sums: ASZ_SIG_KNOWN_SUM_WORDS * items words. Returns what
 * stands for its verdict until then. */
ASZ_HD uint8_t asz_sig_known_keep(uint32_t *sums, uint32_t items, uint32_t item, struct asz_ge sum) {
  asz_sig_known_put(sums, items, item, 0, sum.x);
  asz_sig_known_put(sums, items, item, 1, sum.y);
  asz_sig_known_put(sums, items, item, 2, sum.z);
  return ASZ_SIG_KNOWN_KEPT;
}

/* Rules 2 and 4: PASS when R is the encoding of x, y and no point of small order. */
ASZ_HD uint8_t asz_sig_known_compare(const uint8_t r[32], struct asz_fe x, struct asz_fe y) {
  uint32_t difference = 0;
  y = asz_fe_canonical(y);
  int small = 0;
  for (int i = 0; i < 5; i++)
    small |= asz_sig_words_equal(y.v, asz_sig_small_order_y[i]);
  y.v[7] |= asz_fe_parity(x) << 31;
  for (size_t i = 0; i < 8; i++)
    difference |= y.v[i] ^ asz_hd_aligned_le32(r + 4 * i);
  return difference == 0 && !small ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}

/* asz_sig_known_finish: gives their verdicts to the items lane, lane + lanes, .. of those whose sums are kept. lanes: the number
 * of items divided by ASZ_SIG_KNOWN_SHARE, rounded up, or any other. */
ASZ_HD void asz_sig_known_finish(uint8_t *verdict, uint32_t *sums, const uint8_t (*signature)[64], uint32_t count, uint32_t items,
                                 uint32_t lane, uint32_t lanes) {
  struct asz_fe inverse = asz_fe_small(1);
  uint32_t end = lane;
  ASZ_HD_ROLLED
  for (; end < count; end += lanes) {
    if (verdict[end] != ASZ_SIG_KNOWN_KEPT)
      continue;
    asz_sig_known_put(sums, items, end, 3, inverse);
    inverse = asz_fe_mul(inverse, asz_sig_known_get(sums, items, end, 2));
  }
  inverse = asz_fe_invert(inverse);
  ASZ_HD_ROLLED
  for (uint32_t i = end; i > lane;) {
    i -= lanes;
    if (verdict[i] != ASZ_SIG_KNOWN_KEPT)
      continue;
    struct asz_fe z_inverse = asz_fe_mul(inverse, asz_sig_known_get(sums, items, i, 3));
    inverse = asz_fe_mul(inverse, asz_sig_known_get(sums, items, i, 2));
    verdict[i] = asz_sig_known_compare(signature[i], asz_fe_mul(asz_sig_known_get(sums, items, i, 0), z_inverse),
                                       asz_fe_mul(asz_sig_known_get(sums, items, i, 1), z_inverse));
  }
}

#endif
