/* SPDX-License-Identifier: Apache-2.0 */
/* Providers as text: the command line and imported files give the same fields, by name, through asz_provider_set, so that both
 * accept and refuse the same values with the same words. */
#include "control/provider.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/hmac_file.h"
#include "control/parse.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/engine.h"

enum { STAMP_PORT = 862, HTTPS_PORT = 443 };

static const struct {
  const char *name, *expected;
} fields[] = {
#define FIELD(field, expected) {#field, expected},
    ASZ_PROVIDER_FIELD_LIST(FIELD)
#undef FIELD
};

const char *asz_provider_field_name(enum asz_provider_field field) {
  return fields[field].name;
}

enum asz_provider_field asz_provider_field_from_name(const char *name) {
  unsigned i = 0;
  while (i < ASZ_PROVIDER_FIELD_COUNT && strcmp(fields[i].name, name) != 0)
    i++;
  return (enum asz_provider_field)i;
}

void asz_provider_init(struct asz_provider *ret_provider) {
  *ret_provider = (struct asz_provider){.challenge_port = ASZ_CHALLENGE_PORT, .probe = (uint8_t)ASZ_PROBE_COUNT};
}

static int parse_bool(const char *text, bool *ret_value) {
  bool yes = !strcmp(text, "yes");
  if (!yes && strcmp(text, "no") != 0)
    return ASZ_EFORMAT;
  *ret_value = yes;
  return 0;
}

static int copy_word(const char *text, size_t min, size_t max, char *ret_text) {
  size_t length = strlen(text);
  if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != length)
    return ASZ_EFORMAT;
  if (length < min || length > max)
    return ASZ_ERANGE;
  if (strspn(text, "._-") > 0) /* no name looks like an option or a hidden file */
    return ASZ_EFORMAT;
  memcpy(ret_text, text, length + 1);
  return 0;
}

static int copy_printable(const char *text, size_t max, char *ret_text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++)
    if (text[i] < 0x20 || text[i] > 0x7e)
      return ASZ_EFORMAT;
  if (length > max)
    return ASZ_ERANGE;
  memcpy(ret_text, text, length + 1);
  return 0;
}

static int parse_ipv4_unicast(const char *text, uint32_t *ret_ipv4) {
  uint32_t ipv4;
  int err = asz_parse_ipv4(text, &ipv4);
  if (err)
    return err;
  unsigned first = ipv4 >> 24;
  if (first == 0 || first == 127 || first >= 224) /* this network, loopback, multicast and reserved: nothing answers a probe */
    return ASZ_ERANGE;
  *ret_ipv4 = ipv4;
  return 0;
}

/* One address of either family; the last one given counts. */
static int parse_unicast(const char *text, struct asz_provider *p) {
  uint8_t ipv6[16] = {0};
  uint32_t ipv4 = 0;
  int err = strchr(text, ':') ? asz_ipv6_parse(ipv6, text) : parse_ipv4_unicast(text, &ipv4);
  if (err)
    return err;
  if (ipv4 == 0 && !asz_ipv6_is_provider(ipv6))
    return ASZ_ERANGE;
  p->ipv4 = ipv4;
  memcpy(p->ipv6, ipv6, sizeof ipv6);
  return 0;
}

/* A key that is no point of the prime-order group can belong to nobody. */
static int parse_key(const char *text, uint8_t ret_key[32]) {
  uint8_t key[32];
  if (asz_hex_decode(key, sizeof key, text) != 0 || !crypto_core_ed25519_is_valid_point(key))
    return ASZ_EFORMAT;
  memcpy(ret_key, key, sizeof key);
  return 0;
}

static int parse_probe(const char *text, uint8_t *ret_probe) {
  enum asz_probe probe = asz_probe_from_name(text);
  if (probe == ASZ_PROBE_COUNT)
    return ASZ_EFORMAT;
  *ret_probe = (uint8_t)probe;
  return 0;
}

/* Checks and assigns; 0, ASZ_EFORMAT or ASZ_ERANGE. */
static int assign(struct asz_provider *p, enum asz_provider_field field, const char *text) {
  uint64_t number = 0;
  bool yes = false;
  int err = ASZ_EINVAL;
  switch (field) {
  case ASZ_PROVIDER_FIELD_name:
    return copy_word(text, 1, ASZ_PROVIDER_NAME_MAX, p->name);
  case ASZ_PROVIDER_FIELD_ip:
    return parse_unicast(text, p);
  case ASZ_PROVIDER_FIELD_key:
    return parse_key(text, p->public_key);
  case ASZ_PROVIDER_FIELD_device:
    if ((err = asz_parse_u64(text, 0, UINT32_MAX, &number)) == 0)
      p->device = (uint32_t)number;
    return err;
  case ASZ_PROVIDER_FIELD_port:
    if ((err = asz_parse_u64(text, 1, UINT16_MAX, &number)) == 0)
      p->port = (uint16_t)number;
    return err;
  case ASZ_PROVIDER_FIELD_challenge_port:
    if ((err = asz_parse_u64(text, 0, UINT16_MAX, &number)) == 0)
      p->challenge_port = (uint16_t)number;
    return err;
  case ASZ_PROVIDER_FIELD_probe:
    return parse_probe(text, &p->probe);
  case ASZ_PROVIDER_FIELD_region:
    return copy_word(text, 0, ASZ_REGION_MAX, p->region);
  case ASZ_PROVIDER_FIELD_operator:
    return copy_printable(text, ASZ_OPERATOR_MAX, p->operator_name);
  case ASZ_PROVIDER_FIELD_rtt_target_ms:
    if ((err = asz_parse_u64(text, 0, 10000, &number)) == 0)
      p->rtt_target_ns = number * 1000000;
    return err;
  case ASZ_PROVIDER_FIELD_control:
    return parse_bool(text, &p->control);
  case ASZ_PROVIDER_FIELD_ssid:
    if ((err = parse_bool(text, &yes)) == 0)
      p->flags = yes ? (uint8_t)(p->flags & ~ASZ_TARGET_NO_SSID) : (uint8_t)(p->flags | ASZ_TARGET_NO_SSID);
    return err;
  case ASZ_PROVIDER_FIELD_hmac_key_file: /* asz_provider_set */
  case ASZ_PROVIDER_FIELD_COUNT:
    break;
  }
  return err;
}

