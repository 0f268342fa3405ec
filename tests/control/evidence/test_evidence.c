/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: a valid bundle of each kind, and every way to cheat with one that we could think of. Each forgery keeps all
 * signatures and logs right that a lying accuser controls; what must catch it is the check named beside it. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "control/evidence/check.h"
#include "tests/control/evidence/forge.h"

static struct forge f;

static void teardown(void) {
  forge_free(&f);
}
TestSuite(evidence, .fini = teardown, .timeout = 120);

static void expect(enum asz_evidence_outcome outcome, const char *check) {
  char failed[64];
  struct asz_diag diag;
  enum asz_evidence_outcome got = forge_check(&f, failed, &diag);
  cr_assert_eq(got, outcome, "outcome %d, expected %d: %s: %s", got, outcome, failed, diag.text);
  cr_assert_str_eq(failed, check, "%s: %s", failed, diag.text);
  cr_assert_eq(outcome == ASZ_EVIDENCE_VALID, diag.text[0] == 0, "%s", diag.text);
}

static void expect_invalid(const char *check) {
  forge_finish(&f);
  expect(ASZ_EVIDENCE_INVALID, check);
}

/* Every byte, with a few bits each; every truncation; a byte too many. */
static void flip_everything(void) {
  struct asz_evidence_report report;
  static const uint8_t mask[] = {0x01, 0x10, 0x80};
  for (size_t at = 0; at < f.file_bytes; at++)
    for (size_t m = 0; m < sizeof mask; m++) {
      f.file[at] ^= mask[m];
      enum asz_evidence_outcome outcome = asz_evidence_check(&report, f.file, f.file_bytes, NULL, NULL, NULL);
      cr_assert_neq(outcome, ASZ_EVIDENCE_VALID, "byte %zu mask %02x", at, mask[m]);
      cr_assert(report.failed[0] && report.diag.text[0], "byte %zu: no reason given", at);
      f.file[at] ^= mask[m];
    }
  for (size_t size = 0; size < f.file_bytes; size++)
    cr_assert_eq(asz_evidence_check(&report, f.file, size, NULL, NULL, NULL), ASZ_EVIDENCE_UNVERIFIABLE, "cut at %zu", size);
  f.file = realloc(f.file, f.file_bytes + 1);
  f.file[f.file_bytes] = 0;
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes + 1, NULL, NULL, NULL), ASZ_EVIDENCE_UNVERIFIABLE);
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes, NULL, NULL, NULL), ASZ_EVIDENCE_VALID);
}

Test(evidence, every_flipped_byte_and_truncation_of_a_wrong_answer_envelope_is_refused)
{
  forge_wrong(&f);
  expect(ASZ_EVIDENCE_VALID, "");
  flip_everything();
}

Test(evidence, every_flipped_byte_and_truncation_of_a_silence_envelope_is_refused)
{
  forge_silent(&f);
  expect(ASZ_EVIDENCE_VALID, "");
  flip_everything();
}

/* Who says it. */
Test(evidence, a_validator_other_than_the_one_named_is_refused)
{
  forge_wrong(&f);
  struct asz_evidence_report report;
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes, f.stranger.public_key, NULL, NULL), ASZ_EVIDENCE_INVALID);
  cr_assert_str_eq(report.failed, "accuser");
}

Test(evidence, a_body_that_another_key_signed_is_refused)
{
  forge_wrong(&f);
  struct asz_bundle bundle;
  cr_assert_eq(asz_bundle_parse(&bundle, f.bundle, f.bundle_bytes, NULL), 0);
  uint8_t *body = malloc(bundle.body_bytes);
  memcpy(body, bundle.body, bundle.body_bytes);
  size_t size = bundle.body_bytes;
  asz_bundle_free(&bundle);
  forge_bundle_of(&f, body, size, &f.stranger);
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "accuser-signature");
  free(body);
}

