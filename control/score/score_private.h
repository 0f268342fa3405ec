/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the scores share. Private to control/score and its tests. */
#ifndef ASZ_CONTROL_SCORE_SCORE_PRIVATE_H
#define ASZ_CONTROL_SCORE_SCORE_PRIVATE_H

#include "control/score/score.h"

/* A day's judged slots stay under it, in memory and in files: a month is then under 2^29 slots, and the interval's products fit
 * 128 bits. A slot of one second gives 86,400 a day. */
enum { ASZ_DAY_SLOTS_MAX = 1 << 24 };

#define ASZ_DAY_NS (UINT64_C(86400) * 1000000000)

enum { ASZ_LAST_SLOT_UP = 0, ASZ_LAST_SLOT_DOWN = 1, ASZ_LAST_SLOT_NONE = 2 };

/* asz_window_add counts an epoch's judged slots into the bucket of the day and remembers its last one. Nothing judged: nothing
 * changes. asz_window_sum: the buckets of the 30 days that end with `day` (.day = day). */
void asz_window_add(struct asz_score_state *state, uint32_t day, uint64_t slots_judged, uint64_t slots_up);
struct asz_day asz_window_sum(const struct asz_score_state *state, uint32_t day);

/* asz_window_low_ppm: the certified uptime of a window: Wilson's bound at the corrected count.
 * asz_window_missing: how many more slots, all up, certify the next of 90, 99, 99.9, 99.99 %; 0: none left; UINT32_MAX: more than
 * 2^26. */
uint32_t asz_window_low_ppm(const struct asz_day *window);
uint32_t asz_window_missing(const struct asz_day *window);

/* asz_sla_account: window and day hold judged slots; the two masks are the epoch's. target_ppm <= ASZ_PPM. */
void asz_sla_account(const struct asz_day *window, const struct asz_day *day, uint64_t slots_judged, uint64_t slots_up,
                     uint32_t target_ppm, struct asz_sla *ret_sla);

/* asz_composite_ppm: s_av^(8/11) s_lat^(3/11). asz_tier_of: the ladder alone, for a vetted provider. */
uint32_t asz_composite_ppm(uint32_t s_availability_ppm, uint32_t s_latency_ppm);
uint8_t asz_tier_of(uint32_t composite_ppm, uint32_t window_uptime_ppm);

/* asz_beta_step forgets 1/1000 of what was known and adds one judged answer. */
void asz_beta_step(struct asz_score_state *state, bool right);

/* asz_ratio_ppm: floor(10^6 part / whole); whole > 0, part <= whole. */
uint32_t asz_ratio_ppm(uint64_t part, uint64_t whole);

#endif
