/* SPDX-License-Identifier: Apache-2.0 */
/* asz_run: epoch after epoch: probing on the prober's lcore, challenges, verdicts, scores and the log on this thread. `assize
 * run` and `assize lab` are this loop with another port under the engine.
 *
 * Two statistics buffers: while the engine fills one, the sealed one is scored; the gap between two epochs is the cooldown. An
 * interrupt ends the running epoch early, and what it measured is scored and kept. What a harder stop leaves is saved every few
 * seconds. */
#ifndef ASZ_CONTROL_RUN_H
#define ASZ_CONTROL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "control/deny.h"
#include "control/epoch.h"
#include "dataplane/base/identity.h"

/* What the lab adds; any may be NULL. All are called on the control thread. */
struct asz_run_hooks {
  void *context;
  void (*on_epoch)(void *context, const struct asz_epoch *epoch);       /* opened, not yet probing */
  unsigned (*pump)(void *context);                                      /* every turn; returns the number of things done */
  void (*on_outcome)(void *context, const struct asz_outcome *outcome); /* after it was taken into account */
  void (*on_sealed)(void *context, const struct asz_plan *plan, const struct asz_stats *stats); /* before it is closed */
};

struct asz_run {
  const struct asz_config *config;
  struct asz_engine *engine; /* launched, gateway known */
  struct asz_verifier *verifier;
  struct asz_roster *roster;
  struct asz_epochs *epochs;
  struct asz_deny *deny;          /* looked at twice a second, applied to the roster; NULL: none */
  const char *snapshot_path;      /* where the running epoch is saved (asz_keeper); NULL: nowhere */
  const struct asz_identity *key; /* of the validator: of its snapshots */
  /* On SIGHUP, beside the deny list: true when there is something to change between two epochs. NULL: never. */
  bool (*reload_asked)(void *context);
  void *reload_context;
  struct asz_run_hooks hooks;
  uint32_t epochs_max; /* 0: until interrupted */
  bool quiet;          /* no status line */
};

struct asz_run_result {
  uint32_t epochs;          /* closed */
  uint32_t recommendations; /* made */
  uint32_t rounds;          /* of challenges, to their end */
  bool interrupted;
  bool reload;                          /* ended at a boundary between two epochs, because something is to be changed */
  uint32_t snapshots, snapshots_failed; /* of running epochs */
  struct asz_epoch_summary last;
  struct asz_faults faults;   /* ours, in the slots of all epochs that they spoiled */
  struct asz_counters engine; /* totals of the run */
  uint64_t pipeline[ASZ_PCTR_COUNT];
};

/* asz_run_plan: the plan of an epoch over the whole roster, checked (asz_plan_check); the caps were
 * checked with the roster. stats has the roster's count. */
ASZ_MUST_CHECK int asz_run_plan(const struct asz_config *config, const struct asz_roster *roster, const struct asz_epoch *epoch,
                                struct asz_stats *stats, struct asz_plan *ret_plan, struct asz_diag *diag);

/* asz_run_result_add: what the next run of the loop, with other providers or parameters, adds to a total. */
void asz_run_result_add(struct asz_run_result *total, const struct asz_run_result *more);

/* asz_run_loop returns when epochs_max are closed, after an interrupt, or for a reload; the engine is stopped then. On error of
 * the running epoch no more than its last snapshot is left, those before are kept. */
ASZ_MUST_CHECK int asz_run_loop(const struct asz_run *run, struct asz_run_result *ret_result, struct asz_diag *diag);

#endif
