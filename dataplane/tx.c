/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/tx.h"

#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "dataplane/record.h"

enum {
  ASK_AHEAD = ASZ_BURST_MAX / 4,        /* at each of four steps */
  DEBT_PROBES_MAX = 16 * ASZ_BURST_MAX, /* at 10 M probes/s this is 100 us: nobody's queue sees more than that at once */
};

/* As many probes as come due in twice the lateness bound: the half of them that is over the bound is sent, but counts as late. */
static uint64_t debt_max(const struct asz_plan *plan, const struct asz_shard *shard) {
  uint64_t rate_pps = plan->rate_pps * shard->count / plan->target_count;
  unsigned __int128 probes = (unsigned __int128)rate_pps * 2 * plan->late_bound_ns / 1000000000;
  if (probes < 1)
    return 1;
  return probes < DEBT_PROBES_MAX ? (uint64_t)probes : DEBT_PROBES_MAX;
}

static void templates_prepare(struct asz_tx *tx) {
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
      asz_template_prepare(&tx->template[kind][family], asz_probe_module(kind), &tx -> setup, family);
}

/* The addresses of IPv6 targets lie beside the targets, so they can be asked for only when the targets are there. */
static void ipv6_prefetch(const struct asz_tx *tx, const struct asz_drawn *drawn) {
  for (uint32_t i = 0; i < ASZ_BURST_MAX; i++) {
    const struct asz_target *target = &tx->plan.target[drawn->target[i]];
    if (asz_target_family(target) == ASZ_FAMILY_IPV6)
      __builtin_prefetch(tx->plan.ipv6[target->ipv4]);
  }
}

/* Asks for the memory that the next `count` probes of the burst after this one will need. A core forgets prefetches beyond those
 * that it can have in flight, so they are asked for a few at a time, between the steps of the burst that is being sent, and none
 * between its time stamp and the port. All of them while drawing, eight at a time, cost 5 cycles a probe more in bench_make. */
static void ask_ahead(struct asz_tx *tx, uint32_t count) {
  const struct asz_drawn *next = &tx->drawn[tx->drawn_now ^ 1];
  uint32_t end = tx->asked + count < ASZ_BURST_MAX ? tx->asked + count : ASZ_BURST_MAX;
  for (uint32_t i = tx->asked; i < end; i++) {
    asz_target_prefetch(&tx->plan.target[next->target[i]]);
    if (tx->plan.session != NULL)
      __builtin_prefetch(&tx->plan.session[next->target[i]]);
    if (tx->plan.hmac != NULL)
      __builtin_prefetch(&tx->plan.hmac[next->target[i]]);
  }
  tx->asked = end;
}

/* The drained half draws the burst after next; the other half is sent now. */
static void look_ahead(struct asz_tx *tx) {
  struct asz_drawn *drawn = &tx->drawn[tx->drawn_now];
  ask_ahead(tx, ASZ_BURST_MAX);
  asz_sched_next(&tx->sched, drawn->target, drawn->seq, ASZ_BURST_MAX);
  tx->drawn_now ^= 1;
  tx->drawn_next = 0;
  tx->asked = 0;
  if (tx->plan.ipv6_count > 0)
    ipv6_prefetch(tx, &tx->drawn[tx->drawn_now]);
}

