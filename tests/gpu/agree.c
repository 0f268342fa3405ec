/* SPDX-License-Identifier: Apache-2.0 */
/* Honest items are made once, a few thousand, and drawn from then on; half of what is drawn is spoilt in one place or a few.
 * Every second batch is given to the verifiers in the opposite order, and none is full. */
#include "tests/gpu/agree.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "gpu/kind.h"
#include "gpu/prove/mem.h"
#include "gpu/prove/prove.h"
#include "tests/random.h"

enum {
  KEYS_KNOWN = 48,
  KEYS = 64, /* the others have no table */
  SIGNATURES = 2048,
  CHAINS = 64,
  SLOT = 1,
  COLUMNS = 128, /* of preset tiny, all of them */
  BATCH = 4001,  /* the last block of a device is not full */
};

struct signature {
  uint32_t key;
  uint8_t public_key[32], signature[64], message[ASZ_SIG_MESSAGE_MAX + 1], message_bytes;
};

struct pool {
  struct asz_test_random random;
  uint8_t public_key[KEYS][32];
  struct signature signature[SIGNATURES];
  uint8_t chain_seed[CHAINS][32], checkpoint[CHAINS][ASZ_SEQ_CHECKPOINTS][32];
  uint8_t seed[32], root[32], fold_seed[32], z_root[32];
  struct asz_gemm_pick pick[COLUMNS];
  uint8_t *opening; /* of folds; those of gemm are their beginnings */
  size_t gemm_bytes, mem_bytes;
};

void asz_agree_config(struct asz_verify_config *ret_config) {
  asz_verify_config_default(ret_config);
  ret_config->batch_capacity = ret_config->openings = BATCH;
  ret_config->batch_count = 2;
  ret_config->key_capacity = KEYS;
  ret_config->key_table_bytes = ASZ_SIG_TABLE_SMALL;
  ret_config->preset_max = ASZ_GEMM_PRESET_TINY;
}

static uint64_t draw(struct pool *pool) {
  return asz_test_random_next(&pool->random);
}

static void make_signatures(struct pool *pool) {
  uint8_t secret_key[KEYS][64];
  for (uint32_t k = 0; k < KEYS; k++) {
    uint8_t seed[32];
    asz_test_random_bytes(&pool->random, seed, sizeof seed);
    crypto_sign_seed_keypair(pool->public_key[k], secret_key[k], seed);
  }
  for (uint32_t i = 0; i < SIGNATURES; i++) {
    struct signature *one = &pool->signature[i];
    one->key = i % KEYS;
    memcpy(one->public_key, pool->public_key[one->key], 32);
    one->message_bytes = (uint8_t)(i % (ASZ_SIG_MESSAGE_MAX + 1));
    asz_test_random_bytes(&pool->random, one->message, sizeof one->message);
    crypto_sign_detached(one->signature, NULL, one->message, one->message_bytes, secret_key[one->key]);
  }
}

static void make_openings(struct pool *pool, const uint8_t beacon[32]) {
  struct asz_gemm_shape shape = asz_gemm_shape_of(ASZ_GEMM_PRESET_TINY);
  void *memory = aligned_alloc(64, (asz_prove_mem_footprint(shape.preset, 1) + 63) / 64 * 64);
  cr_assert(memory && shape.t * shape.m == COLUMNS);
  struct asz_prove_mem *prove = asz_prove_mem_new(memory, shape.preset, 1, asz_gemm_backend_at(0));
  asz_test_random_bytes(&pool->random, pool->seed, 32);
  asz_test_random_bytes(&pool->random, pool->fold_seed, 32);
  asz_prove_mem_build(prove, beacon, pool->seed, pool->root);
  asz_prove_mem_fold(prove, pool->fold_seed, pool->z_root);
  pool->gemm_bytes = asz_gemm_opening_bytes(&shape);
  pool->mem_bytes = asz_mem_opening_bytes(&shape);
  pool->opening = malloc(COLUMNS * pool->mem_bytes);
  cr_assert_not_null(pool->opening);
  for (uint32_t i = 0; i < COLUMNS; i++) {
    pool->pick[i] = (struct asz_gemm_pick){.t = i / shape.m, .j = i % shape.m};
    asz_prove_mem_open(prove, pool->pick[i], pool->opening + i * pool->mem_bytes);
  }
  free(memory);
}

