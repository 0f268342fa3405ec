/* SPDX-License-Identifier: Apache-2.0 */
#include "control/tlog/proof.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/lines.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1", extra_label[] = "extra ";

int asz_proof_parse(struct asz_proof *ret_proof, const char *text, size_t size_bytes, struct asz_diag *diag) {
  const char *at = text, *end = text + size_bytes, *line = NULL;
  const size_t label_bytes = sizeof extra_label - 1;
  size_t line_bytes = 0;
  ret_proof->have_extra = false;
  ret_proof->extra_bytes = 0;
  if (size_bytes > ASZ_PROOF_MAX_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "proof: %zu bytes, expected at most %d", size_bytes, ASZ_PROOF_MAX_BYTES);
  if (asz_lines_next(&at, end, &line, &line_bytes) != 0 || line_bytes != sizeof first_line - 1 ||
      memcmp(line, first_line, line_bytes) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "proof: line 1, expected \"%s\"", first_line);
  int err = asz_lines_next(&at, end, &line, &line_bytes);
  if (!err && line_bytes >= label_bytes && memcmp(line, extra_label, label_bytes) == 0) {
    if (asz_base64_decode(ret_proof->extra, sizeof ret_proof->extra, &ret_proof->extra_bytes, line + label_bytes,
                          line_bytes - label_bytes) != 0)
      return asz_diag_set(diag, ASZ_EFORMAT, "proof: extra, expected at most %d bytes as base64", ASZ_TLOG_ENTRY_MAX);
    ret_proof->have_extra = true;
    err = asz_lines_next(&at, end, &line, &line_bytes);
  }
  if (err || asz_lines_labelled(&ret_proof->index, "index", line, line_bytes) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "proof: expected \"index\" and a number without leading zeros");
  if (asz_lines_path(&at, end, ret_proof->path, &ret_proof->path_count) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "proof: expected at most %d hashes as base64, one a line, and an empty line",
                        ASZ_TLOG_PROOF_MAX);
  ret_proof->note = at;
  ret_proof->note_bytes = (size_t)(end - at);
  return 0;
}

int asz_proof_format(char **ret_text, size_t *ret_size, const struct asz_proof *proof) {
  assert(proof->path_count <= ASZ_TLOG_PROOF_MAX && proof->extra_bytes <= ASZ_TLOG_ENTRY_MAX);
  const size_t base64_max = sodium_base64_ENCODED_LEN(ASZ_TLOG_ENTRY_MAX, sodium_base64_VARIANT_ORIGINAL);
  char *text = NULL, *base64 = malloc(base64_max);
  size_t size;
  FILE *out = base64 ? open_memstream(&text, &size) : NULL;
  if (!out) {
    free(base64);
    return ASZ_ENOMEM;
  }
  fprintf(out, "%s\n", first_line);
  if (proof->have_extra)
    fprintf(out, "%s%s\n", extra_label,
            sodium_bin2base64(base64, base64_max, proof->extra, proof->extra_bytes, sodium_base64_VARIANT_ORIGINAL));
  fprintf(out, "index %llu\n", (unsigned long long)proof->index);
  for (size_t i = 0; i < proof->path_count; i++)
    fprintf(out, "%s\n", sodium_bin2base64(base64, base64_max, proof->path[i], 32, sodium_base64_VARIANT_ORIGINAL));
  fprintf(out, "\n%.*s", (int)proof->note_bytes, proof->note);
  bool failed = ferror(out) != 0;
  free(base64);
  if (fclose(out) != 0 || failed) {
    free(text);
    return ASZ_ENOMEM;
  }
  *ret_text = text;
  *ret_size = size;
  return 0;
}

int asz_proof_make(struct asz_proof *ret_proof, char **ret_note, const char *dir, const uint8_t public_key[32], uint64_t index,
                   struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  char *note;
  int err = asz_tlog_prove_dir(dir, public_key, index, &checkpoint, &note, ret_proof->path, &ret_proof->path_count, diag);
  if (err)
    return err;
  err = asz_tlog_read_proven(dir, &checkpoint, index, ret_proof->extra, &ret_proof->extra_bytes, diag);
  if (err) {
    free(note);
    return err;
  }
  ret_proof->index = index;
  ret_proof->have_extra = true;
  ret_proof->note = *ret_note = note;
  ret_proof->note_bytes = strlen(note);
  return 0;
}

int asz_proof_check(const struct asz_proof *proof, const struct asz_policy *policy, const uint8_t *entry, size_t entry_bytes,
                    struct asz_checkpoint *ret_checkpoint, unsigned *ret_cosigned, struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  unsigned cosigned;
  uint8_t leaf[32];
  int err = asz_policy_check(policy, proof->note, proof->note_bytes, &checkpoint, &cosigned, diag);
  if (err)
    return err;
  asz_tlog_leaf_hash(leaf, entry, entry_bytes);
  if (asz_tlog_inclusion_check(checkpoint.root, checkpoint.tree_size, proof->index, leaf, (const uint8_t(*)[32])proof->path,
                               proof->path_count) != 0)
    return asz_diag_set(diag, ASZ_EAUTH, "proof: the entry is not number %llu in the tree of the checkpoint",
                        (unsigned long long)proof->index);
  *ret_checkpoint = checkpoint;
  *ret_cosigned = cosigned;
  return 0;
}
