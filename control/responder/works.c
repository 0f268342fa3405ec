/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/works.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/log.h"

struct asz_works {
  struct asz_work work[ASZ_WORKS_MAX]; /* free: memory is NULL */
  uint64_t budget_bytes, used_bytes, arena_bytes;
  unsigned threads;
  asz_prove_device_open_fn *open; /* NULL: the CPU alone */
  bool said_full;
};

static size_t aligned(size_t bytes) {
  return (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES;
}

static size_t prover_bytes(unsigned kind, unsigned preset, unsigned threads) {
  return aligned(kind == ASZ_KIND_GEMM ? asz_prove_gemm_footprint(preset, threads) : asz_prove_mem_footprint(preset, threads));
}

static size_t blob_bytes(unsigned kind, unsigned param) {
  return aligned(asz_opening_total_bytes(kind, param, ASZ_OPENINGS_MAX));
}

size_t asz_works_bytes(unsigned kind, unsigned preset, unsigned threads) {
  const size_t fold_bytes = kind == ASZ_KIND_MEM ? blob_bytes(kind, preset | ASZ_MEM_FOLD) : 0;
  return prover_bytes(kind, preset, threads) + blob_bytes(kind, preset) + fold_bytes;
}

int asz_works_new(struct asz_works **ret_works, uint64_t budget_bytes, unsigned threads) {
  struct asz_works *works = calloc(1, sizeof *works);
  if (!works)
    return ASZ_ENOMEM;
  works->budget_bytes = budget_bytes;
  works->threads = threads;
  *ret_works = works;
  return 0;
}

void asz_works_use(struct asz_works *works, asz_prove_device_open_fn *open) {
  works->open = open;
}

static struct asz_prove_gemm *prover_of(const struct asz_work *work) {
  return work->gemm ? work->gemm : asz_prove_mem_gemm(work->mem);
}

static void attach_device(struct asz_works *works, struct asz_work *work, unsigned preset) {
  struct asz_prove_device device;
  struct asz_diag diag = {""};
  if (!works->open)
    return;
  if (works->open(&device, preset, work->mem != NULL, &diag) == 0) {
    asz_prove_gemm_attach(prover_of(work), &device);
  } else if (!works->said_full) {
    works->said_full = true;
    asz_log(ASZ_LOG_WARN, "what the device has no room for is proved on the CPU: %s", diag.text);
  }
}

/* The first device that failed is the last one that was opened. */
static void notice_failure(struct asz_works *works) {
  for (unsigned i = 0; works->open && i < ASZ_WORKS_MAX; i++) {
    const struct asz_work *work = &works->work[i];
    if (!work->memory || work->pins > 0 || asz_prove_gemm_failure(prover_of(work))[0] == '\0')
      continue;
    works->open = NULL;
    asz_log(ASZ_LOG_WARN, "gemm and mem are proved on the CPU from now on: %s", asz_prove_gemm_failure(prover_of(work)));
  }
}

static void free_work(struct asz_work *work) {
  if (work->memory)
    asz_prove_gemm_detach(prover_of(work));
  free(work->memory);
}

static void release(struct asz_works *works, struct asz_work *work) {
  assert(work->pins == 0);
  works->used_bytes -= work->bytes;
  works->arena_bytes -= work->mem ? work->bytes : 0;
  free_work(work);
  *work = (struct asz_work){.memory = NULL};
}

void asz_works_free(struct asz_works *works) {
  if (!works)
    return;
  for (unsigned i = 0; i < ASZ_WORKS_MAX; i++)
    free_work(&works->work[i]);
  free(works);
}

static bool may_give_way(const struct asz_work *work, uint64_t now_ns) {
  return work->memory && work->pins == 0 && (work->gemm || now_ns - work->used_ns >= ASZ_WORKS_IDLE_NS);
}

/* Takes the memory of the works used longest ago until there is room for so many bytes and a free place: it, or NULL. Nothing is
 * given up when that would not be enough. */
static struct asz_work *make_room(struct asz_works *works, size_t bytes, uint64_t now_ns) {
  uint64_t in_the_way = works->used_bytes;
  for (unsigned i = 0; i < ASZ_WORKS_MAX; i++)
    in_the_way -= may_give_way(&works->work[i], now_ns) ? works->work[i].bytes : 0;
  if (bytes > works->budget_bytes || in_the_way > works->budget_bytes - bytes)
    return NULL;
  for (;;) {
    struct asz_work *place = NULL, *victim = NULL;
    for (unsigned i = 0; i < ASZ_WORKS_MAX; i++) {
      struct asz_work *work = &works->work[i];
      if (!work->memory)
        place = work;
      else if (may_give_way(work, now_ns) && (!victim || work->used_ns < victim->used_ns))
        victim = work;
    }
    if (place && works->used_bytes + bytes <= works->budget_bytes)
      return place;
    if (!victim)
      return NULL;
    release(works, victim);
  }
}

static struct asz_work *make(struct asz_works *works, unsigned kind, unsigned preset, uint64_t now_ns) {
  const size_t bytes = asz_works_bytes(kind, preset, works->threads);
  struct asz_work *work = make_room(works, bytes, now_ns);
  uint8_t *memory = work ? aligned_alloc(ASZ_GEMM_ALIGN_BYTES, bytes) : NULL;
  if (!memory)
    return NULL;
  const struct asz_gemm_backend *backend = asz_gemm_backend_at(0);
  *work = (struct asz_work){.memory = memory, .bytes = bytes};
  if (kind == ASZ_KIND_GEMM)
    work->gemm = asz_prove_gemm_new(memory, preset, works->threads, backend);
  else
    work->mem = asz_prove_mem_new(memory, preset, works->threads, backend);
  attach_device(works, work, preset);
  work->answer[ASZ_WORK_BASE].blob = memory + prover_bytes(kind, preset, works->threads);
  work->answer[ASZ_WORK_FOLD].blob = work->answer[ASZ_WORK_BASE].blob + blob_bytes(kind, preset); /* mem */
  works->used_bytes += bytes;
  works->arena_bytes += work->mem ? bytes : 0;
  return work;
}

static bool is_arena_of(const struct asz_work *work, const uint8_t validator_id[8], uint32_t device) {
  const struct asz_challenge *asked = &work->answer[ASZ_WORK_BASE].asked;
  return work->mem && asked->device == device && memcmp(asked->validator_id, validator_id, sizeof asked->validator_id) == 0;
}

uint64_t asz_works_free_bytes(const struct asz_works *works, const uint8_t validator_id[8], uint32_t device) {
  uint64_t held_bytes = works->arena_bytes;
  for (unsigned i = 0; i < ASZ_WORKS_MAX; i++)
    held_bytes -= is_arena_of(&works->work[i], validator_id, device) ? works->work[i].bytes : 0; /* gives way to the next */
  return works->budget_bytes - held_bytes;
}

/* The arena of a challenge's validator and device. */
static struct asz_work *arena_of(struct asz_works *works, const struct asz_challenge *challenge) {
  for (unsigned i = 0; i < ASZ_WORKS_MAX; i++)
    if (is_arena_of(&works->work[i], challenge->validator_id, challenge->device))
      return &works->work[i];
  return NULL;
}

static int begin_fold(struct asz_works *works, const struct asz_challenge *challenge, struct asz_work **ret_work) {
  struct asz_work *arena = arena_of(works, challenge);
  if (!arena || (!arena->answer[ASZ_WORK_BASE].given && arena->pins == 0))
    return ASZ_ENOENT;
  if (arena->pins > 0)
    return ASZ_EAGAIN;
  const struct asz_challenge *build = &arena->answer[ASZ_WORK_BASE].asked;
  if (build->epoch != challenge->epoch || (build->param | ASZ_MEM_FOLD) != challenge->param)
    return ASZ_ENOENT;
  *ret_work = arena;
  return 0;
}

static int begin_build(struct asz_works *works, const struct asz_challenge *challenge, uint64_t now_ns,
                       struct asz_work **ret_work) {
  struct asz_work *arena = arena_of(works, challenge);
  if (arena && arena->pins > 0)
    return ASZ_EAGAIN;
  if (arena && arena->answer[ASZ_WORK_BASE].asked.param != challenge->param) {
    const uint64_t others_bytes = works->arena_bytes - arena->bytes;
    if (asz_works_bytes(ASZ_KIND_MEM, challenge->param, works->threads) > works->budget_bytes - others_bytes)
      return ASZ_ENOMEM; /* and the old one stays */
    release(works, arena);
    arena = NULL;
  }
  if (!arena)
    arena = make(works, ASZ_KIND_MEM, challenge->param, now_ns);
  *ret_work = arena;
  return arena ? 0 : ASZ_ENOMEM;
}

static void forget(struct asz_work_answer *answer) {
  answer->given = false;
  answer->opened = ASZ_OPENED_NOT;
}

int asz_works_begin(struct asz_works *works, const struct asz_challenge *challenge, uint64_t now_ns, struct asz_work **ret_work) {
  const enum asz_work_part part = asz_work_part_of(challenge->kind, challenge->param);
  struct asz_work *work = NULL;
  int err = 0;
  notice_failure(works);
  if (challenge->kind == ASZ_KIND_GEMM)
    err = (work = make(works, ASZ_KIND_GEMM, challenge->param, now_ns)) ? 0 : ASZ_ENOMEM;
  else if (part == ASZ_WORK_FOLD)
    err = begin_fold(works, challenge, &work);
  else
    err = begin_build(works, challenge, now_ns, &work);
  if (err)
    return err;
  forget(&work->answer[ASZ_WORK_FOLD]);
  if (part == ASZ_WORK_BASE)
    forget(&work->answer[ASZ_WORK_BASE]);
  work->answer[part].asked = *challenge;
  work->used_ns = now_ns;
  work->pins++;
  *ret_work = work;
  return 0;
}

void asz_works_answered(struct asz_work *work, const struct asz_challenge *challenge) {
  assert(work->pins >= 1); /* chunks of another part may be on their way, too */
  work->pins--;
  work->answer[asz_work_part_of(challenge->kind, challenge->param)].given = true;
}

void asz_works_refused(struct asz_works *works, struct asz_work *work) {
  assert(work->pins == 1);
  work->pins--;
  if (!work->answer[ASZ_WORK_BASE].given)
    release(works, work);
}

static bool is_of(const struct asz_work_answer *answer, const struct asz_open *open) {
  const struct asz_challenge *asked = &answer->asked;
  return answer->given && asked->kind == open->kind && asked->param == open->param && asked->epoch == open->epoch &&
         asked->slot == open->slot && asked->device == open->device &&
         memcmp(asked->nonce, open->nonce, sizeof asked->nonce) == 0 &&
         memcmp(asked->validator_id, open->validator_id, sizeof asked->validator_id) == 0;
}

struct asz_work_answer *asz_works_find(struct asz_works *works, const struct asz_open *open, uint64_t now_ns,
                                       struct asz_work **ret_work) {
  const enum asz_work_part part = asz_work_part_of(open->kind, open->param);
  for (unsigned i = 0; i < ASZ_WORKS_MAX; i++) {
    struct asz_work *work = &works->work[i];
    if (work->memory && is_of(&work->answer[part], open)) {
      work->used_ns = now_ns;
      *ret_work = work;
      return &work->answer[part];
    }
  }
  return NULL;
}
