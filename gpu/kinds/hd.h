/* SPDX-License-Identifier: Apache-2.0 */
/* asz_hd: what lets one source of mathematics compile for the host and for a device.
 *
 * gcc sees `static inline` C; nvcc sees device functions in C++. nvcc never builds host versions of these: the host's ones come
 * from gcc, which is also what the tests and the fuzzer run, so every line of a kernel's arithmetic is tested without a GPU.
 * The common subset of C and C++ is small: no designated array initialisers, no compound literals, casts from void * written out.
 */
#ifndef ASZ_GPU_KINDS_HD_H
#define ASZ_GPU_KINDS_HD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__CUDACC__)
#define ASZ_HD_ALIGNED(bytes) __align__(bytes)
#define ASZ_HD                static __device__ __forceinline__
#define ASZ_HD_TABLE          static __device__ const
/* A function that a launcher calls as well: in nvcc's build for both sides. */
#define ASZ_HD_HOST static __host__ __device__ __forceinline__
/* A function that stays one body and is called. The kernel of sig with every field product inlined was 560 KB of code for
 * sm_90 and 14 s of ptxas; with one product that is called, 130 KB (an instruction cache) and 1 s. */
#define ASZ_HD_CALL static __device__ __noinline__
/* A loop that must stay a loop: unrolled, its body would overflow the instruction cache. */
#define ASZ_HD_ROLLED _Pragma("unroll 1")
#define ASZ_HD_UNROLL _Pragma("unroll")
#else
#define ASZ_HD_ALIGNED(bytes) __attribute__((aligned(bytes)))
#define ASZ_HD                static inline __attribute__((unused))
#define ASZ_HD_TABLE          static const __attribute__((unused))
#define ASZ_HD_CALL           static inline __attribute__((unused))
#define ASZ_HD_HOST           static inline __attribute__((unused))
#define ASZ_HD_ROLLED
#define ASZ_HD_UNROLL
#endif

