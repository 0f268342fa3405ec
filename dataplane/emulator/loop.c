/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator's lcore: take requests -> plan -> build replies into our own buffers -> delay line -> release what is due.
 *
 * A reply is built when its request arrives, not when it leaves: all expensive work is then done early, and at the due time
 * only a pointer moves. One TSC reading a burst is the arrival of all its frames. Nothing here allocates (but from pools), locks,
 * logs or calls the system. What is lost for want of a buffer, of room in the delay line or in a ring is the lab's own fault and
 * counted as such, never as a provider's loss. */
#include <assert.h>
#include <rte_ethdev.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp.h"
#include "dataplane/emulator/cheats.h"
#include "dataplane/emulator/fate.h"
#include "dataplane/emulator/internal.h"

enum { ANSWER_TTL = 64 };

/* struct asz_delayed.kind: what a frame is, and of replies what became of it. HELD: its request may have waited for us. */
enum {
  FRAME_REPLY = 1,
  FRAME_COPY,
  FRAME_EXTRA,
  FRAME_ANSWER,
  FRAME_SPOOF, /* an extra one in another's name */
  FRAME_MASK = 7,
  FRAME_HELD = 8,
  FRAME_DETOURED = 16,
  FRAME_BROKEN = 32,
  FRAME_ALTERED = 64,
};

static bool is_reply(uint32_t kind) {
  return (kind & FRAME_MASK) == FRAME_REPLY;
}

struct arrival {
  const uint8_t *bytes;
  size_t size;
  struct asz_frame frame;
  enum asz_request request;
  uint32_t provider; /* by its address; provider_count or more: none of ours */
  uint64_t tsc;
  uint64_t realtime_ns;
};

static void count_fault(struct asz_emulator *e, uint32_t provider, uint32_t kind) {
  e->faults++;
  if (is_reply(kind))
    e->deed[provider].faults++;
}

/* A buffer comes back to us only after its reply's delay, so it is always cold: two cache lines of header and three of frame.
 * Prefetching a few buffers ahead of their use: 680 cycles a reply instead of 830. */
static void warm(struct rte_mbuf *mbuf) {
  uint8_t *bytes = (uint8_t *)mbuf;
  const size_t frame_at = sizeof *mbuf + RTE_PKTMBUF_HEADROOM;
  __builtin_prefetch(bytes, 1);
  __builtin_prefetch(bytes + RTE_CACHE_LINE_SIZE, 1);
  for (size_t line = 0; line < ASZ_EMULATOR_SMALL_BYTES; line += RTE_CACHE_LINE_SIZE)
    __builtin_prefetch(bytes + frame_at + line, 1);
}

static struct rte_mbuf *small_new(struct asz_emulator *e) {
  enum { AHEAD = 8 };
  if (e->stock_count == 0) {
    if (rte_mempool_get_bulk(e->small, (void **)e->stock, ASZ_EMULATOR_BURST) != 0)
      return NULL;
    e->stock_count = ASZ_EMULATOR_BURST;
    for (unsigned i = 0; i < AHEAD; i++)
      warm(e->stock[ASZ_EMULATOR_BURST - 1 - i]);
  }
  struct rte_mbuf *mbuf = e->stock[--e->stock_count];
  if (e->stock_count >= AHEAD)
    warm(e->stock[e->stock_count - AHEAD]);
  rte_pktmbuf_reset(mbuf);
  return mbuf;
}

/* A buffer of ours for a frame of `size` bytes; NULL when there is none. */
static struct rte_mbuf *frame_new(struct asz_emulator *e, size_t size) {
  struct rte_mbuf *mbuf = NULL;
  if (size <= ASZ_EMULATOR_SMALL_BYTES)
    mbuf = small_new(e);
  else if (size <= ASZ_EMULATOR_LARGE_BYTES)
    mbuf = rte_pktmbuf_alloc(e->large);
  if (mbuf)
    mbuf->data_len = (uint16_t)(mbuf->pkt_len = (uint32_t)size);
  return mbuf;
}

static uint8_t *frame_bytes(struct rte_mbuf *mbuf) {
  return rte_pktmbuf_mtod(mbuf, uint8_t *);
}

/* One frame on its way back: whose, as what, when. */
struct leaving {
  uint32_t provider;
  uint32_t kind;
  uint64_t number; /* of the probe */
  uint64_t after_ns;
  enum asz_corruption corruption;
  uint64_t corrupt_bits;
};

