/* SPDX-License-Identifier: Apache-2.0 */
/* asz_provider: one registered provider (an identity's device at an address), as the store keeps it and the pipeline uses it. */
#ifndef ASZ_CONTROL_PROVIDER_H
#define ASZ_CONTROL_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "control/prefix.h"
#include "control/table.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/base/wire.h"

enum { ASZ_PROVIDER_NAME_MAX = 63, ASZ_REGION_MAX = 31, ASZ_OPERATOR_MAX = 63 };
enum { ASZ_HMAC_SECRET_BYTES_MIN = 16, ASZ_HMAC_SECRET_BYTES_MAX = 32 };

struct asz_provider {
  int64_t row;                              /* store row id, > 0; unique for ever */
  char name[ASZ_PROVIDER_NAME_MAX + 1];     /* operator's name for it: [A-Za-z0-9._-], unique */
  uint8_t public_key[32];                   /* Ed25519; all zero: none known (no TLV, no challenges) */
  uint32_t device;                          /* index within the identity; (public_key, device) is unique where a key is known */
  uint32_t ipv4;                            /* host order; unique; 0: the address is an IPv6 one, below */
  uint8_t ipv6[16];                         /* unique; all zero: the address is an IPv4 one */
  uint16_t port;                            /* STAMP, default 862; of tcp-syn TCP, default 443 */
  uint16_t challenge_port;                  /* default 8620; 0: no challenges */
  uint8_t probe;                            /* enum asz_probe */
  uint8_t flags;                            /* ASZ_TARGET_* */
  uint32_t asn;                             /* AS of its address by probe.as_file; 0: not known. Not in the store */
  bool control;                             /* one of our own reflectors: the self-health gate, never scored or slashed */
  char region[ASZ_REGION_MAX + 1];          /* "": none; it may have a target (rtt_targets.h) */
  char operator_name[ASZ_OPERATOR_MAX + 1]; /* for correlated failures; "" : alone */
  uint8_t hmac_secret[ASZ_HMAC_SECRET_BYTES_MAX]; /* of STAMP's authenticated mode, for reflectors that are not ours ... */
  uint8_t hmac_secret_bytes;                      /* ... 16 to 32; 0: none, stamp-auth derives its key from public_key */
  uint64_t rtt_target_ns;                         /* q95 target; 0: that of its region, or the default */
  uint64_t registered_ns;                         /* wall time */
};

/* X(field, what is expected): the columns of an imported file and the options of `provider add` ('_' typed as '-'). */
#define ASZ_PROVIDER_FIELD_LIST(X)                                                                                               \
  X(name, "1 to 63 of A-Z a-z 0-9 . _ -, beginning with a letter or digit")                                                      \
  X(ip, "a unicast IPv4 or IPv6 address")                                                                                        \
  X(key, "an Ed25519 public key as 64 hex digits")                                                                               \
  X(device, "a number from 0 to 4294967295")                                                                                     \
  X(port, "a port from 1 to 65535")                                                                                              \
  X(challenge_port, "a port from 0 to 65535 (0: no challenges)")                                                                 \
  X(probe, "stamp, stamp-tlv, icmp-echo, tcp-syn or stamp-auth")                                                                 \
  X(region, "at most 31 of A-Z a-z 0-9 . _ -, beginning with a letter or digit")                                                 \
  X(operator, "at most 63 printable ASCII characters")                                                                           \
  X(rtt_target_ms, "a number from 0 to 10000 (0: that of the configuration)")                                                    \
  X(control, "yes or no")                                                                                                        \
  X(ssid, "yes or no")                                                                                                           \
  X(hmac_key_file, "a file of mode 0600 with 32 to 64 hex digits")

enum asz_provider_field {
#define ASZ_PROVIDER_FIELD_ENUM(field, expected) ASZ_PROVIDER_FIELD_##field,
  ASZ_PROVIDER_FIELD_LIST(ASZ_PROVIDER_FIELD_ENUM)
#undef ASZ_PROVIDER_FIELD_ENUM
      ASZ_PROVIDER_FIELD_COUNT
};
/* asz_provider_field_name: "rtt_target_ms". asz_provider_field_from_name: ASZ_PROVIDER_FIELD_COUNT when unknown. */
const char *asz_provider_field_name(enum asz_provider_field field);
enum asz_provider_field asz_provider_field_from_name(const char *name);

/* asz_provider_init: the defaults; probe kind and port are left open. asz_provider_set: one field from its text; ASZ_EFORMAT or
 * ASZ_ERANGE with `WHERE: FIELD: expected ..., got "..."`. asz_provider_finish: name and address must be there; an open probe
 * kind becomes stamp-tlv where a key is known, else stamp; stamp-tlv needs a key, stamp-auth a key or an HMAC key file; an open
 * port becomes the kind's. A field hmac_key_file is read when it is set; only what is in it is kept. */
void asz_provider_init(struct asz_provider *ret_provider);
ASZ_MUST_CHECK int asz_provider_set(struct asz_provider *provider, enum asz_provider_field field, const char *text,
                                    const char *where, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_provider_finish(struct asz_provider *provider, const char *where, struct asz_diag *diag);
/* asz_provider_has_key: a public key is known. */
static inline bool asz_provider_has_key(const struct asz_provider *provider) {
  static const uint8_t none[32];
  return memcmp(provider->public_key, none, sizeof none) != 0;
}
/* asz_provider_same: everything that a registration says, without row and time. */
bool asz_provider_same(const struct asz_provider *a, const struct asz_provider *b);
/* asz_provider_prefix: its address alone, or the network that shares a cap with it: the /24 of an
 * IPv4 address, the /48 of an IPv6 one. */
enum asz_provider_scope { ASZ_PROVIDER_ADDRESS, ASZ_PROVIDER_NETWORK };
void asz_provider_prefix(struct asz_prefix *ret_prefix, const struct asz_provider *provider, enum asz_provider_scope scope);
/* asz_provider_family: of its address. asz_provider_address: its one canonical text (dotted quad, RFC 5952).
 * asz_provider_endpoint: with the STAMP port, "192.0.2.1:862" or "[2001:db8::1]:862". Both return text's characters. */
static inline enum asz_family asz_provider_family(const struct asz_provider *provider) {
  return provider->ipv4 == 0 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4;
}
static inline const char *asz_provider_address(struct asz_text *text, const struct asz_provider *provider) {
  if (asz_provider_family(provider) == ASZ_FAMILY_IPV6)
    asz_ipv6_format(text->chars, provider->ipv6);
  else
    asz_ipv4_format(text->chars, provider->ipv4);
  return text->chars;
}
const char *asz_provider_endpoint(struct asz_text *text, const struct asz_provider *provider);
/* asz_provider_by_row: in an array of ascending rows, as the store lists them; NULL when it is not there. */
const struct asz_provider *asz_provider_by_row(const struct asz_provider *providers, size_t count, int64_t row);

#endif
