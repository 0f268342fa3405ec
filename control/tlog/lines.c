/* SPDX-License-Identifier: Apache-2.0 */
#include "control/tlog/lines.h"

#include <string.h>

#include "control/tlog/note.h"

int asz_lines_next(const char **at, const char *end, const char **ret_line, size_t *ret_size) {
  const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
  if (!newline)
    return ASZ_EFORMAT;
  *ret_line = *at;
  *ret_size = (size_t)(newline - *at);
  *at = newline + 1;
  return 0;
}

int asz_lines_number(uint64_t *ret_number, const char *digits, size_t count) {
  if (count == 0 || count > 19 || (count > 1 && digits[0] == '0'))
    return ASZ_EFORMAT;
  uint64_t number = 0;
  for (size_t i = 0; i < count; i++) {
    if (digits[i] < '0' || digits[i] > '9')
      return ASZ_EFORMAT;
    number = number * 10 + (uint64_t)(digits[i] - '0'); /* 19 digits stay below 2^64 */
  }
  if (number > INT64_MAX)
    return ASZ_EFORMAT;
  *ret_number = number;
  return 0;
}

int asz_lines_labelled(uint64_t *ret_number, const char *label, const char *line, size_t size_bytes) {
  size_t length = strlen(label);
  if (size_bytes <= length + 1 || memcmp(line, label, length) != 0 || line[length] != ' ')
    return ASZ_EFORMAT;
  return asz_lines_number(ret_number, line + length + 1, size_bytes - length - 1);
}

int asz_lines_hash(uint8_t ret_hash[32], const char *line, size_t size_bytes) {
  uint8_t hash[32];
  size_t hash_bytes;
  if (asz_base64_decode(hash, sizeof hash, &hash_bytes, line, size_bytes) != 0 || hash_bytes != sizeof hash)
    return ASZ_EFORMAT;
  memcpy(ret_hash, hash, sizeof hash);
  return 0;
}

int asz_lines_path(const char **at, const char *end, uint8_t (*ret_path)[32], size_t *ret_count) {
  const char *line;
  size_t line_bytes, count = 0;
  for (;;) {
    int err = asz_lines_next(at, end, &line, &line_bytes);
    if (err)
      return err;
    if (line_bytes == 0)
      break;
    if (count == ASZ_TLOG_PROOF_MAX || asz_lines_hash(ret_path[count++], line, line_bytes) != 0)
      return ASZ_EFORMAT;
  }
  *ret_count = count;
  return 0;
}