static void delay_frame(struct asz_emulator *e, struct rte_mbuf *mbuf, const struct leaving *leaving, uint64_t arrival_tsc) {
  struct asz_delayed delayed = {
      .what = mbuf, .arrival_tsc = arrival_tsc, .number = leaving->number, .provider = leaving->provider, .kind = leaving->kind};
  if (asz_delay_push(e->delay, arrival_tsc + asz_clock_ticks(&e->clock, leaving->after_ns), &delayed) < 0) {
    rte_pktmbuf_free(mbuf);
    count_fault(e, leaving->provider, leaving->kind);
  }
}

/* Builds one reply and puts it on the delay line; false when the request is none that can be answered. */
static bool schedule_reply(struct asz_emulator *e, const struct arrival *arrival, const struct asz_reply_spec *spec,
                           const struct leaving *leaving) {
  size_t size = asz_reply_size(&arrival->frame);
  struct rte_mbuf *mbuf = frame_new(e, size);
  if (!mbuf) {
    count_fault(e, leaving->provider, leaving->kind);
    return true;
  }
  if (asz_reply_build(frame_bytes(mbuf), arrival->bytes, &arrival->frame, spec) < 0) {
    rte_pktmbuf_free(mbuf);
    return false;
  }
  if (leaving->corruption != ASZ_CORRUPT_NOT)
    asz_corrupt(frame_bytes(mbuf), size, leaving->corruption, leaving->corrupt_bits);
  delay_frame(e, mbuf, leaving, arrival->tsc);
  return true;
}

static struct asz_provider_facts facts_of(const struct asz_emulator *e, uint32_t provider) {
  return (struct asz_provider_facts){.truth = &e->truth[provider],
                                     .seed = e->config.seed,
                                     .timeout_ns = e->config.timeout_ns,
                                     .interval_ns = e->config.interval_ns,
                                     .provider = provider};
}

/* The address before the first provider's is nobody's. */
static uint32_t address_of(const struct asz_emulator *e, uint32_t provider) {
  return provider < e->config.provider_count ? e->config.base_ipv4 + provider : e->config.base_ipv4 - 1;
}

/* In whose name a spoofer sends after probe `number`: the next provider's, if that has an address of the same family, and every
 * other time nobody's (provider_count). */
static uint32_t spoofed_by(const struct asz_emulator *e, uint32_t provider, uint64_t number) {
  uint32_t nobody = e->config.provider_count, next = provider + 1, ppm = e->config.ipv6_ppm;
  if (number % 2 == 1 || next == nobody || asz_emulator_has_ipv6(ppm, next) != asz_emulator_has_ipv6(ppm, provider))
    return nobody;
  return next;
}

/* The reply to the question that a cheat thinks comes next. */
static void answer_next(struct asz_emulator *e, const struct arrival *arrival, const struct asz_reply_spec *spec,
                        const struct leaving *leaving, uint64_t gap_ns) {
  uint8_t request[ASZ_EMULATOR_LARGE_BYTES];
  if (arrival->size > sizeof request)
    return;
  struct arrival next = *arrival;
  uint64_t now_ntp64 = asz_clock_ntp64(arrival->realtime_ns);
  memcpy(request, arrival->bytes, arrival->size);
  asz_reply_guess(request, &arrival->frame, asz_clock_ntp64(arrival->realtime_ns + gap_ns) - now_ntp64);
  next.bytes = request;
  (void)schedule_reply(e, &next, spec, leaving);
}

/* What a cheat sends besides. */
static void send_extra(struct asz_emulator *e, const struct arrival *arrival, const struct asz_reply_spec *spec,
                       const struct asz_reply_plan *plan, uint32_t provider, uint64_t number) {
  struct asz_reply_spec extra = *spec;
  struct leaving leaving = {.provider = provider, .kind = FRAME_EXTRA, .number = number, .after_ns = plan->extra_ns};
  if (plan->extra == ASZ_EXTRA_GUESS) {
    answer_next(e, arrival, spec, &leaving, plan->extra_bits);
    return;
  }
  if (plan->extra == ASZ_EXTRA_SPOOF) {
    leaving.kind = FRAME_SPOOF;
    extra.source = address_of(e, spoofed_by(e, provider, number));
  }
  extra.made_up = plan->extra == ASZ_EXTRA_COPY ? 0 : plan->extra_bits;
  (void)schedule_reply(e, arrival, &extra, &leaving);
}

