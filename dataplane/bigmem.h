/* SPDX-License-Identifier: Apache-2.0 */
/* asz_bigmem: large, zeroed, resident tables. Random access over a gigabyte misses the TLB on nearly every step with 4 KiB pages,
 * so huge pages are tried in turn: reserved ones, then transparent ones, then what there is. Every page is touched before return:
 * no page fault later, in the packet loop. */
#ifndef ASZ_DATAPLANE_BIGMEM_H
#define ASZ_DATAPLANE_BIGMEM_H

#include <stddef.h>

#include "dataplane/base/err.h"

/* asz_bigmem_new: size_bytes >= 1; node is the preferred NUMA node, -1 for any. ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_bigmem_new(void **ret_memory, size_t size_bytes, int node);
/* asz_bigmem_free: the same size as at new. NULL is fine. */
void asz_bigmem_free(void *memory, size_t size_bytes);

#endif
