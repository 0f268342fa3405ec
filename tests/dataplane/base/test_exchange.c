/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/exchange.h"

static const uint8_t key[16], id[8], signature[64];
static uint8_t challenge[ASZ_DATAGRAM_MAX_BYTES], answer[ASZ_DATAGRAM_MAX_BYTES], build[ASZ_DATAGRAM_MAX_BYTES];
static const uint8_t opening[10] = {1};

/* A challenge and its answer, of this body's first byte; openings on request. */
static struct asz_exchange exchange_of(uint8_t kind, uint8_t param, uint8_t first, bool is_opened) {
  const struct asz_challenge asked = {.kind = kind, .param = param, .epoch = 1, .slot = 2};
  const uint8_t body[1024] = {first};
  struct asz_exchange x = {0};
  x.piece[ASZ_PIECE_CHALLENGE] = (struct asz_span){challenge, asz_challenge_write(challenge, &asked, key)};
  x.piece[ASZ_PIECE_ANSWER] = (struct asz_span){answer, asz_answer_write(answer, &asked, id, body, signature, key)};
  if (is_opened)
    x.piece[ASZ_PIECE_OPENING] = (struct asz_span){opening, sizeof opening};
  return x;
}

static void add_build(struct asz_exchange *x, uint8_t first) {
  const struct asz_challenge asked = {.kind = ASZ_KIND_MEM, .param = ASZ_GEMM_PRESET_TINY, .epoch = 1, .slot = 1};
  const uint8_t body[64] = {first};
  x->piece[ASZ_PIECE_BUILD] = (struct asz_span){build, asz_answer_write(build, &asked, id, body, signature, key)};
}

Test(exchange, signatures_prove_nothing_and_chains_all)
{
  struct asz_exchange sig = exchange_of(ASZ_KIND_SIG, 0, 0, true);
  cr_assert(!asz_exchange_provable(&sig));
  struct asz_exchange seq = exchange_of(ASZ_KIND_SEQ, 5, 0, false);
  cr_assert(asz_exchange_provable(&seq));
  seq.piece[ASZ_PIECE_ANSWER].size_bytes = 0;
  cr_assert(!asz_exchange_provable(&seq));
}

Test(exchange, commitments_prove_something_once_opened)
{
  struct asz_exchange x = exchange_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, false);
  cr_assert(!asz_exchange_provable(&x));
  x = exchange_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, true);
  cr_assert(asz_exchange_provable(&x));
  x = exchange_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, true);
  cr_assert(asz_exchange_provable(&x));
}

Test(exchange, folds_need_the_build_of_their_very_arena)
{
  struct asz_exchange x = exchange_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD, 1, true);
  cr_assert(!asz_exchange_provable(&x));
  add_build(&x, 2);
  cr_assert(!asz_exchange_provable(&x));
  add_build(&x, 1);
  cr_assert(asz_exchange_provable(&x));
  x.piece[ASZ_PIECE_OPENING].size_bytes = 0;
  cr_assert(!asz_exchange_provable(&x));
}

Test(exchange, copies_lie_one_after_the_other)
{
  struct asz_exchange x = exchange_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, true);
  uint8_t bytes[3 * ASZ_DATAGRAM_MAX_BYTES];
  size_t size = asz_exchange_bytes(&x);
  cr_assert_eq(size, 160 + 160 + sizeof opening);
  struct asz_exchange copy = asz_exchange_copy(bytes, &x);
  for (unsigned i = 0; i < ASZ_PIECE_COUNT; i++) {
    cr_assert_eq(copy.piece[i].size_bytes, x.piece[i].size_bytes, "%s", asz_piece_name(i));
    cr_assert(x.piece[i].size_bytes == 0 || memcmp(copy.piece[i].data, x.piece[i].data, x.piece[i].size_bytes) == 0);
  }
  cr_assert_eq(copy.piece[ASZ_PIECE_OPENING].data, bytes + 320);
}
