/* SPDX-License-Identifier: Apache-2.0 */
/* assize-responder: what a provider runs: answers STAMP and challenges, on kernel sockets or on a DPDK port; no database. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "control/cmd.h"
#include "control/responder/authority.h"
#include "control/responder/consent.h"
#include "control/responder/options.h"
#include "control/responder/prover.h"
#include "control/responder/serve.h"
#include "control/responder/serve_port.h"
#include "dataplane/base/identity.h"
#include "dataplane/base/log.h"

struct command {
  const char *name;
  unsigned groups; /* of options */
  int (*run)(const struct asz_options *options, struct asz_diag *diag);
};

static int print_key(struct asz_identity *identity) {
  char hex[65];
  asz_hex_encode(hex, identity->public_key, sizeof identity->public_key);
  asz_identity_wipe(identity);
  return puts(hex) < 0 || fflush(stdout) != 0 ? ASZ_EIO : 0;
}

static int run_keygen(const struct asz_options *options, struct asz_diag *diag) {
  struct asz_identity identity;
  const int err = asz_identity_create(options->key, &identity, diag);
  return err ? err : print_key(&identity);
}

static int run_pubkey(const struct asz_options *options, struct asz_diag *diag) {
  struct asz_identity identity;
  const int err = asz_identity_load(options->key, &identity, diag);
  return err ? err : print_key(&identity);
}

static int load_validators(const struct asz_options *options, struct asz_authority *authority, struct asz_diag *diag) {
  int err = 0;
  for (unsigned i = 0; !err && i < options->validator.count; i++)
    err = asz_authority_add_hex(authority, options->validator.text[i], "--validator", diag);
  if (!err && options->validators)
    err = asz_authority_load(authority, options->validators, diag);
  if (!err && options->no_plain && asz_authority_count(authority) == 0)
    err = asz_diag_set(diag, ASZ_EINVAL, "--no-plain without a validator would answer nobody: give --validator or --validators");
  return err;
}

static int run_serve(const struct asz_options *options, struct asz_diag *diag) {
  struct asz_identity identity;
  int err = asz_options_check(options, diag);
  if (!err)
    err = asz_consent_check(options, diag);
  if (!err)
    err = asz_prover_check(options, diag);
  if (!err)
    err = asz_identity_load(options->key, &identity, diag);
  if (err)
    return err;
  struct asz_authority *authority = NULL;
  err = asz_authority_new(&authority, &identity);
  if (err)
    asz_diag_set(diag, err, "%s", asz_err_str(err));
  if (!err)
    err = load_validators(options, authority, diag);
  if (!err)
    err = options->eal ? asz_serve_port(options, &identity, authority, diag) : asz_serve(options, &identity, authority, diag);
  asz_authority_free(authority);
  asz_identity_wipe(&identity);
  return err;
}

static const struct command commands[] = {
    {"keygen", ASZ_OPTION_KEY, run_keygen},
    {"pubkey", ASZ_OPTION_KEY, run_pubkey},
    {"run", ASZ_OPTION_KEY | ASZ_OPTION_RUN | ASZ_OPTION_LAB, run_serve},
};

static int print_help(FILE *out) {
  fputs("assize-responder: answers the probes and challenges of validators that you allow\n"
        "\n"
        "  assize-responder keygen --key FILE     make an identity; prints its public key\n"
        "  assize-responder pubkey --key FILE     print the public key of an identity\n"
        "  assize-responder run --key FILE --validator HEX [options]\n"
        "  assize-responder help | --version\n"
        "\n",
        out);
  asz_options_help(out, ASZ_OPTION_KEY);
  asz_options_help(out, ASZ_OPTION_RUN);
  fputs("\nFOR LABORATORIES ONLY: they make the responder misbehave on purpose. Never use them for a real provider.\n", out);
  asz_options_help(out, ASZ_OPTION_LAB);
  fputs("\nExit codes: 0 done (also after SIGINT and SIGTERM), 2 bad input, 3 the machine failed us.\n", out);
  return fflush(out) == 0 ? ASZ_EXIT_OK : ASZ_EXIT_MACHINE;
}

static int fail(int err, const struct asz_diag *diag) {
  asz_log(ASZ_LOG_ERROR, "%s", diag->text[0] ? diag->text : asz_err_str(err));
  return err == ASZ_EIO || err == ASZ_ENOMEM || err == ASZ_EDEVICE ? ASZ_EXIT_MACHINE : ASZ_EXIT_INPUT;
}

static const struct command *find_command(const char *name) {
  for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++)
    if (strcmp(commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

int main(int argc, char **argv) {
  asz_log_setup("assize-responder", ASZ_LOG_INFO);
  struct asz_diag diag = {""};
  if (sodium_init() < 0)
    return fail(ASZ_EDEVICE, &diag);
  const char *name = argc > 1 ? argv[1] : "";
  if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
    return print_help(stdout);
  if (strcmp(name, "--version") == 0)
    return puts("assize-responder " ASZ_VERSION) < 0 || fflush(stdout) != 0 ? ASZ_EXIT_MACHINE : ASZ_EXIT_OK;
  const struct command *command = find_command(name);
  if (!command) {
    asz_diag_set(&diag, ASZ_EINVAL, "expected keygen, pubkey, run or help, found '%.80s'", name);
    return fail(ASZ_EINVAL, &diag);
  }
  struct asz_options options;
  int err = asz_options_parse(&options, command->groups, argc - 2, argv + 2, &diag);
  if (!err && !options.key)
    err = asz_diag_set(&diag, ASZ_EINVAL, "%s: --key FILE is missing", command->name);
  if (!err)
    err = command->run(&options, &diag);
  return err ? fail(err, &diag) : ASZ_EXIT_OK;
}
