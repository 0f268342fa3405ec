/* SPDX-License-Identifier: Apache-2.0 */
/* A file is read in one pass, group by group; a group is checked when the next one opens or the file ends, since two of its keys
 * may be wrong together. Whether the groups fit the lab shows only when its size is known: asz_scenario_truth, by the lines that
 * are kept here. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "control/parse.h"
#include "control/scenario_private.h"

enum { PPM = 1000000 };

static const struct {
  const char *key;
  uint64_t min, max;
} keys[] = {
#define KEY_ROW(key, min, max) [ASZ_SCENARIO_##key] = {#key, min, max},
    ASZ_SCENARIO_LIST(KEY_ROW)
#undef KEY_ROW
};

static const struct {
  const char *key;
  uint64_t min, max;
  size_t at; /* of its field */
} device_keys[] = {
#define DEVICE_ROW(key, min, max) [ASZ_SCENARIO_DEVICE_##key] = {#key, min, max, offsetof(struct asz_lab_device, key)},
    ASZ_SCENARIO_DEVICE_LIST(DEVICE_ROW)
#undef DEVICE_ROW
};

struct reading {
  struct asz_scenario *scenario;
  bool in_lab, lab_seen;
  unsigned lab_given; /* bit k: key k of [lab] */
};

static struct asz_scenario_group *group_now(const struct reading *r) {
  return &r->scenario->group[r->scenario->group_count - 1];
}

static int twice(const struct asz_ini_item *item, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected once in a section, got it again", item->file, item->line,
                      item->key);
}

static int read_number(const struct asz_ini_item *item, const char *text, uint64_t min, uint64_t max, const char *or_else,
                       uint64_t *ret_value, struct asz_diag *diag) {
  int err = asz_parse_u64(text, min, max, ret_value);
  if (err)
    return asz_diag_set(diag, err, "%s:%u: %s: expected %" PRIu64 " to %" PRIu64 "%s, got \"%s\"", item->file, item->line,
                        item->key, min, max, or_else, text);
  return 0;
}

/* ---- groups ---- */

/* Two shares of one draw, at their largest. */
static int at_most_all(const struct reading *r, enum asz_scenario_key a, enum asz_scenario_key b, struct asz_diag *diag) {
  const struct asz_scenario_group *g = group_now(r);
  const struct asz_scenario_range *one = &g->range[a], *two = &g->range[b];
  uint32_t most_a = one->count > 0 ? one->quantile[one->count - 1] : 0;
  uint32_t most_b = two->count > 0 ? two->quantile[two->count - 1] : 0;
  if (most_a + most_b <= PPM)
    return 0;
  return asz_diag_set(diag, ASZ_ERANGE, "%s:%u: %s and %s: expected at most %d together, got %u and %u", r->scenario->path,
                      g->line, keys[a].key, keys[b].key, PPM, most_a, most_b);
}

static int check_trait(const struct asz_scenario *s, const struct asz_scenario_group *g, struct asz_diag *diag) {
  const char *name = asz_lab_attack_name(g->trait.attack);
  const uint32_t columns_max = asz_lab_attack_columns_max(g->trait.attack);
  if (g->trait.attack != ASZ_LAB_ATTACK_NONE && g->cheat != ASZ_CHEAT_NONE)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected only with cheat = none, got cheat = %s", s->path,
                        g->attack_line, asz_cheat_name(g->cheat));
  if (g->columns_line > 0 && columns_max == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: columns: expected only with an attack on columns, got attack = %s", s->path,
                        g->columns_line, name);
  if (g->columns_line == 0 && columns_max > 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected columns from 1 to %u beside attack = %s, got none", s->path,
                        g->attack_line, columns_max, name);
  if (g->trait.columns > columns_max)
    return asz_diag_set(diag, ASZ_ERANGE, "%s:%u: columns: expected 1 to %u with attack = %s, got %u", s->path, g->columns_line,
                        columns_max, name, g->trait.columns);
  return 0;
}

