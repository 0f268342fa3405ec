/* SPDX-License-Identifier: Apache-2.0 */
#include "control/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/cmd.h"
#include "control/keeper.h"
#include "dataplane/base/log.h"

enum {
  IDLE_SLEEP_NS = 100000,      /* 0.1 ms: answers wait in a ring meanwhile; the prober does not */
  DENY_LOOK_MS = 500,          /* one stat; a change is in force within a second */
  GATHER_BEFORE_SEAL_MS = 250, /* a round of challenges must end this long before probing does */
};

/* One epoch on its way through the engine. */
struct running {
  struct asz_epoch epoch;
  struct asz_plan plan;
};

struct loop {
  const struct asz_run *run;
  struct asz_pipeline *pipeline;
  struct asz_stats *stats[2]; /* by epoch parity */
  struct running current, next;
  bool next_opened;
  bool round_open;
  uint64_t round_slot;
  uint64_t probing_until_ns; /* CLOCK_MONOTONIC */
  uint64_t status_ns;
  uint64_t deny_ns; /* when the deny list is looked at next */
  uint32_t opened;
  struct asz_keeper keeper;
  uint8_t params_hash[32];
  struct asz_run_result result;
};

int asz_run_plan(const struct asz_config *config, const struct asz_roster *roster, const struct asz_epoch *epoch,
                 struct asz_stats *stats, struct asz_plan *ret_plan, struct asz_diag *diag) {
  uint64_t rate_pps = (uint64_t)((unsigned __int128)roster->count * 1000 / config->probe_interval_ms);
  if (rate_pps == 0)
    rate_pps = 1;
  struct asz_plan plan = {
      .epoch = epoch->number,
      .rate_pps = rate_pps,
      .duration_ns = config->time_epoch_s * UINT64_C(1000000000),
      .timeout_ns = config->probe_timeout_ms * UINT64_C(1000000),
      .pair_gap_ns = config->probe_pair_gap_us * 1000,
      .slot_ns = config->time_slot_s * UINT64_C(1000000000),
      .late_bound_ns = config->probe_late_bound_us * 1000,
      .fault_bound_ppm = (uint32_t)config->probe_fault_bound_ppm,
      .sample_every = config->challenge_enabled && config->challenge_receipts ? asz_pipeline_sample_every(rate_pps) : 0,
      .target_count = roster->count,
      .target = roster->target,
      .ipv6_count = roster->ipv6_count,
      .ipv6 = (const uint8_t(*)[16])roster->ipv6,
      .session = epoch->session,
      .hmac = roster->hmac,
      .stats = stats,
  };
  memcpy(plan.secret, epoch->secret, sizeof plan.secret);
  memcpy(plan.validator_id, roster->validator_id, sizeof plan.validator_id);
  int err = asz_plan_check(&plan, diag);
  if (!err)
    *ret_plan = plan;
  return err;
}

static int open_epoch(struct loop *l, struct running *ret_running, struct asz_diag *diag) {
  struct running r;
  int err = asz_epochs_open(l->run->epochs, &r.epoch, diag);
  if (err)
    return err;
  struct asz_stats *stats = l->stats[l->opened & 1];
  asz_stats_clear(stats);
  err = asz_run_plan(l->run->config, l->run->roster, &r.epoch, stats, &r.plan, diag);
  if (err)
    return err;
  if (l->run->hooks.on_epoch)
    l->run->hooks.on_epoch(l->run->hooks.context, &r.epoch);
  l->opened++;
  *ret_running = r;
  return 0;
}

static int begin_epoch(struct loop *l, const struct running *running, struct asz_diag *diag) {
  l->current = *running;
  l->next_opened = false;
  asz_pipeline_know_rtt(l->pipeline, l->current.epoch.rtt_ns);
  l->probing_until_ns = asz_clock_monotonic_ns() + l->current.plan.duration_ns;
  asz_keeper_begin(&l->keeper, asz_clock_monotonic_ns());
  return asz_engine_epoch_begin(l->run->engine, &l->current.plan, diag);
}

