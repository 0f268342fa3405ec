/* SPDX-License-Identifier: Apache-2.0 */
/* asz_verify: batch verification of challenge results behind one interface: submit a batch, poll for finished ones.
 *
 * A batch holds items of one kind as a structure of arrays; verdicts come back in the batch. Backends: `reference` (libsodium and
 * plain C, one item at a time), `cpu` (the fastest instructions that this machine has) and `cuda`. Every backend gives the same
 * verdict on every byte string; for signatures that verdict is libsodium's crypto_sign_verify_detached. At start each backend
 * must pass the known answers of every kind, or it is not used. On any CUDA error the batch is verified again on the CPU,
 * counted, and later batches stay there.
 *
 * Two things are told to the verifier in advance, because they save most of the work: the keys that will sign
 * (asz_verify_key_set), and the secrets of a slot by which openings are judged (asz_verify_slot_set).
 *
 * One owner at a time: FREE (pool) -> FILLING (caller) -> READY (verifier) -> DONE (caller again, by poll) -> FREE. A batch is
 * due when it is full or its first item has waited for a deadline. With a device several are in flight, small ones are the CPU's,
 * and while the device has the oldest, the CPU judges those of its own behind it. One control thread. */
#ifndef ASZ_GPU_VERIFY_H
#define ASZ_GPU_VERIFY_H

#include <stdbool.h>
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

enum {
  ASZ_SIG_MESSAGE_MAX = 175,
  ASZ_VERIFY_SLOTS = 4, /* a running slot and the one before, of two presets */
};
#define ASZ_KEY_NONE UINT32_MAX

enum asz_batch_state { ASZ_BATCH_FREE = 0, ASZ_BATCH_FILLING, ASZ_BATCH_READY, ASZ_BATCH_DONE };

struct asz_batch {
  enum asz_batch_state state;
  uint8_t kind; /* enum asz_kind: which arrays are used */
  uint32_t count, capacity;
  uint8_t *verdict; /* capacity; enum asz_verdict, set by the verifier */
  uint64_t *tag;    /* capacity; the caller's, untouched */
  /* sig */
  uint32_t *key; /* where asz_verify_key_set put public_key; ASZ_KEY_NONE, or another key there: judged without a table */
  uint8_t (*public_key)[32];
  uint8_t (*signature)[64];
  uint8_t (*message)[ASZ_SIG_MESSAGE_MAX + 1];
  uint8_t *message_bytes; /* > ASZ_SIG_MESSAGE_MAX: MALFORMED */
  /* seq; the seed also of gemm and mem */
  uint8_t (*seed)[32];
  uint8_t (*checkpoint)[ASZ_SEQ_CHECKPOINTS][32];
  uint8_t *log2_steps;
  /* gemm: an opened column an item, also of the build of an arena; mem: one of a fold. All of one slot, so of one preset. */
  uint32_t slot;        /* of asz_verify_slot_set */
  size_t opening_bytes; /* of each: what asz_gemm_opening_bytes or asz_mem_opening_bytes says; else all are MALFORMED */
  uint8_t *opening;     /* one after the other; room for capacity of the largest preset */
  uint32_t (*pick)[2];  /* t and j, in range */
  uint8_t (*root)[32];  /* of the answer; of a fold: its arena's */
  uint8_t (*fold_seed)[32], (*z_root)[32]; /* mem */
  uint8_t *reason;                         /* enum asz_gemm_reason, beside the verdict */
};

enum asz_backend { ASZ_BACKEND_AUTO = 0, ASZ_BACKEND_CPU, ASZ_BACKEND_CUDA, ASZ_BACKEND_REFERENCE };

struct asz_verify_config {
  enum asz_backend backend; /* AUTO: CUDA where a device passes its known answers, else CPU */
  uint32_t batch_capacity;  /* items per batch, 1..65,536; default 16,384 */
  uint32_t batch_count;     /* batches per kind in the pool, 1..16; default 4 */
  uint32_t key_capacity;    /* known keys, 0..2^24; default 0 */
  size_t key_table_bytes;   /* memory for each, on the CPU (gpu/simd/sig.h); default ASZ_SIG_TABLE_DEFAULT */
  uint8_t preset_max;       /* openings of presets (enum asz_gemm_preset) up to this value; 0: none are judged; default 0 */
  uint32_t openings;        /* openings per batch, 1..65,536; default 1,024 */
  uint32_t deadline_us;     /* from a batch's first item until it is due; default 500 */
  void *memory;             /* for the batches' arrays: the caller's, page-aligned, until after free; a device pins it where it
                               lies, so huge pages are best. NULL, the default: memory of our own */
  size_t memory_bytes;      /* of memory: asz_verify_footprint at least (asserted) */
};
void asz_verify_config_default(struct asz_verify_config *ret_config);

/* asz_verify_footprint: bytes of the arrays of all batches; 0 for a configuration that asz_verify_new refuses. */
size_t asz_verify_footprint(const struct asz_verify_config *config);

struct asz_verifier;

