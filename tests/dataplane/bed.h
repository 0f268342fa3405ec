/* SPDX-License-Identifier: Apache-2.0 */
/* A test bed for the half of the prober that needs no DPDK: four targets of one kind and family, the templates that make their
 * probes, and a receiver with everything that it counts. Requests are made by the real modules; replies by the shared reflector.
 */
#ifndef ASZ_TESTS_DATAPLANE_BED_H
#define ASZ_TESTS_DATAPLANE_BED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/rx.h"

enum {
  BED_TARGETS = 4,
  BED_EPOCH = 7,
  BED_LOCAL = 0x0a000001,
  BED_FIRST = 0x0a400001,
  BED_PORT = 862,
  BED_PORT_BASE = 49152,
  BED_VLAN = 100
};
/* NTP64 of the epoch's start, and one millisecond in that format. */
#define BED_START (UINT64_C(0xe8000000) << 32)
#define BED_MS    UINT64_C(4294967)

struct bed {
  const struct asz_probe_module *module;
  enum asz_probe kind;
  enum asz_family family;
  uint16_t vlan;
  const struct asz_steer *steer; /* NULL: none */
  uint16_t echo_id;              /* heeded by the next bed_steer */
  uint8_t secret[32];
  struct asz_target target[BED_TARGETS];
  uint8_t ipv6[BED_TARGETS][16];
  struct asz_session session[BED_TARGETS];
  struct asz_hmac_key hmac[BED_TARGETS];
  struct asz_hmac_lanes *lanes;
  struct asz_template template;
  struct asz_slots slots;
  uint64_t t2_ntp64, t3_ntp64; /* what reflectors write; bed_open_on sets them */
  struct asz_stats *stats;
  struct asz_addrmap map, other_map;
  struct asz_addrmap6 map6, other_map6;
  struct asz_counters counters;
  struct asz_rx rx;
  struct asz_rx_burst burst; /* the last one received */
};

struct bed_frame {
  size_t size;
  uint8_t bytes[ASZ_PROBE_FRAME_MAX + 32]; /* and room for tests that lengthen a frame */
};

/* bed_open: over IPv4 without a tag. bed_open_on: over a family, with a tag or without (0). */
void bed_open(struct bed *bed, enum asz_probe kind);
void bed_open_on(struct bed *bed, enum asz_probe kind, enum asz_family family, uint16_t vlan);
/* bed_steer begins the epoch anew with source ports chosen by steer, which stays the caller's. */
void bed_steer(struct bed *bed, const struct asz_steer *steer);
void bed_close(struct bed *bed);
/* bed_next_epoch seals the running epoch and begins another with a new secret; targets and statistics (cleared) stay. */
void bed_next_epoch(struct bed *bed);

struct bed_frame bed_request(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64);
/* bed_reply: what an honest host sends back to a request: headers turned, payload reflected, checksums right. */
struct bed_frame bed_reply(const struct bed *bed, struct bed_frame request);
/* bed_syn_reply: the forms of an answer to a SYN; bed_reply makes the first. */
enum bed_syn { BED_SYN_TIMES, BED_SYN_PLAIN, BED_SYN_RESET };
struct bed_frame bed_syn_reply(struct bed_frame request, enum bed_syn form);
/* bed_exchange: request and reply in one. */
struct bed_frame bed_exchange(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64);
/* bed_finish sets the checksums of a frame whose content was changed. */
void bed_finish(struct bed_frame *frame);
/* bed_address: the 16 bytes that stand for an IPv4 address where the bed speaks IPv6: 2001:db8:: and that address behind it. */
void bed_address(uint8_t ret_ipv6[16], uint32_t ipv4);
/* bed_from sets another source address (over IPv6: what stands for it) and, for UDP and TCP, port. */
void bed_from(struct bed_frame *frame, uint32_t ipv4, uint16_t port);
uint8_t *bed_l3(struct bed_frame *frame);
uint8_t *bed_l4(struct bed_frame *frame);
uint8_t *bed_payload(struct bed_frame *frame);
size_t bed_payload_bytes(const struct bed *bed);

void bed_receive(struct bed *bed, const struct bed_frame *frame, uint64_t now_ntp64);

/* What one reply changed. */
struct bed_change {
  struct asz_counters counters;
  struct asz_target_stats target[BED_TARGETS];
};
void bed_mark(const struct bed *bed, struct bed_change *ret_mark);
/* bed_assert_only: since the mark, RX_FRAMES and `counter` grew by one, no other counter did, and no target's score moved. */
void bed_assert_only(const struct bed *bed, const struct bed_change *mark, enum asz_counter counter);

/* bed_checksum_naive: RFC 1071 word by word, as a text book has it; 0 for a region that carries a right checksum. */
uint16_t bed_checksum_naive(const uint8_t *pseudo, size_t pseudo_bytes, const uint8_t *data, size_t size);
/* bed_assert_checksums: IPv4 and UDP, TCP, ICMP or ICMPv6 checksum of a frame by the naive sum. */
void bed_assert_checksums(const struct bed_frame *frame);

#endif
