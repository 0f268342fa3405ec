/* SPDX-License-Identifier: Apache-2.0 */
/* gemm and mem, prover and verifier, against the vectors of an implementation in another language; every backend, and the
 * device's mathematics compiled for the host beside libsodium's. */
#include <string.h>

#include "dataplane/base/bytes.h"
#include "gpu/prove/mem.h"
#include "tests/gpu/gemm_vectors.h"
#include "tests/random.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, OPENINGS_MAX = 8, OPENING_BYTES_MAX = 2048 };

struct given {
  json_t *json;
  uint8_t beacon[32], rho[32], provider_pk[32], fold_seed[32], seed_gemm[32], seed_mem[32];
  uint32_t device;
};

static struct given open_given(void) {
  struct given given = {.json = asz_challenge_vectors_open()};
  json_t *values = asz_vectors_get(given.json, "given");
  json_t *kinds = asz_vectors_get(asz_vectors_get(given.json, "challenges"), "kinds");
  asz_vectors_hex(given.beacon, 32, asz_vectors_get(values, "beacon"));
  asz_vectors_hex(given.rho, 32, asz_vectors_get(values, "rho"));
  asz_vectors_hex(given.provider_pk, 32, asz_vectors_get(values, "provider_pk"));
  asz_vectors_hex(given.fold_seed, 32, asz_vectors_get(values, "fold_seed"));
  asz_vectors_hex(given.seed_gemm, 32, asz_vectors_get(asz_vectors_get(kinds, "gemm"), "seed"));
  asz_vectors_hex(given.seed_mem, 32, asz_vectors_get(asz_vectors_get(kinds, "mem"), "seed"));
  given.device = (uint32_t)asz_vectors_number(asz_vectors_get(values, "device"));
  return given;
}

static void *memory_of(size_t bytes) {
  cr_assert_neq(bytes, 0);
  void *memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (bytes + 63) / 64 * 64);
  cr_assert_not_null(memory);
  return memory;
}

/* The openings of a part of the vectors ("gemm" or "mem") as a batch. */
struct cases {
  struct asz_gemm_openings batch;
  uint8_t opening[OPENINGS_MAX * OPENING_BYTES_MAX], seed[OPENINGS_MAX][32], root[OPENINGS_MAX][32], fold_seed[OPENINGS_MAX][32],
      z_root[OPENINGS_MAX][32], verdict[OPENINGS_MAX], reason[OPENINGS_MAX];
  struct asz_gemm_pick pick[OPENINGS_MAX];
};

static void fill(struct cases *cases, const struct given *given, const char *part, size_t opening_bytes) {
  json_t *values = asz_vectors_get(given->json, part), *openings = asz_vectors_get(values, "openings");
  bool is_fold = strcmp(part, "mem") == 0;
  memset(cases, 0, sizeof *cases);
  uint32_t count = (uint32_t)json_array_size(openings);
  cr_assert(count >= 1 && count <= OPENINGS_MAX && opening_bytes <= OPENING_BYTES_MAX);
  for (uint32_t i = 0; i < count; i++) {
    asz_vectors_hex(cases->opening + i * opening_bytes, opening_bytes, json_array_get(openings, i));
    asz_vectors_hex(cases->root[i], 32, asz_vectors_get(values, "root"));
    memcpy(cases->seed[i], is_fold ? given->seed_mem : given->seed_gemm, 32);
    memcpy(cases->fold_seed[i], given->fold_seed, 32);
    if (is_fold)
      asz_vectors_hex(cases->z_root[i], 32, asz_vectors_get(values, "z_root"));
    cases->pick[i] = asz_vectors_pick(asz_vectors_get(values, "picks"), i);
  }
  cases->batch = (struct asz_gemm_openings){
      .count = count,
      .opening_bytes = opening_bytes,
      .opening = cases->opening,
      .pick = cases->pick,
      .seed = (const uint8_t(*)[32])cases->seed,
      .root = (const uint8_t(*)[32])cases->root,
      .fold_seed = is_fold ? (const uint8_t(*)[32])cases->fold_seed : NULL,
      .z_root = is_fold ? (const uint8_t(*)[32])cases->z_root : NULL,
      .verdict = cases->verdict,
      .reason = cases->reason,
  };
}

