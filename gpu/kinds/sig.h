/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sig: Ed25519 verification with the verdict of libsodium 1.0.18's crypto_sign_verify_detached on every byte string.
 *
 * Implementations of Ed25519 disagree about odd inputs, so the rule is spelt out; a signature R || S of message M by key A passes
 * when all of these hold:
 *   1. S < L.
 *   2. R is no encoding of a point of small order.
 *   3. A's y is below p, A is no encoding of a point of small order, and A decodes to a point of the curve.
 *   4. With h = SHA-512(R || A || M) mod L over the bytes as sent, the encoding of [S]B - [h]A is R, byte for byte.
 * R is never decoded. Rule 4 is the equation without the cofactor: a key with a small-order component (which rule 3 lets through)
 * passes for some messages and not for others. Other libraries multiply by the cofactor, and libsodium itself may one day: the
 * known answers below hold a signature that only those accept, so that a backend on another rule is refused at start. */
#ifndef ASZ_GPU_KINDS_SIG_H
#define ASZ_GPU_KINDS_SIG_H

#include "gpu/kinds/ed25519_ge.h"
#include "gpu/kinds/sha512.h"
#include "gpu/verify.h"

/* The five y of the eight points of small order. libsodium's own list also has p and p + 1, which are 0 and 1 again: A has been
 * refused by then for y >= p, and R could not equal a canonical encoding in rule 4. */
ASZ_HD_TABLE uint32_t asz_sig_small_order_y[5][8] = {
    {0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}, /* order 4 */
    {0x00000001, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000}, /* order 1 */
    {0x8f95e826, 0xb027b2c2, 0x89f4c345, 0xf098eff2, 0x05acdfd5, 0x3933c6d3, 0x880238b1, 0x05fc536d}, /* order 8 */
    {0x706a17c7, 0x4fd84d3d, 0x760b3cba, 0x0f67100d, 0xfa53202a, 0xc6cc392c, 0x77fdc74e, 0x7a03ac92}, /* order 8 */
    {0xffffffec, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff}, /* p - 1: order 2 */
};

ASZ_HD int asz_sig_words_equal(const uint32_t *a, const uint32_t *b) {
  uint32_t difference = 0;
  for (int i = 0; i < 8; i++)
    difference |= a[i] ^ b[i];
  return difference == 0;
}

/* asz_sig_has_small_order looks at y as it was sent; the parity bit is ignored. */
ASZ_HD int asz_sig_has_small_order(const uint8_t encoded[32]) {
  struct asz_fe y = asz_fe_load(encoded);
  for (int i = 0; i < 5; i++)
    if (asz_sig_words_equal(y.v, asz_sig_small_order_y[i]))
      return 1;
  return 0;
}

/* asz_sig_has_canonical_y: y < p, the parity bit ignored. */
ASZ_HD int asz_sig_has_canonical_y(const uint8_t encoded[32]) {
  struct asz_fe y = asz_fe_load(encoded), reduced = asz_fe_canonical(y);
  return asz_sig_words_equal(y.v, reduced.v);
}

/* asz_sig_hash: SHA-512(R || A || M) mod L; message_bytes 0..ASZ_SIG_MESSAGE_MAX, so that one or two blocks hold it: 64 bytes of
 * points, the message, the end bit, zeros, and the length in bits (its upper 14 bytes are always 0). */
ASZ_HD struct asz_sc asz_sig_hash(const uint8_t r[32], const uint8_t public_key[32], const uint8_t *message,
                                  unsigned message_bytes) {
  uint8_t block[256];
  unsigned total = 64 + message_bytes, padded = total + 17 > 128 ? 256 : 128;
  for (unsigned i = 0; i < 32; i++) {
    block[i] = r[i];
    block[32 + i] = public_key[i];
  }
  for (unsigned i = 0; i < message_bytes; i++)
    block[64 + i] = message[i];
  block[total] = 0x80;
  for (unsigned i = total + 1; i < padded - 2; i++)
    block[i] = 0;
  block[padded - 2] = (uint8_t)(total * 8 >> 8);
  block[padded - 1] = (uint8_t)(total * 8);

  uint64_t state[8];
  asz_sha512_init(state);
  for (unsigned at = 0; at < padded; at += 128)
    asz_sha512_block(state, block + at);

  /* The digest's bytes are big-endian words, the number that they stand for is little-endian. */
  uint32_t words[16];
  for (size_t i = 0; i < 8; i++) {
    uint8_t digest[8];
    asz_hd_be32_store(digest, (uint32_t)(state[i] >> 32));
    asz_hd_be32_store(digest + 4, (uint32_t)state[i]);
    words[2 * i] = asz_hd_le32_load(digest);
    words[2 * i + 1] = asz_hd_le32_load(digest + 4);
  }
  return asz_sc_reduce(words);
}

