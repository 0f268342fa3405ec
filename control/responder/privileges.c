/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int asz_privileges_drop(const char *user, struct asz_diag *diag) {
  const struct passwd *entry = getpwnam(user);
  if (!entry)
    return asz_diag_set(diag, ASZ_ENOENT, "--user: no user '%.80s' on this machine", user);
  /* Groups first: without root they could not be changed any more. */
  if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
    return asz_diag_set(diag, ASZ_EPERM, "--user: cannot become '%.80s': %s", user, strerror(errno));
  return 0;
}
