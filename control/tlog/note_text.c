/* SPDX-License-Identifier: Apache-2.0 */
/* What a signed note is written in: UTF-8 without control characters, names without spaces, and base64. Base64 is read strictly,
 * padded and with its unused bits zero, so that a signature has one spelling only. */
#include <sodium.h>
#include <string.h>

#include "control/tlog/note.h"

/* One code point, or -1. Refuses overlong forms, surrogates and what lies beyond U+10FFFF. */
static int32_t utf8_next(const uint8_t *text, size_t size, size_t *at) {
  uint8_t lead = text[*at];
  if (lead < 0x80) {
    (*at)++;
    return lead;
  }
  unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4 || size - *at <= more)
    return -1;
  int32_t point = lead & (0x3f >> more);
  for (unsigned i = 1; i <= more; i++) {
    uint8_t byte = text[*at + i];
    if ((byte & 0xc0) != 0x80)
      return -1;
    point = point << 6 | (byte & 0x3f);
  }
  if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000) || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
    return -1;
  *at += more + 1;
  return point;
}

/* The code points with the White_Space property of Unicode. */
static bool is_space(int32_t point) {
  return point == 0x20 || (point >= 0x09 && point <= 0x0d) || point == 0x85 || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f ||
         point == 0x3000;
}

bool asz_text_ok(const char *text, size_t size_bytes, const char *allowed) {
  for (size_t at = 0; at < size_bytes;) {
    int32_t point = utf8_next((const uint8_t *)text, size_bytes, &at);
    if (point <= 0 || point == 0x7f || (point < 0x20 && !strchr(allowed, point)))
      return false;
  }
  return true;
}

bool asz_key_name_ok(const char *name, size_t size_bytes) {
  if (size_bytes == 0 || size_bytes > ASZ_TLOG_ORIGIN_MAX)
    return false;
  for (size_t at = 0; at < size_bytes;) {
    int32_t point = utf8_next((const uint8_t *)name, size_bytes, &at);
    if (point < 0x20 || point == 0x7f || point == '+' || is_space(point))
      return false;
  }
  return true;
}

static bool is_base64_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

int asz_base64_decode(uint8_t *ret_bytes, size_t capacity, size_t *ret_size, const char *text, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) /* libsodium takes bytes above 0x7f for '/' */
    if (!is_base64_letter(text[i]))
      return ASZ_EFORMAT;
  size_t size;
  if (sodium_base642bin(ret_bytes, capacity, text, size_bytes, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
    return ASZ_EFORMAT;
  *ret_size = size;
  return 0;
}
