/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/stamp_path.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"
#include "tests/control/responder/fixture.h"

static struct fixture fixture;
static struct asz_stamp_path path;
static struct asz_stamp_grant grant;
static struct asz_datagram datagram;

static void setup(void) {
  fixture_make(&fixture, 1000000);
  path = (struct asz_stamp_path){.authority = fixture.authority, .limiter = fixture.limiter, .plain_allowed = true};
  cr_assert_eq(asz_hmac_lanes_new(&path.lanes), 0);
}

static void teardown(void) {
  asz_hmac_lanes_free(path.lanes);
  fixture_free(&fixture);
}

static enum asz_resp_counter admit(void) {
  const struct asz_datagram before = datagram;
  const enum asz_resp_counter outcome = asz_stamp_path_admit(&path, &datagram, 0, &grant);
  cr_assert_eq(memcmp(&before, &datagram, sizeof before), 0, "admit changed the datagram");
  return outcome;
}

#define assert_outcome(expected, ...)                                                                                            \
  do {                                                                                                                           \
    const enum asz_resp_counter outcome_ = admit();                                                                              \
    cr_assert_eq(outcome_, expected, "got %s. " __VA_ARGS__, asz_resp_counter_name(outcome_));                                   \
  } while (0)

TestSuite(stamp_path, .init = setup, .fini = teardown);

Test(stamp_path, every_truncation_of_a_sealed_request_is_dropped_or_plain)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  for (uint32_t size = 0; size < ASZ_STAMP_TLV_BYTES; size++) {
    datagram.size_bytes = size;
    if (size < ASZ_STAMP_BYTES)
      assert_outcome(ASZ_RESP_DROPPED_SHORT, "size %u", size);
    else if (size <= ASZ_TLV_AT_VERSION) /* it does not yet say that it is ours: some TLV, cut short */
      assert_outcome(ASZ_RESP_ANSWERED_PLAIN, "size %u", size);
    else
      assert_outcome(ASZ_RESP_DROPPED_FORMAT, "size %u", size);
  }
}

Test(stamp_path, every_flipped_bit_of_a_sealed_request_is_dropped)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  for (unsigned bit = 0; bit < 8 * ASZ_STAMP_TLV_BYTES; bit++) {
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const enum asz_resp_counter outcome = admit();
    cr_assert_neq(outcome, ASZ_RESP_ANSWERED_TLV, "bit %u", bit);
    /* Only what makes it another enterprise's TLV may be answered, and then without our keys. */
    const unsigned byte = bit / 8;
    const bool names_us = byte == ASZ_TLV_AT + 1 || (byte >= ASZ_TLV_AT_ENTERPRISE && byte < ASZ_TLV_AT_VERSION);
    cr_assert_eq(outcome == ASZ_RESP_ANSWERED_PLAIN, names_us, "bit %u: %s", bit, asz_resp_counter_name(outcome));
    datagram.payload[byte] ^= (uint8_t)(1u << bit % 8);
  }
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
}

Test(stamp_path, wrong_version_has_its_own_counter)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  datagram.payload[ASZ_TLV_AT_VERSION] = ASZ_TLV_VERSION + 1;
  assert_outcome(ASZ_RESP_DROPPED_VERSION);
}

Test(stamp_path, reply_sent_back_to_us_is_no_request)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
  asz_stamp_path_finish(&datagram, &grant, 1700000000000001000u);
  assert_outcome(ASZ_RESP_DROPPED_FORMAT);
}

Test(stamp_path, reflector_ports_are_refused)
{
  fixture_plain(&datagram, 1);
  datagram.ends.peer_port = ASZ_STAMP_PORT;
  assert_outcome(ASZ_RESP_DROPPED_LOOP);
  datagram.ends.peer_port = 0;
  assert_outcome(ASZ_RESP_DROPPED_LOOP);
  datagram.ends.peer_port = ASZ_SENDER_PORT_MIN;
  assert_outcome(ASZ_RESP_ANSWERED_PLAIN);
}

Test(stamp_path, cut_datagram_is_dropped)
{
  fixture_plain(&datagram, 1);
  datagram.size_bytes = ASZ_UDP_PAYLOAD_MAX;
  assert_outcome(ASZ_RESP_ANSWERED_PLAIN);
  datagram.size_bytes = ASZ_UDP_PAYLOAD_MAX + 1;
  assert_outcome(ASZ_RESP_DROPPED_LONG);
}

