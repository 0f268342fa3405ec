/* SPDX-License-Identifier: Apache-2.0 */
/* forge: evidence for tests, true or false. forge_wrong and forge_silent lay out a valid case in parts; a test bends a part and
 * calls the makers behind it again: forge_ask (challenges and answers) -> forge_log (the log below the bundle) -> forge_bundle
 * (the accuser's signature) -> forge_entry (what the log says about it) -> forge_envelope. Everything is in memory and from fixed
 * seeds.
 */
#ifndef ASZ_TESTS_CONTROL_EVIDENCE_FORGE_H
#define ASZ_TESTS_CONTROL_EVIDENCE_FORGE_H

#include "control/evidence/entry.h"
#include "control/evidence/evidence.h"
#include "control/score/score.h"
#include "gpu/prove/prove.h"

enum { FORGE_TRANSCRIPTS = 24, FORGE_WRONG = 4, FORGE_LOG = 12, FORGE_SLOT = 1000 };

struct forge_log {
  uint8_t leaf[FORGE_LOG][32];
  uint64_t size;
};

struct forge {
  struct asz_identity validator, provider, stranger;
  struct asz_evidence evidence;
  struct asz_transcript transcript[FORGE_TRANSCRIPTS];
  struct asz_challenge challenge[FORGE_TRANSCRIPTS]; /* nonce and beacon: derived by forge_ask */
  enum asz_prove_mode mode[FORGE_TRANSCRIPTS];
  struct asz_epoch_open open[2]; /* the two epochs of the case */
  uint8_t secret[2][32];
  uint8_t datagram[FORGE_TRANSCRIPTS][2][ASZ_ANSWER_MAX_BYTES];
  uint8_t open_entry[2][256];
  size_t open_entry_bytes[2];
  uint8_t record[3][ASZ_RECORD_BYTES]; /* S3: a report of three; ours is the second */
  struct asz_epoch_close close;
  uint8_t close_entry[256];
  struct forge_log log; /* the bundle's; the envelope's continues it */
  char base_note[ASZ_TLOG_CHECKPOINT_MAX];
  uint8_t *bundle;
  size_t bundle_bytes;
  uint8_t entry[256];
  size_t entry_bytes;
  struct asz_inclusion inclusion;
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  uint8_t *file;
  size_t file_bytes;
};

void forge_wrong(struct forge *ret_forge);  /* S1: four wrong answers in two epochs; everything up to the envelope is made */
void forge_silent(struct forge *ret_forge); /* S3 */
void forge_free(struct forge *forge);

void forge_ask(struct forge *forge);
void forge_piece(struct asz_transcript *transcript, enum asz_piece piece, const uint8_t *data, size_t size_bytes);
void forge_log_write(struct forge *forge);
void forge_bundle(struct forge *forge);
/* forge_bundle_of signs any body with any key. */
void forge_bundle_of(struct forge *forge, const uint8_t *body, size_t body_bytes, const struct asz_identity *accuser);
void forge_entry(struct forge *forge);
void forge_log_entry(struct forge *forge); /* logs forge->entry: inclusion and checkpoint */
void forge_envelope(struct forge *forge);
void forge_note(char *ret_note, const struct forge_log *log, const char *origin, const struct asz_identity *key);

/* forge_finish: everything behind forge_ask. forge_check: the outcome, with the failing check's name in ret_failed (64 bytes). */
void forge_finish(struct forge *forge);
enum asz_evidence_outcome forge_check(const struct forge *forge, char *ret_failed, struct asz_diag *ret_diag);

#endif
