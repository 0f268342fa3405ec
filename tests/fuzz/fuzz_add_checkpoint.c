/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a witness: what the parser accepts has one spelling. */
#include <string.h>

#include "control/tlog/add_checkpoint.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_add_checkpoint request;
  char *again;
  size_t again_bytes;
  uint64_t size;
  (void)!asz_add_checkpoint_size(&size, (const char *)data, size_bytes);
  if (asz_add_checkpoint_parse(&request, (const char *)data, size_bytes, NULL) != 0)
    return 0;
  FUZZ_CHECK(request.note_bytes <= size_bytes && request.path_count <= ASZ_ADD_CHECKPOINT_PATH_MAX);
  if (memchr(request.note, 0, request.note_bytes)) /* such a note is refused, and is not printed */
    return 0;
  FUZZ_CHECK(asz_add_checkpoint_format(&again, &again_bytes, &request) == 0);
  FUZZ_CHECK(again_bytes == size_bytes && memcmp(again, data, size_bytes) == 0);
  free(again);
  return 0;
}
