/* SPDX-License-Identifier: Apache-2.0 */
/* asz_engine: the prober. The only header of dataplane/ (beside base/ and emulator/emulator.h) that control/ may include.
 *
 * Each prober lcore owns a queue pair of one DPDK port and a shard of the plan's targets: it sends every one of them once a
 * round, in an order permuted anew each round, paced in TSC ticks; validates what comes back; records RTT and liveness straight
 * into the caller's statistics; and passes challenge datagrams through two rings. The control thread (any other thread, one at a
 * time) starts epochs and reads what is sealed.
 *
 *   IDLE --epoch_begin--> PROBING --duration passed or epoch_end--> COOLDOWN --timeout passed--> SEALED --epoch_begin--> PROBING
 *
 * In every phase it receives, answers ARP and ND and keeps the gateways resolved. While SEALED it does not touch the statistics
 * any more: the control plane scores them while the next epoch already fills another buffer.
 *
 * What was scheduled needs no table: probe i of a shard of N targets goes in round i / N to its target permute(key, i % N) with
 * sequence = round, or to each target twice a round, in pairs (asz_sched). */
#ifndef ASZ_DATAPLANE_ENGINE_H
#define ASZ_DATAPLANE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/faults.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/ipdv.h"
#include "dataplane/base/session.h"
#include "dataplane/base/sketch.h"
#include "dataplane/base/wire.h"

/* X(symbol, name): one file in probes/ each. */
#define ASZ_PROBE_LIST(X)                                                                                                        \
  X(STAMP, "stamp")                                                                                                              \
  X(STAMP_TLV, "stamp-tlv")                                                                                                      \
  X(ICMP_ECHO, "icmp-echo")                                                                                                      \
  X(TCP_SYN, "tcp-syn")                                                                                                          \
  X(STAMP_AUTH, "stamp-auth")

enum asz_probe {
#define ASZ_PROBE_ENUM(symbol, name) ASZ_PROBE_##symbol,
  ASZ_PROBE_LIST(ASZ_PROBE_ENUM)
#undef ASZ_PROBE_ENUM
      ASZ_PROBE_COUNT
};

/* asz_probe_name: "stamp"; asz_probe_from_name: ASZ_PROBE_COUNT when unknown. */
const char *asz_probe_name(enum asz_probe probe);
enum asz_probe asz_probe_from_name(const char *name);

enum {
  ASZ_TARGET_NO_SSID = 1, /* an RFC 8762 reflector that returns SSID 0: its cookie has 29 bits instead of 45 */
  ASZ_TARGET_IPV6 = 2,    /* `ipv4` is the index of its address in the plan's ipv6 */
};

struct asz_target {
  uint32_t ipv4;           /* host order; unique in a plan */
  uint16_t port;           /* UDP port of the reflector, TCP port for tcp-syn; ignored for icmp-echo */
  uint16_t challenge_port; /* UDP port for challenges; 0: none */
  uint8_t probe;           /* enum asz_probe */
  uint8_t flags;           /* ASZ_TARGET_* */
  uint8_t denied;          /* 1: nothing is sent to it; whoever owns the plan may change it, atomically, while it runs */
  uint8_t zero;
};
_Static_assert(sizeof(struct asz_target) == 12, "five to a cache line");

static inline enum asz_family asz_target_family(const struct asz_target *target) {
  return (target->flags & ASZ_TARGET_IPV6) != 0 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4;
}

/* What was measured of one target in one epoch, and what of the target a reply is checked against: one cache line, written by the
 * prober lcore only. */
