/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "control/duty_plan.h"
#include "dataplane/base/challenge.h"

static struct asz_config config;

static void begin(void) {
  struct asz_diag diag;
  cr_assert_eq(asz_config_preset(&config, "standard", &diag), 0, "%s", diag.text);
}

TestSuite(duty_plan, .init = begin);

Test(duty_plan, a_plan_over_the_bound_is_seen)
{
  config.challenge_gemm_preset = ASZ_GEMM_PRESET_CPU;
  config.time_challenge_slot_s = 60;
  struct asz_duty_plan plan = asz_duty_plan_of(&config);
  cr_assert(gt(u64, plan.work_ns, plan.bound_ns), "60 products of a second each");
  config.challenge_duty_ppm = 1000000;
  plan = asz_duty_plan_of(&config);
  cr_assert(lt(u64, plan.work_ns, plan.bound_ns));
}

Test(duty_plan, work_is_counted_by_hand)
{
  struct asz_duty_plan plan = asz_duty_plan_of(&config);
  cr_assert(eq(u32, plan.pieces, 0));
  cr_assert(eq(u64, plan.work_ns, UINT64_C(6) * 200 * (1 << 20)), "six chains");
  cr_assert(eq(u64, plan.bound_ns, UINT64_C(36000000000)), "a hundredth of an hour");

  config.challenge_gemm_preset = ASZ_GEMM_PRESET_CPU;
  config.challenge_mem_preset = ASZ_GEMM_PRESET_MEM_16G;
  uint64_t product = UINT64_C(256) * 4096 * 4096 * 64 / 250;
  uint64_t build = UINT64_C(1024) * 65536 * 8192 * 1024 / 250000, fold = UINT64_C(2) * 1024 * 8192 * 1024 / 500;
  uint64_t before = plan.work_ns;
  plan = asz_duty_plan_of(&config);
  cr_assert(eq(u32, plan.pieces, 12));
  cr_assert(eq(u64, plan.work_ns, before + 6 * product + build + 5 * fold));
}

Test(duty_plan, who_challenges_nobody_asks_for_nothing)
{
  config.challenge_gemm_preset = ASZ_GEMM_PRESET_GPU;
  config.challenge_enabled = false;
  struct asz_duty_plan plan = asz_duty_plan_of(&config);
  cr_assert(plan.pieces == 0 && plan.work_ns == 0);
}

/* Every pair of presets within the default bound: the defaults are a promise. */
Test(duty_plan, the_standard_preset_stays_within_a_hundredth_whatever_is_asked)
{
  for (unsigned gemm = 0; gemm <= ASZ_GEMM_PRESET_GPU; gemm++)
    for (unsigned mem = 0; mem <= ASZ_GEMM_PRESET_MAX; mem++) {
      config.challenge_gemm_preset = gemm;
      config.challenge_mem_preset = mem;
      struct asz_duty_plan plan = asz_duty_plan_of(&config);
      cr_assert(le(u64, plan.work_ns, plan.bound_ns), "gemm %u, mem %u", gemm, mem);
    }
}