/* What goes back to one probe: the reply, what the network makes of it, and what a cheat adds. false: nothing can. */
static bool answer_probe(struct asz_emulator *e, const struct arrival *arrival, const struct asz_reply_spec *spec,
                         const struct asz_fate *fate, uint32_t provider, uint64_t number) {
  static const uint32_t kind_of[] = {0, FRAME_BROKEN, FRAME_ALTERED};
  const struct asz_reply_plan *plan = &fate->plan;
  const struct asz_reply_fault *fault = &fate->fault;
  struct leaving leaving = {.provider = provider,
                            .kind = FRAME_REPLY | kind_of[fault->corruption] | (e->catching_up ? FRAME_HELD : 0) |
                                    (fault->detour_ns > 0 ? FRAME_DETOURED : 0),
                            .number = number,
                            .after_ns = plan->delay_ns + fault->detour_ns,
                            .corruption = fault->corruption,
                            .corrupt_bits = fault->corrupt_bits};
  if (!schedule_reply(e, arrival, spec, &leaving))
    return false;
  if (fault->corruption != ASZ_CORRUPT_NOT && plan->extra == ASZ_EXTRA_COPY)
    return true; /* a cheat's copy shares its fate: else a corrupted reply would be answered after all */
  leaving.corruption = ASZ_CORRUPT_NOT;
  if (fault->copied) {
    leaving.kind = FRAME_COPY;
    leaving.after_ns += fault->copy_ns;
    (void)schedule_reply(e, arrival, spec, &leaving);
  }
  if (plan->extra != ASZ_EXTRA_NONE)
    send_extra(e, arrival, spec, plan, provider, number);
  return true;
}

static void take_probe(struct asz_emulator *e, const struct arrival *arrival, uint32_t provider,
                       const struct asz_reply_keys *keys) {
  struct asz_deed *deed = &e->deed[provider];
  struct asz_provider_facts facts = facts_of(e, provider);
  uint64_t number = deed->requests++;
  struct asz_way *way = &e->way[provider];
  struct asz_fate fate;
  asz_fate_next(&fate, &facts, number, way->bad);
  way->bad = fate.bad;
  deed->lost += fate.lost;
  if (fate.lost)
    return;
  const struct asz_reply_plan *plan = &fate.plan;
  struct asz_reply_spec spec = {0};
  const uint8_t *payload = arrival->bytes + arrival->frame.payload_offset;
  if (!plan->answers ||
      (asz_request_classify(&arrival->frame) == ASZ_REQUEST_STAMP &&
       !asz_reply_authorise(keys, provider, payload, arrival->frame.payload_bytes, &spec.auth)) ||
      (plan->known_only && spec.auth.session == NULL && spec.auth.hmac == NULL)) {
    deed->withheld++;
    return;
  }
  spec.t2_ntp64 = asz_clock_ntp64(arrival->realtime_ns + plan->t2_ns);
  spec.t3_ntp64 = asz_clock_ntp64(arrival->realtime_ns + plan->t3_ns);
  spec.spoil_mac = plan->spoils_mac;
  spec.source = plan->relayed ? address_of(e, e->config.provider_count) : 0;
  spec.syn = asz_plan_syn(&facts);
  if (!answer_probe(e, arrival, &spec, &fate, provider, number))
    deed->withheld++;
}

static void take_challenge(struct asz_emulator *e, const struct arrival *arrival, uint32_t provider) {
  struct asz_provider_facts facts = facts_of(e, provider);
  uint64_t number = e->deed[provider].challenges++;
  if (arrival->frame.payload_bytes > ASZ_DATAGRAM_MAX_BYTES) {
    e->strays++;
    return;
  }
  bool out = asz_fault_outage(&facts, e->deed[provider].requests); /* where the provider's probes are */
  if (!asz_cheat_takes_challenges(facts.truth->cheat) || out || asz_fault_loses(&facts, number, e->way[provider].bad, true))
    return;
  memcpy(e->peer_mac, arrival->bytes + ASZ_ETH_SRC, sizeof e->peer_mac);
  if (arrival->frame.family == ASZ_FAMILY_IPV6)
    memcpy(e->peer_ipv6, asz_frame_src_ipv6(&arrival->frame, arrival->bytes), sizeof e->peer_ipv6);
  else
    e->peer_ipv4 = arrival->frame.src_ipv4;
  struct asz_emulator_datagram datagram = {.provider = provider,
                                           .size_bytes = arrival->frame.payload_bytes,
                                           .peer_port = arrival->frame.src_port,
                                           .tsc = arrival->tsc};
  memcpy(datagram.payload, arrival->bytes + arrival->frame.payload_offset, datagram.size_bytes);
  if (rte_ring_sp_enqueue_elem(e->challenges, &datagram, sizeof datagram) != 0)
    e->faults++;
}

