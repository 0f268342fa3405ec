/* SPDX-License-Identifier: Apache-2.0 */
/* See strict_cbor.h. libcbor's streaming half does the bytes: no tree of items, no allocation, no recursion. Strictness is one
 * rule: the head of every item, encoded again, must give the bytes that were read. That refuses long forms and indefinite lengths
 * without a case for each. */
#include "control/evidence/strict_cbor.h"

#include <cbor.h>
#include <string.h>

#include "control/tlog/note.h"

enum { HEAD_MAX_BYTES = 9 };

/* Major types that we speak. */
enum item_type { ITEM_NONE = 0, ITEM_UINT, ITEM_BYTES, ITEM_TEXT, ITEM_ARRAY, ITEM_MAP };

static size_t encode_head(uint8_t *ret_head, size_t capacity, enum item_type type, uint64_t value) {
  switch (type) {
  case ITEM_UINT:
    return cbor_encode_uint(value, ret_head, capacity);
  case ITEM_BYTES:
    return cbor_encode_bytestring_start(value, ret_head, capacity);
  case ITEM_TEXT:
    return cbor_encode_string_start(value, ret_head, capacity);
  case ITEM_ARRAY:
    return cbor_encode_array_start(value, ret_head, capacity);
  case ITEM_MAP:
    return cbor_encode_map_start(value, ret_head, capacity);
  case ITEM_NONE:
    break;
  }
  return 0;
}

static void put_head(struct asz_cbor_writer *writer, enum item_type type, uint64_t value) {
  uint8_t head[HEAD_MAX_BYTES];
  size_t head_bytes = encode_head(head, sizeof head, type, value);
  if (writer->err || writer->capacity - writer->size < head_bytes) {
    writer->err = ASZ_ETOOBIG;
    return;
  }
  memcpy(writer->data + writer->size, head, head_bytes);
  writer->size += head_bytes;
}

static void put_payload(struct asz_cbor_writer *writer, const void *bytes, size_t size) {
  if (writer->err || writer->capacity - writer->size < size) {
    writer->err = ASZ_ETOOBIG;
    return;
  }
  if (size) /* of nothing there may be no address */
    memcpy(writer->data + writer->size, bytes, size);
  writer->size += size;
}

void asz_cbor_put_map(struct asz_cbor_writer *writer, uint64_t pairs) {
  put_head(writer, ITEM_MAP, pairs);
}

void asz_cbor_put_array(struct asz_cbor_writer *writer, uint64_t items) {
  put_head(writer, ITEM_ARRAY, items);
}

void asz_cbor_put_uint(struct asz_cbor_writer *writer, uint64_t value) {
  put_head(writer, ITEM_UINT, value);
}

void asz_cbor_put_bytes(struct asz_cbor_writer *writer, const void *bytes, size_t size_bytes) {
  put_head(writer, ITEM_BYTES, size_bytes);
  put_payload(writer, bytes, size_bytes);
}

void asz_cbor_put_text(struct asz_cbor_writer *writer, const char *text) {
  size_t size = strlen(text);
  put_head(writer, ITEM_TEXT, size);
  put_payload(writer, text, size);
}

void asz_cbor_pair_uint(struct asz_cbor_writer *writer, unsigned key, uint64_t value) {
  asz_cbor_put_uint(writer, key);
  asz_cbor_put_uint(writer, value);
}

void asz_cbor_pair_bytes(struct asz_cbor_writer *writer, unsigned key, const void *bytes, size_t size_bytes) {
  asz_cbor_put_uint(writer, key);
  asz_cbor_put_bytes(writer, bytes, size_bytes);
}

void asz_cbor_pair_text(struct asz_cbor_writer *writer, unsigned key, const char *text) {
  asz_cbor_put_uint(writer, key);
  asz_cbor_put_text(writer, text);
}

/* One item as the decoder reports it: a container's or string's head with its length, or an integer. */
struct item {
  enum item_type type;
  uint64_t value;
  const uint8_t *payload;
};

