/* SPDX-License-Identifier: Apache-2.0 */
/* asz_challenge: the datagrams of a challenge and of its timed answer, their seed, and what a provider signs.
 *
 * Each opens with the head that all messages of the challenge port share (head.h). The others are HELLO and WELCOME (enrol.h),
 * OPEN and OPENING (opening.h), ASK and RECEIPT (receipt.h).
 *
 * Challenge (validator -> provider), padded with zeros to the size of its answer, so that nothing is amplified:
 *   head | 32 beacon(32) | 64 nonce(16) | 80 MAC(16) over bytes 0..80 under the session's request key | 96 zeros
 * Answer (provider -> validator):
 *   head | 32 nonce(16) | 48 body | signature(64) | MAC(16) over everything before it under the session's reply key
 *
 *   kind | param                                        | body
 *   sig  | 0                                            | 0 bytes
 *   seq  | log2 of steps, 5..24                         | 32 checkpoints of 32 bytes
 *   gemm | a preset                                     | 32: root over all products: a commitment, opened later (opening.h)
 *   mem  | a preset: build the arena                    | 64: the arena's root(32), zeros(32)
 *   mem  | a preset | ASZ_MEM_FOLD: fold the last arena | 64: the arena's root(32), root over the folds(32)
 *
 *   seed   = BLAKE2b-256(key = "assize/1/" kind name, beacon || validator pk || provider pk || device BE32 || slot BE64 || nonce)
 *   signed = "assize/1/answer" NUL (16) || kind(1) || param(1) || epoch BE32 || slot BE64 || device BE32 || seed(32) ||
 *            BLAKE2b-256(body)(32) = 98 bytes, under the 175 that keep SHA-512 at two blocks
 *   seq    : x_0 = seed, x_{i+1} = SHA-256(x_i); checkpoint j (1..32) is x_{j * 2^param / 32}
 *
 * A MAC'd but unsigned or badly signed answer proves nothing about the provider (the validator holds the MAC key too): MALFORMED,
 * never FAIL. */
#ifndef ASZ_DATAPLANE_BASE_CHALLENGE_H
#define ASZ_DATAPLANE_BASE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"
#include "dataplane/base/session.h"

/* X(symbol, value on the wire, name, answer body bytes) */
#define ASZ_KIND_LIST(X)                                                                                                         \
  X(SIG, 1, "sig", 0)                                                                                                            \
  X(SEQ, 2, "seq", 1024)                                                                                                         \
  X(GEMM, 3, "gemm", 32)                                                                                                         \
  X(MEM, 4, "mem", 64)

enum asz_kind {
#define ASZ_KIND_ENUM(symbol, value, name, body) ASZ_KIND_##symbol = value,
  ASZ_KIND_LIST(ASZ_KIND_ENUM)
#undef ASZ_KIND_ENUM
};
enum {
  ASZ_KIND_MAX = 4,
  /* 1..this: judged by their answer alone. The others only commit in it, and open later. */
  ASZ_KIND_SINGLE_MAX = ASZ_KIND_SEQ,
};

/* Presets of gemm and mem: X(symbol, value on the wire, name, n, k, m, t): A has n rows of k, each of the t matrices B has m
 * columns of k, all of them powers of two. An arena of mem keeps 2 bytes of each of the n * m * t results. Values are in the
 * order of their coming: which arena is the larger one asz_mem_covers says. Those named for an arena have k as large as the
 * machines that they are for allow: k / 2 products a byte are what keeps a provider from making again what it did not keep. */
#define ASZ_GEMM_PRESET_LIST(X)                                                                                                  \
  X(TINY, 1, "tiny", 64, 256, 64, 2)                                                                                             \
  X(CPU, 2, "cpu", 256, 4096, 4096, 64)                                                                                          \
  X(GPU, 3, "gpu", 1024, 65536, 8192, 256)                                                                                       \
  X(MEM_1G, 4, "mem-1g", 256, 4096, 4096, 512)                                                                                   \
  X(MEM_16G, 5, "mem-16g", 1024, 65536, 8192, 1024)                                                                              \
  X(MEM_64G, 6, "mem-64g", 1024, 65536, 8192, 4096)

enum asz_gemm_preset {
#define ASZ_GEMM_PRESET_ENUM(symbol, value, name, n, k, m, t) ASZ_GEMM_PRESET_##symbol = value,
  ASZ_GEMM_PRESET_LIST(ASZ_GEMM_PRESET_ENUM)
#undef ASZ_GEMM_PRESET_ENUM
};
enum { ASZ_GEMM_PRESET_MAX = 6, ASZ_MEM_FOLD = 0x80 };

