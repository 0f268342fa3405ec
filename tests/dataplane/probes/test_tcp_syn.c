/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to `tcp-syn`: three forms of an answer, a time and a round of which only low bits travel, and resets. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/tcp.h"
#include "tests/dataplane/bed.h"

enum { TCP_AT = ASZ_ETH_BYTES + ASZ_IPV4_BYTES };
#define BED_S (UINT64_C(1) << 32)

static struct bed bed;
static struct bed_change mark;
static const uint64_t tx = BED_START + 600 * BED_MS, now = BED_START + 620 * BED_MS;

static void setup(void) {
  bed_open(&bed, ASZ_PROBE_TCP_SYN);
}
static void teardown(void) {
  bed_close(&bed);
}
TestSuite(tcp_syn, .init = setup, .fini = teardown);

static struct bed_frame exchange(uint32_t target, uint32_t seq, uint64_t tx_ntp64, enum bed_syn form) {
  return bed_syn_reply(bed_request(&bed, target, seq, tx_ntp64), form);
}

static void receive_marked(const struct bed_frame *frame, uint64_t at) {
  bed_mark(&bed, &mark);
  bed_receive(&bed, frame, at);
}

static uint32_t resets(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < bed.burst.leftover_count; i++)
    count += bed.burst.leftover[i].left == ASZ_RX_LEFT_RESET;
  return count;
}

Test(tcp_syn, every_form_of_an_answer_is_one_and_only_syn_acks_are_reset)
{
  for (enum bed_syn form = 0; form <= BED_SYN_RESET; form++) {
    struct bed_frame reply = exchange(1, form, tx, form);
    bed_receive(&bed, &reply, now);
    cr_assert(eq(u16, bed.stats->target[1].answered, form + 1));
    cr_assert(eq(u32, resets(), form != BED_SYN_RESET));
  }
}

Test(tcp_syn, request_is_a_bare_syn_that_asks_for_no_state)
{
  struct bed_frame request = bed_request(&bed, 0, 1, tx);
  struct asz_frame frame;
  struct asz_tcp_options options;
  asz_wire_parse(&frame, request.bytes, request.size, ASZ_WIRE_CHECK_ALL);
  cr_assert(eq(int, frame.kind, ASZ_FRAME_TCP));
  cr_assert(eq(u8, frame.tcp_flags, ASZ_TCP_SYN));
  cr_assert(eq(u16, frame.payload_bytes, 0));
  cr_assert(eq(int, asz_tcp_options_read(&options, request.bytes + TCP_AT, ASZ_TCP_OPEN_BYTES), 0));
  cr_assert(options.has_times);
  for (size_t at = ASZ_TCP_BYTES; at < ASZ_TCP_OPEN_BYTES;) {
    uint8_t kind = request.bytes[TCP_AT + at];
    cr_assert(kind == ASZ_TCP_OPTION_NOP || kind == ASZ_TCP_OPTION_MSS || kind == ASZ_TCP_OPTION_TIMES, "option %u", kind);
    at += kind == ASZ_TCP_OPTION_NOP ? 1 : request.bytes[TCP_AT + at + 1];
  }
}

Test(tcp_syn, every_flipped_bit_that_travels_is_forged_in_every_form_and_is_never_reset)
{
  for (enum bed_syn form = 0; form <= BED_SYN_RESET; form++) {
    for (unsigned bit = 0; bit < 32; bit++) {
      struct bed_frame reply = exchange(1, 5, tx, form);
      reply.bytes[TCP_AT + ASZ_TCP_ACK + bit / 8] ^= (uint8_t)(1 << bit % 8);
      bed_finish(&reply);
      receive_marked(&reply, now);
      bed_assert_only(&bed, &mark, ASZ_CTR_RX_FORGED);
      cr_assert(eq(u32, resets(), 0), "form %d, bit %u", form, bit);
    }
  }
}

