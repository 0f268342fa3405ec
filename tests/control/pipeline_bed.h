/* SPDX-License-Identifier: Apache-2.0 */
/* An engine for tests of the pipeline: a pair of queues and a clock that only the test moves; its functions take the place of the
 * real engine's. Providers with identities of their own, the real CPU verifier, and what came out. Included once a program. */
#ifndef ASZ_TESTS_CONTROL_PIPELINE_BED_H
#define ASZ_TESTS_CONTROL_PIPELINE_BED_H

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/pipeline.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/opening.h"
#include "gpu/prove/prove.h"

enum { PROVIDERS = 5, QUEUE = 256, SLOT = 77, EPOCH = 9, MS = 1000000, LOG2_STEPS = 6 };

struct queued {
  struct asz_engine_datagram datagram;
  volatile uint64_t *tx_tsc;
};

static uint64_t now_ns;
static uint64_t bed_slot = SLOT; /* of the round that is open */
static uint32_t bed_epoch = EPOCH;
static const uint8_t bed_secret[32] = {2}, bed_beacon[32] = {3};

/* The engine that the pipeline sees. */
static struct {
  struct queued out[QUEUE];
  unsigned out_count;
  struct asz_engine_datagram in[QUEUE];
  unsigned in_count;
  struct asz_counters counters;
  struct asz_clock clock;
  bool full;
} fake;

int asz_engine_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram, volatile uint64_t *ret_tsc_slot) {
  (void)engine;
  if (fake.full)
    return ASZ_EAGAIN;
  cr_assert_lt(fake.out_count, QUEUE);
  fake.out[fake.out_count++] = (struct queued){*datagram, ret_tsc_slot};
  if (*ret_tsc_slot == 0)
    *ret_tsc_slot = now_ns / MS;
  return 0;
}

int asz_engine_recv(struct asz_engine *engine, struct asz_engine_datagram *ret_datagram) {
  (void)engine;
  if (fake.in_count == 0)
    return 0;
  *ret_datagram = fake.in[--fake.in_count];
  return 1;
}

void asz_engine_counters(const struct asz_engine *engine, struct asz_counters *ret_counters) {
  (void)engine;
  *ret_counters = fake.counters;
}

const struct asz_clock *asz_engine_clock(const struct asz_engine *engine) {
  (void)engine;
  return &fake.clock;
}

/* What came out, by provider and kind. */
static struct {
  unsigned count[PROVIDERS][ASZ_KIND_MAX + 1];
  uint8_t verdict[PROVIDERS][ASZ_KIND_MAX + 1];
  size_t answer_bytes[PROVIDERS][ASZ_KIND_MAX + 1], opening_bytes[PROVIDERS][ASZ_KIND_MAX + 1];
  uint64_t tx_ns[PROVIDERS][ASZ_KIND_MAX + 1], rx_ns[PROVIDERS][ASZ_KIND_MAX + 1], took_ns[PROVIDERS][ASZ_KIND_MAX + 1];
  uint8_t pace[PROVIDERS][ASZ_KIND_MAX + 1], build[PROVIDERS][ASZ_ANSWER_MAX_BYTES];
} got;

static void sink(void *context, const struct asz_outcome *o) {
  (void)context;
  cr_assert_eq(o->slot, bed_slot);
  cr_assert_eq(o->epoch, bed_epoch);
  cr_assert_eq(o->exchange.piece[ASZ_PIECE_CHALLENGE].size_bytes, asz_answer_bytes(o->kind));
  got.count[o->provider][o->kind]++;
  got.verdict[o->provider][o->kind] = o->verdict;
  got.answer_bytes[o->provider][o->kind] = o->exchange.piece[ASZ_PIECE_ANSWER].size_bytes;
  got.opening_bytes[o->provider][o->kind] = o->exchange.piece[ASZ_PIECE_OPENING].size_bytes;
  got.tx_ns[o->provider][o->kind] = o->tx_ns;
  got.rx_ns[o->provider][o->kind] = o->rx_ns;
  got.took_ns[o->provider][o->kind] = o->took_ns;
  got.pace[o->provider][o->kind] = o->pace;
  const struct asz_span *build = &o->exchange.piece[ASZ_PIECE_BUILD];
  if (build->size_bytes)
    memcpy(got.build[o->provider], build->data, build->size_bytes);
}

static struct asz_identity validator, identity[PROVIDERS];
static struct asz_roster *roster;
static struct asz_verifier *verifier;
static struct asz_pipeline *pipeline;
static const struct asz_session *session;

