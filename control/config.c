/* SPDX-License-Identifier: Apache-2.0 */
/* The X-macro of config.h becomes one const table here, {section, name, type, range, where in the struct}, and everything walks
 * that table: defaults, parsing, writing, the hash. A value has one canonical text (format_value), which the file, the hash and
 * messages share, so that a written file loads back to the same hash. Relations between keys are few and stand in
 * asz_config_check, each with the line that an operator needs to fix it. */
#include "control/config.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "control/ini.h"
#include "control/parse.h"
#include "control/rtt_targets.h"
#include "control/suggest.h"
#include "control/table.h"
#include "dataplane/base/ipv6.h"
#include "dataplane/base/sketch.h"

enum type { TYPE_U64, TYPE_BOOL, TYPE_TEXT, TYPE_IPV4, TYPE_IPV6, TYPE_WORD };

struct key {
  const char *section, *name, *full_name, *unit, *def, *help;
  enum type type;
  bool scored;
  uint64_t min, max;
  size_t offset;
};

static const struct key keys[] = {
#define KEY(section, key, type, unit, def, min, max, scored, help)                                                               \
  {#section,                                                                                                                     \
   #key,                                                                                                                         \
   #section "." #key,                                                                                                            \
   unit,                                                                                                                         \
   def,                                                                                                                          \
   help,                                                                                                                         \
   TYPE_##type,                                                                                                                  \
   scored,                                                                                                                       \
   min,                                                                                                                          \
   max,                                                                                                                          \
   offsetof(struct asz_config, section##_##key)},
    ASZ_CONFIG_LIST(KEY)
#undef KEY
};
enum { KEY_COUNT = sizeof keys / sizeof keys[0], VALUE_MAX = ASZ_CONFIG_TEXT_MAX };

#define TEXT_FITS_U64(max)
#define TEXT_FITS_BOOL(max)
#define TEXT_FITS_IPV4(max)
#define TEXT_FITS_IPV6(max)
#define TEXT_FITS_WORD(max)
#define TEXT_FITS_TEXT(max)                                              _Static_assert(max < ASZ_CONFIG_TEXT_MAX, "field too short");
#define TEXT_FITS(section, key, type, unit, def, min, max, scored, help) TEXT_FITS_##type(max)
ASZ_CONFIG_LIST(TEXT_FITS)
#undef TEXT_FITS

/* The lab preset: epochs of ten seconds that one machine carries. A slot keeps ten probes, an epoch five challenges. */
#define PRESET_LAB(X)                                                                                                            \
  X("probe.interval_ms=100")                                                                                                     \
  X("probe.timeout_ms=500")                                                                                                      \
  X("time.epoch_s=10")                                                                                                           \
  X("time.slot_s=1")                                                                                                             \
  X("time.challenge_slot_s=2")                                                                                                   \
  X("challenge.seq_log2_steps=12")                                                                                               \
  X("challenge.deadline_ms=1500")                                                                                                \
  X("verify.batch_items=1024")

static void *field(struct asz_config *config, const struct key *key) {
  return (char *)config + key->offset;
}

/* What a value of the key looks like, for messages and the file's comments. */
static void format_expected(const struct key *key, char *ret_text, size_t capacity) {
  switch (key->type) {
  case TYPE_U64:
    snprintf(ret_text, capacity, "a number from %" PRIu64 " to %" PRIu64 "%s%s%s", key->min, key->max, *key->unit ? " (" : "",
             key->unit, *key->unit ? ")" : "");
    return;
  case TYPE_BOOL:
    snprintf(ret_text, capacity, "yes or no");
    return;
  case TYPE_TEXT:
    snprintf(ret_text, capacity, "%" PRIu64 " to %" PRIu64 " printable ASCII characters without ';'", key->min, key->max);
    return;
  case TYPE_IPV4:
    snprintf(ret_text, capacity, "an IPv4 address");
    return;
  case TYPE_IPV6:
    snprintf(ret_text, capacity, "an IPv6 address");
    return;
  case TYPE_WORD:
    snprintf(ret_text, capacity, "%s", key->unit);
    return;
  }
}

/* The n-th of the words separated by |; its length, 0 when there are fewer. */
static size_t word_at(const char *words, size_t n, const char **ret_word) {
  while (n--) {
    words = strchr(words, '|');
    if (!words++)
      return 0;
  }
  *ret_word = words;
  return strcspn(words, "|");
}

static void format_value(const struct asz_config *config, const struct key *key, char ret_text[VALUE_MAX]) {
  const void *at = (const char *)config + key->offset;
  const char *word = "";
  size_t length;
  switch (key->type) {
  case TYPE_U64:
    snprintf(ret_text, VALUE_MAX, "%" PRIu64, *(const uint64_t *)at);
    return;
  case TYPE_BOOL:
    snprintf(ret_text, VALUE_MAX, "%s", *(const uint64_t *)at ? "yes" : "no");
    return;
  case TYPE_TEXT:
    snprintf(ret_text, VALUE_MAX, "%s", (const char *)at);
    return;
  case TYPE_IPV4:
    snprintf(ret_text, VALUE_MAX, "%s", asz_text_ipv4(ASZ_TEXT, *(const uint32_t *)at));
    return;
  case TYPE_IPV6:
    snprintf(ret_text, VALUE_MAX, "%s", asz_text_ipv6(ASZ_TEXT, at));
    return;
  case TYPE_WORD:
    length = word_at(key->unit, *(const uint64_t *)at, &word);
    snprintf(ret_text, VALUE_MAX, "%.*s", (int)length, word);
    return;
  }
}

/* Parsers by type: 0, ASZ_EFORMAT or ASZ_ERANGE; they write only on success. */
static int parse_word(const char *words, const char *text, uint64_t *ret_value) {
  const char *word;
  size_t length;
  for (size_t i = 0; (length = word_at(words, i, &word)) > 0; i++) {
    if (strlen(text) == length && !memcmp(text, word, length)) {
      *ret_value = i;
      return 0;
    }
  }
  return ASZ_EFORMAT;
}

static int parse_text(const struct key *key, const char *text, char *ret_text) {
  size_t length = strlen(text);
  for (size_t i = 0; i < length; i++)
    if (text[i] < 0x20 || text[i] > 0x7e || text[i] == ';')
      return ASZ_EFORMAT;
  if (length < key->min || length > key->max)
    return ASZ_ERANGE;
  memcpy(ret_text, text, length + 1);
  return 0;
}

static int parse_value(struct asz_config *config, const struct key *key, const char *text) {
  void *at = field(config, key);
  switch (key->type) {
  case TYPE_U64:
    return asz_parse_u64(text, key->min, key->max, at);
  case TYPE_BOOL:
    return parse_word("no|yes", text, at);
  case TYPE_TEXT:
    return parse_text(key, text, at);
  case TYPE_IPV4:
    return asz_parse_ipv4(text, at);
  case TYPE_IPV6:
    return asz_ipv6_parse(at, text);
  case TYPE_WORD:
    return parse_word(key->unit, text, at);
  }
  return ASZ_EINVAL;
}

static int set_value(struct asz_config *config, const struct key *key, const char *text, const char *where,
                     struct asz_diag *diag) {
  int err = parse_value(config, key, text);
  if (err) {
    char expected[256];
    format_expected(key, expected, sizeof expected);
    return asz_diag_set(diag, err, "%s: %s: expected %s, got \"%s\"", where, key->full_name, expected, text);
  }
  return 0;
}

static const struct key *find_key(const char *section, const char *name) {
  for (size_t i = 0; i < KEY_COUNT; i++)
    if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
      return &keys[i];
  return NULL;
}

static bool section_exists(const char *section) {
  for (size_t i = 0; i < KEY_COUNT; i++)
    if (!strcmp(keys[i].section, section))
      return true;
  return false;
}

static int unknown(const char *what, const char *name, bool sections, const char *where, struct asz_diag *diag) {
  const char *names[KEY_COUNT];
  for (size_t i = 0; i < KEY_COUNT; i++)
    names[i] = sections ? keys[i].section : keys[i].full_name;
  const char *near = asz_suggest(name, names, KEY_COUNT);
  return asz_diag_set(diag, ASZ_EFORMAT, "%s: unknown %s \"%s\"%s%s%s", where, what, name, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

static int unknown_key(const char *section, const char *name, const char *where, struct asz_diag *diag) {
  char full_name[256];
  snprintf(full_name, sizeof full_name, "%s.%s", section, name);
  return unknown("key", full_name, false, where, diag);
}

void asz_config_default(struct asz_config *ret_config) {
  memset(ret_config, 0, sizeof *ret_config);
  for (size_t i = 0; i < KEY_COUNT; i++) {
    int err = parse_value(ret_config, &keys[i], keys[i].def);
    assert(err == 0);
    (void)err;
  }
}

const char *asz_config_presets(void) {
  return "standard|lab";
}

int asz_config_preset(struct asz_config *ret_config, const char *preset, struct asz_diag *diag) {
  uint64_t which;
  if (parse_word(asz_config_presets(), preset, &which) != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "preset: expected %s, got \"%s\"", asz_config_presets(), preset);
  asz_config_default(ret_config);
  if (which == 0)
    return 0;
#define APPLY(assignment)                                                                                                        \
  if (asz_config_set(ret_config, assignment, "preset lab", diag) != 0)                                                           \
    assert(!"the preset is within the table's ranges");
  PRESET_LAB(APPLY)
#undef APPLY
  return 0;
}

int asz_config_set(struct asz_config *config, const char *assignment, const char *where, struct asz_diag *diag) {
  const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
  char section[64], name[64];
  if (!dot || !equals || dot > equals || dot - assignment >= 64 || equals - dot > 64)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected section.key=value, got \"%s\"", where, assignment);
  snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
  snprintf(name, sizeof name, "%.*s", (int)(equals - dot - 1), dot + 1);
  const struct key *key = find_key(section, name);
  if (!key)
    return unknown_key(section, name, where, diag);
  return set_value(config, key, equals + 1, where, diag);
}

struct loading {
  struct asz_config config;
  unsigned line_of[KEY_COUNT]; /* where a key was set; 0: not yet */
};

static int load_item(void *context, const struct asz_ini_item *item, struct asz_diag *diag) {
  struct loading *loading = context;
  char where[320];
  snprintf(where, sizeof where, "%.300s:%u", item->file, item->line);
  if (!section_exists(item->section))
    return unknown("section", item->section, true, where, diag);
  if (!item->key)
    return 0;
  const struct key *key = find_key(item->section, item->key);
  if (!key)
    return unknown_key(item->section, item->key, where, diag);
  unsigned *line = &loading->line_of[key - keys];
  if (*line)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: %s: expected once, already set in line %u", where, key->full_name, *line);
  *line = item->line;
  return set_value(&loading->config, key, item->value, where, diag);
}

int asz_config_read(struct asz_config *ret_config, FILE *in, const char *name, struct asz_diag *diag) {
  struct loading loading = {0};
  asz_config_default(&loading.config);
  int err = asz_ini_read(in, name, load_item, &loading, diag);
  if (err)
    return err;
  err = asz_config_check(&loading.config, name, diag);
  if (err)
    return err;
  *ret_config = loading.config;
  return 0;
}

int asz_config_load(struct asz_config *ret_config, const char *path, struct asz_diag *diag) {
  struct stat stat_buffer;
  FILE *in = fopen(path, "re");
  if (!in || fstat(fileno(in), &stat_buffer) != 0) {
    int err = errno == ENOENT ? ASZ_ENOENT : errno == EACCES ? ASZ_EPERM : ASZ_EIO;
    asz_diag_set(diag, err, "%s: cannot open: %s", path, strerror(errno));
    if (in)
      fclose(in);
    return err;
  }
  int err = S_ISREG(stat_buffer.st_mode) ? asz_config_read(ret_config, in, path, diag)
                                         : asz_diag_set(diag, ASZ_EFORMAT, "%s: expected a regular file", path);
  fclose(in);
  return err;
}

static int check_time(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  uint64_t epoch = c->time_epoch_s, slot = c->time_slot_s, challenge_slot = c->time_challenge_slot_s;
  if (epoch % slot != 0 || epoch / slot > 64)
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: time.epoch_s: expected 1 to 64 whole slots of time.slot_s, got %" PRIu64 " s in slots of %" PRIu64
                        " s",
                        where, epoch, slot);
  if (epoch % challenge_slot != 0 && challenge_slot % epoch != 0)
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: time.challenge_slot_s: expected a divisor or a multiple of time.epoch_s (%" PRIu64
                        " s), got %" PRIu64 " s",
                        where, epoch, challenge_slot);
  if (c->probe_timeout_ms >= slot * 1000)
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: probe.timeout_ms: expected less than a slot of time.slot_s (%" PRIu64 " s), got %" PRIu64 " ms",
                        where, slot, c->probe_timeout_ms);
  return 0;
}

static int check_mem(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  if (c->challenge_mem_preset != 0 && 2 * c->time_challenge_slot_s > c->time_epoch_s)
    return asz_diag_set(
        diag, ASZ_ERANGE,
        "%s: challenge.mem_preset: expected two slots of time.challenge_slot_s in an epoch, one to build an arena and "
        "one to fold it, got %" PRIu64 " s in slots of %" PRIu64 " s",
        where, c->time_epoch_s, c->time_challenge_slot_s);
  return 0;
}

static int check_rate(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  uint64_t rounds = c->time_epoch_s * 1000 / c->probe_interval_ms;
  unsigned together = c->probe_pair_gap_us > 0 ? 2 : 1; /* a pair is one look: what takes one of it takes both */
  uint64_t per_slot = c->time_slot_s * 1000 / (together * c->probe_interval_ms);
  if (rounds > 65535) /* counters of an epoch are 16 bits wide */
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: probe.interval_ms: expected at most 65,535 probes to a provider in an epoch, got %" PRIu64
                        " (raise it, or lower time.epoch_s)",
                        where, rounds);
  if (per_slot < 3) /* fewer never judge a slot: scoring.md */
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: probe.interval_ms: expected at least 3 %s to a provider in a slot, got %" PRIu64
                        " (lower it, or raise time.slot_s)",
                        where, together > 1 ? "pairs of probes" : "probes", per_slot);
  return 0;
}