/* The device's judgement of one item. */
static enum asz_gemm_reason reason_of_device(const struct asz_gemm_slot *slot, const struct asz_gemm_openings *batch,
                                             uint32_t i) {
  const uint8_t *opening = batch->opening + i * batch->opening_bytes;
  struct asz_gemm_pick pick = batch->pick[i];
  if (batch->fold_seed != NULL)
    return asz_mem_reason_of(&slot->shape, slot->s, slot->u, batch->seed[i], batch->root[i], batch->fold_seed[i],
                             batch->z_root[i], pick.t, pick.j, opening);
  return asz_gemm_reason_of(&slot->shape, slot->s, slot->u, batch->seed[i], batch->root[i], pick.t, pick.j, opening);
}

/* Judges item i both ways; the reasons must agree. */
static const char *judge(const struct asz_gemm_slot *slot, struct cases *cases, uint32_t i) {
  asz_gemm_judge(slot, &cases->batch, i, 1);
  cr_assert_eq(cases->reason[i], reason_of_device(slot, &cases->batch, i), "the header says otherwise: %s",
               asz_gemm_reason_name(cases->reason[i]));
  cr_assert_eq(cases->verdict[i], asz_gemm_verdict_of((enum asz_gemm_reason)cases->reason[i]));
  return asz_gemm_reason_name(cases->reason[i]);
}

static size_t bytes_of(const char *part) {
  struct asz_gemm_shape shape = asz_gemm_shape_of(TINY);
  return strcmp(part, "mem") == 0 ? asz_mem_opening_bytes(&shape) : asz_gemm_opening_bytes(&shape);
}

#define EACH_BACKEND(backend)                                                                                                    \
  const struct asz_gemm_backend *backend;                                                                                        \
  for (unsigned backend_index = 0; (backend = asz_gemm_backend_at(backend_index)) != NULL; backend_index++)

Test(gemm, spoilt_openings_get_the_reason_of_the_vectors)
{
  struct given given = open_given();
  static struct cases cases;
  EACH_BACKEND(backend) {
    void *memory = memory_of(asz_gemm_slot_footprint(TINY));
    struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, TINY, backend, given.beacon, given.rho);
    for (int p = 0; p < 2; p++) {
      const char *part = p == 0 ? "gemm" : "mem";
      fill(&cases, &given, part, bytes_of(part));
      json_t *wrong = asz_vectors_get(asz_vectors_get(given.json, part), "wrong"), *value;
      size_t w;
      json_array_foreach(wrong, w, value) {
        uint32_t i = (uint32_t)asz_vectors_number(asz_vectors_get(value, "opening"));
        uint8_t *byte = cases.opening + i * cases.batch.opening_bytes + asz_vectors_number(asz_vectors_get(value, "at"));
        uint8_t bits = (uint8_t)asz_vectors_number(asz_vectors_get(value, "xor"));
        *byte ^= bits;
        cr_assert_str_eq(judge(slot, &cases, i), json_string_value(asz_vectors_get(value, "reason")), "%s %zu", part, w);
        *byte ^= bits;
      }
    }
    free(memory);
  }
  json_decref(given.json);
}

Test(gemm, every_flipped_byte_is_noticed)
{
  struct given given = open_given();
  static struct cases cases;
  struct asz_test_random random = asz_test_random_start(1);
  void *memory = memory_of(asz_gemm_slot_footprint(TINY));
  struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, TINY, asz_gemm_backend_at(0), given.beacon, given.rho);
  for (int p = 0; p < 2; p++) {
    const char *part = p == 0 ? "gemm" : "mem";
    fill(&cases, &given, part, bytes_of(part));
    for (size_t at = 0; at < cases.batch.opening_bytes; at++) {
      uint8_t bits = (uint8_t)(1 + asz_test_random_next(&random) % 255);
      cases.opening[at] ^= bits;
      cr_assert_str_neq(judge(slot, &cases, 0), "none", "%s byte %zu, seed %lu", part, at, random.seed);
      cases.opening[at] ^= bits;
    }
  }
  free(memory);
  json_decref(given.json);
}

