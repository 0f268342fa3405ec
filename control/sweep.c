/* SPDX-License-Identifier: Apache-2.0 */
#include "control/sweep.h"

#include <assert.h>
#include <stdlib.h>

#include "control/score/score.h"

enum { PPM = 1000000, LOSS_MARGIN_PPM = 20000, FAR_DIVISOR = 5, FAR_NS_MIN = 500000 };

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The lower of the two middle ones: with half of the paths bad the good half is what the others are held to. */
static uint64_t median(uint64_t *values, uint32_t count) {
  qsort(values, count, sizeof *values, compare);
  return count > 0 ? values[(count - 1) / 2] : 0;
}

uint32_t asz_sweep_judge(struct asz_path *paths, uint32_t count) {
  uint64_t loss_ppm[ASZ_SWEEP_PORTS_MAX], rtt_ns[ASZ_SWEEP_PORTS_MAX];
  uint32_t asked = 0, answering = 0, bad = 0;
  assert(count >= 1 && count <= ASZ_SWEEP_PORTS_MAX);
  for (uint32_t i = 0; i < count; i++) {
    struct asz_path *path = &paths[i];
    uint32_t lost = path->sent > path->answered ? path->sent - path->answered : 0;
    path->loss_ppm = path->sent > 0 ? (uint32_t)((uint64_t)lost * PPM / path->sent) : 0;
    if (path->sent > 0)
      loss_ppm[asked++] = path->loss_ppm;
    if (path->rtt_min_ns > 0)
      rtt_ns[answering++] = path->rtt_min_ns;
  }
  uint64_t usual_loss_ppm = median(loss_ppm, asked), usual_rtt_ns = median(rtt_ns, answering);
  uint64_t far_ns = usual_rtt_ns / FAR_DIVISOR > FAR_NS_MIN ? usual_rtt_ns / FAR_DIVISOR : FAR_NS_MIN;
  for (uint32_t i = 0; i < count; i++) {
    struct asz_path *path = &paths[i];
    uint32_t lost = path->sent > path->answered ? path->sent - path->answered : 0;
    path->lossy = asz_wilson_low_ppm(lost, path->sent) > usual_loss_ppm + LOSS_MARGIN_PPM;
    path->far = path->rtt_min_ns > usual_rtt_ns + far_ns;
    bad += path->lossy || path->far;
  }
  return bad;
}
