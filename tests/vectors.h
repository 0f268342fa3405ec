/* SPDX-License-Identifier: Apache-2.0 */
/* The files of tests/vectors/, which programs in another language made. */
#ifndef ASZ_TESTS_VECTORS_H
#define ASZ_TESTS_VECTORS_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/base/identity.h"

static inline json_t *asz_vectors_open(const char *name) {
  char path[4096];
  json_error_t error;
  const char *source = getenv("ASSIZE_SOURCE");
  snprintf(path, sizeof path, "%s/tests/vectors/%s", source == NULL ? "." : source, name);
  json_t *json = json_load_file(path, 0, &error);
  cr_assert_not_null(json, "%s: %s", path, error.text);
  return json;
}

static inline json_t *asz_vectors_get(json_t *object, const char *name) {
  json_t *value = json_object_get(object, name);
  cr_assert_not_null(value, "the vectors have no %s", name);
  return value;
}

/* asz_vectors_hex: the size_bytes bytes of a string, which has no more of them. */
static inline void asz_vectors_hex(uint8_t *ret_bytes, size_t size_bytes, json_t *string) {
  cr_assert_eq(json_string_length(string), 2 * size_bytes);
  cr_assert_eq(asz_hex_decode(ret_bytes, size_bytes, json_string_value(string)), ASZ_OK);
}

static inline uint64_t asz_vectors_number(json_t *value) {
  return (uint64_t)json_integer_value(value);
}

#endif
