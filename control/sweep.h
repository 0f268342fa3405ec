/* SPDX-License-Identifier: Apache-2.0 */
/* asz_sweep: is one of the ways to a provider bad? Routers with several equal ways (ECMP) choose one by a hash over addresses and
 * ports, so each source port sees one way only, always the same. A path here is one source port.
 *
 * Judged against the median path, and only by what chance does not explain:
 *   lossy  it surely loses (Wilson's 99 % lower bound) over two percentage points more than the median path
 *   far    its shortest RTT is over a fifth and over 0.5 ms longer than the median path's: the way itself is longer
 * Integers only. Pure. */
#ifndef ASZ_CONTROL_SWEEP_H
#define ASZ_CONTROL_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/engine.h"

struct asz_path {
  uint32_t sent, answered; /* answered: in time; late ones count as lost */
  uint32_t loss_ppm;
  uint64_t rtt_min_ns, rtt_median_ns; /* 0: none answered */
  bool lossy, far;
};

/* asz_sweep_judge fills loss_ppm, lossy and far of count (1..ASZ_SWEEP_PORTS_MAX) paths from their sent, answered and RTTs;
 * returns how many are bad. A path on which nothing was sent is not judged. */
uint32_t asz_sweep_judge(struct asz_path *paths, uint32_t count);

#endif
