/* SPDX-License-Identifier: Apache-2.0 */
/* asz_policy: whose word on a log is enough (C2SP tlog-policy): the logs that are accepted, the witnesses that are known, and how
 * many of them must have cosigned a checkpoint.
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]              vkey of type 4 (Ed25519 cosignatures)
 *   group <name> all|any|<k> <name>...
 *   quorum <name>|none
 */
#ifndef ASZ_CONTROL_TLOG_POLICY_H
#define ASZ_CONTROL_TLOG_POLICY_H

#include "control/tlog/note.h"

enum {
  ASZ_POLICY_MAX_BYTES = 1 << 17,
  ASZ_POLICY_LOGS_MAX = 64, /* the specification asks for 32 of each at least */
  ASZ_POLICY_WITNESSES_MAX = 64,
  ASZ_POLICY_NODES_MAX = ASZ_POLICY_WITNESSES_MAX + 64,
  ASZ_POLICY_TEXT_MAX = 255, /* bytes of a name or a URL */
};

/* A witness or a group. Each is a member of one group at most, so that all of them form trees; members stand before their group.
 */
struct asz_policy_node {
  char name[ASZ_POLICY_TEXT_MAX + 1];
  int parent;      /* index of the group that it is a member of; -1: none */
  unsigned needed; /* members that must have cosigned; a witness: 0 */
  int witness;     /* index; a group: -1 */
};

struct asz_policy {
  unsigned log_count, witness_count, node_count;
  struct asz_note_key log[ASZ_POLICY_LOGS_MAX];
  struct asz_note_key witness[ASZ_POLICY_WITNESSES_MAX];
  char witness_url[ASZ_POLICY_WITNESSES_MAX][ASZ_POLICY_TEXT_MAX + 1]; /* "": not given */
  struct asz_policy_node node[ASZ_POLICY_NODES_MAX];
  int quorum; /* index of a node; -1: none is needed */
};

/* asz_policy_of_log: the policy that accepts one log and asks for no witness. Heap, to be freed with free; NULL without memory.
 */
struct asz_policy *asz_policy_of_log(const struct asz_note_key *log);
/* asz_policy_parse: strict; the line names the line. *ret_policy is heap, to be freed with free. ASZ_EFORMAT, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_policy_parse(struct asz_policy **ret_policy, const char *text, size_t size_bytes, struct asz_diag *diag);
/* asz_policy_read: a file. ASZ_ENOENT, ASZ_EIO, ASZ_ETOOBIG, and as parse. */
ASZ_MUST_CHECK int asz_policy_read(struct asz_policy **ret_policy, const char *path, struct asz_diag *diag);

/* asz_policy_check: a checkpoint that one of the logs signed and a quorum of the witnesses cosigned. A signature by any known key
 * that fails refuses it. Times of cosignatures are not judged. *ret_cosigned (may be NULL): the known witnesses that cosigned it.
 * ASZ_EFORMAT, ASZ_EAUTH, ASZ_ENOMEM. */
ASZ_MUST_CHECK int asz_policy_check(const struct asz_policy *policy, const char *note, size_t size_bytes,
                                    struct asz_checkpoint *ret_checkpoint, unsigned *ret_cosigned, struct asz_diag *diag);

#endif
