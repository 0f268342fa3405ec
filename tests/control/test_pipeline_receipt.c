/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts, from a reply that was drawn to what its provider signed about it. */
#include "control/responder/receipts.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/receipt.h"
#include "dataplane/base/stamp.h"
#include "tests/control/pipeline_bed.h"

enum { DEADLINE_MS = 300 };

static struct asz_receipts *windows; /* what each provider has answered */

static void begin(void) {
  const struct asz_pipeline_config config = {
      .rate_ps = 1000000, .deadline_ns = DEADLINE_MS * (uint64_t)MS, .tries = 3, .seq_log2_steps = LOG2_STEPS, .receipts = true};
  bed_begin(&config);
  cr_assert_eq(asz_receipts_new(&windows, PROVIDERS), 0);
}

static void end(void) {
  asz_receipts_free(windows);
  bed_end();
}

TestSuite(pipeline_receipt, .init = begin, .fini = end);

static struct asz_reply_times times_of(uint32_t seq) {
  return (struct asz_reply_times){.seq = seq, .t1 = 1000 + seq, .t2 = 2000 + seq, .t3 = 3000 + seq};
}

static void answered(uint32_t provider, uint32_t seq) {
  struct asz_reply_times times = times_of(seq);
  asz_window_note(asz_receipts_window(windows, provider), EPOCH, &times);
}

/* The prober drew a provider's reply. */
static void drawn(uint32_t provider, uint32_t seq, uint32_t epoch) {
  struct asz_engine_datagram sample = {.target = provider, .is_sample = true, .size_bytes = ASZ_STAMP_TLV_BYTES};
  struct asz_reply_times times = times_of(seq);
  asz_be32_store(sample.payload + ASZ_STAMP_SENDER_SEQ, times.seq);
  asz_be64_store(sample.payload + ASZ_STAMP_SENDER_TIME, times.t1);
  asz_be64_store(sample.payload + ASZ_STAMP_RX_TIME, times.t2);
  asz_be64_store(sample.payload + ASZ_STAMP_TIME, times.t3);
  asz_be32_store(sample.payload + ASZ_TLV_AT_EPOCH, epoch);
  deliver(&sample);
}

/* Takes the questions for receipts that left; returns how many, the last one in *ret_asked. */
static unsigned asks(struct asz_engine_datagram *ret_asked) {
  unsigned count = 0;
  struct asz_ask ask;
  for (unsigned i = 0; i < fake.out_count; i++)
    if (asz_ask_read(&ask, fake.out[i].datagram.payload, fake.out[i].datagram.size_bytes) == 0) {
      *ret_asked = fake.out[i].datagram;
      count++;
    }
  fake.out_count = 0;
  return count;
}

static struct asz_engine_datagram receipt_to(const struct asz_engine_datagram *asked, const struct asz_identity *signer) {
  uint32_t provider = asked->target;
  struct asz_engine_datagram receipt = {.target = provider, .size_bytes = ASZ_RECEIPT_BYTES};
  struct asz_ask ask;
  cr_assert_eq(asz_ask_read(&ask, asked->payload, asked->size_bytes), 0);
  cr_assert(
      asz_mac_check(asked->payload + ASZ_RECEIPT_MAC_AT, session[provider].request_key, asked->payload, ASZ_RECEIPT_MAC_AT));
  asz_receipts_answer(receipt.payload, asz_receipts_window(windows, provider), &ask, signer, validator.public_key,
                      session[provider].reply_key);
  return receipt;
}

static struct asz_engine_datagram ask_about(uint32_t seq) {
  struct asz_engine_datagram asked;
  drawn(2, seq, EPOCH);
  run_for(2);
  cr_assert_eq(asks(&asked), 1);
  cr_assert(asked.target == 2 && asked.size_bytes == ASZ_RECEIPT_BYTES);
  return asked;
}

static void next_slot(void) {
  asz_pipeline_abort(pipeline);
  bed_slot++;
  asz_pipeline_begin(pipeline, EPOCH, bed_slot, bed_secret, bed_beacon, session, now_ns, now_ns);
}

static void take(const struct asz_engine_datagram *receipt) {
  deliver(receipt);
  run_for(2);
}

Test(pipeline_receipt, silence_is_asked_again_and_then_missing)
{
  struct asz_engine_datagram asked;
  answered(2, 7);
  (void)ask_about(7);
  run_for(DEADLINE_MS / 3 + 2);
  cr_assert_eq(asks(&asked), 1);
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_MISSING), 0);
  run_for(DEADLINE_MS);
  cr_assert_eq(asks(&asked), 1, "three in all");
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_MISSING), 1);
  struct asz_engine_datagram late = receipt_to(&asked, &identity[2]);
  take(&late);
  cr_assert(counter(ASZ_PCTR_RECEIPTS_CONFIRMED) == 0 && counter(ASZ_PCTR_DUPLICATE) == 1);
}

