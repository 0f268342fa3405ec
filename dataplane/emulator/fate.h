/* SPDX-License-Identifier: Apache-2.0 */
/* asz_fate: everything that is decided about one probe, in one place: by the network on the way there, by the provider, by the
 * network on the way back. The emulator's lcore carries it out; nothing else decides. Pure. */
#ifndef ASZ_DATAPLANE_EMULATOR_FATE_H
#define ASZ_DATAPLANE_EMULATOR_FATE_H

#include "dataplane/emulator/cheats.h"
#include "dataplane/emulator/faults.h"

struct asz_fate {
  bool bad;                     /* the weather that it met: handed on to the next number */
  bool outage;                  /* lost in one */
  bool lost;                    /* in an outage or by draw; then plan and fault are undefined */
  struct asz_reply_plan plan;   /* what the provider does with it */
  struct asz_reply_fault fault; /* what becomes of the reply */
};

/* asz_fate_next: of probe `number`, from the weather that the one before it met (the first one: false). */
void asz_fate_next(struct asz_fate *ret_fate, const struct asz_provider_facts *facts, uint64_t number, bool bad);

#endif
