/* SPDX-License-Identifier: Apache-2.0 */
/* ASK and RECEIPT: a datagram that a reader accepts is exactly what a writer makes of the fields that were read, but for the MAC,
 * which no reader checks. */
#include <string.h>

#include "dataplane/base/receipt.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[16];

static void check_same(const uint8_t again[ASZ_RECEIPT_BYTES], const uint8_t *data, size_t size_bytes) {
  FUZZ_CHECK(size_bytes == ASZ_RECEIPT_BYTES && memcmp(again, data, ASZ_RECEIPT_MAC_AT) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_ask ask;
  struct asz_receipt receipt;
  uint8_t again[ASZ_RECEIPT_BYTES];
  if (asz_ask_read(&ask, data, size_bytes) == ASZ_OK) {
    asz_ask_write(again, &ask, key);
    check_same(again, data, size_bytes);
  }
  if (asz_receipt_read(&receipt, data, size_bytes) == ASZ_OK) {
    asz_receipt_write(again, &receipt, key);
    check_same(again, data, size_bytes);
  }
  return 0;
}
