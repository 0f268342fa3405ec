/* SPDX-License-Identifier: Apache-2.0 */
/* asz_bytes: unaligned loads and stores with a named byte order, the only place where bytes become integers. */
#ifndef ASZ_DATAPLANE_BASE_BYTES_H
#define ASZ_DATAPLANE_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t asz_be16_load(const void *p) {
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}
static inline uint32_t asz_be32_load(const void *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}
static inline uint64_t asz_be64_load(const void *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return __builtin_bswap64(v);
}
static inline void asz_be16_store(void *p, uint16_t v) {
  v = __builtin_bswap16(v);
  memcpy(p, &v, sizeof v);
}
static inline void asz_be32_store(void *p, uint32_t v) {
  v = __builtin_bswap32(v);
  memcpy(p, &v, sizeof v);
}
static inline void asz_be64_store(void *p, uint64_t v) {
  v = __builtin_bswap64(v);
  memcpy(p, &v, sizeof v);
}

/* Every supported machine (x86-64, little-endian arm64) is little-endian; the build says so if not. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian machines only");

#endif
