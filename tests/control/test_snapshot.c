/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of a running epoch: what is refused, what comes back, and what becomes of probes that were in flight. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/file.h"
#include "control/snapshot.h"
#include "dataplane/record.h"

enum { COUNT = 8, CELLS = 64, SHARDS = 2, ROUNDS = 20, IN_FLIGHT = 3 };

static char dir[64], path[96];
static uint8_t key[ASZ_SNAPSHOT_KEY_BYTES] = {1, 2, 3};
static struct asz_stats *stats;
static struct asz_target target[COUNT];
static struct asz_plan plan;
static struct asz_snapshot snapshot;
static struct asz_diag diag;
static uint8_t *bytes;
static size_t size;

static struct asz_snapshot_head head(void) {
  return (struct asz_snapshot_head){
      .epoch = 7,
      .opened_ns = 1000,
      .open_index = 12,
      .secret = {9, 8, 7},
      .params_hash = {5},
      .root = {6},
      .target_count = COUNT,
      .cell_count = CELLS,
      .keep_bytes = 4,
  };
}

/* Every shard has had ROUNDS whole rounds; the last IN_FLIGHT of them were not yet settled. */
static struct asz_snapshot_tail tail(void) {
  struct asz_snapshot_tail tail = {
      .at_ns = UINT64_C(22000000000),
      .sent = COUNT * ROUNDS,
      .slots_whole = 3,
      .shard_count = SHARDS,
      .start_realtime_ns = UINT64_C(2000000000),
      .slots_unjudged = 2,
      .rtt_error_ns = 123,
      .late_ns_max = 456,
  };
  for (unsigned i = 0; i < SHARDS; i++) {
    tail.scheduled[i] = (uint64_t)COUNT / SHARDS * ROUNDS;
    tail.settled[i] = (uint64_t)COUNT / SHARDS * (ROUNDS - IN_FLIGHT);
  }
  tail.faults.count[ASZ_FAULT_LATE] = 4;
  return tail;
}

static void answer(uint32_t index, uint32_t seq, uint64_t rtt_ns) {
  int reordered;
  const struct asz_reply reply = {.seq = seq, .slot = seq / 8, .rtt_ns = rtt_ns, .bin = asz_sketch_bin(rtt_ns)};
  cr_assert_eq(asz_record_reply(stats, index, &reply, 1000000000, &reordered), ASZ_CTR_RX_ANSWERED);
}

/* Target i answered its first ROUNDS - i rounds; the last one never. */
static void begin(void) {
  strcpy(dir, "/tmp/asz_snapshot_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/epoch.snapshot", dir);
  cr_assert_eq(asz_stats_new(&stats, COUNT, CELLS), 0);
  for (uint32_t i = 0; i + 1 < COUNT; i++)
    for (uint32_t seq = 0; seq < ROUNDS - i; seq++)
      answer(i, seq, 1000000 + 50000 * ((uint64_t)i * seq));
  stats->target[2].denied = 1;
  plan = (struct asz_plan){
      .epoch = 7,
      .secret = {9, 8, 7},
      .duration_ns = UINT64_C(40000000000),
      .slot_ns = UINT64_C(8000000000),
      .target_count = COUNT,
      .target = target,
  };
}

static void end(void) {
  asz_snapshot_close(&snapshot);
  asz_stats_free(stats);
  free(bytes);
  asz_file_remove_tree(dir);
}

TestSuite(snapshot, .init = begin, .fini = end);

static int write_all(void) {
  struct asz_snapshot_writer writer = {0};
  const struct asz_snapshot_head h = head();
  const struct asz_snapshot_tail t = tail();
  int err = asz_snapshot_begin(&writer, path, key, &h, (const uint8_t *)"keep", &diag);
  while (!err && writer.target_next < COUNT)
    err = asz_snapshot_targets(&writer, stats, 3, &diag);
  if (!err)
    err = asz_snapshot_finish(&writer, &t, &diag);
  cr_assert_null(writer.out);
  return err;
}

static void load(void) {
  cr_assert_eq(asz_file_read(&bytes, &size, path, 1 << 20, &diag), 0, "%s", diag.text);
}

static int read_bytes(size_t size_bytes) {
  diag.text[0] = '\0';
  int err = asz_snapshot_read(&snapshot, bytes, size_bytes, "file", key, &diag);
  cr_assert_eq(err == 0, diag.text[0] == '\0', "one line, or none");
  cr_assert_null(strchr(diag.text, '\n'));
  cr_assert(err == 0 || strncmp(diag.text, "file: ", 6) == 0, "%s", diag.text);
  return err;
}

static void read_back(void) {
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  cr_assert_eq(read_bytes(size), 0, "%s", diag.text);
  plan.stats = snapshot.stats;
}

Test(snapshot, every_truncation_is_refused)
{
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  for (size_t cut = 0; cut < size; cut++) {
    int err = read_bytes(cut);
    cr_assert(err == ASZ_EFORMAT || err == ASZ_EAUTH, "%zu bytes: %d", cut, err);
  }
}

Test(snapshot, every_changed_byte_is_refused)
{
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  for (size_t at = 0; at < size; at++) {
    bytes[at] ^= 0x10;
    int err = read_bytes(size);
    cr_assert(err == (at < 8 ? ASZ_EFORMAT : at < 12 ? ASZ_ENOTSUP : ASZ_EAUTH), "byte %zu: %d %s", at, err, diag.text);
    bytes[at] ^= 0x10;
  }
}

Test(snapshot, another_validators_is_refused)
{
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  key[0] ^= 1;
  cr_assert_eq(read_bytes(size), ASZ_EAUTH);
}