Test(evidence, a_log_entry_that_names_something_else_is_refused)
{
  for (int what = 0; what < 6; what++) {
    forge_wrong(&f);
    struct asz_evidence said = f.evidence;
    uint8_t hash[32];
    crypto_hash_sha256(hash, f.bundle, f.bundle_bytes);
    hash[0] ^= what == 0;
    said.provider_pk[31] ^= what == 1;
    said.device += what == 2;
    said.offence = what == 3 ? ASZ_OFFENCE_S3 : said.offence;
    said.stake_bps += what == 4;
    said.epoch_last += what == 5;
    f.entry_bytes = asz_entry_slash(f.entry, said.epoch_last, said.offence, said.provider_pk, said.device, hash, said.stake_bps);
    forge_log_entry(&f);
    forge_envelope(&f);
    expect(ASZ_EVIDENCE_INVALID, "log-entry");
    forge_free(&f);
  }
  forge_wrong(&f);
}

Test(evidence, an_entry_that_is_not_in_the_log_is_refused)
{
  forge_wrong(&f);
  f.inclusion.index--;
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "inclusion");
  f.inclusion.index++;
  f.inclusion.path[0][0] ^= 1;
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "inclusion");
  f.inclusion.path[0][0] ^= 1;
  f.inclusion.tree_size++;
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "inclusion");
}

Test(evidence, a_checkpoint_of_another_key_or_log_or_with_a_second_signature_is_refused)
{
  forge_wrong(&f);
  char good[ASZ_TLOG_CHECKPOINT_MAX];
  snprintf(good, sizeof good, "%s", f.note);
  forge_note(f.note, &f.log, f.evidence.origin, &f.stranger);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "checkpoint");
  forge_note(f.note, &f.log, "log.example/other", &f.validator);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "checkpoint");
  strcat(strcpy(f.note, good), "\xe2\x80\x94 witness.example AAAAAAA=\n");
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "checkpoint");
  snprintf(f.note, sizeof f.note, "no checkpoint\n");
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_UNVERIFIABLE, "checkpoint");
}

Test(evidence, a_bundle_checkpoint_of_another_key_or_newer_than_the_entry_is_refused)
{
  forge_wrong(&f);
  forge_note(f.base_note, &f.log, f.evidence.origin, &f.stranger);
  forge_bundle(&f);
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "bundle-checkpoint");
  forge_free(&f);
  forge_wrong(&f);
  f.log.size += 3; /* a tree that the entry's log has not reached yet */
  forge_note(f.base_note, &f.log, f.evidence.origin, &f.validator);
  f.log.size -= 3;
  forge_bundle(&f);
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "bundle-checkpoint");
}

/* S1: what is said. */
Test(evidence, two_transcripts_of_one_slot_are_refused)
{
  forge_wrong(&f);
  f.transcript[2].slot = f.transcript[1].slot;
  expect_invalid("terms");
}

Test(evidence, slots_out_of_order_or_out_of_range_are_refused)
{
  forge_wrong(&f);
  struct asz_transcript first = f.transcript[0];
  f.transcript[0] = f.transcript[1];
  f.transcript[1] = first;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.slot_last--;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.slot_first = f.transcript[0].slot + 1;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.slot_first = 0;
  f.evidence.slot_last = UINT64_MAX;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.slot_first = f.evidence.slot_last - ASZ_EPROCESS_SLOTS;
  expect_invalid("terms");
}

Test(evidence, epochs_stakes_and_times_out_of_range_are_refused)
{
  forge_wrong(&f);
  f.evidence.epoch_first = 8;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.stake_bps = 10001;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.transcript[0].rx_ns = f.transcript[0].tx_ns - 1;
  expect_invalid("terms");
  forge_free(&f);
  forge_wrong(&f);
  f.evidence.epoch_last = 6;
  expect_invalid("terms");
}

Test(evidence, a_secret_that_was_not_committed_to_is_refused)
{
  forge_wrong(&f);
  f.transcript[3].secret[31] ^= 1;
  forge_ask(&f); /* nonces and answers follow the false secret */
  expect_invalid("openings");
}