Test(gemm, an_opening_of_another_size_is_malformed_and_never_read)
{
  struct given given = open_given();
  static struct cases cases;
  void *memory = memory_of(asz_gemm_slot_footprint(TINY));
  struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, TINY, asz_gemm_backend_at(0), given.beacon, given.rho);
  fill(&cases, &given, "gemm", bytes_of("gemm"));
  const size_t sizes[] = {0, 1, 583, 585, bytes_of("mem"), SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    cases.batch.opening = NULL;
    cases.batch.opening_bytes = sizes[i];
    asz_gemm_judge(slot, &cases.batch, 0, 1);
    cr_assert_eq(cases.verdict[0], ASZ_VERDICT_MALFORMED);
    cr_assert_eq(cases.reason[0], ASZ_GEMM_REASON_WRONG_SIZE);
  }
  free(memory);
  json_decref(given.json);
}

Test(gemm, a_preset_that_is_none_has_no_footprint)
{
  cr_assert_eq(asz_gemm_slot_footprint(0), 0);
  cr_assert_eq(asz_gemm_slot_footprint(200), 0);
  cr_assert_eq(asz_prove_gemm_footprint(0, 1), 0);
  cr_assert_eq(asz_prove_gemm_footprint(TINY, 0), 0);
  cr_assert_eq(asz_prove_gemm_footprint(TINY, ASZ_PARALLEL_MAX + 1), 0);
  cr_assert_eq(asz_prove_mem_footprint(200, 1), 0);
}

Test(gemm, the_slot_is_that_of_the_vectors)
{
  struct given given = open_given();
  json_t *values = asz_vectors_get(given.json, "slot");
  EACH_BACKEND(backend) {
    void *memory = memory_of(asz_gemm_slot_footprint(TINY));
    struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, TINY, backend, given.beacon, given.rho);
    for (size_t i = 0; i < 8; i++) {
      cr_assert_eq(slot->s[i], asz_vectors_number(json_array_get(asz_vectors_get(values, "s_first"), i)));
      cr_assert_eq(slot->u[i], asz_vectors_number(json_array_get(asz_vectors_get(values, "u_first"), i)), "%s", backend->name);
    }
    uint8_t expected[32], actual[32];
    asz_vectors_hex(expected, 32, asz_vectors_get(values, "u_hash"));
    crypto_generichash(actual, 32, (const uint8_t *)slot->u, (size_t)4 * slot->shape.k, NULL, 0);
    cr_assert_arr_eq(actual, expected, 32, "%s", backend->name);
    free(memory);
  }
  json_decref(given.json);
}

Test(gemm, the_picks_are_those_of_the_vectors)
{
  struct given given = open_given();
  struct asz_gemm_shape shape = asz_gemm_shape_of(TINY);
  for (int p = 0; p < 2; p++) {
    json_t *values = asz_vectors_get(given.json, p == 0 ? "gemm" : "mem"), *expected = asz_vectors_get(values, "picks");
    struct asz_gemm_pick pick[ASZ_GEMM_PICKS_MAX];
    uint8_t root[32];
    asz_vectors_hex(root, 32, asz_vectors_get(values, p == 0 ? "root" : "z_root"));
    asz_gemm_picks(pick, ASZ_GEMM_PICKS_MAX, &shape, given.rho, p == 0 ? ASZ_KIND_GEMM : ASZ_KIND_MEM, given.provider_pk,
                   given.device, root);
    for (size_t i = 0; i < json_array_size(expected); i++) {
      struct asz_gemm_pick from_python = asz_vectors_pick(expected, i);
      cr_assert(pick[i].t == from_python.t && pick[i].j == from_python.j, "pick %zu", i);
    }
  }
  json_decref(given.json);
}

