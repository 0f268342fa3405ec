/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rtt_targets.h"

#include <stdio.h>

#include "control/parse.h"

enum { TARGET_MS_MAX = 10000, WORDS_MAX = 256 };

/* Whether a name is the region or stands below it. */
static bool covers(const char *region, const char *name) {
  size_t length = strlen(region);
  return strncmp(region, name, length) == 0 && (name[length] == '\0' || name[length] == '-');
}

static int read_word(struct asz_rtt_targets *targets, char *word, const char *where, struct asz_diag *diag) {
  uint64_t target_ms;
  struct asz_provider named; /* a region is what a provider may have for one */
  char *equals = strchr(word, '=');
  if (!equals || equals == word)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected words REGION=MS with spaces between them, got \"%s\"", where, word);
  *equals = '\0';
  int err = asz_provider_set(&named, ASZ_PROVIDER_FIELD_region, word, where, diag);
  if (err)
    return err;
  for (uint32_t i = 0; i < targets->count; i++) {
    if (strcmp(targets->region[i].name, word) == 0)
      return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected each region once, got \"%s\" twice", where, word);
  }
  if (targets->count == ASZ_RTT_REGIONS_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: expected at most %d regions", where, ASZ_RTT_REGIONS_MAX);
  err = asz_parse_u64(equals + 1, 1, TARGET_MS_MAX, &target_ms);
  if (err)
    return asz_diag_set(diag, err, "%s: expected a target of %s from 1 to %d ms, got \"%s\"", where, word, TARGET_MS_MAX,
                        equals + 1);
  struct asz_rtt_region *region = &targets->region[targets->count++];
  snprintf(region->name, sizeof region->name, "%s", word);
  region->target_ns = target_ms * 1000000;
  return 0;
}

int asz_rtt_targets_read(struct asz_rtt_targets *ret_targets, uint64_t default_ns, const char *regions, const char *where,
                         struct asz_diag *diag) {
  struct asz_rtt_targets targets = {.default_ns = default_ns};
  char words[WORDS_MAX], *next = NULL;
  if (strlen(regions) >= sizeof words)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: expected at most %d characters", where, WORDS_MAX - 1);
  memcpy(words, regions, strlen(regions) + 1);
  for (char *word = strtok_r(words, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
    int err = read_word(&targets, word, where, diag);
    if (err)
      return err;
  }
  *ret_targets = targets;
  return 0;
}

uint64_t asz_rtt_target_of(const struct asz_rtt_targets *targets, const struct asz_provider *provider) {
  uint64_t target_ns = targets->default_ns;
  size_t longest = 0;
  if (provider->rtt_target_ns)
    return provider->rtt_target_ns;
  for (uint32_t i = 0; i < targets->count; i++) {
    const struct asz_rtt_region *region = &targets->region[i];
    if (strlen(region->name) > longest && covers(region->name, provider->region)) {
      longest = strlen(region->name);
      target_ns = region->target_ns;
    }
  }
  return target_ns;
}
