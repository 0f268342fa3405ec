/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator behind its port, against a prober of a few lines that owns nothing of the engine: what goes in and what comes out
 * are frames. Needs EAL, neither huge pages nor root. Waiting is polling for an event up to a deadline; no test depends on how
 * fast it comes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/wire.h"
#include "dataplane/emulator/emulator.h"

enum { ME = 0x0a3f0001, MY_PORT = 50000, PROVIDERS = 8, EPOCH = 3, DEADLINE_MS = 20000 };
static const uint8_t my_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t validator_id[8] = "validat";

static struct rte_mempool *pool;
static struct asz_clock wall;
static struct asz_truth truth[PROVIDERS];
static struct asz_session sessions[PROVIDERS];
static struct asz_emulator_config config;
static struct asz_emulator *emulator;
static uint16_t port;
static uint8_t gateway_mac[6];

static void start_eal(void) {
  /* Both lcores on any CPU: a machine with one passes, too. EAL wants words that it may change. */
  char line[] = "test --no-huge -m 192 --no-pci --no-telemetry --no-shconf --log-level=4 --lcores 0@0-1,1@0-1";
  char *argv[16];
  int argc = 0;
  for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
    argv[argc++] = word;
  cr_assert(rte_eal_init(argc, argv) >= 0);
  pool = rte_pktmbuf_pool_create("prober", 4095, 0, 0, 2048, SOCKET_ID_ANY);
  cr_assert(ne(ptr, pool, NULL));
  cr_assert(eq(int, asz_clock_calibrate(&wall, 20), 0));
  asz_emulator_config_default(&config);
  config.lcore_id = 1;
  config.provider_count = PROVIDERS;
  config.truth = truth;
  config.timeout_ns = 30000000;
  config.in_flight_max = 4096;
  for (size_t i = 0; i < sizeof sessions; i++)
    ((uint8_t *)sessions)[i] = (uint8_t)(i * 5 + 3);
  for (uint32_t i = 0; i < PROVIDERS; i++)
    truth[i] = (struct asz_truth){.delay_ns = 1000000 * (i + 1)};
}

static void create(void) {
  struct asz_diag diag = {0};
  int err = asz_emulator_new(&emulator, &config, &port, &diag);
  cr_assert(eq(int, err, 0), "%s", diag.text);
  struct rte_eth_conf conf = {0};
  cr_assert(eq(int, rte_eth_dev_configure(port, 1, 1, &conf), 0));
  cr_assert(eq(int, rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool), 0));
  cr_assert(eq(int, rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL), 0));
  cr_assert(eq(int, rte_eth_dev_start(port), 0));
}

/* --- a small prober --- */

static void send_frame(const uint8_t *frame, size_t size) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
  cr_assert(ne(ptr, mbuf, NULL));
  memcpy(rte_pktmbuf_append(mbuf, (uint16_t)size), frame, size);
  while (rte_eth_tx_burst(port, 0, &mbuf, 1) == 0)
    ;
}

struct received {
  uint8_t bytes[1600];
  size_t size;
  struct asz_frame frame;
  uint64_t tsc;
};

/* The next frame, or false after `wait_ms` without one. */
static bool receive(struct received *ret_frame, uint64_t wait_ms) {
  uint64_t end = asz_clock_monotonic_ns() + wait_ms * 1000000;
  struct rte_mbuf *mbuf;
  while (rte_eth_rx_burst(port, 0, &mbuf, 1) == 0)
    if (asz_clock_monotonic_ns() > end)
      return false;
  ret_frame->tsc = asz_tsc();
  ret_frame->size = mbuf->data_len;
  memcpy(ret_frame->bytes, rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len);
  rte_pktmbuf_free(mbuf);
  asz_wire_parse(&ret_frame->frame, ret_frame->bytes, ret_frame->size, ASZ_WIRE_CHECK_ALL);
  return true;
}

