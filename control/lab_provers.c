/* SPDX-License-Identifier: Apache-2.0 */
#include "control/lab_provers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/lab_forger.h"
#include "control/responder/token.h"
#include "control/responder/works.h"
#include "dataplane/base/enrol.h"
#include "dataplane/base/head.h"
#include "dataplane/base/opening.h"

enum {
  PRODUCTS = 2, /* kept by each, beside its arena: that of a running slot and the one before */
  THREADS = 1,
  KINDS_OF_WORK = ASZ_KIND_MAX - ASZ_KIND_SINGLE_MAX,
  AT_ONCE_NS = 5000000, /* a group leaves within a millisecond */
};

/* The last challenge of a kind, and its answer: it may be asked again. */
struct kept {
  uint8_t nonce[ASZ_NONCE_BYTES];
  uint64_t leaves_ns;  /* of the answer: when it is made */
  bool is_shut;        /* it will not be opened */
  size_t answer_bytes; /* 0: none yet */
  uint8_t answer[ASZ_ANSWER_MAX_BYTES];
};

/* The last moment at which a kind of work was asked of a device, and of how many identities. */
struct moment {
  uint64_t at_ns;
  uint32_t asked;
};

struct device {
  uint64_t busy_ns;
  struct moment moment[KINDS_OF_WORK];
};

struct prover {
  struct asz_works *works;       /* NULL without consent */
  struct asz_lab_forger *forger; /* NULL: honest */
  struct kept kept[KINDS_OF_WORK];
  struct device device; /* of the identities that share one that of the first */
};

struct asz_lab_provers {
  struct asz_lab_provers_config config;
  uint64_t clock; /* counts work: works goes by who was used last */
  uint8_t token_secret[16];
  struct prover prover[];
};

/* One datagram. */
struct asking {
  struct asz_lab_provers *provers;
  uint32_t provider;
  const struct asz_session *session;
  struct asz_lab_party party;
  uint64_t take_ns;
};

static struct prover *prover_of(const struct asking *a) {
  return &a->provers->prover[a->provider];
}

static enum asz_cheat cheat_of(const struct asking *a) {
  return (enum asz_cheat)a->provers->config.truth[a->provider].cheat;
}

static const struct asz_lab_trait *trait_of(const struct asking *a) {
  return &a->provers->config.trait[a->provider];
}

static void send_at(const struct asking *a, const uint8_t *payload, size_t size_bytes, uint64_t leaves_ns) {
  a->provers->config.send(a->provers->config.context, a->provider, payload, size_bytes, leaves_ns);
}

static void send_back(const struct asking *a, const uint8_t *payload, size_t size_bytes) {
  send_at(a, payload, size_bytes, a->take_ns);
}

static unsigned place_of(unsigned kind) {
  return kind - ASZ_KIND_SINGLE_MAX - 1;
}

/* By when its device has made a piece of work that is asked for at this moment. */
static uint64_t work_ends_ns(const struct asking *a, unsigned kind) {
  const struct asz_lab_trait *trait = trait_of(a);
  struct device *device = &a->provers->prover[trait->device_number].device;
  struct moment *moment = &device->moment[place_of(kind)];
  if (a->take_ns - moment->at_ns > AT_ONCE_NS)
    *moment = (struct moment){.at_ns = a->take_ns};
  moment->asked++;
  return asz_lab_device_serve(&trait->device, &device->busy_ns, a->take_ns);
}

bool asz_lab_provers_is_shut(const struct asz_lab_provers *provers, uint32_t provider, unsigned kind) {
  return kind > ASZ_KIND_SINGLE_MAX && provers->prover[provider].kept[place_of(kind)].is_shut;
}

bool asz_lab_provers_at_once(const struct asz_lab_provers *provers, uint32_t provider, unsigned kind) {
  const struct asz_lab_trait *trait = &provers->config.trait[provider];
  return kind > ASZ_KIND_SINGLE_MAX &&
         provers->prover[trait->device_number].device.moment[place_of(kind)].asked == trait->device.identities;
}

int asz_lab_provers_new(struct asz_lab_provers **ret_provers, const struct asz_lab_provers_config *config) {
  struct asz_lab_provers *provers = calloc(1, sizeof *provers + config->count * sizeof *provers->prover);
  if (!provers)
    return ASZ_ENOMEM;
  provers->config = *config;
  randombytes_buf(provers->token_secret, sizeof provers->token_secret);
  int err = 0;
  const uint64_t budget_bytes =
      PRODUCTS * asz_works_bytes(ASZ_KIND_GEMM, ASZ_LAB_PRESET, THREADS) + asz_works_bytes(ASZ_KIND_MEM, ASZ_LAB_PRESET, THREADS);
  for (uint32_t i = 0; !err && i < config->count; i++) {
    struct prover *prover = &provers->prover[i];
    if (config->consents)
      err = asz_works_new(&prover->works, budget_bytes, THREADS);
    if (!err && config->trait[i].attack != ASZ_LAB_ATTACK_NONE && !asz_lab_attack_is_timed(config->trait[i].attack))
      err = asz_lab_forger_new(&prover->forger, &config->trait[i], config->seed ^ i);
  }
  if (err) {
    asz_lab_provers_free(provers);
    return err;
  }
  *ret_provers = provers;
  return 0;
}

