/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds by the SHA instructions, schedule in AVX-512's lanes: the fastest way where both are and a sha256rnds2 starts each
 * cycle.
 *
 * On Zen 4 a compression by the SHA instructions alone is held up by their schedule half (sha256_shani.c), one in 16 lanes by the
 * number of its operations (sha256_avx512.c). Put together each does what it is cheap at: 32 sha256rnds2, one a cycle, all on one
 * of the four vector pipes; and, with a word of eight chains in the lanes of a 256-bit register, 48 schedule words and what lays
 * them out, 87 operations a compression, on the other three. So at least 32 cycles; measured: 41, against 54 and 58. What is
 * lost: an operation that goes to the pipe of the rounds takes a round's place.
 *
 * Two sets of eight chains take turns: while the rounds of one run on its words, the schedule of the other is made, so that
 * neither waits for the other. Both are written into one stream, a piece of schedule after nearly each sha256rnds2, since a CPU
 * reorders within a window shorter than either. What measured worse: 512-bit registers and sixteen chains (46: an operation of
 * 512 bits holds its pipe for two cycles), vpternlogd instead of two exclusive ors (44: it and sha256rnds2, each with three
 * operands, get in each other's way), rotations as pairs of shifts (44), chains by the SHA instructions beside whole chains in
 * lanes (counted, not built: both fill the same pipes, so at best 40). AVX-512 is here for its rotations and 32 registers. gcc's
 * own scheduling and -O2 cost a cycle or two (gpu/meson.build). */
#include <immintrin.h>
#include <string.h>

#include "gpu/simd/sha256_private.h"

enum {
  LANES = 8,
  SUB = 4,    /* chains whose rounds are interleaved: each waits 4 cycles for its sha256rnds2 */
  PAIRS = 32, /* of rounds */
};
typedef __m256i vec;

#define ROR(x, n) _mm256_ror_epi32(x, n)
#define SHR(x, n) _mm256_srli_epi32(x, n)

ASZ_SHA256_INLINE vec vec_add(vec x, vec y) {
  return _mm256_add_epi32(x, y);
}

ASZ_SHA256_INLINE vec vec_broadcast(const uint32_t *word) {
  return _mm256_set1_epi32((int)*word);
}

/* Exclusive or of three; the empty asm keeps a compiler from joining the two into the vpternlogd that is slower here. */
ASZ_SHA256_INLINE vec xor3(vec x, vec y, vec z) {
  vec xy = _mm256_xor_si256(x, y);
  __asm__("" : "+v"(xy));
  return _mm256_xor_si256(xy, z);
}

ASZ_SHA256_INLINE vec vec_sigma0(vec x) {
  return xor3(ROR(x, 7), ROR(x, 18), SHR(x, 3));
}

ASZ_SHA256_INLINE vec vec_sigma1(vec x) {
  return xor3(ROR(x, 17), ROR(x, 19), SHR(x, 10));
}

#include "gpu/simd/sha256_schedule.h"

/* Eight chains between steps. A row of the schedule has chain c in lane 4 * (c % 2) + c / 2, as unpacking leaves it. */
struct set {
  __m128i abef[LANES], cdgh[LANES]; /* state after 64 rounds, before the initial state is added */
  vec k_plus_w[PAIRS][2];           /* words of two rounds; those of chain c lie side by side */
};

/* What one piece of schedule leaves to the next. */
struct draft {
  vec w[16];
  vec in[4], low, high;
};

ASZ_SHA256_INLINE vec initial_plus(int i, vec row) {
  return vec_add(row, vec_broadcast(&asz_sha256_constants.initial[i]));
}

/* The words of a digest, a row each, from four vectors of two chains: 0..3 of piece turn abef, 4..7 cdgh. */
ASZ_SHA256_INLINE void turn_piece(struct draft *d, const struct set *set, int piece) {
  const __m128i *from = piece < 4 ? set->abef : set->cdgh;
  const int row = piece < 4 ? 0 : 2; /* a b . . e f . .  or  . . c d . . g h */
  switch (piece & 3) {
  case 0:
    for (int i = 0; i < 4; i++) /* by halves, as they were stored: only then a load need not wait for the cache */
      d->in[i] =
          _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_load_si128(from + 2 * i)), _mm_load_si128(from + 2 * i + 1), 1);
    break;
  case 1: {
    vec low01 = _mm256_unpacklo_epi32(d->in[0], d->in[1]), low23 = _mm256_unpacklo_epi32(d->in[2], d->in[3]);
    d->in[1] = _mm256_unpackhi_epi32(d->in[0], d->in[1]);
    d->in[3] = _mm256_unpackhi_epi32(d->in[2], d->in[3]);
    d->in[0] = low01;
    d->in[2] = low23;
    break;
  }
  case 2:
    d->w[row + 5] = initial_plus(row + 5, _mm256_unpacklo_epi64(d->in[0], d->in[2]));
    d->w[row + 4] = initial_plus(row + 4, _mm256_unpackhi_epi64(d->in[0], d->in[2]));
    break;
  default:
    d->w[row + 1] = initial_plus(row + 1, _mm256_unpacklo_epi64(d->in[1], d->in[3]));
    d->w[row] = initial_plus(row, _mm256_unpackhi_epi64(d->in[1], d->in[3]));
  }
}

