/* SPDX-License-Identifier: Apache-2.0 */
/* Recommendations: shown from the store, exported with what can exist only afterwards: the log entry that names the bundle, its
 * inclusion proof and the checkpoint. Reads only, and proves from the published tiles, so that it works while `run` writes. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/evidence/evidence.h"
#include "control/file.h"
#include "control/table.h"
#include "control/tlog/tlog.h"

static json_t *row_json(const struct asz_slash_row *row, const char *provider) {
  char hash[2 * ASZ_HASH_BYTES + 1];
  asz_hex_encode(hash, row->bundle_hash, sizeof row->bundle_hash);
  return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:s}", "id", (json_int_t)row->id, "offence",
                   asz_offence_name((enum asz_offence)row->offence), "provider", provider, "epoch", (json_int_t)row->epoch,
                   "at_ns", (json_int_t)row->at_ns, "stake_bps", (json_int_t)row->stake_bps, "jail_ns", (json_int_t)row->jail_ns,
                   "bundle_sha256", hash, "log_index", (json_int_t)row->log_index, "reason", row->reason);
}

static void effect(const struct asz_slash_row *row, struct asz_text *ret_text) {
  if (row->stake_bps)
    snprintf(ret_text->chars, sizeof ret_text->chars, "%s of stake", asz_text_ppm(ASZ_TEXT, (uint64_t)row->stake_bps * 100));
  else
    snprintf(ret_text->chars, sizeof ret_text->chars, "jail %s", asz_text_span(ASZ_TEXT, row->jail_ns / 1000000000));
}

static int list_table(const struct asz_slash_row *rows, size_t count, const struct asz_provider *providers,
                      size_t provider_count) {
  static const char *const heading[] = {"id", "when", "epoch", "offence", "provider", "effect", "reason"};
  struct asz_table *table = asz_table_new("rlrllll");
  for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++)
    asz_table_cell(table, heading[i]);
  for (size_t i = 0; i < count; i++) {
    const struct asz_provider *provider = asz_provider_by_row(providers, provider_count, rows[i].provider_row);
    char id[24], epoch[16];
    struct asz_text what;
    snprintf(id, sizeof id, "%" PRId64, rows[i].id);
    snprintf(epoch, sizeof epoch, "%" PRIu32, rows[i].epoch);
    effect(&rows[i], &what);
    asz_table_cell(table, id);
    asz_table_cell(table, asz_text_time(ASZ_TEXT, rows[i].at_ns));
    asz_table_cell(table, epoch);
    asz_table_cell(table, asz_offence_name((enum asz_offence)rows[i].offence));
    asz_table_cell(table, provider ? provider->name : "?");
    asz_table_cell(table, what.chars);
    asz_table_cell(table, rows[i].reason);
  }
  return asz_table_print(table, stdout) == 0 ? ASZ_EXIT_OK : asz_cmd_fail(ASZ_ENOMEM, NULL);
}

static int list_json(const struct asz_slash_row *rows, size_t count, const struct asz_provider *providers,
                     size_t provider_count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    const struct asz_provider *provider = asz_provider_by_row(providers, provider_count, rows[i].provider_row);
    json_array_append_new(list, row_json(&rows[i], provider ? provider->name : "?"));
  }
  return asz_cmd_json(json_pack("{s:o}", "recommendations", list));
}

static int list(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_store *store;
  struct asz_slash_row *rows = NULL;
  struct asz_provider *providers = NULL;
  size_t count, row_count, provider_count;
  if (asz_cmd_options("slash", argc, argv, NULL, 0, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  int err = asz_home_open(&context->home, true, NULL, NULL, &store, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_store_slash_list(store, &rows, &row_count, &diag);
  if (!err)
    err = asz_store_provider_list(store, &providers, &provider_count, &diag);
  asz_store_close(store);
  int code;
  if (err)
    code = asz_cmd_fail(err, &diag);
  else if (context->json)
    code = list_json(rows, row_count, providers, provider_count);
  else
    code = list_table(rows, row_count, providers, provider_count);
  if (!err && row_count == 0)
    fprintf(stderr, "assize: nothing was ever recommended\n");
  free(rows);
  free(providers);
  return code;
}

/* One recommendation, its provider's name and its bundle. */
struct found {
  struct asz_slash_row row;
  char provider[ASZ_PROVIDER_NAME_MAX + 1];
  uint8_t *bundle;
  size_t bundle_bytes;
};

static int name_of(struct asz_store *store, int64_t row, char ret_name[ASZ_PROVIDER_NAME_MAX + 1], struct asz_diag *diag) {
  struct asz_provider *providers;
  size_t count;
  int err = asz_store_provider_list(store, &providers, &count, diag);
  if (err)
    return err;
  const struct asz_provider *provider = asz_provider_by_row(providers, count, row);
  snprintf(ret_name, ASZ_PROVIDER_NAME_MAX + 1, "%s", provider ? provider->name : "?");
  free(providers);
  return 0;
}

static int find_by_id(const struct asz_home *home, int64_t id, struct asz_identity *ret_key, struct found *ret_found,
                      struct asz_diag *diag) {
  struct asz_store *store;
  int err = asz_home_open(home, true, NULL, ret_key, &store, diag);
  if (err)
    return asz_cmd_fail(err, diag);
  err = asz_store_slash_get(store, id, &ret_found->row, &ret_found->bundle, &ret_found->bundle_bytes, diag);
  if (!err)
    err = name_of(store, ret_found->row.provider_row, ret_found->provider, diag);
  asz_store_close(store);
  if (!err)
    return ASZ_EXIT_OK;
  free(ret_found->bundle);
  ret_found->bundle = NULL;
  int code = asz_cmd_fail(err, diag);
  return err == ASZ_ENOENT ? ASZ_EXIT_NO : code;
}

