/* SPDX-License-Identifier: Apache-2.0 */
/* asz_scenario: the truth of a lab, from a seed alone or from a scenario file.
 *
 * Without a file: delays log-uniform in 100 us .. 200 ms, jitter 2 % of the delay, loss 0 to 0.5 %, and one provider of each
 * cheat (as far as the count goes). A file is INI: one [group NAME] after another, each taking the next `count` providers: [group
 * far] count = 100            ; or: rest delay_us = 80000       ; range 1..2,000,000 jitter_us = 500 loss_ppm = 1000        ;
 * 0..1,000,000 cheat = none           ; a name of ASZ_CHEAT_LIST Errors name file, line, key and what was expected. */
#ifndef ASZ_CONTROL_SCENARIO_H
#define ASZ_CONTROL_SCENARIO_H

#include "dataplane/emulator/emulator.h"

/* Both fill ret_truth[count]. Same seed (and file): same truth. */
void asz_scenario_default(struct asz_truth *ret_truth, uint32_t count, uint64_t seed);
ASZ_MUST_CHECK int asz_scenario_load(struct asz_truth *ret_truth, uint32_t count, uint64_t seed, const char *path,
                                     struct asz_diag *diag);

#endif