static void send_now(struct asz_emulator *e, const uint8_t *bytes, size_t size) {
  struct rte_mbuf *mbuf = frame_new(e, size);
  if (!mbuf) {
    e->faults++;
    return;
  }
  memcpy(frame_bytes(mbuf), bytes, size);
  if (rte_ring_sp_enqueue(e->to_prober, mbuf) != 0) {
    rte_pktmbuf_free(mbuf);
    e->faults++;
  }
}

static void answer_arp(struct asz_emulator *e, const struct arrival *arrival) {
  struct asz_arp arp;
  if (asz_wire_arp_read(&arp, arrival->bytes + arrival->frame.l3_offset, arrival->size - arrival->frame.l3_offset) < 0 ||
      arp.operation != ASZ_ARP_REQUEST || arp.target_ipv4 != e->config.gateway_ipv4) {
    e->strays++;
    return;
  }
  uint8_t reply[ASZ_ETH_MIN_BYTES];
  asz_wire_arp_write(reply, ASZ_ARP_REPLY, asz_emulator_gateway_mac, e->config.gateway_ipv4, arp.sender_mac, arp.sender_ipv4);
  send_now(e, reply, sizeof reply);
}

static void answer_solicitation(struct asz_emulator *e, const struct arrival *arrival) {
  uint8_t reply[ASZ_ND_FRAME_BYTES];
  if (asz_nd_hear(&e->gateway, arrival->tsc, &arrival->frame, arrival->bytes, reply) == ASZ_NEIGH_ANSWER)
    send_now(e, reply, sizeof reply);
  else
    e->strays++;
}

/* Who is asked: the provider with this address; past the last one when there is none, or nobody is asked. */
static uint32_t provider_of(const struct asz_emulator *e, const struct arrival *arrival) {
  const struct asz_frame *frame = &arrival->frame;
  bool ipv6 = frame->family == ASZ_FAMILY_IPV6;
  uint32_t ipv4 = frame->dst_ipv4;
  if (arrival->request < ASZ_REQUEST_STAMP) /* whose addresses need not be there */
    return UINT32_MAX;
  if (ipv6) {
    const uint8_t *address = asz_frame_dst_ipv6(frame, arrival->bytes);
    if (memcmp(address, asz_emulator_prefix, sizeof asz_emulator_prefix) != 0)
      return UINT32_MAX;
    ipv4 = asz_be32_load(address + sizeof asz_emulator_prefix);
  }
  uint32_t provider = ipv4 - e->config.base_ipv4;
  bool has_it = provider < e->config.provider_count && asz_emulator_has_ipv6(e->config.ipv6_ppm, provider) == ipv6;
  return has_it ? provider : UINT32_MAX;
}

static void take_frame(struct asz_emulator *e, const struct arrival *arrival, const struct asz_reply_keys *keys) {
  if (arrival->request == ASZ_REQUEST_ARP)
    answer_arp(e, arrival);
  else if (arrival->request == ASZ_REQUEST_SOLICITATION)
    answer_solicitation(e, arrival);
  else if (arrival->request == ASZ_REQUEST_STRAY || arrival->provider >= e->config.provider_count ||
           memcmp(arrival->bytes + ASZ_ETH_DST, asz_emulator_gateway_mac, sizeof asz_emulator_gateway_mac) != 0)
    e->strays++;
  else if (arrival->request == ASZ_REQUEST_CHALLENGE)
    take_challenge(e, arrival, arrival->provider);
  else if (arrival->request != ASZ_REQUEST_RESET)
    take_probe(e, arrival, arrival->provider, keys);
}

/* What of a provider a probe touches. */
static void warm_provider(const struct asz_emulator *e, uint32_t provider) {
  __builtin_prefetch(&e->truth[provider]);
  __builtin_prefetch(&e->deed[provider], 1);
  __builtin_prefetch(&e->way[provider], 1);
}

static void read_frame(const struct asz_emulator *e, struct arrival *ret_arrival, const struct rte_mbuf *mbuf) {
  ret_arrival->bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
  ret_arrival->size = mbuf->data_len;
  asz_wire_parse(&ret_arrival->frame, ret_arrival->bytes, mbuf->data_len, ASZ_WIRE_CHECK_ALL);
  ret_arrival->request = asz_request_classify(&ret_arrival->frame);
  ret_arrival->provider = provider_of(e, ret_arrival);
  if (ret_arrival->provider < e->config.provider_count)
    warm_provider(e, ret_arrival->provider);
}

