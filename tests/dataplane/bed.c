/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"

static const uint8_t local_mac[6] = {2, 0, 0, 0, 0, 0xaa}, gateway_mac[6] = {2, 0, 0, 0, 0, 0xbb};

void bed_address(uint8_t ret_ipv6[16], uint32_t ipv4) {
  static const uint8_t prefix[12] = {0x20, 0x01, 0x0d, 0xb8};
  memcpy(ret_ipv6, prefix, sizeof prefix);
  asz_be32_store(ret_ipv6 + 12, ipv4);
}

static void epoch_begin(struct bed *bed, uint32_t epoch) {
  struct asz_probe_setup setup = {.vlan = bed->vlan,
                                  .echo_id = bed->echo_id,
                                  .local_ipv4 = BED_LOCAL,
                                  .source_port_base = BED_PORT_BASE,
                                  .epoch = epoch,
                                  .session = bed->session,
                                  .hmac = bed->hmac,
                                  .lanes = bed->lanes};
  setup.steer[bed->family] = bed->steer;
  memcpy(setup.local_mac, local_mac, 6);
  memcpy(setup.gateway_mac[bed->family], gateway_mac, 6);
  bed_address(setup.local_ipv6, BED_LOCAL);
  memcpy(setup.validator_id, "validatr", 8);
  asz_template_prepare(&bed->template, bed->module, &setup, bed->family);
  bed->slots = (struct asz_slots){.count = 2, .now = 1, .start_ntp64 = {BED_START, BED_START + 500 * BED_MS}};
  asz_stats_aim(bed->stats, bed->target);
  struct asz_rx_run run = {
      .epoch = {.map = &bed->map, .map6 = &bed->map6, .target_count = BED_TARGETS, .valid = true},
      .shard = {.count = BED_TARGETS},
      .stats = bed->stats,
      .slots = &bed->slots,
      .timeout_ns = 100000000,
      .start_ntp64 = BED_START,
      .setup = setup,
  };
  asz_cookie_key_derive(&run.epoch.key, bed->secret, epoch);
  asz_rx_begin(&bed->rx, &run);
}

static void maps_fill(struct bed *bed) {
  asz_addrmap_reset(&bed->map, BED_TARGETS);
  asz_addrmap6_reset(&bed->map6, BED_TARGETS, bed->secret);
  for (uint32_t i = 0; i < BED_TARGETS; i++) {
    int err = bed->family == ASZ_FAMILY_IPV6 ? asz_addrmap6_put(&bed->map6, bed->ipv6[i], i)
                                             : asz_addrmap_put(&bed->map, bed->target[i].ipv4, i);
    cr_assert(eq(int, err, 0));
  }
}

static void targets_fill(struct bed *bed) {
  for (uint32_t i = 0; i < BED_TARGETS; i++) {
    bool ipv6 = bed->family == ASZ_FAMILY_IPV6;
    bed->target[i] = (struct asz_target){
        .ipv4 = ipv6 ? i : BED_FIRST + i, .port = BED_PORT, .probe = (uint8_t)bed->kind, .flags = ipv6 ? ASZ_TARGET_IPV6 : 0};
    bed_address(bed->ipv6[i], BED_FIRST + i);
  }
}

void bed_open(struct bed *bed, enum asz_probe kind) {
  bed_open_on(bed, kind, ASZ_FAMILY_IPV4, 0);
}

void bed_open_on(struct bed *bed, enum asz_probe kind, enum asz_family family, uint16_t vlan) {
  memset(bed, 0, sizeof *bed);
  bed->kind = kind;
  bed->family = family;
  bed->vlan = vlan;
  bed->module = asz_probe_module(kind);
  bed->t2_ntp64 = 11;
  bed->t3_ntp64 = 22;
  for (unsigned i = 0; i < sizeof bed->secret; i++)
    bed->secret[i] = (uint8_t)i;
  for (unsigned i = 0; i < sizeof bed->session; i++)
    ((uint8_t *)bed->session)[i] = (uint8_t)(3 * i + 1);
  cr_assert(eq(int, asz_stats_new(&bed->stats, BED_TARGETS, ASZ_SKETCH_CELLS_MIN), 0));
  cr_assert(eq(int, asz_addrmap_new(&bed->map, BED_TARGETS, -1), 0));
  cr_assert(eq(int, asz_addrmap_new(&bed->other_map, BED_TARGETS, -1), 0));
  cr_assert(eq(int, asz_hmac_lanes_new(&bed->lanes), 0));
  for (uint32_t i = 0; i < BED_TARGETS; i++)
    asz_hmac_key_set(&bed->hmac[i], (const uint8_t[]){(uint8_t)i, 1, 2, 3}, 4);
  cr_assert(eq(int, asz_addrmap6_new(&bed->map6, BED_TARGETS, -1), 0));
  cr_assert(eq(int, asz_addrmap6_new(&bed->other_map6, BED_TARGETS, -1), 0));
  targets_fill(bed);
  maps_fill(bed);
  bed->rx = (struct asz_rx){
      .config = {.local_ipv4 = BED_LOCAL,
                 .has_ipv6 = true,
                 .vlan = vlan,
                 .source_port_base = BED_PORT_BASE,
                 .challenge_source_port = 48620,
                 .check = ASZ_WIRE_CHECK_ALL},
      .counters = &bed->counters,
  };
  bed_address(bed->rx.config.local_ipv6, BED_LOCAL);
  epoch_begin(bed, BED_EPOCH);
}

