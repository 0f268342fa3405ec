/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults are made with integers alone, so that a seed names the same network on every machine. A log-uniform delay is an
 * octave above 100 us, uniformly chosen, and a place in it; within the octave the place grows linearly instead of by powers of
 * two: at most 6 % off the curve, and nobody needs a libm that rounds alike.
 *
 * A file is read in one pass. A group is collected key by key and applied when the next one opens or the file ends, since its
 * count may stand below the keys that it governs. */
#include "control/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "control/ini.h"
#include "control/parse.h"
#include "dataplane/base/draw.h"

enum purpose { DRAW_DELAY, DRAW_LOSS };

enum {
  DELAY_NS_MIN = 100000,
  LOSS_PPM_MAX = 5000,
  LOSSY_PPM = 200000,
  SLOW_NS = 250000000,
  JITTER_DIVISOR = 50, /* 2 % */
  PPM = 1000000,
};

/* 200 ms = 100 us * 2^10 * 1.953125: ten octaves and 0.953125 of the eleventh. Q32. */
static const uint64_t octaves_q32 = (UINT64_C(10) << 32) + (UINT64_C(0xf4) << 24);

static uint64_t draw_delay_ns(uint64_t seed, uint32_t provider) {
  uint64_t at_q32 = asz_draw_below(asz_draw(seed, provider, 0, DRAW_DELAY), octaves_q32);
  unsigned octave = (unsigned)(at_q32 >> 32);
  uint64_t base_ns = (uint64_t)DELAY_NS_MIN << octave;
  return base_ns + (base_ns * (at_q32 & UINT32_MAX) >> 32);
}

static void draw_truth(struct asz_truth *ret_truth, uint32_t provider, uint64_t seed, enum asz_cheat cheat) {
  uint64_t delay_ns = draw_delay_ns(seed, provider);
  *ret_truth = (struct asz_truth){
      .delay_ns = delay_ns,
      .jitter_ns = delay_ns / JITTER_DIVISOR,
      .loss_ppm = (uint32_t)asz_draw_below(asz_draw(seed, provider, 0, DRAW_LOSS), LOSS_PPM_MAX + 1),
      .cheat = (uint8_t)cheat,
  };
  if (cheat == ASZ_CHEAT_LOSSY)
    ret_truth->loss_ppm = LOSSY_PPM;
  if (cheat == ASZ_CHEAT_SLOW)
    ret_truth->delay_ns += SLOW_NS;
}

void asz_scenario_default(struct asz_truth *ret_truth, uint32_t count, uint64_t seed) {
  for (uint32_t i = 0; i < count; i++)
    draw_truth(&ret_truth[i], i, seed, i < ASZ_CHEAT_COUNT ? (enum asz_cheat)i : ASZ_CHEAT_NONE);
}

/* X(key, smallest, largest): the keys that are numbers. */
#define NUMBER_LIST(X)                                                                                                           \
  X(count, 1, UINT32_MAX)                                                                                                        \
  X(delay_us, 1, 2000000)                                                                                                        \
  X(jitter_us, 0, 2000000)                                                                                                       \
  X(detour_us, 0, 2000000)                                                                                                       \
  FAULT_LIST(X)

/* Those that go into the field of the truth with the same name. */
#define FAULT_LIST(X)                                                                                                            \
  X(loss_ppm, 0, 1000000)                                                                                                        \
  X(bad_loss_ppm, 0, 1000000)                                                                                                    \
  X(to_bad_ppm, 0, 1000000)                                                                                                      \
  X(to_good_ppm, 0, 1000000)                                                                                                     \
  X(outage_ppm, 0, 1000000)                                                                                                      \
  X(outage_log2_probes, 0, 16)                                                                                                   \
  X(duplicate_ppm, 0, 1000000)                                                                                                   \
  X(detour_ppm, 0, 1000000)                                                                                                      \
  X(broken_ppm, 0, 1000000)                                                                                                      \
  X(altered_ppm, 0, 1000000)

enum number {
#define NUMBER_ENUM(key, min, max) NUMBER_##key,
  NUMBER_LIST(NUMBER_ENUM)
#undef NUMBER_ENUM
      NUMBER_COUNT
};

static const struct {
  const char *key;
  uint64_t min, max;
} numbers[] = {
#define NUMBER_ROW(key, min, max) [NUMBER_##key] = {#key, min, max},
    NUMBER_LIST(NUMBER_ROW)
#undef NUMBER_ROW
};

struct group {
  unsigned line; /* of its heading; 0: none is open */
  bool given[NUMBER_COUNT];
  uint64_t number[NUMBER_COUNT];
  unsigned count_line;
  bool takes_rest;
  bool cheat_given;
  enum asz_cheat cheat;
};

struct loading {
  struct asz_truth *truth;
  uint32_t count;
  uint64_t seed;
  const char *path;
  uint32_t taken; /* providers that have their truth */
  bool rest_taken;
  struct group group;
};

/* Two shares of one draw. */
static int at_most_all(const struct loading *l, enum number a, enum number b, struct asz_diag *diag) {
  const struct group *g = &l->group;
  if (g->number[a] + g->number[b] <= PPM)
    return 0;
  return asz_diag_set(diag, ASZ_ERANGE, "%s:%u: %s and %s: expected at most %d together, got %" PRIu64 " and %" PRIu64, l->path,
                      g->line, numbers[a].key, numbers[b].key, PPM, g->number[a], g->number[b]);
}

