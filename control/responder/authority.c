/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/authority.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/responder/limiter.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/stamp_auth.h"

/* A validator's line: 64 digits and room for a comment. */
enum { LINE_BYTES = 1024 };

struct asz_authority {
  struct asz_identity own;
  struct asz_rate derive_rate;
  struct asz_validator *validator; /* sorted by id */
  size_t count, capacity;
  struct asz_rate trial_rate; /* of packets; each tries every key */
  uint64_t trial_next_ns;
  uint16_t heard[ASZ_AUTHORITY_HEARD]; /* by source address: 1 + index of a validator; 0: nobody */
};
_Static_assert(ASZ_AUTHORITY_VALIDATORS_MAX < UINT16_MAX, "an index fits");

int asz_authority_new(struct asz_authority **ret_authority, const struct asz_identity *own) {
  struct asz_authority *authority = calloc(1, sizeof *authority);
  if (!authority)
    return ASZ_ENOMEM;
  authority->own = *own;
  authority->derive_rate = asz_rate_make(ASZ_AUTHORITY_DERIVE_PPS, ASZ_AUTHORITY_DERIVE_PPS);
  *ret_authority = authority;
  return 0;
}

int asz_authority_copy(struct asz_authority **ret_authority, const struct asz_authority *authority) {
  struct asz_authority *copy = NULL;
  int err = asz_authority_new(&copy, &authority->own);
  if (err)
    return err;
  if (authority->count) {
    copy->validator = calloc(authority->count, sizeof *copy->validator);
    if (!copy->validator) {
      asz_authority_free(copy);
      return ASZ_ENOMEM;
    }
    memcpy(copy->validator, authority->validator, authority->count * sizeof *copy->validator);
  }
  copy->count = copy->capacity = authority->count;
  copy->trial_rate = authority->trial_rate;
  *ret_authority = copy;
  return 0;
}

void asz_authority_free(struct asz_authority *authority) {
  if (!authority)
    return;
  asz_identity_wipe(&authority->own);
  if (authority->validator)
    sodium_memzero(authority->validator, authority->count * sizeof *authority->validator);
  free(authority->validator);
  free(authority);
}

size_t asz_authority_count(const struct asz_authority *authority) {
  return authority->count;
}