/* In stages, so that the misses of a burst overlap: headers of the buffers, frames, providers. */
static unsigned take_requests(struct asz_emulator *e) {
  struct rte_mbuf *burst[ASZ_EMULATOR_BURST];
  struct arrival arrival[ASZ_EMULATOR_BURST];
  unsigned count = rte_ring_sc_dequeue_burst(e->from_prober, (void **)burst, ASZ_EMULATOR_BURST, NULL);
  if (count == 0)
    return 0;
  uint64_t tsc = asz_tsc();
  uint64_t realtime_ns = asz_clock_realtime_ns(&e->clock, tsc);
  const struct asz_reply_keys *keys = atomic_load_explicit(&e->keys, memory_order_acquire);
  for (unsigned i = 0; i < count; i++)
    rte_prefetch0(burst[i]);
  for (unsigned i = 0; i < count; i++) {
    rte_prefetch0(rte_pktmbuf_mtod(burst[i], void *));
    rte_prefetch0(rte_pktmbuf_mtod_offset(burst[i], void *, RTE_CACHE_LINE_SIZE));
  }
  for (unsigned i = 0; i < count; i++) {
    arrival[i].tsc = tsc;
    arrival[i].realtime_ns = realtime_ns;
    if (e->due_flag != 0) {
      arrival[i].tsc = asz_emulator_sent_tsc(e, burst[i], tsc);
      arrival[i].realtime_ns = asz_clock_realtime_ns(&e->clock, arrival[i].tsc);
    }
    read_frame(e, &arrival[i], burst[i]);
  }
  for (unsigned i = 0; i < count; i++)
    take_frame(e, &arrival[i], keys);
  rte_pktmbuf_free_bulk(burst, count);
  return count;
}

/* One answer from the control thread a turn: there are few, and probes should not wait behind them. */
static unsigned take_answer(struct asz_emulator *e) {
  struct asz_emulator_datagram answer;
  if (rte_ring_sc_dequeue_elem(e->answers, &answer, sizeof answer) != 0)
    return 0;
  bool ipv6 = asz_emulator_has_ipv6(e->config.ipv6_ppm, answer.provider);
  size_t ip_bytes = ipv6 ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES;
  struct rte_mbuf *mbuf = frame_new(e, ASZ_ETH_BYTES + ip_bytes + ASZ_UDP_BYTES + answer.size_bytes);
  if (!mbuf) {
    e->faults++;
    return 1;
  }
  uint8_t *eth = frame_bytes(mbuf);
  uint8_t *ip = eth + ASZ_ETH_BYTES;
  uint8_t *udp = ip + ip_bytes;
  uint32_t ipv4 = e->config.base_ipv4 + answer.provider;
  uint16_t udp_bytes = (uint16_t)(ASZ_UDP_BYTES + answer.size_bytes);
  asz_wire_eth_write(eth, e->peer_mac, asz_emulator_gateway_mac, ipv6 ? ASZ_ETHERTYPE_IPV6 : ASZ_ETHERTYPE_IPV4);
  if (ipv6) {
    uint8_t address[16];
    asz_emulator_ipv6(address, ipv4);
    asz_wire_ipv6_write(ip, address, e->peer_ipv6, ASZ_PROTOCOL_UDP, ANSWER_TTL, udp_bytes);
  } else {
    asz_wire_ipv4_write(ip, ipv4, e->peer_ipv4, ASZ_PROTOCOL_UDP, ANSWER_TTL, udp_bytes);
  }
  asz_wire_udp_write(udp, ASZ_CHALLENGE_PORT, answer.peer_port, answer.size_bytes);
  memcpy(udp + ASZ_UDP_BYTES, answer.payload, answer.size_bytes);
  asz_wire_udp_finish(ip);
  struct asz_provider_facts facts = facts_of(e, answer.provider);
  struct leaving leaving = {
      .provider = answer.provider, .kind = FRAME_ANSWER, .after_ns = asz_plan_answer_ns(&facts, e->answer_count++)};
  delay_frame(e, mbuf, &leaving, answer.tsc);
  return 1;
}

