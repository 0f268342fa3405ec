/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/probes/probe.h"

#include <assert.h>
#include <string.h>

static const struct asz_probe_module *const modules[ASZ_PROBE_COUNT] = {
    [ASZ_PROBE_STAMP] = &asz_probe_stamp,           [ASZ_PROBE_STAMP_TLV] = &asz_probe_stamp_tlv,
    [ASZ_PROBE_ICMP_ECHO] = &asz_probe_icmp_echo,   [ASZ_PROBE_TCP_SYN] = &asz_probe_tcp_syn,
    [ASZ_PROBE_STAMP_AUTH] = &asz_probe_stamp_auth,
};

const struct asz_probe_module *asz_probe_module(enum asz_probe probe) {
  assert(probe < ASZ_PROBE_COUNT);
  return modules[probe];
}

const char *asz_probe_name(enum asz_probe probe) {
  return asz_probe_module(probe)->name;
}

enum asz_probe asz_probe_from_name(const char *name) {
  enum asz_probe probe = 0;
  while (probe < ASZ_PROBE_COUNT && strcmp(modules[probe]->name, name) != 0)
    probe++;
  return probe;
}

uint64_t asz_sum_be16(uint64_t sum, const uint8_t *bytes, uint32_t size_bytes) {
  for (uint32_t i = 0; i + 1 < size_bytes; i += 2)
    sum += asz_be16_load(bytes + i);
  if (size_bytes % 2 != 0)
    sum += (uint64_t)bytes[size_bytes - 1] << 8;
  return sum;
}

/* Ethernet, with a tag where one is set up. */
static void link_write(struct asz_template *template, uint16_t ethertype) {
  const struct asz_probe_setup *setup = &template->setup;
  uint8_t *type = template->bytes + ASZ_ETH_TYPE;
  asz_wire_eth_write(template->bytes, setup->gateway_mac[template->family], setup->local_mac, ethertype);
  template->l3_at = ASZ_ETH_BYTES;
  if (setup->vlan == 0)
    return;
  asz_wire_vlan_write(type, setup->vlan);
  asz_be16_store(type + ASZ_VLAN_BYTES, ethertype);
  template->l3_at += ASZ_VLAN_BYTES;
}

static void ipv4_write(struct asz_template *template, uint8_t protocol, uint16_t l4_bytes) {
  link_write(template, ASZ_ETHERTYPE_IPV4);
  uint8_t *ip = template->bytes + template->l3_at;
  asz_wire_ipv4_write(ip, template->setup.local_ipv4, 0, protocol, ASZ_PROBE_TTL, l4_bytes);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, 0);
  template->ip_sum = asz_sum_be16(0, ip, ASZ_IPV4_BYTES);
  template->pseudo_sum = asz_sum_be64(template->setup.local_ipv4) + protocol + l4_bytes;
  template->l4_at = (uint16_t)(template->l3_at + ASZ_IPV4_BYTES);
}

static void ipv6_write(struct asz_template *template, uint8_t protocol, uint16_t l4_bytes) {
  static const uint8_t nowhere[ASZ_IPV6_ADDRESS_BYTES];
  uint8_t next_header = protocol == ASZ_PROTOCOL_ICMP ? ASZ_PROTOCOL_ICMPV6 : protocol;
  link_write(template, ASZ_ETHERTYPE_IPV6);
  asz_wire_ipv6_write(template->bytes + template->l3_at, template->setup.local_ipv6, nowhere, next_header, ASZ_PROBE_TTL,
                      l4_bytes);
  template->pseudo_sum = asz_sum_ipv6(template->setup.local_ipv6) + next_header + l4_bytes;
  template->l4_at = (uint16_t)(template->l3_at + ASZ_IPV6_BYTES);
}

/* What stands in front of l4_bytes of `protocol`, destination 0. */
static void headers_write(struct asz_template *template, uint8_t protocol, uint16_t l4_bytes) {
  if (template->family == ASZ_FAMILY_IPV6)
    ipv6_write(template, protocol, l4_bytes);
  else
    ipv4_write(template, protocol, l4_bytes);
  template->frame_bytes = (uint16_t)(template->l4_at + l4_bytes);
}

void asz_template_prepare(struct asz_template *ret_template, const struct asz_probe_module *module,
                          const struct asz_probe_setup *setup, enum asz_family family) {
  memset(ret_template, 0, sizeof *ret_template);
  ret_template->setup = *setup;
  ret_template->family = family;
  headers_write(ret_template, module->protocol, module->l4_bytes);
  assert(ret_template->frame_bytes <= ASZ_PROBE_FRAME_MAX);
  module->prepare(ret_template);
}

void asz_template_udp_finish(const struct asz_template *template, uint8_t *frame, uint64_t address_sum) {
  uint8_t *udp = frame + template->l4_at;
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, 0);
  uint16_t bytes_sum = (uint16_t)~asz_wire_fold(asz_wire_sum(0, udp, (size_t) template->frame_bytes - template->l4_at));
  uint16_t checksum = asz_sum_fold(template->pseudo_sum + address_sum + bytes_sum);
  asz_be16_store(udp + ASZ_UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
}

/* The copy has a constant size, which the compiler keeps in vector registers: a memcpy call per frame cost 7 cycles more in
 * bench_make. */
#define PLACE(size)                                                                                                              \
  for (uint32_t i = 0; i < burst->count; i++) {                                                                                  \
    uint8_t *ip = burst->frame[i] + l3_at;                                                                                       \
    memcpy(burst->frame[i], template->bytes, size);                                                                              \
    asz_be16_store(ip + ASZ_IPV4_CHECKSUM, asz_sum_fold(template->ip_sum + burst->ipv4[i]));                                     \
    asz_be32_store(ip + ASZ_IPV4_DST, burst->ipv4[i]);                                                                           \
  }

/* Frames over IPv6 are of one size or another above 80 bytes: a single constant for all of them. */
static void place_ipv6(const struct asz_template *template, const struct asz_burst *burst) {
  uint32_t l3_at = template->l3_at;
  for (uint32_t i = 0; i < burst->count; i++) {
    memcpy(burst->frame[i], template->bytes, ASZ_PROBE_FRAME_MAX);
    memcpy(burst->frame[i] + l3_at + ASZ_IPV6_DST, burst->ipv6[i], ASZ_IPV6_ADDRESS_BYTES);
  }
}

void asz_burst_place(const struct asz_template *template, const struct asz_burst *burst) {
  uint32_t l3_at = template->l3_at;
  if (template->family == ASZ_FAMILY_IPV6) {
    place_ipv6(template, burst);
  } else if (template->frame_bytes <= 96) {
    PLACE(96)
  } else if (template->frame_bytes <= 160) {
    PLACE(160)
  } else {
    PLACE(ASZ_PROBE_FRAME_MAX)
  }
}