/* A forger who guesses all that he cannot see, where most times are asked: deep in an epoch that has one before it. */
Test(tcp_syn, blind_forger_hits_as_seldom_as_promised)
{
  enum { TRIES = 1 << 20, HITS_MAX = 16 * (TRIES >> 17) };
  bed_next_epoch(&bed);
  for (uint32_t i = 0; i < TRIES; i++) {
    struct bed_frame reply = exchange(1, 0, tx, BED_SYN_PLAIN);
    uint64_t bits = asz_cookie_one(&(struct asz_cookie_key){1, 2}, i, 0, 0);
    asz_be32_store(reply.bytes + TCP_AT + ASZ_TCP_ACK, (uint32_t)bits);
    asz_be16_store(reply.bytes + TCP_AT + ASZ_TCP_DST, (uint16_t)(BED_PORT_BASE + (bits >> 32) % ASZ_COOKIE_PORTS));
    bed_finish(&reply);
    bed_receive(&bed, &reply, now + 60 * BED_S);
  }
  uint64_t hits = TRIES - bed.counters.value[ASZ_CTR_RX_FORGED];
  cr_assert(le(u64, hits, HITS_MAX + 3 * 12), "%llu of 2^20", (unsigned long long)hits); /* and three sigma */
  cr_assert(le(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], (TRIES >> 17) + 3 * 3));
}

Test(tcp_syn, what_is_neither_syn_ack_nor_reset_is_malformed)
{
  for (unsigned flags = 0; flags < 64; flags++) {
    unsigned kept = flags & (ASZ_TCP_FIN | ASZ_TCP_SYN | ASZ_TCP_RST | ASZ_TCP_ACKS);
    if (kept == (ASZ_TCP_SYN | ASZ_TCP_ACKS) || kept == (ASZ_TCP_RST | ASZ_TCP_ACKS))
      continue;
    struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
    reply.bytes[TCP_AT + ASZ_TCP_FLAGS] = (uint8_t)flags;
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_MALFORMED);
    cr_assert(eq(u32, resets(), 0), "flags %02x", flags);
  }
}

Test(tcp_syn, hostile_options_are_malformed)
{
  for (unsigned length = 0; length < 256; length++) {
    struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
    if (length == ASZ_TCP_TIMES_BYTES)
      continue;
    reply.bytes[TCP_AT + 27] = (uint8_t)length;
    bed_finish(&reply);
    receive_marked(&reply, now);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_MALFORMED);
  }
}

Test(tcp_syn, data_behind_the_header_is_ignored)
{
  struct bed_frame reply = exchange(1, 5, tx, BED_SYN_PLAIN);
  reply.size += 7;
  asz_be16_store(reply.bytes + ASZ_ETH_BYTES + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(reply.size - ASZ_ETH_BYTES));
  bed_finish(&reply);
  bed_receive(&bed, &reply, now);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1));
}

Test(tcp_syn, rtt_is_never_short_and_long_by_less_than_a_step)
{
  static const uint64_t step_ntp64 = 4096, rtt_ntp64 = 20 * BED_MS;
  for (uint32_t i = 0; i < 500; i++) {
    uint64_t sent = tx + i * 4001;
    struct bed_frame reply = exchange(2, i, sent, BED_SYN_TIMES);
    uint64_t sum = bed.stats->target[2].rtt_sum_ns;
    bed_receive(&bed, &reply, sent + rtt_ntp64);
    uint64_t rtt_ns = bed.stats->target[2].rtt_sum_ns - sum;
    uint64_t true_ns = (rtt_ntp64 * 1000000000) >> 32, step_ns = (step_ntp64 * 1000000000) >> 32;
    cr_assert(rtt_ns >= true_ns && rtt_ns <= true_ns + step_ns + 1, "%llu of %llu", (unsigned long long)rtt_ns,
              (unsigned long long)true_ns);
  }
}

