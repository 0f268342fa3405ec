/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/chain.h"
#include "gpu/kinds/seq.h"
#include "gpu/simd/sha256.h"
#include "tests/gpu/simd/backends.h"
#include "tests/random.h"

enum { COUNT_MAX = 70 }; /* twice the segments of an item and some: every remainder of every width */

static void random_chains(struct asz_test_random *random, struct asz_sha256_x *ret_chain, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t bytes[32];
    asz_test_random_bytes(random, bytes, sizeof bytes);
    ret_chain[i] = asz_sha256_x_load(bytes);
  }
}

/* The reference: libsodium. */
static struct asz_sha256_x walked(struct asz_sha256_x x, uint32_t steps) {
  uint8_t bytes[32];
  asz_sha256_x_store(bytes, x);
  asz_chain_advance(bytes, steps);
  return asz_sha256_x_load(bytes);
}

Test(sha256, every_backend_that_was_built_can_be_tested_here)
{
  size_t count;
  const struct asz_sha256_backend *const *backend = asz_sha256_backends(&count);
  for (size_t i = 0; i < count; i++)
    if (!backend[i]->is_supported())
      cr_skip_test("no %s on this CPU (perhaps others)", backend[i]->name);
}

Test(sha256, a_chain_of_no_steps_stays_where_it_is_and_no_chains_are_fine)
{
  struct asz_test_random random = asz_test_random_start(1);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    struct asz_sha256_x chain[COUNT_MAX], before[COUNT_MAX];
    random_chains(&random, chain, COUNT_MAX);
    memcpy(before, chain, sizeof chain);
    backend->advance(chain, COUNT_MAX, 0);
    backend->advance(chain, 0, 7);
    backend->advance(NULL, 0, 7);
    cr_assert_eq(memcmp(chain, before, sizeof chain), 0, "%s", backend->name);
  }
}

Test(sha256, every_count_and_odd_numbers_of_steps_agree_with_libsodium_and_nothing_beyond_is_touched)
{
  struct asz_test_random random = asz_test_random_start(2);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    for (size_t count = 1; count <= COUNT_MAX; count++) {
      struct asz_sha256_x chain[COUNT_MAX + 1], before[COUNT_MAX + 1];
      uint32_t steps = 1 + (uint32_t)(asz_test_random_next(&random) % 9);
      random_chains(&random, chain, COUNT_MAX + 1);
      memcpy(before, chain, sizeof chain);
      backend->advance(chain, count, steps);
      for (size_t i = 0; i < count; i++) {
        struct asz_sha256_x expected = walked(before[i], steps);
        cr_assert_eq(memcmp(&chain[i], &expected, sizeof expected), 0, "%s: chain %zu of %zu, %u steps, seed %lu", backend->name,
                     i, count, steps, random.seed);
      }
      cr_assert_eq(memcmp(&chain[count], &before[count], (COUNT_MAX + 1 - count) * sizeof chain[0]), 0, "%s: beyond %zu",
                   backend->name, count);
    }
  }
}

Test(sha256, extreme_words_agree_with_libsodium)
{
  static const uint8_t filler[] = {0x00, 0xff, 0x80, 0x7f, 0x01, 0xfe, 0x55, 0xaa};
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    struct asz_sha256_x chain[32], before[32];
    for (size_t i = 0; i < 32; i++) {
      uint8_t bytes[32];
      memset(bytes, filler[i % sizeof filler], sizeof bytes);
      bytes[i] ^= (uint8_t)(i / 8);
      chain[i] = before[i] = asz_sha256_x_load(bytes);
    }
    backend->advance(chain, 32, 1);
    for (size_t i = 0; i < 32; i++) {
      struct asz_sha256_x expected = walked(before[i], 1);
      cr_assert_eq(memcmp(&chain[i], &expected, sizeof expected), 0, "%s: chain %zu", backend->name, i);
    }
  }
}

Test(sha256, a_changed_bit_in_one_lane_disturbs_no_other)
{
  struct asz_test_random random = asz_test_random_start(3);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    struct asz_sha256_x start[32], straight[32], changed[32];
    random_chains(&random, start, 32);
    memcpy(straight, start, sizeof start);
    backend->advance(straight, 32, 3);
    for (size_t lane = 0; lane < 32; lane++) {
      memcpy(changed, start, sizeof start);
      changed[lane].word[lane % 8] ^= UINT32_C(1) << lane;
      backend->advance(changed, 32, 3);
      for (size_t i = 0; i < 32; i++)
        cr_assert_eq(memcmp(&changed[i], &straight[i], sizeof changed[i]) == 0, i != lane, "%s: bit in %zu, chain %zu, seed %lu",
                     backend->name, lane, i, random.seed);
    }
  }
}

Test(sha256, the_known_chain_arrives_in_every_lane)
{
  uint8_t seed[32], checkpoint[32];
  cr_assert_eq(asz_hex_decode(seed, 32, asz_seq_known_seed), ASZ_OK);
  const struct asz_sha256_backend *backend;
  for (size_t index = 0; (backend = asz_backends_next(&index));) {
    struct asz_sha256_x chain[32];
    for (size_t i = 0; i < 32; i++)
      chain[i] = asz_sha256_x_load(seed);
    for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++) {
      cr_assert_eq(asz_hex_decode(checkpoint, 32, asz_seq_known_checkpoint[j]), ASZ_OK);
      backend->advance(chain, 32, (1 << ASZ_SEQ_KNOWN_LOG2_STEPS) / ASZ_SEQ_CHECKPOINTS);
      for (size_t i = 0; i < 32; i++) {
        uint8_t reached[32];
        asz_sha256_x_store(reached, chain[i]);
        cr_assert_arr_eq(reached, checkpoint, 32, "%s: checkpoint %u, lane %zu", backend->name, j, i);
      }
    }
  }
}

Test(sha256, what_is_chosen_is_supported_and_widths_divide_an_item)
{
  cr_assert(asz_sha256_backend_best()->is_supported());
  cr_assert_eq(asz_sha256_backend_best(), asz_sha256_backend_best());
  const struct asz_sha256_backend *single = asz_sha256_backend_single();
  cr_assert(single == NULL || single->is_supported());
  size_t count;
  const struct asz_sha256_backend *const *backend = asz_sha256_backends(&count);
  cr_assert_geq(count, 1);
  cr_assert_str_eq(backend[count - 1]->name, "plain");
  cr_assert(backend[count - 1]->is_supported());
  for (size_t i = 0; i < count; i++)
    cr_assert_eq(ASZ_SEQ_CHECKPOINTS % backend[i]->width, 0, "%s", backend[i]->name);
}

Test(sha256, a_prover_walks_the_same_chain_with_and_without_instructions_of_its_own)
{
  struct asz_test_random random = asz_test_random_start(4);
  for (uint32_t steps = 0; steps < 40; steps += 3) {
    uint8_t a[32], b[32];
    asz_test_random_bytes(&random, a, 32);
    memcpy(b, a, 32);
    asz_chain_walk(a, steps, NULL);
    asz_chain_walk(b, steps, asz_sha256_backend_single());
    cr_assert_arr_eq(a, b, 32, "%u steps, seed %lu", steps, random.seed);
    asz_chain_walk(a, steps, asz_sha256_backend_best());
    asz_chain_advance(b, steps);
    cr_assert_arr_eq(a, b, 32, "%u steps, seed %lu", steps, random.seed);
  }
}
