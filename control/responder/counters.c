/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/counters.h"

#include <assert.h>
#include <inttypes.h>

#include "dataplane/base/err.h"

static const struct {
  const char *name, *help;
} counter_text[ASZ_RESP_COUNTER_COUNT] = {
#define COUNTER_TEXT(symbol, name, help) [ASZ_RESP_##symbol] = {name, help},
    ASZ_RESP_COUNTER_LIST(COUNTER_TEXT)
#undef COUNTER_TEXT
};

const char *asz_resp_counter_name(enum asz_resp_counter counter) {
  assert(counter < ASZ_RESP_COUNTER_COUNT);
  return counter_text[counter].name;
}

const char *asz_resp_counter_help(enum asz_resp_counter counter) {
  assert(counter < ASZ_RESP_COUNTER_COUNT);
  return counter_text[counter].help;
}

enum asz_resp_counter asz_resp_counter_of_auth(int err) {
  switch (err) {
  case ASZ_ERANGE:
    return ASZ_RESP_DROPPED_STALE_EPOCH;
  case ASZ_EAGAIN:
    return ASZ_RESP_DROPPED_EPOCH_RATE;
  default:
    assert(err == ASZ_EAUTH);
    return ASZ_RESP_DROPPED_BAD_MAC;
  }
}

void asz_resp_counters_json(FILE *out, const struct asz_resp_counters *counters) {
  for (unsigned i = 0; i < ASZ_RESP_COUNTER_COUNT; i++)
    fprintf(out, "%s\"%s\":%" PRIu64, i ? "," : "", counter_text[i].name, counters->value[i]);
}

void asz_resp_counters_text(FILE *out, const struct asz_resp_counters *counters) {
  for (unsigned i = 0; i < ASZ_RESP_COUNTER_COUNT; i++)
    if (counters->value[i])
      fprintf(out, "%12" PRIu64 "  %-22s  %s\n", counters->value[i], counter_text[i].name, counter_text[i].help);
}
