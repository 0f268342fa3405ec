/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/cmd.h"
#include "control/table.h"
#include "control/tlog/tlog.h"

/* Both verbs need the public key alone. */
static int own_public_key(const struct asz_home *home, uint8_t ret_public_key[32], struct asz_diag *diag) {
  struct asz_config config; /* its presence says that there is a validator here */
  struct asz_identity key;
  int err = asz_home_open(home, true, &config, &key, NULL, diag);
  if (err)
    return err;
  for (size_t i = 0; i < ASZ_PK_BYTES; i++)
    ret_public_key[i] = key.public_key[i];
  asz_identity_wipe(&key);
  return 0;
}

static int verify(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_checkpoint checkpoint;
  uint8_t public_key[ASZ_PK_BYTES];
  size_t count;
  if (asz_cmd_options("log", argc, argv, NULL, 0, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  int err = own_public_key(&context->home, public_key, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_tlog_verify(context->home.log_path, public_key, &checkpoint, &diag);
  if (err) {
    int code = asz_cmd_fail(err, &diag);
    return err == ASZ_EAUTH || err == ASZ_EFORMAT || err == ASZ_ENOENT ? ASZ_EXIT_NO : code;
  }
  char root[2 * ASZ_HASH_BYTES + 1];
  asz_hex_encode(root, checkpoint.root, sizeof checkpoint.root);
  if (context->json)
    return asz_cmd_json(json_pack("{s:b, s:s, s:I, s:s}", "valid", 1, "origin", checkpoint.origin, "size",
                                  (json_int_t)checkpoint.tree_size, "root", root));
  printf("valid: %s entries of %s, every one hashed, root %s, signed by this validator\n",
         asz_text_count(ASZ_TEXT, checkpoint.tree_size), checkpoint.origin, root);
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
  uint8_t public_key[ASZ_PK_BYTES];
  const char *text;
  uint64_t index;
  size_t count, size;
  if (asz_cmd_options("log", argc, argv, NULL, 0, &text, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("log", "show: expected the index of an entry, from 0");
  if (asz_cmd_parse_u64("log", "show", text, 0, INT64_MAX, &index) != 0)
    return ASZ_EXIT_INPUT;
  int err = own_public_key(&context->home, public_key, &diag);
  if (!err)
    err = asz_tlog_head(context->home.log_path, public_key, &checkpoint, &diag);
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
  static const struct asz_cmd_verb verbs[] = {{"verify", verify}, {"show", show}};
  return asz_cmd_verb_run("log", verbs, sizeof verbs / sizeof verbs[0], context, argc, argv);
}

const struct asz_cmd asz_cmd_log = {
    .name = "log",
    .summary = "check and read the transparency log",
    .usage = "  assize log verify        hash every entry and tile, check the checkpoint's signature; exit code 1 when it fails\n"
             "  assize log show 12       one published entry: its leaf hash and its bytes (deterministic CBOR, in hex)\n\n"
             "HOME/log is a C2SP tlog-tiles log: any web server can serve it as it is. Works while `run` writes.\n",
    .run = run,
};
