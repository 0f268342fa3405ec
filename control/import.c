/* SPDX-License-Identifier: Apache-2.0 */
/* One pass: a line is cut into fields in place, each field goes to asz_provider_set under its column's name. Uniqueness comes
 * after, by sorting an index by each unique property: n log n for a million lines, and no table to size. */
#include "control/import.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/suggest.h"

struct csv {
  char *at, *end;
  const char *name;
  unsigned line;
  struct asz_diag *diag;
  char where[320];
  enum asz_provider_field column[ASZ_PROVIDER_FIELD_COUNT];
  size_t column_count;
  size_t capacity;
  struct asz_import import;
};

static void set_where(struct csv *csv) {
  snprintf(csv->where, sizeof csv->where, "%.300s:%u", csv->name, csv->line);
}

/* The next line that is neither blank nor a comment, NUL-terminated, without CR; NULL at the end. */
static char *next_line(struct csv *csv) {
  while (csv->at < csv->end) {
    char *line = csv->at, *newline = memchr(line, '\n', (size_t)(csv->end - line));
    char *stop = newline ? newline : csv->end;
    csv->at = newline ? newline + 1 : csv->end;
    csv->line++;
    if (stop > line && stop[-1] == '\r')
      stop--;
    *stop = '\0'; /* the caller's text has a NUL behind its last byte */
    if (*line != '#' && line[strspn(line, " \t")] != '\0') {
      set_where(csv);
      return line;
    }
  }
  return NULL;
}

/* Cuts one field off *at; false when a quoted one does not end or is followed by something else. *at is NULL after the last. */
static bool cut_field(char **at, char **ret_field) {
  char *in = *at, *out = *at;
  *ret_field = out;
  if (*in == '"') {
    for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
      if (*in == '"')
        in++;
      *out++ = *in;
    }
    if (*in != '"' || (in[1] != ',' && in[1] != '\0'))
      return false;
    in++;
  } else {
    in += strcspn(in, ",");
    out = in;
  }
  bool last = *in == '\0';
  *out = '\0';
  *at = last ? NULL : in + 1;
  return true;
}

static int bad_quotes(struct csv *csv) {
  return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected a closing quote and then a comma or the end of the line", csv->where);
}

static int unknown_column(struct csv *csv, const char *column) {
  const char *names[ASZ_PROVIDER_FIELD_COUNT];
  for (unsigned i = 0; i < ASZ_PROVIDER_FIELD_COUNT; i++)
    names[i] = asz_provider_field_name((enum asz_provider_field)i);
  const char *near = asz_suggest(column, names, ASZ_PROVIDER_FIELD_COUNT);
  return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: unknown column \"%s\"%s%s%s", csv->where, column,
                      near ? "; did you mean \"" : "; expected a header line such as name,ip,key", near ? near : "",
                      near ? "\"?" : "");
}

static int read_header(struct csv *csv) {
  char *at = next_line(csv), *name;
  bool seen[ASZ_PROVIDER_FIELD_COUNT] = {false};
  if (!at)
    return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected a header line such as name,ip,key, got an empty file", csv->name);
  while (at) {
    if (!cut_field(&at, &name))
      return bad_quotes(csv);
    enum asz_provider_field field = asz_provider_field_from_name(name);
    if (field == ASZ_PROVIDER_FIELD_COUNT)
      return unknown_column(csv, name);
    if (seen[field])
      return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected each column once, got \"%s\" again", csv->where, name);
    seen[field] = true;
    csv->column[csv->column_count++] = field;
  }
  if (!seen[ASZ_PROVIDER_FIELD_name] || !seen[ASZ_PROVIDER_FIELD_ip])
    return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected at least the columns name and ip", csv->where);
  return 0;
}

static int read_row(struct csv *csv, char *at, struct asz_provider *ret_provider) {
  size_t count = 0;
  asz_provider_init(ret_provider);
  while (at) {
    char *text;
    if (!cut_field(&at, &text))
      return bad_quotes(csv);
    if (count == csv->column_count)
      return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected %zu fields, got more", csv->where, csv->column_count);
    int err = *text ? asz_provider_set(ret_provider, csv->column[count], text, csv->where, csv->diag) : 0;
    if (err)
      return err;
    count++;
  }
  if (count < csv->column_count)
    return asz_diag_set(csv->diag, ASZ_EFORMAT, "%s: expected %zu fields, got %zu", csv->where, csv->column_count, count);
  return asz_provider_finish(ret_provider, csv->where, csv->diag);
}

