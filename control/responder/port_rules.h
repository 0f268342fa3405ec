/* SPDX-License-Identifier: Apache-2.0 */
/* asz_port_rules: the rules by which a lane of the reflector answers: asz_stamp_path for STAMP, the rate of the source for
 * everything else. One lane owns one of these, with an authority, a limiter and HMAC lanes of its own; any thread may read its
 * counters. */
#ifndef ASZ_CONTROL_RESPONDER_PORT_RULES_H
#define ASZ_CONTROL_RESPONDER_PORT_RULES_H

#include <stdatomic.h>

#include "control/responder/stamp_path.h"
#include "dataplane/reflector.h"

struct asz_port_rules {
  struct asz_stamp_path path;
  struct asz_stamp_grant grant[ASZ_REFLECT_BURST]; /* of the burst in hand */
  _Atomic uint64_t counter[ASZ_RESP_COUNTER_COUNT];
};

/* asz_port_rules_init: authority, limiter and lanes of the path are the caller's. */
void asz_port_rules_init(struct asz_port_rules *ret_rules, const struct asz_stamp_path *path);
/* asz_port_rules_of: for asz_reflector_config; *rules must stay where it is. */
struct asz_reflector_rules asz_port_rules_of(struct asz_port_rules *rules);
/* asz_port_rules_add adds what was counted so far. ANSWERED_* count replies made; those that the port then does not take are in
 * its own counters. */
void asz_port_rules_add(const struct asz_port_rules *rules, struct asz_resp_counters *counters);

#endif
