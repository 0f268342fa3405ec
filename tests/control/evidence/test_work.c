/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of wrong products, arenas and folds: what is shown of them, and every way to show something else. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/control/evidence/forge_work.h"

static struct forge_work w;

static void make(void) {
  forge_work_make(&w, FORGE_NONE);
}

static void teardown(void) {
  forge_free(&w.f);
}
TestSuite(work, .init = make, .fini = teardown, .timeout = 60);

static void expect(enum asz_evidence_outcome outcome, const char *check) {
  char failed[64];
  struct asz_diag diag;
  enum asz_evidence_outcome got = forge_check(&w.f, failed, &diag);
  cr_assert_eq(got, outcome, "outcome %d, expected %d: %s: %s", got, outcome, failed, diag.text);
  cr_assert_str_eq(failed, check, "%s: %s", failed, diag.text);
}

static void expect_invalid(const char *check) {
  forge_finish(&w.f);
  expect(ASZ_EVIDENCE_INVALID, check);
}

static struct asz_span *piece_of(unsigned i, enum asz_piece piece) {
  return &w.f.transcript[i].exchange.piece[piece];
}

static void sign_again(unsigned i, unsigned openings) {
  uint8_t rho[32];
  forge_work_reveal(&w, i, rho);
  forge_work_sign(&w, i, openings, rho);
  forge_finish(&w.f);
}

Test(work, wrong_products_arenas_and_folds_are_evidence)
{ expect(ASZ_EVIDENCE_VALID, ""); }

Test(work, right_work_presented_as_wrong_is_refused)
{
  for (unsigned right = FORGE_PRODUCT; right <= FORGE_FOLD; right++) {
    forge_free(&w.f);
    forge_work_make(&w, right);
    expect(ASZ_EVIDENCE_INVALID, "wrong-answers");
  }
}

Test(work, one_wrong_opening_among_right_ones_is_enough_when_the_provider_signed_it)
{
  forge_free(&w.f);
  forge_work_make(&w, FORGE_FOLD); /* a right arena, so a right fold */
  for (unsigned i = FORGE_BUILD; i <= FORGE_FOLD; i++) {
    expect(ASZ_EVIDENCE_INVALID, "wrong-answers");
    w.blob[i][2 * w.opening_bytes[i] + 100] ^= 1;
    sign_again(i, FORGE_OPENINGS);
  }
  expect(ASZ_EVIDENCE_VALID, "");
}

Test(work, right_columns_that_were_not_picked_are_wrong)
{
  forge_free(&w.f);
  forge_work_make(&w, FORGE_PRODUCT);
  size_t bytes = w.opening_bytes[FORGE_PRODUCT];
  cr_assert_neq(memcmp(w.blob[FORGE_PRODUCT], w.blob[FORGE_PRODUCT] + bytes, 8), 0);
  memcpy(w.blob[FORGE_PRODUCT], w.blob[FORGE_PRODUCT] + bytes, bytes);
  sign_again(FORGE_PRODUCT, FORGE_OPENINGS);
  expect(ASZ_EVIDENCE_VALID, "");
}

Test(work, openings_that_the_provider_did_not_sign_are_refused)
{
  for (unsigned i = FORGE_PRODUCT; i <= FORGE_FOLD; i++) {
    size_t at[] = {0, w.opening_bytes[i] - 1, piece_of(i, ASZ_PIECE_OPENING)->size_bytes - 1};
    for (unsigned n = 0; n < 3; n++) {
      w.blob[i][at[n]] ^= 1;
      expect_invalid("signatures");
      w.blob[i][at[n]] ^= 1;
    }
  }
}

Test(work, openings_by_another_reveal_than_the_slots_are_refused)
{
  uint8_t rho[32];
  forge_work_reveal(&w, FORGE_PRODUCT, rho);
  rho[31] ^= 1;
  forge_work_sign(&w, FORGE_PRODUCT, FORGE_OPENINGS, rho);
  expect_invalid("signatures");
}

