/* SPDX-License-Identifier: Apache-2.0 */
/* Inclusion and consistency paths of strangers: 8 + 8 bytes of sizes, then hashes. The roots are fixed and belong to nobody, so
 * that only the empty statements are true. */
#include <string.h>

#include "control/tlog/tlog.h"
#include "dataplane/base/bytes.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static const uint8_t old_root[32] = {1}, root[32] = {2}, leaf[32] = {3};
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
  if (size_bytes < 16)
    return 0;
  uint64_t first = asz_be64_load(data), size = asz_be64_load(data + 8);
  size_t count = (size_bytes - 16) / 32 < ASZ_TLOG_PROOF_MAX ? (size_bytes - 16) / 32 : ASZ_TLOG_PROOF_MAX;
  memcpy(path, data + 16, count * 32);
  FUZZ_CHECK(asz_tlog_inclusion_check(root, size, first, leaf, (const uint8_t(*)[32])path, count) == ASZ_EAUTH);
  int err = asz_tlog_consistency_check(old_root, first, root, size, (const uint8_t(*)[32])path, count);
  FUZZ_CHECK(err == (first == 0 && count == 0 ? 0 : ASZ_EAUTH));
  err = asz_tlog_consistency_check(root, first, root, size, (const uint8_t(*)[32])path, count);
  FUZZ_CHECK(err == ((first == 0 || first == size) && count == 0 ? 0 : ASZ_EAUTH));
  return 0;
}
