/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of every map is demanded: each is taken out of envelope, bundle, body and log entries in turn, everything around it
 * is signed and logged again, and the reader must say no and why. A small CBOR walker of the test's own finds the fields. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "control/evidence/bundle.h"
#include "tests/control/evidence/forge.h"

/* Length in the head at data[at]; *ret_payload is where the item's content starts. */
static uint64_t head(const uint8_t *data, size_t at, size_t *ret_payload) {
  unsigned low = data[at] & 31;
  size_t more = low < 24 ? 0 : (size_t)1 << (low - 24);
  uint64_t value = low;
  if (more)
    value = 0;
  for (size_t i = 0; i < more; i++)
    value = value << 8 | data[at + 1 + i];
  *ret_payload = at + 1 + more;
  return value;
}

struct pair {
  size_t map, first, end; /* of the map's head; of key and value */
};
static struct pair pairs[4096];
static size_t pair_count;

/* Walks one item, notes the pairs of every map in it, and returns its end. */
static size_t walk(const uint8_t *data, size_t at) {
  size_t payload, map = at;
  uint64_t value = head(data, at, &payload);
  unsigned major = data[at] >> 5;
  if (major == 0)
    return payload;
  if (major == 2 || major == 3)
    return payload + value;
  for (uint64_t i = 0; i < value; i++) {
    size_t first = payload;
    if (major == 5)
      payload = walk(data, payload);
    payload = walk(data, payload);
    if (major == 5)
      pairs[pair_count++] = (struct pair){map, first, payload};
  }
  return payload;
}

static size_t find_pairs(const uint8_t *data, size_t size) {
  pair_count = 0;
  cr_assert_eq(walk(data, 0), size);
  return pair_count;
}

static size_t without(uint8_t *ret_data, const uint8_t *data, size_t size, const struct pair *pair) {
  memcpy(ret_data, data, pair->first);
  memcpy(ret_data + pair->first, data + pair->end, size - pair->end);
  ret_data[pair->map]--; /* all of our maps have fewer than 24 pairs */
  return size - (pair->end - pair->first);
}

static struct forge f;
static uint8_t changed[1 << 17];

static void expect_refused(const char *where, size_t i) {
  char failed[64];
  struct asz_diag diag;
  cr_assert_eq(forge_check(&f, failed, &diag), ASZ_EVIDENCE_UNVERIFIABLE, "%s: field %zu taken out", where, i);
  cr_assert_not_null(strstr(diag.text, "expected"), "%s: field %zu: %s", where, i, diag.text);
}

static void finish_bundle(void) {
  forge_entry(&f);
  forge_log_entry(&f);
  forge_envelope(&f);
}

static void take_out_of_envelope(void) {
  uint8_t *file = f.file;
  size_t size = f.file_bytes, count = find_pairs(file, size);
  cr_assert_eq(count, 5 + 3);
  for (size_t i = 0; i < count; i++) {
    f.file_bytes = without(changed, file, size, &pairs[i]);
    f.file = changed;
    expect_refused("envelope", i);
  }
  f.file = file;
  f.file_bytes = size;
}

static void take_out_of_bundle(void) {
  size_t size = f.bundle_bytes, count = find_pairs(f.bundle, size);
  uint8_t *bundle = malloc(size);
  memcpy(bundle, f.bundle, size);
  cr_assert_eq(count, 3);
  for (size_t i = 0; i < count; i++) {
    f.bundle_bytes = without(f.bundle, bundle, size, &pairs[i]);
    finish_bundle();
    expect_refused("bundle", i);
  }
  free(bundle);
  forge_bundle(&f);
}

static void take_out_of_body(size_t expected) {
  struct asz_bundle parsed;
  cr_assert_eq(asz_bundle_parse(&parsed, f.bundle, f.bundle_bytes, NULL), 0);
  size_t size = parsed.body_bytes, count = find_pairs(parsed.body, size);
  uint8_t *body = malloc(size);
  memcpy(body, parsed.body, size);
  asz_bundle_free(&parsed);
  cr_assert_eq(count, expected, "%zu fields", count);
  for (size_t i = 0; i < count; i++) {
    size_t changed_bytes = without(changed, body, size, &pairs[i]);
    forge_bundle_of(&f, changed, changed_bytes, &f.validator);
    finish_bundle();
    expect_refused("body", i);
  }
  free(body);
  forge_bundle(&f);
}

