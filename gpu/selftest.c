/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers that a backend must give before it serves, right ones and wrong ones: a backend that passes everything, or
 * nothing, or follows another rule for odd signatures, is caught here. They go through the verifier's own interface and buffers,
 * so that what is tested is what will serve. Each kind brings its own (gpu/verify_<kind>.c). */
#include <assert.h>

#include "gpu/device.h"
#include "gpu/kind.h"
#include "gpu/kinds/sig.h"

/* Judges as many cases as a batch holds, from number `first` on. Returns how many, or ASZ_ENOTSUP. */
static int test_batch(struct asz_verifier *verifier, const struct asz_verify_kind *kind, unsigned first, struct asz_diag *diag) {
  struct asz_batch *batch = asz_verify_batch(verifier, kind->kind);
  assert(batch); /* a new verifier's batches are free */
  unsigned left = kind->known_count - first;
  unsigned count = left < batch->capacity ? left : batch->capacity;
  for (unsigned i = 0; i < count; i++)
    batch->tag[i] = kind->known_fill(batch, i, first + i);
  batch->count = count;
  asz_verify_submit(verifier, batch);
  struct asz_batch *done;
  do
    done = asz_verify_poll(verifier, 0);
  while (!done);
  assert(done == batch);

  int rc = (int)count;
  for (unsigned i = 0; i < count && rc > 0; i++)
    if (batch->verdict[i] != batch->tag[i])
      rc = asz_diag_set(diag, ASZ_ENOTSUP, "%s is not used: it says '%s' to known answer %u of kind %s, which is '%s'",
                        asz_verify_backend_name(verifier), asz_verdict_name(batch->verdict[i]), first + i,
                        asz_kind_name(kind->kind), asz_verdict_name((enum asz_verdict)batch->tag[i]));
  asz_verify_release(verifier, batch);
  return rc;
}

/* What the answers of a kind rest on: their keys in tables, as many as there is room for; their slot. */
static int prepare(struct asz_verifier *verifier, struct asz_diag *diag) {
  uint8_t preset, beacon[32], rho[32];
  asz_verify_known_slot(&preset, beacon, rho);
  if (asz_verify_kind_serves(verifier, ASZ_KIND_GEMM) && asz_verify_slot_set(verifier, 0, preset, beacon, rho) != 0)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the known answers");
  for (unsigned i = 0; i < ASZ_SIG_KNOWN_COUNT; i++) {
    uint8_t public_key[32];
    asz_known_decode(public_key, 32, asz_sig_known_answers[i].public_key);
    if (asz_verify_key_set(verifier, i, public_key) != 0)
      break; /* no room for more: judged without a table */
  }
  return 0;
}

int asz_verify_self_test(struct asz_verifier *verifier, struct asz_diag *diag) {
  int err = prepare(verifier, diag);
  if (err)
    return err;
  for (unsigned k = 0; k < ASZ_VERIFY_KINDS; k++) {
    if (!asz_verify_kind_serves(verifier, asz_verify_kinds[k]->kind))
      continue;
    for (unsigned first = 0; first < asz_verify_kinds[k]->known_count;) {
      int rc = test_batch(verifier, asz_verify_kinds[k], first, diag);
      if (rc < 0)
        return rc;
      first += (unsigned)rc;
    }
  }
  return 0;
}
