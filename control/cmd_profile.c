/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "control/cmd.h"
#include "control/profile.h"
#include "control/table.h"
#include "dataplane/base/clock.h"
#include "dataplane/engine.h"

static void print_identity(const struct asz_profile *p) {
  const struct asz_provider *who = &p->provider;
  char key[2 * ASZ_PK_BYTES + 1] = "none known: no bound probes, no challenges";
  if (asz_provider_has_key(who))
    asz_hex_encode(key, who->public_key, sizeof who->public_key);
  printf("%s   %s   %s%s\n", who->name, asz_provider_endpoint(ASZ_TEXT, who), asz_probe_name((enum asz_probe)who->probe),
         who->control ? "   control target (never scored)" : "");
  printf("key          %s\n", key);
  printf("registered   %s   device %" PRIu32 "   region %s   operator %s\n", asz_text_time(ASZ_TEXT, who->registered_ns),
         who->device, *who->region ? who->region : "-", *who->operator_name ? who->operator_name : "-");
}

static void print_verdict(const struct asz_profile *p) {
  const struct asz_score *s = &p->newest.score;
  if (s->tier != ASZ_TIER_NONE)
    printf("tier         %u of %d (%d is best)\n", s->tier, ASZ_TIER_WORST, ASZ_TIER_BEST);
  else if (!s->gate_open)
    printf("tier         none: in quarantine for wrong answers\n");
  else if (s->confidence_ppm < ASZ_PPM)
    printf("tier         none yet: in vetting\n");
  else
    printf("tier         none: below the last rung\n");
  printf("composite    %s, held back by: %s\n", asz_text_ppm(ASZ_TEXT, s->composite_ppm),
         asz_binding_name((enum asz_binding)s->binding));
  printf("confidence   %s of the vetting (21 days and 5,000 judged slots)\n", asz_text_ppm(ASZ_TEXT, s->confidence_ppm));
}

static void print_availability(const struct asz_profile *p) {
  const struct asz_score *s = &p->newest.score;
  printf("availability %-10s up in %s of %s slots (30 days); surely (99 %%) at least %s: %" PRIu32 " nines certified\n",
         asz_text_ppm(ASZ_TEXT, s->s_availability_ppm), asz_text_ppm(ASZ_TEXT, s->window_uptime_ppm),
         asz_text_count(ASZ_TEXT, s->window_slots), asz_text_ppm(ASZ_TEXT, s->availability_low_ppm), p->nines_certified);
  if (s->slots_missing)
    printf("             %-10s %s more slots without a failure certify the next nine\n", "",
           asz_text_count(ASZ_TEXT, s->slots_missing));
  if (s->slots_judged)
    printf("             %-10s last epoch: up in %s of %" PRIu32 " slots, %s of the probes unanswered\n", "",
           asz_text_ppm(ASZ_TEXT, s->uptime_ppm), s->slots_judged, asz_text_ppm(ASZ_TEXT, s->loss_ppm));
  else
    printf("             %-10s last epoch: no slot was judged\n", "");
}

/* 1,500 -> "1.50x" */
static const char *burn(struct asz_text *text, uint32_t milli) {
  if (milli == UINT32_MAX)
    snprintf(text->chars, sizeof text->chars, "over %" PRIu32 "x", milli / 1000);
  else
    snprintf(text->chars, sizeof text->chars, "%" PRIu32 ".%02" PRIu32 "x", milli / 1000, milli % 1000 / 10);
  return text->chars;
}

static void print_sla(const struct asz_profile *p) {
  const struct asz_sla *sla = &p->newest.score.sla;
  if (sla->target_ppm == 0) /* scored by a version that kept no account */
    return;
  printf("sla          %-10s %s slots down of the %s that %s allows in 30 days; budget burns %s, today %s, last epoch %s\n", "-",
         asz_text_count(ASZ_TEXT, sla->down_slots), asz_text_count(ASZ_TEXT, sla->budget_slots),
         asz_text_ppm(ASZ_TEXT, sla->target_ppm), burn(ASZ_TEXT, sla->burn_month_milli), burn(ASZ_TEXT, sla->burn_day_milli),
         burn(ASZ_TEXT, sla->burn_epoch_milli));
  if (sla->credit_ppm)
    printf("             %-10s a cloud would pay back %s of the month's price; not scored\n", "",
           asz_text_ppm(ASZ_TEXT, sla->credit_ppm));
}

