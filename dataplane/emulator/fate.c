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

uint32_t asz_truth_rtts(const struct asz_truth *truth, uint64_t seed, uint32_t provider, uint32_t requests,
                        uint64_t *ret_rtt_ns) {
  const struct asz_provider_facts facts = {.truth = truth, .seed = seed, .provider = provider};
  struct asz_fate fate = {.bad = false};
  uint32_t count = 0;
  for (uint32_t n = 0; n < requests; n++) {
    asz_fate_next(&fate, &facts, n, fate.bad);
    if (!fate.lost && fate.plan.answers && fate.fault.corruption == ASZ_CORRUPT_NOT)
      ret_rtt_ns[count++] = fate.plan.delay_ns + fate.fault.detour_ns;
  }
  return count;
}
