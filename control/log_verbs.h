/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of `assize log` with files of their own, and what they share. */
#ifndef ASZ_CONTROL_LOG_VERBS_H
#define ASZ_CONTROL_LOG_VERBS_H

#include "control/cmd.h"
#include "control/tlog/policy.h"

/* asz_log_own_key: the key that signs this home's log, named by its origin; the public half only. */
ASZ_MUST_CHECK int asz_log_own_key(const struct asz_home *home, struct asz_note_key *ret_key, struct asz_diag *diag);
/* asz_log_policy: the file's policy, or, for NULL, one that accepts this home's log without witnesses; a policy that names no log
 * accepts this home's. To be freed with free. */
ASZ_MUST_CHECK int asz_log_policy(const struct asz_home *home, const char *file, struct asz_policy **ret_policy,
                                  struct asz_diag *diag);
/* asz_log_fail: asz_cmd_fail for a log or a proof that was read: what is wrong with it is an answer, ASZ_EXIT_NO. */
int asz_log_fail(int err, const struct asz_diag *diag);

int asz_log_tail(const struct asz_cmd_context *context, int argc, char **argv);
int asz_log_cosign(const struct asz_cmd_context *context, int argc, char **argv);
int asz_log_witness(const struct asz_cmd_context *context, int argc, char **argv);

#endif