Test(work, openings_left_out_of_what_was_signed_are_refused)
{
  size_t bytes = w.opening_bytes[FORGE_FOLD];
  uint8_t *blob = w.blob[FORGE_FOLD];
  memmove(blob + bytes, blob + FORGE_OPENINGS * bytes, ASZ_SIG_BYTES);
  forge_piece(&w.f.transcript[FORGE_FOLD], ASZ_PIECE_OPENING, blob, bytes + ASZ_SIG_BYTES);
  expect_invalid("signatures");
}

Test(work, anything_but_whole_openings_is_refused)
{
  for (unsigned i = FORGE_PRODUCT; i <= FORGE_FOLD; i++) {
    struct asz_span whole = *piece_of(i, ASZ_PIECE_OPENING), *piece = piece_of(i, ASZ_PIECE_OPENING);
    const size_t sizes[] = {0, ASZ_SIG_BYTES, whole.size_bytes - 1, whole.size_bytes + 1,
                            33 * w.opening_bytes[i] + ASZ_SIG_BYTES};
    for (unsigned n = 0; n < sizeof sizes / sizeof *sizes; n++) {
      piece->size_bytes = sizes[n];
      expect_invalid("pieces");
    }
    *piece = whole;
  }
}

Test(work, a_chain_with_openings_or_a_build_is_refused)
{
  struct asz_exchange *chain = &w.f.transcript[FORGE_CHAIN].exchange, *product = &w.f.transcript[FORGE_PRODUCT].exchange;
  chain->piece[ASZ_PIECE_OPENING] = product->piece[ASZ_PIECE_OPENING];
  expect_invalid("pieces");
  chain->piece[ASZ_PIECE_OPENING].size_bytes = 0;
  chain->piece[ASZ_PIECE_BUILD] = *piece_of(FORGE_FOLD, ASZ_PIECE_BUILD);
  expect_invalid("pieces");
  chain->piece[ASZ_PIECE_BUILD].size_bytes = 0;
  product->piece[ASZ_PIECE_BUILD] = *piece_of(FORGE_FOLD, ASZ_PIECE_BUILD);
  expect_invalid("pieces");
}

Test(work, a_fold_without_the_build_of_its_arena_is_refused)
{
  struct asz_span *build = piece_of(FORGE_FOLD, ASZ_PIECE_BUILD);
  const struct asz_span whole = *build, other = *piece_of(FORGE_PRODUCT, ASZ_PIECE_ANSWER);
  build->size_bytes = 0;
  expect_invalid("pieces");
  build->size_bytes = whole.size_bytes - 1;
  expect_invalid("pieces");
  *build = other;
  expect_invalid("pieces");
  *build = *piece_of(FORGE_FOLD, ASZ_PIECE_ANSWER);
  expect_invalid("pieces");
}

Test(work, another_arena_than_the_fold_names_is_refused)
{
  uint8_t root[32] = {1};
  forge_work_build_sign(&w, w.f.challenge[FORGE_BUILD].slot, w.f.evidence.device, root);
  expect_invalid("pieces");
}

Test(work, a_build_of_another_device_or_of_no_earlier_slot_is_refused)
{
  const uint8_t *root = w.f.datagram[FORGE_FOLD][1] + ASZ_ANSWER_HEAD_BYTES;
  forge_work_build_sign(&w, w.f.challenge[FORGE_BUILD].slot, w.f.evidence.device + 1, root);
  expect_invalid("pieces");
  forge_work_build_sign(&w, w.f.challenge[FORGE_FOLD].slot, w.f.evidence.device, root);
  expect_invalid("pieces");
}

Test(work, a_build_dated_to_another_slot_than_was_signed_is_refused)
{
  w.build[19] ^= 0x10; /* the slot's last byte: another seed, by which all columns would be wrong */
  expect_invalid("signatures");
}
