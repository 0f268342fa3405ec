/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: members stand before their groups, thresholds can be met, and a checkpoint without signatures is never enough. */
#include <string.h>

#include "control/tlog/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  static const char unsigned_note[] = "log.example/policy\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
                                      "\xe2\x80\x94 log.example/policy AAAAAAA=\n";
  struct asz_policy *policy;
  struct asz_checkpoint head;
  if (asz_policy_parse(&policy, (const char *)data, size_bytes, NULL) != 0)
    return 0;
  unsigned members[ASZ_POLICY_NODES_MAX] = {0};
  FUZZ_CHECK(policy->node_count <= ASZ_POLICY_NODES_MAX && policy->quorum < (int)policy->node_count);
  for (unsigned i = 0; i < policy->node_count; i++) {
    const struct asz_policy_node *node = &policy->node[i];
    FUZZ_CHECK(node->parent == -1 || (node->parent > (int)i && node->parent < (int)policy->node_count));
    FUZZ_CHECK(node->witness < (int)policy->witness_count);
    FUZZ_CHECK(node->witness != -1 || (node->needed >= 1 && node->needed <= members[i]));
    if (node->parent != -1)
      members[node->parent]++;
  }
  FUZZ_CHECK(asz_policy_check(policy, unsigned_note, sizeof unsigned_note - 1, &head, NULL, NULL) != 0);
  free(policy);
  return 0;
}
