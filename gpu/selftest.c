/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers that a backend must give before it serves, right ones and wrong ones: a backend that passes everything, or
 * nothing, or follows another rule for odd signatures, is caught here. They go through the verifier's own interface and buffers,
 * so that what is tested is what will serve.
 *
 * sig: the table in kinds/sig.h and a message one byte too long. seq: the chain in kinds/seq.h as it is, with one bit flipped in
 * each checkpoint in turn (so each lane of a warp must notice), with another number of steps, and with steps out of range. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/base/identity.h"
#include "gpu/device.h"
#include "gpu/kinds/seq.h"
#include "gpu/kinds/sig.h"

enum {
  SIG_CASES = ASZ_SIG_KNOWN_COUNT + 1,
  SEQ_FLIP_FIRST = 3, /* 0: the chain itself; 1, 2: steps out of range */
  SEQ_OTHER_STEPS = SEQ_FLIP_FIRST + ASZ_SEQ_CHECKPOINTS,
  SEQ_CASES,
};

/* The tables are ours, so a digit that is none is our mistake. */
static void decode_known(uint8_t *ret_bytes, size_t count, const char *text) {
  int rc = asz_hex_decode(ret_bytes, count, text);
  assert(rc == 0);
  (void)rc;
}

/* Each fills item `item` of a batch with one case, and returns the verdict that it must get. */
static enum asz_verdict fill_sig(struct asz_batch *batch, uint32_t item, unsigned number) {
  bool too_long = number == ASZ_SIG_KNOWN_COUNT;
  const struct asz_sig_known *known = &asz_sig_known_answers[too_long ? 0 : number];
  size_t message_bytes = strlen(known->message) / 2;
  decode_known(batch->public_key[item], 32, known->public_key);
  decode_known(batch->signature[item], 64, known->signature);
  decode_known(batch->message[item], message_bytes, known->message);
  batch->message_bytes[item] = (uint8_t)(too_long ? ASZ_SIG_MESSAGE_MAX + 1 : message_bytes);
  return too_long ? ASZ_VERDICT_MALFORMED : (enum asz_verdict)known->verdict;
}

static enum asz_verdict fill_seq(struct asz_batch *batch, uint32_t item, unsigned number) {
  decode_known(batch->seed[item], 32, asz_seq_known_seed);
  for (unsigned j = 0; j < ASZ_SEQ_CHECKPOINTS; j++)
    decode_known(batch->checkpoint[item][j], 32, asz_seq_known_checkpoint[j]);
  batch->log2_steps[item] = ASZ_SEQ_KNOWN_LOG2_STEPS;
  switch (number) {
  case 0:
    return ASZ_VERDICT_PASS;
  case 1:
    batch->log2_steps[item] = ASZ_SEQ_LOG2_MIN - 1;
    return ASZ_VERDICT_MALFORMED;
  case 2:
    batch->log2_steps[item] = ASZ_SEQ_LOG2_MAX + 1;
    return ASZ_VERDICT_MALFORMED;
  case SEQ_OTHER_STEPS:
    batch->log2_steps[item] = ASZ_SEQ_KNOWN_LOG2_STEPS + 1;
    return ASZ_VERDICT_FAIL;
  default:
    batch->checkpoint[item][number - SEQ_FLIP_FIRST][number % 32] ^= (uint8_t)(1 << number % 8);
    return ASZ_VERDICT_FAIL;
  }
}

static const struct known_kind {
  unsigned kind;
  unsigned cases;
  enum asz_verdict (*fill)(struct asz_batch *batch, uint32_t item, unsigned number);
} known_kinds[ASZ_KIND_MAX] = {
    {ASZ_KIND_SIG, SIG_CASES, fill_sig},
    {ASZ_KIND_SEQ, SEQ_CASES, fill_seq},
};

/* Judges as many cases as a batch holds, from number `first` on. Returns how many, or ASZ_ENOTSUP. */
static int test_batch(struct asz_verifier *verifier, const struct known_kind *known, unsigned first, struct asz_diag *diag) {
  enum asz_verdict expected[SIG_CASES > SEQ_CASES ? SIG_CASES : SEQ_CASES];
  struct asz_batch *batch = asz_verify_batch(verifier, known->kind);
  assert(batch); /* a new verifier's batches are free */
  unsigned left = known->cases - first;
  unsigned count = left < batch->capacity ? left : batch->capacity;
  for (unsigned i = 0; i < count; i++)
    expected[i] = known->fill(batch, i, first + i);
  batch->count = count;
  asz_verify_submit(verifier, batch);
  struct asz_batch *done;
  do
    done = asz_verify_poll(verifier, 0);
  while (!done);
  assert(done == batch);

  int rc = (int)count;
  for (unsigned i = 0; i < count && rc > 0; i++)
    if (batch->verdict[i] != expected[i])
      rc = asz_diag_set(diag, ASZ_ENOTSUP, "%s is not used: it says '%s' to known answer %u of kind %s, which is '%s'",
                        asz_verify_backend_name(verifier), asz_verdict_name(batch->verdict[i]), first + i,
                        asz_kind_name(known->kind), asz_verdict_name(expected[i]));
  asz_verify_release(verifier, batch);
  return rc;
}

int asz_verify_self_test(struct asz_verifier *verifier, struct asz_diag *diag) {
  for (unsigned k = 0; k < ASZ_KIND_MAX; k++)
    for (unsigned first = 0; first < known_kinds[k].cases;) {
      int rc = test_batch(verifier, &known_kinds[k], first, diag);
      if (rc < 0)
        return rc;
      first += (unsigned)rc;
    }
  return 0;
}
