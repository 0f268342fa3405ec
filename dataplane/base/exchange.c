/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/exchange.h"

#include <string.h>

static const struct {
  const char *name;
  size_t max_bytes;
} piece_table[] = {
#define ASZ_PIECE_ROW(symbol, name, max_bytes) {name, max_bytes},
    ASZ_PIECE_LIST(ASZ_PIECE_ROW)
#undef ASZ_PIECE_ROW
};

const char *asz_piece_name(enum asz_piece piece) {
  return piece_table[piece].name;
}

size_t asz_piece_max_bytes(enum asz_piece piece) {
  return piece_table[piece].max_bytes;
}

size_t asz_exchange_bytes(const struct asz_exchange *exchange) {
  size_t bytes = 0;
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++)
    bytes += exchange->piece[i].size_bytes;
  return bytes;
}

struct asz_exchange asz_exchange_lay(const uint8_t *bytes, const size_t size_bytes[ASZ_PIECE_COUNT]) {
  struct asz_exchange exchange;
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; bytes += size_bytes[i++])
    exchange.piece[i] = (struct asz_span){bytes, size_bytes[i]};
  return exchange;
}

struct asz_exchange asz_exchange_copy(uint8_t *ret_bytes, const struct asz_exchange *exchange) {
  size_t size_bytes[ASZ_PIECE_COUNT];
  uint8_t *to = ret_bytes;
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; to += size_bytes[i++]) {
    const struct asz_span *from = &exchange->piece[i];
    size_bytes[i] = from->size_bytes;
    if (from->size_bytes)
      memcpy(to, from->data, from->size_bytes);
  }
  return asz_exchange_lay(ret_bytes, size_bytes);
}

/* Whose arena was folded: the one that the build's answer names, or there is nothing to hold the columns against. */
static bool is_of_build(const struct asz_exchange *exchange, const struct asz_answer *fold) {
  const struct asz_span *build = &exchange->piece[ASZ_PIECE_BUILD];
  struct asz_answer answer;
  return asz_answer_read(&answer, build->data, build->size_bytes) == 0 && answer.kind == ASZ_KIND_MEM &&
         memcmp(answer.body, fold->body, 32) == 0;
}

bool asz_exchange_provable(const struct asz_exchange *exchange) {
  const struct asz_span *challenge = &exchange->piece[ASZ_PIECE_CHALLENGE], *answer = &exchange->piece[ASZ_PIECE_ANSWER];
  struct asz_challenge asked;
  struct asz_answer answered;
  if (asz_challenge_read(&asked, challenge->data, challenge->size_bytes) != 0 ||
      asz_answer_read(&answered, answer->data, answer->size_bytes) != 0)
    return false;
  if (asked.kind <= ASZ_KIND_SINGLE_MAX)
    return asked.kind == ASZ_KIND_SEQ;
  return exchange->piece[ASZ_PIECE_OPENING].size_bytes != 0 &&
         (!asz_param_is_fold(asked.kind, asked.param) || is_of_build(exchange, &answered));
}
