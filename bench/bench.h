/* SPDX-License-Identifier: Apache-2.0 */
/* asz_bench: what every benchmark shares: its options and its one line of JSON.
 *
 * A benchmark has a small size for every test run (--smoke) and a real one; units are in the keys; it prints a hash of its
 * result, so that a fast but wrong run shows, and says what it does not measure. */
#ifndef ASZ_BENCH_BENCH_H
#define ASZ_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "dataplane/base/err.h"

struct asz_bench_args {
  bool smoke;       /* --smoke */
  bool json;        /* --json: one line of JSON on stdout instead of a table */
  uint32_t seconds; /* --seconds N: length of the measured part; 0: not given */
};

/* One more option of a benchmark, `--name VALUE`. *value keeps its default when the option is not given. */
struct asz_bench_option {
  const char *name;
  const char *help;
  const char **value;
};

/* asz_bench_parse: 0 when the benchmark should run; else *ret_exit is the exit status (0 after --help, 2 after a wrong option,
 * with a line on stderr) and the result is ASZ_EINVAL. */
ASZ_MUST_CHECK int asz_bench_parse(struct asz_bench_args *ret_args, int *ret_exit, int argc, char **argv,
                                   const struct asz_bench_option *options, unsigned option_count);

/* asz_bench_number: a decimal number of an option in [min, max]; ASZ_EINVAL with a line on stderr. */
ASZ_MUST_CHECK int asz_bench_number(uint64_t *ret_value, const char *name, const char *text, uint64_t min, uint64_t max);

/* asz_bench_hash folds data into a running FNV-1a hash (start with ASZ_BENCH_HASH_START); for results, not for secrets. */
#define ASZ_BENCH_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t asz_bench_hash(uint64_t hash, const void *data, size_t size_bytes);

/* asz_bench_memory_peak_bytes: the most memory that this process held; 0 when the kernel does not say. */
uint64_t asz_bench_memory_peak_bytes(void);

/* asz_bench_memory: so many bytes, all zero and touched, so that page faults are nobody's time; large pieces in huge pages where
 * there are any. For free(). Without memory it ends the program with a line. */
void *asz_bench_memory(size_t bytes);

/* asz_bench_print prints and releases a flat report, in the order in which its keys were set. */
void asz_bench_print(const struct asz_bench_args *args, json_t *report);

#endif