void bed_steer(struct bed *bed, const struct asz_steer *steer) {
  bed->steer = steer;
  bed->rx.config.steer[bed->family] = steer;
  epoch_begin(bed, BED_EPOCH);
}

void bed_close(struct bed *bed) {
  asz_stats_free(bed->stats);
  asz_hmac_lanes_free(bed->lanes);
  asz_addrmap_free(&bed->map);
  asz_addrmap_free(&bed->other_map);
  asz_addrmap6_free(&bed->map6);
  asz_addrmap6_free(&bed->other_map6);
}

void bed_next_epoch(struct bed *bed) {
  asz_rx_seal(&bed->rx);
  struct asz_addrmap sealed = bed->map;
  bed->map = bed->other_map;
  bed->other_map = sealed;
  bed->rx.previous.map = &bed->other_map;
  struct asz_addrmap6 sealed6 = bed->map6;
  bed->map6 = bed->other_map6;
  bed->other_map6 = sealed6;
  bed->rx.previous.map6 = &bed->other_map6;
  maps_fill(bed);
  asz_stats_clear(bed->stats);
  bed->secret[0] ^= 1;
  epoch_begin(bed, BED_EPOCH + 1);
}

struct bed_frame bed_request(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64) {
  struct bed_frame frame = {.size = bed->template.frame_bytes};
  struct asz_burst burst = {
      .count = 1,
      .target = {target},
      .seq = {seq},
      .ipv4 = {bed->target[target].ipv4},
      .ipv6 = {bed->ipv6[target]},
      .address_sum = {bed->family == ASZ_FAMILY_IPV6 ? asz_sum_ipv6(bed->ipv6[target]) : bed->target[target].ipv4},
      .port = {bed->target[target].port},
      .time = {asz_probe_time(bed->module, tx_ntp64)},
      .frame = {frame.bytes}};
  if (seq > bed->rx.run.epoch.seq_last)
    bed->rx.run.epoch.seq_last = seq;
  asz_burst_place(&bed->template, &burst);
  asz_cookie_many(&bed->rx.run.epoch.key, burst.target, burst.seq, burst.time, burst.cookie, 1);
  bed->module->make(&bed->template, &burst);
  return frame;
}

/* Where a frame's headers are, by its own bytes. */
static size_t l3_at(const struct bed_frame *frame) {
  return asz_be16_load(frame->bytes + ASZ_ETH_TYPE) == 0x8100 ? ASZ_ETH_BYTES + ASZ_VLAN_BYTES : ASZ_ETH_BYTES;
}
static bool is_ipv6(const struct bed_frame *frame) {
  return asz_be16_load(frame->bytes + l3_at(frame) - 2) == ASZ_ETHERTYPE_IPV6;
}
static size_t l4_at(const struct bed_frame *frame) {
  return l3_at(frame) + (is_ipv6(frame) ? ASZ_IPV6_BYTES : ASZ_IPV4_BYTES);
}
static uint8_t protocol_of(const struct bed_frame *frame) {
  return frame->bytes[l3_at(frame) + (size_t)(is_ipv6(frame) ? ASZ_IPV6_NEXT_HEADER : ASZ_IPV4_PROTOCOL)];
}
static bool is(const struct bed_frame *frame, uint8_t protocol) {
  return protocol_of(frame) == protocol;
}
static bool has_ports(const struct bed_frame *frame) {
  return is(frame, ASZ_PROTOCOL_UDP) || is(frame, ASZ_PROTOCOL_TCP);
}
uint8_t *bed_l3(struct bed_frame *frame) {
  return frame->bytes + l3_at(frame);
}
uint8_t *bed_l4(struct bed_frame *frame) {
  return frame->bytes + l4_at(frame);
}

static void swap(uint8_t *a, uint8_t *b, size_t size) {
  uint8_t kept[16];
  memcpy(kept, a, size);
  memcpy(a, b, size);
  memcpy(b, kept, size);
}

