/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary directory of its own, for one test. */
#ifndef ASZ_TESTS_CONTROL_STORE_FIXTURE_H
#define ASZ_TESTS_CONTROL_STORE_FIXTURE_H

#include "control/store/store_private.h"

struct store_fixture {
  char directory[64];
  char path[96];
  struct asz_diag diag;
};

/* fixture_make makes the directory; fixture_create also the store. fixture_remove takes everything away (also what a failed test
 * left, since the directory is the test's own). */
void fixture_make(struct store_fixture *ret_fixture);
void fixture_create(struct store_fixture *ret_fixture);
void fixture_remove(struct store_fixture *fixture);
/* fixture_open opens for writing and asserts that it worked. */
struct asz_store *fixture_open(struct store_fixture *fixture);

/* A provider number i, unique in every unique field; and one added to the store. */
struct asz_provider fixture_provider(unsigned i);
int64_t fixture_add(struct store_fixture *fixture, struct asz_store *store, unsigned i);
struct asz_epoch_row fixture_epoch(uint32_t epoch);

#endif
