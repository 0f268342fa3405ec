/* SPDX-License-Identifier: Apache-2.0 */
/* asz_blake2b: BLAKE2b with 32 bytes of output (RFC 7693), keyed or not, for devices; the host's own hashing is libsodium's.
 *
 * Message words are little-endian and taken byte by byte from memory of any alignment. A block is compressed when it is known not
 * to be the last one, so the buffer is emptied late: the last block, even a full one, carries the flag. */
#ifndef ASZ_GPU_KINDS_BLAKE2B_H
#define ASZ_GPU_KINDS_BLAKE2B_H

#include "gpu/kinds/hd.h"

/* RFC 7693 section 2.6: as SHA-512's, fractional parts of the square roots of the first 8 primes. */
ASZ_HD_TABLE uint64_t asz_blake2b_iv[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

/* RFC 7693 section 2.7; rounds 10 and 11 are 0 and 1 again. */
ASZ_HD_TABLE uint8_t asz_blake2b_sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

enum { ASZ_BLAKE2B_BLOCK_BYTES = 128, ASZ_BLAKE2B_OUT_BYTES = 32 };

struct asz_blake2b {
  uint64_t h[8];
  uint64_t hashed_bytes; /* compressed so far; under 2^64, as all messages here are */
  uint32_t held_bytes;   /* in block */
  uint8_t block[ASZ_BLAKE2B_BLOCK_BYTES];
};

ASZ_HD void asz_blake2b_mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
  v[a] += v[b] + x;
  v[d] = asz_hd_ror64(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = asz_hd_ror64(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = asz_hd_ror64(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = asz_hd_ror64(v[b] ^ v[c], 63);
}

/* asz_blake2b_compress_words: one compression (RFC 7693 section 3.2) of a block, given as its 16 words. total_bytes: of the
 * message up to the end of this block. */
ASZ_HD_CALL void asz_blake2b_compress_words(uint64_t h[8], const uint64_t m[16], uint64_t total_bytes, int is_last) {
  uint64_t v[16];
  for (int i = 0; i < 8; i++) {
    v[i] = h[i];
    v[i + 8] = asz_blake2b_iv[i];
  }
  v[12] ^= total_bytes;
  if (is_last)
    v[14] = ~v[14];
  ASZ_HD_UNROLL
  for (int round = 0; round < 12; round++) {
    const uint8_t *s = asz_blake2b_sigma[round % 10];
    asz_blake2b_mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    asz_blake2b_mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    asz_blake2b_mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    asz_blake2b_mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    asz_blake2b_mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    asz_blake2b_mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    asz_blake2b_mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    asz_blake2b_mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (int i = 0; i < 8; i++)
    h[i] ^= v[i] ^ v[i + 8];
}

/* asz_blake2b_compress: the same for a block in memory. */
ASZ_HD void asz_blake2b_compress(uint64_t h[8], const uint8_t block[ASZ_BLAKE2B_BLOCK_BYTES], uint64_t total_bytes, int is_last) {
  uint64_t m[16];
  for (size_t i = 0; i < 16; i++)
    m[i] = asz_hd_le32_load(block + 8 * i) | (uint64_t)asz_hd_le32_load(block + 8 * i + 4) << 32;
  asz_blake2b_compress_words(h, m, total_bytes, is_last);
}

ASZ_HD void asz_blake2b_add(struct asz_blake2b *hash, const uint8_t *bytes, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) {
    if (hash->held_bytes == ASZ_BLAKE2B_BLOCK_BYTES) {
      hash->hashed_bytes += ASZ_BLAKE2B_BLOCK_BYTES;
      asz_blake2b_compress(hash->h, hash->block, hash->hashed_bytes, 0);
      hash->held_bytes = 0;
    }
    hash->block[hash->held_bytes++] = bytes[i];
  }
}

/* asz_blake2b_start: key_bytes 0 (then key is not read) to 64. */
ASZ_HD void asz_blake2b_start(struct asz_blake2b *hash, const uint8_t *key, uint32_t key_bytes) {
  for (int i = 0; i < 8; i++)
    hash->h[i] = asz_blake2b_iv[i];
  hash->h[0] ^= 0x01010000u ^ key_bytes << 8 ^ ASZ_BLAKE2B_OUT_BYTES;
  hash->hashed_bytes = 0;
  hash->held_bytes = 0;
  if (key_bytes == 0)
    return;
  const uint8_t zero = 0;
  asz_blake2b_add(hash, key, key_bytes);
  while (hash->held_bytes < ASZ_BLAKE2B_BLOCK_BYTES)
    asz_blake2b_add(hash, &zero, 1);
}

ASZ_HD void asz_blake2b_end(struct asz_blake2b *hash, uint8_t *ret_digest /* 32 */) {
  for (uint32_t i = hash->held_bytes; i < ASZ_BLAKE2B_BLOCK_BYTES; i++)
    hash->block[i] = 0;
  asz_blake2b_compress(hash->h, hash->block, hash->hashed_bytes + hash->held_bytes, 1);
  for (size_t i = 0; i < ASZ_BLAKE2B_OUT_BYTES / 8; i++) {
    asz_hd_le32_store(ret_digest + 8 * i, (uint32_t)hash->h[i]);
    asz_hd_le32_store(ret_digest + 8 * i + 4, (uint32_t)(hash->h[i] >> 32));
  }
}

#endif
