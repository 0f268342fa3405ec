/* SPDX-License-Identifier: Apache-2.0 */
/* `log tail`: reads the log as a monitor does. It believes the signed checkpoint; of each entry it proves that it is in that
 * tree, and of each later checkpoint that its tree extends the one before. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/evidence/entry.h"
#include "control/log_verbs.h"
#include "control/tlog/tlog.h"

enum { COUNT_DEFAULT = 10, POLL_S = 1 };

/* What an entry says, in a few words. */
static void describe(char *ret_text, size_t capacity, const uint8_t *entry, size_t size) {
  struct asz_epoch_open open;
  struct asz_epoch_close close;
  struct asz_slash_entry slash;
  char pk[2 * ASZ_PK_BYTES + 1];
  if (asz_entry_epoch_open_read(&open, entry, size, NULL) == 0) {
    snprintf(ret_text, capacity, "epoch %" PRIu32 " opens", open.epoch);
  } else if (asz_entry_epoch_close_read(&close, entry, size, NULL) == 0) {
    snprintf(ret_text, capacity, "epoch %" PRIu32 " closes, %" PRIu32 " providers", close.epoch, close.provider_count);
  } else if (asz_entry_slash_read(&slash, entry, size, NULL) == 0) {
    asz_hex_encode(pk, slash.provider_pk, sizeof slash.provider_pk);
    snprintf(ret_text, capacity, "epoch %" PRIu32 " recommends S%u, %" PRIu32 ".%02" PRIu32 " %% of the stake of %s", slash.epoch,
             slash.offence, slash.stake_bps / 100, slash.stake_bps % 100, pk);
  } else {
    snprintf(ret_text, capacity, "%zu bytes of another kind", size);
  }
}

/* One line an entry: text, or a JSON object. */
static int print_entry(const struct asz_cmd_context *context, uint64_t index, const uint8_t *entry, size_t size) {
  uint8_t leaf[ASZ_HASH_BYTES];
  char text[160], leaf_text[2 * ASZ_HASH_BYTES + 1];
  describe(text, sizeof text, entry, size);
  asz_tlog_leaf_hash(leaf, entry, size);
  asz_hex_encode(leaf_text, leaf, sizeof leaf);
  if (!context->json) {
    printf("%10" PRIu64 "  %s\n", index, text);
    return 0;
  }
  json_t *line = json_pack("{s:I, s:s, s:s, s:I}", "index", (json_int_t)index, "text", text, "leaf_hash", leaf_text, "size",
                           (json_int_t)size);
  if (!line)
    return ASZ_ENOMEM;
  int failed = json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
  json_decref(line);
  putchar('\n');
  return failed ? ASZ_EIO : 0;
}

static int print_from(const struct asz_cmd_context *context, const struct asz_checkpoint *head, uint64_t from, uint8_t *entry,
                      struct asz_diag *diag) {
  int err = 0;
  for (uint64_t index = from; !err && index < head->tree_size && !asz_cmd_interrupted(); index++) {
    size_t size;
    err = asz_tlog_read_proven(context->home.log_path, head, index, entry, &size, diag);
    if (!err)
      err = print_entry(context, index, entry, size);
  }
  return err || fflush(stdout) == 0 ? err : ASZ_EIO;
}

/* What comes from entry `from` on, until interrupted: a look each second. */
static int follow(const struct asz_cmd_context *context, const uint8_t public_key[32], struct asz_checkpoint *head, uint64_t from,
                  uint8_t *entry, struct asz_diag *diag) {
  int err = 0;
  while (!err && !asz_cmd_interrupted()) {
    struct asz_checkpoint next;
    err = asz_tlog_head(context->home.log_path, public_key, &next, diag);
    if (!err)
      err = asz_tlog_extends(context->home.log_path, head, &next, diag);
    if (!err)
      err = print_from(context, &next, from, entry, diag);
    if (err)
      break;
    *head = next;
    from = next.tree_size > from ? next.tree_size : from;
    nanosleep(&(struct timespec){.tv_sec = POLL_S}, NULL); /* a signal ends it */
  }
  return err;
}

int asz_log_tail(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_checkpoint head;
  struct asz_note_key own;
  const char *from_text = NULL, *count_text = NULL;
  bool following = false;
  const struct asz_cmd_option options[] = {
      {"--from", .value = &from_text}, {"--count", .value = &count_text}, {"--follow", .flag = &following}};
  uint64_t from = 0, count = COUNT_DEFAULT;
  size_t words;
  if (asz_cmd_options("log", argc, argv, options, 3, NULL, 0, &words) != 0)
    return ASZ_EXIT_INPUT;
  if (from_text && count_text)
    return asz_cmd_usage_error("log", "tail: expected --from or --count, not both");
  if ((from_text && asz_cmd_parse_u64("log", "--from", from_text, 0, INT64_MAX, &from) != 0) ||
      (count_text && asz_cmd_parse_u64("log", "--count", count_text, 0, INT64_MAX, &count) != 0))
    return ASZ_EXIT_INPUT;
  int err = asz_log_own_key(&context->home, &own, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  asz_cmd_catch_signals();
  err = asz_tlog_head(context->home.log_path, own.public_key, &head, &diag);
  if (!err && !from_text)
    from = head.tree_size > count ? head.tree_size - count : 0;
  if (!err)
    err = print_from(context, &head, from, entry, &diag);
  if (!err && following)
    err = follow(context, own.public_key, &head, from > head.tree_size ? from : head.tree_size, entry, &diag);
  free(entry);
  if (err)
    return asz_log_fail(err, &diag);
  return asz_cmd_interrupted() ? ASZ_EXIT_INTERRUPTED : ASZ_EXIT_OK;
}
