/* SPDX-License-Identifier: Apache-2.0 */
/* One provider, one validator that it allows and one stranger, and what each of them would send. Everything from fixed seeds. */
#ifndef ASZ_TESTS_CONTROL_RESPONDER_FIXTURE_H
#define ASZ_TESTS_CONTROL_RESPONDER_FIXTURE_H

#include <stdint.h>

#include "control/responder/authority.h"
#include "control/responder/datagram.h"
#include "control/responder/limiter.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/session.h"

enum { FIXTURE_EPOCH = 100, FIXTURE_SLOT = 4242, FIXTURE_LOG2 = 6, FIXTURE_PEER = 0x0a000001, FIXTURE_LOCAL = 0x0a4d0007 };

struct fixture {
  struct asz_identity provider, validator, stranger;
  struct asz_authority *authority;
  struct asz_limiter *limiter;
};

/* fixture_make: the limiter gives each source `pps` with a burst of as many. */
void fixture_make(struct fixture *ret_fixture, uint64_t pps);
void fixture_free(struct fixture *fixture);

/* fixture_session: the keys of an epoch as `validator` derives them on its side. */
struct asz_session fixture_session(const struct fixture *fixture, const struct asz_identity *validator, uint32_t epoch);
/* Datagrams from FIXTURE_PEER, port 50000: plain STAMP, STAMP with our TLV by `validator`, a challenge by `validator`. */
void fixture_plain(struct asz_datagram *ret_datagram, uint32_t seq);
void fixture_tlv(const struct fixture *fixture, const struct asz_identity *validator, uint32_t epoch,
                 struct asz_datagram *ret_datagram);
/* In authenticated mode by `validator`, whose key goes to *ret_key. */
void fixture_auth(const struct fixture *fixture, const struct asz_identity *validator, struct asz_hmac_lanes *lanes,
                  struct asz_datagram *ret_datagram, struct asz_hmac_key *ret_key);
struct asz_challenge fixture_challenge(const struct fixture *fixture, unsigned kind, uint8_t nonce);
void fixture_seal(const struct fixture *fixture, const struct asz_identity *validator, const struct asz_challenge *challenge,
                  struct asz_datagram *ret_datagram);

/* fixture_verify_answer asserts, with libsodium alone, that the datagram answers the challenge: MAC, every link of a seq chain
 * (or, when a broken one is expected, that exactly the chain is wrong) and signature. */
enum fixture_chain { FIXTURE_CHAIN_RIGHT, FIXTURE_CHAIN_BROKEN };
void fixture_verify_answer(const struct fixture *fixture, const struct asz_challenge *challenge, const uint8_t *datagram,
                           size_t size_bytes, enum fixture_chain expected);

#endif