static void find_gateway(void) {
  uint8_t arp[ASZ_ETH_MIN_BYTES];
  const uint8_t nobody[6] = {0};
  struct received got;
  struct asz_arp reply;
  asz_wire_arp_write(arp, ASZ_ARP_REQUEST, my_mac, ME, nobody, config.gateway_ipv4);
  send_frame(arp, sizeof arp);
  cr_assert(receive(&got, DEADLINE_MS), "no ARP reply");
  cr_assert(eq(int, got.frame.kind, ASZ_FRAME_ARP));
  cr_assert(eq(int, asz_wire_arp_read(&reply, got.bytes + got.frame.l3_offset, got.size - got.frame.l3_offset), 0));
  cr_assert(eq(int, reply.operation, ASZ_ARP_REPLY));
  cr_assert(eq(u32, reply.sender_ipv4, config.gateway_ipv4));
  memcpy(gateway_mac, reply.sender_mac, 6);
}

static size_t udp_frame(uint8_t *frame, uint32_t provider, uint16_t dst_port, uint16_t payload_bytes) {
  uint8_t *ip = frame + ASZ_ETH_BYTES;
  asz_wire_eth_write(frame, gateway_mac, my_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, ME, config.base_ipv4 + provider, ASZ_PROTOCOL_UDP, 64, (uint16_t)(ASZ_UDP_BYTES + payload_bytes));
  asz_wire_udp_write(ip + ASZ_IPV4_BYTES, MY_PORT, dst_port, payload_bytes);
  asz_wire_udp_finish(ip);
  return (size_t)ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + payload_bytes;
}

static void send_stamp(uint32_t provider, uint32_t seq) {
  uint8_t frame[256];
  uint8_t *payload = frame + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES;
  asz_stamp_request_write(payload, seq, asz_tsc(), ASZ_STAMP_ERROR_UNSYNCHRONISED, 1);
  send_frame(frame, udp_frame(frame, provider, ASZ_STAMP_PORT, ASZ_STAMP_BYTES));
}

static void send_tlv(uint32_t provider, const struct asz_session *session) {
  uint8_t frame[256];
  uint8_t *payload = frame + ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES;
  asz_stamp_request_write(payload, 1, asz_tsc(), ASZ_STAMP_ERROR_UNSYNCHRONISED, 1);
  asz_tlv_request_write(payload, EPOCH, provider, validator_id, 5, session->request_key);
  send_frame(frame, udp_frame(frame, provider, ASZ_STAMP_PORT, ASZ_STAMP_TLV_BYTES));
}

static uint32_t field32(const struct received *got, unsigned at) {
  return asz_be32_load(got->bytes + got->frame.payload_offset + at);
}
static uint64_t field64(const struct received *got, unsigned at) {
  return asz_be64_load(got->bytes + got->frame.payload_offset + at);
}

/* As the engine does it: the port first, whatever it still holds taken out. */
static void stop(void) {
  struct received rest;
  while (receive(&rest, 0))
    ;
  rte_eth_dev_stop(port);
  asz_emulator_stop(emulator);
}

/* After stop: the books balance, and every buffer is back. */
static void finish(void) {
  uint64_t faults = 0;
  for (uint32_t i = 0; i < PROVIDERS; i++) {
    const struct asz_deed *d = &asz_emulator_deeds(emulator)[i];
    cr_expect(eq(u64, d->requests, d->lost + d->withheld + d->faults + d->replies), "provider %u", i);
    cr_expect(le(u64, d->held, d->replies), "provider %u", i);
    faults += d->faults;
  }
  cr_expect(ge(u64, asz_emulator_faults(emulator), faults));
  cr_expect(eq(u32, rte_mempool_in_use_count(pool), 0), "buffers of the prober were kept");
  asz_emulator_free(emulator);
  rte_mempool_free(pool);
}

TestSuite(emulator, .init = start_eal, .timeout = 60);

