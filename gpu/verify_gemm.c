/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's kinds gemm and mem: one opened column an item (gpu/gemm.h). The reference multiplies in plain C.
 *
 * Known answers: columns of the tiny preset, opened by our own prover for the seeds below, whose roots an independent program
 * made (tests/challenges_check.py); right ones, and ones that are wrong in one place each. A backend that takes another slot's
 * secret, or leaves out a check, is caught. */
#include <stdlib.h>
#include <string.h>

#include "gpu/kind.h"
#include "gpu/prove/mem.h"

static const char known_beacon[] = "75325e9e914050899f32728ab5a6154e5af7a52fcc6e9ee8b0be6adc97d9a45b";
static const char known_rho[] = "4cf326e981e6c8340743d858fe2513a3cc34a8a172aa900227837836e4e772ab";
static const char known_gemm_seed[] = "4f12a347e741107a0739f6ee2ff36b4969166600eed5e92419f36363eb6baa3b";
static const char known_gemm_root[] = "d4e5cd909bb7827e5bfa72e1de5e9e8919c4489549dd154430e4b390d1d26797";
static const char known_mem_seed[] = "34b7eb7a4225b9079ecf986ab8a86f479b3b924e65c3eeabf8de4e47b506df3f";
static const char known_mem_root[] = "14f166a8717c9333f753ac74c8b61f6609f22240438c0ddf897ff20c29eebf0a";
static const char known_fold_seed[] = "a318915d7cc27b9bae85879d18f1ac457092c07c999b1c6c8fa5d1cf643b245d";
static const char known_z_root[] = "2d981279284e4a6e66cbcdc7e458af9a42b6891b0e76839112a2099fb7292362";
static const struct asz_gemm_pick known_pick = {.t = 1, .j = 51};

void asz_verify_known_slot(uint8_t *ret_preset, uint8_t ret_beacon[32], uint8_t ret_rho[32]) {
  *ret_preset = ASZ_GEMM_PRESET_TINY;
  asz_known_decode(ret_beacon, 32, known_beacon);
  asz_known_decode(ret_rho, 32, known_rho);
}

_Static_assert(sizeof(struct asz_gemm_pick) == sizeof(uint32_t[2]), "a batch's pick is one of asz_gemm_openings");

void asz_verify_picks(uint32_t (*ret_pick)[2], unsigned count, uint8_t preset, const uint8_t rho[32], uint8_t kind,
                      const uint8_t provider_pk[32], uint32_t device, const uint8_t root[32]) {
  const struct asz_gemm_shape shape = asz_gemm_shape_of(preset);
  asz_gemm_picks((struct asz_gemm_pick *)ret_pick, count, &shape, rho, kind, provider_pk, device, root);
}

static void judge(const struct asz_verify_cpu *cpu, struct asz_batch *batch, uint32_t first, uint32_t count) {
  const struct asz_gemm_slot *slot = batch->slot < ASZ_VERIFY_SLOTS ? cpu->slot[batch->slot] : NULL;
  if (!slot) { /* our own fault */
    memset(batch->verdict + first, ASZ_VERDICT_UNJUDGED, count);
    return;
  }
  bool folds = batch->kind == ASZ_KIND_MEM;
  const struct asz_gemm_openings openings = {
      .count = batch->count,
      .opening_bytes = batch->opening_bytes,
      .opening = batch->opening,
      .pick = (const struct asz_gemm_pick *)batch->pick,
      .seed = (const uint8_t(*)[32])batch->seed,
      .root = (const uint8_t(*)[32])batch->root,
      .fold_seed = folds ? (const uint8_t(*)[32])batch->fold_seed : NULL,
      .z_root = folds ? (const uint8_t(*)[32])batch->z_root : NULL,
      .verdict = batch->verdict,
      .reason = batch->reason,
  };
  asz_gemm_judge(slot, &openings, first, count);
}

/* What is done to a right opening of the tiny preset, and what must be said of it. */
struct change {
  uint32_t at; /* byte */
  uint8_t bits;
  uint8_t verdict;
};
enum {
  COLUMN_BYTES = 4 * 64,
  AT_PATH = ASZ_GEMM_AT_COLUMN + COLUMN_BYTES,
  AT_STEP_PATH = AT_PATH + 6 * 32,    /* 64 columns */
  GEMM_BYTES = AT_STEP_PATH + 2 * 32, /* 2 steps */
  MEM_BYTES = GEMM_BYTES + 64 * 8 + 32,
  AT_FOLD = GEMM_BYTES + 51 * 8,
};
static const struct change gemm_changes[] = {
    {0, 0, ASZ_VERDICT_PASS},
    {ASZ_GEMM_AT_T + 3, 1, ASZ_VERDICT_MALFORMED}, /* not the step that was picked */
    {ASZ_GEMM_AT_J + 3, 1, ASZ_VERDICT_MALFORMED},
    {ASZ_GEMM_AT_PREVIOUS_ROOT, 1, ASZ_VERDICT_FAIL}, /* another B */
    {ASZ_GEMM_AT_ROOT, 1, ASZ_VERDICT_FAIL},
    {ASZ_GEMM_AT_COLUMN, 1, ASZ_VERDICT_FAIL}, /* one entry, off by one */
    {AT_PATH - 1, 0x80, ASZ_VERDICT_FAIL},     /* out of range */
    {AT_PATH, 1, ASZ_VERDICT_FAIL},
    {AT_STEP_PATH, 1, ASZ_VERDICT_FAIL},
    {GEMM_BYTES - 1, 1, ASZ_VERDICT_FAIL}, /* path of the step before */
};
static const struct change mem_changes[] = {
    {0, 0, ASZ_VERDICT_PASS},
    {ASZ_GEMM_AT_COLUMN, 1, ASZ_VERDICT_FAIL},
    {AT_FOLD, 1, ASZ_VERDICT_FAIL},
    {AT_FOLD - 8, 1, ASZ_VERDICT_FAIL}, /* a neighbour's: another leaf */
    {MEM_BYTES - 1, 1, ASZ_VERDICT_FAIL},
};
enum {
  GEMM_ALIAS = sizeof gemm_changes / sizeof *gemm_changes, /* c - p or c + p for an entry c: the same product mod p */
  GEMM_OTHER_SEED,
  GEMM_CASES,
  MEM_CASES = sizeof mem_changes / sizeof *mem_changes,
};

