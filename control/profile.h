/* SPDX-License-Identifier: Apache-2.0 */
/* asz_profile: everything that is known about one provider, gathered once, then shown as a page or as JSON (cmd_profile.c). */
#ifndef ASZ_CONTROL_PROFILE_H
#define ASZ_CONTROL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config.h"
#include "control/provider.h"
#include "control/store/store.h"

enum { ASZ_PROFILE_INCIDENTS_MAX = 8, ASZ_PROFILE_NEXT_BYTES = 320 };

struct asz_profile {
  struct asz_provider provider;
  struct asz_score_state state;
  struct asz_slash_history history;
  bool has_score, has_previous;
  struct asz_score_row newest, previous;
  bool has_performance;
  struct asz_performance_row performance;
  struct asz_incident incident[ASZ_PROFILE_INCIDENTS_MAX]; /* newest first */
  size_t incident_count;
  struct asz_slash_row *slash; /* this provider's, ascending by id; heap */
  size_t slash_count;
  uint64_t rtt_target_ns;   /* its own, its region's or the default */
  uint64_t now_ns;          /* wall time of the look */
  uint32_t right_low_ppm;   /* Wilson 99 % lower bound of the share of correctness slots without a wrong answer; 0: no slots */
  uint32_t nines_certified; /* of availability */
  char next[ASZ_PROFILE_NEXT_BYTES];
};

/* asz_profile_load: ASZ_ENOENT when nobody has that name. Free with asz_profile_free. */
ASZ_MUST_CHECK int asz_profile_load(struct asz_profile *ret_profile, struct asz_store *store, const struct asz_config *config,
                                    const char *name, uint64_t now_ns, struct asz_diag *diag);
void asz_profile_free(struct asz_profile *profile);

#endif
