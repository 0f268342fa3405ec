/* SPDX-License-Identifier: Apache-2.0 */
#include "control/roster_file.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/file.h"
#include "control/import.h"
#include "dataplane/base/clock.h"

enum { NOT_THERE = 0 }; /* line of a registered provider that the file does not name */

struct merging {
  const char *path;
  struct asz_import import;
  struct asz_provider *old; /* the store's list */
  size_t old_count;
  uint32_t *by_name;         /* of old: indices in the order of their names */
  size_t *line_of;           /* of old: 1 + index in the import; NOT_THERE */
  struct asz_provider *list; /* what comes out */
  unsigned *line;            /* of each in it */
  bool *differs;             /* of each in it: new or changed */
  size_t count;
};

static int by_name(const void *a, const void *b, void *context) {
  const struct asz_provider *old = context;
  return strcmp(old[*(const uint32_t *)a].name, old[*(const uint32_t *)b].name);
}

static struct asz_provider *find(const struct merging *m, const char *name) {
  size_t low = 0, high = m->old_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(m->old[m->by_name[middle]].name, name);
    if (order == 0)
      return &m->old[m->by_name[middle]];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static int take_memory(struct merging *m, struct asz_diag *diag) {
  size_t most = m->import.count + 1; /* never an empty allocation */
  m->by_name = calloc(m->old_count + 1, sizeof *m->by_name);
  m->line_of = calloc(m->old_count + 1, sizeof *m->line_of);
  m->list = calloc(most, sizeof *m->list);
  m->line = calloc(most, sizeof *m->line);
  m->differs = calloc(most, sizeof *m->differs);
  if (m->by_name && m->line_of && m->list && m->line && m->differs)
    return 0;
  return asz_diag_set(diag, ASZ_ENOMEM, "%s: no memory for %zu providers", m->path, m->import.count);
}

static void push(struct merging *m, size_t import_index, const struct asz_provider *old, uint64_t now_ns) {
  struct asz_provider *provider = &m->list[m->count];
  *provider = m->import.provider[import_index];
  provider->row = old ? old->row : 0;
  provider->registered_ns = old ? old->registered_ns : now_ns;
  m->line[m->count] = m->import.line[import_index];
  m->differs[m->count] = !old || !asz_provider_same(provider, old);
  m->count++;
}

/* Registered ones first, in their order, so that rows ascend; then the new ones, which will get the next rows. */
static int merge(struct merging *m, struct asz_diag *diag) {
  uint64_t now_ns = asz_clock_now_ns();
  for (uint32_t i = 0; i < m->old_count; i++)
    m->by_name[i] = i;
  qsort_r(m->by_name, m->old_count, sizeof *m->by_name, by_name, m->old);
  for (size_t i = 0; i < m->import.count; i++) {
    const struct asz_provider *now = &m->import.provider[i], *old = find(m, now->name);
    if (!old)
      continue;
    if (memcmp(old->public_key, now->public_key, sizeof now->public_key) != 0 || old->device != now->device)
      return asz_diag_set(
          diag, ASZ_EEXIST,
          "%s:%u: key: expected the key and device with which %s was registered: another identity needs another name", m->path,
          m->import.line[i], now->name);
    m->line_of[old - m->old] = i + 1;
  }
  for (size_t i = 0; i < m->old_count; i++)
    if (m->line_of[i] != NOT_THERE)
      push(m, m->line_of[i] - 1, &m->old[i], now_ns);
  for (size_t i = 0; i < m->import.count; i++)
    if (!find(m, m->import.provider[i].name))
      push(m, i, NULL, now_ns);
  return m->count > 0 ? 0 : asz_diag_set(diag, ASZ_EINVAL, "%s: expected at least one provider", m->path);
}

static int store_all(struct merging *m, struct asz_store *store, struct asz_diag *diag) {
  struct asz_diag cause = {""};
  int err = asz_store_begin(store, diag);
  if (err)
    return err;
  for (size_t i = 0; i < m->count; i++) {
    if (!m->differs[i])
      continue;
    err = m->list[i].row ? asz_store_provider_update(store, &m->list[i], &cause)
                         : asz_store_provider_add(store, &m->list[i], &cause);
    if (err) {
      asz_store_rollback(store);
      return asz_diag_set(diag, err, "%s:%u: %s (nothing was changed)", m->path, m->line[i], cause.text);
    }
  }
  err = asz_store_commit(store, diag);
  if (err)
    asz_store_rollback(store);
  return err;
}

static void close_merging(struct merging *m) {
  asz_import_free(&m->import);
  if (m->list)
    sodium_memzero(m->list, m->count * sizeof *m->list);
  free(m->list);
  free(m->by_name);
  free(m->line_of);
  free(m->line);
  free(m->differs);
}

static struct asz_roster_changes changes_of(const struct merging *m) {
  struct asz_roster_changes changes = {.idle = m->old_count};
  for (size_t i = 0; i < m->count; i++) {
    bool known = m->list[i].row != 0;
    changes.added += !known;
    changes.changed += known && m->differs[i];
    changes.idle -= known;
  }
  return changes;
}

int asz_roster_file_apply(struct asz_provider **io_provider, size_t *io_count, struct asz_store *store, bool write,
                          const struct asz_home *home, const struct asz_config *config, struct asz_roster_changes *ret_changes,
                          struct asz_diag *diag) {
  char path[ASZ_PATH_MAX];
  uint8_t *text = NULL;
  size_t size;
  struct merging m = {.path = path, .old = *io_provider, .old_count = *io_count};
  *ret_changes = (struct asz_roster_changes){0};
  int err = asz_home_below(path, home, config->probe_roster_file, diag);
  if (err || path[0] == '\0')
    return err;
  err = asz_file_read(&text, &size, path, ASZ_IMPORT_BYTES_MAX, diag);
  if (!err)
    err = asz_import_csv(&m.import, (char *)text, size, path, diag);
  if (!err)
    err = take_memory(&m, diag);
  if (!err)
    err = merge(&m, diag);
  struct asz_roster_changes changes = changes_of(&m); /* before new ones have rows */
  if (!err && write)
    err = store_all(&m, store, diag);
  if (!err) {
    struct asz_provider *before = *io_provider;
    *ret_changes = changes;
    *io_provider = m.list;
    *io_count = m.count;
    m.list = NULL;
    sodium_memzero(before, m.old_count * sizeof *before);
    free(before);
  }
  close_merging(&m);
  free(text);
  return err;
}
