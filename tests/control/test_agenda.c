/* SPDX-License-Identifier: Apache-2.0 */
/* The agenda: everybody once, in groups and pairs, at moments that only the secret decides. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/agenda.h"
#include "dataplane/base/sketch.h"
#include "tests/vectors.h"

enum { MEMBERS = 1000, MS = 1000000, KIND = 3 };

static uint8_t key[MEMBERS][32];
static struct asz_agenda_member member[MEMBERS];
static struct asz_agenda_entry entry[MEMBERS], other[MEMBERS];
static uint8_t secret[32];
static void *scratch;

static void begin(void) {
  cr_assert_geq(sodium_init(), 0);
  asz_sketch_init();
  for (uint32_t i = 0; i < MEMBERS; i++) {
    crypto_generichash(key[i], 32, (const uint8_t *)&i, sizeof i, NULL, 0);
    member[i] = (struct asz_agenda_member){.public_key = key[i], .index = i};
  }
  memset(secret, 7, sizeof secret);
  scratch = malloc(asz_agenda_bytes(MEMBERS));
  cr_assert_not_null(scratch);
}
static void end(void) {
  free(scratch);
}
TestSuite(agenda, .init = begin, .fini = end);

static void make(struct asz_agenda_entry *ret_entry, uint32_t count, uint64_t slot, uint64_t window_ns) {
  asz_agenda_make(ret_entry, member, count, secret, KIND, slot, window_ns, scratch);
}

/* All of them in one cluster, by every criterion. */
static void cluster(uint32_t first, uint32_t count, uint32_t name) {
  for (uint32_t i = first; i < first + count; i++) {
    for (unsigned criterion = 0; criterion < ASZ_AGENDA_NAMED; criterion++)
      member[i].cluster[criterion] = name;
    member[i].rtt_ns = name * 10 * MS;
  }
}

/* Size of the group that an entry is in; asserts that it stands together at one moment. */
static uint32_t group_at(uint32_t count, uint32_t at) {
  uint32_t size = 0;
  for (uint32_t i = 0; i < count; i++)
    if (entry[i].group == entry[at].group) {
      cr_assert_eq(entry[i].due_ns, entry[at].due_ns);
      size++;
    }
  return size;
}

Test(agenda, everybody_is_asked_once_in_order_within_the_window_at_whole_milliseconds)
{
  static const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 64, 65, 66, 67, 130, MEMBERS};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
    for (unsigned clustered = 0; clustered < 2; clustered++) {
      cluster(0, MEMBERS, 0);
      if (clustered)
        cluster(0, counts[c] / 2, 9);
      make(entry, counts[c], 5, 1000 * (uint64_t)MS);
      uint8_t seen[MEMBERS] = {0};
      for (uint32_t i = 0; i < counts[c]; i++) {
        cr_assert_lt(entry[i].index, counts[c]);
        cr_assert_eq(seen[entry[i].index]++, 0);
        cr_assert_lt(entry[i].due_ns, 1000 * (uint64_t)MS);
        cr_assert_eq(entry[i].due_ns % MS, 0);
        cr_assert(i == 0 ? entry[i].group == 0 : entry[i].group - entry[i - 1].group <= 1);
        cr_assert(i == 0 || entry[i].due_ns >= entry[i - 1].due_ns);
      }
    }
}

Test(agenda, nobody_is_asked_alone)
{
  cluster(0, 65, 1);   /* one group, not 64 and 1 */
  cluster(65, 130, 2); /* 64, 64 and 2 */
  cluster(195, 1, 3);  /* alone of its kind: paired like any other */
  make(entry, MEMBERS, 6, 60000 * (uint64_t)MS);
  for (uint32_t i = 0; i < MEMBERS; i++) {
    uint32_t size = group_at(MEMBERS, i), who = entry[i].index;
    if (who < 65)
      cr_assert_eq(size, 65);
    else if (who < 195)
      cr_assert(size == 64 || size == 2, "%u", size);
    else
      cr_assert(size == 2 || size == 3, "%u", size);
    for (uint32_t j = 0; j < MEMBERS; j++)
      if (entry[j].group == entry[i].group)
        cr_assert_eq(member[entry[j].index].cluster[0] % 3, member[who].cluster[0] % 3, "a group is of one cluster");
  }
}