Test(emulator, refuses_configurations_by_name_of_the_field)
{
  struct {
    const char *field;
    struct asz_emulator_config config;
  } bads[8];
  for (size_t i = 0; i < 8; i++)
    bads[i].config = config;
  struct asz_truth bad_truth[PROVIDERS] = {{.cheat = ASZ_CHEAT_COUNT}};
  struct asz_truth bad_loss[PROVIDERS] = {{.loss_ppm = 1000001}};
  bads[0].field = "provider_count", bads[0].config.provider_count = 0;
  bads[1].field = "provider_count", bads[1].config.provider_count = (1 << 20) + 1;
  bads[2].field = "base_ipv4", bads[2].config.base_ipv4 = UINT32_MAX - 3;
  bads[3].field = "gateway_ipv4", bads[3].config.gateway_ipv4 = config.base_ipv4 + 2;
  bads[4].field = "in_flight_max", bads[4].config.in_flight_max = 0;
  bads[5].field = "lcore_id", bads[5].config.lcore_id = 0;
  bads[6].field = "truth of provider 0", bads[6].config.truth = bad_truth;
  bads[7].field = "truth of provider 0", bads[7].config.truth = bad_loss;
  for (size_t i = 0; i < 8; i++) {
    struct asz_diag diag = {0};
    cr_expect(eq(int, asz_emulator_new(&emulator, &bads[i].config, &port, &diag), ASZ_EINVAL), "case %zu", i);
    cr_expect(strstr(diag.text, bads[i].field) != NULL, "case %zu: %s", i, diag.text);
  }
  cr_expect(zero(ptr, emulator));
  asz_emulator_free(NULL);
}

Test(emulator, a_second_one_is_refused_and_the_first_can_be_made_again)
{
  struct asz_emulator *second = NULL;
  struct asz_diag diag = {0};
  create();
  cr_expect(eq(int, asz_emulator_new(&second, &config, &port, &diag), ASZ_EEXIST), "%s", diag.text);
  cr_expect(zero(ptr, second));
  asz_emulator_free(emulator);
  create();
  cr_expect(eq(int, asz_emulator_launch(emulator), 0));
  cr_expect(eq(int, asz_emulator_launch(emulator), ASZ_ESTATE));
  find_gateway();
  stop();
  finish();
}

Test(emulator, answers_every_honest_probe_once_from_its_provider_and_never_early)
{
  enum { ROUNDS = 20 };
  uint32_t seen[PROVIDERS] = {0}, got_count = 0;
  struct received got;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t seq = 0; seq < ROUNDS; seq++)
    for (uint32_t i = 0; i < PROVIDERS; i++)
      send_stamp(i, seq);
  while (got_count < ROUNDS * PROVIDERS && receive(&got, DEADLINE_MS)) {
    cr_assert(eq(int, got.frame.kind, ASZ_FRAME_UDP));
    uint32_t provider = got.frame.src_ipv4 - config.base_ipv4;
    cr_assert(lt(u32, provider, PROVIDERS));
    uint32_t bit = 1u << field32(&got, ASZ_STAMP_SENDER_SEQ);
    cr_assert(zero(u32, seen[provider] & bit), "provider %u answered twice", provider);
    seen[provider] |= bit;
    uint64_t rtt_ns = asz_clock_ns(&wall, got.tsc - field64(&got, ASZ_STAMP_SENDER_TIME));
    /* Two calibrations of one counter differ by some ppm. */
    cr_assert(ge(u64, rtt_ns + rtt_ns / 1000, truth[provider].delay_ns), "provider %u", provider);
    uint64_t dwell =
        asz_clock_ntp64_to_ns(field64(&got, ASZ_STAMP_TIME)) - asz_clock_ntp64_to_ns(field64(&got, ASZ_STAMP_RX_TIME));
    cr_assert(lt(u64, dwell, 31000));
    got_count++;
  }
  cr_expect(eq(u32, got_count, ROUNDS * PROVIDERS));
  stop();
  for (uint32_t i = 0; i < PROVIDERS; i++) {
    const struct asz_deed *d = &asz_emulator_deeds(emulator)[i];
    cr_expect(eq(u64, d->requests, ROUNDS));
    cr_expect(eq(u64, d->replies, ROUNDS));
    cr_expect(ge(u64, d->delay_sum_ns, ROUNDS * truth[i].delay_ns));
  }
  cr_expect(eq(u64, asz_emulator_strays(emulator), 0));
  finish();
}

