/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "control/sweep.h"

enum { COUNT = 16 };
static struct asz_path path[COUNT];

static void all_alike(uint32_t sent, uint32_t answered, uint64_t rtt_min_ns) {
  for (unsigned i = 0; i < COUNT; i++)
    path[i] = (struct asz_path){.sent = sent, .answered = answered, .rtt_min_ns = rtt_min_ns};
}

Test(sweep, paths_that_are_alike_are_good_however_bad_they_are)
{
  all_alike(100, 100, 5000000);
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0));
  all_alike(100, 40, 5000000);
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0));
  all_alike(100, 0, 0);
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0), "a dead provider is no bad path");
  cr_assert(eq(u32, path[3].loss_ppm, 1000000));
}

Test(sweep, one_lossy_path_shows)
{
  all_alike(100, 100, 5000000);
  path[7].answered = 90;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 1));
  cr_assert(path[7].lossy && !path[7].far && path[7].loss_ppm == 100000);
}

Test(sweep, silent_path_shows)
{
  all_alike(100, 100, 5000000);
  path[0] = (struct asz_path){.sent = 100};
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 1));
  cr_assert(path[0].lossy && !path[0].far);
}

Test(sweep, half_of_the_paths_bad_shows)
{
  all_alike(100, 100, 5000000);
  for (unsigned i = 0; i < COUNT / 2; i++)
    path[i].answered = 50;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), COUNT / 2));
  cr_assert(path[0].lossy && !path[COUNT - 1].lossy);
}

Test(sweep, what_chance_explains_is_not_held_against_a_path)
{
  all_alike(10, 10, 5000000);
  path[2].answered = 9;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0), "one of ten");
  all_alike(100, 99, 5000000);
  path[2].answered = 95;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0), "5 lost where 1 is usual");
}

Test(sweep, longer_way_shows_when_a_fifth_and_half_a_millisecond_longer)
{
  all_alike(100, 100, 10000000);
  path[5].rtt_min_ns = 12000000;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0), "just a fifth");
  path[5].rtt_min_ns = 12000001;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 1));
  cr_assert(path[5].far && !path[5].lossy);
  all_alike(100, 100, 100000);
  path[5].rtt_min_ns = 600000;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0), "six times as long, but half a millisecond");
  path[5].rtt_min_ns = 600001;
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 1));
}

Test(sweep, path_that_was_not_asked_is_not_judged)
{
  all_alike(100, 100, 5000000);
  path[1] = (struct asz_path){0};
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0));
  all_alike(0, 0, 0);
  cr_assert(eq(u32, asz_sweep_judge(path, COUNT), 0));
  cr_assert(eq(u32, asz_sweep_judge(path, 1), 0));
}
