/* SPDX-License-Identifier: Apache-2.0 */
#include "control/lab.h"

#include <assert.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/file.h"
#include "control/lab_provers.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/head.h"
#include "dataplane/base/stamp.h"
#include "dataplane/eal.h"

enum {
  EPOCH_S = 10,
  SHARED_CPU_NS = 10000000,
  CHALLENGE_SLOT_S = 2,
  WORK_EPOCH_S = 30, /* with gemm and mem */
  WORK_SLOT_S = 6,
  WORK_DEADLINE_MS_PER_S = 100,    /* of a slot, each of the five deadlines, which are one behind another ... */
  PRODUCT_DEADLINE_MS_PER_S = 200, /* ... or three, without mem */
  ROUNDS_FOR_S1 = 4,               /* wrong answers in a row that make the e-process fire */
  PUMP_CHALLENGES = 4,             /* proved a turn: the loop stays responsive */
  SYN_ONE_IN = 8,                  /* of the honest providers this share is probed by tcp-syn */
  AUTH_ONE_IN = 4,                 /* of all, where they have keys, by stamp-auth */
  IN_FLIGHT_MS = 600,              /* the delay line holds what is sent in this time: over the slowest provider's delay */
};

struct asz_lab {
  struct asz_lab_options options;
  struct asz_home home;
  bool temporary, eal_started, keyed;
  struct asz_config config;
  struct asz_truth *truth;
  struct asz_lab_trait *trait;
  struct asz_lab_tally *tally;
  struct asz_identity *identity;
  struct asz_lab_seen *seen;
  struct asz_score *score;
  uint32_t *sent;
  struct asz_emulator *emulator;
  struct asz_lab_provers *provers;
  struct asz_lab_terms terms;
  uint16_t peer_port; /* that the question at hand came from */
  uint64_t take_tsc;  /* when it came */
  struct asz_validator validator;
  struct asz_lab_trials trials;
  struct asz_lab_run compared;
};

/* ---- configuration and home ---- */

/* With gemm and mem slots are longer, since one phase of a round waits for the other, and epochs hold several, since an arena is
 * built in the first and folded in the others. */
static void ask_work(struct asz_config *c, const struct asz_lab_options *options) {
  c->time_epoch_s = options->seconds < WORK_EPOCH_S ? options->seconds : WORK_EPOCH_S;
  uint64_t slot_s = c->time_epoch_s < 2 * WORK_SLOT_S ? c->time_epoch_s / 2 : WORK_SLOT_S;
  while (slot_s >= ASZ_LAB_SECONDS_MIN && c->time_epoch_s % slot_s != 0)
    slot_s--;
  const bool folds = slot_s >= ASZ_LAB_SECONDS_MIN; /* there is a slot to build and one to fold */
  c->time_challenge_slot_s = folds ? slot_s : c->time_epoch_s;
  c->challenge_gemm_preset = ASZ_LAB_PRESET; /* the words stand in the order of the presets */
  c->challenge_mem_preset = folds ? ASZ_LAB_PRESET : 0;
  c->challenge_openings = options->openings;
  c->challenge_duty_ppm = 1000000; /* all the work that there is time for */
  c->challenge_rate_ps = 1000 + 16 * (uint64_t)options->providers;
  c->challenge_deadline_ms = c->time_challenge_slot_s * (folds ? WORK_DEADLINE_MS_PER_S : PRODUCT_DEADLINE_MS_PER_S);
  c->challenge_gemm_deadline_ms = c->challenge_opening_deadline_ms = c->challenge_deadline_ms;
  c->challenge_mem_build_deadline_ms = c->challenge_mem_fold_deadline_ms = c->challenge_deadline_ms;
}

