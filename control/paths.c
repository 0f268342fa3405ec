/* SPDX-License-Identifier: Apache-2.0 */
#include "control/paths.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#include "control/cmd.h"

enum { POLL_NS = 5000000 };

int asz_paths_find(const struct asz_validator *v, const char *name, uint32_t *ret_provider, struct asz_diag *diag) {
  const struct asz_roster *roster = v->roster;
  uint32_t i = 0;
  while (i < roster->count && strcmp(roster->provider[i].name, name) != 0)
    i++;
  if (i == roster->count)
    return asz_diag_set(diag, ASZ_ENOENT, "no provider is registered as \"%s\"", name);
  if (asz_target_denied(&roster->target[i]))
    return asz_diag_set(diag, ASZ_EPERM, "%s is on the deny list (%s)", name, v->deny.path);
  *ret_provider = i;
  return 0;
}

int asz_paths_init(struct asz_paths *paths, const struct asz_validator *v, uint32_t provider, uint32_t count,
                   struct asz_diag *diag) {
  uint32_t number;
  int err = asz_validator_next_epoch(v, &number, diag);
  if (err)
    return err;
  struct asz_stats *stats;
  err = asz_stats_new(&stats, count, (uint32_t)v->config.probe_sketch_cells);
  if (err)
    return asz_diag_set(diag, err, "no memory for %u paths", count);
  const struct asz_roster *roster = v->roster;
  const struct asz_session *session = &asz_roster_epoch(v->roster, number)[provider];
  for (uint32_t i = 0; i < count; i++) {
    paths->target[i] = roster->target[provider];
    paths->session[i] = *session;
    if (roster->hmac)
      paths->hmac[i] = roster->hmac[provider];
    if (asz_target_family(&paths->target[i]) == ASZ_FAMILY_IPV6)
      paths->target[i].ipv4 = 0; /* of an array of one address */
  }
  memcpy(paths->ipv6, roster->provider[provider].ipv6, sizeof paths->ipv6);
  paths->plan = (struct asz_plan){
      .epoch = number,
      .late_bound_ns = v->config.probe_late_bound_us * 1000,
      .fault_bound_ppm = (uint32_t)v->config.probe_fault_bound_ppm,
      .target_count = count,
      .target = paths->target,
      .ipv6_count = asz_target_family(&paths->target[0]) == ASZ_FAMILY_IPV6,
      .ipv6 = &paths->ipv6,
      .session = paths->session,
      .hmac = roster->hmac ? paths->hmac : NULL,
      .sweep = true,
      .stats = stats,
  };
  memcpy(paths->plan.validator_id, roster->validator_id, sizeof paths->plan.validator_id);
  randombytes_buf(paths->plan.secret, sizeof paths->plan.secret);
  return 0;
}

void asz_paths_close(struct asz_paths *paths) {
  asz_stats_free(paths->plan.stats);
  sodium_memzero(paths, sizeof *paths);
}

int asz_paths_epoch(struct asz_engine *engine, const struct asz_plan *plan, void (*on_turn)(void *context), void *context,
                    struct asz_diag *diag) {
  int err = asz_engine_epoch_begin(engine, plan, diag);
  if (err)
    return err;
  for (bool ended = false; asz_engine_phase(engine) != ASZ_PHASE_SEALED;
       nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL)) {
    if (asz_engine_phase(engine) == ASZ_PHASE_STOPPED)
      return asz_diag_set(diag, ASZ_EDEVICE, "the prober stopped by itself");
    if (asz_cmd_interrupted() && !ended) {
      ended = true;
      asz_engine_epoch_end(engine);
    }
    if (on_turn)
      on_turn(context);
  }
  return 0;
}
