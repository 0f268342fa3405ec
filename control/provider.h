/* SPDX-License-Identifier: Apache-2.0 */
/* asz_provider: one registered provider (an identity's device at an address), as the store keeps it and the pipeline uses it. */
#ifndef ASZ_CONTROL_PROVIDER_H
#define ASZ_CONTROL_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

enum { ASZ_PROVIDER_NAME_MAX = 63, ASZ_REGION_MAX = 31, ASZ_OPERATOR_MAX = 63 };

struct asz_provider {
  int64_t row;                              /* store row id, > 0; unique for ever */
  char name[ASZ_PROVIDER_NAME_MAX + 1];     /* operator's name for it: [A-Za-z0-9._-], unique */
  uint8_t public_key[32];                   /* Ed25519; all zero: none known (no TLV, no challenges) */
  uint32_t device;                          /* index within the identity; (public_key, device) is unique where a key is known */
  uint32_t ipv4;                            /* host order; unique */
  uint16_t port;                            /* STAMP; default 862 */
  uint16_t challenge_port;                  /* default 8620; 0: no challenges */
  uint8_t probe;                            /* enum asz_probe */
  uint8_t flags;                            /* ASZ_TARGET_* */
  bool control;                             /* one of our own reflectors: the self-health gate, never scored or slashed */
  char region[ASZ_REGION_MAX + 1];          /* "" : default target */
  char operator_name[ASZ_OPERATOR_MAX + 1]; /* for correlated failures; "" : alone */
  uint64_t rtt_target_ns;                   /* q95 target; 0: the configured default */
  uint64_t registered_ns;                   /* wall time */
};

#endif
