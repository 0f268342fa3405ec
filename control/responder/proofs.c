/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/proofs.h"

enum { QUEUE_JOBS = 1024 }; /* 1.4 MiB; a validator's whole slot of `sig` for 1,000 addresses at once */

int asz_proofs_open(struct asz_proofs *ret_proofs, const struct asz_options *options, const struct asz_identity *identity,
                    struct asz_authority *authority, struct asz_limiter *limiter, const uint8_t hash_key[16]) {
  int err = asz_replay_new(&ret_proofs->replay, hash_key);
  if (!err)
    err = asz_workers_new(&ret_proofs->workers, (unsigned)options->workers, QUEUE_JOBS, identity,
                          options->lab_wrong_answers ? ASZ_PROVE_WRONG : ASZ_PROVE_HONEST);
  ret_proofs->path = (struct asz_challenge_path){
      .authority = authority,
      .limiter = limiter,
      .challenge_rate = asz_rate_make(options->challenge_rate, options->challenge_rate),
      .replay = ret_proofs->replay,
      .seq_log2_max = (unsigned)options->seq_log2_max,
  };
  return err;
}

void asz_proofs_close(struct asz_proofs *proofs) {
  asz_workers_free(proofs->workers);
  asz_replay_free(proofs->replay);
}

int asz_proofs_fd(const struct asz_proofs *proofs) {
  return asz_workers_fd(proofs->workers);
}

enum asz_resp_counter asz_proofs_admit(struct asz_proofs *proofs, struct asz_datagram *datagram, uint64_t now_ns) {
  const enum asz_resp_counter outcome = asz_challenge_path_admit(&proofs->path, datagram, now_ns, &proofs->job);
  if (outcome != ASZ_RESP_ANSWERED_CHALLENGES || asz_workers_submit(proofs->workers, &proofs->job) == 0)
    return outcome;
  asz_challenge_path_refused(&proofs->job);
  return ASZ_RESP_DROPPED_QUEUE_FULL;
}

bool asz_proofs_next(struct asz_proofs *proofs, struct asz_datagram *ret_datagram) {
  if (!asz_workers_poll(proofs->workers, &proofs->job))
    return false;
  asz_challenge_path_answered(&proofs->job, ret_datagram);
  return true;
}
