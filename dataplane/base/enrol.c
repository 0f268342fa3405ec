/* SPDX-License-Identifier: Apache-2.0 */
/* HELLO and WELCOME. As in challenge.c, a reader accepts exactly what a writer makes. */
#include "dataplane/base/enrol.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/head.h"

enum {
  AT_NONCE = ASZ_HEAD_BYTES,
  /* HELLO */
  AT_HELLO_ZEROS = 48,
  /* WELCOME */
  AT_TOKEN = 48,
  AT_CONSENT = 64,
  AT_DEVICES = 68,
  AT_SEQ_LOG2_MAX = 72,
  AT_GEMM_PRESET_MAX = 73,
  AT_MEM_PRESET = 74,
  AT_ZEROS = 75,
  AT_FREE = 80,
  AT_BANDWIDTH = 88,
  AT_SIGNATURE = 96,
};
_Static_assert(AT_NONCE + (int)ASZ_NONCE_BYTES == AT_TOKEN && AT_TOKEN + (int)ASZ_TOKEN_BYTES == AT_CONSENT &&
                   AT_SIGNATURE + (int)ASZ_SIG_BYTES == (int)ASZ_ENROL_MAC_AT &&
                   (int)ASZ_ENROL_MAC_AT + (int)ASZ_MAC_BYTES == (int)ASZ_ENROL_BYTES,
               "no gap");

static bool in_range_if(bool consent, unsigned value, bool in_range) {
  return consent ? in_range : value == 0;
}

bool asz_declaration_valid(const struct asz_declaration *d) {
  const uint32_t kinds = (UINT32_C(2) << ASZ_KIND_MAX) - 2;
  return (d->consent & ~kinds) == 0 && d->devices >= 1 &&
         in_range_if(d->consent >> ASZ_KIND_SEQ & 1, d->seq_log2_max, asz_param_valid(ASZ_KIND_SEQ, d->seq_log2_max)) &&
         in_range_if(d->consent >> ASZ_KIND_GEMM & 1, d->gemm_preset_max, asz_param_valid(ASZ_KIND_GEMM, d->gemm_preset_max)) &&
         in_range_if(d->consent >> ASZ_KIND_MEM & 1, d->mem_preset, asz_preset_of(d->mem_preset) != NULL);
}

static void head_write(uint8_t *datagram, enum asz_message type, uint32_t epoch, uint32_t device, const uint8_t sender_id[8]) {
  struct asz_head head = {.type = (uint8_t)type, .epoch = epoch, .device = device};
  memcpy(head.sender_id, sender_id, sizeof head.sender_id);
  asz_head_write(datagram, &head);
}

static bool head_read(struct asz_head *ret_head, const uint8_t *datagram, size_t size_bytes, enum asz_message type) {
  return size_bytes == ASZ_ENROL_BYTES && asz_head_read(ret_head, datagram, size_bytes) == ASZ_OK && ret_head->type == type &&
         ret_head->kind == 0 && ret_head->param == 0 && ret_head->slot == 0;
}

void asz_hello_write(uint8_t ret_datagram[ASZ_ENROL_BYTES], const struct asz_hello *hello, const uint8_t request_key[16]) {
  memset(ret_datagram, 0, ASZ_ENROL_BYTES);
  head_write(ret_datagram, ASZ_MESSAGE_HELLO, hello->epoch, hello->device, hello->validator_id);
  memcpy(ret_datagram + AT_NONCE, hello->nonce, sizeof hello->nonce);
  asz_mac_make(ret_datagram + ASZ_ENROL_MAC_AT, request_key, ret_datagram, ASZ_ENROL_MAC_AT);
}

int asz_hello_read(struct asz_hello *ret_hello, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_HELLO) ||
      !sodium_is_zero(datagram + AT_HELLO_ZEROS, ASZ_ENROL_MAC_AT - AT_HELLO_ZEROS))
    return ASZ_EFORMAT;
  ret_hello->epoch = head.epoch;
  ret_hello->device = head.device;
  memcpy(ret_hello->validator_id, head.sender_id, sizeof ret_hello->validator_id);
  memcpy(ret_hello->nonce, datagram + AT_NONCE, sizeof ret_hello->nonce);
  return ASZ_OK;
}

