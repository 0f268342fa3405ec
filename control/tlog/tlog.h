/* SPDX-License-Identifier: Apache-2.0 */
/* asz_tlog: the transparency log: RFC 6962 Merkle tree (section 2.1), C2SP tlog-tiles on disk, C2SP tlog-checkpoint as signed
 * note.
 *
 *   DIR/checkpoint                       the newest signed checkpoint
 *   DIR/tile/<L>/<N>[.p/<W>]             hashes of level L, 256 a full tile
 *   DIR/tile/entries/<N>[.p/<W>]         entries, each behind its length (2 bytes, big-endian)
 * Any web server can serve DIR as it is. An append writes entry bundle and tiles, then (durably: fsync of files and directories,
 * rename) the checkpoint; what is not covered by a checkpoint is not published and is overwritten by the next append. So a crash
 * at any point leaves a consistent log. Writer: one process (lock file DIR/.lock), control thread. Readers need nothing of the
 * writer. */
#ifndef ASZ_CONTROL_TLOG_TLOG_H
#define ASZ_CONTROL_TLOG_TLOG_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/identity.h"

enum {
  ASZ_TLOG_ENTRY_MAX = 65535,
  ASZ_TLOG_PROOF_MAX = 64,
  ASZ_TLOG_CHECKPOINT_MAX = 2048,
  ASZ_TLOG_ORIGIN_MAX = 255,
  ASZ_VKEY_BYTES = 512, /* room for any verifier key as text */
};

/* RFC 6962 section 2.1: SHA-256(0x00 || entry), SHA-256(0x01 || left || right). */
void asz_tlog_leaf_hash(uint8_t ret_hash[32], const void *entry, size_t size_bytes);
void asz_tlog_node_hash(uint8_t ret_hash[32], const uint8_t left[32], const uint8_t right[32]);
/* asz_tlog_tree_hash: the Merkle tree hash over count leaf hashes (reference; SHA-256 of nothing for 0). */
void asz_tlog_tree_hash(uint8_t ret_hash[32], const uint8_t (*leaf)[32], uint64_t count);
/* asz_tlog_inclusion_make: path over leaf hashes in memory; ret_path has ASZ_TLOG_PROOF_MAX hashes; returns their count. index <
 * count (asserted). */
size_t asz_tlog_inclusion_make(uint8_t (*ret_path)[32], const uint8_t (*leaf)[32], uint64_t count, uint64_t index);
/* asz_tlog_inclusion_check (RFC 9162 section 2.1.3.2): 0 or ASZ_EAUTH. */
ASZ_MUST_CHECK int asz_tlog_inclusion_check(const uint8_t root[32], uint64_t tree_size, uint64_t index,
                                            const uint8_t leaf_hash[32], const uint8_t (*path)[32], size_t path_count);
/* asz_tlog_consistency_make (RFC 6962 section 2.1.2): the proof that the tree over the first old_count leaves starts the one over
 * count; ret_path has ASZ_TLOG_PROOF_MAX hashes; returns their count. 1 <= old_count <= count (asserted). */
size_t asz_tlog_consistency_make(uint8_t (*ret_path)[32], const uint8_t (*leaf)[32], uint64_t old_count, uint64_t count);
/* asz_tlog_consistency_check (RFC 9162 section 2.1.4.2): 0 or ASZ_EAUTH. For an old size of 0, or equal sizes, the path must be
 * empty. */
ASZ_MUST_CHECK int asz_tlog_consistency_check(const uint8_t old_root[32], uint64_t old_size, const uint8_t root[32],
                                              uint64_t tree_size, const uint8_t (*path)[32], size_t path_count);

struct asz_checkpoint {
  char origin[ASZ_TLOG_ORIGIN_MAX + 1];
  uint64_t tree_size;
  uint8_t root[32];
};
/* asz_checkpoint_sign writes the signed note (text, NUL-terminated) with one Ed25519 signature line named by the origin. Returns
 * its length or ASZ_ETOOBIG. */
ASZ_MUST_CHECK int asz_checkpoint_sign(char *ret_note, size_t capacity, const struct asz_checkpoint *checkpoint,
                                       const struct asz_identity *key);
/* asz_checkpoint_open parses a note strictly and checks the signature of `public_key` on it (other signature lines, as of
 * witnesses, are tolerated). ASZ_EFORMAT, ASZ_EAUTH. */
ASZ_MUST_CHECK int asz_checkpoint_open(struct asz_checkpoint *ret_checkpoint, const char *note, size_t size_bytes,
                                       const uint8_t public_key[32], struct asz_diag *diag);
/* asz_checkpoint_own cuts all signature lines but the log's own off a note (NUL-terminated, changed in place). ASZ_EFORMAT,
 * ASZ_EAUTH.
 */
ASZ_MUST_CHECK int asz_checkpoint_own(char *note, const uint8_t public_key[32], struct asz_diag *diag);
/* asz_vkey_format: the note verifier key "<origin>+<hash>+<base64>"; ret_text has ASZ_VKEY_BYTES. parse: the inverse, strict:
 * ASZ_EFORMAT. */
