/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rx: what an arrived frame is, and what follows from it. Bytes in, counters and statistics out: no DPDK, no clock.
 *
 * A burst goes through in stages, so that the memory that one stage will touch is already on its way while another frame is being
 * looked at, and the cookies and HMACs of a burst are computed side by side:
 *   parse | address -> target | claim | cookies | HMACs | judge, record
 * Every frame ends in exactly one counter (RX_REORDERED counts beside RX_ANSWERED or RX_LATE). The order of the questions:
 *   cookie right for the target that is claimed? no: does the previous epoch's key fit: PAST_EPOCH, else FORGED
 *   sent in this epoch's past?                   no: FORGED
 *   from the address and port that were asked?   no: WRONG_PATH
 *   MAC right, where the kind has one?           no: BAD_MAC
 *   then asz_record_reply; arrived before it left, by the port's clock: EARLY.
 * Where a kind carries only the low bits of its time, the reply is first taken for the latest probe that it can be of; when that
 * one's cookie does not fit, older ones are asked, up to 32 s back. A SYN-ACK whose cookie fits is left to the caller as well,
 * who resets the connection that it offers; nothing else is ever answered to it. docs/protocol.md says how seldom a forger hits.
 * A reply from an address that is no target counts for nobody: UNSOLICITED, unless it carries a target index and that target's
 * cookie fits. Where several lcores share a plan, a frame is judged by the one that owns its source address, or, where that is no
 * target, the target that it names; what then turns out to be somebody else's is counted in total, but on no target's account.
 * After an epoch is sealed its replies belong to the previous epoch; statistics are not touched any more. */
#ifndef ASZ_DATAPLANE_RX_H
#define ASZ_DATAPLANE_RX_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/addrmap.h"
#include "dataplane/addrmap6.h"
#include "dataplane/base/counters.h"
#include "dataplane/engine.h"
#include "dataplane/probes/probe.h"
#include "dataplane/shard.h"
#include "dataplane/slots.h"
#include "dataplane/stages.h"

/* What recognises the replies to one epoch's probes. */
struct asz_rx_epoch {
  struct asz_cookie_key key;
  const struct asz_addrmap *map;
  const struct asz_addrmap6 *map6; /* NULL: no IPv6 targets */
  uint32_t target_count;
  uint32_t seq_last; /* no probe that was sent has a sequence above it; the caller keeps it so */
  bool valid;
};

/* What belongs to the running epoch alone. The pointers are the plan's. */
struct asz_rx_run {
  struct asz_rx_epoch epoch; /* valid: probing or cooling down */
  struct asz_shard shard;    /* whose targets' statistics are written here */
  struct asz_stats *stats;   /* aimed */
  bool pairs;                /* probes go in pairs: stats->ipdv is there */
  struct asz_slots *slots;
  uint64_t timeout_ns;
  uint32_t sample_every; /* as in the plan */
  uint64_t start_ntp64;
  uint64_t ahead_ntp64; /* a probe's time is at most so far ahead of its sending: where the port sends by time, else 0 */
  struct asz_probe_setup setup;
};

struct asz_rx_config {
  uint32_t local_ipv4;
  uint8_t local_ipv6[16];
  bool has_ipv6; /* local_ipv6 is set */
  uint16_t vlan; /* 0: none expected */
  uint16_t source_port_base;
  uint16_t challenge_source_port;
  const struct asz_steer *steer[ASZ_FAMILY_COUNT]; /* as of struct asz_probe_setup */
  unsigned check;                                  /* ASZ_WIRE_CHECK_* */
};

struct asz_rx {
  struct asz_rx_config config;
  struct asz_rx_run run;
  struct asz_rx_epoch previous;
  uint64_t sample_state;         /* of a generator that nobody else can follow */
  uint64_t sample_after;         /* this many more answers */
  struct asz_counters *counters; /* the caller's */
  struct asz_stages *stages;     /* the caller's; NULL: not measured */
};

/* What asz_rx_take leaves to its caller: frames that need an answer or a queue, or another lcore. */
enum asz_rx_left {
  ASZ_RX_LEFT_ARP,
  ASZ_RX_LEFT_ND,
  ASZ_RX_LEFT_ANSWER,
  ASZ_RX_LEFT_STEER,
  ASZ_RX_LEFT_RESET,  /* counted, too */
  ASZ_RX_LEFT_SAMPLE, /* counted, too */
};
struct asz_rx_leftover {
  enum asz_rx_left left;
  uint32_t at;     /* index in the burst */
  uint32_t target; /* of an answer and of a sample; of a frame to steer: whose owner gets it */
  struct asz_frame frame;
};

/* When a frame arrived. */
struct asz_rx_arrival {
  uint64_t ntp64;
  uint64_t tsc;   /* the same; not looked at here */
  uint8_t waited; /* asz_bound: how long it may have lain in the port before; not 0 */
  bool doubtful;  /* it waited for us: the prober had stalled before it looked */
  bool stamped;   /* by the port: the time may be wrong either way, by `waited` at most */
};

struct asz_rx_burst {
  uint32_t count; /* <= ASZ_BURST_MAX */
  const uint8_t *bytes[ASZ_BURST_MAX];
  uint32_t size_bytes[ASZ_BURST_MAX]; /* of the frame; no more than ASZ_ETH_MAX_BYTES of them are ever read */
  struct asz_rx_arrival taken;        /* when the burst was taken from the port: all its frames arrived then ... */
  bool timed;                         /* ... but where this is set: each of them at its own time, none of which is after it */
  struct asz_rx_arrival own[ASZ_BURST_MAX];
  uint32_t leftover_count;
  struct asz_rx_leftover leftover[ASZ_BURST_MAX];
};

/* asz_rx_arrival_of: of frame `at` of a burst. */
static inline const struct asz_rx_arrival *asz_rx_arrival_of(const struct asz_rx_burst *burst, uint32_t at) {
  return burst->timed ? &burst->own[at] : &burst->taken;
}

/* asz_rx_take handles a burst: count, bytes, size_bytes, taken and timed are set; leftovers are filled. */
void asz_rx_take(struct asz_rx *rx, struct asz_rx_burst *burst);

/* asz_rx_begin: a new epoch runs; whatever ran is over. asz_rx_seal: it becomes the previous one. */
void asz_rx_begin(struct asz_rx *rx, const struct asz_rx_run *run);
void asz_rx_seal(struct asz_rx *rx);

#endif
