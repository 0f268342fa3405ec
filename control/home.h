/* SPDX-License-Identifier: Apache-2.0 */
/* asz_home: the directory of one validator, and the options that every subcommand shares.
 *
 *   HOME/assize.conf      configuration (asz_config)
 *   HOME/validator.key    identity, 0600 (asz_identity); signs checkpoints and evidence
 *   HOME/store.db         SQLite store
 *   HOME/log/             transparency log: serve it with any web server
 *   HOME/epoch.snapshot   while an epoch runs: what it has measured (asz_snapshot)
 * Chosen by --home DIR, else $ASSIZE_HOME, else $HOME/.assize. */
#ifndef ASZ_CONTROL_HOME_H
#define ASZ_CONTROL_HOME_H

#include <stdbool.h>

#include "control/config.h"
#include "control/store/store.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/identity.h"

enum { ASZ_PATH_MAX = 4096 };

struct asz_home {
  char dir[ASZ_PATH_MAX];
  char config_path[ASZ_PATH_MAX], key_path[ASZ_PATH_MAX], store_path[ASZ_PATH_MAX], log_path[ASZ_PATH_MAX];
  char snapshot_path[ASZ_PATH_MAX];
};

/* asz_home_locate only makes the paths (explicit_dir may be NULL). ASZ_EINVAL when too long or nothing is set. */
ASZ_MUST_CHECK int asz_home_locate(struct asz_home *ret_home, const char *explicit_dir, struct asz_diag *diag);
/* asz_home_below: the path of a file that a configuration names: as it is when it begins with '/', else below the home; "" stays
 * "". ASZ_ETOOBIG. */
ASZ_MUST_CHECK int asz_home_below(char ret_path[ASZ_PATH_MAX], const struct asz_home *home, const char *file,
                                  struct asz_diag *diag);
/* asz_home_create: directory 0700, key, config file, store, log with its first checkpoint. Refuses a directory that already holds
 * any of them (ASZ_EEXIST); removes what it made when a step fails. */
ASZ_MUST_CHECK int asz_home_create(const struct asz_home *home, const struct asz_config *config, struct asz_identity *ret_key,
                                   struct asz_diag *diag);
/* asz_home_open loads config and key and opens the store; "no validator in DIR: run `assize init`" when there is none. Any ret
 * may be NULL: then that part is not opened. */
ASZ_MUST_CHECK int asz_home_open(const struct asz_home *home, bool read_only, struct asz_config *ret_config,
                                 struct asz_identity *ret_key, struct asz_store **ret_store, struct asz_diag *diag);

#endif
