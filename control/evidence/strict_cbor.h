/* SPDX-License-Identifier: Apache-2.0 */
/* asz_cbor: the small, strict part of CBOR that log entries and evidence use: unsigned integers, byte strings, text, arrays, maps
 * with the keys 0, 1, 2, ... in order. Deterministic encoding (RFC 8949 section 4.2.1) is the only form there is: what the writer
 * does not write, the reader refuses.
 *
 * Both sides keep the first error and turn everything after it into nothing, so that the code that uses them reads as the list of
 * fields that it is; the caller asks once, at the end. Within control/evidence only. */
#ifndef ASZ_CONTROL_EVIDENCE_STRICT_CBOR_H
#define ASZ_CONTROL_EVIDENCE_STRICT_CBOR_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* Into the caller's buffer. */
struct asz_cbor_writer {
  uint8_t *data;
  size_t capacity, size;
  int err; /* ASZ_ETOOBIG once something did not fit */
};
void asz_cbor_put_map(struct asz_cbor_writer *writer, uint64_t pairs);
void asz_cbor_put_array(struct asz_cbor_writer *writer, uint64_t items);
void asz_cbor_put_uint(struct asz_cbor_writer *writer, uint64_t value);
void asz_cbor_put_bytes(struct asz_cbor_writer *writer, const void *bytes, size_t size_bytes);
void asz_cbor_put_text(struct asz_cbor_writer *writer, const char *text);
/* Key and value of a map's pair. */
void asz_cbor_pair_uint(struct asz_cbor_writer *writer, unsigned key, uint64_t value);
void asz_cbor_pair_bytes(struct asz_cbor_writer *writer, unsigned key, const void *bytes, size_t size_bytes);
void asz_cbor_pair_text(struct asz_cbor_writer *writer, unsigned key, const char *text);

/* Over bytes that stay the caller's. */
struct asz_cbor_reader {
  const uint8_t *data;
  size_t size, at;
  const char *what;  /* "bundle" */
  const char *field; /* the pair being read */
  struct asz_diag *diag;
  int err; /* ASZ_EFORMAT once something was not as expected */
};
void asz_cbor_start(struct asz_cbor_reader *ret_reader, const uint8_t *data, size_t size_bytes, const char *what,
                    struct asz_diag *diag);
/* asz_cbor_map: a map of exactly `pairs` pairs. asz_cbor_key: the next key, which must be `key`; field is its name in messages.
 */
void asz_cbor_map(struct asz_cbor_reader *reader, uint64_t pairs);
void asz_cbor_key(struct asz_cbor_reader *reader, unsigned key, const char *field);
/* asz_cbor_array: number of items, at most `max`; 0 after an error. */
size_t asz_cbor_array(struct asz_cbor_reader *reader, size_t max);
/* asz_cbor_is_bytes: is the next item a byte string? For the one field that may be of two types. */
int asz_cbor_is_bytes(const struct asz_cbor_reader *reader);
/* Values: 0, NULL or "" after an error. asz_cbor_bytes points into the data. asz_cbor_text copies: at most capacity - 1 bytes of
 * UTF-8; of control characters only newlines, and only where `lines`. */
uint64_t asz_cbor_uint(struct asz_cbor_reader *reader, uint64_t max);
const uint8_t *asz_cbor_bytes(struct asz_cbor_reader *reader, size_t max, size_t *ret_size);
const uint8_t *asz_cbor_bytes_exact(struct asz_cbor_reader *reader, size_t size_bytes);
void asz_cbor_copy(struct asz_cbor_reader *reader, uint8_t *ret_bytes, size_t size_bytes);
void asz_cbor_text(struct asz_cbor_reader *reader, char *ret_text, size_t capacity, int lines);
/* A key and its value. */
uint64_t asz_cbor_field_uint(struct asz_cbor_reader *reader, unsigned key, const char *field, uint64_t max);
const uint8_t *asz_cbor_field_bytes(struct asz_cbor_reader *reader, unsigned key, const char *field, size_t max,
                                    size_t *ret_size);
const uint8_t *asz_cbor_field_bytes_exact(struct asz_cbor_reader *reader, unsigned key, const char *field, size_t size_bytes);
void asz_cbor_field_copy(struct asz_cbor_reader *reader, unsigned key, const char *field, uint8_t *ret_bytes, size_t size_bytes);
void asz_cbor_field_text(struct asz_cbor_reader *reader, unsigned key, const char *field, char *ret_text, size_t capacity,
                         int lines);
/* asz_cbor_end: 0, or the error; bytes behind the last item are one. */
ASZ_MUST_CHECK int asz_cbor_end(struct asz_cbor_reader *reader);

#endif