static void print_latency(const struct asz_profile *p) {
  const struct asz_score *s = &p->newest.score;
  if (s->rtt_q95_ns == 0) {
    printf("latency      %-10s no reply in the last epoch; target: q95 within %s\n", "-",
           asz_text_ns(ASZ_TEXT, p->rtt_target_ns));
    return;
  }
  printf("latency      %-10s q50 %s   q95 %s   q99 %s (each within 1 %%)   best %s; target: q95 within %s; ours, at most: %s\n",
         asz_text_ppm(ASZ_TEXT, s->s_latency_ppm), asz_text_ns(ASZ_TEXT, s->rtt_q50_ns), asz_text_ns(ASZ_TEXT, s->rtt_q95_ns),
         asz_text_ns(ASZ_TEXT, s->rtt_q99_ns), asz_text_ns(ASZ_TEXT, s->rtt_min_ns), asz_text_ns(ASZ_TEXT, p->rtt_target_ns),
         s->rtt_error_ns > 0 ? asz_text_ns(ASZ_TEXT, s->rtt_error_ns) : "not stated");
}

static void print_variation(const struct asz_profile *p) {
  const struct asz_variation *v = &p->newest.score.variation;
  if (v->pairs == 0)
    return;
  printf("variation    %-10s there %s (at most %s)   back %s (at most %s), of %s pairs; by its own clock, not scored\n", "-",
         asz_text_ns(ASZ_TEXT, v->forward_mean_ns), asz_text_ns(ASZ_TEXT, v->forward_max_ns),
         asz_text_ns(ASZ_TEXT, v->backward_mean_ns), asz_text_ns(ASZ_TEXT, v->backward_max_ns),
         asz_text_count(ASZ_TEXT, v->pairs));
}

static void print_times(const char *what, const struct asz_work_times *times) {
  if (times->count > 0)
    printf("   %s %s in %s to %s", asz_text_count(ASZ_TEXT, times->count), what, asz_text_ns(ASZ_TEXT, times->min_ns),
           asz_text_ns(ASZ_TEXT, times->max_ns));
}

static uint64_t fold_bytes_ps(const struct asz_performance *performance, uint64_t took_ns) {
  return (uint64_t)((unsigned __int128)performance->arena_bytes * 1000000000 / took_ns);
}

static void print_performance(const struct asz_profile *p) {
  const struct asz_performance *w = &p->performance.performance;
  if (!p->has_performance)
    return;
  uint32_t share_ppm;
  const char *share = asz_s_performance_ppm(w, &share_ppm) ? asz_text_ppm(ASZ_TEXT, share_ppm) : "-";
  printf("performance  %-10s epoch %" PRIu32 ":", share, p->performance.epoch);
  print_times("products", &w->product);
  print_times("builds", &w->build);
  print_times("folds", &w->fold);
  printf("; the way included, not scored\n");
  if (w->arena_bytes == 0)
    return;
  printf("             %-10s folds of %s:", "", asz_text_bytes(ASZ_TEXT, w->arena_bytes));
  if (w->fold.count > 0)
    printf(" %s to %s a second;", asz_text_bytes(ASZ_TEXT, fold_bytes_ps(w, w->fold.max_ns)),
           asz_text_bytes(ASZ_TEXT, fold_bytes_ps(w, w->fold.min_ns)));
  if (w->claimed_bytes_ps > 0)
    printf(" claimed %s: %" PRIu32 " in bounds, %" PRIu32 " too slow, %" PRIu32 " too fast, %" PRIu32 " untimed\n",
           asz_text_bytes(ASZ_TEXT, w->claimed_bytes_ps), w->folds_in_bounds, w->folds_too_slow, w->folds_too_fast,
           w->folds_untimed);
  else
    printf(" no speed is claimed\n");
}

