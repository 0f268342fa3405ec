/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks of the lab in small, without packets: its provers on one side of the real pipeline and verifier, a clock that only
 * the test moves in between, and every outcome counted against its claim as `assize lab` does. All keys, nonces and reveals come
 * from constants, so the outcome is one and the same each time. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/lab_provers.h"
#include "control/lab_trials.h"
#include "control/pipeline.h"

enum {
  WORK_EACH = 3, /* providers with each attack on gemm and mem; one with each of the others */
  HONEST = 2,
  PROVIDERS_MAX = ASZ_LAB_ATTACK_COUNT * WORK_EACH + HONEST,
  ROUNDS = 6,
  OPENINGS = 3,
  EPOCH = 9,
  SLOT = 77,
  MS = 1000000,
  QUEUE = 4096,
  DEADLINE_MS = 20,
  PIECE_MS = 4,         /* on an emulated device: a fold may take 4 / 0.7 + ALLOWANCE_MS */
  PRODUCT_PIECE_MS = 8, /* so that not all three come in time */
  PATH_MS = 4,
  ALLOWANCE_MS = 1,
};

static uint64_t now_ns = 1000 * (uint64_t)MS;
static const uint8_t secret[32] = {2}, beacon[32] = {3};
static struct asz_identity validator, identity[PROVIDERS_MAX];
static struct asz_truth truth[PROVIDERS_MAX];
static struct asz_lab_trait trait[PROVIDERS_MAX];
static struct asz_lab_tally tally[PROVIDERS_MAX];
static uint32_t providers;
static struct asz_roster *roster;
static struct asz_verifier *verifier;
static struct asz_pipeline *pipeline;
static struct asz_lab_provers *provers;

/* The engine that the pipeline sees: what it sends is answered at once, or when a device is done. */
static struct {
  struct asz_engine_datagram in[QUEUE];
  unsigned in_head, in_tail;
  struct asz_engine_datagram held[PROVIDERS_MAX]; /* tsc: when it leaves */
  unsigned held_count;
  struct asz_clock clock;
} fake;

static void send_back(void *context, uint32_t provider, const uint8_t *payload, size_t size_bytes, uint64_t leaves_ns) {
  (void)context;
  const bool is_held = leaves_ns > now_ns;
  struct asz_engine_datagram *datagram = is_held ? &fake.held[fake.held_count++] : &fake.in[fake.in_tail++ % QUEUE];
  cr_assert(fake.in_tail - fake.in_head <= QUEUE && fake.held_count <= PROVIDERS_MAX);
  *datagram = (struct asz_engine_datagram){.target = provider, .size_bytes = (uint16_t)size_bytes, .tsc = leaves_ns};
  memcpy(datagram->payload, payload, size_bytes);
}

/* Lets go what is due. */
static void release(void) {
  unsigned kept = 0;
  for (unsigned i = 0; i < fake.held_count; i++)
    if (fake.held[i].tsc <= now_ns)
      fake.in[fake.in_tail++ % QUEUE] = fake.held[i];
    else
      fake.held[kept++] = fake.held[i];
  fake.held_count = kept;
  cr_assert_leq(fake.in_tail - fake.in_head, QUEUE);
}

int asz_engine_send(struct asz_engine *engine, const struct asz_engine_datagram *datagram, volatile uint64_t *ret_tsc_slot) {
  (void)engine;
  if (*ret_tsc_slot == 0)
    *ret_tsc_slot = now_ns;
  asz_lab_provers_take(provers, datagram->target, &roster->session[EPOCH & 1][datagram->target], datagram->payload,
                       datagram->size_bytes, now_ns);
  return 0;
}

int asz_engine_recv(struct asz_engine *engine, struct asz_engine_datagram *ret_datagram) {
  (void)engine;
  if (fake.in_head == fake.in_tail)
    return 0;
  *ret_datagram = fake.in[fake.in_head++ % QUEUE];
  return 1;
}

void asz_engine_counters(const struct asz_engine *engine, struct asz_counters *ret_counters) {
  (void)engine;
  memset(ret_counters, 0, sizeof *ret_counters);
}

const struct asz_clock *asz_engine_clock(const struct asz_engine *engine) {
  (void)engine;
  return &fake.clock;
}