static int lab_config(const struct asz_lab_options *options, struct asz_config *ret_config, struct asz_diag *diag) {
  struct asz_config c;
  int err = asz_config_preset(&c, "lab", diag);
  if (err)
    return err;
  uint64_t per_target = 1000000 / options->providers;
  per_target = per_target < 3 ? 3 : per_target > 20 ? 20 : per_target;
  c.probe_interval_ms = 1000 / per_target;
  c.time_epoch_s = options->seconds < EPOCH_S ? options->seconds : EPOCH_S;
  c.time_slot_s = 1;
  c.time_challenge_slot_s = c.time_epoch_s % CHALLENGE_SLOT_S == 0 ? CHALLENGE_SLOT_S : 1;
  c.challenge_seq_log2_steps = 8;
  c.challenge_rate_ps = 1000 + 4 * (uint64_t)options->providers;
  c.challenge_deadline_ms = c.time_challenge_slot_s * 600;
  c.challenge_tries = 2;
  c.challenge_receipts = false; /* the emulator keeps no replies to sign */
  if (options->openings > 0)
    ask_work(&c, options);
  /* The prober shares two CPUs with everything else here: what a preempted prober sends late is still on the emulator's clock. */
  c.probe_late_bound_us = 20000;
  c.probe_fault_bound_ppm = 200000;
  c.probe_sketch_cells = ASZ_SKETCH_CELLS_DEFAULT;
  c.network_local_ip = 0x0a3ffffd; /* 10.63.255.253; nothing of it leaves the process */
  struct asz_emulator_config emulator;
  asz_emulator_config_default(&emulator);
  c.network_gateway_ip = emulator.gateway_ipv4;
  asz_emulator_ipv6(c.network_local_ip6, c.network_local_ip);
  memcpy(c.network_gateway_ip6, asz_emulator_gateway_ipv6, sizeof c.network_gateway_ip6);
  snprintf(c.validator_origin, sizeof c.validator_origin, "assize.example/lab");
  err = asz_config_check(&c, "lab", diag);
  if (!err)
    *ret_config = c;
  return err;
}

static void lab_identity(struct asz_identity *ret_identity, uint64_t seed, uint32_t provider) {
  uint8_t input[12], identity_seed[32];
  asz_be64_store(input, seed);
  asz_be32_store(input + 8, provider);
  const struct asz_hash_part part[] = {ASZ_HASH_TEXT("assize/1/lab"), {input, sizeof input}};
  asz_hash(identity_seed, NULL, 0, part, sizeof part / sizeof part[0]);
  asz_identity_from_seed(ret_identity, identity_seed);
}

/* Cheats are about replies that a key or a reflector stands behind; some of the honest answer as any host does. */
static uint8_t probe_of(const struct asz_lab *lab, uint32_t provider) {
  uint8_t cheat = lab->truth[provider].cheat;
  if (cheat == ASZ_CHEAT_NONE && provider % SYN_ONE_IN == SYN_ONE_IN - 1)
    return ASZ_PROBE_TCP_SYN;
  if (!lab->keyed || cheat == ASZ_CHEAT_KNOWN_ONLY) /* only who asks without a name finds that out */
    return ASZ_PROBE_STAMP;
  if (cheat == ASZ_CHEAT_RELAY) /* a relay shows where the reply says whose it is, whatever its source */
    return ASZ_PROBE_STAMP_TLV;
  return provider % AUTH_ONE_IN == 1 ? ASZ_PROBE_STAMP_AUTH : ASZ_PROBE_STAMP_TLV;
}

/* Those who share devices have a /24 of their own, all others come behind it: they are asked as one group by prefix, and by
 * operator. */
static void network_config(const struct asz_lab *lab, struct asz_emulator_config *ret_config) {
  const uint32_t sharing = asz_scenario_sharing(lab->trait, lab->options.providers);
  asz_emulator_config_default(ret_config);
  if (sharing > 0)
    ret_config->base_ipv4 = (ret_config->base_ipv4 & ~UINT32_C(255)) + 256 - sharing;
}

