/* SPDX-License-Identifier: Apache-2.0 */
/* cosigned: a log in a scratch folder, witnesses with keys of their own, and checkpoints that they cosigned. */
#ifndef ASZ_TESTS_CONTROL_TLOG_COSIGNED_H
#define ASZ_TESTS_CONTROL_TLOG_COSIGNED_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "control/tlog/policy.h"

/* Key `first`, the same in every run. */
static inline struct asz_identity cosigned_identity(uint8_t first) {
  uint8_t seed[32] = {first};
  struct asz_identity key;
  asz_identity_from_seed(&key, seed);
  return key;
}

/* Witness n is called witness.example/<n> and has identity 100 + n. */
static inline void cosigned_vkey(char ret_text[ASZ_VKEY_BYTES], unsigned n) {
  char name[64];
  struct asz_identity witness = cosigned_identity((uint8_t)(100 + n));
  struct asz_note_key key;
  snprintf(name, sizeof name, "witness.example/%u", n);
  asz_note_key_make(&key, name, ASZ_NOTE_COSIGNATURE, witness.public_key);
  asz_note_key_format(ret_text, &key);
}

/* Puts witness n's line under a note, whose text it cosigns. */
static inline void cosigned_add(char *note, size_t capacity, unsigned n, uint64_t time_s) {
  char name[64], line[ASZ_COSIGNATURE_LINE_MAX];
  struct asz_identity witness = cosigned_identity((uint8_t)(100 + n));
  snprintf(name, sizeof name, "witness.example/%u", n);
  size_t text_bytes = (size_t)(strstr(note, "\n\n") + 1 - note);
  cr_assert_eq(asz_cosignature_sign(line, name, &witness, note, text_bytes, time_s), 0);
  cr_assert_lt(strlen(note) + strlen(line), capacity);
  strcat(note, line);
}

#endif