/* A correctness slot is used once, and only when its round can end within the epoch whose secret and keys it uses. */
static void maybe_begin_round(struct loop *l, uint64_t now_ns) {
  const struct asz_config *config = l->run->config;
  if (!config->challenge_enabled || l->round_open || !asz_pipeline_idle(l->pipeline))
    return;
  uint64_t wall_ns = asz_clock_now_ns(), slot_ns = config->time_challenge_slot_s * UINT64_C(1000000000);
  uint64_t slot = wall_ns / slot_ns, guard_ns = GATHER_BEFORE_SEAL_MS * UINT64_C(1000000);
  if (slot <= asz_epochs_slot_last(l->run->epochs) ||
      now_ns + asz_pipeline_round_ns(l->pipeline) + guard_ns > l->probing_until_ns)
    return;
  uint64_t until_ns = now_ns + slot_ns - wall_ns % slot_ns;
  if (until_ns > l->probing_until_ns)
    until_ns = l->probing_until_ns;
  const struct asz_epoch *epoch = &l->current.epoch;
  asz_pipeline_begin(l->pipeline, epoch->number, slot, epoch->secret, epoch->beacon, epoch->session, now_ns, until_ns - guard_ns);
  l->round_slot = slot;
  l->round_open = true;
}

static void maybe_end_round(struct loop *l) {
  if (!l->round_open || !asz_pipeline_idle(l->pipeline))
    return;
  asz_epochs_slot_done(l->run->epochs, l->round_slot);
  l->round_open = false;
  l->result.rounds++;
}

static void show_status(struct loop *l, uint64_t now_ns, bool final) {
  if (l->run->quiet || (!final && now_ns < l->status_ns) || !isatty(STDERR_FILENO))
    return;
  l->status_ns = now_ns + 1000000000u;
  struct asz_counters c;
  asz_engine_counters(l->run->engine, &c);
  uint64_t left_ns = l->probing_until_ns > now_ns ? l->probing_until_ns - now_ns : 0;
  fprintf(stderr,
          "\repoch %u: %" PRIu64 " s left; sent %" PRIu64 ", answered %" PRIu64 ", late %" PRIu64 ", not genuine %" PRIu64
          "; engine drops %" PRIu64 "; recommendations %u \033[K%s",
          l->current.epoch.number, left_ns / 1000000000u, c.value[ASZ_CTR_TX_PROBES], c.value[ASZ_CTR_RX_ANSWERED],
          c.value[ASZ_CTR_RX_LATE], c.value[ASZ_CTR_RX_FORGED] + c.value[ASZ_CTR_RX_BAD_MAC] + c.value[ASZ_CTR_RX_REPLAYED],
          c.value[ASZ_CTR_TX_DROPPED] + c.value[ASZ_CTR_TX_LINK_DOWN] + c.value[ASZ_CTR_TX_NO_MBUF] +
              c.value[ASZ_CTR_TX_NOT_SENT] + c.value[ASZ_CTR_RX_PORT_MISSED],
          l->result.recommendations, final ? "\n" : "");
}

static bool wants_another(const struct loop *l) {
  return !l->result.interrupted && !l->result.reload && (l->run->epochs_max == 0 || l->opened < l->run->epochs_max);
}

/* In the cooldown; or after the seal, when this thread was away all the while, as when closing an epoch took as long as the next
 * one. */
static int open_next(struct loop *l, struct asz_diag *diag) {
  if (l->next_opened || !wants_another(l))
    return 0;
  int err = open_epoch(l, &l->next, diag);
  l->next_opened = !err;
  return err;
}

/* Slots that an early end cut off are nobody's fault: then there is nothing to tell. */
static void tell_bottleneck(uint32_t epoch, const struct asz_plan *plan) {
  const struct asz_stats *stats = plan->stats;
  enum asz_fault fault = asz_faults_largest(&stats->faults);
  if (fault == ASZ_FAULT_COUNT)
    return;
  uint64_t slots = stats->slots_unjudged; /* and those in which one family's gateway was silent */
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++)
    slots |= stats->slots_no_gateway[family];
  asz_log(ASZ_LOG_WARN,
          "epoch %u: %d slots unjudged: this machine was the bottleneck: %s (%" PRIu64 " of %" PRIu64 " faults; worst lateness "
          "%" PRIu64 " us, rate %" PRIu64 " of %" PRIu64 " probes/s): %s",
          epoch, __builtin_popcountll(slots), asz_fault_name(fault), stats->faults.count[fault], asz_faults_total(&stats->faults),
          stats->late_ns_max / 1000, stats->rate_pps, plan->rate_pps, asz_fault_advice(fault));
}

