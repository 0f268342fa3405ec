/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of bundle and envelope, shared by their writer (build.c) and their reader (parse.c). CDDL: docs/evidence.md. Within
 * control/evidence only. */
#ifndef ASZ_CONTROL_EVIDENCE_BUNDLE_H
#define ASZ_CONTROL_EVIDENCE_BUNDLE_H

#include "control/evidence/evidence.h"

/* First text in each, so that a file says what it is. */
#define ASZ_ENVELOPE_MAGIC "assize/envelope"
#define ASZ_BUNDLE_MAGIC   "assize/evidence"

/* Pairs of each map. */
enum {
  ASZ_ENVELOPE_PAIRS = 5,
  ASZ_BUNDLE_PAIRS = 3,
  ASZ_BODY_PAIRS = 13,
  ASZ_ACCUSED_PAIRS = 4,
  ASZ_ACCUSER_PAIRS = 2,
  ASZ_WRONG_PAIRS = 4,
  ASZ_SILENT_PAIRS = 4,
  ASZ_TRANSCRIPT_PAIRS = 8 + ASZ_PIECE_COUNT,
  ASZ_INCLUSION_PAIRS = 3,
};

/* The bundle of the largest envelope: what entry, inclusion and checkpoint leave of it. */
enum { ASZ_BUNDLE_REST_BYTES = 1 << 17, ASZ_BUNDLE_MAX_BYTES = ASZ_EVIDENCE_MAX_BYTES - ASZ_BUNDLE_REST_BYTES };

/* What the accuser signs: domain || SHA-256(body). */
enum { ASZ_ACCUSATION_BYTES = 18 + 32 };
void asz_accusation_bytes(uint8_t ret_bytes[ASZ_ACCUSATION_BYTES], const uint8_t *body, size_t body_bytes);

struct asz_envelope {
  const uint8_t *bundle, *entry; /* into the file */
  size_t bundle_bytes, entry_bytes;
  struct asz_inclusion inclusion;
  char checkpoint[ASZ_TLOG_CHECKPOINT_MAX];
};
/* asz_envelope_parse: ASZ_EFORMAT. The form only; nothing is checked. */
ASZ_MUST_CHECK int asz_envelope_parse(struct asz_envelope *ret_envelope, const uint8_t *file, size_t size_bytes,
                                      struct asz_diag *diag);

struct asz_bundle {
  struct asz_evidence evidence; /* points into the bytes parsed, and at the two below */
  struct asz_transcript *transcript;
  char checkpoint[ASZ_TLOG_CHECKPOINT_MAX];
  const uint8_t *body; /* what is signed */
  size_t body_bytes;
  const uint8_t *signature; /* 64 */
};
/* asz_bundle_parse: ASZ_EFORMAT; ASZ_ENOTSUP for a version or offence that this program does not know; ASZ_ENOMEM. On success the
 * bundle is to be freed, and not to be moved. */
ASZ_MUST_CHECK int asz_bundle_parse(struct asz_bundle *ret_bundle, const uint8_t *bytes, size_t size_bytes,
                                    struct asz_diag *diag);
void asz_bundle_free(struct asz_bundle *bundle);

#endif
