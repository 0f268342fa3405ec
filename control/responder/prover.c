/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/prover.h"

#include <string.h>

#include "dataplane/base/log.h"

static bool is(const struct asz_options *options, const char *name) {
  return strcmp(options->prover, name) == 0;
}

int asz_prover_check(const struct asz_options *options, struct asz_diag *diag) {
  if (is(options, "auto") || is(options, "cpu") || is(options, "cuda"))
    return 0;
  return asz_diag_set(diag, ASZ_EINVAL, "--prover: expected auto, cpu or cuda, found '%.80s'", options->prover);
}

int asz_prover_choose(asz_prove_device_open_fn **ret_open, const struct asz_options *options, asz_prove_device_open_fn *candidate,
                      struct asz_diag *diag) {
  struct asz_diag why = {"--prover cpu"};
  const bool serves = !is(options, "cpu") && asz_prove_device_check(candidate, &why) == 0;
  if (!serves && is(options, "cuda"))
    return asz_diag_set(diag, ASZ_EDEVICE, "--prover cuda: %.160s", why.text);
  *ret_open = serves ? candidate : NULL;
  if (serves)
    asz_log(ASZ_LOG_INFO, "gemm and mem are proved on the CUDA device, which gave the known answers");
  else
    asz_log(ASZ_LOG_INFO, "gemm and mem are proved on the CPU: %s", why.text);
  return 0;
}
