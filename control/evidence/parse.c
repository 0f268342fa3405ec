/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the forms that build.c writes, field by field in the same order; nothing is optional, nothing is skipped. */
#include <stdlib.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "control/evidence/strict_cbor.h"
#include "control/score/score.h"

static void expect_magic(struct asz_cbor_reader *reader, const char *magic) {
  char text[32];
  asz_cbor_field_text(reader, 0, "magic", text, sizeof text, 0);
  if (!reader->err && strcmp(text, magic) != 0)
    reader->err = asz_diag_set(reader->diag, ASZ_EFORMAT, "%s: does not start with \"%s\"", reader->what, magic);
}

static void read_inclusion(struct asz_cbor_reader *reader, unsigned key, const char *field, struct asz_inclusion *ret_inclusion) {
  asz_cbor_key(reader, key, field);
  asz_cbor_map(reader, ASZ_INCLUSION_PAIRS);
  ret_inclusion->index = asz_cbor_field_uint(reader, 0, "inclusion index", INT64_MAX);
  ret_inclusion->tree_size = asz_cbor_field_uint(reader, 1, "inclusion tree_size", INT64_MAX);
  asz_cbor_key(reader, 2, "inclusion path");
  ret_inclusion->path_count = asz_cbor_array(reader, ASZ_TLOG_PROOF_MAX);
  for (size_t i = 0; i < ret_inclusion->path_count; i++)
    asz_cbor_copy(reader, ret_inclusion->path[i], 32);
}

int asz_envelope_parse(struct asz_envelope *ret_envelope, const uint8_t *file, size_t size_bytes, struct asz_diag *diag) {
  struct asz_envelope envelope;
  struct asz_cbor_reader reader;
  if (size_bytes > ASZ_EVIDENCE_MAX_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "envelope: over %d bytes", ASZ_EVIDENCE_MAX_BYTES);
  asz_cbor_start(&reader, file, size_bytes, "envelope", diag);
  asz_cbor_map(&reader, ASZ_ENVELOPE_PAIRS);
  expect_magic(&reader, ASZ_ENVELOPE_MAGIC);
  envelope.bundle = asz_cbor_field_bytes(&reader, 1, "bundle", ASZ_BUNDLE_MAX_BYTES, &envelope.bundle_bytes);
  envelope.entry = asz_cbor_field_bytes(&reader, 2, "entry", ASZ_TLOG_ENTRY_MAX, &envelope.entry_bytes);
  read_inclusion(&reader, 3, "inclusion", &envelope.inclusion);
  asz_cbor_field_text(&reader, 4, "checkpoint", envelope.checkpoint, sizeof envelope.checkpoint, 1);
  int err = asz_cbor_end(&reader);
  if (!err)
    *ret_envelope = envelope;
  return err;
}

static void read_transcript(struct asz_cbor_reader *reader, struct asz_transcript *t) {
  asz_cbor_map(reader, ASZ_TRANSCRIPT_PAIRS);
  t->epoch = (uint32_t)asz_cbor_field_uint(reader, 0, "transcript epoch", UINT32_MAX);
  t->slot = asz_cbor_field_uint(reader, 1, "transcript slot", UINT64_MAX);
  t->tx_ns = asz_cbor_field_uint(reader, 2, "transcript tx_ns", UINT64_MAX);
  t->rx_ns = asz_cbor_field_uint(reader, 3, "transcript rx_ns", UINT64_MAX);
  t->clock_error_ns = asz_cbor_field_uint(reader, 4, "transcript clock_error_ns", UINT64_MAX);
  asz_cbor_field_copy(reader, 5, "transcript secret", t->secret, 32);
  t->open_entry = asz_cbor_field_bytes(reader, 6, "transcript open_entry", ASZ_TLOG_ENTRY_MAX, &t->open_entry_bytes);
  read_inclusion(reader, 7, "transcript open_inclusion", &t->open_inclusion);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++) {
    struct asz_span *piece = &t->exchange.piece[i];
    piece->data = asz_cbor_field_bytes(reader, 8 + i, asz_piece_name(i), asz_piece_max_bytes(i), &piece->size_bytes);
  }
}

static void read_wrong(struct asz_cbor_reader *reader, struct asz_bundle *bundle) {
  struct asz_evidence *e = &bundle->evidence;
  asz_cbor_map(reader, ASZ_WRONG_PAIRS);
  e->slot_first = asz_cbor_field_uint(reader, 0, "slot_first", UINT64_MAX);
  e->slot_last = asz_cbor_field_uint(reader, 1, "slot_last", UINT64_MAX);
  e->e_value_q32 = asz_cbor_field_uint(reader, 2, "e_value_q32", UINT64_MAX);
  asz_cbor_key(reader, 3, "transcripts");
  e->transcript_count = asz_cbor_array(reader, ASZ_EVIDENCE_TRANSCRIPTS_MAX);
  if (reader->err || e->transcript_count == 0)
    return;
  bundle->transcript = calloc(e->transcript_count, sizeof *bundle->transcript);
  if (!bundle->transcript) {
    reader->err = asz_diag_set(reader->diag, ASZ_ENOMEM, "bundle: no memory for %zu transcripts", e->transcript_count);
    return;
  }
  e->transcript = bundle->transcript;
  for (size_t i = 0; i < e->transcript_count && !reader->err; i++)
    read_transcript(reader, &bundle->transcript[i]);
}