static void count(void *context, const struct asz_outcome *o) {
  (void)context;
  const struct asz_lab_outcome outcome = {o->kind,
                                          o->param,
                                          o->verdict,
                                          o->pace,
                                          asz_lab_provers_is_shut(provers, o->provider, o->kind),
                                          asz_lab_provers_at_once(provers, o->provider, o->kind)};
  asz_lab_tally_add(&tally[o->provider], &trait[o->provider], &outcome);
}

static void add_providers(struct asz_lab_trait one, unsigned how_many) {
  const uint32_t first = providers;
  for (unsigned i = 0; i < how_many; i++) {
    trait[providers] = one;
    trait[providers].device_number = one.device.identities > 1 ? first : providers;
    providers++;
  }
}

/* A device of each honest provider's and relay's own, one of all that share. */
static struct asz_lab_device device_of(unsigned attack) {
  const uint32_t ms = attack == ASZ_LAB_ATTACK_SHARED_PRODUCT ? PRODUCT_PIECE_MS : PIECE_MS;
  const bool shares = attack == ASZ_LAB_ATTACK_SHARED_FOLD || attack == ASZ_LAB_ATTACK_SHARED_PRODUCT;
  return (struct asz_lab_device){.piece_us = ms * 1000,
                                 .claim_us = ms * 1000,
                                 .path_us = attack != ASZ_LAB_ATTACK_NONE && !shares ? PATH_MS * 1000 : 0,
                                 .identities = shares ? WORK_EACH : 1};
}

static void choose_traits(void) {
  for (unsigned attack = 1; attack < ASZ_LAB_ATTACK_COUNT; attack++) {
    struct asz_lab_trait one = {.attack = (uint8_t)attack, .columns = (uint16_t)((asz_lab_attack_columns_max(attack) + 1) / 4)};
    if (asz_lab_attack_is_timed(attack))
      one.device = device_of(attack);
    add_providers(one, asz_lab_attack_kind(attack) > ASZ_KIND_SINGLE_MAX ? WORK_EACH : 1);
  }
  add_providers((struct asz_lab_trait){.attack = ASZ_LAB_ATTACK_NONE, .device = device_of(ASZ_LAB_ATTACK_NONE)}, HONEST);
}

static void make_roster(void) {
  struct asz_provider *provider = calloc(providers, sizeof *provider);
  struct asz_diag diag;
  uint8_t seed[32] = {1};
  cr_assert_not_null(provider);
  asz_identity_from_seed(&validator, seed);
  for (uint32_t i = 0; i < providers; i++) {
    seed[1] = (uint8_t)(i + 1);
    asz_identity_from_seed(&identity[i], seed);
    provider[i] = (struct asz_provider){.row = i + 1, .ipv4 = 0x0a000001 + i, .port = 862, .challenge_port = 8620};
    snprintf(provider[i].name, sizeof provider[i].name, "p%u", i);
    memcpy(provider[i].public_key, identity[i].public_key, 32);
  }
  cr_assert_eq(asz_roster_new(&roster, provider, providers, &validator, &diag), 0, "%s", diag.text);
}

