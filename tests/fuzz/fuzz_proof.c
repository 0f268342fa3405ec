/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs: what the parser accepts has one spelling; and without the log's key nothing is valid. */
#include <string.h>

#include "control/tlog/proof.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static struct asz_proof proof;
  static struct asz_policy *policy;
  struct asz_checkpoint head;
  unsigned cosigned;
  if (!policy) {
    struct asz_note_key key;
    static const uint8_t public_key[32] = {0x58, 0x66, 0x66}; /* nobody's */
    asz_note_key_make(&key, "log.example/fuzz", ASZ_NOTE_ED25519, public_key);
    policy = asz_policy_of_log(&key);
    FUZZ_CHECK(policy);
  }
  if (asz_proof_parse(&proof, (const char *)data, size_bytes, NULL) != 0)
    return 0;
  char *again;
  size_t again_bytes;
  FUZZ_CHECK(asz_proof_check(&proof, policy, proof.extra, proof.extra_bytes, &head, &cosigned, NULL) != 0);
  if (memchr(proof.note, 0, proof.note_bytes)) /* such a note is refused, and is not printed */
    return 0;
  FUZZ_CHECK(asz_proof_format(&again, &again_bytes, &proof) == 0);
  FUZZ_CHECK(again_bytes == size_bytes && memcmp(again, data, size_bytes) == 0);
  free(again);
  return 0;
}