static int grow(struct csv *csv) {
  struct asz_import *import = &csv->import;
  if (import->count < csv->capacity)
    return 0;
  if (import->count == ASZ_IMPORT_MAX)
    return asz_diag_set(csv->diag, ASZ_ETOOBIG, "%s: expected at most %d providers", csv->where, ASZ_IMPORT_MAX);
  size_t capacity = csv->capacity ? csv->capacity * 2 : 256;
  struct asz_provider *provider = reallocarray(import->provider, capacity, sizeof *provider);
  if (provider)
    import->provider = provider;
  unsigned *line = reallocarray(import->line, capacity, sizeof *line);
  if (line)
    import->line = line;
  if (!provider || !line)
    return asz_diag_set(csv->diag, ASZ_ENOMEM, "%s: out of memory", csv->where);
  csv->capacity = capacity;
  return 0;
}

static int read_rows(struct csv *csv) {
  for (char *line; (line = next_line(csv));) {
    int err = grow(csv);
    if (!err)
      err = read_row(csv, line, &csv->import.provider[csv->import.count]);
    if (err)
      return err;
    csv->import.line[csv->import.count++] = csv->line;
  }
  return 0;
}

/* What must be unique. */
static int by_name(const struct asz_provider *a, const struct asz_provider *b) {
  return strcmp(a->name, b->name);
}
static int by_ip(const struct asz_provider *a, const struct asz_provider *b) {
  int order = (a->ipv4 > b->ipv4) - (a->ipv4 < b->ipv4);
  return order ? order : memcmp(a->ipv6, b->ipv6, sizeof a->ipv6);
}
static int by_key(const struct asz_provider *a, const struct asz_provider *b) {
  int order = memcmp(a->public_key, b->public_key, sizeof a->public_key);
  return order ? order : (a->device > b->device) - (a->device < b->device);
}

struct sorting {
  const struct asz_import *import;
  int (*compare)(const struct asz_provider *a, const struct asz_provider *b);
};

static int compare_index(const void *a, const void *b, void *context) {
  const struct sorting *sorting = context;
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  int order = sorting->compare(&sorting->import->provider[i], &sorting->import->provider[j]);
  return order ? order : (i > j) - (i < j);
}

static int check_unique(struct csv *csv, uint32_t *index, const char *what, bool with_key,
                        int (*compare)(const struct asz_provider *, const struct asz_provider *)) {
  const struct asz_import *import = &csv->import;
  struct sorting sorting = {import, compare};
  size_t count = 0;
  for (uint32_t i = 0; i < import->count; i++)
    if (!with_key || asz_provider_has_key(&import->provider[i]))
      index[count++] = i;
  qsort_r(index, count, sizeof *index, compare_index, &sorting);
  uint32_t first = 0, second = UINT32_MAX; /* the earliest line that repeats another */
  for (size_t i = 1; i < count; i++) {
    if (index[i] < second && compare(&import->provider[index[i - 1]], &import->provider[index[i]]) == 0) {
      first = index[i - 1];
      second = index[i];
    }
  }
  if (second == UINT32_MAX)
    return 0;
  return asz_diag_set(csv->diag, ASZ_EEXIST, "%s:%u: %s: expected a unique one, already in line %u", csv->name,
                      import->line[second], what, import->line[first]);
}

static int check_all_unique(struct csv *csv) {
  uint32_t *index = reallocarray(NULL, csv->import.count + 1, sizeof *index);
  if (!index)
    return asz_diag_set(csv->diag, ASZ_ENOMEM, "%s: out of memory", csv->name);
  int err = check_unique(csv, index, "name", false, by_name);
  if (!err)
    err = check_unique(csv, index, "ip", false, by_ip);
  if (!err)
    err = check_unique(csv, index, "key and device", true, by_key);
  free(index);
  return err;
}

int asz_import_csv(struct asz_import *ret_import, char *text, size_t size_bytes, const char *name, struct asz_diag *diag) {
  struct csv csv = {.at = text, .end = text + size_bytes, .name = name, .diag = diag};
  if (memchr(text, '\0', size_bytes))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected text, got a NUL byte", name);
  if (size_bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
    csv.at += 3;
  int err = read_header(&csv);
  if (!err)
    err = read_rows(&csv);
  if (!err)
    err = check_all_unique(&csv);
  if (err) {
    asz_import_free(&csv.import);
    return err;
  }
  *ret_import = csv.import;
  return 0;
}

void asz_import_free(struct asz_import *import) {
  if (import->provider)
    sodium_memzero(import->provider, import->count * sizeof *import->provider);
  free(import->provider);
  free(import->line);
  *import = (struct asz_import){0};
}
