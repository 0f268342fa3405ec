/* SPDX-License-Identifier: Apache-2.0 */
/* assize-verify: checks evidence and logs, offline, without trusting who handed them over.
 *
 * It links as little as it can (libsodium, libcbor, libc), so that a third party can read all of it in an evening; hence the few
 * lines of JSON writing here instead of a library. Exit codes: 0 valid, 1 invalid, 2 unverifiable or bad input. Data goes to
 * stdout, messages to stderr. */
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/evidence/evidence.h"
#include "control/tlog/proof.h"

static const char usage[] =
    "usage: assize-verify evidence FILE [--validator KEY] [--json]\n"
    "       assize-verify log DIR [--key KEY] [--known FILE] [--json]\n"
    "       assize-verify proof FILE [--key KEY] [--policy FILE] [--entry FILE] [--json]\n"
    "       assize-verify help | --version\n"
    "\n"
    "evidence  checks a slashing recommendation, as `assize slash export` writes it; `-` reads standard input.\n"
    "          One line a check; the first that fails is named and ends it.\n"
    "log       reads every entry and tile of a transparency log and hashes them up to its checkpoint. --known: an earlier\n"
    "          checkpoint, which the log must extend.\n"
    "proof     checks a tlog-proof: that a log holds an entry. --policy: C2SP tlog-policy, whose logs and witnesses count;\n"
    "          --key: a log's verifier key, beside it or instead. The entry is in the proof, as `assize log prove` writes it,\n"
    "          or in --entry.\n"
    "KEY       whom you expect: 64 hex digits, or a verifier key \"<origin>+<hash>+<base64>\". Without --validator the\n"
    "          accuser is who the evidence says; without --key nobody vouches for the log, which is then unverifiable.\n"
    "\n"
    "exit: 0 valid, 1 invalid, 2 unverifiable or bad input\n";

enum { EXIT_VALID = 0, EXIT_INVALID = 1, EXIT_UNVERIFIABLE = 2 };

#define OFFENCE_NAME(symbol, name, help) name,
static const char *const offence_name[] = {ASZ_OFFENCE_LIST(OFFENCE_NAME)};

struct options {
  const char *path;
  const char *known, *policy, *entry; /* files; NULL: not given */
  bool json;
  bool have_key;
  uint8_t key[32];
  char origin[ASZ_TLOG_ORIGIN_MAX + 1]; /* "" : any */
};

static int complain(const char *what, const char *detail) {
  fprintf(stderr, "assize-verify: %s%s%s\n", what, *detail ? ": " : "", detail);
  return EXIT_UNVERIFIABLE;
}

/* A JSON string. What it prints is UTF-8 without control characters, or escaped. */
static void json_text(const char *name, const char *text, const char *behind) {
  printf("\"%s\":\"", name);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      printf("\\%c", *text);
    else if ((unsigned char)*text < 0x20)
      printf("\\u%04x", (unsigned char)*text);
    else
      putchar(*text);
  }
  printf("\"%s", behind);
}

static void json_hex(const char *name, const uint8_t bytes[32], const char *behind) {
  char text[65];
  asz_hex_encode(text, bytes, 32);
  json_text(name, text, behind);
}

/* Reads all of a file, or standard input for "-", of at most size_max bytes. */
static int read_all(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size) {
  bool standard_input = strcmp(path, "-") == 0;
  FILE *file = standard_input ? stdin : fopen(path, "rb");
  if (!file)
    return complain(path, "cannot be opened");
  uint8_t *data = malloc(size_max + 1);
  size_t size = data ? fread(data, 1, size_max + 1, file) : 0;
  const char *problem = !data ? "no memory" : ferror(file) ? "cannot be read" : size > size_max ? "too large" : NULL;
  if (!standard_input)
    fclose(file);
  if (problem) {
    free(data);
    return complain(path, problem);
  }
  *ret_data = data;
  *ret_size = size;
  return 0;
}

static void print_line(void *context, const char *check, bool passed, const char *detail) {
  (void)context;
  printf("%-4s %s%s%s\n", passed ? "ok" : "FAIL", check, *detail ? ": " : "", detail);
}

