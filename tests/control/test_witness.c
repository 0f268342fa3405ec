/* SPDX-License-Identifier: Apache-2.0 */
/* The promise of a witness: whatever happens between two requests, it never cosigns two trees of one log of which neither extends
 * the other. HTTP and a second implementation: tests/e2e/witness.py. */
#include <sodium.h>

#include "control/witness.h"
#include "tests/control/tlog/cosigned.h"
#include "tests/control/tlog/power_cut.h"

#define ORIGIN "log.example/watched"

enum { LEAVES = 16, NOW_S = 1700000000 };
static struct asz_identity log_key;
static struct asz_policy *logs;
static char dir[SCRATCH_PATH], place[2 * SCRATCH_PATH];
static uint8_t leaf[2][LEAVES][32]; /* of two histories, the same up to the third entry */

static void setup(void) {
  struct asz_note_key key;
  log_key = cosigned_identity(3);
  asz_note_key_make(&key, ORIGIN, ASZ_NOTE_ED25519, log_key.public_key);
  logs = asz_policy_of_log(&key);
  for (uint8_t history = 0; history < 2; history++)
    for (uint8_t i = 0; i < LEAVES; i++)
      asz_tlog_leaf_hash(leaf[history][i], (uint8_t[]){i < 3 ? 0 : history, i}, 2);
  scratch_make(dir);
  scratch_path(place, dir, "witness");
}

static void teardown(void) {
  free(logs);
  scratch_remove(dir);
}
TestSuite(witness, .init = setup, .fini = teardown);

static struct asz_witness *open_witness(void) {
  struct asz_witness *witness;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_witness_open(&witness, place, logs, &diag), 0, "%s", diag.text);
  return witness;
}

/* The status for growth from old_size to size in one of the histories. */
static unsigned submit(struct asz_witness *witness, unsigned history, uint64_t old_size, uint64_t size) {
  char note[ASZ_TLOG_CHECKPOINT_MAX], *body;
  struct asz_checkpoint checkpoint = {.origin = ORIGIN, .tree_size = size};
  struct asz_add_checkpoint request = {.old_size = old_size, .note = note};
  struct asz_witness_answer answer;
  size_t body_bytes;
  const uint8_t(*d)[32] = (const uint8_t(*)[32])leaf[history];
  asz_tlog_tree_hash(checkpoint.root, d, size);
  cr_assert_gt(asz_checkpoint_sign(note, sizeof note, &checkpoint, &log_key), 0);
  request.note_bytes = strlen(note);
  if (old_size)
    request.path_count = asz_tlog_consistency_make(request.path, d, old_size, size);
  cr_assert_eq(asz_add_checkpoint_format(&body, &body_bytes, &request), 0);
  asz_witness_add_checkpoint(witness, body, body_bytes, NOW_S, &answer);
  cr_assert(answer.status == 200 || !answer.body || strstr(answer.body, "witness.example") == NULL);
  free(body);
  free(answer.body);
  return answer.status;
}

/* Whether monitors are shown a checkpoint of this size. */
static bool shown(struct asz_witness *witness, uint64_t size) {
  uint8_t hash[32];
  char text[65], line[32];
  struct asz_witness_answer answer;
  crypto_hash_sha256(hash, (const uint8_t *)ORIGIN, strlen(ORIGIN));
  asz_hex_encode(text, hash, sizeof hash);
  asz_witness_checkpoint(witness, text, &answer);
  snprintf(line, sizeof line, "\n%lu\n", size);
  bool found = answer.status == 200 && memmem(answer.body, answer.body_bytes, line, strlen(line)) != NULL;
  free(answer.body);
  return found;
}

/* Cuts the power in the request for 9 entries of the first history, then asks for the other history's. True when nothing was cut.
 */
static bool cut_request(unsigned cut, bool renames_lost, unsigned *ret_refused) {
  cr_assert_eq(asz_witness_create(place, "witness.example/w", NULL), 0);
  struct asz_witness *witness = open_witness();
  cr_assert_eq(submit(witness, 0, 0, 3), 200);
  power_cut_at(place, cut, renames_lost);
  unsigned status = submit(witness, 0, 3, 9);
  cr_assert(status == 200 || status == 500);
  bool left = status == 200 || shown(witness, 9);
  bool through = power_cut_end(place) < cut;
  asz_witness_close(witness);
  cr_assert_eq(through, status == 200);

  witness = open_witness();
  unsigned fork = submit(witness, 1, 3, 9);
  if (left)
    cr_assert_neq(fork, 200, "cut at fsync %u", cut);
  if (fork == 200) /* the first history never had a signature of 9, and will not get one */
    cr_assert_neq(submit(witness, 0, 3, 9), 200);
  else /* the state is the new one: the log asks again and gets what the cut took */
    cr_assert_eq(submit(witness, 0, 9, 9), 200, "cut at fsync %u", cut);
  *ret_refused += fork != 200;
  asz_witness_close(witness);
  scratch_remove(place);
  return through;
}

Test(witness, a_power_cut_at_any_fsync_never_leads_to_cosignatures_on_two_trees)
{
  for (int renames_lost = 0; renames_lost < 2; renames_lost++) {
    unsigned refused = 0, cut = 1;
    while (!cut_request(cut, renames_lost, &refused))
      cr_assert_lt(cut++, 50);
    cr_assert_geq(cut, 5); /* two files and their folders were flushed */
    cr_assert_gt(refused, 1);
  }
}

Test(witness, a_state_that_cannot_be_read_refuses_and_a_second_process_does_not_start)
{
  struct asz_witness *witness, *second;
  char name[80], state[128];
  uint8_t hash[32], *kept;
  size_t size;
  cr_assert_eq(asz_witness_open(&witness, place, logs, NULL), ASZ_ENOENT);
  cr_assert_eq(asz_witness_create(place, "two words", NULL), ASZ_EINVAL);
  cr_assert_eq(asz_witness_create(place, "witness.example/w", NULL), 0);
  cr_assert_eq(asz_witness_create(place, "witness.example/w", NULL), ASZ_EEXIST);
  witness = open_witness();
  cr_assert_eq(asz_witness_open(&second, place, logs, NULL), ASZ_EAGAIN);
  cr_assert_eq(submit(witness, 0, 0, 3), 200);
  crypto_hash_sha256(hash, (const uint8_t *)ORIGIN, strlen(ORIGIN));
  asz_hex_encode(name, hash, sizeof hash);
  snprintf(state, sizeof state, "%s/state", name);
  kept = scratch_read(place, state, &size);
  for (size_t cut = 0; cut < size; cut += 7) {
    scratch_write(place, state, kept, cut);
    unsigned status = submit(witness, 0, 3, 5);
    cr_assert_eq(status, 500, "cut at %zu: %u", cut, status);
  }
  scratch_write(place, state, kept, size);
  cr_assert_eq(submit(witness, 1, 4, 5), 409);
  cr_assert_eq(submit(witness, 0, 3, 5), 200);
  cr_assert(shown(witness, 5));
  free(kept);
  asz_witness_close(witness);
}