/* Words 2 * pair and the next, constants added, so that the two of each chain lie side by side. */
ASZ_SHA256_INLINE void put_pair(struct set *set, const struct draft *d, int pair) {
  const uint32_t *k = asz_sha256_constants.k + 2 * pair;
  vec even = vec_add(d->w[2 * pair & 15], vec_broadcast(k)), odd = vec_add(d->w[(2 * pair + 1) & 15], vec_broadcast(k + 1));
  set->k_plus_w[pair][0] = _mm256_unpacklo_epi32(even, odd);
  set->k_plus_w[pair][1] = _mm256_unpackhi_epi32(even, odd);
}

/* The whole schedule of a set, in pieces of two to six operations: 8 that turn its digests, 4 that put their words, and 4 for
 * each of the 48 words after. */
enum {
  TURN = 8,
  PUT = 4,
  WORD = 4,
  PIECES = TURN + PUT + 48 * WORD,
  SLOTS = PAIRS * LANES, /* one behind each sha256rnds2 of the other set */
};

ASZ_SHA256_INLINE void schedule_piece(struct draft *d, struct set *set, int piece) {
  if (piece < TURN) {
    turn_piece(d, set, piece);
    return;
  }
  if (piece < TURN + PUT) {
    put_pair(set, d, piece - TURN);
    return;
  }
  int i = 16 + (piece - TURN - PUT) / WORD;
  switch ((piece - TURN - PUT) % WORD) {
  case 0:
    if (schedule_has_low(i))
      d->low = schedule_low(d->w, i);
    break;
  case 1:
    if (schedule_has_high(i))
      d->high = schedule_high(d->w, i);
    break;
  case 2:
    d->w[i & 15] = !schedule_has_high(i) ? d->low : !schedule_has_low(i) ? d->high : vec_add(d->low, d->high);
    break;
  default:
    if (i % 2)
      put_pair(set, d, i / 2);
  }
}

