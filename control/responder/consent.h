/* SPDX-License-Identifier: Apache-2.0 */
/* asz_consent: what the operator's options allow validators to ask for. sig and seq always; gemm and mem only by name. */
#ifndef ASZ_CONTROL_RESPONDER_CONSENT_H
#define ASZ_CONTROL_RESPONDER_CONSENT_H

#include <stdbool.h>

#include "control/responder/options.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/err.h"

/* asz_consent_check: are the presets known, and is there memory for one work of each? ASZ_EINVAL, ASZ_ETOOBIG, with a line. */
ASZ_MUST_CHECK int asz_consent_check(const struct asz_options *options, struct asz_diag *diag);
/* asz_consent_declare: the declaration of options that were checked; free_bytes is 0. True when gemm or mem is part of it. */
bool asz_consent_declare(struct asz_declaration *ret_declaration, const struct asz_options *options);

#endif
