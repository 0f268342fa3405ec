/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prover: on what gemm and mem are proved: --prover auto, cpu or cuda, decided once at the start. */
#ifndef ASZ_CONTROL_RESPONDER_PROVER_H
#define ASZ_CONTROL_RESPONDER_PROVER_H

#include "control/responder/options.h"
#include "gpu/prove/device.h"

/* asz_prover_check: ASZ_EINVAL with a line when --prover is none of them. */
ASZ_MUST_CHECK int asz_prover_check(const struct asz_options *options, struct asz_diag *diag);
/* asz_prover_choose: *ret_open is `candidate`, or NULL for the CPU. Logs one line that says which, and why not the device.
 * Without one that gives the known answers, `cuda` is ASZ_EDEVICE with a line. Cost: opening the device and preset tiny. options
 * went through asz_prover_check. */
ASZ_MUST_CHECK int asz_prover_choose(asz_prove_device_open_fn **ret_open, const struct asz_options *options,
                                     asz_prove_device_open_fn *candidate, struct asz_diag *diag);

#endif
