/* SPDX-License-Identifier: Apache-2.0 */
/* asz_verify: batch verification of challenge results behind one interface: submit a batch, poll for finished ones.
 *
 * A batch holds items of one kind as a structure of arrays; verdicts come back in the batch. Backends: `cpu` (the reference:
 * libsodium, plain C) and `cuda`. Every backend gives the same verdict on every byte string; for signatures that verdict is
 * libsodium's crypto_sign_verify_detached. At start each backend must pass the known answers of every kind, or it is not used. On
 * any CUDA error the batch is verified again on the CPU, counted, and later batches stay there.
 *
 * One owner at a time: FREE (pool) -> FILLING (caller) -> READY (verifier) -> DONE (caller again, by poll) -> FREE. One control
 * thread. */
#ifndef ASZ_GPU_VERIFY_H
#define ASZ_GPU_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

enum asz_verdict {
  ASZ_VERDICT_NONE = 0, /* zero is never a pass */
  ASZ_VERDICT_PASS,
  ASZ_VERDICT_FAIL,      /* well-formed and wrong */
  ASZ_VERDICT_MALFORMED, /* cannot be an answer (for sig items: a message longer than ASZ_SIG_MESSAGE_MAX; for seq items: steps
                            out of range) */
  ASZ_VERDICT_UNJUDGED,  /* our own fault */
};
const char *asz_verdict_name(enum asz_verdict verdict);

enum { ASZ_SIG_MESSAGE_MAX = 175 };

enum asz_batch_state { ASZ_BATCH_FREE = 0, ASZ_BATCH_FILLING, ASZ_BATCH_READY, ASZ_BATCH_DONE };

struct asz_batch {
  enum asz_batch_state state;
  uint8_t kind; /* enum asz_kind: which arrays are used */
  uint32_t count, capacity;
  uint8_t *verdict; /* capacity; enum asz_verdict, set by the verifier */
  uint64_t *tag;    /* capacity; the caller's, untouched */
  /* sig */
  uint8_t (*public_key)[32];
  uint8_t (*signature)[64];
  uint8_t (*message)[ASZ_SIG_MESSAGE_MAX + 1];
  uint8_t *message_bytes; /* > ASZ_SIG_MESSAGE_MAX: MALFORMED */
  /* seq */
  uint8_t (*seed)[32];
  uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32];
  uint8_t *log2_steps;
};

enum asz_backend { ASZ_BACKEND_AUTO = 0, ASZ_BACKEND_CPU, ASZ_BACKEND_CUDA };

struct asz_verify_config {
  enum asz_backend backend; /* AUTO: CUDA where a device passes its known answers, else CPU */
  uint32_t batch_capacity;  /* items per batch, 1..65,536; default 16,384 */
  uint32_t batch_count;     /* batches per kind in the pool, 1..16; default 4 */
};
void asz_verify_config_default(struct asz_verify_config *ret_config);

struct asz_verifier;

/* asz_verify_new: ASZ_ENOTSUP when CUDA was asked for and is not there (built without, no device, failed self-test): the diag
 * says which. */
ASZ_MUST_CHECK int asz_verify_new(struct asz_verifier **ret_verifier, const struct asz_verify_config *config,
                                  struct asz_diag *diag);
void asz_verify_free(struct asz_verifier *verifier);
/* asz_verify_backend_name: "cpu" or "cuda: <device name>". */
const char *asz_verify_backend_name(const struct asz_verifier *verifier);

/* asz_verify_batch: a FREE batch of a kind, now FILLING with count 0; NULL when all are in use (back-pressure: the caller waits,
 * the prober never does). */
struct asz_batch *asz_verify_batch(struct asz_verifier *verifier, unsigned kind);
/* asz_verify_submit: FILLING -> READY; asserts count 1..capacity. The CPU backend does its work in poll. */
void asz_verify_submit(struct asz_verifier *verifier, struct asz_batch *batch);
/* asz_verify_poll: one finished batch (DONE), or NULL. The CPU backend verifies at most `budget` items of the oldest READY batch
 * a call (0: all of it), so that a control loop stays responsive. */
struct asz_batch *asz_verify_poll(struct asz_verifier *verifier, uint32_t budget);
void asz_verify_release(struct asz_verifier *verifier, struct asz_batch *batch); /* DONE -> FREE */
/* asz_verify_fallbacks: batches that a device failed on and the CPU took over. */
uint64_t asz_verify_fallbacks(const struct asz_verifier *verifier);

/* The reference, one item at a time, as assize-verify uses it; no pool, no device. */
enum asz_verdict asz_verify_sig_one(const uint8_t public_key[32], const uint8_t signature[64], const uint8_t *message,
                                    size_t size_bytes);
enum asz_verdict asz_verify_seq_one(const uint8_t seed[32], const uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32],
                                    unsigned log2_steps);

#endif