Test(agenda, another_slot_kind_or_secret_pairs_others_at_other_moments)
{
  make(entry, MEMBERS, 7, 60000 * (uint64_t)MS);
  for (unsigned change = 0; change < 3; change++) {
    secret[31] ^= change == 0;
    asz_agenda_make(other, member, MEMBERS, secret, change == 1 ? KIND + 1 : KIND, change == 2 ? 8 : 7, 60000 * (uint64_t)MS,
                    scratch);
    unsigned same = 0;
    for (uint32_t i = 0; i < MEMBERS; i++)
      same += entry[i].index == other[i].index;
    cr_assert_lt(same, 12, "%u of %u at the same place", same, MEMBERS); /* one is expected */
    secret[31] ^= change == 0;
  }
}

Test(agenda, the_same_slot_is_the_same_whatever_the_order_of_the_registry)
{
  make(entry, MEMBERS, 9, 60000 * (uint64_t)MS);
  for (uint32_t i = 0; i < MEMBERS / 2; i++) {
    struct asz_agenda_member swap = member[i];
    member[i] = member[MEMBERS - 1 - i];
    member[MEMBERS - 1 - i] = swap;
  }
  make(other, MEMBERS, 9, 60000 * (uint64_t)MS);
  cr_assert_eq(memcmp(entry, other, sizeof entry), 0);
}

Test(agenda, devices_of_one_key_are_told_apart)
{
  for (uint32_t i = 0; i < MEMBERS; i++) {
    member[i].public_key = key[0];
    member[i].device = i;
  }
  make(entry, MEMBERS, 10, 60000 * (uint64_t)MS);
  unsigned moments = 0;
  for (uint32_t i = 1; i < MEMBERS; i++)
    moments += entry[i].due_ns != entry[i - 1].due_ns;
  cr_assert_gt(moments, 450);
}

/* Every pair of a cluster that needs several groups meets sooner or later; over slots each criterion has its turn. */
Test(agenda, groups_and_criteria_change_from_slot_to_slot)
{
  for (uint32_t i = 0; i < 128; i++) {
    member[i].cluster[ASZ_AGENDA_BY_PREFIX] = 1;
    member[i].cluster[ASZ_AGENDA_BY_OPERATOR] = 100 + i / 4;
  }
  unsigned met = 0, by_operator = 0;
  for (uint64_t slot = 0; slot < 64; slot++) {
    make(entry, 128, slot, 60000 * (uint64_t)MS);
    uint32_t group[128];
    for (uint32_t i = 0; i < 128; i++)
      group[entry[i].index] = entry[i].group;
    met += group[0] == group[127];
    by_operator += entry[127].group == 31;
  }
  cr_assert(met >= 2 && met <= 20, "%u", met);                         /* a quarter of the slots, half of those */
  cr_assert(by_operator >= 6 && by_operator <= 30, "%u", by_operator); /* a quarter of the slots */
}

/* Two at the same latency always, two that differ by 8 % in half of the slots, two by 20 % never; by that criterion. */
Test(agenda, neighbours_in_latency_are_asked_together_whatever_the_borders)
{
  static const uint32_t rtt_ns[] = {50 * MS, 50 * MS, 54 * MS, 60 * MS};
  enum { SAME, NEAR, FAR, SLOTS = 1000 };
  unsigned together[3] = {0};
  for (uint32_t i = 0; i < 400; i++)
    member[i].rtt_ns = rtt_ns[i % 4];
  for (uint64_t slot = 0; slot < SLOTS; slot++) {
    make(entry, 4, slot, 60000 * (uint64_t)MS);
    uint32_t group[4];
    for (uint32_t i = 0; i < 4; i++)
      group[entry[i].index] = entry[i].group;
    for (unsigned other_one = SAME; other_one <= FAR; other_one++)
      together[other_one] += group[0] == group[1] && group[0] == group[1 + other_one];
  }
  /* by the other three criteria: pairs, of which 0 and 1 are one in three */
  cr_assert(together[SAME] > SLOTS / 4 + SLOTS / 4 - 60 && together[SAME] < SLOTS / 4 + SLOTS / 4 + 60, "%u", together[SAME]);
  cr_assert(together[NEAR] > SLOTS / 8 - 50 && together[NEAR] < SLOTS / 8 + 50, "%u", together[NEAR]);
  cr_assert_eq(together[FAR], 0);
}