static int register_providers(struct asz_lab *lab, struct asz_diag *diag) {
  struct asz_emulator_config emulator;
  network_config(lab, &emulator);
  const uint32_t sharing = asz_scenario_sharing(lab->trait, lab->options.providers);
  struct asz_store *store;
  int err = asz_home_open(&lab->home, false, NULL, NULL, &store, diag);
  if (err)
    return err;
  err = asz_store_begin(store, diag);
  for (uint32_t i = 0; !err && i < lab->options.providers; i++) {
    struct asz_provider p = {
        .ipv4 = emulator.base_ipv4 + i,
        .port = ASZ_STAMP_PORT,
        .challenge_port = lab->keyed ? ASZ_CHALLENGE_PORT : 0,
        .probe = probe_of(lab, i),
        .registered_ns = asz_clock_now_ns(),
        /* Its own delay is no provider's fault in a lab that spreads them over three decades; nor is what the emulator loses to
         * this thread where both share a CPU. */
        .rtt_target_ns = asz_lab_farthest_ns(&lab->truth[i]) + SHARED_CPU_NS,
    };
    snprintf(p.name, sizeof p.name, "p%u", i);
    snprintf(p.operator_name, sizeof p.operator_name, "%s", i < sharing ? "sharing" : "");
    if (asz_emulator_has_ipv6(lab->options.ipv6_ppm, i)) {
      asz_emulator_ipv6(p.ipv6, p.ipv4);
      p.ipv4 = 0;
    }
    if (lab->keyed) {
      lab_identity(&lab->identity[i], lab->options.seed, i);
      memcpy(p.public_key, lab->identity[i].public_key, 32);
    }
    err = asz_store_provider_add(store, &p, diag);
  }
  if (!err)
    err = asz_store_commit(store, diag);
  asz_store_close(store);
  return err;
}

static int make_home(struct asz_lab *lab, struct asz_diag *diag) {
  char pattern[ASZ_PATH_MAX];
  const char *dir = lab->options.keep;
  if (!dir) {
    const char *base = getenv("TMPDIR");
    int n = snprintf(pattern, sizeof pattern, "%s/assize-lab-XXXXXX", base && *base ? base : P_tmpdir);
    if (n < 0 || (size_t)n >= sizeof pattern || !mkdtemp(pattern))
      return asz_diag_set(diag, ASZ_EIO, "TMPDIR: cannot make a directory in %s: %m", base && *base ? base : P_tmpdir);
    lab->temporary = true;
    dir = pattern;
  }
  int err = asz_home_locate(&lab->home, dir, diag);
  if (err)
    return err;
  struct asz_identity key;
  err = asz_home_create(&lab->home, &lab->config, &key, diag);
  asz_identity_wipe(&key);
  return err;
}

/* ---- the providers' side of a challenge ---- */

static const struct asz_clock *clock_of(const struct asz_lab *lab) {
  return asz_engine_clock(lab->validator.engine);
}

static void send_answer(void *context, uint32_t provider, const uint8_t *payload, size_t size_bytes, uint64_t leaves_ns) {
  struct asz_lab *lab = context;
  const uint64_t after_ns = leaves_ns - asz_clock_ns(clock_of(lab), lab->take_tsc);
  struct asz_emulator_datagram datagram = {.provider = provider,
                                           .size_bytes = (uint16_t)size_bytes,
                                           .peer_port = lab->peer_port,
                                           .tsc = lab->take_tsc + asz_clock_ticks(clock_of(lab), after_ns)};
  memcpy(datagram.payload, payload, size_bytes);
  while (asz_emulator_answer_send(lab->emulator, &datagram) == ASZ_EAGAIN)
    sched_yield();
}

static void prove(struct asz_lab *lab, const struct asz_emulator_datagram *datagram) {
  struct asz_head head;
  if (asz_head_read(&head, datagram->payload, datagram->size_bytes))
    return;
  lab->peer_port = datagram->peer_port;
  lab->take_tsc = datagram->tsc;
  asz_lab_provers_take(lab->provers, datagram->provider, &lab->validator.roster->session[head.epoch & 1][datagram->provider],
                       datagram->payload, datagram->size_bytes, asz_clock_ns(clock_of(lab), datagram->tsc));
}