/* Which probes of provider 0 stay unanswered: bit seq. `pause` spreads the probes over time. */
static uint64_t lost_probes(bool one_by_one) {
  enum { PROBES = 60 };
  uint64_t answered = 0;
  struct received got;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t seq = 0; seq < PROBES; seq++) {
    send_stamp(0, seq);
    if (one_by_one && receive(&got, 5))
      answered |= UINT64_C(1) << field32(&got, ASZ_STAMP_SENDER_SEQ);
  }
  while (receive(&got, 200))
    answered |= UINT64_C(1) << field32(&got, ASZ_STAMP_SENDER_SEQ);
  stop();
  uint64_t lost = ~answered & ((UINT64_C(1) << PROBES) - 1);
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[0].lost, (uint64_t)__builtin_popcountll(lost)));
  asz_emulator_free(emulator);
  return lost;
}

Test(emulator, what_is_lost_depends_on_the_seed_and_not_on_timing)
{
  truth[0].loss_ppm = 300000;
  uint64_t burst = lost_probes(false);
  cr_expect(ne(u64, burst, 0));
  cr_expect(eq(u64, lost_probes(true), burst));
  config.seed++;
  cr_expect(ne(u64, lost_probes(false), burst));
}

Test(emulator, what_no_network_would_answer_is_counted_as_stray)
{
  uint8_t frame[256] = {0}, arp[ASZ_ETH_MIN_BYTES];
  struct received got;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  size_t size = udp_frame(frame, 0, 53, ASZ_STAMP_BYTES);
  send_frame(frame, size); /* 1: no such port */
  size = udp_frame(frame, PROVIDERS, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  send_frame(frame, size); /* 2: no such provider */
  size = udp_frame(frame, (uint32_t)-1, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  send_frame(frame, size); /* 3: the address before the first */
  size = udp_frame(frame, 0, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  frame[size - 1] ^= 1;
  send_frame(frame, size); /* 4: checksum */
  frame[size - 1] ^= 1;
  frame[ASZ_ETH_DST + 5] ^= 1;
  send_frame(frame, size); /* 5: another host's MAC */
  send_frame(frame, 13);   /* 6: not even Ethernet */
  asz_wire_arp_write(arp, ASZ_ARP_REQUEST, my_mac, ME, gateway_mac, config.gateway_ipv4 + 1);
  send_frame(arp, sizeof arp); /* 7: somebody else's address */
  send_stamp(0, 1);
  cr_expect(receive(&got, DEADLINE_MS), "the one good frame, sent last");
  cr_expect(eq(u32, got.frame.src_ipv4, config.base_ipv4));
  stop();
  cr_expect(eq(u64, asz_emulator_strays(emulator), 7));
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[0].requests, 1));
  finish();
}

Test(emulator, cheats_do_what_they_are_named_for)
{
  enum { DUPLICATE, REPLAY, FORGE, DEAD, HONEST };
  truth[DUPLICATE].cheat = ASZ_CHEAT_DUPLICATE;
  truth[REPLAY].cheat = ASZ_CHEAT_REPLAY;
  truth[FORGE].cheat = ASZ_CHEAT_FORGE;
  truth[DEAD].cheat = ASZ_CHEAT_DEAD;
  uint32_t copies[PROVIDERS] = {0}, made_up = 0;
  uint64_t replayed_ns = 0, forged_ns = UINT64_MAX, forged_true_ns = 0;
  struct received got;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  uint64_t start = asz_tsc();
  for (uint32_t i = 0; i <= HONEST; i++)
    send_stamp(i, 9);
  for (uint32_t expected = 7; expected > 0 && receive(&got, DEADLINE_MS); expected--) {
    uint32_t provider = got.frame.src_ipv4 - config.base_ipv4;
    uint64_t after_ns = asz_clock_ns(&wall, got.tsc - start);
    copies[provider]++;
    if (provider == REPLAY)
      replayed_ns = after_ns;
    if (provider == FORGE && field32(&got, ASZ_STAMP_SENDER_SEQ) != 9) {
      made_up++;
      forged_ns = after_ns;
    } else if (provider == FORGE) {
      forged_true_ns = after_ns;
    }
  }
  cr_expect(not(receive(&got, 100)), "no eighth frame");
  cr_expect(eq(u32, copies[DUPLICATE], 2));
  cr_expect(eq(u32, copies[REPLAY], 2));
  cr_expect(gt(u64, replayed_ns, config.timeout_ns), "the replay came before the timeout");
  cr_expect(eq(u32, copies[FORGE], 2));
  cr_expect(eq(u32, made_up, 1));
  cr_expect(lt(u64, forged_ns, forged_true_ns), "the made-up reply comes first");
  cr_expect(eq(u32, copies[DEAD], 0));
  cr_expect(eq(u32, copies[HONEST], 1));
  stop();
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[FORGE].extra, 1));
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[DEAD].withheld, 1));
  finish();
}

