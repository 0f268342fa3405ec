/* SPDX-License-Identifier: Apache-2.0 */
/* Consent: each provider is asked once an epoch, by a HELLO, which kinds its device takes; the signed WELCOME also brings the
 * token without which it opens nothing. Who says nothing is asked nothing that needs consent: that is no fault. */
#include <sodium.h>
#include <string.h>

#include "control/pipeline_internal.h"

enum { LOOK_PER_STEP = 256 }; /* members */

static struct asz_enrolled *current(struct asz_pipeline *p, uint32_t provider) {
  struct asz_enrolled *enrolled = &p->enrolled[provider];
  if (enrolled->epoch != p->epoch)
    *enrolled = (struct asz_enrolled){.epoch = p->epoch};
  return enrolled;
}

static struct asz_hello hello_to(const struct asz_pipeline *p, uint32_t provider) {
  const struct asz_provider *who = &p->roster->provider[provider];
  struct asz_hello hello = {.epoch = p->epoch, .device = who->device};
  memcpy(hello.validator_id, p->roster->validator_id, sizeof hello.validator_id);
  asz_challenge_nonce(hello.nonce, p->secret, 0, p->epoch, who->device, who->public_key);
  return hello;
}

static unsigned say_hello(struct asz_pipeline *p, uint32_t provider, uint64_t now_ns) {
  struct asz_enrolled *enrolled = current(p, provider);
  if (enrolled->state > ASZ_ENROLMENT_ASKED || (enrolled->state == ASZ_ENROLMENT_ASKED && now_ns < enrolled->next_ns))
    return 0;
  if (enrolled->tries == p->config.tries) {
    enrolled->state = ASZ_ENROLMENT_SILENT;
    return 1;
  }
  struct asz_hello hello = hello_to(p, provider);
  struct asz_engine_datagram datagram;
  asz_hello_write(datagram.payload, &hello, p->session[provider].request_key);
  if (!asz_pipeline_send_paced(p, &datagram, provider, ASZ_ENROL_BYTES, &p->tx_ignored, now_ns))
    return 0;
  p->counter[ASZ_PCTR_HELLOS]++;
  enrolled->state = ASZ_ENROLMENT_ASKED;
  enrolled->tries++;
  enrolled->next_ns = now_ns + p->config.deadline_ns / p->config.tries;
  return 1;
}

unsigned asz_pipeline_enrol(struct asz_pipeline *p, uint64_t now_ns) {
  unsigned done = 0;
  uint32_t count = p->member_count < LOOK_PER_STEP ? p->member_count : LOOK_PER_STEP;
  for (uint32_t i = 0; p->enrolled && i < count; i++) {
    done += say_hello(p, p->member[p->enrol_next].index, now_ns);
    p->enrol_next = p->enrol_next + 1 < p->member_count ? p->enrol_next + 1 : 0;
  }
  return done;
}

void asz_pipeline_welcome(struct asz_pipeline *p, const struct asz_engine_datagram *datagram) {
  struct asz_welcome welcome;
  uint32_t provider = datagram->target;
  if (!p->enrolled || asz_welcome_read(&welcome, datagram->payload, datagram->size_bytes)) {
    p->counter[ASZ_PCTR_MALFORMED]++;
    return;
  }
  struct asz_hello hello = hello_to(p, provider);
  if (!p->session || welcome.epoch != hello.epoch || welcome.device != hello.device ||
      memcmp(welcome.nonce, hello.nonce, sizeof hello.nonce) != 0 ||
      memcmp(welcome.provider_id, p->roster->provider_id[provider], ASZ_ID_BYTES) != 0) {
    p->counter[ASZ_PCTR_FOREIGN]++;
    return;
  }
  uint8_t signed_bytes[ASZ_ENROL_SIGNED_BYTES];
  asz_welcome_signed_bytes(signed_bytes, &welcome, p->roster->validator_pk);
  if (!asz_mac_check(datagram->payload + ASZ_ENROL_MAC_AT, p->session[provider].reply_key, datagram->payload, ASZ_ENROL_MAC_AT) ||
      crypto_sign_verify_detached(welcome.signature, signed_bytes, sizeof signed_bytes,
                                  p->roster->provider[provider].public_key) != 0) {
    p->counter[ASZ_PCTR_BAD_MAC]++;
    return;
  }
  struct asz_enrolled *enrolled = current(p, provider);
  if (enrolled->state == ASZ_ENROLMENT_WELCOME) {
    p->counter[ASZ_PCTR_DUPLICATE]++;
    return;
  }
  p->counter[ASZ_PCTR_WELCOMES]++;
  enrolled->state = ASZ_ENROLMENT_WELCOME;
  enrolled->declaration = welcome.declaration;
  memcpy(enrolled->token, welcome.token, sizeof enrolled->token);
}

static bool is_known(const struct asz_pipeline *p, uint32_t provider) {
  const struct asz_enrolled *enrolled = &p->enrolled[provider];
  return enrolled->epoch == p->epoch && enrolled->state >= ASZ_ENROLMENT_WELCOME;
}

int asz_pipeline_consent(const struct asz_pipeline *p, uint32_t index) {
  uint32_t provider = asz_pipeline_provider(p, index);
  const struct asz_enrolled *enrolled = &p->enrolled[provider];
  if (!is_known(p, provider))
    return -1;
  if (enrolled->state == ASZ_ENROLMENT_SILENT)
    return 0;
  if (p->kind[index % p->kind_count] == ASZ_KIND_MEM)
    return asz_pipeline_mem_consent(p, index);
  return (enrolled->declaration.consent & 1u << ASZ_KIND_GEMM) != 0 &&
         enrolled->declaration.gemm_preset_max >= p->config.gemm_preset;
}

bool asz_pipeline_all_enrolled(const struct asz_pipeline *p) {
  for (uint32_t i = 0; p->enrolled && i < p->member_count; i++)
    if (!is_known(p, p->member[i].index))
      return false;
  return true;
}