static int show(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct found found = {.bundle = NULL};
  const char *text;
  uint64_t id;
  size_t count;
  if (asz_cmd_options("slash", argc, argv, NULL, 0, &text, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("slash", "show: expected an id (`assize slash list`)");
  if (asz_cmd_parse_u64("slash", "show", text, 1, INT64_MAX, &id) != 0)
    return ASZ_EXIT_INPUT;
  int code = find_by_id(&context->home, (int64_t)id, NULL, &found, &diag);
  if (code != ASZ_EXIT_OK)
    return code;
  if (context->json) {
    code = asz_cmd_json(row_json(&found.row, found.provider));
  } else {
    struct asz_text what;
    char hash[2 * ASZ_HASH_BYTES + 1];
    asz_hex_encode(hash, found.row.bundle_hash, sizeof found.row.bundle_hash);
    effect(&found.row, &what);
    printf("recommendation  #%" PRId64 " against %s, epoch %" PRIu32 ", %s\n", found.row.id, found.provider, found.row.epoch,
           asz_text_time(ASZ_TEXT, found.row.at_ns));
    printf("offence         %s: %s\n", asz_offence_name((enum asz_offence)found.row.offence),
           asz_offence_help((enum asz_offence)found.row.offence));
    printf("reason          %s\neffect          %s (recommended, never submitted)\n", found.row.reason, what.chars);
    printf("evidence        %s, SHA-256 %s, log entry %" PRIu64 "\n", asz_text_bytes(ASZ_TEXT, found.bundle_bytes), hash,
           found.row.log_index);
    printf("next            `assize slash export %" PRId64 " FILE`, then `assize-verify evidence FILE`\n", found.row.id);
  }
  free(found.bundle);
  return code;
}

/* The file that proves itself: *ret_file is heap. */
static int make_envelope(const char *log_dir, const uint8_t public_key[32], const struct found *found, uint8_t **ret_file,
                         size_t *ret_size, struct asz_diag *diag) {
  struct asz_checkpoint checkpoint;
  struct asz_inclusion inclusion = {.index = found->row.log_index};
  char *note = NULL;
  size_t entry_bytes;
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  int err =
      asz_tlog_prove_dir(log_dir, public_key, inclusion.index, &checkpoint, &note, inclusion.path, &inclusion.path_count, diag);
  if (!err)
    err = asz_checkpoint_own(note, public_key, diag);
  if (!err)
    err = asz_tlog_read_entry(log_dir, checkpoint.tree_size, inclusion.index, entry, &entry_bytes, diag);
  if (!err) {
    inclusion.tree_size = checkpoint.tree_size;
    err = asz_evidence_envelope(ret_file, ret_size, found->bundle, found->bundle_bytes, entry, entry_bytes, &inclusion, note);
    if (err)
      asz_diag_set(diag, err, "cannot make the envelope: %s", asz_err_str(err));
  }
  free(note);
  free(entry);
  return err;
}

static int export(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct found found = {.bundle = NULL};
  struct asz_identity key;
  bool force = false;
  const struct asz_cmd_option options[] = {{"--force", .flag = &force}};
  const char *words[2];
  uint8_t *file = NULL;
  uint64_t id;
  size_t count, size;
  if (asz_cmd_options("slash", argc, argv, options, 1, words, 2, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count < 2)
    return asz_cmd_usage_error("slash", "export: expected an id and a file");
  if (asz_cmd_parse_u64("slash", "export", words[0], 1, INT64_MAX, &id) != 0)
    return ASZ_EXIT_INPUT;
  int code = find_by_id(&context->home, (int64_t)id, &key, &found, &diag);
  if (code != ASZ_EXIT_OK)
    return code;
  int err = make_envelope(context->home.log_path, key.public_key, &found, &file, &size, &diag);
  asz_identity_wipe(&key);
  if (!err)
    err = asz_file_write(words[1], file, size, force, &diag);
  if (err)
    code = asz_cmd_fail(err, &diag);
  else if (context->json)
    code = asz_cmd_json(json_pack("{s:I, s:s, s:I}", "id", (json_int_t)found.row.id, "file", words[1], "size", (json_int_t)size));
  else
    printf("%s: %s\nnext: assize-verify evidence %s\n", words[1], asz_text_bytes(ASZ_TEXT, size), words[1]);
  free(file);
  free(found.bundle);
  return code;
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  static const struct asz_cmd_verb verbs[] = {{"list", list}, {"show", show}, {"export", export}};
  return asz_cmd_verb_run("slash", verbs, sizeof verbs / sizeof verbs[0], context, argc, argv);
}

const struct asz_cmd asz_cmd_slash = {
    .name = "slash",
    .summary = "slashing recommendations and their evidence",
    .usage = "  assize slash list\n"
             "  assize slash show 1\n"
             "  assize slash export 1 evidence.cbor      then: assize-verify evidence evidence.cbor\n\n"
             "  --force    export: replace a file that is there\n\n"
             "A recommendation is never submitted anywhere by this program. Works while `run` writes.\n",
    .run = run,
};
