/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum type { FLAG, U64, IPV6, ADDRESSES, TEXT, LIST };

struct option {
  const char *name, *argument, *help;
  enum type type;
  enum asz_option_group group;
  uint64_t min, max;
  size_t offset; /* in struct asz_options */
};

static const struct option table[] = {
#define OPTION_ROW(field, type, name, argument, def, min, max, group, help)                                                      \
  {name, argument, help, type, ASZ_OPTION_##group, min, max, offsetof(struct asz_options, field)},
    ASZ_OPTION_LIST(OPTION_ROW)
#undef OPTION_ROW
};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

static const struct asz_options defaults = {
#define OPTION_DEFAULT(field, type, name, argument, def, min, max, group, help) .field = def,
    ASZ_OPTION_LIST(OPTION_DEFAULT)
#undef OPTION_DEFAULT
};

/* The option that argv's `--name` or `--name=value` means. */
static const struct option *find(const char *text, unsigned groups) {
  const size_t length = strcspn(text, "=");
  for (unsigned i = 0; i < TABLE_COUNT; i++)
    if ((table[i].group & groups) && strlen(table[i].name) == length && strncmp(table[i].name, text, length) == 0)
      return &table[i];
  return NULL;
}

static int parse_u64(const struct option *option, const char *text, uint64_t *ret_value, struct asz_diag *diag) {
  const size_t digits = strspn(text, "0123456789");
  if (digits == 0 || text[digits] != '\0')
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected a whole number, found '%.80s'", option->name, text);
  const uint64_t value = digits > 18 ? UINT64_MAX : strtoull(text, NULL, 10);
  if (value < option->min || value > option->max)
    return asz_diag_set(diag, ASZ_ERANGE, "%s: expected %" PRIu64 "..%" PRIu64 ", found %.80s", option->name, option->min,
                        option->max, text);
  *ret_value = value;
  return 0;
}

/* Nobody can be answered from a link-local one without saying of which link, and no validator is told such an address. */
static int add_address(const struct option *option, struct asz_option_addresses *addresses, const char *text,
                       struct asz_diag *diag) {
  struct asz_address address;
  if (asz_address_parse(&address, text) != 0 || asz_address_is_link_local(&address))
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected an IPv4 or IPv6 address, not a link-local one, found '%.80s'",
                        option->name, text);
  if (addresses->given[address.family])
    return asz_diag_set(diag, ASZ_EINVAL, "%s: given twice for IPv%c", option->name,
                        address.family == ASZ_FAMILY_IPV6 ? '6' : '4');
  addresses->given[address.family] = true;
  addresses->address[address.family] = address;
  return 0;
}

static int set_value(struct asz_options *options, const struct option *option, const char *text, struct asz_diag *diag) {
  void *field = (char *)options + option->offset;
  switch (option->type) {
  case FLAG:
    *(bool *)field = true;
    return 0;
  case U64:
    return parse_u64(option, text, field, diag);
  case IPV6: {
    struct asz_address address;
    if (asz_address_parse(&address, text) != 0 || address.family != ASZ_FAMILY_IPV6)
      return asz_diag_set(diag, ASZ_EFORMAT, "%s: expected an IPv6 address, found '%.80s'", option->name, text);
    *(struct asz_address *)field = address;
    return 0;
  }
  case ADDRESSES:
    return add_address(option, field, text, diag);
  case TEXT:
    *(const char **)field = text;
    return 0;
  case LIST: {
    struct asz_option_values *values = field;
    if (values->count == ASZ_OPTION_LIST_MAX)
      return asz_diag_set(diag, ASZ_ETOOBIG, "%s: given more than %d times", option->name, ASZ_OPTION_LIST_MAX);
    values->text[values->count++] = text;
    return 0;
  }
  }
  __builtin_unreachable();
}

