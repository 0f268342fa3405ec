/* SPDX-License-Identifier: Apache-2.0 */
/* The scores' mathematics against reference.py, which computes the same definitions with unbounded integers, fractions and
 * decimals and shares no line with the C. It prints cases with the bounds that each result must keep; see its head. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/score/fixed.h"
#include "control/score/performance.h"
#include "control/score/score_private.h"

enum { SEED = 20261123, CASES = 2000, ARGUMENTS_MAX = 4 };

struct reference_case {
  char name[32];
  uint64_t argument[ARGUMENTS_MAX]; /* two's complement where negative */
  unsigned count;
  __int128 low, high;
};

static __int128 number(const char *text) {
  return text[0] == '-' ? (__int128)strtoll(text, NULL, 10) : (__int128)strtoull(text, NULL, 10);
}

static void parse(struct reference_case *ret_case, char *line) {
  memset(ret_case, 0, sizeof *ret_case);
  char *save = NULL;
  const char *word = strtok_r(line, " \n", &save);
  snprintf(ret_case->name, sizeof ret_case->name, "%s", word);
  while ((word = strtok_r(NULL, " \n", &save)) && strcmp(word, "=") != 0) {
    cr_assert_lt(ret_case->count, ARGUMENTS_MAX);
    ret_case->argument[ret_case->count++] = (uint64_t)number(word);
  }
  if (word) {
    ret_case->low = number(strtok_r(NULL, " \n", &save));
    ret_case->high = number(strtok_r(NULL, " \n", &save));
  }
}

/* The C side of a case. */
static __int128 compute(const struct reference_case *c, struct asz_eprocess *process) {
  const uint64_t *a = c->argument;
  if (!strcmp(c->name, "isqrt"))
    return asz_isqrt_u128((unsigned __int128)a[0] << 64 | a[1]);
  if (!strcmp(c->name, "log2"))
    return asz_log2_q32(a[0]);
  if (!strcmp(c->name, "exp2"))
    return asz_exp2_neg_q32((int64_t)a[0]);
  if (!strcmp(c->name, "wilson"))
    return asz_wilson_low_ppm(a[0], a[1]);
  if (!strcmp(c->name, "effective_n"))
    return asz_effective_n(a[0], a[1], a[2], a[3]);
  if (!strcmp(c->name, "s_availability"))
    return asz_s_availability_ppm((uint32_t)a[0]);
  if (!strcmp(c->name, "s_latency"))
    return asz_s_latency_ppm(a[0], a[1]);
  if (!strcmp(c->name, "composite"))
    return asz_composite_ppm((uint32_t)a[0], (uint32_t)a[1]);
  if (!strcmp(c->name, "s_performance")) {
    const struct asz_performance p = {.arena_bytes = a[0], .claimed_bytes_ps = a[1], .fold = {1, a[2], a[2]}};
    uint32_t share_ppm = 0;
    cr_assert(asz_s_performance_ppm(&p, &share_ppm));
    return share_ppm;
  }
  if (!strcmp(c->name, "eprocess")) {
    asz_eprocess_step(process, a[0] != 0);
    return asz_eprocess_value_q32(process);
  }
  cr_assert_str_eq(c->name, "eprocess_new");
  asz_eprocess_init(process);
  return 0;
}

Test(score_reference, every_function_stays_within_the_bounds_of_the_rational_reference)
{
  const char *source = getenv("ASSIZE_SOURCE");
  if (!source)
    cr_skip_test("ASSIZE_SOURCE is not set: run by `meson test`");
  if (system("python3 -c 'import fractions, decimal' >/dev/null 2>&1"))
    cr_skip_test("python3 is not installed");
  char command[1024];
  snprintf(command, sizeof command, "python3 '%s/tests/control/score/reference.py' %d %d", source, SEED, CASES);
  FILE *pipe = popen(command, "r");
  cr_assert_not_null(pipe);

  char line[512], shown[512];
  size_t cases = 0;
  struct asz_eprocess process;
  asz_eprocess_init(&process);
  while (fgets(line, sizeof line, pipe)) {
    snprintf(shown, sizeof shown, "%.*s", (int)strcspn(line, "\n"), line);
    struct reference_case c;
    parse(&c, line);
    __int128 result = compute(&c, &process);
    cr_assert(c.low <= result && result <= c.high, "seed %d, case %zu: %s: got %lld", SEED, cases, shown, (long long)result);
    cases++;
  }
  cr_assert_eq(pclose(pipe), 0, "the reference failed");
  cr_assert_gt(cases, 10 * CASES);
}
