/* SPDX-License-Identifier: Apache-2.0 */
/* Four chains by the SHA instructions, in one instruction stream; and one alone, which is what a prover has.
 *
 * sha256rnds2 does two rounds and takes 4 cycles (Zen 4), but a new one can start each cycle: one chain needs 32 x 4 = 128 cycles
 * a compression (measured: 131), four interleaved ones would need 32, and 39 for all operations together on four pipes. Measured:
 * 54, since sha256msg2 comes out of microcode and keeps everything else from being decoded for more than a cycle, 12 times a
 * compression, and four chains do not fit 16 registers. A schedule made elsewhere is the way out (sha256_shani_avx512.c).
 *
 * The instructions want the state as (f, e, b, a) and (h, g, d, c), lowest word first, and the round constants added to the
 * schedule words. m[c][0..3] of a chain are 16 words, a ring of four groups of four. */
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#include "gpu/simd/sha256_private.h"

enum { WIDTH = 4 };

struct chain {
  __m128i abef, cdgh;
  __m128i m[4];
};

ASZ_SHA256_INLINE __m128i load(const uint32_t word[4]) {
  return _mm_loadu_si128((const __m128i *)word);
}

/* Four rounds on words that hold their constants. */
ASZ_SHA256_INLINE void rounds(struct chain *chain, __m128i k_plus_w) {
  chain->cdgh = _mm_sha256rnds2_epu32(chain->cdgh, chain->abef, k_plus_w);
  chain->abef = _mm_sha256rnds2_epu32(chain->abef, chain->cdgh, _mm_shuffle_epi32(k_plus_w, 0x0e));
}

/* The words of group + 2 in place of those of group - 2, from the ring. Groups 2 and 3 are constants and not in it. */
ASZ_SHA256_INLINE void schedule(struct chain *chain, int group, __m128i group2, __m128i group3) {
  __m128i *m = chain->m;
  __m128i oldest = group == 4 ? group2 : group == 5 ? group3 : m[(group + 2) & 3]; /* words i-16.. */
  __m128i next = group == 3 ? group2 : group == 4 ? group3 : m[(group + 3) & 3];   /* words i-12.. */
  __m128i middle = group == 2 ? group2 : group == 3 ? group3 : m[group & 3];       /* words i-8.. */
  __m128i newest = group == 2 ? group3 : m[(group + 1) & 3];                       /* words i-4.. */
  __m128i sum = _mm_sha256msg1_epu32(oldest, next);
  if (group != 2) /* words 9..12 are zeros */
    sum = _mm_add_epi32(sum, _mm_alignr_epi8(newest, middle, 4));
  m[(group + 2) & 3] = _mm_sha256msg2_epu32(sum, newest);
}

ASZ_SHA256_INLINE void advance(struct asz_sha256_x *x, int width, uint32_t steps) {
  const struct asz_sha256_constants *k = &asz_sha256_constants;
  const __m128i abef = load(k->initial_abef), cdgh = load(k->initial_cdgh);
  const __m128i group2 = _mm_setr_epi32((int)k->word8, 0, 0, 0), group3 = _mm_setr_epi32(0, 0, 0, (int)k->word15);
  struct chain chain[WIDTH];
  for (int c = 0; c < width; c++) {
    chain[c].m[0] = load(x[c].word);
    chain[c].m[1] = load(x[c].word + 4);
  }
  for (uint32_t step = 0; step < steps; step++) {
    ASZ_SHA256_UNROLL
    for (int c = 0; c < width; c++) {
      chain[c].abef = abef;
      chain[c].cdgh = cdgh;
    }
    ASZ_SHA256_UNROLL
    for (int group = 0; group < 16; group++) {
      ASZ_SHA256_UNROLL
      for (int c = 0; c < width; c++) {
        __m128i constants = load(k->k + 4 * group);
        rounds(&chain[c], group == 2 || group == 3 ? constants : _mm_add_epi32(chain[c].m[group & 3], constants));
        if (group >= 2 && group < 14)
          schedule(&chain[c], group, group2, group3);
      }
    }
    ASZ_SHA256_UNROLL
    for (int c = 0; c < width; c++) {
      __m128 high = _mm_castsi128_ps(_mm_add_epi32(chain[c].abef, abef));
      __m128 low = _mm_castsi128_ps(_mm_add_epi32(chain[c].cdgh, cdgh));
      chain[c].m[0] = _mm_castps_si128(_mm_shuffle_ps(high, low, 0xbb)); /* a, b, c, d */
      chain[c].m[1] = _mm_castps_si128(_mm_shuffle_ps(high, low, 0x11)); /* e, f, g, h */
    }
  }
  for (int c = 0; c < width; c++) {
    _mm_storeu_si128((__m128i *)x[c].word, chain[c].m[0]);
    _mm_storeu_si128((__m128i *)(x[c].word + 4), chain[c].m[1]);
  }
}

static void shani_advance(struct asz_sha256_x *x, size_t count, uint32_t steps) {
  for (; count >= WIDTH; x += WIDTH, count -= WIDTH)
    advance(x, WIDTH, steps);
  if (count == 1) { /* a prover's: no dead weight */
    advance(x, 1, steps);
  } else if (count > 0) {
    struct asz_sha256_x padded[WIDTH] = {{{0}}};
    for (size_t c = 0; c < count; c++)
      padded[c] = x[c];
    advance(padded, WIDTH, steps);
    for (size_t c = 0; c < count; c++)
      x[c] = padded[c];
  }
}

/* __builtin_cpu_supports does not know "sha" in every compiler. cpuid itself is asked once: where a hypervisor answers it takes
 * microseconds. Two threads that ask at the same time find the same. */
static bool is_supported(void) {
  static _Atomic int known; /* 0: not yet; 1: no; 2: yes */
  int answer = atomic_load_explicit(&known, memory_order_relaxed);
  if (answer == 0) {
    unsigned a, b = 0, c, d;
    bool has_sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
    answer = has_sha && __builtin_cpu_supports("sse4.1") ? 2 : 1;
    atomic_store_explicit(&known, answer, memory_order_relaxed);
  }
  return answer == 2;
}

const struct asz_sha256_backend asz_sha256_shani = {"sha-ni", WIDTH, is_supported, shani_advance};
