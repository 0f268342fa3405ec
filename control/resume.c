/* SPDX-License-Identifier: Apache-2.0 */
#include "control/resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/evidence/entry.h"
#include "control/evidence/evidence.h"
#include "control/file.h"
#include "control/snapshot.h"
#include "dataplane/base/log.h"

#define SNAPSHOT_BYTES_MAX ((size_t)1 << 36) /* 16 M providers, each with all its cells and a few transcripts */

static int refuse(const struct asz_home *home, const struct asz_snapshot *s, const char *what, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_ESTATE,
                      "%.256s: epoch %u was measured with other %s: restore them, or remove this file to lose it",
                      home->snapshot_path, s->head.epoch, what);
}

static int read_entry(const struct asz_validator *v, const struct asz_home *home, uint64_t index, uint8_t *entry,
                      size_t *ret_size, struct asz_diag *diag) {
  return asz_tlog_read_entry(home->log_path, asz_tlog_size(v->log), index, entry, ret_size, diag);
}

/* Is the epoch's opening, as the log has it, the one that the snapshot speaks of? */
static int check_opening(const struct asz_validator *v, const struct asz_home *home, const struct asz_snapshot *s, uint8_t *entry,
                         struct asz_diag *diag) {
  struct asz_epoch_open open;
  uint8_t commitment[32];
  size_t size;
  asz_epoch_commitment(commitment, s->head.epoch, s->head.secret);
  if (s->head.open_index >= asz_tlog_size(v->log) || read_entry(v, home, s->head.open_index, entry, &size, diag) ||
      asz_entry_epoch_open_read(&open, entry, size, diag) || open.epoch != s->head.epoch ||
      memcmp(open.commitment, commitment, 32) != 0)
    return asz_diag_set(diag, ASZ_ESTATE, "%.256s: epoch %u is not in this log: restore its files, or remove this one to lose it",
                        home->snapshot_path, s->head.epoch);
  return 0;
}

/* A crash between log and store: what was logged stands, and is not said a second time. */
static int find_close(const struct asz_validator *v, const struct asz_home *home, const struct asz_snapshot *s, uint8_t *entry,
                      bool *ret_closed, struct asz_diag *diag) {
  for (uint64_t i = s->head.open_index + 1; i < asz_tlog_size(v->log); i++) {
    struct asz_epoch_close close;
    struct asz_diag ignored;
    size_t size;
    int err = read_entry(v, home, i, entry, &size, diag);
    if (err)
      return err;
    if (asz_entry_epoch_close_read(&close, entry, size, &ignored) == 0 && close.epoch == s->head.epoch)
      *ret_closed = true;
  }
  return 0;
}

static int is_closed(const struct asz_validator *v, const struct asz_home *home, const struct asz_snapshot *s, bool *ret_closed,
                     struct asz_diag *diag) {
  struct asz_epoch_row row;
  int err = asz_store_epoch_get(v->store, s->head.epoch, &row, diag);
  *ret_closed = !err;
  if (err != ASZ_ENOENT)
    return err;
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  err = check_opening(v, home, s, entry, diag);
  if (!err)
    err = find_close(v, home, s, entry, ret_closed, diag);
  free(entry);
  return err;
}

/* Keeps of all providers those that the epoch had; false when one of them is gone. */
static bool pick(struct asz_provider *provider, size_t count, const struct asz_snapshot *s) {
  for (uint32_t i = 0; i < s->head.target_count; i++) {
    const struct asz_provider *found = asz_provider_by_row(provider, count, asz_epochs_keep_row(s->keep, i));
    if (!found)
      return false;
    provider[i] = *found; /* rows ascend in both, so this one was read already */
  }
  return true;
}

static int roster_of(struct asz_validator *v, const struct asz_home *home, const struct asz_snapshot *s,
                     struct asz_roster **ret_roster, struct asz_diag *diag) {
  struct asz_provider *provider;
  size_t count;
  if (asz_epochs_keep_check(s->keep, s->head.keep_bytes, s->head.target_count))
    return asz_diag_set(diag, ASZ_EFORMAT, "%.256s: malformed, though its MAC is right", home->snapshot_path);
  int err = asz_store_provider_list(v->store, &provider, &count, diag);
  if (err)
    return err;
  if (count < s->head.target_count || !pick(provider, count, s)) {
    free(provider);
    return refuse(home, s, "providers", diag);
  }
  struct asz_caps caps;
  err = asz_caps_open(&caps, home, &v->config, diag);
  if (err) {
    free(provider);
    return err;
  }
  asz_caps_place(&caps, provider, s->head.target_count);
  asz_caps_close(&caps);
  err = asz_roster_new(ret_roster, provider, s->head.target_count, &v->key, diag);
  if (!err && memcmp((*ret_roster)->root, s->head.root, 32) != 0) {
    asz_roster_free(*ret_roster);
    *ret_roster = NULL;
    return refuse(home, s, "providers", diag);
  }
  return err;
}

