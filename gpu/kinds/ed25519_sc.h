/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sc: scalars modulo the order of Ed25519's base point, L = 2^252 + 27742317777372353535851937790883648493, as eight 32-bit
 * words, little-endian. Verification needs three things only: is S below L, what is a 512-bit hash modulo L, and the digits
 * that a scalar multiplication walks through. Variable time; public data only. */
#ifndef ASZ_GPU_KINDS_ED25519_SC_H
#define ASZ_GPU_KINDS_ED25519_SC_H

#include "gpu/kinds/hd.h"

struct asz_sc {
  uint32_t v[8];
};

ASZ_HD_TABLE uint32_t asz_sc_order[8] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0, 0, 0, 0x10000000};

ASZ_HD struct asz_sc asz_sc_load(const uint8_t bytes[32]) {
  struct asz_sc s;
  ASZ_HD_UNROLL
  for (size_t i = 0; i < 8; i++)
    s.v[i] = asz_hd_le32_load(bytes + 4 * i);
  return s;
}

/* asz_sc_is_canonical: 1 when s < L. S and S + L would otherwise be two signatures of one message. */
ASZ_HD int asz_sc_is_canonical(struct asz_sc s) {
  for (int i = 7; i >= 0; i--)
    if (s.v[i] != asz_sc_order[i])
      return s.v[i] < asz_sc_order[i];
  return 0;
}

/* asz_sc_reduce: a 512-bit little-endian number, given as words, modulo L.
 *
 * Long division by 32-bit digits from the top: with a remainder r < L, x = 2^32 r + next word is below 2^32 L, and the quotient
 * is guessed as q = floor(x / 2^252). Since L is 2^252 plus a 125-bit number, q is right or one too large, which adding L once
 * repairs. r can lie between 2^252 and L, then q would be 2^32; the true quotient is below that, so q is cut to 2^32 - 1. */
ASZ_HD struct asz_sc asz_sc_reduce(const uint32_t hash[16]) {
  uint32_t x[9] = {0};
  ASZ_HD_ROLLED
  for (int digit = 15; digit >= 0; digit--) {
    ASZ_HD_UNROLL
    for (int i = 8; i > 0; i--)
      x[i] = x[i - 1];
    x[0] = hash[digit];
    uint64_t guess = (uint64_t)x[8] << 4 | x[7] >> 28;
    uint32_t q = guess > 0xffffffff ? 0xffffffff : (uint32_t)guess;
    uint64_t product = 0, borrow = 0;
    ASZ_HD_UNROLL
    for (int i = 0; i < 9; i++) {
      product += i < 8 ? asz_hd_mul_wide(q, asz_sc_order[i]) : 0;
      uint64_t t = (uint64_t)x[i] - (uint32_t)product - borrow;
      x[i] = (uint32_t)t;
      borrow = t >> 63;
      product >>= 32;
    }
    if (borrow) {
      uint64_t t = 0;
      ASZ_HD_UNROLL
      for (int i = 0; i < 9; i++) {
        t += (uint64_t)x[i] + (i < 8 ? asz_sc_order[i] : 0);
        x[i] = (uint32_t)t;
        t >>= 32;
      }
    }
  }
  struct asz_sc r;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    r.v[i] = x[i];
  return r;
}

/* Signed digits: s = sum over i < 64 of digit(i) * 16^i with every digit in -8..7. Adding 8 to each of the 64 hexadecimal digits
 * at once (s + 0x88...88) does all the carrying; a digit is then a nibble less 8. s < L keeps the sum below 2^256. */
ASZ_HD struct asz_sc asz_sc_recode(struct asz_sc s) {
  uint64_t t = 0;
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++) {
    t += (uint64_t)s.v[i] + 0x88888888;
    s.v[i] = (uint32_t)t;
    t >>= 32;
  }
  return s;
}
ASZ_HD int asz_sc_digit(const struct asz_sc *recoded, int i) {
  return (int)(recoded->v[i / 8] >> (4 * (i % 8)) & 15) - 8;
}

#endif
