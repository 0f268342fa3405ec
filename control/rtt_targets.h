/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rtt_targets: within which round-trip time a provider's q95 should be. Its own target comes first, then that of its region,
 * then the default. A region's target also holds for what is named below it: that of `eu` for `eu-west`; the longest name wins.
 *
 * Regions and targets are those of score.rtt_target_regions, `REGION=MS` words with spaces between them: part of the parameter
 * hash, so that whoever has the log can tell by which targets it scored. Pure but for reading; any thread. */
#ifndef ASZ_CONTROL_RTT_TARGETS_H
#define ASZ_CONTROL_RTT_TARGETS_H

#include <stdint.h>

#include "control/provider.h"

enum { ASZ_RTT_REGIONS_MAX = 48 }; /* 175 characters hold no more */

struct asz_rtt_targets {
  uint64_t default_ns;
  uint32_t count;
  struct asz_rtt_region {
    char name[ASZ_REGION_MAX + 1];
    uint64_t target_ns;
  } region[ASZ_RTT_REGIONS_MAX];
};

/* asz_rtt_targets_read: `where` names the source of `regions` in the line of an error: ASZ_EFORMAT for a word that is no
 * REGION=MS or a region that stands twice, ASZ_ERANGE for a target that is not 1 to 10,000 ms. */
ASZ_MUST_CHECK int asz_rtt_targets_read(struct asz_rtt_targets *ret_targets, uint64_t default_ns, const char *regions,
                                        const char *where, struct asz_diag *diag);
/* asz_rtt_target_of: of this provider, in ns; > 0 where default_ns is. */
uint64_t asz_rtt_target_of(const struct asz_rtt_targets *targets, const struct asz_provider *provider);

#endif
