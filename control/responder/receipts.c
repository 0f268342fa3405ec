/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/receipts.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/tlog.h"
#include "control/tlog/tree.h"

enum { NOTES = 2 * ASZ_RECEIPT_LEAVES_MAX, WORDS = 4 };

/* Replies of an epoch; the running one and the one before have a place each. */
struct tally {
  _Atomic uint32_t epoch, count;
};

struct asz_window {
  _Atomic uint64_t head;               /* notes taken */
  struct tally tally[2];               /* by epoch & 1 */
  _Atomic uint64_t note[NOTES][WORDS]; /* epoch and sequence, T1, T2, T3 */
};

struct asz_receipts {
  size_t count;
  struct asz_window *window;
};

int asz_receipts_new(struct asz_receipts **ret_receipts, size_t validator_count) {
  struct asz_receipts *receipts = calloc(1, sizeof *receipts);
  struct asz_window *window = calloc(validator_count + 1, sizeof *window); /* untouched pages cost nothing */
  if (!receipts || !window) {
    free(receipts);
    free(window);
    return ASZ_ENOMEM;
  }
  *receipts = (struct asz_receipts){.count = validator_count, .window = window};
  *ret_receipts = receipts;
  return 0;
}

void asz_receipts_free(struct asz_receipts *receipts) {
  if (!receipts)
    return;
  free(receipts->window);
  free(receipts);
}

struct asz_window *asz_receipts_window(struct asz_receipts *receipts, size_t number) {
  if (!receipts)
    return NULL;
  assert(number < receipts->count);
  return &receipts->window[number];
}

static void word_store(_Atomic uint64_t *word, uint64_t value) {
  atomic_store_explicit(word, value, memory_order_relaxed);
}

static uint64_t word_load(const _Atomic uint64_t *word) {
  return atomic_load_explicit(word, memory_order_relaxed);
}

static void tally_add(struct tally *tally, uint32_t epoch) {
  uint32_t count = atomic_load_explicit(&tally->count, memory_order_relaxed);
  if (atomic_load_explicit(&tally->epoch, memory_order_relaxed) != epoch) {
    count = 0;
    atomic_store_explicit(&tally->epoch, epoch, memory_order_relaxed);
  }
  if (count < UINT32_MAX)
    atomic_store_explicit(&tally->count, count + 1, memory_order_relaxed);
}

void asz_window_note(struct asz_window *window, uint32_t epoch, const struct asz_reply_times *times) {
  uint64_t head = atomic_load_explicit(&window->head, memory_order_relaxed);
  _Atomic uint64_t *note = window->note[head % NOTES];
  word_store(&note[0], (uint64_t)epoch << 32 | times->seq);
  word_store(&note[1], times->t1);
  word_store(&note[2], times->t2);
  word_store(&note[3], times->t3);
  tally_add(&window->tally[epoch & 1], epoch);
  atomic_store_explicit(&window->head, head + 1, memory_order_release);
}

/* Copies notes of the epoch, newest first, until there are enough; returns how many. */
static uint32_t copy_back(const struct asz_window *window, uint64_t head, uint32_t epoch, struct asz_reply_times *ret_times,
                          uint64_t *ret_number) {
  uint64_t number = head;
  uint32_t count = 0;
  while (number > 0 && number + NOTES > head && count < ASZ_RECEIPT_LEAVES_MAX) {
    const _Atomic uint64_t *note = window->note[--number % NOTES];
    uint64_t first = word_load(&note[0]);
    if (first >> 32 != epoch)
      continue;
    ret_times[count] = (struct asz_reply_times){(uint32_t)first, word_load(&note[1]), word_load(&note[2]), word_load(&note[3])};
    ret_number[count++] = number;
  }
  return count;
}

static void reverse(struct asz_reply_times *times, uint32_t count) {
  for (uint32_t i = 0; i < count / 2; i++) {
    struct asz_reply_times swap = times[i];
    times[i] = times[count - 1 - i];
    times[count - 1 - i] = swap;
  }
}

uint32_t asz_window_read(const struct asz_window *window, uint32_t epoch, struct asz_reply_times *ret_times,
                         uint32_t *ret_before) {
  uint64_t number[ASZ_RECEIPT_LEAVES_MAX], head = atomic_load_explicit(&window->head, memory_order_acquire);
  uint32_t count = copy_back(window, head, epoch, ret_times, number);
  atomic_thread_fence(memory_order_acquire);
  uint64_t now = word_load(&window->head);
  while (count > 0 && number[count - 1] + NOTES <= now) /* written over by now, or just being so */
    count--;
  const struct tally *tally = &window->tally[epoch & 1];
  uint32_t all = atomic_load_explicit(&tally->epoch, memory_order_relaxed) == epoch
                     ? atomic_load_explicit(&tally->count, memory_order_relaxed)
                     : count;
  *ret_before = all > count ? all - count : 0;
  reverse(ret_times, count);
  return count;
}

static uint32_t find(const struct asz_reply_times *times, uint32_t count, const struct asz_ask *ask) {
  for (uint32_t i = 0; i < count; i++)
    if (times[i].seq == ask->seq && times[i].t1 == ask->t1)
      return i;
  return ASZ_RECEIPT_NOT_THERE;
}

void asz_receipts_answer(uint8_t ret_datagram[ASZ_RECEIPT_BYTES], const struct asz_window *window, const struct asz_ask *ask,
                         const struct asz_identity *provider, const uint8_t validator_pk[32], const uint8_t reply_key[16]) {
  struct asz_reply_times times[ASZ_RECEIPT_LEAVES_MAX];
  uint8_t leaf[ASZ_RECEIPT_LEAVES_MAX][32], node[ASZ_RECEIPT_LEAVES_MAX][32], path[ASZ_TLOG_PROOF_MAX][32];
  struct asz_receipt receipt = {.epoch = ask->epoch, .slot = ask->slot, .device = ask->device};
  receipt.count = asz_window_read(window, ask->epoch, times, &receipt.before);
  for (uint32_t i = 0; i < receipt.count; i++) {
    uint8_t bytes[ASZ_RECEIPT_LEAF_BYTES];
    asz_receipt_leaf(bytes, &times[i]);
    asz_tlog_leaf_hash(leaf[i], bytes, sizeof bytes);
  }
  struct asz_tlog_tree tree;
  asz_tlog_tree_make(&tree, (const uint8_t(*)[32])leaf, node, receipt.count);
  asz_tlog_tree_root(&tree, receipt.root);
  receipt.index = find(times, receipt.count, ask);
  if (receipt.index != ASZ_RECEIPT_NOT_THERE) {
    receipt.t2 = times[receipt.index].t2;
    receipt.t3 = times[receipt.index].t3;
    receipt.path_count = (uint32_t)asz_tlog_tree_path(&tree, receipt.index, path);
    assert(receipt.path_count <= ASZ_RECEIPT_PATH_MAX);
    memcpy(receipt.path, path, (size_t)receipt.path_count * 32);
  }
  asz_identity_short(receipt.provider_id, provider->public_key);
  memcpy(receipt.nonce, ask->nonce, sizeof receipt.nonce);
  uint8_t signed_bytes[ASZ_RECEIPT_SIGNED_BYTES];
  asz_receipt_signed_bytes(signed_bytes, &receipt, validator_pk);
  crypto_sign_detached(receipt.signature, NULL, signed_bytes, sizeof signed_bytes, provider->secret_key);
  asz_receipt_write(ret_datagram, &receipt, reply_key);
}
