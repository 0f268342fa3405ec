/* SPDX-License-Identifier: Apache-2.0 */
#include "control/table.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS_MAX = 16 };

/* value / unit with as many decimals as make three digits; the caller knows value < 1000 units (after rounding, 1000 may show).
 */
static const char *three_digits(struct asz_text *text, uint64_t value, uint64_t unit, const char *name) {
  uint64_t whole = value / unit;
  unsigned decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
  uint64_t scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
  uint64_t scaled = (uint64_t)(((unsigned __int128)value * scale + unit / 2) / unit);
  if (decimals == 0)
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 " %s", scaled, name);
  else
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 ".%0*" PRIu64 " %s", scaled / scale, (int)decimals, scaled % scale,
             name);
  return text->chars;
}

const char *asz_text_ns(struct asz_text *text, uint64_t ns) {
  if (ns < 1000) {
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 " ns", ns);
    return text->chars;
  }
  if (ns < 1000000)
    return three_digits(text, ns, 1000, "us");
  if (ns < 1000000000)
    return three_digits(text, ns, 1000000, "ms");
  return three_digits(text, ns, 1000000000, "s");
}

static const char *two_units(struct asz_text *text, uint64_t major, const char *major_name, uint64_t minor,
                             const char *minor_name) {
  if (minor == 0)
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 " %s", major, major_name);
  else
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 " %s %" PRIu64 " %s", major, major_name, minor, minor_name);
  return text->chars;
}

const char *asz_text_span(struct asz_text *text, uint64_t seconds) {
  if (seconds < 60)
    return two_units(text, seconds, "s", 0, "");
  if (seconds < 3600)
    return two_units(text, seconds / 60, "min", seconds < 600 ? seconds % 60 : 0, "s");
  if (seconds < 86400)
    return two_units(text, seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two_units(text, seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

const char *asz_text_time(struct asz_text *text, uint64_t realtime_ns) {
  time_t seconds = (time_t)(realtime_ns / 1000000000);
  struct tm tm;
  if (realtime_ns == 0)
    snprintf(text->chars, sizeof text->chars, "never");
  else
    strftime(text->chars, sizeof text->chars, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&seconds, &tm));
  return text->chars;
}

const char *asz_text_ppm(struct asz_text *text, uint64_t ppm) {
  char *end = text->chars + snprintf(text->chars, sizeof text->chars, "%" PRIu64 ".%04" PRIu64, ppm / 10000, ppm % 10000);
  while (end[-1] == '0')
    end--;
  if (end[-1] == '.')
    end--;
  strcpy(end, " %");
  return text->chars;
}

const char *asz_text_count(struct asz_text *text, uint64_t count) {
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
  char *out = text->chars;
  for (int i = 0; i < length; i++) {
    if (i > 0 && (length - i) % 3 == 0)
      *out++ = ',';
    *out++ = digits[i];
  }
  *out = '\0';
  return text->chars;
}

const char *asz_text_bytes(struct asz_text *text, uint64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 " B", bytes);
    return text->chars;
  }
  unsigned unit = 0;
  while (unit < 5 && bytes >> (10 * (unit + 2)))
    unit++;
  uint64_t tenths = (uint64_t)(((unsigned __int128)bytes * 10) >> (10 * (unit + 1)));
  snprintf(text->chars, sizeof text->chars, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
  return text->chars;
}

const char *asz_text_q32(struct asz_text *text, uint64_t value_q32) {
  uint64_t whole = value_q32 >> 32;
  uint64_t thousandths = ((value_q32 & UINT32_MAX) * 1000) >> 32;
  if (whole < 1000)
    snprintf(text->chars, sizeof text->chars, "%" PRIu64 ".%03" PRIu64, whole, thousandths);
  else if (whole < 1000000)
    return asz_text_count(text, whole);
  else
    snprintf(text->chars, sizeof text->chars, "%.2e", (double)whole); /* for the eye only: decisions compare the integers */
  return text->chars;
}

const char *asz_text_ipv4(struct asz_text *text, uint32_t ipv4) {
  struct in_addr address = {.s_addr = htonl(ipv4)};
  return inet_ntop(AF_INET, &address, text->chars, sizeof text->chars);
}

const char *asz_text_ipv6(struct asz_text *text, const uint8_t ipv6[16]) {
  return inet_ntop(AF_INET6, ipv6, text->chars, sizeof text->chars);
}

struct asz_table {
  size_t column_count, cell_count, capacity;
  char **cell;
  bool failed;
  size_t width[COLUMNS_MAX];
  char columns[COLUMNS_MAX + 1];
};

struct asz_table *asz_table_new(const char *columns) {
  size_t count = strlen(columns);
  assert(count >= 1 && count <= COLUMNS_MAX && strspn(columns, "lr") == count);
  struct asz_table *table = calloc(1, sizeof *table);
  if (!table)
    return NULL;
  table->column_count = count;
  memcpy(table->columns, columns, count + 1);
  return table;
}

void asz_table_cell(struct asz_table *table, const char *text) {
  if (!table || table->failed)
    return;
  if (table->cell_count == table->capacity) {
    size_t capacity = table->capacity ? table->capacity * 2 : 64;
    char **cell = reallocarray(table->cell, capacity, sizeof *cell);
    if (!cell) {
      table->failed = true;
      return;
    }
    table->cell = cell;
    table->capacity = capacity;
  }
  char *copy = strdup(text);
  if (!copy) {
    table->failed = true;
    return;
  }
  size_t column = table->cell_count % table->column_count, length = strlen(text);
  table->cell[table->cell_count++] = copy;
  if (length > table->width[column])
    table->width[column] = length;
}

static void print_row(const struct asz_table *table, char *const *row, FILE *out) {
  for (size_t c = 0; c < table->column_count; c++) {
    const char *gap = c == 0 ? "" : "  ";
    bool last = c + 1 == table->column_count;
    if (table->columns[c] == 'r')
      fprintf(out, "%s%*s", gap, (int)table->width[c], row[c]);
    else
      fprintf(out, "%s%-*s", gap, last ? 0 : (int)table->width[c], row[c]);
  }
  fputc('\n', out);
}

int asz_table_print(struct asz_table *table, FILE *out) {
  if (!table)
    return -1;
  assert(table->failed || table->cell_count % table->column_count == 0);
  for (size_t i = 0; !table->failed && i < table->cell_count; i += table->column_count)
    print_row(table, table->cell + i, out);
  for (size_t i = 0; i < table->cell_count; i++)
    free(table->cell[i]);
  int result = table->failed ? -1 : 0;
  free(table->cell);
  free(table);
  return result;
}
