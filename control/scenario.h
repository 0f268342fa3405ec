/* SPDX-License-Identifier: Apache-2.0 */
/* asz_scenario: the truth of a lab, from a seed alone or from a scenario file.
 *
 * Without a file: delays log-uniform in 100 us .. 200 ms, jitter 2 % of the delay, loss 0 to 0.5 %, and one provider of each
 * cheat: provider i has cheat i of ASZ_CHEAT_LIST, as far as the count goes; all others are honest. A file is INI, one group
 * after another, each taking the next `count` providers:
 *
 *   [group far]
 *   count = 100            ; 1..providers left; or: rest, in the last group
 *   delay_us = 80000       ; 1..2,000,000
 *   jitter_us = 500        ; 0..2,000,000
 *   loss_ppm = 1000        ; 0..1,000,000, as all shares; in good weather
 *   bad_loss_ppm = 400000  ; in bad weather
 *   to_bad_ppm = 2000      ; change to bad weather, per probe; at most 1,000,000 together with
 *   to_good_ppm = 50000    ; change to good weather
 *   outage_ppm = 5000      ; of the runs of 2^outage_log2_probes probes: lost whole
 *   outage_log2_probes = 5 ; 0..16
 *   duplicate_ppm = 1000   ; of replies: arrive twice
 *   detour_ppm = 1000      ; of replies: take the longer way
 *   detour_us = 60000      ; 0..2,000,000: so much longer
 *   broken_ppm = 500       ; of replies: a bit flipped, wrong checksum; at most 1,000,000 together with
 *   altered_ppm = 500      ; of replies: a bit flipped, checksum mended
 *   cheat = none           ; a name of ASZ_CHEAT_LIST
 *
 * Only count must be there; what the fields mean: struct asz_truth. A key left out is drawn from the seed as without a file
 * (cheat: none). A `lossy` provider then loses 20 %, a `slow` one has 250 ms more. The groups must take all providers. Errors
 * name file, line, key and what was expected. */
#ifndef ASZ_CONTROL_SCENARIO_H
#define ASZ_CONTROL_SCENARIO_H

#include "dataplane/emulator/emulator.h"

/* Both fill ret_truth[count]. Same seed (and file): same truth, on any machine. */
void asz_scenario_default(struct asz_truth *ret_truth, uint32_t count, uint64_t seed);
/* asz_scenario_load: ASZ_ENOENT or ASZ_EIO when the file cannot be read, ASZ_EFORMAT or ASZ_ERANGE for what is in it; ret_truth
 * is then undefined. */
ASZ_MUST_CHECK int asz_scenario_load(struct asz_truth *ret_truth, uint32_t count, uint64_t seed, const char *path,
                                     struct asz_diag *diag);

#endif
