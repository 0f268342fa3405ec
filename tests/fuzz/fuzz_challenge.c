/* SPDX-License-Identifier: Apache-2.0 */
/* Challenge and answer: a datagram that a reader accepts is exactly what a writer makes of the fields that were read, but for
 * the MAC, which neither reader checks. */
#include <string.h>

#include "dataplane/base/challenge.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[16];

static void check_challenge(const uint8_t *data, size_t size_bytes) {
  struct asz_challenge challenge;
  if (asz_challenge_read(&challenge, data, size_bytes) != ASZ_OK)
    return;
  uint8_t again[ASZ_ANSWER_MAX_BYTES];
  FUZZ_CHECK(asz_challenge_write(again, &challenge, key) == size_bytes);
  memcpy(again + ASZ_CHALLENGE_MAC_AT, data + ASZ_CHALLENGE_MAC_AT, ASZ_MAC_BYTES);
  FUZZ_CHECK(memcmp(again, data, size_bytes) == 0);
}

static void check_answer(const uint8_t *data, size_t size_bytes) {
  struct asz_answer answer;
  if (asz_answer_read(&answer, data, size_bytes) != ASZ_OK)
    return;
  FUZZ_CHECK(answer.mac + ASZ_MAC_BYTES == data + size_bytes);
  struct asz_challenge challenge = {
      .kind = answer.kind, .param = answer.param, .epoch = answer.epoch, .slot = answer.slot, .device = answer.device};
  memcpy(challenge.nonce, answer.nonce, sizeof challenge.nonce);
  uint8_t again[ASZ_ANSWER_MAX_BYTES];
  FUZZ_CHECK(asz_answer_write(again, &challenge, answer.provider_id, answer.body, answer.signature, key) == size_bytes);
  FUZZ_CHECK(memcmp(again, data, size_bytes - ASZ_MAC_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  check_challenge(data, size_bytes);
  check_answer(data, size_bytes);
  return 0;
}
