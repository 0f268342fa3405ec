/* SPDX-License-Identifier: Apache-2.0 */
/* Files of prefixes, as deny list and as AS map: what is accepted is sorted, unique, finds itself and what it holds; what is not
 * leaves one line that names file and line. */
#include <string.h>

#include "control/prefix.h"
#include "tests/fuzz/fuzz.h"

static void check_accepted(const struct asz_prefixes *p, enum asz_prefixes_form form) {
  for (size_t i = 0; i < p->count; i++) {
    const struct asz_prefix_entry *entry = &p->entry[i];
    char text[ASZ_PREFIX_TEXT];
    struct asz_prefix again;
    FUZZ_CHECK(asz_prefix_parse(&again, asz_prefix_format(text, &entry->prefix)) == 0);
    FUZZ_CHECK(asz_prefix_compare(&again, &entry->prefix) == 0);
    FUZZ_CHECK(asz_prefixes_find(p, &entry->prefix) == entry);
    FUZZ_CHECK(i == 0 || asz_prefix_compare(&p->entry[i - 1].prefix, &entry->prefix) < 0);
    FUZZ_CHECK((entry->asn != 0) == (form == ASZ_PREFIXES_MAP));
    FUZZ_CHECK(entry->parent == UINT32_MAX ||
               (entry->parent < i && asz_prefix_has(&p->entry[entry->parent].prefix, &entry->prefix)));
  }
}

static void run_form(const uint8_t *data, size_t size_bytes, enum asz_prefixes_form form) {
  struct asz_prefixes prefixes = {0};
  struct asz_diag diag = {""};
  FILE *in = fmemopen((void *)(uintptr_t)data, size_bytes, "r");
  FUZZ_CHECK(in != NULL);
  if (asz_prefixes_read(&prefixes, in, "fuzz", form, &diag) == 0)
    check_accepted(&prefixes, form);
  else
    FUZZ_CHECK(strncmp(diag.text, "fuzz:", 5) == 0 && strchr(diag.text, '\n') == NULL && prefixes.count == 0);
  asz_prefixes_free(&prefixes);
  fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  if (size_bytes == 0)
    return 0; /* fmemopen refuses it */
  run_form(data, size_bytes, ASZ_PREFIXES_LIST);
  run_form(data, size_bytes, ASZ_PREFIXES_MAP);
  return 0;
}
