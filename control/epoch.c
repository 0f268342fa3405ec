/* SPDX-License-Identifier: Apache-2.0 */
#include "control/epoch.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/epoch_internal.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/base/log.h"

static int load_score(struct asz_epochs *e, int64_t row, struct asz_score *ret_score, struct asz_diag *diag) {
  struct asz_score_row newest;
  int err = asz_store_score_newest(e->store, row, &newest, diag);
  if (!err)
    *ret_score = newest.score;
  return err == ASZ_ENOENT ? 0 : err; /* never scored yet: all zero */
}

static int load_states(struct asz_epochs *e, struct asz_diag *diag) {
  for (uint32_t i = 0; i < e->roster->count; i++) {
    struct asz_epochs_entry *entry = &e->entry[i];
    int64_t row = e->roster->provider[i].row;
    int err = asz_store_state_load(e->store, row, &entry->state, &entry->history, diag);
    if (!err)
      err = asz_store_eprocess_start(e->store, row, &entry->slot_start, diag);
    if (!err)
      err = load_score(e, row, &entry->score, diag);
    if (err)
      return err;
    uint64_t slot_next = entry->slot_start + entry->state.eprocess.slots;
    if (entry->slot_start && slot_next - 1 > e->slot_last)
      e->slot_last = slot_next - 1;
  }
  return 0;
}

int asz_epochs_new(struct asz_epochs **ret_epochs, const struct asz_config *config, const struct asz_identity *key,
                   struct asz_store *store, struct asz_tlog *log, const char *log_dir, struct asz_roster *roster,
                   struct asz_diag *diag) {
  struct asz_epochs *e = calloc(1, sizeof *e);
  if (!e)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for epochs");
  size_t count = (size_t)roster->count + 1; /* never an empty allocation */
  e->config = config;
  e->key = key;
  e->store = store;
  e->log = log;
  e->log_dir = log_dir;
  e->roster = roster;
  asz_config_hash(config, e->params_hash);
  e->entry = calloc(count, sizeof *e->entry);
  e->sent = calloc(count, sizeof *e->sent);
  for (unsigned i = 0; i < 2; i++)
    e->rtt_ns[i] = calloc(count, sizeof *e->rtt_ns[i]);
  e->report = calloc(count, ASZ_RECORD_BYTES);
  e->leaf = calloc(count, sizeof *e->leaf);
  e->node = calloc(count, sizeof *e->node); /* a tree has fewer inner nodes than leaves */
  int err = e->entry && e->sent && e->rtt_ns[0] && e->rtt_ns[1] && e->report && e->leaf && e->node
                ? load_states(e, diag)
                : asz_diag_set(diag, ASZ_ENOMEM, "no memory for %u providers", roster->count);
  if (!err)
    err = asz_config_rtt_targets(config, "configuration", &e->targets, diag);
  if (err) {
    asz_epochs_free(e);
    return err;
  }
  *ret_epochs = e;
  return 0;
}

void asz_epochs_free(struct asz_epochs *e) {
  if (!e)
    return;
  for (size_t i = 0; i < e->transcript_count; i++)
    free(e->transcript[i].bytes);
  free(e->transcript);
  free(e->entry);
  free(e->sent);
  free(e->rtt_ns[0]);
  free(e->rtt_ns[1]);
  free(e->report);
  free(e->leaf);
  free(e->node);
  free(e);
}

/* spend_number takes the next epoch number out of the store for good. */
static int spend_number(struct asz_epochs *e, uint32_t *ret_number, struct asz_diag *diag) {
  char text[16];
  uint32_t number = 1;
  int err = asz_store_meta_get(e->store, "next_epoch", text, sizeof text, diag);
  if (!err)
    number = (uint32_t)strtoul(text, NULL, 10);
  else if (err != ASZ_ENOENT)
    return err;
  if (number == 0 || number == UINT32_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "store: next_epoch: expected 1..4294967294, got \"%s\"", text);
  snprintf(text, sizeof text, "%u", number + 1);
  err = asz_store_begin(e->store, diag);
  if (!err)
    err = asz_store_meta_set(e->store, "next_epoch", text, diag);
  if (!err)
    err = asz_store_commit(e->store, diag);
  if (err) {
    asz_store_rollback(e->store);
    return err;
  }
  *ret_number = number;
  return 0;
}

static void make_beacon(const struct asz_epochs *e, uint32_t number, uint8_t ret_beacon[32]) {
  uint8_t root[32], number_be[4];
  asz_tlog_root(e->log, root);
  asz_be32_store(number_be, number);
  const struct asz_hash_part part[] = {ASZ_HASH_TEXT("assize/1/beacon"), {root, sizeof root}, {number_be, sizeof number_be}};
  asz_hash(ret_beacon, NULL, 0, part, sizeof part / sizeof part[0]);
}