void asz_tx_begin(struct asz_tx *tx, const struct asz_plan *plan, const struct asz_shard *shard, const struct asz_clock *clock,
                  const struct asz_probe_setup *setup, uint64_t origin_tsc) {
  const struct asz_tx kept = {.port = tx->port,
                              .queue = tx->queue,
                              .counters = tx->counters,
                              .stages = tx->stages,
                              .missed_ours = tx->missed_ours,
                              .nic = tx->nic,
                              .nic_known = tx->nic_known,
                              .doubt_until_tsc = tx->doubt_until_tsc,
                              .gateway_lost = {tx->gateway_lost[ASZ_FAMILY_IPV4], tx->gateway_lost[ASZ_FAMILY_IPV6]},
                              .link_down = tx->link_down};
  *tx = kept;
  tx->plan = *plan;
  tx->shard = *shard;
  tx->clock = *clock;
  tx->setup = *setup;
  tx->late_bound_ticks = asz_clock_ticks(clock, plan->late_bound_ns);
  tx->lead_ticks = asz_clock_ticks(clock, ASZ_TX_LEAD_US * UINT64_C(1000));
  tx->missed_last = asz_port_missed(tx->port);
  tx->last_sent_tsc = origin_tsc;
  asz_cookie_key_derive(&tx->key, plan->secret, plan->epoch);
  asz_slots_init(&tx->slots, clock, origin_tsc, plan->duration_ns, plan->slot_ns, plan->fault_bound_ppm);
  templates_prepare(tx);
  if (shard->count == 0) { /* more lcores than targets: nothing will be due */
    asz_pace_init(&tx->pace, plan->rate_pps, 1, 1, clock->tsc_hz, origin_tsc, origin_tsc, 1);
    return;
  }
  asz_pace_init(&tx->pace, plan->rate_pps, shard->count, plan->target_count, clock->tsc_hz, origin_tsc,
                origin_tsc + asz_clock_ticks(clock, plan->duration_ns), debt_max(plan, shard));
  uint32_t span = asz_sched_span(shard, plan->rate_pps, plan->target_count, plan->pair_gap_ns);
  asz_sched_init(&tx->sched, shard, span, plan->secret, 0);
  look_ahead(tx);
  look_ahead(tx);
}

void asz_tx_readdress(struct asz_tx *tx, enum asz_family family, const uint8_t gateway_mac[6]) {
  memcpy(tx->setup.gateway_mac[family], gateway_mac, sizeof tx->setup.gateway_mac[family]);
  templates_prepare(tx);
}

void asz_tx_link(struct asz_tx *tx, bool down) {
  if (down && !tx->link_down)
    tx->faults.count[ASZ_FAULT_LINK_DOWN] += tx->sent - tx->link_sent;
  tx->link_sent = tx->sent;
  tx->link_down = down;
}

/* A relation that a later reading did not contradict was right up to the reading before it. */
void asz_tx_clock(struct asz_tx *tx, bool known, uint64_t tsc) {
  if (tx->nic_known && !known && tx->port->times.tx) {
    tx->faults.count[ASZ_FAULT_PORT_CLOCK] += tx->timed - tx->timed_read_before;
    tx->doubt_until_tsc = tsc + asz_clock_ticks(&tx->clock, tx->plan.timeout_ns);
  }
  tx->nic_known = known;
  if (tx->nic->until_tsc == tx->nic_until_tsc)
    return;
  tx->nic_until_tsc = tx->nic->until_tsc;
  tx->timed_read_before = tx->timed_read;
  tx->timed_read = tx->timed;
}

static void unjudged(struct asz_tx *tx, const uint32_t *target, uint32_t count, enum asz_counter counter, enum asz_fault fault) {
  for (uint32_t i = 0; i < count; i++)
    asz_record_count(&tx->plan.stats->target[target[i]].unjudged);
  tx->counters->value[counter] += count;
  tx->faults.count[fault] += count;
}

/* With its gateway silent a probe would go into the void and be missed in vain. It stays here, and is nobody's fault but ours:
 * unjudged for its target, and its slot for every target of the family. The other family goes on. */
static void gateway_missing(struct asz_tx *tx, const struct asz_burst *burst, enum asz_family family) {
  for (uint32_t i = 0; i < burst->count; i++)
    asz_record_count(&tx->plan.stats->target[burst->target[i]].unjudged);
  tx->counters->value[ASZ_CTR_TX_NO_GATEWAY] += burst->count;
  tx->spoiling.count[ASZ_FAULT_GATEWAY_LOST] += burst->count;
  tx->slots_no_gateway[family] |= UINT64_C(1) << tx->slots.now;
}

/* What rte_pktmbuf_reset would do, less what a fresh buffer of our own pool has already (one segment, no next) and what a driver
 * only reads when ol_flags ask for it: that is in the mbuf's second cache line, which so stays untouched. */
static inline uint8_t *frame_ready(struct rte_mbuf *mbuf, uint16_t size_bytes) {
  mbuf->data_off = RTE_PKTMBUF_HEADROOM;
  mbuf->ol_flags = 0;
  mbuf->data_len = size_bytes;
  mbuf->pkt_len = size_bytes;
  return rte_pktmbuf_mtod(mbuf, uint8_t *);
}

