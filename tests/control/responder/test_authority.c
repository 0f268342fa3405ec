/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/base/stamp_auth.h"
#include "tests/control/responder/fixture.h"

static const uint8_t data[40] = "what a validator sends in an epoch";

static int ask(struct fixture *fixture, const struct asz_identity *sealed_by, uint32_t epoch, uint64_t now_ns) {
  uint8_t id[ASZ_ID_BYTES], mac[ASZ_MAC_BYTES];
  asz_identity_short(id, fixture->validator.public_key);
  struct asz_validator *validator = asz_authority_find(fixture->authority, id);
  cr_assert_not_null(validator);
  const struct asz_session expected = fixture_session(fixture, sealed_by, epoch);
  asz_mac_make(mac, expected.request_key, data, sizeof data);
  struct asz_session session = {0};
  const int err = asz_authority_check(fixture->authority, validator, epoch, mac, data, sizeof data, now_ns, &session);
  if (!err)
    cr_assert_arr_eq(session.reply_key, expected.reply_key, sizeof session.reply_key);
  return err;
}

static int genuine(struct fixture *fixture, uint32_t epoch) {
  return ask(fixture, &fixture->validator, epoch, 0);
}

static int forged(struct fixture *fixture, uint32_t epoch, uint64_t now_ns) {
  return ask(fixture, &fixture->stranger, epoch, now_ns);
}

Test(authority, unknown_short_id_is_not_found)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  uint8_t id[ASZ_ID_BYTES];
  asz_identity_short(id, fixture.stranger.public_key);
  cr_assert_null(asz_authority_find(fixture.authority, id));
  fixture_free(&fixture);
}

Test(authority, every_flipped_bit_of_the_mac_is_refused)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  uint8_t id[ASZ_ID_BYTES], mac[ASZ_MAC_BYTES];
  asz_identity_short(id, fixture.validator.public_key);
  struct asz_validator *validator = asz_authority_find(fixture.authority, id);
  const struct asz_session expected = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  asz_mac_make(mac, expected.request_key, data, sizeof data);
  struct asz_session session = {{0}, {0}}, untouched = session;
  for (unsigned bit = 0; bit < 8 * sizeof mac; bit++) {
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
    cr_assert_eq(asz_authority_check(fixture.authority, validator, FIXTURE_EPOCH, mac, data, sizeof data, 0, &session), ASZ_EAUTH,
                 "bit %u", bit);
    cr_assert_arr_eq(&session, &untouched, sizeof session);
    mac[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  cr_assert_eq(asz_authority_check(fixture.authority, validator, FIXTURE_EPOCH, mac, data, sizeof data, 0, &session), 0);
  fixture_free(&fixture);
}

Test(authority, epoch_moves_forward_and_keeps_the_previous_one_only)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(genuine(&fixture, 100), 0);
  cr_assert_eq(genuine(&fixture, 99), ASZ_ERANGE, "before the first one seen");
  cr_assert_eq(genuine(&fixture, 101), 0);
  cr_assert_eq(genuine(&fixture, 100), 0, "the previous one still answers");
  cr_assert_eq(genuine(&fixture, 102), 0);
  cr_assert_eq(genuine(&fixture, 100), ASZ_ERANGE, "two back is stale");
  cr_assert_eq(genuine(&fixture, 500), 0, "a jump after a pause");
  cr_assert_eq(genuine(&fixture, 102), 0);
  cr_assert_eq(genuine(&fixture, 103), ASZ_ERANGE, "jumped over: never asked, now stale");
  fixture_free(&fixture);
}

Test(authority, forged_epoch_does_not_move_the_epoch)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(genuine(&fixture, 100), 0);
  cr_assert_eq(forged(&fixture, UINT32_MAX, 0), ASZ_EAUTH);
  cr_assert_eq(forged(&fixture, 101, 0), ASZ_EAUTH);
  cr_assert_eq(genuine(&fixture, 100), 0, "the current epoch goes on");
  cr_assert_eq(genuine(&fixture, 101), 0);
  fixture_free(&fixture);
}

