/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline against an engine that is a pair of queues and a clock that only the test moves. Providers answer with the
 * real provers, honestly or not, and the real CPU verifier judges. */
#include "tests/control/pipeline_bed.h"

static void begin(void) {
  const struct asz_pipeline_config config = {.rate_ps = 1000, .deadline_ns = 300 * MS, .tries = 3, .seq_log2_steps = LOG2_STEPS};
  bed_begin(&config);
}

TestSuite(pipeline, .init = begin, .fini = bed_end);

/* answer_to makes the provider's answer to a queued challenge. */
static struct asz_engine_datagram answer_to(const struct asz_engine_datagram *asked, enum asz_prove_mode mode) {
  struct asz_challenge challenge;
  cr_assert_eq(asz_challenge_read(&challenge, asked->payload, asked->size_bytes), 0);
  struct asz_engine_datagram answer = {.target = asked->target, .port = asked->port, .tsc = 5000};
  answer.size_bytes = (uint16_t)asz_prove_answer(answer.payload, &challenge, &identity[asked->target], validator.public_key,
                                                 session[asked->target].reply_key, mode);
  return answer;
}

/* The queued challenge of a kind to a provider. */
static const struct asz_engine_datagram *asked(uint32_t provider, unsigned kind) {
  unsigned i = 0;
  while (i < fake.out_count && (fake.out[i].datagram.target != provider || fake.out[i].datagram.payload[6] != kind))
    i++;
  cr_assert_lt(i, fake.out_count, "provider %u was not asked kind %u", provider, kind);
  return &fake.out[i].datagram;
}

static void answer_all(enum asz_prove_mode mode) {
  for (unsigned i = 0; i < fake.out_count; i++) {
    struct asz_engine_datagram answer = answer_to(&fake.out[i].datagram, mode);
    deliver(&answer);
  }
  fake.out_count = 0;
}

static void expect_everyone(unsigned kind, enum asz_verdict verdict) {
  for (unsigned i = 0; i < PROVIDERS; i++) {
    cr_expect_eq(got.count[i][kind], 1, "provider %u kind %u has %u outcomes", i, kind, got.count[i][kind]);
    cr_expect_eq(got.verdict[i][kind], verdict, "provider %u kind %u: %s", i, kind, asz_verdict_name(got.verdict[i][kind]));
  }
}

Test(pipeline, honest_answers_pass_once_each)
{
  run_for(20);
  cr_assert_eq(fake.out_count, PROVIDERS * ASZ_KIND_SINGLE_MAX);
  answer_all(ASZ_PROVE_HONEST);
  run_for(20);
  cr_assert(asz_pipeline_idle(pipeline));
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_PASS);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_PASS);
}

/* In groups of two or three, each in one step. */
Test(pipeline, challenges_leave_at_the_configured_rate)
{
  run_for(3);
  cr_assert_leq(fake.out_count, 6);
  cr_assert_geq(fake.out_count, 3);
}

Test(pipeline, a_group_leaves_in_one_step_and_all_within_the_time_given)
{
  asz_pipeline_abort(pipeline);
  memset(&got, 0, sizeof got);
  uint64_t until_ns = now_ns + 10000 * (uint64_t)MS, last_ns = now_ns;
  asz_pipeline_begin(pipeline, EPOCH, SLOT, bed_secret, bed_beacon, session, now_ns, until_ns);
  unsigned bursts = 0;
  for (uint32_t i = 0; i < 2 * PROVIDERS;) {
    asz_pipeline_step(pipeline, now_ns);
    unsigned sent = fake.out_count;
    cr_assert(sent == 0 || sent >= 2, "alone");
    bursts += sent > 0;
    i += sent;
    last_ns = sent > 0 ? now_ns : last_ns;
    answer_all(ASZ_PROVE_HONEST);
    now_ns += MS;
    cr_assert_lt(now_ns, until_ns);
  }
  cr_assert_eq(bursts, 4, "two pairs, of which one has a third, for each kind: %u", bursts);
  cr_assert_gt(last_ns, until_ns - 9000 * (uint64_t)MS, "spread");
  run_for(20);
  cr_assert(asz_pipeline_idle(pipeline));
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_PASS);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_PASS);
}

