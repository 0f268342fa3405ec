/* SPDX-License-Identifier: Apache-2.0 */
/* The layout that snapshot_write.c and snapshot_read.c share. Nobody else includes it.
 *
 *   head     magic 8, version u32, epoch u32, opened u64, index of its opening u64, secret 32, beacon 32, parameter hash 32, root
 * 32, targets u32, cells u32, bytes of keep u64 keep     see epoch_keep.c target   slots up u64, RTT min u32, max u32, sum u64,
 * ten counts u16, sketch level u8, denied u8, cells in use u16, and of each of these its index u16 and its count u16, ascending
 *   tail     at u64, sent u64, whole slots u64, start u64, unjudged slots u64, slots without gateway u64 x 2, RTT error u64,
 * lateness u64, shards u64, causes of faults u64; settled u64 and scheduled u64 of each of 16 shards; faults u64 of each cause
 *   MAC      32
 * Another cause of faults, another list of counts or a wider line is another version. */
#ifndef ASZ_CONTROL_SNAPSHOT_INTERNAL_H
#define ASZ_CONTROL_SNAPSHOT_INTERNAL_H

#include "control/snapshot.h"

#define ASZ_SNAPSHOT_MAGIC "assizeEP"

enum {
  ASZ_SNAPSHOT_HEAD_BYTES = 176,
  ASZ_SNAPSHOT_LINE_BYTES = 48,
  ASZ_SNAPSHOT_CELL_BYTES = 4,
  ASZ_SNAPSHOT_TAIL_BYTES = 88 + 16 * ASZ_ENGINE_LCORES_MAX + 8 * ASZ_FAULT_COUNT,
  ASZ_SNAPSHOT_MAC_BYTES = 32,
};

/* The counts of a line, in their order; all of 16 bits. */
#define ASZ_SNAPSHOT_COUNT_LIST(X)                                                                                               \
  X(answered) X(late) X(duplicate) X(reordered) X(replayed) X(bad_mac) X(forged) X(wrong_path) X(malformed) X(unjudged)

#endif
