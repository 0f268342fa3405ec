/* SPDX-License-Identifier: Apache-2.0 */
#include "control/deny.h"

#include <string.h>
#include <sys/stat.h>

/* Has the file another face than when it was last looked into? Remembers the new one. */
static bool changed(struct asz_deny *deny) {
  struct stat status;
  struct asz_deny seen = {.modified = {.tv_sec = -1}};
  if (stat(deny->path, &status) == 0) {
    seen.modified = status.st_mtim;
    seen.inode = status.st_ino;
    seen.size_bytes = (uint64_t)status.st_size;
  }
  bool same = seen.modified.tv_sec == deny->modified.tv_sec && seen.modified.tv_nsec == deny->modified.tv_nsec &&
              seen.inode == deny->inode && seen.size_bytes == deny->size_bytes;
  deny->modified = seen.modified;
  deny->inode = seen.inode;
  deny->size_bytes = seen.size_bytes;
  return !same;
}

int asz_deny_look(struct asz_deny *deny, bool force, struct asz_diag *diag) {
  struct asz_prefixes list;
  if (deny->path[0] == '\0' || (!changed(deny) && !force))
    return 0;
  int err = asz_prefixes_load(&list, deny->path, ASZ_PREFIXES_LIST, diag);
  if (err)
    return err;
  asz_prefixes_free(&deny->list);
  deny->list = list;
  return 1;
}

int asz_deny_open(struct asz_deny *ret_deny, const struct asz_home *home, const struct asz_config *config,
                  struct asz_diag *diag) {
  memset(ret_deny, 0, sizeof *ret_deny);
  int err = asz_home_below(ret_deny->path, home, config->probe_deny_file, diag);
  if (!err)
    err = asz_deny_look(ret_deny, true, diag);
  return err < 0 ? err : 0;
}

void asz_deny_close(struct asz_deny *deny) {
  asz_prefixes_free(&deny->list);
  deny->path[0] = '\0';
}

uint32_t asz_deny_apply(const struct asz_deny *deny, struct asz_roster *roster) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < roster->count; i++) {
    struct asz_prefix address;
    asz_provider_prefix(&address, &roster->provider[i], ASZ_PROVIDER_ADDRESS);
    bool denied = asz_prefixes_find(&deny->list, &address) != NULL;
    __atomic_store_n(&roster->target[i].denied, denied, __ATOMIC_RELAXED);
    count += denied;
  }
  return count;
}
