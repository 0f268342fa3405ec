/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/responder/open_fixture.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/gemm.h"

static void send_as(struct asz_datagram *ret_datagram, size_t size_bytes) {
  struct asz_datagram plain;
  fixture_plain(&plain, 1);
  ret_datagram->ends = plain.ends;
  ret_datagram->ttl = plain.ttl;
  ret_datagram->rx_ns = plain.rx_ns;
  ret_datagram->size_bytes = (uint32_t)size_bytes;
}

struct asz_challenge open_fixture_challenge(const struct fixture *fixture, unsigned kind, unsigned param, uint8_t nonce) {
  struct asz_challenge challenge = fixture_challenge(fixture, kind, nonce);
  challenge.param = (uint8_t)param;
  challenge.device = FIXTURE_DEVICE;
  return challenge;
}

void open_fixture_hello(const struct fixture *fixture, uint32_t device, uint8_t nonce, struct asz_datagram *ret_datagram) {
  const struct asz_session session = fixture_session(fixture, &fixture->validator, FIXTURE_EPOCH);
  struct asz_hello hello = {.epoch = FIXTURE_EPOCH, .device = device};
  asz_identity_short(hello.validator_id, fixture->validator.public_key);
  memset(hello.nonce, nonce, sizeof hello.nonce);
  memset(ret_datagram, 0, sizeof *ret_datagram);
  asz_hello_write(ret_datagram->payload, &hello, session.request_key);
  send_as(ret_datagram, ASZ_ENROL_BYTES);
}

struct asz_welcome open_fixture_welcome(const struct fixture *fixture, const struct asz_datagram *datagram) {
  const struct asz_session session = fixture_session(fixture, &fixture->validator, FIXTURE_EPOCH);
  struct asz_welcome welcome;
  uint8_t signed_bytes[ASZ_ENROL_SIGNED_BYTES];
  cr_assert_eq(asz_welcome_read(&welcome, datagram->payload, datagram->size_bytes), 0, "no WELCOME");
  cr_assert(asz_mac_check(datagram->payload + ASZ_ENROL_MAC_AT, session.reply_key, datagram->payload, ASZ_ENROL_MAC_AT));
  asz_welcome_signed_bytes(signed_bytes, &welcome, fixture->validator.public_key);
  cr_assert_eq(crypto_sign_verify_detached(welcome.signature, signed_bytes, sizeof signed_bytes, fixture->provider.public_key),
               0);
  return welcome;
}

struct asz_open open_fixture_open(const struct asz_challenge *challenge, const uint8_t token[16]) {
  struct asz_open open = {.kind = challenge->kind,
                          .param = challenge->param,
                          .openings = FIXTURE_OPENINGS,
                          .chunk_count = ASZ_OPEN_CHUNKS_MAX,
                          .epoch = challenge->epoch,
                          .device = challenge->device,
                          .slot = challenge->slot};
  memcpy(open.validator_id, challenge->validator_id, sizeof open.validator_id);
  memcpy(open.nonce, challenge->nonce, sizeof open.nonce);
  memcpy(open.token, token, sizeof open.token);
  memset(open.rho, 0x50, sizeof open.rho);
  return open;
}

void open_fixture_seal(const struct fixture *fixture, const struct asz_open *open, struct asz_datagram *ret_datagram) {
  const struct asz_session session = fixture_session(fixture, &fixture->validator, open->epoch);
  memset(ret_datagram, 0, sizeof *ret_datagram);
  asz_open_write(ret_datagram->payload, open, session.request_key);
  send_as(ret_datagram, ASZ_OPEN_BYTES);
}

int open_fixture_chunk(const struct fixture *fixture, const struct asz_open *open, struct asz_reassembly *reassembly,
                       const struct asz_datagram *datagram) {
  const struct asz_session session = fixture_session(fixture, &fixture->validator, open->epoch);
  struct asz_opening_chunk chunk;
  cr_assert_eq(asz_opening_read(&chunk, datagram->payload, datagram->size_bytes), 0, "no OPENING");
  cr_assert(asz_opening_answers(&chunk, open));
  cr_assert(asz_mac_check(chunk.mac, session.reply_key, datagram->payload, datagram->size_bytes - ASZ_MAC_BYTES));
  return asz_reassembly_add(reassembly, &chunk);
}

