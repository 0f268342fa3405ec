/* SPDX-License-Identifier: Apache-2.0 */
/* asz_rate and asz_limiter: how many packets a second one peer may have.
 *
 * A token bucket is kept as one number, the time at which its next packet is due (the generic cell rate algorithm, ITU-T I.371):
 * a packet conforms when that time is not further ahead than the burst allows. No refill, no division, eight bytes a peer.
 *
 * asz_limiter holds such a bucket for each source in a table of fixed size: 16,384 sets of 4. A source is an IPv4 address or an
 * IPv6 /64: that is the least that a network gets (RFC 4291 section 2.5.4), so one host there chooses among 2^64 addresses, and a
 * limit of each would limit nobody and empty the table; who shares a link shares its rate. A source that is not in its set takes
 * the place of the one that has been idle longest, with a full bucket. A flood of forged sources can so push an honest one out,
 * which only forgives it: the table fails open, and since no reply is longer than its request there is nothing to gain. (Sharing
 * buckets by hash would fail closed: the flood would silence the honest.) Sets are chosen under a secret key, so that nobody can
 * aim at one. */
#ifndef ASZ_CONTROL_RESPONDER_LIMITER_H
#define ASZ_CONTROL_RESPONDER_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/base/address.h"
#include "dataplane/base/err.h"

enum { ASZ_RATE_PPS_MAX = 100000000, ASZ_LIMITER_SOURCES = 65536, ASZ_LIMITER_WAYS = 4 };

struct asz_rate {
  uint64_t interval_ns; /* between two packets at the full rate */
  uint64_t burst_ns;    /* how far ahead of its time a packet may come */
};

/* asz_rate_make: pps 1..ASZ_RATE_PPS_MAX, burst >= 1 packets at once from an idle peer (asserted). The interval is rounded down,
 * so the rate is never under what was asked for. Pure. */
struct asz_rate asz_rate_make(uint64_t pps, uint64_t burst);
/* asz_rate_take: true and *next_ns moved on when a packet at now_ns conforms; else false and nothing changed. A new peer starts
 * with *next_ns 0. now_ns: any clock that does not go back. */
bool asz_rate_take(const struct asz_rate *rate, uint64_t *next_ns, uint64_t now_ns);

struct asz_limiter;

/* asz_limiter_new: 1 MiB, taken once; every source gets `rate`. hash_key: 16 random bytes. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_limiter_new(struct asz_limiter **ret_limiter, const struct asz_rate *rate, const uint8_t hash_key[16]);
bool asz_limiter_take(struct asz_limiter *limiter, const struct asz_address *source, uint64_t now_ns);
void asz_limiter_free(struct asz_limiter *limiter);

#endif
