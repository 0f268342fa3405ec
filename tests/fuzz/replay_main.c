/* SPDX-License-Identifier: Apache-2.0 */
/* Replays a fuzz target's corpus without libFuzzer: `replay_<name> DIRECTORY...`.
 *
 * Fuzzing itself takes hours and a special build; this makes what it found, and the simplest attacks on it, part of every test
 * run: each file as it is, cut short at every length, and with one byte changed in 64 seeded ways. A failure is a crash or an
 * abort of the target; the lines before it name file and variant, and FUZZ_SEED=n chooses other mutations. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { FILE_BYTES_MAX = 1 << 20, MUTATIONS = 64 };

static unsigned files_run, inputs_run;

/* A copy of exactly this size on the heap: one byte too far is an error that AddressSanitizer and Valgrind see. */
static void run_one(const uint8_t *data, size_t size_bytes) {
  uint8_t *copy = malloc(size_bytes == 0 ? 1 : size_bytes);
  FUZZ_CHECK(copy != NULL);
  memcpy(copy, data, size_bytes);
  LLVMFuzzerTestOneInput(size_bytes == 0 ? copy + 1 : copy, size_bytes);
  free(copy);
  inputs_run++;
}

static uint64_t random_next(uint64_t *state) { /* xorshift64 (Marsaglia, 2003): reproducible anywhere */
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static void run_variants(uint8_t *data, size_t size_bytes, uint64_t seed) {
  run_one(data, size_bytes);
  for (size_t shorter = 0; shorter < size_bytes; shorter++)
    run_one(data, shorter);
  for (int i = 0; i < MUTATIONS && size_bytes > 0; i++) {
    uint64_t bits = random_next(&seed);
    uint8_t *byte = &data[(bits >> 8) % size_bytes];
    uint8_t original = *byte;
    *byte ^= (uint8_t)(bits % 255 + 1); /* never zero: the byte does change */
    run_one(data, size_bytes);
    *byte = original;
  }
}

static int run_file(const char *path, uint64_t seed) {
  static uint8_t data[FILE_BYTES_MAX];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    printf("Bail out! %s: %s\n", path, strerror(errno));
    return -1;
  }
  size_t size_bytes = fread(data, 1, sizeof data, file);
  int whole = !ferror(file) && fgetc(file) == EOF;
  fclose(file);
  if (!whole) {
    printf("Bail out! %s: cannot be read whole, or is over %d bytes\n", path, FILE_BYTES_MAX);
    return -1;
  }
  printf("# %s: %zu bytes\n", path, size_bytes);
  fflush(stdout); /* named before it runs, in case it does not return */
  run_variants(data, size_bytes, seed);
  files_run++;
  return 0;
}

static int run_directory(const char *directory, uint64_t seed) {
  struct dirent **entries = NULL;
  int count = scandir(directory, &entries, NULL, alphasort);
  if (count < 0) {
    printf("Bail out! %s: %s\n", directory, strerror(errno));
    return -1;
  }
  int result = 0;
  for (int i = 0; i < count; i++) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && result == 0)
      result = length < (int)sizeof path ? run_file(path, seed) : -1;
    free(entries[i]);
  }
  free(entries);
  return result;
}

int main(int argc, char **argv) {
  const char *text = getenv("FUZZ_SEED");
  uint64_t seed = text == NULL ? 1 : strtoull(text, NULL, 10);
  seed = seed == 0 ? 1 : seed; /* zero is the one state that xorshift never leaves */
  printf("1..1\n# FUZZ_SEED=%llu\n", (unsigned long long)seed);
  run_one((const uint8_t *)"", 0);
  for (int i = 1; i < argc; i++)
    if (run_directory(argv[i], seed) != 0)
      return 1;
  printf("%s 1 - %u files, %u inputs\n", files_run > 0 ? "ok" : "not ok", files_run, inputs_run);
  return files_run > 0 ? 0 : 1;
}
