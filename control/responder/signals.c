/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

int asz_signals_open(int *ret_fd, struct asz_diag *diag) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  const int fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0)
    return asz_diag_set(diag, ASZ_EIO, "cannot catch signals: %s", strerror(errno));
  *ret_fd = fd;
  return 0;
}

void asz_signals_read(int fd, bool *stop, bool *report) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR1)
      *report = true;
    else
      *stop = true;
  }
}
