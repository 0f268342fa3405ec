/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA device as a prover. Skipped where there is none: then its arithmetic has been tested on the host alone
 * (test_prove_device.c). */
#include "tests/gpu/prove/device_cases.h"

static struct asz_prove_device open_or_skip(uint32_t preset) {
  struct asz_prove_device device;
  struct asz_diag diag = {""};
  int err = asz_prove_cuda_open(&device, preset, true, &diag);
  if (err == ASZ_ENOTSUP)
    cr_skip_test("%s", diag.text);
  cr_assert_eq(err, 0, "%s", diag.text);
  return device;
}

static void check_preset(uint32_t preset) {
  const struct asz_prove_device device = open_or_skip(preset);
  struct asz_device_case both = asz_device_case_new(preset, &device);
  for (uint8_t seed = 1; seed <= 2; seed++) {
    asz_device_case_build(&both, seed, seed);
    asz_device_case_fold(&both, 7);
    asz_device_case_fold(&both, 8);
    asz_device_case_open(&both);
  }
  cr_assert_str_empty(asz_device_case_failure(&both));
  asz_device_case_free(&both);
}

Test(prove_cuda, the_known_answers_are_given)
{
  struct asz_diag diag = {""};
  struct asz_prove_device device = open_or_skip(ASZ_GEMM_PRESET_TINY);
  device.ops->free(device.state);
  cr_assert_eq(asz_prove_device_check(asz_prove_cuda_open, &diag), 0, "%s", diag.text);
}

Test(prove_cuda, answers_of_preset_tiny_are_the_cpus)
{ check_preset(ASZ_GEMM_PRESET_TINY); }

Test(prove_cuda, answers_of_preset_cpu_are_the_cpus, .timeout = 120)
{ check_preset(ASZ_GEMM_PRESET_CPU); }

Test(prove_cuda, memory_is_what_the_header_says)
{
  if (asz_prove_cuda_bytes(ASZ_GEMM_PRESET_GPU, false) == 0)
    cr_skip_test("built without CUDA");
  cr_assert_eq(asz_prove_cuda_bytes(99, true), 0);
  cr_assert_lt(asz_prove_cuda_bytes(ASZ_GEMM_PRESET_GPU, false), (size_t)420 << 20);
  cr_assert_lt(asz_prove_cuda_bytes(ASZ_GEMM_PRESET_GPU, true), (size_t)4600 << 20);
  cr_assert_lt(asz_prove_cuda_bytes(ASZ_GEMM_PRESET_MEM_64G, true), (size_t)66 << 30);
}