static int check_caps(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  if (c->probe_rate_max_as_pps != 0 && c->probe_as_file[0] == '\0')
    return asz_diag_set(diag, ASZ_ERANGE, "%s: probe.as_file: expected a file, since probe.rate_max_as_pps is set", where);
  return 0;
}

static int check_sketch(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  if (!asz_sketch_cells_ok(c->probe_sketch_cells))
    return asz_diag_set(diag, ASZ_ERANGE, "%s: probe.sketch_cells: expected a power of two from %d to %d, got %" PRIu64, where,
                        ASZ_SKETCH_CELLS_MIN, ASZ_SKETCH_CELLS_MAX, c->probe_sketch_cells);
  return 0;
}

static int check_ipv6(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  const uint8_t *local = c->network_local_ip6, *gateway = c->network_gateway_ip6;
  if (!asz_ipv6_is_none(local) && !asz_ipv6_is_host(local))
    return asz_diag_set(diag, ASZ_ERANGE, "%s: network.local_ip6: expected a unicast address or ::, got %s", where,
                        asz_text_ipv6(ASZ_TEXT, local));
  if (!asz_ipv6_is_none(gateway) && !asz_ipv6_is_host(gateway))
    return asz_diag_set(diag, ASZ_ERANGE, "%s: network.gateway_ip6: expected a unicast address or ::, got %s", where,
                        asz_text_ipv6(ASZ_TEXT, gateway));
  if (!asz_ipv6_is_none(local) && memcmp(local, gateway, 16) == 0)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: network.gateway_ip6: expected another address than network.local_ip6", where);
  return 0;
}