/* A prober that sees a reply behind a later one sees them in the order in which they left here. */
static void count_reply(struct asz_emulator *e, const struct asz_delayed *delayed, uint64_t departure_tsc) {
  struct asz_deed *deed = &e->deed[delayed->provider];
  struct asz_way *way = &e->way[delayed->provider];
  bool broken = (delayed->kind & FRAME_BROKEN) != 0, altered = (delayed->kind & FRAME_ALTERED) != 0;
  deed->replies++;
  deed->broken += broken;
  deed->altered += altered;
  deed->detoured += (delayed->kind & FRAME_DETOURED) != 0;
  deed->held += (delayed->kind & FRAME_HELD) != 0 || e->catching_up;
  deed->delay_sum_ns += asz_clock_ns(&e->clock, departure_tsc - delayed->arrival_tsc);
  if (broken || altered)
    return;
  uint32_t number = (uint32_t)delayed->number;
  deed->reordered += number < way->left_next;
  if (number >= way->left_next)
    way->left_next = number + 1;
}

static void count_departure(struct asz_emulator *e, const struct asz_delayed *delayed, uint64_t departure_tsc) {
  if (is_reply(delayed->kind))
    count_reply(e, delayed, departure_tsc);
  e->deed[delayed->provider].duplicates += delayed->kind == FRAME_COPY;
  e->deed[delayed->provider].extra += delayed->kind == FRAME_EXTRA || delayed->kind == FRAME_SPOOF;
  if (delayed->kind == FRAME_SPOOF) {
    uint32_t victim = spoofed_by(e, delayed->provider, delayed->number);
    if (victim < e->config.provider_count)
      e->deed[victim].named++;
  }
}

static unsigned release_due(struct asz_emulator *e) {
  struct asz_delayed delayed[ASZ_EMULATOR_BURST];
  struct rte_mbuf *burst[ASZ_EMULATOR_BURST];
  unsigned count = 0;
  for (uint64_t now = asz_tsc(); count < ASZ_EMULATOR_BURST && asz_delay_pop(e->delay, now, &delayed[count]); count++) {
    burst[count] = delayed[count].what;
    __builtin_prefetch(&e->deed[delayed[count].provider], 1);
    __builtin_prefetch(&e->way[delayed[count].provider], 1);
  }
  if (count == 0)
    return 0;
  uint64_t departure_tsc = asz_tsc();
  if (e->stamp_flag != 0)
    asz_emulator_stamp(e, burst, count, departure_tsc);
  unsigned sent = rte_ring_sp_enqueue_burst(e->to_prober, (void **)burst, count, NULL);
  for (unsigned i = 0; i < sent; i++)
    count_departure(e, &delayed[i], departure_tsc);
  for (unsigned i = sent; i < count; i++) {
    rte_pktmbuf_free(burst[i]);
    count_fault(e, delayed[i].provider, delayed[i].kind);
  }
  return count;
}

/* Everything in the rings and on the delay line goes back to its pool. Replies that never left are faults; requests in the ring
 * never arrived. */
static void drain(struct asz_emulator *e) {
  struct asz_delayed delayed;
  void *mbuf;
  while (rte_ring_sc_dequeue(e->from_prober, &mbuf) == 0)
    rte_pktmbuf_free(mbuf);
  while (asz_delay_pop(e->delay, UINT64_MAX, &delayed)) {
    rte_pktmbuf_free(delayed.what);
    count_fault(e, delayed.provider, delayed.kind);
  }
  rte_mempool_put_bulk(e->small, (void **)e->stock, e->stock_count);
  e->stock_count = 0;
}

/* A busy machine takes the CPU away for milliseconds. Whatever waited meanwhile is late by an amount that nobody knows, until the
 * ring of requests and the delay line are both behind us: a turn with less than a full burst of each. */
static unsigned turn(struct asz_emulator *e, uint64_t away_ticks) {
  uint64_t now = asz_tsc();
  e->catching_up |= now - e->turn_tsc > away_ticks;
  e->turn_tsc = now;
  unsigned taken = take_requests(e);
  unsigned released = release_due(e);
  if (taken < ASZ_EMULATOR_BURST && released < ASZ_EMULATOR_BURST)
    e->catching_up = false;
  return taken + released + take_answer(e);
}

int asz_emulator_loop(void *emulator) {
  struct asz_emulator *e = emulator;
  uint64_t away_ticks = asz_clock_ticks(&e->clock, ASZ_EMULATOR_AWAY_NS);
  e->turn_tsc = asz_tsc();
  while (!atomic_load_explicit(&e->stop, memory_order_relaxed))
    if (turn(e, away_ticks) == 0)
      rte_pause();
  drain(e);
  return 0;
}