static struct pool *pool_new(uint64_t seed, struct asz_verifier *const verifier[2]) {
  struct pool *pool = calloc(1, sizeof *pool);
  cr_assert_not_null(pool);
  pool->random = asz_test_random_start(seed);
  uint8_t beacon[32], rho[32];
  asz_test_random_bytes(&pool->random, beacon, 32);
  asz_test_random_bytes(&pool->random, rho, 32);
  make_signatures(pool);
  for (uint32_t i = 0; i < CHAINS; i++) {
    asz_test_random_bytes(&pool->random, pool->chain_seed[i], 32);
    asz_prove_seq(pool->checkpoint[i], pool->chain_seed[i], ASZ_SEQ_LOG2_MIN + i % 3);
  }
  make_openings(pool, beacon);
  for (int v = 0; v < 2; v++) {
    for (uint32_t k = 0; k < KEYS_KNOWN; k++)
      cr_assert_eq(asz_verify_key_set(verifier[v], k, pool->public_key[k]), 0);
    cr_assert_eq(asz_verify_slot_set(verifier[v], SLOT, ASZ_GEMM_PRESET_TINY, beacon, rho), 0);
  }
  return pool;
}

static void flip(struct pool *pool, uint8_t *bytes, size_t size_bytes) {
  uint64_t drawn = draw(pool);
  bytes[drawn / 8 % size_bytes] ^= (uint8_t)(1 << drawn % 8);
}

/* Of the keys three in four have a table; of those items one in eight does not say so, and one in eight names another's. */
static void fill_sig(struct pool *pool, struct asz_batch *batch, uint32_t i) {
  const struct signature *one = &pool->signature[draw(pool) % SIGNATURES];
  uint64_t how = draw(pool);
  batch->key[i] = how % 8 == 0 ? ASZ_KEY_NONE : how % 8 == 1 ? (one->key + 1) % KEYS : one->key;
  memcpy(batch->public_key[i], one->public_key, 32);
  memcpy(batch->signature[i], one->signature, 64);
  memcpy(batch->message[i], one->message, sizeof one->message);
  batch->message_bytes[i] = one->message_bytes;
  switch (how / 8 % 16) {
  case 0:
    flip(pool, batch->public_key[i], 32);
    break;
  case 1:
    batch->message_bytes[i] = (uint8_t)(how >> 32);
    break;
  case 2:
    flip(pool, batch->message[i], sizeof one->message); /* perhaps behind its end, where it counts for nothing */
    break;
  case 3:
    memset(batch->signature[i], 0, 32); /* of small order */
    break;
  case 4:
  case 5:
  case 6:
  case 7:
    flip(pool, batch->signature[i], 64);
    break;
  default:
    break;
  }
}

static void fill_seq(struct pool *pool, struct asz_batch *batch, uint32_t i) {
  uint32_t chain = (uint32_t)(draw(pool) % CHAINS);
  memcpy(batch->seed[i], pool->chain_seed[chain], 32);
  memcpy(batch->checkpoint[i], pool->checkpoint[chain], sizeof batch->checkpoint[i]);
  batch->log2_steps[i] = (uint8_t)(ASZ_SEQ_LOG2_MIN + chain % 3);
  uint64_t how = draw(pool);
  if (how % 16 == 0)
    batch->log2_steps[i] = (uint8_t)((how >> 8) % 9); /* too few, others, right */
  else if (how % 16 == 1)
    flip(pool, batch->seed[i], 32);
  else if (how % 2 == 0)
    flip(pool, batch->checkpoint[i][0], sizeof batch->checkpoint[i]);
}

static void fill_opening(struct pool *pool, struct asz_batch *batch, uint32_t i) {
  uint32_t column = (uint32_t)(draw(pool) % COLUMNS);
  bool is_fold = batch->kind == ASZ_KIND_MEM;
  uint8_t *opening = batch->opening + i * batch->opening_bytes;
  memcpy(opening, pool->opening + column * pool->mem_bytes, batch->opening_bytes);
  memcpy(batch->seed[i], pool->seed, 32);
  memcpy(batch->root[i], pool->root, 32);
  if (is_fold) {
    memcpy(batch->fold_seed[i], pool->fold_seed, 32);
    memcpy(batch->z_root[i], pool->z_root, 32);
  }
  uint64_t how = draw(pool);
  if (how % 32 == 0)
    column = (uint32_t)(draw(pool) % COLUMNS); /* not what is opened */
  else if (how % 32 == 1)
    flip(pool, batch->seed[i], 32);
  else if (how % 32 == 2)
    flip(pool, batch->root[i], 32);
  else if (how % 32 == 3)
    flip(pool, is_fold ? batch->fold_seed[i] : batch->seed[i], 32);
  else if (how % 32 == 4)
    flip(pool, is_fold ? batch->z_root[i] : batch->root[i], 32);
  else if (how % 2 == 0)
    for (uint64_t faults = 1 + how / 32 % 3; faults > 0; faults--)
      flip(pool, opening, batch->opening_bytes);
  batch->pick[i][0] = pool->pick[column].t;
  batch->pick[i][1] = pool->pick[column].j;
}