/* What the log says of everybody's latency when an epoch opens. */
static const uint32_t *note_rtts(struct asz_epochs *e, uint32_t epoch) {
  uint32_t *rtt_ns = e->rtt_ns[epoch & 1];
  for (uint32_t i = 0; i < e->roster->count; i++)
    rtt_ns[i] = asz_score_record_rtt(&e->entry[i].score);
  return rtt_ns;
}

int asz_epochs_open(struct asz_epochs *e, struct asz_epoch *ret_epoch, struct asz_diag *diag) {
  struct asz_epoch epoch = {0};
  int err = spend_number(e, &epoch.number, diag);
  if (err)
    return err;
  epoch.opened_ns = asz_clock_now_ns();
  randombytes_buf(epoch.secret, sizeof epoch.secret);
  make_beacon(e, epoch.number, epoch.beacon);
  uint8_t commitment[32];
  asz_epoch_commitment(commitment, epoch.number, epoch.secret);
  uint8_t *bytes = malloc(ASZ_TLOG_ENTRY_MAX);
  if (!bytes)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a log entry");
  size_t size =
      asz_entry_epoch_open(bytes, epoch.number, commitment, epoch.beacon, e->params_hash, e->roster->root, epoch.opened_ns);
  err = asz_tlog_append(e->log, bytes, size, &epoch.open_index);
  free(bytes);
  if (err)
    return asz_diag_set(diag, err, "%s: cannot append the opening of epoch %u: %s", e->log_dir, epoch.number, asz_err_str(err));
  err = asz_tlog_publish(e->log, diag);
  if (err)
    return err;
  epoch.session = asz_roster_epoch(e->roster, epoch.number);
  epoch.rtt_ns = note_rtts(e, epoch.number);
  *ret_epoch = epoch;
  return 0;
}

int asz_epochs_transcript_keep(struct asz_epochs *e, const struct asz_outcome *o) {
  size_t size_bytes = asz_exchange_bytes(&o->exchange);
  if (size_bytes > ASZ_KEPT_MAX_BYTES - e->kept_bytes)
    return ASZ_ENOMEM;
  if (e->transcript_count == e->transcript_capacity) {
    size_t capacity = e->transcript_capacity ? 2 * e->transcript_capacity : 64;
    struct asz_kept_transcript *grown = realloc(e->transcript, capacity * sizeof *grown);
    if (!grown)
      return ASZ_ENOMEM;
    e->transcript = grown;
    e->transcript_capacity = capacity;
  }
  uint8_t *bytes = malloc(size_bytes);
  if (!bytes)
    return ASZ_ENOMEM;
  e->kept_bytes += size_bytes;
  e->transcript[e->transcript_count++] = (struct asz_kept_transcript){
      .row =
          {
              .provider_row = e->roster->provider[o->provider].row,
              .epoch = o->epoch,
              .slot = o->slot,
              .kind = o->kind,
              .verdict = o->verdict,
              .tx_ns = o->tx_ns,
              .rx_ns = o->rx_ns,
              .clock_error_ns = o->clock_error_ns,
              .exchange = asz_exchange_copy(bytes, &o->exchange),
          },
      .provider = o->provider,
      .bytes = bytes,
  };
  return 0;
}

/* Every wrong answer that can be proved is kept, whatever is not an answer at all, and of the right ones those whose nonce starts
 * with six zero bits, twelve where there are openings, which are a hundred times larger: a sample of 1 in 64 or 4,096 that the
 * provider cannot foresee and anyone can check. */
static bool is_kept(const struct asz_outcome *o) {
  enum { NONCE_AT = 64 };
  const struct asz_span *piece = o->exchange.piece;
  if (piece[ASZ_PIECE_ANSWER].size_bytes == 0)
    return false;
  if (o->verdict == ASZ_VERDICT_FAIL)
    return asz_exchange_provable(&o->exchange);
  unsigned zeros = piece[ASZ_PIECE_OPENING].size_bytes ? 12 : 6;
  return o->verdict != ASZ_VERDICT_PASS || asz_be16_load(piece[ASZ_PIECE_CHALLENGE].data + NONCE_AT) >> (16 - zeros) == 0;
}

static int keep(struct asz_epochs *e, const struct asz_outcome *o) {
  struct asz_outcome kept = *o;
  if (o->verdict != ASZ_VERDICT_PASS && o->verdict != ASZ_VERDICT_FAIL) /* openings that prove nothing take no memory */
    kept.exchange.piece[ASZ_PIECE_OPENING].size_bytes = 0;
  return asz_epochs_transcript_keep(e, &kept);
}

