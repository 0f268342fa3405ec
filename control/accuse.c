/* SPDX-License-Identifier: Apache-2.0 */
/* From a decision to evidence: gathers what the bundle needs from store and log, builds and signs it, and appends the log entry
 * that names its hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/epoch_internal.h"

/* The transcripts of one accusation, with the memory they point into. */
struct gathered {
  struct asz_epochs *epochs;
  struct asz_diag *diag;
  struct asz_transcript *transcript;
  uint8_t **owned; /* two a transcript: the pieces of its exchange, the log entry of its epoch's opening */
  size_t count;
  int err;
};

enum { OWNED_PER_TRANSCRIPT = 2 };

static int prove_inclusion(struct asz_epochs *e, uint64_t index, struct asz_inclusion *ret_inclusion, struct asz_diag *diag) {
  ret_inclusion->index = index;
  ret_inclusion->tree_size = asz_tlog_size(e->log);
  return asz_tlog_prove(e->log, index, ret_inclusion->path, &ret_inclusion->path_count, diag);
}

/* add_opening: the secret, the logged opening of the transcript's epoch, and the proof that it was logged. */
static int add_opening(struct asz_epochs *e, struct asz_transcript *t, uint8_t **ret_entry, struct asz_diag *diag) {
  struct asz_epoch_row row;
  int err = asz_store_epoch_get(e->store, t->epoch, &row, diag);
  if (err)
    return err;
  memcpy(t->secret, row.secret, 32);
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  *ret_entry = entry;
  err = asz_tlog_read_entry(e->log_dir, asz_tlog_size(e->log), row.open_index, entry, &t->open_entry_bytes, diag);
  if (err)
    return err;
  t->open_entry = entry;
  return prove_inclusion(e, row.open_index, &t->open_inclusion, diag);
}

/* gather_one is the store's visitor: one transcript a slot is enough, and the bundle has a limit. Non-zero stops the walk. */
static int gather_one(void *context, const struct asz_transcript_row *row) {
  struct gathered *g = context;
  if (g->count == ASZ_EVIDENCE_TRANSCRIPTS_MAX) {
    g->err = asz_diag_set(g->diag, ASZ_ETOOBIG, "more than %d wrong answers in one accusation", ASZ_EVIDENCE_TRANSCRIPTS_MAX);
    return 1;
  }
  if (g->count > 0 && g->transcript[g->count - 1].slot == row->slot)
    return 0;
  struct asz_transcript *t = &g->transcript[g->count];
  uint8_t **owned = &g->owned[g->count * OWNED_PER_TRANSCRIPT];
  *t = (struct asz_transcript){
      .epoch = row->epoch,
      .slot = row->slot,
      .tx_ns = row->tx_ns,
      .rx_ns = row->rx_ns,
      .clock_error_ns = row->clock_error_ns,
  };
  g->count++; /* from here on its memory is freed with the rest */
  owned[0] = malloc(asz_exchange_bytes(&row->exchange));
  if (!owned[0]) {
    g->err = asz_diag_set(g->diag, ASZ_ENOMEM, "no memory for a transcript");
    return 1;
  }
  t->exchange = asz_exchange_copy(owned[0], &row->exchange);
  g->err = add_opening(g->epochs, t, &owned[1], g->diag);
  return g->err != 0;
}

static void gathered_free(struct gathered *g) {
  for (size_t i = 0; g->owned && i < g->count * OWNED_PER_TRANSCRIPT; i++)
    free(g->owned[i]);
  free(g->owned);
  free(g->transcript);
}

/* gather fills the S1 part of the evidence: every wrong signed answer of the e-process year. */
static int gather(struct gathered *g, struct asz_evidence *evidence, uint32_t provider) {
  const struct asz_epochs_entry *entry = &g->epochs->entry[provider];
  g->transcript = calloc(ASZ_EVIDENCE_TRANSCRIPTS_MAX, sizeof *g->transcript);
  g->owned = calloc((size_t)ASZ_EVIDENCE_TRANSCRIPTS_MAX * OWNED_PER_TRANSCRIPT, sizeof *g->owned);
  if (!g->transcript || !g->owned)
    return asz_diag_set(g->diag, ASZ_ENOMEM, "no memory for transcripts");
  evidence->slot_first = entry->slot_start;
  evidence->slot_last = entry->slot_start + entry->state.eprocess.slots - 1;
  evidence->e_value_q32 = asz_eprocess_value_q32(&entry->state.eprocess);
  int err = asz_store_transcript_each(g->epochs->store, g->epochs->roster->provider[provider].row, ASZ_VERDICT_FAIL,
                                      evidence->slot_first, evidence->slot_last, gather_one, g, g->diag);
  if (g->err)
    return g->err;
  if (err)
    return err;
  evidence->transcript = g->transcript;
  evidence->transcript_count = g->count;
  if (g->count > 0 && g->transcript[0].epoch < evidence->epoch_first)
    evidence->epoch_first = g->transcript[0].epoch;
  return 0;
}

