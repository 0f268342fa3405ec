/* SPDX-License-Identifier: Apache-2.0 */
/* asz_validator: everything that `assize run` and `assize lab` need around the loop, opened in order and closed in reverse: home,
 * store, log, roster, verifier, engine, epochs. The port under the engine is the caller's: EAL must be started first. */
#ifndef ASZ_CONTROL_VALIDATOR_H
#define ASZ_CONTROL_VALIDATOR_H

#include "control/caps.h"
#include "control/deny.h"
#include "control/home.h"
#include "control/roster_file.h"
#include "control/run.h"

struct asz_validator {
  struct asz_config config;
  struct asz_identity key;
  struct asz_store *store;
  struct asz_tlog *log;
  struct asz_roster *roster;
  struct asz_deny deny; /* applied to the roster */
  struct asz_caps caps; /* kept by the roster */
  struct asz_verifier *verifier;
  void *verify_memory; /* its batches', in the dataplane's huge pages where there are any; else NULL */
  struct asz_engine *engine;
  uint32_t room, room6; /* for how many providers it was made, and of these with IPv6 addresses */
  struct asz_epochs *epochs;
};

/* asz_validator_open: config, key, store (as the one writer) and log. */
ASZ_MUST_CHECK int asz_validator_open(struct asz_validator *ret_validator, const struct asz_home *home, struct asz_diag *diag);
/* asz_validator_roster: roster (with probe.roster_file applied and its changes stored), caps and deny list, once. ASZ_EINVAL when
 * no provider is registered, ASZ_ERANGE when they would be probed over a cap; the errors of asz_roster_file_apply. */
ASZ_MUST_CHECK int asz_validator_roster(struct asz_validator *validator, const struct asz_home *home, struct asz_diag *diag);
/* asz_validator_look: only config, key, store, roster and deny list, to read: nothing is locked or written, and a validator may
 * be running on the same home. The errors of both. */
ASZ_MUST_CHECK int asz_validator_look(struct asz_validator *ret_validator, const struct asz_home *home, struct asz_diag *diag);
/* asz_validator_network: are our address and the gateway's configured, of each family that a provider's address is of? None may
 * have one of the two alone. ASZ_EINVAL with the key. */
ASZ_MUST_CHECK int asz_validator_network(const struct asz_validator *validator, const struct asz_home *home,
                                         struct asz_diag *diag);
/* asz_validator_next_epoch: the number that the next epoch will have; it is not spent. */
ASZ_MUST_CHECK int asz_validator_next_epoch(const struct asz_validator *validator, uint32_t *ret_number, struct asz_diag *diag);
/* asz_validator_port: starts EAL by the configuration and gives the port to probe from. */
ASZ_MUST_CHECK int asz_validator_port(const struct asz_config *config, uint16_t *ret_port_id, struct asz_diag *diag);
/* asz_validator_stats_bytes: of each of the two buffers of statistics that a run takes. */
size_t asz_validator_stats_bytes(const struct asz_validator *validator);
/* asz_validator_engine: the engine on that port, launched, its gateway known; part of asz_validator_start. */
ASZ_MUST_CHECK int asz_validator_engine(struct asz_validator *validator, uint16_t port_id, unsigned first_worker,
                                        struct asz_diag *diag);
/* asz_validator_start: verifier, engine on a port and its network.prober_lcores lcores, the first of which is EAL's worker
 * `first_worker`, gateway, epochs; log_dir is borrowed from home. */
ASZ_MUST_CHECK int asz_validator_start(struct asz_validator *validator, const struct asz_home *home, uint16_t port_id,
                                       unsigned first_worker, struct asz_diag *diag);
/* asz_validator_reload: configuration and providers anew, between two runs of the loop. `apply` false only tells whether it could
 * be done; nothing is changed or stored. On failure the validator is as it was: one line, the errors of asz_config_load and
 * asz_validator_roster, ASZ_ESTATE for a key that needs a restart, ASZ_ERANGE for more providers than there is room for.
 * asz_validator_again: verifier and lcores for the next run of the loop, which stopped them. */
ASZ_MUST_CHECK int asz_validator_reload(struct asz_validator *validator, const struct asz_home *home, bool apply,
                                        struct asz_roster_changes *ret_changes, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_validator_again(struct asz_validator *validator, struct asz_diag *diag);
/* asz_validator_close: whatever is open; wipes the key. */
void asz_validator_close(struct asz_validator *validator);

#endif