/* What a right answer says about speed. */
static void add_performance(struct asz_performance *p, const struct asz_outcome *o) {
  uint32_t *const folds[] = {[ASZ_FOLD_PACE_NONE] = &p->folds_untimed,
                             [ASZ_FOLD_PACE_IN_BOUNDS] = &p->folds_in_bounds,
                             [ASZ_FOLD_PACE_TOO_SLOW] = &p->folds_too_slow,
                             [ASZ_FOLD_PACE_TOO_FAST] = &p->folds_too_fast};
  const bool is_fold = asz_param_is_fold(o->kind, o->param);
  if (o->kind <= ASZ_KIND_SINGLE_MAX)
    return;
  if (is_fold) {
    ++*folds[o->pace];
    p->arena_bytes = asz_mem_arena_bytes(asz_param_preset(o->param));
    p->claimed_bytes_ps = o->claimed_bytes_ps;
  }
  if (o->is_timed)
    asz_work_times_add(is_fold ? &p->fold : o->kind == ASZ_KIND_MEM ? &p->build : &p->product, o->took_ns);
}

void asz_epochs_outcome(void *context, const struct asz_outcome *o) {
  struct asz_epochs *e = context;
  struct asz_epochs_entry *entry = &e->entry[o->provider];
  bool kept = is_kept(o);
  if (kept && keep(e, o)) {
    /* Without its transcript nothing can be proved: our fault, so not the provider's. */
    if (e->transcripts_lost++ == 0)
      asz_log(ASZ_LOG_WARN, "no memory for a transcript of %s, and perhaps of others: unjudged",
              e->roster->provider[o->provider].name);
    entry->answers.unjudged++;
    return;
  }
  switch ((enum asz_verdict)o->verdict) {
  case ASZ_VERDICT_PASS:
    entry->answers.pass++;
    entry->slow |= o->pace == ASZ_FOLD_PACE_TOO_SLOW;
    add_performance(&entry->performance, o);
    break;
  case ASZ_VERDICT_FAIL:
    entry->answers.fail++;
    entry->wrong |= kept;
    break;
  case ASZ_VERDICT_MALFORMED:
    entry->answers.malformed++;
    break;
  case ASZ_VERDICT_NONE:
    entry->answers.missing++;
    break;
  case ASZ_VERDICT_UNJUDGED:
    entry->answers.unjudged++;
    break;
  }
}

/* step_to advances one e-process to and including `slot`. Slots that passed without us count as right answers: that can only
 * delay a slash. Once fired it stands still: the provider is in quarantine until the recommendation is decided. */
static void step_to(struct asz_epochs_entry *entry, uint64_t slot) {
  struct asz_eprocess *process = &entry->state.eprocess;
  if (asz_eprocess_fired(process))
    return;
  if (entry->slot_start == 0 || slot - entry->slot_start >= 2 * (uint64_t)ASZ_EPROCESS_SLOTS) {
    asz_eprocess_init(process);
    entry->slot_start = slot;
  }
  for (uint64_t next = entry->slot_start + process->slots; next <= slot; next++) {
    if (process->slots == ASZ_EPROCESS_SLOTS) { /* a new year */
      asz_eprocess_init(process);
      entry->slot_start = next;
    }
    asz_eprocess_step(process, entry->wrong && next == slot);
  }
}

/* The process of paces counts the slots in which we ran: its bound needs no calendar, since no evidence replays it, and nothing
 * follows from it by itself, so it never stands still. */
static void provider_slot_done(struct asz_epochs_entry *entry, uint64_t slot) {
  step_to(entry, slot);
  asz_eprocess_step(&entry->state.pace, entry->slow);
}

void asz_epochs_slot_done(struct asz_epochs *e, uint64_t slot) {
  assert(slot > e->slot_last);
  e->slot_last = slot;
  for (uint32_t i = 0; i < e->roster->count; i++) {
    if (asz_provider_has_key(&e->roster->provider[i]) && !e->roster->provider[i].control)
      provider_slot_done(&e->entry[i], slot);
    e->entry[i].wrong = e->entry[i].slow = false;
  }
}

uint64_t asz_epochs_slot_last(const struct asz_epochs *e) {
  return e->slot_last;
}

const struct asz_score *asz_epochs_score(const struct asz_epochs *e, uint32_t index) {
  assert(index < e->roster->count);
  return &e->entry[index].score;
}

bool asz_epochs_slashed_s1(const struct asz_epochs *e, uint32_t index) {
  assert(index < e->roster->count);
  return e->entry[index].history.s1_open;
}
