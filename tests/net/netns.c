/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/netns.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 32 };

static int open_own(void) {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void netns_enter(int fd) {
  cr_assert_eq(setns(fd, CLONE_NEWNET), 0, "cannot enter a network namespace");
}

/* In a child of fork: never returns. Quiet: `ip` of netns_unavailable may fail. */
static void exec_ip(int fd, const char *const *words, int quiet) {
  const char *argv[WORDS_MAX + 2] = {"ip"};
  for (unsigned i = 0; words[i] && i < WORDS_MAX; i++)
    argv[i + 1] = words[i];
  if (fd >= 0 && setns(fd, CLONE_NEWNET) != 0)
    _exit(126);
  if (quiet && !freopen("/dev/null", "w", stderr))
    _exit(126);
  execvp("ip", (char *const *)argv);
  _exit(127);
}

static int wait_status(pid_t pid) {
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    return -1;
  return WEXITSTATUS(status);
}

int netns_ip(int fd, const char *const *words) {
  const pid_t pid = fork();
  if (pid == 0)
    exec_ip(fd, words, 0);
  return wait_status(pid);
}

void netns_ip_assert(int fd, const char *const *words) {
  char line[512] = "ip";
  for (unsigned i = 0; words[i]; i++) {
    strncat(line, " ", sizeof line - strlen(line) - 1);
    strncat(line, words[i], sizeof line - strlen(line) - 1);
  }
  const int status = netns_ip(fd, words);
  cr_assert_eq(status, 0, "`%s` ended with %d", line, status);
}

const char *netns_unavailable(void) {
  if (geteuid() != 0)
    return "needs root for network namespaces";
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWNET) != 0)
      _exit(100);
    exec_ip(-1, (const char *const[]){"link", "add", "probe0", "type", "veth", "peer", "name", "probe1", NULL}, 1);
  }
  switch (wait_status(pid)) {
  case 0:
    return NULL;
  case 100:
    return "this machine allows no network namespaces";
  case 127:
    return "needs `ip` from iproute2";
  default:
    return "this kernel makes no veth pairs";
  }
}

int netns_new(void) {
  const int own = open_own();
  cr_assert_geq(own, 0);
  cr_assert_eq(unshare(CLONE_NEWNET), 0, "cannot make a network namespace");
  const int made = open_own();
  cr_assert_geq(made, 0);
  netns_enter(own);
  close(own);
  netns_ip_ok(made, "link", "set", "lo", "up");
  return made;
}

void netns_checksums_in_software(const char *device) {
  struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
  struct ifreq ask = {.ifr_data = (char *)&off};
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  cr_assert_geq(fd, 0);
  strncpy(ask.ifr_name, device, sizeof ask.ifr_name - 1);
  cr_assert_eq(ioctl(fd, SIOCETHTOOL, &ask), 0, "%s keeps its checksum offload", device);
  close(fd);
}

static void set_up(int fd, const char *device, const char *address) {
  if (address)
    netns_ip_ok(fd, "address", "add", address, "dev", device);
  netns_ip_ok(fd, "link", "set", device, "up");
}

void netns_pair_make(struct netns_pair *ret_pair, const char *left_device, const char *left_address, const char *right_device,
                     const char *right_address) {
  ret_pair->left = netns_new();
  ret_pair->right = netns_new();
  char right_path[64]; /* `ip` takes a path for a namespace, and this process holds one */
  snprintf(right_path, sizeof right_path, "/proc/%d/fd/%d", (int)getpid(), ret_pair->right);
  netns_ip_ok(ret_pair->left, "link", "add", left_device, "type", "veth", "peer", "name", right_device, "netns", right_path);
  set_up(ret_pair->left, left_device, left_address);
  set_up(ret_pair->right, right_device, right_address);
}

void netns_pair_close(struct netns_pair *pair) {
  close(pair->left);
  close(pair->right);
}
