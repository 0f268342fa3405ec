/* SPDX-License-Identifier: Apache-2.0 */
/* When in a round what is asked. A provider's machine has one thing to do at a time, or its times say nothing:
 *
 *   HELLO, where it is not known who consents | gemm | builds of arenas | folds | the reveal: openings, and seq
 *
 * Each of the three in the middle has a window over which its groups are spread, and after that the time until its last answer
 * is in or late; one that nobody is asked takes no time. sig costs microseconds and may come in all of them. The windows of what
 * is committed to share half of a round's spare time, seq has the other half. The reveal is one for all, so it waits for the
 * folds as well. */
#include <stdlib.h>

#include "control/pipeline_internal.h"

struct window {
  uint64_t start_ns, length_ns;
};

static enum asz_phase phase_of(uint8_t kind, uint8_t param) {
  return kind == ASZ_KIND_GEMM ? ASZ_PHASE_GEMM : asz_param_is_fold(kind, param) ? ASZ_PHASE_FOLD : ASZ_PHASE_BUILD;
}

enum asz_phase asz_pipeline_phase(const struct asz_pipeline *p, uint32_t index) {
  return phase_of(p->kind[index % p->kind_count], p->item[index].param);
}

static uint64_t phase_deadline_ns(const struct asz_pipeline *p, enum asz_phase phase) {
  return phase == ASZ_PHASE_GEMM    ? p->config.gemm_deadline_ns
         : phase == ASZ_PHASE_BUILD ? p->config.build_deadline_ns
                                    : p->config.fold_deadline_ns;
}

uint64_t asz_pipeline_deadline_ns(const struct asz_pipeline *p, uint32_t index) {
  uint8_t kind = p->kind[index % p->kind_count];
  return kind <= ASZ_KIND_SINGLE_MAX ? p->config.deadline_ns : phase_deadline_ns(p, asz_pipeline_phase(p, index));
}

/* Sending so many datagrams to everybody. */
static uint64_t sending_ns(const struct asz_pipeline *p, unsigned datagrams) {
  return (uint64_t)p->member_count * datagrams * (UINT64_C(1000000000) / p->config.rate_ps);
}

/* The kind and a sig, until the last one is late. */
static uint64_t phase_ns(const struct asz_pipeline *p, enum asz_phase phase) {
  return sending_ns(p, 2) + phase_deadline_ns(p, phase) + ASZ_SETTLE_NS;
}

/* A challenge that waits for a WELCOME leaves this late. */
static uint64_t hello_phase_ns(const struct asz_pipeline *p) {
  return sending_ns(p, 1) + p->config.deadline_ns;
}

/* seq, and until all openings are there: all at once, or a second a batch where they are many. */
static uint64_t open_phase_ns(const struct asz_pipeline *p) {
  unsigned opened = (p->config.gemm_preset != 0) + (p->config.mem_preset != 0);
  uint64_t batches = (uint64_t)p->member_count * opened / ASZ_FETCH_MAX;
  uint64_t opening_ns = p->config.opening_deadline_ns + batches * UINT64_C(1000000000);
  uint64_t seq_ns = sending_ns(p, 1) + p->config.deadline_ns;
  return (opening_ns > seq_ns ? opening_ns : seq_ns) + ASZ_SETTLE_NS;
}

uint64_t asz_pipeline_round_ns(const struct asz_pipeline *p) {
  if (!p->fetch)
    return sending_ns(p, p->kind_count) + p->config.deadline_ns + ASZ_SETTLE_NS;
  uint64_t sum_ns = hello_phase_ns(p) + open_phase_ns(p);
  if (p->config.gemm_preset)
    sum_ns += phase_ns(p, ASZ_PHASE_GEMM);
  if (p->config.mem_preset)
    sum_ns += phase_ns(p, ASZ_PHASE_BUILD) + phase_ns(p, ASZ_PHASE_FOLD);
  return sum_ns;
}