static unsigned pump(void *context) {
  struct asz_lab *lab = context;
  struct asz_emulator_datagram datagram;
  unsigned done = 0;
  while (done < PUMP_CHALLENGES && asz_emulator_challenge_recv(lab->emulator, &datagram)) {
    prove(lab, &datagram);
    done++;
  }
  return done;
}

static void on_epoch(void *context, const struct asz_epoch *epoch) {
  struct asz_lab *lab = context;
  asz_emulator_sessions(lab->emulator, epoch->number, lab->keyed ? epoch->session : NULL, lab->validator.roster->hmac);
}

static void on_outcome(void *context, const struct asz_outcome *o) {
  struct asz_lab *lab = context;
  struct asz_lab_seen *seen = &lab->seen[o->provider];
  const struct asz_lab_outcome outcome = {.kind = o->kind,
                                          .param = o->param,
                                          .verdict = o->verdict,
                                          .pace = o->pace,
                                          .is_shut = asz_lab_provers_is_shut(lab->provers, o->provider, o->kind),
                                          .at_once = asz_lab_provers_at_once(lab->provers, o->provider, o->kind)};
  seen->answers_pass += o->verdict == ASZ_VERDICT_PASS;
  seen->answers_fail += o->verdict == ASZ_VERDICT_FAIL;
  seen->answers_missing += o->verdict == ASZ_VERDICT_NONE;
  if (lab->truth[o->provider].cheat == ASZ_CHEAT_NONE)
    asz_lab_tally_add(&lab->tally[o->provider], &lab->trait[o->provider], &outcome);
}

static void on_sealed(void *context, const struct asz_plan *plan, const struct asz_stats *stats) {
  struct asz_lab *lab = context;
  uint64_t slots = asz_measure_slots(plan, stats, lab->validator.roster);
  asz_engine_sent(plan, stats, lab->sent);
  for (uint32_t i = 0; i < plan->target_count; i++)
    asz_lab_seen_add(&lab->seen[i], stats, i, lab->sent[i], asz_measure_slots_of(plan, stats, slots, i));
}

/* ---- life ---- */

/* Main, prober and emulator on the CPUs that this process may use: the prober alone first, the emulator alone next. */
static void lab_lcores(char *ret_text, size_t capacity) {
  cpu_set_t allowed;
  int cpu[3] = {0, 0, 0}, count = 0;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof allowed, &allowed);
  for (int i = 0; i < CPU_SETSIZE && count < 3; i++)
    if (CPU_ISSET(i, &allowed))
      cpu[count++] = i;
  int prober = count > 1 ? cpu[1] : cpu[0], emulator = count > 2 ? cpu[2] : cpu[0];
  snprintf(ret_text, capacity, "0@%d,1@%d,2@%d", cpu[0], prober, emulator);
}