Test(pipeline, wrong_signed_work_fails)
{
  run_for(20);
  answer_all(ASZ_PROVE_WRONG);
  run_for(20);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_FAIL);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_PASS);
}

Test(pipeline, a_bad_signature_is_malformed_and_never_a_fail)
{
  run_for(20);
  answer_all(ASZ_PROVE_BAD_SIGNATURE);
  run_for(20);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_MALFORMED);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_MALFORMED);
}

/* A tick of the fake engine is a millisecond. Evidence with an answer from before its question would be refused. */
Test(pipeline, answer_to_the_first_try_that_comes_with_a_repeat_under_way_keeps_the_first_tries_time)
{
  fake.clock.ns_per_tick_q32 = UINT64_C(1) << 32;
  run_for(20);
  struct asz_engine_datagram answer = answer_to(&fake.out[0].datagram, ASZ_PROVE_HONEST);
  answer.tsc = 1050;
  run_for(90); /* the repeats have left at 1,100 */
  cr_assert_gt(counter(ASZ_PCTR_REPEATED), 0);
  deliver(&answer);
  run_for(20);
  unsigned kind = fake.out[0].datagram.payload[6];
  cr_assert_eq(got.count[answer.target][kind], 1);
  cr_assert_leq(got.tx_ns[answer.target][kind], 1020);
  cr_assert_eq(got.rx_ns[answer.target][kind], 1050);
}

Test(pipeline, silence_is_missing_after_all_tries)
{
  run_for(450);
  cr_assert(asz_pipeline_idle(pipeline));
  cr_assert_eq(fake.out_count, 3 * PROVIDERS * ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(counter(ASZ_PCTR_REPEATED), 2 * PROVIDERS * ASZ_KIND_SINGLE_MAX);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_NONE);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_NONE);
}

Test(pipeline, silence_is_unjudged_when_we_dropped_frames)
{
  run_for(20);
  fake.counters.value[ASZ_CTR_RX_PORT_MISSED]++;
  run_for(450);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_UNJUDGED);
}

Test(pipeline, silence_is_unjudged_when_a_loss_is_noticed_a_little_after_the_deadline)
{
  run_for(310 + 100);
  fake.counters.value[ASZ_CTR_LINK_LOST]++;
  run_for(40);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_UNJUDGED);
}

/* A loss before anything is asked, and one whenever nothing has been under way for a while. */
Test(pipeline, a_loss_while_nothing_is_in_flight_excuses_nobody)
{
  asz_pipeline_abort(pipeline);
  memset(&got, 0, sizeof got);
  asz_pipeline_begin(pipeline, EPOCH, SLOT, bed_secret, bed_beacon, session, now_ns, now_ns + 10000 * (uint64_t)MS);
  uint64_t last_ns = now_ns;
  unsigned losses = 0;
  fake.counters.value[ASZ_CTR_RX_PORT_MISSED]++;
  for (unsigned ms = 0; ms < 11000; ms++, now_ns += MS) {
    if (now_ns - last_ns == 450 * (uint64_t)MS) {
      fake.counters.value[ASZ_CTR_RX_PORT_MISSED]++;
      losses++;
    }
    asz_pipeline_step(pipeline, now_ns);
    last_ns = fake.out_count > 0 ? now_ns : last_ns;
    fake.out_count = 0;
  }
  cr_assert_gt(losses, 1);
  cr_assert(asz_pipeline_idle(pipeline));
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_NONE);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_NONE);
}

Test(pipeline, a_question_that_never_left_is_unjudged)
{
  run_for(20);
  for (unsigned i = 0; i < fake.out_count; i++)
    *fake.out[i].tx_tsc = UINT64_MAX;
  while (!asz_pipeline_idle(pipeline)) {
    run_for(1);
    for (unsigned i = 0; i < fake.out_count; i++)
      *fake.out[i].tx_tsc = UINT64_MAX;
    fake.out_count = 0;
  }
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_UNJUDGED);
}