static int check_network(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  uint64_t base = c->network_source_port_base, own = c->network_challenge_source_port;
  if (own >= base && own < base + 8192)
    return asz_diag_set(diag, ASZ_ERANGE,
                        "%s: network.challenge_source_port: expected a port outside the 8,192 from network.source_port_base "
                        "(%" PRIu64 " to %" PRIu64 "), got %" PRIu64,
                        where, base, base + 8191, own);
  uint64_t lcores = c->network_prober_lcores;
  if ((lcores & (lcores - 1)) != 0)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: network.prober_lcores: expected a power of two, got %" PRIu64, where, lcores);
  if (c->network_local_ip != 0 && c->network_local_ip == c->network_gateway_ip)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: network.gateway_ip: expected another address than network.local_ip", where);
  return check_ipv6(c, where, diag);
}

static int check_origin(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  if (strpbrk(c->validator_origin, " +")) /* C2SP signed notes: a key name has neither */
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: validator.origin: expected a name without spaces and '+', got \"%s\"", where,
                        c->validator_origin);
  return 0;
}

int asz_config_rtt_targets(const struct asz_config *c, const char *where, struct asz_rtt_targets *ret_targets,
                           struct asz_diag *diag) {
  char named[256];
  snprintf(named, sizeof named, "%s: score.rtt_target_regions", where);
  return asz_rtt_targets_read(ret_targets, c->score_rtt_target_ms * 1000000, c->score_rtt_target_regions, named, diag);
}

