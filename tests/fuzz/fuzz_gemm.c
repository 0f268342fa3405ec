/* SPDX-License-Identifier: Apache-2.0 */
/* Openings of gemm and of folds from the input, preset tiny: the host's verdict, the device's mathematics and their pieces as the
 * kernels have them must agree on every byte string, on every backend, and nothing is read past the end.
 *
 * First byte: bit 0 a fold, bit 1 t, the rest j of the pick; then the opening. Random bytes fail at the pick, so t and j are then
 * put right, and last the entries are brought into range. */
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/identity.h"
#include "gpu/gemm.h"
#include "gpu/kinds/gemm_lanes.h"
#include "tests/fuzz/fuzz.h"

enum { TINY = ASZ_GEMM_PRESET_TINY, BYTES_MAX = 2048, BACKENDS_MAX = 4 };

/* Of tests/vectors/challenges.json, whose openings are the corpus: one changed byte of those reaches every check. */
static const char *const vector_text[] = {
    "75325e9e914050899f32728ab5a6154e5af7a52fcc6e9ee8b0be6adc97d9a45b",
    "4cf326e981e6c8340743d858fe2513a3cc34a8a172aa900227837836e4e772ab",
    "a318915d7cc27b9bae85879d18f1ac457092c07c999b1c6c8fa5d1cf643b245d",
    "2d981279284e4a6e66cbcdc7e458af9a42b6891b0e76839112a2099fb7292362",
    "4f12a347e741107a0739f6ee2ff36b4969166600eed5e92419f36363eb6baa3b",
    "34b7eb7a4225b9079ecf986ab8a86f479b3b924e65c3eeabf8de4e47b506df3f",
    "d4e5cd909bb7827e5bfa72e1de5e9e8919c4489549dd154430e4b390d1d26797",
    "14f166a8717c9333f753ac74c8b61f6609f22240438c0ddf897ff20c29eebf0a",
};
enum { BEACON, RHO, FOLD_SEED, Z_ROOT, SEED_GEMM, SEED_MEM, ROOT_GEMM, ROOT_MEM, VECTORS };
static uint8_t vector[VECTORS][1][32];

static struct asz_gemm_slot *slot_of(unsigned index) {
  static struct asz_gemm_slot *slot[BACKENDS_MAX];
  static _Alignas(ASZ_GEMM_ALIGN_BYTES) uint8_t memory[BACKENDS_MAX][16384];
  FUZZ_CHECK(index < BACKENDS_MAX && asz_gemm_slot_footprint(TINY) <= sizeof memory[0]);
  for (int i = 0; i < VECTORS && slot[index] == NULL; i++)
    FUZZ_CHECK(asz_hex_decode(vector[i][0], 32, vector_text[i]) == ASZ_OK);
  if (slot[index] == NULL)
    slot[index] = asz_gemm_slot_new(memory[index], TINY, asz_gemm_backend_at(index), vector[BEACON][0], vector[RHO][0]);
  return slot[index];
}

/* As the kernels judge: every job, and the products of one lane that does them all. */
static enum asz_gemm_reason reason_by_lanes(const struct asz_gemm_slot *slot, const struct asz_gemm_item *item) {
  const struct asz_gemm_shape *shape = &slot->shape;
  const uint8_t *column = item->opening + ASZ_GEMM_AT_COLUMN;
  struct asz_gemm_share share = asz_gemm_share_none();
  struct asz_chacha20_key key;
  uint32_t found = 0, blocks = shape->k / ASZ_GEMM_WORDS_A_LANE;
  uint8_t verdict;
  for (int job = 0; job < (item->fold_seed ? ASZ_GEMM_JOBS : ASZ_GEMM_JOB_FOLD); job++)
    found |= asz_gemm_job_run((enum asz_gemm_job)job, key.word, shape, item);
  for (uint32_t block = 0; block < blocks; block++)
    asz_gemm_share_b(&share, slot->u + (size_t)block * ASZ_GEMM_WORDS_A_LANE, key, (uint64_t)item->j * blocks + block);
  asz_gemm_share_c(&share, shape, slot->s, column, 0, 1);
  for (uint32_t block = 0; item->fold_seed && block < shape->n / 8; block++)
    asz_gemm_share_fold(&share, asz_chacha20_key_load(item->fold_seed), column, block);
  found |= asz_gemm_share_found(&share, shape, asz_gemm_u_sum(slot->u, shape->k), item);
  enum asz_gemm_reason reason = asz_gemm_found_reason(&verdict, found, item->fold_seed != NULL);
  FUZZ_CHECK(verdict == asz_gemm_verdict_of(reason));
  return reason;
}

