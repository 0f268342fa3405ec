/* SPDX-License-Identifier: Apache-2.0 */
/* Writing bundles and envelopes.
 *
 * A bundle is {magic, body, signature} with the body as one byte string: the signature is over bytes, and no reader has to encode
 * anything again to check it. The bundle's SHA-256 is its address and what the log entry names. No buffer is larger than what a
 * reader takes, so that what is built can be read. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "control/evidence/strict_cbor.h"
#include "control/score/score.h"
#include "control/tlog/note.h"

void asz_accusation_bytes(uint8_t ret_bytes[ASZ_ACCUSATION_BYTES], const uint8_t *body, size_t body_bytes) {
  static const char domain[18] = "assize/1/evidence"; /* its NUL ends it */
  memcpy(ret_bytes, domain, sizeof domain);
  crypto_hash_sha256(ret_bytes + sizeof domain, body, body_bytes);
}

static void put_inclusion(struct asz_cbor_writer *writer, unsigned key, const struct asz_inclusion *inclusion) {
  assert(inclusion->path_count <= ASZ_TLOG_PROOF_MAX);
  asz_cbor_put_uint(writer, key);
  asz_cbor_put_map(writer, ASZ_INCLUSION_PAIRS);
  asz_cbor_pair_uint(writer, 0, inclusion->index);
  asz_cbor_pair_uint(writer, 1, inclusion->tree_size);
  asz_cbor_put_uint(writer, 2);
  asz_cbor_put_array(writer, inclusion->path_count);
  for (size_t i = 0; i < inclusion->path_count; i++)
    asz_cbor_put_bytes(writer, inclusion->path[i], 32);
}

static void put_transcript(struct asz_cbor_writer *writer, const struct asz_transcript *t) {
  asz_cbor_put_map(writer, ASZ_TRANSCRIPT_PAIRS);
  asz_cbor_pair_uint(writer, 0, t->epoch);
  asz_cbor_pair_uint(writer, 1, t->slot);
  asz_cbor_pair_uint(writer, 2, t->tx_ns);
  asz_cbor_pair_uint(writer, 3, t->rx_ns);
  asz_cbor_pair_uint(writer, 4, t->clock_error_ns);
  asz_cbor_pair_bytes(writer, 5, t->secret, 32);
  asz_cbor_pair_bytes(writer, 6, t->open_entry, t->open_entry_bytes);
  put_inclusion(writer, 7, &t->open_inclusion);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    asz_cbor_pair_bytes(writer, 8 + i, t->exchange.piece[i].data, t->exchange.piece[i].size_bytes);
}

/* S1: the e-process and the answers that made it fire. */
static void put_wrong(struct asz_cbor_writer *writer, const struct asz_evidence *e) {
  asz_cbor_put_map(writer, ASZ_WRONG_PAIRS);
  asz_cbor_pair_uint(writer, 0, e->slot_first);
  asz_cbor_pair_uint(writer, 1, e->slot_last);
  asz_cbor_pair_uint(writer, 2, e->e_value_q32);
  asz_cbor_put_uint(writer, 3);
  asz_cbor_put_array(writer, e->transcript_count);
  for (size_t i = 0; i < e->transcript_count; i++)
    put_transcript(writer, &e->transcript[i]);
}

/* S3: what was measured, and that it is what was logged. */
static void put_silent(struct asz_cbor_writer *writer, const struct asz_evidence *e) {
  asz_cbor_put_map(writer, ASZ_SILENT_PAIRS);
  asz_cbor_pair_bytes(writer, 0, e->record, ASZ_RECORD_BYTES);
  put_inclusion(writer, 1, &e->record_inclusion);
  asz_cbor_pair_bytes(writer, 2, e->close_entry, e->close_entry_bytes);
  put_inclusion(writer, 3, &e->close_inclusion);
}

static void put_body(struct asz_cbor_writer *writer, const struct asz_evidence *e) {
  asz_cbor_put_map(writer, ASZ_BODY_PAIRS);
  asz_cbor_pair_uint(writer, 0, ASZ_EVIDENCE_VERSION);
  asz_cbor_pair_uint(writer, 1, e->offence);
  asz_cbor_put_uint(writer, 2);
  asz_cbor_put_map(writer, ASZ_ACCUSED_PAIRS);
  asz_cbor_pair_text(writer, 0, e->provider_name);
  asz_cbor_pair_bytes(writer, 1, e->provider_pk, 32);
  asz_cbor_pair_uint(writer, 2, e->device);
  if (e->ipv4 != 0)
    asz_cbor_pair_uint(writer, 3, e->ipv4);
  else
    asz_cbor_pair_bytes(writer, 3, e->ipv6, sizeof e->ipv6);
  asz_cbor_put_uint(writer, 3);
  asz_cbor_put_map(writer, ASZ_ACCUSER_PAIRS);
  asz_cbor_pair_bytes(writer, 0, e->validator_pk, 32);
  asz_cbor_pair_text(writer, 1, e->origin);
  asz_cbor_pair_uint(writer, 4, e->epoch_first);
  asz_cbor_pair_uint(writer, 5, e->epoch_last);
  asz_cbor_pair_uint(writer, 6, e->decided_ns);
  asz_cbor_pair_bytes(writer, 7, e->params_hash, 32);
  asz_cbor_pair_uint(writer, 8, e->stake_bps);
  asz_cbor_pair_uint(writer, 9, e->jail_ns);
  asz_cbor_pair_text(writer, 10, e->reason);
  asz_cbor_pair_text(writer, 11, e->checkpoint);
  asz_cbor_put_uint(writer, 12);
  if (e->offence == ASZ_OFFENCE_S1)
    put_wrong(writer, e);
  else
    put_silent(writer, e);
}