static int check_targets(const struct asz_config *c, const char *where, struct asz_diag *diag) {
  struct asz_rtt_targets targets;
  return asz_config_rtt_targets(c, where, &targets, diag);
}

int asz_config_check(const struct asz_config *config, const char *where, struct asz_diag *diag) {
  int err = check_origin(config, where, diag);
  if (!err)
    err = check_time(config, where, diag);
  if (!err)
    err = check_mem(config, where, diag);
  if (!err)
    err = check_rate(config, where, diag);
  if (!err)
    err = check_caps(config, where, diag);
  if (!err)
    err = check_sketch(config, where, diag);
  if (!err)
    err = check_network(config, where, diag);
  if (!err)
    err = check_targets(config, where, diag);
  if (!err && config->slash_s1_stake_bps_first > config->slash_s1_stake_bps_max)
    err = asz_diag_set(diag, ASZ_ERANGE,
                       "%s: slash.s1_stake_bps_first: expected at most slash.s1_stake_bps_max (%" PRIu64 "), got %" PRIu64, where,
                       config->slash_s1_stake_bps_max, config->slash_s1_stake_bps_first);
  if (!err && config->slash_jail_first_s > config->slash_jail_last_s)
    err = asz_diag_set(diag, ASZ_ERANGE, "%s: slash.jail_first_s: expected at most slash.jail_last_s (%" PRIu64 "), got %" PRIu64,
                       where, config->slash_jail_last_s, config->slash_jail_first_s);
  return err;
}