/* All rounds of `rounds`, whose schedule is made, and all the schedule of `next`, whose digests are. */
ASZ_SHA256_INLINE void turn(struct set *rounds, struct set *next) {
  const struct asz_sha256_constants *k = &asz_sha256_constants;
  const __m128i initial_abef = _mm_loadu_si128((const __m128i *)k->initial_abef);
  const __m128i initial_cdgh = _mm_loadu_si128((const __m128i *)k->initial_cdgh);
  struct draft draft;
  ASZ_SHA256_UNROLL
  for (int first = 0; first < LANES; first += SUB) {
    __m128i abef[SUB], cdgh[SUB];
    ASZ_SHA256_UNROLL
    for (int c = 0; c < SUB; c++) {
      abef[c] = initial_abef;
      cdgh[c] = initial_cdgh;
    }
    ASZ_SHA256_UNROLL
    for (int pair = 0; pair < PAIRS; pair++) {
      ASZ_SHA256_UNROLL
      for (int c = 0; c < SUB; c++) {
        const int chain = first + c, row = chain / 2;
        const char *mine = (const char *)&rounds->k_plus_w[pair][row / 2] + 16 * (chain % 2) + 8 * (row % 2);
        if (pair >= 4 && pair < 8) /* words 8..15: constants */
          mine = (const char *)(k->k + 2 * pair);
        __m128i k_plus_w = _mm_loadl_epi64((const __m128i *)mine);
        if (pair % 2 == 0)
          cdgh[c] = _mm_sha256rnds2_epu32(cdgh[c], abef[c], k_plus_w);
        else
          abef[c] = _mm_sha256rnds2_epu32(abef[c], cdgh[c], k_plus_w);
        const int slot = PAIRS * first + SUB * pair + c;
        ASZ_SHA256_UNROLL
        for (int piece = slot * PIECES / SLOTS; piece < (slot + 1) * PIECES / SLOTS; piece++)
          schedule_piece(&draft, next, piece);
      }
    }
    ASZ_SHA256_UNROLL
    for (int c = 0; c < SUB; c++) {
      _mm_store_si128(&rounds->abef[first + c], abef[c]);
      _mm_store_si128(&rounds->cdgh[first + c], cdgh[c]);
    }
  }
}

/* Which word of a digest word i of abef is; of cdgh: two more. */
static const int word_of_abef[4] = {5, 4, 1, 0};

/* x as a state to which the initial one is still to be added. */
static void put_in(struct set *set, const struct asz_sha256_x x[LANES]) {
  const uint32_t *initial = asz_sha256_constants.initial;
  for (int c = 0; c < LANES; c++) {
    uint32_t abef[4], cdgh[4];
    for (int i = 0; i < 4; i++) {
      int word = word_of_abef[i];
      abef[i] = x[c].word[word] - initial[word];
      cdgh[i] = x[c].word[word + 2] - initial[word + 2];
    }
    memcpy(&set->abef[c], abef, sizeof abef);
    memcpy(&set->cdgh[c], cdgh, sizeof cdgh);
  }
}

static void take_out(struct asz_sha256_x x[LANES], const struct set *set) {
  const uint32_t *initial = asz_sha256_constants.initial;
  for (int c = 0; c < LANES; c++) {
    uint32_t abef[4], cdgh[4];
    memcpy(abef, &set->abef[c], sizeof abef);
    memcpy(cdgh, &set->cdgh[c], sizeof cdgh);
    for (int i = 0; i < 4; i++) {
      int word = word_of_abef[i];
      x[c].word[word] = abef[i] + initial[word];
      x[c].word[word + 2] = cdgh[i] + initial[word + 2];
    }
  }
}

static void advance_two_sets(struct asz_sha256_x x[2 * LANES], uint32_t steps) {
  struct set set[2];
  put_in(&set[0], x);
  set[1] = set[0]; /* anything: its rounds run once for nothing, while the first schedule of set 0 is made */
  for (int pair = 0; pair < PAIRS; pair++)
    set[1].k_plus_w[pair][0] = set[1].k_plus_w[pair][1] = _mm256_setzero_si256();
  for (uint64_t half = 0; half < 2 * (uint64_t)steps + 1; half++) {
    turn(&set[1 - half % 2], &set[half % 2]);
    if (half == 0)
      put_in(&set[1], x + LANES);
  }
  _mm256_zeroupper(); /* or the SSE code of others is slow: gcc 12 forgets it at -O2 */
  take_out(x, &set[0]);
  take_out(x + LANES, &set[1]);
}

static void shani_avx512_advance(struct asz_sha256_x *x, size_t count, uint32_t steps) {
  if (steps == 0)
    return;
  for (; count >= 2 * LANES; x += 2 * LANES, count -= 2 * LANES)
    advance_two_sets(x, steps);
  asz_sha256_shani.advance(x, count, steps); /* up to 15: four at a time waste less than padding would */
}

static bool is_supported(void) {
  return asz_sha256_shani.is_supported() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

const struct asz_sha256_backend asz_sha256_shani_avx512 = {"sha-ni+avx512", 2 * LANES, is_supported, shani_avx512_advance};
