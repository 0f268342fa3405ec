/* SPDX-License-Identifier: Apache-2.0 */
/* asz_faults: what the network between us and a provider does to a probe and to its reply: loss in bursts, outages, duplicates,
 * detours, corruption. Pure: the same (seed, provider, number of the probe) has the same fault, whenever it is asked. */
#ifndef ASZ_DATAPLANE_EMULATOR_FAULTS_H
#define ASZ_DATAPLANE_EMULATOR_FAULTS_H

#include <stddef.h>

#include "dataplane/emulator/facts.h"

/* asz_weather_next: whether probe `number` meets bad weather, from what the one before it met (the first one: false before it).
 * asz_weather: the same from nothing, by going through all numbers up to this one; for tests and explanations. */
bool asz_weather_next(const struct asz_provider_facts *facts, uint64_t number, bool bad);
bool asz_weather(const struct asz_provider_facts *facts, uint64_t number);

/* asz_fault_outage: whether probe `number` falls into an outage, in which nothing gets through. */
bool asz_fault_outage(const struct asz_provider_facts *facts, uint64_t number);

/* asz_fault_loses: whether the network drops probe `number`, or `challenge` datagram `number`, in this weather. */
bool asz_fault_loses(const struct asz_provider_facts *facts, uint64_t number, bool bad, bool challenge);

enum asz_corruption {
  ASZ_CORRUPT_NOT = 0,
  ASZ_CORRUPT_BROKEN,  /* a bit flipped on the way: the checksum tells */
  ASZ_CORRUPT_ALTERED, /* a bit flipped inside a router that mended the checksum: only the cookie tells */
};

/* What happens to one reply. A corrupted one suffers nothing else. */
struct asz_reply_fault {
  enum asz_corruption corruption;
  uint64_t corrupt_bits; /* which bit, see asz_corrupt */
  uint64_t detour_ns;    /* more delay; 0: none */
  bool copied;           /* it arrives twice ... */
  uint64_t copy_ns;      /* ... the copy so much later */
};
void asz_fault_reply(struct asz_reply_fault *ret_fault, const struct asz_provider_facts *facts, uint64_t number);

/* asz_corrupt flips one bit of a reply frame that asz_reply_build wrote (asserted: UDP, ICMP or TCP, all checksums right), chosen
 * by `bits`. BROKEN: any bit behind the header's ports that the checksum covers. ALTERED: one that the cookie is made of or
 * covers, since what a plain reflector writes itself (its own times, its TTL) nobody can check. Pure. */
void asz_corrupt(uint8_t *frame, size_t size_bytes, enum asz_corruption corruption, uint64_t bits);

/* asz_truth_ok: whether every field of a truth is in its range. */
bool asz_truth_ok(const struct asz_truth *truth);

#endif