struct asz_target_stats {
  uint64_t seen;       /* bit i: the reply to sequence seq_next - 1 - i was seen */
  uint64_t slots_up;   /* bit s: at least one probe sent in slot s of this epoch was answered in time */
  uint32_t rtt_min_ns; /* 0: none */
  uint32_t rtt_max_ns;
  uint64_t rtt_sum_ns;
  uint32_t seq_next; /* highest sequence seen + 1; 0: none */
  uint16_t answered; /* valid, first, in time: the only ones whose RTT counts */
  uint16_t late;     /* valid, first, after the timeout */
  uint16_t duplicate;
  uint16_t reordered; /* part of answered (or late) */
  uint16_t replayed;
  uint16_t bad_mac;
  uint16_t forged; /* from this target's address */
  uint16_t wrong_path;
  uint16_t malformed;
  uint16_t unjudged; /* scheduled but not sent, or refused by the port, or denied: ours, never the target's */
  /* Copied from the target by asz_stats_aim, so that a reply does not touch the targets. */
  uint16_t port;
  uint8_t probe;
  uint8_t flags;
  uint8_t sketch_level; /* struct asz_sketch: the smallest and largest value are rtt_min_ns and rtt_max_ns */
  uint8_t denied;       /* 1: something was due to it while it was denied, so its silence is no evidence */
  uint8_t waited;       /* asz_bound: how long, at most, any reply whose RTT counts waited for us in the port; 0: none counts */
  uint8_t stretches;    /* odd while the sketch is being stretched: asz_stats_peek */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct asz_target_stats) == 64, "one cache line");

enum { ASZ_ENGINE_LCORES_MAX = 16 };

/* X(symbol, name, what is done): the stages of an lcore's work, in order, first of a probe, then of its reply. */
#define ASZ_STAGE_LIST(X)                                                                                                        \
  X(DRAW, "draw", "targets from the schedule, sorted by kind")                                                                   \
  X(MAKE, "make", "buffers, templates, addresses")                                                                               \
  X(SIGN, "sign", "after the time stamp: cookies, MACs, checksums")                                                              \
  X(SEND, "send", "the port's transmission")                                                                                     \
  X(RECEIVE, "receive", "the port's reception, where it brought something")                                                      \
  X(MATCH, "match", "headers, checksums, which target, what the reply claims")                                                   \
  X(VERIFY, "verify", "the cookies that the claims need, HMACs")                                                                 \
  X(RECORD, "record", "cookie and MAC compared, statistics")                                                                     \
  X(RELEASE, "release", "buffers given back, ARP and the like")

enum asz_stage {
#define ASZ_STAGE_ENUM(symbol, name, help) ASZ_STAGE_##symbol,
  ASZ_STAGE_LIST(ASZ_STAGE_ENUM)
#undef ASZ_STAGE_ENUM
      ASZ_STAGE_COUNT
};
/* Name and help of a stage; stage < ASZ_STAGE_COUNT (asserted). */
const char *asz_stage_name(enum asz_stage stage);
const char *asz_stage_help(enum asz_stage stage);

/* Everything an epoch measures. Memory is the caller's: taken before the run by asz_stats_new, reused by asz_stats_clear. */
struct asz_stats {
  uint32_t target_count;
  uint32_t cell_count;             /* of each sketch */
  struct asz_target_stats *target; /* target_count */
  uint16_t *cell;                  /* target_count * cell_count */
  struct asz_ipdv *ipdv;           /* target_count; NULL: no memory for it (asz_stats_pairs) */
  /* Written by the engine at seal. */
  uint32_t shard_count;                            /* prober lcores: asz_shard_of says whose a target was */
  uint64_t shard_scheduled[ASZ_ENGINE_LCORES_MAX]; /* of each, their part of probes_scheduled */
  uint64_t start_realtime_ns;                      /* wall time of the epoch's first due probe */
  uint64_t probes_scheduled; /* drawn from the schedule up to the end of probing, whether sent or not; a stall draws none */
  uint64_t slots_unjudged;   /* bit s: the engine was the bottleneck in slot s (bound exceeded), or was stopped before its end */
  struct asz_faults faults;  /* ours, by cause, in the slots that they spoiled: none in a slot within the bound */
  /* bit s: the gateway of the family was silent in slot s, so none of its targets can be judged. Part of slots_unjudged where
   * that leaves nobody. */
  uint64_t slots_no_gateway[ASZ_FAMILY_COUNT];
  uint64_t rtt_error_ns;  /* bound on the engine's own share of an RTT sample: worst burst span + worst gap between polls + the
                             coarsest step of a time that travelled (kinds that carry a rounded one) */
  uint64_t send_error_ns; /* the part of it that is ours when sending: all but the gap between polls */
  uint64_t late_ns_max;   /* worst lateness of a transmission against its due time */
  uint64_t gap_jitter_p50_ns, gap_jitter_p99_ns; /* by how much gaps between bursts differed from the schedule's (asz_jitter) */
  uint64_t rate_pps;                             /* achieved */
  /* TSC ticks of all lcores together: what each stage took, 0 unless the plan asked for it; and how long they probed. */
  uint64_t stage_ticks[ASZ_STAGE_COUNT];
  uint64_t span_ticks;
};