/* asz_verify_new: ASZ_ENOTSUP when CUDA was asked for and is not there (built without, no device, failed self-test): the diag
 * says which. */
ASZ_MUST_CHECK int asz_verify_new(struct asz_verifier **ret_verifier, const struct asz_verify_config *config,
                                  struct asz_diag *diag);
void asz_verify_free(struct asz_verifier *verifier);
/* asz_verify_backend_name: "reference", "cpu: sig ifma, seq avx512, gemm avx512" or the like, or "cuda: <device name>". */
const char *asz_verify_backend_name(const struct asz_verifier *verifier);

/* asz_verify_key_set: the key of index `key`, new or in the place of another; some 100 us, nothing when it is there already. Not
 * while an item of another key of this index is READY. ASZ_ERANGE: key >= key_capacity; ASZ_EAGAIN: a device is at work. Either
 * way its items may be judged, as those of a key that is not known. */
ASZ_MUST_CHECK int asz_verify_key_set(struct asz_verifier *verifier, uint32_t key, const uint8_t public_key[32]);
/* asz_verify_slot_set: openings of batches with this slot number (under ASZ_VERIFY_SLOTS, asserted) belong to this preset (1..
 * preset_max, asserted), beacon and reveal from here on; up to 100 ms. Not while a batch of that slot is READY. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_verify_slot_set(struct asz_verifier *verifier, uint32_t slot, uint8_t preset, const uint8_t beacon[32],
                                       const uint8_t rho[32]);

/* asz_verify_batch: a FREE batch of a kind, now FILLING with count 0; NULL when all are in use (back-pressure: the caller waits,
 * the prober never does). */
struct asz_batch *asz_verify_batch(struct asz_verifier *verifier, unsigned kind);
/* asz_verify_due: should a FILLING batch be submitted now: it is full, or deadline_us are over since the first call that found an
 * item in it? now_ns: of a clock that does not go back. To be asked after filling, and whenever time has passed. */
bool asz_verify_due(struct asz_verifier *verifier, const struct asz_batch *batch, uint64_t now_ns);
/* asz_verify_submit: FILLING -> READY; asserts count 1..capacity. The CPU backend does its work in poll. */
void asz_verify_submit(struct asz_verifier *verifier, struct asz_batch *batch);
/* asz_verify_poll: the oldest READY batch when it is finished (DONE), or NULL. The CPU goes on with the oldest batch that is its
 * own for `budget` items at most (0: all of it), so that a control loop stays responsive; of seq for `budget` times 8,192 steps,
 * in the middle of an item where it must. */
struct asz_batch *asz_verify_poll(struct asz_verifier *verifier, uint32_t budget);
void asz_verify_release(struct asz_verifier *verifier, struct asz_batch *batch); /* DONE -> FREE */
/* asz_verify_fallbacks: batches that a device failed on and the CPU took over. */
uint64_t asz_verify_fallbacks(const struct asz_verifier *verifier);
/* asz_verify_unpinned: batches whose memory the device could not pin (a limit on locked memory, mostly): their copies are slower,
 * nothing else. */
uint32_t asz_verify_unpinned(const struct asz_verifier *verifier);

/* asz_verify_picks: which columns (step, column) an answer of kind gemm or mem has to open: `count` (1..32) of them by the slot's
 * reveal. root: of the answer; of a fold the root over the folds. Pure. */
void asz_verify_picks(uint32_t (*ret_pick)[2], unsigned count, uint8_t preset, const uint8_t rho[32], uint8_t kind,
                      const uint8_t provider_pk[32], uint32_t device, const uint8_t root[32]);

/* The reference, one item at a time, as assize-verify uses it; no pool, no device. */
enum asz_verdict asz_verify_sig_one(const uint8_t public_key[32], const uint8_t signature[64], const uint8_t *message,
                                    size_t size_bytes);
enum asz_verdict asz_verify_seq_one(const uint8_t seed[32], const uint8_t checkpoint[ASZ_SEQ_CHECKPOINTS][32],
                                    unsigned log2_steps);

/* An answer of gemm or mem with what it opened, all of it signed (opening.h). Borrowed; 32 bytes each but the openings. */
struct asz_opened_answer {
  uint8_t kind, param; /* valid together, as in the challenge */
  uint32_t device;
  const uint8_t *provider_pk, *beacon, *rho;
  const uint8_t *seed, *root;        /* of the work; of a fold those of its arena's build */
  const uint8_t *fold_seed, *z_root; /* of a fold; else NULL */
  const uint8_t *openings;           /* count, of the size that kind and param fix */
  unsigned count;                    /* 1..32 */
};
/* asz_verify_opened_one: PASS when every opening is of the column that was picked, and right; else FAIL. UNJUDGED: no memory.
 * asz_verify_opened_bytes: of keystream that it makes for so many openings: what its time goes with. */
enum asz_verdict asz_verify_opened_one(const struct asz_opened_answer *opened);
uint64_t asz_verify_opened_bytes(unsigned param, unsigned count);

#endif
