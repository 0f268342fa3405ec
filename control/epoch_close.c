/* SPDX-License-Identifier: Apache-2.0 */
/* Closing an epoch, in the order in which things may become visible: scores (memory) -> the report's root and the secret (log,
 * durable) -> evidence against that log -> slash entries (log, durable) -> everything in one store transaction. A crash before
 * the commit leaves the store as it was before the epoch; what the log says by then is true all the same. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/epoch_internal.h"
#include "dataplane/base/log.h"

/* score_all advances every provider and writes the report's records: returns their number. Control targets are ours: measured,
 * never scored. */
static uint32_t score_all(struct asz_epochs *e, const struct asz_plan *plan, const struct asz_stats *stats, uint64_t slots_judged,
                          uint64_t end_ns, struct asz_measure *ret_measure) {
  const struct asz_score_params params = {
      .rtt_target_ns = e->targets.default_ns,
      .vetting_days = 21,
      .vetting_slots = 5000,
      .sla_uptime_ppm = (uint32_t)e->config->score_sla_uptime_ppm,
  };
  uint32_t records = 0;
  asz_engine_sent(plan, stats, e->sent);
  for (uint32_t i = 0; i < e->roster->count; i++) {
    const struct asz_provider *provider = &e->roster->provider[i];
    struct asz_epochs_entry *entry = &e->entry[i];
    uint64_t slots = asz_measure_slots_of(plan, stats, slots_judged, i);
    asz_measure_fill(&ret_measure[i], stats, i, e->sent[i], slots, &entry->answers);
    entry->answers = (struct asz_answer_counts){0};
    if (provider->control)
      continue;
    asz_score_epoch(&entry->state, &ret_measure[i], &params, asz_rtt_target_of(&e->targets, provider), end_ns, &entry->score);
    uint8_t *record = e->report + (size_t)records * ASZ_RECORD_BYTES;
    asz_score_record_write(record, provider->row, provider->public_key, provider->device, &ret_measure[i], &entry->score);
    asz_tlog_leaf_hash(e->leaf[records++], record, ASZ_RECORD_BYTES);
  }
  return records;
}

static int log_close(struct asz_epochs *e, const struct asz_epoch *epoch, const uint8_t report_root[32],
                     struct asz_closed_report *report, struct asz_diag *diag) {
  uint8_t *bytes = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!bytes)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  size_t size = asz_entry_epoch_close(bytes, report->epoch, epoch->secret, report_root, report->record_count, report->closed_ns);
  int err = asz_tlog_append(e->log, bytes, size, &report->close_index);
  free(bytes);
  if (err)
    return asz_diag_set(diag, err, "%s: cannot append the close of epoch %u: %s", e->log_dir, report->epoch, asz_err_str(err));
  return asz_tlog_publish(e->log, diag);
}

static int put_transcripts(struct asz_epochs *e, struct asz_diag *diag) {
  int err = 0;
  for (size_t i = 0; i < e->transcript_count; i++) {
    if (!err)
      err = asz_store_transcript_put(e->store, &e->transcript[i].row, diag);
    free(e->transcript[i].bytes);
  }
  e->transcript_count = 0;
  e->kept_bytes = 0;
  e->transcripts_lost = 0;
  return err;
}

static int put_incident(struct asz_epochs *e, const struct asz_closed_report *report, uint32_t i, const char *kind,
                        const char *detail, struct asz_diag *diag) {
  struct asz_incident incident = {
      .provider_row = e->roster->provider[i].row,
      .epoch = report->epoch,
      .at_ns = report->closed_ns,
  };
  snprintf(incident.kind, sizeof incident.kind, "%s", kind);
  snprintf(incident.detail, sizeof incident.detail, "%s", detail);
  return asz_store_incident_put(e->store, &incident, diag);
}

/* put_incidents writes what an operator will want to know the reason of. */
static int put_incidents(struct asz_epochs *e, const struct asz_closed_report *report, uint32_t i, const struct asz_measure *m,
                         struct asz_diag *diag) {
  char text[160];
  int err = 0;
  unsigned judged = (unsigned)__builtin_popcountll(m->slots_judged), up = (unsigned)__builtin_popcountll(m->slots_up);
  if (up < judged) {
    snprintf(text, sizeof text, "%u of %u judged slots without an answer", judged - up, judged);
    err = put_incident(e, report, i, "down", text, diag);
  }
  if (!err && m->answers_fail) {
    snprintf(text, sizeof text, "%u wrong signed challenge answers", m->answers_fail);
    err = put_incident(e, report, i, "wrong-answer", text, diag);
  }
  if (!err && m->answers_malformed) {
    snprintf(text, sizeof text, "%u challenge answers without a valid signature", m->answers_malformed);
    err = put_incident(e, report, i, "bad-signature", text, diag);
  }
  if (!err && m->answers_missing) {
    snprintf(text, sizeof text, "%u challenges unanswered", m->answers_missing);
    err = put_incident(e, report, i, "no-answer", text, diag);
  }
  if (!err && m->forged + m->bad_mac + m->replayed > 0) {
    snprintf(text, sizeof text, "%u forged, %u with a wrong MAC, %u replayed replies", m->forged, m->bad_mac, m->replayed);
    err = put_incident(e, report, i, "not-genuine", text, diag);
  }
  return err;
}