/* Buffers with all that does not depend on time. False: there are none, and the burst is unjudged. */
static bool burst_lay(struct asz_tx *tx, struct asz_burst *burst, const struct asz_template *template,
                      struct rte_mbuf *ret_mbuf[ASZ_BURST_MAX]) {
  if (rte_mempool_get_bulk(tx->port->probe_pool, (void **)ret_mbuf, burst->count) != 0) {
    unjudged(tx, burst->target, burst->count, ASZ_CTR_TX_NO_MBUF, ASZ_FAULT_NO_BUFFER);
    return false;
  }
  for (uint32_t i = 0; i < burst->count; i++)
    burst->frame[i] = frame_ready(ret_mbuf[i], template->frame_bytes);
  ask_ahead(tx, ASK_AHEAD);
  asz_burst_place(template, burst);
  ask_ahead(tx, ASK_AHEAD);
  asz_stages_end(tx->stages, ASZ_STAGE_MAKE);
  return true;
}

/* Cookies and checksums of a burst whose times are set. */
static void burst_sign(struct asz_tx *tx, struct asz_burst *burst, const struct asz_template *template,
                       const struct asz_probe_module *module) {
  asz_cookie_many(&tx->key, burst->target, burst->seq, burst->time, burst->cookie, burst->count);
  module->make(template, burst);
  if (module->time_step_log2 > tx->time_step_log2)
    tx->time_step_log2 = module->time_step_log2;
  asz_stages_end(tx->stages, ASZ_STAGE_SIGN);
}

/* Hands `count` frames to the port, the first of which carries the time from_tsc; what is not taken is freed. */
static void frames_send(struct asz_tx *tx, struct rte_mbuf **mbuf, const uint32_t *target, uint32_t count, uint64_t from_tsc) {
  uint16_t taken = rte_eth_tx_burst(tx->port->port_id, tx->queue, mbuf, (uint16_t)count);
  asz_stages_end(tx->stages, ASZ_STAGE_SEND);
  uint64_t sent_tsc = asz_tsc(), ticks = sent_tsc > from_tsc ? sent_tsc - from_tsc : 0;
  ask_ahead(tx, ASK_AHEAD);
  if (ticks > tx->burst_ticks_max)
    tx->burst_ticks_max = ticks;
  if (ticks > tx->late_bound_ticks) { /* stalled between stamp and port: their RTTs begin too early */
    tx->counters->value[ASZ_CTR_TX_LATE] += taken;
    tx->faults.count[ASZ_FAULT_LATE] += taken;
  }
  if (sent_tsc < tx->doubt_until_tsc)
    tx->faults.count[ASZ_FAULT_PORT_CLOCK] += taken;
  tx->last_sent_tsc = sent_tsc;
  tx->sent += taken;
  tx->counters->value[ASZ_CTR_TX_BURSTS]++;
  tx->counters->value[ASZ_CTR_TX_PROBES] += taken;
  if (taken < count) {
    rte_pktmbuf_free_bulk(mbuf + taken, count - taken);
    unjudged(tx, target + taken, count - taken, ASZ_CTR_TX_DROPPED, ASZ_FAULT_REFUSED);
  }
}

static void burst_send(struct asz_tx *tx, struct asz_burst *burst, const struct asz_template *template,
                       const struct asz_probe_module *module) {
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  if (!burst_lay(tx, burst, template, mbuf))
    return;
  burst->timed = false;
  uint64_t stamp_tsc = asz_tsc();
  uint64_t tx_ntp64 = asz_probe_time(module, asz_clock_ntp64(asz_clock_realtime_ns(&tx->clock, stamp_tsc)));
  for (uint32_t i = 0; i < burst->count; i++)
    burst->time[i] = tx_ntp64;
  burst_sign(tx, burst, template, module);
  frames_send(tx, mbuf, burst->target, burst->count, stamp_tsc);
}

/* The burst of a kind and family that may go now; NULL: there is none. What may not go is accounted for. */
static struct asz_burst *burst_due(struct asz_tx *tx, enum asz_probe kind, enum asz_family family) {
  struct asz_burst *burst = &tx->burst[kind][family];
  if (burst->count == 0)
    return NULL;
  if (!tx->link_down && !tx->gateway_lost[family])
    return burst;
  if (tx->link_down)
    unjudged(tx, burst->target, burst->count, ASZ_CTR_TX_LINK_DOWN, ASZ_FAULT_LINK_DOWN);
  else
    gateway_missing(tx, burst, family);
  burst->count = 0;
  return NULL;
}