const char *asz_config_differs(const struct asz_config *a, const struct asz_config *b, const char *section) {
  for (size_t i = 0; i < KEY_COUNT; i++) {
    char one[VALUE_MAX], other[VALUE_MAX];
    format_value(a, &keys[i], one);
    format_value(b, &keys[i], other);
    if (strcmp(keys[i].section, section) == 0 && strcmp(one, other) != 0)
      return keys[i].full_name;
  }
  return NULL;
}

int asz_config_write(FILE *out, const struct asz_config *config) {
  const char *section = "";
  fputs("# Configuration of one assize validator. Every key stands here with its meaning and range.\n", out);
  for (size_t i = 0; i < KEY_COUNT; i++) {
    const struct key *key = &keys[i];
    char expected[256], value[VALUE_MAX];
    format_expected(key, expected, sizeof expected);
    format_value(config, key, value);
    if (strcmp(section, key->section) != 0)
      fprintf(out, "\n[%s]\n", key->section);
    section = key->section;
    fprintf(out, "# %s.\n", key->help);
    fprintf(out, "# Expected: %s. Default: %s%s\n", expected, *key->def ? key->def : "empty",
            key->scored ? ". Part of the parameter hash." : ".");
    fprintf(out, "%s =%s%s\n", key->name, *value ? " " : "", value);
  }
  return fflush(out) == 0 && !ferror(out) ? 0 : ASZ_EIO;
}

void asz_config_write_table(FILE *out) {
  fputs("| key | default | expected | in the hash | meaning |\n| --- | --- | --- | --- | --- |\n", out);
  for (size_t i = 0; i < KEY_COUNT; i++) {
    const struct key *key = &keys[i];
    char expected[256];
    format_expected(key, expected, sizeof expected);
    fprintf(out, "| `%s` | %s%s%s | ", key->full_name, *key->def ? "`" : "", *key->def ? key->def : "empty",
            *key->def ? "`" : "");
    for (const char *c = expected; *c; c++)
      fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, out); /* a bar would end the cell */
    fprintf(out, " | %s | %s |\n", key->scored ? "yes" : "no", key->help);
  }
}

void asz_config_hash(const struct asz_config *config, uint8_t ret_hash[32]) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (size_t i = 0; i < KEY_COUNT; i++) {
    char value[VALUE_MAX], line[VALUE_MAX + 128];
    if (!keys[i].scored)
      continue;
    format_value(config, &keys[i], value);
    int length = snprintf(line, sizeof line, "%s=%s\n", keys[i].full_name, value);
    crypto_hash_sha256_update(&state, (const unsigned char *)line, (size_t)length);
  }
  crypto_hash_sha256_final(&state, ret_hash);
}