static void take_out_of_slash_entry(void) {
  forge_entry(&f);
  uint8_t entry[sizeof f.entry];
  size_t size = f.entry_bytes, count = find_pairs(f.entry, size);
  memcpy(entry, f.entry, size);
  cr_assert_eq(count, 7);
  for (size_t i = 0; i < count; i++) {
    f.entry_bytes = without(f.entry, entry, size, &pairs[i]);
    forge_log_entry(&f);
    forge_envelope(&f);
    expect_refused("slash entry", i);
  }
}

Test(fields, every_field_of_a_wrong_answer_envelope_is_demanded)
{
  forge_wrong(&f);
  take_out_of_envelope();
  take_out_of_bundle();
  /* body 13, accused 4, accuser 2, proof 4, and for each transcript 12 and its inclusion 3 */
  take_out_of_body(13 + 4 + 2 + 4 + FORGE_WRONG * (12 + 3));
  take_out_of_slash_entry();
  forge_free(&f);
}

Test(fields, every_field_of_a_silence_envelope_is_demanded)
{
  forge_silent(&f);
  take_out_of_envelope();
  take_out_of_bundle();
  take_out_of_body(13 + 4 + 2 + 4 + 2 * 3);
  take_out_of_slash_entry();
  forge_free(&f);
}

Test(fields, every_field_of_an_opening_and_a_closing_entry_is_demanded)
{
  forge_silent(&f);
  struct asz_epoch_open open;
  struct asz_epoch_close close;
  struct asz_diag diag;
  size_t size = f.open_entry_bytes[0];
  cr_assert_eq(asz_entry_epoch_open_read(&open, f.open_entry[0], size, &diag), 0);
  cr_assert_eq(find_pairs(f.open_entry[0], size), 7);
  for (size_t i = 0; i < pair_count; i++) {
    size_t changed_bytes = without(changed, f.open_entry[0], size, &pairs[i]);
    cr_assert_eq(asz_entry_epoch_open_read(&open, changed, changed_bytes, &diag), ASZ_EFORMAT);
    cr_assert_eq(asz_entry_epoch_open_read(&open, f.open_entry[0], pairs[i].end - 1, &diag), ASZ_EFORMAT);
  }
  size = f.evidence.close_entry_bytes;
  cr_assert_eq(asz_entry_epoch_close_read(&close, f.close_entry, size, &diag), 0);
  cr_assert_eq(find_pairs(f.close_entry, size), 6);
  for (size_t i = 0; i < pair_count; i++) {
    size_t changed_bytes = without(changed, f.close_entry, size, &pairs[i]);
    cr_assert_eq(asz_entry_epoch_close_read(&close, changed, changed_bytes, &diag), ASZ_EFORMAT);
    cr_assert_eq(asz_entry_epoch_close_read(&close, f.close_entry, pairs[i].end - 1, &diag), ASZ_EFORMAT);
  }
  cr_assert_eq(asz_entry_epoch_open_read(&open, f.close_entry, size, &diag), ASZ_EFORMAT); /* the other type */
  forge_free(&f);
}

Test(fields, a_version_or_offence_of_the_future_is_unverifiable)
{
  for (int what = 0; what < 3; what++) {
    struct asz_bundle parsed;
    char failed[64];
    struct asz_diag diag;
    forge_wrong(&f);
    cr_assert_eq(asz_bundle_parse(&parsed, f.bundle, f.bundle_bytes, NULL), 0);
    size_t size = parsed.body_bytes;
    memcpy(changed, parsed.body, size);
    asz_bundle_free(&parsed);
    cr_assert_eq(changed[2], ASZ_EVIDENCE_VERSION); /* map head, key 0, version, key 1, offence */
    cr_assert_eq(changed[4], ASZ_OFFENCE_S1);
    if (what == 0)
      changed[2] = ASZ_EVIDENCE_VERSION + 1;
    else
      changed[4] = what == 1 ? ASZ_OFFENCE_S0 : ASZ_OFFENCE_S2;
    forge_bundle_of(&f, changed, size, &f.validator);
    finish_bundle();
    cr_assert_eq(forge_check(&f, failed, &diag), ASZ_EVIDENCE_UNVERIFIABLE);
    cr_assert_str_eq(failed, "bundle");
    forge_free(&f);
  }
}
