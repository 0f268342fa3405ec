/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/ipv6.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "dataplane/base/bytes.h"

static const uint8_t none[16], loopback[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};

int asz_ipv6_parse(uint8_t ret_ipv6[16], const char *text) {
  uint8_t ipv6[16];
  if (inet_pton(AF_INET6, text, ipv6) != 1)
    return ASZ_EFORMAT;
  memcpy(ret_ipv6, ipv6, sizeof ipv6);
  return 0;
}

void asz_ipv6_format(char ret_text[ASZ_IPV6_TEXT_BYTES], const uint8_t ipv6[16]) {
  const char *text = inet_ntop(AF_INET6, ipv6, ret_text, ASZ_IPV6_TEXT_BYTES);
  assert(text != NULL); /* it can only fail for want of room */
  (void)text;
}

bool asz_ipv6_is_none(const uint8_t ipv6[16]) {
  return memcmp(ipv6, none, sizeof none) == 0;
}

bool asz_ipv6_is_host(const uint8_t ipv6[16]) {
  return ipv6[0] != 0xff && !asz_ipv6_is_none(ipv6) && memcmp(ipv6, loopback, sizeof loopback) != 0 &&
         memcmp(ipv6, mapped, sizeof mapped) != 0;
}

bool asz_ipv6_is_provider(const uint8_t ipv6[16]) {
  bool link_local = ipv6[0] == 0xfe && (ipv6[1] & 0xc0) == 0x80; /* fe80::/10 */
  return asz_ipv6_is_host(ipv6) && !link_local;
}

static uint64_t mask_of(unsigned bits) {
  return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
}

bool asz_ipv6_in_prefix(const uint8_t ipv6[16], const uint8_t prefix[16], unsigned bits) {
  const uint64_t high = asz_be64_load(ipv6) ^ asz_be64_load(prefix), low = asz_be64_load(ipv6 + 8) ^ asz_be64_load(prefix + 8);
  assert(bits <= 128);
  return (high & mask_of(bits)) == 0 && (low & mask_of(bits > 64 ? bits - 64 : 0)) == 0;
}

void asz_ipv6_solicited(uint8_t ret_ipv6[16], const uint8_t ipv6[16]) {
  static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
  uint8_t last[3];
  memcpy(last, ipv6 + 13, sizeof last);
  memcpy(ret_ipv6, prefix, sizeof prefix);
  memcpy(ret_ipv6 + 13, last, sizeof last);
}

void asz_ipv6_multicast_mac(uint8_t ret_mac[6], const uint8_t ipv6[16]) {
  ret_mac[0] = 0x33;
  ret_mac[1] = 0x33;
  memcpy(ret_mac + 2, ipv6 + 12, 4);
}
