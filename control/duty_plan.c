/* SPDX-License-Identifier: Apache-2.0 */
#include "control/duty_plan.h"

#include "dataplane/base/challenge.h"

static const uint64_t ns_per_s = 1000000000, seq_step_ns = 200;

/* A machine of the class that a preset is made for: those with rows of 65,536 are for GPUs. */
static const struct speed { uint64_t products_ns, bytes_ns; /* a nanosecond */ } cpu = {250, 5}, gpu = {250000, 500};

static const struct speed *speed_of(const struct asz_preset *preset) {
  return preset->k >= 65536 ? &gpu : &cpu;
}

static uint64_t product_ns(unsigned preset) {
  const struct asz_preset *shape = asz_preset_of(preset);
  return (uint64_t)shape->n * shape->k * shape->m * shape->t / speed_of(shape)->products_ns;
}

static uint64_t fold_ns(unsigned preset) {
  return asz_mem_arena_bytes(preset) / speed_of(asz_preset_of(preset))->bytes_ns;
}

struct asz_duty_plan asz_duty_plan_of(const struct asz_config *config) {
  uint64_t slots = config->time_epoch_s / config->time_challenge_slot_s;
  unsigned gemm = (unsigned)config->challenge_gemm_preset, mem = (unsigned)config->challenge_mem_preset;
  struct asz_duty_plan plan = {.bound_ns = config->time_epoch_s * (ns_per_s / 1000000) * config->challenge_duty_ppm};
  if (!config->challenge_enabled)
    return plan;
  plan.work_ns = slots * (seq_step_ns << config->challenge_seq_log2_steps);
  if (gemm != 0)
    plan.work_ns += slots * product_ns(gemm);
  if (mem != 0)
    plan.work_ns += product_ns(mem) + (slots - 1) * fold_ns(mem);
  plan.pieces = (uint32_t)slots * ((gemm != 0) + (mem != 0));
  return plan;
}
