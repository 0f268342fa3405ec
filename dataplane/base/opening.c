/* SPDX-License-Identifier: Apache-2.0 */
/* OPEN and OPENING. Every number in a chunk follows from kind, preset and the number of openings, so whatever else it says is
 * refused by the reader, and the reassembler never sees an offset that it did not compute. */
#include "dataplane/base/opening.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/head.h"

enum {
  AT_NONCE = ASZ_HEAD_BYTES,
  /* OPEN */
  AT_TOKEN = 48,
  AT_RHO = 64,
  AT_FIRST = 96,
  AT_COUNT = 98,
  AT_OPENINGS = 100,
  AT_ZEROS = 101,
  /* OPENING */
  AT_CHUNK = 48,
  AT_CHUNKS = 50,
  AT_TOTAL = 52,

  FOLD_COLUMNS = 64, /* of a leaf over folds */
};
_Static_assert((int)ASZ_CHUNK_AT + (int)ASZ_CHUNK_BYTES + (int)ASZ_MAC_BYTES <= (int)ASZ_DATAGRAM_MAX_BYTES,
               "a chunk fits a datagram");
_Static_assert((int)ASZ_OPEN_MAC_AT + (int)ASZ_MAC_BYTES == (int)ASZ_OPEN_BYTES, "the MAC ends an OPEN");

/* t, j, two roots; the column; paths of the column in its step, of the step, of the step before. */
#define GEMM_BYTES(n, m, t) (72 + 4 * (n) + 32 * (__builtin_ctz(m) + 2 * __builtin_ctz(t)))
/* and the folds of the column's group, with their path. */
#define FOLD_BYTES(n, m, t) (GEMM_BYTES(n, m, t) + 8 * FOLD_COLUMNS + 32 * __builtin_ctz((m) / FOLD_COLUMNS * (t)))
#define ASSERT_PRESET_FITS(symbol, value, name, n, k, m, t)                                                                      \
  _Static_assert((int)ASZ_OPENINGS_MAX * FOLD_BYTES(n, m, t) + (int)ASZ_SIG_BYTES <= (int)ASZ_OPENING_TOTAL_MAX,                 \
                 name " fits the chunks");
ASZ_GEMM_PRESET_LIST(ASSERT_PRESET_FITS)
#undef ASSERT_PRESET_FITS

size_t asz_opening_bytes(unsigned kind, unsigned param) {
  if ((kind != ASZ_KIND_GEMM && kind != ASZ_KIND_MEM) || !asz_param_valid(kind, param))
    return 0;
  const struct asz_preset *p = asz_preset_of(asz_param_preset(param));
  return asz_param_is_fold(kind, param) ? FOLD_BYTES((size_t)p->n, p->m, p->t) : GEMM_BYTES((size_t)p->n, p->m, p->t);
}

size_t asz_opening_total_bytes(unsigned kind, unsigned param, unsigned openings) {
  const size_t bytes = asz_opening_bytes(kind, param);
  return bytes == 0 || openings < 1 || openings > ASZ_OPENINGS_MAX ? 0 : openings * bytes + ASZ_SIG_BYTES;
}

unsigned asz_opening_chunks(size_t total_bytes) {
  return (unsigned)((total_bytes + ASZ_CHUNK_BYTES - 1) / ASZ_CHUNK_BYTES);
}

static void head_write(uint8_t *datagram, enum asz_message type, const struct asz_open *open, const uint8_t sender_id[8]) {
  struct asz_head head = {.type = (uint8_t)type,
                          .kind = open->kind,
                          .param = open->param,
                          .epoch = open->epoch,
                          .slot = open->slot,
                          .device = open->device};
  memcpy(head.sender_id, sender_id, sizeof head.sender_id);
  asz_head_write(datagram, &head);
}

static bool open_valid(const struct asz_open *open) {
  const size_t total_bytes = asz_opening_total_bytes(open->kind, open->param, open->openings);
  return total_bytes != 0 && open->chunk_count >= 1 && open->chunk_count <= ASZ_OPEN_CHUNKS_MAX &&
         open->first_chunk < asz_opening_chunks(total_bytes);
}

