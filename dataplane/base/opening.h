/* SPDX-License-Identifier: Apache-2.0 */
/* asz_opening: OPEN and OPENING: what a gemm or mem answer committed to is shown, k columns of it, in as many datagrams as it
 * takes.
 *
 * OPEN (validator -> provider), 128 bytes, big-endian:
 *   head: type 5, else as in the challenge | 32 nonce(16) of the challenge | 48 token(16) of a WELCOME | 64 rho(32), which picks
 *   the columns | 96 first chunk(2) | 98 chunk count(2), 1..32 | 100 openings k(1), 1..32 | 101 zeros(11) | 112 MAC(16) over
 * bytes 0..112 under the session's request key OPENING (provider -> validator), 72 bytes and up to 1,104 of data: head: type 6,
 * the provider's id, else as in the challenge | 32 nonce(16) | 48 chunk(2) | 50 chunks(2) | 52 total bytes(4) | 56 data: bytes
 * 1,104 * chunk and on of the blob, all chunks but the last one full | MAC(16) over all before it under the reply key
 *
 *   blob   = k openings, each of the size that kind and preset fix || signature(64)
 *   signed = "assize/1/opening" || kind(1) || param(1) || epoch BE32 || slot BE64 || device BE32 || seed(32) ||
 *            BLAKE2b-256(rho || k(1) || body of the answer || openings)(32) = 98 bytes
 *
 * The replies are larger than their request, so a provider sends them only to whom the token says, and at most `chunk count` of
 * them. A MAC is no evidence: a wrong opening counts against its provider only under its signature. */
#ifndef ASZ_DATAPLANE_BASE_OPENING_H
#define ASZ_DATAPLANE_BASE_OPENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/err.h"

enum {
  ASZ_OPEN_BYTES = 128,
  ASZ_OPEN_MAC_AT = 112,
  ASZ_OPEN_CHUNKS_MAX = 32, /* chunks that one OPEN asks for */
  ASZ_OPENINGS_MAX = 32,    /* columns */
  ASZ_CHUNK_AT = 56,
  ASZ_CHUNK_BYTES = 1104,
  ASZ_OPENING_CHUNKS_MAX = 256, /* of any blob */
  ASZ_OPENING_TOTAL_MAX = ASZ_OPENING_CHUNKS_MAX * ASZ_CHUNK_BYTES,
};

struct asz_open {
  uint8_t kind, param, openings;
  uint16_t first_chunk, chunk_count;
  uint32_t epoch, device;
  uint64_t slot;
  uint8_t validator_id[8];
  uint8_t nonce[ASZ_NONCE_BYTES];
  uint8_t token[ASZ_TOKEN_BYTES];
  uint8_t rho[32];
};

/* Points into the datagram. */
struct asz_opening_chunk {
  uint8_t kind, param;
  uint16_t chunk, chunks;
  uint32_t epoch, device, total_bytes;
  uint64_t slot;
  const uint8_t *provider_id; /* 8 */
  const uint8_t *nonce;       /* 16 */
  const uint8_t *data;
  size_t data_bytes;
  const uint8_t *mac; /* 16, the last bytes */
};

/* asz_opening_bytes: size of one opening; 0 unless kind is gemm or mem and param valid. asz_opening_total_bytes: of the blob of
 * that many, 0 also when openings is not 1..ASZ_OPENINGS_MAX. asz_opening_chunks: how many chunks carry that many bytes. */
size_t asz_opening_bytes(unsigned kind, unsigned param);
size_t asz_opening_total_bytes(unsigned kind, unsigned param, unsigned openings);
unsigned asz_opening_chunks(size_t total_bytes);

/* asz_open_write: what is asked must be valid (asserted). */
void asz_open_write(uint8_t ret_datagram[ASZ_OPEN_BYTES], const struct asz_open *open, const uint8_t request_key[16]);
/* asz_open_read checks size, head, counts and zeros, not MAC or token; the first chunk is one that there is, the last one may be
 * past the end. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_open_read(struct asz_open *ret_open, const uint8_t *datagram, size_t size_bytes);

void asz_opening_signed_bytes(uint8_t ret_signed[ASZ_SIGNED_BYTES], const struct asz_open *open, const uint8_t seed[32],
                              const uint8_t *body, size_t body_bytes, const uint8_t *openings, size_t openings_bytes);

/* asz_opening_write makes chunk `chunk` of the blob of what was asked; returns its size, at most ASZ_DATAGRAM_MAX_BYTES. */
size_t asz_opening_write(uint8_t *ret_datagram, const struct asz_open *open, const uint8_t provider_id[8], const uint8_t *blob,
                         unsigned chunk, const uint8_t reply_key[16]);
/* asz_opening_read checks all sizes and numbers against each other and against kind and preset, not the MAC. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_opening_read(struct asz_opening_chunk *ret_chunk, const uint8_t *datagram, size_t size_bytes);
/* asz_opening_answers: is the chunk of what was asked (kind, param, epoch, slot, device, nonce, number of openings)? */
bool asz_opening_answers(const struct asz_opening_chunk *chunk, const struct asz_open *open);

/* asz_reassembly: chunks in any order, any number of times, become the blob. The first copy of a chunk stays. */
struct asz_reassembly {
  uint8_t *blob; /* the caller's, total_bytes of it */
  uint32_t total_bytes;
  uint16_t chunks, missing;
  uint64_t have[ASZ_OPENING_CHUNKS_MAX / 64];
};

/* asz_reassembly_init: blob has asz_opening_total_bytes of what was asked, which must be valid (asserted). */
void asz_reassembly_init(struct asz_reassembly *ret_reassembly, uint8_t *blob, const struct asz_open *open);
/* asz_reassembly_add: a chunk that asz_opening_read took. ASZ_EEXIST: it was there before; ASZ_EFORMAT: of a blob of other size.
 */
ASZ_MUST_CHECK int asz_reassembly_add(struct asz_reassembly *reassembly, const struct asz_opening_chunk *chunk);
static inline bool asz_reassembly_complete(const struct asz_reassembly *reassembly) {
  return reassembly->missing == 0;
}
/* asz_reassembly_missing: the next run of chunks to ask for, from chunk `from` on: *ret_first and how many (1..
 * ASZ_OPEN_CHUNKS_MAX); 0 when none is missing there. */
unsigned asz_reassembly_missing(const struct asz_reassembly *reassembly, unsigned from, uint16_t *ret_first);

#endif