static void record_offence(struct asz_slash_history *history, const struct asz_slash_decision *decision, uint64_t now_ns) {
  if (decision->offence == ASZ_OFFENCE_S1) {
    history->s1_count++;
    history->s1_open = true;
  } else if (decision->offence == ASZ_OFFENCE_S3) {
    history->s3_count++;
    history->jailed_until_ns = now_ns + decision->jail_ns;
  }
}

/* accuse_all decides about every provider; evidence and log entries are made here, the store rows after the log is published. */
static int accuse_all(struct asz_epochs *e, const struct asz_closed_report *report, struct asz_accusation *ret_accusation,
                      uint32_t *ret_count, struct asz_diag *diag) {
  const struct asz_config *c = e->config;
  const struct asz_slash_params params = {
      .s1_stake_bps_first = (uint32_t)c->slash_s1_stake_bps_first,
      .s1_stake_bps_max = (uint32_t)c->slash_s1_stake_bps_max,
      .s3_uptime_ppm_min = (uint32_t)c->slash_s3_uptime_ppm_min,
      .s3_latency_factor = (uint32_t)c->slash_s3_latency_factor,
      .s3_slots_min = (uint32_t)c->slash_s3_slots_min,
      .jail_first_ns = c->slash_jail_first_s * UINT64_C(1000000000),
      .jail_last_ns = c->slash_jail_last_s * UINT64_C(1000000000),
  };
  uint32_t record = 0;
  for (uint32_t i = 0; i < e->roster->count; i++) {
    const struct asz_provider *provider = &e->roster->provider[i];
    if (provider->control)
      continue;
    struct asz_epochs_entry *entry = &e->entry[i];
    uint64_t target_ns = asz_rtt_target_of(&e->targets, provider);
    struct asz_slash_decision decision;
    asz_slash_decide(&entry->score, &entry->state, &entry->history, &params, target_ns, report->closed_ns, &decision);
    if (decision.due) {
      int err = asz_accuse(e, report, i, record, &decision, &ret_accusation[*ret_count], diag);
      if (err)
        return err;
      (*ret_count)++;
      record_offence(&entry->history, &decision, report->closed_ns);
    }
    record++;
  }
  return *ret_count ? asz_tlog_publish(e->log, diag) : 0;
}

static int put_accusations(struct asz_epochs *e, const struct asz_closed_report *report, struct asz_accusation *accusation,
                           uint32_t count, struct asz_diag *diag) {
  for (uint32_t n = 0; n < count; n++) {
    struct asz_accusation *a = &accusation[n];
    int err = asz_store_slash_put(e->store, &a->row, a->bundle, a->bundle_bytes, diag);
    if (!err)
      err = put_incident(e, report, a->provider, asz_offence_name(a->decision.offence), a->decision.reason, diag);
    if (err)
      return err;
  }
  return 0;
}

/* What was measured of a provider's work, if it did any; the next epoch starts with nothing. */
static int put_performance(struct asz_epochs *e, const struct asz_closed_report *report, uint32_t i, struct asz_diag *diag) {
  const struct asz_performance_row row = {e->roster->provider[i].row, report->epoch, e->entry[i].performance};
  e->entry[i].performance = (struct asz_performance){.arena_bytes = 0};
  return asz_performance_any(&row.performance) ? asz_store_performance_put(e->store, &row, diag) : 0;
}

static int put_states(struct asz_epochs *e, const struct asz_closed_report *report, const struct asz_measure *measure,
                      struct asz_diag *diag) {
  for (uint32_t i = 0; i < e->roster->count; i++) {
    const struct asz_provider *provider = &e->roster->provider[i];
    const struct asz_epochs_entry *entry = &e->entry[i];
    if (provider->control)
      continue;
    struct asz_score_row row = {.provider_row = provider->row, .epoch = report->epoch, .score = entry->score};
    int err = asz_store_state_save(e->store, provider->row, &entry->state, &entry->history, diag);
    if (!err)
      err = asz_store_eprocess_start_set(e->store, provider->row, entry->slot_start, diag);
    if (!err)
      err = asz_store_score_put(e->store, &row, diag);
    if (!err)
      err = put_performance(e, report, i, diag);
    if (!err)
      err = put_incidents(e, report, i, &measure[i], diag);
    if (err)
      return err;
  }
  return 0;
}