static void print_correctness(const struct asz_profile *p) {
  const struct asz_score *s = &p->newest.score;
  const struct asz_eprocess *e = &p->state.eprocess;
  if (!asz_provider_has_key(&p->provider)) {
    printf("correctness  %-10s never challenged: no key is known\n", "-");
    return;
  }
  printf("correctness  %-10s %s of %s slots passed without a proven wrong answer, %s with one",
         asz_text_ppm(ASZ_TEXT, s->s_correctness_ppm), asz_text_count(ASZ_TEXT, e->slots - e->wrong),
         asz_text_count(ASZ_TEXT, e->slots), asz_text_count(ASZ_TEXT, e->wrong));
  printf("; surely (99 %%) at least %s right\n", asz_text_ppm(ASZ_TEXT, p->right_low_ppm));
  printf("             %-10s evidence of cheating E = %s; a slash needs 1,000,000%s\n", "",
         asz_text_q32(ASZ_TEXT, s->e_value_q32), s->gate_open ? "" : ": reached");
}

/* Only where a fold was ever too slow: others have nothing to be told. */
static void print_pace(const struct asz_profile *p) {
  const struct asz_eprocess *e = &p->state.pace;
  if (e->wrong == 0)
    return;
  printf("pace         %-10s %s of %s slots had a fold that was surely too slow for the memory claimed; E = %s, misdeclared at "
         "1,000,000%s; not scored\n",
         "-", asz_text_count(ASZ_TEXT, e->wrong), asz_text_count(ASZ_TEXT, e->slots),
         asz_text_q32(ASZ_TEXT, asz_eprocess_value_q32(e)), asz_eprocess_fired(e) ? ": reached" : "");
}

/* One line when a figure moved by something that is shown of it. */
static void print_change(const char *what, const char *old, const char *new, bool *any) {
  if (!strcmp(old, new))
    return;
  printf("             %-10s %s -> %s\n", what, old, new);
  *any = true;
}

static void print_changes(const struct asz_profile *p) {
  const struct asz_score *was = &p->previous.score, *is = &p->newest.score;
  bool any = false;
  if (!p->has_previous)
    return;
  printf("changed      since epoch %" PRIu32 ":\n", p->previous.epoch);
  if (was->tier != is->tier) {
    printf("             %-10s %u -> %u (0: none)\n", "tier", was->tier, is->tier);
    any = true;
  }
  print_change("composite", asz_text_ppm(ASZ_TEXT, was->composite_ppm), asz_text_ppm(ASZ_TEXT, is->composite_ppm), &any);
  print_change("uptime", asz_text_ppm(ASZ_TEXT, was->uptime_ppm), asz_text_ppm(ASZ_TEXT, is->uptime_ppm), &any);
  print_change("loss", asz_text_ppm(ASZ_TEXT, was->loss_ppm), asz_text_ppm(ASZ_TEXT, is->loss_ppm), &any);
  print_change("q95", asz_text_ns(ASZ_TEXT, was->rtt_q95_ns), asz_text_ns(ASZ_TEXT, is->rtt_q95_ns), &any);
  print_change("E", asz_text_q32(ASZ_TEXT, was->e_value_q32), asz_text_q32(ASZ_TEXT, is->e_value_q32), &any);
  if (!any)
    printf("             nothing\n");
}

static void print_history(const struct asz_profile *p) {
  printf("incidents    %s\n", p->incident_count ? "newest first:" : "none");
  for (size_t i = 0; i < p->incident_count; i++)
    printf("             %s  epoch %" PRIu32 "  %s: %s\n", asz_text_time(ASZ_TEXT, p->incident[i].at_ns), p->incident[i].epoch,
           p->incident[i].kind, p->incident[i].detail);
  printf("slashing     %s\n", p->slash_count ? "recommended:" : "nothing recommended");
  for (size_t i = p->slash_count; i-- > 0;) {
    const struct asz_slash_row *row = &p->slash[i];
    printf("             #%" PRId64 "  epoch %" PRIu32 "  %s %s: %s\n", row->id, row->epoch,
           asz_offence_name((enum asz_offence)row->offence), asz_offence_help((enum asz_offence)row->offence), row->reason);
  }
}

