/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/proofs.h"

#include <string.h>

#include "control/responder/consent.h"
#include "control/responder/prover.h"
#include "dataplane/base/hash.h"

enum { QUEUE_JOBS = 1024 }; /* 2 MiB; a validator's whole slot of `sig` for 1,000 addresses at once */

static const uint64_t bytes_per_mib = UINT64_C(1) << 20;

/* Another secret of the same origin. */
static void make_token_secret(uint8_t ret_secret[16], const uint8_t hash_key[16]) {
  uint8_t hash[32];
  asz_hash(hash, hash_key, 16, &ASZ_HASH_TEXT("assize/1/token"), 1);
  memcpy(ret_secret, hash, 16);
}

int asz_proofs_open(struct asz_proofs *ret_proofs, const struct asz_options *options, const struct asz_identity *identity,
                    struct asz_authority *authority, struct asz_limiter *limiter, const uint8_t hash_key[16],
                    struct asz_diag *diag) {
  struct asz_declaration declaration;
  asz_prove_device_open_fn *open = NULL;
  const bool with_works = asz_consent_declare(&declaration, options);
  int err = with_works ? asz_prover_choose(&open, options, asz_prove_cuda_open, diag) : 0;
  if (!err)
    err = asz_replay_new(&ret_proofs->replay, hash_key);
  if (!err && with_works)
    err = asz_works_new(&ret_proofs->works, options->work_mib * bytes_per_mib, (unsigned)options->workers);
  if (!err && with_works)
    asz_works_use(ret_proofs->works, open);
  if (!err)
    err = asz_receipts_new(&ret_proofs->receipts, asz_authority_count(authority));
  if (!err)
    err = asz_workers_new(&ret_proofs->workers, (unsigned)options->workers, QUEUE_JOBS, identity,
                          options->lab_wrong_answers ? ASZ_PROVE_WRONG : ASZ_PROVE_HONEST, with_works);
  ret_proofs->path = (struct asz_challenge_path){
      .authority = authority,
      .limiter = limiter,
      .challenge_rate = asz_rate_make(options->challenge_rate, options->challenge_rate),
      .replay = ret_proofs->replay,
      .declaration = declaration,
      .works = ret_proofs->works,
      .duty = asz_duty_make(options->duty_ppm),
      .receipts = ret_proofs->receipts,
  };
  asz_identity_short(ret_proofs->path.provider_id, identity->public_key);
  make_token_secret(ret_proofs->path.token_secret, hash_key);
  return err;
}

void asz_proofs_close(struct asz_proofs *proofs) {
  asz_workers_free(proofs->workers); /* first: they read the others */
  asz_receipts_free(proofs->receipts);
  asz_works_free(proofs->works);
  asz_replay_free(proofs->replay);
}

int asz_proofs_fd(const struct asz_proofs *proofs) {
  return asz_workers_fd(proofs->workers);
}

enum asz_resp_counter asz_proofs_admit(struct asz_proofs *proofs, struct asz_datagram *datagram, uint64_t now_ns) {
  const enum asz_resp_counter outcome = asz_challenge_path_admit(&proofs->path, datagram, now_ns, &proofs->job);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES || asz_workers_submit(proofs->workers, &proofs->job) == 0)
    return outcome;
  asz_challenge_path_refused(&proofs->path, &proofs->job, now_ns);
  return ASZ_RESP_DROPPED_QUEUE_FULL;
}

bool asz_proofs_next(struct asz_proofs *proofs, uint64_t now_ns, struct asz_datagram *ret_datagram,
                     enum asz_resp_counter *ret_outcome) {
  while (asz_workers_poll(proofs->workers, &proofs->job))
    if (asz_challenge_path_answered(&proofs->path, &proofs->job, now_ns, ret_datagram, ret_outcome))
      return true;
  if (!asz_proofs_waiting(proofs))
    return false;
  struct asz_challenge_path *path = &proofs->path;
  *ret_outcome = asz_chunks_next(&path->chunks, path->limiter, path->provider_id, now_ns, ret_datagram);
  return true;
}

bool asz_proofs_waiting(const struct asz_proofs *proofs) {
  return asz_chunks_waiting(&proofs->path.chunks);
}
