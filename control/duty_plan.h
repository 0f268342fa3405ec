/* SPDX-License-Identifier: Apache-2.0 */
/* asz_duty_plan: what the configured challenges take of a provider's epoch, reckoned for a machine that just deserves its class.
 * What a provider really takes is measured while it runs, and bounded (control/pipeline_duty.c); this says beforehand whether the
 * bound will be met by asking less than was planned.
 *
 *   sig, seq   in every correctness slot; a signature is not counted, a step of SHA-256 takes 200 ns (libsodium on one core)
 *   gemm       in every slot; n k m t products at 2.5e11 a second for presets made for CPUs, 2.5e14 for those made for GPUs
 *   mem        one build an epoch, as gemm; in every other slot a fold, at 5 or 500 GB/s
 *
 * The speeds are round figures below what docs/benchmarks.md has measured (CPU) or counted (GPU). Pure, any thread. */
#ifndef ASZ_CONTROL_DUTY_PLAN_H
#define ASZ_CONTROL_DUTY_PLAN_H

#include <stdint.h>

#include "control/config.h"

struct asz_duty_plan {
  uint32_t pieces;   /* products, builds and folds of an epoch */
  uint64_t work_ns;  /* what they take, and what chains take, by the figures above */
  uint64_t bound_ns; /* challenge.duty_ppm of an epoch */
};

struct asz_duty_plan asz_duty_plan_of(const struct asz_config *config);

#endif
