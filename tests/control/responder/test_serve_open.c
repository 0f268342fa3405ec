/* SPDX-License-Identifier: Apache-2.0 */
/* gemm and mem with the program itself over loopback: HELLO, commit, OPEN, chunks, and what it must not answer. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "tests/control/responder/open_fixture.h"
#include "tests/control/responder/process.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

enum { LOOPBACK = 0x7f000001, OTHER = 0x7f000002, NO_NETNS = -1, FOLD = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD };

static struct fixture fixture;
static struct process process;
static struct asz_datagram request, reply;
static int client = -1;

static void setup(void) {
  fixture_make(&fixture, 1);
  client = client_open(LOOPBACK);
}

static void teardown(void) {
  close(client);
  fixture_free(&fixture);
}

TestSuite(serve_open, .init = setup, .fini = teardown, .timeout = 60);

static void send_request(int fd) {
  client_send(fd, LOOPBACK, process.challenge_port, &request);
}

static void assert_still_answers(void) {
  fixture_plain(&request, 0x600d);
  client_ask(client, LOOPBACK, process.stamp_port, &request, &reply);
  cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), 0x600du, "a bad packet was answered");
}

static struct asz_welcome hello(void) {
  open_fixture_hello(&fixture, FIXTURE_DEVICE, 7, &request);
  client_ask(client, LOOPBACK, process.challenge_port, &request, &reply);
  cr_assert_eq(reply.size_bytes, request.size_bytes);
  return open_fixture_welcome(&fixture, &reply);
}

/* The answer is in `reply`. */
static struct asz_challenge commit(unsigned kind, unsigned param, uint8_t nonce) {
  const struct asz_challenge challenge = open_fixture_challenge(&fixture, kind, param, nonce);
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  client_ask(client, LOOPBACK, process.challenge_port, &request, &reply);
  cr_assert_eq(reply.size_bytes, request.size_bytes);
  fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, FIXTURE_CHAIN_RIGHT);
  return challenge;
}

static bool is_waiting(int wait_ms) {
  struct pollfd wait = {.fd = client, .events = POLLIN};
  return poll(&wait, 1, wait_ms) > 0;
}

/* Asks for what is missing until nothing is, one chunk a request every other time, as a validator that loses datagrams. */
static void fetch(const struct asz_open *first, uint8_t *blob) {
  struct asz_reassembly reassembly;
  struct asz_datagram chunk;
  asz_reassembly_init(&reassembly, blob, first);
  for (unsigned tries = 0; !asz_reassembly_complete(&reassembly); tries++) {
    cr_assert_lt(tries, 200);
    struct asz_open open = *first;
    open.chunk_count = (uint16_t)asz_reassembly_missing(&reassembly, 0, &open.first_chunk);
    open.chunk_count = tries % 2 ? open.chunk_count : 1;
    open_fixture_seal(&fixture, &open, &request);
    send_request(client);
    while (is_waiting(100)) {
      client_receive(client, &chunk);
      const int added = open_fixture_chunk(&fixture, first, &reassembly, &chunk);
      cr_assert(added == 0 || added == ASZ_EEXIST);
    }
  }
}

static void fetch_and_judge(const struct asz_challenge *base, const struct asz_challenge *asked, const struct asz_open *open,
                            unsigned passes) {
  const struct asz_datagram answer = reply;
  uint8_t *blob = malloc(asz_opening_total_bytes(open->kind, open->param, open->openings));
  fetch(open, blob);
  cr_assert_eq(open_fixture_judge(&fixture, open, base, asked, &answer, blob), passes);
  free(blob);
}

static void run(const char *const *extra) {
  process_run(&process, &fixture, NO_NETNS, extra);
}

#define WITH_WORK "--gemm", "tiny", "--mem", "tiny", "--devices", "3"