static int print_page(const struct asz_profile *p) {
  print_identity(p);
  if (p->has_score) {
    printf("\nas of epoch %" PRIu32 "\n", p->newest.epoch);
    print_verdict(p);
    printf("\n");
    print_availability(p);
    print_sla(p);
    print_latency(p);
    print_variation(p);
    print_performance(p);
    print_correctness(p);
    print_pace(p);
    printf("\n");
    print_changes(p);
  } else {
    printf("\nnot measured yet\n\n");
  }
  print_history(p);
  printf("next         %s\n", p->next);
  return ASZ_EXIT_OK;
}

static json_t *variation_json(const struct asz_variation *v) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I}", "pairs", (json_int_t)v->pairs, "forward_mean_ns", (json_int_t)v->forward_mean_ns,
                   "forward_max_ns", (json_int_t)v->forward_max_ns, "backward_mean_ns", (json_int_t)v->backward_mean_ns,
                   "backward_max_ns", (json_int_t)v->backward_max_ns);
}

static json_t *sla_json(const struct asz_sla *sla) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "target_ppm", (json_int_t)sla->target_ppm, "down_slots",
                   (json_int_t)sla->down_slots, "budget_slots", (json_int_t)sla->budget_slots, "burn_month_milli",
                   (json_int_t)sla->burn_month_milli, "burn_day_milli", (json_int_t)sla->burn_day_milli, "burn_epoch_milli",
                   (json_int_t)sla->burn_epoch_milli, "credit_ppm", (json_int_t)sla->credit_ppm);
}

static json_t *score_json(const struct asz_score_row *row) {
  const struct asz_score *s = &row->score;
  return json_pack(
      "{s:I, s:i, s:I, s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
      "epoch", (json_int_t)row->epoch, "tier", s->tier, "composite_ppm", (json_int_t)s->composite_ppm, "binding",
      asz_binding_name((enum asz_binding)s->binding), "confidence_ppm", (json_int_t)s->confidence_ppm, "gate_open", s->gate_open,
      "availability_score_ppm", (json_int_t)s->s_availability_ppm, "latency_score_ppm", (json_int_t)s->s_latency_ppm,
      "correctness_score_ppm", (json_int_t)s->s_correctness_ppm, "uptime_ppm", (json_int_t)s->uptime_ppm, "slots_judged",
      (json_int_t)s->slots_judged, "window_uptime_ppm", (json_int_t)s->window_uptime_ppm, "window_slots",
      (json_int_t)s->window_slots, "availability_low_ppm", (json_int_t)s->availability_low_ppm, "slots_missing",
      (json_int_t)s->slots_missing, "loss_ppm", (json_int_t)s->loss_ppm, "rtt_min_ns", (json_int_t)s->rtt_min_ns, "rtt_q50_ns",
      (json_int_t)s->rtt_q50_ns, "rtt_q95_ns", (json_int_t)s->rtt_q95_ns, "rtt_q99_ns", (json_int_t)s->rtt_q99_ns, "rtt_error_ns",
      (json_int_t)s->rtt_error_ns, "e_value_q32", (json_int_t)s->e_value_q32, "variation", variation_json(&s->variation), "sla",
      sla_json(&s->sla));
}

static json_t *times_json(const struct asz_work_times *times) {
  return json_pack("{s:I, s:I, s:I}", "count", (json_int_t)times->count, "min_ns", (json_int_t)times->min_ns, "max_ns",
                   (json_int_t)times->max_ns);
}

static json_t *performance_json(const struct asz_performance_row *row) {
  const struct asz_performance *w = &row->performance;
  uint32_t share_ppm;
  json_t *share = asz_s_performance_ppm(w, &share_ppm) ? json_integer(share_ppm) : json_null();
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "epoch", (json_int_t)row->epoch, "share_ppm", share,
                   "products", times_json(&w->product), "builds", times_json(&w->build), "folds", times_json(&w->fold),
                   "folds_in_bounds", (json_int_t)w->folds_in_bounds, "folds_too_slow", (json_int_t)w->folds_too_slow,
                   "folds_too_fast", (json_int_t)w->folds_too_fast, "folds_untimed", (json_int_t)w->folds_untimed, "arena_bytes",
                   (json_int_t)w->arena_bytes, "claimed_bytes_ps", (json_int_t)w->claimed_bytes_ps);
}

