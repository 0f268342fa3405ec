/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/emulator/fate.h"

void asz_fate_next(struct asz_fate *ret_fate, const struct asz_provider_facts *facts, uint64_t number, bool bad) {
  ret_fate->bad = asz_weather_next(facts, number, bad);
  ret_fate->outage = asz_fault_outage(facts, number);
  ret_fate->lost = ret_fate->outage || asz_fault_loses(facts, number, ret_fate->bad, false);
  if (ret_fate->lost)
    return;
  asz_plan_probe(&ret_fate->plan, facts, number);
  asz_fault_reply(&ret_fate->fault, facts, number);
}
