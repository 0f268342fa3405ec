/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/address.h"

#include <string.h>

struct asz_address asz_address_ipv6(const uint8_t ipv6[16]) {
  struct asz_address address = {.family = ASZ_FAMILY_IPV6};
  memcpy(address.ipv6, ipv6, sizeof address.ipv6);
  return address;
}

int asz_address_parse(struct asz_address *ret_address, const char *text) {
  struct asz_address address = {.family = strchr(text, ':') != NULL ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4};
  int err = address.family == ASZ_FAMILY_IPV6 ? asz_ipv6_parse(address.ipv6, text) : asz_ipv4_parse(&address.ipv4, text);
  if (err == 0)
    *ret_address = address;
  return err;
}

void asz_address_format(char ret_text[ASZ_IPV6_TEXT_BYTES], const struct asz_address *address) {
  if (address->family == ASZ_FAMILY_IPV6)
    asz_ipv6_format(ret_text, address->ipv6);
  else
    asz_ipv4_format(ret_text, address->ipv4);
}

bool asz_address_equal(const struct asz_address *a, const struct asz_address *b) {
  if (a->family != b->family)
    return false;
  return a->family == ASZ_FAMILY_IPV6 ? memcmp(a->ipv6, b->ipv6, sizeof a->ipv6) == 0 : a->ipv4 == b->ipv4;
}

bool asz_address_is_link_local(const struct asz_address *address) {
  return address->family == ASZ_FAMILY_IPV6 && address->ipv6[0] == 0xfe && (address->ipv6[1] & 0xc0) == 0x80;
}
