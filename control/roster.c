/* SPDX-License-Identifier: Apache-2.0 */
#include "control/roster.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/tlog.h"

/* A key that was handed over goes before the one that two identities share. */
static int hmac_fill(struct asz_roster *roster, uint32_t i, struct asz_diag *diag) {
  const struct asz_provider *p = &roster->provider[i];
  if (p->probe != ASZ_PROBE_STAMP_AUTH)
    return 0;
  if (p->hmac_secret_bytes > 0)
    asz_hmac_key_set(&roster->hmac[i], p->hmac_secret, p->hmac_secret_bytes);
  else if (asz_provider_has_key(p))
    asz_session_hmac_key(&roster->hmac[i], roster->shared[i], roster->validator_pk, p->public_key);
  else
    return asz_diag_set(diag, ASZ_EINVAL, "provider %s: probe stamp-auth needs the provider's key or an HMAC key", p->name);
  return 0;
}

static int roster_fill(struct asz_roster *roster, uint32_t i, const struct asz_identity *validator, struct asz_diag *diag) {
  const struct asz_provider *p = &roster->provider[i];
  bool ipv6 = asz_provider_family(p) == ASZ_FAMILY_IPV6;
  if (ipv6)
    memcpy(roster->ipv6[roster->ipv6_count], p->ipv6, sizeof p->ipv6);
  roster->target[i] = (struct asz_target){
      .ipv4 = ipv6 ? roster->ipv6_count++ : p->ipv4,
      .port = p->port,
      .challenge_port = p->challenge_port,
      .probe = p->probe,
      .flags = (uint8_t)(p->flags | (ipv6 ? ASZ_TARGET_IPV6 : 0)),
  };
  roster->control_count += p->control;
  if (!asz_provider_has_key(&roster->provider[i])) {
    if (p->probe == ASZ_PROBE_STAMP_TLV)
      return asz_diag_set(diag, ASZ_EINVAL, "provider %s: probe stamp-tlv needs the provider's key", p->name);
    return 0;
  }
  asz_identity_short(roster->provider_id[i], p->public_key);
  /* Providers of one identity stand together in an import: the last secret is often the next one's. */
  if (i > 0 && memcmp(roster->provider[i - 1].public_key, p->public_key, 32) == 0) {
    memcpy(roster->shared[i], roster->shared[i - 1], 32);
    return 0;
  }
  int err = asz_session_shared(roster->shared[i], validator, p->public_key);
  if (err)
    return asz_diag_set(diag, ASZ_EINVAL, "provider %s: its key is not a usable Ed25519 public key", p->name);
  return 0;
}

/* The registration as lines of text; no field can hold a newline, so two registrations never share a leaf. The AS, where it is
 * known, came later and is the eleventh line. */
static size_t registration_write(char *ret_text, size_t capacity, const struct asz_provider *p) {
  char key[65];
  const char *address = asz_provider_address(ASZ_TEXT, p);
  asz_hex_encode(key, p->public_key, 32);
  int n = snprintf(ret_text, capacity, "%s\n%s\n%u\n%s\n%u\n%u\n%s\n%s\n%s\n%u\n", p->name, key, p->device, address, p->port,
                   p->challenge_port, asz_probe_name(p->probe), p->region, p->operator_name, p->control ? 1u : 0u);
  assert(n > 0 && (size_t)n < capacity);
  if (p->asn != 0)
    n += snprintf(ret_text + n, capacity - (size_t)n, "AS%u\n", p->asn);
  assert(n > 0 && (size_t)n < capacity);
  return (size_t)n;
}

/* roster_root: RFC 6962 root over the registrations, in plan order. */
static int roster_root(struct asz_roster *roster) {
  uint8_t(*leaf)[32] = calloc(roster->count + 1, sizeof *leaf);
  if (!leaf)
    return ASZ_ENOMEM;
  char text[512];
  for (uint32_t i = 0; i < roster->count; i++)
    asz_tlog_leaf_hash(leaf[i], text, registration_write(text, sizeof text, &roster->provider[i]));
  asz_tlog_tree_hash(roster->root, (const uint8_t(*)[32])leaf, roster->count);
  free(leaf);
  return 0;
}