static void take_vectors(json_t *json) {
  json_t *given = asz_vectors_get(json, "given"), *members = asz_vectors_get(given, "members");
  asz_vectors_hex(secret, 32, asz_vectors_get(given, "secret"));
  cr_assert_eq(asz_vectors_number(asz_vectors_get(given, "kind")), KIND);
  for (uint32_t i = 0; i < json_array_size(members); i++) {
    json_t *one = json_array_get(members, i);
    asz_vectors_hex(key[i], 32, asz_vectors_get(one, "key"));
    member[i].device = (uint32_t)asz_vectors_number(asz_vectors_get(one, "device"));
    member[i].cluster[ASZ_AGENDA_BY_PREFIX] = asz_vectors_number(asz_vectors_get(one, "prefix"));
    member[i].cluster[ASZ_AGENDA_BY_OPERATOR] = asz_vectors_number(asz_vectors_get(one, "operator"));
    member[i].cluster[ASZ_AGENDA_BY_AS] = asz_vectors_number(asz_vectors_get(one, "as"));
    member[i].rtt_ns = (uint32_t)asz_vectors_number(asz_vectors_get(one, "rtt"));
  }
}

/* The group that a member is in, by the vectors: [due in ms, [members]]. */
static json_t *theirs(json_t *groups, uint32_t index) {
  for (size_t g = 0; g < json_array_size(groups); g++) {
    json_t *indices = json_array_get(json_array_get(groups, g), 1);
    for (size_t i = 0; i < json_array_size(indices); i++)
      if (asz_vectors_number(json_array_get(indices, i)) == index)
        return json_array_get(groups, g);
  }
  return NULL;
}

Test(agenda, an_independent_program_asks_the_same_at_the_same_moments)
{
  json_t *json = asz_vectors_open("agenda.json"), *slots = asz_vectors_get(json, "slots");
  take_vectors(json);
  uint32_t count = (uint32_t)json_array_size(asz_vectors_get(asz_vectors_get(json, "given"), "members"));
  uint64_t window_ns = asz_vectors_number(asz_vectors_get(asz_vectors_get(json, "given"), "window_ms")) * MS;
  cr_assert_eq(json_array_size(slots), ASZ_AGENDA_CRITERIA);
  for (size_t s = 0; s < json_array_size(slots); s++) {
    json_t *slot = json_array_get(slots, s), *groups = asz_vectors_get(slot, "groups");
    make(entry, count, asz_vectors_number(asz_vectors_get(slot, "slot")), window_ns);
    cr_assert_eq(entry[count - 1].group + 1, json_array_size(groups));
    for (uint32_t i = 0; i < count; i++) {
      json_t *group = theirs(groups, entry[i].index);
      cr_assert_not_null(group);
      cr_assert_eq(entry[i].due_ns, asz_vectors_number(json_array_get(group, 0)) * MS);
      cr_assert_eq(group, theirs(groups, entry[i > 0 && entry[i - 1].group == entry[i].group ? i - 1 : i].index));
      cr_assert_eq(group_at(count, i), json_array_size(json_array_get(group, 1)));
    }
  }
  json_decref(json);
}

Test(agenda, without_a_window_all_are_due_at_once_and_still_grouped)
{
  make(entry, 10, 11, 0);
  for (uint32_t i = 0; i < 10; i++) {
    cr_assert_eq(entry[i].due_ns, 0);
    cr_assert_eq(entry[i].group, i / 2);
  }
}
