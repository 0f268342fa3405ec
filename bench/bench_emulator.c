/* SPDX-License-Identifier: Apache-2.0 */
/* How many replies a second the emulator's lcore makes: this thread plays the prober, sends plain STAMP probes to one provider
 * after another in a scattered order as fast as the emulator takes them, and throws the replies away. Every reply is planned,
 * built, delayed, counted. The rate is the emulator's own as long as it refuses frames (`refused`): then this thread waits for
 * it.
 */
#include <inttypes.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/draw.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/wire.h"
#include "dataplane/eal.h"
#include "dataplane/emulator/emulator.h"

enum {
  BURST = 64,
  PAUSES = 32,
  ME = 0x0a3ffffd,
  MY_PORT = 50000,
  FRAME_BYTES = ASZ_ETH_BYTES + ASZ_IPV4_BYTES + ASZ_UDP_BYTES + ASZ_STAMP_BYTES
};
static const uint8_t my_mac[6] = {2, 0, 0, 0, 0, 1};

struct bench {
  struct asz_emulator_config config;
  struct asz_emulator *emulator;
  struct rte_mempool *pool;
  uint16_t port;
  uint8_t gateway_mac[6];
  uint64_t sent, received, refused;
};

/* Delays spread evenly up to twice the mean, a little of everything else. */
static struct asz_truth *make_truth(uint32_t providers, uint64_t delay_us) {
  struct asz_truth *truth = calloc(providers, sizeof *truth);
  for (uint32_t i = 0; truth && i < providers; i++)
    truth[i] = (struct asz_truth){
        .delay_ns = 100000 + asz_draw_below(asz_draw(1, i, 0, 0), 2000 * delay_us), .jitter_ns = 100000, .loss_ppm = 1000};
  return truth;
}

static int start(struct bench *b, uint32_t providers, uint64_t delay_us, struct asz_diag *diag) {
  struct asz_truth *truth = make_truth(providers, delay_us);
  if (!truth)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for %u providers", providers);
  asz_emulator_config_default(&b->config);
  b->config.lcore_id = (unsigned)asz_eal_worker(0);
  b->config.provider_count = providers;
  b->config.truth = truth;
  b->config.in_flight_max = 1 << 19;
  int err = asz_emulator_new(&b->emulator, &b->config, &b->port, diag);
  free(truth);
  struct rte_eth_conf conf = {0};
  if (!err &&
      (!(b->pool = rte_pktmbuf_pool_create("bench", 65535, 256, 0, RTE_PKTMBUF_HEADROOM + 128, SOCKET_ID_ANY)) ||
       rte_eth_dev_configure(b->port, 1, 1, &conf) || rte_eth_rx_queue_setup(b->port, 0, 256, SOCKET_ID_ANY, NULL, b->pool) ||
       rte_eth_tx_queue_setup(b->port, 0, 256, SOCKET_ID_ANY, NULL) || rte_eth_dev_start(b->port)))
    err = asz_diag_set(diag, ASZ_EDEVICE, "cannot set up the emulator's port");
  return err ? err : asz_emulator_launch(b->emulator);
}

static void send_or_keep(struct bench *b, struct rte_mbuf **mbuf, unsigned count) {
  for (unsigned done = 0; done < count;) {
    struct rte_mbuf *reply[BURST];
    unsigned sent = rte_eth_tx_burst(b->port, 0, mbuf + done, (uint16_t)(count - done));
    if (sent < count - done) { /* full: asking again at once would only fight for the ring's cache lines */
      b->refused++;
      for (unsigned i = 0; i < PAUSES; i++)
        rte_pause();
    }
    b->sent += sent;
    done += sent;
    unsigned received = rte_eth_rx_burst(b->port, 0, reply, BURST);
    b->received += received;
    rte_pktmbuf_free_bulk(reply, received);
  }
}

static int find_gateway(struct bench *b) {
  struct rte_mbuf *mbuf = rte_pktmbuf_alloc(b->pool);
  const uint8_t nobody[6] = {0};
  asz_wire_arp_write((uint8_t *)rte_pktmbuf_append(mbuf, ASZ_ETH_MIN_BYTES), ASZ_ARP_REQUEST, my_mac, ME, nobody,
                     b->config.gateway_ipv4);
  (void)rte_eth_tx_burst(b->port, 0, &mbuf, 1);
  for (uint64_t end = asz_clock_monotonic_ns() + 1000000000; asz_clock_monotonic_ns() < end;)
    if (rte_eth_rx_burst(b->port, 0, &mbuf, 1) == 1) {
      memcpy(b->gateway_mac, rte_pktmbuf_mtod_offset(mbuf, uint8_t *, ASZ_ETH_SRC), 6);
      rte_pktmbuf_free(mbuf);
      return 0;
    }
  return ASZ_ETIMEDOUT;
}

