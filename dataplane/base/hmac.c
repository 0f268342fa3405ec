/* SPDX-License-Identifier: Apache-2.0 */
/* The library keeps a manager, which sorts messages into the lanes of the widest unit that the CPU has, and takes one descriptor
 * a message. All that is the same in every descriptor is written once, when the lanes are made. A burst is handed over whole and
 * comes back whole, so nothing of it is left inside between two calls. */
#include "dataplane/base/hmac.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#ifdef ASZ_HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum { BLOCK_BYTES = 64, DIGEST_BYTES = 32 };
_Static_assert(sizeof(struct asz_hmac_key) == 64, "one cache line a target");

struct asz_hmac_lanes {
#ifdef ASZ_HAVE_IPSEC_MB
  IMB_MGR *manager; /* NULL: the CPU is none that it knows */
  IMB_JOB job[ASZ_HMAC_BURST_MAX];
#else
  char unused;
#endif
};

/* The state behind one block of the padded key. */
static void pad_state(uint32_t ret_state[8], const uint8_t key[BLOCK_BYTES], uint8_t pad) {
  uint8_t block[BLOCK_BYTES];
  crypto_hash_sha256_state state;
  for (size_t i = 0; i < sizeof block; i++)
    block[i] = key[i] ^ pad;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, block, sizeof block);
  memcpy(ret_state, state.state, DIGEST_BYTES);
  sodium_memzero(block, sizeof block);
  sodium_memzero(&state, sizeof state);
}

void asz_hmac_key_set(struct asz_hmac_key *ret_key, const void *secret, size_t secret_bytes) {
  uint8_t key[BLOCK_BYTES] = {0};
  if (secret_bytes > sizeof key)
    crypto_hash_sha256(key, secret, secret_bytes);
  else if (secret_bytes > 0)
    memcpy(key, secret, secret_bytes);
  pad_state(ret_key->inner, key, 0x36);
  pad_state(ret_key->outer, key, 0x5c);
  sodium_memzero(key, sizeof key);
}

/* Goes on behind the key's block. */
static void state_resume(crypto_hash_sha256_state *ret_state, const uint32_t saved[8]) {
  memset(ret_state, 0, sizeof *ret_state);
  memcpy(ret_state->state, saved, DIGEST_BYTES);
  ret_state->count = 8 * BLOCK_BYTES; /* bits */
}

void asz_hmac(uint8_t ret_tag[ASZ_HMAC_TAG_BYTES], const struct asz_hmac_key *key, const struct asz_hash_part *parts,
              size_t part_count) {
  uint8_t digest[DIGEST_BYTES];
  crypto_hash_sha256_state state;
  state_resume(&state, key->inner);
  for (size_t i = 0; i < part_count; i++)
    crypto_hash_sha256_update(&state, parts[i].data, parts[i].size_bytes);
  crypto_hash_sha256_final(&state, digest);
  state_resume(&state, key->outer);
  crypto_hash_sha256_update(&state, digest, sizeof digest);
  crypto_hash_sha256_final(&state, digest);
  memcpy(ret_tag, digest, ASZ_HMAC_TAG_BYTES);
}

static void one_by_one(const struct asz_hmac_key *const *key, const uint8_t *const *message,
                       uint8_t (*ret_tag)[ASZ_HMAC_TAG_BYTES], size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct asz_hash_part part = {message[i], ASZ_HMAC_MESSAGE_BYTES};
    asz_hmac(ret_tag[i], key[i], &part, 1);
  }
}

bool asz_hmac_equal(const uint8_t a[ASZ_HMAC_TAG_BYTES], const uint8_t b[ASZ_HMAC_TAG_BYTES]) {
  return sodium_memcmp(a, b, ASZ_HMAC_TAG_BYTES) == 0;
}

#ifdef ASZ_HAVE_IPSEC_MB

