/* SPDX-License-Identifier: Apache-2.0 */
/* `log cosign`: asks the witnesses of a policy about the published checkpoint and puts their lines under it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/file.h"
#include "control/log_verbs.h"
#include "control/tlog/cosign.h"
#include "control/witness_ask.h"

enum { TIMEOUT_S_DEFAULT = 10, TIMEOUT_S_MAX = 600 };

/* The name that the policy gives a witness. */
static const char *name_of(const struct asz_policy *policy, unsigned witness) {
  for (unsigned i = 0; i < policy->node_count; i++)
    if (policy->node[i].witness == (int)witness)
      return policy->node[i].name;
  return "";
}

struct asking {
  const char *log_dir;
  char *note; /* published when the asking starts */
  struct asz_checkpoint head;
  unsigned timeout_s;
  size_t count;
  struct asz_cosignature cosignature[ASZ_POLICY_WITNESSES_MAX];
  json_t *report; /* one object a witness; NULL for text */
};

static void ask(struct asking *asking, const struct asz_policy *policy, unsigned witness) {
  struct asz_diag diag = {"the policy has no URL for it"};
  struct asz_cosignature *next = &asking->cosignature[asking->count];
  const char *name = name_of(policy, witness), *url = policy->witness_url[witness];
  int err = ASZ_ENOENT;
  if (*url)
    err = asz_witness_ask(url, &policy->witness[witness], asking->log_dir, asking->note, &asking->head, asking->timeout_s,
                          next->line, &diag);
  if (!err) {
    next->key = &policy->witness[witness];
    asking->count++;
  } else {
    fprintf(stderr, "assize: %s: %s\n", name, diag.text);
  }
  if (asking->report)
    json_array_append_new(asking->report,
                          json_pack("{s:s, s:b, s:s}", "witness", name, "cosigned", !err, "reason", err ? diag.text : ""));
  else if (!err)
    printf("%s cosigned %" PRIu64 " entries\n", name, asking->head.tree_size);
}

static int report(const struct asz_cmd_context *context, struct asking *asking, unsigned cosigned, const struct asz_diag *no) {
  if (!context->json) {
    if (no)
      fprintf(stderr, "assize: %s\n", no->text);
    else
      printf("quorum: cosigned by %u witnesses\n", cosigned);
    return no ? ASZ_EXIT_NO : ASZ_EXIT_OK;
  }
  int code = asz_cmd_json(json_pack("{s:I, s:b, s:i, s:O}", "size", (json_int_t)asking->head.tree_size, "quorum", !no, "cosigned",
                                    (int)cosigned, "witnesses", asking->report));
  return code == ASZ_EXIT_OK && no ? ASZ_EXIT_NO : code;
}

/* With what is published already, by an earlier run or another witness, the quorum may be met. */
static int ask_all(const struct asz_cmd_context *context, struct asking *asking, const struct asz_policy *policy,
                   const uint8_t public_key[32]) {
  struct asz_diag diag = {""};
  char *published;
  unsigned cosigned = 0;
  for (unsigned i = 0; i < policy->witness_count; i++)
    ask(asking, policy, i);
  int err = asz_tlog_cosign(asking->log_dir, public_key, asking->note, asking->cosignature, asking->count, &published, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_policy_check(policy, published, strlen(published), &asking->head, &cosigned, &diag);
  free(published);
  return report(context, asking, cosigned, err ? &diag : NULL);
}

int asz_log_cosign(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_note_key own;
  struct asz_policy *policy;
  const char *policy_path = NULL, *timeout = NULL;
  const struct asz_cmd_option options[] = {{"--policy", .value = &policy_path}, {"--timeout", .value = &timeout}};
  uint64_t timeout_s = TIMEOUT_S_DEFAULT;
  size_t count;
  if (asz_cmd_options("log", argc, argv, options, 2, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (!policy_path)
    return asz_cmd_usage_error("log", "cosign: expected --policy FILE, which names the witnesses");
  if (timeout && asz_cmd_parse_u64("log", "--timeout", timeout, 1, TIMEOUT_S_MAX, &timeout_s) != 0)
    return ASZ_EXIT_INPUT;
  int err = asz_log_own_key(&context->home, &own, &diag);
  if (!err)
    err = asz_log_policy(&context->home, policy_path, &policy, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  struct asking *asking = calloc(1, sizeof *asking);
  if (!asking) {
    free(policy);
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  }
  asking->log_dir = context->home.log_path;
  asking->timeout_s = (unsigned)timeout_s;
  asking->report = context->json ? json_array() : NULL;
  err = asz_tlog_published(asking->log_dir, own.public_key, &asking->head, &asking->note, &diag);
  int code = err ? asz_log_fail(err, &diag) : ask_all(context, asking, policy, own.public_key);
  json_decref(asking->report);
  free(asking->note);
  free(asking);
  free(policy);
  return code;
}
