/* SPDX-License-Identifier: Apache-2.0 */
/* An engine whose port is the loopback's: every probe comes back. Needs EAL, neither huge pages nor root. */
#ifndef ASZ_TESTS_DATAPLANE_LOOPBACK_BED_H
#define ASZ_TESTS_DATAPLANE_LOOPBACK_BED_H

#include "dataplane/loopback.h"

struct loopback_bed {
  struct asz_loopback *loopback;
  struct asz_engine *engine;
  struct asz_plan plan; /* of the loopback's providers, all in one slot; the caller sets rate, duration and timeout */
};

/* loopback_bed_open launches the engine for `targets` providers. loopback_bed_seal runs the plan to its end. */
void loopback_bed_open(struct loopback_bed *bed, enum asz_probe kind, uint32_t targets);
void loopback_bed_times(struct loopback_bed *bed, uint64_t rate_pps, uint64_t duration_ns, uint64_t timeout_ns);
void loopback_bed_seal(struct loopback_bed *bed);
void loopback_bed_close(struct loopback_bed *bed);

#endif