void asz_vkey_format(char *ret_text, const char *origin, const uint8_t public_key[32]);
ASZ_MUST_CHECK int asz_vkey_parse(char *ret_origin /* ASZ_TLOG_ORIGIN_MAX + 1 */, uint8_t ret_public_key[32], const char *text);

struct asz_tlog;
/* asz_tlog_create makes an empty log with a signed checkpoint of size 0. asz_tlog_open continues one: checks the checkpoint with
 * key's public half and that the tiles hash to it. Both take the writer lock (ASZ_EAGAIN when held). */
ASZ_MUST_CHECK int asz_tlog_create(const char *dir, const char *origin, const struct asz_identity *key, struct asz_diag *diag);
ASZ_MUST_CHECK int asz_tlog_open(struct asz_tlog **ret_log, const char *dir, const struct asz_identity *key,
                                 struct asz_diag *diag);
/* asz_tlog_append queues one entry (1..65,535 bytes) and gives its index; asz_tlog_publish makes all queued entries durable and
 * signs the checkpoint over them. */
ASZ_MUST_CHECK int asz_tlog_append(struct asz_tlog *log, const void *entry, size_t size_bytes, uint64_t *ret_index);
ASZ_MUST_CHECK int asz_tlog_publish(struct asz_tlog *log, struct asz_diag *diag);
uint64_t asz_tlog_size(const struct asz_tlog *log);                   /* published */
const char *asz_tlog_checkpoint(const struct asz_tlog *log);          /* the published note, with the log's own signature alone */
void asz_tlog_root(const struct asz_tlog *log, uint8_t ret_root[32]); /* of the published tree */
/* asz_tlog_prove: inclusion path of a published entry in the published tree. */
ASZ_MUST_CHECK int asz_tlog_prove(struct asz_tlog *log, uint64_t index, uint8_t (*ret_path)[32], size_t *ret_count,
                                  struct asz_diag *diag);
void asz_tlog_close(struct asz_tlog *log);

/* Readers (assize-verify, `log verify`). */
/* asz_tlog_read_entry: one published entry, checked against nothing but the tile's framing; *ret_size bytes into ret_entry
 * (ASZ_TLOG_ENTRY_MAX). */
ASZ_MUST_CHECK int asz_tlog_read_entry(const char *dir, uint64_t tree_size, uint64_t index, uint8_t *ret_entry, size_t *ret_size,
                                       struct asz_diag *diag);
/* asz_tlog_head: the published checkpoint, its signature checked. */
ASZ_MUST_CHECK int asz_tlog_head(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint,
                                 struct asz_diag *diag);
/* asz_tlog_published: the same, with the note (to be freed with free) and all its signature lines; only the log's is checked. */
ASZ_MUST_CHECK int asz_tlog_published(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint,
                                      char **ret_note, struct asz_diag *diag);
/* asz_tlog_prove_dir: asz_tlog_prove without the writer's lock, while it writes or not: the published checkpoint (*ret_note, to
 * be freed with free), its signature checked, and the path of an entry in it. */
ASZ_MUST_CHECK int asz_tlog_prove_dir(const char *dir, const uint8_t public_key[32], uint64_t index,
                                      struct asz_checkpoint *ret_checkpoint, char **ret_note, uint8_t (*ret_path)[32],
                                      size_t *ret_count, struct asz_diag *diag);
/* asz_tlog_read_proven: one entry of the tree of a checkpoint that was checked, proved to be in it. ASZ_ENOENT, ASZ_EAUTH. */
ASZ_MUST_CHECK int asz_tlog_read_proven(const char *dir, const struct asz_checkpoint *head, uint64_t index, uint8_t *ret_entry,
                                        size_t *ret_size, struct asz_diag *diag);
/* asz_tlog_extends: the tree of `head`, whose tiles DIR holds, starts with that of `old`; both were checked. ASZ_EAUTH. */
ASZ_MUST_CHECK int asz_tlog_extends(const char *dir, const struct asz_checkpoint *old, const struct asz_checkpoint *head,
                                    struct asz_diag *diag);
/* asz_tlog_verify: reads the checkpoint, checks its signature, re-hashes every entry and every tile up to the root. ASZ_EAUTH /
 * ASZ_EFORMAT / ASZ_EIO with a line that names the file. public_key NULL: everything but the signature, so that the caller must
 * say that nobody vouches for the result. */
ASZ_MUST_CHECK int asz_tlog_verify(const char *dir, const uint8_t public_key[32], struct asz_checkpoint *ret_checkpoint,
                                   struct asz_diag *diag);

/* asz_tlog_fsck: asz_tlog_verify, every other file below tile/, and, unless NULL, that `known` (checked) is an earlier checkpoint
 * of this log. *ret_note: the published checkpoint, to be freed with free. */
struct asz_tlog_fsck {
  struct asz_checkpoint head;
  uint64_t files;     /* tiles and bundles, partial ones of earlier sizes included */
  uint64_t leftovers; /* what no checkpoint covers: of a publish under way or cut off, which the next ones overwrite; strangers */
};
ASZ_MUST_CHECK int asz_tlog_fsck(const char *dir, const uint8_t public_key[32], const struct asz_checkpoint *known,
                                 struct asz_tlog_fsck *ret_report, char **ret_note, struct asz_diag *diag);

#endif
