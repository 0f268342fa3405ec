/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/counters.h"

#include <assert.h>

static const struct {
  const char *name, *help;
} counter_text[ASZ_CTR_COUNT] = {
#define ASZ_COUNTER_TEXT(symbol, name, help) {name, help},
    ASZ_COUNTER_LIST(ASZ_COUNTER_TEXT)
#undef ASZ_COUNTER_TEXT
};

const char *asz_counter_name(enum asz_counter counter) {
  assert((unsigned)counter < ASZ_CTR_COUNT);
  return counter_text[counter].name;
}

const char *asz_counter_help(enum asz_counter counter) {
  assert((unsigned)counter < ASZ_CTR_COUNT);
  return counter_text[counter].help;
}
