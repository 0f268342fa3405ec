/* SPDX-License-Identifier: Apache-2.0 */
/* asz_enrol: HELLO and WELCOME: what a provider consents to and claims to have, and a token that proves that its validator
 * receives at the address it asks from.
 *
 * HELLO (validator -> provider), 176 bytes, big-endian:
 *   head: type 3, kind 0, param 0, slot 0, the device that is asked about | 32 nonce(16) | 48 zeros(112) | 160 MAC(16) over bytes
 *   0..160 under the session's request key
 * WELCOME (provider -> validator), 176 bytes:
 *   head: type 4, the provider's id, else as asked | 32 nonce(16) as asked | 48 token(16) | 64 consent(4): bit 1 << kind for each
 *   kind that the device consents to | 68 devices(4) | 72 seq_log2_max(1) | 73 gemm_preset_max(1) | 74 mem_preset(1) | 75
 * zeros(5) | 80 free_bytes(8) | 88 bandwidth_bytes_ps(8) | 96 signature(64) | 160 MAC(16) over bytes 0..160 under the reply key
 *   signed = "assize/1/enrolmt" || bytes 4..48 || bytes 64..96 || validator pk(32) = 124 bytes
 *
 * What was declared is evidence of what was claimed. The token is between the two, and not signed. */
#ifndef ASZ_DATAPLANE_BASE_ENROL_H
#define ASZ_DATAPLANE_BASE_ENROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/err.h"

enum {
  ASZ_ENROL_BYTES = 176,
  ASZ_ENROL_MAC_AT = 160,
  ASZ_ENROL_SIGNED_BYTES = 124,
  ASZ_TOKEN_BYTES = 16,
};

struct asz_hello {
  uint32_t epoch, device;
  uint8_t validator_id[8];
  uint8_t nonce[ASZ_NONCE_BYTES];
};

/* What a provider says of a device. */
struct asz_declaration {
  uint32_t consent;            /* 1 << kind, of the kinds that there are */
  uint32_t devices;            /* 1..: of the identity; device numbers are under it */
  uint8_t seq_log2_max;        /* ASZ_SEQ_LOG2_MIN..ASZ_SEQ_LOG2_MAX with consent to seq, else 0 */
  uint8_t gemm_preset_max;     /* with consent to gemm every preset up to this value, else 0 */
  uint8_t mem_preset;          /* with consent to mem the largest arena that it will hold, else 0 */
  uint64_t free_bytes;         /* of memory for an arena of who asks: held by no other one */
  uint64_t bandwidth_bytes_ps; /* of that memory, as claimed; 0: no claim */
};

struct asz_welcome {
  uint32_t epoch, device;
  uint8_t provider_id[8];
  uint8_t nonce[ASZ_NONCE_BYTES];
  uint8_t token[ASZ_TOKEN_BYTES];
  struct asz_declaration declaration;
  uint8_t signature[64];
};

/* asz_declaration_valid: is each field in the range that its comment names? */
bool asz_declaration_valid(const struct asz_declaration *declaration);

void asz_hello_write(uint8_t ret_datagram[ASZ_ENROL_BYTES], const struct asz_hello *hello, const uint8_t request_key[16]);
/* asz_hello_read checks size, head and zeros, not the MAC. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_hello_read(struct asz_hello *ret_hello, const uint8_t *datagram, size_t size_bytes);

/* asz_welcome_signed_bytes: of all but token and signature. */
void asz_welcome_signed_bytes(uint8_t ret_signed[ASZ_ENROL_SIGNED_BYTES], const struct asz_welcome *welcome,
                              const uint8_t validator_pk[32]);
/* asz_welcome_write: the declaration must be valid (asserted). */
void asz_welcome_write(uint8_t ret_datagram[ASZ_ENROL_BYTES], const struct asz_welcome *welcome, const uint8_t reply_key[16]);
/* asz_welcome_read checks size, head, zeros and the declaration, not MAC or signature. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_welcome_read(struct asz_welcome *ret_welcome, const uint8_t *datagram, size_t size_bytes);

#endif
