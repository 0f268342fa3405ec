/* SPDX-License-Identifier: Apache-2.0 */
/* Registration. Options of `add` and columns of `import` are the same fields (provider.h), set through the same function; an
 * import is one transaction, so that a bad line in the middle registers nobody. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cmd.h"
#include "control/file.h"
#include "control/import.h"
#include "control/table.h"
#include "dataplane/base/clock.h"
#include "dataplane/engine.h"

static int add_to_store(const struct asz_cmd_context *context, struct asz_provider *provider, struct asz_diag *diag) {
  struct asz_store *store;
  int err = asz_home_open(&context->home, false, NULL, NULL, &store, diag);
  if (err)
    return err;
  provider->registered_ns = asz_clock_now_ns();
  err = asz_store_provider_add(store, provider, diag);
  asz_store_close(store);
  return err;
}

static int add(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *value[ASZ_PROVIDER_FIELD_COUNT] = {NULL};
  bool control = false, no_ssid = false;
  const struct asz_cmd_option options[] = {
      {"--ip", .value = &value[ASZ_PROVIDER_FIELD_ip]},
      {"--key", .value = &value[ASZ_PROVIDER_FIELD_key]},
      {"--device", .value = &value[ASZ_PROVIDER_FIELD_device]},
      {"--port", .value = &value[ASZ_PROVIDER_FIELD_port]},
      {"--challenge-port", .value = &value[ASZ_PROVIDER_FIELD_challenge_port]},
      {"--probe", .value = &value[ASZ_PROVIDER_FIELD_probe]},
      {"--region", .value = &value[ASZ_PROVIDER_FIELD_region]},
      {"--operator", .value = &value[ASZ_PROVIDER_FIELD_operator]},
      {"--hmac-key-file", .value = &value[ASZ_PROVIDER_FIELD_hmac_key_file]},
      {"--rtt-target-ms", .value = &value[ASZ_PROVIDER_FIELD_rtt_target_ms]},
      {"--control", .flag = &control},
      {"--no-ssid", .flag = &no_ssid},
  };
  size_t count;
  if (asz_cmd_options("provider", argc, argv, options, sizeof options / sizeof options[0], value + ASZ_PROVIDER_FIELD_name, 1,
                      &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("provider", "add: expected a name");
  value[ASZ_PROVIDER_FIELD_control] = control ? "yes" : NULL;
  value[ASZ_PROVIDER_FIELD_ssid] = no_ssid ? "no" : NULL;

  struct asz_diag diag = {""};
  struct asz_provider provider;
  int err = 0;
  asz_provider_init(&provider);
  for (unsigned i = 0; !err && i < ASZ_PROVIDER_FIELD_COUNT; i++)
    if (value[i])
      err = asz_provider_set(&provider, (enum asz_provider_field)i, value[i], "provider add", &diag);
  if (!err)
    err = asz_provider_finish(&provider, "provider add", &diag);
  if (!err)
    err = add_to_store(context, &provider, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  if (context->json)
    return asz_cmd_json(json_pack("{s:I, s:s}", "id", (json_int_t)provider.row, "name", provider.name));
  printf("registered %s (%s, %s)\n", provider.name, asz_provider_address(ASZ_TEXT, &provider),
         asz_probe_name((enum asz_probe)provider.probe));
  return ASZ_EXIT_OK;
}

static int import_rows(struct asz_store *store, struct asz_import *import, const char *name, struct asz_diag *diag) {
  uint64_t now_ns = asz_clock_now_ns();
  struct asz_diag cause = {""};
  int err = asz_store_begin(store, diag);
  if (err)
    return err;
  for (size_t i = 0; i < import->count; i++) {
    import->provider[i].registered_ns = now_ns;
    err = asz_store_provider_add(store, &import->provider[i], &cause);
    if (err) {
      asz_store_rollback(store);
      return asz_diag_set(diag, err, "%s:%u: %s (nothing was imported)", name, import->line[i], cause.text);
    }
  }
  err = asz_store_commit(store, diag);
  if (err)
    asz_store_rollback(store);
  return err;
}

static int import_file(const struct asz_cmd_context *context, const char *path, size_t *ret_count, struct asz_diag *diag) {
  const char *name = strcmp(path, "-") ? path : "standard input";
  struct asz_store *store = NULL;
  struct asz_import import = {0};
  uint8_t *text = NULL;
  size_t size;
  int err = asz_home_open(&context->home, false, NULL, NULL, &store, diag);
  if (!err)
    err = asz_file_read(&text, &size, path, ASZ_IMPORT_BYTES_MAX, diag);
  if (!err)
    err = asz_import_csv(&import, (char *)text, size, name, diag);
  if (!err)
    err = import_rows(store, &import, name, diag);
  if (!err)
    *ret_count = import.count;
  asz_import_free(&import);
  free(text);
  asz_store_close(store);
  return err;
}

static int import(const struct asz_cmd_context *context, int argc, char **argv) {
  const char *path;
  size_t count, imported;
  if (asz_cmd_options("provider", argc, argv, NULL, 0, &path, 1, &count) != 0)
    return ASZ_EXIT_INPUT;
  if (count == 0)
    return asz_cmd_usage_error("provider", "import: expected a file, or - for standard input");
  struct asz_diag diag = {""};
  int err = import_file(context, path, &imported, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  if (context->json)
    return asz_cmd_json(json_pack("{s:I}", "imported", (json_int_t)imported));
  printf("registered %s providers\n", asz_text_count(ASZ_TEXT, imported));
  return ASZ_EXIT_OK;
}

static json_t *provider_json(const struct asz_provider *p) {
  char key[2 * ASZ_PK_BYTES + 1] = "";
  if (asz_provider_has_key(p))
    asz_hex_encode(key, p->public_key, sizeof p->public_key);
  return json_pack("{s:I, s:s, s:s, s:s?, s:I, s:i, s:i, s:s, s:s, s:s, s:I, s:b, s:b, s:b, s:I}", "id", (json_int_t)p->row,
                   "name", p->name, "ip", asz_provider_address(ASZ_TEXT, p), "key", key[0] ? key : NULL, "device",
                   (json_int_t)p->device, "port", p->port, "challenge_port", p->challenge_port, "probe",
                   asz_probe_name((enum asz_probe)p->probe), "region", p->region, "operator", p->operator_name, "rtt_target_ns",
                   (json_int_t)p->rtt_target_ns, "control", p->control, "ssid", !(p->flags & ASZ_TARGET_NO_SSID), "hmac_key",
                   p->hmac_secret_bytes > 0, "registered_ns", (json_int_t)p->registered_ns);
}

static int list_json(const struct asz_provider *providers, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++) {
    if (json_array_append_new(list, provider_json(&providers[i])) != 0) {
      json_decref(list);
      list = NULL;
    }
  }
  return asz_cmd_json(list ? json_pack("{s:o}", "providers", list) : NULL);
}

static int list_table(const struct asz_provider *providers, size_t count) {
  static const char *const heading[] = {"name", "address", "probe", "key", "device", "region", "operator", "role"};
  struct asz_table *table = asz_table_new("llllrlll");
  for (size_t i = 0; i < sizeof heading / sizeof heading[0]; i++)
    asz_table_cell(table, heading[i]);
  for (size_t i = 0; i < count; i++) {
    const struct asz_provider *p = &providers[i];
    char key[20] = "none", device[16];
    if (asz_provider_has_key(p)) {
      asz_hex_encode(key, p->public_key, 6);
      strcat(key, "...");
    }
    snprintf(device, sizeof device, "%" PRIu32, p->device);
    const char *cells[] = {p->name,
                           asz_provider_endpoint(ASZ_TEXT, p),
                           asz_probe_name((enum asz_probe)p->probe),
                           key,
                           device,
                           *p->region ? p->region : "-",
                           *p->operator_name ? p->operator_name : "-",
                           p->control ? "control" : "provider"};
    for (size_t c = 0; c < sizeof cells / sizeof cells[0]; c++)
      asz_table_cell(table, cells[c]);
  }
  return asz_table_print(table, stdout) == 0 ? ASZ_EXIT_OK : asz_cmd_fail(ASZ_ENOMEM, NULL);
}

static int list(const struct asz_cmd_context *context, int argc, char **argv) {
  size_t count;
  if (asz_cmd_options("provider", argc, argv, NULL, 0, NULL, 0, &count) != 0)
    return ASZ_EXIT_INPUT;
  struct asz_diag diag = {""};
  struct asz_store *store;
  struct asz_provider *providers;
  int err = asz_home_open(&context->home, true, NULL, NULL, &store, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = asz_store_provider_list(store, &providers, &count, &diag);
  asz_store_close(store);
  if (err)
    return asz_cmd_fail(err, &diag);
  int code = context->json ? list_json(providers, count) : list_table(providers, count);
  if (count == 0)
    fprintf(stderr, "assize: no providers yet: `assize provider add` or `assize provider import FILE`\n");
  free(providers);
  return code;
}

static const struct asz_cmd_verb verbs[] = {{"add", add}, {"import", import}, {"list", list}};

static int run(const struct asz_cmd_context *context, int argc, char **argv) {
  return asz_cmd_verb_run("provider", verbs, sizeof verbs / sizeof verbs[0], context, argc, argv);
}

const struct asz_cmd asz_cmd_provider = {
    .name = "provider",
    .summary = "register the providers that may be probed",
    .usage =
        "  assize provider add alpha --ip 192.0.2.10 --key HEX --region eu-west\n"
        "  assize provider import providers.csv      (- is standard input)\n"
        "  assize provider list\n\n"
        "add NAME --ip ADDRESS\n"
        "  --key HEX             its Ed25519 public key: bound probes and challenges\n"
        "  --device N            index of the device within the identity (0)\n"
        "  --port P              STAMP port (862); TCP port of tcp-syn (443)\n"
        "  --challenge-port P    (8620; 0: no challenges)\n"
        "  --probe KIND          stamp, stamp-tlv, icmp-echo, tcp-syn or stamp-auth (stamp-tlv with a key, else stamp)\n"
        "  --hmac-key-file FILE  stamp-auth: the key shared with a reflector that is not ours, 32 to 64 hex digits, mode 0600\n"
        "  --region R            --operator O\n"
        "  --rtt-target-ms N     its own q95 target (0: the configured one)\n"
        "  --control             one of your own reflectors: tells our outages from theirs, never scored\n"
        "  --no-ssid             an RFC 8762 reflector that returns zero in the SSID field\n\n"
        "import: the first line names the columns, in any order: name, ip, key, device, port, challenge_port, probe, region,\n"
        "operator, rtt_target_ms, control (yes/no), ssid (yes/no), hmac_key_file. All of it is registered, or nothing.\n\n"
        "Register only those who agreed to be probed.\n",
    .run = run,
};
