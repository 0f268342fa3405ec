/* SPDX-License-Identifier: Apache-2.0 */
/* Making a home is all or nothing: each step that succeeded is remembered by how far we came, and a failure takes the steps
 * back in reverse. A key that was made and thrown away in the same call has signed nothing but an empty log that is thrown away
 * with it, so that nobody can have seen it. */
#include "control/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/file.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/durable.h"

static int join(char ret_path[ASZ_PATH_MAX], const char *dir, const char *name) {
  return snprintf(ret_path, ASZ_PATH_MAX, "%s/%s", dir, name) < ASZ_PATH_MAX ? 0 : ASZ_EINVAL;
}

int asz_home_locate(struct asz_home *ret_home, const char *explicit_dir, struct asz_diag *diag) {
  struct asz_home home = {0};
  const char *dir = explicit_dir ? explicit_dir : getenv("ASSIZE_HOME"), *user = getenv("HOME");
  int err = 0;
  if (explicit_dir && !*explicit_dir)
    return asz_diag_set(diag, ASZ_EINVAL, "--home: expected a directory, got an empty name");
  if (dir && *dir)
    err = snprintf(home.dir, sizeof home.dir, "%s", dir) < ASZ_PATH_MAX ? 0 : ASZ_EINVAL;
  else if (user && *user)
    err = join(home.dir, user, ".assize");
  else
    return asz_diag_set(diag, ASZ_EINVAL, "no home: give --home DIR, or set ASSIZE_HOME");
  if (err || join(home.config_path, home.dir, "assize.conf") != 0 || join(home.key_path, home.dir, "validator.key") != 0 ||
      join(home.store_path, home.dir, "store.db") != 0 || join(home.log_path, home.dir, "log") != 0 ||
      join(home.snapshot_path, home.dir, "epoch.snapshot") != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "the home directory's path is too long (over %d bytes)", ASZ_PATH_MAX - 16);
  *ret_home = home;
  return 0;
}

int asz_home_below(char ret_path[ASZ_PATH_MAX], const struct asz_home *home, const char *file, struct asz_diag *diag) {
  bool below = *file != '\0' && *file != '/';
  int length = snprintf(ret_path, ASZ_PATH_MAX, "%s%s%s", below ? home->dir : "", below ? "/" : "", file);
  return length < ASZ_PATH_MAX ? 0 : asz_diag_set(diag, ASZ_ETOOBIG, "%s: expected a shorter path below the home", file);
}

static int write_config(const char *path, const struct asz_config *config, struct asz_diag *diag) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  int err = out ? asz_config_write(out, config) : ASZ_ENOMEM;
  if (out && fclose(out) != 0)
    err = ASZ_ENOMEM;
  err = err ? asz_diag_set(diag, ASZ_ENOMEM, "%s: out of memory", path) : asz_file_write(path, text, size, false, diag);
  free(text);
  return err;
}

static void remove_store(const char *path) {
  static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock"};
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char name[ASZ_PATH_MAX + 16];
    snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
    unlink(name);
  }
}

static int refuse_existing(const struct asz_home *home, struct asz_diag *diag) {
  const char *const paths[] = {home->key_path, home->config_path, home->store_path, home->log_path};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    struct stat stat_buffer;
    if (lstat(paths[i], &stat_buffer) == 0)
      return asz_diag_set(diag, ASZ_EEXIST, "%s: exists already: this home is in use; give another with --home DIR", paths[i]);
  }
  return 0;
}

static int make_directory(const struct asz_home *home, bool *ret_made, struct asz_diag *diag) {
  struct stat stat_buffer;
  if (mkdir(home->dir, 0700) == 0) {
    *ret_made = true;
    return 0;
  }
  if (errno != EEXIST)
    return asz_diag_set(diag, asz_errno_err(errno), "%s: cannot create: %s", home->dir, strerror(errno));
  if (stat(home->dir, &stat_buffer) != 0 || !S_ISDIR(stat_buffer.st_mode))
    return asz_diag_set(diag, ASZ_EEXIST, "%s: expected a directory", home->dir);
  return refuse_existing(home, diag);
}

int asz_home_create(const struct asz_home *home, const struct asz_config *config, struct asz_identity *ret_key,
                    struct asz_diag *diag) {
  struct asz_identity key;
  bool made_directory = false;
  int err = make_directory(home, &made_directory, diag);
  if (err)
    return err;
  err = asz_identity_create(home->key_path, &key, diag);
  if (err)
    goto no_key;
  err = write_config(home->config_path, config, diag);
  if (err)
    goto no_config;
  err = asz_store_create(home->store_path, diag);
  if (err)
    goto no_store;
  err = asz_tlog_create(home->log_path, config->validator_origin, &key, diag);
  if (err)
    goto no_log;
  *ret_key = key;
  asz_identity_wipe(&key);
  return 0;

no_log:
  asz_file_remove_tree(home->log_path);
no_store:
  remove_store(home->store_path);
  unlink(home->config_path);
no_config:
  unlink(home->key_path);
  asz_identity_wipe(&key);
no_key:
  if (made_directory)
    rmdir(home->dir);
  return err;
}

int asz_home_open(const struct asz_home *home, bool read_only, struct asz_config *ret_config, struct asz_identity *ret_key,
                  struct asz_store **ret_store, struct asz_diag *diag) {
  struct asz_config config;
  struct asz_identity key = {0};
  struct asz_store *store = NULL;
  int err = 0;
  if (access(home->config_path, F_OK) != 0 && errno == ENOENT)
    return asz_diag_set(diag, ASZ_ENOENT, "no validator in %s: run `assize init`", home->dir);
  if (ret_config)
    err = asz_config_load(&config, home->config_path, diag);
  if (!err && ret_key)
    err = asz_identity_load(home->key_path, &key, diag);
  if (!err && ret_store)
    err = asz_store_open(&store, home->store_path, read_only, diag);
  if (!err) {
    if (ret_config)
      *ret_config = config;
    if (ret_key)
      *ret_key = key;
    if (ret_store)
      *ret_store = store;
  }
  asz_identity_wipe(&key);
  return err;
}