void asz_lab_provers_free(struct asz_lab_provers *provers) {
  if (!provers)
    return;
  for (uint32_t i = 0; i < provers->config.count; i++) {
    asz_works_free(provers->prover[i].works);
    asz_lab_forger_free(provers->prover[i].forger);
  }
  free(provers);
}

/* ---- HELLO ---- */

/* All of the lab's questions come from one address, which is told apart from no other. */
static void make_token(const struct asking *a, uint8_t ret_token[ASZ_TOKEN_BYTES], const uint8_t validator_id[8],
                       uint32_t epoch) {
  const struct asz_address address = {.family = ASZ_FAMILY_IPV4};
  asz_token_make(ret_token, a->provers->token_secret, &address, validator_id, epoch);
}

static void take_hello(const struct asking *a, const uint8_t *payload, size_t size_bytes) {
  struct asz_hello hello;
  uint8_t signed_bytes[ASZ_ENROL_SIGNED_BYTES], answer[ASZ_ENROL_BYTES];
  if (asz_hello_read(&hello, payload, size_bytes) ||
      !asz_mac_check(payload + ASZ_ENROL_MAC_AT, a->session->request_key, payload, ASZ_ENROL_MAC_AT))
    return;
  struct asz_welcome welcome = {.epoch = hello.epoch, .device = hello.device};
  welcome.declaration = (struct asz_declaration){
      .consent = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ, .devices = 1, .seq_log2_max = ASZ_SEQ_LOG2_MAX};
  if (a->provers->config.consents) {
    welcome.declaration.consent |= 1u << ASZ_KIND_GEMM | 1u << ASZ_KIND_MEM;
    welcome.declaration.gemm_preset_max = welcome.declaration.mem_preset = ASZ_LAB_PRESET;
    welcome.declaration.bandwidth_bytes_ps = asz_lab_device_claim(&trait_of(a)->device, asz_mem_arena_bytes(ASZ_LAB_PRESET));
    welcome.declaration.free_bytes = asz_works_free_bytes(prover_of(a)->works, hello.validator_id, hello.device);
  }
  asz_identity_short(welcome.provider_id, a->party.own->public_key);
  memcpy(welcome.nonce, hello.nonce, sizeof welcome.nonce);
  make_token(a, welcome.token, hello.validator_id, hello.epoch);
  asz_welcome_signed_bytes(signed_bytes, &welcome, a->party.validator_pk);
  crypto_sign_detached(welcome.signature, NULL, signed_bytes, sizeof signed_bytes, a->party.own->secret_key);
  asz_welcome_write(answer, &welcome, a->session->reply_key);
  send_back(a, answer, sizeof answer);
}

/* ---- challenges ---- */

static bool forges(const struct asking *a, unsigned kind) {
  return prover_of(a)->forger && asz_lab_attack_kind(trait_of(a)->attack) == kind;
}

static enum asz_prove_mode mode_of(const struct asking *a) {
  return cheat_of(a) == ASZ_CHEAT_WRONG_ANSWER ? ASZ_PROVE_WRONG : ASZ_PROVE_HONEST;
}

static void answer_single(const struct asking *a, const struct asz_challenge *challenge) {
  uint8_t answer[ASZ_ANSWER_MAX_BYTES];
  size_t size_bytes =
      forges(a, challenge->kind)
          ? asz_lab_forger_answer(prover_of(a)->forger, answer, challenge, &a->party, a->session->reply_key, NULL)
          : asz_prove_answer(answer, challenge, a->party.own, a->party.validator_pk, a->session->reply_key, mode_of(a));
  if (size_bytes > 0)
    send_back(a, answer, size_bytes);
}

static size_t work_on(const struct asking *a, const struct asz_challenge *challenge, struct asz_work *work, uint8_t *ret_answer) {
  return forges(a, challenge->kind)
             ? asz_lab_forger_answer(prover_of(a)->forger, ret_answer, challenge, &a->party, a->session->reply_key, work)
             : asz_work_answer(work, ret_answer, challenge, a->party.own, a->party.validator_pk, a->session->reply_key,
                               mode_of(a));
}

