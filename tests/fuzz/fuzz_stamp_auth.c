/* SPDX-License-Identifier: Apache-2.0 */
/* The reflector of authenticated mode, behind its HMAC check: any payload of 112 bytes or more comes back in its own size, with a
 * right HMAC, and behind the base packet nothing is changed but TLV flags and the HMAC TLV's value. Bit 0 of the first byte: give
 * the first HMAC TLV the value that is right where it stands. */
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE_MAX_BYTES = 1472, HMAC_TLV_BYTES = 20 };

static struct asz_hmac_lanes *lanes; /* made once */
static struct asz_hmac_key key;

/* Where the first HMAC TLV in form stands; 0: nowhere. */
static size_t hmac_at(const uint8_t *payload, size_t size_bytes) {
  for (size_t at = ASZ_STAMP_AUTH_BYTES; at + 4 <= size_bytes; at += 4u + asz_be16_load(payload + at + 2))
    if (payload[at + 1] == ASZ_TLV_TYPE_HMAC && asz_be16_load(payload + at + 2) == 16 && at + HMAC_TLV_BYTES <= size_bytes)
      return at;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes < 1 || size_bytes > SIZE_MAX_BYTES)
    return 0;
  if (lanes == NULL) {
    FUZZ_CHECK(asz_hmac_lanes_new(&lanes) == 0);
    asz_hmac_key_set(&key, "fuzz", 4);
  }
  bool repair = (data[0] & 1) != 0;
  size_t size = size_bytes - 1;
  uint8_t *request = malloc(size + 1), *reply = malloc(size + 1);
  FUZZ_CHECK(request != NULL && reply != NULL);
  memcpy(request, data + 1, size);
  size_t at = hmac_at(request, size);
  if (repair && at != 0) {
    const struct asz_hash_part parts[] = {{request, 4}, {request + ASZ_STAMP_AUTH_BYTES, at - ASZ_STAMP_AUTH_BYTES}};
    asz_hmac(request + at + 4, &key, parts, 2);
  }
  memcpy(reply, request, size);
  int result = asz_stamp_auth_reflect(lanes, &key, reply, size, 1, 2, 0x0801, 64);
  if (size < ASZ_STAMP_AUTH_BYTES) {
    FUZZ_CHECK(result == ASZ_EFORMAT && memcmp(reply, request, size) == 0);
  } else {
    FUZZ_CHECK(result == (int)size);
    FUZZ_CHECK(asz_stamp_auth_verify(lanes, &key, reply) && asz_stamp_auth_is_reply(reply));
    FUZZ_CHECK(memcmp(reply, request, 4) == 0 && memcmp(reply + ASZ_STAMP_AUTH_SENDER_SEQ, request, 4) == 0);
    FUZZ_CHECK(memcmp(reply + ASZ_STAMP_AUTH_SENDER_TIME, request + ASZ_STAMP_AUTH_TIME, 10) == 0);
    for (size_t i = ASZ_STAMP_AUTH_BYTES; i < size; i++)
      FUZZ_CHECK(reply[i] == request[i] || (reply[i] & 0x1f) == 0 || (at != 0 && i >= at + 4 && i < at + HMAC_TLV_BYTES));
  }
  free(request);
  free(reply);
  return 0;
}
