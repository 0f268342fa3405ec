/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>

#include "control/responder/workers.h"
#include "control/responder/works.h"
#include "tests/control/responder/open_fixture.h"

static struct fixture fixture;

static struct asz_job job_of(enum asz_kind kind, uint8_t nonce) {
  struct asz_job job = {.challenge = fixture_challenge(&fixture, kind, nonce), .ends.peer_port = nonce};
  memcpy(job.validator_pk, fixture.validator.public_key, sizeof job.validator_pk);
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  memcpy(job.reply_key, session.reply_key, sizeof job.reply_key);
  return job;
}

static struct asz_workers *start(unsigned count, unsigned capacity) {
  fixture_make(&fixture, 1);
  struct asz_workers *workers;
  cr_assert_eq(asz_workers_new(&workers, count, capacity, &fixture.provider, ASZ_PROVE_HONEST, true), 0);
  return workers;
}

static struct asz_job wait_one(struct asz_workers *workers) {
  struct asz_job job;
  struct pollfd fd = {.fd = asz_workers_fd(workers), .events = POLLIN};
  while (!asz_workers_poll(workers, &job))
    cr_assert_eq(poll(&fd, 1, 20000), 1, "no job finished in 20 s");
  return job;
}

static void stop(struct asz_workers *workers) {
  asz_workers_free(workers);
  fixture_free(&fixture);
}

Test(workers, full_pool_refuses_until_a_job_is_fetched)
{
  struct asz_workers *workers = start(1, 2);
  const struct asz_job job = job_of(ASZ_KIND_SIG, 1);
  cr_assert_eq(asz_workers_submit(workers, &job), 0);
  cr_assert_eq(asz_workers_submit(workers, &job), 0);
  cr_assert_eq(asz_workers_submit(workers, &job), ASZ_EAGAIN, "finished ones count too until they are fetched");
  (void)wait_one(workers);
  cr_assert_eq(asz_workers_submit(workers, &job), 0);
  stop(workers);
}

Test(workers, end_with_jobs_still_waiting_is_clean)
{
  struct asz_workers *workers = start(2, 64);
  const struct asz_job job = job_of(ASZ_KIND_SEQ, 1);
  for (unsigned i = 0; i < 64; i++)
    cr_assert_eq(asz_workers_submit(workers, &job), 0);
  stop(workers);
}

Test(workers, every_job_comes_back_proved_once)
{
  struct asz_workers *workers = start(3, 128);
  for (uint8_t nonce = 0; nonce < 100; nonce++) {
    const struct asz_job job = job_of(nonce % 2 ? ASZ_KIND_SEQ : ASZ_KIND_SIG, nonce);
    cr_assert_eq(asz_workers_submit(workers, &job), 0);
  }
  unsigned seen[100] = {0};
  for (unsigned i = 0; i < 100; i++) {
    const struct asz_job job = wait_one(workers);
    cr_assert_lt(job.ends.peer_port, 100);
    seen[job.ends.peer_port]++;
    fixture_verify_answer(&fixture, &job.challenge, job.answer, job.answer_bytes, FIXTURE_CHAIN_RIGHT);
  }
  for (unsigned i = 0; i < 100; i++)
    cr_assert_eq(seen[i], 1, "job %u came back %u times", i, seen[i]);
  stop(workers);
}

Test(workers, signatures_overtake_chains)
{
  struct asz_workers *workers = start(1, 16);
  struct asz_job chain = job_of(ASZ_KIND_SEQ, 0);
  chain.challenge.param = 18; /* long enough that the one worker is still busy when the signature is submitted */
  for (unsigned i = 0; i < 4; i++)
    cr_assert_eq(asz_workers_submit(workers, &chain), 0);
  const struct asz_job signature = job_of(ASZ_KIND_SIG, 1);
  cr_assert_eq(asz_workers_submit(workers, &signature), 0);
  unsigned place = 0;
  while (wait_one(workers).challenge.kind != ASZ_KIND_SIG)
    place++;
  cr_assert_leq(place, 1, "only the chain already begun goes before it, %u did", place);
  stop(workers);
}

/* An OPEN in the queue behind its commit sees what the commit left, whatever else is asked. */
Test(workers, works_are_done_in_the_order_in_which_they_were_asked)
{
  struct asz_workers *workers = start(2, 16);
  struct asz_works *works;
  cr_assert_eq(asz_works_new(&works, 16 << 20, 1), 0);
  struct asz_job build = job_of(ASZ_KIND_MEM, 1), fold = job_of(ASZ_KIND_MEM, 2), open = job_of(ASZ_KIND_SIG, 3);
  build.challenge.param = ASZ_GEMM_PRESET_TINY;
  fold.challenge.param = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD;
  cr_assert_eq(asz_works_begin(works, &build.challenge, 0, &build.work), 0);
  fold.work = open.work = build.work;
  open.type = ASZ_JOB_OPEN;
  open.open = open_fixture_open(&fold.challenge, (const uint8_t[16]){0});
  cr_assert_eq(asz_workers_submit(workers, &build), 0);
  cr_assert_eq(asz_workers_submit(workers, &fold), 0);
  cr_assert_eq(asz_workers_submit(workers, &open), 0);
  build = wait_one(workers);
  fold = wait_one(workers);
  open = wait_one(workers);
  cr_assert_eq(build.challenge.param, ASZ_GEMM_PRESET_TINY);
  cr_assert_eq(open.type, ASZ_JOB_OPEN);
  cr_assert_gt(build.spent_ns, 0);
  fixture_verify_answer(&fixture, &build.challenge, build.answer, build.answer_bytes, FIXTURE_CHAIN_RIGHT);
  fixture_verify_answer(&fixture, &fold.challenge, fold.answer, fold.answer_bytes, FIXTURE_CHAIN_RIGHT);
  struct asz_datagram answer = {.size_bytes = (uint32_t)fold.answer_bytes};
  memcpy(answer.payload, fold.answer, fold.answer_bytes);
  const uint8_t *blob = open.work->answer[ASZ_WORK_FOLD].blob;
  cr_assert_eq(open_fixture_judge(&fixture, &open.open, &build.challenge, &fold.challenge, &answer, blob), FIXTURE_OPENINGS);
  asz_workers_free(workers);
  asz_works_free(works);
  fixture_free(&fixture);
}

Test(workers, a_welcome_comes_back_signed)
{
  struct asz_workers *workers = start(1, 2);
  struct asz_job job = job_of(ASZ_KIND_SIG, 1);
  job.type = ASZ_JOB_WELCOME;
  job.challenge = (struct asz_challenge){.kind = 0};
  job.welcome = (struct asz_welcome){.epoch = FIXTURE_EPOCH, .declaration = {.devices = 1}};
  cr_assert_eq(asz_workers_submit(workers, &job), 0);
  job = wait_one(workers);
  struct asz_datagram answer = {.size_bytes = (uint32_t)job.answer_bytes};
  memcpy(answer.payload, job.answer, job.answer_bytes);
  cr_assert_eq(open_fixture_welcome(&fixture, &answer).declaration.devices, 1);
  stop(workers);
}