static void bed_begin(const struct asz_pipeline_config *config) {
  cr_assert_geq(sodium_init(), 0);
  fake.clock =
      (struct asz_clock){.tsc_hz = 1000000000, .ns_per_tick_q32 = UINT64_C(1) << 32, .ticks_per_ns_q32 = UINT64_C(1) << 32};
  uint8_t seed[32] = {1};
  asz_identity_from_seed(&validator, seed);
  struct asz_provider *provider = calloc(PROVIDERS, sizeof *provider);
  cr_assert_not_null(provider);
  for (unsigned i = 0; i < PROVIDERS; i++) {
    seed[1] = (uint8_t)(i + 1);
    asz_identity_from_seed(&identity[i], seed);
    provider[i] =
        (struct asz_provider){.row = i + 1, .device = i, .ipv4 = 0x0a000001 + (i << 8), .port = 862, .challenge_port = 8620};
    snprintf(provider[i].name, sizeof provider[i].name, "p%u", i);
    memcpy(provider[i].public_key, identity[i].public_key, 32);
  }
  struct asz_diag diag;
  cr_assert_eq(asz_roster_new(&roster, provider, PROVIDERS, &validator, &diag), 0, "%s", diag.text);
  struct asz_verify_config verify;
  asz_verify_config_default(&verify);
  verify.backend = ASZ_BACKEND_CPU;
  verify.batch_capacity = 4; /* small, so that batches fill and are waited for */
  verify.batch_count = 2;
  verify.openings = 40;
  verify.preset_max = config->gemm_preset > config->mem_preset ? config->gemm_preset : config->mem_preset;
  verify.key_capacity = PROVIDERS - 1; /* one too few: who has no table is judged without */
  cr_assert_eq(asz_verify_new(&verifier, &verify, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_pipeline_new(&pipeline, config, NULL, verifier, roster, sink, NULL, &diag), 0, "%s", diag.text);
  session = asz_roster_epoch(roster, EPOCH);
  now_ns = 1000 * (uint64_t)MS;
  asz_pipeline_begin(pipeline, EPOCH, SLOT, bed_secret, bed_beacon, session, now_ns, now_ns);
}

static void bed_end(void) {
  asz_pipeline_free(pipeline);
  asz_verify_free(verifier);
  asz_roster_free(roster);
}

static void run_for(unsigned ms) {
  for (unsigned i = 0; i < ms; i++, now_ns += MS)
    for (unsigned n = 0; n < 20; n++)
      asz_pipeline_step(pipeline, now_ns);
}

static void deliver(const struct asz_engine_datagram *datagram) {
  cr_assert_lt(fake.in_count, QUEUE);
  fake.in[fake.in_count++] = *datagram;
}

/* The WELCOME of the provider that was said HELLO to. */
static inline void bed_welcome(const struct asz_engine_datagram *asked, const struct asz_declaration *declaration) {
  struct asz_hello hello;
  cr_assert_eq(asz_hello_read(&hello, asked->payload, asked->size_bytes), 0);
  const struct asz_identity *own = &identity[asked->target];
  struct asz_welcome welcome = {
      .epoch = hello.epoch, .device = hello.device, .token = {(uint8_t)asked->target, 7}, .declaration = *declaration};
  asz_identity_short(welcome.provider_id, own->public_key);
  memcpy(welcome.nonce, hello.nonce, sizeof hello.nonce);
  uint8_t signed_bytes[ASZ_ENROL_SIGNED_BYTES];
  asz_welcome_signed_bytes(signed_bytes, &welcome, validator.public_key);
  crypto_sign_detached(welcome.signature, NULL, signed_bytes, sizeof signed_bytes, own->secret_key);
  struct asz_engine_datagram answer = {.target = asked->target, .size_bytes = ASZ_ENROL_BYTES};
  asz_welcome_write(answer.payload, &welcome, session[asked->target].reply_key);
  deliver(&answer);
}

/* Delivers those chunks of a blob that were asked for. */
static inline void bed_send_chunks(uint32_t provider, const struct asz_open *open, const uint8_t *blob) {
  unsigned chunks = asz_opening_chunks(asz_opening_total_bytes(open->kind, open->param, open->openings));
  uint8_t provider_id[8];
  asz_identity_short(provider_id, identity[provider].public_key);
  for (unsigned chunk = open->first_chunk; chunk < chunks && chunk < open->first_chunk + (unsigned)open->chunk_count; chunk++) {
    struct asz_engine_datagram answer = {.target = provider};
    answer.size_bytes = (uint16_t)asz_opening_write(answer.payload, open, provider_id, blob, chunk, session[provider].reply_key);
    deliver(&answer);
  }
}

static uint64_t counter(enum asz_pipeline_counter which) {
  uint64_t value[ASZ_PCTR_COUNT];
  asz_pipeline_counters(pipeline, value);
  return value[which];
}

#endif