#define EACH_BURST(kind, family)                                                                                                 \
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)                                                                  \
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)

static void bursts_send(struct asz_tx *tx) {
  EACH_BURST(kind, family) {
    struct asz_burst *burst = burst_due(tx, kind, family);
    if (burst == NULL)
      continue;
    burst_send(tx, burst, &tx->template[kind][family], asz_probe_module(kind));
    burst->count = 0;
  }
}

/* Makes a burst for a port that sends by time; its frames go to their places in the order of all. */
static void timed_make(struct asz_tx *tx, struct asz_burst *burst, const struct asz_template *template,
                       const struct asz_probe_module *module, const uint64_t *due_tsc, uint64_t now_tsc,
                       struct rte_mbuf *by_place[ASZ_BURST_MAX]) {
  const struct asz_port_times *times = &tx->port->times;
  struct rte_mbuf *mbuf[ASZ_BURST_MAX];
  if (!burst_lay(tx, burst, template, mbuf))
    return;
  burst->timed = true;
  for (uint32_t i = 0; i < burst->count; i++) {
    uint64_t due = due_tsc[burst->place[i]], tsc = due > now_tsc ? due : now_tsc;
    burst->time[i] = asz_probe_time(module, asz_clock_ntp64(asz_clock_realtime_ns(&tx->clock, tsc)));
    if (due > now_tsc) {
      *RTE_MBUF_DYNFIELD(mbuf[i], times->offset, rte_mbuf_timestamp_t *) = asz_nic_ticks(tx->nic, due);
      mbuf[i]->ol_flags |= times->tx_flag;
    }
    by_place[burst->place[i]] = mbuf[i];
  }
  burst_sign(tx, burst, template, module);
}

/* Of `count` probes that were just drawn, with the times at which they are due, what may go goes in one burst, in their order. */
static void timed_send(struct asz_tx *tx, const uint64_t *due_tsc, uint32_t count) {
  const uint32_t *drawn = tx->drawn[tx->drawn_now].target + tx->drawn_next - count;
  struct rte_mbuf *by_place[ASZ_BURST_MAX] = {NULL}, *mbuf[ASZ_BURST_MAX];
  uint32_t target[ASZ_BURST_MAX], ready = 0, timed = 0;
  uint64_t now_tsc = asz_tsc(), first_tsc = 0;
  EACH_BURST(kind, family) {
    struct asz_burst *burst = burst_due(tx, kind, family);
    if (burst == NULL)
      continue;
    timed_make(tx, burst, &tx->template[kind][family], asz_probe_module(kind), due_tsc, now_tsc, by_place);
    burst->count = 0;
  }
  for (uint32_t place = 0; place < count; place++) {
    if (by_place[place] == NULL)
      continue;
    if (ready == 0)
      first_tsc = due_tsc[place] > now_tsc ? due_tsc[place] : now_tsc;
    timed += due_tsc[place] > now_tsc;
    target[ready] = drawn[place];
    mbuf[ready++] = by_place[place];
  }
  if (ready == 0)
    return;
  uint64_t sent = tx->sent, error_tsc = asz_nic_error_tsc(tx->nic, due_tsc[count - 1]);
  frames_send(tx, mbuf, target, ready, first_tsc);
  tx->timed += tx->sent - sent < timed ? tx->sent - sent : timed;
  if (tx->last_sent_tsc < due_tsc[count - 1])
    tx->last_sent_tsc = due_tsc[count - 1];
  if (timed > 0 && error_tsc > tx->burst_ticks_max)
    tx->burst_ticks_max = error_tsc;
}

static void denied(struct asz_tx *tx, uint32_t index) {
  struct asz_target_stats *stats = &tx->plan.stats->target[index];
  asz_record_count(&stats->unjudged);
  stats->denied = 1;
  tx->counters->value[ASZ_CTR_TX_DENIED]++;
}

/* Sorts the next `count` probes that were drawn into a burst per kind and family. Called with a constant `ipv6` and `timed`: a
 * plan without IPv6 targets, or a port that does not send by time, then pays nothing for them. */