/* asz_stats_new takes memory for target_count (1..16,777,216) targets with sketches of cell_count cells (asz_sketch_cells_ok);
 * ASZ_ENOMEM, ASZ_EINVAL. Zeroed. asz_stats_free(NULL) is fine. */
ASZ_MUST_CHECK int asz_stats_new(struct asz_stats **ret_stats, uint32_t target_count, uint32_t cell_count);
/* asz_stats_pairs takes memory for what pairs show; ASZ_ENOMEM. Once. */
ASZ_MUST_CHECK int asz_stats_pairs(struct asz_stats *stats);
/* Bytes, without and with pairs; 0 for a count out of range. */
size_t asz_stats_footprint(uint32_t target_count, uint32_t cell_count, bool pairs);
void asz_stats_clear(struct asz_stats *stats);
void asz_stats_free(struct asz_stats *stats);
/* asz_stats_aim copies what replies are checked against. asz_engine_epoch_begin does it. */
void asz_stats_aim(struct asz_stats *stats, const struct asz_target *target);
/* asz_stats_error_ns: bound on our share of any RTT of this target that counts, after the seal: the wait in the port of each such
 * reply is bounded when it is taken, and the worst is kept. 0: no RTT counts. */
uint64_t asz_stats_error_ns(const struct asz_stats *stats, uint32_t index);
/* asz_stats_sketch: the RTTs of one target, a view into stats. */
struct asz_sketch asz_stats_sketch(const struct asz_stats *stats, uint32_t index);
/* asz_stats_peek copies one target's line and its stats->cell_count cells while an lcore may be writing to them, without making
 * it wait: counts that belong to one reply may be copied with some of them before it and some after, but line and cells are of
 * one shape. Any thread. */
void asz_stats_peek(const struct asz_stats *stats, uint32_t index, struct asz_target_stats *ret_target, uint16_t *ret_cell);

enum { ASZ_SWEEP_PORTS_MAX = 64 };

struct asz_plan {
  uint32_t epoch;
  uint8_t secret[32];       /* cookies and permutation derive from it; its commitment was logged before */
  uint64_t rate_pps;        /* over all targets, 1..200,000,000 */
  uint64_t duration_ns;     /* of the probing phase; rounds = rate * duration / N must not exceed 65,535 */
  uint64_t timeout_ns;      /* a reply later than this is late; also the cooldown. 1 ms .. 4 s */
  uint64_t pair_gap_ns;     /* probes go in pairs, the second at most so much after the first (where an lcore's probes are further
                               apart than that, next); 0: singly. At most 10 ms */
  uint64_t slot_ns;         /* liveness slot; duration / slot_ns at most 64 */
  uint64_t late_bound_ns;   /* a probe sent later than this after it was due counts as late ... */
  uint32_t fault_bound_ppm; /* ... and a slot with more than this share of late, dropped or unsent probes is unjudged */
  uint32_t target_count;
  const struct asz_target *target;   /* target_count; stays valid until sealed */
  uint32_t ipv6_count;               /* targets with ASZ_TARGET_IPV6, each with an address of its own (in a sweep: 1); 0: none */
  const uint8_t (*ipv6)[16];         /* ipv6_count addresses, unique; stays valid until sealed */
  const struct asz_session *session; /* target_count, for stamp-tlv; NULL when no target needs it */
  const struct asz_hmac_key *hmac;   /* target_count, for stamp-auth; NULL when no target needs it */
  uint8_t validator_id[8];
  /* ECMP sweep: the targets are paths to one provider (same address, port and kind; 2..ASZ_SWEEP_PORTS_MAX of them), and target i
   * is probed from source_port_base + i: routers that hash ports send each its own way. Kinds over UDP only, since a port that
   * the sweep fixes carries no cookie: stamp and stamp-auth keep 32 bits of it, stamp-tlv all. */
  bool sweep;
  uint32_t sample_every;   /* of answers to stamp-tlv one in so many, at random, goes to asz_engine_recv as well; 0: none */
  bool stages;             /* measure what each stage costs: up to nine readings of the counter a burst; for benchmarks */
  struct asz_stats *stats; /* cleared, same target_count, with room for pairs if there are some; the engine's until sealed */
};
/* asz_target_denied: now, as its owner last said. Any thread. */
static inline bool asz_target_denied(const struct asz_target *target) {
  return __atomic_load_n(&target->denied, __ATOMIC_RELAXED) != 0;
}
/* asz_plan_family_count: the targets of a family. All paths of a sweep have one address. */
static inline uint32_t asz_plan_family_count(const struct asz_plan *plan, enum asz_family family) {
  uint32_t ipv6 = plan->sweep && plan->ipv6_count > 0 ? plan->target_count : plan->ipv6_count;
  return family == ASZ_FAMILY_IPV6 ? ipv6 : plan->target_count - ipv6;
}
/* asz_plan_check: every range above, unique addresses of providers, known probe kinds, no more than 63 rounds within timeout_ns
 * where a target is probed by tcp-syn; ASZ_EINVAL with a line that names the field. */
