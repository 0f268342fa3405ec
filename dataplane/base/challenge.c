/* SPDX-License-Identifier: Apache-2.0 */
/* The challenge datagrams. Offsets are named once, below, in the order of the header's table; writer and reader use the same
 * names, and the sizes that they add up to are asserted at compile time. A reader accepts exactly what a writer makes: whatever
 * else could be carried in a padding byte would be a second encoding of the same question. */
#include "dataplane/base/challenge.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/head.h"

enum {
  /* challenge */
  AT_BEACON = ASZ_HEAD_BYTES,
  AT_CHALLENGE_NONCE = 64,
  /* answer */
  AT_ANSWER_NONCE = ASZ_HEAD_BYTES,

  ANSWER_TAIL_BYTES = ASZ_SIG_BYTES + ASZ_MAC_BYTES,
};

_Static_assert(AT_CHALLENGE_NONCE + (int)ASZ_NONCE_BYTES == (int)ASZ_CHALLENGE_MAC_AT, "the MAC follows the nonce");
_Static_assert(ASZ_CHALLENGE_MAC_AT + ASZ_MAC_BYTES == ASZ_CHALLENGE_HEAD_BYTES, "padding follows the MAC");
_Static_assert(AT_ANSWER_NONCE + (int)ASZ_NONCE_BYTES == (int)ASZ_ANSWER_HEAD_BYTES, "the body follows the nonce");
#define ASSERT_KIND_FITS(symbol, value, name, body)                                                                              \
  _Static_assert(value <= ASZ_KIND_MAX && ASZ_ANSWER_HEAD_BYTES + body + ANSWER_TAIL_BYTES <= ASZ_ANSWER_MAX_BYTES,              \
                 name " fits an answer");                                                                                        \
  _Static_assert(ASZ_ANSWER_HEAD_BYTES + body + ANSWER_TAIL_BYTES >= ASZ_CHALLENGE_HEAD_BYTES, name " never amplifies");
ASZ_KIND_LIST(ASSERT_KIND_FITS)
#undef ASSERT_KIND_FITS

static const struct {
  const char *name;
  size_t body_bytes;
} kind_table[ASZ_KIND_MAX + 1] = {
#define KIND_ROW(symbol, value, name, body) [value] = {name, body},
    ASZ_KIND_LIST(KIND_ROW)
#undef KIND_ROW
};

#define POWER_OF_TWO(x) ((x) > 0 && ((x) & ((x)-1)) == 0)
#define ASSERT_PRESET(symbol, value, name, n, k, m, t)                                                                           \
  _Static_assert(value >= 1 && value <= ASZ_GEMM_PRESET_MAX, name " has a place in the table");                                  \
  _Static_assert(POWER_OF_TWO(n) && POWER_OF_TWO(k) && POWER_OF_TWO(m) && POWER_OF_TWO(t), name " is made of powers of two");    \
  _Static_assert(INT64_C(2) * k * 127 * 127 < INT32_MAX, name "'s sums are told apart by their value mod 2^31 - 1");             \
  _Static_assert(m >= 64, name " has whole groups of columns to fold");
ASZ_GEMM_PRESET_LIST(ASSERT_PRESET)
#undef ASSERT_PRESET

static const struct asz_preset preset_table[ASZ_GEMM_PRESET_MAX + 1] = {
#define PRESET_ROW(symbol, value, name, n, k, m, t) [value] = {name, n, k, m, t},
    ASZ_GEMM_PRESET_LIST(PRESET_ROW)
#undef PRESET_ROW
};

const char *asz_kind_name(unsigned kind) {
  return kind <= ASZ_KIND_MAX ? kind_table[kind].name : NULL;
}

unsigned asz_kind_from_name(const char *name) {
  for (unsigned kind = 1; kind <= ASZ_KIND_MAX; kind++)
    if (strcmp(kind_table[kind].name, name) == 0)
      return kind;
  return 0;
}

size_t asz_answer_bytes(unsigned kind) {
  return asz_kind_name(kind) == NULL ? 0 : ASZ_ANSWER_HEAD_BYTES + kind_table[kind].body_bytes + ANSWER_TAIL_BYTES;
}

bool asz_param_valid(unsigned kind, unsigned param) {
  switch (kind) {
  case ASZ_KIND_SIG:
    return param == 0;
  case ASZ_KIND_SEQ:
    return param >= ASZ_SEQ_LOG2_MIN && param <= ASZ_SEQ_LOG2_MAX;
  case ASZ_KIND_GEMM:
    return asz_preset_of(param) != NULL;
  case ASZ_KIND_MEM:
    return param <= UINT8_MAX && asz_preset_of(asz_param_preset(param)) != NULL;
  default:
    return false;
  }
}

const struct asz_preset *asz_preset_of(unsigned preset) {
  return preset <= ASZ_GEMM_PRESET_MAX && preset_table[preset].name ? &preset_table[preset] : NULL;
}

