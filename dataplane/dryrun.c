/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/dryrun.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pace.h"
#include "dataplane/probes/probe.h"
#include "dataplane/sched.h"

_Static_assert((int)ASZ_DRYRUN_FRAME_MAX >= (int)ASZ_PROBE_FRAME_MAX, "every template fits");

enum { TICKS_PER_S = 1000000000 }; /* our made-up counter ticks in ns */

struct lane {
  struct asz_sched sched;
  struct asz_pace pace;
};

struct asz_dryrun {
  struct asz_plan plan;
  struct asz_dryrun_config config;
  struct asz_cookie_key key;
  struct asz_hmac_lanes *lanes;
  struct asz_template template[ASZ_PROBE_COUNT][ASZ_FAMILY_COUNT];
  struct lane lane[ASZ_ENGINE_LCORES_MAX];
};

static void lane_init(struct asz_dryrun *dryrun, uint32_t number) {
  const struct asz_plan *plan = &dryrun->plan;
  struct asz_shard shard = asz_shard_of(number, dryrun->config.lcore_count, plan->target_count);
  struct lane *lane = &dryrun->lane[number];
  if (shard.count == 0) { /* more lcores than targets: nothing is ever due */
    asz_pace_init(&lane->pace, 1, 1, 1, TICKS_PER_S, 0, 0, 1);
    return;
  }
  asz_pace_init(&lane->pace, plan->rate_pps, shard.count, plan->target_count, TICKS_PER_S, 0, plan->duration_ns, 1);
  uint32_t span = asz_sched_span(&shard, plan->rate_pps, plan->target_count, plan->pair_gap_ns);
  asz_sched_init(&lane->sched, &shard, span, plan->secret, 0);
}

int asz_dryrun_new(struct asz_dryrun **ret_dryrun, const struct asz_plan *plan, const struct asz_dryrun_config *config) {
  assert(config->lcore_count >= 1 && config->lcore_count <= ASZ_ENGINE_LCORES_MAX);
  struct asz_dryrun *dryrun = aligned_alloc(64, sizeof *dryrun);
  if (dryrun == NULL)
    return ASZ_ENOMEM;
  memset(dryrun, 0, sizeof *dryrun);
  dryrun->plan = *plan;
  dryrun->config = *config;
  int err = asz_hmac_lanes_new(&dryrun->lanes);
  if (err) {
    free(dryrun);
    return err;
  }
  asz_cookie_key_derive(&dryrun->key, plan->secret, plan->epoch);
  struct asz_probe_setup setup = {
      .vlan = config->vlan,
      .local_ipv4 = config->local_ipv4,
      .source_port_base = config->source_port_base,
      .epoch = plan->epoch,
      .session = plan->session,
      .hmac = plan->hmac,
      .lanes = dryrun->lanes,
  };
  memcpy(setup.local_ipv6, config->local_ipv6, sizeof setup.local_ipv6);
  memcpy(setup.validator_id, plan->validator_id, sizeof setup.validator_id);
  for (enum asz_probe kind = 0; kind < ASZ_PROBE_COUNT; kind++)
    for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
      asz_template_prepare(&dryrun->template[kind][family], asz_probe_module(kind), &setup, family);
  for (uint32_t i = 0; i < config->lcore_count; i++)
    lane_init(dryrun, i);
  *ret_dryrun = dryrun;
  return 0;
}

void asz_dryrun_free(struct asz_dryrun *dryrun) {
  if (dryrun == NULL)
    return;
  asz_hmac_lanes_free(dryrun->lanes);
  sodium_memzero(dryrun, sizeof *dryrun);
  free(dryrun);
}

static uint64_t due_ns(const struct asz_pace *pace) {
  return asz_ratio_apply(pace->ticks_per_interval, pace->taken);
}

static void frame_make(const struct asz_dryrun *dryrun, struct asz_dryrun_frame *frame) {
  const struct asz_target *target = &dryrun->plan.target[frame->target];
  const struct asz_probe_module *module = asz_probe_module(target->probe);
  enum asz_family family = asz_target_family(target);
  const struct asz_template *template = &dryrun->template[target->probe][family];
  uint64_t tx_ntp64 = asz_probe_time(module, asz_clock_ntp64(dryrun->config.start_realtime_ns + frame->due_ns));
  struct asz_burst burst = {
      .count = 1,
      .target = {frame->target},
      .seq = {frame->seq},
      .port = {target->port},
      .time = {tx_ntp64},
      .frame = {frame->bytes},
  };
  asz_burst_aim(&burst, 0, target, dryrun->plan.ipv6);
  asz_burst_place(template, &burst);
  asz_cookie_many(&dryrun->key, burst.target, burst.seq, burst.time, burst.cookie, 1);
  module->make(template, &burst);
  frame->cookie = burst.cookie[0];
  frame->size_bytes = template->frame_bytes;
}

static bool all_denied(const struct asz_plan *plan) {
  uint32_t i = 0;
  while (i < plan->target_count && asz_target_denied(&plan->target[i]))
    i++;
  return i == plan->target_count;
}

/* The lane that is due first; NULL at the end. */
static struct lane *lane_first(struct asz_dryrun *dryrun) {
  struct lane *first = NULL;
  for (uint32_t i = 0; i < dryrun->config.lcore_count; i++) {
    struct lane *lane = &dryrun->lane[i];
    if (due_ns(&lane->pace) < lane->pace.end_tsc && (first == NULL || due_ns(&lane->pace) < due_ns(&first->pace)))
      first = lane;
  }
  return first;
}

bool asz_dryrun_next(struct asz_dryrun *dryrun, struct asz_dryrun_frame *ret_frame) {
  struct lane *lane;
  if (all_denied(&dryrun->plan)) /* or an epoch would be walked in vain */
    return false;
  while ((lane = lane_first(dryrun)) != NULL) {
    *ret_frame = (struct asz_dryrun_frame){.due_ns = due_ns(&lane->pace), .lcore = (uint32_t)(lane - dryrun->lane)};
    asz_pace_take(&lane->pace, 1);
    asz_sched_next(&lane->sched, &ret_frame->target, &ret_frame->seq, 1);
    if (asz_target_denied(&dryrun->plan.target[ret_frame->target]))
      continue;
    frame_make(dryrun, ret_frame);
    return true;
  }
  return false;
}