static int close_group(struct loading *l, struct asz_diag *diag) {
  const struct group *g = &l->group;
  int err;
  if (g->line == 0)
    return 0;
  if (!g->given[NUMBER_count])
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: count: expected how many providers this group has, got no such key", l->path,
                        g->line);
  if ((err = at_most_all(l, NUMBER_to_bad_ppm, NUMBER_to_good_ppm, diag)) ||
      (err = at_most_all(l, NUMBER_broken_ppm, NUMBER_altered_ppm, diag)))
    return err;
  uint32_t left = l->count - l->taken;
  uint32_t takes = g->takes_rest ? left : (uint32_t)g->number[NUMBER_count];
  if (takes == 0 || takes > left)
    return asz_diag_set(diag, ASZ_ERANGE, "%s:%u: count: expected a group within the %u providers of %u that are left", l->path,
                        g->count_line, left, l->count);
  for (uint32_t i = l->taken; i < l->taken + takes; i++) {
    struct asz_truth *truth = &l->truth[i];
    draw_truth(truth, i, l->seed, g->cheat);
    if (g->given[NUMBER_delay_us]) {
      truth->delay_ns = g->number[NUMBER_delay_us] * 1000;
      truth->jitter_ns = truth->delay_ns / JITTER_DIVISOR;
    }
    if (g->given[NUMBER_jitter_us])
      truth->jitter_ns = g->number[NUMBER_jitter_us] * 1000;
    truth->detour_ns = (uint32_t)g->number[NUMBER_detour_us] * 1000;
#define FAULT_SET(key, min, max)                                                                                                 \
  if (g->given[NUMBER_##key])                                                                                                    \
    truth->key = (__typeof__(truth->key))g->number[NUMBER_##key];
    FAULT_LIST(FAULT_SET)
#undef FAULT_SET
  }
  l->taken += takes;
  l->rest_taken |= g->takes_rest;
  return 0;
}

static int open_group(struct loading *l, const struct asz_ini_item *item, struct asz_diag *diag) {
  int err = close_group(l, diag);
  if (err)
    return err;
  if (strncmp(item->section, "group ", 6) != 0 || item->section[6] == '\0')
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: expected [group NAME], got [%s]", item->file, item->line, item->section);
  if (l->rest_taken)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: expected no group behind the one with count = rest, got [%s]", item->file,
                        item->line, item->section);
  l->group = (struct group){.line = item->line, .cheat = ASZ_CHEAT_NONE};
  return 0;
}

static int twice(const struct asz_ini_item *item, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected once in a group, got it again", item->file, item->line, item->key);
}

static int take_cheat(struct group *g, const struct asz_ini_item *item, struct asz_diag *diag) {
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

static int take_number(struct group *g, enum number n, const struct asz_ini_item *item, struct asz_diag *diag) {
  if (g->given[n])
    return twice(item, diag);
  g->given[n] = true;
  if (n == NUMBER_count) {
    g->count_line = item->line;
    g->takes_rest = !strcmp(item->value, "rest");
    if (g->takes_rest)
      return 0;
  }
  int err = asz_parse_u64(item->value, numbers[n].min, numbers[n].max, &g->number[n]);
  if (err)
    return asz_diag_set(diag, err, "%s:%u: %s: expected %" PRIu64 " to %" PRIu64 "%s, got \"%s\"", item->file, item->line,
                        item->key, numbers[n].min, numbers[n].max, n == NUMBER_count ? " or rest" : "", item->value);
  return 0;
}

static int visit(void *context, const struct asz_ini_item *item, struct asz_diag *diag) {
  struct loading *l = context;
  if (!item->key)
    return open_group(l, item, diag);
  if (!strcmp(item->key, "cheat"))
    return take_cheat(&l->group, item, diag);
  for (unsigned n = 0; n < NUMBER_COUNT; n++)
    if (!strcmp(item->key, numbers[n].key))
      return take_number(&l->group, n, item, diag);
#define NUMBER_NAME(key, min, max) #key " "
  return asz_diag_set(diag, ASZ_EFORMAT, "%s:%u: %s: expected one of the keys " NUMBER_LIST(NUMBER_NAME) "cheat", item->file,
                      item->line, item->key);
#undef NUMBER_NAME
}

static int load(struct loading *l, FILE *in, struct asz_diag *diag) {
  int err = asz_ini_read(in, l->path, visit, l, diag);
  if (!err)
    err = close_group(l, diag);
  if (!err && l->taken < l->count)
    err = asz_diag_set(diag, ASZ_EFORMAT, "%s: expected groups for all %u providers (count = rest takes what is left), got %u",
                       l->path, l->count, l->taken);
  return err;
}

int asz_scenario_load(struct asz_truth *ret_truth, uint32_t count, uint64_t seed, const char *path, struct asz_diag *diag) {
  FILE *in = fopen(path, "r");
  if (!in)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EIO, "%s: cannot open: %s", path, strerror(errno));
  struct loading l = {.truth = ret_truth, .count = count, .seed = seed, .path = path};
  int err = load(&l, in, diag);
  fclose(in);
  return err;
}