Test(authority, flood_of_forged_epochs_is_bounded_and_cannot_stop_the_next_epoch)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(genuine(&fixture, 100), 0);
  unsigned derived = 0;
  for (uint32_t epoch = 1000; epoch < 3000; epoch++)
    derived += forged(&fixture, epoch, 0) == ASZ_EAUTH;
  cr_assert_leq(derived, ASZ_AUTHORITY_DERIVE_PPS, "%u derivations at one instant", derived);
  cr_assert_eq(forged(&fixture, 4000, 0), ASZ_EAGAIN);
  cr_assert_eq(genuine(&fixture, 101), 0, "keys of the next epoch were made in advance");
  cr_assert_eq(genuine(&fixture, 102), 0);
  cr_assert_eq(forged(&fixture, 4000, 10000000000u), ASZ_EAUTH, "ten seconds later there are tokens again");
  fixture_free(&fixture);
}

Test(authority, last_epoch_of_all_is_accepted_and_has_no_successor)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(genuine(&fixture, UINT32_MAX), 0);
  cr_assert_eq(genuine(&fixture, 0), ASZ_ERANGE);
  cr_assert_eq(genuine(&fixture, UINT32_MAX), 0);
  fixture_free(&fixture);
}

Test(authority, unusable_and_doubled_keys_are_refused_with_a_line)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  struct asz_diag diag = {""};
  const uint8_t zero[32] = {0}; /* a point of small order */
  cr_assert_eq(asz_authority_add(fixture.authority, zero, &diag), ASZ_EAUTH);
  cr_assert_neq(diag.text[0], '\0');
  cr_assert_eq(asz_authority_add(fixture.authority, fixture.validator.public_key, &diag), ASZ_EEXIST);
  cr_assert_eq(asz_authority_count(fixture.authority), 1);
  fixture_free(&fixture);
}

Test(authority, hundreds_of_validators_are_each_found)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  enum { COUNT = 300 };
  static uint8_t public_key[COUNT][32];
  for (unsigned i = 0; i < COUNT; i++) {
    struct asz_identity identity;
    uint8_t seed[32] = {0x55, (uint8_t)i, (uint8_t)(i >> 8)};
    asz_identity_from_seed(&identity, seed);
    memcpy(public_key[i], identity.public_key, 32);
    cr_assert_eq(asz_authority_add(fixture.authority, public_key[i], NULL), 0);
  }
  for (unsigned i = 0; i < COUNT; i++) {
    uint8_t id[ASZ_ID_BYTES];
    asz_identity_short(id, public_key[i]);
    const struct asz_validator *found = asz_authority_find(fixture.authority, id);
    cr_assert_not_null(found);
    cr_assert_arr_eq(found->public_key, public_key[i], 32);
  }
  fixture_free(&fixture);
}

static int load_text(struct fixture *fixture, const char *text, size_t size_bytes, struct asz_diag *diag) {
  char path[] = "validators.XXXXXX";
  const int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, text, size_bytes), (ssize_t)size_bytes);
  close(fd);
  const int err = asz_authority_load(fixture->authority, path, diag);
  unlink(path);
  return err;
}

Test(authority, bad_lines_of_a_file_are_named)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  char key[65], text[4096];
  asz_hex_encode(key, fixture.stranger.public_key, 32);
  struct asz_diag diag;
  int size = snprintf(text, sizeof text, "# ours\n\n%.63s\n", key);
  cr_assert_eq(load_text(&fixture, text, (size_t)size, &diag), ASZ_EFORMAT);
  cr_assert_not_null(strstr(diag.text, ":3: expected"), "%s", diag.text);
  size = snprintf(text, sizeof text, "%s\n%s\n", key, key);
  cr_assert_eq(load_text(&fixture, text, (size_t)size, &diag), ASZ_EEXIST);
  cr_assert_not_null(strstr(diag.text, ":2: "), "%s", diag.text);
  memset(text, '#', sizeof text);
  cr_assert_eq(load_text(&fixture, text, sizeof text, &diag), ASZ_EFORMAT, "a line without end");
  cr_assert_eq(load_text(&fixture, "#\n\0\n#\n", 7, &diag), ASZ_EFORMAT, "a NUL in the file");
  cr_assert_eq(asz_authority_load(fixture.authority, "no-such-file", &diag), ASZ_ENOENT);
  cr_assert_eq(asz_authority_load(fixture.authority, "/", &diag), ASZ_EINVAL, "a directory");
  fixture_free(&fixture);
}