static struct asz_epoch_row epoch_row(const struct asz_epochs *e, const struct asz_epoch *epoch, const struct asz_stats *stats,
                                      const struct asz_closed_report *report, const uint8_t report_root[32], bool complete) {
  struct asz_epoch_row row = {
      .epoch = epoch->number,
      .opened_ns = epoch->opened_ns,
      .closed_ns = report->closed_ns,
      .open_index = epoch->open_index,
      .close_index = report->close_index,
      .provider_count = report->record_count,
      .complete = complete,
      .rate_pps = stats->rate_pps,
      .slots_unjudged = stats->slots_unjudged,
      .faults = stats->faults,
  };
  memcpy(row.secret, epoch->secret, 32);
  memcpy(row.beacon, epoch->beacon, 32);
  memcpy(row.params_hash, e->params_hash, 32);
  memcpy(row.report_root, report_root, 32);
  for (uint32_t i = 0; i < e->roster->count; i++) {
    row.probes_sent += e->sent[i];
    row.probes_answered += stats->target[i].answered;
  }
  return row;
}

/* persist: the epoch's one transaction; accusations are made within it, because their evidence reads this epoch's transcripts. */
static int persist(struct asz_epochs *e, const struct asz_epoch_row *row, const struct asz_closed_report *report,
                   const struct asz_measure *measure, struct asz_accusation *accusation, uint32_t *ret_count,
                   struct asz_diag *diag) {
  uint64_t keep_ns = e->config->store_transcript_days * UINT64_C(86400000000000);
  int err = asz_store_begin(e->store, diag);
  if (!err)
    err = asz_store_epoch_put(e->store, row, diag);
  if (!err)
    err = put_transcripts(e, diag);
  if (!err)
    err = accuse_all(e, report, accusation, ret_count, diag);
  if (!err)
    err = put_accusations(e, report, accusation, *ret_count, diag);
  if (!err)
    err = put_states(e, report, measure, diag);
  if (!err)
    err = asz_store_report_put(e->store, report->epoch, e->report, (size_t)report->record_count * ASZ_RECORD_BYTES, diag);
  if (!err && report->closed_ns > keep_ns)
    err = asz_store_transcript_prune(e->store, report->closed_ns - keep_ns, ASZ_VERDICT_FAIL, diag);
  if (!err)
    err = asz_store_commit(e->store, diag);
  if (err)
    asz_store_rollback(e->store);
  return err;
}

static void summarise(const struct asz_epochs *e, uint64_t slots_judged, struct asz_epoch_summary *summary) {
  summary->slots_judged = (uint32_t)__builtin_popcountll(slots_judged);
  for (uint32_t i = 0; i < e->roster->count; i++) {
    if (e->roster->provider[i].control)
      continue;
    const struct asz_score *score = &e->entry[i].score;
    summary->providers++;
    summary->judged += score->slots_judged > 0;
    summary->up += score->slots_judged > 0 && score->uptime_ppm > 0;
    summary->down += score->slots_judged > 0 && score->uptime_ppm == 0;
  }
}

int asz_epochs_close(struct asz_epochs *e, const struct asz_epoch *epoch, const struct asz_plan *plan,
                     const struct asz_stats *stats, bool complete, struct asz_epoch_summary *ret_summary, struct asz_diag *diag) {
  assert(plan->target_count == e->roster->count);
  struct asz_measure *measure = calloc((size_t)e->roster->count + 1, sizeof *measure);
  struct asz_accusation *accusation = calloc((size_t)e->roster->count + 1, sizeof *accusation);
  struct asz_closed_report report = {.epoch = epoch->number, .closed_ns = asz_clock_now_ns()};
  struct asz_epoch_summary summary = {.number = epoch->number, .complete = complete};
  uint8_t report_root[32];
  int err = 0;
  if (!measure || !accusation) {
    err = asz_diag_set(diag, ASZ_ENOMEM, "no memory to close epoch %u", epoch->number);
    goto done;
  }
  uint64_t slots_judged = asz_measure_slots(plan, stats, e->roster);
  report.record_count = score_all(e, plan, stats, slots_judged, report.closed_ns, measure);
  asz_tlog_tree_make(&report.tree, (const uint8_t(*)[32])e->leaf, e->node, report.record_count);
  asz_tlog_tree_root(&report.tree, report_root);
  err = log_close(e, epoch, report_root, &report, diag);
  if (err)
    goto done;
  struct asz_epoch_row row = epoch_row(e, epoch, stats, &report, report_root, complete);
  err = persist(e, &row, &report, measure, accusation, &summary.recommendations, diag);
  if (err)
    goto done;
  summarise(e, slots_judged, &summary);
  *ret_summary = summary;
done:
  for (uint32_t n = 0; accusation && n < e->roster->count; n++)
    free(accusation[n].bundle);
  free(accusation);
  free(measure);
  return err;
}
