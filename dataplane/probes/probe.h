/* SPDX-License-Identifier: Apache-2.0 */
/* asz_probe_module: what a probe kind is: one const table, one file.
 *
 * A frame is made in three steps, so that its time stamp is as young as can be. `prepare` writes the constant bytes of a template
 * once an epoch and family and sums them. For a burst, asz_burst_place copies the template and sets what does not depend on time
 * (address, IPv4 checksum). Then the caller reads the clock, makes the cookies, and `make` patches time, cookie and what they
 * change, adding to the template's sum instead of summing the frame again.
 *
 * Coming back, `read` takes what a reply claims (which probe it answers), the caller computes the cookie that this claim needs, a
 * burst at a time, and `cookie_ok` compares. Nothing is believed before that. No function here knows DPDK, a clock or a counter.
 */
#ifndef ASZ_DATAPLANE_PROBES_PROBE_H
#define ASZ_DATAPLANE_PROBES_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/cookie.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/session.h"
#include "dataplane/base/wire.h"
#include "dataplane/engine.h"
#include "dataplane/steer.h"

enum {
  ASZ_BURST_MAX = 64,           /* what one asz_cookie_many takes; 32 was no faster in bench_make */
  ASZ_PROBE_FRAME_MAX = 192,    /* bytes of a template, whole cache lines; a frame's buffer has at least as many */
  ASZ_COOKIE_PORTS = 8192,      /* 13 cookie bits in the source port of a plain STAMP probe */
  ASZ_PROBE_TTL = 255,          /* RFC 8762 section 4.2.1: the sender's TTL */
  ASZ_PROBE_SYN_ROUNDS = 64,    /* rounds that a tcp-syn probe can tell apart */
  ASZ_TARGET_NONE = UINT32_MAX, /* no target index */
};
_Static_assert((int)ASZ_COOKIE_PORTS == (int)ASZ_STEER_PORTS, "what steering chooses among");
_Static_assert((int)ASZ_BURST_MAX <= (int)ASZ_COOKIE_BURST_MAX, "a burst's cookies are made at once");
_Static_assert((int)ASZ_BURST_MAX <= (int)ASZ_HMAC_BURST_MAX, "and so are its HMACs");

/* What the templates of an epoch are written from. session may be NULL when no target needs it. */
struct asz_probe_setup {
  uint8_t local_mac[6], gateway_mac[ASZ_FAMILY_COUNT][6];
  uint16_t vlan;       /* 1..4094; 0: no tag */
  uint32_t local_ipv4; /* host order */
  uint8_t local_ipv6[16];
  uint16_t source_port_base;
  uint32_t epoch;
  uint8_t validator_id[8];
  const struct asz_session *session; /* by target index */
  const struct asz_hmac_key *hmac;   /* by target index; NULL when no target needs it */
  struct asz_hmac_lanes *lanes;      /* this lcore's, for kinds with HMACs */
  uint16_t echo_id; /* lowest bits of an echo's identifier: this lcore's number where rules bring it back; else 0 */
  bool sweep;       /* source port = base + target index, see asz_plan */
  /* Of each family, this lcore's; NULL where replies come to any lcore: one lcore, a sweep, a port that does not spread. */
  const struct asz_steer *steer[ASZ_FAMILY_COUNT];
};

/* Sums are of the constant bytes as big-endian 16-bit words, not folded; what varies is zero in them. Where the layer-4 header
 * begins depends on what is in front of it (family, tags), so a kind finds it at l4_at and never counts bytes itself. */
struct asz_template {
  uint8_t bytes[ASZ_PROBE_FRAME_MAX] __attribute__((aligned(64)));
  uint64_t ip_sum;     /* IPv4 header; an IPv6 header has no checksum */
  uint64_t pseudo_sum; /* pseudo-header of layer 4, less the destination address */
  uint64_t l4_sum;     /* the kind's: what its checksum covers */
  uint16_t l3_at;      /* offset of the IP header in the frame */
  uint16_t l4_at;      /* offset of the UDP or ICMP header in the frame */
  uint16_t frame_bytes;
  enum asz_family family;
  struct asz_probe_setup setup;
};