static int start_network(struct asz_lab *lab, struct asz_diag *diag) {
  struct asz_emulator_config config;
  network_config(lab, &config);
  config.provider_count = lab->options.providers;
  config.seed = lab->options.seed;
  config.timeout_ns = lab->config.probe_timeout_ms * 1000000;
  config.interval_ns = lab->config.probe_interval_ms * 1000000;
  config.truth = lab->truth;
  config.ipv6_ppm = lab->options.ipv6_ppm;
  uint64_t in_flight = (uint64_t)lab->options.providers * IN_FLIGHT_MS / lab->config.probe_interval_ms;
  if (in_flight > config.in_flight_max)
    config.in_flight_max = (uint32_t)in_flight;
  char lcores[64];
  lab_lcores(lcores, sizeof lcores);
  /* 0.6 KiB a frame in flight, and the engine's own. */
  unsigned memory_mib = 2 * ASZ_EAL_MEMORY_MIB + config.in_flight_max / 1024;
  int err = asz_eal_start(lcores, NULL, memory_mib, ASZ_EAL_HUGE_AUTO, diag);
  if (err)
    return err;
  lab->eal_started = true;
  /* On two CPUs this thread shares one with the emulator, whose clock matters: it steps aside,
   * but not so far that the providers' proofs come too late (nice 19 did that). */
  setpriority(PRIO_PROCESS, 0, 5);
  int emulator = asz_eal_worker(1); /* worker 0 probes */
  assert(emulator >= 0);            /* we named three lcores */
  config.lcore_id = (unsigned)emulator;
  uint16_t port_id;
  err = asz_emulator_new(&lab->emulator, &config, &port_id, diag);
  if (err)
    return err;
  err = asz_emulator_launch(lab->emulator);
  if (err)
    return asz_diag_set(diag, err, "the emulator's lcore cannot be started: %s", asz_err_str(err));
  return asz_validator_start(&lab->validator, &lab->home, port_id, 0, diag);
}

static int start_provers(struct asz_lab *lab, struct asz_diag *diag) {
  const struct asz_lab_provers_config config = {
      .count = lab->options.providers,
      .identity = lab->identity,
      .validator_pk = lab->validator.roster->validator_pk,
      .truth = lab->truth,
      .trait = lab->trait,
      .seed = lab->options.seed,
      .consents = lab->options.openings > 0,
      .send = send_answer,
      .context = lab,
  };
  int err = lab->keyed ? asz_lab_provers_new(&lab->provers, &config) : 0;
  return err ? asz_diag_set(diag, err, "no memory for the proofs of %u providers", config.count) : 0;
}

static int take_memory(struct asz_lab *lab, struct asz_diag *diag) {
  size_t count = lab->options.providers;
  lab->truth = calloc(count, sizeof *lab->truth);
  lab->trait = calloc(count, sizeof *lab->trait);
  lab->tally = calloc(count, sizeof *lab->tally);
  lab->identity = calloc(lab->keyed ? count : 1, sizeof *lab->identity);
  lab->seen = calloc(count, sizeof *lab->seen);
  lab->score = calloc(count, sizeof *lab->score);
  lab->sent = calloc(count, sizeof *lab->sent);
  return lab->truth && lab->trait && lab->tally && lab->identity && lab->seen && lab->score && lab->sent
             ? 0
             : asz_diag_set(diag, ASZ_ENOMEM, "no memory for %zu emulated providers", count);
}

int asz_lab_new(struct asz_lab **ret_lab, const struct asz_lab_options *options, struct asz_diag *diag) {
  struct asz_lab *lab = calloc(1, sizeof *lab);
  if (!lab)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the lab");
  lab->options = *options;
  lab->keyed = options->providers <= ASZ_LAB_KEYED_MAX;
  int err = lab_config(options, &lab->config, diag);
  lab->terms = (struct asz_lab_terms){.openings = options->openings,
                                      .deadline_ns = lab->config.challenge_deadline_ms * 1000000,
                                      .allowance_ns = SHARED_CPU_NS,
                                      .ipv6_ppm = options->ipv6_ppm};
  if (!err)
    err = take_memory(lab, diag);
  if (!err && options->scenario)
    err = asz_scenario_truth(options->scenario, options->providers, options->seed, lab->truth, diag);
  if (!err && options->scenario)
    err = asz_scenario_traits(options->scenario, lab->truth, options->providers, &lab->terms, lab->trait, diag);
  if (!err && !options->scenario)
    asz_scenario_default(lab->truth, options->providers, options->seed);
  if (!err)
    err = make_home(lab, diag);
  if (!err)
    err = register_providers(lab, diag);
  if (!err)
    err = asz_validator_open(&lab->validator, &lab->home, diag);
  if (!err)
    err = asz_validator_roster(&lab->validator, &lab->home, diag);
  if (!err)
    err = start_provers(lab, diag);
  if (!err)
    err = start_network(lab, diag);
  if (err) {
    asz_lab_free(lab);
    return err;
  }
  *ret_lab = lab;
  return 0;
}