static void on_uint8(void *context, uint8_t value) {
  *(struct item *)context = (struct item){.type = ITEM_UINT, .value = value};
}
static void on_uint16(void *context, uint16_t value) {
  *(struct item *)context = (struct item){.type = ITEM_UINT, .value = value};
}
static void on_uint32(void *context, uint32_t value) {
  *(struct item *)context = (struct item){.type = ITEM_UINT, .value = value};
}
static void on_uint64(void *context, uint64_t value) {
  *(struct item *)context = (struct item){.type = ITEM_UINT, .value = value};
}
static void on_bytes(void *context, cbor_data data, size_t size) {
  *(struct item *)context = (struct item){.type = ITEM_BYTES, .value = size, .payload = data};
}
static void on_text(void *context, cbor_data data, size_t size) {
  *(struct item *)context = (struct item){.type = ITEM_TEXT, .value = size, .payload = data};
}
static void on_array(void *context, size_t items) {
  *(struct item *)context = (struct item){.type = ITEM_ARRAY, .value = items};
}
static void on_map(void *context, size_t pairs) {
  *(struct item *)context = (struct item){.type = ITEM_MAP, .value = pairs};
}

static void refuse(struct asz_cbor_reader *reader, const char *expected) {
  if (!reader->err)
    reader->err = asz_diag_set(reader->diag, ASZ_EFORMAT, "%s: %s at byte %zu: expected %s", reader->what, reader->field,
                               reader->at, expected);
}

static struct item next_item(struct asz_cbor_reader *reader, enum item_type type, const char *expected) {
  struct item item = {ITEM_NONE, 0, NULL};
  if (reader->err)
    return item;
  struct cbor_callbacks callbacks = cbor_empty_callbacks; /* what is not named below leaves ITEM_NONE */
  callbacks.uint8 = on_uint8;
  callbacks.uint16 = on_uint16;
  callbacks.uint32 = on_uint32;
  callbacks.uint64 = on_uint64;
  callbacks.byte_string = on_bytes;
  callbacks.string = on_text;
  callbacks.array_start = on_array;
  callbacks.map_start = on_map;
  const uint8_t *start = reader->data + reader->at;
  struct cbor_decoder_result result = cbor_stream_decode(start, reader->size - reader->at, &callbacks, &item);
  uint8_t head[HEAD_MAX_BYTES];
  size_t head_bytes = encode_head(head, sizeof head, item.type, item.value);
  if (result.status != CBOR_DECODER_FINISHED || item.type != type || memcmp(start, head, head_bytes) != 0 ||
      result.read != head_bytes + (item.payload ? item.value : 0)) {
    refuse(reader, expected);
    return (struct item){ITEM_NONE, 0, NULL};
  }
  reader->at += result.read;
  return item;
}

void asz_cbor_start(struct asz_cbor_reader *ret_reader, const uint8_t *data, size_t size_bytes, const char *what,
                    struct asz_diag *diag) {
  *ret_reader = (struct asz_cbor_reader){.data = data, .size = size_bytes, .what = what, .field = "start", .diag = diag};
}

void asz_cbor_map(struct asz_cbor_reader *reader, uint64_t pairs) {
  struct item item = next_item(reader, ITEM_MAP, "a map");
  if (!reader->err && item.value != pairs)
    refuse(reader, "a map with another number of fields");
}

void asz_cbor_key(struct asz_cbor_reader *reader, unsigned key, const char *field) {
  if (reader->err)
    return;
  reader->field = field;
  struct item item = next_item(reader, ITEM_UINT, "its key");
  if (!reader->err && item.value != key)
    refuse(reader, "its key: the field is missing");
}

size_t asz_cbor_array(struct asz_cbor_reader *reader, size_t max) {
  struct item item = next_item(reader, ITEM_ARRAY, "an array");
  if (!reader->err && item.value > max)
    refuse(reader, "a shorter array");
  return reader->err ? 0 : item.value;
}

