/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/base/identity.h"
#include "dataplane/base/log.h"
#include "dataplane/reflector.h"

static void print_json(FILE *out, const struct asz_report *report, const struct asz_resp_counters *counters, uint64_t now_ns) {
  char key[65];
  asz_hex_encode(key, report->provider_pk, 32);
  fprintf(out, "{\"program\":\"assize-responder\",\"provider\":\"%s\",\"uptime_ms\":%" PRIu64 ",", key,
          (now_ns - report->start_ns) / 1000000u);
  asz_resp_counters_json(out, counters);
  for (unsigned i = 0; report->port && i < ASZ_REFLECT_COUNTER_COUNT; i++)
    fprintf(out, ",\"%s\":%" PRIu64, asz_reflect_counter_name(i), report->port[i]);
  fputs("}\n", out);
  fflush(out);
}

static int replace_file(const struct asz_report *report, const struct asz_resp_counters *counters, uint64_t now_ns) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, sizeof temporary, "%s.new", report->file) >= (int)sizeof temporary)
    return ENAMETOOLONG;
  FILE *out = fopen(temporary, "we");
  if (!out)
    return errno;
  print_json(out, report, counters, now_ns);
  const bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed || rename(temporary, report->file) != 0) {
    const int error = errno;
    unlink(temporary);
    return error;
  }
  return 0;
}

static void print_text(FILE *out, const struct asz_report *report, const struct asz_resp_counters *counters) {
  asz_resp_counters_text(out, counters);
  for (unsigned i = 0; report->port && i < ASZ_REFLECT_COUNTER_COUNT; i++)
    if (report->port[i])
      fprintf(out, "%12" PRIu64 "  %-22s  %s\n", report->port[i], asz_reflect_counter_name(i), asz_reflect_counter_help(i));
}

void asz_report_write(const struct asz_report *report, const struct asz_resp_counters *counters, uint64_t now_ns) {
  const int error = report->file ? replace_file(report, counters, now_ns) : 0;
  if (error)
    asz_log(ASZ_LOG_ERROR, "cannot write %s: %s", report->file, strerror(error));
  if (report->json)
    print_json(stdout, report, counters, now_ns);
  if (error || (!report->file && !report->json))
    print_text(stderr, report, counters);
}