static void jobs_prepare(struct asz_hmac_lanes *lanes) {
  for (size_t i = 0; i < ASZ_HMAC_BURST_MAX; i++) {
    IMB_JOB *job = &lanes->job[i];
    job->hash_alg = IMB_AUTH_HMAC_SHA_256;
    job->cipher_mode = IMB_CIPHER_NULL;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->msg_len_to_hash_in_bytes = ASZ_HMAC_MESSAGE_BYTES;
    job->auth_tag_output_len_in_bytes = ASZ_HMAC_TAG_BYTES;
  }
}

/* Two lanes of the SHA extensions go before sixteen of AVX-512, which is what the library would choose: on the machine of
 * decision 0015 they are the faster ones, too (188 ticks a message in a full burst against 237, alone 286 against 2,470). */
static void manager_init(IMB_MGR *manager) {
  if ((manager->features & IMB_FEATURE_SHANI) != 0)
    init_mb_mgr_sse(manager);
  else
    init_mb_mgr_auto(manager, NULL);
}

int asz_hmac_lanes_new(struct asz_hmac_lanes **ret_lanes) {
  struct asz_hmac_lanes *lanes = calloc(1, sizeof *lanes);
  if (!lanes)
    return ASZ_ENOMEM;
  lanes->manager = alloc_mb_mgr(0);
  if (!lanes->manager) {
    free(lanes);
    return ASZ_ENOMEM;
  }
  manager_init(lanes->manager);
  if (imb_get_errno(lanes->manager) != 0) {
    free_mb_mgr(lanes->manager);
    lanes->manager = NULL;
  }
  jobs_prepare(lanes);
  *ret_lanes = lanes;
  return 0;
}

void asz_hmac_lanes_free(struct asz_hmac_lanes *lanes) {
  if (lanes && lanes->manager)
    free_mb_mgr(lanes->manager);
  free(lanes);
}

bool asz_hmac_lanes_wide(const struct asz_hmac_lanes *lanes) {
  return lanes->manager != NULL;
}

size_t asz_hmac_lanes_bytes(void) {
  return sizeof(struct asz_hmac_lanes) + imb_get_mb_mgr_size();
}

void asz_hmac_many(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *const *key, const uint8_t *const *message,
                   uint8_t (*ret_tag)[ASZ_HMAC_TAG_BYTES], size_t count) {
  assert(count <= ASZ_HMAC_BURST_MAX);
  if (!lanes->manager) {
    one_by_one(key, message, ret_tag, count);
    return;
  }
  if (count == 0)
    return;
  for (size_t i = 0; i < count; i++) {
    IMB_JOB *job = &lanes->job[i];
    job->src = message[i];
    job->auth_tag_output = ret_tag[i];
    job->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)key[i]->inner;
    job->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)key[i]->outer;
  }
  uint32_t done = IMB_SUBMIT_HASH_BURST_NOCHECK(lanes->manager, lanes->job, (uint32_t)count, IMB_AUTH_HMAC_SHA_256);
  assert(done == count);
}

#else

int asz_hmac_lanes_new(struct asz_hmac_lanes **ret_lanes) {
  struct asz_hmac_lanes *lanes = calloc(1, sizeof *lanes);
  if (!lanes)
    return ASZ_ENOMEM;
  *ret_lanes = lanes;
  return 0;
}

void asz_hmac_lanes_free(struct asz_hmac_lanes *lanes) {
  free(lanes);
}

bool asz_hmac_lanes_wide(const struct asz_hmac_lanes *lanes) {
  return false;
}

size_t asz_hmac_lanes_bytes(void) {
  return sizeof(struct asz_hmac_lanes);
}

void asz_hmac_many(struct asz_hmac_lanes *lanes, const struct asz_hmac_key *const *key, const uint8_t *const *message,
                   uint8_t (*ret_tag)[ASZ_HMAC_TAG_BYTES], size_t count) {
  assert(count <= ASZ_HMAC_BURST_MAX);
  one_by_one(key, message, ret_tag, count);
}

#endif
