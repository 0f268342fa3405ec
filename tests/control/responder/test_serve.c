/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself over loopback, where all of 127.0.0.0/8 is ours without root. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/control/responder/process.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

enum { LOOPBACK = 0x7f000001, NO_NETNS = -1 };

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

TestSuite(serve, .init = setup, .fini = teardown, .timeout = 60);

static void run(const char *const *extra) {
  process_run(&process, &fixture, NO_NETNS, extra);
}

static void end(void) {
  process_end_well(&process, SIGTERM);
}

/* A good packet behind a bad one: when its reply is the only one, the bad one was dropped. Loopback keeps order. */
static void assert_still_answers(void) {
  fixture_plain(&request, 0x600d);
  client_ask(client, LOOPBACK, process.stamp_port, &request, &reply);
  cr_assert_eq(asz_be32_load(reply.payload + ASZ_STAMP_SENDER_SEQ), 0x600du, "a bad packet was answered");
}

static void fails_with(const char *const *words, int code, const char *said) {
  process_exec(&process, &fixture, NO_NETNS, words);
  const int got = process_end(&process, 0);
  cr_assert_eq(got, code, "exit code %d: %s", got, process.err);
  cr_assert_not_null(strstr(process.err, said), "'%s' does not say '%s'", process.err, said);
  const char *newline = strchr(process.err, '\n');
  cr_assert(newline && newline[1] == '\0', "not one line: %s", process.err);
}

Test(serve, bad_command_lines_give_one_line_and_code_2)
{
  fails_with(WORDS("serve"), 2, "expected keygen, pubkey, run or help");
  fails_with(WORDS(""), 2, "expected keygen");
  fails_with(WORDS("run"), 2, "--key FILE is missing");
  fails_with(WORDS("run", "--key", "KEY", "--port", "70000"), 2, "--port: expected 0..65535");
  fails_with(WORDS("run", "--key", "KEY", "--no-plain"), 2, "--no-plain without a validator");
  fails_with(WORDS("run", "--key", "KEY", "--validator", "12"), 2, "64 hex digits");
  fails_with(WORDS("run", "--key", "KEY", "--validators", "no-such-file"), 2, "no-such-file");
  fails_with(WORDS("run", "--key", "KEY", "--listen", "192.0.2.1", "--port", "0"), 2, "no address 192.0.2.1");
  fails_with(WORDS("run", "--key", "KEY", "--port", "0", "--challenge-port", "0", "--user", "no such user"), 2, "no such user");
  fails_with(WORDS("keygen", "--key", "KEY"), 2, "key");
  fails_with(WORDS("pubkey", "--key", "/"), 2, "/");
}

Test(serve, key_file_that_others_may_read_is_refused)
{
  run(WORDS());
  chmod(process.key_path, 0644);
  struct process second;
  process_exec(&second, &fixture, NO_NETNS, WORDS("pubkey", "--key", process.key_path));
  cr_assert_eq(process_end(&second, 0), 2);
  cr_assert_neq(second.err[0], '\0');
  end();
}

Test(serve, port_that_is_taken_is_refused)
{
  run(WORDS("--listen", "127.0.0.1"));
  char port[8];
  snprintf(port, sizeof port, "%u", process.stamp_port);
  struct process second;
  process_exec(&second, &fixture, NO_NETNS, WORDS("run", "--key", "KEY", "--listen", "127.0.0.1", "--port", port));
  cr_assert_eq(process_end(&second, 0), 2);
  cr_assert_not_null(strstr(second.err, "in use"), "%s", second.err);
  end();
}

Test(serve, keygen_makes_a_key_that_pubkey_reads)
{
  struct process made, read_back;
  char path[1024], key[1100];
  temporary_template(path, sizeof path);
  cr_assert_not_null(mkdtemp(path));
  snprintf(key, sizeof key, "%s/new", path);
  process_exec(&made, &fixture, NO_NETNS, WORDS("keygen", "--key", key));
  cr_assert_eq(process_end(&made, 0), 0, "%s", made.err);
  struct stat status;
  cr_assert_eq(stat(key, &status), 0);
  cr_assert_eq(status.st_mode & 0777, 0600);
  process_exec(&read_back, &fixture, NO_NETNS, WORDS("pubkey", "--key", key));
  cr_assert_eq(process_end(&read_back, 0), 0);
  cr_assert_eq(strlen(made.out), 65);
  cr_assert_str_eq(made.out, read_back.out);
  unlink(key);
  rmdir(path);
}