static void answer_work(const struct asking *a, const struct asz_challenge *challenge) {
  struct prover *prover = prover_of(a);
  if (asz_param_preset(challenge->param) != ASZ_LAB_PRESET || !prover->works)
    return;
  struct kept *kept = &prover->kept[place_of(challenge->kind)];
  if (kept->answer_bytes == 0 || memcmp(kept->nonce, challenge->nonce, sizeof kept->nonce) != 0) {
    struct asz_work *work;
    if (asz_works_begin(prover->works, challenge, ++a->provers->clock, &work))
      return;
    kept->answer_bytes = work_on(a, challenge, work, kept->answer);
    asz_works_answered(work, challenge);
    memcpy(kept->nonce, challenge->nonce, sizeof kept->nonce);
    kept->leaves_ns = work_ends_ns(a, challenge->kind);
    kept->is_shut = false;
    send_at(a, kept->answer, kept->answer_bytes, kept->leaves_ns);
  } else if (a->take_ns >= kept->leaves_ns) { /* else it is still being made */
    send_back(a, kept->answer, kept->answer_bytes);
  }
}

static void take_challenge(const struct asking *a, const uint8_t *payload, size_t size_bytes) {
  struct asz_challenge challenge;
  if (asz_challenge_read(&challenge, payload, size_bytes) ||
      !asz_mac_check(payload + ASZ_CHALLENGE_MAC_AT, a->session->request_key, payload, ASZ_CHALLENGE_MAC_AT))
    return;
  if (cheat_of(a) == ASZ_CHEAT_PRECOMPUTED)
    challenge.nonce[0] ^= 1; /* as good a guess as any */
  if (challenge.kind <= ASZ_KIND_SINGLE_MAX)
    answer_single(a, &challenge);
  else
    answer_work(a, &challenge);
}

/* ---- OPEN ---- */

static void send_chunks(const struct asking *a, const struct asz_open *open, const uint8_t *blob) {
  uint8_t provider_id[ASZ_ID_BYTES], chunk[ASZ_DATAGRAM_MAX_BYTES];
  unsigned end = asz_opening_chunks(asz_opening_total_bytes(open->kind, open->param, open->openings));
  if (end > open->first_chunk + (unsigned)open->chunk_count)
    end = open->first_chunk + (unsigned)open->chunk_count;
  asz_identity_short(provider_id, a->party.own->public_key);
  for (unsigned i = open->first_chunk; i < end; i++)
    send_back(a, chunk, asz_opening_write(chunk, open, provider_id, blob, i, a->session->reply_key));
}

static void open_work(const struct asking *a, struct asz_work *work, struct asz_work_answer *answer,
                      const struct asz_open *open) {
  answer->opened = ASZ_OPENED_WORKING;
  answer->openings = open->openings;
  memcpy(answer->rho, open->rho, sizeof answer->rho);
  if (!forges(a, open->kind)) {
    asz_work_open(work, open, a->party.own, mode_of(a));
  } else if (!asz_lab_forger_open(prover_of(a)->forger, work, open, &a->party)) {
    prover_of(a)->kept[place_of(open->kind)].is_shut = true;
    return;
  }
  answer->opened = ASZ_OPENED_READY;
}

static void take_open(const struct asking *a, const uint8_t *payload, size_t size_bytes) {
  struct prover *prover = prover_of(a);
  struct asz_open open;
  struct asz_work *work;
  uint8_t token[ASZ_TOKEN_BYTES];
  if (asz_open_read(&open, payload, size_bytes) || !prover->works ||
      !asz_mac_check(payload + ASZ_OPEN_MAC_AT, a->session->request_key, payload, ASZ_OPEN_MAC_AT))
    return;
  make_token(a, token, open.validator_id, open.epoch);
  if (sodium_memcmp(token, open.token, sizeof token) != 0)
    return;
  struct asz_work_answer *answer = asz_works_find(prover->works, &open, ++a->provers->clock, &work);
  if (!answer)
    return;
  if (answer->opened == ASZ_OPENED_NOT)
    open_work(a, work, answer, &open);
  if (answer->opened == ASZ_OPENED_READY && answer->openings == open.openings &&
      memcmp(answer->rho, open.rho, sizeof answer->rho) == 0)
    send_chunks(a, &open, answer->blob);
}

void asz_lab_provers_take(struct asz_lab_provers *provers, uint32_t provider, const struct asz_session *session,
                          const uint8_t *payload, size_t size_bytes, uint64_t take_ns) {
  const struct asz_lab_provers_config *config = &provers->config;
  const struct asking a = {
      .provers = provers,
      .provider = provider,
      .session = session,
      .party = {.own = &config->identity[provider],
                .other = &config->identity[(provider + 1) % config->count],
                .validator_pk = config->validator_pk},
      .take_ns = take_ns,
  };
  switch (asz_head_type(payload, size_bytes)) {
  case ASZ_MESSAGE_HELLO:
    take_hello(&a, payload, size_bytes);
    break;
  case ASZ_MESSAGE_CHALLENGE:
    take_challenge(&a, payload, size_bytes);
    break;
  case ASZ_MESSAGE_OPEN:
    take_open(&a, payload, size_bytes);
    break;
  default:
    break;
  }
}
