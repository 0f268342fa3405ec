/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "control/rtt_targets.h"

#define MS UINT64_C(1000000)

static struct asz_diag diag;

static struct asz_rtt_targets targets_of(const char *regions) {
  struct asz_rtt_targets targets;
  cr_assert_eq(asz_rtt_targets_read(&targets, 100 * MS, regions, "t", &diag), 0, "%s: %s", regions, diag.text);
  return targets;
}

static uint64_t target_ms(const char *regions, const char *region, uint64_t own_ns) {
  const struct asz_rtt_targets targets = targets_of(regions);
  struct asz_provider provider = {.rtt_target_ns = own_ns};
  snprintf(provider.region, sizeof provider.region, "%s", region);
  return asz_rtt_target_of(&targets, &provider) / MS;
}

Test(rtt_targets, refuses_what_is_no_list_of_targets_and_leaves_the_output)
{
  static const struct {
    const char *regions, *line;
    int err;
  } bad[] = {
      {"eu", "t: expected words REGION=MS with spaces between them, got \"eu\"", ASZ_EFORMAT},
      {"=40", "t: expected words REGION=MS with spaces between them, got \"=40\"", ASZ_EFORMAT},
      {"eu=40,us=50", "t: expected a target of eu from 1 to 10000 ms, got \"40,us=50\"", ASZ_EFORMAT},
      {"eu=", "t: expected a target of eu from 1 to 10000 ms, got \"\"", ASZ_EFORMAT},
      {"eu=0", "t: expected a target of eu from 1 to 10000 ms, got \"0\"", ASZ_ERANGE},
      {"eu=10001", "t: expected a target of eu from 1 to 10000 ms, got \"10001\"", ASZ_ERANGE},
      {"eu=40 us=50 eu=60", "t: expected each region once, got \"eu\" twice", ASZ_EFORMAT},
      {"-eu=40", "t: region: expected at most 31 of A-Z", ASZ_EFORMAT},
      {"europe-that-has-a-much-too-long-name=40", "t: region: expected at most 31 of A-Z", ASZ_ERANGE},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_rtt_targets targets = {.default_ns = 77};
    cr_assert_eq(asz_rtt_targets_read(&targets, 1, bad[i].regions, "t", &diag), bad[i].err, "%s", bad[i].regions);
    cr_assert_eq(strncmp(diag.text, bad[i].line, strlen(bad[i].line)), 0, "%s", diag.text);
    cr_assert_eq(targets.default_ns, 77, "%s", bad[i].regions);
  }
}

Test(rtt_targets, more_regions_than_there_is_room_for_are_refused)
{
  char words[256] = "";
  struct asz_rtt_targets targets;
  for (unsigned i = 0; i <= ASZ_RTT_REGIONS_MAX; i++)
    snprintf(words + strlen(words), sizeof words - strlen(words), "%c%c=1 ", 'a' + i / 26, 'a' + i % 26);
  cr_assert_eq(asz_rtt_targets_read(&targets, 1, words, "t", &diag), ASZ_ERANGE, "%s", diag.text);
}

Test(rtt_targets, the_own_target_comes_before_the_regions_before_the_default)
{
  cr_assert_eq(target_ms("eu=40", "eu", 7 * MS), 7);
  cr_assert_eq(target_ms("eu=40", "eu", 0), 40);
  cr_assert_eq(target_ms("eu=40", "us", 0), 100);
  cr_assert_eq(target_ms("eu=40", "", 0), 100);
  cr_assert_eq(target_ms("", "eu", 0), 100);
}

Test(rtt_targets, the_longest_region_that_holds_the_provider_decides)
{
  static const char *const either_order[] = {"eu=40 eu-west=30", "eu-west=30  eu=40 "};
  for (unsigned i = 0; i < 2; i++) {
    cr_assert_eq(target_ms(either_order[i], "eu-west", 0), 30);
    cr_assert_eq(target_ms(either_order[i], "eu-west-3", 0), 30);
    cr_assert_eq(target_ms(either_order[i], "eu-north", 0), 40);
    cr_assert_eq(target_ms(either_order[i], "eu-western", 0), 40, "a name that begins alike is another");
    cr_assert_eq(target_ms(either_order[i], "europe", 0), 100);
  }
}
