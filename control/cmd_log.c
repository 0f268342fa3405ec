/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/file.h"
#include "control/log_verbs.h"
#include "control/table.h"
#include "control/tlog/proof.h"

int asz_log_own_key(const struct asz_home *home, struct asz_note_key *ret_key, struct asz_diag *diag) {
  struct asz_config config; /* its presence says that there is a validator here */
  struct asz_identity key;
  int err = asz_home_open(home, true, &config, &key, NULL, diag);
  if (err)
    return err;
  asz_note_key_make(ret_key, config.validator_origin, ASZ_NOTE_ED25519, key.public_key);
  asz_identity_wipe(&key);
  return 0;
}

int asz_log_policy(const struct asz_home *home, const char *file, struct asz_policy **ret_policy, struct asz_diag *diag) {
  struct asz_note_key own;
  struct asz_policy *policy = NULL;
  int err = asz_log_own_key(home, &own, diag);
  if (!err && file)
    err = asz_policy_read(&policy, file, diag);
  if (err)
    return err;
  if (!policy)
    policy = asz_policy_of_log(&own);
  if (!policy)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a policy");
  if (policy->log_count == 0) /* the specification lets a policy leave the log to its user */
    policy->log[policy->log_count++] = own;
  *ret_policy = policy;
  return 0;
}

int asz_log_fail(int err, const struct asz_diag *diag) {
  int code = asz_cmd_fail(err, diag);
  return err == ASZ_EAUTH || err == ASZ_EFORMAT || err == ASZ_ENOENT ? ASZ_EXIT_NO : code;
}