int asz_options_parse(struct asz_options *ret_options, unsigned groups, int argc, char *const *argv, struct asz_diag *diag) {
  struct asz_options options = defaults;
  for (int i = 0; i < argc; i++) {
    const struct option *option = find(argv[i], groups);
    if (!option)
      return asz_diag_set(diag, ASZ_EINVAL, "unknown option '%.80s'; see `assize-responder help`", argv[i]);
    const char *value = strchr(argv[i], '=');
    if (option->type == FLAG && value)
      return asz_diag_set(diag, ASZ_EINVAL, "%s takes no value", option->name);
    if (value)
      value++;
    else if (option->type != FLAG && ++i < argc)
      value = argv[i];
    if (option->type != FLAG && (!value || !*value))
      return asz_diag_set(diag, ASZ_EINVAL, "%s: expected a value: %s", option->name, option->argument);
    const int err = set_value(&options, option, value, diag);
    if (err)
      return err;
  }
  options.listen.address[ASZ_FAMILY_IPV6].family = options.local_ip.address[ASZ_FAMILY_IPV6].family = ASZ_FAMILY_IPV6;
  *ret_options = options;
  return 0;
}

static bool any_given(const struct asz_option_addresses *addresses) {
  return addresses->given[ASZ_FAMILY_IPV4] || addresses->given[ASZ_FAMILY_IPV6];
}

static int check_port(const struct asz_options *options, struct asz_diag *diag) {
  const char *wrong = NULL;
  if (!any_given(&options->local_ip))
    wrong = "--eal: expected --local-ip, our address on the port";
  else if (options->local_prefix != defaults.local_prefix && !options->local_ip.given[ASZ_FAMILY_IPV4])
    wrong = "--local-prefix: expected an IPv4 --local-ip, too";
  else if (options->local_prefix6 != defaults.local_prefix6 && !options->local_ip.given[ASZ_FAMILY_IPV6])
    wrong = "--local-prefix6: expected an IPv6 --local-ip, too";
  else if (options->gateway_ip6.family == ASZ_FAMILY_IPV6 && !options->local_ip.given[ASZ_FAMILY_IPV6])
    wrong = "--gateway-ip6: expected an IPv6 --local-ip, too";
  else if (any_given(&options->listen))
    wrong = "--listen: with --eal the address is --local-ip";
  else if (!options->port || !options->challenge_port || options->port == options->challenge_port)
    wrong = "--port, --challenge-port: with --eal expected two different ports, not 0";
  else if (options->user)
    wrong = "--user: with --eal privileges cannot be given up, the port's driver needs them until the end";
  else if (options->lab_delay_us || options->lab_loss_ppm || options->lab_silent)
    wrong = "--lab-delay-us, --lab-loss-ppm, --lab-silent: only on kernel sockets, without --eal";
  return wrong ? asz_diag_set(diag, ASZ_EINVAL, "%s", wrong) : 0;
}

int asz_options_check(const struct asz_options *options, struct asz_diag *diag) {
  if (options->eal)
    return check_port(options, diag);
  if (any_given(&options->local_ip) || options->lcores || options->local_prefix != defaults.local_prefix ||
      options->local_prefix6 != defaults.local_prefix6 || options->gateway_ip6.family == ASZ_FAMILY_IPV6 ||
      options->memory_mib != defaults.memory_mib)
    return asz_diag_set(diag, ASZ_EINVAL,
                        "--local-ip, --local-prefix, --local-prefix6, --gateway-ip6, --lcores, --memory-mib: only with --eal");
  return 0;
}

static void print_help(FILE *out, const struct option *option) {
  char left[64];
  snprintf(left, sizeof left, "%s %s", option->name, option->argument);
  fprintf(out, "  %-22s %s", left, option->help);
  if (option->type == U64 && option->group == ASZ_OPTION_RUN) {
    uint64_t value;
    memcpy(&value, (const char *)&defaults + option->offset, sizeof value);
    fprintf(out, " (default %" PRIu64 ")", value);
  }
  fputc('\n', out);
}

void asz_options_help(FILE *out, enum asz_option_group group) {
  for (unsigned i = 0; i < TABLE_COUNT; i++)
    if (table[i].group == group)
      print_help(out, &table[i]);
}

bool asz_options_lab(const struct asz_options *options) {
  return options->lab_wrong_answers || options->lab_delay_us || options->lab_loss_ppm || options->lab_silent;
}
