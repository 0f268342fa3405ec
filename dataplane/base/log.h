/* SPDX-License-Identifier: Apache-2.0 */
/* asz_log: messages to the operator, on stderr, one line each: `assize: level: text`. Data goes to stdout, never here.
 * Not for the packet loop (system call). Thread-safe: one write(2) a line. */
#ifndef ASZ_DATAPLANE_BASE_LOG_H
#define ASZ_DATAPLANE_BASE_LOG_H

enum asz_log_level { ASZ_LOG_ERROR = 0, ASZ_LOG_WARN, ASZ_LOG_INFO, ASZ_LOG_DEBUG };

/* asz_log_setup names the program (string kept by reference: a literal) and the most verbose level shown (default INFO). */
void asz_log_setup(const char *program, enum asz_log_level level_max);
void asz_log(enum asz_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
