/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: every input gets an outcome with a reason. Bundles and log entries are read directly as well, since behind an
 * envelope's hash and signatures no mutation reaches them. What an entry's reader accepts, its maker writes again. */
#include <stdlib.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "control/evidence/check.h"
#include "control/evidence/entry.h"
#include "tests/fuzz/fuzz.h"

static void check_entries(const uint8_t *data, size_t size_bytes) {
  static uint8_t again[ASZ_TLOG_ENTRY_MAX];
  struct asz_epoch_open open;
  struct asz_epoch_close close;
  struct asz_slash_entry slash;
  size_t size = 0;
  if (asz_entry_epoch_open_read(&open, data, size_bytes, NULL) == 0)
    size = asz_entry_epoch_open(again, open.epoch, open.commitment, open.beacon, open.params_hash, open.registry_root,
                                open.opened_ns);
  else if (asz_entry_epoch_close_read(&close, data, size_bytes, NULL) == 0)
    size = asz_entry_epoch_close(again, close.epoch, close.secret, close.report_root, close.provider_count, close.closed_ns);
  else if (asz_entry_slash_read(&slash, data, size_bytes, NULL) == 0)
    size =
        asz_entry_slash(again, slash.epoch, slash.offence, slash.provider_pk, slash.device, slash.bundle_hash, slash.stake_bps);
  FUZZ_CHECK(size == 0 || (size == size_bytes && memcmp(again, data, size) == 0));
}

/* Small enough for a fuzzer: steps of a chain, or columns of the tiny preset. */
static bool is_cheap(const struct asz_challenge *challenge) {
  return challenge->param <= ASZ_SEQ_LOG2_MIN &&
         (challenge->kind == ASZ_KIND_SEQ || (challenge->param & 0x7f) == ASZ_GEMM_PRESET_TINY);
}

/* What is in the transcripts, as if everything before had been signed. */
static void check_work(struct asz_bundle *bundle) {
  struct asz_evidence_report report = {.outcome = ASZ_EVIDENCE_VALID};
  struct asz_check check = {.bundle = *bundle, .report = &report, .diag = &report.diag};
  const struct asz_evidence *e = &bundle->evidence;
  check.read = calloc(e->transcript_count + 1, sizeof *check.read);
  bool is_read = check.read != NULL && e->transcript_count > 0;
  for (size_t i = 0; i < e->transcript_count && is_read; i++) {
    const struct asz_span *piece = e->transcript[i].exchange.piece;
    struct asz_read_transcript *read = &check.read[i];
    is_read = asz_challenge_read(&read->challenge, piece[ASZ_PIECE_CHALLENGE].data, piece[ASZ_PIECE_CHALLENGE].size_bytes) == 0 &&
              asz_answer_read(&read->answer, piece[ASZ_PIECE_ANSWER].data, piece[ASZ_PIECE_ANSWER].size_bytes) == 0 &&
              read->answer.kind == read->challenge.kind && read->answer.param == read->challenge.param &&
              read->challenge.kind != ASZ_KIND_SIG && is_cheap(&read->challenge);
  }
  if (is_read && asz_check_pieces(&check) == ASZ_EVIDENCE_VALID)
    FUZZ_CHECK(asz_check_work(&check) != ASZ_EVIDENCE_UNVERIFIABLE);
  free(check.read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_evidence_report report;
  struct asz_bundle bundle;
  enum asz_evidence_outcome outcome = asz_evidence_check(&report, data, size_bytes, NULL, NULL, NULL);
  FUZZ_CHECK((outcome == ASZ_EVIDENCE_VALID) == (report.failed[0] == 0));
  FUZZ_CHECK((outcome == ASZ_EVIDENCE_VALID) == (report.diag.text[0] == 0));
  if (asz_bundle_parse(&bundle, data, size_bytes, NULL) == 0) {
    check_work(&bundle);
    asz_bundle_free(&bundle);
  }
  check_entries(data, size_bytes);
  return 0;
}