Test(serve, hostile_datagrams_are_dropped_and_counted)
{
  run(WORDS());
  memset(&request, 0xff, sizeof request);
  for (uint32_t size = 0; size < ASZ_STAMP_BYTES; size++) {
    request.size_bytes = size;
    client_send(client, LOOPBACK, process.stamp_port, &request);
  }
  assert_still_answers();
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  request.payload[ASZ_TLV_AT_MAC] ^= 1;
  client_send(client, LOOPBACK, process.stamp_port, &request);
  assert_still_answers();
  fixture_tlv(&fixture, &fixture.stranger, FIXTURE_EPOCH, &request);
  client_send(client, LOOPBACK, process.stamp_port, &request);
  assert_still_answers();
  cr_assert(client_is_silent(client));
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_SHORT), ASZ_STAMP_BYTES);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_UNAUTHORISED), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 3);
  cr_assert_eq(process_counter(&process, ASZ_RESP_RX), ASZ_STAMP_BYTES + 5u);
}

Test(serve, many_addresses_are_answered_each_from_its_own)
{
  run(WORDS());
  const struct asz_session session = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  for (uint32_t host = 1; host <= 64; host++) {
    fixture_plain(&request, host);
    client_ask(client, 0x7f010200 + host, process.stamp_port, &request, &reply);
    cr_assert_eq(reply.size_bytes, ASZ_STAMP_BYTES);
    cr_assert_eq(asz_be32_load(reply.payload), host);
    fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
    client_ask(client, 0x7f010200 + host, process.stamp_port, &request, &reply);
    cr_assert(asz_mac_check(reply.payload + ASZ_TLV_AT_MAC, session.reply_key, reply.payload, ASZ_TLV_AT_MAC));
  }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 64);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_TLV), 64);
}

Test(serve, authenticated_mode_is_answered_under_the_validators_key_and_else_not_at_all)
{
  struct asz_hmac_lanes *lanes;
  struct asz_hmac_key key;
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  run(WORDS("--no-plain"));
  fixture_auth(&fixture, &fixture.stranger, lanes, &request, &key);
  client_send(client, LOOPBACK, process.stamp_port, &request);
  for (unsigned i = 0; i < 3; i++) {
    fixture_auth(&fixture, &fixture.validator, lanes, &request, &key);
    client_ask(client, LOOPBACK, process.stamp_port, &request, &reply);
    cr_assert_eq(reply.size_bytes, ASZ_STAMP_AUTH_BYTES);
    cr_assert(asz_stamp_auth_verify(lanes, &key, reply.payload));
    cr_assert_arr_eq(reply.payload + ASZ_STAMP_AUTH_SENDER_SEQ, request.payload, 4);
  }
  client_send(client, LOOPBACK, process.stamp_port, &reply);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AUTH), 3);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_BAD_MAC), 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_LOOP), 1, "its own reply");
  asz_hmac_lanes_free(lanes);
}

Test(serve, time_stamps_are_in_order)
{
  run(WORDS());
  const uint64_t before_ns = asz_clock_now_ns();
  fixture_plain(&request, 1);
  client_ask(client, LOOPBACK, process.stamp_port, &request, &reply);
  const uint64_t after_ns = asz_clock_now_ns();
  const uint64_t t2_ns = asz_clock_ntp64_to_ns(asz_be64_load(reply.payload + ASZ_STAMP_RX_TIME));
  const uint64_t t3_ns = asz_clock_ntp64_to_ns(asz_be64_load(reply.payload + ASZ_STAMP_TIME));
  cr_assert(before_ns <= t2_ns + 1 && t2_ns <= t3_ns && t3_ns <= after_ns + 1, "sent %lu, T2 %lu, T3 %lu, received %lu",
            before_ns, t2_ns, t3_ns, after_ns);
  cr_assert_eq(reply.payload[ASZ_STAMP_SENDER_TTL], 64);
  end();
}

static void challenge_once(unsigned kind, uint8_t nonce, enum fixture_chain expected) {
  const struct asz_challenge challenge = fixture_challenge(&fixture, kind, nonce);
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  client_ask(client, LOOPBACK, process.challenge_port, &request, &reply);
  cr_assert_eq(reply.size_bytes, request.size_bytes);
  fixture_verify_answer(&fixture, &challenge, reply.payload, reply.size_bytes, expected);
}

Test(serve, challenges_are_answered_and_repeated_bit_for_bit)
{
  run(WORDS());
  for (unsigned kind = 1; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    challenge_once(kind, 1, FIXTURE_CHAIN_RIGHT);
    const struct asz_datagram first = reply;
    challenge_once(kind, 1, FIXTURE_CHAIN_RIGHT);
    cr_assert_arr_eq(first.payload, reply.payload, first.size_bytes);
  }
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_CHALLENGES), ASZ_KIND_SINGLE_MAX);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_AGAIN), ASZ_KIND_SINGLE_MAX);
}

Test(serve, long_proof_delays_no_stamp_reply)
{
  run(WORDS());
  struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SEQ, 1);
  challenge.param = 20;
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  const int slow = client_open(LOOPBACK);
  client_send(slow, LOOPBACK, process.challenge_port, &request);
  for (unsigned i = 0; i < 20; i++)
    assert_still_answers();
  cr_assert(client_is_silent(slow), "a million SHA-256 took no longer than 20 round trips?");
  client_receive(slow, &reply);
  cr_assert_eq(reply.size_bytes, ASZ_ANSWER_MAX_BYTES);
  close(slow);
  end();
}