Test(stamp_path, stranger_and_forger_are_told_apart)
{
  fixture_tlv(&fixture, &fixture.stranger, FIXTURE_EPOCH, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_UNAUTHORISED);
  uint8_t id[ASZ_ID_BYTES];
  asz_identity_short(id, fixture.validator.public_key);
  memcpy(datagram.payload + ASZ_TLV_AT_VALIDATOR, id, sizeof id); /* the stranger writes the validator's name */
  assert_outcome(ASZ_RESP_DROPPED_BAD_MAC);
}

Test(stamp_path, old_request_is_stale_after_two_epochs)
{
  struct asz_datagram old;
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &old);
  for (uint32_t epoch = FIXTURE_EPOCH; epoch < FIXTURE_EPOCH + 2; epoch++) {
    fixture_tlv(&fixture, &fixture.validator, epoch, &datagram);
    assert_outcome(ASZ_RESP_ANSWERED_TLV);
    datagram = old;
    assert_outcome(ASZ_RESP_ANSWERED_TLV, "still the current or the previous epoch");
  }
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH + 2, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
  datagram = old;
  assert_outcome(ASZ_RESP_DROPPED_STALE_EPOCH);
}

Test(stamp_path, source_over_its_rate_is_dropped_before_its_mac_is_read)
{
  const struct asz_rate rate = asz_rate_make(1, 2);
  asz_limiter_free(fixture.limiter);
  cr_assert_eq(asz_limiter_new(&fixture.limiter, &rate, (const uint8_t[16]){0}), 0);
  path.limiter = fixture.limiter;
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
  fixture_plain(&datagram, 1);
  assert_outcome(ASZ_RESP_ANSWERED_PLAIN, "both modes share the source's tokens");
  fixture_tlv(&fixture, &fixture.stranger, FIXTURE_EPOCH, &datagram);
  assert_outcome(ASZ_RESP_DROPPED_RATE);
  datagram.ends.peer.ipv4++;
  assert_outcome(ASZ_RESP_DROPPED_UNAUTHORISED, "another source is heard");
}

Test(stamp_path, plain_is_refused_when_only_validators_may_ask)
{
  path.plain_allowed = false;
  fixture_plain(&datagram, 1);
  assert_outcome(ASZ_RESP_DROPPED_PLAIN);
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
}

Test(stamp_path, plain_reply_has_the_fields_of_rfc_8762)
{
  fixture_plain(&datagram, 0x01020304);
  const struct asz_datagram request = datagram;
  assert_outcome(ASZ_RESP_ANSWERED_PLAIN);
  const uint64_t t3_ns = request.rx_ns + 2500;
  asz_stamp_path_finish(&datagram, &grant, t3_ns);
  const uint8_t *reply = datagram.payload;
  cr_assert_eq(datagram.size_bytes, ASZ_STAMP_BYTES);
  cr_assert_eq(asz_be32_load(reply + 0), 0x01020304u, "stateless: the sender's sequence");
  cr_assert_eq(asz_be64_load(reply + 4), asz_clock_ntp64(t3_ns), "T3");
  cr_assert_eq(asz_be16_load(reply + 14), 0xabcd, "SSID");
  cr_assert_eq(asz_be64_load(reply + 16), asz_clock_ntp64(request.rx_ns), "T2");
  cr_assert_arr_eq(reply + 24, request.payload, 14, "sequence, time and error estimate of the sender");
  cr_assert_eq(reply[40], 61, "TTL of the request");
}

Test(stamp_path, sealed_reply_is_bound_to_its_request)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  const struct asz_datagram request = datagram;
  assert_outcome(ASZ_RESP_ANSWERED_TLV);
  asz_stamp_path_finish(&datagram, &grant, request.rx_ns + 1000);
  const uint8_t *reply = datagram.payload;
  const struct asz_session expected = fixture_session(&fixture, &fixture.validator, FIXTURE_EPOCH);
  cr_assert(asz_mac_check(reply + ASZ_TLV_AT_MAC, expected.reply_key, reply, ASZ_TLV_AT_MAC));
  cr_assert_eq(reply[ASZ_TLV_AT_ROLE], ASZ_TLV_ROLE_REPLY);
  cr_assert_eq(reply[ASZ_TLV_AT] & ASZ_TLV_FLAG_UNRECOGNISED, 0);
  cr_assert_arr_eq(reply + ASZ_TLV_AT_EPOCH, request.payload + ASZ_TLV_AT_EPOCH, ASZ_TLV_AT_MAC - ASZ_TLV_AT_EPOCH,
                   "epoch, target, validator and nonce come back");
}