static int verify_all(const struct asz_cmd_context *context) {
  struct asz_diag diag = {""};
  struct asz_checkpoint checkpoint;
  struct asz_note_key own;
  int err = asz_log_own_key(&context->home, &own, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_tlog_verify(context->home.log_path, own.public_key, &checkpoint, &diag);
  if (err)
    return asz_log_fail(err, &diag);
  char root[2 * ASZ_HASH_BYTES + 1];
  asz_hex_encode(root, checkpoint.root, sizeof checkpoint.root);
  if (context->json)
    return asz_cmd_json(json_pack("{s:b, s:s, s:I, s:s}", "valid", 1, "origin", checkpoint.origin, "size",
                                  (json_int_t)checkpoint.tree_size, "root", root));
  printf("valid: %s entries of %s, every one hashed, root %s, signed by this validator\n",
         asz_text_count(ASZ_TEXT, checkpoint.tree_size), checkpoint.origin, root);
  return ASZ_EXIT_OK;
}

static int show_proof(const struct asz_cmd_context *context, const struct asz_proof *proof,
                      const struct asz_checkpoint *checkpoint, unsigned cosigned) {
  uint8_t leaf[ASZ_HASH_BYTES];
  char text[2 * ASZ_HASH_BYTES + 1];
  asz_tlog_leaf_hash(leaf, proof->extra, proof->extra_bytes);
  asz_hex_encode(text, leaf, sizeof leaf);
  if (context->json)
    return asz_cmd_json(json_pack("{s:b, s:s, s:I, s:I, s:i, s:s}", "valid", 1, "origin", checkpoint->origin, "size",
                                  (json_int_t)checkpoint->tree_size, "index", (json_int_t)proof->index, "cosigned", (int)cosigned,
                                  "leaf_hash", text));
  printf("valid: entry %" PRIu64 " of %s, in the tree of %" PRIu64 " entries, cosigned by %u witnesses, leaf hash %s\n",
         proof->index, checkpoint->origin, checkpoint->tree_size, cosigned, text);
  return ASZ_EXIT_OK;
}

static int verify_proof(const struct asz_cmd_context *context, const char *path, const char *policy_path) {
  struct asz_diag diag = {""};
  struct asz_checkpoint checkpoint;
  struct asz_policy *policy = NULL;
  struct asz_proof *proof = malloc(sizeof *proof);
  uint8_t *text = NULL;
  size_t size;
  unsigned cosigned;
  int code, err = proof ? asz_log_policy(&context->home, policy_path, &policy, &diag) : ASZ_ENOMEM;
  if (!err)
    err = asz_file_read(&text, &size, path, ASZ_PROOF_MAX_BYTES, &diag);
  if (err) {
    code = asz_cmd_fail(err, &diag);
  } else {
    err = asz_proof_parse(proof, (const char *)text, size, &diag);
    if (!err && !proof->have_extra)
      err = asz_diag_set(&diag, ASZ_EFORMAT, "proof: expected the entry in its extra line; else: assize-verify proof --entry");
    if (!err)
      err = asz_proof_check(proof, policy, proof->extra, proof->extra_bytes, &checkpoint, &cosigned, &diag);
    code = err ? asz_log_fail(err, &diag) : show_proof(context, proof, &checkpoint, cosigned);
  }
  free(text);
  free(proof);
  free(policy);
  return code;
}

static int verify(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *policy = NULL, *file = NULL;
  const struct asz_cmd_option options[] = {{"--policy", .value = &policy}};
  size_t count;
  if (asz_cmd_options("log", argc, argv, options, 1, &file, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0 && policy)
    return asz_cmd_usage_error("log", "verify: --policy: expected the file of a proof with it");
  return count == 0 ? verify_all(context) : verify_proof(context, file, policy);
}

static int prove(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_note_key own;
  const char *word;
  uint64_t index;
  size_t count, size;
  char *note = NULL, *text = NULL;
  if (asz_cmd_options("log", argc, argv, NULL, 0, &word, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("log", "prove: expected the index of an entry, from 0");
  if (asz_cmd_parse_u64("log", "prove", word, 0, INT64_MAX, &index) != 0)
    return ASZ_EXIT_INPUT;
  struct asz_proof *proof = malloc(sizeof *proof);
  int err = proof ? asz_log_own_key(&context->home, &own, &diag) : ASZ_ENOMEM;
  if (!err)
    err = asz_proof_make(proof, &note, context->home.log_path, own.public_key, index, &diag);
  if (!err)
    err = asz_proof_format(&text, &size, proof);
  int code = ASZ_EXIT_OK;
  if (err)
    code = err == ASZ_ENOENT || err == ASZ_EAUTH ? asz_log_fail(err, &diag) : asz_cmd_fail(err, &diag);
  else if (context->json)
    code = asz_cmd_json(json_pack("{s:I, s:s}", "index", (json_int_t)index, "proof", text));
  else
    fwrite(text, 1, size, stdout);
  free(text);
  free(note);
  free(proof);
  return code;
}

/* The published checkpoint, as it is served. */
static int checkpoint(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_checkpoint head;
  const char *policy_path = NULL;
  const struct asz_cmd_option options[] = {{"--policy", .value = &policy_path}};
  struct asz_policy *policy;
  uint8_t *note = NULL;
  size_t count, size;
  unsigned cosigned;
  char path[ASZ_PATH_MAX + 16], root[2 * ASZ_HASH_BYTES + 1];
  if (asz_cmd_options("log", argc, argv, options, 1, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  int err = asz_log_policy(&context->home, policy_path, &policy, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  snprintf(path, sizeof path, "%s/checkpoint", context->home.log_path);
  int code = ASZ_EXIT_OK;
  err = asz_file_read(&note, &size, path, ASZ_NOTE_MAX_BYTES, &diag);
  if (!err)
    err = asz_policy_check(policy, (const char *)note, size, &head, &cosigned, &diag);
  if (err) {
    code = asz_log_fail(err, &diag);
  } else if (context->json) {
    asz_hex_encode(root, head.root, sizeof head.root);
    code = asz_cmd_json(json_pack("{s:s, s:I, s:s, s:i, s:s}", "origin", head.origin, "size", (json_int_t)head.tree_size, "root",
                                  root, "cosigned", (int)cosigned, "note", (const char *)note));
  } else {
    fwrite(note, 1, size, stdout);
  }
  free(note);
  free(policy);
  return code;
}

/* The checkpoint that the last fsck saw: absent the first time. */
static int read_known(const char *path, const uint8_t public_key[32], struct asz_checkpoint *ret_known, bool *ret_have,
                      struct asz_diag *diag) {
  uint8_t *note;
  size_t size;
  int err = asz_file_read(&note, &size, path, ASZ_NOTE_MAX_BYTES, diag);
  if (err == ASZ_ENOENT)
    return 0;
  if (err)
    return err;
  struct asz_diag why = {""};
  err = asz_checkpoint_open(ret_known, (const char *)note, size, public_key, &why);
  free(note);
  if (err)
    return asz_diag_set(diag, ASZ_EINVAL, "%s: not a checkpoint of this log: %s", path, why.text);
  *ret_have = true;
  return 0;
}

static int fsck(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_note_key own;
  struct asz_checkpoint known;
  struct asz_tlog_fsck report;
  const char *known_path = NULL;
  const struct asz_cmd_option options[] = {{"--known", .value = &known_path}};
  size_t count;
  char *note;
  bool have_known = false;
  if (asz_cmd_options("log", argc, argv, options, 1, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  int err = asz_log_own_key(&context->home, &own, &diag);
  if (!err && known_path)
    err = read_known(known_path, own.public_key, &known, &have_known, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_tlog_fsck(context->home.log_path, own.public_key, have_known ? &known : NULL, &report, &note, &diag);
  if (err)
    return asz_log_fail(err, &diag);
  if (known_path)
    err = asz_file_write(known_path, note, strlen(note), true, &diag);
  free(note);
  if (err)
    return asz_cmd_fail(err, &diag);
  int64_t known_size = have_known ? (int64_t)known.tree_size : -1;
  if (context->json)
    return asz_cmd_json(json_pack("{s:b, s:I, s:I, s:I, s:o}", "valid", 1, "size", (json_int_t)report.head.tree_size, "files",
                                  (json_int_t)report.files, "leftovers", (json_int_t)report.leftovers, "known_size",
                                  have_known ? json_integer(known_size) : json_null()));
  printf("valid: %" PRIu64 " entries of %s, %" PRIu64 " tiles and bundles, signed by this validator\n", report.head.tree_size,
         report.head.origin, report.files);
  if (have_known)
    printf("extends the known checkpoint of %" PRId64 " entries\n", known_size);
  if (report.leftovers)
    printf("%" PRIu64
           " files that no checkpoint covers: of a publish that is under way, or was cut off; the next ones overwrite them\n",
           report.leftovers);
  return ASZ_EXIT_OK;
}

static int show_entry(const struct asz_cmd_context *context, uint64_t index, const uint8_t *entry, size_t size) {
  uint8_t leaf[ASZ_HASH_BYTES];
  char leaf_text[2 * ASZ_HASH_BYTES + 1];
  char *hex = malloc(2 * size + 1);
  if (!hex)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  asz_tlog_leaf_hash(leaf, entry, size);
  asz_hex_encode(leaf_text, leaf, sizeof leaf);
  asz_hex_encode(hex, entry, size);
  int code = ASZ_EXIT_OK;
  if (context->json)
    code = asz_cmd_json(json_pack("{s:I, s:I, s:s, s:s}", "index", (json_int_t)index, "size", (json_int_t)size, "leaf_hash",
                                  leaf_text, "cbor", hex));
  else
    printf("entry      %" PRIu64 "\nsize       %zu bytes\nleaf hash  %s\ncbor       %s\n", index, size, leaf_text, hex);
  free(hex);
  return code;
}

static int show(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_checkpoint checkpoint;
  struct asz_note_key own;
  const char *text;
  uint64_t index;
  size_t count, size;
  if (asz_cmd_options("log", argc, argv, NULL, 0, &text, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("log", "show: expected the index of an entry, from 0");
  if (asz_cmd_parse_u64("log", "show", text, 0, INT64_MAX, &index) != 0)
    return ASZ_EXIT_INPUT;
  int err = asz_log_own_key(&context->home, &own, &diag);
  if (!err)
    err = asz_tlog_head(context->home.log_path, own.public_key, &checkpoint, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  err = asz_tlog_read_entry(context->home.log_path, checkpoint.tree_size, index, entry, &size, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : show_entry(context, index, entry, size);
  free(entry);
  return err == ASZ_ENOENT ? ASZ_EXIT_NO : code;
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  static const struct asz_cmd_verb verbs[] = {
      {"checkpoint", checkpoint}, {"prove", prove},           {"verify", verify},          {"fsck", fsck}, {"show", show},
      {"tail", asz_log_tail},     {"cosign", asz_log_cosign}, {"witness", asz_log_witness}};
  return asz_cmd_verb_run("log", verbs, sizeof verbs / sizeof verbs[0], context, argc, argv);
}

const struct asz_cmd asz_cmd_log = {
    .name = "log",
    .summary = "check and read the transparency log",
    .usage =
        "  assize log checkpoint                   the published checkpoint, its signature checked; --policy FILE: and its\n"
        "                                          cosignatures\n"
        "  assize log prove 12 > 12.tlog-proof     a file that proves offline that entry 12 is in the log\n"
        "  assize log verify 12.tlog-proof         check such a file; --policy FILE: of which logs and witnesses\n"
        "  assize log verify                       hash every entry and tile, check the checkpoint's signature\n"
        "  assize log fsck --known FILE            the same, and everything else that lies there; FILE keeps the checkpoint "
        "that\n"
        "                                          was seen, and the next log must extend it\n"
        "  assize log show 12                      one published entry: its leaf hash and its bytes (deterministic CBOR, in "
        "hex)\n"
        "  assize log tail --count 20 --follow     the newest entries, each proved to be in the tree; then what comes\n"
        "Exit code 1 when a check fails. HOME/log is a C2SP tlog-tiles log: any web server can serve it as it is. Works while\n"
        "`run` writes.\n",
    .run = run,
};