static inline __attribute__((always_inline)) void probes_sort(struct asz_tx *tx, uint32_t count, const uint8_t (*ipv6)[16],
                                                              bool timed) {
  const struct asz_drawn *drawn = &tx->drawn[tx->drawn_now];
  const struct asz_target *targets = tx->plan.target;
  struct asz_burst *burst = NULL;
  uint32_t i = 0;
  for (uint32_t n = tx->drawn_next, end = n + count; n < end; n++) {
    uint32_t index = drawn->target[n];
    const struct asz_target *target = &targets[index];
    if (asz_target_denied(target)) {
      denied(tx, index);
      continue;
    }
    enum asz_family family = ipv6 == NULL ? ASZ_FAMILY_IPV4 : asz_target_family(target);
    struct asz_burst *next = &tx->burst[target->probe][family];
    if (next != burst) { /* neighbours are mostly of one kind: its count stays in a register */
      if (burst != NULL)
        burst->count = i;
      burst = next;
      i = burst->count;
    }
    burst->target[i] = index;
    burst->seq[i] = drawn->seq[n];
    burst->port[i] = target->port;
    if (timed)
      burst->place[i] = (uint8_t)(n - tx->drawn_next);
    asz_burst_aim(burst, i, target, ipv6);
    i++;
  }
  if (burst != NULL)
    burst->count = i;
}

/* due_tsc: when each is due, for a port that sends by time; else NULL. */
static void probes_send(struct asz_tx *tx, uint32_t count, const uint64_t *due_tsc) {
  const struct asz_drawn *drawn = &tx->drawn[tx->drawn_now];
  asz_stages_begin(tx->stages);
  ask_ahead(tx, ASK_AHEAD);
  if (due_tsc != NULL)
    probes_sort(tx, count, tx->plan.ipv6, true);
  else if (tx->plan.ipv6_count == 0)
    probes_sort(tx, count, NULL, false);
  else
    probes_sort(tx, count, tx->plan.ipv6, false);
  tx->drawn_next += count;
  tx->seq_last = drawn->seq[tx->drawn_next - 1] | (tx->sched.span > 0); /* pairs: either half may have been the last */
  tx->scheduled += count;
  asz_stages_end(tx->stages, ASZ_STAGE_DRAW);
  if (due_tsc != NULL)
    timed_send(tx, due_tsc, count);
  else
    bursts_send(tx);
}

/* Due and not sent at tsc; what the debt cap skips is counted on the way. */
static uint64_t due_at(struct asz_tx *tx, uint64_t tsc) {
  uint64_t skipped = tx->pace.skipped;
  uint64_t due = asz_pace_due(&tx->pace, tsc);
  tx->counters->value[ASZ_CTR_TX_NOT_SENT] += tx->pace.skipped - skipped;
  tx->faults.count[ASZ_FAULT_SKIPPED] += tx->pace.skipped - skipped;
  return due;
}

/* Frames that the port lost on their way in are replies that we will call unanswered: ours. */
static void missed_account(struct asz_tx *tx) {
  if (!tx->missed_ours)
    return;
  uint64_t missed = asz_port_missed(tx->port);
  tx->faults.count[ASZ_FAULT_PORT_MISSED] += missed - tx->missed_last;
  tx->missed_last = missed;
}

static void slot_close(struct asz_tx *tx, uint64_t due_total) {
  if (asz_slots_close(&tx->slots, due_total, asz_faults_total(&tx->faults)))
    asz_faults_add_growth(&tx->spoiling, &tx->faults, &tx->faults_closed);
  tx->faults_closed = tx->faults;
}

/* What was due by the slot's end is skipped or owed before the slot is judged: a stall over several slots spoils each of them. */
static void slots_close(struct asz_tx *tx, uint64_t tsc) {
  missed_account(tx);
  while (asz_slots_ended(&tx->slots, tsc)) {
    uint64_t owed = due_at(tx, tx->slots.end_tsc[tx->slots.now] - 1);
    slot_close(tx, tx->pace.taken + owed);
  }
}

static void late_account(struct asz_tx *tx, uint64_t tsc, uint32_t count) {
  uint64_t late_ticks = asz_pace_late_ticks(&tx->pace, tsc);
  asz_jitter_add(&tx->jitter, asz_clock_ns(&tx->clock, late_ticks));
  if (late_ticks > tx->late_bound_ticks) {
    tx->counters->value[ASZ_CTR_TX_LATE] += count;
    tx->faults.count[ASZ_FAULT_LATE] += count;
  }
}

