/* SPDX-License-Identifier: Apache-2.0 */
#include "control/ladder.h"

#include <assert.h>

enum { TRIES = 3, PART = 16, PPM = 1000000 };

void asz_ladder_init(struct asz_ladder *ladder, uint64_t first_pps, uint64_t max_pps) {
  assert(first_pps >= 1 && first_pps <= max_pps);
  *ladder = (struct asz_ladder){.next_pps = first_pps, .max_pps = max_pps};
}

static uint64_t up(const struct asz_ladder *ladder) {
  if (ladder->clean_pps == ladder->max_pps)
    return 0;
  return ladder->clean_pps <= ladder->max_pps / 2 ? 2 * ladder->clean_pps : ladder->max_pps;
}

static uint64_t between(const struct asz_ladder *ladder) {
  uint64_t apart_pps = ladder->bad_pps - ladder->clean_pps;
  if (ladder->clean_pps == 0 || apart_pps <= 1 || apart_pps <= ladder->bad_pps / PART)
    return 0;
  return ladder->clean_pps + apart_pps / 2;
}

void asz_ladder_note(struct asz_ladder *ladder, bool clean) {
  if (ladder->next_pps == 0 || (!clean && ++ladder->failed < TRIES))
    return;
  if (clean)
    ladder->clean_pps = ladder->next_pps;
  else
    ladder->bad_pps = ladder->next_pps;
  ladder->failed = 0;
  ladder->next_pps = ladder->bad_pps == 0 ? up(ladder) : between(ladder);
}

const char *asz_rung_name(enum asz_rung_verdict verdict) {
  static const char *const names[] = {
#define RUNG_NAME(symbol, name, help) [ASZ_RUNG_##symbol] = name,
      ASZ_RUNG_LIST(RUNG_NAME)
#undef RUNG_NAME
  };
  assert(verdict < ASZ_RUNG_COUNT);
  return names[verdict];
}

void asz_rung_judge(struct asz_rung *rung, const struct asz_rung_bounds *bounds) {
  const uint64_t fault[ASZ_RUNG_COUNT] = {
      [ASZ_RUNG_NOT_SENT] = rung->not_sent, [ASZ_RUNG_REFUSED] = rung->refused, [ASZ_RUNG_LATE] = rung->late,
      [ASZ_RUNG_MISSED] = rung->missed,     [ASZ_RUNG_WRONG] = rung->wrong,
  };
  const unsigned __int128 due = rung->sent + rung->not_sent + rung->refused, ppm = PPM;
  enum asz_rung_verdict worst = ASZ_RUNG_CLEAN;
  uint64_t faults = 0;
  for (enum asz_rung_verdict v = 0; v < ASZ_RUNG_COUNT; v++) {
    faults += fault[v];
    if (fault[v] > fault[worst])
      worst = v;
  }
  bool lossy = rung->lost * ppm > due * bounds->loss_ppm, faulty = faults * ppm > due * bounds->fault_ppm;
  rung->verdict = faulty && (!lossy || fault[worst] >= rung->lost) ? worst : lossy ? ASZ_RUNG_LOST : ASZ_RUNG_CLEAN;
  /* A hundredth for a rung so short that its ends show; what was skipped or refused is judged above. */
  uint64_t kept_pps = rung->asked_pps - rung->asked_pps / 100;
  uint64_t reached_pps = due > 0 ? (uint64_t)(due * rung->rate_pps / (rung->sent > 0 ? rung->sent : 1)) : 0;
  if (rung->verdict == ASZ_RUNG_CLEAN && reached_pps < kept_pps)
    rung->verdict = ASZ_RUNG_SLOW;
}
