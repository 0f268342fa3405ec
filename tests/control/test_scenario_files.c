/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios that are shipped: each is read, and the network that its seed names is bit for bit the one that it named when
 * this was written, on any machine: every provider's truth and the fate of its first probes. A change of a rule or of a draw
 * shows here, and is then either a mistake or a new network for all who compare runs by seed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/scenario.h"
#include "dataplane/base/bytes.h"
#include "dataplane/base/hash.h"
#include "dataplane/emulator/fate.h"

enum { PROBES = 200, WORDS_MAX = 32, TIMEOUT_NS = 500000000, INTERVAL_NS = 50000000 };

static const struct {
  const char *file, *hash; /* the first 8 bytes */
} networks[] = {
    {"regions.ini", "ff8b8936c8523db3"},
    {"cheats.ini", "f54b6449318a8be3"},
    {"storm.ini", "a744ac0d9d47bd42"},
    {"attacks.ini", "19f24615beca53a3"},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static void folder_of(char *ret_path, size_t capacity) {
  const char *root = getenv("ASSIZE_SOURCE");
  cr_assert(root != NULL, "ASSIZE_SOURCE: expected the source tree, got nothing");
  snprintf(ret_path, capacity, "%s/docs/scenarios", root);
}

struct words {
  uint8_t *bytes;
  size_t count;
};

static void put(struct words *w, uint64_t value) {
  asz_be64_store(w->bytes + 8 * w->count++, value);
}

static void put_truth(struct words *w, const struct asz_truth *t) {
  const uint64_t field[] = {
      t->delay_ns,    t->jitter_ns,     t->loss_ppm,   t->bad_loss_ppm,       t->to_bad_ppm, t->to_good_ppm,
      t->outage_ppm,  t->duplicate_ppm, t->detour_ppm, t->detour_ns,          t->broken_ppm, t->region_outage_ppm,
      t->altered_ppm, t->floor_ns,      t->region,     t->outage_log2_probes, t->cheat};
  for (size_t i = 0; i < sizeof field / sizeof *field; i++)
    put(w, field[i]);
}

/* Of those who attack, or have a device. */
static void put_trait(struct words *w, const struct asz_lab_trait *t) {
  if (t->attack != ASZ_LAB_ATTACK_NONE)
    put(w, (uint64_t)t->attack << 32 | t->columns);
  if (t->device.piece_us > 0) {
    put(w, (uint64_t)t->device.piece_us << 32 | t->device.claim_us);
    put(w, (uint64_t)t->device.path_us << 32 | t->device.identities);
  }
}

static void put_fate(struct words *w, const struct asz_fate *f) {
  put(w, (uint64_t)f->bad | (uint64_t)f->outage << 1 | (uint64_t)f->lost << 2);
  if (f->lost)
    return;
  const struct asz_reply_plan *p = &f->plan;
  const uint64_t field[] = {p->answers,
                            p->spoils_mac,
                            p->delay_ns,
                            p->t2_ns,
                            p->t3_ns,
                            p->known_only,
                            p->relayed,
                            p->extra,
                            p->extra_ns,
                            p->extra_bits,
                            f->fault.corruption,
                            f->fault.copy_ns,
                            f->fault.corrupt_bits,
                            f->fault.detour_ns,
                            f->fault.copied};
  for (size_t i = 0; i < sizeof field / sizeof *field; i++)
    put(w, field[i]);
}

/* The network of a file at its own size and with `seed`. */
static void hash_network(char ret_hex[17], const struct asz_scenario *scenario, uint64_t seed) {
  uint32_t count = (uint32_t)asz_scenario_lab(scenario).providers;
  struct asz_truth *truth = calloc(count, sizeof *truth);
  struct asz_lab_trait *trait = calloc(count, sizeof *trait);
  struct words words = {.bytes = malloc((size_t)count * (PROBES + 1) * WORDS_MAX * 8)};
  struct asz_diag diag = {0};
  cr_assert(truth != NULL && trait != NULL && words.bytes != NULL);
  cr_assert(eq(int, asz_scenario_truth(scenario, count, seed, truth, &diag), 0), "%s", diag.text);
  const struct asz_lab_terms terms = {
      .openings = (uint32_t)asz_scenario_lab(scenario).openings, .deadline_ns = 600000000, .allowance_ns = 10000000};
  cr_assert(eq(int, asz_scenario_traits(scenario, truth, count, &terms, trait, &diag), 0), "%s", diag.text);
  for (uint32_t i = 0; i < count; i++) {
    struct asz_provider_facts facts = {
        .truth = &truth[i], .seed = seed, .timeout_ns = TIMEOUT_NS, .interval_ns = INTERVAL_NS, .provider = i};
    struct asz_fate fate = {.bad = false};
    put_truth(&words, &truth[i]);
    put_trait(&words, &trait[i]);
    for (uint64_t n = 0; n < PROBES; n++) {
      asz_fate_next(&fate, &facts, n, fate.bad);
      put_fate(&words, &fate);
    }
  }
  uint8_t hash[32];
  const struct asz_hash_part part[] = {{words.bytes, 8 * words.count}};
  asz_hash(hash, NULL, 0, part, 1);
  for (int i = 0; i < 8; i++)
    snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
  free(words.bytes);
  free(truth);
  free(trait);
}

Test(scenario_files, each_names_one_network_bit_for_bit)
{
  for (size_t i = 0; i < NETWORKS; i++) {
    char folder[512], path[600], hash[17], other[17];
    folder_of(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/%s", folder, networks[i].file);
    struct asz_scenario *scenario;
    struct asz_diag diag = {0};
    cr_assert(eq(int, asz_scenario_load(&scenario, path, &diag), 0), "%s", diag.text);
    uint64_t seed = asz_scenario_lab(scenario).seed;
    hash_network(hash, scenario, seed);
    hash_network(other, scenario, seed + 1);
    cr_expect(strcmp(hash, networks[i].hash) == 0, "%s, seed %lu: %s", networks[i].file, seed, hash);
    cr_expect(strcmp(hash, other) != 0, "%s: another seed, the same network", networks[i].file);
    asz_scenario_free(scenario);
  }
}

Test(scenario_files, none_is_shipped_without_being_tested)
{
  char folder[512];
  folder_of(folder, sizeof folder);
  DIR *dir = opendir(folder);
  cr_assert(dir != NULL, "%s", folder);
  size_t found = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (!strstr(entry->d_name, ".ini"))
      continue;
    size_t i = 0;
    while (i < NETWORKS && strcmp(networks[i].file, entry->d_name) != 0)
      i++;
    cr_expect(i < NETWORKS, "%s has no hash here", entry->d_name);
    found++;
  }
  closedir(dir);
  cr_expect(eq(sz, found, NETWORKS));
}
