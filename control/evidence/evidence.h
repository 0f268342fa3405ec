/* SPDX-License-Identifier: Apache-2.0 */
/* asz_evidence: a slashing recommendation that proves itself.
 *
 * Bundle = deterministic CBOR (RFC 8949 section 4.2: shortest forms, definite lengths, sorted keys; anything else is refused),
 * content-addressed by SHA-256. It holds the accused (registration as logged), the accuser, the parameters, the e-process from
 * its year's first slot to the deciding one, and each wrong answer's transcript: what was said (challenge, answer, openings, each
 * under the provider's signature), send and receive times with the clock's error bound, the epoch's commitment and revealed
 * secret. The accuser signs it. The export envelope adds what can exist only afterwards: the log entry that names the bundle's
 * hash, the inclusion proof and the checkpoint.
 *
 * Checking needs nothing else: derive the nonce from the revealed secret and compare it with the challenge, check that commitment
 * and beacon were logged (inclusion), derive the seed, check the provider's signatures, recompute the answer or what it opened,
 * replay the e-process
 * over all slots (every slot without a proven wrong answer counts as right), check the accuser's signature, the inclusion and the
 * checkpoint. S3 bundles (no stake at risk) carry the measures instead of transcripts and prove only what was logged and signed.
 */
#ifndef ASZ_CONTROL_EVIDENCE_EVIDENCE_H
#define ASZ_CONTROL_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/slash/slash.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/exchange.h"
#include "dataplane/base/identity.h"

enum { ASZ_EVIDENCE_VERSION = 2, ASZ_EVIDENCE_MAX_BYTES = 64 << 20, ASZ_EVIDENCE_TRANSCRIPTS_MAX = 1024 };

struct asz_inclusion {
  uint64_t index;
  uint64_t tree_size; /* of the envelope's or bundle's checkpoint */
  size_t path_count;
  uint8_t path[ASZ_TLOG_PROOF_MAX][32];
};

/* One wrong answer. Pointers are borrowed: into the caller's memory when building, into the parsed file when checking. */
struct asz_transcript {
  uint32_t epoch;
  uint64_t slot;
  struct asz_exchange exchange;
  uint64_t tx_ns, rx_ns; /* wall time */
  uint64_t clock_error_ns;
  uint8_t secret[32]; /* the epoch's, revealed at its close */
  /* the log entry of the epoch's opening (asz_entry_epoch_open), byte for byte, and its inclusion in the bundle's checkpoint */
  const uint8_t *open_entry;
  size_t open_entry_bytes;
  struct asz_inclusion open_inclusion;
};

struct asz_evidence {
  uint8_t offence; /* enum asz_offence: S1 or S3 */
  /* accused */
  char provider_name[64];
  uint8_t provider_pk[32];
  uint32_t device;
  uint32_t ipv4;    /* 0: the address is an IPv6 one */
  uint8_t ipv6[16]; /* all zero: it is an IPv4 one */
  /* accuser */
  uint8_t validator_pk[32];
  char origin[ASZ_TLOG_ORIGIN_MAX + 1]; /* of its log */
  uint32_t epoch_first, epoch_last;
  uint64_t decided_ns; /* wall time */
  uint8_t params_hash[32];
  uint32_t stake_bps;
  uint64_t jail_ns;
  char reason[160];
  /* S1: the e-process year from slot_first to slot_last (correctness slots, inclusive), its value at the end */
  uint64_t slot_first, slot_last;
  uint64_t e_value_q32;
  size_t transcript_count;
  const struct asz_transcript *transcript; /* ascending by slot, at most one a slot */
  /* S3: what was measured in epoch_last: the report record, its inclusion in the report tree (RFC 6962 over the epoch's records,
   * leaves asz_tlog_leaf_hash(record), in the order of the report; tree_size is the closing entry's provider_count), and the log
   * entry of the epoch's close (asz_entry_epoch_close), byte for byte, with its inclusion in the bundle's checkpoint */
  const uint8_t *record; /* ASZ_RECORD_BYTES; NULL for S1 */
  struct asz_inclusion record_inclusion;
  const uint8_t *close_entry;
  size_t close_entry_bytes;
  struct asz_inclusion close_inclusion;
  /* the checkpoint that the inclusions of the opening or closing entries refer to: one signature, the log's own */
  const char *checkpoint; /* signed note; NUL-terminated */
};

/* asz_evidence_build writes the signed bundle (heap, *ret_bundle to be freed with free) and its hash. Asserts what the caller
 * must get right; ASZ_ENOMEM, ASZ_ETOOBIG. */
ASZ_MUST_CHECK int asz_evidence_build(uint8_t **ret_bundle, size_t *ret_size, uint8_t ret_hash[32],
                                      const struct asz_evidence *evidence, const struct asz_identity *accuser);
/* asz_evidence_envelope wraps a bundle with the log entry that names it, its inclusion and the checkpoint: what `slash export`
 * writes. */
ASZ_MUST_CHECK int asz_evidence_envelope(uint8_t **ret_file, size_t *ret_size, const uint8_t *bundle, size_t bundle_bytes,
                                         const uint8_t *entry, size_t entry_bytes, const struct asz_inclusion *inclusion,
                                         const char *checkpoint);

/* What checking found, one line a check, in order; the first failure ends it. */
enum asz_evidence_outcome { ASZ_EVIDENCE_VALID = 0, ASZ_EVIDENCE_INVALID = 1, ASZ_EVIDENCE_UNVERIFIABLE = 2 };
struct asz_evidence_report {
  enum asz_evidence_outcome outcome;
  uint32_t checks_passed;
  char failed[64];      /* name of the check that failed, "" when valid */
  struct asz_diag diag; /* why */
  /* filled as far as parsing got */
  uint8_t offence;
  char provider_name[64];
  uint8_t provider_pk[32];
  uint8_t validator_pk[32];
  char origin[ASZ_TLOG_ORIGIN_MAX + 1]; /* of the accuser's log */
  uint32_t device;
  uint32_t stake_bps;
  uint64_t wrong_answers;
  uint64_t e_value_q32;
  uint8_t bundle_hash[32];
  uint64_t log_index, tree_size;
};
/* asz_evidence_check: file = an envelope. validator_pk may be NULL (then the accuser is who the bundle says). print, when not
 * NULL, is called once a check with its name and result. */
enum asz_evidence_outcome asz_evidence_check(struct asz_evidence_report *ret_report, const uint8_t *file, size_t size_bytes,
                                             const uint8_t *validator_pk,
                                             void (*print)(void *context, const char *check, bool passed, const char *detail),
                                             void *context);

/* Log entries (deterministic CBOR as well). Each maker writes into ret_entry (ASZ_TLOG_ENTRY_MAX) and returns the size. */
size_t asz_entry_epoch_open(uint8_t *ret_entry, uint32_t epoch, const uint8_t commitment[32], const uint8_t beacon[32],
                            const uint8_t params_hash[32], const uint8_t registry_root[32], uint64_t opened_ns);
size_t asz_entry_epoch_close(uint8_t *ret_entry, uint32_t epoch, const uint8_t secret[32], const uint8_t report_root[32],
                             uint32_t provider_count, uint64_t closed_ns);
size_t asz_entry_slash(uint8_t *ret_entry, uint32_t epoch, enum asz_offence offence, const uint8_t provider_pk[32],
                       uint32_t device, const uint8_t bundle_hash[32], uint32_t stake_bps);

#endif
