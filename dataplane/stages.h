/* SPDX-License-Identifier: Apache-2.0 */
/* asz_stages: where an lcore's time goes, stage by stage (ASZ_STAGE_LIST), for benchmarks. In a run the pointer is NULL and a
 * mark costs a test of it, once a burst; else a mark reads the counter, about 20 ticks, which are part of the stage. The time
 * between the end of one chain of marks and the next begin is nobody's: polling, housekeeping, waiting. */
#ifndef ASZ_DATAPLANE_STAGES_H
#define ASZ_DATAPLANE_STAGES_H

#include "dataplane/base/clock.h"
#include "dataplane/engine.h"

struct asz_stages {
  uint64_t ticks[ASZ_STAGE_COUNT];
  uint64_t mark_tsc;
};

/* asz_stages_begin: the next stage starts now. */
static inline void asz_stages_begin(struct asz_stages *stages) {
  if (__builtin_expect(stages != NULL, 0))
    stages->mark_tsc = asz_tsc();
}
/* asz_stages_end: what was done since the last mark was this stage; the next one starts. */
static inline void asz_stages_end(struct asz_stages *stages, enum asz_stage stage) {
  if (__builtin_expect(stages != NULL, 0)) {
    uint64_t now_tsc = asz_tsc();
    stages->ticks[stage] += now_tsc - stages->mark_tsc;
    stages->mark_tsc = now_tsc;
  }
}

#endif
