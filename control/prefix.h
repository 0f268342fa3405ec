/* SPDX-License-Identifier: Apache-2.0 */
/* asz_prefix: a network of either family, and tables of them read from files: who must not be probed, which AS an address is in.
 *
 * Both families live in 128 bits, IPv4 behind ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), so that whatever groups or looks up
 * addresses is written once: a /24 is 120 bits here, a /48 of IPv6 is 48. They never meet: ::/0 holds no IPv4 address.
 *
 * A table is sorted, each entry knowing the next wider one that holds it. A lookup finds its place by halving and climbs from
 * there, so the longest match comes first; a million prefixes take 40 MB and a lookup 20 steps. */
#ifndef ASZ_CONTROL_PREFIX_H
#define ASZ_CONTROL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

enum { ASZ_PREFIX_IPV4_BITS = 96, ASZ_PREFIX_BITS_MAX = 128, ASZ_PREFIX_TEXT = 64 };

struct asz_prefix {
  uint8_t address[16]; /* bits behind `bits` are zero */
  uint8_t bits;        /* 0..128; of IPv4: 96 and its own */
};

/* asz_prefix_of_ipv4: the network of that length (0..32) around a host-order address; asz_prefix_of_ipv6: 0..128, and no IPv4
 * address in disguise. */
void asz_prefix_of_ipv4(struct asz_prefix *ret_prefix, uint32_t ipv4, unsigned bits);
void asz_prefix_of_ipv6(struct asz_prefix *ret_prefix, const uint8_t ipv6[16], unsigned bits);
/* asz_prefix_parse: "192.0.2.0/24", "192.0.2.7", "2001:db8::/32". ASZ_EFORMAT: anything else, an IPv4 address in IPv6's clothes,
 * bits set behind the prefix. */
ASZ_MUST_CHECK int asz_prefix_parse(struct asz_prefix *ret_prefix, const char *text);
/* asz_prefix_format writes at most ASZ_PREFIX_TEXT characters, NUL included, without "/32" or "/128"; returns ret_text. */
const char *asz_prefix_format(char *ret_text, const struct asz_prefix *prefix);
/* asz_prefix_has: does it hold all of `other`? */
bool asz_prefix_has(const struct asz_prefix *prefix, const struct asz_prefix *other);
/* asz_prefix_compare: by address, wider ones first: for qsort. */
int asz_prefix_compare(const struct asz_prefix *a, const struct asz_prefix *b);

struct asz_prefix_entry {
  struct asz_prefix prefix;
  unsigned line;   /* of the file */
  uint32_t asn;    /* of a map */
  uint32_t parent; /* index of the narrowest other that holds it; UINT32_MAX: none */
};

struct asz_prefixes {
  size_t count;
  struct asz_prefix_entry *entry; /* sorted, unique */
};

enum { ASZ_PREFIXES_MAX = 1 << 22, ASZ_PREFIXES_LINE_MAX = 1024 };

/* LIST: an address or prefix a line. MAP: "prefix,asn", asn 1..4294967295. Both: blank lines, and comments behind '#'. */
enum asz_prefixes_form { ASZ_PREFIXES_LIST, ASZ_PREFIXES_MAP };

/* asz_prefixes_read: all lines or none: ASZ_EFORMAT, ASZ_ERANGE (ASN), ASZ_ETOOBIG, ASZ_EIO with `NAME:LINE: ...`. A list may
 * name a prefix twice, a map only with the same ASN. asz_prefixes_load: the same from a regular file; ASZ_ENOENT, ASZ_EPERM. */
ASZ_MUST_CHECK int asz_prefixes_read(struct asz_prefixes *ret_prefixes, FILE *in, const char *name, enum asz_prefixes_form form,
                                     struct asz_diag *diag);
ASZ_MUST_CHECK int asz_prefixes_load(struct asz_prefixes *ret_prefixes, const char *path, enum asz_prefixes_form form,
                                     struct asz_diag *diag);
void asz_prefixes_free(struct asz_prefixes *prefixes); /* an empty or zeroed one is fine */
/* asz_prefixes_find: the longest entry that holds `what`; NULL: none. */
const struct asz_prefix_entry *asz_prefixes_find(const struct asz_prefixes *prefixes, const struct asz_prefix *what);

#endif
