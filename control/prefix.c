/* SPDX-License-Identifier: Apache-2.0 */
#include "control/prefix.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/parse.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/durable.h"

static const uint8_t ipv4_block[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct asz_prefix *prefix) {
  return prefix->bits >= ASZ_PREFIX_IPV4_BITS && memcmp(prefix->address, ipv4_block, sizeof ipv4_block) == 0;
}

/* Clears what is behind the prefix; true when there was nothing to clear. */
static bool cut(struct asz_prefix *prefix) {
  uint8_t lost = 0;
  for (unsigned bit = prefix->bits; bit < ASZ_PREFIX_BITS_MAX; bit = (bit | 7) + 1) {
    uint8_t behind = (uint8_t)(0xff >> bit % 8);
    lost |= prefix->address[bit / 8] & behind;
    prefix->address[bit / 8] &= (uint8_t)~behind;
  }
  return lost == 0;
}

void asz_prefix_of_ipv4(struct asz_prefix *ret_prefix, uint32_t ipv4, unsigned bits) {
  assert(bits <= 32);
  *ret_prefix = (struct asz_prefix){.bits = (uint8_t)(ASZ_PREFIX_IPV4_BITS + bits)};
  memcpy(ret_prefix->address, ipv4_block, sizeof ipv4_block);
  asz_be32_store(ret_prefix->address + 12, ipv4);
  (void)cut(ret_prefix);
}

void asz_prefix_of_ipv6(struct asz_prefix *ret_prefix, const uint8_t ipv6[16], unsigned bits) {
  assert(bits <= ASZ_PREFIX_BITS_MAX);
  *ret_prefix = (struct asz_prefix){.bits = (uint8_t)bits};
  memcpy(ret_prefix->address, ipv6, sizeof ret_prefix->address);
  (void)cut(ret_prefix);
}

int asz_prefix_parse(struct asz_prefix *ret_prefix, const char *text) {
  char address[INET6_ADDRSTRLEN];
  size_t length = strcspn(text, "/");
  struct asz_prefix prefix = {.bits = ASZ_PREFIX_BITS_MAX};
  uint32_t ipv4;
  uint64_t bits;
  if (length >= sizeof address)
    return ASZ_EFORMAT;
  memcpy(address, text, length);
  address[length] = '\0';
  bool ipv6 = strchr(address, ':') != NULL;
  if (ipv6) {
    if (inet_pton(AF_INET6, address, prefix.address) != 1 || is_ipv4(&prefix))
      return ASZ_EFORMAT;
  } else if (asz_parse_ipv4(address, &ipv4) == 0) {
    asz_prefix_of_ipv4(&prefix, ipv4, 32);
  } else {
    return ASZ_EFORMAT;
  }
  if (text[length] == '/') {
    if (asz_parse_u64(text + length + 1, 0, ipv6 ? 128 : 32, &bits) != 0)
      return ASZ_EFORMAT;
    prefix.bits = (uint8_t)(bits + (ipv6 ? 0 : ASZ_PREFIX_IPV4_BITS));
  }
  if (!cut(&prefix))
    return ASZ_EFORMAT;
  *ret_prefix = prefix;
  return 0;
}

const char *asz_prefix_format(char *ret_text, const struct asz_prefix *prefix) {
  bool ipv4 = is_ipv4(prefix);
  inet_ntop(ipv4 ? AF_INET : AF_INET6, prefix->address + (ipv4 ? 12 : 0), ret_text, INET6_ADDRSTRLEN);
  if (prefix->bits < ASZ_PREFIX_BITS_MAX) {
    size_t length = strlen(ret_text);
    snprintf(ret_text + length, ASZ_PREFIX_TEXT - length, "/%d", prefix->bits - (ipv4 ? ASZ_PREFIX_IPV4_BITS : 0));
  }
  return ret_text;
}