/* For a port that sends by time: what is due within the lead, once the first of it is due within half of it or a burst is full,
 * so that bursts are not of single probes. At least what is due now. */
static uint32_t count_ahead(const struct asz_tx *tx, uint64_t tsc, uint32_t ready, uint32_t due_now) {
  uint64_t due = asz_pace_begun(&tx->pace, tsc + tx->lead_ticks);
  if (due >= ready)
    return ready;
  return asz_pace_tsc(&tx->pace, 0) <= tsc + tx->lead_ticks / 2 ? (uint32_t)due : due_now;
}

void asz_tx_poll(struct asz_tx *tx, uint64_t tsc) {
  uint64_t late_ticks = asz_pace_late_ticks(&tx->pace, tsc);
  if (late_ticks > tx->late_ticks_max)
    tx->late_ticks_max = late_ticks;
  if (asz_slots_ended(&tx->slots, tsc))
    slots_close(tx, tsc);
  uint64_t due = due_at(tx, tsc), due_tsc[ASZ_BURST_MAX];
  uint32_t ready = ASZ_BURST_MAX - tx->drawn_next;
  uint32_t late = due < ready ? (uint32_t)due : ready;
  bool timed = tx->port->times.tx && asz_nic_known(tx->nic, tsc);
  uint32_t count = timed ? count_ahead(tx, tsc, ready, late) : late;
  if (count == 0)
    return;
  late_account(tx, tsc, late);
  for (uint32_t i = 0; timed && i < count; i++)
    due_tsc[i] = asz_pace_tsc(&tx->pace, i);
  asz_pace_take(&tx->pace, count);
  probes_send(tx, count, timed ? due_tsc : NULL);
  if (tx->drawn_next == ASZ_BURST_MAX) {
    asz_stages_begin(tx->stages);
    look_ahead(tx);
    asz_stages_end(tx->stages, ASZ_STAGE_DRAW);
  }
}

bool asz_tx_done(struct asz_tx *tx, uint64_t tsc) {
  return tsc >= tx->pace.end_tsc && due_at(tx, tsc) == 0;
}

void asz_tx_cut(struct asz_tx *tx, uint64_t tsc) {
  if (tsc >= tx->pace.end_tsc)
    return;
  tx->pace.end_tsc = tsc > tx->pace.origin_tsc ? tsc : tx->pace.origin_tsc + 1;
  asz_slots_abandon(&tx->slots);
}

void asz_tx_report(const struct asz_tx *tx, uint64_t tsc, uint64_t wait_ticks_max, struct asz_shard_report *ret_report) {
  uint64_t step_ns = tx->time_step_log2 > 0 ? (UINT64_C(1000000000) << tx->time_step_log2 >> 32) + 1 : 0;
  uint64_t send_error_ns = asz_clock_ns(&tx->clock, tx->burst_ticks_max) + step_ns;
  *ret_report = (struct asz_shard_report){
      .epoch = tx->plan.epoch,
      .tsc = tsc,
      .start_realtime_ns = asz_clock_realtime_ns(&tx->clock, tx->pace.origin_tsc),
      .scheduled = tx->scheduled,
      .slots_unjudged = tx->slots.unjudged,
      .slots_no_gateway = {tx->slots_no_gateway[ASZ_FAMILY_IPV4], tx->slots_no_gateway[ASZ_FAMILY_IPV6]},
      .faults = tx->spoiling,
      .rtt_error_ns = send_error_ns + asz_clock_ns(&tx->clock, wait_ticks_max),
      .send_error_ns = send_error_ns,
      .late_ns_max = asz_clock_ns(&tx->clock, tx->late_ticks_max),
      .sent = tx->sent,
      .slots_closed = tx->slots.now,
  };
}

void asz_tx_seal(struct asz_tx *tx, uint64_t wait_ticks_max, struct asz_shard_report *ret_report) {
  missed_account(tx);
  slot_close(tx, tx->pace.taken);
  asz_tx_report(tx, tx->pace.end_tsc, wait_ticks_max, ret_report);
  ret_report->span_ticks = tx->pace.end_tsc - tx->pace.origin_tsc;
  if (ret_report->span_ticks > 0)
    ret_report->rate_pps = (uint64_t)((unsigned __int128)tx->sent * tx->clock.tsc_hz / ret_report->span_ticks);
}
