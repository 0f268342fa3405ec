/* SPDX-License-Identifier: Apache-2.0 */
/* asz_paths: one provider as many targets of a plan, each probed from a source port of its own (asz_plan.sweep), for commands
 * that measure a single one: `sweep` and `bench --responder`. And one epoch of the engine by itself, outside of a run: nothing is
 * scored, logged or stored. */
#ifndef ASZ_CONTROL_PATHS_H
#define ASZ_CONTROL_PATHS_H

#include "control/validator.h"

struct asz_paths {
  struct asz_target target[ASZ_SWEEP_PORTS_MAX];
  uint8_t ipv6[16]; /* the provider's, if it has one */
  struct asz_session session[ASZ_SWEEP_PORTS_MAX];
  struct asz_hmac_key hmac[ASZ_SWEEP_PORTS_MAX];
  struct asz_plan plan; /* rate and durations are the caller's to set; then asz_plan_check */
};

/* asz_paths_find: the registered provider of that name; ASZ_ENOENT, and ASZ_EPERM for one on the deny list. */
ASZ_MUST_CHECK int asz_paths_find(const struct asz_validator *validator, const char *name, uint32_t *ret_provider,
                                  struct asz_diag *diag);
/* asz_paths_init: count (2..ASZ_SWEEP_PORTS_MAX) paths to a provider of the roster, with statistics, the keys of the next epoch
 * and a secret of their own. The plan points into *paths. ASZ_ENOMEM. asz_paths_close frees and wipes; a zeroed one is fine. */
ASZ_MUST_CHECK int asz_paths_init(struct asz_paths *paths, const struct asz_validator *validator, uint32_t provider,
                                  uint32_t count, struct asz_diag *diag);

void asz_paths_close(struct asz_paths *paths);

/* asz_paths_epoch runs a plan to its seal; Ctrl-C ends it early. on_turn, if not NULL, is called every few ms meanwhile.
 * ASZ_EDEVICE when the prober stops by itself, and the errors of asz_engine_epoch_begin. */
ASZ_MUST_CHECK int asz_paths_epoch(struct asz_engine *engine, const struct asz_plan *plan, void (*on_turn)(void *context),
                                   void *context, struct asz_diag *diag);

#endif