unsigned asz_preset_from_name(const char *name) {
  for (unsigned preset = 1; preset <= ASZ_GEMM_PRESET_MAX; preset++)
    if (strcmp(preset_table[preset].name, name) == 0)
      return preset;
  return 0;
}

uint64_t asz_mem_arena_bytes(unsigned preset) {
  const struct asz_preset *shape = asz_preset_of(preset);
  return shape ? (uint64_t)2 * shape->n * shape->m * shape->t : 0;
}

bool asz_mem_covers(unsigned largest, unsigned preset) {
  return asz_preset_of(preset) != NULL && asz_mem_arena_bytes(preset) <= asz_mem_arena_bytes(largest);
}

static void head_write(uint8_t *datagram, enum asz_message type, const struct asz_challenge *challenge,
                       const uint8_t sender_id[8]) {
  struct asz_head head = {.type = (uint8_t)type,
                          .kind = challenge->kind,
                          .param = challenge->param,
                          .epoch = challenge->epoch,
                          .slot = challenge->slot,
                          .device = challenge->device};
  memcpy(head.sender_id, sender_id, sizeof head.sender_id);
  asz_head_write(datagram, &head);
}

/* True when the datagram is one of ours of this type, with the size that its kind fixes. */
static bool head_read(struct asz_head *ret_head, const uint8_t *datagram, size_t size_bytes, enum asz_message type) {
  return size_bytes >= ASZ_CHALLENGE_HEAD_BYTES && asz_head_read(ret_head, datagram, size_bytes) == ASZ_OK &&
         ret_head->type == type && size_bytes == asz_answer_bytes(ret_head->kind) &&
         asz_param_valid(ret_head->kind, ret_head->param);
}

size_t asz_challenge_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t request_key[16]) {
  size_t size_bytes = asz_answer_bytes(challenge->kind);
  assert(size_bytes != 0 && asz_param_valid(challenge->kind, challenge->param));
  memset(ret_datagram, 0, size_bytes);
  head_write(ret_datagram, ASZ_MESSAGE_CHALLENGE, challenge, challenge->validator_id);
  memcpy(ret_datagram + AT_BEACON, challenge->beacon, sizeof challenge->beacon);
  memcpy(ret_datagram + AT_CHALLENGE_NONCE, challenge->nonce, sizeof challenge->nonce);
  asz_mac_make(ret_datagram + ASZ_CHALLENGE_MAC_AT, request_key, ret_datagram, ASZ_CHALLENGE_MAC_AT);
  return size_bytes;
}

int asz_challenge_read(struct asz_challenge *ret_challenge, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_CHALLENGE))
    return ASZ_EFORMAT;
  if (!sodium_is_zero(datagram + ASZ_CHALLENGE_HEAD_BYTES, size_bytes - ASZ_CHALLENGE_HEAD_BYTES))
    return ASZ_EFORMAT;
  ret_challenge->kind = head.kind;
  ret_challenge->param = head.param;
  ret_challenge->epoch = head.epoch;
  ret_challenge->slot = head.slot;
  ret_challenge->device = head.device;
  memcpy(ret_challenge->validator_id, head.sender_id, sizeof ret_challenge->validator_id);
  memcpy(ret_challenge->beacon, datagram + AT_BEACON, sizeof ret_challenge->beacon);
  memcpy(ret_challenge->nonce, datagram + AT_CHALLENGE_NONCE, sizeof ret_challenge->nonce);
  return ASZ_OK;
}

size_t asz_answer_write(uint8_t *ret_datagram, const struct asz_challenge *challenge, const uint8_t provider_id[8],
                        const uint8_t *body, const uint8_t signature[64], const uint8_t reply_key[16]) {
  size_t size_bytes = asz_answer_bytes(challenge->kind);
  assert(size_bytes != 0 && asz_param_valid(challenge->kind, challenge->param));
  size_t body_bytes = kind_table[challenge->kind].body_bytes;
  head_write(ret_datagram, ASZ_MESSAGE_ANSWER, challenge, provider_id);
  memcpy(ret_datagram + AT_ANSWER_NONCE, challenge->nonce, sizeof challenge->nonce);
  uint8_t *at = ret_datagram + ASZ_ANSWER_HEAD_BYTES;
  if (body_bytes > 0)
    memcpy(at, body, body_bytes);
  at += body_bytes;
  memcpy(at, signature, ASZ_SIG_BYTES);
  at += ASZ_SIG_BYTES;
  asz_mac_make(at, reply_key, ret_datagram, (size_t)(at - ret_datagram));
  return size_bytes;
}

