/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a policy file and judging by it.
 *
 * A name may be a member of one group only and must stand before it. So the groups are trees whose children come before their
 * parents, and one pass over the list, in its order, decides all of them. */
#include "control/tlog/policy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/tlog/logfile.h"

enum { WORDS_MAX = ASZ_POLICY_NODES_MAX + 3, NONE = -1 };

struct reader {
  struct asz_policy *policy;
  bool have_quorum;
  unsigned line;
  unsigned count; /* words on the line */
  char *word[WORDS_MAX];
  struct asz_diag *diag;
};

static int refuse(const struct reader *reader, const char *expected) {
  return asz_diag_set(reader->diag, ASZ_EFORMAT, "policy: line %u: %s", reader->line, expected);
}

static int find_node(const struct asz_policy *policy, const char *name) {
  for (unsigned i = 0; i < policy->node_count; i++)
    if (strcmp(policy->node[i].name, name) == 0)
      return (int)i;
  return NONE;
}

/* A new witness or group of the name in word 1. */
static int add_node(struct reader *reader, unsigned needed, int witness) {
  struct asz_policy *policy = reader->policy;
  const char *name = reader->word[1];
  if (strlen(name) > ASZ_POLICY_TEXT_MAX || strcmp(name, "none") == 0)
    return refuse(reader, "expected a name of at most 255 bytes, other than \"none\"");
  if (find_node(policy, name) != NONE)
    return refuse(reader, "this name is taken");
  if (policy->node_count == ASZ_POLICY_NODES_MAX)
    return refuse(reader, "expected at most 128 witnesses and groups");
  struct asz_policy_node *node = &policy->node[policy->node_count++];
  *node = (struct asz_policy_node){.parent = NONE, .needed = needed, .witness = witness};
  memcpy(node->name, name, strlen(name));
  return 0;
}

static bool have_key(const struct asz_note_key *key, unsigned count, const struct asz_note_key *wanted) {
  for (unsigned i = 0; i < count; i++)
    if (memcmp(key[i].public_key, wanted->public_key, 32) == 0)
      return true;
  return false;
}

static int read_log(struct reader *reader) {
  struct asz_policy *policy = reader->policy;
  struct asz_note_key key;
  if (reader->count < 2 || reader->count > 3)
    return refuse(reader, "expected log <vkey> [<url>]");
  if (asz_note_key_parse(&key, reader->word[1]) != 0 || key.type != ASZ_NOTE_ED25519)
    return refuse(reader, "expected the verifier key of a log, of type 1 (Ed25519)");
  if (have_key(policy->log, policy->log_count, &key))
    return refuse(reader, "this log's key stands here twice");
  if (policy->log_count == ASZ_POLICY_LOGS_MAX)
    return refuse(reader, "expected at most 64 logs");
  policy->log[policy->log_count++] = key;
  return 0;
}

static int read_witness(struct reader *reader) {
  struct asz_policy *policy = reader->policy;
  struct asz_note_key key;
  const char *url = reader->count == 4 ? reader->word[3] : "";
  if (reader->count < 3 || reader->count > 4)
    return refuse(reader, "expected witness <name> <vkey> [<url>]");
  if (asz_note_key_parse(&key, reader->word[2]) != 0 || key.type != ASZ_NOTE_COSIGNATURE)
    return refuse(reader, "expected the verifier key of a witness, of type 4 (Ed25519 cosignature)");
  if (have_key(policy->witness, policy->witness_count, &key))
    return refuse(reader, "this witness's key stands here twice");
  if (policy->witness_count == ASZ_POLICY_WITNESSES_MAX)
    return refuse(reader, "expected at most 64 witnesses");
  if (strlen(url) > ASZ_POLICY_TEXT_MAX)
    return refuse(reader, "expected a URL of at most 255 bytes");
  int err = add_node(reader, 0, (int)policy->witness_count);
  if (err)
    return err;
  memcpy(policy->witness_url[policy->witness_count], url, strlen(url) + 1);
  policy->witness[policy->witness_count++] = key;
  return 0;
}

/* all, any, or a number from 1 to members: 0 when it is none of them. */
static unsigned threshold(const char *text, unsigned members) {
  char canonical[12];
  if (strcmp(text, "all") == 0 || strcmp(text, "any") == 0)
    return text[1] == 'l' ? members : 1;
  unsigned long value = strtoul(text, NULL, 10);
  snprintf(canonical, sizeof canonical, "%u", (unsigned)value);
  return value >= 1 && value <= members && strcmp(canonical, text) == 0 ? (unsigned)value : 0;
}

static int read_group(struct reader *reader) {
  struct asz_policy *policy = reader->policy;
  if (reader->count < 4)
    return refuse(reader, "expected group <name> all|any|<k> <name>...");
  unsigned members = reader->count - 3, needed = threshold(reader->word[2], members);
  if (needed == 0)
    return refuse(reader, "expected all, any, or a number from 1 to that of the group's members");
  int group = (int)policy->node_count;
  for (unsigned i = 3; i < reader->count; i++) {
    int member = find_node(policy, reader->word[i]);
    if (member == NONE)
      return refuse(reader, "expected members that stand on lines before");
    if (policy->node[member].parent != NONE)
      return refuse(reader, "expected members that are in no group yet");
    policy->node[member].parent = group;
  }
  return add_node(reader, needed, NONE);
}

static int read_quorum(struct reader *reader) {
  if (reader->count != 2 || reader->have_quorum)
    return refuse(reader, "expected quorum <name>|none, once");
  reader->have_quorum = true;
  reader->policy->quorum = find_node(reader->policy, reader->word[1]);
  if (reader->policy->quorum == NONE && strcmp(reader->word[1], "none") != 0)
    return refuse(reader, "expected a witness or group that stands on a line before, or none");
  return 0;
}