/* What an attack that is timed needs is what no other has. */
static int check_device(const struct asz_scenario *s, const struct asz_scenario_group *g, struct asz_diag *diag) {
  const enum asz_lab_attack attack = g->trait.attack;
  const bool shares = attack == ASZ_LAB_ATTACK_SHARED_FOLD || attack == ASZ_LAB_ATTACK_SHARED_PRODUCT;
  const unsigned *line = g->device_line, needed = shares ? ASZ_SCENARIO_DEVICE_identities : ASZ_SCENARIO_DEVICE_path_us;
  const char *name = asz_lab_attack_name(attack);
  for (unsigned i = 0; i < ASZ_SCENARIO_DEVICE_KEYS; i++)
    if (line[i] > 0 && line[ASZ_SCENARIO_DEVICE_piece_us] == 0)
      return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected only beside piece_us", s->path, line[i], device_keys[i].key);
  for (unsigned i = ASZ_SCENARIO_DEVICE_path_us; i <= ASZ_SCENARIO_DEVICE_identities; i++)
    if (line[i] > 0 && !asz_lab_attack_is_timed(attack))
      return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected only with an attack on time, got attack = %s", s->path, line[i],
                          device_keys[i].key, name);
  if (asz_lab_attack_is_timed(attack) && (line[ASZ_SCENARIO_DEVICE_piece_us] == 0 || line[needed] == 0))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected piece_us and %s beside attack = %s", s->path, g->attack_line,
                        device_keys[needed].key, name);
  return 0;
}

static int close_group(const struct reading *r, struct asz_diag *diag) {
  if (r->scenario->group_count == 0)
    return 0;
  struct asz_scenario_group *g = group_now(r);
  if (g->size_line == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: count: expected how many providers this group has, or share_ppm, got neither",
                        r->scenario->path, g->line);
  if (g->range[ASZ_SCENARIO_floor_us].count > 0 && g->cheat != ASZ_CHEAT_FLOOR)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: floor_us: expected only with cheat = floor, got cheat = %s", r->scenario->path,
                        g->line, asz_cheat_name(g->cheat));
  int err = check_trait(r->scenario, g, diag);
  if (!err)
    err = check_device(r->scenario, g, diag);
  if (g->device_line[ASZ_SCENARIO_DEVICE_claim_us] == 0) /* who claims nothing else claims what it has */
    g->trait.device.claim_us = g->trait.device.piece_us;
  if (g->device_line[ASZ_SCENARIO_DEVICE_identities] == 0)
    g->trait.device.identities = 1;
  if (!err)
    err = at_most_all(r, ASZ_SCENARIO_to_bad_ppm, ASZ_SCENARIO_to_good_ppm, diag);
  return err ? err : at_most_all(r, ASZ_SCENARIO_broken_ppm, ASZ_SCENARIO_altered_ppm, diag);
}

static int open_group(struct reading *r, const struct asz_ini_item *item, struct asz_diag *diag) {
  struct asz_scenario *s = r->scenario;
  int err = close_group(r, diag);
  if (err)
    return err;
  if (s->group_count > 0 && group_now(r)->takes_rest)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: expected no group behind the one with count = rest, got [%s]", item->file,
                        item->line, item->section);
  if (s->group_count == ASZ_SCENARIO_GROUPS_MAX)
    return asz_diag_set(diag, ASZ_ETOOBIG, "%s:%u: expected at most %d groups", item->file, item->line, ASZ_SCENARIO_GROUPS_MAX);
  s->group[s->group_count++] = (struct asz_scenario_group){.line = item->line, .cheat = ASZ_CHEAT_NONE};
  snprintf(group_now(r)->name, sizeof group_now(r)->name, "%s", item->section + strlen("group "));
  r->in_lab = false;
  return 0;
}

static int take_cheat(struct asz_scenario_group *g, const struct asz_ini_item *item, struct asz_diag *diag) {
  if (g->cheat_given)
    return twice(item, diag);
  g->cheat = asz_cheat_from_name(item->value);
  g->cheat_given = true;
  if (g->cheat != ASZ_CHEAT_COUNT)
    return 0;
#define CHEAT_NAME(symbol, name, help) " " name
  return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: cheat: expected one of" ASZ_CHEAT_LIST(CHEAT_NAME) ", got \"%s\"", item->file,
                      item->line, item->value);
#undef CHEAT_NAME
}

static int take_attack(struct asz_scenario_group *g, const struct asz_ini_item *item, struct asz_diag *diag) {
  if (g->attack_line > 0)
    return twice(item, diag);
  const enum asz_lab_attack attack = asz_lab_attack_from_name(item->value);
  if (attack == ASZ_LAB_ATTACK_NONE || attack == ASZ_LAB_ATTACK_COUNT)
#define ATTACK_NAME(symbol, name, kind, verdict, chance, help) " " name
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: attack: expected one of" ASZ_LAB_ATTACK_LIST(ATTACK_NAME) ", got \"%s\"",
                        item->file, item->line, item->value);
