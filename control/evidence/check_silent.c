/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of an S3 bundle. Silence cannot be proved to others, so nothing of the stake may be asked for; what can be proved is
 * that the accuser had logged these very measures when it closed the epoch, before it accused. */
#include <string.h>

#include "control/evidence/check.h"
#include "control/score/score.h"
#include "dataplane/base/bound.h"
#include "dataplane/base/bytes.h"

static enum asz_evidence_outcome check_terms(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  if (e->stake_bps != 0)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "stake: %u bps, expected 0: silence never costs stake", e->stake_bps);
  if (e->epoch_first > e->epoch_last)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "epoch_first lies behind epoch_last");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_report(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  struct asz_epoch_close close;
  if (asz_entry_epoch_close_read(&close, e->close_entry, e->close_entry_bytes, c->diag) != 0)
    return ASZ_EVIDENCE_UNVERIFIABLE;
  if (close.epoch != e->epoch_last)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the closing entry is of epoch %u, expected %u", close.epoch, e->epoch_last);
  if (!asz_check_logged(&c->base, &e->close_inclusion, e->close_entry, e->close_entry_bytes))
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the epoch's close is not in the tree of the bundle's checkpoint");
  struct asz_checkpoint report = {.tree_size = close.provider_count};
  memcpy(report.root, close.report_root, 32);
  if (!asz_check_logged(&report, &e->record_inclusion, e->record, ASZ_RECORD_BYTES))
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the record is not in the report that the epoch was closed with");
  return ASZ_EVIDENCE_VALID;
}

static enum asz_evidence_outcome check_record(struct asz_check *c) {
  const struct asz_evidence *e = &c->bundle.evidence;
  if (memcmp(e->record + ASZ_RECORD_AT_KEY, e->provider_pk, 32) != 0 ||
      asz_be32_load(e->record + ASZ_RECORD_AT_DEVICE) != e->device)
    return asz_check_fail(c, ASZ_EVIDENCE_INVALID, "the record is of another provider or device");
  return asz_check_remark(c, "up in %d of %d judged slots, q95 %u ns, of which the prober's own at most %llu ns",
                          __builtin_popcountll(asz_be64_load(e->record + ASZ_RECORD_AT_SLOTS_UP)),
                          __builtin_popcountll(asz_be64_load(e->record + ASZ_RECORD_AT_SLOTS_JUDGED)),
                          asz_be32_load(e->record + ASZ_RECORD_AT_RTT_Q95),
                          (unsigned long long)asz_bound_ns(e->record[ASZ_RECORD_AT_FLAGS] >> 1));
}

const struct asz_check_step asz_check_silent[] = {
    {"terms", check_terms},
    {"report", check_report},
    {"record", check_record},
    {NULL, NULL},
};