static void write_probe(const struct bench *b, uint8_t *frame, uint64_t number) {
  uint8_t *ip = frame + ASZ_ETH_BYTES, *udp = ip + ASZ_IPV4_BYTES;
  uint32_t provider = (uint32_t)asz_draw_below(asz_draw_mix(number), b->config.provider_count);
  asz_wire_eth_write(frame, b->gateway_mac, my_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, ME, b->config.base_ipv4 + provider, ASZ_PROTOCOL_UDP, 64, ASZ_UDP_BYTES + ASZ_STAMP_BYTES);
  asz_wire_udp_write(udp, MY_PORT, ASZ_STAMP_PORT, ASZ_STAMP_BYTES);
  asz_stamp_request_write(udp + ASZ_UDP_BYTES, (uint32_t)number, number << 20, ASZ_STAMP_ERROR_UNSYNCHRONISED, 1);
  asz_wire_udp_finish(ip);
}

static int feed(struct bench *b, uint64_t duration_ns, uint64_t *ret_ns) {
  uint64_t begin = asz_clock_monotonic_ns(), now = begin;
  for (uint64_t number = 0; now - begin < duration_ns; now = asz_clock_monotonic_ns()) {
    struct rte_mbuf *mbuf[BURST];
    if (rte_pktmbuf_alloc_bulk(b->pool, mbuf, BURST) != 0)
      return ASZ_ENOMEM;
    for (unsigned i = 0; i < BURST; i++)
      write_probe(b, (uint8_t *)rte_pktmbuf_append(mbuf[i], FRAME_BYTES), number++);
    send_or_keep(b, mbuf, BURST);
  }
  *ret_ns = now - begin;
  return 0;
}

static void print(const struct asz_bench_args *args, const struct bench *b, uint64_t ns, uint64_t replies, uint64_t tsc_hz) {
  double rate = (double)replies * 1e9 / (double)ns;
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("emulator"));
  json_object_set_new(report, "rate_rps", json_integer((json_int_t)rate));
  json_object_set_new(report, "cycles_per_reply", json_real((double)tsc_hz / rate));
  json_object_set_new(report, "replies", json_integer((json_int_t)replies));
  json_object_set_new(report, "providers", json_integer(b->config.provider_count));
  json_object_set_new(report, "refused", json_integer((json_int_t)b->refused));
  json_object_set_new(report, "faults", json_integer((json_int_t)asz_emulator_faults(b->emulator)));
  json_object_set_new(report, "strays", json_integer((json_int_t)asz_emulator_strays(b->emulator)));
  json_object_set_new(report, "emulator_bytes", json_integer((json_int_t)asz_emulator_memory_bytes(b->emulator)));
  json_object_set_new(report, "not_measured", json_string("the prober; our TLV and its MACs; challenges"));
  asz_bench_print(args, report);
}

static int run(struct bench *b, const struct asz_bench_args *args, uint32_t providers, uint64_t delay_us, struct asz_diag *diag) {
  struct asz_clock clock;
  uint64_t ns = 0;
  int err = start(b, providers, delay_us, diag);
  if (err || (err = find_gateway(b)) || (err = asz_clock_calibrate(&clock, 50)) ||
      (err = feed(b, args->smoke ? 50000000 : 1000000000 * (uint64_t)(args->seconds ? args->seconds : 3), &ns)))
    return err;
  uint64_t replies = b->received;
  rte_eth_dev_stop(b->port);
  asz_emulator_stop(b->emulator);
  print(args, b, ns, replies, clock.tsc_hz);
  return asz_emulator_strays(b->emulator) == 0 ? 0 : ASZ_EFORMAT;
}

int main(int argc, char **argv) {
  const char *providers_text = NULL, *delay_text = NULL;
  const struct asz_bench_option options[] = {{"providers", "emulated providers, 1 to 1048576", &providers_text},
                                             {"delay-us", "mean delay", &delay_text}};
  struct asz_bench_args args;
  struct asz_diag diag = {0};
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof *options) != 0)
    return status;
  uint64_t providers = args.smoke ? 4096 : 262144, delay_us = 20000;
  if ((providers_text && asz_bench_number(&providers, "providers", providers_text, 1, 1048576) != 0) ||
      (delay_text && asz_bench_number(&delay_us, "delay-us", delay_text, 0, 50000) != 0))
    return 2;
  int err = asz_eal_start(NULL, NULL, 1024, args.smoke ? ASZ_EAL_HUGE_NO : ASZ_EAL_HUGE_AUTO, &diag);
  struct bench bench = {0};
  if (!err)
    err = run(&bench, &args, (uint32_t)providers, delay_us, &diag);
  if (err)
    fprintf(stderr, "bench_emulator: %s%s%s\n", asz_err_str(err), diag.text[0] ? ": " : "", diag.text);
  asz_emulator_free(bench.emulator);
  rte_mempool_free(bench.pool);
  asz_eal_stop();
  return err ? 1 : 0;
}
