/* SPDX-License-Identifier: Apache-2.0 */
/* A lab's scenario: what is accepted gives, for any size of lab, providers within their ranges, the same ones twice, or one line
 * that names the file; what is not leaves such a line. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "control/scenario.h"
#include "dataplane/emulator/faults.h"
#include "tests/fuzz/fuzz.h"

enum { PROVIDERS_MAX = 64, SEED = 3 };

static void check_line(const struct asz_diag *diag) {
  FUZZ_CHECK(strncmp(diag->text, "fuzz.ini", 8) == 0 && strchr(diag->text, '\n') == NULL);
}

static void draw(const struct asz_scenario *scenario, uint32_t count) {
  struct asz_truth truth[PROVIDERS_MAX], again[PROVIDERS_MAX];
  struct asz_diag diag = {""};
  memset(truth, 0x5a, sizeof truth);
  memset(again, 0x5a, sizeof again);
  if (asz_scenario_truth(scenario, count, SEED, truth, &diag) != 0) {
    check_line(&diag);
    return;
  }
  FUZZ_CHECK(asz_scenario_truth(scenario, count, SEED, again, &diag) == 0);
  FUZZ_CHECK(memcmp(truth, again, sizeof truth) == 0);
  for (uint32_t i = 0; i < count; i++)
    FUZZ_CHECK(asz_truth_ok(&truth[i]) && truth[i].delay_ns > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes) {
  struct asz_scenario *scenario = NULL;
  struct asz_diag diag = {""};
  FILE *in = size_bytes ? fmemopen((void *)(uintptr_t)data, size_bytes, "r") : fopen("/dev/null", "r");
  FUZZ_CHECK(in != NULL);
  int err = asz_scenario_read(&scenario, in, "fuzz.ini", &diag);
  fclose(in);
  if (err) {
    FUZZ_CHECK(scenario == NULL);
    check_line(&diag);
    return 0;
  }
  struct asz_scenario_lab lab = asz_scenario_lab(scenario);
  FUZZ_CHECK(lab.providers >= 1 && lab.providers <= ASZ_LAB_PROVIDERS_MAX && lab.seconds >= ASZ_LAB_SECONDS_MIN);
  for (uint32_t count = 1; count <= PROVIDERS_MAX; count *= 4)
    draw(scenario, count);
  asz_scenario_free(scenario);
  return 0;
}
