/* SPDX-License-Identifier: Apache-2.0 */
/* Packed sketches: what unpack accepts, pack writes again byte for byte. */
#include <string.h>

#include "dataplane/base/err.h"
#include "dataplane/base/sketch.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_sketch sketch;
  asz_sketch_init();
  if (asz_sketch_unpack(&sketch, data, size_bytes) != ASZ_OK)
    return 0;
  uint8_t again[ASZ_SKETCH_PACKED_MAX];
  FUZZ_CHECK(asz_sketch_pack(again, &sketch) == size_bytes);
  FUZZ_CHECK(memcmp(again, data, size_bytes) == 0);
  uint64_t low = asz_sketch_quantile(&sketch, 0), high = asz_sketch_quantile(&sketch, 1000000);
  FUZZ_CHECK(low <= high && (size_bytes == 0) == (asz_sketch_total(&sketch) == 0));
  return 0;
}