static void read_silent(struct asz_cbor_reader *reader, struct asz_evidence *e) {
  asz_cbor_map(reader, ASZ_SILENT_PAIRS);
  e->record = asz_cbor_field_bytes_exact(reader, 0, "record", ASZ_RECORD_BYTES);
  read_inclusion(reader, 1, "record_inclusion", &e->record_inclusion);
  e->close_entry = asz_cbor_field_bytes(reader, 2, "close_entry", ASZ_TLOG_ENTRY_MAX, &e->close_entry_bytes);
  read_inclusion(reader, 3, "close_inclusion", &e->close_inclusion);
}

/* Version and offence decide what the rest means: an unknown one is not malformed, only beyond us. */
static void read_kind(struct asz_cbor_reader *reader, struct asz_evidence *e) {
  asz_cbor_map(reader, ASZ_BODY_PAIRS);
  asz_cbor_key(reader, 0, "version");
  uint64_t version = asz_cbor_uint(reader, UINT32_MAX);
  e->offence = (uint8_t)asz_cbor_field_uint(reader, 1, "offence", UINT8_MAX);
  if (reader->err)
    return;
  if (version != ASZ_EVIDENCE_VERSION)
    reader->err = asz_diag_set(reader->diag, ASZ_ENOTSUP, "bundle: version %llu, this program knows %d",
                               (unsigned long long)version, ASZ_EVIDENCE_VERSION);
  else if (e->offence != ASZ_OFFENCE_S1 && e->offence != ASZ_OFFENCE_S3)
    reader->err = asz_diag_set(reader->diag, ASZ_ENOTSUP, "bundle: offence %u, this program knows S1 and S3", e->offence);
}

static void read_body(struct asz_cbor_reader *reader, struct asz_bundle *bundle) {
  struct asz_evidence *e = &bundle->evidence;
  read_kind(reader, e);
  asz_cbor_key(reader, 2, "accused");
  asz_cbor_map(reader, ASZ_ACCUSED_PAIRS);
  asz_cbor_field_text(reader, 0, "accused name", e->provider_name, sizeof e->provider_name, 0);
  asz_cbor_field_copy(reader, 1, "accused public key", e->provider_pk, 32);
  e->device = (uint32_t)asz_cbor_field_uint(reader, 2, "accused device", UINT32_MAX);
  asz_cbor_key(reader, 3, "accused address");
  if (asz_cbor_is_bytes(reader))
    asz_cbor_copy(reader, e->ipv6, sizeof e->ipv6);
  else
    e->ipv4 = (uint32_t)asz_cbor_uint(reader, UINT32_MAX);
  asz_cbor_key(reader, 3, "accuser");
  asz_cbor_map(reader, ASZ_ACCUSER_PAIRS);
  asz_cbor_field_copy(reader, 0, "accuser public key", e->validator_pk, 32);
  asz_cbor_field_text(reader, 1, "accuser origin", e->origin, sizeof e->origin, 0);
  e->epoch_first = (uint32_t)asz_cbor_field_uint(reader, 4, "epoch_first", UINT32_MAX);
  e->epoch_last = (uint32_t)asz_cbor_field_uint(reader, 5, "epoch_last", UINT32_MAX);
  e->decided_ns = asz_cbor_field_uint(reader, 6, "decided_ns", UINT64_MAX);
  asz_cbor_field_copy(reader, 7, "params_hash", e->params_hash, 32);
  e->stake_bps = (uint32_t)asz_cbor_field_uint(reader, 8, "stake_bps", UINT32_MAX);
  e->jail_ns = asz_cbor_field_uint(reader, 9, "jail_ns", UINT64_MAX);
  asz_cbor_field_text(reader, 10, "reason", e->reason, sizeof e->reason, 0);
  asz_cbor_field_text(reader, 11, "checkpoint", bundle->checkpoint, sizeof bundle->checkpoint, 1);
  e->checkpoint = bundle->checkpoint;
  asz_cbor_key(reader, 12, "proof");
  if (reader->err)
    return;
  if (e->offence == ASZ_OFFENCE_S1)
    read_wrong(reader, bundle);
  else
    read_silent(reader, e);
}

int asz_bundle_parse(struct asz_bundle *ret_bundle, const uint8_t *bytes, size_t size_bytes, struct asz_diag *diag) {
  struct asz_cbor_reader reader;
  memset(ret_bundle, 0, sizeof *ret_bundle);
  asz_cbor_start(&reader, bytes, size_bytes, "bundle", diag);
  asz_cbor_map(&reader, ASZ_BUNDLE_PAIRS);
  expect_magic(&reader, ASZ_BUNDLE_MAGIC);
  ret_bundle->body = asz_cbor_field_bytes(&reader, 1, "body", ASZ_BUNDLE_MAX_BYTES, &ret_bundle->body_bytes);
  ret_bundle->signature = asz_cbor_field_bytes_exact(&reader, 2, "signature", 64);
  int err = asz_cbor_end(&reader);
  if (err)
    return err;
  asz_cbor_start(&reader, ret_bundle->body, ret_bundle->body_bytes, "bundle body", diag);
  read_body(&reader, ret_bundle);
  err = asz_cbor_end(&reader);
  if (err)
    asz_bundle_free(ret_bundle);
  return err;
}

void asz_bundle_free(struct asz_bundle *bundle) {
  free(bundle->transcript);
  bundle->transcript = NULL;
}
