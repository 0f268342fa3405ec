/* SPDX-License-Identifier: Apache-2.0 */
/* Duty: a provider works for its customers, not for its auditor. What it spends on gemm and mem for us in an epoch is bounded; by
 * the times that we saw, way and queue included, so it is rather counted too high. What the next piece will take is what the last
 * of its sort took: only the first of an epoch can go over the bound, by what they take. Who was not asked for this reason loses
 * nothing; the responder bounds itself likewise, over all who ask it (control/responder/duty.h). */
#include "control/pipeline_internal.h"

bool asz_pipeline_duty_left(const struct asz_pipeline *p, uint32_t index) {
  const struct asz_enrolled *enrolled = &p->enrolled[asz_pipeline_provider(p, index)];
  return enrolled->spent_ns + enrolled->last_ns[asz_pipeline_phase(p, index)] <= p->config.duty_ns;
}

void asz_pipeline_duty_spend(struct asz_pipeline *p, uint32_t index, uint64_t took_ns) {
  struct asz_enrolled *enrolled = &p->enrolled[asz_pipeline_provider(p, index)];
  uint64_t *last_ns = &enrolled->last_ns[asz_pipeline_phase(p, index)];
  if (took_ns > 0) /* silence is taken for as much work as the last answer was */
    *last_ns = took_ns;
  enrolled->spent_ns += *last_ns;
}
