/* SPDX-License-Identifier: Apache-2.0 */
/* `log witness`: a small witness of other validators' logs. It has a folder and a key of its own and needs no validator. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "control/log_verbs.h"
#include "control/witness_http.h"

enum { POLL_MS = 100 };

static int init(const struct asz_cmd_context *context, const char *dir, const char *name) {
  struct asz_diag diag = {""};
  struct asz_policy none = {.quorum = -1};
  struct asz_witness *witness;
  int err = asz_witness_create(dir, name, &diag);
  if (!err)
    err = asz_witness_open(&witness, dir, &none, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  int code = ASZ_EXIT_OK;
  if (context->json)
    code = asz_cmd_json(json_pack("{s:s}", "vkey", asz_witness_vkey(witness)));
  else
    printf("%s\n", asz_witness_vkey(witness));
  asz_witness_close(witness);
  return code;
}

static int serve(struct asz_witness *witness, const struct asz_policy *policy, const char *listen) {
  struct asz_diag diag = {""};
  struct asz_witness_http *http;
  int err = asz_witness_http_start(&http, witness, listen, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  printf("witness of %u logs, port %u, %s\n", policy->log_count, asz_witness_http_port(http), asz_witness_vkey(witness));
  fflush(stdout);
  while (!asz_cmd_interrupted()) /* the signal may meet the other thread */
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
  asz_witness_http_stop(http);
  return ASZ_EXIT_INTERRUPTED;
}

int asz_log_witness(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  const char *dir = NULL, *name = NULL, *policy_path = NULL, *listen = NULL;
  const struct asz_cmd_option options[] = {
      {"--dir", .value = &dir}, {"--init", .value = &name}, {"--policy", .value = &policy_path}, {"--listen", .value = &listen}};
  struct asz_policy *policy = NULL;
  struct asz_witness *witness = NULL;
  size_t count;
  if (asz_cmd_options("log", argc, argv, options, 4, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (!dir || (name ? policy_path || listen : !policy_path || !listen))
    return asz_cmd_usage_error("log",
                               "witness: expected --dir DIR and either --init NAME, or --policy FILE and --listen ADDRESS:PORT");
  if (name)
    return init(context, dir, name);
  int err = asz_policy_read(&policy, policy_path, &diag);
  if (!err)
    err = asz_witness_open(&witness, dir, policy, &diag);
  asz_cmd_catch_signals();
  int code = err ? asz_cmd_fail(err, &diag) : serve(witness, policy, listen);
  asz_witness_close(witness);
  free(policy);
  return code;
}