static void begin(void) {
  const struct asz_pipeline_config config = {
      .rate_ps = 1000000,
      .deadline_ns = 20 * MS,
      .tries = 2,
      .seq_log2_steps = 6,
      .gemm_preset = ASZ_LAB_PRESET,
      .openings = OPENINGS,
      .gemm_deadline_ns = DEADLINE_MS * MS,
      .mem_preset = ASZ_LAB_PRESET,
      .build_deadline_ns = DEADLINE_MS * MS,
      .fold_deadline_ns = DEADLINE_MS * MS,
      .targets.default_ns = ALLOWANCE_MS * MS,
      .opening_deadline_ns = 300 * (uint64_t)MS,
      .duty_ns = UINT64_MAX / 2,
  };
  const struct asz_lab_provers_config provers_config = {.identity = identity,
                                                        .validator_pk = validator.public_key,
                                                        .truth = truth,
                                                        .trait = trait,
                                                        .seed = 5,
                                                        .consents = true,
                                                        .send = send_back};
  struct asz_verify_config verify;
  struct asz_diag diag;
  cr_assert_geq(sodium_init(), 0);
  fake.clock =
      (struct asz_clock){.tsc_hz = 1000000000, .ns_per_tick_q32 = UINT64_C(1) << 32, .ticks_per_ns_q32 = UINT64_C(1) << 32};
  choose_traits();
  make_roster();
  struct asz_lab_provers_config all = provers_config;
  all.count = providers;
  cr_assert_eq(asz_lab_provers_new(&provers, &all), 0);
  asz_verify_config_default(&verify);
  verify.backend = ASZ_BACKEND_CPU;
  verify.batch_capacity = 64;
  verify.openings = 256;
  verify.preset_max = ASZ_LAB_PRESET;
  cr_assert_eq(asz_verify_new(&verifier, &verify, &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_pipeline_new(&pipeline, &config, NULL, verifier, roster, count, NULL, &diag), 0, "%s", diag.text);
}

static void end(void) {
  asz_pipeline_free(pipeline);
  asz_verify_free(verifier);
  asz_lab_provers_free(provers);
  asz_roster_free(roster);
}

static void run_rounds(unsigned rounds) {
  const struct asz_session *session = asz_roster_epoch(roster, EPOCH);
  for (unsigned round = 0; round < rounds; round++) {
    asz_pipeline_begin(pipeline, EPOCH, SLOT + round, secret, beacon, session, now_ns, now_ns);
    for (unsigned ms = 0; !asz_pipeline_idle(pipeline) && ms < 2000; ms++, now_ns += MS, release())
      while (asz_pipeline_step(pipeline, now_ns) > 0)
        ;
    cr_assert(asz_pipeline_idle(pipeline));
  }
}

TestSuite(lab_attacks, .init = begin, .fini = end);

Test(lab_attacks, each_is_caught_as_often_as_is_claimed_and_the_honest_never)
{
  static struct asz_lab_trials trials;
  const struct asz_lab_terms terms = {.openings = OPENINGS, .deadline_ns = DEADLINE_MS * MS, .allowance_ns = ALLOWANCE_MS * MS};
  run_rounds(ROUNDS);
  cr_assert_eq(asz_lab_trials_make(&trials, trait, tally, providers, &terms), 0);
  cr_assert_eq(trials.count, ASZ_LAB_ATTACK_COUNT, "every attack, and the honest");
  for (uint32_t i = 0; i < trials.count; i++) {
    const struct asz_lab_trial *row = &trials.trial[i];
    const unsigned each = asz_lab_attack_kind(row->trait.attack) > ASZ_KIND_SINGLE_MAX ? WORK_EACH : 1;
    const bool in_first = asz_lab_attack_is_tried(row->trait.attack, asz_lab_attack_kind(row->trait.attack), ASZ_LAB_PRESET);
    const char *name = asz_lab_attack_name(row->trait.attack);
    if (row->trait.attack != ASZ_LAB_ATTACK_NONE)
      cr_expect_eq(row->trials, (ROUNDS - !in_first) * each, "%s: %lu trials", name, row->trials);
    cr_expect(row->ok, "%s: claimed %u, measured %u of 10^9, odd %lu", name, row->claim_ppb, row->measured_ppb, row->odd);
    if (asz_lab_attack_is_timed(row->trait.attack)) /* in a quiet lab every place in the queue is taken as often as any other */
      cr_expect(row->claim_ppb - row->measured_ppb <= 1, "%s: claimed %u, measured %u", name, row->claim_ppb, row->measured_ppb);
    cr_log_info("%s: claimed %u, measured %u", name, row->claim_ppb, row->measured_ppb);
  }
}

Test(lab_attacks, nothing_but_a_genuine_question_is_answered)
{
  const struct asz_session *session = asz_roster_epoch(roster, EPOCH);
  struct asz_challenge challenge = {.kind = ASZ_KIND_SIG, .epoch = EPOCH, .slot = SLOT};
  uint8_t datagram[ASZ_ANSWER_MAX_BYTES];
  const size_t size_bytes = asz_challenge_write(datagram, &challenge, session[0].request_key);
  for (size_t i = 0; i < size_bytes; i++) {
    datagram[i] ^= 4;
    asz_lab_provers_take(provers, providers - 1, &session[providers - 1], datagram, size_bytes, now_ns);
    datagram[i] ^= 4;
  }
  for (size_t size = 0; size < size_bytes; size++)
    asz_lab_provers_take(provers, providers - 1, &session[providers - 1], datagram, size, now_ns);
  cr_expect_eq(fake.in_tail, 0, "it is another's");
  asz_lab_provers_take(provers, 0, &session[0], datagram, size_bytes, now_ns);
  cr_expect_eq(fake.in_tail, 1);
}