static void tell(const struct asz_snapshot *s, const struct asz_plan *plan, const struct asz_epoch_summary *summary) {
  char when[32];
  time_t at_s = (time_t)(s->tail.at_ns / 1000000000u);
  struct tm at;
  gmtime_r(&at_s, &at);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &at);
  uint64_t now_ns = asz_clock_now_ns(), gap_s = now_ns > s->tail.at_ns ? (now_ns - s->tail.at_ns) / 1000000000u : 0;
  asz_log(ASZ_LOG_INFO,
          "epoch %u closed from its snapshot of %s: %d of %u slots were whole, %u providers, %u up, %u down, %u recommendations; "
          "nothing is known of the %" PRIu64 " s since",
          summary->number, when, __builtin_popcountll(s->tail.slots_whole), (unsigned)(plan->duration_ns / plan->slot_ns),
          summary->providers, summary->up, summary->down, summary->recommendations, gap_s);
}

static int close_epoch(struct asz_validator *v, const struct asz_home *home, struct asz_snapshot *s, struct asz_roster *roster,
                       struct asz_diag *diag) {
  struct asz_epoch epoch = {.number = s->head.epoch, .opened_ns = s->head.opened_ns, .open_index = s->head.open_index};
  struct asz_epochs *epochs = NULL;
  struct asz_epoch_summary summary;
  struct asz_plan plan;
  memcpy(epoch.secret, s->head.secret, 32);
  memcpy(epoch.beacon, s->head.beacon, 32);
  epoch.session = asz_roster_epoch(roster, epoch.number);
  int err = asz_epochs_new(&epochs, &v->config, &v->key, v->store, v->log, home->log_path, roster, diag);
  if (!err)
    err = asz_epochs_restore(epochs, epoch.number, s->keep, s->head.keep_bytes, diag);
  if (!err)
    err = asz_run_plan(&v->config, roster, &epoch, s->stats, &plan, diag);
  if (!err)
    err = asz_snapshot_settle(s, &plan, diag);
  if (!err)
    err = asz_epochs_close(epochs, &epoch, &plan, s->stats, false, &summary, diag);
  if (!err)
    tell(s, &plan, &summary);
  asz_epochs_free(epochs);
  return err;
}

static int resume(struct asz_validator *v, const struct asz_home *home, struct asz_snapshot *s, struct asz_diag *diag) {
  uint8_t params_hash[32];
  struct asz_roster *roster = NULL;
  bool closed = false;
  int err = is_closed(v, home, s, &closed, diag);
  if (err)
    return err;
  if (closed) {
    asz_log(ASZ_LOG_INFO, "%s: epoch %u is closed already: removed", home->snapshot_path, s->head.epoch);
    return 0;
  }
  asz_config_hash(&v->config, params_hash);
  if (memcmp(params_hash, s->head.params_hash, 32) != 0 || s->head.cell_count != v->config.probe_sketch_cells)
    return refuse(home, s, "parameters", diag);
  err = roster_of(v, home, s, &roster, diag);
  if (!err)
    err = close_epoch(v, home, s, roster, diag);
  asz_roster_free(roster);
  return err;
}

int asz_resume(struct asz_validator *v, const struct asz_home *home, bool wanted, struct asz_diag *diag) {
  struct stat status;
  struct asz_snapshot snapshot = {0};
  uint8_t key[ASZ_SNAPSHOT_KEY_BYTES];
  uint8_t *bytes = NULL;
  size_t size;
  if (lstat(home->snapshot_path, &status) != 0)
    return 0;
  if (!wanted)
    return asz_diag_set(diag, ASZ_ESTATE,
                        "%.256s: an epoch was cut off: `assize run --resume` keeps what it measured; remove this file to lose it",
                        home->snapshot_path);
  int err = asz_file_read(&bytes, &size, home->snapshot_path, SNAPSHOT_BYTES_MAX, diag);
  asz_snapshot_key(key, &v->key);
  if (!err)
    err = asz_snapshot_read(&snapshot, bytes, size, home->snapshot_path, key, diag);
  if (!err)
    err = resume(v, home, &snapshot, diag);
  if (!err && unlink(home->snapshot_path) != 0)
    err = asz_diag_set(diag, ASZ_EIO, "%.256s: cannot remove it", home->snapshot_path);
  asz_snapshot_close(&snapshot);
  free(bytes);
  return err;
}