Test(emulator, spoofers_speak_in_the_name_of_others_relays_from_elsewhere_and_known_only_to_validators)
{
  enum { SPOOF, VICTIM, RELAY, KNOWN_ONLY, EARLY, PROBES = 2 };
  uint32_t nobody = config.base_ipv4 - 1, from[PROVIDERS] = {0}, from_nobody = 0, guesses = 0;
  struct received got;
  truth[SPOOF].cheat = ASZ_CHEAT_SPOOF;
  truth[RELAY].cheat = ASZ_CHEAT_RELAY;
  truth[KNOWN_ONLY].cheat = ASZ_CHEAT_KNOWN_ONLY;
  truth[EARLY].cheat = ASZ_CHEAT_EARLY;
  create();
  asz_emulator_sessions(emulator, EPOCH, sessions, NULL);
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t n = 0; n < PROBES; n++)
    for (uint32_t i = 0; i <= EARLY; i++)
      send_stamp(i, 9 + 10 * n);
  send_tlv(KNOWN_ONLY, &sessions[KNOWN_ONLY]);
  /* Of each probe: the spoofer's reply and forgery, the victim's, the relay's, two of the guesser's; and one to the validator. */
  for (uint32_t expected = 6 * PROBES + 1; expected > 0 && receive(&got, DEADLINE_MS); expected--) {
    uint32_t provider = got.frame.src_ipv4 - config.base_ipv4;
    cr_assert(eq(int, got.frame.kind, ASZ_FRAME_UDP));
    cr_assert(provider < PROVIDERS || got.frame.src_ipv4 == nobody);
    from_nobody += provider >= PROVIDERS;
    from[provider % PROVIDERS] += provider < PROVIDERS;
    guesses += provider == EARLY && field32(&got, ASZ_STAMP_SENDER_SEQ) % 10 == 0;
  }
  cr_expect(not(receive(&got, 100)), "no further frame");
  cr_expect(eq(u32, from[SPOOF], PROBES));
  cr_expect(eq(u32, from[VICTIM], PROBES + 1), "one of the two forgeries is in its name");
  cr_expect(eq(u32, from[RELAY], 0));
  cr_expect(eq(u32, from_nobody, PROBES + 1));
  cr_expect(eq(u32, from[KNOWN_ONLY], 1));
  cr_expect(eq(u32, from[EARLY], 2 * PROBES));
  cr_expect(eq(u32, guesses, PROBES));
  stop();
  const struct asz_deed *deed = asz_emulator_deeds(emulator);
  cr_expect(eq(u32, deed[SPOOF].extra, PROBES));
  cr_expect(eq(u32, deed[VICTIM].named, 1));
  cr_expect(eq(u32, deed[RELAY].replies, PROBES));
  cr_expect(eq(u32, deed[KNOWN_ONLY].withheld, PROBES));
  cr_expect(eq(u32, deed[KNOWN_ONLY].replies, 1));
  cr_expect(eq(u32, deed[EARLY].extra, PROBES));
  finish();
}

