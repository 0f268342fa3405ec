/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_provers: the challenge side of the lab's providers: HELLO, sig, seq, gemm, mem and OPEN, answered by what
 * assize-responder is made of (work and works, token, provers), but without its limits: those are its own tests' business. What a
 * provider's truth and trait say about its answers is done here.
 *
 * No socket, ring or clock: a datagram goes in, its answers come out by `send`, with the time at which they leave. One thread. */
#ifndef ASZ_CONTROL_LAB_PROVERS_H
#define ASZ_CONTROL_LAB_PROVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/lab_attack.h"
#include "dataplane/base/err.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/session.h"
#include "dataplane/emulator/emulator.h"

/* All arrays have `count` entries and are borrowed for the life of the provers, as is validator_pk. */
struct asz_lab_provers_config {
  uint32_t count;
  const struct asz_identity *identity;
  const uint8_t *validator_pk;       /* 32 */
  const struct asz_truth *truth;     /* its cheat, where it is about challenges */
  const struct asz_lab_trait *trait; /* attacks on gemm and mem, and devices, only with consents; device_number below count */
  uint64_t seed;
  bool consents; /* to gemm and mem of ASZ_LAB_PRESET */
  /* leaves_ns: at or after the take_ns of its question. */
  void (*send)(void *context, uint32_t provider, const uint8_t *payload, size_t size_bytes, uint64_t leaves_ns);
  void *context; /* of send */
};

struct asz_lab_provers;

/* asz_lab_provers_new: about 300 KiB a provider that consents, as it is asked. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_lab_provers_new(struct asz_lab_provers **ret_provers, const struct asz_lab_provers_config *config);
void asz_lab_provers_free(struct asz_lab_provers *provers);

/* asz_lab_provers_take: a datagram that came to a provider's challenge port at take_ns, by any clock; session: of the epoch that
 * it names. Anything but a genuine question is dropped. Cost: the whole proof. */
void asz_lab_provers_take(struct asz_lab_provers *provers, uint32_t provider, const struct asz_session *session,
                          const uint8_t *payload, size_t size_bytes, uint64_t take_ns);
/* asz_lab_provers_is_shut: did a provider refuse to open its last answer of that kind? */
bool asz_lab_provers_is_shut(const struct asz_lab_provers *provers, uint32_t provider, unsigned kind);
/* asz_lab_provers_at_once: were all identities of a provider's device last asked for work of that kind in one moment? */
bool asz_lab_provers_at_once(const struct asz_lab_provers *provers, uint32_t provider, unsigned kind);

#endif