Test(pipeline_receipt, a_receipt_without_the_reply_contradicts_us_unless_replies_were_lost_before_it)
{
  answered(2, 6);
  struct asz_engine_datagram asked = ask_about(7), receipt = receipt_to(&asked, &identity[2]);
  take(&receipt);
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_CONTRADICTED), 1);
  next_slot();
  for (uint32_t seq = 10; seq < 10 + 2 * ASZ_RECEIPT_LEAVES_MAX; seq++)
    answered(2, seq);
  asked = ask_about(6);
  receipt = receipt_to(&asked, &identity[2]);
  take(&receipt);
  cr_assert(counter(ASZ_PCTR_RECEIPTS_CONTRADICTED) == 1 && counter(ASZ_PCTR_RECEIPTS_TOO_OLD) == 1);
}

Test(pipeline_receipt, a_reply_with_other_times_contradicts_us)
{
  struct asz_reply_times other = times_of(7);
  other.t3++;
  asz_window_note(asz_receipts_window(windows, 2), EPOCH, &other);
  struct asz_engine_datagram asked = ask_about(7), receipt = receipt_to(&asked, &identity[2]);
  take(&receipt);
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_CONTRADICTED), 1);
}

Test(pipeline_receipt, what_another_key_signed_is_nobodys_word)
{
  answered(2, 7);
  struct asz_engine_datagram asked = ask_about(7), receipt = receipt_to(&asked, &identity[3]);
  take(&receipt);
  cr_assert_eq(counter(ASZ_PCTR_FOREIGN), 1, "it names another provider");
  struct asz_receipt forged;
  cr_assert_eq(asz_receipt_read(&forged, receipt.payload, receipt.size_bytes), 0);
  asz_identity_short(forged.provider_id, identity[2].public_key);
  asz_receipt_write(receipt.payload, &forged, session[2].reply_key);
  take(&receipt);
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_UNSIGNED), 1);
}

Test(pipeline_receipt, nothing_but_the_receipt_that_was_asked_for_ends_the_question)
{
  answered(2, 7);
  struct asz_engine_datagram asked = ask_about(7), right = receipt_to(&asked, &identity[2]), wrong = right;
  wrong.payload[ASZ_RECEIPT_MAC_AT] ^= 1;
  take(&wrong);
  cr_assert_eq(counter(ASZ_PCTR_BAD_MAC), 1);
  wrong = right;
  wrong.payload[40] ^= 1; /* the nonce */
  take(&wrong);
  wrong = right;
  wrong.target = 1; /* nobody asked there */
  take(&wrong);
  cr_assert_eq(counter(ASZ_PCTR_FOREIGN), 2);
  wrong = right;
  wrong.size_bytes--;
  take(&wrong);
  cr_assert_eq(counter(ASZ_PCTR_MALFORMED), 1);
  take(&right);
  cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_CONFIRMED), 1);
  take(&right);
  cr_assert(counter(ASZ_PCTR_RECEIPTS_CONFIRMED) == 1 && counter(ASZ_PCTR_DUPLICATE) == 1);
}

Test(pipeline_receipt, each_provider_is_asked_once_a_slot_about_the_first_reply_that_is_drawn)
{
  struct asz_engine_datagram asked;
  drawn(2, 7, EPOCH - 1);
  run_for(2);
  cr_assert_eq(asks(&asked), 0, "a reply of another epoch than the running round's");
  for (unsigned slot = 1; slot <= 2; slot++) {
    answered(2, 7 + slot);
    asked = ask_about(7 + slot);
    drawn(2, 100, EPOCH);
    run_for(2);
    struct asz_engine_datagram none, receipt = receipt_to(&asked, &identity[2]);
    cr_assert_eq(asks(&none), 0);
    take(&receipt);
    drawn(2, 101, EPOCH);
    run_for(2);
    cr_assert_eq(asks(&none), 0);
    cr_assert_eq(counter(ASZ_PCTR_RECEIPTS_CONFIRMED), slot);
    next_slot();
  }
  cr_assert(counter(ASZ_PCTR_RECEIPTS_ASKED) == 2 && counter(ASZ_PCTR_RECEIPTS_MISSING) == 0);
}

Test(pipeline_receipt, a_thousand_samples_a_second_are_drawn_at_most)
{
  cr_assert_eq(asz_pipeline_sample_every(1), 1);
  cr_assert_eq(asz_pipeline_sample_every(999), 1);
  cr_assert_eq(asz_pipeline_sample_every(10000000), 10001);
}
