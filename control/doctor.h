/* SPDX-License-Identifier: Apache-2.0 */
/* asz_doctor: is this machine fit to measure, and this home fit to run? Each check looks at one thing through /proc, /sys and
 * plain system calls, never through EAL, so that it works before anything else does; it says what it found and, unless that is
 * fine, what to do. One line in the list and one function make a new check. */
#ifndef ASZ_CONTROL_DOCTOR_H
#define ASZ_CONTROL_DOCTOR_H

#include <stdbool.h>

#include "control/home.h"

/* X(symbol, name): in the order shown. The machine first, then the home. */
#define ASZ_DOCTOR_LIST(X)                                                                                                       \
  X(clock, "clock")                                                                                                              \
  X(wall_time, "wall time")                                                                                                      \
  X(cpus, "cpus")                                                                                                                \
  X(memory, "memory")                                                                                                            \
  X(huge_pages, "huge pages")                                                                                                    \
  X(locked_memory, "locked memory")                                                                                              \
  X(privileges, "privileges")                                                                                                    \
  X(gpu, "gpu")                                                                                                                  \
  X(versions, "versions")                                                                                                        \
  X(home, "home")                                                                                                                \
  X(key, "key")                                                                                                                  \
  X(port, "port")                                                                                                                \
  X(addresses, "addresses")                                                                                                      \
  X(deny, "deny list")                                                                                                           \
  X(caps, "caps")                                                                                                                \
  X(duty, "duty")                                                                                                                \
  X(store, "store")                                                                                                              \
  X(log, "log")                                                                                                                  \
  X(disk, "disk")

enum asz_finding_level { ASZ_FINDING_OK = 0, ASZ_FINDING_WARN, ASZ_FINDING_FAIL };

struct asz_finding {
  enum asz_finding_level level;
  char found[256];
  char advice[256]; /* "" when OK */
};

/* What the checks look at. The configuration is the home's, or the defaults where it can't be read. */
struct asz_doctor {
  const struct asz_home *home;
  struct asz_config config;
  bool has_config;
  struct asz_diag config_diag; /* why not */
};

/* asz_doctor_<check>: fills *ret_finding. */
#define ASZ_DOCTOR_DECLARE(symbol, name)                                                                                         \
  void asz_doctor_##symbol(const struct asz_doctor *doctor, struct asz_finding *ret_finding);
ASZ_DOCTOR_LIST(ASZ_DOCTOR_DECLARE)
#undef ASZ_DOCTOR_DECLARE

/* asz_finding_set formats what was found; asz_finding_advise what to do. */
void asz_finding_set(struct asz_finding *finding, enum asz_finding_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void asz_finding_advise(struct asz_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
