/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/kinds/seq.h"
#include "gpu/prove/prove.h"
#include "gpu/simd/seq.h"
#include "tests/gpu/simd/backends.h"
#include "tests/random.h"

enum { ITEMS = 24 };

/* A batch in memory of its own, exactly as large: reading beyond it is seen under the sanitizers. */
struct batch {
  uint32_t count;
  uint8_t (*seed)[32];
  uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32];
  uint8_t *log2_steps, *verdict, *expected;
};

static struct batch batch_new(uint32_t count) {
  struct batch batch = {.count = count};
  batch.seed = malloc(count * sizeof *batch.seed);
  batch.checkpoint = malloc(count * sizeof *batch.checkpoint);
  batch.log2_steps = malloc(count);
  batch.verdict = calloc(count, 1);
  batch.expected = malloc(count);
  cr_assert(batch.seed && batch.checkpoint && batch.log2_steps && batch.verdict && batch.expected);
  return batch;
}

static void batch_free(struct batch *batch) {
  free(batch->seed);
  free(batch->checkpoint);
  free(batch->log2_steps);
  free(batch->verdict);
  free(batch->expected);
}

static struct asz_seq_items items_of(const struct batch *batch) {
  return (struct asz_seq_items){(const uint8_t(*)[32])batch->seed, (const uint8_t(*)[ASZ_SEQ_CHECKPOINTS][32])batch->checkpoint,
                                batch->log2_steps, batch->verdict};
}

/* Item i answered rightly. */
static void answer(struct batch *batch, uint32_t i, unsigned log2_steps, struct asz_test_random *random) {
  asz_test_random_bytes(random, batch->seed[i], 32);
  asz_prove_seq(batch->checkpoint[i], batch->seed[i], log2_steps);
  batch->log2_steps[i] = (uint8_t)log2_steps;
}

/* Items of all lengths that a test can afford, some wrong, some out of range; what the reference says is expected. */
static struct batch mixed_batch(uint32_t count, struct asz_test_random *random) {
  struct batch batch = batch_new(count);
  for (uint32_t i = 0; i < count; i++) {
    answer(&batch, i, ASZ_SEQ_LOG2_MIN + (unsigned)(asz_test_random_next(random) % 6), random);
    unsigned what = (unsigned)(asz_test_random_next(random) % 5);
    if (what == 0)
      batch.checkpoint[i][asz_test_random_next(random) % 32][asz_test_random_next(random) % 32] ^=
          (uint8_t)(1 << asz_test_random_next(random) % 8);
    if (what == 1)
      batch.seed[i][asz_test_random_next(random) % 32] ^= 1;
    if (what == 2)
      batch.log2_steps[i] = (uint8_t)(i % 2 ? i % ASZ_SEQ_LOG2_MIN : ASZ_SEQ_LOG2_MAX + 1 + i % (255 - ASZ_SEQ_LOG2_MAX));
    batch.expected[i] =
        (uint8_t)asz_verify_seq_one(batch.seed[i], (const uint8_t(*)[32])batch.checkpoint[i], batch.log2_steps[i]);
  }
  return batch;
}

Test(seq_judge, steps_out_of_range_are_malformed_whatever_the_checkpoints)
{
  struct batch batch = batch_new(256);
  memset(batch.seed, 0, batch.count * sizeof *batch.seed);
  memset(batch.checkpoint, 0, batch.count * sizeof *batch.checkpoint);
  uint32_t count = 0;
  for (unsigned log2_steps = 0; log2_steps < 256; log2_steps++)
    if (log2_steps < ASZ_SEQ_LOG2_MIN || log2_steps > ASZ_SEQ_LOG2_MAX)
      batch.log2_steps[count++] = (uint8_t)log2_steps;
  struct asz_seq_items items = items_of(&batch);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    memset(batch.verdict, 0, batch.count);
    asz_seq_judge_items(backend, &items, 0, count);
    for (uint32_t i = 0; i < count; i++)
      cr_assert_eq(batch.verdict[i], ASZ_VERDICT_MALFORMED, "%s: %u", backend->name, batch.log2_steps[i]);
    for (uint32_t i = count; i < batch.count; i++)
      cr_assert_eq(batch.verdict[i], ASZ_VERDICT_NONE, "%s", backend->name);
  }
  batch_free(&batch);
}

Test(seq_judge, a_flipped_bit_in_any_checkpoint_is_noticed_and_no_neighbour_is_disturbed)
{
  struct asz_test_random random = asz_test_random_start(11);
  struct batch batch = batch_new(3);
  for (uint32_t i = 0; i < batch.count; i++)
    answer(&batch, i, ASZ_SEQ_LOG2_MIN + 1, &random);
  struct asz_seq_items items = items_of(&batch);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    for (unsigned bit = 0; bit < ASZ_SEQ_CHECKPOINTS * 256; bit += 7) { /* every checkpoint, and every place in some */
      uint8_t *at = &batch.checkpoint[1][bit / 256][bit / 8 % 32];
      *at ^= (uint8_t)(1 << bit % 8);
      asz_seq_judge_items(backend, &items, 0, 3);
      *at ^= (uint8_t)(1 << bit % 8);
      const uint8_t expected[3] = {ASZ_VERDICT_PASS, ASZ_VERDICT_FAIL, ASZ_VERDICT_PASS};
      cr_assert_arr_eq(batch.verdict, expected, 3, "%s: bit %u, seed %lu", backend->name, bit, random.seed);
    }
  }
  batch_free(&batch);
}

