/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane holds of the running epoch in memory alone, as bytes and back. All integers big-endian:
 *
 *   round u64 (slot of the round that is open; 0: none), transcripts u32
 *   a provider: its row u64, ascending; answers 5 x u32, start of its e-process year u64, wrong u8, slow u8, e-process
 * and that of paces (ASZ_EPROCESS_BYTES each), performance (ASZ_PERFORMANCE_BYTES)
 *   a transcript: provider u32, slot u64, kind u8, verdict u8, sent, received, clock error u64, size u32 of
 * each piece of the exchange, the pieces
 *
 * Read in two passes: the first believes nothing and changes nothing, the second cannot fail but for memory. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/epoch_internal.h"
#include "dataplane/base/bytes.h"

#define SLOT_MAX (UINT64_MAX / 2) /* far behind any wall clock, and slots after it still count up */

enum {
  HEAD_BYTES = 12,
  ANSWERS = 5,
  PERFORMANCE_AT = 8 + 4 * ANSWERS + 8 + 2 + 2 * ASZ_EPROCESS_BYTES,
  PROVIDER_BYTES = PERFORMANCE_AT + ASZ_PERFORMANCE_BYTES,
  SIZES_AT = 38,
  TRANSCRIPT_BYTES = SIZES_AT + 4 * ASZ_PIECE_COUNT, /* before the pieces */
};

size_t asz_epochs_keep_bytes(const struct asz_epochs *e) {
  size_t size = HEAD_BYTES + (size_t)e->roster->count * PROVIDER_BYTES;
  for (size_t i = 0; i < e->transcript_count; i++)
    size += TRANSCRIPT_BYTES + asz_exchange_bytes(&e->transcript[i].row.exchange);
  return size;
}

static uint8_t *provider_write(uint8_t *to, int64_t row, const struct asz_epochs_entry *entry) {
  const struct asz_answer_counts *a = &entry->answers;
  const uint32_t answers[ANSWERS] = {a->pass, a->fail, a->malformed, a->missing, a->unjudged};
  asz_be64_store(to, (uint64_t)row);
  to += 8;
  for (int i = 0; i < ANSWERS; i++, to += 4)
    asz_be32_store(to, answers[i]);
  asz_be64_store(to, entry->slot_start);
  to[8] = entry->wrong;
  to[9] = entry->slow;
  asz_eprocess_save(to + 10, &entry->state.eprocess);
  asz_eprocess_save(to + 10 + ASZ_EPROCESS_BYTES, &entry->state.pace);
  asz_performance_write(to + 10 + 2 * ASZ_EPROCESS_BYTES, &entry->performance);
  return to + 10 + 2 * ASZ_EPROCESS_BYTES + ASZ_PERFORMANCE_BYTES;
}

static uint8_t *transcript_write(uint8_t *to, const struct asz_kept_transcript *t) {
  const struct asz_transcript_row *row = &t->row;
  asz_be32_store(to, t->provider);
  asz_be64_store(to + 4, row->slot);
  to[12] = row->kind;
  to[13] = row->verdict;
  asz_be64_store(to + 14, row->tx_ns);
  asz_be64_store(to + 22, row->rx_ns);
  asz_be64_store(to + 30, row->clock_error_ns);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    asz_be32_store(to + SIZES_AT + (size_t)4 * i, (uint32_t)row->exchange.piece[i].size_bytes);
  size_t bytes = asz_exchange_bytes(&row->exchange);
  memcpy(to + TRANSCRIPT_BYTES, t->bytes, bytes);
  return to + TRANSCRIPT_BYTES + bytes;
}

void asz_epochs_keep_write(const struct asz_epochs *e, uint64_t round_slot, uint8_t *ret_bytes) {
  uint8_t *to = ret_bytes;
  asz_be64_store(to, round_slot);
  asz_be32_store(to + 8, (uint32_t)e->transcript_count);
  to += HEAD_BYTES;
  for (uint32_t i = 0; i < e->roster->count; i++)
    to = provider_write(to, e->roster->provider[i].row, &e->entry[i]);
  for (size_t i = 0; i < e->transcript_count; i++)
    to = transcript_write(to, &e->transcript[i]);
  assert(to == ret_bytes + asz_epochs_keep_bytes(e));
}

/* The exchange as its sizes have it; the pieces may end behind the record. */
static struct asz_exchange transcript_exchange(const uint8_t *from) {
  size_t size_bytes[ASZ_PIECE_COUNT];
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    size_bytes[i] = asz_be32_load(from + SIZES_AT + (size_t)4 * i);
  return asz_exchange_lay(from + TRANSCRIPT_BYTES, size_bytes);
}

/* Size of the transcript's record; 0: it is none. */
static size_t transcript_check(const uint8_t *from, size_t size_bytes, uint32_t provider_count) {
  if (size_bytes < TRANSCRIPT_BYTES)
    return 0;
  struct asz_exchange exchange = transcript_exchange(from);
  bool ok = asz_be32_load(from) < provider_count && from[12] >= 1 && from[12] <= ASZ_KIND_MAX && from[13] >= ASZ_VERDICT_PASS &&
            from[13] <= ASZ_VERDICT_UNJUDGED && exchange.piece[ASZ_PIECE_CHALLENGE].size_bytes >= 1 &&
            exchange.piece[ASZ_PIECE_ANSWER].size_bytes >= 1;
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    ok = ok && exchange.piece[i].size_bytes <= asz_piece_max_bytes(i);
  size_t bytes = TRANSCRIPT_BYTES + asz_exchange_bytes(&exchange);
  return ok && size_bytes >= bytes ? bytes : 0;
}