ASZ_MUST_CHECK int asz_plan_check(const struct asz_plan *plan, struct asz_diag *diag);

/* Who brings replies back to the lcore that asked, where there are several. AUTO: the port, by receive-side scaling under a key
 * of ours (steer.h) or else by rules (flows.h), if it takes either, else software. NO: software. ASSUMED: a port, or what is
 * before it, that is known to spread by our key but does not offer it. What goes wrong, and echo replies that no rule is for,
 * software brings back in every case. */
enum asz_spreading { ASZ_SPREADING_AUTO = 0, ASZ_SPREADING_NO, ASZ_SPREADING_ASSUMED };

struct asz_port_ops; /* port.h */

struct asz_engine_config {
  uint16_t port_id;     /* DPDK ethdev, already probed by EAL, not yet configured */
  uint32_t lcore_count; /* prober lcores: a power of two, at most ASZ_ENGINE_LCORES_MAX and the port's queues */
  unsigned lcore_id[ASZ_ENGINE_LCORES_MAX]; /* worker lcores, not the main lcore; default: the first one */
  uint32_t local_ipv4;                      /* ours, host order: we answer ARP for it; 0: no IPv4 */
  uint32_t gateway_ipv4;                    /* next hop of every IPv4 target */
  uint8_t local_ipv6[16];                   /* ours: we answer neighbour solicitations for it; all zero: no IPv6 */
  uint8_t gateway_ipv6[16];                 /* next hop of every IPv6 target; may be link-local */
  uint8_t gateway_mac[6];                   /* of both families' next hop; all zero: resolve by ARP and ND */
  uint16_t vlan;                            /* 802.1Q tag of all that is sent and taken, 1..4094; 0: none */
  uint16_t source_port_base;                /* plain STAMP spreads its cookie over [base, base + 8191]; default 49152 */
  uint16_t challenge_source_port;           /* outside that range; default 48620 */
  enum asz_spreading spreading;             /* AUTO wants a source_port_base that is a multiple of 8192 */
  uint32_t target_count_max;                /* sizes the address table */
  uint32_t ipv6_count_max;                  /* IPv6 targets, at most target_count_max: sizes theirs; 0: no memory for any */
  bool nic_times;                           /* use the port's own times where it has them (default on) */
  const struct asz_port_ops *port_ops;      /* NULL: DPDK's; a test may play a NIC */
  bool checksum_rx; /* verify L4 checksums of what arrives in software (default on; off for veth peers with checksum offload) */
};
void asz_engine_config_default(struct asz_engine_config *ret_config);

enum asz_engine_phase { ASZ_PHASE_IDLE = 0, ASZ_PHASE_PROBING, ASZ_PHASE_COOLDOWN, ASZ_PHASE_SEALED, ASZ_PHASE_STOPPED };

struct asz_engine;