static json_t *incidents_json(const struct asz_profile *p) {
  json_t *list = json_array();
  for (size_t i = 0; i < p->incident_count; i++)
    json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:s}", "at_ns", (json_int_t)p->incident[i].at_ns, "epoch",
                                          (json_int_t)p->incident[i].epoch, "kind", p->incident[i].kind, "detail",
                                          p->incident[i].detail));
  return list;
}

static json_t *slashes_json(const struct asz_profile *p) {
  json_t *list = json_array();
  for (size_t i = 0; i < p->slash_count; i++)
    json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:s}", "id", (json_int_t)p->slash[i].id, "epoch",
                                          (json_int_t)p->slash[i].epoch, "offence",
                                          asz_offence_name((enum asz_offence)p->slash[i].offence), "reason", p->slash[i].reason));
  return list;
}

static json_t *pace_json(const struct asz_eprocess *e) {
  return json_pack("{s:I, s:I, s:I, s:b}", "slots", (json_int_t)e->slots, "slow", (json_int_t)e->wrong, "e_value_q32",
                   (json_int_t)asz_eprocess_value_q32(e), "fired", asz_eprocess_fired(e));
}

static int print_json(const struct asz_profile *p) {
  char key[2 * ASZ_PK_BYTES + 1] = "";
  if (asz_provider_has_key(&p->provider))
    asz_hex_encode(key, p->provider.public_key, sizeof p->provider.public_key);
  return asz_cmd_json(json_pack(
      "{s:s, s:s, s:s?, s:I, s:s, s:b, s:I, s:{s:I, s:I, s:I}, s:o, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:s}", "name",
      p->provider.name, "ip", asz_provider_address(ASZ_TEXT, &p->provider), "key", key[0] ? key : NULL, "device",
      (json_int_t)p->provider.device, "probe", asz_probe_name((enum asz_probe)p->provider.probe), "control", p->provider.control,
      "rtt_target_ns", (json_int_t)p->rtt_target_ns, "correctness", "slots", (json_int_t)p->state.eprocess.slots, "wrong",
      (json_int_t)p->state.eprocess.wrong, "right_low_ppm", (json_int_t)p->right_low_ppm, "pace", pace_json(&p->state.pace),
      "nines_certified", (int)p->nines_certified, "jailed_until_ns", (json_int_t)p->history.jailed_until_ns, "score",
      p->has_score ? score_json(&p->newest) : json_null(), "previous", p->has_previous ? score_json(&p->previous) : json_null(),
      "performance", p->has_performance ? performance_json(&p->performance) : json_null(), "incidents", incidents_json(p),
      "slashing", slashes_json(p), "next", p->next));
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_diag diag = {""};
  struct asz_config config;
  struct asz_store *store;
  struct asz_profile profile;
  const char *name;
  size_t count;
  if (asz_cmd_options("profile", argc, argv, NULL, 0, &name, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("profile", "expected the name of a provider (`assize provider list`)");
  int err = asz_home_open(&context->home, true, &config, NULL, &store, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_profile_load(&profile, store, &config, name, asz_clock_now_ns(), &diag);
  asz_store_close(store);
  if (err) {
    int code = asz_cmd_fail(err, &diag);
    return err == ASZ_ENOENT ? ASZ_EXIT_NO : code;
  }
  int code = context->json ? print_json(&profile) : print_page(&profile);
  asz_profile_free(&profile);
  return code;
}

const struct asz_cmd asz_cmd_profile = {
    .name = "profile",
    .summary = "one page about a provider: scores with their intervals, incidents, what changed",
    .usage = "  assize profile alpha\n"
             "  assize profile alpha --json\n\n"
             "Exit code 1 when no provider has that name. Reads only; works while `run` writes.\n",
    .run = run,
};