/* Bytes 0..160. */
static void welcome_lay_out(uint8_t *datagram, const struct asz_welcome *welcome) {
  const struct asz_declaration *d = &welcome->declaration;
  memset(datagram, 0, ASZ_ENROL_MAC_AT);
  head_write(datagram, ASZ_MESSAGE_WELCOME, welcome->epoch, welcome->device, welcome->provider_id);
  memcpy(datagram + AT_NONCE, welcome->nonce, sizeof welcome->nonce);
  memcpy(datagram + AT_TOKEN, welcome->token, sizeof welcome->token);
  asz_be32_store(datagram + AT_CONSENT, d->consent);
  asz_be32_store(datagram + AT_DEVICES, d->devices);
  datagram[AT_SEQ_LOG2_MAX] = d->seq_log2_max;
  datagram[AT_GEMM_PRESET_MAX] = d->gemm_preset_max;
  datagram[AT_MEM_PRESET] = d->mem_preset;
  asz_be64_store(datagram + AT_FREE, d->free_bytes);
  asz_be64_store(datagram + AT_BANDWIDTH, d->bandwidth_bytes_ps);
  memcpy(datagram + AT_SIGNATURE, welcome->signature, sizeof welcome->signature);
}

void asz_welcome_signed_bytes(uint8_t ret_signed[ASZ_ENROL_SIGNED_BYTES], const struct asz_welcome *welcome,
                              const uint8_t validator_pk[32]) {
  enum { FROM = 4, HEAD = AT_TOKEN - FROM, DECLARATION = AT_SIGNATURE - AT_CONSENT }; /* version..nonce; consent..bandwidth */
  static const uint8_t domain[16] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'e', 'n', 'r', 'o', 'l', 'm', 't'};
  _Static_assert(sizeof domain + HEAD + DECLARATION + ASZ_PK_BYTES == ASZ_ENROL_SIGNED_BYTES, "the key comes last");
  uint8_t datagram[ASZ_ENROL_MAC_AT];
  welcome_lay_out(datagram, welcome);
  memcpy(ret_signed, domain, sizeof domain);
  memcpy(ret_signed + sizeof domain, datagram + FROM, HEAD);
  memcpy(ret_signed + sizeof domain + HEAD, datagram + AT_CONSENT, DECLARATION);
  memcpy(ret_signed + sizeof domain + HEAD + DECLARATION, validator_pk, ASZ_PK_BYTES);
}

void asz_welcome_write(uint8_t ret_datagram[ASZ_ENROL_BYTES], const struct asz_welcome *welcome, const uint8_t reply_key[16]) {
  assert(asz_declaration_valid(&welcome->declaration));
  welcome_lay_out(ret_datagram, welcome);
  asz_mac_make(ret_datagram + ASZ_ENROL_MAC_AT, reply_key, ret_datagram, ASZ_ENROL_MAC_AT);
}

int asz_welcome_read(struct asz_welcome *ret_welcome, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_WELCOME) || !sodium_is_zero(datagram + AT_ZEROS, AT_FREE - AT_ZEROS))
    return ASZ_EFORMAT;
  const struct asz_declaration declaration = {
      .consent = asz_be32_load(datagram + AT_CONSENT),
      .devices = asz_be32_load(datagram + AT_DEVICES),
      .seq_log2_max = datagram[AT_SEQ_LOG2_MAX],
      .gemm_preset_max = datagram[AT_GEMM_PRESET_MAX],
      .mem_preset = datagram[AT_MEM_PRESET],
      .free_bytes = asz_be64_load(datagram + AT_FREE),
      .bandwidth_bytes_ps = asz_be64_load(datagram + AT_BANDWIDTH),
  };
  if (!asz_declaration_valid(&declaration))
    return ASZ_EFORMAT;
  ret_welcome->epoch = head.epoch;
  ret_welcome->device = head.device;
  ret_welcome->declaration = declaration;
  memcpy(ret_welcome->provider_id, head.sender_id, sizeof ret_welcome->provider_id);
  memcpy(ret_welcome->nonce, datagram + AT_NONCE, sizeof ret_welcome->nonce);
  memcpy(ret_welcome->token, datagram + AT_TOKEN, sizeof ret_welcome->token);
  memcpy(ret_welcome->signature, datagram + AT_SIGNATURE, sizeof ret_welcome->signature);
  return ASZ_OK;
}
