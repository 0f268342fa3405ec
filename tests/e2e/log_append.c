/* SPDX-License-Identifier: Apache-2.0 */
/* log_append HOME COUNT: publishes COUNT entries in the log of a home, as `run` would; prints the log's verifier key. */
#include <stdio.h>
#include <stdlib.h>

#include "control/home.h"
#include "control/tlog/tlog.h"

static int append(const struct asz_home *home, uint64_t count, struct asz_diag *diag) {
  struct asz_config config;
  struct asz_identity key;
  struct asz_tlog *log;
  char vkey[ASZ_VKEY_BYTES];
  int err = asz_home_open(home, true, &config, &key, NULL, diag);
  if (!err)
    err = asz_tlog_open(&log, home->log_path, &key, diag);
  if (err)
    return err;
  for (uint64_t i = 0, index; !err && i < count; i++)
    err = asz_tlog_append(log, &i, sizeof i, &index);
  if (!err)
    err = asz_tlog_publish(log, diag);
  asz_tlog_close(log);
  asz_vkey_format(vkey, config.validator_origin, key.public_key);
  asz_identity_wipe(&key);
  puts(vkey);
  return err;
}

int main(int argc, char **argv) {
  struct asz_home home;
  struct asz_diag diag = {""};
  if (argc != 3) {
    fputs("usage: log_append HOME COUNT\n", stderr);
    return 2;
  }
  int err = asz_home_locate(&home, argv[1], &diag);
  if (!err)
    err = append(&home, strtoull(argv[2], NULL, 10), &diag);
  if (err)
    fprintf(stderr, "log_append: %s\n", diag.text);
  return err ? 1 : 0;
}
