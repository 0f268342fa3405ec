/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void help_print(const char *program, const struct asz_bench_option *options, unsigned option_count) {
  printf("usage: %s [--smoke] [--json] [--seconds N]", program);
  for (unsigned i = 0; i < option_count; i++)
    printf(" [--%s VALUE]", options[i].name);
  printf("\n  --smoke      small and quick, as in every test run\n  --json       one line of JSON\n");
  printf("  --seconds N  length of the measured part\n");
  for (unsigned i = 0; i < option_count; i++)
    printf("  --%-9s  %s (default %s)\n", options[i].name, options[i].help,
           *options[i].value != NULL ? *options[i].value : "none");
}

static const struct asz_bench_option *option_find(const char *argument, const struct asz_bench_option *options, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    if (strncmp(argument, "--", 2) == 0 && strcmp(argument + 2, options[i].name) == 0)
      return &options[i];
  return NULL;
}

int asz_bench_parse(struct asz_bench_args *ret_args, int *ret_exit, int argc, char **argv, const struct asz_bench_option *options,
                    unsigned option_count) {
  struct asz_bench_args args = {0};
  *ret_exit = 2;
  for (int i = 1; i < argc; i++) {
    const struct asz_bench_option *option = option_find(argv[i], options, option_count);
    uint64_t seconds;
    if (strcmp(argv[i], "--smoke") == 0) {
      args.smoke = true;
    } else if (strcmp(argv[i], "--json") == 0) {
      args.json = true;
    } else if (strcmp(argv[i], "--help") == 0) {
      help_print(argv[0], options, option_count);
      *ret_exit = 0;
      return ASZ_EINVAL;
    } else if ((option == NULL && strcmp(argv[i], "--seconds") != 0) || i + 1 == argc) {
      fprintf(stderr, "%s: %s: unknown option, or its value is missing; see --help\n", argv[0], argv[i]);
      return ASZ_EINVAL;
    } else if (option != NULL) {
      *option->value = argv[++i];
    } else {
      if (asz_bench_number(&seconds, "seconds", argv[++i], 1, 3600) != 0)
        return ASZ_EINVAL;
      args.seconds = (uint32_t)seconds;
    }
  }
  *ret_args = args;
  return 0;
}

int asz_bench_number(uint64_t *ret_value, const char *name, const char *text, uint64_t min, uint64_t max) {
  char *end = NULL;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
    fprintf(stderr, "--%s is \"%s\", expected a number from %llu to %llu\n", name, text, (unsigned long long)min,
            (unsigned long long)max);
    return ASZ_EINVAL;
  }
  *ret_value = value;
  return 0;
}

uint64_t asz_bench_hash(uint64_t hash, const void *data, size_t size_bytes) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size_bytes; i++)
    hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}

void *asz_bench_memory(size_t bytes) {
  enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };
  const size_t align = bytes < HUGE_PAGE ? CACHE_LINE : HUGE_PAGE;
  bytes = (bytes + align - 1) / align * align;
  void *memory = aligned_alloc(align, bytes);
  if (memory == NULL) {
    fprintf(stderr, "out of memory (%zu bytes)\n", bytes);
    exit(1);
  }
  if (align == HUGE_PAGE)
    madvise(memory, bytes, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  return memory;
}

void asz_bench_print(const struct asz_bench_args *args, json_t *report) {
  if (args->json) {
    json_dumpf(report, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    printf("\n");
  } else {
    const char *key;
    json_t *value;
    json_object_foreach(report, key, value) {
      char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
      printf("%-20s %s\n", key, text);
      free(text);
    }
  }
  json_decref(report);
}

uint64_t asz_bench_memory_peak_bytes(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long kib = 0;
  while (status && fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %lu kB", &kib) != 1)
    ;
  if (status)
    fclose(status);
  return (uint64_t)kib * 1024;
}