#undef ATTACK_NAME
  g->trait.attack = (uint8_t)attack;
  g->attack_line = item->line;
  return 0;
}

/* The most that any attack has; what its own has is known at the end of the group. */
static int take_columns(struct asz_scenario_group *g, const struct asz_ini_item *item, struct asz_diag *diag) {
  uint64_t value;
  if (g->columns_line > 0)
    return twice(item, diag);
  int err = read_number(item, item->value, 1, asz_lab_attack_columns_max(ASZ_LAB_ATTACK_LAZY), "", &value, diag);
  if (err)
    return err;
  g->columns_line = item->line;
  g->trait.columns = (uint16_t)value;
  return 0;
}

static int take_device_key(struct asz_scenario_group *g, unsigned key, const struct asz_ini_item *item, struct asz_diag *diag) {
  uint64_t value;
  if (g->device_line[key] > 0)
    return twice(item, diag);
  int err = read_number(item, item->value, device_keys[key].min, device_keys[key].max, "", &value, diag);
  if (err)
    return err;
  const uint32_t number = (uint32_t)value;
  g->device_line[key] = item->line;
  memcpy((uint8_t *)&g->trait.device + device_keys[key].at, &number, sizeof number);
  return 0;
}

/* count or share_ppm: how many providers the group takes, said once. */
static int take_size(struct asz_scenario_group *g, const struct asz_ini_item *item, struct asz_diag *diag) {
  bool is_share = !strcmp(item->key, "share_ppm");
  uint64_t value;
  if (g->size_line > 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected count or share_ppm once in a group, got another", item->file,
                        item->line, item->key);
  g->size_line = item->line;
  g->takes_rest = !is_share && !strcmp(item->value, "rest");
  if (g->takes_rest)
    return 0;
  int err = is_share ? read_number(item, item->value, 1, PPM, "", &value, diag)
                     : read_number(item, item->value, 1, ASZ_LAB_PROVIDERS_MAX, " or rest", &value, diag);
  if (err)
    return err;
  *(is_share ? &g->share_ppm : &g->count) = (uint32_t)value;
  return 0;
}

static int take_quantile(struct asz_scenario_range *range, enum asz_scenario_key key, const struct asz_ini_item *item,
                         const char *word, struct asz_diag *diag) {
  uint64_t value;
  if (range->count == ASZ_SCENARIO_QUANTILES_MAX)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected at most %d quantiles, got more", item->file, item->line,
                        item->key, ASZ_SCENARIO_QUANTILES_MAX);
  int err = read_number(item, word, keys[key].min, keys[key].max, "", &value, diag);
  if (err)
    return err;
  if (range->count > 0 && value < range->quantile[range->count - 1])
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected quantiles that do not fall, got %" PRIu64 " behind %u",
                        item->file, item->line, item->key, value, range->quantile[range->count - 1]);
  range->quantile[range->count++] = (uint32_t)value;
  return 0;
}

static int take_range(struct asz_scenario_group *g, enum asz_scenario_key key, const struct asz_ini_item *item,
                      struct asz_diag *diag) {
  struct asz_scenario_range *range = &g->range[key];
  char text[ASZ_INI_LINE_MAX + 1], *rest = text;
  if (range->count > 0)
    return twice(item, diag);
  memcpy(text, item->value, strlen(item->value) + 1); /* a value is part of a line */
  int err = 0;
  do {
    char *word = rest + strspn(rest, " \t");
    rest = word + strcspn(word, " \t");
    if (*rest != '\0')
      *rest++ = '\0';
    err = take_quantile(range, key, item, word, diag);
  } while (!err && *rest != '\0');
  return err;
}

