/* SPDX-License-Identifier: Apache-2.0 */
/* Entry bundles of the log: the first byte says how many entries to expect, the rest is the bundle. */
#include "control/tlog/tiles.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes == 0)
    return 0;
  unsigned count = data[0] + 1u;
  size_t end = 0, at = 0, entry_bytes;
  if (asz_entries_check(data + 1, size_bytes - 1, count, &end) != 0)
    return 0;
  FUZZ_CHECK(end <= size_bytes - 1);
  for (unsigned i = 0; i < count; i++) {
    const uint8_t *entry;
    size_t before = at;
    FUZZ_CHECK(asz_entries_next(data + 1, size_bytes - 1, &at, &entry, &entry_bytes) == 0);
    FUZZ_CHECK(entry == data + 1 + before + 2 && at == before + 2 + entry_bytes);
  }
  FUZZ_CHECK(at == end);
  return 0;
}