static void addresses_swap(struct bed_frame *frame) {
  uint8_t *ip = bed_l3(frame);
  swap(frame->bytes, frame->bytes + 6, 6);
  if (is_ipv6(frame))
    swap(ip + ASZ_IPV6_SRC, ip + ASZ_IPV6_DST, 16);
  else
    swap(ip + ASZ_IPV4_SRC, ip + ASZ_IPV4_DST, 4);
}

static uint32_t target_of(const struct bed_frame *request) {
  size_t last = is_ipv6(request) ? ASZ_IPV6_DST + 12 : ASZ_IPV4_DST;
  return asz_be32_load(request->bytes + l3_at(request) + last) - BED_FIRST;
}

struct bed_frame bed_syn_reply(struct bed_frame frame, enum bed_syn form) {
  uint8_t *tcp = bed_l4(&frame);
  uint32_t ack = asz_be32_load(tcp + ASZ_TCP_SEQ) + 1, echo = asz_be32_load(tcp + ASZ_TCP_OPEN_TIME);
  uint8_t ports[4];
  memcpy(ports, tcp, 4);
  addresses_swap(&frame);
  asz_tcp_open_write(tcp, form == BED_SYN_RESET ? ASZ_TCP_RST | ASZ_TCP_ACKS : ASZ_TCP_SYN | ASZ_TCP_ACKS, 1000, 536);
  memcpy(tcp, ports + 2, 2);
  memcpy(tcp + 2, ports, 2);
  asz_be32_store(tcp + ASZ_TCP_SEQ, 0x12345678);
  asz_be32_store(tcp + ASZ_TCP_ACK, ack);
  asz_be32_store(tcp + ASZ_TCP_OPEN_TIME, 77);
  asz_be32_store(tcp + ASZ_TCP_OPEN_ECHO, echo);
  size_t header_bytes = form == BED_SYN_TIMES ? ASZ_TCP_OPEN_BYTES : form == BED_SYN_PLAIN ? 24 : ASZ_TCP_BYTES;
  tcp[ASZ_TCP_OFFSET] = (uint8_t)(header_bytes / 4 << 4);
  frame.size = l4_at(&frame) + header_bytes;
  if (is_ipv6(&frame))
    asz_be16_store(bed_l3(&frame) + ASZ_IPV6_PAYLOAD_LENGTH, (uint16_t)header_bytes);
  else
    asz_be16_store(bed_l3(&frame) + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(ASZ_IPV4_BYTES + header_bytes));
  bed_finish(&frame);
  return frame;
}

struct bed_frame bed_reply(const struct bed *bed, struct bed_frame frame) {
  if (is(&frame, ASZ_PROTOCOL_TCP))
    return bed_syn_reply(frame, BED_SYN_TIMES);
  uint8_t *l4 = bed_l4(&frame), *payload = bed_payload(&frame);
  uint32_t index = target_of(&frame);
  const struct asz_session *session = &bed->session[index];
  addresses_swap(&frame);
  if (is(&frame, ASZ_PROTOCOL_UDP)) {
    swap(l4 + ASZ_UDP_SRC, l4 + ASZ_UDP_DST, 2);
    size_t payload_bytes = frame.size - (size_t)(payload - frame.bytes);
    int size = asz_stamp_auth_find(payload, payload_bytes)
                   ? asz_stamp_auth_reflect(bed->lanes, &bed->hmac[index], payload, payload_bytes, bed->t2_ntp64, bed->t3_ntp64,
                                            0x0801, 255)
                   : asz_stamp_reflect(payload, payload_bytes, bed->t2_ntp64, bed->t3_ntp64, 0x0801, 255, session);
    cr_assert(eq(int, size, (int)payload_bytes));
  } else {
    l4[0] = is_ipv6(&frame) ? ASZ_ICMPV6_ECHO_REPLY : ASZ_ICMP_ECHO_REPLY;
  }
  bed_finish(&frame);
  return frame;
}

struct bed_frame bed_exchange(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64) {
  return bed_reply(bed, bed_request(bed, target, seq, tx_ntp64));
}

void bed_finish(struct bed_frame *frame) {
  uint8_t *ip = bed_l3(frame);
  bool ipv6 = is_ipv6(frame);
  if (!ipv6) {
    asz_be16_store(ip + ASZ_IPV4_CHECKSUM, 0);
    asz_be16_store(ip + ASZ_IPV4_CHECKSUM, bed_checksum_naive(NULL, 0, ip, ASZ_IPV4_BYTES));
  }
  if (is(frame, ASZ_PROTOCOL_UDP))
    asz_wire_udp_finish(ip);
  else if (is(frame, ASZ_PROTOCOL_TCP))
    asz_wire_tcp_finish(ip);
  else if (ipv6)
    asz_wire_icmpv6_finish(ip);
  else
    asz_wire_icmp_finish(bed_l4(frame), frame->size - l4_at(frame));
}