/* seal_epoch: the next one starts first, then the sealed one is scored from its own buffer. */
static int seal_epoch(struct loop *l, bool *ret_more, struct asz_diag *diag) {
  if (l->round_open) {
    asz_pipeline_abort(l->pipeline);
    maybe_end_round(l);
    l->result.rounds--; /* not to its end */
  }
  struct running sealed = l->current;
  int err = open_next(l, diag);
  if (err)
    return err;
  bool more = l->next_opened && !l->result.interrupted;
  if (more) {
    struct running next = l->next;
    err = begin_epoch(l, &next, diag);
    if (err)
      return err;
  }
  if (l->run->hooks.on_sealed)
    l->run->hooks.on_sealed(l->run->hooks.context, &sealed.plan, sealed.plan.stats);
  struct asz_epoch_summary summary;
  err = asz_epochs_close(l->run->epochs, &sealed.epoch, &sealed.plan, sealed.plan.stats, more || !l->result.interrupted, &summary,
                         diag);
  if (err)
    return err;
  asz_keeper_drop(&l->keeper);
  l->result.epochs++;
  l->result.recommendations += summary.recommendations;
  l->result.last = summary;
  const struct asz_stats *stats = sealed.plan.stats;
  if (!l->run->quiet)
    asz_log(ASZ_LOG_INFO,
            "epoch %u closed%s: %u providers, %u up, %u down, %u of them judged over %u slots, %u recommendations; "
            "%" PRIu64 " of %" PRIu64 " probes/s, gap jitter p50 %s p99 %s; the prober's worst pause: %" PRIu64 " us",
            summary.number, summary.complete ? "" : " early", summary.providers, summary.up, summary.down, summary.judged,
            summary.slots_judged, summary.recommendations, stats->rate_pps, sealed.plan.rate_pps,
            asz_text_ns(ASZ_TEXT, stats->gap_jitter_p50_ns), asz_text_ns(ASZ_TEXT, stats->gap_jitter_p99_ns),
            stats->rtt_error_ns / 1000);
  tell_bottleneck(summary.number, &sealed.plan);
  asz_faults_add(&l->result.faults, &sealed.plan.stats->faults);
  *ret_more = more;
  return 0;
}

/* A broken file is said once, and what was forbidden stays so. */
static void look_at_deny(struct loop *l, uint64_t now_ns, bool force) {
  struct asz_diag diag;
  if (!l->run->deny || (!force && now_ns < l->deny_ns))
    return;
  l->deny_ns = now_ns + DENY_LOOK_MS * UINT64_C(1000000);
  int changed = asz_deny_look(l->run->deny, force, &diag);
  if (changed < 0) {
    asz_log(ASZ_LOG_WARN, "%s; the deny list before it stays in force", diag.text);
  } else if (changed > 0) {
    uint32_t denied = asz_deny_apply(l->run->deny, l->run->roster);
    asz_log(ASZ_LOG_INFO, "%s: %zu prefixes are denied, and with them %u of %u providers", l->run->deny->path,
            l->run->deny->list.count, denied, l->run->roster->count);
  }
}

static struct asz_keeper_epoch kept_epoch(const struct loop *l) {
  return (struct asz_keeper_epoch){
      .engine = l->run->engine,
      .epochs = l->run->epochs,
      .epoch = &l->current.epoch,
      .plan = &l->current.plan,
      .params_hash = l->params_hash,
      .root = l->run->roster->root,
      .round_slot = l->round_open ? l->round_slot : 0,
  };
}

static int turn(struct loop *l, bool *ret_more, struct asz_diag *diag) {
  uint64_t now_ns = asz_clock_monotonic_ns();
  unsigned done = asz_pipeline_step(l->pipeline, now_ns);
  if (l->run->hooks.pump)
    done += l->run->hooks.pump(l->run->hooks.context);
  maybe_end_round(l);
  if (asz_cmd_interrupted() && !l->result.interrupted) {
    const struct asz_keeper_epoch kept = kept_epoch(l);
    l->result.interrupted = true;
    asz_engine_epoch_end(l->run->engine);
    asz_keeper_now(&l->keeper, &kept);
  }
  bool asked = asz_cmd_reload_asked();
  look_at_deny(l, now_ns, asked);
  if (asked && l->run->reload_asked && l->run->reload_asked(l->run->reload_context))
    l->result.reload = true;
  show_status(l, now_ns, false);
  enum asz_engine_phase phase = asz_engine_phase(l->run->engine);
  if (phase == ASZ_PHASE_PROBING || phase == ASZ_PHASE_COOLDOWN) {
    const struct asz_keeper_epoch kept = kept_epoch(l);
    asz_keeper_turn(&l->keeper, &kept, now_ns);
  }
  switch (phase) {
  case ASZ_PHASE_PROBING:
    maybe_begin_round(l, now_ns);
    break;
  case ASZ_PHASE_COOLDOWN: {
    int err = open_next(l, diag);
    if (err)
      return err;
    break;
  }
  case ASZ_PHASE_SEALED:
    return seal_epoch(l, ret_more, diag);
  case ASZ_PHASE_STOPPED:
    return asz_diag_set(diag, ASZ_EDEVICE, "the prober stopped by itself");
  case ASZ_PHASE_IDLE:
    break;
  }
  if (done == 0)
    nanosleep(&(struct timespec){.tv_nsec = IDLE_SLEEP_NS}, NULL);
  return 0;
}