Test(authority, file_with_comments_and_blank_lines_is_read)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  char key[65], text[512];
  asz_hex_encode(key, fixture.stranger.public_key, 32);
  const int size = snprintf(text, sizeof text, "# allowed\r\n\r\n  %s  # example.org\r\n#", key);
  struct asz_diag diag = {""};
  cr_assert_eq(load_text(&fixture, text, (size_t)size, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_authority_count(fixture.authority), 2);
  fixture_free(&fixture);
}

Test(authority, copy_knows_the_same_validators_and_moves_on_alone)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(genuine(&fixture, 5), 0);
  struct fixture other = fixture;
  cr_assert_eq(asz_authority_copy(&other.authority, fixture.authority), 0);
  cr_assert_eq(asz_authority_count(other.authority), 1);
  for (uint32_t epoch = 6; epoch < 8; epoch++)
    cr_assert_eq(genuine(&other, epoch), 0);
  cr_assert_eq(genuine(&other, 5), ASZ_ERANGE, "stale in the copy");
  cr_assert_eq(genuine(&fixture, 5), 0, "current in the original");
  cr_assert_eq(asz_authority_add(other.authority, fixture.stranger.public_key, NULL), 0);
  cr_assert_eq(asz_authority_count(fixture.authority), 1);
  asz_authority_free(other.authority);
  fixture_free(&fixture);
}

/* ---- authenticated mode ---- */

static struct asz_hmac_lanes *lanes;

static struct asz_hmac_key hmac_of(const struct fixture *fixture, const struct asz_identity *validator) {
  uint8_t shared[32];
  struct asz_hmac_key key;
  cr_assert_eq(asz_session_shared(shared, validator, fixture->provider.public_key), 0);
  asz_session_hmac_key(&key, shared, validator->public_key, fixture->provider.public_key);
  return key;
}

static int ask_hmac_from(struct fixture *fixture, const struct asz_identity *sealed_by, struct asz_address source,
                         uint64_t now_ns) {
  const struct asz_hmac_key key = hmac_of(fixture, sealed_by), *found = NULL;
  uint8_t payload[ASZ_STAMP_AUTH_BYTES];
  asz_stamp_auth_request_write(payload, 1, 2, 3, 4);
  asz_stamp_auth_seal(lanes, &key, payload);
  const int err = asz_authority_check_hmac(fixture->authority, lanes, &source, payload, now_ns, &found);
  if (!err)
    cr_assert_arr_eq(found, &key, sizeof key);
  else
    cr_assert_null(found, "outputs are untouched on failure");
  return err;
}

static int ask_hmac(struct fixture *fixture, const struct asz_identity *sealed_by, uint32_t source, uint64_t now_ns) {
  return ask_hmac_from(fixture, sealed_by, asz_address_ipv4(source), now_ns);
}

static struct asz_identity numbered(unsigned i) {
  struct asz_identity identity;
  uint8_t seed[32] = {0x66, (uint8_t)i, (uint8_t)(i >> 8)};
  asz_identity_from_seed(&identity, seed);
  return identity;
}

Test(authority, hmac_of_each_of_hundreds_is_found_and_a_strangers_is_not)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  enum { COUNT = 150 };
  for (unsigned i = 0; i < COUNT; i++)
    cr_assert_eq(asz_authority_add(fixture.authority, numbered(i).public_key, NULL), 0);
  for (unsigned i = 0; i < COUNT; i++) {
    const struct asz_identity validator = numbered(i);
    cr_assert_eq(ask_hmac(&fixture, &validator, i * 77, 0), 0, "validator %u", i);
  }
  cr_assert_eq(ask_hmac(&fixture, &fixture.stranger, 5, 0), ASZ_EAUTH);
  asz_hmac_lanes_free(lanes);
  fixture_free(&fixture);
}