static int append_entry(struct asz_epochs *e, const struct asz_evidence *evidence, struct asz_slash_row *row,
                        struct asz_diag *diag) {
  uint8_t *entry = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!entry)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  size_t size = asz_entry_slash(entry, row->epoch, evidence->offence, evidence->provider_pk, evidence->device, row->bundle_hash,
                                row->stake_bps);
  int err = asz_tlog_append(e->log, entry, size, &row->log_index);
  free(entry);
  return err ? asz_diag_set(diag, err, "%s: cannot append a recommendation: %s", e->log_dir, asz_err_str(err)) : 0;
}

/* The S3 part: the provider's record as reported, that it is in the report, and that the report's root is in the log. */
static int attach_record(struct asz_epochs *e, const struct asz_closed_report *report, uint32_t record_index, uint8_t *entry,
                         struct asz_evidence *evidence, struct asz_diag *diag) {
  evidence->record = e->report + (size_t)record_index * ASZ_RECORD_BYTES;
  struct asz_inclusion *in_report = &evidence->record_inclusion;
  in_report->index = record_index;
  in_report->tree_size = report->record_count;
  in_report->path_count = asz_tlog_tree_path(&report->tree, record_index, in_report->path);
  int err =
      asz_tlog_read_entry(e->log_dir, asz_tlog_size(e->log), report->close_index, entry, &evidence->close_entry_bytes, diag);
  if (err)
    return err;
  evidence->close_entry = entry;
  return prove_inclusion(e, report->close_index, &evidence->close_inclusion, diag);
}

static struct asz_evidence describe(const struct asz_epochs *e, const struct asz_closed_report *report, uint32_t provider,
                                    const struct asz_slash_decision *decision) {
  const struct asz_provider *accused = &e->roster->provider[provider];
  struct asz_evidence evidence = {
      .offence = decision->offence,
      .device = accused->device,
      .ipv4 = accused->ipv4,
      .epoch_first = report->epoch,
      .epoch_last = report->epoch,
      .decided_ns = report->closed_ns,
      .stake_bps = decision->stake_bps,
      .jail_ns = decision->jail_ns,
      .checkpoint = asz_tlog_checkpoint(e->log),
  };
  snprintf(evidence.provider_name, sizeof evidence.provider_name, "%s", accused->name);
  snprintf(evidence.origin, sizeof evidence.origin, "%s", e->config->validator_origin);
  snprintf(evidence.reason, sizeof evidence.reason, "%s", decision->reason);
  memcpy(evidence.provider_pk, accused->public_key, 32);
  memcpy(evidence.ipv6, accused->ipv6, sizeof evidence.ipv6);
  memcpy(evidence.validator_pk, e->key->public_key, 32);
  memcpy(evidence.params_hash, e->params_hash, 32);
  return evidence;
}

int asz_accuse(struct asz_epochs *e, const struct asz_closed_report *report, uint32_t provider, uint32_t record_index,
               const struct asz_slash_decision *decision, struct asz_accusation *ret_accusation, struct asz_diag *diag) {
  struct asz_evidence evidence = describe(e, report, provider, decision);
  struct gathered gathered = {.epochs = e, .diag = diag};
  struct asz_accusation accusation = {.provider = provider, .decision = *decision};
  uint8_t *close_entry = malloc(ASZ_TLOG_ENTRY_MAX);
  int err = close_entry ? 0 : asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  if (!err)
    err = decision->offence == ASZ_OFFENCE_S1 ? gather(&gathered, &evidence, provider)
                                              : attach_record(e, report, record_index, close_entry, &evidence, diag);
  if (err)
    goto done;
  accusation.row = (struct asz_slash_row){
      .provider_row = e->roster->provider[provider].row,
      .epoch = report->epoch,
      .at_ns = report->closed_ns,
      .offence = decision->offence,
      .stake_bps = decision->stake_bps,
      .jail_ns = decision->jail_ns,
  };
  snprintf(accusation.row.reason, sizeof accusation.row.reason, "%s", decision->reason);
  err = asz_evidence_build(&accusation.bundle, &accusation.bundle_bytes, accusation.row.bundle_hash, &evidence, e->key);
  if (err) {
    asz_diag_set(diag, err, "cannot build the evidence against %s: %s", evidence.provider_name, asz_err_str(err));
    goto done;
  }
  err = append_entry(e, &evidence, &accusation.row, diag);
  if (err) {
    free(accusation.bundle);
    goto done;
  }
  *ret_accusation = accusation;
done:
  gathered_free(&gathered);
  free(close_entry);
  return err;
}
