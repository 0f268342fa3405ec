/* SPDX-License-Identifier: Apache-2.0 */
/* asz_head: the 32 bytes that open every message of the challenge port, big-endian:
 *   0 "ASZC"(4) | 4 version 1(1) | 5 type(1) | 6 kind(1) | 7 param(1) | 8 epoch(4) | 12 slot(8) | 20 device(4) | 24 sender's
 * short id(8) What a type makes of kind, param and slot is its own: challenge.h, enrol.h, opening.h, receipt.h. */
#ifndef ASZ_DATAPLANE_BASE_HEAD_H
#define ASZ_DATAPLANE_BASE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"

enum { ASZ_HEAD_BYTES = 32, ASZ_HEAD_VERSION = 1 };

enum asz_message {
  ASZ_MESSAGE_NONE = 0, /* not one of ours */
  ASZ_MESSAGE_CHALLENGE,
  ASZ_MESSAGE_ANSWER,
  ASZ_MESSAGE_HELLO,
  ASZ_MESSAGE_WELCOME,
  ASZ_MESSAGE_OPEN,
  ASZ_MESSAGE_OPENING,
  ASZ_MESSAGE_ASK,
  ASZ_MESSAGE_RECEIPT,
};

struct asz_head {
  uint8_t type, kind, param; /* type: enum asz_message */
  uint32_t epoch;
  uint64_t slot;
  uint32_t device;
  uint8_t sender_id[8];
};

void asz_head_write(uint8_t ret_datagram[ASZ_HEAD_BYTES], const struct asz_head *head);
/* asz_head_read checks size, magic, version and type. ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_head_read(struct asz_head *ret_head, const uint8_t *datagram, size_t size_bytes);
/* asz_head_type: ASZ_MESSAGE_NONE unless asz_head_read would take it. asz_head_other_version: one of ours in a version that we do
 * not speak. */
enum asz_message asz_head_type(const uint8_t *datagram, size_t size_bytes);
bool asz_head_other_version(const uint8_t *datagram, size_t size_bytes);

#endif
