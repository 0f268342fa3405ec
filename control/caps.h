/* SPDX-License-Identifier: Apache-2.0 */
/* asz_caps: how many probes a second may go out in total, into one network and into one AS.
 *
 * Every provider is probed at the same rate, so a network's rate is known from how many providers are in it, before anything is
 * sent. What is over a cap is refused, not thinned: decision 0012 says why. A network is the /24 around an IPv4 address,
 * the /48 around an IPv6 one. The AS of an address is what the operator's map says (probe.as_file, longest match); with a cap on
 * it everybody must be on the map. The map serves challenges, too, which ask neighbours together (agenda.h). Denied providers
 * count: they may be allowed again at any moment. */
#ifndef ASZ_CONTROL_CAPS_H
#define ASZ_CONTROL_CAPS_H

#include <stdint.h>

#include "control/home.h"
#include "control/prefix.h"
#include "control/provider.h"

struct asz_caps {
  uint64_t total_pps;
  uint64_t network_pps, as_pps; /* 0: none */
  struct asz_prefixes as_map;
};

/* The rate of one provider: `probes` in each `per_ms`, both at least 1. */
struct asz_caps_rate {
  uint64_t probes, per_ms;
};

/* asz_caps_open takes the caps from the configuration and reads the map where one is configured: the errors of asz_prefixes_load.
 * *ret_caps is empty on failure. asz_caps_close: a zeroed one is fine. */
ASZ_MUST_CHECK int asz_caps_open(struct asz_caps *ret_caps, const struct asz_home *home, const struct asz_config *config,
                                 struct asz_diag *diag);
void asz_caps_close(struct asz_caps *caps);
/* asz_caps_run_rate: at which rate a run over so many providers probes each of them: once in probe.interval_ms, but never less
 * than one probe a second over all. */
struct asz_caps_rate asz_caps_run_rate(const struct asz_config *config, uint64_t count);
/* asz_caps_place sets each provider's asn by the map. */
void asz_caps_place(const struct asz_caps *caps, struct asz_provider *provider, size_t count);
/* asz_caps_check: would these providers, each at this rate, exceed a cap? ASZ_ERANGE with one line: the cap, the network or AS
 * that exceeds it most, its rate, who is in it. ASZ_ENOENT: a provider in no AS of the map. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_caps_check(const struct asz_caps *caps, const struct asz_provider *provider, uint32_t count,
                                  struct asz_caps_rate rate, struct asz_diag *diag);

#endif