int asz_provider_set(struct asz_provider *provider, enum asz_provider_field field, const char *text, const char *where,
                     struct asz_diag *diag) {
  if (field == ASZ_PROVIDER_FIELD_hmac_key_file) {
    struct asz_diag why;
    int failed = asz_hmac_file_read(provider->hmac_secret, &provider->hmac_secret_bytes, text, &why);
    return failed ? asz_diag_set(diag, failed, "%s: hmac_key_file: %s", where, why.text) : 0;
  }
  int err = assign(provider, field, text);
  if (err)
    return asz_diag_set(diag, err, "%s: %s: expected %s, got \"%s\"", where, fields[field].name, fields[field].expected, text);
  return 0;
}

int asz_provider_finish(struct asz_provider *provider, const char *where, struct asz_diag *diag) {
  bool no_address = provider->ipv4 == 0 && asz_ipv6_is_none(provider->ipv6);
  enum asz_provider_field missing = !provider->name[0] ? ASZ_PROVIDER_FIELD_name
                                    : no_address       ? ASZ_PROVIDER_FIELD_ip
                                                       : ASZ_PROVIDER_FIELD_COUNT;
  if (missing != ASZ_PROVIDER_FIELD_COUNT)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: %s: expected %s, got nothing", where, fields[missing].name,
                        fields[missing].expected);
  bool has_key = asz_provider_has_key(provider);
  if (provider->probe == ASZ_PROBE_COUNT)
    provider->probe = has_key ? ASZ_PROBE_STAMP_TLV : ASZ_PROBE_STAMP;
  if (provider->port == 0)
    provider->port = provider->probe == ASZ_PROBE_TCP_SYN ? HTTPS_PORT : STAMP_PORT;
  if (provider->probe == ASZ_PROBE_STAMP_TLV && !has_key)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: key: expected %s for the probe stamp-tlv, got nothing", where,
                        fields[ASZ_PROVIDER_FIELD_key].expected);
  if (provider->probe == ASZ_PROBE_STAMP_AUTH && !has_key && provider->hmac_secret_bytes == 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: key: expected %s, or an hmac_key_file, for the probe stamp-auth, got nothing",
                        where, fields[ASZ_PROVIDER_FIELD_key].expected);
  return 0;
}

const char *asz_provider_endpoint(struct asz_text *text, const struct asz_provider *provider) {
  bool ipv6 = asz_provider_family(provider) == ASZ_FAMILY_IPV6;
  snprintf(text->chars, sizeof text->chars, "%s%s%s:%u", ipv6 ? "[" : "", asz_provider_address(ASZ_TEXT, provider),
           ipv6 ? "]" : "", provider->port);
  return text->chars;
}

const struct asz_provider *asz_provider_by_row(const struct asz_provider *providers, size_t count, int64_t row) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (providers[middle].row < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low < count && providers[low].row == row ? &providers[low] : NULL;
}

bool asz_provider_same(const struct asz_provider *a, const struct asz_provider *b) {
  return strcmp(a->name, b->name) == 0 && memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0 &&
         a->device == b->device && a->ipv4 == b->ipv4 && memcmp(a->ipv6, b->ipv6, sizeof a->ipv6) == 0 && a->port == b->port &&
         a->challenge_port == b->challenge_port && a->probe == b->probe && a->flags == b->flags && a->control == b->control &&
         strcmp(a->region, b->region) == 0 && strcmp(a->operator_name, b->operator_name) == 0 &&
         a->hmac_secret_bytes == b->hmac_secret_bytes && memcmp(a->hmac_secret, b->hmac_secret, sizeof a->hmac_secret) == 0 &&
         a->rtt_target_ns == b->rtt_target_ns;
}

void asz_provider_prefix(struct asz_prefix *ret_prefix, const struct asz_provider *provider, enum asz_provider_scope scope) {
  if (asz_provider_family(provider) == ASZ_FAMILY_IPV6)
    asz_prefix_of_ipv6(ret_prefix, provider->ipv6, scope == ASZ_PROVIDER_NETWORK ? 48 : 128);
  else
    asz_prefix_of_ipv4(ret_prefix, provider->ipv4, scope == ASZ_PROVIDER_NETWORK ? 24 : 32);
}
