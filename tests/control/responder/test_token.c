/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/token.h"

static const uint8_t secret[16] = "a secret of ours", validator_id[8] = "validate";

Test(token, another_address_validator_epoch_or_secret_is_refused)
{
  const struct asz_address ipv4 = asz_address_ipv4(0x0a000001), other = asz_address_ipv4(0x0a000002);
  uint8_t token[ASZ_TOKEN_BYTES];
  asz_token_make(token, secret, &ipv4, validator_id, 7);
  cr_assert(asz_token_check(token, secret, &ipv4, validator_id, 7));
  cr_assert(!asz_token_check(token, secret, &other, validator_id, 7));
  cr_assert(!asz_token_check(token, secret, &ipv4, (const uint8_t *)"valid8te", 7));
  cr_assert(!asz_token_check(token, secret, &ipv4, validator_id, 8));
  cr_assert(!asz_token_check(token, (const uint8_t *)"another secret!!", &ipv4, validator_id, 7));
  for (unsigned bit = 0; bit < 8 * ASZ_TOKEN_BYTES; bit++) {
    token[bit / 8] ^= (uint8_t)(1u << bit % 8);
    cr_assert(!asz_token_check(token, secret, &ipv4, validator_id, 7), "bit %u", bit);
    token[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

Test(token, an_ipv6_address_counts_in_whole)
{
  struct asz_address address = asz_address_ipv6((const uint8_t[16]){0x20, 1, 0xd, 0xb8, [15] = 1});
  uint8_t token[ASZ_TOKEN_BYTES];
  asz_token_make(token, secret, &address, validator_id, 7);
  for (unsigned byte = 0; byte < 16; byte++) {
    address.ipv6[byte] ^= 1;
    cr_assert(!asz_token_check(token, secret, &address, validator_id, 7), "byte %u", byte);
    address.ipv6[byte] ^= 1;
  }
  cr_assert(asz_token_check(token, secret, &address, validator_id, 7));
}
