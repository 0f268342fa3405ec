/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/eal.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

enum { ARGUMENTS_MAX = 64, TEXT_BYTES = 2048 };

/* EAL keeps pointers into argv and reorders it: the text lives as long as the process. */
struct arguments {
  int count;
  char *value[ARGUMENTS_MAX + 1];
  char text[TEXT_BYTES];
  size_t used;
};
static struct arguments arguments;
static bool started;

static int argument_add(const char *value, size_t size, struct asz_diag *diag) {
  struct arguments *a = &arguments;
  if (a->count == ARGUMENTS_MAX || size + 1 > sizeof a->text - a->used)
    return asz_diag_set(diag, ASZ_EINVAL, "EAL arguments: more than %d, or longer than %d bytes together", ARGUMENTS_MAX,
                        TEXT_BYTES);
  char *at = a->text + a->used;
  memcpy(at, value, size);
  at[size] = '\0';
  a->value[a->count++] = at;
  a->used += size + 1;
  return 0;
}

/* Splits at blanks: no quoting, since no EAL argument needs a blank inside. */
static int arguments_add_all(const char *text, struct asz_diag *diag) {
  int err = 0;
  while (err == 0) {
    text += strspn(text, " \t");
    size_t size = strcspn(text, " \t");
    if (size == 0)
      break;
    err = argument_add(text, size, diag);
    text += size;
  }
  return err;
}

static int argument_format(struct asz_diag *diag, const char *format, const char *value) {
  char text[TEXT_BYTES];
  int size = snprintf(text, sizeof text, format, value);
  if (size < 0 || (size_t)size >= sizeof text)
    return asz_diag_set(diag, ASZ_EINVAL, "EAL arguments: longer than %d bytes", TEXT_BYTES);
  return argument_add(text, (size_t)size, diag);
}

static unsigned long meminfo(const char *field) {
  unsigned long value = 0;
  char line[128];
  FILE *file = fopen("/proc/meminfo", "re");
  if (file == NULL)
    return 0;
  size_t size = strlen(field);
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, field, size) == 0 && line[size] == ':')
      value = strtoul(line + size + 1, NULL, 10);
  fclose(file);
  return value;
}

static bool huge_enough(size_t memory_mib) {
  return meminfo("HugePages_Free") * meminfo("Hugepagesize") / 1024 >= memory_mib;
}

void asz_eal_lcores(char ret_text[ASZ_EAL_LCORES_BYTES], unsigned workers) {
  cpu_set_t allowed;
  int cpu[ASZ_EAL_WORKERS_MAX + 1] = {0};
  unsigned count = workers < ASZ_EAL_WORKERS_MAX ? workers + 1 : ASZ_EAL_WORKERS_MAX + 1, found = 0;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    for (int i = 0; i < CPU_SETSIZE && found < count; i++)
      if (CPU_ISSET(i, &allowed))
        cpu[found++] = i;
  int size = 0;
  for (unsigned lcore = 0; lcore < count; lcore++)
    size += snprintf(ret_text + size, ASZ_EAL_LCORES_BYTES - (size_t)size, "%s%u@%d", lcore > 0 ? "," : "", lcore,
                     cpu[found > 0 ? lcore % found : 0]);
}

/* How many of the arguments in text begin with `option`. */
static unsigned count_option(const char *text, const char *option) {
  unsigned count = 0;
  for (; text != NULL && *text != '\0'; text += strcspn(text, " \t")) {
    text += strspn(text, " \t");
    count += strncmp(text, option, strlen(option)) == 0;
  }
  return count;
}

/* A device named by -a is a wish to use PCI; without one, scanning the bus would only cost time and privileges. */
static unsigned pci_wanted(const char *extra_args) {
  return count_option(extra_args, "-a") + count_option(extra_args, "--allow");
}

static int arguments_build(const char *lcores, const char *extra_args, unsigned memory_mib, bool huge, struct asz_diag *diag) {
  char default_lcores[ASZ_EAL_LCORES_BYTES], number[32];
  asz_eal_lcores(default_lcores, 1);
  arguments = (struct arguments){0};
  int err = arguments_add_all("assize --no-telemetry --iova-mode=va --log-level=error", diag);
  if (err == 0)
    err = argument_format(diag, "--lcores=%s", lcores != NULL ? lcores : default_lcores);
  snprintf(number, sizeof number, "%ld", (long)getpid());
  if (err == 0)
    err = argument_format(diag, "--file-prefix=assize%s", number);
  if (err == 0) /* both leave no files behind; EAL does not take --in-memory without huge pages */
    err = arguments_add_all(huge ? "--in-memory" : "--no-huge --no-shconf", diag);
  snprintf(number, sizeof number, "%u", memory_mib);
  if (err == 0)
    err = arguments_add_all("-m", diag);
  if (err == 0)
    err = argument_format(diag, "%s", number);
  if (err == 0 && pci_wanted(extra_args) == 0)
    err = arguments_add_all("--no-pci", diag);
  if (err == 0 && extra_args != NULL)
    err = arguments_add_all(extra_args, diag);
  return err;
}

