/* SPDX-License-Identifier: Apache-2.0 */
/* asz_token: proves that whoever shows it receives at the address it asks from: it was sent there, in a WELCOME.
 *
 * Nothing is kept for it: 16 bytes of SipHash-2-4-128 under a secret that a responder draws when it starts, over the address
 * (family, then 16 bytes, the rest zero), the validator's id and the epoch. */
#ifndef ASZ_CONTROL_RESPONDER_TOKEN_H
#define ASZ_CONTROL_RESPONDER_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/address.h"
#include "dataplane/base/enrol.h"

void asz_token_make(uint8_t ret_token[ASZ_TOKEN_BYTES], const uint8_t secret[16], const struct asz_address *address,
                    const uint8_t validator_id[8], uint32_t epoch);
/* asz_token_check: constant time. */
bool asz_token_check(const uint8_t token[ASZ_TOKEN_BYTES], const uint8_t secret[16], const struct asz_address *address,
                     const uint8_t validator_id[8], uint32_t epoch);

#endif
