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

/* Ethernet and IPv4 in front of l4_bytes of `protocol`, destination 0. */
static void headers_write(struct asz_template *template, uint8_t protocol, uint16_t l4_bytes) {
  uint8_t *ip = template->bytes + ASZ_ETH_BYTES;
  asz_wire_eth_write(template->bytes, template->setup.gateway_mac, template->setup.local_mac, ASZ_ETHERTYPE_IPV4);
  asz_wire_ipv4_write(ip, template->setup.local_ipv4, 0, protocol, ASZ_PROBE_TTL, l4_bytes);
  asz_be16_store(ip + ASZ_IPV4_CHECKSUM, 0);
  template->ip_sum = asz_sum_be16(0, ip, ASZ_IPV4_BYTES);
  template->pseudo_sum = asz_sum_be64(template->setup.local_ipv4) + protocol + l4_bytes;
  template->l4_at = ASZ_ETH_BYTES + ASZ_IPV4_BYTES;
  template->frame_bytes = (uint16_t)(template->l4_at + l4_bytes);
}

void asz_template_prepare(struct asz_template *ret_template, const struct asz_probe_module *module,
                          const struct asz_probe_setup *setup) {
  memset(ret_template, 0, sizeof *ret_template);
  ret_template->setup = *setup;
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
    uint8_t *ip = burst->frame[i] + ASZ_ETH_BYTES;                                                                               \
    memcpy(burst->frame[i], template->bytes, size);                                                                              \
    asz_be16_store(ip + ASZ_IPV4_CHECKSUM, asz_sum_fold(template->ip_sum + burst->ipv4[i]));                                     \
    asz_be32_store(ip + ASZ_IPV4_DST, burst->ipv4[i]);                                                                           \
  }

void asz_burst_place(const struct asz_template *template, const struct asz_burst *burst) {
  if (template->frame_bytes <= 96) {
    PLACE(96)
  } else if (template->frame_bytes <= 160) {
    PLACE(160)
  } else {
    PLACE(ASZ_PROBE_FRAME_MAX)
  }
}
