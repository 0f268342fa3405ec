/* SPDX-License-Identifier: Apache-2.0 */
/* asz_dryrun: the frames that a plan would send, one by one, without a port, EAL or root.
 *
 * Schedule, pacing, cookies and frames come from the prober's own code; only the clock is made up: each frame is stamped with the
 * moment at which it is due, as a prober would that is never late and sends in bursts of one. What only a port knows is zero: the
 * MAC addresses. A door of the dataplane beside engine.h (docs/decisions/0016). Any thread. */
#ifndef ASZ_DATAPLANE_DRYRUN_H
#define ASZ_DATAPLANE_DRYRUN_H

#include "dataplane/engine.h"

enum { ASZ_DRYRUN_FRAME_MAX = 192 };

struct asz_dryrun_config {
  uint32_t lcore_count; /* 1..ASZ_ENGINE_LCORES_MAX: each has its own share of the schedule */
  uint32_t local_ipv4;  /* host order */
  uint8_t local_ipv6[16];
  uint16_t vlan; /* 1..4094; 0: no tag */
  uint16_t source_port_base;
  uint64_t start_realtime_ns; /* wall time of the first probe */
};

struct asz_dryrun_frame {
  uint64_t due_ns; /* after the start */
  uint32_t lcore;  /* 0-based, whose probe it is */
  uint32_t target; /* index in the plan */
  uint32_t seq;
  uint64_t cookie; /* whole; how much of it travels is the kind's */
  uint16_t size_bytes;
  uint8_t bytes[ASZ_DRYRUN_FRAME_MAX];
};

struct asz_dryrun;

/* asz_dryrun_new: the plan was checked (asz_plan_check); its statistics are not touched. ASZ_ENOMEM. asz_dryrun_free: NULL is
 * fine; wipes what derives from the secret. */
ASZ_MUST_CHECK int asz_dryrun_new(struct asz_dryrun **ret_dryrun, const struct asz_plan *plan,
                                  const struct asz_dryrun_config *config);
void asz_dryrun_free(struct asz_dryrun *dryrun);
/* asz_dryrun_next: the next frame in order of time; false when the plan's duration is over. */
bool asz_dryrun_next(struct asz_dryrun *dryrun, struct asz_dryrun_frame *ret_frame);

#endif