bool asz_prefix_has(const struct asz_prefix *prefix, const struct asz_prefix *other) {
  if (other->bits < prefix->bits || is_ipv4(prefix) != is_ipv4(other))
    return false;
  unsigned bytes = prefix->bits / 8, rest = prefix->bits % 8;
  if (memcmp(prefix->address, other->address, bytes) != 0)
    return false;
  return rest == 0 || ((prefix->address[bytes] ^ other->address[bytes]) & (uint8_t)(0xff00 >> rest)) == 0;
}

int asz_prefix_compare(const struct asz_prefix *a, const struct asz_prefix *b) {
  int order = memcmp(a->address, b->address, sizeof a->address);
  return order ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

static int compare_entries(const void *a, const void *b) {
  const struct asz_prefix_entry *x = a, *y = b;
  int order = asz_prefix_compare(&x->prefix, &y->prefix);
  return order ? order : (x->line > y->line) - (x->line < y->line);
}

struct reading {
  struct asz_prefixes prefixes;
  size_t capacity;
  const char *name;
  enum asz_prefixes_form form;
  unsigned line;
  struct asz_diag *diag;
};

static int add(struct reading *r, const struct asz_prefix_entry *entry) {
  if (r->prefixes.count == ASZ_PREFIXES_MAX)
    return asz_diag_set(r->diag, ASZ_ETOOBIG, "%s:%u: expected at most %d prefixes", r->name, r->line, ASZ_PREFIXES_MAX);
  if (r->prefixes.count == r->capacity) {
    size_t capacity = r->capacity ? 2 * r->capacity : 64;
    struct asz_prefix_entry *grown = realloc(r->prefixes.entry, capacity * sizeof *grown);
    if (!grown)
      return asz_diag_set(r->diag, ASZ_ENOMEM, "%s: no memory for %zu prefixes", r->name, capacity);
    r->prefixes.entry = grown;
    r->capacity = capacity;
  }
  r->prefixes.entry[r->prefixes.count++] = *entry;
  return 0;
}

/* The text without blanks at both ends. */
static char *strip(char *text) {
  text += strspn(text, " \t");
  size_t length = strlen(text);
  while (length > 0 && strchr(" \t", text[length - 1]))
    length--;
  text[length] = '\0';
  return text;
}

static int take_line(struct reading *r, char *text) {
  struct asz_prefix_entry entry = {.line = r->line, .parent = UINT32_MAX};
  text[strcspn(text, "#")] = '\0';
  text = strip(text);
  if (*text == '\0')
    return 0;
  char *comma = r->form == ASZ_PREFIXES_MAP ? strchr(text, ',') : NULL;
  uint64_t asn = 0;
  if (r->form == ASZ_PREFIXES_MAP) {
    if (!comma)
      return asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected prefix,asn, got \"%s\"", r->name, r->line, text);
    *comma = '\0';
    const char *number = strip(comma + 1);
    int err = asz_parse_u64(number, 1, UINT32_MAX, &asn);
    if (err)
      return asz_diag_set(r->diag, err, "%s:%u: expected an AS number from 1 to 4294967295, got \"%s\"", r->name, r->line,
                          number);
    text = strip(text);
  }
  if (asz_prefix_parse(&entry.prefix, text) != 0)
    return asz_diag_set(r->diag, ASZ_EFORMAT,
                        "%s:%u: expected an address or a prefix with zeros behind it, as 192.0.2.0/24, got \"%s\"", r->name,
                        r->line, text);
  entry.asn = (uint32_t)asn;
  return add(r, &entry);
}

static bool is_text(const char *line, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)line[i] < 0x20 && line[i] != '\t')
      return false;
  return true;
}

