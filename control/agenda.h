/* SPDX-License-Identifier: Apache-2.0 */
/* asz_agenda: when in a correctness slot each provider is asked, and together with whom.
 *
 * One device can answer for two identities if they are asked one after the other, hardly if both are asked at the same moment for
 * work that fills it. So nobody is asked alone: those who may share a device (by one criterion a slot: the same /24 or /48, the
 * same operator, the same AS, nearly the same latency) are asked in groups, everybody else in random pairs, a group all in the
 * same millisecond. Which criterion, which groups, which pairs and when: all from the epoch's secret, so unknown before the slot
 * and re-derivable by anyone after the secret's reveal (tests/agenda_check.py does it from docs/protocol.md alone):
 *
 *   key      = BLAKE2b-256(key = secret, "assize/1/agenda" || kind(1) || slot BE64)
 *   mark_i   = SipHash-2-4-128(key[0..16), provider pk || device BE32): rank_i, then when_i, as two little-endian numbers
 *   criterion: key[16] modulo the number of criteria
 *   latency  : (bin + key[17] % rtt_bins) / rtt_bins, bin that of asz_sketch_bin: a device's neighbours are within 17 %, and
 * where one cluster ends and the next begins moves with the slot clusters of two and more: in order of rank, cut into groups of
 * group_max, a last one of 1 joins the group before all others in order of rank: pairs, a last one of 1 joins the pair before due
 * = when of the group's first member, as a fraction of the window (when / 2^64), down to whole milliseconds
 *
 * Pure; any thread. */
#ifndef ASZ_CONTROL_AGENDA_H
#define ASZ_CONTROL_AGENDA_H

#include <stdint.h>

/* Those before BY_RTT know their clusters by name. */
enum asz_agenda_criterion {
  ASZ_AGENDA_BY_PREFIX,
  ASZ_AGENDA_BY_OPERATOR,
  ASZ_AGENDA_BY_AS,
  ASZ_AGENDA_BY_RTT,
  ASZ_AGENDA_CRITERIA,
  ASZ_AGENDA_NAMED = ASZ_AGENDA_BY_RTT,
};

/* One who may be asked. The caller's; read only. */
struct asz_agenda_member {
  const uint8_t *public_key; /* 32 */
  uint32_t device;
  uint32_t index;                     /* the caller's name for it */
  uint64_t cluster[ASZ_AGENDA_NAMED]; /* equal: may share a device; 0: with nobody */
  uint32_t rtt_ns;                    /* median; 0: not known, with nobody */
};

struct asz_agenda_entry {
  uint64_t due_ns; /* from the window's start; whole milliseconds */
  uint32_t index;  /* of the member */
  uint32_t group;  /* 0.., counted in order of the entries: members of one group stand together */
};

enum { ASZ_AGENDA_RTT_BINS = 8 };   /* of 2 % each */
enum { ASZ_AGENDA_GROUP_MAX = 64 }; /* what leaves in one burst: 64 datagrams of 1,152 bytes are 0.06 ms of a 10 Gbit/s port */

/* asz_agenda_by_due: the order of entries, for qsort. */
int asz_agenda_by_due(const void *left, const void *right);

/* asz_agenda_bytes: scratch memory for so many members. */
uint64_t asz_agenda_bytes(uint32_t count);
/* asz_agenda_make fills ret_entry[0..count) in order of due_ns. window_ns 0: all at its start. scratch: asz_agenda_bytes(count),
 * aligned as malloc does. After asz_sketch_init. */
void asz_agenda_make(struct asz_agenda_entry *ret_entry, const struct asz_agenda_member *member, uint32_t count,
                     const uint8_t secret[32], uint8_t kind, uint64_t slot, uint64_t window_ns, void *scratch);

#endif