/* Unaligned loads and stores. Byte by byte, since a device faults on a misaligned word; compilers join them where they may. */
ASZ_HD uint32_t asz_hd_le32_load(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
ASZ_HD void asz_hd_le32_store(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
  p[2] = (uint8_t)(v >> 16);
  p[3] = (uint8_t)(v >> 24);
}
ASZ_HD uint32_t asz_hd_be32_load(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
ASZ_HD void asz_hd_be32_store(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 24);
  p[1] = (uint8_t)(v >> 16);
  p[2] = (uint8_t)(v >> 8);
  p[3] = (uint8_t)v;
}
ASZ_HD uint64_t asz_hd_be64_load(const uint8_t *p) {
  return (uint64_t)asz_hd_be32_load(p) << 32 | asz_hd_be32_load(p + 4);
}

/* asz_hd_swap32: the four bytes in the opposite order. */
ASZ_HD uint32_t asz_hd_swap32(uint32_t x) {
#if defined(__CUDACC__)
  return __byte_perm(x, 0, 0x0123);
#else
  return __builtin_bswap32(x);
#endif
}

/* The arrays of a batch are aligned, and so is each item in them: what a device reads a million times it reads in words. p must
 * be a multiple of 4 there; on the host any address is good. */
ASZ_HD uint32_t asz_hd_aligned_le32(const uint8_t *p) {
#if defined(__CUDACC__)
  return *(const uint32_t *)p;
#else
  return asz_hd_le32_load(p);
#endif
}
ASZ_HD uint64_t asz_hd_aligned_le64(const uint8_t *p) {
  return (uint64_t)asz_hd_aligned_le32(p + 4) << 32 | asz_hd_aligned_le32(p);
}
ASZ_HD uint64_t asz_hd_aligned_be64(const uint8_t *p) {
  return (uint64_t)asz_hd_swap32(asz_hd_aligned_le32(p)) << 32 | asz_hd_swap32(asz_hd_aligned_le32(p + 4));
}

/* asz_hd_mul_wide: all 64 bits of a product. nvcc makes a 64 x 64 bit multiplication of the plain expression once it has inlined
 * it, four times the work of the instruction that is meant. */
ASZ_HD uint64_t asz_hd_mul_wide(uint32_t a, uint32_t b) {
#if defined(__CUDACC__)
  uint64_t product;
  asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
  return product;
#else
  return (uint64_t)a * b;
#endif
}

/* Sums over eight words, and four products of one word each added up in nine. The carry goes from word to word in a device's
 * flag, which C cannot name: written in C, nvcc makes 300 instructions of a field product, and 140 of these. gcc's build is the
 * meaning; tests/gpu/carry_check.py runs the device's instructions, which nothing else here can, against it. */

/* asz_hd_add8: r += b; the carry out, 0 or 1. */
ASZ_HD uint32_t asz_hd_add8(uint32_t *r, const uint32_t *b) {
#if defined(__CUDACC__)
  uint32_t out;
  asm("add.cc.u32 %0, %0, %9;\n\t"
      "addc.cc.u32 %1, %1, %10;\n\t"
      "addc.cc.u32 %2, %2, %11;\n\t"
      "addc.cc.u32 %3, %3, %12;\n\t"
      "addc.cc.u32 %4, %4, %13;\n\t"
      "addc.cc.u32 %5, %5, %14;\n\t"
      "addc.cc.u32 %6, %6, %15;\n\t"
      "addc.cc.u32 %7, %7, %16;\n\t"
      "addc.u32 %8, 0, 0;"
      : "+r"(r[0]), "+r"(r[1]), "+r"(r[2]), "+r"(r[3]), "+r"(r[4]), "+r"(r[5]), "+r"(r[6]), "+r"(r[7]), "=r"(out)
      : "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
  return out;
#else
  uint64_t t = 0;
  for (int i = 0; i < 8; i++) {
    t += (uint64_t)r[i] + b[i];
    r[i] = (uint32_t)t;
    t >>= 32;
  }
  return (uint32_t)t;
#endif
}

/* asz_hd_sub8: r -= b; all ones when that borrowed, else 0. */
ASZ_HD uint32_t asz_hd_sub8(uint32_t *r, const uint32_t *b) {
#if defined(__CUDACC__)
  uint32_t out;
  asm("sub.cc.u32 %0, %0, %9;\n\t"
      "subc.cc.u32 %1, %1, %10;\n\t"
      "subc.cc.u32 %2, %2, %11;\n\t"
      "subc.cc.u32 %3, %3, %12;\n\t"
      "subc.cc.u32 %4, %4, %13;\n\t"
      "subc.cc.u32 %5, %5, %14;\n\t"
      "subc.cc.u32 %6, %6, %15;\n\t"
      "subc.cc.u32 %7, %7, %16;\n\t"
      "subc.u32 %8, 0, 0;"
      : "+r"(r[0]), "+r"(r[1]), "+r"(r[2]), "+r"(r[3]), "+r"(r[4]), "+r"(r[5]), "+r"(r[6]), "+r"(r[7]), "=r"(out)
      : "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
  return out;
#else
  uint64_t borrow = 0;
  for (int i = 0; i < 8; i++) {
    uint64_t t = (uint64_t)r[i] - b[i] - borrow;
    r[i] = (uint32_t)t;
    borrow = t >> 63;
  }
  return (uint32_t)(0 - borrow);
#endif
}

/* asz_hd_mad4: r += (a[0] + 2^64 a[2] + 2^128 a[4] + 2^192 a[6]) b, over nine words, which the sum must fit. */
ASZ_HD void asz_hd_mad4(uint32_t *r, const uint32_t *a, uint32_t b) {
#if defined(__CUDACC__)
  asm("mad.lo.cc.u32 %0, %9, %13, %0;\n\t"
      "madc.hi.cc.u32 %1, %9, %13, %1;\n\t"
      "madc.lo.cc.u32 %2, %10, %13, %2;\n\t"
      "madc.hi.cc.u32 %3, %10, %13, %3;\n\t"
      "madc.lo.cc.u32 %4, %11, %13, %4;\n\t"
      "madc.hi.cc.u32 %5, %11, %13, %5;\n\t"
      "madc.lo.cc.u32 %6, %12, %13, %6;\n\t"
      "madc.hi.cc.u32 %7, %12, %13, %7;\n\t"
      "addc.u32 %8, %8, 0;"
      : "+r"(r[0]), "+r"(r[1]), "+r"(r[2]), "+r"(r[3]), "+r"(r[4]), "+r"(r[5]), "+r"(r[6]), "+r"(r[7]), "+r"(r[8])
      : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
#else
  uint64_t t = 0;
  for (int i = 0; i < 8; i += 2) {
    uint64_t product = (uint64_t)a[i] * b;
    t += (uint64_t)r[i] + (uint32_t)product;
    r[i] = (uint32_t)t;
    t = (t >> 32) + r[i + 1] + (product >> 32);
    r[i + 1] = (uint32_t)t;
    t >>= 32;
  }
  r[8] += (uint32_t)t;
#endif
}

/* Rotations to the right; 0 < n < width. */
ASZ_HD uint32_t asz_hd_ror32(uint32_t x, unsigned n) {
  return x >> n | x << (32 - n);
}
ASZ_HD uint64_t asz_hd_ror64(uint64_t x, unsigned n) {
  return x >> n | x << (64 - n);
}

#endif
