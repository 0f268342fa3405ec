/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/counters.h"

Test(counters, every_counter_has_its_own_name_and_a_help)
{
  for (unsigned i = 0; i < ASZ_CTR_COUNT; i++) {
    const char *name = asz_counter_name(i);
    cr_assert_gt(strlen(asz_counter_help(i)), 0, "%s", name);
    cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name), "%s is a JSON key and a column", name);
    for (unsigned other = 0; other < i; other++)
      cr_assert_str_neq(name, asz_counter_name(other));
  }
}

Test(counters, the_list_is_in_the_order_of_the_enum)
{
  cr_assert_str_eq(asz_counter_name(ASZ_CTR_TX_PROBES), "tx_probes");
  cr_assert_str_eq(asz_counter_name(ASZ_CTR_RX_FORGED), "rx_forged");
  cr_assert_str_eq(asz_counter_name(ASZ_CTR_NEIGH_LOST), "neigh_lost");
}
