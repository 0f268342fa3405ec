/* SPDX-License-Identifier: Apache-2.0 */
/* ASK and RECEIPT. As in challenge.c, a reader accepts exactly what a writer makes. */
#include "dataplane/base/receipt.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/head.h"
#include "dataplane/base/stamp.h"

enum {
  AT_NONCE = ASZ_HEAD_BYTES,
  /* ASK */
  AT_SEQ = 48,
  AT_SEQ_ZEROS = 52,
  AT_T1 = 56,
  AT_ZEROS = 64,
  /* RECEIPT */
  AT_COUNT = 48,
  AT_BEFORE = 52,
  AT_ROOT = 56,
  AT_SIGNATURE = 88,
  AT_INDEX = 152,
  AT_PATH_COUNT = 156,
  AT_T2 = 160,
  AT_T3 = 168,
  AT_PATH = 176,
};
_Static_assert(AT_NONCE + (int)ASZ_NONCE_BYTES == AT_SEQ && AT_ROOT + 32 == AT_SIGNATURE &&
                   AT_SIGNATURE + (int)ASZ_SIG_BYTES == AT_INDEX &&
                   AT_PATH + 32 * (int)ASZ_RECEIPT_PATH_MAX == ASZ_RECEIPT_MAC_AT &&
                   (int)ASZ_RECEIPT_MAC_AT + (int)ASZ_MAC_BYTES == (int)ASZ_RECEIPT_BYTES,
               "no gap");
_Static_assert(1 << ASZ_RECEIPT_PATH_MAX == ASZ_RECEIPT_LEAVES_MAX, "a path reaches the root of the largest tree");

void asz_reply_times_of(struct asz_reply_times *ret_times, const uint8_t *payload) {
  *ret_times = (struct asz_reply_times){
      .seq = asz_be32_load(payload + ASZ_STAMP_SENDER_SEQ),
      .t1 = asz_be64_load(payload + ASZ_STAMP_SENDER_TIME),
      .t2 = asz_be64_load(payload + ASZ_STAMP_RX_TIME),
      .t3 = asz_be64_load(payload + ASZ_STAMP_TIME),
  };
}

void asz_receipt_leaf(uint8_t ret_leaf[ASZ_RECEIPT_LEAF_BYTES], const struct asz_reply_times *times) {
  asz_be32_store(ret_leaf, times->seq);
  asz_be64_store(ret_leaf + 4, times->t1);
  asz_be64_store(ret_leaf + 12, times->t2);
  asz_be64_store(ret_leaf + 20, times->t3);
}

static bool head_read(struct asz_head *ret_head, const uint8_t *datagram, size_t size_bytes, enum asz_message type) {
  return size_bytes == ASZ_RECEIPT_BYTES && asz_head_read(ret_head, datagram, size_bytes) == ASZ_OK && ret_head->type == type &&
         ret_head->kind == 0 && ret_head->param == 0;
}

void asz_ask_write(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_ask *ask, const uint8_t request_key[16]) {
  struct asz_head head = {.type = ASZ_MESSAGE_ASK, .epoch = ask->epoch, .slot = ask->slot, .device = ask->device};
  memcpy(head.sender_id, ask->validator_id, sizeof head.sender_id);
  memset(ret_datagram, 0, ASZ_RECEIPT_BYTES);
  asz_head_write(ret_datagram, &head);
  memcpy(ret_datagram + AT_NONCE, ask->nonce, sizeof ask->nonce);
  asz_be32_store(ret_datagram + AT_SEQ, ask->seq);
  asz_be64_store(ret_datagram + AT_T1, ask->t1);
  asz_mac_make(ret_datagram + ASZ_RECEIPT_MAC_AT, request_key, ret_datagram, ASZ_RECEIPT_MAC_AT);
}

int asz_ask_read(struct asz_ask *ret_ask, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_ASK) ||
      !sodium_is_zero(datagram + AT_SEQ_ZEROS, AT_T1 - AT_SEQ_ZEROS) ||
      !sodium_is_zero(datagram + AT_ZEROS, ASZ_RECEIPT_MAC_AT - AT_ZEROS))
    return ASZ_EFORMAT;
  ret_ask->epoch = head.epoch;
  ret_ask->slot = head.slot;
  ret_ask->device = head.device;
  memcpy(ret_ask->validator_id, head.sender_id, sizeof ret_ask->validator_id);
  memcpy(ret_ask->nonce, datagram + AT_NONCE, sizeof ret_ask->nonce);
  ret_ask->seq = asz_be32_load(datagram + AT_SEQ);
  ret_ask->t1 = asz_be64_load(datagram + AT_T1);
  return ASZ_OK;
}

