/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply costs the responder, three ways, in one run and with the same requests and rules:
 *
 *   port    one reflector lcore on a net_ring port; a generator on a second core turns each reply into the next request. Frames
 *           cross between two cores' caches both ways, as they would between a NIC and a core.
 *   hot     the same decisions and replies without a port, on frames in the cache: the median burst of 64, so that a burst that
 *           somebody interrupted does not count.
 *   socket  the kernel-socket mode's own receive, decide, reflect, send over loopback, 1,024 requests in flight. Replies for a
 *           second of CPU time of the serving thread; on loopback that includes the delivery to the client's socket.
 *
 * 1,024 different requests from 64 sources, plain, with our TLV (a MAC to check and one to make), and plain over IPv6, there
 * without the socket. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sodium.h>

#include "bench/bench.h"
#include "bench/flood.h"
#include "control/responder/port_rules.h"
#include "control/responder/socket.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/wire.h"
#include "dataplane/eal.h"
#include "dataplane/reflect.h"
#include "dataplane/reflector.h"

enum {
  REQUESTS = 1024, /* a power of two */
  SOURCES = 64,
  IN_FLIGHT = 192, /* three bursts: enough that one is always there, few enough to stay in the caches */
  RING_FRAMES = 256,
  FRAME_BYTES = ASZ_ETH_BYTES + ASZ_IPV6_BYTES + ASZ_UDP_BYTES + ASZ_STAMP_TLV_BYTES,
  LOCAL = 0x0a4d0001,
  PEER = 0x0a000001,
  EPOCH = 7,
  SOCKET_WINDOW = 1024,
  CPU_SAMPLE_TURNS = 4096,
  POLL_MS = 10,
  MEMORY_MIB = 3 * ASZ_EAL_MEMORY_MIB, /* the port is opened three times */
};
static const uint64_t ns_per_s = 1000000000;
static const uint8_t local_ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

/* What is asked, and by which rules it is answered. */
enum what { PLAIN, TLV, PLAIN_IPV6 };

struct setting {
  struct asz_authority *authority;
  struct asz_limiter *limiter;
  struct asz_port_rules rules;
  uint8_t mac[6];
  uint32_t frame_bytes, payload_at, payload_bytes;
  uint8_t frame[REQUESTS][FRAME_BYTES];
};

struct figures {
  uint64_t rate_pps, socket_rate_pps;
  double cycles, hot_cycles;
  uint64_t burst, replies, socket_replies;
};

/* Headers up to UDP's; returns where the IP header is. */
static uint8_t *headers(uint8_t *eth, const struct setting *setting, bool ipv6, uint32_t i) {
  static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 1};
  uint8_t *ip = eth + ASZ_ETH_BYTES, *udp = ip + (ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
  const uint8_t source = (uint8_t)(i % SOURCES), peer_ipv6[16] = {0x20, 1, 0xd, 0xb8, [7] = (uint8_t)(1 + source), [15] = 1};
  const uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + setting->payload_bytes);
  asz_wire_eth_write(eth, setting->mac, peer_mac, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  if (ipv6)
    asz_wire_ipv6_write(ip, peer_ipv6, local_ipv6, ASZ_PROTOCOL_UDP, 64, udp_bytes);
  else
    asz_wire_ipv4_write(ip, PEER + source, LOCAL, ASZ_PROTOCOL_UDP, 64, udp_bytes);
  asz_wire_udp_write(udp, (uint16_t)(49152 + i % 16), ASZ_STAMP_PORT, (uint16_t)setting->payload_bytes);
  return ip;
}

static void setting_requests(struct setting *setting, enum what what, const struct asz_session *session, const uint8_t *id) {
  setting->payload_bytes = what == TLV ? ASZ_STAMP_TLV_BYTES : ASZ_STAMP_BYTES;
  setting->payload_at = ASZ_ETH_BYTES + (what == PLAIN_IPV6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES) + ASZ_UDP_BYTES;
  setting->frame_bytes = setting->payload_at + setting->payload_bytes;
  for (uint32_t i = 0; i < REQUESTS; i++) {
    uint8_t *ip = headers(setting->frame[i], setting, what == PLAIN_IPV6, i), *payload = setting->frame[i] + setting->payload_at;
    asz_stamp_request_write(payload, i, UINT64_C(0xe8000000) << 32, ASZ_STAMP_ERROR_UNSYNCHRONISED, (uint16_t)i);
    if (what == TLV)
      asz_tlv_request_write(payload, EPOCH, 3, id, i, session->request_key);
    asz_wire_udp_finish(ip);
  }
}

