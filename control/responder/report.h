/* SPDX-License-Identifier: Apache-2.0 */
/* asz_report: where the responder's counters go: a file, stdout as JSON, or stderr as a table for people. */
#ifndef ASZ_CONTROL_RESPONDER_REPORT_H
#define ASZ_CONTROL_RESPONDER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/responder/counters.h"

struct asz_report {
  const char *file; /* NULL: none */
  bool json;        /* a line on stdout */
  uint64_t start_ns;
  const uint8_t *provider_pk; /* 32 bytes */
  const uint64_t *port;       /* ASZ_REFLECT_COUNTER_COUNT counters of the DPDK port; NULL on kernel sockets */
};

/* asz_report_write: to the file (replaced as a whole, so that a reader never sees half of one) and as JSON to stdout, as chosen;
 * to stderr when neither was. A file that cannot be written is logged and no more: counters must not stop the service. */
void asz_report_write(const struct asz_report *report, const struct asz_resp_counters *counters, uint64_t now_ns);

#endif