Test(serve_open, gemm_is_committed_to_and_opened_in_chunks)
{
  run(WORDS(WITH_WORK, "--workers", "2"));
  const struct asz_welcome welcome = hello();
  cr_assert_eq(welcome.declaration.consent, 0x1e);
  cr_assert_eq(welcome.declaration.devices, 3);
  cr_assert_eq(welcome.declaration.free_bytes, UINT64_C(256) << 20);
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, welcome.token);
  fetch_and_judge(&challenge, &challenge, &open, FIXTURE_OPENINGS);
  process_end_well(&process, SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_WELCOMES), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), 1);
  cr_assert_geq(process_counter(&process, ASZ_RESP_ANSWERED_OPENINGS), 3);
}

Test(serve_open, an_arena_is_built_and_folded_twice)
{
  run(WORDS(WITH_WORK));
  const struct asz_welcome welcome = hello();
  const struct asz_challenge build = commit(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
  cr_assert_eq(hello().declaration.free_bytes, welcome.declaration.free_bytes, "its own arena is no hindrance");
  for (uint8_t nonce = 2; nonce < 4; nonce++) {
    const struct asz_challenge fold = commit(ASZ_KIND_MEM, FOLD, nonce);
    const struct asz_open open = open_fixture_open(&fold, welcome.token);
    fetch_and_judge(&build, &fold, &open, FIXTURE_OPENINGS);
  }
  process_end_well(&process, SIGTERM);
}

Test(serve_open, a_commit_is_repeated_bit_for_bit)
{
  run(WORDS(WITH_WORK));
  commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_datagram first = reply;
  commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  cr_assert_arr_eq(first.payload, reply.payload, first.size_bytes);
  process_end_well(&process, SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AGAIN), 1);
}

Test(serve_open, nobody_else_is_answered_more_than_he_sent)
{
  run(WORDS(WITH_WORK));
  const struct asz_welcome welcome = hello();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  struct asz_open open = open_fixture_open(&challenge, welcome.token);
  const int other = client_open(OTHER);
  open_fixture_seal(&fixture, &open, &request);
  send_request(other); /* another address with the token */
  open.token[0] ^= 1;
  open_fixture_seal(&fixture, &open, &request);
  send_request(client); /* another token */
  open.token[0] ^= 1;
  open.epoch = FIXTURE_EPOCH - 5;
  open_fixture_seal(&fixture, &open, &request);
  send_request(client); /* an old epoch */
  open.epoch = FIXTURE_EPOCH;
  open_fixture_seal(&fixture, &open, &request);
  request.payload[ASZ_OPEN_MAC_AT] ^= 1;
  send_request(client); /* a wrong MAC */
  open.nonce[0] ^= 1;
  open_fixture_seal(&fixture, &open, &request);
  send_request(client); /* what was never asked */
  open.nonce[0] ^= 1;
  fetch_and_judge(&challenge, &challenge, &open, FIXTURE_OPENINGS);
  open.rho[0] ^= 1;
  open_fixture_seal(&fixture, &open, &request);
  send_request(client);
  open.rho[0] ^= 1;
  open.openings++;
  open_fixture_seal(&fixture, &open, &request);
  send_request(client);
  assert_still_answers();
  cr_assert(client_is_silent(client) && client_is_silent(other));
  close(other);
  process_end_well(&process, SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_TOKEN), 2);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_STALE_EPOCH), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_NO_COMMIT), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_REOPEN), 2);
}

Test(serve_open, without_consent_nothing_is_worked_on)
{
  run(WORDS("--mem", "tiny"));
  const struct asz_challenge gemm = fixture_challenge(&fixture, ASZ_KIND_SIG, 1);
  struct asz_challenge challenge = gemm;
  challenge.kind = ASZ_KIND_GEMM;
  challenge.param = ASZ_GEMM_PRESET_TINY;
  challenge.device = 0;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  send_request(client);
  challenge.kind = ASZ_KIND_MEM;
  challenge.param = ASZ_GEMM_PRESET_CPU;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  send_request(client);
  challenge.param = ASZ_GEMM_PRESET_TINY;
  challenge.device = 1;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  send_request(client);
  challenge.param = FOLD;
  challenge.device = 0;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  send_request(client);
  assert_still_answers();
  cr_assert(client_is_silent(client));
  process_end_well(&process, SIGTERM);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_CONSENT), 3);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_NO_ARENA), 1);
}