static int setting_make(struct setting *ret_setting, enum what what, const uint8_t mac[6]) {
  const uint8_t seed[2][32] = {{1}, {2}}, hash_key[16] = {3};
  struct asz_identity provider, validator;
  struct asz_session session;
  uint8_t shared[32], id[ASZ_ID_BYTES];
  asz_identity_from_seed(&provider, seed[0]);
  asz_identity_from_seed(&validator, seed[1]);
  asz_identity_short(id, validator.public_key);
  const struct asz_rate rate = asz_rate_make(ASZ_RATE_PPS_MAX, ASZ_RATE_PPS_MAX);
  int err = asz_session_shared(shared, &validator, provider.public_key);
  if (err == 0)
    err = asz_authority_new(&ret_setting->authority, &provider);
  if (err == 0)
    err = asz_authority_add(ret_setting->authority, validator.public_key, NULL);
  if (err == 0)
    err = asz_limiter_new(&ret_setting->limiter, &rate, hash_key);
  if (err != 0)
    return err;
  asz_session_derive(&session, shared, EPOCH, validator.public_key, provider.public_key);
  memcpy(ret_setting->mac, mac, sizeof ret_setting->mac);
  setting_requests(ret_setting, what, &session, id);
  const struct asz_stamp_path path = {
      .authority = ret_setting->authority, .limiter = ret_setting->limiter, .plain_allowed = what != TLV};
  asz_port_rules_init(&ret_setting->rules, &path);
  return 0;
}

static void setting_free(struct setting *setting) {
  asz_authority_free(setting->authority);
  asz_limiter_free(setting->limiter);
}

static uint64_t answered(const struct setting *setting) {
  struct asz_resp_counters sum = {0};
  asz_port_rules_add(&setting->rules, &sum);
  return sum.value[ASZ_RESP_ANSWERED_PLAIN] + sum.value[ASZ_RESP_ANSWERED_TLV];
}

/* ---- port ---- */

struct generator {
  struct rte_ring *to_port, *from_port;
  struct rte_mempool *pool;
  const struct setting *setting;
  _Atomic bool stop;
  _Atomic uint64_t cpu_ns;
};

static void refill(struct generator *generator, struct rte_mbuf **mbuf, unsigned count, uint32_t *next) {
  const struct setting *setting = generator->setting;
  for (unsigned i = 0; i < count; i++) {
    memcpy(rte_pktmbuf_mtod(mbuf[i], void *), setting->frame[(*next)++ & (REQUESTS - 1)], FRAME_BYTES);
    mbuf[i]->data_len = (uint16_t)(mbuf[i]->pkt_len = setting->frame_bytes);
  }
  (void)rte_ring_sp_enqueue_bulk(generator->to_port, (void **)mbuf, count, NULL); /* room for all that are in flight */
}

static int generator_main(void *argument) {
  struct generator *generator = argument;
  struct rte_mbuf *mbuf[ASZ_REFLECT_BURST];
  uint32_t next = 0;
  uint64_t turn = 0;
  for (unsigned filled = 0; filled < IN_FLIGHT; filled += ASZ_REFLECT_BURST) {
    if (rte_pktmbuf_alloc_bulk(generator->pool, mbuf, ASZ_REFLECT_BURST) != 0)
      return ASZ_ENOMEM;
    refill(generator, mbuf, ASZ_REFLECT_BURST, &next);
  }
  while (!atomic_load_explicit(&generator->stop, memory_order_relaxed)) {
    const unsigned count = rte_ring_sc_dequeue_burst(generator->from_port, (void **)mbuf, ASZ_REFLECT_BURST, NULL);
    for (unsigned i = 0; i < count; i++)
      rte_prefetch0(rte_pktmbuf_mtod(mbuf[i], void *));
    refill(generator, mbuf, count, &next);
    if (turn++ % CPU_SAMPLE_TURNS == 0)
      atomic_store_explicit(&generator->cpu_ns, asz_clock_thread_cpu_ns(), memory_order_relaxed);
  }
  return 0;
}

static uint64_t reflector_cpu_ns(const struct generator *generator) {
  return asz_clock_process_cpu_ns() - atomic_load_explicit(&generator->cpu_ns, memory_order_relaxed);
}

