/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/simd/sig.h"

#include "gpu/kinds/sig.h"
#include "gpu/simd/sig_private.h"

const struct asz_sig_backend *const asz_sig_backends[] = {
    &asz_sig_plain,
#if defined(__x86_64__)
    &asz_sig_avx2,
    &asz_sig_ifma,
#endif
};
const unsigned asz_sig_backend_count = sizeof asz_sig_backends / sizeof asz_sig_backends[0];

const struct asz_sig_backend *asz_sig_backend_best(void) {
  unsigned i = asz_sig_backend_count - 1;
  while (!asz_sig_backends[i]->supported())
    i--; /* stops at 0: plain C is always supported */
  return asz_sig_backends[i];
}

/* The verdict that an item gets without the curve; NONE when it needs the curve. */
static enum asz_verdict refuse_one(const struct asz_sig_keys *keys, const struct asz_sig_items *items, uint32_t item) {
  if (items->message_bytes[item] > ASZ_SIG_MESSAGE_MAX)
    return ASZ_VERDICT_MALFORMED;
  uint32_t key = items->key[item];
  if (key >= keys->capacity || keys->state[key] == ASZ_SIG_KEY_NONE)
    return ASZ_VERDICT_UNJUDGED;
  uint64_t s[4];
  memcpy(s, items->signature[item] + 32, sizeof s);
  if (keys->state[key] == ASZ_SIG_KEY_BAD || !asz_sig_scalar_is_canonical(s))
    return ASZ_VERDICT_FAIL;
  return ASZ_VERDICT_NONE;
}

unsigned asz_sig_refuse(uint32_t ret_item[ASZ_SIG_GROUP], const struct asz_sig_keys *keys, const struct asz_sig_items *items,
                        uint32_t first, uint32_t count) {
  unsigned left = 0;
  for (uint32_t item = first; item < first + count; item++) {
    enum asz_verdict verdict = refuse_one(keys, items, item);
    items->verdict[item] = (uint8_t)verdict;
    ret_item[left] = item;
    left += verdict == ASZ_VERDICT_NONE;
  }
  return left;
}

uint8_t asz_sig_compare(const uint8_t signature[64], const uint64_t encoded[4]) {
  bool pass = memcmp(signature, encoded, 32) == 0 && !asz_sig_has_small_order(signature);
  return pass ? ASZ_VERDICT_PASS : ASZ_VERDICT_FAIL;
}
