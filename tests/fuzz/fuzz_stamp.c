/* SPDX-License-Identifier: Apache-2.0 */
/* The reflector: any payload of 44 bytes or more comes back in its own size, with nothing changed behind the base packet but
 * TLV flags (and, with a session, our own TLV's role and MAC). */
#include <string.h>

#include "dataplane/base/stamp.h"
#include "tests/fuzz/fuzz.h"

static void check_reflect(const uint8_t *data, size_t size_bytes, const struct asz_session *session) {
  uint8_t *reply = malloc(size_bytes == 0 ? 1 : size_bytes);
  FUZZ_CHECK(reply != NULL);
  memcpy(reply, data, size_bytes);
  int result = asz_stamp_reflect(reply, size_bytes, 1, 2, ASZ_STAMP_ERROR_UNSYNCHRONISED, 64, session);
  if (size_bytes < ASZ_STAMP_BYTES) {
    FUZZ_CHECK(result == ASZ_EFORMAT && memcmp(reply, data, size_bytes) == 0);
  } else {
    FUZZ_CHECK(result == (int)size_bytes);
    FUZZ_CHECK(memcmp(reply + ASZ_STAMP_SEQ, data + ASZ_STAMP_SEQ, 4) == 0);
    FUZZ_CHECK(memcmp(reply + ASZ_STAMP_SENDER_SEQ, data, ASZ_STAMP_SSID) == 0);
    FUZZ_CHECK(memcmp(reply + ASZ_STAMP_SSID, data + ASZ_STAMP_SSID, 2) == 0);
    int ours = asz_tlv_find(data, size_bytes);
    for (size_t i = ASZ_STAMP_BYTES; i < size_bytes; i++) {
      uint8_t flags = ASZ_TLV_FLAG_UNRECOGNISED | ASZ_TLV_FLAG_MALFORMED;
      int is_flags = reply[i] == ASZ_TLV_FLAG_UNRECOGNISED || reply[i] == flags;
      int is_answer = ours && session != NULL && (i == ASZ_TLV_AT || i == ASZ_TLV_AT_ROLE || i >= ASZ_TLV_AT_MAC);
      FUZZ_CHECK(reply[i] == data[i] || is_flags || is_answer);
    }
    if (ours && session != NULL)
      FUZZ_CHECK(asz_mac_check(reply + ASZ_TLV_AT_MAC, session->reply_key, reply, ASZ_TLV_AT_MAC));
  }
  free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static const struct asz_session session = {.request_key = {1}, .reply_key = {2}};
  check_reflect(data, size_bytes, NULL);
  check_reflect(data, size_bytes, &session);
  return 0;
}