/* Bytes 0..496. */
static void receipt_lay_out(uint8_t *datagram, const struct asz_receipt *receipt) {
  struct asz_head head = {.type = ASZ_MESSAGE_RECEIPT, .epoch = receipt->epoch, .slot = receipt->slot, .device = receipt->device};
  memcpy(head.sender_id, receipt->provider_id, sizeof head.sender_id);
  memset(datagram, 0, ASZ_RECEIPT_MAC_AT);
  asz_head_write(datagram, &head);
  memcpy(datagram + AT_NONCE, receipt->nonce, sizeof receipt->nonce);
  asz_be32_store(datagram + AT_COUNT, receipt->count);
  asz_be32_store(datagram + AT_BEFORE, receipt->before);
  memcpy(datagram + AT_ROOT, receipt->root, sizeof receipt->root);
  memcpy(datagram + AT_SIGNATURE, receipt->signature, sizeof receipt->signature);
  asz_be32_store(datagram + AT_INDEX, receipt->index);
  asz_be32_store(datagram + AT_PATH_COUNT, receipt->path_count);
  asz_be64_store(datagram + AT_T2, receipt->t2);
  asz_be64_store(datagram + AT_T3, receipt->t3);
  memcpy(datagram + AT_PATH, receipt->path, (size_t)receipt->path_count * 32);
}

void asz_receipt_signed_bytes(uint8_t ret_signed[ASZ_RECEIPT_SIGNED_BYTES], const struct asz_receipt *receipt,
                              const uint8_t validator_pk[32]) {
  enum { FROM = 4, FIELDS = AT_ROOT - FROM }; /* version..before */
  static const uint8_t domain[16] = {'a', 's', 's', 'i', 'z', 'e', '/', '1', '/', 'r', 'e', 'c', 'e', 'i', 'p', 't'};
  _Static_assert(sizeof domain + FIELDS + 32 + ASZ_PK_BYTES == ASZ_RECEIPT_SIGNED_BYTES, "the key comes last");
  uint8_t datagram[ASZ_RECEIPT_MAC_AT];
  receipt_lay_out(datagram, receipt);
  memcpy(ret_signed, domain, sizeof domain);
  memcpy(ret_signed + sizeof domain, datagram + FROM, FIELDS);
  memcpy(ret_signed + sizeof domain + FIELDS, receipt->root, 32);
  memcpy(ret_signed + sizeof domain + FIELDS + 32, validator_pk, ASZ_PK_BYTES);
}

void asz_receipt_write(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_receipt *receipt, const uint8_t reply_key[16]) {
  assert(receipt->path_count <= ASZ_RECEIPT_PATH_MAX);
  assert(receipt->count <= ASZ_RECEIPT_LEAVES_MAX &&
         (receipt->index < receipt->count || receipt->index == ASZ_RECEIPT_NOT_THERE));
  receipt_lay_out(ret_datagram, receipt);
  asz_mac_make(ret_datagram + ASZ_RECEIPT_MAC_AT, reply_key, ret_datagram, ASZ_RECEIPT_MAC_AT);
}

int asz_receipt_read(struct asz_receipt *ret_receipt, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_RECEIPT))
    return ASZ_EFORMAT;
  const uint32_t count = asz_be32_load(datagram + AT_COUNT), index = asz_be32_load(datagram + AT_INDEX);
  const uint32_t path_count = asz_be32_load(datagram + AT_PATH_COUNT);
  if (count > ASZ_RECEIPT_LEAVES_MAX || path_count > ASZ_RECEIPT_PATH_MAX || (index >= count && index != ASZ_RECEIPT_NOT_THERE) ||
      !sodium_is_zero(datagram + AT_PATH + 32 * path_count, 32 * (ASZ_RECEIPT_PATH_MAX - path_count)))
    return ASZ_EFORMAT;
  if (index == ASZ_RECEIPT_NOT_THERE && !sodium_is_zero(datagram + AT_PATH_COUNT, ASZ_RECEIPT_MAC_AT - AT_PATH_COUNT))
    return ASZ_EFORMAT;
  *ret_receipt = (struct asz_receipt){
      .epoch = head.epoch,
      .slot = head.slot,
      .device = head.device,
      .count = count,
      .before = asz_be32_load(datagram + AT_BEFORE),
      .index = index,
      .path_count = path_count,
      .t2 = asz_be64_load(datagram + AT_T2),
      .t3 = asz_be64_load(datagram + AT_T3),
  };
  memcpy(ret_receipt->provider_id, head.sender_id, sizeof ret_receipt->provider_id);
  memcpy(ret_receipt->nonce, datagram + AT_NONCE, sizeof ret_receipt->nonce);
  memcpy(ret_receipt->root, datagram + AT_ROOT, sizeof ret_receipt->root);
  memcpy(ret_receipt->signature, datagram + AT_SIGNATURE, sizeof ret_receipt->signature);
  memcpy(ret_receipt->path, datagram + AT_PATH, sizeof ret_receipt->path);
  return ASZ_OK;
}