Test(evidence, an_opening_that_was_not_logged_or_does_not_fit_is_refused)
{
  forge_wrong(&f);
  forge_log_write(&f);
  f.transcript[0].open_inclusion.path[0][0] ^= 1;
  forge_bundle(&f);
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "openings");
  forge_free(&f);
  forge_wrong(&f);
  f.open[0].epoch = 9;
  expect_invalid("openings");
  forge_free(&f);
  forge_wrong(&f);
  f.open[1].params_hash[0] ^= 1;
  expect_invalid("openings");
  forge_free(&f);
  forge_wrong(&f);
  f.open[0].opened_ns = f.transcript[0].tx_ns + f.transcript[0].clock_error_ns + 1;
  expect_invalid("openings");
}

Test(evidence, a_clock_error_of_the_stated_size_is_forgiven)
{
  forge_wrong(&f);
  f.open[0].opened_ns = f.transcript[0].tx_ns + f.transcript[0].clock_error_ns;
  forge_finish(&f);
  expect(ASZ_EVIDENCE_VALID, "");
}

Test(evidence, a_beacon_that_was_not_logged_is_refused)
{
  forge_wrong(&f);
  f.open[1].beacon[7] ^= 1; /* the log says another one than was asked with */
  expect_invalid("challenges");
}

/* Writes challenge i and the answer to it again, as they are. */
static void ask_again(size_t i, const struct asz_identity *provider, const uint8_t validator_pk[32]) {
  static const uint8_t mac_key[16];
  struct asz_transcript *t = &f.transcript[i];
  forge_piece(t, ASZ_PIECE_CHALLENGE, f.datagram[i][0], asz_challenge_write(f.datagram[i][0], &f.challenge[i], mac_key));
  forge_piece(t, ASZ_PIECE_ANSWER, f.datagram[i][1],
              asz_prove_answer(f.datagram[i][1], &f.challenge[i], provider, validator_pk, mac_key, ASZ_PROVE_WRONG));
}

Test(evidence, a_nonce_of_the_accusers_choice_is_refused)
{
  forge_wrong(&f);
  f.challenge[1].nonce[0] ^= 1;
  ask_again(1, &f.provider, f.validator.public_key);
  expect_invalid("challenges");
}

Test(evidence, a_challenge_of_another_validator_epoch_slot_device_or_kind_is_refused)
{
  for (int what = 0; what < 6; what++) {
    forge_wrong(&f);
    struct asz_challenge *c = &f.challenge[2];
    if (what == 0)
      asz_identity_short(c->validator_id, f.stranger.public_key);
    c->epoch += what == 1;
    c->slot += what == 2;
    c->device += what == 3;
    if (what == 4)
      c->kind = ASZ_KIND_SIG, c->param = 0;
    ask_again(2, &f.provider, f.validator.public_key);
    if (what == 5)
      f.datagram[2][0][f.transcript[2].exchange.piece[ASZ_PIECE_CHALLENGE].size_bytes - 1] = 1; /* padding */
    expect_invalid("challenges");
    forge_free(&f);
  }
  forge_wrong(&f);
}

Test(evidence, another_providers_answers_are_refused)
{
  forge_wrong(&f);
  memcpy(f.evidence.provider_pk, f.stranger.public_key, 32); /* nonces are per provider */
  expect_invalid("challenges");
  forge_free(&f);
  forge_wrong(&f);
  ask_again(0, &f.stranger, f.validator.public_key);
  expect_invalid("answers");
}

Test(evidence, an_answer_to_another_challenge_is_refused)
{
  for (size_t at = 4; at < 48; at++) { /* every byte of the answer's head */
    forge_wrong(&f);
    f.datagram[3][1][at] ^= 1;
    expect_invalid("answers");
    forge_free(&f);
  }
  forge_wrong(&f);
}