Test(seq_judge, a_chain_that_was_broken_once_and_then_gone_on_with_fails)
{
  struct asz_test_random random = asz_test_random_start(12);
  struct batch batch = batch_new(ASZ_SEQ_CHECKPOINTS);
  for (uint32_t i = 0; i < batch.count; i++) { /* item i: segment i leads somewhere else, all others hold */
    answer(&batch, i, ASZ_SEQ_LOG2_MIN, &random);
    batch.checkpoint[i][i][5] ^= 4;
    for (uint32_t j = i + 1; j < ASZ_SEQ_CHECKPOINTS; j++) {
      struct asz_sha256_x x = asz_sha256_chain(asz_sha256_x_load(batch.checkpoint[i][j - 1]), 1);
      asz_sha256_x_store(batch.checkpoint[i][j], x);
    }
  }
  struct asz_seq_items items = items_of(&batch);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    memset(batch.verdict, 0, batch.count);
    asz_seq_judge_items(backend, &items, 0, batch.count);
    for (uint32_t i = 0; i < batch.count; i++)
      cr_assert_eq(batch.verdict[i], ASZ_VERDICT_FAIL, "%s: segment %u, seed %lu", backend->name, i, random.seed);
  }
  batch_free(&batch);
}

Test(seq_judge, the_known_answer_passes)
{
  struct batch batch = batch_new(1);
  cr_assert_eq(asz_hex_decode(batch.seed[0], 32, asz_seq_known_seed), ASZ_OK);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++)
    cr_assert_eq(asz_hex_decode(batch.checkpoint[0][j], 32, asz_seq_known_checkpoint[j]), ASZ_OK);
  batch.log2_steps[0] = ASZ_SEQ_KNOWN_LOG2_STEPS;
  struct asz_seq_items items = items_of(&batch);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    batch.verdict[0] = ASZ_VERDICT_NONE;
    asz_seq_judge_items(backend, &items, 0, 1);
    cr_assert_eq(batch.verdict[0], ASZ_VERDICT_PASS, "%s", backend->name);
  }
  batch_free(&batch);
}

Test(seq_judge, batches_of_all_lengths_get_the_verdicts_of_the_reference_and_nothing_else_is_written)
{
  struct asz_test_random random = asz_test_random_start(13);
  struct batch batch = mixed_batch(4 * ITEMS, &random);
  struct asz_seq_items items = items_of(&batch);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    for (uint32_t first = 0; first + ITEMS <= batch.count; first += ITEMS / 2) {
      memset(batch.verdict, 0xee, batch.count);
      uint32_t count = first % ITEMS == 0 ? ITEMS : ITEMS - 3;
      asz_seq_judge_items(backend, &items, first, count);
      for (uint32_t i = 0; i < batch.count; i++)
        cr_assert_eq(batch.verdict[i], i >= first && i < first + count ? batch.expected[i] : 0xee,
                     "%s: item %u from %u, seed %lu", backend->name, i, first, random.seed);
    }
  }
  batch_free(&batch);
}

Test(seq_judge, any_budget_leads_to_the_same_verdicts_in_indexmost_as_many_calls_as_it_says)
{
  struct asz_test_random random = asz_test_random_start(14);
  struct batch batch = mixed_batch(ITEMS, &random);
  struct asz_seq_items items = items_of(&batch);
  uint64_t all = 0; /* compressions */
  for (uint32_t i = 0; i < batch.count; i++)
    all += batch.expected[i] == ASZ_VERDICT_MALFORMED ? 0 : UINT64_C(1) << batch.log2_steps[i];
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    for (unsigned round = 0; round < 8; round++) {
      memset(batch.verdict, 0, batch.count);
      struct asz_seq_judge judge;
      asz_seq_judge_start(&judge, backend, &items, 0, batch.count);
      uint64_t spent = 0;
      bool done = false;
      while (!done) {
        cr_assert_leq(spent, all, "%s: it does not end, seed %lu", backend->name, random.seed);
        uint64_t budget = 1 + asz_test_random_next(&random) % (round < 4 ? 64 : 4096);
        done = asz_seq_judge_more(&judge, budget);
        spent += budget < 32 ? 32 : budget / 32 * 32;
        for (uint32_t i = 0; i < judge.next; i++)
          cr_assert_eq(batch.verdict[i], batch.expected[i], "%s: item %u, seed %lu", backend->name, i, random.seed);
        for (uint32_t i = judge.next; i < batch.count; i++)
          cr_assert_eq(batch.verdict[i], ASZ_VERDICT_NONE, "%s: item %u, seed %lu", backend->name, i, random.seed);
      }
      cr_assert_eq(judge.next, batch.count);
      cr_assert(asz_seq_judge_more(&judge, 1), "nothing is left");
    }
  }
  batch_free(&batch);
}

Test(seq_judge, no_items_are_done_indexonce)
{
  struct asz_seq_items items = {0};
  struct asz_seq_judge judge;
  asz_seq_judge_start(&judge, asz_sha256_backend_best(), &items, 7, 0);
  cr_assert(asz_seq_judge_more(&judge, 1));
  asz_seq_judge_items(asz_sha256_backend_best(), &items, 7, 0);
}