Test(emulator, a_session_is_checked_and_sealed_and_a_bad_request_mac_is_dropped)
{
  struct received got;
  truth[1].cheat = ASZ_CHEAT_BAD_MAC;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  send_tlv(0, &sessions[0]);
  cr_assert(receive(&got, DEADLINE_MS), "without keys: as by a plain reflector");
  cr_expect(eq(u8, got.bytes[got.frame.payload_offset + ASZ_TLV_AT] & ASZ_TLV_FLAG_UNRECOGNISED, ASZ_TLV_FLAG_UNRECOGNISED));

  asz_emulator_sessions(emulator, EPOCH, sessions, NULL);
  for (uint32_t provider = 0; provider < 2; provider++) {
    send_tlv(provider, &sessions[provider]);
    cr_assert(receive(&got, DEADLINE_MS));
    const uint8_t *p = got.bytes + got.frame.payload_offset;
    cr_expect(eq(int, asz_mac_check(p + ASZ_TLV_AT_MAC, sessions[provider].reply_key, p, ASZ_TLV_AT_MAC), provider == 0));
  }
  asz_emulator_sessions(emulator, EPOCH + 1, sessions, NULL);
  send_tlv(0, &sessions[0]);
  cr_expect(receive(&got, DEADLINE_MS), "the epoch before is still answered");
  asz_emulator_sessions(emulator, EPOCH + 2, sessions, NULL);
  send_tlv(0, &sessions[0]);
  send_tlv(2, &sessions[1]);
  cr_expect(not(receive(&got, 100)));
  stop();
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[0].withheld, 1), "an epoch too old");
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[2].withheld, 1), "another provider's key");
  finish();
}