static void drain(struct rte_ring *ring) {
  void *mbuf = NULL;
  while (rte_ring_sc_dequeue(ring, &mbuf) == 0)
    rte_pktmbuf_free(mbuf);
}

/* Over both families, as a provider would have it. */
static struct asz_reflector_config reflector_config(struct setting *setting, uint16_t port_id) {
  struct asz_reflector_config config = {
      .port_id = port_id,
      .lcore_id = (unsigned)asz_eal_worker(0),
      .local_ipv4 = LOCAL,
      .prefix_bits = 32,
      .prefix6_bits = 128,
      .stamp_port = ASZ_STAMP_PORT,
      .challenge_port = ASZ_CHALLENGE_PORT,
      .rules = asz_port_rules_of(&setting->rules),
  };
  memcpy(config.local_ipv6, local_ipv6, sizeof local_ipv6);
  return config;
}

static int port_measure(struct figures *ret_figures, struct setting *setting, struct generator *generator, uint16_t port_id,
                        uint64_t duration_ns, uint64_t tsc_hz) {
  struct asz_diag diag = {""};
  struct asz_reflector *reflector = NULL;
  const struct asz_reflector_config config = reflector_config(setting, port_id);
  int err = asz_reflector_new(&reflector, &config, &diag);
  if (err != 0) {
    fprintf(stderr, "bench_reflect: %s\n", diag.text);
    return err;
  }
  generator->setting = setting;
  atomic_store(&generator->stop, false);
  err = asz_reflector_launch(reflector);
  if (err == 0)
    err = rte_eal_remote_launch(generator_main, generator, (unsigned)asz_eal_worker(1)) == 0 ? 0 : ASZ_EDEVICE;
  if (err == 0) {
    usleep(POLL_MS * 1000); /* caches and the generator's clock */
    const uint64_t start_ns = asz_clock_monotonic_ns(), start_cpu_ns = reflector_cpu_ns(generator), before = answered(setting);
    usleep((useconds_t)(duration_ns / 1000));
    const uint64_t replies = answered(setting) - before, cpu_ns = reflector_cpu_ns(generator) - start_cpu_ns;
    const uint64_t wall_ns = asz_clock_monotonic_ns() - start_ns;
    ret_figures->replies = replies;
    ret_figures->rate_pps = (uint64_t)((double)replies * 1e9 / (double)wall_ns);
    ret_figures->cycles = replies > 0 ? (double)cpu_ns * 1e-9 * (double)tsc_hz / (double)replies : 0;
    atomic_store(&generator->stop, true);
    err = rte_eal_wait_lcore((unsigned)asz_eal_worker(1));
    asz_reflector_stop(reflector);
    uint64_t counter[ASZ_REFLECT_COUNTER_COUNT];
    asz_reflector_counters(reflector, counter);
    ret_figures->burst = counter[ASZ_REFLECT_BURSTS] > 0 ? counter[ASZ_REFLECT_FRAMES] / counter[ASZ_REFLECT_BURSTS] : 0;
  }
  drain(generator->to_port); /* before the port's next user comes */
  drain(generator->from_port);
  asz_reflector_free(reflector);
  return err;
}

/* ---- hot ---- */