Test(pipeline, a_lost_datagram_is_asked_again)
{
  run_for(20);
  fake.out_count = 0; /* the network lost them all */
  run_for(120);
  cr_assert_eq(fake.out_count, PROVIDERS * ASZ_KIND_SINGLE_MAX);
  answer_all(ASZ_PROVE_HONEST);
  run_for(20);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_PASS);
}

Test(pipeline, a_full_ring_delays_and_loses_nothing)
{
  fake.full = true;
  run_for(20);
  fake.full = false;
  run_for(20);
  answer_all(ASZ_PROVE_HONEST);
  run_for(20);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_PASS);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_PASS);
}

Test(pipeline, every_flipped_byte_of_an_answer_is_ignored_and_the_true_one_still_counts)
{
  run_for(20);
  struct asz_engine_datagram truth = answer_to(&fake.out[0].datagram, ASZ_PROVE_HONEST);
  for (unsigned at = 0; at < truth.size_bytes; at++) {
    struct asz_engine_datagram forged = truth;
    forged.payload[at] ^= 0x10;
    deliver(&forged);
    run_for(0);
    asz_pipeline_step(pipeline, now_ns);
    cr_assert_eq(counter(ASZ_PCTR_ANSWERS), 0, "byte %u flipped was taken", at);
  }
  answer_all(ASZ_PROVE_HONEST);
  run_for(20);
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_PASS);
}

Test(pipeline, truncated_and_foreign_datagrams_change_nothing)
{
  run_for(20);
  struct asz_engine_datagram truth = answer_to(asked(0, ASZ_KIND_SEQ), ASZ_PROVE_HONEST);
  struct asz_engine_datagram bad = truth;
  for (bad.size_bytes = 0; bad.size_bytes < truth.size_bytes; bad.size_bytes += 16) {
    deliver(&bad);
    asz_pipeline_step(pipeline, now_ns);
  }
  bad = truth;
  bad.target = PROVIDERS; /* no such target */
  deliver(&bad);
  bad.target = truth.target + 1; /* another provider's address */
  deliver(&bad);
  asz_pipeline_step(pipeline, now_ns);
  cr_assert_eq(counter(ASZ_PCTR_ANSWERS), 0);
  cr_assert_gt(counter(ASZ_PCTR_MALFORMED), 0);
  cr_assert_eq(counter(ASZ_PCTR_FOREIGN), 1);
}

Test(pipeline, second_answers_are_counted_and_ignored)
{
  run_for(20);
  struct asz_engine_datagram right = answer_to(asked(0, ASZ_KIND_SEQ), ASZ_PROVE_HONEST);
  struct asz_engine_datagram wrong = answer_to(asked(0, ASZ_KIND_SEQ), ASZ_PROVE_WRONG);
  deliver(&right);
  run_for(5);
  deliver(&wrong);
  run_for(5);
  cr_assert_eq(counter(ASZ_PCTR_DUPLICATE), 1);
  cr_assert_eq(got.verdict[0][ASZ_KIND_SEQ], ASZ_VERDICT_PASS);
}

Test(pipeline, an_answer_to_another_slot_is_foreign)
{
  run_for(20);
  struct asz_engine_datagram stale = answer_to(&fake.out[0].datagram, ASZ_PROVE_HONEST);
  asz_pipeline_abort(pipeline);
  memset(&got, 0, sizeof got);
  asz_pipeline_begin(pipeline, EPOCH, SLOT + 1, bed_secret, bed_beacon, session, now_ns, now_ns);
  deliver(&stale);
  asz_pipeline_step(pipeline, now_ns);
  cr_assert_eq(counter(ASZ_PCTR_FOREIGN), 1);
  cr_assert_eq(counter(ASZ_PCTR_ANSWERS), 0);
}

Test(pipeline, an_aborted_round_is_unjudged)
{
  run_for(20);
  asz_pipeline_abort(pipeline);
  cr_assert(asz_pipeline_idle(pipeline));
  expect_everyone(ASZ_KIND_SIG, ASZ_VERDICT_UNJUDGED);
  expect_everyone(ASZ_KIND_SEQ, ASZ_VERDICT_UNJUDGED);
}
