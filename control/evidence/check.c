/* SPDX-License-Identifier: Apache-2.0 */
/* Judging an envelope: a list of checks, run in order until one fails.
 *
 * The order is by what each may rely on: first form, then who says it (the accuser's signature over the body, the log entry that
 * names the bundle's hash, the log's signature over the tree that holds the entry), then what is said. Whatever is behind a
 * signature check is the accuser's word, so that from there on a failure is the accuser's.
 *
 * The outcome tells two failures apart: INVALID means that the claim was read and does not hold; UNVERIFIABLE that it could not
 * be judged: malformed, of an unknown version, or more work than this program takes on. */
#include "control/evidence/check.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/note.h"

static enum asz_evidence_outcome check_envelope(struct asz_check *c) {
  if (asz_envelope_parse(&c->envelope, c->file, c->file_bytes, c->diag) != 0)
    return ASZ_EVIDENCE_UNVERIFIABLE;
  crypto_hash_sha256(c->report->bundle_hash, c->envelope.bundle, c->envelope.bundle_bytes);
  c->report->log_index = c->envelope.inclusion.index;
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_bundle(struct asz_check *c) {
  struct asz_evidence_report *report = c->report;
  if (asz_bundle_parse(&c->bundle, c->envelope.bundle, c->envelope.bundle_bytes, c->diag) != 0)
    return ASZ_EVIDENCE_UNVERIFIABLE;
  const struct asz_evidence *e = &c->bundle.evidence;
  report->offence = e->offence;
  memcpy(report->provider_name, e->provider_name, sizeof report->provider_name);
  memcpy(report->provider_pk, e->provider_pk, 32);
  memcpy(report->validator_pk, e->validator_pk, 32);
  memcpy(report->origin, e->origin, sizeof report->origin);
  report->device = e->device;
  report->stake_bps = e->stake_bps;
  report->wrong_answers = e->transcript_count;
  report->e_value_q32 = e->e_value_q32;
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_accuser(struct asz_check *c) {
  if (!c->validator_pk)
    return asz_check_remark(c, "taken from the bundle: no validator was named");
  if (memcmp(c->validator_pk, c->bundle.evidence.validator_pk, 32) != 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the accuser is not the validator that was named");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_accuser_signature(struct asz_check *c) {
  uint8_t signed_bytes[ASZ_ACCUSATION_BYTES];
  asz_accusation_bytes(signed_bytes, c->bundle.body, c->bundle.body_bytes);
  if (crypto_sign_verify_detached(c->bundle.signature, signed_bytes, sizeof signed_bytes, c->bundle.evidence.validator_pk) != 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the accuser's signature over the bundle does not verify");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_entry(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  struct asz_slash_entry entry;
  if (asz_entry_slash_read(&entry, c->envelope.entry, c->envelope.entry_bytes, c->diag) != 0)
    return ASZ_EVIDENCE_UNVERIFIABLE;
  if (memcmp(entry.bundle_hash, c->report->bundle_hash, 32) != 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the log entry names another bundle");
  if (memcmp(entry.provider_pk, e->provider_pk, 32) != 0 || entry.device != e->device)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the log entry names another provider or device");
  if (entry.offence != e->offence || entry.stake_bps != e->stake_bps || entry.epoch != e->epoch_last)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the log entry names another offence, stake or epoch");
  return ASZ_EVIDENCE_VALID;
}

/* A checkpoint of the accuser's log with exactly one signature: a line of somebody else's could be changed unnoticed. */
static enum asz_evidence_outcome open_checkpoint(struct asz_check *c, const char *note, struct asz_checkpoint *ret_checkpoint) {
  const struct asz_evidence *e = &c->bundle.evidence;
  size_t size = strlen(note);
  struct asz_note split;
  int err = asz_checkpoint_open(ret_checkpoint, note, size, e->validator_pk, c->diag);
  if (!err)
    err = asz_note_split(&split, note, size, c->diag);
  if (err)
    return err == ASZ_EAUTH ? ASZ_EVIDENCE_INVALID : ASZ_EVIDENCE_UNVERIFIABLE;
  if (split.signatures != 1)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the checkpoint has %u signatures, expected the log's own alone",
                          split.signatures);
  if (strcmp(ret_checkpoint->origin, e->origin) != 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the checkpoint is of another log than the accuser's");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_checkpoint(struct asz_check *c) {
  enum asz_evidence_outcome outcome = open_checkpoint(c, c->envelope.checkpoint, &c->head);
  if (outcome == ASZ_EVIDENCE_VALID)
    c->report->tree_size = c->head.tree_size;
  return outcome;
}

bool asz_check_logged(const struct asz_checkpoint *checkpoint, const struct asz_inclusion *inclusion, const uint8_t *entry,
                      size_t entry_bytes) {
  uint8_t leaf[32];
  asz_tlog_leaf_hash(leaf, entry, entry_bytes);
  return inclusion->tree_size == checkpoint->tree_size &&
         asz_tlog_inclusion_check(checkpoint->root, checkpoint->tree_size, inclusion->index, leaf,
                                  (const uint8_t(*)[32])inclusion->path, inclusion->path_count) == 0;
}

static enum asz_evidence_outcome check_inclusion(struct asz_check *c) {
  if (!asz_check_logged(&c->head, &c->envelope.inclusion, c->envelope.entry, c->envelope.entry_bytes))
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the log entry is not in the tree of the checkpoint");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_bundle_checkpoint(struct asz_check *c) {
  enum asz_evidence_outcome outcome = open_checkpoint(c, c->bundle.checkpoint, &c->base);
  if (outcome != ASZ_EVIDENCE_VALID)
    return outcome;
  if (c->base.tree_size > c->envelope.inclusion.index)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the log entry is older than the checkpoint inside the bundle that it names");
  return ASZ_EVIDENCE_VALID;
}

static const struct asz_check_step common[] = {
    {"envelope", check_envelope},
    {"bundle", check_bundle},
    {"accuser", check_accuser},
    {"accuser-signature", check_accuser_signature},
    {"log-entry", check_entry},
    {"checkpoint", check_checkpoint},
    {"inclusion", check_inclusion},
    {"bundle-checkpoint", check_bundle_checkpoint},
    {NULL, NULL},
};

/* A function type, as in evidence.h. */
typedef void print_check(void *context, const char *check, bool passed, const char *detail);

static enum asz_evidence_outcome run_steps(struct asz_check *c, const struct asz_check_step *step, print_check *print,
                                           void *context) {
  for (; step->name; step++) {
    c->diag->text[0] = 0;
    enum asz_evidence_outcome outcome = step->run(c);
    if (print)
      print(context, step->name, outcome == ASZ_EVIDENCE_VALID, c->diag->text);
    if (outcome != ASZ_EVIDENCE_VALID) {
      strcpy(c->report->failed, step->name);
      return outcome;
    }
    c->report->checks_passed++;
  }
  c->diag->text[0] = 0;
  return ASZ_EVIDENCE_VALID;
}

enum asz_evidence_outcome asz_evidence_check(struct asz_evidence_report *ret_report, const uint8_t *file, size_t size_bytes,
                                             const uint8_t *validator_pk, print_check *print, void *context) {
  memset(ret_report, 0, sizeof *ret_report);
  struct asz_check check = {
      .file = file, .file_bytes = size_bytes, .validator_pk = validator_pk, .report = ret_report, .diag = &ret_report->diag};
  enum asz_evidence_outcome outcome = run_steps(&check, common, print, context);
  if (outcome == ASZ_EVIDENCE_VALID)
    outcome = run_steps(&check, ret_report->offence == ASZ_OFFENCE_S1 ? asz_check_wrong : asz_check_silent, print, context);
  free(check.read);
  asz_bundle_free(&check.bundle);
  ret_report->outcome = outcome;
  return outcome;
}
