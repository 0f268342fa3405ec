/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "control/cmd.h"
#include "control/dryrun.h"
#include "control/resume.h"
#include "control/validator.h"
#include "dataplane/base/log.h"
#include "dataplane/eal.h"

/* Every outcome has a name: all of them as JSON, those that happened as text. */
static json_t *counters_json(const struct asz_run_result *result) {
  json_t *counters = json_object();
  for (unsigned i = 0; counters && i < ASZ_CTR_COUNT; i++)
    json_object_set_new(counters, asz_counter_name(i), json_integer((json_int_t)result->engine.value[i]));
  for (unsigned i = 0; counters && i < ASZ_PCTR_COUNT; i++)
    json_object_set_new(counters, asz_pipeline_counter_name(i), json_integer((json_int_t)result->pipeline[i]));
  return counters;
}

static void counters_print(const struct asz_run_result *result) {
  for (unsigned i = 0; i < ASZ_CTR_COUNT; i++)
    if (result->engine.value[i])
      printf("%-22s %12" PRIu64 "  %s\n", asz_counter_name(i), result->engine.value[i], asz_counter_help(i));
  for (unsigned i = 0; i < ASZ_PCTR_COUNT; i++)
    if (result->pipeline[i])
      printf("%-22s %12" PRIu64 "\n", asz_pipeline_counter_name(i), result->pipeline[i]);
}

/* What was our own fault, by cause: by name in JSON; as text the largest, with what to do. */
static json_t *faults_json(const struct asz_faults *faults) {
  json_t *object = json_object();
  for (enum asz_fault fault = 0; object && fault < ASZ_FAULT_COUNT; fault++)
    json_object_set_new(object, asz_fault_name(fault), json_integer((json_int_t)faults->count[fault]));
  return object;
}

static void bottleneck_print(const struct asz_faults *faults) {
  enum asz_fault fault = asz_faults_largest(faults);
  if (fault < ASZ_FAULT_COUNT)
    printf("bottleneck: %s, %" PRIu64 " of %" PRIu64 " faults in unjudged slots: %s\n", asz_fault_name(fault),
           faults->count[fault], asz_faults_total(faults), asz_fault_advice(fault));
}

/* A run as its reloads see it. */
struct session {
  const struct asz_cmd_context *context;
  struct asz_validator *v;
  uint32_t reloads, refused; /* done; asked for and not possible */
};

static void refuse(struct session *s, const struct asz_diag *diag) {
  s->refused++;
  asz_log(ASZ_LOG_WARN, "%s; the run goes on with what it had", diag->text);
}

/* On SIGHUP: what is wrong is said at once, what is right waits for the epoch's end. */
static bool reload_asked(void *context) {
  struct session *s = context;
  struct asz_roster_changes changes;
  struct asz_diag diag;
  if (asz_validator_reload(s->v, &s->context->home, false, &changes, &diag)) {
    refuse(s, &diag);
    return false;
  }
  asz_log(ASZ_LOG_INFO, "configuration and providers are read again when this epoch ends");
  return true;
}

/* Between two epochs. What cannot be done any more by now is refused, and the run goes on as it was. */
static void reload(struct session *s) {
  struct asz_roster_changes changes;
  struct asz_diag diag;
  if (asz_validator_reload(s->v, &s->context->home, true, &changes, &diag)) {
    refuse(s, &diag);
    return;
  }
  s->reloads++;
  asz_log(ASZ_LOG_INFO, "from the next epoch on: %u providers, %zu of them new, %zu changed; %zu registered ones are not probed",
          s->v->roster->count, changes.added, changes.changed, changes.idle);
}

static int run_once(struct session *s, uint32_t epochs_max, struct asz_run_result *ret_result, struct asz_diag *diag) {
  const struct asz_validator *v = s->v;
  const struct asz_run run = {
      .config = &v->config,
      .engine = v->engine,
      .verifier = v->verifier,
      .roster = v->roster,
      .epochs = v->epochs,
      .deny = &s->v->deny,
      .snapshot_path = s->context->home.snapshot_path,
      .key = &v->key,
      .reload_asked = reload_asked,
      .reload_context = s,
      .epochs_max = epochs_max,
  };
  return asz_run_loop(&run, ret_result, diag);
}

/* The loop, again after each reload. */
static int run_all(struct session *s, uint32_t epochs_max, struct asz_run_result *total, struct asz_diag *diag) {
  for (;;) {
    struct asz_run_result result = {0};
    int err = run_once(s, epochs_max ? epochs_max - total->epochs : 0, &result, diag);
    if (err)
      return err;
    asz_run_result_add(total, &result);
    if (!result.reload || result.interrupted || total->epochs == epochs_max)
      return 0;
    reload(s);
    err = asz_validator_again(s->v, diag);
    if (err)
      return err;
  }
}

