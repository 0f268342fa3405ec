/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that are noted, and the receipts made of them. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "control/responder/challenge_path.h"
#include "control/responder/stamp_path.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/stamp.h"
#include "tests/control/responder/fixture.h"

enum { EPOCH = FIXTURE_EPOCH };

static struct fixture fixture;
static struct asz_receipts *receipts;
static struct asz_window *window;
static struct asz_reply_times read_back[ASZ_RECEIPT_LEAVES_MAX];
static uint32_t before;

static void setup(void) {
  fixture_make(&fixture, 1000000);
  cr_assert_eq(asz_receipts_new(&receipts, 2), 0);
  window = asz_receipts_window(receipts, 0);
}

static void teardown(void) {
  asz_receipts_free(receipts);
  fixture_free(&fixture);
}

TestSuite(receipts, .init = setup, .fini = teardown);

static struct asz_reply_times times_of(uint32_t seq) {
  return (struct asz_reply_times){.seq = seq, .t1 = 1000 + seq, .t2 = 2000 + seq, .t3 = 3000 + seq};
}

static void note(uint32_t epoch, uint32_t first, uint32_t count) {
  for (uint32_t i = first; i < first + count; i++) {
    struct asz_reply_times times = times_of(i);
    asz_window_note(window, epoch, &times);
  }
}

static uint32_t read_all(uint32_t epoch) {
  return asz_window_read(window, epoch, read_back, &before);
}

Test(receipts, an_epoch_has_its_last_replies_oldest_first)
{
  cr_assert_eq(read_all(EPOCH), 0);
  note(EPOCH, 1, 3);
  note(EPOCH + 1, 10, 2);
  cr_assert(read_all(EPOCH) == 3 && before == 0 && read_back[0].seq == 1 && read_back[2].t3 == 3003);
  cr_assert(read_all(EPOCH + 1) == 2 && before == 0 && read_back[1].seq == 11);
  cr_assert_eq(read_all(EPOCH + 2), 0);
  cr_assert_eq(asz_window_read(asz_receipts_window(receipts, 1), EPOCH, read_back, &before), 0, "another validator's");
}

Test(receipts, what_is_not_kept_is_counted)
{
  note(EPOCH, 0, 5000);
  cr_assert(read_all(EPOCH) == ASZ_RECEIPT_LEAVES_MAX && before == 5000 - ASZ_RECEIPT_LEAVES_MAX);
  cr_assert(read_back[0].seq == 5000 - ASZ_RECEIPT_LEAVES_MAX && read_back[ASZ_RECEIPT_LEAVES_MAX - 1].seq == 4999);
  note(EPOCH + 1, 0, 2 * ASZ_RECEIPT_LEAVES_MAX - 10); /* over all but ten of the others */
  cr_assert(read_all(EPOCH) <= 10 && before >= 4990, "%u before", before);
}

/* One writes as fast as it can, another reads: whatever is read is whole and in order. */
static void *writes(void *stop) {
  for (uint32_t seq = 0; !atomic_load((atomic_bool *)stop); seq++)
    note(EPOCH, seq, 1);
  return NULL;
}

Test(receipts, reading_beside_the_writer_gives_whole_replies)
{
  atomic_bool stop = false;
  pthread_t writer;
  cr_assert_eq(pthread_create(&writer, NULL, writes, &stop), 0);
  for (unsigned round = 0; round < 2000; round++) {
    uint32_t count = read_all(EPOCH);
    for (uint32_t i = 0; i < count; i++) {
      cr_assert_eq(read_back[i].t3 - read_back[i].seq, 3000);
      cr_assert_eq(read_back[i].t1 - read_back[i].seq, 1000);
      cr_assert_eq(read_back[i].seq - read_back[0].seq, i);
    }
  }
  atomic_store(&stop, true);
  pthread_join(writer, NULL);
}

static struct asz_ask ask_of(const struct asz_reply_times *times) {
  struct asz_ask ask = {.epoch = EPOCH, .slot = FIXTURE_SLOT, .nonce = {9}, .seq = times->seq, .t1 = times->t1};
  asz_identity_short(ask.validator_id, fixture.validator.public_key);
  return ask;
}

/* What the datagram says, its signature and MAC checked. */
static struct asz_receipt checked(const uint8_t *datagram, size_t size_bytes) {
  struct asz_receipt receipt;
  uint8_t signed_bytes[ASZ_RECEIPT_SIGNED_BYTES];
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, EPOCH);
  cr_assert_eq(asz_receipt_read(&receipt, datagram, size_bytes), 0);
  cr_assert(asz_mac_check(datagram + ASZ_RECEIPT_MAC_AT, session.reply_key, datagram, ASZ_RECEIPT_MAC_AT));
  asz_receipt_signed_bytes(signed_bytes, &receipt, fixture.validator.public_key);
  cr_assert_eq(crypto_sign_verify_detached(receipt.signature, signed_bytes, sizeof signed_bytes, fixture.provider.public_key), 0);
  return receipt;
}