void bed_from(struct bed_frame *frame, uint32_t ipv4, uint16_t port) {
  if (is_ipv6(frame))
    bed_address(bed_l3(frame) + ASZ_IPV6_SRC, ipv4);
  else
    asz_be32_store(bed_l3(frame) + ASZ_IPV4_SRC, ipv4);
  if (has_ports(frame))
    asz_be16_store(bed_l4(frame) + ASZ_UDP_SRC, port);
  bed_finish(frame);
}

uint8_t *bed_payload(struct bed_frame *frame) {
  return frame->bytes + l4_at(frame) + 8;
}

size_t bed_payload_bytes(const struct bed *bed) {
  return (size_t)bed->template.frame_bytes - bed->template.l4_at - 8;
}

void bed_receive(struct bed *bed, const struct bed_frame *frame, uint64_t now_ntp64) {
  bed->burst.count = 1;
  bed->burst.bytes[0] = frame->bytes;
  bed->burst.size_bytes[0] = (uint32_t)frame->size;
  bed->burst.taken.ntp64 = now_ntp64;
  asz_rx_take(&bed->rx, &bed->burst);
}

void bed_mark(const struct bed *bed, struct bed_change *ret_mark) {
  ret_mark->counters = bed->counters;
  memcpy(ret_mark->target, bed->stats->target, sizeof ret_mark->target);
}

static void assert_score_kept(const struct asz_target_stats *now, const struct asz_target_stats *before) {
  cr_assert(eq(u16, now->answered, before->answered));
  cr_assert(eq(u64, now->rtt_sum_ns, before->rtt_sum_ns));
  cr_assert(eq(u32, now->rtt_min_ns, before->rtt_min_ns));
  cr_assert(eq(u32, now->rtt_max_ns, before->rtt_max_ns));
  cr_assert(eq(u64, now->slots_up, before->slots_up));
}

void bed_assert_only(const struct bed *bed, const struct bed_change *mark, enum asz_counter counter) {
  for (enum asz_counter i = 0; i < ASZ_CTR_COUNT; i++) {
    uint64_t grown = bed->counters.value[i] - mark->counters.value[i];
    cr_assert(eq(u64, grown, (uint64_t)(i == ASZ_CTR_RX_FRAMES || i == counter)), "%s, expected only %s", asz_counter_name(i),
              asz_counter_name(counter));
  }
  for (unsigned i = 0; i < BED_TARGETS; i++) {
    assert_score_kept(&bed->stats->target[i], &mark->target[i]);
    struct asz_sketch sketch = asz_stats_sketch(bed->stats, i);
    cr_assert(eq(u64, asz_sketch_total(&sketch), mark->target[i].answered));
  }
}

uint16_t bed_checksum_naive(const uint8_t *pseudo, size_t pseudo_bytes, const uint8_t *data, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i < pseudo_bytes + size; i++) {
    uint8_t byte = i < pseudo_bytes ? pseudo[i] : data[i - pseudo_bytes];
    sum += i % 2 == 0 ? (uint32_t)byte << 8 : byte;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return (uint16_t)~sum;
}

void bed_assert_checksums(const struct bed_frame *frame) {
  const uint8_t *ip = frame->bytes + l3_at(frame), *l4 = frame->bytes + l4_at(frame);
  size_t l4_bytes = frame->size - l4_at(frame), pseudo_bytes = 0;
  uint8_t pseudo[40] = {0}; /* RFC 8200 section 8.1, RFC 768 */
  if (is_ipv6(frame)) {
    memcpy(pseudo, ip + ASZ_IPV6_SRC, 32);
    asz_be32_store(pseudo + 32, (uint32_t)l4_bytes);
    pseudo[39] = protocol_of(frame);
    pseudo_bytes = 40;
  } else {
    cr_assert(eq(u16, bed_checksum_naive(NULL, 0, ip, ASZ_IPV4_BYTES), 0));
    memcpy(pseudo, ip + ASZ_IPV4_SRC, 8);
    pseudo[9] = protocol_of(frame);
    asz_be16_store(pseudo + 10, (uint16_t)l4_bytes);
    pseudo_bytes = has_ports(frame) ? 12 : 0;
  }
  cr_assert(eq(u16, bed_checksum_naive(pseudo, pseudo_bytes, l4, l4_bytes), 0));
}
