/* SPDX-License-Identifier: Apache-2.0 */
/* On what gemm and mem are proved: the choice at the start, and works with a device, which is an emulated one here. */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/prover.h"
#include "control/responder/works.h"
#include "tests/gpu/prove/emulated.h"

enum { TINY = ASZ_GEMM_PRESET_TINY };

static struct asz_diag diag;

static int choose(const char *name, enum asz_emulated_fault fault, asz_prove_device_open_fn **ret_open) {
  const struct asz_options options = {.prover = name};
  diag.text[0] = '\0';
  asz_emulated_fault = fault;
  return asz_prover_choose(ret_open, &options, asz_emulated_open, &diag);
}

Test(prover, other_names_are_refused)
{
  const char *const wrong[] = {"gpu", "CUDA", "cpu ", ""};
  for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    const struct asz_options options = {.prover = wrong[i]};
    cr_assert_eq(asz_prover_check(&options, &diag), ASZ_EINVAL, "'%s'", wrong[i]);
    cr_assert_not_null(strstr(diag.text, "--prover: expected auto, cpu or cuda"));
  }
  const struct asz_options good = {.prover = "cuda"};
  cr_assert_eq(asz_prover_check(&good, &diag), 0);
}

Test(prover, cuda_without_a_device_that_passes_is_an_error)
{
  asz_prove_device_open_fn *open = asz_prove_cuda_open;
  cr_assert_eq(choose("cuda", ASZ_EMULATED_NO_MEMORY, &open), ASZ_EDEVICE);
  cr_assert_not_null(strstr(diag.text, "too little memory"), "%s", diag.text);
  cr_assert_eq(choose("cuda", ASZ_EMULATED_WRONG_SUM, &open), ASZ_EDEVICE);
  cr_assert_not_null(strstr(diag.text, "known answer"), "%s", diag.text);
  cr_assert_eq(open, asz_prove_cuda_open, "untouched on failure");
}

Test(prover, auto_without_a_device_that_passes_is_the_cpu)
{
  asz_prove_device_open_fn *open = asz_emulated_open;
  cr_assert_eq(choose("auto", ASZ_EMULATED_WRONG_SUM, &open), 0);
  cr_assert_null(open);
}

Test(prover, cpu_leaves_a_good_device_alone)
{
  asz_prove_device_open_fn *open = asz_emulated_open;
  cr_assert_eq(choose("cpu", ASZ_EMULATED_FINE, &open), 0);
  cr_assert_null(open);
}

Test(prover, auto_and_cuda_take_a_device_that_passes)
{
  for (int i = 0; i < 2; i++) {
    asz_prove_device_open_fn *open = NULL;
    cr_assert_eq(choose(i ? "auto" : "cuda", ASZ_EMULATED_FINE, &open), 0);
    cr_assert_eq(open, asz_emulated_open);
  }
}

/* Answers a gemm challenge of this slot. The number of devices that are open meanwhile. */
static int answer(struct asz_works *works, uint64_t slot, uint8_t ret_datagram[ASZ_ANSWER_MAX_BYTES]) {
  static const uint8_t validator_pk[32] = {1}, reply_key[16] = {2};
  const struct asz_challenge challenge = {.kind = ASZ_KIND_GEMM, .param = TINY, .epoch = 1, .slot = slot};
  struct asz_identity provider;
  struct asz_work *work;
  asz_identity_from_seed(&provider, (const uint8_t[32]){3});
  cr_assert_eq(asz_works_begin(works, &challenge, slot, &work), 0);
  const int open_devices = asz_emulated_open_devices;
  memset(ret_datagram, 0, ASZ_ANSWER_MAX_BYTES);
  cr_assert_gt(asz_work_answer(work, ret_datagram, &challenge, &provider, validator_pk, reply_key, ASZ_PROVE_HONEST), 0);
  asz_works_answered(work, &challenge);
  return open_devices;
}

/* Three answers in room for one work, with such a device beside the CPU alone. Devices that were open during each. */
static void check_answers(enum asz_emulated_fault fault, int first, int then) {
  const uint64_t room_bytes = asz_works_bytes(ASZ_KIND_GEMM, TINY, 1);
  struct asz_works *with = NULL, *without = NULL;
  cr_assert_eq(asz_works_new(&with, room_bytes, 1), 0);
  cr_assert_eq(asz_works_new(&without, room_bytes, 1), 0);
  asz_emulated_fault = fault;
  asz_works_use(with, asz_emulated_open);
  for (uint64_t slot = 1; slot <= 3; slot++) {
    uint8_t made[ASZ_ANSWER_MAX_BYTES], expected[ASZ_ANSWER_MAX_BYTES];
    cr_assert_eq(answer(with, slot, made), slot == 1 ? first : then, "slot %lu", slot);
    answer(without, slot, expected);
    cr_assert_arr_eq(made, expected, sizeof made, "slot %lu", slot);
  }
  asz_works_free(with);
  asz_works_free(without);
  cr_assert_eq(asz_emulated_open_devices, 0);
}

Test(prover, after_a_device_that_failed_at_work_none_is_opened)
{ check_answers(ASZ_EMULATED_RUN, 1, 0); }

Test(prover, work_that_a_device_has_no_room_for_is_done_on_the_cpu)
{ check_answers(ASZ_EMULATED_NO_MEMORY, 0, 0); }

Test(prover, works_open_a_device_each_and_free_it_when_they_give_way)
{ check_answers(ASZ_EMULATED_FINE, 1, 1); }