Test(serve, rate_limit_of_a_source_holds)
{
  run(WORDS("--rate-pps", "5"));
  fixture_plain(&request, 1);
  for (unsigned i = 0; i < 100; i++)
    client_send(client, LOOPBACK, process.stamp_port, &request);
  const int other = client_open(0x7f000002);
  client_ask(other, LOOPBACK, process.stamp_port, &request, &reply);
  close(other);
  end();
  cr_assert_geq(process_counter(&process, ASZ_RESP_DROPPED_RATE), 90);
}

Test(serve, only_validators_are_answered_when_asked_so)
{
  run(WORDS("--no-plain"));
  fixture_plain(&request, 1);
  client_send(client, LOOPBACK, process.stamp_port, &request);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &request);
  client_ask(client, LOOPBACK, process.stamp_port, &request, &reply);
  cr_assert_eq(reply.size_bytes, ASZ_STAMP_TLV_BYTES);
  end();
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_PLAIN), 1);
}

Test(serve, lab_wrong_answers_are_signed_wrong_chains_and_said_aloud)
{
  run(WORDS("--lab-wrong-answers"));
  challenge_once(ASZ_KIND_SEQ, 1, FIXTURE_CHAIN_BROKEN);
  challenge_once(ASZ_KIND_SIG, 1, FIXTURE_CHAIN_RIGHT);
  end();
  cr_assert_not_null(strstr(process.err, "LAB SWITCHES ARE ON"));
}

Test(serve, lab_delay_holds_every_reply_and_keeps_them_all)
{
  run(WORDS("--lab-delay-us", "30000"));
  const uint64_t before_ns = asz_clock_monotonic_ns();
  for (unsigned i = 0; i < 100; i++) {
    fixture_plain(&request, i);
    client_send(client, LOOPBACK, process.stamp_port, &request);
  }
  for (unsigned i = 0; i < 100; i++) {
    client_receive(client, &reply);
    cr_assert_eq(asz_be32_load(reply.payload), i);
    cr_assert_geq(asz_clock_monotonic_ns() - before_ns, 30000000u, "reply %u came too early", i);
  }
  challenge_once(ASZ_KIND_SIG, 1, FIXTURE_CHAIN_RIGHT);
  end();
}

Test(serve, lab_loss_loses_about_its_share)
{
  run(WORDS("--lab-loss-ppm", "500000"));
  fixture_plain(&request, 1);
  for (unsigned i = 0; i < 400; i++)
    client_send(client, LOOPBACK, process.stamp_port, &request);
  unsigned reports = 0;
  do { /* no reply says that the last one was read, so its counters have to */
    kill(process.pid, SIGUSR1);
    process_wait_lines(&process, ++reports);
  } while (process_counter(&process, ASZ_RESP_RX) < 400);
  end();
  const uint64_t lost = process_counter(&process, ASZ_RESP_DROPPED_LAB);
  cr_assert(lost > 120 && lost < 280, "%lu of 400 lost; 8 standard deviations are 80", lost);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 400 - lost);
}

Test(serve, lab_silence_is_total)
{
  run(WORDS("--lab-silent"));
  fixture_plain(&request, 1);
  client_send(client, LOOPBACK, process.stamp_port, &request);
  const struct asz_challenge challenge = fixture_challenge(&fixture, ASZ_KIND_SIG, 1);
  fixture_seal(&fixture, &fixture.validator, &challenge, &request);
  client_send(client, LOOPBACK, process.challenge_port, &request);
  end();
  cr_assert(client_is_silent(client));
  cr_assert_eq(process_counter(&process, ASZ_RESP_DROPPED_LAB), 2);
}

Test(serve, counters_are_printed_on_request_and_at_the_end)
{
  run(WORDS());
  assert_still_answers();
  kill(process.pid, SIGUSR1);
  process_wait_lines(&process, 1);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 1);
  assert_still_answers();
  cr_assert_eq(process_end(&process, SIGINT), 0);
  cr_assert_eq(process_counter(&process, ASZ_RESP_ANSWERED_PLAIN), 2);
}

Test(serve, stats_file_is_replaced_as_a_whole)
{
  char path[1024];
  temporary_template(path, sizeof path);
  const int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
  run(WORDS("--stats-file", path));
  assert_still_answers();
  end();
  FILE *file = fopen(path, "re");
  char text[4096] = "";
  cr_assert_gt(fread(text, 1, sizeof text - 1, file), 0);
  fclose(file);
  unlink(path);
  cr_assert_str_eq(text, process.out, "the file holds what stdout got");
}

Test(serve, duration_ends_it_by_itself)
{
  run(WORDS("--duration", "1"));
  cr_assert_eq(process_end(&process, 0), 0);
  cr_assert_eq(process_counter(&process, ASZ_RESP_RX), 0);
}
