/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_forger: how a provider with a trait answers the challenges of the kind that its attack is about, and opens what it
 * committed to. Everything else about its datagrams is as an honest provider has it. For the lab and its tests only. */
#ifndef ASZ_CONTROL_LAB_FORGER_H
#define ASZ_CONTROL_LAB_FORGER_H

#include "control/lab_attack.h"
#include "control/responder/work.h"
#include "dataplane/base/identity.h"

/* Who is asked, by whom, and somebody else whose work may be at hand. */
struct asz_lab_party {
  const struct asz_identity *own, *other;
  const uint8_t *validator_pk; /* 32 */
};

struct asz_lab_forger;

/* asz_lab_forger_new: for a trait other than NONE; draws come from seed. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_lab_forger_new(struct asz_lab_forger **ret_forger, const struct asz_lab_trait *trait, uint64_t seed);
void asz_lab_forger_free(struct asz_lab_forger *forger);

/* asz_lab_forger_answer: the answer to a challenge of its kind, of which ret_datagram has room for any. work: that of a challenge
 * of gemm or mem, whose seed and body of that part are filled in; else NULL. Returns the size; 0: it says nothing. */
size_t asz_lab_forger_answer(struct asz_lab_forger *forger, uint8_t *ret_datagram, const struct asz_challenge *challenge,
                             const struct asz_lab_party *party, const uint8_t reply_key[16], struct asz_work *work);
/* asz_lab_forger_open fills the blob of the part that was answered last, signature included. false: it will not open. */
bool asz_lab_forger_open(struct asz_lab_forger *forger, struct asz_work *work, const struct asz_open *open,
                         const struct asz_lab_party *party);

#endif