/* EAL has pinned this thread to the main lcore's CPU. */
static void affinity_restore(const cpu_set_t *before) {
  cpu_set_t rest = *before;
  unsigned lcore;
  RTE_LCORE_FOREACH_WORKER(lcore) {
    cpu_set_t worker = rte_lcore_cpuset(lcore);
    for (int i = 0; i < CPU_SETSIZE; i++)
      if (CPU_ISSET(i, &worker))
        CPU_CLR(i, &rest);
  }
  (void)pthread_setaffinity_np(pthread_self(), sizeof rest, CPU_COUNT(&rest) > 0 ? &rest : before);
}

/* EAL prints its usage to stdout when it does not like an argument; stdout is for data. */
static int init_quietly(void) {
  fflush(stdout);
  int kept = dup(STDOUT_FILENO);
  (void)dup2(STDERR_FILENO, STDOUT_FILENO);
  int result = rte_eal_init(arguments.count, arguments.value);
  (void)rmdir(rte_eal_get_runtime_dir()); /* made even when nothing will be in it */
  fflush(stdout);
  if (kept >= 0) {
    (void)dup2(kept, STDOUT_FILENO);
    close(kept);
  }
  return result;
}

int asz_eal_start(const char *lcores, const char *extra_args, unsigned memory_mib, enum asz_eal_huge huge,
                  struct asz_diag *diag) {
  if (started)
    return asz_diag_set(diag, ASZ_EEXIST, "EAL: already started in this process");
  bool use_huge = huge == ASZ_EAL_HUGE_YES || (huge == ASZ_EAL_HUGE_AUTO && huge_enough(memory_mib));
  int err = arguments_build(lcores, extra_args, memory_mib, use_huge, diag);
  if (err != 0)
    return err;
  cpu_set_t before;
  bool affinity_known = pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0;
  const char *devices = extra_args != NULL ? extra_args : "";
  if (init_quietly() < 0)
    return asz_diag_set(diag, ASZ_EDEVICE, "EAL: %s: can't start with %u MiB %s and \"%s\"", rte_strerror(rte_errno), memory_mib,
                        use_huge ? "in huge pages" : "without huge pages", devices);
  /* EAL goes on without a device that it could not make. */
  unsigned wanted = count_option(extra_args, "--vdev") + pci_wanted(extra_args), there = rte_eth_dev_count_avail();
  if (there < wanted) {
    (void)rte_eal_cleanup();
    return asz_diag_set(
        diag, ASZ_EDEVICE,
        "EAL: %u of %u devices of \"%s\" came up: does the interface exist, may we use it (AF_PACKET and AF_XDP need "
        "CAP_NET_RAW and CAP_NET_ADMIN)?",
        there, wanted, devices);
  }
  started = true;
  if (affinity_known)
    affinity_restore(&before);
  return 0;
}

void asz_eal_stop(void) {
  if (!started)
    return;
  started = false;
  (void)rte_eal_cleanup();
}

int asz_eal_worker(unsigned index) {
  unsigned lcore;
  RTE_LCORE_FOREACH_WORKER(lcore) {
    if (index-- == 0)
      return (int)lcore;
  }
  return -1;
}

int asz_eal_port(const char *device) {
  uint16_t port_id;
  if (device != NULL)
    return rte_eth_dev_get_port_by_name(device, &port_id) == 0 ? port_id : -1;
  int found = -1;
  RTE_ETH_FOREACH_DEV(port_id) {
    if (found >= 0)
      return -1;
    found = port_id;
  }
  return found;
}

int asz_eal_huge_used(void) {
  return started && rte_eal_has_hugepages();
}

void *asz_eal_memory_new(size_t size_bytes) {
  enum { PAGE_BYTES = 4096, MIB = 1 << 20 };
  if (!asz_eal_huge_used() || !huge_enough(size_bytes / MIB + 1))
    return NULL;
  return rte_malloc("device", size_bytes, PAGE_BYTES);
}

void asz_eal_memory_free(void *memory) {
  rte_free(memory);
}