/* 65,535 is the last round of a plan; 64 rounds around any of them are told apart. */
Test(tcp_syn, round_is_rebuilt_across_every_carry)
{
  static const uint32_t lasts[] = {0, 1, 63, 64, 127, 4096, 65535};
  for (unsigned i = 0; i < sizeof lasts / sizeof *lasts; i++) {
    for (uint32_t back = 0; back < 64 && back <= lasts[i]; back++) {
      bed_close(&bed);
      bed_open(&bed, ASZ_PROBE_TCP_SYN);
      struct bed_frame reply = exchange(3, lasts[i] - back, tx, BED_SYN_RESET);
      bed.rx.run.epoch.seq_last = lasts[i];
      bed_receive(&bed, &reply, now);
      cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1), "last %u, %u back", lasts[i], back);
      cr_assert(eq(u32, bed.stats->target[3].seq_next, lasts[i] - back + 1));
    }
  }
}

/* The SYN-ACKs that a host sends again after 1, 3, 7, 15 and 31 s, because our reset was lost: never forged. */
Test(tcp_syn, syn_ack_sent_again_is_replayed_and_reset_each_time)
{
  static const unsigned after_s[] = {1, 3, 7, 15, 31};
  struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
  bed_receive(&bed, &reply, now);
  for (unsigned i = 0; i < sizeof after_s / sizeof *after_s; i++) {
    bed.rx.run.epoch.seq_last = 5 + after_s[i];
    receive_marked(&reply, now + after_s[i] * BED_S);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_REPLAYED);
    cr_assert(eq(u32, resets(), 1), "%u s", after_s[i]);
  }
}

Test(tcp_syn, late_answer_is_late_however_often_the_time_went_round)
{
  static const unsigned after_ms[] = {101, 3999, 4001, 9000, 27999};
  for (unsigned i = 0; i < sizeof after_ms / sizeof *after_ms; i++) {
    struct bed_frame reply = exchange(1, i, tx, BED_SYN_RESET);
    receive_marked(&reply, tx + after_ms[i] * BED_MS);
    bed_assert_only(&bed, &mark, ASZ_CTR_RX_LATE);
  }
}

Test(tcp_syn, duplicate_is_reset_too)
{
  struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
  bed_receive(&bed, &reply, now);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_DUPLICATE);
  cr_assert(eq(u32, resets(), 1));
}

Test(tcp_syn, reply_of_the_last_epoch_is_known_and_reset)
{
  struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
  bed_next_epoch(&bed);
  receive_marked(&reply, now + 5 * BED_S);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
  cr_assert(eq(u32, resets(), 1));
  bed_from(&reply, BED_FIRST + 1, BED_PORT + 1);
  receive_marked(&reply, now + 5 * BED_S);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_PAST_EPOCH);
  cr_assert(eq(u32, resets(), 0), "not from a port that nobody asked");
}

Test(tcp_syn, from_elsewhere_is_a_wrong_path_and_not_reset)
{
  struct bed_frame reply = exchange(1, 5, tx, BED_SYN_TIMES);
  bed_from(&reply, BED_FIRST + 1, BED_PORT + 1);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_WRONG_PATH);
  cr_assert(eq(u32, resets(), 0));
  bed_from(&reply, BED_FIRST + 99, BED_PORT);
  receive_marked(&reply, now);
  bed_assert_only(&bed, &mark, ASZ_CTR_RX_UNSOLICITED);
  cr_assert(eq(u32, resets(), 0));
}

Test(tcp_syn, first_probe_of_an_epoch_counts_although_its_time_is_cut)
{
  struct bed_frame reply = exchange(1, 0, BED_START, BED_SYN_RESET);
  bed.rx.run.start_ntp64 = BED_START + 7;
  bed_receive(&bed, &reply, BED_START + 20 * BED_MS);
  cr_assert(eq(u64, bed.counters.value[ASZ_CTR_RX_ANSWERED], 1));
}