Test(emulator, network_faults_do_what_they_are_named_for_and_are_counted)
{
  enum { COPIED, BROKEN, ALTERED, DETOURED, OUT, PROBES = 32, EACH = 1000000 };
  uint32_t frames[PROVIDERS] = {0}, bad_checksums = 0, altered = 0, reordered = 0, next = 0;
  struct received got;
  truth[COPIED].duplicate_ppm = EACH;
  truth[BROKEN].broken_ppm = EACH;
  truth[ALTERED].altered_ppm = EACH;
  truth[DETOURED].detour_ppm = EACH / 2;
  truth[DETOURED].detour_ns = 50000000;
  truth[OUT].outage_ppm = EACH;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t seq = 0; seq < PROBES; seq++)
    for (uint32_t i = 0; i < PROVIDERS; i++)
      send_stamp(i, seq);
  for (uint32_t expected = PROVIDERS * PROBES; expected > 0 && receive(&got, DEADLINE_MS); expected--) {
    uint32_t provider = asz_be32_load(got.bytes + ASZ_ETH_BYTES + ASZ_IPV4_SRC) - config.base_ipv4;
    cr_assert(lt(u32, provider, PROVIDERS));
    frames[provider]++;
    if (provider == BROKEN) {
      bad_checksums += got.frame.kind == ASZ_FRAME_BAD_CHECKSUM;
      continue;
    }
    cr_assert(eq(int, got.frame.kind, ASZ_FRAME_UDP), "provider %u", provider);
    uint32_t seq = field32(&got, ASZ_STAMP_SENDER_SEQ);
    altered += provider == ALTERED && (seq >= PROBES || field32(&got, ASZ_STAMP_SEQ) != seq ||
                                       asz_tsc() - field64(&got, ASZ_STAMP_SENDER_TIME) > wall.tsc_hz * DEADLINE_MS / 1000);
    if (provider == DETOURED) {
      reordered += seq < next;
      next = seq >= next ? seq + 1 : next;
    }
  }
  cr_expect(not(receive(&got, 100)), "no frame more");
  stop();
  const struct asz_deed *deed = asz_emulator_deeds(emulator);
  for (uint32_t i = 0; i < PROVIDERS; i++) {
    cr_expect(eq(u32, frames[i], i == COPIED ? 2 * PROBES : i == OUT ? 0 : PROBES), "provider %u", i);
    cr_expect(eq(u32, deed[i].requests, PROBES));
    cr_expect(eq(u32, deed[i].duplicates, i == COPIED ? PROBES : 0), "provider %u", i);
    cr_expect(eq(u32, deed[i].broken, i == BROKEN ? PROBES : 0), "provider %u", i);
    cr_expect(eq(u32, deed[i].altered, i == ALTERED ? PROBES : 0), "provider %u", i);
    cr_expect(eq(u32, deed[i].lost, i == OUT ? PROBES : 0), "provider %u", i);
    cr_expect(eq(u32, deed[i].reordered, i == DETOURED ? reordered : 0), "provider %u", i);
  }
  cr_expect(eq(u32, bad_checksums, PROBES));
  cr_expect(gt(u32, altered, 0));
  cr_expect(deed[DETOURED].detoured > 4 && deed[DETOURED].detoured < PROBES - 4, "%u", deed[DETOURED].detoured);
  cr_expect(gt(u32, reordered, 0));
  finish();
}

Test(emulator, a_cheats_copy_of_a_corrupted_reply_stays_at_home)
{
  struct received got;
  truth[0].cheat = ASZ_CHEAT_DUPLICATE;
  truth[0].broken_ppm = 1000000;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  send_stamp(0, 1);
  cr_assert(receive(&got, DEADLINE_MS));
  cr_expect(eq(int, got.frame.kind, ASZ_FRAME_BAD_CHECKSUM));
  cr_expect(not(receive(&got, 50)));
  stop();
  cr_expect(eq(u32, asz_emulator_deeds(emulator)[0].extra, 0));
  finish();
}

static void send_challenge(uint32_t provider, uint8_t mark) {
  uint8_t frame[256] = {0};
  frame[ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES] = mark;
  send_frame(frame, udp_frame(frame, provider, ASZ_CHALLENGE_PORT, 128));
}