int asz_lab_run(struct asz_lab *lab, bool quiet, struct asz_lab_report *ret_report, struct asz_run_result *ret_result,
                struct asz_diag *diag) {
  struct asz_validator *v = &lab->validator;
  const struct asz_run run = {
      .config = &v->config,
      .engine = v->engine,
      .verifier = v->verifier,
      .roster = v->roster,
      .epochs = v->epochs,
      .hooks = {lab, on_epoch, pump, on_outcome, on_sealed},
      .epochs_max = (uint32_t)((lab->options.seconds + v->config.time_epoch_s - 1) / v->config.time_epoch_s),
      .quiet = quiet,
  };
  struct asz_run_result result;
  int err = asz_run_loop(&run, &result, diag);
  if (err)
    return err;
  asz_emulator_stop(lab->emulator);
  struct asz_checkpoint checkpoint;
  err = asz_tlog_verify(lab->home.log_path, v->key.public_key, &checkpoint, diag);
  if (err)
    return err;
  for (uint32_t i = 0; i < lab->options.providers; i++) {
    lab->seen[i].slashed_s1 = asz_epochs_slashed_s1(v->epochs, i);
    lab->score[i] = *asz_epochs_score(v->epochs, i);
  }
  struct asz_counters counters;
  asz_engine_counters(v->engine, &counters);
  lab->compared = (struct asz_lab_run){
      .provider_count = lab->options.providers,
      .truth = lab->truth,
      .deed = asz_emulator_deeds(lab->emulator),
      .seen = lab->seen,
      .score = lab->score,
      .seed = lab->options.seed,
      .timeout_ns = v->config.probe_timeout_ms * 1000000,
      .latency_bound_ns = ASZ_LAB_LATENCY_BOUND_NS,
      .emulator_faults = asz_emulator_faults(lab->emulator),
      .emulator_strays = asz_emulator_strays(lab->emulator),
      .prober_bad_checksums = counters.value[ASZ_CTR_RX_BAD_CHECKSUM],
      .prober_unsolicited = counters.value[ASZ_CTR_RX_UNSOLICITED],
      .answers_foreign = result.pipeline[ASZ_PCTR_FOREIGN],
      .tlv = lab->keyed,
      .challenged = lab->keyed && result.rounds >= ROUNDS_FOR_S1,
      .answers_counted = true,
      .trait = lab->trait,
      .trials = &lab->trials,
  };
  err = asz_lab_trials_make(&lab->trials, lab->trait, lab->tally, lab->options.providers, &lab->terms);
  if (!err)
    err = asz_lab_report_make(ret_report, &lab->compared);
  if (err)
    return asz_diag_set(diag, err, "cannot compare: %s", asz_err_str(err));
  *ret_result = result;
  return 0;
}

const struct asz_lab_run *asz_lab_compared(const struct asz_lab *lab) {
  return &lab->compared;
}

void asz_lab_free(struct asz_lab *lab) {
  if (!lab)
    return;
  asz_engine_free(lab->validator.engine); /* before the emulator: its buffers are in the emulator's rings */
  lab->validator.engine = NULL;
  asz_emulator_free(lab->emulator);
  asz_lab_provers_free(lab->provers);
  asz_validator_close(&lab->validator);
  if (lab->eal_started)
    asz_eal_stop();
  if (lab->temporary && lab->home.dir[0])
    asz_file_remove_tree(lab->home.dir);
  if (lab->identity)
    sodium_memzero(lab->identity, (lab->keyed ? lab->options.providers : 1) * sizeof *lab->identity);
  free(lab->truth);
  free(lab->trait);
  free(lab->tally);
  free(lab->identity);
  free(lab->seen);
  free(lab->score);
  free(lab->sent);
  free(lab);
}
