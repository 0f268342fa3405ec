/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/token.h"

#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/session.h"

_Static_assert((int)ASZ_TOKEN_BYTES == (int)ASZ_MAC_BYTES, "a token is a MAC");

void asz_token_make(uint8_t ret_token[ASZ_TOKEN_BYTES], const uint8_t secret[16], const struct asz_address *address,
                    const uint8_t validator_id[8], uint32_t epoch) {
  uint8_t bytes[1 + 16 + 8 + 4] = {address->family};
  if (address->family == ASZ_FAMILY_IPV6)
    memcpy(bytes + 1, address->ipv6, 16);
  else
    asz_be32_store(bytes + 1, address->ipv4);
  memcpy(bytes + 17, validator_id, 8);
  asz_be32_store(bytes + 25, epoch);
  asz_mac_make(ret_token, secret, bytes, sizeof bytes);
}

bool asz_token_check(const uint8_t token[ASZ_TOKEN_BYTES], const uint8_t secret[16], const struct asz_address *address,
                     const uint8_t validator_id[8], uint32_t epoch) {
  uint8_t right[ASZ_TOKEN_BYTES];
  asz_token_make(right, secret, address, validator_id, epoch);
  return sodium_memcmp(right, token, sizeof right) == 0;
}
