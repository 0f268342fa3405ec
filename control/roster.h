/* SPDX-License-Identifier: Apache-2.0 */
/* asz_roster: the registered providers as the engine and the pipeline need them: targets in plan order, and the session keys of
 * an epoch.
 *
 * Plan index i is provider[i] everywhere in the control plane. The X25519 secret of each identity is computed once (57 us) and
 * kept; an epoch's keys then cost one hash a provider. Keys are double-buffered by epoch parity: replies of the last epoch may
 * still arrive. */
#ifndef ASZ_CONTROL_ROSTER_H
#define ASZ_CONTROL_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "control/provider.h"
#include "dataplane/engine.h"

struct asz_roster {
  uint32_t count;
  uint32_t control_count; /* of those, our own control targets */
  struct asz_provider *provider;
  struct asz_target *target;
  uint32_t ipv6_count;            /* of the providers, those with an IPv6 address */
  uint8_t (*ipv6)[16];            /* their addresses, in plan order */
  uint8_t (*provider_id)[8];      /* short ids; zero without a key */
  uint8_t (*shared)[32];          /* X25519 secrets; zero without a key */
  struct asz_session *session[2]; /* by epoch & 1 */
  struct asz_hmac_key *hmac;      /* for stamp-auth, all epochs; NULL when nobody is probed by it */
  uint8_t validator_id[8];
  uint8_t validator_pk[32];
  /* Merkle root (RFC 6962) over one registration leaf a provider, in plan order: name, key, device, address, ports, probe,
   * region, operator, control or not; the AS where it is known. It is logged when an epoch opens, so that nobody is probed who
   * was not registered. */
  uint8_t root[32];
};

/* asz_roster_new takes ownership of `provider` (heap; freed by asz_roster_free, also on failure). ASZ_EINVAL for a provider whose
 * key is no usable point, or that is probed by stamp-tlv or stamp-auth without a key: the line names it. Control thread. */
ASZ_MUST_CHECK int asz_roster_new(struct asz_roster **ret_roster, struct asz_provider *provider, size_t count,
                                  const struct asz_identity *validator, struct asz_diag *diag);
void asz_roster_free(struct asz_roster *roster); /* wipes the secrets; NULL is fine */

/* asz_roster_epoch derives the session keys of an epoch into its buffer and returns it. */
const struct asz_session *asz_roster_epoch(struct asz_roster *roster, uint32_t epoch);

#endif