static int read_lines(struct reading *r, FILE *in) {
  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;
  int err = 0;
  errno = 0;
  while (!err && (length = getline(&line, &capacity, in)) >= 0) {
    r->line++;
    if (length > 0 && line[length - 1] == '\n')
      line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
      line[--length] = '\0';
    if (length > ASZ_PREFIXES_LINE_MAX)
      err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected at most %d characters in a line", r->name, r->line,
                         ASZ_PREFIXES_LINE_MAX);
    else if (!is_text(line, (size_t)length))
      err = asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: expected text, got a control character", r->name, r->line);
    else
      err = take_line(r, line);
  }
  if (!err && ferror(in))
    err = asz_diag_set(r->diag, ASZ_EIO, "%s: cannot read: %s", r->name, strerror(errno));
  free(line);
  return err;
}

/* Equal prefixes become one; each learns who holds it: the last one before it that does, or somebody that one is held by. */
static int finish(struct reading *r) {
  struct asz_prefixes *p = &r->prefixes;
  size_t kept = 0;
  if (p->count > 0)
    qsort(p->entry, p->count, sizeof *p->entry, compare_entries);
  for (size_t i = 0; i < p->count; i++) {
    const struct asz_prefix_entry *last = kept > 0 ? &p->entry[kept - 1] : NULL;
    if (!last || asz_prefix_compare(&last->prefix, &p->entry[i].prefix) != 0) {
      p->entry[kept] = p->entry[i];
      uint32_t parent = kept > 0 ? (uint32_t)(kept - 1) : UINT32_MAX;
      while (parent != UINT32_MAX && !asz_prefix_has(&p->entry[parent].prefix, &p->entry[kept].prefix))
        parent = p->entry[parent].parent;
      p->entry[kept++].parent = parent;
    } else if (last->asn != p->entry[i].asn) {
      char text[ASZ_PREFIX_TEXT];
      return asz_diag_set(r->diag, ASZ_EFORMAT, "%s:%u: %s: expected one AS, line %u says AS%u", r->name, p->entry[i].line,
                          asz_prefix_format(text, &last->prefix), last->line, last->asn);
    }
  }
  p->count = kept;
  return 0;
}

int asz_prefixes_read(struct asz_prefixes *ret_prefixes, FILE *in, const char *name, enum asz_prefixes_form form,
                      struct asz_diag *diag) {
  struct reading r = {.name = name, .form = form, .diag = diag};
  int err = read_lines(&r, in);
  if (!err)
    err = finish(&r);
  if (err) {
    asz_prefixes_free(&r.prefixes);
    return err;
  }
  *ret_prefixes = r.prefixes;
  return 0;
}

int asz_prefixes_load(struct asz_prefixes *ret_prefixes, const char *path, enum asz_prefixes_form form, struct asz_diag *diag) {
  struct stat status;
  FILE *in = fopen(path, "re");
  if (!in || fstat(fileno(in), &status) != 0) {
    int number = errno;
    if (in)
      fclose(in);
    return asz_diag_set(diag, asz_errno_err(number), "%s: cannot open: %s", path, strerror(number));
  }
  int err = S_ISREG(status.st_mode) ? asz_prefixes_read(ret_prefixes, in, path, form, diag)
                                    : asz_diag_set(diag, ASZ_EFORMAT, "%s: expected a regular file", path);
  fclose(in);
  return err;
}

void asz_prefixes_free(struct asz_prefixes *prefixes) {
  free(prefixes->entry);
  *prefixes = (struct asz_prefixes){0};
}

const struct asz_prefix_entry *asz_prefixes_find(const struct asz_prefixes *p, const struct asz_prefix *what) {
  size_t low = 0, high = p->count; /* entries before low are not behind `what`, those from high on are */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (asz_prefix_compare(&p->entry[middle].prefix, what) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  uint32_t at = low > 0 ? (uint32_t)(low - 1) : UINT32_MAX;
  while (at != UINT32_MAX && !asz_prefix_has(&p->entry[at].prefix, what))
    at = p->entry[at].parent;
  return at != UINT32_MAX ? &p->entry[at] : NULL;
}
