/* SPDX-License-Identifier: Apache-2.0 */
/* HELLO, WELCOME, OPEN and OPENING: a datagram that a reader accepts is exactly what a writer makes of the fields that were read,
 * but for the MAC, which no reader checks. A chunk that was accepted goes into a blob of the size that it claims, and nowhere
 * else. */
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/opening.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[16];

static void check_hello(const uint8_t *data, size_t size_bytes) {
  struct asz_hello hello;
  uint8_t again[ASZ_ENROL_BYTES];
  if (asz_hello_read(&hello, data, size_bytes) != ASZ_OK)
    return;
  asz_hello_write(again, &hello, key);
  FUZZ_CHECK(size_bytes == sizeof again && memcmp(again, data, ASZ_ENROL_MAC_AT) == 0);
}

static void check_welcome(const uint8_t *data, size_t size_bytes) {
  struct asz_welcome welcome;
  uint8_t again[ASZ_ENROL_BYTES];
  if (asz_welcome_read(&welcome, data, size_bytes) != ASZ_OK)
    return;
  asz_welcome_write(again, &welcome, key);
  FUZZ_CHECK(size_bytes == sizeof again && memcmp(again, data, ASZ_ENROL_MAC_AT) == 0);
}

static void check_open(const uint8_t *data, size_t size_bytes) {
  struct asz_open open;
  uint8_t again[ASZ_OPEN_BYTES];
  if (asz_open_read(&open, data, size_bytes) != ASZ_OK)
    return;
  asz_open_write(again, &open, key);
  FUZZ_CHECK(size_bytes == sizeof again && memcmp(again, data, ASZ_OPEN_MAC_AT) == 0);
}

static struct asz_open asked_of(const struct asz_opening_chunk *chunk) {
  struct asz_open open = {
      .kind = chunk->kind, .param = chunk->param, .epoch = chunk->epoch, .slot = chunk->slot, .device = chunk->device};
  open.openings = (uint8_t)((chunk->total_bytes - ASZ_SIG_BYTES) / asz_opening_bytes(open.kind, open.param));
  memcpy(open.nonce, chunk->nonce, sizeof open.nonce);
  return open;
}

static void check_opening(const uint8_t *data, size_t size_bytes) {
  struct asz_opening_chunk chunk;
  if (asz_opening_read(&chunk, data, size_bytes) != ASZ_OK)
    return;
  const struct asz_open open = asked_of(&chunk);
  FUZZ_CHECK(asz_opening_answers(&chunk, &open));
  FUZZ_CHECK(chunk.mac + ASZ_MAC_BYTES == data + size_bytes);
  struct asz_reassembly reassembly;
  uint8_t *blob = calloc(1, chunk.total_bytes), again[ASZ_DATAGRAM_MAX_BYTES];
  FUZZ_CHECK(blob != NULL);
  asz_reassembly_init(&reassembly, blob, &open);
  FUZZ_CHECK(asz_reassembly_add(&reassembly, &chunk) == ASZ_OK && asz_reassembly_add(&reassembly, &chunk) == ASZ_EEXIST);
  FUZZ_CHECK(reassembly.missing == chunk.chunks - 1);
  FUZZ_CHECK(asz_opening_write(again, &open, chunk.provider_id, blob, chunk.chunk, key) == size_bytes);
  FUZZ_CHECK(memcmp(again, data, size_bytes - ASZ_MAC_BYTES) == 0);
  free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  check_hello(data, size_bytes);
  check_welcome(data, size_bytes);
  check_open(data, size_bytes);
  check_opening(data, size_bytes);
  return 0;
}
