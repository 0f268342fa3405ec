/* SPDX-License-Identifier: Apache-2.0 */
/* asz_authority: which validators may ask us, and the session keys that prove it.
 *
 * A validator is found by its 8-byte short id. The X25519 secret is computed once, when it is added. For each validator four sets
 * of session keys are held: those of the current epoch, of the previous one (packets in flight when the epoch changes), of the
 * next one, and of one epoch on trial.
 *
 * An epoch only moves forward, and only by a packet whose MAC verifies under that epoch's keys: anybody can write a number into a
 * packet, and a forged one must neither end the current epoch nor cost much. Keys of the next epoch are made in advance, so the
 * usual change costs nothing and cannot be disturbed. Any further jump (our first packet, or after a pause) derives keys on
 * trial, at most ASZ_AUTHORITY_DERIVE_PPS times a second and validator: few enough to cost nothing, enough that a flood of forged
 * epochs cannot keep a genuine one out for long. Epochs before the previous one are stale: a replay of an old request never
 * verifies again. Not thread-safe: one thread owns it.
 *
 * STAMP's authenticated mode names no validator and no epoch, so its key is one for all epochs, and found by trying: first that
 * of the validator whose HMAC last verified from this source address, then everybody's, ASZ_AUTHORITY_TRIALS_PPS of them a second
 * at most. A flood from forged addresses can so keep a validator's first packet out, but none that was heard before: only what
 * verifies moves an address. */
#ifndef ASZ_CONTROL_RESPONDER_AUTHORITY_H
#define ASZ_CONTROL_RESPONDER_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/address.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/hmac.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/session.h"

enum {
  ASZ_AUTHORITY_VALIDATORS_MAX = 4096,
  ASZ_AUTHORITY_DERIVE_PPS = 1000,   /* one takes 0.5 us: 0.05 % of a core */
  ASZ_AUTHORITY_TRIALS_PPS = 200000, /* keys, each 0.1 us side by side: 2 % of a core */
  ASZ_AUTHORITY_HEARD = 1024,        /* source addresses that are remembered */
};

struct asz_epoch_keys {
  bool known;
  uint32_t epoch;
  struct asz_session session;
};

struct asz_validator {
  uint8_t public_key[32];
  uint8_t id[ASZ_ID_BYTES];
  uint8_t shared[32];
  struct asz_hmac_key hmac; /* of authenticated mode */
  struct asz_epoch_keys previous, current, next, trial;
  uint64_t derive_next_ns;    /* asz_rate of keys on trial */
  uint64_t challenge_next_ns; /* asz_rate of challenges: kept here for asz_challenge_path */
};

struct asz_authority;

/* asz_authority_new: no validator yet; `own` is copied. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_authority_new(struct asz_authority **ret_authority, const struct asz_identity *own);
/* asz_authority_copy: one more of the same, for a thread of its own. Epochs that one accepts move on in that one alone.
 * ASZ_ENOMEM.
 */
ASZ_MUST_CHECK int asz_authority_copy(struct asz_authority **ret_authority, const struct asz_authority *authority);
void asz_authority_free(struct asz_authority *authority); /* wipes the secrets */

/* asz_authority_add: ASZ_EEXIST for a key (or short id) that is there already, ASZ_EAUTH for one that is no usable point,
 * ASZ_ETOOBIG over the maximum. Pointers from asz_authority_find do not survive an add. */
ASZ_MUST_CHECK int asz_authority_add(struct asz_authority *authority, const uint8_t public_key[32], struct asz_diag *diag);
/* asz_authority_add_hex: the same from 64 hex digits; `where` opens the line about what is wrong. */
ASZ_MUST_CHECK int asz_authority_add_hex(struct asz_authority *authority, const char *hex, const char *where,
                                         struct asz_diag *diag);
/* asz_authority_load adds a file: one key of 64 hex digits a line, `#` opens a comment, blank lines are skipped. Errors name file
 * and line; keys before that line stay added. */
ASZ_MUST_CHECK int asz_authority_load(struct asz_authority *authority, const char *path, struct asz_diag *diag);
size_t asz_authority_count(const struct asz_authority *authority);

/* asz_authority_find: NULL when unknown. */
struct asz_validator *asz_authority_find(struct asz_authority *authority, const uint8_t id[ASZ_ID_BYTES]);

/* asz_authority_number: of one that was found, in order of ids: 0..count-1, the same in every copy, until one is added. */
size_t asz_authority_number(const struct asz_authority *authority, const struct asz_validator *validator);

/* asz_authority_check: is this data from that validator, in an epoch that we accept? On success the keys of the epoch are copied
 * to *ret_session and the epoch moves on when it is newer. now_ns: monotonic. ASZ_ERANGE: stale epoch; ASZ_EAGAIN: a new epoch,
 * but keys were derived too often in the last second; ASZ_EAUTH: the MAC does not verify. */
ASZ_MUST_CHECK int asz_authority_check(struct asz_authority *authority, struct asz_validator *validator, uint32_t epoch,
                                       const uint8_t mac[ASZ_MAC_BYTES], const void *data, size_t size_bytes, uint64_t now_ns,
                                       struct asz_session *ret_session);

/* asz_authority_check_hmac: whose key is the base packet of this authenticated STAMP request (112 bytes at least) under?
 * *ret_key stays valid until the next add. now_ns: monotonic. ASZ_EAGAIN: a new source, and too many keys were tried in the last
 * second; ASZ_EAUTH: nobody's. */
ASZ_MUST_CHECK int asz_authority_check_hmac(struct asz_authority *authority, struct asz_hmac_lanes *lanes,
                                            const struct asz_address *source, const uint8_t *payload, uint64_t now_ns,
                                            const struct asz_hmac_key **ret_key);

#endif