Test(gemm, matrices_begin_as_in_the_vectors)
{
  struct given given = open_given();
  json_t *values = asz_vectors_get(given.json, "gemm");
  EACH_BACKEND(backend) {
    int8_t entry[64];
    uint8_t key[32], expected[32];
    asz_gemm_host_a_key(key, TINY, given.beacon);
    asz_vectors_hex(expected, 32, asz_vectors_get(values, "a_key"));
    cr_assert_arr_eq(key, expected, 32);
    asz_gemm_a_key(key, TINY, given.beacon);
    cr_assert_arr_eq(key, expected, 32);
    backend->matrix(entry, key, 0, 1);
    for (size_t i = 0; i < 32; i++)
      cr_assert_eq(entry[i], json_integer_value(json_array_get(asz_vectors_get(values, "a_first"), i)), "%s", backend->name);
    asz_vectors_hex(key, 32, json_array_get(asz_vectors_get(values, "b_keys"), 1));
    backend->matrix(entry, key, 63 * 4, 1);
    for (size_t i = 0; i < 32; i++)
      cr_assert_eq(entry[i], json_integer_value(json_array_get(asz_vectors_get(values, "b_first"), i)), "%s", backend->name);
  }
  json_decref(given.json);
}

Test(gemm, right_openings_pass_alone_and_as_a_batch)
{
  struct given given = open_given();
  static struct cases cases;
  EACH_BACKEND(backend) {
    void *memory = memory_of(asz_gemm_slot_footprint(TINY));
    struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, TINY, backend, given.beacon, given.rho);
    for (int p = 0; p < 2; p++) {
      const char *part = p == 0 ? "gemm" : "mem";
      fill(&cases, &given, part, bytes_of(part));
      for (uint32_t i = 0; i < cases.batch.count; i++)
        cr_assert_str_eq(judge(slot, &cases, i), "none", "%s %u on %s", part, i, backend->name);
      memset(cases.verdict, 0, sizeof cases.verdict);
      asz_gemm_judge(slot, &cases.batch, 0, cases.batch.count);
      for (uint32_t i = 0; i < cases.batch.count; i++)
        cr_assert_eq(cases.verdict[i], ASZ_VERDICT_PASS);
    }
    free(memory);
  }
  json_decref(given.json);
}

Test(gemm, the_provers_make_the_roots_and_openings_of_the_vectors)
{
  struct given given = open_given();
  static struct cases cases;
  uint8_t root[32], z_root[32], opening[OPENING_BYTES_MAX];
  for (unsigned threads = 1; threads <= 3; threads++) {
    EACH_BACKEND(backend) {
      void *memory = memory_of(asz_prove_gemm_footprint(TINY, threads));
      struct asz_prove_gemm *gemm = asz_prove_gemm_new(memory, TINY, threads, backend);
      asz_prove_gemm_epoch(gemm, given.beacon);
      asz_prove_gemm_run(gemm, given.seed_gemm, root);
      fill(&cases, &given, "gemm", bytes_of("gemm"));
      cr_assert_arr_eq(root, cases.root[0], 32, "%s, %u threads", backend->name, threads);
      for (uint32_t i = 0; i < cases.batch.count; i++) {
        asz_prove_gemm_open(gemm, cases.pick[i], opening);
        cr_assert_arr_eq(opening, cases.opening + i * bytes_of("gemm"), bytes_of("gemm"), "%s", backend->name);
      }
      free(memory);

      memory = memory_of(asz_prove_mem_footprint(TINY, threads));
      struct asz_prove_mem *mem = asz_prove_mem_new(memory, TINY, threads, backend);
      asz_prove_mem_build(mem, given.beacon, given.seed_mem, root);
      asz_prove_mem_fold(mem, given.fold_seed, z_root);
      fill(&cases, &given, "mem", bytes_of("mem"));
      cr_assert_arr_eq(root, cases.root[0], 32, "%s, %u threads", backend->name, threads);
      cr_assert_arr_eq(z_root, cases.z_root[0], 32, "%s, %u threads", backend->name, threads);
      for (uint32_t i = 0; i < cases.batch.count; i++) {
        asz_prove_mem_open(mem, cases.pick[i], opening);
        cr_assert_arr_eq(opening, cases.opening + i * bytes_of("mem"), bytes_of("mem"), "%s", backend->name);
        asz_prove_mem_open_build(mem, cases.pick[i], opening);
        cr_assert_arr_eq(opening, cases.opening + i * bytes_of("mem"), bytes_of("gemm"), "%s", backend->name);
      }
      free(memory);
    }
  }
  json_decref(given.json);
}
