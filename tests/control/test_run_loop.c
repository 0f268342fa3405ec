/* SPDX-License-Identifier: Apache-2.0 */
/* The loop over epochs, with a control thread that is away. A validator in a home of its own, against the emulator. Needs EAL. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/file.h"
#include "control/run.h"
#include "control/validator.h"
#include "dataplane/base/stamp.h"
#include "dataplane/eal.h"
#include "dataplane/emulator/emulator.h"

enum { PROVIDERS = 4, EPOCH_S = 1, EPOCHS = 3 };

static char dir[64];
static struct asz_home home;
static struct asz_truth truth[PROVIDERS];
static struct asz_emulator *emulator;
static struct asz_emulator_config network;
static struct asz_validator validator;
static struct asz_diag diag;
static uint32_t began[EPOCHS + 1], began_count, away_ms;

static void configure(struct asz_config *config) {
  cr_assert_eq(asz_config_preset(config, "lab", &diag), 0, "%s", diag.text);
  config->time_epoch_s = config->time_slot_s = config->time_challenge_slot_s = EPOCH_S;
  config->challenge_deadline_ms = 500;
  config->probe_timeout_ms = 100;
  config->network_local_ip = network.gateway_ipv4 - 1;
  config->network_gateway_ip = network.gateway_ipv4;
  cr_assert_eq(asz_config_check(config, "test", &diag), 0, "%s", diag.text);
}

static void providers_add(void) {
  struct asz_store *store;
  cr_assert_eq(asz_home_open(&home, false, NULL, NULL, &store, &diag), 0, "%s", diag.text);
  for (uint32_t i = 0; i < PROVIDERS; i++) {
    struct asz_provider p;
    asz_provider_init(&p);
    snprintf(p.name, sizeof p.name, "p%u", i);
    p.ipv4 = network.base_ipv4 + i;
    p.port = ASZ_STAMP_PORT;
    p.probe = ASZ_PROBE_STAMP;
    truth[i].delay_ns = 1000000;
    cr_assert_eq(asz_store_provider_add(store, &p, &diag), 0, "%s", diag.text);
  }
  asz_store_close(store);
}

static void setup(void) {
  char lcores[ASZ_EAL_LCORES_BYTES];
  struct asz_config config;
  struct asz_identity key;
  uint16_t port_id;
  asz_emulator_config_default(&network);
  configure(&config);
  snprintf(dir, sizeof dir, "%s/asz_run_loop_XXXXXX", P_tmpdir);
  cr_assert_not_null(mkdtemp(dir));
  cr_assert_eq(asz_home_locate(&home, dir, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_home_create(&home, &config, &key, &diag), 0, "%s", diag.text);
  providers_add();
  cr_assert_eq(asz_validator_open(&validator, &home, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_validator_roster(&validator, &home, &diag), 0, "%s", diag.text);
  asz_eal_lcores(lcores, 2);
  cr_assert_eq(asz_eal_start(lcores, NULL, 2 * ASZ_EAL_MEMORY_MIB, ASZ_EAL_HUGE_NO, &diag), 0, "%s", diag.text);
  network.lcore_id = (unsigned)asz_eal_worker(1);
  network.provider_count = PROVIDERS;
  network.truth = truth;
  network.in_flight_max = 4096;
  cr_assert_eq(asz_emulator_new(&emulator, &network, &port_id, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_emulator_launch(emulator), 0);
  cr_assert_eq(asz_validator_start(&validator, &home, port_id, 0, &diag), 0, "%s", diag.text);
}

static void teardown(void) {
  asz_engine_free(validator.engine);
  validator.engine = NULL;
  asz_emulator_free(emulator);
  asz_validator_close(&validator);
  asz_eal_stop();
  asz_file_remove_tree(dir);
}
TestSuite(run_loop, .init = setup, .fini = teardown, .timeout = 120);

static void on_epoch(void *context, const struct asz_epoch *epoch) {
  (void)context;
  if (began_count <= EPOCHS)
    began[began_count++] = epoch->number;
}

static unsigned pump(void *context) {
  (void)context;
  if (away_ms > 0)
    usleep(away_ms * 1000);
  return 0;
}

static struct asz_run_result run_epochs(void) {
  struct asz_run_result result;
  const struct asz_run run = {.config = &validator.config,
                              .engine = validator.engine,
                              .verifier = validator.verifier,
                              .roster = validator.roster,
                              .epochs = validator.epochs,
                              .hooks = {.on_epoch = on_epoch, .pump = pump},
                              .epochs_max = EPOCHS,
                              .quiet = true};
  cr_assert_eq(asz_run_loop(&run, &result, &diag), 0, "%s", diag.text);
  return result;
}

static void check_all_epochs(const struct asz_run_result *result) {
  cr_assert_eq(result->epochs, EPOCHS);
  cr_assert_eq(began_count, EPOCHS);
  for (uint32_t i = 1; i < EPOCHS; i++)
    cr_assert_eq(began[i], began[0] + i);
}

Test(run_loop, so_many_epochs_as_were_asked_for_are_closed)
{
  struct asz_run_result result = run_epochs();
  check_all_epochs(&result);
}

/* Longer than an epoch and its cooldown, as closing one may take that has a million providers. */
Test(run_loop, a_control_thread_that_misses_the_cooldown_ends_nothing)
{
  away_ms = EPOCH_S * 1000 + 300;
  struct asz_run_result result = run_epochs();
  check_all_epochs(&result);
}