/* Index of the first validator whose id is not less than the given one. */
static size_t lower_bound(const struct asz_authority *authority, const uint8_t id[ASZ_ID_BYTES]) {
  size_t low = 0, high = authority->count;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (memcmp(authority->validator[middle].id, id, ASZ_ID_BYTES) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

struct asz_validator *asz_authority_find(struct asz_authority *authority, const uint8_t id[ASZ_ID_BYTES]) {
  const size_t at = lower_bound(authority, id);
  if (at == authority->count || memcmp(authority->validator[at].id, id, ASZ_ID_BYTES) != 0)
    return NULL;
  return &authority->validator[at];
}

size_t asz_authority_number(const struct asz_authority *authority, const struct asz_validator *validator) {
  return (size_t)(validator - authority->validator);
}

static int grow(struct asz_authority *authority) {
  if (authority->count < authority->capacity)
    return 0;
  const size_t capacity = authority->capacity ? 2 * authority->capacity : 16;
  struct asz_validator *larger = calloc(capacity, sizeof *larger);
  if (!larger)
    return ASZ_ENOMEM;
  if (authority->count) { /* not realloc: it would leave secrets behind in freed memory */
    memcpy(larger, authority->validator, authority->count * sizeof *larger);
    sodium_memzero(authority->validator, authority->count * sizeof *larger);
  }
  free(authority->validator);
  authority->validator = larger;
  authority->capacity = capacity;
  return 0;
}

int asz_authority_add(struct asz_authority *authority, const uint8_t public_key[32], struct asz_diag *diag) {
  if (authority->count == ASZ_AUTHORITY_VALIDATORS_MAX)
    return asz_diag_set(diag, ASZ_ETOOBIG, "more than %d validators", ASZ_AUTHORITY_VALIDATORS_MAX);
  struct asz_validator added = {0};
  memcpy(added.public_key, public_key, sizeof added.public_key);
  asz_identity_short(added.id, public_key);
  if (asz_authority_find(authority, added.id))
    return asz_diag_set(diag, ASZ_EEXIST, "this validator is in the list already");
  int err = asz_session_shared(added.shared, &authority->own, public_key);
  if (err)
    return asz_diag_set(diag, err, "not a usable Ed25519 public key");
  asz_session_hmac_key(&added.hmac, added.shared, public_key, authority->own.public_key);
  err = grow(authority);
  if (err)
    return asz_diag_set(diag, err, "out of memory");

  const size_t at = lower_bound(authority, added.id);
  memmove(&authority->validator[at + 1], &authority->validator[at], (authority->count - at) * sizeof added);
  authority->validator[at] = added;
  authority->count++;
  uint64_t trial_pps = ASZ_AUTHORITY_TRIALS_PPS / authority->count;
  authority->trial_rate = asz_rate_make(trial_pps, trial_pps);
  memset(authority->heard, 0, sizeof authority->heard); /* the indices have moved */
  sodium_memzero(&added, sizeof added);
  return 0;
}

int asz_authority_add_hex(struct asz_authority *authority, const char *hex, const char *where, struct asz_diag *diag) {
  uint8_t public_key[32];
  if (asz_hex_decode(public_key, sizeof public_key, hex) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected a validator's public key, 64 hex digits, found '%.80s'", where, hex);
  struct asz_diag why;
  const int err = asz_authority_add(authority, public_key, &why);
  return err ? asz_diag_set(diag, err, "%s: %s: %s", where, hex, why.text) : 0;
}

/* Cuts comment, line end and surrounding white space; returns where the text begins. */
static char *trim(char *line) {
  line[strcspn(line, "#\r\n")] = '\0';
  while (isspace((unsigned char)*line))
    line++;
  for (size_t length = strlen(line); length && isspace((unsigned char)line[length - 1]); length--)
    line[length - 1] = '\0';
  return line;
}

/* A line that stops without a line end, before the end of the file, was too long or holds a NUL. */
static bool is_cut(const char *line, FILE *file) {
  const size_t length = strlen(line);
  return (length == 0 || line[length - 1] != '\n') && !feof(file);
}

int asz_authority_load(struct asz_authority *authority, const char *path, struct asz_diag *diag) {
  FILE *file = fopen(path, "re");
  if (!file)
    return asz_diag_set(diag, errno == ENOENT ? ASZ_ENOENT : ASZ_EPERM, "%s: %s", path, strerror(errno));
  char line[LINE_BYTES], where[256];
  int err = 0;
  for (unsigned number = 1; !err && fgets(line, sizeof line, file); number++) {
    snprintf(where, sizeof where, "%s:%u", path, number);
    if (is_cut(line, file)) {
      err = asz_diag_set(diag, ASZ_EFORMAT, "%s: expected text in lines of at most %d bytes", where, LINE_BYTES - 2);
      break;
    }
    const char *text = trim(line);
    if (*text)
      err = asz_authority_add_hex(authority, text, where, diag);
  }
  if (!err && ferror(file))
    err = asz_diag_set(diag, ASZ_EINVAL, "%s: cannot be read: %s", path, strerror(errno));
  fclose(file);
  return err;
}

static void derive(const struct asz_authority *authority, const struct asz_validator *validator, uint32_t epoch,
                   struct asz_epoch_keys *ret_keys) {
  ret_keys->known = true;
  ret_keys->epoch = epoch;
  asz_session_derive(&ret_keys->session, validator->shared, epoch, validator->public_key, authority->own.public_key);
}

static struct asz_epoch_keys *held_keys(struct asz_validator *validator, uint32_t epoch) {
  struct asz_epoch_keys *const held[] = {&validator->current, &validator->previous, &validator->next, &validator->trial};
  for (unsigned i = 0; i < sizeof held / sizeof held[0]; i++)
    if (held[i]->known && held[i]->epoch == epoch)
      return held[i];
  return NULL;
}

static bool is_stale(const struct asz_validator *validator, uint32_t epoch) {
  return validator->current.known && epoch < validator->current.epoch &&
         !(validator->previous.known && epoch == validator->previous.epoch);
}

static void move_to(const struct asz_authority *authority, struct asz_validator *validator, const struct asz_epoch_keys *keys) {
  const struct asz_epoch_keys proved = *keys; /* keys points into one of the sets that change here */
  validator->previous = validator->current;
  validator->current = proved;
  validator->trial.known = false;
  validator->next.known = false;
  if (proved.epoch != UINT32_MAX)
    derive(authority, validator, proved.epoch + 1, &validator->next);
}

int asz_authority_check(struct asz_authority *authority, struct asz_validator *validator, uint32_t epoch,
                        const uint8_t mac[ASZ_MAC_BYTES], const void *data, size_t size_bytes, uint64_t now_ns,
                        struct asz_session *ret_session) {
  if (is_stale(validator, epoch))
    return ASZ_ERANGE;
  struct asz_epoch_keys *keys = held_keys(validator, epoch);
  if (!keys) {
    if (!asz_rate_take(&authority->derive_rate, &validator->derive_next_ns, now_ns))
      return ASZ_EAGAIN;
    keys = &validator->trial;
    derive(authority, validator, epoch, keys);
  }
  if (!asz_mac_check(mac, keys->session.request_key, data, size_bytes))
    return ASZ_EAUTH;
  *ret_session = keys->session;
  if (!validator->current.known || epoch > validator->current.epoch)
    move_to(authority, validator, keys);
  return 0;
}

/* By the whole address, not its network as in the limiter: hosts of one /64 may be several validators, and a source gains nothing
 * by having many addresses, since only what verifies takes a place. */
static uint16_t *heard_at(struct asz_authority *authority, const struct asz_address *source) {
  uint32_t word = source->ipv4;
  if (source->family == ASZ_FAMILY_IPV6) {
    const uint64_t mixed = asz_be64_load(source->ipv6) ^ asz_be64_load(source->ipv6 + 8) * UINT64_C(0x9e3779b97f4a7c15);
    word = (uint32_t)(mixed ^ mixed >> 32);
  }
  return &authority->heard[word * UINT32_C(0x9e3779b1) >> 22];
}
_Static_assert(ASZ_AUTHORITY_HEARD == 1 << (32 - 22), "as many as the hash has values");

/* The validator whose key it is under, of those from `first` on, a burst at most; count when nobody's. */
static size_t try_keys(const struct asz_authority *authority, struct asz_hmac_lanes *lanes, const uint8_t *payload,
                       size_t first) {
  const struct asz_hmac_key *key[ASZ_HMAC_BURST_MAX];
  const uint8_t *same[ASZ_HMAC_BURST_MAX];
  bool right[ASZ_HMAC_BURST_MAX];
  size_t tried = 0;
  for (; tried < ASZ_HMAC_BURST_MAX && first + tried < authority->count; tried++) {
    key[tried] = &authority->validator[first + tried].hmac;
    same[tried] = payload;
  }
  asz_stamp_auth_verify_many(lanes, key, same, right, tried);
  for (size_t i = 0; i < tried; i++)
    if (right[i])
      return first + i;
  return authority->count;
}

int asz_authority_check_hmac(struct asz_authority *authority, struct asz_hmac_lanes *lanes, const struct asz_address *source,
                             const uint8_t *payload, uint64_t now_ns, const struct asz_hmac_key **ret_key) {
  uint16_t *heard = heard_at(authority, source);
  if (*heard != 0) {
    const struct asz_hmac_key *key = &authority->validator[*heard - 1].hmac;
    if (asz_stamp_auth_verify(lanes, key, payload)) {
      *ret_key = key;
      return 0;
    }
  }
  if (authority->count == 0)
    return ASZ_EAUTH;
  if (!asz_rate_take(&authority->trial_rate, &authority->trial_next_ns, now_ns))
    return ASZ_EAGAIN;
  size_t found = authority->count;
  for (size_t first = 0; first < authority->count && found == authority->count; first += ASZ_HMAC_BURST_MAX)
    found = try_keys(authority, lanes, payload, first);
  if (found == authority->count)
    return ASZ_EAUTH;
  *heard = (uint16_t)(found + 1);
  *ret_key = &authority->validator[found].hmac;
  return 0;
}
