/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of the machine: time, processors, memory, privileges, libraries. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include "control/doctor.h"
#include "control/table.h"
#include "dataplane/base/clock.h"

/* The rest of the first line of a file that begins with `key`, without leading blanks; false when there is none. */
static bool line_of(const char *path, const char *key, char *ret_text, size_t capacity) {
  FILE *in = fopen(path, "re");
  char *line = NULL;
  size_t size = 0;
  bool found = false;
  if (!in)
    return false;
  while (!found && getline(&line, &size, in) > 0) {
    if (strncmp(line, key, strlen(key)) != 0)
      continue;
    const char *rest = line + strlen(key);
    rest += strspn(rest, " \t:");
    snprintf(ret_text, capacity, "%.*s", (int)strcspn(rest, "\n"), rest);
    found = true;
  }
  free(line);
  fclose(in);
  return found;
}

static uint64_t number_of(const char *path, const char *key) {
  char text[64];
  return line_of(path, key, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

static bool has_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)); at += length)
    if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
      return true;
  return false;
}

void asz_doctor_clock(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  (void)doctor;
  enum { MEASURE_MS = 100, ERROR_NS_MAX = 10000 }; /* 10 us: a tenth of the shortest RTT that the lab emulates */
  struct asz_clock clock;
  char flags[8192] = "";
  if (asz_clock_calibrate(&clock, MEASURE_MS) != 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "the time-stamp counter does not advance");
    asz_finding_advise(ret_finding, "use a machine, or a virtual machine's setting, that passes the counter through");
    return;
  }
  line_of("/proc/cpuinfo", "flags", flags, sizeof flags);
  bool x86 = flags[0] != '\0', steady = !x86 || (has_word(flags, "constant_tsc") && has_word(flags, "nonstop_tsc"));
  asz_finding_set(ret_finding, steady && clock.error_ns <= ERROR_NS_MAX ? ASZ_FINDING_OK : ASZ_FINDING_WARN,
                  "counter at %" PRIu64 " kHz, %s; wall clock known within %s", clock.tsc_hz / 1000,
                  steady ? "invariant" : "not invariant", asz_text_ns(ASZ_TEXT, clock.error_ns));
  if (!steady)
    asz_finding_advise(ret_finding, "turn frequency scaling and deep idle states off: round-trip times drift with them");
  else if (clock.error_ns > ERROR_NS_MAX)
    asz_finding_advise(ret_finding, "give the prober a CPU that nothing else uses: reading the clock was interrupted");
}

void asz_doctor_wall_time(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  (void)doctor;
  struct timex timex = {.modes = 0};
  int state = adjtimex(&timex);
  bool synchronised = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
  if (synchronised) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "synchronised, within %s",
                    asz_text_ns(ASZ_TEXT, (uint64_t)timex.maxerror * 1000));
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_WARN, "not known to be synchronised");
  asz_finding_advise(ret_finding, "run chrony or another NTP client: epochs, slots and evidence carry wall time");
}

/* The first CPU that network.lcores names and that is not ours; -1 when all are. Ranges in parentheses are left to EAL. */
static int missing_cpu(const char *lcores, const cpu_set_t *allowed) {
  for (const char *at = lcores; (at = strchr(at, '@')); at++) {
    char *end;
    unsigned long cpu = strtoul(at + 1, &end, 10);
    if (end != at + 1 && (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed)))
      return (int)cpu;
  }
  return -1;
}

void asz_doctor_cpus(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_WARN, "cannot read the CPU set: %s", strerror(errno));
    asz_finding_advise(ret_finding, "check by hand that network.lcores names CPUs of this machine");
    return;
  }
  int count = CPU_COUNT(&allowed), missing = missing_cpu(doctor->config.network_lcores, &allowed);
  if (missing >= 0) {
    asz_finding_set(ret_finding, ASZ_FINDING_FAIL, "network.lcores names CPU %d, which this process may not use", missing);
    asz_finding_advise(ret_finding, "name two of the %d CPUs that it may use (taskset -p $$)", count);
  } else if (count < 2) {
    asz_finding_set(ret_finding, ASZ_FINDING_WARN, "one CPU");
    asz_finding_advise(ret_finding, "use two: the prober needs one of its own, else it judges nobody under load");
  } else {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%d CPUs, those of network.lcores among them", count);
  }
}

void asz_doctor_memory(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  uint64_t available_mib = number_of("/proc/meminfo", "MemAvailable:") / 1024, need_mib = doctor->config.network_memory_mib;
  bool enough = available_mib >= need_mib;
  asz_finding_set(ret_finding, enough ? ASZ_FINDING_OK : ASZ_FINDING_FAIL, "%s MiB available, network.memory_mib takes %s",
                  asz_text_count(ASZ_TEXT, available_mib), asz_text_count(ASZ_TEXT, need_mib));
  if (!enough)
    asz_finding_advise(ret_finding, "lower network.memory_mib, or free memory");
}

