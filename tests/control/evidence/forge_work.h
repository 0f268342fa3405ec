/* SPDX-License-Identifier: Apache-2.0 */
/* forge_work: S1 evidence of all kinds of work. On top of forge_wrong's four transcripts: the first stays a chain, the second is
 * a product, the third builds an arena and the fourth folds it, each with four openings of the tiny preset. Every one is wrong,
 * by garbage in all of its columns, unless it is named as right. */
#ifndef ASZ_TESTS_CONTROL_EVIDENCE_FORGE_WORK_H
#define ASZ_TESTS_CONTROL_EVIDENCE_FORGE_WORK_H

#include "tests/control/evidence/forge.h"

enum { FORGE_CHAIN, FORGE_PRODUCT, FORGE_BUILD, FORGE_FOLD, FORGE_NONE };
enum { FORGE_OPENINGS = 4, FORGE_BLOB_MAX = 33 * 1200 };

struct forge_work {
  struct forge f;
  unsigned right; /* FORGE_PRODUCT .. FORGE_FOLD: this answer is right; FORGE_NONE */
  uint8_t blob[FORGE_WRONG][FORGE_BLOB_MAX];
  size_t opening_bytes[FORGE_WRONG];   /* of one */
  uint8_t build[ASZ_ANSWER_MAX_BYTES]; /* what the fold shows of it */
};

/* forge_work_make: everything up to the envelope. */
void forge_work_make(struct forge_work *ret_work, unsigned right);
/* forge_work_sign: the provider's signature over the openings of transcript i as they stand in its blob, by this reveal. */
void forge_work_sign(struct forge_work *work, unsigned i, unsigned openings, const uint8_t rho[32]);
void forge_work_reveal(const struct forge_work *work, unsigned i, uint8_t ret_rho[32]);
/* forge_work_build_sign: the provider's answer that a build with this root was made in this slot, as the fold shows it. */
void forge_work_build_sign(struct forge_work *work, uint64_t slot, uint32_t device, const uint8_t root[32]);

#endif