static void print_json(void *context, const char *check, bool passed, const char *detail) {
  unsigned *printed = context;
  printf("%s{", (*printed)++ ? "," : "");
  json_text("check", check, ",");
  printf("\"passed\":%s,", passed ? "true" : "false");
  json_text("detail", detail, "}");
}

static const char *outcome_name(int outcome) {
  static const char *const name[] = {"valid", "invalid", "unverifiable"};
  return name[outcome];
}

static void evidence_json_end(const struct asz_evidence_report *report, int outcome) {
  printf("],");
  json_text("outcome", outcome_name(outcome), ",");
  json_text("failed", report->failed, ",");
  json_text("reason", report->diag.text, ",");
  printf("\"checks_passed\":%u,", report->checks_passed);
  json_text("offence", report->offence < ASZ_OFFENCE_COUNT ? offence_name[report->offence] : "unknown", ",");
  json_text("provider", report->provider_name, ",");
  json_hex("provider_pk", report->provider_pk, ",");
  printf("\"device\":%u,", report->device);
  json_hex("validator_pk", report->validator_pk, ",");
  json_text("origin", report->origin, ",");
  printf("\"stake_bps\":%u,\"wrong_answers\":%llu,\"e_value_q32\":%llu,", report->stake_bps,
         (unsigned long long)report->wrong_answers, (unsigned long long)report->e_value_q32);
  json_hex("bundle_hash", report->bundle_hash, ",");
  printf("\"log_index\":%llu,\"tree_size\":%llu}\n", (unsigned long long)report->log_index,
         (unsigned long long)report->tree_size);
}

static void evidence_text_end(const struct asz_evidence_report *report, int outcome) {
  if (outcome != EXIT_VALID) {
    printf("%s: check %s failed\n", outcome_name(outcome), report->failed);
    return;
  }
  printf("valid: %s against %s (device %u), stake %u.%02u %%, log entry %llu of %s\n", offence_name[report->offence],
         report->provider_name, report->device, report->stake_bps / 100, report->stake_bps % 100,
         (unsigned long long)report->log_index, report->origin);
}

static int verify_evidence(const struct options *options) {
  uint8_t *file;
  size_t size;
  int err = read_all(options->path, ASZ_EVIDENCE_MAX_BYTES, &file, &size);
  if (err)
    return err;
  struct asz_evidence_report report;
  unsigned printed = 0;
  if (options->json)
    printf("{\"checks\":[");
  int outcome = asz_evidence_check(&report, file, size, options->have_key ? options->key : NULL,
                                   options->json ? print_json : print_line, &printed);
  free(file);
  if (outcome == EXIT_VALID && *options->origin && strcmp(options->origin, report.origin) != 0) {
    outcome = EXIT_INVALID;
    snprintf(report.failed, sizeof report.failed, "origin");
    asz_diag_set(&report.diag, outcome, "the accuser's log has another origin than the verifier key");
    (options->json ? print_json : print_line)(&printed, report.failed, false, report.diag.text);
  }
  (options->json ? evidence_json_end : evidence_text_end)(&report, outcome);
  return outcome;
}

static int log_end(const struct options *options, const struct asz_checkpoint *head, int outcome, const char *reason) {
  char root[65];
  asz_hex_encode(root, head->root, 32);
  if (options->json) {
    printf("{");
    json_text("outcome", outcome_name(outcome), ",");
    json_text("reason", reason, ",");
    json_text("origin", head->origin, ",");
    printf("\"tree_size\":%llu,", (unsigned long long)head->tree_size);
    json_text("root", root, "}\n");
  } else if (outcome == EXIT_VALID) {
    printf("valid: %s, %llu entries, root %s\n", head->origin, (unsigned long long)head->tree_size, root);
  } else {
    printf("%s: %s\n", outcome_name(outcome), reason);
  }
  return outcome;
}

