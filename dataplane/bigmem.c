/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/bigmem.h"

#include <linux/mempolicy.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024 };

static size_t round_up(size_t size_bytes) {
  return (size_bytes + HUGE_PAGE_BYTES - 1) & ~(size_t)(HUGE_PAGE_BYTES - 1);
}

/* A preference, not a demand: on the wrong node it is slower, not wrong, so a refusal is no error. */
static void prefer_node(void *memory, size_t size_bytes, int node) {
  if (node < 0 || node >= 64)
    return;
  unsigned long mask = 1ul << node;
  (void)syscall(SYS_mbind, memory, size_bytes, MPOL_PREFERRED, &mask, sizeof mask * 8, 0);
}

int asz_bigmem_new(void **ret_memory, size_t size_bytes, int node) {
  size_t mapped = round_up(size_bytes);
  if (mapped < size_bytes || size_bytes == 0)
    return ASZ_ENOMEM;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  void *memory = MAP_FAILED;
  /* Under one huge page a reserved one would be wasted. */
  if (size_bytes >= HUGE_PAGE_BYTES)
    memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);
  if (memory == MAP_FAILED) {
    memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
      return ASZ_ENOMEM;
    (void)madvise(memory, mapped, MADV_HUGEPAGE);
  }
  prefer_node(memory, mapped, node);
  memset(memory, 0, size_bytes);
  *ret_memory = memory;
  return 0;
}

void asz_bigmem_free(void *memory, size_t size_bytes) {
  if (memory != NULL)
    (void)munmap(memory, round_up(size_bytes));
}