static int compare_u64(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static double hot_measure(struct setting *setting, unsigned bursts) {
  static uint8_t bytes[ASZ_REFLECT_BURST][FRAME_BYTES];
  static struct asz_reflect_burst burst;
  const struct asz_reflector_config config = reflector_config(setting, 0);
  struct asz_reflect reflect;
  asz_reflect_init(&reflect, setting->mac, &config);
  uint64_t *ticks = calloc(bursts, sizeof *ticks);
  if (ticks == NULL)
    return 0;
  const uint64_t start_ns = asz_clock_monotonic_ns(), before = answered(setting);
  for (unsigned n = 0; n < bursts; n++) {
    burst.count = ASZ_REFLECT_BURST;
    for (unsigned i = 0; i < ASZ_REFLECT_BURST; i++) {
      memcpy(bytes[i], setting->frame[(n * ASZ_REFLECT_BURST + i) & (REQUESTS - 1)], FRAME_BYTES);
      burst.bytes[i] = bytes[i];
      burst.size_bytes[i] = setting->frame_bytes;
    }
    const uint64_t start_tsc = asz_tsc();
    asz_reflect_take(&reflect, &burst, start_ns + (uint64_t)n * 10000);
    asz_reflect_finish(&reflect, &burst, UINT64_C(1700000000000000000) + n, UINT64_C(1700000000000000001) + n);
    ticks[n] = asz_tsc() - start_tsc;
  }
  qsort(ticks, bursts, sizeof *ticks, compare_u64);
  const double median = (double)ticks[bursts / 2] / ASZ_REFLECT_BURST;
  free(ticks);
  return answered(setting) - before == (uint64_t)bursts * ASZ_REFLECT_BURST ? median : 0;
}

/* ---- socket ---- */

struct server {
  struct asz_udp *udp;
  struct asz_stamp_path path;
  _Atomic bool stop;
  uint64_t cpu_ns, replies;
};

static void *server_main(void *argument) {
  struct server *server = argument;
  static struct asz_datagram room[ASZ_UDP_BATCH];
  struct asz_datagram *datagram[ASZ_UDP_BATCH], *reply[ASZ_UDP_BATCH];
  bool sent[ASZ_UDP_BATCH];
  for (unsigned i = 0; i < ASZ_UDP_BATCH; i++)
    datagram[i] = &room[i];
  const uint64_t start_cpu_ns = asz_clock_thread_cpu_ns();
  while (!atomic_load_explicit(&server->stop, memory_order_relaxed)) {
    struct pollfd wait = {.fd = asz_udp_fd(server->udp), .events = POLLIN};
    (void)poll(&wait, 1, POLL_MS);
    const unsigned count = asz_udp_receive(server->udp, datagram, ASZ_UDP_BATCH);
    const uint64_t now_ns = asz_clock_monotonic_ns();
    unsigned reply_count = 0;
    for (unsigned i = 0; i < count; i++) {
      struct asz_stamp_grant grant;
      const enum asz_resp_counter as = asz_stamp_path_admit(&server->path, datagram[i], now_ns, &grant);
      if (as != ASZ_RESP_ANSWERED_PLAIN && as != ASZ_RESP_ANSWERED_TLV)
        continue;
      asz_stamp_path_finish(datagram[i], &grant, asz_clock_now_ns());
      reply[reply_count++] = datagram[i];
    }
    asz_udp_send(server->udp, reply, reply_count, sent);
    server->replies += reply_count;
  }
  server->cpu_ns = asz_clock_thread_cpu_ns() - start_cpu_ns;
  return NULL;
}

static int socket_measure(struct figures *ret_figures, struct setting *setting, uint64_t duration_ns) {
  struct asz_diag diag = {""};
  struct server server = {.path = setting->rules.path};
  const struct asz_address loopback = asz_address_ipv4(INADDR_LOOPBACK);
  int err = asz_udp_open(&server.udp, &loopback, 0, &diag);
  if (err != 0) {
    fprintf(stderr, "bench_reflect: %s\n", diag.text);
    return err;
  }
  const int fd = asz_flood_open(asz_udp_port(server.udp));
  pthread_t thread;
  if (fd < 0 || pthread_create(&thread, NULL, server_main, &server) != 0) {
    err = ASZ_EIO;
  } else {
    const struct asz_flood flood = {.payload = setting->frame[0] + setting->payload_at,
                                    .count = REQUESTS,
                                    .stride_bytes = FRAME_BYTES,
                                    .payload_bytes = setting->payload_bytes,
                                    .window = SOCKET_WINDOW};
    err = asz_flood_run(&flood, fd, duration_ns);
    atomic_store(&server.stop, true);
    pthread_join(thread, NULL);
    ret_figures->socket_replies = server.replies;
    ret_figures->socket_rate_pps = server.cpu_ns > 0 ? (uint64_t)((double)server.replies * 1e9 / (double)server.cpu_ns) : 0;
  }
  if (fd >= 0)
    close(fd);
  asz_udp_close(server.udp);
  return err;
}

/* ---- all ---- */

static int rings_make(struct generator *ret_generator, uint16_t *ret_port_id) {
  ret_generator->to_port = rte_ring_create("bench_requests", RING_FRAMES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  ret_generator->from_port = rte_ring_create("bench_replies", RING_FRAMES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  ret_generator->pool = rte_pktmbuf_pool_create("bench_frames", 1023, 0, 0, RTE_PKTMBUF_HEADROOM + 256, SOCKET_ID_ANY);
  if (ret_generator->to_port == NULL || ret_generator->from_port == NULL || ret_generator->pool == NULL)
    return ASZ_ENOMEM;
  const int port = rte_eth_from_rings("bench", &ret_generator->to_port, 1, &ret_generator->from_port, 1, 0);
  *ret_port_id = (uint16_t)port;
  return port < 0 ? ASZ_EDEVICE : 0;
}

static void report_add(json_t *report, const char *kind, const struct figures *figures) {
  enum { SOCKET_ROWS = 4 }; /* from here on */
  const struct {
    const char *key;
    json_t *value;
  } row[] = {
      {"rate_pps", json_integer((json_int_t)figures->rate_pps)},
      {"cycles_per_reply", json_real(figures->cycles)},
      {"burst", json_integer((json_int_t)figures->burst)},
      {"hot_cycles_per_reply", json_real(figures->hot_cycles)},
      {"socket_rate_cpu_s", json_integer((json_int_t)figures->socket_rate_pps)},
      {"ratio_socket",
       json_real(figures->socket_rate_pps > 0 ? (double)figures->rate_pps / (double)figures->socket_rate_pps : 0)},
  };
  for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
    char key[64];
    snprintf(key, sizeof key, "%s_%s", kind, row[i].key);
    if (i < SOCKET_ROWS || figures->socket_replies > 0)
      json_object_set_new(report, key, row[i].value);
    else
      json_decref(row[i].value);
  }
}

static int measure(struct figures *ret_figures, enum what what, const struct asz_bench_args *args, struct generator *generator,
                   uint16_t port_id, uint64_t tsc_hz) {
  static struct setting setting;
  const uint64_t duration_ns = args->smoke ? ns_per_s / 10 : ns_per_s * (args->seconds > 0 ? args->seconds : 3);
  struct rte_ether_addr mac;
  memset(&setting, 0, sizeof setting);
  int err = rte_eth_macaddr_get(port_id, &mac) == 0 ? setting_make(&setting, what, mac.addr_bytes) : ASZ_EDEVICE;
  if (err == 0)
    err = port_measure(ret_figures, &setting, generator, port_id, duration_ns, tsc_hz);
  if (err == 0) {
    ret_figures->hot_cycles = hot_measure(&setting, args->smoke ? 100 : 100000);
    if (what != PLAIN_IPV6)
      err = socket_measure(ret_figures, &setting, duration_ns);
  }
  setting_free(&setting);
  const bool silent = what != PLAIN_IPV6 && ret_figures->socket_replies == 0;
  if (err == 0 && (ret_figures->replies == 0 || ret_figures->hot_cycles == 0 || silent)) {
    fprintf(stderr, "bench_reflect: not all was answered\n");
    err = ASZ_ESTATE;
  }
  return err;
}

static int run(const struct asz_bench_args *args) {
  struct generator generator = {0};
  struct figures plain = {0}, tlv = {0}, ipv6 = {0};
  struct asz_clock clock;
  uint16_t port_id;
  int err = rings_make(&generator, &port_id);
  if (err == 0)
    err = asz_clock_calibrate(&clock, 100);
  if (err == 0)
    err = measure(&plain, PLAIN, args, &generator, port_id, clock.tsc_hz);
  if (err == 0)
    err = measure(&tlv, TLV, args, &generator, port_id, clock.tsc_hz);
  if (err == 0)
    err = measure(&ipv6, PLAIN_IPV6, args, &generator, port_id, clock.tsc_hz);
  if (err != 0) {
    fprintf(stderr, "bench_reflect: %s\n", asz_err_str(err));
    return err;
  }
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("reflect"));
  report_add(report, "stamp", &plain);
  report_add(report, "stamp_tlv", &tlv);
  report_add(report, "stamp_ipv6", &ipv6);
  json_object_set_new(report, "tsc_hz", json_integer((json_int_t)clock.tsc_hz));
  json_object_set_new(report, "huge_pages", json_boolean(asz_eal_huge_used()));
  json_object_set_new(
      report, "not_measured",
      json_string("a real port; loss; socket: the client's half of a real network, instead of its delivery on loopback"));
  asz_bench_print(args, report);
  return 0;
}

int main(int argc, char **argv) {
  struct asz_bench_args args;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, NULL, 0) != 0)
    return status;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  struct asz_diag diag = {""};
  if (sodium_init() < 0 ||
      asz_eal_start(lcores, NULL, MEMORY_MIB, args.smoke ? ASZ_EAL_HUGE_NO : ASZ_EAL_HUGE_AUTO, &diag) != 0) {
    fprintf(stderr, "bench_reflect: %s\n", diag.text);
    return 1;
  }
  const int err = run(&args);
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
