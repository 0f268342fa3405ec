/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/kind.h"

#include <assert.h>

#include "dataplane/base/identity.h"

const struct asz_verify_kind *const asz_verify_kinds[ASZ_VERIFY_KINDS] = {
    &asz_verify_kind_sig,
    &asz_verify_kind_seq,
    &asz_verify_kind_gemm,
    &asz_verify_kind_mem,
};

const struct asz_verify_kind *asz_verify_kind_of(unsigned kind) {
  for (unsigned i = 0; i < ASZ_VERIFY_KINDS; i++)
    if (asz_verify_kinds[i]->kind == kind)
      return asz_verify_kinds[i];
  return NULL;
}

void asz_known_decode(uint8_t *ret_bytes, size_t count, const char *text) {
  int rc = asz_hex_decode(ret_bytes, count, text);
  assert(rc == 0);
  (void)rc;
}
