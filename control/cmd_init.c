/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "control/cmd.h"
#include "control/tlog/tlog.h"

enum { VKEY_BYTES = 512 };

static int make_config(struct asz_config *ret_config, const char *origin, const char *preset, const struct asz_cmd_values *set,
                       struct asz_diag *diag) {
  char assignment[ASZ_CONFIG_TEXT_MAX + 32];
  int err = asz_config_preset(ret_config, preset ? preset : "standard", diag);
  if (!err && origin) {
    snprintf(assignment, sizeof assignment, "validator.origin=%s", origin);
    err = asz_config_set(ret_config, assignment, "--origin", diag);
  }
  for (size_t i = 0; !err && i < set->count; i++)
    err = asz_config_set(ret_config, set->text[i], "--set", diag);
  return err ? err : asz_config_check(ret_config, "--set", diag);
}

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *origin = NULL, *preset = NULL;
  struct asz_cmd_values set = {.count = 0};
  const struct asz_cmd_option options[] = {
      {"--origin", .value = &origin},
      {"--preset", .value = &preset},
      {"--set", .values = &set},
  };
  size_t positional_count;
  if (asz_cmd_options("init", argc, argv, options, sizeof options / sizeof options[0], NULL, 0, &positional_count) != 0)
    return ASZ_EXIT_INPUT;

  struct asz_diag diag = {""};
  struct asz_config config;
  struct asz_identity key;
  int err = make_config(&config, origin, preset, &set, &diag);
  if (!err)
    err = asz_home_create(&context->home, &config, &key, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);

  char public_key[2 * ASZ_PK_BYTES + 1], vkey[VKEY_BYTES];
  asz_hex_encode(public_key, key.public_key, sizeof key.public_key);
  asz_vkey_format(vkey, config.validator_origin, key.public_key);
  asz_identity_wipe(&key);
  if (context->json)
    return asz_cmd_json(json_pack("{s:s, s:s, s:s, s:s}", "home", context->home.dir, "public_key", public_key, "log_vkey", vkey,
                                  "config", context->home.config_path));
  printf("home        %s\n"
         "public key  %s   give it to your providers: they answer who they know\n"
         "log key     %s   publish it: it verifies your log\n\n"
         "Next: choose the port in %s (network.eal, local_ip, gateway_ip),\n"
         "register providers with `assize provider add` or `assize provider import FILE`, then `assize doctor`.\n",
         context->home.dir, public_key, vkey, context->home.config_path);
  return ASZ_EXIT_OK;
}

const struct asz_cmd asz_cmd_init = {
    .name = "init",
    .summary = "make a validator: identity, configuration, store and log",
    .usage = "  assize init --origin validator.example.org/assize\n"
             "  assize init --preset lab --set network.eal=--vdev=net_af_packet0,iface=veth0 --set network.local_ip=10.0.0.2\n\n"
             "  --origin NAME            name of the transparency log; a host and path that you own\n"
             "  --preset standard|lab    where the values start: standard (the defaults), or lab (epochs of 10 s)\n"
             "  --set SECTION.KEY=VALUE  change one value; again and again\n\n"
             "Never overwrites. The key file is readable by you alone; keep a copy of it offline.\n",
    .run = run,
};
