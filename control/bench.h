/* SPDX-License-Identifier: Apache-2.0 */
/* asz_bench: what this machine can do, or this machine, its port and a reflector of one's own: the real engine at one rate after
 * another (asz_ladder), then once more at the highest clean one with its stages measured. Nothing is scored, logged or stored. */
#ifndef ASZ_CONTROL_BENCH_H
#define ASZ_CONTROL_BENCH_H

#include "control/home.h"
#include "control/ladder.h"
#include "dataplane/engine.h"

enum { ASZ_BENCH_RUNGS_MAX = 128, ASZ_BENCH_SECONDS_MAX = 600 };

struct asz_bench_options {
  const char *responder;         /* name of a control target; NULL: the loopback of this process */
  enum asz_probe kind;           /* of the loopback; a responder is probed by its own */
  uint32_t providers;            /* of the loopback: how many are made up */
  uint64_t seconds;              /* of measuring, at most; setting up and closing come on top */
  uint64_t rate_max_pps;         /* 0: what the configuration allows; of the loopback the engine's highest */
  struct asz_rung_bounds bounds; /* of a clean rate */
};

struct asz_bench_result {
  enum asz_probe kind;
  uint32_t targets; /* providers, or source ports to the responder */
  uint32_t lcores;
  uint64_t tsc_hz, memory_bytes; /* engine and statistics */
  bool huge_pages;
  struct asz_rung rung[ASZ_BENCH_RUNGS_MAX];
  uint32_t rung_count;
  struct asz_rung clean;  /* the last rung at the highest clean rate; asked_pps is 0 when there is none */
  uint64_t bad_pps;       /* the lowest rate that was not clean; 0: none was found */
  bool settled;           /* the search came to its end; else time was up */
  bool interrupted;       /* Ctrl-C: what was measured until then */
  struct asz_rung staged; /* what `stage_ticks` was measured at; asked_pps is 0 when it was not */
  uint64_t stage_ticks[ASZ_STAGE_COUNT], span_ticks;
};

/* asz_bench_run: `home` is only needed with a responder. Shows a live line on stderr where that is a terminal. Starts EAL, and
 * stops it; once in a process. ASZ_ENOENT, ASZ_EPERM: no such provider, one on the deny list, or one that is not the operator's
 * own; the errors of the configuration, of EAL and of the engine. Control thread. */
ASZ_MUST_CHECK int asz_bench_run(struct asz_bench_result *ret_result, const struct asz_bench_options *options,
                                 const struct asz_home *home, struct asz_diag *diag);

#endif
