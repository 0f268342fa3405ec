/* SPDX-License-Identifier: Apache-2.0 */
/* asz_loopback: providers that are not there, and a port behind which all of them answer: what a prober can do on this machine
 * when no network holds it back. For benchmarks and `assize bench`; a door of the dataplane (docs/decisions/0018).
 *
 * The first half is tables: `count` targets of one kind at consecutive addresses, with keys where the kind needs them. The
 * second is an lcore behind a net_ring port that turns each frame round in place, in as few cycles as it can, and sends it back:
 * the mbufs cross between two cores' caches both ways, as they would between a NIC's memory and a core. It looks at nothing, so
 * it is no test of what is sent; the emulator is. Nothing that it does leaves the process. */
#ifndef ASZ_DATAPLANE_LOOPBACK_H
#define ASZ_DATAPLANE_LOOPBACK_H

#include "dataplane/engine.h"

enum { ASZ_LOOPBACK_TARGETS_MAX = 10000000, ASZ_LOOPBACK_RING_SHORT = 128 };

struct asz_loopback;

/* asz_loopback_new takes memory for count (1..ASZ_LOOPBACK_TARGETS_MAX, asserted) targets; ASZ_ENOMEM. Needs no EAL. */
ASZ_MUST_CHECK int asz_loopback_new(struct asz_loopback **ret_loopback, enum asz_probe kind, uint32_t count);
/* asz_loopback_stop stops its lcore: after an engine on it has stopped and before that is freed, since the frames on their way
 * are the engine's. asz_loopback_free closes the port, after the engine was freed. Both: NULL and twice are fine. */
void asz_loopback_stop(struct asz_loopback *loopback);
void asz_loopback_free(struct asz_loopback *loopback);
/* asz_loopback_plan sets the targets of a plan and their keys, which stay the loopback's. */
void asz_loopback_plan(const struct asz_loopback *loopback, struct asz_plan *plan);
/* asz_loopback_engine sets what an engine needs to know of this network: addresses, the gateway's MAC, number of targets. */
void asz_loopback_engine(const struct asz_loopback *loopback, struct asz_engine_config *config);

/* asz_loopback_speaks: can the lcore answer this kind? */
bool asz_loopback_speaks(enum asz_probe kind);
/* asz_loopback_open makes the port (one queue pair, rings of ring_frames each way, a power of two) and starts its lcore; once.
 * The kind is one that it speaks (asserted). A prober that is always behind sends a burst and takes one every turn, so what once
 * was on its way stays on its way: for such a one ASZ_LOOPBACK_RING_SHORT, two bursts. With rings of 2,048 a reflector that was
 * away for a moment left frames that no cache near a core holds, and a third of the rate. Needs EAL; ASZ_EDEVICE, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_loopback_open(struct asz_loopback *loopback, unsigned lcore_id, unsigned ring_frames,
                                     uint16_t *ret_port_id);
/* asz_loopback_cpu_ns: CPU time of its lcore, refreshed now and then; 0 when not open. Any thread. */
uint64_t asz_loopback_cpu_ns(const struct asz_loopback *loopback);

#endif
