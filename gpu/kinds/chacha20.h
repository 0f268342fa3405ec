/* SPDX-License-Identifier: Apache-2.0 */
/* asz_chacha20: the keystream of ChaCha20 with random access (D. J. Bernstein, 2008: 64-bit block counter, 64-bit nonce, here
 * always zero; libsodium's crypto_stream_chacha20), and what the challenges gemm and mem make of its bytes.
 *
 * Every matrix of a challenge is a piece of a keystream, so that any column is there without those before it: byte i of the
 * stream is byte i % 64 of block i / 64. */
#ifndef ASZ_GPU_KINDS_CHACHA20_H
#define ASZ_GPU_KINDS_CHACHA20_H

#include "gpu/kinds/hd.h"

enum { ASZ_CHACHA20_BLOCK_BYTES = 64 };

struct asz_chacha20_key {
  uint32_t word[8]; /* the key's 32 bytes, little-endian */
};

struct asz_chacha20_block {
  uint32_t word[16]; /* 64 bytes of keystream, little-endian */
};

ASZ_HD struct asz_chacha20_key asz_chacha20_key_load(const uint8_t bytes[32]) {
  struct asz_chacha20_key key;
  for (size_t i = 0; i < 8; i++)
    key.word[i] = asz_hd_le32_load(bytes + 4 * i);
  return key;
}

ASZ_HD void asz_chacha20_quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
  *a += *b;
  *d = asz_hd_ror32(*d ^ *a, 16);
  *c += *d;
  *b = asz_hd_ror32(*b ^ *c, 20);
  *a += *b;
  *d = asz_hd_ror32(*d ^ *a, 24);
  *c += *d;
  *b = asz_hd_ror32(*b ^ *c, 25);
}

/* asz_chacha20: block number `counter` of the key's stream. Pure. */
ASZ_HD struct asz_chacha20_block asz_chacha20(struct asz_chacha20_key key, uint64_t counter) {
  const uint32_t constant[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
  uint32_t start[16], x[16];
  ASZ_HD_UNROLL
  for (int i = 0; i < 4; i++)
    start[i] = constant[i];
  ASZ_HD_UNROLL
  for (int i = 0; i < 8; i++)
    start[4 + i] = key.word[i];
  start[12] = (uint32_t)counter;
  start[13] = (uint32_t)(counter >> 32);
  start[14] = start[15] = 0;
  ASZ_HD_UNROLL
  for (int i = 0; i < 16; i++)
    x[i] = start[i];
  ASZ_HD_ROLLED
  for (int i = 0; i < 10; i++) {
    asz_chacha20_quarter(&x[0], &x[4], &x[8], &x[12]);
    asz_chacha20_quarter(&x[1], &x[5], &x[9], &x[13]);
    asz_chacha20_quarter(&x[2], &x[6], &x[10], &x[14]);
    asz_chacha20_quarter(&x[3], &x[7], &x[11], &x[15]);
    asz_chacha20_quarter(&x[0], &x[5], &x[10], &x[15]);
    asz_chacha20_quarter(&x[1], &x[6], &x[11], &x[12]);
    asz_chacha20_quarter(&x[2], &x[7], &x[8], &x[13]);
    asz_chacha20_quarter(&x[3], &x[4], &x[9], &x[14]);
  }
  struct asz_chacha20_block block;
  ASZ_HD_UNROLL
  for (int i = 0; i < 16; i++)
    block.word[i] = x[i] + start[i];
  return block;
}

/* asz_chacha20_int8: what a byte of the stream stands for in a matrix: -127..127, so that no sum has a value which its negative
 * lacks. 255 counts as 0: -127 has probability 2/256, every other value 1/256. */
ASZ_HD int asz_chacha20_int8(uint32_t byte) {
  return (byte == 255 ? 0 : (int)byte) - 127;
}

/* asz_chacha20_int8_of: entry `i` (0..63) of a block. */
ASZ_HD int asz_chacha20_int8_of(const struct asz_chacha20_block *block, unsigned i) {
  return asz_chacha20_int8(block->word[i / 4] >> 8 * (i % 4) & 0xff);
}

/* asz_chacha20_zero_255: a word of the stream with every byte that is 255 made 0. */
ASZ_HD uint32_t asz_chacha20_zero_255(uint32_t word) {
  /* 0x80 in every byte that is 255, then 0xff: the lower seven bits carry into the eighth when all are set */
  uint32_t full = ((word & 0x7f7f7f7f) + 0x01010101) & word & 0x80808080;
  return word & ~(full | (full - (full >> 7)));
}

/* asz_chacha20_int8x4: the four entries of a word, a byte each. */
ASZ_HD uint32_t asz_chacha20_int8x4(uint32_t word) {
  word = asz_chacha20_zero_255(word) ^ 0x80808080; /* 127 less is 128 less and 1 more, without a carry from byte to byte */
  return ((word & 0x7f7f7f7f) + 0x01010101) ^ (word & 0x80808080);
}

#if !defined(__CUDACC__)
/* Known answer: RFC 8439, appendix A.1, test vector 1 (key and nonce zero, so that both variants agree) and the next block. */
ASZ_HD_TABLE char asz_chacha20_known_block[2][129] = {
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
    "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
    "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
    "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
};
#endif

#endif
