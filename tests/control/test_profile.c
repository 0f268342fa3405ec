/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/profile.h"
#include "tests/control/populate.h"
#include "tests/control/tlog/scratch.h"

struct fixture {
  char dir[SCRATCH_PATH];
  struct asz_home home;
  struct asz_config config;
  struct asz_store *store;
  struct asz_diag diag;
};

static void make(struct fixture *f) {
  struct asz_identity key;
  char path[2 * SCRATCH_PATH];
  memset(f, 0, sizeof *f);
  scratch_make(f->dir);
  scratch_path(path, f->dir, "home");
  asz_config_default(&f->config);
  cr_assert_eq(asz_home_locate(&f->home, path, &f->diag), 0);
  cr_assert_eq(asz_home_create(&f->home, &f->config, &key, &f->diag), 0, "%s", f->diag.text);
  populate(&f->home);
  cr_assert_eq(asz_home_open(&f->home, true, NULL, NULL, &f->store, &f->diag), 0, "%s", f->diag.text);
}

static void drop(struct fixture *f) {
  asz_store_close(f->store);
  scratch_remove(f->dir);
}

static void load(struct fixture *f, const char *name, struct asz_profile *ret_profile) {
  cr_assert_eq(asz_profile_load(ret_profile, f->store, &f->config, name, populate_now_ns, &f->diag), 0, "%s", f->diag.text);
}

Test(profile, unknown_name_is_not_found_and_leaves_the_output)
{
  struct fixture f;
  struct asz_profile profile = {.now_ns = 77};
  make(&f);
  cr_assert_eq(asz_profile_load(&profile, f.store, &f.config, "nobody", 0, &f.diag), ASZ_ENOENT);
  cr_assert_eq(profile.now_ns, 77);
  cr_assert(strstr(f.diag.text, "nobody"), "%s", f.diag.text);
  drop(&f);
}

Test(profile, the_wrong_one_has_its_slash_and_the_way_to_export_it)
{
  struct fixture f;
  struct asz_profile p;
  make(&f);
  load(&f, "wrong", &p);
  cr_assert(p.has_score && !p.has_previous);
  cr_assert_eq(p.slash_count, 1);
  cr_assert_eq(p.incident_count, 1);
  cr_assert_eq(p.state.eprocess.wrong, 6);
  cr_assert_eq(p.right_low_ppm, 0, "no slot was right");
  cr_assert(!p.newest.score.gate_open);
  cr_assert(strstr(p.next, "assize slash export 1 FILE"), "%s", p.next);
  asz_profile_free(&p);
  drop(&f);
}

Test(profile, the_honest_one_is_in_vetting_with_its_previous_epoch)
{
  struct fixture f;
  struct asz_profile p;
  make(&f);
  load(&f, "honest", &p);
  cr_assert(p.has_score && p.has_previous);
  cr_assert_eq(p.previous.epoch, POPULATE_EPOCH - 1);
  cr_assert_eq(p.slash_count, 0, "another's slash is not shown");
  cr_assert_eq(p.state.eprocess.slots, 12);
  cr_assert_eq(p.nines_certified, 1);
  cr_assert_eq(p.rtt_target_ns, 100000000, "the configured target");
  cr_assert(p.right_low_ppm > 0 && p.right_low_ppm < ASZ_PPM);
  cr_assert(strstr(p.next, "vetting (0.4 % done)"), "%s", p.next);
  asz_profile_free(&p);
  drop(&f);
}

Test(profile, one_whose_memory_is_slower_than_claimed_is_told_to_claim_less)
{
  struct fixture f;
  struct asz_profile p;
  struct asz_store *writable;
  make(&f);
  load(&f, "honest", &p);
  for (unsigned slot = 0; slot < 4; slot++)
    asz_eprocess_step(&p.state.pace, true);
  cr_assert_eq(asz_home_open(&f.home, false, NULL, NULL, &writable, &f.diag), 0, "%s", f.diag.text);
  cr_assert_eq(asz_store_state_save(writable, p.provider.row, &p.state, &p.history, &f.diag), 0, "%s", f.diag.text);
  asz_store_close(writable);
  asz_profile_free(&p);
  load(&f, "honest", &p);
  cr_assert_eq(p.state.pace.wrong, 4);
  cr_assert(p.newest.score.gate_open, "nobody else saw the time: it costs no score");
  cr_assert(strstr(p.next, "declare the bandwidth that its folds reach"), "%s", p.next);
  asz_profile_free(&p);
  drop(&f);
}

Test(profile, the_dead_one_and_the_unmeasured_one_say_what_to_do)
{
  struct fixture f;
  struct asz_profile p;
  make(&f);
  load(&f, "dead", &p);
  cr_assert_eq(p.nines_certified, 0);
  cr_assert(strstr(p.next, "answers nothing: ask its operator whether 10.0.0.3:862"), "%s", p.next);
  asz_profile_free(&p);
  load(&f, "beacon", &p);
  cr_assert(!p.has_score);
  cr_assert(strstr(p.next, "one of ours"), "%s", p.next);
  asz_profile_free(&p);
  drop(&f);
}
