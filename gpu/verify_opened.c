/* SPDX-License-Identifier: Apache-2.0 */
/* One answer of gemm or mem and its openings, judged by the reference: plain C and libsodium, one column after another. */
#include <assert.h>
#include <stdlib.h>

#include "dataplane/base/opening.h"
#include "gpu/gemm.h"
#include "gpu/verify.h"

uint64_t asz_verify_opened_bytes(unsigned param, unsigned count) {
  const struct asz_gemm_shape shape = asz_gemm_shape_of(asz_param_preset(param));
  return (uint64_t)shape.k * (shape.n + count);
}

/* Is each of them right? */
static bool judge(const struct asz_gemm_slot *slot, const struct asz_opened_answer *opened) {
  struct asz_gemm_pick pick[ASZ_GEMM_PICKS_MAX];
  bool is_fold = opened->z_root != NULL;
  size_t opening_bytes = asz_opening_bytes(opened->kind, opened->param);
  asz_gemm_picks(pick, opened->count, &slot->shape, opened->rho, opened->kind, opened->provider_pk, opened->device,
                 is_fold ? opened->z_root : opened->root);
  for (unsigned i = 0; i < opened->count; i++) {
    uint8_t verdict, reason;
    const struct asz_gemm_openings one = {
        .count = 1,
        .opening_bytes = opening_bytes,
        .opening = opened->openings + i * opening_bytes,
        .pick = &pick[i],
        .seed = (const uint8_t(*)[32])opened->seed,
        .root = (const uint8_t(*)[32])opened->root,
        .fold_seed = (const uint8_t(*)[32])opened->fold_seed,
        .z_root = (const uint8_t(*)[32])opened->z_root,
        .verdict = &verdict,
        .reason = &reason,
    };
    asz_gemm_judge(slot, &one, 0, 1);
    if (verdict != ASZ_VERDICT_PASS)
      return false;
  }
  return true;
}

enum asz_verdict asz_verify_opened_one(const struct asz_opened_answer *opened) {
  assert((opened->fold_seed != NULL) == (opened->z_root != NULL));
  unsigned preset = asz_param_preset(opened->param);
  size_t bytes = asz_gemm_slot_footprint(preset);
  assert(bytes != 0);
  size_t aligned = (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES;
  void *memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, aligned);
  if (!memory)
    return ASZ_VERDICT_UNJUDGED;
  const struct asz_gemm_slot *slot =
      asz_gemm_slot_new(memory, preset, asz_gemm_backend_named("plain"), opened->beacon, opened->rho);
  bool right = judge(slot, opened);
  free(memory);
  return right ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}