int asz_answer_read(struct asz_answer *ret_answer, const uint8_t *datagram, size_t size_bytes) {
  struct asz_head head;
  if (!head_read(&head, datagram, size_bytes, ASZ_MESSAGE_ANSWER))
    return ASZ_EFORMAT;
  ret_answer->kind = head.kind;
  ret_answer->param = head.param;
  ret_answer->epoch = head.epoch;
  ret_answer->slot = head.slot;
  ret_answer->device = head.device;
  ret_answer->provider_id = datagram + ASZ_HEAD_BYTES - ASZ_ID_BYTES; /* the last of the head */
  ret_answer->nonce = datagram + AT_ANSWER_NONCE;
  ret_answer->body = datagram + ASZ_ANSWER_HEAD_BYTES;
  ret_answer->body_bytes = kind_table[ret_answer->kind].body_bytes;
  ret_answer->signature = ret_answer->body + ret_answer->body_bytes;
  ret_answer->mac = ret_answer->signature + ASZ_SIG_BYTES;
  return ASZ_OK;
}

void asz_challenge_seed(uint8_t ret_seed[32], const struct asz_challenge *challenge, const uint8_t validator_pk[32],
                        const uint8_t provider_pk[32]) {
  /* A key per kind: it separates domains and is no secret, so it may be shorter than a secret should be. */
  static const struct {
    const char *text;
    size_t bytes;
  } key[ASZ_KIND_MAX + 1] = {
#define KIND_KEY(symbol, value, name, body) [value] = {"assize/1/" name, sizeof("assize/1/" name) - 1},
      ASZ_KIND_LIST(KIND_KEY)
#undef KIND_KEY
  };
  assert(asz_kind_name(challenge->kind) != NULL);
  uint8_t device_be[4], slot_be[8];
  asz_be32_store(device_be, challenge->device);
  asz_be64_store(slot_be, challenge->slot);
  const struct asz_hash_part parts[] = {{challenge->beacon, sizeof challenge->beacon},
                                        {validator_pk, ASZ_PK_BYTES},
                                        {provider_pk, ASZ_PK_BYTES},
                                        {device_be, sizeof device_be},
                                        {slot_be, sizeof slot_be},
                                        {challenge->nonce, sizeof challenge->nonce}};
  asz_hash(ret_seed, key[challenge->kind].text, key[challenge->kind].bytes, parts, 6);
}

void asz_answer_signed_bytes(uint8_t ret_signed[ASZ_SIGNED_BYTES], unsigned kind, unsigned param, uint32_t epoch, uint64_t slot,
                             uint32_t device, const uint8_t seed[32], const uint8_t *body, size_t body_bytes) {
  static const char domain[16] = "assize/1/answer"; /* with its NUL */
  uint8_t *at = ret_signed;
  memcpy(at, domain, sizeof domain);
  at[16] = (uint8_t)kind;
  at[17] = (uint8_t)param;
  asz_be32_store(at + 18, epoch);
  asz_be64_store(at + 22, slot);
  asz_be32_store(at + 30, device);
  memcpy(at + 34, seed, 32);
  asz_hash(at + 66, NULL, 0, &(struct asz_hash_part){body, body_bytes}, 1);
  _Static_assert(66 + 32 == ASZ_SIGNED_BYTES, "the body's hash comes last");
}

void asz_epoch_commitment(uint8_t ret_hash[32], uint32_t epoch, const uint8_t secret[32]) {
  uint8_t epoch_be[4];
  asz_be32_store(epoch_be, epoch);
  const struct asz_hash_part parts[] = {ASZ_HASH_TEXT("assize/1/commit"), {epoch_be, sizeof epoch_be}, {secret, 32}};
  asz_hash(ret_hash, NULL, 0, parts, 3);
}

void asz_challenge_nonce(uint8_t ret_nonce[16], const uint8_t secret[32], unsigned kind, uint64_t slot, uint32_t device,
                         const uint8_t provider_pk[32]) {
  uint8_t kind_byte = (uint8_t)kind, slot_be[8], device_be[4], hash[32];
  asz_be64_store(slot_be, slot);
  asz_be32_store(device_be, device);
  const struct asz_hash_part parts[] = {ASZ_HASH_TEXT("assize/1/nonce"),
                                        {&kind_byte, 1},
                                        {slot_be, sizeof slot_be},
                                        {device_be, sizeof device_be},
                                        {provider_pk, ASZ_PK_BYTES}};
  asz_hash(hash, secret, 32, parts, 5);
  memcpy(ret_nonce, hash, ASZ_NONCE_BYTES);
}

void asz_slot_reveal(uint8_t ret_rho[32], const uint8_t secret[32], uint64_t slot) {
  uint8_t slot_be[8];
  asz_be64_store(slot_be, slot);
  const struct asz_hash_part parts[] = {ASZ_HASH_TEXT("assize/1/reveal"), {slot_be, sizeof slot_be}};
  asz_hash(ret_rho, secret, 32, parts, sizeof parts / sizeof parts[0]);
}