struct asz_preset {
  const char *name;
  uint32_t n, k, m, t;
};

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
  uint8_t kind;  /* enum asz_kind */
  uint8_t param; /* asz_param_valid(kind, param) */
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
  uint8_t param;
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

/* asz_kind_name: "sig", "seq", "gemm", "mem"; NULL for an unknown kind. asz_kind_from_name: 0 when unknown. */
const char *asz_kind_name(unsigned kind);
unsigned asz_kind_from_name(const char *name);
/* asz_answer_bytes: size of an answer (and so of its challenge) of a kind; 0 for an unknown kind. */
size_t asz_answer_bytes(unsigned kind);
/* asz_param_valid: may a message about this kind carry this param? False for an unknown kind. */
bool asz_param_valid(unsigned kind, unsigned param);

/* Of a valid param: asz_param_is_fold: of an arena; asz_param_preset: of gemm and mem, without the bit that makes it a fold. */
static inline bool asz_param_is_fold(unsigned kind, unsigned param) {
  return kind == ASZ_KIND_MEM && (param & ASZ_MEM_FOLD) != 0;
}
static inline unsigned asz_param_preset(unsigned param) {
  return param & ~(unsigned)ASZ_MEM_FOLD;
}

/* asz_preset_of: NULL for an unknown one (an ASZ_MEM_FOLD bit makes it one). asz_preset_from_name: 0 when unknown. */
const struct asz_preset *asz_preset_of(unsigned preset);
unsigned asz_preset_from_name(const char *name);
/* asz_mem_arena_bytes: of a preset's arena; 0 for an unknown preset. asz_mem_covers: does consent to arenas up to that of
 * `largest` cover that of `preset`? False when either is unknown. */
uint64_t asz_mem_arena_bytes(unsigned preset);
bool asz_mem_covers(unsigned largest, unsigned preset);

/* asz_challenge_write writes asz_answer_bytes(kind) bytes, sealed; returns that size. The challenge must be valid (asserted). */
size_t asz_challenge_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t request_key[16]);
/* asz_challenge_read checks size, magic, version, type, kind, param and zero padding, not the MAC. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_challenge_read(struct asz_challenge *ret_challenge, const uint8_t *datagram, size_t size_bytes);

/* asz_answer_write lays out head, body, signature and MAC; body has asz_answer_bytes(kind) - 128 bytes. Returns the size. */
size_t asz_answer_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t provider_id[8],
                        const uint8_t *body, const uint8_t signature[64], const uint8_t reply_key[16]);
/* asz_answer_read checks size, magic, version, type, kind and param, not MAC or signature. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_answer_read(struct asz_answer *ret_answer, const uint8_t *datagram, size_t size_bytes);

void asz_challenge_seed(uint8_t ret_seed[32], const struct asz_challenge *challenge, const uint8_t validator_pk[32],
                        const uint8_t provider_pk[32]);
void asz_answer_signed_bytes(uint8_t ret_signed[ASZ_SIGNED_BYTES], unsigned kind, unsigned param, uint32_t epoch, uint64_t slot,
                             uint32_t device, const uint8_t seed[32], const uint8_t *body, size_t body_bytes);

/* Commit, then reveal. asz_epoch_commitment: BLAKE2b-256("assize/1/commit" || epoch BE32 || secret): logged before the epoch.
 * asz_challenge_nonce: first 16 bytes of BLAKE2b-256(key = secret, "assize/1/nonce" || kind(1) || slot BE64 || device BE32 ||
 * provider pk): fixed by the secret, so nobody can choose it after the fact. */
/* asz_slot_reveal: what decides the columns that are opened, the same for all providers of a slot: BLAKE2b-256(key = secret,
 * "assize/1/reveal" || slot BE64). The providers learn it when every commitment of the slot is in or late; the secret stays. */
void asz_slot_reveal(uint8_t ret_rho[32], const uint8_t secret[32], uint64_t slot);
void asz_epoch_commitment(uint8_t ret_hash[32], uint32_t epoch, const uint8_t secret[32]);
void asz_challenge_nonce(uint8_t ret_nonce[16], const uint8_t secret[32], unsigned kind, uint64_t slot, uint32_t device,
                         const uint8_t provider_pk[32]);

#endif
