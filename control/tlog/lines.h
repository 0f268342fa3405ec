/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lines: what the texts of C2SP logs have in common: lines that end in a newline, decimal numbers and hashes in their one
 * spelling. Within control/tlog only. */
#ifndef ASZ_CONTROL_TLOG_LINES_H
#define ASZ_CONTROL_TLOG_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/err.h"

/* asz_lines_next cuts the next line off [*at, end), without its newline; it may be empty. ASZ_EFORMAT: no newline is left. */
ASZ_MUST_CHECK int asz_lines_next(const char **at, const char *end, const char **ret_line, size_t *ret_size);
/* asz_lines_number: ASCII decimal without leading zeros, below 2^63, as every reader's signed 64-bit integer holds. */
ASZ_MUST_CHECK int asz_lines_number(uint64_t *ret_number, const char *digits, size_t count);
/* asz_lines_labelled: the number behind "<label> " on a line of its own. */
ASZ_MUST_CHECK int asz_lines_labelled(uint64_t *ret_number, const char *label, const char *line, size_t size_bytes);
/* asz_lines_hash: 32 bytes as base64 in their one spelling. */
ASZ_MUST_CHECK int asz_lines_hash(uint8_t ret_hash[32], const char *line, size_t size_bytes);
/* asz_lines_path: hashes, one a line, up to and with an empty line. ASZ_EFORMAT, also for more than ASZ_TLOG_PROOF_MAX. */
ASZ_MUST_CHECK int asz_lines_path(const char **at, const char *end, uint8_t (*ret_path)[32], size_t *ret_count);

#endif