/* A burst of one kind and family, structure of arrays. The caller fills count and every array before `make`. */
struct asz_burst {
  uint32_t count;
  uint32_t target[ASZ_BURST_MAX];
  uint32_t seq[ASZ_BURST_MAX];
  uint32_t ipv4[ASZ_BURST_MAX];        /* of family IPv4 ... */
  const uint8_t *ipv6[ASZ_BURST_MAX];  /* ... or of family IPv6: the plan's bytes */
  uint64_t address_sum[ASZ_BURST_MAX]; /* the destination's share of the pseudo-header, any size: asz_sum_fold takes it */
  uint16_t port[ASZ_BURST_MAX];
  bool timed;                   /* the port sends by time: each probe has its own, and ... */
  uint8_t place[ASZ_BURST_MAX]; /* ... stands here among all that are due, whatever their kind */
  uint64_t time[ASZ_BURST_MAX]; /* NTP64; one value for the burst, but where the port sends by time */
  uint64_t cookie[ASZ_BURST_MAX];
  uint8_t *frame[ASZ_BURST_MAX]; /* ASZ_PROBE_FRAME_MAX writable bytes each */
};

/* Which probe a reply claims to answer. Where only low bits travel (time_above, seq_above) the rest is zero until
 * asz_claim_complete. */
struct asz_claim {
  uint32_t target; /* only of kinds that carry it; any value */
  uint32_t seq;
  uint64_t tx_ntp64;
};

struct asz_probe_module {
  const char *name;
  uint8_t protocol;       /* ASZ_PROTOCOL_*; ICMP stands for ICMPv6, too */
  uint16_t l4_bytes;      /* layer-4 header and payload */
  bool sweeps;            /* heeds setup.sweep */
  bool carries_target;    /* the reply names its target; else the source address does */
  uint8_t time_step_log2; /* the time that travels is a multiple of 2^this NTP64 units; 0: as exact as our stamp */
  uint64_t time_above;    /* bits of the time that do not travel; 0: all do */
  uint32_t seq_above;     /* bits of the sequence that do not travel; 0: all do */
  /* Where a reply has the reflector's own times, T2 and T3, and its error estimate; t2_at 0: it has none. */
  uint8_t t2_at, t3_at, error_at;
  /* prepare: headers, l4_at, ip_sum and pseudo_sum are set; writes what follows and l4_sum. */
  void (*prepare)(struct asz_template *template);
  /* make: finishes frames that asz_burst_place has laid out. */
  void (*make)(const struct asz_template *template, const struct asz_burst *burst);
  /* read: ASZ_EFORMAT for a payload that is no reply of this kind. `payload` has frame->payload_bytes bytes. */
  int (*read)(struct asz_claim *ret_claim, const struct asz_frame *frame, const uint8_t *payload);
  /* cookie_ok: does the reply carry what a probe with this cookie sent? flags: ASZ_TARGET_* of the target. Only after read. */
  bool (*cookie_ok)(const struct asz_probe_setup *setup, const struct asz_frame *frame, const uint8_t *payload, uint64_t cookie,
                    uint8_t flags);
  /* mac_ok: NULL for kinds without one, or with macs_ok. */
  bool (*mac_ok)(const uint8_t *payload, const struct asz_session *session);
  /* macs_ok: for MACs that are checked side by side: count <= ASZ_BURST_MAX replies whose cookies are right. Else NULL. */
  void (*macs_ok)(const struct asz_probe_setup *setup, const uint8_t *const *payload, const uint32_t *target, bool *ret_ok,
                  uint32_t count);
};

extern const struct asz_probe_module asz_probe_stamp;
extern const struct asz_probe_module asz_probe_stamp_tlv;
extern const struct asz_probe_module asz_probe_stamp_auth;
extern const struct asz_probe_module asz_probe_icmp_echo;
extern const struct asz_probe_module asz_probe_tcp_syn;

/* asz_probe_time: a transmission time as this kind can carry it: never later than the true one, so an RTT never comes out short.
 */
static inline uint64_t asz_probe_time(const struct asz_probe_module *module, uint64_t tx_ntp64) {
  return tx_ntp64 >> module->time_step_log2 << module->time_step_log2;
}
/* asz_claim_complete: the latest time that is not after now, and the latest sequence that is not beyond seq_last, with the bits
 * that travelled. */
