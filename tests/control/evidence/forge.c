/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/evidence/forge.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "control/evidence/strict_cbor.h"
#include "control/score/eprocess.h"

#define ORIGIN "log.example/forge"
static const uint64_t start_ns = UINT64_C(1700000000000000000);

static void identity(struct asz_identity *ret_identity, uint8_t first) {
  uint8_t seed[32] = {first};
  asz_identity_from_seed(ret_identity, seed);
}

static void log_add(struct forge_log *log, const uint8_t *entry, size_t size) {
  cr_assert_lt(log->size, FORGE_LOG);
  asz_tlog_leaf_hash(log->leaf[log->size++], entry, size);
}

static void log_prove(const struct forge_log *log, uint64_t index, struct asz_inclusion *ret_inclusion) {
  ret_inclusion->index = index;
  ret_inclusion->tree_size = log->size;
  ret_inclusion->path_count = asz_tlog_inclusion_make(ret_inclusion->path, (const uint8_t(*)[32])log->leaf, log->size, index);
}

void forge_note(char *ret_note, const struct forge_log *log, const char *origin, const struct asz_identity *key) {
  struct asz_checkpoint checkpoint = {.tree_size = log->size};
  snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
  asz_tlog_tree_hash(checkpoint.root, (const uint8_t(*)[32])log->leaf, log->size);
  cr_assert_gt(asz_checkpoint_sign(ret_note, ASZ_TLOG_CHECKPOINT_MAX, &checkpoint, key), 0);
}

static void begin(struct forge *f, enum asz_offence offence) {
  memset(f, 0, sizeof *f);
  identity(&f->validator, 1);
  identity(&f->provider, 2);
  identity(&f->stranger, 3);
  f->evidence = (struct asz_evidence){
      .offence = offence,
      .provider_name = "forged-one",
      .device = 1,
      .ipv4 = 0xc0000201,
      .origin = ORIGIN,
      .epoch_first = 7,
      .epoch_last = 8,
      .decided_ns = start_ns + 9000000000,
      .reason = "a test",
      .checkpoint = f->base_note,
  };
  memcpy(f->evidence.provider_pk, f->provider.public_key, 32);
  memcpy(f->evidence.validator_pk, f->validator.public_key, 32);
  memset(f->evidence.params_hash, 0x70, 32);
  for (unsigned e = 0; e < 2; e++) {
    f->open[e] = (struct asz_epoch_open){.epoch = 7 + e, .opened_ns = start_ns + e * UINT64_C(4000000000)};
    memset(f->open[e].beacon, 0x10 + (int)e, 32);
    memset(f->secret[e], 0x20 + (int)e, 32);
    memset(f->open[e].params_hash, 0x70, 32);
    asz_epoch_commitment(f->open[e].commitment, f->open[e].epoch, f->secret[e]);
  }
}

void forge_wrong(struct forge *f) {
  begin(f, ASZ_OFFENCE_S1);
  struct asz_evidence *e = &f->evidence;
  e->stake_bps = 100;
  e->slot_first = FORGE_SLOT;
  e->slot_last = FORGE_SLOT + 9;
  e->transcript = f->transcript;
  e->transcript_count = FORGE_WRONG;
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  for (unsigned slot = 0; slot < 10; slot++)
    asz_eprocess_step(&process, slot >= 10 - FORGE_WRONG);
  e->e_value_q32 = asz_eprocess_value_q32(&process);
  cr_assert(asz_eprocess_fired(&process));
  for (unsigned i = 0; i < FORGE_WRONG; i++) {
    struct asz_transcript *t = &f->transcript[i];
    t->epoch = 7 + i / 2;
    t->slot = FORGE_SLOT + 10 - FORGE_WRONG + i;
    t->tx_ns = start_ns + (i + 1) * UINT64_C(2000000000);
    t->rx_ns = t->tx_ns + 1000000;
    t->clock_error_ns = 500;
    memcpy(t->secret, f->secret[i / 2], 32);
    f->challenge[i] = (struct asz_challenge){
        .kind = ASZ_KIND_SEQ, .param = ASZ_SEQ_LOG2_MIN, .epoch = t->epoch, .slot = t->slot, .device = e->device};
    f->mode[i] = ASZ_PROVE_WRONG;
  }
  forge_ask(f);
  forge_finish(f);
}

void forge_ask(struct forge *f) {
  static const uint8_t mac_key[16];
  for (size_t i = 0; i < f->evidence.transcript_count; i++) {
    struct asz_transcript *t = &f->transcript[i];
    struct asz_challenge *c = &f->challenge[i];
    asz_identity_short(c->validator_id, f->validator.public_key);
    memcpy(c->beacon, f->open[t->epoch & 1 ? 0 : 1].beacon, 32);
    asz_challenge_nonce(c->nonce, t->secret, c->kind, c->slot, c->device, f->provider.public_key);
    t->exchange = (struct asz_exchange){0};
    forge_piece(t, ASZ_PIECE_CHALLENGE, f->datagram[i][0], asz_challenge_write(f->datagram[i][0], c, mac_key));
    forge_piece(t, ASZ_PIECE_ANSWER, f->datagram[i][1],
                asz_prove_answer(f->datagram[i][1], c, &f->provider, f->validator.public_key, mac_key, f->mode[i]));
  }
}

void forge_piece(struct asz_transcript *t, enum asz_piece piece, const uint8_t *data, size_t size_bytes) {
  t->exchange.piece[piece] = (struct asz_span){data, size_bytes};
}

