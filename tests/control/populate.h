/* SPDX-License-Identifier: Apache-2.0 */
/* populate: a home with a past: four providers, two closed epochs, one recommendation, three log entries. Known figures, so that
 * tests of `status`, `profile`, `slash` and `log` can say what must be shown. */
#ifndef ASZ_TESTS_CONTROL_POPULATE_H
#define ASZ_TESTS_CONTROL_POPULATE_H

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/home.h"
#include "control/tlog/tlog.h"
#include "dataplane/engine.h"

enum { POPULATE_EPOCH = 42, POPULATE_SLASH_INDEX = 1, POPULATE_BUNDLE_BYTES = 1000 };

static const uint64_t populate_now_ns = UINT64_C(1800000000) * 1000000000;

static inline int64_t populate_provider(struct asz_store *store, const char *name, uint32_t ipv4, bool control) {
  struct asz_diag diag = {""};
  struct asz_provider p;
  struct asz_identity identity;
  uint8_t seed[32] = {0};
  seed[0] = (uint8_t)ipv4;
  asz_provider_init(&p);
  asz_identity_from_seed(&identity, seed);
  memcpy(p.public_key, identity.public_key, sizeof p.public_key);
  snprintf(p.name, sizeof p.name, "%s", name);
  p.ipv4 = ipv4;
  p.control = control;
  p.probe = ASZ_PROBE_STAMP_TLV;
  p.port = 862;
  p.registered_ns = populate_now_ns - 1;
  cr_assert_eq(asz_store_provider_add(store, &p, &diag), 0, "%s", diag.text);
  return p.row;
}

static inline void populate_score(struct asz_store *store, int64_t row, uint32_t epoch, uint32_t uptime_ppm, uint64_t q95_ns,
                                  uint32_t wrong) {
  struct asz_diag diag = {""};
  struct asz_score_state state;
  struct asz_slash_history history;
  cr_assert_eq(asz_store_state_load(store, row, &state, &history, &diag), 0, "%s", diag.text);
  for (uint32_t slot = 0; slot < 6; slot++)
    asz_eprocess_step(&state.eprocess, slot < wrong);
  history.s1_open = wrong > 0;
  cr_assert_eq(asz_store_state_save(store, row, &state, &history, &diag), 0, "%s", diag.text);
  struct asz_score_row score = {
      .provider_row = row,
      .epoch = epoch,
      .score = {.uptime_ppm = uptime_ppm,
                .window_uptime_ppm = uptime_ppm,
                .availability_low_ppm = uptime_ppm ? 950000 : 0,
                .slots_judged = 10,
                .window_slots = 20,
                .slots_missing = 460,
                .loss_ppm = ASZ_PPM - uptime_ppm,
                .rtt_min_ns = q95_ns / 2,
                .rtt_q50_ns = q95_ns / 2,
                .rtt_q95_ns = q95_ns,
                .rtt_q99_ns = q95_ns,
                .sla = {.target_ppm = 999900,
                        .down_slots = 3,
                        .budget_slots = 4,
                        .burn_month_milli = 694,
                        .burn_day_milli = 20833,
                        .burn_epoch_milli = UINT32_MAX,
                        .credit_ppm = 100000},
                .s_availability_ppm = uptime_ppm ? 325000 : 0,
                .s_latency_ppm = q95_ns ? ASZ_PPM : 0,
                .s_correctness_ppm = wrong ? 100000 : 900000,
                .e_value_q32 = asz_eprocess_value_q32(&state.eprocess),
                .gate_open = !asz_eprocess_fired(&state.eprocess),
                .composite_ppm = wrong || !uptime_ppm ? 0 : 441000,
                .confidence_ppm = 4000,
                .binding = wrong ? ASZ_BINDING_GATE : ASZ_BINDING_AVAILABILITY},
  };
  cr_assert_eq(asz_store_score_put(store, &score, &diag), 0, "%s", diag.text);
}

static inline void populate_log(const struct asz_home *home, const struct asz_identity *key) {
  struct asz_diag diag = {""};
  struct asz_tlog *log;
  uint64_t index;
  cr_assert_eq(asz_tlog_open(&log, home->log_path, key, &diag), 0, "%s", diag.text);
  for (int i = 0; i < 3; i++)
    cr_assert_eq(asz_tlog_append(log, (uint8_t[]){0xa0, (uint8_t)i}, 2, &index), 0);
  cr_assert_eq(asz_tlog_publish(log, &diag), 0, "%s", diag.text);
  asz_tlog_close(log);
}

static inline void populate_slash(struct asz_store *store, int64_t row) {
  struct asz_diag diag = {""};
  uint8_t bundle[POPULATE_BUNDLE_BYTES];
  struct asz_slash_row slash = {
      .provider_row = row,
      .epoch = POPULATE_EPOCH,
      .at_ns = populate_now_ns,
      .offence = ASZ_OFFENCE_S1,
      .stake_bps = 100,
      .log_index = POPULATE_SLASH_INDEX,
      .reason = "6 wrong signed answers",
  };
  for (size_t i = 0; i < sizeof bundle; i++)
    bundle[i] = (uint8_t)(i * 7);
  crypto_hash_sha256(slash.bundle_hash, bundle, sizeof bundle);
  cr_assert_eq(asz_store_slash_put(store, &slash, bundle, sizeof bundle, &diag), 0, "%s", diag.text);
  cr_assert_eq(slash.id, 1);
  struct asz_incident incident = {.provider_row = row, .epoch = POPULATE_EPOCH, .at_ns = populate_now_ns};
  strcpy(incident.kind, "wrong-answer");
  strcpy(incident.detail, "5 wrong signed challenge answers");
  cr_assert_eq(asz_store_incident_put(store, &incident, &diag), 0, "%s", diag.text);
}

/* populate fills a home that asz_home_create (or `assize init`) made. */
static inline void populate(const struct asz_home *home) {
  struct asz_diag diag = {""};
  struct asz_identity key;
  struct asz_store *store;
  struct asz_epoch_row epoch = {
      .epoch = POPULATE_EPOCH,
      .opened_ns = populate_now_ns - UINT64_C(10000000000),
      .closed_ns = populate_now_ns,
      .provider_count = 4,
      .complete = true,
      .probes_sent = 400,
      .probes_answered = 300,
      .rate_pps = 40,
      .slots_unjudged = 0,
  };
  cr_assert_eq(asz_home_open(home, false, NULL, &key, &store, &diag), 0, "%s", diag.text);
  populate_log(home, &key);
  int64_t honest = populate_provider(store, "honest", 0x0a000001, false);
  int64_t wrong = populate_provider(store, "wrong", 0x0a000002, false);
  int64_t dead = populate_provider(store, "dead", 0x0a000003, false);
  populate_provider(store, "beacon", 0x0a000004, true);
  populate_score(store, honest, POPULATE_EPOCH - 1, ASZ_PPM, 30000000, 0);
  populate_score(store, honest, POPULATE_EPOCH, ASZ_PPM, 20000000, 0);
  populate_score(store, wrong, POPULATE_EPOCH, ASZ_PPM, 20000000, 6);
  populate_score(store, dead, POPULATE_EPOCH, 0, 0, 0);
  cr_assert_eq(asz_store_epoch_put(store, &epoch, &diag), 0, "%s", diag.text);
  populate_slash(store, wrong);
  asz_store_close(store);
  asz_identity_wipe(&key);
}

#endif
