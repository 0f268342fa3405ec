/* SPDX-License-Identifier: Apache-2.0 */
/* asz_scenario: the truth of a lab, from a seed alone or from a scenario file.
 *
 * Without a file: delays log-uniform in 100 us .. 200 ms, jitter 2 % of the delay, loss 0 to 0.5 %, and one provider of each
 * cheat: provider i has cheat i of ASZ_CHEAT_LIST, as far as the count goes; all others are honest. A file is INI: what the lab
 * is, then one group after another, each taking the next providers. docs/lab.md has every key; in short:
 *
 *   [lab]                                     ; may be left out, as may each of its keys
 *   providers = 200
 *   seconds = 10
 *   seed = 7
 *   ipv6_ppm = 250000
 *   [group far]
 *   share_ppm = 250000                        ; or count = 50; or count = rest, in the last group
 *   delay_us = 70000 90000 110000 240000      ; one number, or up to 11 rising quantiles of the group's providers
 *   loss_ppm = 1000
 *   cheat = none
 *   [group lazy]
 *   count = 10
 *   attack = lazy                             ; of asz_lab_attack, instead of a cheat
 *   columns = 16                              ; of its products that are spoilt
 *   [group two in one]
 *   count = 8
 *   attack = shared-fold
 *   piece_us = 100000                         ; what a device needs for a product, build or fold
 *   identities = 2                            ; that have one device
 *
 * A provider's value is drawn from the quantiles by seed, provider and key; one number is everybody's. A key left out is drawn
 * from the seed as without a file (delay, jitter, loss) or does not happen (faults; cheat: none). A `lossy` provider then loses
 * 20 %, a `slow` one has 250 ms more, a `floor` is at 250 ms. The groups must take all providers. Errors name file, line, key and
 * what was expected. */
#ifndef ASZ_CONTROL_SCENARIO_H
#define ASZ_CONTROL_SCENARIO_H

#include <stdio.h>

#include "control/lab_attack.h"
#include "dataplane/base/opening.h"
#include "dataplane/emulator/emulator.h"

enum {
  ASZ_LAB_PROVIDERS_MAX = 262144, /* three probes a second to each: what one emulator lcore answers */
  ASZ_LAB_SECONDS_MIN = 3,
  ASZ_LAB_SECONDS_MAX = 86400,
  ASZ_SCENARIO_PATH_MAX = 256,
  ASZ_LAB_NOISE_MS = 40,    /* what ways of up to some 10 ms and a busy machine may add to an answer, and no claim may hang on */
  ASZ_LAB_KEYED_MAX = 2000, /* up to so many have keys, TLV and challenges: one CPU proves and verifies for all of them */
};

/* asz_scenario_default fills ret_truth[count]. Same seed: same truth, on any machine. */
void asz_scenario_default(struct asz_truth *ret_truth, uint32_t count, uint64_t seed);

struct asz_scenario;

/* asz_scenario_read reads a file that is open, `name` stands for it in messages; asz_scenario_load opens it first. ASZ_ENOENT or
 * ASZ_EIO when it cannot be read, ASZ_EFORMAT, ASZ_ERANGE or ASZ_ETOOBIG for what is in it, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_scenario_read(struct asz_scenario **ret_scenario, FILE *in, const char *name, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_scenario_load(struct asz_scenario **ret_scenario, const char *path, struct asz_diag *diag);
void asz_scenario_free(struct asz_scenario *scenario); /* NULL is fine */

/* X(key, default, smallest, largest): what a lab is, by [lab] of a file or by options of the same name. */
#define ASZ_SCENARIO_LAB_LIST(X)                                                                                                 \
  X(providers, 256, 1, ASZ_LAB_PROVIDERS_MAX)                                                                                    \
  X(seconds, 10, ASZ_LAB_SECONDS_MIN, ASZ_LAB_SECONDS_MAX)                                                                       \
  X(seed, 1, 0, UINT64_MAX)                                                                                                      \
  X(ipv6_ppm, 250000, 0, 1000000)                                                                                                \
  X(openings, 0, 0, ASZ_OPENINGS_MAX)

struct asz_scenario_lab {
#define ASZ_SCENARIO_LAB_FIELD(key, fallback, min, max) uint64_t key;
  ASZ_SCENARIO_LAB_LIST(ASZ_SCENARIO_LAB_FIELD)
#undef ASZ_SCENARIO_LAB_FIELD
};
/* asz_scenario_lab: what the file says, the defaults where it does not; NULL: all defaults. */
struct asz_scenario_lab asz_scenario_lab(const struct asz_scenario *scenario);

/* asz_scenario_group: the name of a group, by the region of its providers (asserted); the scenario's. */
const char *asz_scenario_group(const struct asz_scenario *scenario, uint32_t region);

/* asz_scenario_truth fills ret_truth[count]; a provider's region is its group, from 0. Same file, count and seed: same truth, on
 * any machine. ASZ_ERANGE or ASZ_EFORMAT when the groups do not take just `count` providers; ret_truth is then undefined. */
ASZ_MUST_CHECK int asz_scenario_truth(const struct asz_scenario *scenario, uint32_t count, uint64_t seed,
                                      struct asz_truth *ret_truth, struct asz_diag *diag);

/* asz_scenario_traits fills ret_trait[count] for a truth of this scenario, with what the lab in fact is. ASZ_EFORMAT for an
 * attack that this lab cannot show: on gemm without openings, or where nobody has a key; on time where the machine's noise would
 * decide, or where not all who share a device are asked at once. */
ASZ_MUST_CHECK int asz_scenario_traits(const struct asz_scenario *scenario, const struct asz_truth *truth, uint32_t count,
                                       const struct asz_lab_terms *terms, struct asz_lab_trait *ret_trait, struct asz_diag *diag);
/* asz_scenario_sharing: how many providers share their device with others; they are the first. */
uint32_t asz_scenario_sharing(const struct asz_lab_trait *trait, uint32_t count);

#endif