void forge_silent(struct forge *f) {
  begin(f, ASZ_OFFENCE_S3);
  static const struct asz_measure measure = {.sent = 60, .answered = 12, .slots_judged = 0xff, .slots_up = 0x3};
  static const struct asz_score score = {.tier = 7};
  f->evidence.jail_ns = 3600;
  for (unsigned i = 0; i < 3; i++)
    asz_score_record_write(f->record[i], i + 1, i == 1 ? f->provider.public_key : f->stranger.public_key, 1, &measure, &score);
  f->evidence.record = f->record[1];
  f->close = (struct asz_epoch_close){.epoch = 8, .provider_count = 3, .closed_ns = start_ns + 8000000000};
  memcpy(f->close.secret, f->secret[1], 32);
  forge_finish(f);
}

/* The log below the bundle: both openings, and for S3 the close with the root over the records. */
void forge_log_write(struct forge *f) {
  struct asz_evidence *e = &f->evidence;
  memset(&f->log, 0, sizeof f->log);
  log_add(&f->log, (const uint8_t *)"first", 5);
  for (unsigned i = 0; i < 2; i++) {
    const struct asz_epoch_open *o = &f->open[i];
    f->open_entry_bytes[i] = asz_entry_epoch_open(f->open_entry[i], o->epoch, o->commitment, o->beacon, o->params_hash,
                                                  o->registry_root, o->opened_ns);
    log_add(&f->log, f->open_entry[i], f->open_entry_bytes[i]);
  }
  struct forge_log report = {.size = 0};
  for (unsigned i = 0; i < 3; i++)
    log_add(&report, f->record[i], ASZ_RECORD_BYTES);
  asz_tlog_tree_hash(f->close.report_root, (const uint8_t(*)[32])report.leaf, report.size);
  e->close_entry = f->close_entry;
  e->close_entry_bytes = asz_entry_epoch_close(f->close_entry, f->close.epoch, f->close.secret, f->close.report_root,
                                               f->close.provider_count, f->close.closed_ns);
  log_add(&f->log, f->close_entry, e->close_entry_bytes);
  log_add(&f->log, (const uint8_t *)"fifth", 5);
  for (size_t i = 0; i < e->transcript_count; i++) {
    struct asz_transcript *t = &f->transcript[i];
    unsigned epoch = t->epoch & 1 ? 0 : 1;
    t->open_entry = f->open_entry[epoch];
    t->open_entry_bytes = f->open_entry_bytes[epoch];
    log_prove(&f->log, 1 + epoch, &t->open_inclusion);
  }
  log_prove(&report, 1, &e->record_inclusion);
  log_prove(&f->log, 3, &e->close_inclusion);
  forge_note(f->base_note, &f->log, e->origin, &f->validator);
}

void forge_bundle(struct forge *f) {
  uint8_t hash[32];
  free(f->bundle);
  cr_assert_eq(asz_evidence_build(&f->bundle, &f->bundle_bytes, hash, &f->evidence, &f->validator), 0);
}

void forge_bundle_of(struct forge *f, const uint8_t *body, size_t body_bytes, const struct asz_identity *accuser) {
  uint8_t signed_bytes[ASZ_ACCUSATION_BYTES], signature[64];
  asz_accusation_bytes(signed_bytes, body, body_bytes);
  crypto_sign_detached(signature, NULL, signed_bytes, sizeof signed_bytes, accuser->secret_key);
  free(f->bundle);
  f->bundle = malloc(body_bytes + 256);
  struct asz_cbor_writer writer = {.data = f->bundle, .capacity = body_bytes + 256};
  asz_cbor_put_map(&writer, ASZ_BUNDLE_PAIRS);
  asz_cbor_pair_text(&writer, 0, ASZ_BUNDLE_MAGIC);
  asz_cbor_pair_bytes(&writer, 1, body, body_bytes);
  asz_cbor_pair_bytes(&writer, 2, signature, sizeof signature);
  cr_assert_eq(writer.err, 0);
  f->bundle_bytes = writer.size;
}

void forge_entry(struct forge *f) {
  const struct asz_evidence *e = &f->evidence;
  uint8_t hash[32];
  crypto_hash_sha256(hash, f->bundle, f->bundle_bytes);
  f->entry_bytes = asz_entry_slash(f->entry, e->epoch_last, e->offence, e->provider_pk, e->device, hash, e->stake_bps);
}

void forge_log_entry(struct forge *f) {
  struct forge_log log = f->log;
  log_add(&log, (const uint8_t *)"between", 7);
  log_add(&log, f->entry, f->entry_bytes);
  log_add(&log, (const uint8_t *)"behind", 6);
  log_prove(&log, f->log.size + 1, &f->inclusion);
  forge_note(f->note, &log, f->evidence.origin, &f->validator);
}

void forge_envelope(struct forge *f) {
  free(f->file);
  cr_assert_eq(asz_evidence_envelope(&f->file, &f->file_bytes, f->bundle, f->bundle_bytes, f->entry, f->entry_bytes,
                                     &f->inclusion, f->note),
               0);
}

void forge_finish(struct forge *f) {
  forge_log_write(f);
  forge_bundle(f);
  forge_entry(f);
  forge_log_entry(f);
  forge_envelope(f);
}

enum asz_evidence_outcome forge_check(const struct forge *f, char *ret_failed, struct asz_diag *ret_diag) {
  struct asz_evidence_report report;
  enum asz_evidence_outcome outcome = asz_evidence_check(&report, f->file, f->file_bytes, f->validator.public_key, NULL, NULL);
  strcpy(ret_failed, report.failed);
  *ret_diag = report.diag;
  return outcome;
}

void forge_free(struct forge *f) {
  free(f->bundle);
  free(f->file);
}