Test(stamp_path, tlv_of_another_enterprise_is_reflected_unrecognised)
{
  fixture_tlv(&fixture, &fixture.validator, FIXTURE_EPOCH, &datagram);
  asz_be32_store(datagram.payload + ASZ_TLV_AT_ENTERPRISE, 1);
  datagram.payload[ASZ_TLV_AT] = 0;
  assert_outcome(ASZ_RESP_ANSWERED_PLAIN);
  asz_stamp_path_finish(&datagram, &grant, 1700000000000001000u);
  cr_assert_eq(datagram.payload[ASZ_TLV_AT], ASZ_TLV_FLAG_UNRECOGNISED);
  cr_assert_eq(datagram.size_bytes, ASZ_STAMP_TLV_BYTES);
}

/* ---- authenticated mode ---- */

static struct asz_hmac_key hmac;

static void auth_request(const struct asz_identity *validator) {
  fixture_auth(&fixture, validator, path.lanes, &datagram, &hmac);
}

Test(stamp_path, authenticated_request_is_answered_in_its_size_under_the_same_key)
{
  auth_request(&fixture.validator);
  path.plain_allowed = false;
  assert_outcome(ASZ_RESP_ANSWERED_AUTH);
  asz_stamp_path_finish(&datagram, &grant, datagram.rx_ns + 2500);
  const uint8_t *reply = datagram.payload;
  cr_assert_eq(datagram.size_bytes, ASZ_STAMP_AUTH_BYTES);
  cr_assert(asz_stamp_auth_verify(path.lanes, &hmac, reply));
  cr_assert_eq(asz_be32_load(reply + ASZ_STAMP_AUTH_SENDER_SEQ), 0x01020304u);
  cr_assert_eq(asz_be64_load(reply + ASZ_STAMP_AUTH_SENDER_TIME), 0x1122334455667788u);
  cr_assert_eq(asz_be64_load(reply + ASZ_STAMP_AUTH_RX_TIME), asz_clock_ntp64(datagram.rx_ns));
  cr_assert_eq(reply[ASZ_STAMP_AUTH_SENDER_TTL], 61);
}

Test(stamp_path, every_flipped_bit_of_an_authenticated_request_is_silence)
{
  auth_request(&fixture.validator);
  path.plain_allowed = false;
  for (unsigned bit = 0; bit < 8 * ASZ_STAMP_AUTH_BYTES; bit++) {
    datagram.payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const enum asz_resp_counter outcome = admit();
    const unsigned byte = bit / 8;
    const bool form = byte >= 4 && byte < 16; /* no longer this mode's form: plain STAMP */
    const bool reply = byte >= ASZ_STAMP_AUTH_RX_TIME && byte < ASZ_STAMP_AUTH_RX_TIME + 8;
    cr_assert_eq(outcome,
                 form    ? ASZ_RESP_DROPPED_PLAIN
                 : reply ? ASZ_RESP_DROPPED_LOOP
                         : ASZ_RESP_DROPPED_BAD_MAC,
                 "bit %u: %s", bit, asz_resp_counter_name(outcome));
    datagram.payload[byte] ^= (uint8_t)(1u << bit % 8);
  }
  assert_outcome(ASZ_RESP_ANSWERED_AUTH);
}

Test(stamp_path, authenticated_request_of_a_stranger_is_silence_and_so_is_one_without_any_validator)
{
  auth_request(&fixture.stranger);
  assert_outcome(ASZ_RESP_DROPPED_BAD_MAC);
  asz_authority_free(fixture.authority);
  cr_assert_eq(asz_authority_new(&fixture.authority, &fixture.provider), 0);
  path.authority = fixture.authority;
  assert_outcome(ASZ_RESP_DROPPED_UNAUTHORISED);
}

Test(stamp_path, authenticated_reply_sent_back_to_us_is_no_request)
{
  auth_request(&fixture.validator);
  assert_outcome(ASZ_RESP_ANSWERED_AUTH);
  asz_stamp_path_finish(&datagram, &grant, datagram.rx_ns);
  assert_outcome(ASZ_RESP_DROPPED_LOOP);
}

Test(stamp_path, authenticated_request_with_tlvs_keeps_its_size)
{
  auth_request(&fixture.validator);
  datagram.size_bytes = ASZ_STAMP_AUTH_BYTES + 12;
  memcpy(datagram.payload + ASZ_STAMP_AUTH_BYTES, "\x80\x02\0\x08location", 12);
  assert_outcome(ASZ_RESP_ANSWERED_AUTH);
  asz_stamp_path_finish(&datagram, &grant, datagram.rx_ns);
  cr_assert_eq(datagram.size_bytes, ASZ_STAMP_AUTH_BYTES + 12);
  cr_assert_eq(datagram.payload[ASZ_STAMP_AUTH_BYTES], ASZ_TLV_FLAG_INTEGRITY, "without an HMAC TLV");
}