Test(snapshot, another_version_is_named)
{
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  bytes[11] = ASZ_SNAPSHOT_VERSION + 1;
  cr_assert_eq(read_bytes(size), ASZ_ENOTSUP);
  cr_assert_not_null(strstr(diag.text, "version 4, got version 5"), "%s", diag.text);
}

Test(snapshot, what_was_measured_comes_back)
{
  read_back();
  const struct asz_snapshot_head expected = head();
  cr_assert_eq(snapshot.head.epoch, expected.epoch);
  cr_assert_eq(snapshot.head.open_index, expected.open_index);
  cr_assert_eq(memcmp(snapshot.head.secret, expected.secret, 32), 0);
  cr_assert_eq(memcmp(snapshot.keep, "keep", 4), 0);
  for (uint32_t i = 0; i < COUNT; i++) {
    const struct asz_target_stats *a = &stats->target[i], *b = &snapshot.stats->target[i];
    struct asz_sketch x = asz_stats_sketch(stats, i), y = asz_stats_sketch(snapshot.stats, i);
    cr_assert_eq(a->answered, b->answered);
    cr_assert_eq(a->slots_up, b->slots_up);
    cr_assert_eq(a->rtt_sum_ns, b->rtt_sum_ns);
    cr_assert_eq(a->denied, b->denied);
    for (uint32_t q = 0; q <= 1000000; q += 50000)
      cr_assert_eq(asz_sketch_quantile(&x, q), asz_sketch_quantile(&y, q), "target %u", i);
  }
  cr_assert_eq(snapshot.stats->rate_pps, COUNT * ROUNDS / 20, "160 probes in 20 s");
  cr_assert_eq(snapshot.stats->faults.count[ASZ_FAULT_LATE], 4);
}

Test(snapshot, what_may_have_been_in_flight_is_unjudged_and_no_more)
{
  uint32_t sent[COUNT];
  read_back();
  cr_assert_eq(asz_snapshot_settle(&snapshot, &plan, &diag), 0, "%s", diag.text);
  asz_engine_sent(&plan, snapshot.stats, sent);
  for (uint32_t i = 0; i < COUNT; i++) {
    const struct asz_target_stats *t = &snapshot.stats->target[i];
    uint32_t silent = i + 1 < COUNT ? i : ROUNDS;
    cr_assert_eq(t->unjudged, silent < IN_FLIGHT ? silent : IN_FLIGHT, "target %u", i);
    cr_assert_eq(sent[i] - t->answered, silent - t->unjudged, "target %u: what is left is lost", i);
  }
}

Test(snapshot, slots_that_were_not_over_are_unjudged)
{
  read_back();
  cr_assert_eq(asz_snapshot_settle(&snapshot, &plan, &diag), 0, "%s", diag.text);
  cr_assert_eq(snapshot.stats->slots_unjudged, 0x1e, "two of five were whole, and one of them was our fault");
}

Test(snapshot, more_answers_than_questions_are_refused)
{
  answer(0, ROUNDS, 1000000);
  read_back();
  cr_assert_eq(asz_snapshot_settle(&snapshot, &plan, &diag), ASZ_EFORMAT);
}

Test(snapshot, reply_that_is_seen_and_not_yet_in_its_cell_has_no_rtt)
{
  struct asz_target_stats *t = &stats->target[COUNT - 1];
  t->answered = 1;
  t->rtt_min_ns = t->rtt_max_ns = 5000;
  read_back();
  cr_assert_eq(snapshot.stats->target[COUNT - 1].answered, 1);
  cr_assert_eq(snapshot.stats->target[COUNT - 1].rtt_max_ns, 0);
}

Test(snapshot, file_is_ours_alone)
{
  struct stat status;
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  cr_assert_eq(stat(path, &status), 0);
  cr_assert_eq(status.st_mode & 0777, 0600, "it holds a secret");
}

Test(snapshot, failed_writing_is_named_and_leaves_the_one_before)
{
  cr_assert_eq(write_all(), 0, "%s", diag.text);
  load();
  signal(SIGXFSZ, SIG_IGN);
  const struct rlimit little = {.rlim_cur = 512, .rlim_max = 512};
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
  answer(0, ROUNDS, 2000000);
  cr_assert_eq(write_all(), ASZ_EIO);
  cr_assert_not_null(strstr(diag.text, "/epoch.snapshot: cannot write: File too large"), "%s", diag.text);
  uint8_t *after;
  size_t after_bytes;
  struct stat status;
  cr_assert_eq(asz_file_read(&after, &after_bytes, path, 1 << 20, &diag), 0);
  cr_assert(after_bytes == size && memcmp(after, bytes, size) == 0);
  free(after);
  char part[128];
  snprintf(part, sizeof part, "%s.part", path);
  cr_assert_eq(stat(part, &status), -1, "nothing half written is left");
}

Test(snapshot, abandoned_writing_leaves_nothing)
{
  struct asz_snapshot_writer writer = {0};
  const struct asz_snapshot_head h = head();
  struct stat status;
  cr_assert_eq(asz_snapshot_begin(&writer, path, key, &h, (const uint8_t *)"keep", &diag), 0, "%s", diag.text);
  cr_assert_eq(asz_snapshot_targets(&writer, stats, 1, &diag), 0);
  asz_snapshot_abandon(&writer);
  asz_snapshot_abandon(&writer);
  cr_assert_eq(stat(path, &status), -1);
  cr_assert_eq(rmdir(dir), 0, "it is empty");
}