Test(emulator, challenges_reach_the_control_thread_and_answers_come_back_after_the_delay)
{
  struct asz_emulator_datagram datagram;
  struct received got;
  truth[0].cheat = ASZ_CHEAT_MUTE;
  truth[1].cheat = ASZ_CHEAT_DEAD;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint8_t i = 0; i < 4; i++)
    send_challenge(i, (uint8_t)(100 + i));
  for (uint32_t provider = 2; provider < 4; provider++) {
    uint64_t end = asz_clock_monotonic_ns() + DEADLINE_MS * UINT64_C(1000000);
    int taken = 0;
    while (!(taken = asz_emulator_challenge_recv(emulator, &datagram)) && asz_clock_monotonic_ns() < end)
      ;
    cr_assert(eq(int, taken, 1), "challenge of provider %u did not come", provider);
    cr_expect(eq(u32, datagram.provider, provider), "the mute and the dead take none");
    cr_expect(eq(u16, datagram.size_bytes, 128));
    cr_expect(eq(u16, datagram.peer_port, MY_PORT));
    cr_expect(eq(u8, datagram.payload[0], 100 + provider));
  }
  datagram.size_bytes = ASZ_ANSWER_MAX_BYTES;
  datagram.payload[ASZ_ANSWER_MAX_BYTES - 1] = 77;
  uint64_t start = asz_tsc() + asz_clock_ticks(&wall, 5000000);
  cr_expect(lt(u64, datagram.tsc, start));
  datagram.tsc = start; /* it is not made before */
  cr_assert(eq(int, asz_emulator_answer_send(emulator, &datagram), 0));
  cr_assert(receive(&got, DEADLINE_MS));
  cr_expect(ge(u64, asz_clock_ns(&wall, got.tsc - start) * 1001 / 1000, truth[3].delay_ns));
  cr_expect(eq(int, got.frame.kind, ASZ_FRAME_UDP));
  cr_expect(eq(u32, got.frame.src_ipv4, config.base_ipv4 + 3));
  cr_expect(eq(u32, got.frame.dst_ipv4, ME));
  cr_expect(eq(u16, got.frame.src_port, ASZ_CHALLENGE_PORT));
  cr_expect(eq(u16, got.frame.dst_port, MY_PORT));
  cr_expect(eq(u16, got.frame.payload_bytes, ASZ_ANSWER_MAX_BYTES));
  cr_expect(eq(u8, got.bytes[got.frame.payload_offset + ASZ_ANSWER_MAX_BYTES - 1], 77));
  cr_expect(eq(int, asz_emulator_challenge_recv(emulator, &datagram), 0));
  stop();
  cr_expect(eq(u32, asz_emulator_deeds(emulator)[0].challenges, 1));
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[0].requests, 0), "a challenge is no probe");
  finish();
}

Test(emulator, answers_are_refused_when_their_queue_is_full)
{
  struct asz_emulator_datagram datagram = {.provider = 1, .size_bytes = 10};
  create(); /* not launched: nobody takes them */
  int err = 0, queued = 0;
  while (!(err = asz_emulator_answer_send(emulator, &datagram)) && queued < 100000)
    queued++;
  cr_expect(eq(int, err, ASZ_EAGAIN));
  cr_expect(gt(int, queued, 1000));
  stop();
  finish();
}

Test(emulator, a_full_delay_line_is_the_labs_fault_and_no_loss)
{
  enum { PROBES = 40, ROOM = 16 };
  struct received got;
  config.in_flight_max = ROOM;
  truth[0].delay_ns = 300000000;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t seq = 0; seq < PROBES; seq++)
    send_stamp(0, seq);
  uint32_t count = 0;
  while (count < ROOM && receive(&got, DEADLINE_MS))
    count++;
  stop();
  const struct asz_deed *d = &asz_emulator_deeds(emulator)[0];
  cr_expect(eq(u32, count, ROOM));
  cr_expect(eq(u64, d->lost, 0));
  cr_expect(eq(u64, d->faults, PROBES - ROOM));
  cr_expect(eq(u64, asz_emulator_faults(emulator), PROBES - ROOM));
  finish();
}

Test(emulator, stopping_with_replies_on_their_way_loses_no_buffer)
{
  truth[0].delay_ns = 2000000000;
  struct received got;
  create();
  cr_assert(eq(int, asz_emulator_launch(emulator), 0));
  find_gateway();
  for (uint32_t seq = 0; seq < 100; seq++)
    send_stamp(0, seq);
  send_stamp(1, 0);
  cr_assert(receive(&got, DEADLINE_MS), "sent last, so all have arrived");
  stop();
  cr_expect(eq(u64, asz_emulator_deeds(emulator)[0].faults, 100));
  finish();
}

Test(emulator, says_what_memory_it_takes)
{
  create();
  size_t bytes = asz_emulator_memory_bytes(emulator);
  cr_expect(bytes > 10u << 20 && bytes < 60u << 20, "%zu", bytes);
  stop();
  finish();
}