Test(serve_open, over_the_duty_bound_nothing_is_worked_on)
{
  run(WORDS(WITH_WORK, "--duty-ppm", "1")); /* 3.6 ms an hour */
  unsigned answered = 0;
  for (uint8_t nonce = 0; nonce < 100; nonce++) {
    struct asz_challenge challenge = open_fixture_challenge(&fixture, ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, nonce);
    challenge.slot += nonce;
    fixture_seal(&fixture, &fixture.validator, &challenge, &request);
    send_request(client);
    answered += is_waiting(50);
    if (is_waiting(0))
      client_receive(client, &reply);
  }
  process_end_well(&process, SIGTERM);
  cr_assert_geq(answered, 1);
  cr_assert_geq(process_counter(&process, ASZ_RESP_DROPPED_DUTY), 1);
}

Test(serve_open, an_arena_that_does_not_fit_beside_the_others_is_refused)
{
  run(WORDS("--mem", "tiny", "--devices", "64", "--work-mib", "1"));
  for (uint32_t device = 0; device < 16; device++) {
    struct asz_challenge challenge = open_fixture_challenge(&fixture, ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
    challenge.device = device;
    fixture_seal(&fixture, &fixture.validator, &challenge, &request);
    send_request(client);
    if (is_waiting(300))
      client_receive(client, &reply);
  }
  process_end_well(&process, SIGTERM);
  cr_assert_geq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), 1);
  cr_assert_geq(process_counter(&process, ASZ_RESP_DROPPED_MEMORY), 1);
}

Test(serve_open, long_work_delays_no_stamp_reply_and_no_sig)
{
  run(WORDS("--gemm", "cpu", "--devices", "3"));
  const struct asz_challenge gemm = open_fixture_challenge(&fixture, ASZ_KIND_GEMM, ASZ_GEMM_PRESET_CPU, 1);
  fixture_seal(&fixture, &fixture.validator, &gemm, &request);
  const int slow = client_open(LOOPBACK);
  send_request(slow);
  for (unsigned i = 0; i < 20; i++)
    assert_still_answers();
  const struct asz_challenge sig = fixture_challenge(&fixture, ASZ_KIND_SIG, 1);
  fixture_seal(&fixture, &fixture.validator, &sig, &request);
  client_ask(client, LOOPBACK, process.challenge_port, &request, &reply);
  cr_assert(client_is_silent(slow), "4e11 products took no longer than 21 round trips?");
  close(slow);
  /* it would finish the product before it ends */
  kill(process.pid, SIGKILL);
  waitpid(process.pid, NULL, 0);
  close(process.out_fd);
  close(process.err_fd);
  unlink(process.key_path);
  rmdir(process.dir);
}

Test(serve_open, wrong_answers_of_a_lab_fail_under_their_signature)
{
  run(WORDS(WITH_WORK, "--lab-wrong-answers"));
  const struct asz_welcome welcome = hello();
  const struct asz_challenge challenge = commit(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  const struct asz_open open = open_fixture_open(&challenge, welcome.token);
  fetch_and_judge(&challenge, &challenge, &open, FIXTURE_OPENINGS - 1);
  process_end_well(&process, SIGTERM);
}

Test(serve_open, losses_are_asked_for_again)
{
  run(WORDS(WITH_WORK, "--lab-loss-ppm", "300000"));
  struct asz_welcome welcome = {.epoch = 0};
  for (unsigned tries = 0; tries < 100 && welcome.epoch == 0; tries++) {
    open_fixture_hello(&fixture, FIXTURE_DEVICE, 7, &request);
    send_request(client);
    if (is_waiting(200)) {
      client_receive(client, &reply);
      welcome = open_fixture_welcome(&fixture, &reply);
    }
  }
  const struct asz_challenge challenge = open_fixture_challenge(&fixture, ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  unsigned tries = 0;
  do {
    cr_assert_lt(tries++, 100);
    send_request(client);
  } while (!is_waiting(200));
  client_receive(client, &reply);
  const struct asz_open open = open_fixture_open(&challenge, welcome.token);
  fetch_and_judge(&challenge, &challenge, &open, FIXTURE_OPENINGS);
  process_end_well(&process, SIGTERM);
}
