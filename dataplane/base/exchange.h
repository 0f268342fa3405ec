/* SPDX-License-Identifier: Apache-2.0 */
/* asz_exchange: what was said about one challenge, byte for byte: what evidence is made of. A kind that is judged by its answer
 * alone has no opening; only the fold of an arena has a build. Pure functions. */
#ifndef ASZ_DATAPLANE_BASE_EXCHANGE_H
#define ASZ_DATAPLANE_BASE_EXCHANGE_H

#include "dataplane/base/opening.h"

/* X(symbol, name, largest size) */
#define ASZ_PIECE_LIST(X)                                                                                                        \
  X(CHALLENGE, "challenge", ASZ_DATAGRAM_MAX_BYTES)                                                                              \
  X(ANSWER, "answer", ASZ_DATAGRAM_MAX_BYTES)                                                                                    \
  X(OPENING, "opening", ASZ_OPENING_TOTAL_MAX) /* the openings and their signature, as they were chunked (opening.h) */          \
  X(BUILD, "build", ASZ_DATAGRAM_MAX_BYTES)    /* of a fold: the answer of the build of its arena */

enum asz_piece {
#define ASZ_PIECE_ENUM(symbol, name, max_bytes) ASZ_PIECE_##symbol,
  ASZ_PIECE_LIST(ASZ_PIECE_ENUM)
#undef ASZ_PIECE_ENUM
      ASZ_PIECE_COUNT
};

struct asz_span {
  const uint8_t *data;
  size_t size_bytes; /* 0: there is none */
};
struct asz_exchange {
  struct asz_span piece[ASZ_PIECE_COUNT];
};

const char *asz_piece_name(enum asz_piece piece);
size_t asz_piece_max_bytes(enum asz_piece piece);

/* asz_exchange_bytes: of all pieces together. asz_exchange_copy: writes them one after the other into so many bytes and returns
 * the exchange that points at the copy. */
size_t asz_exchange_bytes(const struct asz_exchange *exchange);
struct asz_exchange asz_exchange_copy(uint8_t *ret_bytes, const struct asz_exchange *exchange);
/* asz_exchange_lay: the exchange whose pieces of these sizes follow each other from `bytes` on. */
struct asz_exchange asz_exchange_lay(const uint8_t *bytes, const size_t size_bytes[ASZ_PIECE_COUNT]);

/* asz_exchange_provable: if the work in it is wrong, could that be shown to others? Of seq by the answer; of gemm and mem by
 * signed openings, of a fold only together with the build of the very arena that it names: which of two builds was the later one,
 * nobody could tell. An answer of kind sig is right or nobody's. */
bool asz_exchange_provable(const struct asz_exchange *exchange);

#endif
