/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/head.h"

#include <string.h>

#include "dataplane/base/bytes.h"

enum {
  AT_MAGIC = 0,
  AT_VERSION = 4,
  AT_TYPE = 5,
  AT_KIND = 6,
  AT_PARAM = 7,
  AT_EPOCH = 8,
  AT_SLOT = 12,
  AT_DEVICE = 20,
  AT_SENDER_ID = 24,
};
_Static_assert(AT_SENDER_ID + 8 == (int)ASZ_HEAD_BYTES, "the sender's id ends the head");

static const uint8_t magic[4] = {'A', 'S', 'Z', 'C'};

static bool is_ours(const uint8_t *datagram, size_t size_bytes) {
  return size_bytes >= ASZ_HEAD_BYTES && memcmp(datagram + AT_MAGIC, magic, sizeof magic) == 0;
}

void asz_head_write(uint8_t ret_datagram[ASZ_HEAD_BYTES], const struct asz_head *head) {
  memcpy(ret_datagram + AT_MAGIC, magic, sizeof magic);
  ret_datagram[AT_VERSION] = ASZ_HEAD_VERSION;
  ret_datagram[AT_TYPE] = head->type;
  ret_datagram[AT_KIND] = head->kind;
  ret_datagram[AT_PARAM] = head->param;
  asz_be32_store(ret_datagram + AT_EPOCH, head->epoch);
  asz_be64_store(ret_datagram + AT_SLOT, head->slot);
  asz_be32_store(ret_datagram + AT_DEVICE, head->device);
  memcpy(ret_datagram + AT_SENDER_ID, head->sender_id, sizeof head->sender_id);
}

int asz_head_read(struct asz_head *ret_head, const uint8_t *datagram, size_t size_bytes) {
  if (asz_head_type(datagram, size_bytes) == ASZ_MESSAGE_NONE)
    return ASZ_EFORMAT;
  ret_head->type = datagram[AT_TYPE];
  ret_head->kind = datagram[AT_KIND];
  ret_head->param = datagram[AT_PARAM];
  ret_head->epoch = asz_be32_load(datagram + AT_EPOCH);
  ret_head->slot = asz_be64_load(datagram + AT_SLOT);
  ret_head->device = asz_be32_load(datagram + AT_DEVICE);
  memcpy(ret_head->sender_id, datagram + AT_SENDER_ID, sizeof ret_head->sender_id);
  return ASZ_OK;
}

enum asz_message asz_head_type(const uint8_t *datagram, size_t size_bytes) {
  if (!is_ours(datagram, size_bytes) || datagram[AT_VERSION] != ASZ_HEAD_VERSION)
    return ASZ_MESSAGE_NONE;
  return datagram[AT_TYPE] <= ASZ_MESSAGE_RECEIPT ? (enum asz_message)datagram[AT_TYPE] : ASZ_MESSAGE_NONE;
}

bool asz_head_other_version(const uint8_t *datagram, size_t size_bytes) {
  return is_ours(datagram, size_bytes) && datagram[AT_VERSION] != ASZ_HEAD_VERSION;
}
