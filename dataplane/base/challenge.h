/* SPDX-License-Identifier: Apache-2.0 */
/* asz_challenge: the datagrams of the challenges `sig` and `seq`, their seed, and what a provider signs.
 *
 * Challenge (validator -> provider), big-endian, padded with zeros to the size of its answer, so that nothing is amplified:
 *   0 "ASZC"(4) | 4 version 1(1) | 5 type 1(1) | 6 kind(1) | 7 log2_steps(1; seq: 5..24, sig: 0) | 8 epoch(4) | 12 slot(8) | 20
 * device(4) | 24 validator short id(8) | 32 beacon(32) | 64 nonce(16) | 80 MAC(16) over bytes 0..80 under the session's request
 * key | 96 zeros Answer (provider -> validator): 0 "ASZC" | 4 version | 5 type 2 | 6 kind | 7 log2_steps | 8 epoch | 12 slot | 20
 * device | 24 provider short id(8) | 32 nonce(16) | 48 body: nothing for sig (0 bytes), 32 checkpoints of 32 bytes for seq (1,024
 * bytes) | signature(64) | MAC(16) over everything before it under the session's reply key sig: 128 bytes, seq: 1,152 bytes.
 *
 *   seed   = BLAKE2b-256(key = "assize/1/" kind name, beacon || validator pk || provider pk || device BE32 || slot BE64 || nonce)
 *   signed = "assize/1/answer" NUL (16) || kind(1) || log2_steps(1) || epoch BE32 || slot BE64 || device BE32 || seed(32) ||
 *            BLAKE2b-256(body)(32) = 98 bytes, under the 175 that keep SHA-512 at two blocks
 *   seq    : x_0 = seed, x_{i+1} = SHA-256(x_i); checkpoint j (1..32) is x_{j * 2^log2_steps / 32}
 *
 * A MAC'd but unsigned or badly signed answer proves nothing about the provider (the validator holds the MAC key too): MALFORMED,
 * never FAIL. */
#ifndef ASZ_DATAPLANE_BASE_CHALLENGE_H
#define ASZ_DATAPLANE_BASE_CHALLENGE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/session.h"

/* X(symbol, value on the wire, name, answer body bytes) */
#define ASZ_KIND_LIST(X)                                                                                                         \
  X(SIG, 1, "sig", 0)                                                                                                            \
  X(SEQ, 2, "seq", 1024)

enum asz_kind {
#define ASZ_KIND_ENUM(symbol, value, name, body) ASZ_KIND_##symbol = value,
  ASZ_KIND_LIST(ASZ_KIND_ENUM)
#undef ASZ_KIND_ENUM
};
enum { ASZ_KIND_MAX = 2 };

enum {
  ASZ_CHALLENGE_PORT = 8620,
  ASZ_CHALLENGE_HEAD_BYTES = 96,
  ASZ_CHALLENGE_MAC_AT = 80,
  ASZ_ANSWER_HEAD_BYTES = 48,
  ASZ_ANSWER_MAX_BYTES = 1152,
  ASZ_DATAGRAM_MAX_BYTES = 1200,
  ASZ_SEQ_CHECKPOINTS = 32,
  ASZ_SEQ_LOG2_MIN = 5,
  ASZ_SEQ_LOG2_MAX = 24,
  ASZ_SIGNED_BYTES = 98,
  ASZ_NONCE_BYTES = 16,
};

struct asz_challenge {
  uint8_t kind; /* enum asz_kind */
  uint8_t log2_steps;
  uint32_t epoch;
  uint64_t slot; /* correctness slot number since 1970: unix time / slot length */
  uint32_t device;
  uint8_t validator_id[8];
  uint8_t beacon[32];
  uint8_t nonce[16];
};

/* A parsed answer points into the datagram. */
struct asz_answer {
  uint8_t kind;
  uint8_t log2_steps;
  uint32_t epoch;
  uint64_t slot;
  uint32_t device;
  const uint8_t *provider_id; /* 8 */
  const uint8_t *nonce;       /* 16 */
  const uint8_t *body;
  size_t body_bytes;
  const uint8_t *signature; /* 64 */
  const uint8_t *mac;       /* 16, the last bytes */
};

/* asz_kind_name: "sig", "seq"; NULL for an unknown kind. asz_kind_from_name: 0 when unknown. */
const char *asz_kind_name(unsigned kind);
unsigned asz_kind_from_name(const char *name);
/* asz_answer_bytes: size of an answer (and so of its challenge) of a kind; 0 for an unknown kind. */
size_t asz_answer_bytes(unsigned kind);

/* asz_challenge_write writes asz_answer_bytes(kind) bytes, sealed; returns that size. The challenge must be valid (asserted). */
size_t asz_challenge_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t request_key[16]);
/* asz_challenge_read checks size, magic, version, type, kind, steps and zero padding, not the MAC. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_challenge_read(struct asz_challenge *ret_challenge, const uint8_t *datagram, size_t size_bytes);

/* asz_answer_write lays out head, body, signature and MAC; body has asz_answer_bytes(kind) - 128 bytes. Returns the size. */
size_t asz_answer_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t provider_id[8],
                        const uint8_t *body, const uint8_t signature[64], const uint8_t reply_key[16]);
/* asz_answer_read checks size, magic, version, type, kind and steps, not MAC or signature. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_answer_read(struct asz_answer *ret_answer, const uint8_t *datagram, size_t size_bytes);

void asz_challenge_seed(uint8_t ret_seed[32], const struct asz_challenge *challenge, const uint8_t validator_pk[32],
                        const uint8_t provider_pk[32]);
void asz_answer_signed_bytes(uint8_t ret_signed[ASZ_SIGNED_BYTES], unsigned kind, unsigned log2_steps, uint32_t epoch,
                             uint64_t slot, uint32_t device, const uint8_t seed[32], const uint8_t *body, size_t body_bytes);

/* Commit, then reveal. asz_epoch_commitment: BLAKE2b-256("assize/1/commit" || epoch BE32 || secret): logged before the epoch.
 * asz_challenge_nonce: first 16 bytes of BLAKE2b-256(key = secret, "assize/1/nonce" || kind(1) || slot BE64 || device BE32 ||
 * provider pk): fixed by the secret, so nobody can choose it after the fact. */
void asz_epoch_commitment(uint8_t ret_hash[32], uint32_t epoch, const uint8_t secret[32]);
void asz_challenge_nonce(uint8_t ret_nonce[16], const uint8_t secret[32], unsigned kind, uint64_t slot, uint32_t device,
                         const uint8_t provider_pk[32]);

#endif
