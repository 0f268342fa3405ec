/* SPDX-License-Identifier: Apache-2.0 */
/* One screen: is the validator well, are its providers, and what is to be done next. Everything is gathered into one struct
 * first, from a read-only store and the published log, so that it works while `run` writes; then it is shown as text or JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/table.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/ipv6.h"

enum { OPEN_SHOWN = 5 };

struct open_slash {
  struct asz_slash_row row;
  char provider[ASZ_PROVIDER_NAME_MAX + 1];
};

struct status {
  struct asz_config config;
  bool has_epoch;
  struct asz_epoch_row epoch;
  uint64_t now_ns;
  uint32_t providers, controls;
  uint32_t up, partly, down, unjudged; /* of providers, in the last epoch */
  uint32_t tier[ASZ_TIER_WORST + 1];
  uint32_t quarantined, vetting; /* of tier 0 */
  uint32_t open_s1, open_s3, recommended;
  struct open_slash open[OPEN_SHOWN]; /* S1 before S3, newest first */
  uint32_t open_count;
  struct asz_checkpoint log;
  char next[256];
};

static void count_score(struct status *s, const struct asz_score_row *row) {
  const struct asz_score *score = &row->score;
  if (!s->has_epoch || row->epoch != s->epoch.epoch || score->slots_judged == 0)
    s->unjudged++;
  else if (score->uptime_ppm == ASZ_PPM)
    s->up++;
  else if (score->uptime_ppm > 0)
    s->partly++;
  else
    s->down++;
  s->tier[score->tier <= ASZ_TIER_WORST ? score->tier : 0]++;
  if (score->tier == ASZ_TIER_NONE && !score->gate_open)
    s->quarantined++;
  else if (score->tier == ASZ_TIER_NONE && score->confidence_ppm < ASZ_PPM)
    s->vetting++;
}

static int count_providers(struct status *s, struct asz_store *store, const struct asz_provider *providers, size_t count,
                           struct asz_diag *diag) {
  for (size_t i = 0; i < count; i++) {
    struct asz_score_row row;
    if (providers[i].control) {
      s->controls++;
      continue;
    }
    s->providers++;
    int err = asz_store_score_newest(store, providers[i].row, &row, diag);
    if (err == 0) {
      count_score(s, &row);
    } else if (err == ASZ_ENOENT) {
      s->unjudged++;
      s->tier[ASZ_TIER_NONE]++;
      s->vetting++;
    } else {
      return err;
    }
  }
  return 0;
}

/* An S1 stays open as long as its e-process year, an S3 as long as the jail. */
static int is_open(const struct status *s, struct asz_store *store, const struct asz_slash_row *row, bool *ret_open,
                   struct asz_diag *diag) {
  struct asz_score_state state;
  struct asz_slash_history history;
  if (row->offence != ASZ_OFFENCE_S1) {
    *ret_open = row->at_ns + row->jail_ns > s->now_ns;
    return 0;
  }
  int err = asz_store_state_load(store, row->provider_row, &state, &history, diag);
  if (!err)
    *ret_open = history.s1_open;
  return err;
}

/* Counts and keeps the open ones of one offence, newest first. */
static int count_open(struct status *s, struct asz_store *store, enum asz_offence offence, const struct asz_slash_row *rows,
                      size_t row_count, uint32_t *ret_count, struct asz_diag *diag) {
  for (size_t i = row_count; i-- > 0;) {
    bool open = false;
    int err = rows[i].offence == offence ? is_open(s, store, &rows[i], &open, diag) : 0;
    if (err)
      return err;
    if (!open)
      continue;
    ++*ret_count;
    if (s->open_count < OPEN_SHOWN)
      s->open[s->open_count++].row = rows[i];
  }
  return 0;
}

static void name_open(struct status *s, const struct asz_provider *providers, size_t count) {
  for (uint32_t i = 0; i < s->open_count; i++) {
    const struct asz_provider *provider = asz_provider_by_row(providers, count, s->open[i].row.provider_row);
    snprintf(s->open[i].provider, sizeof s->open[i].provider, "%s", provider ? provider->name : "?");
  }
}