/* Is anybody going to be asked in this phase, as far as is known? */
static bool is_asked(const struct asz_pipeline *p, enum asz_phase phase) {
  uint8_t kind = phase == ASZ_PHASE_GEMM ? ASZ_KIND_GEMM : ASZ_KIND_MEM;
  for (uint32_t i = 0; i < p->member_count; i++) {
    uint32_t index = asz_pipeline_index(p, p->member[i].index, kind);
    if (index != ASZ_ITEM_NONE && asz_pipeline_phase(p, index) == phase && asz_pipeline_consent(p, index) != 0)
      return true;
  }
  return false;
}

/* Fills ret_window[ASZ_PHASES]; returns when the last answer is in or late, from the round's begin. */
static uint64_t lay_out(const struct asz_pipeline *p, struct window *ret_window, uint64_t spare_ns) {
  bool asked[ASZ_PHASES];
  unsigned count = 0;
  for (enum asz_phase phase = 0; phase < ASZ_PHASES; phase++)
    count += asked[phase] = is_asked(p, phase);
  uint64_t share_ns = count ? spare_ns / 2 / count : 0, at_ns = 0;
  uint64_t hello_ns = asz_pipeline_all_enrolled(p) ? 0 : p->config.deadline_ns; /* goes before the first one */
  for (enum asz_phase phase = 0; phase < ASZ_PHASES; phase++) {
    uint64_t wait_ns = hello_ns < share_ns ? hello_ns : share_ns;
    ret_window[phase] = (struct window){at_ns + wait_ns, share_ns - wait_ns};
    if (!asked[phase])
      continue;
    at_ns += share_ns + phase_ns(p, phase) + (hello_ns ? hello_phase_ns(p) : 0);
    hello_ns = 0;
  }
  return at_ns;
}

/* Adds a kind's agenda; of mem who builds is due in the window of builds, whatever the kind's is. */
static void add_kind(struct asz_pipeline *p, unsigned k, const struct window *window, const struct window *phases) {
  struct asz_agenda_entry *entry = p->entry + p->entry_count;
  asz_agenda_make(entry, p->member, p->member_count, p->secret, p->kind[k], p->slot, window->length_ns, p->scratch);
  for (uint32_t i = 0; i < p->member_count; i++) {
    entry[i].index = entry[i].index * p->kind_count + k;
    entry[i].group = entry[i].group * p->kind_count + k;
    bool builds = p->kind[k] == ASZ_KIND_MEM && asz_pipeline_phase(p, entry[i].index) == ASZ_PHASE_BUILD;
    entry[i].due_ns += builds ? phases[ASZ_PHASE_BUILD].start_ns : window->start_ns;
  }
  p->entry_count += p->member_count;
}

/* The agendas of all kinds in one list, whose groups keep apart. */
void asz_pipeline_plan(struct asz_pipeline *p, uint64_t spare_ns) {
  struct window phases[ASZ_PHASES] = {{0, 0}}, whole = {0, spare_ns};
  uint64_t half_ns = spare_ns / 2, commits_ns = p->fetch ? lay_out(p, phases, spare_ns) : 0;
  const struct window sig = p->fetch ? (struct window){0, half_ns} : whole;
  const struct window seq = p->fetch ? (struct window){commits_ns, spare_ns - half_ns} : whole;
  p->reveal_ns = p->begin_ns + commits_ns;
  p->entry_count = 0;
  for (unsigned k = 0; k < p->kind_count; k++)
    add_kind(p, k,
             p->kind[k] == ASZ_KIND_SIG    ? &sig
             : p->kind[k] == ASZ_KIND_SEQ  ? &seq
             : p->kind[k] == ASZ_KIND_GEMM ? &phases[ASZ_PHASE_GEMM]
                                           : &phases[ASZ_PHASE_FOLD],
             phases);
  qsort(p->entry, p->entry_count, sizeof *p->entry, asz_agenda_by_due);
}