void asz_open_write(uint8_t ret_datagram[ASZ_OPEN_BYTES], const struct asz_open *open, const uint8_t request_key[16]) {
  assert(open_valid(open));
  memset(ret_datagram, 0, ASZ_OPEN_BYTES);
  head_write(ret_datagram, ASZ_MESSAGE_OPEN, open, open->validator_id);
  memcpy(ret_datagram + AT_NONCE, open->nonce, sizeof open->nonce);
  memcpy(ret_datagram + AT_TOKEN, open->token, sizeof open->token);
  memcpy(ret_datagram + AT_RHO, open->rho, sizeof open->rho);
  asz_be16_store(ret_datagram + AT_FIRST, open->first_chunk);
  asz_be16_store(ret_datagram + AT_COUNT, open->chunk_count);
  ret_datagram[AT_OPENINGS] = open->openings;
  asz_mac_make(ret_datagram + ASZ_OPEN_MAC_AT, request_key, ret_datagram, ASZ_OPEN_MAC_AT);
}

int asz_open_read(struct asz_open *ret_open, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (size_bytes != ASZ_OPEN_BYTES || asz_head_read(&head, datagram, size_bytes) != ASZ_OK || head.type != ASZ_MESSAGE_OPEN ||
      !sodium_is_zero(datagram + AT_ZEROS, ASZ_OPEN_MAC_AT - AT_ZEROS))
    return ASZ_EFORMAT;
  struct asz_open open = {
      .kind = head.kind,
      .param = head.param,
      .openings = datagram[AT_OPENINGS],
      .first_chunk = asz_be16_load(datagram + AT_FIRST),
      .chunk_count = asz_be16_load(datagram + AT_COUNT),
      .epoch = head.epoch,
      .device = head.device,
      .slot = head.slot,
  };
  if (!open_valid(&open))
    return ASZ_EFORMAT;
  memcpy(open.validator_id, head.sender_id, sizeof open.validator_id);
  memcpy(open.nonce, datagram + AT_NONCE, sizeof open.nonce);
  memcpy(open.token, datagram + AT_TOKEN, sizeof open.token);
  memcpy(open.rho, datagram + AT_RHO, sizeof open.rho);
  *ret_open = open;
  return ASZ_OK;
}

void asz_opening_signed_bytes(uint8_t ret_signed[ASZ_SIGNED_BYTES], const struct asz_open *open, const uint8_t seed[32],
                              const uint8_t *body, size_t body_bytes, const uint8_t *openings, size_t openings_bytes) {
  static const uint8_t domain[16] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'o', 'p', 'e', 'n', 'i', 'n', 'g'};
  const struct asz_hash_part parts[] = {
      {open->rho, sizeof open->rho}, {&open->openings, 1}, {body, body_bytes}, {openings, openings_bytes}};
  memcpy(ret_signed, domain, sizeof domain);
  ret_signed[16] = open->kind;
  ret_signed[17] = open->param;
  asz_be32_store(ret_signed + 18, open->epoch);
  asz_be64_store(ret_signed + 22, open->slot);
  asz_be32_store(ret_signed + 30, open->device);
  memcpy(ret_signed + 34, seed, 32);
  asz_hash(ret_signed + 66, NULL, 0, parts, 4);
}

/* Bytes of data in one of a blob's chunks. */
static size_t chunk_bytes(size_t total_bytes, unsigned chunk) {
  const size_t rest = total_bytes - (size_t)chunk * ASZ_CHUNK_BYTES;
  return rest < ASZ_CHUNK_BYTES ? rest : ASZ_CHUNK_BYTES;
}

size_t asz_opening_write(uint8_t *ret_datagram, const struct asz_open *open, const uint8_t provider_id[8], const uint8_t *blob,
                         unsigned chunk, const uint8_t reply_key[16]) {
  const size_t total_bytes = asz_opening_total_bytes(open->kind, open->param, open->openings);
  assert(total_bytes != 0 && chunk < asz_opening_chunks(total_bytes));
  const size_t data_bytes = chunk_bytes(total_bytes, chunk);
  head_write(ret_datagram, ASZ_MESSAGE_OPENING, open, provider_id);
  memcpy(ret_datagram + AT_NONCE, open->nonce, sizeof open->nonce);
  asz_be16_store(ret_datagram + AT_CHUNK, (uint16_t)chunk);
  asz_be16_store(ret_datagram + AT_CHUNKS, (uint16_t)asz_opening_chunks(total_bytes));
  asz_be32_store(ret_datagram + AT_TOTAL, (uint32_t)total_bytes);
  memcpy(ret_datagram + ASZ_CHUNK_AT, blob + (size_t)chunk * ASZ_CHUNK_BYTES, data_bytes);
  asz_mac_make(ret_datagram + ASZ_CHUNK_AT + data_bytes, reply_key, ret_datagram, ASZ_CHUNK_AT + data_bytes);
  return ASZ_CHUNK_AT + data_bytes + ASZ_MAC_BYTES;
}