uint64_t asz_cbor_uint(struct asz_cbor_reader *reader, uint64_t max) {
  struct item item = next_item(reader, ITEM_UINT, "an unsigned integer in its shortest form");
  if (!reader->err && item.value > max)
    refuse(reader, "a smaller number");
  return reader->err ? 0 : item.value;
}

const uint8_t *asz_cbor_bytes(struct asz_cbor_reader *reader, size_t max, size_t *ret_size) {
  struct item item = next_item(reader, ITEM_BYTES, "a byte string");
  if (!reader->err && item.value > max)
    refuse(reader, "a shorter byte string");
  *ret_size = reader->err ? 0 : item.value;
  return reader->err ? NULL : item.payload;
}

const uint8_t *asz_cbor_bytes_exact(struct asz_cbor_reader *reader, size_t size_bytes) {
  size_t size;
  const uint8_t *bytes = asz_cbor_bytes(reader, size_bytes, &size);
  if (!reader->err && size != size_bytes)
    refuse(reader, "a longer byte string");
  return reader->err ? NULL : bytes;
}

void asz_cbor_copy(struct asz_cbor_reader *reader, uint8_t *ret_bytes, size_t size_bytes) {
  const uint8_t *bytes = asz_cbor_bytes_exact(reader, size_bytes);
  if (bytes)
    memcpy(ret_bytes, bytes, size_bytes);
}

void asz_cbor_text(struct asz_cbor_reader *reader, char *ret_text, size_t capacity, int lines) {
  ret_text[0] = 0;
  struct item item = next_item(reader, ITEM_TEXT, "text");
  if (!reader->err && (item.value >= capacity || !asz_text_ok((const char *)item.payload, item.value, lines ? "\n" : "")))
    refuse(reader, "shorter text, UTF-8, without control characters");
  if (reader->err)
    return;
  memcpy(ret_text, item.payload, item.value);
  ret_text[item.value] = 0;
}

uint64_t asz_cbor_field_uint(struct asz_cbor_reader *reader, unsigned key, const char *field, uint64_t max) {
  asz_cbor_key(reader, key, field);
  return asz_cbor_uint(reader, max);
}

const uint8_t *asz_cbor_field_bytes(struct asz_cbor_reader *reader, unsigned key, const char *field, size_t max,
                                    size_t *ret_size) {
  asz_cbor_key(reader, key, field);
  return asz_cbor_bytes(reader, max, ret_size);
}

const uint8_t *asz_cbor_field_bytes_exact(struct asz_cbor_reader *reader, unsigned key, const char *field, size_t size_bytes) {
  asz_cbor_key(reader, key, field);
  return asz_cbor_bytes_exact(reader, size_bytes);
}

void asz_cbor_field_copy(struct asz_cbor_reader *reader, unsigned key, const char *field, uint8_t *ret_bytes, size_t size_bytes) {
  asz_cbor_key(reader, key, field);
  asz_cbor_copy(reader, ret_bytes, size_bytes);
}

void asz_cbor_field_text(struct asz_cbor_reader *reader, unsigned key, const char *field, char *ret_text, size_t capacity,
                         int lines) {
  asz_cbor_key(reader, key, field);
  asz_cbor_text(reader, ret_text, capacity, lines);
}

int asz_cbor_is_bytes(const struct asz_cbor_reader *reader) {
  enum { MAJOR_BYTES = 2 }; /* RFC 8949 section 3.1: the upper three bits of an item's first byte */
  return !reader->err && reader->at < reader->size && reader->data[reader->at] >> 5 == MAJOR_BYTES;
}

int asz_cbor_end(struct asz_cbor_reader *reader) {
  reader->field = "end";
  if (!reader->err && reader->at != reader->size)
    refuse(reader, "no more bytes");
  return reader->err;
}