/* The one thing to do now, most urgent first. */
static void decide_next(struct status *s) {
  size_t size = sizeof s->next;
  const struct open_slash *first = s->open_count ? &s->open[0] : NULL; /* an S1, if there is one */
  enum asz_fault bottleneck = asz_faults_largest(&s->epoch.faults);
  const struct asz_config *c = &s->config;
  bool ipv4 = c->network_local_ip != 0 && c->network_gateway_ip != 0;
  bool ipv6 = !asz_ipv6_is_none(c->network_local_ip6) && !asz_ipv6_is_none(c->network_gateway_ip6);
  if (!s->has_epoch && (c->network_eal[0] == '\0' || (!ipv4 && !ipv6)))
    snprintf(s->next, size,
             "set network.eal, network.local_ip and network.gateway_ip (or local_ip6 and gateway_ip6) in assize.conf, then "
             "`assize doctor`");
  else if (s->providers == 0)
    snprintf(s->next, size, "register who agreed to be probed: `assize provider add` or `assize provider import FILE`");
  else if (!s->has_epoch)
    snprintf(s->next, size, "start measuring: `assize run`");
  else if (bottleneck < ASZ_FAULT_COUNT)
    snprintf(s->next, size, "the engine was the bottleneck: %s (`assize doctor` looks at this machine)",
             asz_fault_advice(bottleneck));
  else if (s->open_s1)
    snprintf(s->next, size, "read `assize profile %s`, then `assize slash export %" PRId64 " FILE`", first->provider,
             first->row.id);
  else if (first)
    snprintf(s->next, size, "read `assize profile %s`", first->provider);
  else if (s->down)
    snprintf(s->next, size, "see who is down: `assize scores`, then `assize profile NAME`");
  else
    snprintf(s->next, size, "nothing: all is well");
}

static int gather_from_store(struct status *s, struct asz_store *store, struct asz_diag *diag) {
  struct asz_provider *providers = NULL;
  struct asz_slash_row *rows = NULL;
  size_t provider_count, row_count;
  int err = asz_store_epoch_last(store, &s->epoch, diag);
  s->has_epoch = err == 0;
  if (err && err != ASZ_ENOENT)
    return err;
  err = asz_store_provider_list(store, &providers, &provider_count, diag);
  if (!err)
    err = count_providers(s, store, providers, provider_count, diag);
  if (!err)
    err = asz_store_slash_list(store, &rows, &row_count, diag);
  if (!err)
    err = count_open(s, store, ASZ_OFFENCE_S1, rows, row_count, &s->open_s1, diag);
  if (!err)
    err = count_open(s, store, ASZ_OFFENCE_S3, rows, row_count, &s->open_s3, diag);
  if (!err) {
    s->recommended = (uint32_t)row_count;
    name_open(s, providers, provider_count);
  }
  free(providers);
  free(rows);
  return err;
}

static int gather(struct status *s, const struct asz_home *home, struct asz_diag *diag) {
  struct asz_identity key;
  struct asz_store *store;
  int err = asz_home_open(home, true, &s->config, &key, &store, diag);
  if (err)
    return err;
  s->now_ns = asz_clock_now_ns();
  err = gather_from_store(s, store, diag);
  asz_store_close(store);
  if (!err)
    err = asz_tlog_head(home->log_path, key.public_key, &s->log, diag);
  asz_identity_wipe(&key);
  if (!err)
    decide_next(s);
  return err;
}

static unsigned unjudged_slots(const struct status *s) {
  return (unsigned)__builtin_popcountll(s->epoch.slots_unjudged);
}

static uint64_t answered_ppm(const struct asz_epoch_row *epoch) {
  return epoch->probes_sent ? (uint64_t)((unsigned __int128)epoch->probes_answered * ASZ_PPM / epoch->probes_sent) : 0;
}

static void print_epoch(const struct status *s) {
  struct asz_text a, b, c;
  if (!s->has_epoch) {
    printf("epoch        none closed yet\n");
    return;
  }
  uint64_t age_s = s->now_ns > s->epoch.closed_ns ? (s->now_ns - s->epoch.closed_ns) / 1000000000 : 0;
  printf("epoch        %" PRIu32 ", %s, closed %s (%s ago)\n", s->epoch.epoch, s->epoch.complete ? "complete" : "ended early",
         asz_text_time(&a, s->epoch.closed_ns), asz_text_span(&b, age_s));
  printf("rate         %s probes/s; %s sent", asz_text_count(&a, s->epoch.rate_pps), asz_text_count(&b, s->epoch.probes_sent));
  printf(", %s answered (%s)\n", asz_text_count(&a, s->epoch.probes_answered), asz_text_ppm(&c, answered_ppm(&s->epoch)));
  enum asz_fault fault = asz_faults_largest(&s->epoch.faults);
  if (fault < ASZ_FAULT_COUNT)
    printf("engine       was the bottleneck: %s; nobody was judged in %u slots\n", asz_fault_name(fault), unjudged_slots(s));
  else
    printf("engine       healthy: no slot was lost to our own faults\n");
}

