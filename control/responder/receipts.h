/* SPDX-License-Identifier: Apache-2.0 */
/* asz_receipts: what was answered lately to each validator, and the receipts made of it (dataplane/base/receipt.h).
 *
 * The thread that answers STAMP notes each reply under its validator: 32 bytes stored and a counter raised, no lock, no hash. Any
 * other thread may read at the same time: it takes what is there and throws away what may have been written over meanwhile. Twice
 * as many replies are held as a receipt has leaves, so that this hardly ever costs one. */
#ifndef ASZ_CONTROL_RESPONDER_RECEIPTS_H
#define ASZ_CONTROL_RESPONDER_RECEIPTS_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/identity.h"
#include "dataplane/base/receipt.h"

struct asz_receipts;
struct asz_window; /* of one validator */

/* asz_receipts_new: for validators 0..count-1, 64 KiB each. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_receipts_new(struct asz_receipts **ret_receipts, size_t validator_count);
void asz_receipts_free(struct asz_receipts *receipts);
/* asz_receipts_window: number < count (asserted); NULL without receipts. */
struct asz_window *asz_receipts_window(struct asz_receipts *receipts, size_t number);

/* asz_window_note: this reply left, in an epoch of the validator's. One thread a window. */
void asz_window_note(struct asz_window *window, uint32_t epoch, const struct asz_reply_times *times);
/* asz_window_read: the last replies of an epoch, oldest first, at most ASZ_RECEIPT_LEAVES_MAX, and how many of it there were
 * before them. Any thread. */
uint32_t asz_window_read(const struct asz_window *window, uint32_t epoch, struct asz_reply_times *ret_times,
                         uint32_t *ret_before);

/* asz_receipts_answer: the signed RECEIPT to an ASK from the window's validator. Up to 2,047 hashes and a signature, under a
 * millisecond: for a worker. */
void asz_receipts_answer(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_window *window, const struct asz_ask *ask,
                         const struct asz_identity *provider, const uint8_t validator_pk[32], const uint8_t reply_key[16]);

#endif