static struct asz_receipt answer_to(const struct asz_ask *ask) {
  uint8_t datagram[ASZ_RECEIPT_BYTES];
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, EPOCH);
  asz_receipts_answer(datagram, window, ask, &fixture.provider, fixture.validator.public_key, session.reply_key);
  return checked(datagram, sizeof datagram);
}

static void expect_in_tree(const struct asz_receipt *receipt, const struct asz_reply_times *times) {
  uint8_t leaf[ASZ_RECEIPT_LEAF_BYTES], hash[32];
  asz_receipt_leaf(leaf, times);
  asz_tlog_leaf_hash(hash, leaf, sizeof leaf);
  cr_assert(receipt->t2 == times->t2 && receipt->t3 == times->t3);
  cr_assert_eq(asz_tlog_inclusion_check(receipt->root, receipt->count, receipt->index, hash, receipt->path, receipt->path_count),
               0);
}

Test(receipts, a_reply_that_was_not_given_is_not_there)
{
  note(EPOCH, 1, 5);
  struct asz_reply_times times = times_of(6);
  struct asz_ask ask = ask_of(&times);
  cr_assert_eq(answer_to(&ask).index, ASZ_RECEIPT_NOT_THERE);
  times = times_of(3);
  ask = ask_of(&times);
  ask.t1++;
  cr_assert_eq(answer_to(&ask).index, ASZ_RECEIPT_NOT_THERE, "another time");
}

Test(receipts, every_reply_of_windows_of_many_sizes_is_shown)
{
  uint32_t noted = 0;
  static const uint32_t counts[] = {1, 2, 3, 7, 8, 100, ASZ_RECEIPT_LEAVES_MAX};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    note(EPOCH, noted, counts[c] - noted);
    noted = counts[c];
    for (uint32_t i = 0; i < noted; i += 1 + noted / 7) {
      struct asz_reply_times times = times_of(i);
      struct asz_ask ask = ask_of(&times);
      struct asz_receipt receipt = answer_to(&ask);
      cr_assert(receipt.count == noted && receipt.index == i);
      expect_in_tree(&receipt, &times);
    }
  }
}

/* From a request on the STAMP port to a RECEIPT from the challenge port, without sockets and threads. */
Test(receipts, a_reply_with_our_tlv_is_noted_and_asked_for_by_its_validator)
{
  struct asz_stamp_path stamp = {.authority = fixture.authority, .limiter = fixture.limiter, .receipts = receipts};
  struct asz_challenge_path path = {.authority = fixture.authority,
                                    .limiter = fixture.limiter,
                                    .challenge_rate = asz_rate_make(1000, 1000),
                                    .declaration = {.devices = 1},
                                    .receipts = receipts};
  struct asz_datagram datagram;
  struct asz_stamp_grant grant;
  struct asz_job job;
  fixture_tlv(&fixture, &fixture.validator, EPOCH, &datagram);
  cr_assert_eq(asz_stamp_path_admit(&stamp, &datagram, 0, &grant), ASZ_RESP_ANSWERED_TLV);
  asz_stamp_path_finish(&datagram, &grant, 77);
  struct asz_reply_times times;
  asz_reply_times_of(&times, datagram.payload);

  struct asz_ask ask = ask_of(&times);
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, EPOCH);
  asz_ask_write(datagram.payload, &ask, session.request_key);
  datagram.size_bytes = ASZ_RECEIPT_BYTES;
  cr_assert_eq(asz_challenge_path_admit(&path, &datagram, 0, &job), ASZ_RESP_ANSWERED_CHALLENGES);
  cr_assert_eq(job.type, ASZ_JOB_RECEIPT);
  asz_receipts_answer(job.answer, job.window, &job.ask, &fixture.provider, job.validator_pk, job.reply_key);
  job.answer_bytes = ASZ_RECEIPT_BYTES;
  enum asz_resp_counter answered_as;
  cr_assert(asz_challenge_path_answered(&path, &job, 0, &datagram, &answered_as));
  cr_assert_eq(answered_as, ASZ_RESP_ANSWERED_RECEIPTS);
  struct asz_receipt receipt = checked(datagram.payload, datagram.size_bytes);
  expect_in_tree(&receipt, &times);

  ask.device = 1; /* replies are the identity's, whichever device they are about: as for sig and seq it is only echoed */
  asz_ask_write(datagram.payload, &ask, session.request_key);
  cr_assert_eq(asz_challenge_path_admit(&path, &datagram, 0, &job), ASZ_RESP_ANSWERED_CHALLENGES);
  asz_ask_write(datagram.payload, &ask, session.reply_key);
  cr_assert_eq(asz_challenge_path_admit(&path, &datagram, 0, &job), ASZ_RESP_DROPPED_BAD_MAC);
}