Test(evidence, an_answer_that_the_provider_did_not_sign_is_refused)
{
  forge_wrong(&f);
  f.mode[1] = ASZ_PROVE_BAD_SIGNATURE;
  forge_ask(&f);
  expect_invalid("signatures");
  forge_free(&f);
  forge_wrong(&f);
  f.datagram[2][1][ASZ_ANSWER_HEAD_BYTES + 500] ^= 1; /* work changed by the accuser */
  expect_invalid("signatures");
  forge_free(&f);
  forge_wrong(&f);
  ask_again(2, &f.provider, f.stranger.public_key); /* signed, but for another validator */
  expect_invalid("signatures");
}

Test(evidence, a_right_answer_presented_as_wrong_is_refused)
{
  for (size_t i = 0; i < FORGE_WRONG; i++) {
    forge_wrong(&f);
    f.mode[i] = ASZ_PROVE_HONEST;
    forge_ask(&f);
    expect_invalid("wrong-answers");
    forge_free(&f);
  }
  forge_wrong(&f);
}

Test(evidence, an_inflated_or_deflated_e_value_is_refused)
{
  forge_wrong(&f);
  f.evidence.e_value_q32++;
  expect_invalid("e-process");
  f.evidence.e_value_q32 -= 2;
  expect_invalid("e-process");
}

Test(evidence, too_few_wrong_answers_to_fire_are_refused_also_with_the_true_e_value)
{
  forge_wrong(&f);
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  for (unsigned slot = 0; slot < 10; slot++)
    asz_eprocess_step(&process, slot >= 10 - FORGE_WRONG && slot < 9);
  f.evidence.transcript_count--;
  f.evidence.e_value_q32 = asz_eprocess_value_q32(&process);
  expect_invalid("e-process");
}

Test(evidence, more_work_than_the_program_takes_on_is_unverifiable_not_invalid)
{
  forge_wrong(&f);
  enum { MANY = 17 }; /* 17 * 2^24 > 2^28 */
  static const uint8_t mac_key[16];
  f.evidence.slot_last = FORGE_SLOT + MANY;
  f.evidence.transcript_count = MANY;
  for (size_t i = 0; i < MANY; i++) {
    struct asz_transcript *t = &f.transcript[i];
    *t = f.transcript[0];
    t->slot = FORGE_SLOT + i;
    f.challenge[i] = f.challenge[0];
    f.challenge[i].slot = t->slot;
    f.mode[i] = ASZ_PROVE_WRONG;
  }
  forge_ask(&f);
  for (size_t i = 0; i < MANY; i++) { /* long chains, signed without having been walked */
    struct asz_challenge *c = &f.challenge[i];
    uint8_t seed[32], body[1024] = {1}, signed_bytes[ASZ_SIGNED_BYTES], signature[64], id[8];
    c->param = ASZ_SEQ_LOG2_MAX;
    forge_piece(&f.transcript[i], ASZ_PIECE_CHALLENGE, f.datagram[i][0], asz_challenge_write(f.datagram[i][0], c, mac_key));
    asz_challenge_seed(seed, c, f.validator.public_key, f.provider.public_key);
    asz_answer_signed_bytes(signed_bytes, c->kind, c->param, c->epoch, c->slot, c->device, seed, body, sizeof body);
    crypto_sign_detached(signature, NULL, signed_bytes, sizeof signed_bytes, f.provider.secret_key);
    asz_identity_short(id, f.provider.public_key);
    forge_piece(&f.transcript[i], ASZ_PIECE_ANSWER, f.datagram[i][1],
                asz_answer_write(f.datagram[i][1], c, id, body, signature, mac_key));
  }
  forge_finish(&f);
  expect(ASZ_EVIDENCE_UNVERIFIABLE, "wrong-answers");
}

/* S3: what is said. */
Test(evidence, silence_that_asks_for_stake_is_refused)
{
  forge_silent(&f);
  f.evidence.stake_bps = 1;
  expect_invalid("terms");
}

Test(evidence, silence_in_epochs_that_run_backwards_is_refused)
{
  forge_silent(&f);
  f.evidence.epoch_first = f.evidence.epoch_last + 1;
  expect_invalid("terms");
}

