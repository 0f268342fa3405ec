/* SPDX-License-Identifier: Apache-2.0 */
#include "control/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int asz_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value) {
  if (!*text || strspn(text, "0123456789") != strlen(text))
    return ASZ_EFORMAT;
  errno = 0;
  uint64_t value = strtoull(text, NULL, 10);
  if (errno == ERANGE || value < min || value > max)
    return ASZ_ERANGE;
  *ret_value = value;
  return 0;
}

int asz_parse_ipv4(const char *text, uint32_t *ret_ipv4) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1)
    return ASZ_EFORMAT;
  *ret_ipv4 = ntohl(address.s_addr);
  return 0;
}
