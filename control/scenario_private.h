/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of a scenario share: scenario_file.c reads it, scenario.c draws providers from it. */
#ifndef ASZ_CONTROL_SCENARIO_PRIVATE_H
#define ASZ_CONTROL_SCENARIO_PRIVATE_H

#include "control/agenda.h"
#include "control/ini.h"
#include "control/scenario.h"

/* X(key, smallest, largest): what a group says of its providers, as one number or as rising quantiles. The draws of a key follow
 * from its place here: new ones at the end. */
#define ASZ_SCENARIO_LIST(X)                                                                                                     \
  X(delay_us, 1, 2000000)                                                                                                        \
  X(jitter_us, 0, 2000000)                                                                                                       \
  X(detour_us, 0, 2000000)                                                                                                       \
  ASZ_SCENARIO_FAULT_LIST(X)                                                                                                     \
  X(floor_us, 0, 2000000)

/* Those that go into the field of the truth with the same name. */
#define ASZ_SCENARIO_FAULT_LIST(X)                                                                                               \
  X(loss_ppm, 0, 1000000)                                                                                                        \
  X(bad_loss_ppm, 0, 1000000)                                                                                                    \
  X(to_bad_ppm, 0, 1000000)                                                                                                      \
  X(to_good_ppm, 0, 1000000)                                                                                                     \
  X(outage_ppm, 0, 1000000)                                                                                                      \
  X(outage_log2_probes, 0, 16)                                                                                                   \
  X(duplicate_ppm, 0, 1000000)                                                                                                   \
  X(detour_ppm, 0, 1000000)                                                                                                      \
  X(broken_ppm, 0, 1000000)                                                                                                      \
  X(altered_ppm, 0, 1000000)                                                                                                     \
  X(region_outage_ppm, 0, 1000000)

/* X(key, smallest, largest): of the device that a group's providers work on, one number each, into the field of the same name of
 * struct asz_lab_device. */
#define ASZ_SCENARIO_DEVICE_LIST(X)                                                                                              \
  X(piece_us, 1, 1000000)                                                                                                        \
  X(claim_us, 1, 1000000)                                                                                                        \
  X(path_us, 1, 1000000)                                                                                                         \
  X(identities, 2, ASZ_AGENDA_GROUP_MAX)

enum asz_scenario_device_key {
#define ASZ_SCENARIO_DEVICE_ENUM(key, min, max) ASZ_SCENARIO_DEVICE_##key,
  ASZ_SCENARIO_DEVICE_LIST(ASZ_SCENARIO_DEVICE_ENUM)
#undef ASZ_SCENARIO_DEVICE_ENUM
      ASZ_SCENARIO_DEVICE_KEYS
};

enum asz_scenario_key {
#define ASZ_SCENARIO_ENUM(key, min, max) ASZ_SCENARIO_##key,
  ASZ_SCENARIO_LIST(ASZ_SCENARIO_ENUM)
#undef ASZ_SCENARIO_ENUM
      ASZ_SCENARIO_KEY_COUNT
};

enum {
  ASZ_SCENARIO_GROUPS_MAX = 64,
  ASZ_SCENARIO_QUANTILES_MAX = 11, /* deciles */
};

/* A distribution: equally spaced quantiles, the smallest and the largest value included; one alone is a fixed value. */
struct asz_scenario_range {
  uint32_t count; /* 0: not given */
  uint32_t quantile[ASZ_SCENARIO_QUANTILES_MAX];
};

struct asz_scenario_group {
  char name[ASZ_INI_SECTION_MAX + 1];
  unsigned line, size_line; /* of its heading, and where it says how many it takes; 0: nowhere */
  bool takes_rest, cheat_given;
  uint32_t count, share_ppm; /* one of them is 0, both with takes_rest */
  enum asz_cheat cheat;
  unsigned attack_line, columns_line, device_line[ASZ_SCENARIO_DEVICE_KEYS]; /* 0: not given */
  struct asz_lab_trait trait;
  struct asz_scenario_range range[ASZ_SCENARIO_KEY_COUNT];
};

struct asz_scenario {
  char path[ASZ_SCENARIO_PATH_MAX]; /* for messages; cut off where it is longer */
  struct asz_scenario_lab lab;
  uint32_t group_count;
  struct asz_scenario_group group[ASZ_SCENARIO_GROUPS_MAX];
};

#endif