/* Forged packets from ever new addresses may use up the trials; who was heard before needs none. */
Test(authority, flood_of_forged_hmacs_does_not_silence_who_was_heard)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  for (unsigned i = 0; i < 199; i++) /* 200 with the fixture's: 1,000 trials a second */
    cr_assert_eq(asz_authority_add(fixture.authority, numbered(i).public_key, NULL), 0);
  cr_assert_eq(ask_hmac(&fixture, &fixture.validator, 1, 0), 0);
  unsigned refused = 0;
  for (unsigned i = 0; i < 1500; i++)
    refused += ask_hmac(&fixture, &fixture.stranger, 1000 + i, 0) == ASZ_EAGAIN;
  cr_assert_eq(refused, 501);
  cr_assert_eq(ask_hmac(&fixture, &fixture.validator, 1, 0), 0, "heard before");
  const struct asz_identity other = numbered(3);
  cr_assert_eq(ask_hmac(&fixture, &other, 2, 0), ASZ_EAGAIN, "a new source has to wait");
  cr_assert_eq(ask_hmac(&fixture, &other, 2, 1000000), 0, "but not for long");
  asz_hmac_lanes_free(lanes);
  fixture_free(&fixture);
}

/* The limiter knows networks; here two hosts of one are two sources, so that their packets in turn cost no trial each. */
Test(authority, two_validators_of_one_ipv6_network_are_both_remembered)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  for (unsigned i = 0; i < 199; i++)
    cr_assert_eq(asz_authority_add(fixture.authority, numbered(i).public_key, NULL), 0);
  const struct asz_identity other = numbered(3);
  struct asz_address one = {.ipv6 = {0x20, 1, 0xd, 0xb8, [15] = 1}, .family = ASZ_FAMILY_IPV6}, two = one;
  two.ipv6[15] = 2;
  cr_assert_eq(ask_hmac_from(&fixture, &fixture.validator, one, 0), 0);
  cr_assert_eq(ask_hmac_from(&fixture, &other, two, 0), 0);
  for (unsigned i = 0; i < 1500; i++)
    (void)ask_hmac(&fixture, &fixture.stranger, 1000 + i, 0);
  for (unsigned i = 0; i < 10; i++) {
    cr_assert_eq(ask_hmac_from(&fixture, &fixture.validator, one, 0), 0);
    cr_assert_eq(ask_hmac_from(&fixture, &other, two, 0), 0);
  }
  asz_hmac_lanes_free(lanes);
  fixture_free(&fixture);
}

Test(authority, copy_tries_keys_and_is_flooded_alone)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  for (unsigned i = 0; i < 199; i++)
    cr_assert_eq(asz_authority_add(fixture.authority, numbered(i).public_key, NULL), 0);
  struct fixture other = fixture;
  cr_assert_eq(asz_authority_copy(&other.authority, fixture.authority), 0);
  for (unsigned i = 0; i < 999; i++)
    cr_assert_eq(ask_hmac(&other, &fixture.stranger, i, 0), ASZ_EAUTH, "trial %u", i);
  cr_assert_eq(ask_hmac(&other, &fixture.validator, 1, 0), 0);
  cr_assert_eq(ask_hmac(&other, &fixture.stranger, 2, 0), ASZ_EAGAIN, "none is left");
  cr_assert_eq(ask_hmac(&fixture, &fixture.stranger, 2, 0), ASZ_EAUTH, "the original has all of its own");
  asz_authority_free(other.authority);
  asz_hmac_lanes_free(lanes);
  fixture_free(&fixture);
}

Test(authority, two_validators_behind_one_address_are_told_apart)
{
  struct fixture fixture;
  fixture_make(&fixture, 1);
  cr_assert_eq(asz_hmac_lanes_new(&lanes), 0);
  cr_assert_eq(asz_authority_add(fixture.authority, fixture.stranger.public_key, NULL), 0);
  for (unsigned i = 0; i < 10; i++) {
    cr_assert_eq(ask_hmac(&fixture, &fixture.validator, 1, 0), 0);
    cr_assert_eq(ask_hmac(&fixture, &fixture.stranger, 1, 0), 0);
  }
  asz_hmac_lanes_free(lanes);
  fixture_free(&fixture);
}
