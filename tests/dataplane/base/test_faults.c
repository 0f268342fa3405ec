/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/faults.h"

Test(faults, every_cause_has_its_own_name_and_an_advice)
{
  for (enum asz_fault i = 0; i < ASZ_FAULT_COUNT; i++) {
    const char *name = asz_fault_name(i);
    cr_assert_gt(strlen(asz_fault_advice(i)), 0, "%s", name);
    cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name), "%s is a word in the store and in JSON", name);
    cr_assert_lt(strlen(name), 32, "%s", name);
    cr_assert_eq(asz_fault_from_name(name), i, "%s", name);
  }
}

Test(faults, unknown_name_is_no_cause)
{
  cr_assert_eq(asz_fault_from_name(""), ASZ_FAULT_COUNT);
  cr_assert_eq(asz_fault_from_name("lat"), ASZ_FAULT_COUNT);
}

Test(faults, none_is_the_largest_of_none)
{
  struct asz_faults faults = {0};
  cr_assert_eq(asz_faults_largest(&faults), ASZ_FAULT_COUNT);
  cr_assert_eq(asz_faults_total(&faults), 0);
}

Test(faults, largest_is_found_wherever_it_stands)
{
  for (enum asz_fault i = 0; i < ASZ_FAULT_COUNT; i++) {
    struct asz_faults faults = {0};
    for (enum asz_fault other = 0; other < ASZ_FAULT_COUNT; other++)
      faults.count[other] = other == i ? 8 : 7;
    cr_assert_eq(asz_faults_largest(&faults), i);
    cr_assert_eq(asz_faults_total(&faults), 7 * ASZ_FAULT_COUNT + 1);
  }
}

Test(faults, only_growth_is_added)
{
  struct asz_faults before = {0}, now, sum = {0};
  for (enum asz_fault i = 0; i < ASZ_FAULT_COUNT; i++)
    before.count[i] = 100 + i;
  now = before;
  now.count[ASZ_FAULT_REFUSED] += 5;
  asz_faults_add_growth(&sum, &now, &before);
  cr_assert_eq(asz_faults_total(&sum), 5);
  asz_faults_add(&sum, &sum);
  cr_assert_eq(sum.count[ASZ_FAULT_REFUSED], 10);
}
