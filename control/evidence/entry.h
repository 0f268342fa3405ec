/* SPDX-License-Identifier: Apache-2.0 */
/* Reading log entries. Their makers are in evidence.h; byte tables: docs/log.md. */
#ifndef ASZ_CONTROL_EVIDENCE_ENTRY_H
#define ASZ_CONTROL_EVIDENCE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

enum asz_entry_type { ASZ_ENTRY_EPOCH_OPEN = 1, ASZ_ENTRY_EPOCH_CLOSE = 2, ASZ_ENTRY_SLASH = 3 };

struct asz_epoch_open {
  uint32_t epoch;
  uint8_t commitment[32], beacon[32], params_hash[32], registry_root[32];
  uint64_t opened_ns;
};
struct asz_epoch_close {
  uint32_t epoch;
  uint8_t secret[32], report_root[32];
  uint32_t provider_count;
  uint64_t closed_ns;
};
struct asz_slash_entry {
  uint32_t epoch;
  uint8_t offence; /* as logged: not checked against the list */
  uint8_t provider_pk[32];
  uint32_t device;
  uint8_t bundle_hash[32];
  uint32_t stake_bps;
};

/* Each refuses what is not exactly one entry of its type: ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_entry_epoch_open_read(struct asz_epoch_open *ret_open, const uint8_t *entry, size_t size_bytes,
                                             struct asz_diag *diag);
ASZ_MUST_CHECK int asz_entry_epoch_close_read(struct asz_epoch_close *ret_close, const uint8_t *entry, size_t size_bytes,
                                              struct asz_diag *diag);
ASZ_MUST_CHECK int asz_entry_slash_read(struct asz_slash_entry *ret_slash, const uint8_t *entry, size_t size_bytes,
                                        struct asz_diag *diag);

#endif