/* The right opening of either kind. Without memory for it all zeros, which then is no known answer: the backend is not used. */
static void open_known(uint8_t *ret_opening, bool fold) {
  uint8_t beacon[32], seed[32], root[32];
  size_t footprint = asz_prove_mem_footprint(ASZ_GEMM_PRESET_TINY, 1);
  memset(ret_opening, 0, fold ? MEM_BYTES : GEMM_BYTES);
  void *memory =
      aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (footprint + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES);
  if (!memory)
    return;
  struct asz_prove_mem *prove = asz_prove_mem_new(memory, ASZ_GEMM_PRESET_TINY, 1, asz_gemm_backend_named("plain"));
  asz_known_decode(beacon, 32, known_beacon);
  asz_known_decode(seed, 32, fold ? known_mem_seed : known_gemm_seed);
  asz_prove_mem_build(prove, beacon, seed, root);
  if (fold) {
    asz_known_decode(seed, 32, known_fold_seed);
    asz_prove_mem_fold(prove, seed, root);
    asz_prove_mem_open(prove, known_pick, ret_opening);
  } else {
    asz_prove_mem_open_build(prove, known_pick, ret_opening);
  }
  free(memory);
}

static void fill_common(struct asz_batch *batch, uint32_t item, size_t opening_bytes, const char *seed, const char *root) {
  batch->slot = 0;
  batch->opening_bytes = opening_bytes;
  batch->pick[item][0] = known_pick.t;
  batch->pick[item][1] = known_pick.j;
  asz_known_decode(batch->seed[item], 32, seed);
  asz_known_decode(batch->root[item], 32, root);
  open_known(batch->opening + item * opening_bytes, opening_bytes == MEM_BYTES);
}

static void add_alias(uint8_t *entry_le) {
  int32_t entry;
  memcpy(&entry, entry_le, sizeof entry);
  entry += entry < 0 ? ASZ_GEMM_PRIME : -ASZ_GEMM_PRIME;
  memcpy(entry_le, &entry, sizeof entry);
}

static enum asz_verdict known_fill_gemm(struct asz_batch *batch, uint32_t item, unsigned number) {
  fill_common(batch, item, GEMM_BYTES, known_gemm_seed, known_gemm_root);
  uint8_t *opening = batch->opening + (size_t)item * GEMM_BYTES;
  if (number < GEMM_ALIAS) {
    opening[gemm_changes[number].at] ^= gemm_changes[number].bits;
    return (enum asz_verdict)gemm_changes[number].verdict;
  }
  if (number == GEMM_ALIAS)
    add_alias(opening + ASZ_GEMM_AT_COLUMN);
  else
    batch->seed[item][31] ^= 1;
  return ASZ_VERDICT_FAIL;
}

static enum asz_verdict known_fill_mem(struct asz_batch *batch, uint32_t item, unsigned number) {
  fill_common(batch, item, MEM_BYTES, known_mem_seed, known_mem_root);
  asz_known_decode(batch->fold_seed[item], 32, known_fold_seed);
  asz_known_decode(batch->z_root[item], 32, known_z_root);
  batch->opening[(size_t)item * MEM_BYTES + mem_changes[number].at] ^= mem_changes[number].bits;
  return (enum asz_verdict)mem_changes[number].verdict;
}

const struct asz_verify_kind asz_verify_kind_gemm = {
    .kind = ASZ_KIND_GEMM,
    .column_count = 5,
    .column = {ASZ_COLUMN(opening), ASZ_COLUMN(pick), ASZ_COLUMN(seed), ASZ_COLUMN(root), ASZ_COLUMN(reason)},
    .judge = judge,
    .known_count = GEMM_CASES,
    .known_fill = known_fill_gemm,
};

const struct asz_verify_kind asz_verify_kind_mem = {
    .kind = ASZ_KIND_MEM,
    .column_count = 7,
    .column = {ASZ_COLUMN(opening), ASZ_COLUMN(pick), ASZ_COLUMN(seed), ASZ_COLUMN(root), ASZ_COLUMN(fold_seed),
               ASZ_COLUMN(z_root), ASZ_COLUMN(reason)},
    .judge = judge,
    .known_count = MEM_CASES,
    .known_fill = known_fill_mem,
};