static int read_line(struct reader *reader, char *line) {
  static const struct {
    const char *word;
    int (*read)(struct reader *reader);
  } form[] = {{"log", read_log}, {"witness", read_witness}, {"group", read_group}, {"quorum", read_quorum}};
  reader->count = 0;
  for (char *save, *word = strtok_r(line, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
    if (reader->count == 0 && word[0] == '#')
      return 0;
    if (reader->count == WORDS_MAX)
      return refuse(reader, "too many words");
    reader->word[reader->count++] = word;
  }
  for (size_t i = 0; reader->count && i < sizeof form / sizeof *form; i++)
    if (strcmp(reader->word[0], form[i].word) == 0)
      return form[i].read(reader);
  return reader->count ? refuse(reader, "expected log, witness, group, quorum or a comment") : 0;
}

static bool text_ok(const char *text, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) {
    uint8_t c = (uint8_t)text[i];
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
      return false;
  }
  return size_bytes == 0 || text[size_bytes - 1] == '\n';
}

int asz_policy_parse(struct asz_policy **ret_policy, const char *text, size_t size_bytes, struct asz_diag *diag) {
  if (size_bytes > ASZ_POLICY_MAX_BYTES || !text_ok(text, size_bytes))
    return asz_diag_set(diag, ASZ_EFORMAT, "policy: expected at most 128 KiB of lines without control characters");
  struct reader reader = {.policy = calloc(1, sizeof *reader.policy), .diag = diag};
  char *copy = strndup(text, size_bytes);
  int err = copy && reader.policy ? 0 : asz_diag_set(diag, ASZ_ENOMEM, "policy: no memory");
  if (!err)
    reader.policy->quorum = NONE;
  for (char *line = copy, *next; !err && line && *line; line = next) {
    next = strchr(line, '\n') + 1; /* text_ok: each line has one */
    next[-1] = 0;
    reader.line++;
    err = read_line(&reader, line);
  }
  if (!err && !reader.have_quorum)
    err = asz_diag_set(diag, ASZ_EFORMAT, "policy: expected a quorum line");
  free(copy);
  if (err)
    free(reader.policy);
  else
    *ret_policy = reader.policy;
  return err;
}

int asz_policy_read(struct asz_policy **ret_policy, const char *path, struct asz_diag *diag) {
  uint8_t *text;
  size_t size;
  int err = asz_logfile_read(AT_FDCWD, path, ASZ_POLICY_MAX_BYTES, &text, &size, diag);
  if (err)
    return err;
  err = asz_policy_parse(ret_policy, (const char *)text, size, diag);
  free(text);
  return err;
}

struct asz_policy *asz_policy_of_log(const struct asz_note_key *log) {
  struct asz_policy *policy = calloc(1, sizeof *policy);
  if (!policy)
    return NULL;
  policy->log[policy->log_count++] = *log;
  policy->quorum = NONE;
  return policy;
}

static bool quorum_met(const struct asz_policy *policy, const struct asz_note_seen *witness_seen) {
  unsigned have[ASZ_POLICY_NODES_MAX] = {0}; /* members that witnessed it */
  if (policy->quorum == NONE)
    return true;
  for (unsigned i = 0; i < policy->node_count; i++) {
    const struct asz_policy_node *node = &policy->node[i];
    bool witnessed = node->witness == NONE ? have[i] >= node->needed : witness_seen[node->witness].verified;
    if (witnessed && (int)i == policy->quorum)
      return true;
    if (witnessed && node->parent != NONE)
      have[node->parent]++;
  }
  return false;
}

int asz_policy_check(const struct asz_policy *policy, const char *note, size_t size_bytes, struct asz_checkpoint *ret_checkpoint,
                     unsigned *ret_cosigned, struct asz_diag *diag) {
  struct asz_note_key key[ASZ_POLICY_LOGS_MAX + ASZ_POLICY_WITNESSES_MAX];
  struct asz_note_seen seen[ASZ_POLICY_LOGS_MAX + ASZ_POLICY_WITNESSES_MAX];
  struct asz_checkpoint checkpoint;
  struct asz_note split;
  unsigned logs = 0, cosigned = 0;
  int err = asz_note_split(&split, note, size_bytes, diag);
  if (!err)
    err = asz_checkpoint_parse(&checkpoint, note, split.text_bytes, diag);
  if (err)
    return err;
  for (unsigned i = 0; i < policy->log_count; i++) /* a key speaks for the log that it is named by, and no other */
    if (strcmp(policy->log[i].name, checkpoint.origin) == 0)
      key[logs++] = policy->log[i];
  if (logs == 0)
    return asz_diag_set(diag, ASZ_EAUTH, "checkpoint: of the log %s, which is not the one expected", checkpoint.origin);
  memcpy(key + logs, policy->witness, policy->witness_count * sizeof *key);
  err = asz_note_verify(&split, note, size_bytes, key, logs + policy->witness_count, seen, diag);
  if (err)
    return err;
  bool by_log = false;
  for (unsigned i = 0; i < logs + policy->witness_count; i++) {
    by_log |= i < logs && seen[i].verified;
    cosigned += i >= logs && seen[i].verified;
  }
  if (!by_log)
    return asz_diag_set(diag, ASZ_EAUTH, "checkpoint: not signed by %s with the key expected", checkpoint.origin);
  if (!quorum_met(policy, seen + logs))
    return asz_diag_set(diag, ASZ_EAUTH, "checkpoint: cosigned by %u of %u known witnesses, which is not the quorum", cosigned,
                        policy->witness_count);
  *ret_checkpoint = checkpoint;
  if (ret_cosigned)
    *ret_cosigned = cosigned;
  return 0;
}
