/* SPDX-License-Identifier: Apache-2.0 */
#include "control/tlog/add_checkpoint.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/tlog/lines.h"

int asz_add_checkpoint_parse(struct asz_add_checkpoint *ret_request, const char *body, size_t size_bytes, struct asz_diag *diag) {
  const char *at = body, *end = body + size_bytes, *line = NULL;
  size_t line_bytes = 0;
  struct asz_add_checkpoint request;
  if (size_bytes > ASZ_ADD_CHECKPOINT_MAX_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "request: %zu bytes, expected at most %d", size_bytes, ASZ_ADD_CHECKPOINT_MAX_BYTES);
  if (asz_lines_next(&at, end, &line, &line_bytes) != 0 || asz_lines_labelled(&request.old_size, "old", line, line_bytes) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "request: line 1, expected \"old\" and a number without leading zeros");
  if (asz_lines_path(&at, end, request.path, &request.path_count) != 0 || request.path_count > ASZ_ADD_CHECKPOINT_PATH_MAX)
    return asz_diag_set(diag, ASZ_EFORMAT, "request: expected at most %d hashes as base64, one a line, and an empty line",
                        ASZ_ADD_CHECKPOINT_PATH_MAX);
  request.note = at;
  request.note_bytes = (size_t)(end - at);
  *ret_request = request;
  return 0;
}

int asz_add_checkpoint_format(char **ret_body, size_t *ret_size, const struct asz_add_checkpoint *request) {
  assert(request->path_count <= ASZ_ADD_CHECKPOINT_PATH_MAX);
  char *body = NULL, hash[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)];
  size_t size;
  FILE *out = open_memstream(&body, &size);
  if (!out)
    return ASZ_ENOMEM;
  fprintf(out, "old %llu\n", (unsigned long long)request->old_size);
  for (size_t i = 0; i < request->path_count; i++)
    fprintf(out, "%s\n", sodium_bin2base64(hash, sizeof hash, request->path[i], 32, sodium_base64_VARIANT_ORIGINAL));
  fprintf(out, "\n%.*s", (int)request->note_bytes, request->note);
  bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed) {
    free(body);
    return ASZ_ENOMEM;
  }
  *ret_body = body;
  *ret_size = size;
  return 0;
}

int asz_add_checkpoint_size(uint64_t *ret_size, const char *body, size_t size_bytes) {
  return size_bytes > 0 && body[size_bytes - 1] == '\n' ? asz_lines_number(ret_size, body, size_bytes - 1) : ASZ_EFORMAT;
}
