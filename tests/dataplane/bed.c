/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "dataplane/base/tcp.h"

enum { IP_AT = ASZ_ETH_BYTES, L4_AT = IP_AT + ASZ_IPV4_BYTES, PAYLOAD_AT = L4_AT + 8 };

static const uint8_t local_mac[6] = {2, 0, 0, 0, 0, 0xaa}, gateway_mac[6] = {2, 0, 0, 0, 0, 0xbb};

static void epoch_begin(struct bed *bed, uint32_t epoch) {
  struct asz_probe_setup setup = {.local_ipv4 = BED_LOCAL,
                                  .source_port_base = BED_PORT_BASE,
                                  .epoch = epoch,
                                  .session = bed->session,
                                  .hmac = bed->hmac,
                                  .lanes = bed->lanes};
  memcpy(setup.local_mac, local_mac, 6);
  memcpy(setup.gateway_mac, gateway_mac, 6);
  memcpy(setup.validator_id, "validatr", 8);
  asz_template_prepare(&bed->template, bed->module, &setup);
  bed->slots = (struct asz_slots){.count = 2, .now = 1, .start_ntp64 = {BED_START, BED_START + 500 * BED_MS}};
  asz_stats_aim(bed->stats, bed->target);
  struct asz_rx_run run = {
      .epoch = {.map = &bed->map, .target_count = BED_TARGETS, .valid = true},
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

void bed_open(struct bed *bed, enum asz_probe kind) {
  memset(bed, 0, sizeof *bed);
  bed->kind = kind;
  bed->module = asz_probe_module(kind);
  for (unsigned i = 0; i < sizeof bed->secret; i++)
    bed->secret[i] = (uint8_t)i;
  for (unsigned i = 0; i < sizeof bed->session; i++)
    ((uint8_t *)bed->session)[i] = (uint8_t)(3 * i + 1);
  cr_assert(eq(int, asz_stats_new(&bed->stats, BED_TARGETS, ASZ_SKETCH_CELLS_MIN), 0));
  cr_assert(eq(int, asz_addrmap_new(&bed->map, BED_TARGETS, -1), 0));
  cr_assert(eq(int, asz_addrmap_new(&bed->other_map, BED_TARGETS, -1), 0));
  asz_addrmap_reset(&bed->map, BED_TARGETS);
  cr_assert(eq(int, asz_hmac_lanes_new(&bed->lanes), 0));
  for (uint32_t i = 0; i < BED_TARGETS; i++) {
    asz_hmac_key_set(&bed->hmac[i], (const uint8_t[]){(uint8_t)i, 1, 2, 3}, 4);
    bed->target[i] = (struct asz_target){.ipv4 = BED_FIRST + i, .port = BED_PORT, .probe = (uint8_t)kind};
    cr_assert(eq(int, asz_addrmap_put(&bed->map, BED_FIRST + i, i), 0));
  }
  bed->rx = (struct asz_rx){
      .config = {.local_ipv4 = BED_LOCAL,
                 .source_port_base = BED_PORT_BASE,
                 .challenge_source_port = 48620,
                 .check = ASZ_WIRE_CHECK_ALL},
      .counters = &bed->counters,
  };
  epoch_begin(bed, BED_EPOCH);
}

void bed_close(struct bed *bed) {
  asz_stats_free(bed->stats);
  asz_hmac_lanes_free(bed->lanes);
  asz_addrmap_free(&bed->map);
  asz_addrmap_free(&bed->other_map);
}

void bed_next_epoch(struct bed *bed) {
  asz_rx_seal(&bed->rx);
  struct asz_addrmap sealed = bed->map;
  bed->map = bed->other_map;
  bed->other_map = sealed;
  bed->rx.previous.map = &bed->other_map;
  asz_addrmap_reset(&bed->map, BED_TARGETS);
  for (uint32_t i = 0; i < BED_TARGETS; i++)
    cr_assert(eq(int, asz_addrmap_put(&bed->map, BED_FIRST + i, i), 0));
  asz_stats_clear(bed->stats);
  bed->secret[0] ^= 1;
  epoch_begin(bed, BED_EPOCH + 1);
}

struct bed_frame bed_request(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64) {
  struct bed_frame frame = {.size = bed->template.frame_bytes};
  struct asz_burst burst = {.count = 1,
                            .target = {target},
                            .seq = {seq},
                            .ipv4 = {bed->target[target].ipv4},
                            .address_sum = {bed->target[target].ipv4},
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

static bool is(const struct bed_frame *frame, uint8_t protocol) {
  return frame->bytes[IP_AT + ASZ_IPV4_PROTOCOL] == protocol;
}
static bool has_ports(const struct bed_frame *frame) {
  return !is(frame, ASZ_PROTOCOL_ICMP);
}

static void swap(uint8_t *a, uint8_t *b, size_t size) {
  uint8_t kept[8];
  memcpy(kept, a, size);
  memcpy(a, b, size);
  memcpy(b, kept, size);
}

static uint32_t target_of(const struct bed_frame *request) {
  return asz_be32_load(request->bytes + IP_AT + ASZ_IPV4_DST) - BED_FIRST;
}

struct bed_frame bed_syn_reply(struct bed_frame frame, enum bed_syn form) {
  uint8_t *ip = frame.bytes + IP_AT, *tcp = frame.bytes + L4_AT;
  uint32_t ack = asz_be32_load(tcp + ASZ_TCP_SEQ) + 1, echo = asz_be32_load(tcp + ASZ_TCP_OPEN_TIME);
  uint8_t ports[4];
  memcpy(ports, tcp, 4);
  swap(frame.bytes, frame.bytes + 6, 6);
  swap(ip + ASZ_IPV4_SRC, ip + ASZ_IPV4_DST, 4);
  asz_tcp_open_write(tcp, form == BED_SYN_RESET ? ASZ_TCP_RST | ASZ_TCP_ACKS : ASZ_TCP_SYN | ASZ_TCP_ACKS, 1000, 536);
  memcpy(tcp, ports + 2, 2);
  memcpy(tcp + 2, ports, 2);
  asz_be32_store(tcp + ASZ_TCP_SEQ, 0x12345678);
  asz_be32_store(tcp + ASZ_TCP_ACK, ack);
  asz_be32_store(tcp + ASZ_TCP_OPEN_TIME, 77);
  asz_be32_store(tcp + ASZ_TCP_OPEN_ECHO, echo);
  size_t header_bytes = form == BED_SYN_TIMES ? ASZ_TCP_OPEN_BYTES : form == BED_SYN_PLAIN ? 24 : ASZ_TCP_BYTES;
  tcp[ASZ_TCP_OFFSET] = (uint8_t)(header_bytes / 4 << 4);
  frame.size = L4_AT + header_bytes;
  asz_be16_store(ip + ASZ_IPV4_TOTAL_LENGTH, (uint16_t)(frame.size - IP_AT));
  bed_finish(&frame);
  return frame;
}

struct bed_frame bed_reply(const struct bed *bed, struct bed_frame frame) {
  if (is(&frame, ASZ_PROTOCOL_TCP))
    return bed_syn_reply(frame, BED_SYN_TIMES);
  uint8_t *ip = frame.bytes + IP_AT, *l4 = frame.bytes + L4_AT;
  uint32_t index = target_of(&frame);
  const struct asz_session *session = &bed->session[index];
  swap(frame.bytes, frame.bytes + 6, 6);
  swap(ip + ASZ_IPV4_SRC, ip + ASZ_IPV4_DST, 4);
  if (is(&frame, ASZ_PROTOCOL_UDP)) {
    swap(l4 + ASZ_UDP_SRC, l4 + ASZ_UDP_DST, 2);
    uint8_t *payload = frame.bytes + PAYLOAD_AT;
    size_t payload_bytes = frame.size - PAYLOAD_AT;
    int size = asz_stamp_auth_find(payload, payload_bytes)
                   ? asz_stamp_auth_reflect(bed->lanes, &bed->hmac[index], payload, payload_bytes, 11, 22, 0x0801, 255)
                   : asz_stamp_reflect(payload, payload_bytes, 11, 22, 0x0801, 255, session);
    cr_assert(eq(int, size, (int)(frame.size - PAYLOAD_AT)));
  } else {
    l4[0] = ASZ_ICMP_ECHO_REPLY;
  }
  bed_finish(&frame);
  return frame;
}

struct bed_frame bed_exchange(struct bed *bed, uint32_t target, uint32_t seq, uint64_t tx_ntp64) {
  return bed_reply(bed, bed_request(bed, target, seq, tx_ntp64));
}

void bed_finish(struct bed_frame *frame) {
  uint8_t *ip = frame->bytes + IP_AT;
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, 0);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, bed_checksum_naive(NULL, 0, ip, ASZ_IPV4_BYTES));
  if (is(frame, ASZ_PROTOCOL_UDP))
    asz_wire_udp_finish(ip);
  else if (is(frame, ASZ_PROTOCOL_TCP))
    asz_wire_tcp_finish(ip);
  else
    asz_wire_icmp_finish(frame->bytes + L4_AT, frame->size - L4_AT);
}

void bed_from(struct bed_frame *frame, uint32_t ipv4, uint16_t port) {
  asz_be32_store(frame->bytes + IP_AT + ASZ_IPV4_SRC, ipv4);
  if (has_ports(frame))
    asz_be16_store(frame->bytes + L4_AT + ASZ_UDP_SRC, port);
  bed_finish(frame);
}

uint8_t *bed_payload(struct bed_frame *frame) {
  return frame->bytes + PAYLOAD_AT;
}

size_t bed_payload_bytes(const struct bed *bed) {
  return (size_t)bed->template.frame_bytes - PAYLOAD_AT;
}

void bed_receive(struct bed *bed, const struct bed_frame *frame, uint64_t now_ntp64) {
  bed->burst.count = 1;
  bed->burst.bytes[0] = frame->bytes;
  bed->burst.size_bytes[0] = (uint32_t)frame->size;
  bed->burst.now_ntp64 = now_ntp64;
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
  const uint8_t *ip = frame->bytes + IP_AT, *l4 = frame->bytes + L4_AT;
  size_t l4_bytes = frame->size - L4_AT;
  cr_assert(eq(u16, bed_checksum_naive(NULL, 0, ip, ASZ_IPV4_BYTES), 0));
  uint8_t pseudo[12] = {0};
  memcpy(pseudo, ip + ASZ_IPV4_SRC, 8);
  pseudo[9] = ip[ASZ_IPV4_PROTOCOL];
  pseudo[10] = (uint8_t)(l4_bytes >> 8);
  pseudo[11] = (uint8_t)l4_bytes;
  cr_assert(eq(u16, bed_checksum_naive(pseudo, has_ports(frame) ? sizeof pseudo : 0, l4, l4_bytes), 0));
}