static void judge(const uint8_t *opening, size_t size_bytes, bool is_fold, struct asz_gemm_pick pick) {
  uint8_t verdict, reason;
  const uint8_t(*seed)[32] = (const uint8_t(*)[32])vector[is_fold ? SEED_MEM : SEED_GEMM];
  const uint8_t(*root)[32] = (const uint8_t(*)[32])vector[is_fold ? ROOT_MEM : ROOT_GEMM];
  const uint8_t(*fold_seed)[32] = (const uint8_t(*)[32])vector[FOLD_SEED], (*z_root)[32] = (const uint8_t(*)[32])vector[Z_ROOT];
  struct asz_gemm_openings openings = {
      .count = 1,
      .opening_bytes = size_bytes,
      .opening = opening,
      .pick = &pick,
      .seed = seed,
      .root = root,
      .fold_seed = is_fold ? fold_seed : NULL,
      .z_root = is_fold ? z_root : NULL,
      .verdict = &verdict,
      .reason = &reason,
  };
  for (unsigned i = 0; asz_gemm_backend_at(i) != NULL; i++) {
    const struct asz_gemm_slot *slot = slot_of(i);
    size_t expected_bytes = is_fold ? asz_mem_opening_bytes(&slot->shape) : asz_gemm_opening_bytes(&slot->shape);
    enum asz_gemm_reason device = ASZ_GEMM_REASON_WRONG_SIZE;
    asz_gemm_judge(slot, &openings, 0, 1);
    if (size_bytes == expected_bytes)
      device = is_fold ? asz_mem_reason_of(&slot->shape, slot->s, slot->u, seed[0], root[0], fold_seed[0], z_root[0], pick.t,
                                           pick.j, opening)
                       : asz_gemm_reason_of(&slot->shape, slot->s, slot->u, seed[0], root[0], pick.t, pick.j, opening);
    FUZZ_CHECK(reason == device && verdict == asz_gemm_verdict_of(device));
    const struct asz_gemm_item item = {
        .opening = opening,
        .seed = seed[0],
        .root = root[0],
        .fold_seed = is_fold ? fold_seed[0] : NULL,
        .z_root = is_fold ? z_root[0] : NULL,
        .t = pick.t,
        .j = pick.j,
    };
    FUZZ_CHECK(size_bytes != expected_bytes || reason_by_lanes(slot, &item) == device);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  uint8_t opening[BYTES_MAX];
  if (size_bytes < 1)
    return 0;
  bool is_fold = data[0] & 1;
  struct asz_gemm_pick pick = {.t = data[0] >> 1 & 1, .j = data[0] >> 2};
  judge(data + 1, size_bytes - 1, is_fold, pick);

  struct asz_gemm_shape shape = asz_gemm_shape_of(TINY);
  size_t bytes = is_fold ? asz_mem_opening_bytes(&shape) : asz_gemm_opening_bytes(&shape);
  if (size_bytes - 1 != bytes || bytes > sizeof opening)
    return 0;
  memcpy(opening, data + 1, bytes);
  asz_be32_store(opening + ASZ_GEMM_AT_T, pick.t);
  asz_be32_store(opening + ASZ_GEMM_AT_J, pick.j);
  judge(opening, bytes, is_fold, pick);
  for (uint32_t i = 0; i < shape.n; i++) {
    uint8_t *entry = opening + ASZ_GEMM_AT_COLUMN + 4 * i;
    asz_hd_le32_store(entry, (uint32_t)((int32_t)asz_hd_le32_load(entry) / 1024));
  }
  judge(opening, bytes, is_fold, pick);
  return 0;
}
