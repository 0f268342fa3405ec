/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: the input becomes the content of a 0600 file; what loads is the one spelling of its seed, what does not leaves one
 * line that names the file, and the identity untouched. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/identity.h"
#include "tests/fuzz/fuzz.h"

static char path[4096];

static void remove_file(void) {
  unlink(path);
}

static int open_file(void) {
  const char *directory = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/asz_fuzz_key_XXXXXX", directory == NULL ? P_tmpdir : directory);
  int fd = mkstemp(path); /* creates with 0600 */
  FUZZ_CHECK(fd >= 0);
  atexit(remove_file);
  return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static int fd = -1;
  if (fd < 0)
    fd = open_file();
  FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size_bytes, 0) == (ssize_t)size_bytes);
  struct asz_identity identity, untouched;
  struct asz_diag diag = {.text = ""};
  memset(&identity, 0x5a, sizeof identity);
  untouched = identity;
  if (asz_identity_load(path, &identity, &diag) == ASZ_OK) {
    char expected[128], seed_hex[65];
    asz_hex_encode(seed_hex, identity.secret_key, 32);
    int length = snprintf(expected, sizeof expected, "assize-key-v1\n%s\n", seed_hex);
    FUZZ_CHECK((size_t)length == size_bytes && memcmp(expected, data, size_bytes) == 0);
  } else {
    FUZZ_CHECK(memcmp(&identity, &untouched, sizeof identity) == 0);
    FUZZ_CHECK(strncmp(diag.text, path, strlen(path)) == 0 && strchr(diag.text, '\n') == NULL);
  }
  return 0;
}
