/* SPDX-License-Identifier: Apache-2.0 */
/* Which work is kept, which gives way. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/works.h"

static struct asz_works *works;
static uint64_t gemm_bytes, mem_bytes;

static void setup(void) {
  gemm_bytes = asz_works_bytes(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1);
  mem_bytes = asz_works_bytes(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1);
}

static void teardown(void) {
  asz_works_free(works);
}

TestSuite(works, .init = setup, .fini = teardown);

static struct asz_challenge challenge_of(unsigned kind, unsigned param, uint8_t validator, uint64_t slot) {
  return (struct asz_challenge){
      .kind = (uint8_t)kind, .param = (uint8_t)param, .epoch = 1, .slot = slot, .validator_id = {validator}};
}

static struct asz_open open_of(const struct asz_challenge *challenge) {
  struct asz_open open = {.kind = challenge->kind, .param = challenge->param, .epoch = challenge->epoch, .slot = challenge->slot};
  memcpy(open.validator_id, challenge->validator_id, sizeof open.validator_id);
  return open;
}

static int begin(const struct asz_challenge *challenge, uint64_t now_ns, struct asz_work **ret_work) {
  return asz_works_begin(works, challenge, now_ns, ret_work);
}

static struct asz_work *do_all(const struct asz_challenge *challenge, uint64_t now_ns) {
  struct asz_work *work = NULL;
  cr_assert_eq(begin(challenge, now_ns, &work), 0);
  asz_works_answered(work, challenge);
  return work;
}

static bool kept(const struct asz_challenge *challenge, uint64_t now_ns) {
  const struct asz_open open = open_of(challenge);
  struct asz_work *work;
  return asz_works_find(works, &open, now_ns, &work) != NULL;
}

Test(works, what_does_not_fit_is_refused)
{
  struct asz_work *work;
  const struct asz_challenge gemm = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 1);
  const struct asz_challenge build = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, 1);
  cr_assert_eq(asz_works_new(&works, gemm_bytes - 1, 1), 0);
  cr_assert_eq(begin(&gemm, 0, &work), ASZ_ENOMEM);
  cr_assert_eq(begin(&build, 0, &work), ASZ_ENOMEM);
}

Test(works, the_commit_used_longest_ago_gives_way_but_not_with_a_job_in_flight)
{
  cr_assert_eq(asz_works_new(&works, 2 * gemm_bytes, 1), 0);
  const struct asz_challenge first = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 1);
  const struct asz_challenge second = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 2);
  const struct asz_challenge third = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 3);
  do_all(&first, 1);
  do_all(&second, 2);
  cr_assert(kept(&first, 3), "and used by this");
  struct asz_work *busy = NULL, *other = NULL;
  cr_assert_eq(begin(&third, 4, &busy), 0);
  cr_assert(!kept(&second, 5));
  cr_assert(!kept(&third, 5), "not answered yet");
  const struct asz_challenge fourth = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 4);
  const struct asz_challenge fifth = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 5);
  cr_assert_eq(begin(&fourth, 6, &other), 0);
  cr_assert(!kept(&first, 6));
  cr_assert_eq(begin(&fifth, 7, &other), ASZ_ENOMEM, "both are being worked on");
  asz_works_answered(busy, &third);
  cr_assert(kept(&third, 8));
}

Test(works, an_open_must_name_the_very_challenge)
{
  cr_assert_eq(asz_works_new(&works, 2 * gemm_bytes, 1), 0);
  const struct asz_challenge asked = challenge_of(ASZ_KIND_GEMM, ASZ_GEMM_PRESET_TINY, 1, 1);
  do_all(&asked, 1);
  for (unsigned field = 0; field < 6; field++) {
    struct asz_challenge other = asked;
    other.kind = field == 0 ? ASZ_KIND_MEM : other.kind;
    other.epoch += field == 1;
    other.slot += field == 2;
    other.device += field == 3;
    other.validator_id[7] ^= field == 4;
    struct asz_open open = open_of(&other);
    open.device = other.device;
    open.nonce[0] ^= field == 5;
    struct asz_work *work;
    cr_assert_null(asz_works_find(works, &open, 2, &work), "field %u", field);
  }
}

Test(works, an_arena_is_replaced_by_its_validator_alone)
{
  cr_assert_eq(asz_works_new(&works, 2 * mem_bytes, 1), 0);
  struct asz_work *work;
  const struct asz_challenge mine = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, 1);
  const struct asz_challenge mine_again = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, 2);
  const struct asz_challenge theirs = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 2, 1);
  const struct asz_challenge thirds = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 3, 1);
  do_all(&mine, 1);
  do_all(&theirs, 1);
  cr_assert_eq(asz_works_free_bytes(works, thirds.validator_id, thirds.device), 0);
  cr_assert_eq(asz_works_free_bytes(works, mine.validator_id, mine.device), mem_bytes, "its own gives way");
  cr_assert_eq(asz_works_free_bytes(works, mine.validator_id, mine.device + 1), 0);
  cr_assert_eq(begin(&thirds, 2, &work), ASZ_ENOMEM);
  do_all(&mine_again, 3);
  cr_assert(kept(&mine_again, 4) && !kept(&mine, 4) && kept(&theirs, 4));
  cr_assert_eq(begin(&thirds, 4 + ASZ_WORKS_IDLE_NS - 1, &work), ASZ_ENOMEM);
  cr_assert_eq(begin(&thirds, 4 + ASZ_WORKS_IDLE_NS, &work), 0, "one of them is gone for two hours");
  asz_works_refused(works, work);
}

Test(works, a_fold_needs_an_arena_of_its_validator_preset_and_epoch)
{
  cr_assert_eq(asz_works_new(&works, 2 * mem_bytes, 1), 0);
  struct asz_work *work, *arena;
  const struct asz_challenge build = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, 1);
  struct asz_challenge fold = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD, 1, 2);
  cr_assert_eq(begin(&fold, 1, &work), ASZ_ENOENT);
  cr_assert_eq(begin(&build, 1, &arena), 0);
  cr_assert_eq(begin(&fold, 1, &work), ASZ_EAGAIN, "it is being built");
  cr_assert_eq(begin(&build, 1, &work), ASZ_EAGAIN);
  asz_works_answered(arena, &build);
  fold.validator_id[0] = 2;
  cr_assert_eq(begin(&fold, 2, &work), ASZ_ENOENT);
  fold.validator_id[0] = 1;
  fold.epoch = 2;
  cr_assert_eq(begin(&fold, 2, &work), ASZ_ENOENT);
  fold.epoch = 1;
  fold.param = ASZ_GEMM_PRESET_CPU | ASZ_MEM_FOLD;
  cr_assert_eq(begin(&fold, 2, &work), ASZ_ENOENT);
  fold.param = ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD;
  cr_assert_eq(begin(&fold, 2, &work), 0);
  cr_assert_eq(work, arena);
  asz_works_answered(work, &fold);
  cr_assert(kept(&build, 3) && kept(&fold, 3));
  const struct asz_challenge later = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY | ASZ_MEM_FOLD, 1, 3);
  cr_assert_eq(begin(&later, 4, &work), 0);
  cr_assert(!kept(&fold, 4), "its folds are about to be overwritten");
  asz_works_refused(works, work);
  cr_assert(kept(&build, 5), "the arena is still there");
}

Test(works, a_build_that_is_too_large_leaves_the_arena_before)
{
  cr_assert_eq(asz_works_new(&works, 2 * mem_bytes, 1), 0);
  struct asz_work *work;
  const struct asz_challenge build = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_TINY, 1, 1);
  const struct asz_challenge larger = challenge_of(ASZ_KIND_MEM, ASZ_GEMM_PRESET_CPU, 1, 2);
  do_all(&build, 1);
  cr_assert_eq(begin(&larger, 2, &work), ASZ_ENOMEM);
  cr_assert(kept(&build, 3));
}
