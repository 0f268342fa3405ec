/* SPDX-License-Identifier: Apache-2.0 */
#include "control/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rtt_targets.h"
#include "control/table.h"

/* 0.99 certified: two nines. */
static uint32_t nines(uint32_t low_ppm) {
  uint32_t count = 0;
  for (uint32_t rest = ASZ_PPM / 10; rest > 0 && ASZ_PPM - low_ppm <= rest; rest /= 10)
    count++;
  return count;
}

static const struct asz_slash_row *newest_s1(const struct asz_profile *p) {
  for (size_t i = p->slash_count; i-- > 0;)
    if (p->slash[i].offence == ASZ_OFFENCE_S1)
      return &p->slash[i];
  return NULL;
}

/* What the operator should do about this provider, most urgent first. */
static void decide_next(struct asz_profile *p) {
  struct asz_text a, b;
  size_t size = sizeof p->next;
  const struct asz_score *score = &p->newest.score;
  const struct asz_slash_row *s1 = newest_s1(p);
  if (p->provider.control)
    snprintf(p->next, size, "nothing: it is one of ours, and tells our outages from theirs");
  else if (!p->has_score)
    snprintf(p->next, size, "wait for the first closed epoch (`assize run`)");
  else if (p->history.s1_open && s1)
    snprintf(p->next, size, "`assize slash export %" PRId64 " FILE`, check it with `assize-verify evidence FILE`, hand it over",
             s1->id);
  else if (!score->gate_open)
    snprintf(p->next, size, "it stays in quarantine until its e-process year ends");
  else if (p->history.jailed_until_ns > p->now_ns)
    snprintf(p->next, size, "nothing before %s, when its jail ends: its own operator must act",
             asz_text_time(&a, p->history.jailed_until_ns));
  else if (score->binding == ASZ_BINDING_NO_DATA)
    snprintf(p->next, size, "nothing was judged in the last epoch: see the engine's line in `assize status`");
  else if (score->rtt_q95_ns == 0)
    snprintf(p->next, size, "it answers nothing: ask its operator whether %s is open to you",
             asz_provider_endpoint(&a, &p->provider));
  else if (asz_eprocess_fired(&p->state.pace))
    snprintf(p->next, size, "ask its operator to declare the bandwidth that its folds reach: what is claimed they do not");
  else if (score->binding == ASZ_BINDING_LATENCY)
    snprintf(p->next, size, "nothing from you: its q95 of %s must come down to %s", asz_text_ns(&a, score->rtt_q95_ns),
             asz_text_ns(&b, p->rtt_target_ns));
  else if (score->confidence_ppm < ASZ_PPM)
    snprintf(p->next, size, "nothing: it is in vetting (%s done)", asz_text_ppm(&a, score->confidence_ppm));
  else
    snprintf(p->next, size, "nothing: all is well");
}

/* Keeps this provider's rows, in order. */
static int load_slashes(struct asz_profile *p, struct asz_store *store, struct asz_diag *diag) {
  int err = asz_store_slash_list(store, &p->slash, &p->slash_count, diag);
  if (err)
    return err;
  size_t kept = 0;
  for (size_t i = 0; i < p->slash_count; i++)
    if (p->slash[i].provider_row == p->provider.row)
      p->slash[kept++] = p->slash[i];
  p->slash_count = kept;
  return 0;
}

/* A score that may not be there yet. */
static int load_score(int (*get)(struct asz_store *, int64_t, struct asz_score_row *, struct asz_diag *), struct asz_store *store,
                      int64_t row, struct asz_score_row *ret_row, bool *ret_has, struct asz_diag *diag) {
  int err = get(store, row, ret_row, diag);
  *ret_has = err == 0;
  return err == ASZ_ENOENT ? 0 : err;
}

static int load_performance(struct asz_profile *p, struct asz_store *store, struct asz_diag *diag) {
  int err = asz_store_performance_newest(store, p->provider.row, &p->performance, diag);
  p->has_performance = err == 0;
  return err == ASZ_ENOENT ? 0 : err;
}

static int load(struct asz_profile *p, struct asz_store *store, struct asz_diag *diag) {
  int64_t row = p->provider.row;
  int err = asz_store_state_load(store, row, &p->state, &p->history, diag);
  if (!err)
    err = load_score(asz_store_score_newest, store, row, &p->newest, &p->has_score, diag);
  if (!err)
    err = load_score(asz_store_score_previous, store, row, &p->previous, &p->has_previous, diag);
  if (!err)
    err = load_performance(p, store, diag);
  if (!err)
    err = asz_store_incident_last(store, row, p->incident, ASZ_PROFILE_INCIDENTS_MAX, &p->incident_count, diag);
  return err ? err : load_slashes(p, store, diag);
}

int asz_profile_load(struct asz_profile *ret_profile, struct asz_store *store, const struct asz_config *config, const char *name,
                     uint64_t now_ns, struct asz_diag *diag) {
  struct asz_profile p = {.now_ns = now_ns};
  struct asz_rtt_targets targets;
  int err = asz_config_rtt_targets(config, "configuration", &targets, diag);
  if (!err)
    err = asz_store_provider_find(store, name, &p.provider, diag);
  if (!err)
    err = load(&p, store, diag);
  if (err) {
    asz_profile_free(&p);
    return err;
  }
  const struct asz_eprocess *e = &p.state.eprocess;
  p.rtt_target_ns = asz_rtt_target_of(&targets, &p.provider);
  p.right_low_ppm = asz_wilson_low_ppm(e->slots - e->wrong, e->slots);
  p.nines_certified = p.has_score ? nines(p.newest.score.availability_low_ppm) : 0;
  decide_next(&p);
  *ret_profile = p;
  return 0;
}

void asz_profile_free(struct asz_profile *profile) {
  free(profile->slash);
  profile->slash = NULL;
  profile->slash_count = 0;
}
