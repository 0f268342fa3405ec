/* SPDX-License-Identifier: Apache-2.0 */
/* Imported providers: what is accepted has a name, a unicast address and the key that its probe needs, each unique; what is not
 * leaves one line that names the file. */
#include <string.h>

#include "control/import.h"
#include "dataplane/engine.h"
#include "tests/fuzz/fuzz.h"

static bool same_address(const struct asz_provider *a, const struct asz_provider *b) {
  return a->ipv4 == b->ipv4 && memcmp(a->ipv6, b->ipv6, sizeof a->ipv6) == 0;
}

static void check_accepted(const struct asz_import *import) {
  for (size_t i = 0; i < import->count; i++) {
    const struct asz_provider *p = &import->provider[i];
    FUZZ_CHECK(p->name[0] != '\0' && (p->ipv4 != 0) == asz_ipv6_is_none(p->ipv6) && p->port != 0);
    FUZZ_CHECK(p->ipv4 != 0 || asz_ipv6_is_provider(p->ipv6));
    FUZZ_CHECK(p->probe < ASZ_PROBE_COUNT && (p->probe != ASZ_PROBE_STAMP_TLV || asz_provider_has_key(p)));
    FUZZ_CHECK(i == 0 || import->line[i] > import->line[i - 1]);
    for (size_t j = 0; j < i && j < 64; j++)
      FUZZ_CHECK(!same_address(p, &import->provider[j]) && strcmp(p->name, import->provider[j].name) != 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_import import;
  struct asz_diag diag = {""};
  char *text = malloc(size_bytes + 1);
  FUZZ_CHECK(text != NULL);
  memcpy(text, data, size_bytes);
  text[size_bytes] = '\0';
  if (asz_import_csv(&import, text, size_bytes, "fuzz.csv", &diag) == 0) {
    check_accepted(&import);
    asz_import_free(&import);
  } else {
    FUZZ_CHECK(strncmp(diag.text, "fuzz.csv", 8) == 0 && strchr(diag.text, '\n') == NULL);
  }
  free(text);
  return 0;
}
