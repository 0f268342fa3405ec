/* SPDX-License-Identifier: Apache-2.0 */
/* asz_table: numbers and tables as an operator reads them. Every formatter writes into a struct asz_text and returns its
 * characters, so that several can stand in one printf, each with a compound literal of its own: asz_text_ns(&(struct
 * asz_text){0}, ns). Formatting only: nothing here decides anything. */
#ifndef ASZ_CONTROL_TABLE_H
#define ASZ_CONTROL_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct asz_text {
  char chars[64];
};
#define ASZ_TEXT (&(struct asz_text){""}) /* a fresh one, alive until the end of the enclosing block */

/* Durations with three digits and the unit that suits: "812 ns", "4.07 us", "12.3 ms", "1.20 s"; rounded to nearest. */
const char *asz_text_ns(struct asz_text *text, uint64_t ns);
/* Long spans, two units at most: "45 s", "12 min", "3 h 20 min", "6 d 4 h". */
const char *asz_text_span(struct asz_text *text, uint64_t seconds);
/* Wall time, UTC: "2026-11-23 01:47:36Z"; "never" for 0. */
const char *asz_text_time(struct asz_text *text, uint64_t realtime_ns);
/* A share as per cent, rounded down, so that 100 % means all: "99.998 %", "100 %". */
const char *asz_text_ppm(struct asz_text *text, uint64_t ppm);
/* Whole numbers in groups of three: "1,234,567". */
const char *asz_text_count(struct asz_text *text, uint64_t count);
/* Sizes, binary units: "812 B", "4.0 KiB", "1.5 GiB". */
const char *asz_text_bytes(struct asz_text *text, uint64_t bytes);
/* Q32 fixed point: three decimals below 1,000, whole below 10^6, then as "1.83e+06". */
const char *asz_text_q32(struct asz_text *text, uint64_t value_q32);
/* Dotted quad of a host-order address. */
const char *asz_text_ipv4(struct asz_text *text, uint32_t ipv4);
/* RFC 5952 text of an address of 16 bytes. */
const char *asz_text_ipv6(struct asz_text *text, const uint8_t ipv6[16]);

/* A table whose column widths follow its contents. Cells are copied; all memory is released by asz_table_print. */
struct asz_table;

/* asz_table_new: `columns` is one letter a column, 'l' left or 'r' right aligned, 1..16 of them. NULL when out of memory. */
struct asz_table *asz_table_new(const char *columns);
/* asz_table_cell adds the next cell of the row, rows following one another; the first row is the heading. Out of memory is
 * remembered and reported by asz_table_print. */
void asz_table_cell(struct asz_table *table, const char *text);
/* asz_table_print writes the rows, two spaces between columns, and frees the table (NULL is fine: -1). Returns 0, or -1 when
 * memory ran out. */
int asz_table_print(struct asz_table *table, FILE *out);

#endif