/* Whole cache lines, since the prober asks for one a target. */
static int hmac_take(struct asz_roster *roster) {
  bool needed = false;
  for (uint32_t i = 0; i < roster->count && !needed; i++)
    needed = roster->provider[i].probe == ASZ_PROBE_STAMP_AUTH;
  if (!needed)
    return 0;
  size_t bytes = roster->count * sizeof *roster->hmac;
  roster->hmac = aligned_alloc(sizeof *roster->hmac, bytes);
  if (!roster->hmac)
    return ASZ_ENOMEM;
  memset(roster->hmac, 0, bytes);
  return 0;
}

static size_t ipv6_count(const struct asz_provider *provider, size_t count) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    found += asz_provider_family(&provider[i]) == ASZ_FAMILY_IPV6;
  return found;
}

int asz_roster_new(struct asz_roster **ret_roster, struct asz_provider *provider, size_t count,
                   const struct asz_identity *validator, struct asz_diag *diag) {
  struct asz_roster *roster = calloc(1, sizeof *roster);
  if (!roster) {
    free(provider);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for %zu providers", count);
  }
  roster->provider = provider;
  roster->count = (uint32_t)count;
  roster->target = calloc(count + 1, sizeof *roster->target);
  roster->ipv6 = calloc(ipv6_count(provider, count) + 1, sizeof *roster->ipv6);
  roster->provider_id = calloc(count + 1, sizeof *roster->provider_id);
  roster->shared = calloc(count + 1, sizeof *roster->shared);
  roster->session[0] = calloc(count + 1, sizeof **roster->session);
  roster->session[1] = calloc(count + 1, sizeof **roster->session);
  if (!roster->target || !roster->ipv6 || !roster->provider_id || !roster->shared || !roster->session[0] || !roster->session[1] ||
      hmac_take(roster) != 0) {
    asz_roster_free(roster);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for %zu providers", count);
  }
  memcpy(roster->validator_pk, validator->public_key, 32);
  asz_identity_short(roster->validator_id, validator->public_key);
  for (uint32_t i = 0; i < roster->count; i++) {
    int err = roster_fill(roster, i, validator, diag);
    if (!err)
      err = hmac_fill(roster, i, diag);
    if (err) {
      asz_roster_free(roster);
      return err;
    }
  }
  if (roster_root(roster)) {
    asz_roster_free(roster);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for %zu registrations", count);
  }
  *ret_roster = roster;
  return 0;
}

static void free_wiped(void *secret, size_t size_bytes) {
  if (secret)
    sodium_memzero(secret, size_bytes);
  free(secret);
}

void asz_roster_free(struct asz_roster *roster) {
  if (!roster)
    return;
  free_wiped(roster->shared, roster->count * sizeof *roster->shared);
  free_wiped(roster->session[0], roster->count * sizeof **roster->session);
  free_wiped(roster->session[1], roster->count * sizeof **roster->session);
  free_wiped(roster->hmac, roster->count * sizeof *roster->hmac);
  free_wiped(roster->provider, roster->count * sizeof *roster->provider);
  free(roster->provider_id);
  free(roster->ipv6);
  free(roster->target);
  free(roster);
}

const struct asz_session *asz_roster_epoch(struct asz_roster *roster, uint32_t epoch) {
  struct asz_session *session = roster->session[epoch & 1];
  for (uint32_t i = 0; i < roster->count; i++)
    if (asz_provider_has_key(&roster->provider[i]))
      asz_session_derive(&session[i], roster->shared[i], epoch, roster->validator_pk, roster->provider[i].public_key);
  return session;
}