static void assert_well_formed(const struct asz_evidence *e, const struct asz_identity *accuser) {
  assert(e->offence == ASZ_OFFENCE_S1 || e->offence == ASZ_OFFENCE_S3);
  assert(memcmp(e->validator_pk, accuser->public_key, 32) == 0);
  assert(asz_text_ok(e->provider_name, strlen(e->provider_name), "") && asz_text_ok(e->reason, strlen(e->reason), ""));
  assert(asz_key_name_ok(e->origin, strlen(e->origin)));
  assert(e->checkpoint && strlen(e->checkpoint) < ASZ_TLOG_CHECKPOINT_MAX);
  assert(e->transcript_count <= ASZ_EVIDENCE_TRANSCRIPTS_MAX);
  assert(e->offence == ASZ_OFFENCE_S1 ? e->transcript_count > 0 : e->record && e->close_entry);
}

/* Gives the writer's bytes to the caller, or frees them. */
static int finish(struct asz_cbor_writer *writer, uint8_t **ret_bytes, size_t *ret_size) {
  if (writer->err) {
    free(writer->data);
    return writer->err;
  }
  uint8_t *fitted = realloc(writer->data, writer->size);
  *ret_bytes = fitted ? fitted : writer->data;
  *ret_size = writer->size;
  return 0;
}

/* Enough for all that is in it, or as much as a reader takes. */
static size_t capacity_for(const struct asz_evidence *e) {
  enum { INCLUSION_AND_NUMBERS = 4096 };
  size_t bytes = ASZ_BUNDLE_REST_BYTES;
  for (size_t i = 0; i < e->transcript_count; i++)
    bytes += asz_exchange_bytes(&e->transcript[i].exchange) + e->transcript[i].open_entry_bytes + INCLUSION_AND_NUMBERS;
  return bytes < ASZ_BUNDLE_MAX_BYTES ? bytes : ASZ_BUNDLE_MAX_BYTES;
}

int asz_evidence_build(uint8_t **ret_bundle, size_t *ret_size, uint8_t ret_hash[32], const struct asz_evidence *evidence,
                       const struct asz_identity *accuser) {
  assert_well_formed(evidence, accuser);
  size_t capacity = capacity_for(evidence);
  struct asz_cbor_writer body = {.data = malloc(capacity), .capacity = capacity};
  struct asz_cbor_writer bundle = {.data = malloc(capacity), .capacity = capacity};
  int err = body.data && bundle.data ? 0 : ASZ_ENOMEM;
  if (!err) {
    put_body(&body, evidence);
    err = body.err;
  }
  if (err) {
    free(body.data);
    free(bundle.data);
    return err;
  }
  uint8_t signed_bytes[ASZ_ACCUSATION_BYTES], signature[64];
  asz_accusation_bytes(signed_bytes, body.data, body.size);
  crypto_sign_detached(signature, NULL, signed_bytes, sizeof signed_bytes, accuser->secret_key);
  asz_cbor_put_map(&bundle, ASZ_BUNDLE_PAIRS);
  asz_cbor_pair_text(&bundle, 0, ASZ_BUNDLE_MAGIC);
  asz_cbor_pair_bytes(&bundle, 1, body.data, body.size);
  asz_cbor_pair_bytes(&bundle, 2, signature, sizeof signature);
  free(body.data);
  err = finish(&bundle, ret_bundle, ret_size);
  if (!err)
    crypto_hash_sha256(ret_hash, *ret_bundle, *ret_size);
  return err;
}

int asz_evidence_envelope(uint8_t **ret_file, size_t *ret_size, const uint8_t *bundle, size_t bundle_bytes, const uint8_t *entry,
                          size_t entry_bytes, const struct asz_inclusion *inclusion, const char *checkpoint) {
  size_t capacity = bundle_bytes < ASZ_BUNDLE_MAX_BYTES ? bundle_bytes + ASZ_BUNDLE_REST_BYTES : ASZ_EVIDENCE_MAX_BYTES;
  struct asz_cbor_writer file = {.data = malloc(capacity), .capacity = capacity};
  if (!file.data)
    return ASZ_ENOMEM;
  asz_cbor_put_map(&file, ASZ_ENVELOPE_PAIRS);
  asz_cbor_pair_text(&file, 0, ASZ_ENVELOPE_MAGIC);
  asz_cbor_pair_bytes(&file, 1, bundle, bundle_bytes);
  asz_cbor_pair_bytes(&file, 2, entry, entry_bytes);
  put_inclusion(&file, 3, inclusion);
  asz_cbor_pair_text(&file, 4, checkpoint);
  return finish(&file, ret_file, ret_size);
}
