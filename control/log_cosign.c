/* SPDX-License-Identifier: Apache-2.0 */
/* `log cosign`: asks the witnesses of a policy about the published checkpoint and puts their lines under it; with --follow about
 * each checkpoint that comes, and about one that has no quorum once more a minute. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/file.h"
#include "control/log_verbs.h"
#include "control/tlog/cosign.h"
#include "control/witness_ask.h"
#include "dataplane/base/clock.h"

enum { TIMEOUT_S_DEFAULT = 10, TIMEOUT_S_MAX = 600, POLL_S = 1, AGAIN_NS = 60 * 1000000000ll };

/* The name that the policy gives a witness. */
static const char *name_of(const struct asz_policy *policy, unsigned witness) {
  for (unsigned i = 0; i < policy->node_count; i++)
    if (policy->node[i].witness == (int)witness)
      return policy->node[i].name;
  return "";
}

struct cosigning {
  const struct asz_cmd_context *context;
  struct asz_note_key own;
  struct asz_policy *policy;
  unsigned timeout_s;
};

/* One round. */
struct asking {
  char *note; /* published when it starts */
  struct asz_checkpoint head;
  size_t count;
  struct asz_cosignature cosignature[ASZ_POLICY_WITNESSES_MAX];
  json_t *report; /* one object a witness; NULL for text */
};

static void ask(const struct cosigning *cosigning, struct asking *asking, unsigned witness) {
  const struct asz_policy *policy = cosigning->policy;
  struct asz_diag diag = {"the policy has no URL for it"};
  struct asz_cosignature *next = &asking->cosignature[asking->count];
  const char *name = name_of(policy, witness), *url = policy->witness_url[witness];
  int err = ASZ_ENOENT;
  if (*url)
    err = asz_witness_ask(url, &policy->witness[witness], cosigning->context->home.log_path, asking->note, &asking->head,
                          cosigning->timeout_s, next->line, &diag);
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

/* With what is published already, by an earlier round or another process, the quorum may be met. */
static int ask_all(const struct cosigning *cosigning, struct asking *asking) {
  const char *log_dir = cosigning->context->home.log_path;
  struct asz_diag diag = {""};
  char *published;
  for (unsigned i = 0; i < cosigning->policy->witness_count; i++)
    ask(cosigning, asking, i);
  int err =
      asz_tlog_cosign(log_dir, cosigning->own.public_key, asking->note, asking->cosignature, asking->count, &published, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  unsigned cosigned = (unsigned)asking->count;
  err = asz_policy_check(cosigning->policy, published, strlen(published), &asking->head, &cosigned, &diag);
  free(published);
  return report(cosigning->context, asking, cosigned, err ? &diag : NULL);
}

static int one_round(const struct cosigning *cosigning) {
  struct asz_diag diag = {""};
  struct asking *asking = calloc(1, sizeof *asking);
  if (!asking)
    return asz_cmd_fail(ASZ_ENOMEM, NULL);
  asking->report = cosigning->context->json ? json_array() : NULL;
  int err = asz_tlog_published(cosigning->context->home.log_path, cosigning->own.public_key, &asking->head, &asking->note, &diag);
  int code = err ? asz_log_fail(err, &diag) : ask_all(cosigning, asking);
  json_decref(asking->report);
  free(asking->note);
  free(asking);
  fflush(stdout);
  return code;
}

/* Until interrupted. What a round finds wrong it says, and the next one tries again. */
static int follow(const struct cosigning *cosigning) {
  struct asz_checkpoint asked = {.tree_size = UINT64_MAX}; /* no log has that many */
  uint64_t asked_ns = 0;
  int code = ASZ_EXIT_OK;
  while (!asz_cmd_interrupted()) {
    struct asz_checkpoint head;
    struct asz_diag diag = {""};
    int err = asz_tlog_head(cosigning->context->home.log_path, cosigning->own.public_key, &head, &diag);
    if (err)
      return asz_log_fail(err, &diag);
    uint64_t now_ns = asz_clock_monotonic_ns();
    if (head.tree_size != asked.tree_size || (code != ASZ_EXIT_OK && now_ns - asked_ns >= AGAIN_NS)) {
      code = one_round(cosigning);
      asked = head;
      asked_ns = now_ns;
    }
    nanosleep(&(struct timespec){.tv_sec = POLL_S}, NULL); /* a signal ends it */
  }
  return ASZ_EXIT_INTERRUPTED;
}

int asz_log_cosign(const struct asz_cmd_context *context, int argc, char **argv) {
  struct cosigning cosigning = {.context = context, .timeout_s = TIMEOUT_S_DEFAULT};
  struct asz_diag diag = {""};
  const char *policy_path = NULL, *timeout = NULL;
  bool following = false;
  const struct asz_cmd_option options[] = {
      {"--policy", .value = &policy_path}, {"--timeout", .value = &timeout}, {"--follow", .flag = &following}};
  uint64_t timeout_s;
  size_t count;
  if (asz_cmd_options("log", argc, argv, options, 3, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (!policy_path)
    return asz_cmd_usage_error("log", "cosign: expected --policy FILE, which names the witnesses");
  if (timeout) {
    if (asz_cmd_parse_u64("log", "--timeout", timeout, 1, TIMEOUT_S_MAX, &timeout_s) != 0)
      return ASZ_EXIT_INPUT;
    cosigning.timeout_s = (unsigned)timeout_s;
  }
  int err = asz_log_own_key(&context->home, &cosigning.own, &diag);
  if (!err)
    err = asz_log_policy(&context->home, policy_path, &cosigning.policy, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  if (following)
    asz_cmd_catch_signals();
  int code = following ? follow(&cosigning) : one_round(&cosigning);
  free(cosigning.policy);
  return code;
}