/* asz_engine_new configures and starts the port and takes all memory, on the port's NUMA node. Needs EAL. */
ASZ_MUST_CHECK int asz_engine_new(struct asz_engine **ret_engine, const struct asz_engine_config *config, struct asz_diag *diag);
/* asz_engine_launch starts the lcores, also after a stop: IDLE. asz_engine_stop asks them to leave their loops and waits; a
 * running epoch is sealed first.
 */
ASZ_MUST_CHECK int asz_engine_launch(struct asz_engine *engine);
void asz_engine_stop(struct asz_engine *engine);
void asz_engine_free(struct asz_engine *engine); /* stops if needed; NULL is fine */
/* asz_engine_wait_gateway: until the gateway's MAC is known, of each family that has an address; ASZ_ETIMEDOUT. */
ASZ_MUST_CHECK int asz_engine_wait_gateway(struct asz_engine *engine, uint64_t timeout_ns);
/* asz_engine_silent_family: whose gateway has not answered yet; ASZ_FAMILY_COUNT when all have. */
enum asz_family asz_engine_silent_family(const struct asz_engine *engine);

/* asz_engine_epoch_begin: in IDLE or SEALED only (ASZ_ESTATE). The plan is copied; what it points at is not. */
ASZ_MUST_CHECK int asz_engine_epoch_begin(struct asz_engine *engine, const struct asz_plan *plan, struct asz_diag *diag);
/* asz_engine_epoch_end: stop probing now, cool down, seal (Ctrl-C). */
void asz_engine_epoch_end(struct asz_engine *engine);
enum asz_engine_phase asz_engine_phase(const struct asz_engine *engine);

/* How far the running epoch is, as its lcores last said, at most a few ms ago. */
struct asz_progress {
  uint64_t first_tsc, last_tsc; /* when they said it: the first and the last of them */
  uint32_t slots_closed;        /* so many of the first slots are over and judged by all */
  uint64_t sent;                /* probes that left */
  struct asz_stats joined;      /* what a seal would add up now; no targets, no rate */
};
/* asz_engine_progress: false when not every lcore has spoken of that epoch yet. Control thread. */
bool asz_engine_progress(const struct asz_engine *engine, uint32_t epoch, struct asz_progress *ret_progress);

/* asz_engine_sent: how many probes of the sealed epoch were due to target (rounds reached, by the permutation), less the
 * unjudged. Fills ret_sent[target_count] at once: walks the last, partial round. Control thread, SEALED. */
void asz_engine_sent(const struct asz_plan *plan, const struct asz_stats *stats, uint32_t *ret_sent);

/* A datagram through the engine: challenges out, answers in. Times are TSC. */
struct asz_engine_datagram {
  uint32_t target;     /* index in the running plan */
  uint16_t size_bytes; /* UDP payload, <= ASZ_DATAGRAM_MAX_BYTES */
  uint16_t port;       /* out: destination port; in: source port */
  uint64_t tsc;        /* in: when it arrived. out: ignored */
  bool is_sample;      /* in: a reply to a probe of ours, that was counted as answered; else an answer to a datagram */
  uint8_t payload[ASZ_DATAGRAM_MAX_BYTES];
};
/* asz_engine_send queues one datagram; ASZ_EAGAIN when the ring is full. *ret_tsc_slot, when not NULL, is 0 and receives the
 * transmit TSC once sent, or UINT64_MAX when it was dropped (ours, unjudged). It must stay valid until then or until stop. Where
 * several datagrams share one, as repeats of a question do, the first to leave or to be dropped is told. Control thread. */
ASZ_MUST_CHECK int asz_engine_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram,
                                   volatile uint64_t *ret_tsc_slot);
/* asz_engine_recv takes one arrived datagram: 1 taken, 0 none. Control thread. */
int asz_engine_recv(struct asz_engine *engine, struct asz_engine_datagram *ret_datagram);

/* asz_engine_counters: a snapshot of totals since launch, as last published (every few ms). Any thread. */
void asz_engine_counters(const struct asz_engine *engine, struct asz_counters *ret_counters);
const struct asz_clock *asz_engine_clock(const struct asz_engine *engine);
/* asz_engine_memory_bytes: what the engine took (mbufs, tables, rings), for the sum that is shown. */
size_t asz_engine_memory_bytes(const struct asz_engine *engine);

#endif
