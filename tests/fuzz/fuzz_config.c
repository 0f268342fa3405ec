/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: what is accepted writes to a file that gives the same struct; what is not leaves one line that names the
 * file, and the struct untouched. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "control/config.h"
#include "tests/fuzz/fuzz.h"

static int read_bytes(const void *bytes, size_t size_bytes, struct asz_config *ret_config, struct asz_diag *diag) {
  FILE *in = size_bytes ? fmemopen((void *)(uintptr_t)bytes, size_bytes, "r") : fopen("/dev/null", "r");
  FUZZ_CHECK(in != NULL);
  int err = asz_config_read(ret_config, in, "fuzz.conf", diag);
  fclose(in);
  return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_config config, again;
  struct asz_diag diag = {""};
  memset(&config, 0x5a, sizeof config);
  again = config;
  if (read_bytes(data, size_bytes, &config, &diag) != 0) {
    FUZZ_CHECK(memcmp(&config, &again, sizeof config) == 0);
    FUZZ_CHECK(strncmp(diag.text, "fuzz.conf", 9) == 0 && strchr(diag.text, '\n') == NULL);
    return 0;
  }
  char *text = NULL;
  size_t text_bytes = 0;
  FILE *out = open_memstream(&text, &text_bytes);
  FUZZ_CHECK(out != NULL && asz_config_write(out, &config) == 0 && fclose(out) == 0);
  FUZZ_CHECK(read_bytes(text, text_bytes, &again, &diag) == 0);
  FUZZ_CHECK(memcmp(&config, &again, sizeof config) == 0);
  free(text);
  return 0;
}