/* Free bytes over all sizes of huge pages. */
static uint64_t huge_bytes_free(void) {
  static const char directory[] = "/sys/kernel/mm/hugepages";
  uint64_t bytes = 0;
  DIR *dir = opendir(directory);
  if (!dir)
    return 0;
  for (const struct dirent *entry; (entry = readdir(dir));) {
    char path[sizeof directory + 300];
    unsigned long kib;
    if (sscanf(entry->d_name, "hugepages-%lukB", &kib) != 1)
      continue;
    snprintf(path, sizeof path, "%s/%s/free_hugepages", directory, entry->d_name);
    bytes += number_of(path, "") * kib * 1024;
  }
  closedir(dir);
  return bytes;
}

void asz_doctor_huge_pages(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  enum { WORD_AUTO, WORD_YES, WORD_NO }; /* as network.huge_pages lists them */
  uint64_t free_mib = huge_bytes_free() >> 20, need_mib = doctor->config.network_memory_mib;
  if (doctor->config.network_huge_pages == WORD_NO) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "not used (network.huge_pages = no)");
  } else if (free_mib >= need_mib) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s MiB free", asz_text_count(ASZ_TEXT, free_mib));
  } else {
    asz_finding_set(ret_finding, doctor->config.network_huge_pages == WORD_YES ? ASZ_FINDING_FAIL : ASZ_FINDING_WARN,
                    "%s MiB free of the %s MiB of network.memory_mib", asz_text_count(ASZ_TEXT, free_mib),
                    asz_text_count(ASZ_TEXT, need_mib));
    asz_finding_advise(ret_finding, "as root: sysctl vm.nr_hugepages=%" PRIu64 " (works without, slower)", (need_mib + 1) / 2);
  }
}

void asz_doctor_locked_memory(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  struct rlimit limit = {0};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  uint64_t need = doctor->config.network_memory_mib << 20;
  if (geteuid() == 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= need) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s", geteuid() == 0 ? "root: no limit" : "the limit is high enough");
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_WARN, "at most %s", asz_text_bytes(ASZ_TEXT, limit.rlim_cur));
  asz_finding_advise(ret_finding, "AF_XDP and devices under vfio need more: LimitMEMLOCK=infinity, or ulimit -l unlimited");
}

void asz_doctor_privileges(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  enum { NET_ADMIN = 12, NET_RAW = 13 }; /* linux/capability.h */
  char text[32] = "0";
  line_of("/proc/self/status", "CapEff:", text, sizeof text);
  uint64_t effective = strtoull(text, NULL, 16);
  bool raw = effective >> NET_RAW & 1, admin = effective >> NET_ADMIN & 1;
  bool sockets = strstr(doctor->config.network_eal, "net_af_") != NULL;
  if (!sockets || (raw && admin)) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "%s",
                    raw && admin ? "CAP_NET_RAW and CAP_NET_ADMIN" : "none needed for the port of network.eal");
    return;
  }
  asz_finding_set(ret_finding, ASZ_FINDING_FAIL,
                  "network.eal names a socket device, but CAP_NET_RAW and CAP_NET_ADMIN are missing");
  asz_finding_advise(ret_finding, "run as root, or: setcap cap_net_raw,cap_net_admin,cap_bpf,cap_ipc_lock+ep on the program");
}

void asz_doctor_gpu(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  enum { WORD_AUTO, WORD_CPU, WORD_CUDA }; /* as verify.backend lists them */
  bool driver = access("/proc/driver/nvidia/version", R_OK) == 0, asked = doctor->config.verify_backend == WORD_CUDA;
  if (ASZ_HAVE_CUDA && driver) {
    asz_finding_set(ret_finding, ASZ_FINDING_OK, "built with CUDA, NVIDIA driver loaded");
    return;
  }
  asz_finding_set(ret_finding, asked ? ASZ_FINDING_FAIL : ASZ_FINDING_OK, "%s: the CPU verifies",
                  ASZ_HAVE_CUDA ? "built with CUDA, no NVIDIA driver" : "built without CUDA");
  if (asked)
    asz_finding_advise(ret_finding, "set verify.backend to auto or cpu%s",
                       ASZ_HAVE_CUDA ? ", or load the driver" : ", or build where nvcc is");
}

void asz_doctor_versions(const struct asz_doctor *doctor, struct asz_finding *ret_finding) {
  (void)doctor;
  asz_finding_set(ret_finding, ASZ_FINDING_OK, "assize %s, DPDK %s, libsodium %s, SQLite %s, store schema %d", ASZ_VERSION,
                  ASZ_DPDK_VERSION, sodium_version_string(), ASZ_SQLITE_VERSION, asz_store_schema_version());
}