Test(evidence, a_record_that_was_not_reported_or_is_of_another_is_refused)
{
  forge_silent(&f);
  uint8_t better[ASZ_RECORD_BYTES];
  memcpy(better, f.record[1], sizeof better);
  better[ASZ_RECORD_AT_SLOTS_UP + 7] = 0;
  f.evidence.record = better;
  expect_invalid("report");
  forge_free(&f);
  forge_silent(&f);
  memcpy(f.evidence.provider_pk, f.stranger.public_key, 32);
  expect_invalid("record");
  forge_free(&f);
  forge_silent(&f);
  f.evidence.device = 2;
  expect_invalid("record");
}

Test(evidence, a_close_of_another_epoch_size_or_log_is_refused)
{
  forge_silent(&f);
  f.close.epoch = 7;
  expect_invalid("report");
  forge_free(&f);
  forge_silent(&f);
  f.close.provider_count = 4;
  expect_invalid("report");
  forge_free(&f);
  forge_silent(&f);
  f.evidence.close_inclusion.index = 4;
  forge_bundle(&f);
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
  expect(ASZ_EVIDENCE_INVALID, "report");
}

/* What valid evidence says. */
struct heard {
  char checks[512];
  unsigned passed, failed;
};
static void hear(void *context, const char *check, bool passed, const char *detail) {
  (void)detail;
  struct heard *heard = context;
  strcat(strcat(heard->checks, check), " ");
  passed ? heard->passed++ : heard->failed++;
}

Test(evidence, valid_evidence_names_its_checks_and_its_subject)
{
  struct asz_evidence_report report;
  struct heard heard = {.passed = 0};
  forge_wrong(&f);
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes, NULL, hear, &heard), ASZ_EVIDENCE_VALID);
  cr_assert_str_eq(heard.checks, "envelope bundle accuser accuser-signature log-entry checkpoint inclusion bundle-checkpoint "
                                 "terms openings challenges answers pieces signatures wrong-answers e-process ");
  cr_assert_eq(heard.failed, 0);
  cr_assert_eq(report.checks_passed, heard.passed);
  cr_assert_eq(report.offence, ASZ_OFFENCE_S1);
  cr_assert_str_eq(report.provider_name, "forged-one");
  cr_assert_str_eq(report.origin, "log.example/forge");
  cr_assert_eq(report.wrong_answers, FORGE_WRONG);
  cr_assert_eq(report.stake_bps, 100);
  cr_assert_eq(report.log_index, 6);
  cr_assert_eq(report.tree_size, 8);
  forge_free(&f);
  heard = (struct heard){.passed = 0};
  forge_silent(&f);
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes, NULL, hear, &heard), ASZ_EVIDENCE_VALID);
  cr_assert_str_eq(heard.checks, "envelope bundle accuser accuser-signature log-entry checkpoint inclusion bundle-checkpoint "
                                 "terms report record ");
  cr_assert_eq(report.offence, ASZ_OFFENCE_S3);
}

Test(evidence, an_ipv6_address_of_the_accused_stands_where_the_ipv4_one_would)
{
  static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
  struct asz_evidence_report report;
  struct heard heard = {.passed = 0};
  forge_wrong(&f);
  size_t ipv4_bytes = f.file_bytes;
  f.evidence.ipv4 = 0;
  memcpy(f.evidence.ipv6, ipv6, sizeof ipv6);
  forge_finish(&f);
  cr_assert_eq(asz_evidence_check(&report, f.file, f.file_bytes, NULL, hear, &heard), ASZ_EVIDENCE_VALID);
  cr_assert_eq(f.file_bytes, ipv4_bytes + 12, "16 bytes and their head instead of a 32-bit number and its own");
  cr_assert_not_null(memmem(f.file, f.file_bytes, ipv6, sizeof ipv6));
}

Test(evidence, the_same_facts_give_the_same_bytes)
{
  static struct forge again;
  forge_wrong(&f);
  forge_wrong(&again);
  cr_assert_eq(f.file_bytes, again.file_bytes);
  cr_assert_arr_eq(f.file, again.file, f.file_bytes);
  forge_free(&again);
}