/* asz_sig_sum: [S]B - [h]A of one item of a batch, for ret_sum, with ASZ_VERDICT_NONE; or, with ret_sum untouched, the verdict
 * (enum asz_verdict) of an item that rules 1 to 3 decide. Reads message_bytes bytes of message, none if MALFORMED. */
ASZ_HD uint8_t asz_sig_sum(struct asz_ge *ret_sum, const uint8_t public_key[32], const uint8_t signature[64],
                           const uint8_t *message, unsigned message_bytes) {
  if (message_bytes > ASZ_SIG_MESSAGE_MAX)
    return ASZ_VERDICT_MALFORMED;
  struct asz_sc s = asz_sc_load(signature + 32);
  struct asz_ge a;
  if (!asz_sc_is_canonical(s) || asz_sig_has_small_order(signature) || !asz_sig_has_canonical_y(public_key) ||
      asz_sig_has_small_order(public_key) || !asz_ge_decode(&a, public_key))
    return ASZ_VERDICT_FAIL;
  struct asz_sc h = asz_sig_hash(signature, public_key, message, message_bytes);
  *ret_sum = asz_ge_double_scalar(s, h, asz_ge_neg(a));
  return ASZ_VERDICT_NONE;
}

/* asz_sig_judge: the verdict on one item of a batch, all by itself. */
ASZ_HD uint8_t asz_sig_judge(const uint8_t public_key[32], const uint8_t signature[64], const uint8_t *message,
                             unsigned message_bytes) {
  struct asz_ge sum;
  uint8_t verdict = asz_sig_sum(&sum, public_key, signature, message, message_bytes), encoded[32];
  if (verdict != ASZ_VERDICT_NONE)
    return verdict;
  asz_ge_encode(encoded, sum);
  for (int i = 0; i < 32; i++)
    if (encoded[i] != signature[i])
      return ASZ_VERDICT_FAIL;
  return ASZ_VERDICT_PASS;
}

#if !defined(__CUDACC__)
/* Known answers, hexadecimal. The four of RFC 8032 are from its section 7.1, the speccheck ones from the public suite of that
 * name (ed25519-speccheck, cases.json). Every other line holds the equation of some laxer rule, so only the rules above tell them
 * apart; the verdicts are those of libsodium 1.0.18 itself. */
struct asz_sig_known {
  const char *name;
  uint8_t verdict; /* enum asz_verdict */
  const char *public_key, *signature, *message;
};
ASZ_HD_TABLE struct asz_sig_known asz_sig_known_answers[] = {
    {"RFC 8032 7.1 test 1", ASZ_VERDICT_PASS, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
     ""},
    {"RFC 8032 7.1 test 2", ASZ_VERDICT_PASS, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     "72"},
    {"RFC 8032 7.1 test 3", ASZ_VERDICT_PASS, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
     "af82"},
    {"RFC 8032 7.1 test SHA(abc)", ASZ_VERDICT_PASS, "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"test 3 with S + L", ASZ_VERDICT_FAIL, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "05d391b0a77904e98404ef037747a56e4a7c15e9716ed28dc027beceea1ec41a",
     "af82"},
    {"test 3 with a bit of the message flipped", ASZ_VERDICT_FAIL,
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
     "af83"},
    {"test 3 with a bit of R flipped", ASZ_VERDICT_FAIL, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "6391d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
     "af82"},
    {"speccheck 3: A of mixed order, the equation holds", ASZ_VERDICT_PASS,
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79"},
    {"speccheck 4: A of mixed order, holds only times the cofactor", ASZ_VERDICT_FAIL,
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c"},
    {"A neutral, R = B, S = 1: holds for every message", ASZ_VERDICT_FAIL,
     "0100000000000000000000000000000000000000000000000000000000000000",
     "5866666666666666666666666666666666666666666666666666666666666666"
     "0100000000000000000000000000000000000000000000000000000000000000",
     "2a"},
    {"A neutral written as p + 1", ASZ_VERDICT_FAIL, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "5866666666666666666666666666666666666666666666666666666666666666"
     "0100000000000000000000000000000000000000000000000000000000000000",
     "2a"},
    {"R neutral, S = h a: holds, made by the owner of A", ASZ_VERDICT_FAIL,
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "89653588ead4771e2326253c8cc167ed5f891f0c238314c9d136bb6e54f2f206",
     "af82"},
};
enum { ASZ_SIG_KNOWN_COUNT = sizeof asz_sig_known_answers / sizeof asz_sig_known_answers[0] };
#endif

#endif