static int verify_log(const struct options *options) {
  struct asz_checkpoint known;
  struct asz_tlog_fsck report = {.files = 0};
  struct asz_diag diag = {""};
  uint8_t *note = NULL;
  char *head_note = NULL;
  size_t size;
  if (options->known && read_all(options->known, ASZ_NOTE_MAX_BYTES, &note, &size) != 0)
    return EXIT_UNVERIFIABLE;
  if (note && !options->have_key) {
    free(note);
    return complain("--known", "expected --key with it");
  }
  int err = note ? asz_checkpoint_open(&known, (const char *)note, size, options->key, &diag) : 0;
  if (!err)
    err = asz_tlog_fsck(options->path, options->have_key ? options->key : NULL, note ? &known : NULL, &report, &head_note, &diag);
  free(head_note);
  free(note);
  const struct asz_checkpoint head = report.head;
  if (err == ASZ_EAUTH || err == ASZ_EFORMAT || err == ASZ_ETOOBIG)
    return log_end(options, &head, EXIT_INVALID, diag.text);
  if (err)
    return log_end(options, &head, EXIT_UNVERIFIABLE, diag.text);
  if (*options->origin && strcmp(options->origin, head.origin) != 0)
    return log_end(options, &head, EXIT_INVALID, "the log has another origin than the verifier key");
  if (!options->have_key)
    return log_end(options, &head, EXIT_UNVERIFIABLE,
                   "entries, tiles and checkpoint agree, but who signed it was not checked: give --key");
  return log_end(options, &head, EXIT_VALID, "");
}

static int proof_end(const struct options *options, const struct asz_proof *proof, const struct asz_checkpoint *head,
                     unsigned cosigned, int outcome, const char *reason) {
  if (options->json) {
    printf("{");
    json_text("outcome", outcome_name(outcome), ",");
    json_text("reason", reason, ",");
    json_text("origin", head->origin, ",");
    printf("\"tree_size\":%llu,\"index\":%llu,\"cosigned\":%u}\n", (unsigned long long)head->tree_size,
           (unsigned long long)proof->index, cosigned);
  } else if (outcome == EXIT_VALID) {
    printf("valid: %s holds the entry as number %llu of %llu, cosigned by %u witnesses\n", head->origin,
           (unsigned long long)proof->index, (unsigned long long)head->tree_size, cosigned);
  } else {
    printf("%s: %s\n", outcome_name(outcome), reason);
  }
  return outcome;
}

/* Of --policy and --key: NULL, and a line, when there is none. */
static struct asz_policy *accepted_logs(const struct options *options) {
  struct asz_policy *policy = NULL;
  struct asz_note_key key;
  struct asz_diag diag = {""};
  if (options->have_key) {
    asz_note_key_make(&key, options->origin, ASZ_NOTE_ED25519, options->key);
    if (!*options->origin)
      return complain("--key", "a proof needs the verifier key, which says the log's name"), NULL;
  }
  if (options->policy && asz_policy_read(&policy, options->policy, &diag) != 0)
    return complain(diag.text, ""), NULL;
  if (!policy && options->have_key)
    policy = asz_policy_of_log(&key);
  else if (policy && options->have_key && policy->log_count < ASZ_POLICY_LOGS_MAX)
    policy->log[policy->log_count++] = key;
  if (!policy)
    complain("proof", "expected --key or --policy: a proof by nobody proves nothing");
  return policy;
}

static int check_proof(const struct options *options, struct asz_proof *proof, const uint8_t *text, size_t size,
                       const struct asz_policy *policy) {
  struct asz_checkpoint head = {.tree_size = 0};
  struct asz_diag diag = {""};
  uint8_t *entry = NULL;
  size_t entry_bytes;
  unsigned cosigned = 0;
  proof->index = 0;
  int err = asz_proof_parse(proof, (const char *)text, size, &diag);
  if (err)
    return proof_end(options, proof, &head, 0, EXIT_INVALID, diag.text);
  if (options->entry && read_all(options->entry, ASZ_TLOG_ENTRY_MAX, &entry, &entry_bytes) != 0)
    return EXIT_UNVERIFIABLE;
  if (!entry && !proof->have_extra)
    return proof_end(options, proof, &head, 0, EXIT_UNVERIFIABLE, "the entry is not in the proof: give --entry");
  err = asz_proof_check(proof, policy, entry ? entry : proof->extra, entry ? entry_bytes : proof->extra_bytes, &head, &cosigned,
                        &diag);
  free(entry);
  return proof_end(options, proof, &head, cosigned,
                   err == 0            ? EXIT_VALID
                   : err == ASZ_ENOMEM ? EXIT_UNVERIFIABLE
                                       : EXIT_INVALID,
                   diag.text);
}