static void print_tiers(const struct status *s) {
  printf("tiers       ");
  for (unsigned tier = ASZ_TIER_BEST; tier <= ASZ_TIER_WORST; tier++)
    if (s->tier[tier])
      printf(" %u: %" PRIu32 "  ", tier, s->tier[tier]);
  printf(" none: %" PRIu32 " (%" PRIu32 " in vetting, %" PRIu32 " in quarantine)\n", s->tier[ASZ_TIER_NONE], s->vetting,
         s->quarantined);
}

static int print_text(const struct status *s, const char *dir) {
  struct asz_text text;
  printf("validator    %s in %s\n", s->config.validator_origin, dir);
  print_epoch(s);
  printf("providers    %" PRIu32 ": %" PRIu32 " up, %" PRIu32 " partly up, %" PRIu32 " down, %" PRIu32 " not judged; %" PRIu32
         " control targets\n",
         s->providers, s->up, s->partly, s->down, s->unjudged, s->controls);
  print_tiers(s);
  printf("slashing     %" PRIu32 " open (%" PRIu32 " wrong answers, %" PRIu32 " silence or slowness), %" PRIu32
         " recommended ever\n",
         s->open_s1 + s->open_s3, s->open_s1, s->open_s3, s->recommended);
  for (uint32_t i = 0; i < s->open_count; i++)
    printf("             #%" PRId64 " %s %s: %s\n", s->open[i].row.id, asz_offence_name((enum asz_offence)s->open[i].row.offence),
           s->open[i].provider, s->open[i].row.reason);
  char root[2 * ASZ_HASH_BYTES + 1];
  asz_hex_encode(root, s->log.root, sizeof s->log.root);
  printf("log          %s entries, root %.16s..., checkpoint signed by us\n", asz_text_count(&text, s->log.tree_size), root);
  printf("next         %s\n", s->next);
  return ASZ_EXIT_OK;
}

static json_t *epoch_json(const struct status *s) {
  if (!s->has_epoch)
    return json_null();
  enum asz_fault fault = asz_faults_largest(&s->epoch.faults);
  return json_pack("{s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:i, s:s?}", "epoch", (json_int_t)s->epoch.epoch, "complete",
                   s->epoch.complete, "opened_ns", (json_int_t)s->epoch.opened_ns, "closed_ns", (json_int_t)s->epoch.closed_ns,
                   "rate_pps", (json_int_t)s->epoch.rate_pps, "probes_sent", (json_int_t)s->epoch.probes_sent, "probes_answered",
                   (json_int_t)s->epoch.probes_answered, "slots_unjudged", (int)unjudged_slots(s), "bottleneck",
                   fault < ASZ_FAULT_COUNT ? asz_fault_name(fault) : NULL);
}

static json_t *open_json(const struct status *s) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < s->open_count; i++)
    json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)s->open[i].row.id, "offence",
                                          asz_offence_name((enum asz_offence)s->open[i].row.offence), "provider",
                                          s->open[i].provider, "reason", s->open[i].row.reason));
  return list;
}

static int print_json(const struct status *s, const char *dir) {
  char root[2 * ASZ_HASH_BYTES + 1];
  asz_hex_encode(root, s->log.root, sizeof s->log.root);
  json_t *tiers = json_array();
  for (unsigned tier = 0; tier <= ASZ_TIER_WORST; tier++)
    json_array_append_new(tiers, json_integer(s->tier[tier]));
  return asz_cmd_json(
      json_pack("{s:s, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o, s:I, s:I, s:{s:I, s:I, s:I, s:o}, s:{s:I, s:s}, s:s}",
                "home", dir, "origin", s->config.validator_origin, "last_epoch", epoch_json(s), "providers", "total",
                (json_int_t)s->providers, "up", (json_int_t)s->up, "partly_up", (json_int_t)s->partly, "down",
                (json_int_t)s->down, "not_judged", (json_int_t)s->unjudged, "control", (json_int_t)s->controls, "tiers", tiers,
                "vetting", (json_int_t)s->vetting, "quarantined", (json_int_t)s->quarantined, "slashing", "open_s1",
                (json_int_t)s->open_s1, "open_s3", (json_int_t)s->open_s3, "ever", (json_int_t)s->recommended, "newest_open",
                open_json(s), "log", "size", (json_int_t)s->log.tree_size, "root", root, "next", s->next));
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct status status = {.has_epoch = false};
  size_t count;
  if (asz_cmd_options("status", argc, argv, NULL, 0, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  int err = gather(&status, &context->home, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  return context->json ? print_json(&status, context->home.dir) : print_text(&status, context->home.dir);
}

const struct asz_cmd asz_cmd_status = {
    .name = "status",
    .summary = "one screen: the last epoch, the providers, what is open, what to do next",
    .usage = "  assize status\n"
             "  assize status --json\n\n"
             "Reads only; works while `run` writes.\n",
    .run = run,
};