static void fill(struct pool *pool, struct asz_batch *batch, uint32_t count) {
  if (batch->kind == ASZ_KIND_GEMM || batch->kind == ASZ_KIND_MEM) {
    batch->slot = SLOT;
    batch->opening_bytes = batch->kind == ASZ_KIND_MEM ? pool->mem_bytes : pool->gemm_bytes;
  }
  for (batch->count = 0; batch->count < count; batch->count++) {
    if (batch->kind == ASZ_KIND_SIG)
      fill_sig(pool, batch, batch->count);
    else if (batch->kind == ASZ_KIND_SEQ)
      fill_seq(pool, batch, batch->count);
    else
      fill_opening(pool, batch, batch->count);
  }
}

static void copy(struct asz_batch *to, struct asz_batch *from, const struct asz_verify_kind *kind) {
  to->slot = from->slot;
  to->opening_bytes = from->opening_bytes;
  to->count = from->count;
  for (unsigned c = 0; c < kind->column_count; c++) {
    bool openings = kind->column[c].pointer_at == offsetof(struct asz_batch, opening);
    size_t item_bytes = openings ? from->opening_bytes : kind->column[c].item_bytes;
    memcpy(*asz_column_data(&kind->column[c], to), *asz_column_data(&kind->column[c], from), item_bytes * from->count);
  }
}

static uint64_t compare(const struct asz_batch *const batch[2], uint64_t seed) {
  uint64_t passed = 0;
  bool has_reasons = batch[0]->kind == ASZ_KIND_GEMM || batch[0]->kind == ASZ_KIND_MEM;
  for (uint32_t i = 0; i < batch[0]->count; i++) {
    cr_assert_eq(batch[0]->verdict[i], batch[1]->verdict[i], "item %u of %s, seed %lu: '%s' and '%s'", i,
                 asz_kind_name(batch[0]->kind), seed, asz_verdict_name(batch[0]->verdict[i]),
                 asz_verdict_name(batch[1]->verdict[i]));
    if (has_reasons)
      cr_assert_eq(batch[0]->reason[i], batch[1]->reason[i], "item %u of %s, seed %lu: %s and %s", i,
                   asz_kind_name(batch[0]->kind), seed, asz_gemm_reason_name(batch[0]->reason[i]),
                   asz_gemm_reason_name(batch[1]->reason[i]));
    passed += batch[0]->verdict[i] == ASZ_VERDICT_PASS;
  }
  return passed;
}

/* One batch of a kind through both. */
static uint64_t check_batch(struct pool *pool, struct asz_verifier *const verifier[2], const struct asz_verify_kind *kind,
                            uint32_t count) {
  struct asz_batch *batch[2];
  for (int v = 0; v < 2; v++) {
    batch[v] = asz_verify_batch(verifier[v], kind->kind);
    cr_assert_not_null(batch[v]);
  }
  fill(pool, batch[0], count);
  copy(batch[1], batch[0], kind);
  for (int v = 0; v < 2; v++)
    asz_verify_submit(verifier[v], batch[v]);
  for (int v = 0; v < 2; v++)
    while (!asz_verify_poll(verifier[v], 0))
      ;
  uint64_t passed = compare((const struct asz_batch *const *)batch, pool->random.seed);
  for (int v = 0; v < 2; v++)
    asz_verify_release(verifier[v], batch[v]);
  return passed;
}

uint64_t asz_agree_check(struct asz_verifier *a, struct asz_verifier *b, uint64_t items, uint64_t seed) {
  static const uint64_t parts[ASZ_VERIFY_KINDS] = {2, 4, 8, 8};
  struct asz_verifier *const verifier[2] = {a, b}, *const opposite[2] = {b, a};
  struct pool *pool = pool_new(seed, verifier);
  uint64_t passed = 0;
  for (unsigned k = 0; k < ASZ_VERIFY_KINDS; k++) {
    uint64_t left = items / parts[k];
    for (unsigned round = 0; left > 0; round++) {
      uint32_t count = left < BATCH ? (uint32_t)left : BATCH - round % 3;
      passed += check_batch(pool, round % 2 ? opposite : verifier, asz_verify_kinds[k], count);
      left -= count;
    }
  }
  free(pool->opening);
  free(pool);
  return passed;
}
