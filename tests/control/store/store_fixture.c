/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/store/store_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fixture_make(struct store_fixture *ret_fixture) {
  memset(ret_fixture, 0, sizeof *ret_fixture);
  snprintf(ret_fixture->directory, sizeof ret_fixture->directory, P_tmpdir "/assize-store-XXXXXX");
  cr_assert_not_null(mkdtemp(ret_fixture->directory));
  snprintf(ret_fixture->path, sizeof ret_fixture->path, "%s/assize.db", ret_fixture->directory);
}

void fixture_create(struct store_fixture *ret_fixture) {
  fixture_make(ret_fixture);
  cr_assert_eq(asz_store_create(ret_fixture->path, &ret_fixture->diag), 0, "%s", ret_fixture->diag.text);
}

void fixture_remove(struct store_fixture *fixture) {
  DIR *directory = opendir(fixture->directory);
  cr_assert_not_null(directory);
  const struct dirent *entry;
  while ((entry = readdir(directory)))
    unlinkat(dirfd(directory), entry->d_name, 0); /* fails for . and .. */
  closedir(directory);
  cr_assert_eq(rmdir(fixture->directory), 0);
}

struct asz_store *fixture_open(struct store_fixture *fixture) {
  struct asz_store *store = NULL;
  cr_assert_eq(asz_store_open(&store, fixture->path, false, &fixture->diag), 0, "%s", fixture->diag.text);
  return store;
}

struct asz_provider fixture_provider(unsigned i) {
  struct asz_provider provider;
  memset(&provider, 0, sizeof provider); /* padding too: tests compare the memory */
  snprintf(provider.name, sizeof provider.name, "provider-%u", i);
  snprintf(provider.region, sizeof provider.region, "region-%u", i % 4);
  snprintf(provider.operator_name, sizeof provider.operator_name, "operator-%u", i % 5);
  provider.public_key[0] = 1;
  memcpy(provider.public_key + 4, &i, sizeof i);
  provider.device = i % 3;
  provider.ipv4 = 0x0a000001 + i;
  provider.port = 862;
  provider.challenge_port = 8620;
  provider.flags = 1;
  provider.control = i % 7 == 0;
  provider.rtt_target_ns = i * UINT64_C(1000);
  if (i % 3 == 1) {
    provider.hmac_secret_bytes = (uint8_t)(ASZ_HMAC_SECRET_BYTES_MIN + i % 17);
    memset(provider.hmac_secret, (int)(i | 1), provider.hmac_secret_bytes);
  }
  provider.registered_ns = UINT64_C(1700000000000000000) + i;
  return provider;
}

int64_t fixture_add(struct store_fixture *fixture, struct asz_store *store, unsigned i) {
  struct asz_provider provider = fixture_provider(i);
  cr_assert_eq(asz_store_provider_add(store, &provider, &fixture->diag), 0, "%s", fixture->diag.text);
  return provider.row;
}

struct asz_epoch_row fixture_epoch(uint32_t epoch) {
  struct asz_epoch_row row;
  memset(&row, 0, sizeof row);
  row.epoch = epoch;
  row.opened_ns = UINT64_C(1700000000000000000) + epoch;
  row.closed_ns = UINT64_C(1700003600000000000) + epoch;
  memset(row.secret, 0x11, sizeof row.secret);
  memset(row.beacon, 0x22, sizeof row.beacon);
  memset(row.params_hash, 0x33, sizeof row.params_hash);
  memset(row.report_root, (int)(epoch & 0xff), sizeof row.report_root);
  row.open_index = 2 * epoch;
  row.close_index = 2 * epoch + 1;
  row.provider_count = 44000;
  row.complete = epoch % 2 == 0;
  row.probes_sent = 1000 + epoch;
  row.probes_answered = 900 + epoch;
  row.faults.count[epoch % ASZ_FAULT_COUNT] = 7 + epoch;
  row.rate_pps = 17;
  row.slots_unjudged = 3;
  return row;
}