static int verify_proof(const struct options *options) {
  uint8_t *text;
  size_t size;
  struct asz_policy *policy = accepted_logs(options);
  if (!policy)
    return EXIT_UNVERIFIABLE;
  struct asz_proof *proof = malloc(sizeof *proof);
  int outcome = EXIT_UNVERIFIABLE;
  if (proof && read_all(options->path, ASZ_PROOF_MAX_BYTES, &text, &size) == 0) {
    outcome = check_proof(options, proof, text, size, policy);
    free(text);
  }
  free(proof);
  free(policy);
  return outcome;
}

/* The option of this name among those that the command takes a file with; NULL: none. */
static const char **file_option(struct options *options, const char *files, const char *word) {
  const struct {
    const char *name;
    const char **value;
  } option[] = {{"--known", &options->known}, {"--policy", &options->policy}, {"--entry", &options->entry}};
  for (size_t i = 0; i < sizeof option / sizeof *option; i++)
    if (strcmp(word, option[i].name) == 0 && strstr(files, word))
      return option[i].value;
  return NULL;
}

static int parse_key(struct options *options, const char *option, const char *text) {
  options->have_key = true;
  if (asz_hex_decode(options->key, 32, text) == 0 || asz_vkey_parse(options->origin, options->key, text) == 0)
    return 0;
  return complain(option, "expected 64 hex digits or a verifier key <origin>+<hash>+<base64>");
}

/* key_option: the option that takes a key; files: the options that take a file. */
static int parse_options(struct options *ret_options, const char *key_option, const char *files, int argc, char **argv) {
  *ret_options = (struct options){0};
  for (int i = 0; i < argc; i++) {
    const char **file = file_option(ret_options, files, argv[i]);
    bool key = strcmp(argv[i], key_option) == 0;
    if (strcmp(argv[i], "--json") == 0) {
      ret_options->json = true;
    } else if (file || key) {
      if (i + 1 == argc)
        return complain(argv[i], "expected a value behind it");
      i++;
      if (file)
        *file = argv[i];
      else if (parse_key(ret_options, key_option, argv[i]) != 0)
        return EXIT_UNVERIFIABLE;
    } else if (argv[i][0] == '-' && argv[i][1]) {
      return complain(argv[i], "no such option: see assize-verify help");
    } else if (ret_options->path) {
      return complain(argv[i], "expected one file or directory only");
    } else {
      ret_options->path = argv[i];
    }
  }
  return ret_options->path ? 0 : complain("nothing to verify: see assize-verify help", "");
}

int main(int argc, char **argv) {
  static const struct {
    const char *name, *key_option, *files;
    int (*run)(const struct options *options);
  } command[] = {{"evidence", "--validator", "", verify_evidence},
                 {"log", "--key", "--known", verify_log},
                 {"proof", "--key", "--policy --entry", verify_proof}};
  const char *name = argc > 1 ? argv[1] : "";
  int result = -1;
  if (sodium_init() < 0)
    return complain("libsodium cannot start", "");
  if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
    result = fputs(usage, stdout) < 0;
  else if (strcmp(name, "--version") == 0)
    result = puts("assize-verify " ASZ_VERSION) < 0;
  for (size_t i = 0; result < 0 && i < sizeof command / sizeof *command; i++) {
    struct options options;
    if (strcmp(name, command[i].name) != 0)
      continue;
    result = parse_options(&options, command[i].key_option, command[i].files, argc - 2, argv + 2);
    if (!result)
      result = command[i].run(&options);
  }
  if (result < 0) {
    fputs(usage, stderr);
    return EXIT_UNVERIFIABLE;
  }
  return fflush(stdout) == 0 ? result : complain("standard output", "cannot be written");
}
