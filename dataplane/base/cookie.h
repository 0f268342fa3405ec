/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cookie: the keyed cookie that makes a probe stateless and unforgeable.
 *
 * cookie = SipHash-2-4 (64 bits) under a key of the epoch, over 16 bytes: target index and probe sequence (32 bits each)
 * and the transmission time as it travels in the packet (64 bits), all little-endian. Identical, bit for bit, to libsodium's
 * crypto_shorthash_siphash24 over those 16 bytes: that is the reference in the tests. The burst form is one plain loop over
 * independent lanes that the compiler turns into SIMD for the machine at hand. Source: Aumasson and Bernstein, SipHash, 2012. */
#ifndef ASZ_DATAPLANE_BASE_COOKIE_H
#define ASZ_DATAPLANE_BASE_COOKIE_H

#include <stddef.h>
#include <stdint.h>

enum { ASZ_COOKIE_KEY_BYTES = 16, ASZ_COOKIE_BURST_MAX = 64 };

struct asz_cookie_key {
  uint64_t k0, k1;
};

/* asz_cookie_key_derive: key = first 16 bytes of BLAKE2b-256(key = epoch secret (32 bytes), "assize/1/cookie" || epoch BE32). */
void asz_cookie_key_derive(struct asz_cookie_key *ret_key, const uint8_t secret[32], uint32_t epoch);

/* asz_cookie_one: one cookie. Pure. */
uint64_t asz_cookie_one(const struct asz_cookie_key *key, uint32_t target, uint32_t seq, uint64_t tx_time);

/* asz_cookie_many: ret_cookie[i] from target[i], seq[i], tx_time[i] for i < count <= ASZ_COOKIE_BURST_MAX. Arrays do not overlap.
 */
void asz_cookie_many(const struct asz_cookie_key *key, const uint32_t *target, const uint32_t *seq, const uint64_t *tx_time,
                     uint64_t *ret_cookie, size_t count);

#endif
