/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: every input gets an outcome with a reason. Bundles and log entries are read directly as well, since behind an
 * envelope's hash and signatures no mutation reaches them. What an entry's reader accepts, its maker writes again. */
#include <string.h>

#include "control/evidence/bundle.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_evidence_report report;
  struct asz_bundle bundle;
  enum asz_evidence_outcome outcome = asz_evidence_check(&report, data, size_bytes, NULL, NULL, NULL);
  FUZZ_CHECK((outcome == ASZ_EVIDENCE_VALID) == (report.failed[0] == 0));
  FUZZ_CHECK((outcome == ASZ_EVIDENCE_VALID) == (report.diag.text[0] == 0));
  if (asz_bundle_parse(&bundle, data, size_bytes, NULL) == 0)
    asz_bundle_free(&bundle);
  check_entries(data, size_bytes);
  return 0;
}