int asz_epochs_keep_check(const uint8_t *bytes, size_t size_bytes, uint32_t provider_count) {
  if (size_bytes < HEAD_BYTES || provider_count > (size_bytes - HEAD_BYTES) / PROVIDER_BYTES)
    return ASZ_EFORMAT;
  if (asz_be64_load(bytes) > SLOT_MAX)
    return ASZ_EFORMAT;
  const uint8_t *at = bytes + HEAD_BYTES, *end = bytes + size_bytes;
  uint64_t row_before = 0;
  for (uint32_t i = 0; i < provider_count; i++, at += PROVIDER_BYTES) {
    struct asz_eprocess process, pace;
    struct asz_performance performance;
    const uint8_t *state = at + 8 + 4 * ANSWERS;
    uint64_t slot_start = asz_be64_load(state), row = asz_be64_load(at);
    if (row <= row_before || row > INT64_MAX || state[8] > 1 || state[9] > 1 || asz_eprocess_load(&process, state + 10) ||
        asz_eprocess_load(&pace, state + 10 + ASZ_EPROCESS_BYTES) || asz_performance_read(&performance, at + PERFORMANCE_AT) ||
        (slot_start == 0 && process.slots != 0) || slot_start > SLOT_MAX)
      return ASZ_EFORMAT;
    row_before = row;
  }
  for (uint32_t left = asz_be32_load(bytes + 8); left > 0; left--) {
    size_t size = transcript_check(at, (size_t)(end - at), provider_count);
    if (size == 0)
      return ASZ_EFORMAT;
    at += size;
  }
  return at == end ? 0 : ASZ_EFORMAT;
}

static const uint8_t *provider_restore(struct asz_epochs_entry *entry, const uint8_t *from) {
  from += 8;
  struct asz_answer_counts *a = &entry->answers;
  uint32_t *const answers[ANSWERS] = {&a->pass, &a->fail, &a->malformed, &a->missing, &a->unjudged};
  for (int i = 0; i < ANSWERS; i++, from += 4)
    *answers[i] = asz_be32_load(from);
  entry->slot_start = asz_be64_load(from);
  entry->wrong = from[8] != 0;
  entry->slow = from[9] != 0;
  int err = asz_eprocess_load(&entry->state.eprocess, from + 10);
  if (!err)
    err = asz_eprocess_load(&entry->state.pace, from + 10 + ASZ_EPROCESS_BYTES);
  if (!err)
    err = asz_performance_read(&entry->performance, from + 10 + 2 * ASZ_EPROCESS_BYTES);
  assert(!err); /* it was checked */
  (void)err;
  return from + 10 + 2 * ASZ_EPROCESS_BYTES + ASZ_PERFORMANCE_BYTES;
}

static int transcripts_restore(struct asz_epochs *e, uint32_t epoch, const uint8_t *from, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    struct asz_outcome outcome = {
        .provider = asz_be32_load(from),
        .epoch = epoch,
        .slot = asz_be64_load(from + 4),
        .kind = from[12],
        .verdict = from[13],
        .tx_ns = asz_be64_load(from + 14),
        .rx_ns = asz_be64_load(from + 22),
        .clock_error_ns = asz_be64_load(from + 30),
        .exchange = transcript_exchange(from),
    };
    if (asz_epochs_transcript_keep(e, &outcome))
      return ASZ_ENOMEM;
    from += TRANSCRIPT_BYTES + asz_exchange_bytes(&outcome.exchange);
  }
  return 0;
}

int64_t asz_epochs_keep_row(const uint8_t *bytes, uint32_t index) {
  return (int64_t)asz_be64_load(bytes + HEAD_BYTES + (size_t)index * PROVIDER_BYTES);
}

int asz_epochs_restore(struct asz_epochs *e, uint32_t epoch, const uint8_t *bytes, size_t size_bytes, struct asz_diag *diag) {
  uint64_t round_slot = size_bytes < HEAD_BYTES ? 0 : asz_be64_load(bytes);
  uint64_t slot_last = e->slot_last;
  if (asz_epochs_keep_check(bytes, size_bytes, e->roster->count))
    return asz_diag_set(diag, ASZ_EFORMAT, "the challenges of epoch %u are malformed", epoch);
  const uint8_t *at = bytes + HEAD_BYTES;
  for (uint32_t i = 0; i < e->roster->count; i++) {
    assert(asz_epochs_keep_row(bytes, i) == e->roster->provider[i].row); /* the caller's choice */
    at = provider_restore(&e->entry[i], at);
    uint64_t slot_next = e->entry[i].slot_start + e->entry[i].state.eprocess.slots;
    if (slot_next > slot_last + 1)
      slot_last = slot_next - 1;
  }
  if (round_slot != 0 && round_slot <= slot_last)
    return asz_diag_set(diag, ASZ_EFORMAT, "the challenges of epoch %u are of a slot that is over", epoch);
  e->slot_last = slot_last;
  if (transcripts_restore(e, epoch, at, asz_be32_load(bytes + 8)))
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the transcripts of epoch %u", epoch);
  if (round_slot != 0)
    asz_epochs_slot_done(e, round_slot);
  return 0;
}