static int print_result(const struct asz_cmd_context *context, const struct session *session,
                        const struct asz_run_result *result) {
  if (context->json)
    return asz_cmd_json(json_pack(
        "{s:I, s:I, s:b, s:{s:I, s:b, s:I, s:I, s:I}, s:I, s:I, s:I, s:I, s:o, s:o}", "epochs", (json_int_t)result->epochs,
        "recommendations", (json_int_t)result->recommendations, "interrupted", result->interrupted, "last", "epoch",
        (json_int_t)result->last.number, "complete", result->last.complete, "providers", (json_int_t)result->last.providers, "up",
        (json_int_t)result->last.up, "down", (json_int_t)result->last.down, "snapshots", (json_int_t)result->snapshots,
        "snapshots_failed", (json_int_t)result->snapshots_failed, "reloads", (json_int_t)session->reloads, "reloads_refused",
        (json_int_t)session->refused, "faults", faults_json(&result->faults), "counters", counters_json(result)));
  counters_print(result);
  bottleneck_print(&result->faults);
  if (result->snapshots_failed)
    printf("%u of %u snapshots of a running epoch could not be written\n", result->snapshots_failed,
           result->snapshots + result->snapshots_failed);
  if (session->reloads || session->refused)
    printf("configuration and providers: changed %u times, %u changes refused\n", session->reloads, session->refused);
  printf("%u epochs closed, %u recommendations; `assize status` shows where things stand\n", result->epochs,
         result->recommendations);
  return ASZ_EXIT_OK;
}

static int probe(const struct asz_cmd_context *context, struct asz_validator *v, uint32_t epochs_max) {
  struct session session = {.context = context, .v = v};
  struct asz_diag diag;
  struct asz_run_result result = {0};
  uint16_t port_id = 0;
  int err = asz_validator_port(&v->config, &port_id, &diag);
  if (!err)
    err = asz_validator_start(v, &context->home, port_id, 0, &diag);
  if (!err && v->roster->control_count == 0)
    asz_log(ASZ_LOG_WARN, "no control target is registered: an outage of our own network would count against every provider; "
                          "add a reflector of yours with `assize provider add NAME --control`");
  if (!err)
    err = run_all(&session, epochs_max, &result, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : print_result(context, &session, &result);
  asz_validator_close(v);
  asz_eal_stop();
  return code == ASZ_EXIT_OK && result.interrupted ? ASZ_EXIT_INTERRUPTED : code;
}

static int dry_run(const struct asz_cmd_context *context, const char *text) {
  uint64_t frames = ASZ_DRYRUN_FRAMES_DEFAULT;
  if (text && asz_cmd_parse_u64("run", "--dry-run", text, 0, ASZ_DRYRUN_FRAMES_MAX, &frames))
    return ASZ_EXIT_INPUT;
  return asz_dryrun_print(context, (uint32_t)frames);
}

static int run_run(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *epochs = NULL, *frames = NULL;
  bool dry = false, resume = false;
  const struct asz_cmd_option option[] = {
      {"--epochs", .value = &epochs}, {"--dry-run", .flag = &dry}, {"--resume", .flag = &resume}};
  size_t count;
  if (asz_cmd_options("run", argc, argv, option, sizeof option / sizeof option[0], &frames, 1, &count))
    return ASZ_EXIT_INPUT;
  if (count > 0 && !dry)
    return asz_cmd_usage_error("run", "unexpected \"%s\"", frames);
  uint64_t epochs_max = 0;
  if (epochs && asz_cmd_parse_u64("run", "--epochs", epochs, 1, UINT32_MAX, &epochs_max))
    return ASZ_EXIT_INPUT;
  if (dry)
    return dry_run(context, frames);
  asz_cmd_catch_signals();
  asz_cmd_catch_reload();
  struct asz_validator v;
  struct asz_diag diag;
  int err = asz_validator_open(&v, &context->home, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_resume(&v, &context->home, resume, &diag);
  if (!err)
    err = asz_validator_roster(&v, &context->home, &diag);
  if (!err)
    err = asz_validator_network(&v, &context->home, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : probe(context, &v, (uint32_t)epochs_max);
  asz_validator_close(&v);
  return code;
}

const struct asz_cmd asz_cmd_run = {
    .name = "run",
    .summary = "probe, challenge and score the registered providers, epoch after epoch",
    .usage =
        "usage: assize run [--epochs N] [--resume] [--dry-run [FRAMES]]\n"
        "\n"
        "  assize run                 until Ctrl-C; what was measured by then is scored and kept\n"
        "  assize run --epochs 3      three epochs\n"
        "  assize run --resume        first close the epoch that a crash, a kill or a full disk cut off, from its snapshot; "
        "without\n"
        "                             one, the same as run: right for a service manager\n"
        "  assize run --dry-run 20    show the plan and its first 20 frames (10) as text and hex; send, log and store nothing\n"
        "  assize run --dry-run | text2pcap - plan.pcap\n"
        "\n"
        "A deny list (probe.deny_file) is read again when it changes, and on SIGHUP. On SIGHUP the configuration and the list "
        "of\n"
        "providers (probe.roster_file) are read again, too, and hold from the next epoch on.\n"
        "The port comes from network.eal in the configuration; root is needed for AF_XDP, AF_PACKET and most NICs.\n"
        "Exit codes: 0 done, 2 bad input, 3 the machine failed, 130 interrupted (everything measured is kept).\n",
    .run = run_run,
};