/* Is there a number of openings that makes a blob of that size? */
static bool total_valid(unsigned kind, unsigned param, size_t total_bytes) {
  const size_t bytes = asz_opening_bytes(kind, param);
  return bytes != 0 && total_bytes > ASZ_SIG_BYTES && (total_bytes - ASZ_SIG_BYTES) % bytes == 0 &&
         (total_bytes - ASZ_SIG_BYTES) / bytes <= ASZ_OPENINGS_MAX;
}

int asz_opening_read(struct asz_opening_chunk *ret_chunk, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (size_bytes < ASZ_CHUNK_AT + ASZ_MAC_BYTES || asz_head_read(&head, datagram, size_bytes) != ASZ_OK ||
      head.type != ASZ_MESSAGE_OPENING)
    return ASZ_EFORMAT;
  struct asz_opening_chunk chunk = {
      .kind = head.kind,
      .param = head.param,
      .chunk = asz_be16_load(datagram + AT_CHUNK),
      .chunks = asz_be16_load(datagram + AT_CHUNKS),
      .epoch = head.epoch,
      .device = head.device,
      .total_bytes = asz_be32_load(datagram + AT_TOTAL),
      .slot = head.slot,
      .provider_id = datagram + ASZ_HEAD_BYTES - ASZ_ID_BYTES, /* the last of the head */
      .nonce = datagram + AT_NONCE,
      .data = datagram + ASZ_CHUNK_AT,
      .data_bytes = size_bytes - ASZ_CHUNK_AT - ASZ_MAC_BYTES,
      .mac = datagram + size_bytes - ASZ_MAC_BYTES,
  };
  if (!total_valid(chunk.kind, chunk.param, chunk.total_bytes) || chunk.chunks != asz_opening_chunks(chunk.total_bytes) ||
      chunk.chunk >= chunk.chunks || chunk.data_bytes != chunk_bytes(chunk.total_bytes, chunk.chunk))
    return ASZ_EFORMAT;
  *ret_chunk = chunk;
  return ASZ_OK;
}

bool asz_opening_answers(const struct asz_opening_chunk *chunk, const struct asz_open *open) {
  return chunk->kind == open->kind && chunk->param == open->param && chunk->epoch == open->epoch && chunk->slot == open->slot &&
         chunk->device == open->device && memcmp(chunk->nonce, open->nonce, sizeof open->nonce) == 0 &&
         chunk->total_bytes == asz_opening_total_bytes(open->kind, open->param, open->openings);
}

void asz_reassembly_init(struct asz_reassembly *ret_reassembly, uint8_t *blob, const struct asz_open *open) {
  const size_t total_bytes = asz_opening_total_bytes(open->kind, open->param, open->openings);
  assert(total_bytes != 0);
  const uint16_t chunks = (uint16_t)asz_opening_chunks(total_bytes);
  *ret_reassembly =
      (struct asz_reassembly){.blob = blob, .total_bytes = (uint32_t)total_bytes, .chunks = chunks, .missing = chunks};
}

static bool have(const struct asz_reassembly *reassembly, unsigned chunk) {
  return reassembly->have[chunk / 64] >> chunk % 64 & 1;
}

int asz_reassembly_add(struct asz_reassembly *reassembly, const struct asz_opening_chunk *chunk) {
  if (chunk->total_bytes != reassembly->total_bytes)
    return ASZ_EFORMAT;
  if (have(reassembly, chunk->chunk))
    return ASZ_EEXIST;
  memcpy(reassembly->blob + (size_t)chunk->chunk * ASZ_CHUNK_BYTES, chunk->data, chunk->data_bytes);
  reassembly->have[chunk->chunk / 64] |= UINT64_C(1) << chunk->chunk % 64;
  reassembly->missing--;
  return ASZ_OK;
}

unsigned asz_reassembly_missing(const struct asz_reassembly *reassembly, unsigned from, uint16_t *ret_first) {
  while (from < reassembly->chunks && have(reassembly, from))
    from++;
  unsigned count = 0;
  while (count < ASZ_OPEN_CHUNKS_MAX && from + count < reassembly->chunks && !have(reassembly, from + count))
    count++;
  if (count > 0)
    *ret_first = (uint16_t)from;
  return count;
}