static inline void asz_claim_complete(struct asz_claim *claim, const struct asz_probe_module *module, uint64_t now_ntp64,
                                      uint32_t seq_last) {
  claim->tx_ntp64 += (now_ntp64 - claim->tx_ntp64) & module->time_above;
  claim->seq += (seq_last - claim->seq) & module->seq_above;
}

/* asz_probe_module: the table of a kind; probe < ASZ_PROBE_COUNT (asserted). */
const struct asz_probe_module *asz_probe_module(enum asz_probe probe);

/* asz_target_prefetch: five and a third targets share a cache line, so one in eight lies on two. Asking for the first line only
 * cost about 20 cycles a probe in bench_make. */
static inline void asz_target_prefetch(const struct asz_target *target) {
  __builtin_prefetch(target);
  __builtin_prefetch((const uint8_t *)(target + 1) - 1);
}

/* asz_template_prepare: the module's template for a setup and a family. */
void asz_template_prepare(struct asz_template *ret_template, const struct asz_probe_module *module,
                          const struct asz_probe_setup *setup, enum asz_family family);
/* asz_template_udp_finish: for kinds whose bytes no sum predicts: the UDP checksum of a frame made from the template, whole. */
void asz_template_udp_finish(const struct asz_template *template, uint8_t *frame, uint64_t address_sum);
/* asz_sum_be16: big-endian 16-bit words, an odd last byte padded with zero, added to sum. */
uint64_t asz_sum_be16(uint64_t sum, const uint8_t *bytes, uint32_t size_bytes);

/* asz_burst_place copies the template into every frame and sets the destination, and the IPv4 checksum where there is one. */
void asz_burst_place(const struct asz_template *template, const struct asz_burst *burst);

/* asz_sum_fold: the checksum field (host order) of a sum of big-endian 16-bit words. Since 2^16 = 1 modulo 65,535, a 32-bit value
 * may be added as it is: it counts as its two halves. */
static inline uint16_t asz_sum_fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}
static inline uint64_t asz_sum_be64(uint64_t value) {
  return (value >> 32) + (value & 0xffffffff);
}
static inline uint64_t asz_sum_ipv6(const uint8_t *ipv6) {
  return asz_sum_be64(asz_be64_load(ipv6)) + asz_sum_be64(asz_be64_load(ipv6 + 8));
}
/* asz_source_port: the port that probe i of a burst leaves from; offset < ASZ_COOKIE_PORTS: what the kind would like. */
static inline uint32_t asz_source_port(const struct asz_template *template, const struct asz_burst *burst, uint32_t i,
                                       uint32_t offset) {
  const struct asz_steer *steer = template->setup.steer[template->family];
  uint32_t base = template->setup.source_port_base;
  if (steer != NULL) {
    unsigned address =
        template->family == ASZ_FAMILY_IPV6 ? asz_steer_ipv6(steer, burst->ipv6[i]) : asz_steer_ipv4(steer, burst->ipv4[i]);
    offset = asz_steer_offset(steer, base, offset, address, burst->port[i]);
  }
  return base + offset;
}
/* asz_source_port_ok: did the reply come back to the port of this offset? Bits that the steering chose say nothing: whoever
 * knows the addresses knows them. */
static inline bool asz_source_port_ok(const struct asz_probe_setup *setup, const struct asz_frame *frame, uint32_t offset) {
  const struct asz_steer *steer = setup->steer[frame->family];
  uint16_t differs = (uint16_t)((uint32_t)(frame->dst_port - setup->source_port_base) ^ offset);
  return steer == NULL ? differs == 0 : differs < ASZ_COOKIE_PORTS && (differs & steer->free_mask) == 0;
}
/* asz_burst_aim: the address of a burst's probe i; ipv6: the plan's, NULL where no target is of that family. */
static inline void asz_burst_aim(struct asz_burst *burst, uint32_t i, const struct asz_target *target,
                                 const uint8_t (*ipv6)[16]) {
  if (ipv6 != NULL && asz_target_family(target) == ASZ_FAMILY_IPV6) {
    burst->ipv6[i] = ipv6[target->ipv4];
    burst->address_sum[i] = asz_sum_ipv6(burst->ipv6[i]);
  } else {
    burst->ipv4[i] = target->ipv4;
    burst->address_sum[i] = target->ipv4;
  }
}

#endif