static unsigned count_passes(const struct asz_gemm_openings *openings, const struct asz_challenge *base,
                             const struct asz_open *open, uint32_t preset) {
  void *memory = aligned_alloc(ASZ_GEMM_ALIGN_BYTES, (asz_gemm_slot_footprint(preset) + ASZ_GEMM_ALIGN_BYTES - 1) /
                                                         ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES);
  const struct asz_gemm_slot *slot = asz_gemm_slot_new(memory, preset, asz_gemm_backend_at(0), base->beacon, open->rho);
  asz_gemm_judge(slot, openings, 0, openings->count);
  unsigned passes = 0;
  for (uint32_t i = 0; i < openings->count; i++)
    passes += openings->verdict[i] == ASZ_VERDICT_PASS;
  free(memory);
  return passes;
}

unsigned open_fixture_judge(const struct fixture *fixture, const struct asz_open *open, const struct asz_challenge *base,
                            const struct asz_challenge *asked, const struct asz_datagram *answer_datagram, const uint8_t *blob) {
  const bool fold = open->param & ASZ_MEM_FOLD;
  const uint32_t preset = open->param & ~(unsigned)ASZ_MEM_FOLD;
  const size_t opening_bytes = asz_opening_bytes(open->kind, open->param), all_bytes = opening_bytes * open->openings;
  const struct asz_gemm_shape shape = asz_gemm_shape_of(preset);
  struct asz_answer answer;
  cr_assert_eq(asz_answer_read(&answer, answer_datagram->payload, answer_datagram->size_bytes), 0);

  uint8_t asked_seed[32], base_seed[32], signed_bytes[ASZ_SIGNED_BYTES];
  asz_challenge_seed(asked_seed, asked, fixture->validator.public_key, fixture->provider.public_key);
  asz_challenge_seed(base_seed, base, fixture->validator.public_key, fixture->provider.public_key);
  asz_opening_signed_bytes(signed_bytes, open, asked_seed, answer.body, answer.body_bytes, blob, all_bytes);
  cr_assert_eq(crypto_sign_verify_detached(blob + all_bytes, signed_bytes, sizeof signed_bytes, fixture->provider.public_key), 0);

  struct asz_gemm_pick pick[ASZ_OPENINGS_MAX];
  uint8_t seed[ASZ_OPENINGS_MAX][32], root[ASZ_OPENINGS_MAX][32], fold_seed[ASZ_OPENINGS_MAX][32], z_root[ASZ_OPENINGS_MAX][32];
  uint8_t verdict[ASZ_OPENINGS_MAX], reason[ASZ_OPENINGS_MAX];
  asz_gemm_picks(pick, open->openings, &shape, open->rho, open->kind, fixture->provider.public_key, open->device,
                 answer.body + (fold ? 32 : 0));
  for (unsigned i = 0; i < open->openings; i++) {
    memcpy(seed[i], base_seed, 32);
    memcpy(root[i], answer.body, 32);
    memcpy(fold_seed[i], asked_seed, 32);
    memcpy(z_root[i], answer.body + (fold ? 32 : 0), 32);
  }
  const struct asz_gemm_openings openings = {.count = open->openings,
                                             .opening_bytes = opening_bytes,
                                             .opening = blob,
                                             .pick = pick,
                                             .seed = (const uint8_t(*)[32])seed,
                                             .root = (const uint8_t(*)[32])root,
                                             .fold_seed = fold ? (const uint8_t(*)[32])fold_seed : NULL,
                                             .z_root = fold ? (const uint8_t(*)[32])z_root : NULL,
                                             .verdict = verdict,
                                             .reason = reason};
  return count_passes(&openings, base, open, preset);
}