static void on_outcome(void *context, const struct asz_outcome *outcome) {
  const struct asz_run *run = context;
  asz_epochs_outcome(run->epochs, outcome);
  if (run->hooks.on_outcome)
    run->hooks.on_outcome(run->hooks.context, outcome);
}

static struct asz_pipeline_config pipeline_config(const struct asz_config *config) {
  return (struct asz_pipeline_config){
      .rate_ps = config->challenge_rate_ps,
      .deadline_ns = config->challenge_deadline_ms * UINT64_C(1000000),
      .tries = (uint32_t)config->challenge_tries,
      .seq_log2_steps = (uint8_t)config->challenge_seq_log2_steps,
      .gemm_preset = (uint8_t)config->challenge_gemm_preset, /* the words stand in the order of the presets */
      .openings = (uint8_t)config->challenge_openings,
      .mem_preset = (uint8_t)config->challenge_mem_preset,
      .build_deadline_ns = config->challenge_mem_build_deadline_ms * UINT64_C(1000000),
      .fold_deadline_ns = config->challenge_mem_fold_deadline_ms * UINT64_C(1000000),
      .gemm_deadline_ns = config->challenge_gemm_deadline_ms * UINT64_C(1000000),
      .opening_deadline_ns = config->challenge_opening_deadline_ms * UINT64_C(1000000),
      .receipts = config->challenge_enabled && config->challenge_receipts,
      .duty_ns = config->time_epoch_s * 1000 * config->challenge_duty_ppm, /* a millionth of a second is 1,000 ns */
  };
}

void asz_run_result_add(struct asz_run_result *total, const struct asz_run_result *more) {
  total->epochs += more->epochs;
  total->recommendations += more->recommendations;
  total->rounds += more->rounds;
  total->interrupted |= more->interrupted;
  total->reload = more->reload;
  total->snapshots += more->snapshots;
  total->snapshots_failed += more->snapshots_failed;
  total->last = more->last;
  total->engine = more->engine; /* counts since it was made */
  asz_faults_add(&total->faults, &more->faults);
  for (unsigned i = 0; i < ASZ_PCTR_COUNT; i++)
    total->pipeline[i] += more->pipeline[i];
}

int asz_run_loop(const struct asz_run *run, struct asz_run_result *ret_result, struct asz_diag *diag) {
  struct loop l = {.run = run};
  struct asz_pipeline_config config = pipeline_config(run->config);
  int err = asz_config_rtt_targets(run->config, "configuration", &config.targets, diag);
  if (!err)
    err = asz_pipeline_new(&l.pipeline, &config, run->engine, run->verifier, run->roster, on_outcome, (void *)run, diag);
  for (int i = 0; !err && i < 2; i++) {
    err = asz_stats_new(&l.stats[i], run->roster->count, (uint32_t)run->config->probe_sketch_cells);
    if (!err && run->config->probe_pair_gap_us > 0)
      err = asz_stats_pairs(l.stats[i]);
    if (err)
      asz_diag_set(diag, err, "cannot take memory for the statistics of %u providers: %s", run->roster->count, asz_err_str(err));
  }
  asz_config_hash(run->config, l.params_hash);
  asz_keeper_open(&l.keeper, run->snapshot_path, run->config->store_snapshot_s, run->key);
  struct running first;
  if (!err)
    err = open_epoch(&l, &first, diag);
  if (!err)
    err = begin_epoch(&l, &first, diag);
  bool more = true;
  while (!err && more)
    err = turn(&l, &more, diag);
  show_status(&l, asz_clock_monotonic_ns(), true);
  asz_engine_stop(run->engine); /* before the memory that it writes to goes */
  if (!err) {
    asz_engine_counters(run->engine, &l.result.engine);
    asz_pipeline_counters(l.pipeline, l.result.pipeline);
    l.result.snapshots = l.keeper.written;
    l.result.snapshots_failed = l.keeper.failed;
    *ret_result = l.result;
  }
  asz_keeper_close(&l.keeper);
  asz_pipeline_free(l.pipeline);
  asz_stats_free(l.stats[0]);
  asz_stats_free(l.stats[1]);
  return err;
}