static int take_group_key(struct reading *r, const struct asz_ini_item *item, struct asz_diag *diag) {
  struct asz_scenario_group *g = group_now(r);
  if (!strcmp(item->key, "cheat"))
    return take_cheat(g, item, diag);
  if (!strcmp(item->key, "count") || !strcmp(item->key, "share_ppm"))
    return take_size(g, item, diag);
  if (!strcmp(item->key, "attack"))
    return take_attack(g, item, diag);
  if (!strcmp(item->key, "columns"))
    return take_columns(g, item, diag);
  for (unsigned key = 0; key < ASZ_SCENARIO_KEY_COUNT; key++)
    if (!strcmp(item->key, keys[key].key))
      return take_range(g, key, item, diag);
  for (unsigned key = 0; key < ASZ_SCENARIO_DEVICE_KEYS; key++)
    if (!strcmp(item->key, device_keys[key].key))
      return take_device_key(g, key, item, diag);
#define KEY_NAME(key, min, max) #key " "
  return asz_diag_set(diag, ASZ_EFORMAT,
                      "%s:%u: %s: expected one of the keys count share_ppm " ASZ_SCENARIO_LIST(KEY_NAME)
                          ASZ_SCENARIO_DEVICE_LIST(KEY_NAME) "cheat attack columns",
                      item->file, item->line, item->key);
#undef KEY_NAME
}

/* ---- the lab ---- */

static const struct {
  const char *key;
  uint64_t min, max;
  size_t at; /* of its field */
} lab_keys[] = {
#define LAB_ROW(key, fallback, min, max) {#key, min, max, offsetof(struct asz_scenario_lab, key)},
    ASZ_SCENARIO_LAB_LIST(LAB_ROW)
#undef LAB_ROW
};
enum { LAB_KEYS = sizeof lab_keys / sizeof *lab_keys };

static int take_lab_key(struct reading *r, const struct asz_ini_item *item, struct asz_diag *diag) {
  unsigned k = 0;
  while (k < LAB_KEYS && strcmp(item->key, lab_keys[k].key) != 0)
    k++;
#define LAB_NAME(key, fallback, min, max) " " #key
  if (k == LAB_KEYS)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected one of the keys" ASZ_SCENARIO_LAB_LIST(LAB_NAME), item->file,
                        item->line, item->key);
#undef LAB_NAME
  if (r->lab_given & 1u << k)
    return twice(item, diag);
  r->lab_given |= 1u << k;
  uint64_t value;
  int err = read_number(item, item->value, lab_keys[k].min, lab_keys[k].max, "", &value, diag);
  if (!err)
    memcpy((uint8_t *)&r->scenario->lab + lab_keys[k].at, &value, sizeof value);
  return err;
}

static int open_section(struct reading *r, const struct asz_ini_item *item, struct asz_diag *diag) {
  if (!strncmp(item->section, "group ", 6) && item->section[6] != '\0')
    return open_group(r, item, diag);
  if (strcmp(item->section, "lab") != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: expected [lab] or [group NAME], got [%s]", item->file, item->line,
                        item->section);
  if (r->lab_seen || r->scenario->group_count > 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: expected [lab] once, before the groups, got it here", item->file, item->line);
  r->in_lab = r->lab_seen = true;
  return 0;
}

static int visit(void *context, const struct asz_ini_item *item, struct asz_diag *diag) {
  struct reading *r = context;
  if (!item->key)
    return open_section(r, item, diag);
  return r->in_lab ? take_lab_key(r, item, diag) : take_group_key(r, item, diag);
}

int asz_scenario_read(struct asz_scenario **ret_scenario, FILE *in, const char *name, struct asz_diag *diag) {
  struct reading r = {.scenario = calloc(1, sizeof *r.scenario)};
  if (!r.scenario)
    return asz_diag_set(diag, ASZ_ENOMEM, "%s: out of memory", name);
  r.scenario->lab = asz_scenario_lab(NULL);
  snprintf(r.scenario->path, sizeof r.scenario->path, "%s", name);
  int err = asz_ini_read(in, name, visit, &r, diag);
  if (!err)
    err = close_group(&r, diag);
  if (!err && r.scenario->group_count == 0)
    err = asz_diag_set(diag, ASZ_EFORMAT, "%s: expected a [group NAME], got none", name);
  if (err) {
    asz_scenario_free(r.scenario);
    return err;
  }
  *ret_scenario = r.scenario;
  return 0;
}

int asz_scenario_load(struct asz_scenario **ret_scenario, const char *path, struct asz_diag *diag) {
  FILE *in = fopen(path, "r");
  if (!in)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EIO, "%s: cannot open: %s", path, strerror(errno));
  int err = asz_scenario_read(ret_scenario, in, path, diag);
  fclose(in);
  return err;
}

void asz_scenario_free(struct asz_scenario *scenario) {
  free(scenario);
}
