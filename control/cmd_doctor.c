/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/cmd.h"
#include "control/doctor.h"

static const struct {
  const char *name;
  void (*check)(const struct asz_doctor *doctor, struct asz_finding *ret_finding);
} checks[] = {
#define CHECK(symbol, name) {name, asz_doctor_##symbol},
    ASZ_DOCTOR_LIST(CHECK)
#undef CHECK
};
enum { CHECK_COUNT = sizeof checks / sizeof checks[0] };

static const char *const level_names[] = {"OK", "WARN", "FAIL"};

void asz_finding_set(struct asz_finding *finding, enum asz_finding_level level, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  finding->level = level;
  finding->advice[0] = '\0';
  vsnprintf(finding->found, sizeof finding->found, format, arguments);
  va_end(arguments);
}

void asz_finding_advise(struct asz_finding *finding, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(finding->advice, sizeof finding->advice, format, arguments);
  va_end(arguments);
}

static void print_text(const struct asz_finding *findings) {
  for (size_t i = 0; i < CHECK_COUNT; i++) {
    printf("%-4s  %-13s  %s\n", level_names[findings[i].level], checks[i].name, findings[i].found);
    if (findings[i].advice[0])
      printf("%-4s  %-13s  -> %s\n", "", "", findings[i].advice);
  }
}

static int print_json(const struct asz_finding *findings) {
  json_t *list = json_array();
  for (size_t i = 0; i < CHECK_COUNT; i++)
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:s, s:s}", "check", checks[i].name, "level", level_names[findings[i].level],
                                    "found", findings[i].found, "advice", findings[i].advice));
  return asz_cmd_json(json_pack("{s:o}", "checks", list));
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  struct asz_doctor doctor = {.home = &context->home};
  struct asz_finding findings[CHECK_COUNT];
  size_t count;
  if (asz_cmd_options("doctor", argc, argv, NULL, 0, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  doctor.has_config = asz_home_open(doctor.home, true, &doctor.config, NULL, NULL, &doctor.config_diag) == 0;
  if (!doctor.has_config)
    asz_config_default(&doctor.config);
  enum asz_finding_level worst = ASZ_FINDING_OK;
  for (size_t i = 0; i < CHECK_COUNT; i++) {
    checks[i].check(&doctor, &findings[i]);
    worst = findings[i].level > worst ? findings[i].level : worst;
  }
  int code = ASZ_EXIT_OK;
  if (context->json)
    code = print_json(findings);
  else
    print_text(findings);
  return code == ASZ_EXIT_OK && worst == ASZ_FINDING_FAIL ? ASZ_EXIT_NO : code;
}

const struct asz_cmd asz_cmd_doctor = {
    .name = "doctor",
    .summary = "is this machine fit to measure? what to do where it is not",
    .usage =
        "  assize doctor\n"
        "  assize doctor --json\n\n"
        "Every line is OK, WARN (works, worse) or FAIL (`run` will not work), with what to do. Exit code 1 when one is FAIL.\n"
        "Needs no root, no EAL and no home.\n",
    .run = run,
};
