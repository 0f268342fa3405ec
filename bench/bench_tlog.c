/* SPDX-License-Identifier: Apache-2.0 */
/* The transparency log's writer on a real file system: entries a second appended in bulk (one publish at the end of every
 * million), and with a durable checkpoint for every 10,000 entries, as a log would that publishes each second. Both count
 * everything: framing, hashing, tiles, bundles, fsyncs, the signed checkpoint. Then the whole log is verified, as a monitor does
 * from the cache of its disk.
 *
 * Beside it, the part that no writer can save: the entry's leaf hash and one node hash, which is what a tree costs by entry. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "control/tlog/tlog.h"
#include "dataplane/base/clock.h"

/* A publish takes a million entries, or what fits into half of the log's queue. */
enum { BULK_ENTRIES = 1000000, BULK_BYTES = 128 << 20, ENTRY_BYTES_MAX = 4096 };

struct bench {
  char dir[512];
  struct asz_tlog *log;
  uint8_t entry[ENTRY_BYTES_MAX];
  size_t entry_bytes;
};

struct figures {
  uint64_t bulk_entries, bulk_ns, durable_publishes, durable_ns, durable_ns_max, floor_ns, verify_ns;
};

static uint64_t file_bytes, file_count;

static int count_file(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)path, (void)place;
  if (type == FTW_F) {
    file_bytes += (uint64_t)info->st_size;
    file_count++;
  }
  return 0;
}

static int remove_file(const char *path, const struct stat *info, int type, struct FTW *place) {
  (void)info, (void)type, (void)place;
  return remove(path);
}

static int fail(const struct asz_diag *diag) {
  fprintf(stderr, "bench_tlog: %s\n", diag->text);
  return 1;
}

/* Appends and publishes count entries, each of them different; how long that took. */
static int grow(struct bench *b, uint64_t count, uint64_t *ret_ns) {
  struct asz_diag diag = {"an entry was refused"};
  uint64_t start_ns = asz_clock_monotonic_ns(), index;
  for (uint64_t i = 0; i < count; i++) {
    memcpy(b->entry, &i, sizeof i);
    if (asz_tlog_append(b->log, b->entry, b->entry_bytes, &index) != 0)
      return fail(&diag);
  }
  if (asz_tlog_publish(b->log, &diag) != 0)
    return fail(&diag);
  *ret_ns = asz_clock_monotonic_ns() - start_ns;
  return 0;
}

static uint64_t floor_of(struct bench *b, uint64_t count) {
  uint8_t hash[32] = {0};
  uint64_t start_ns = asz_clock_monotonic_ns();
  for (uint64_t i = 0; i < count; i++) {
    memcpy(b->entry, hash, 8);
    asz_tlog_leaf_hash(hash, b->entry, b->entry_bytes);
    asz_tlog_node_hash(hash, hash, hash);
  }
  return (asz_clock_monotonic_ns() - start_ns) / count;
}

static int measure(struct bench *b, struct figures *ret, uint64_t bulk, uint64_t bulk_turns, uint64_t durable,
                   uint64_t durable_turns) {
  uint64_t ns;
  ret->floor_ns = floor_of(b, bulk < 200000 ? bulk : 200000);
  for (uint64_t turn = 0; turn < bulk_turns; turn++) {
    if (grow(b, bulk, &ns) != 0)
      return 1;
    ret->bulk_entries += bulk;
    ret->bulk_ns += ns;
  }
  for (; ret->durable_publishes < durable_turns; ret->durable_publishes++) {
    if (grow(b, durable, &ns) != 0)
      return 1;
    ret->durable_ns += ns;
    if (ns > ret->durable_ns_max)
      ret->durable_ns_max = ns;
  }
  return 0;
}

static int verify(const struct bench *b, const uint8_t public_key[32], struct figures *ret) {
  struct asz_checkpoint head;
  struct asz_diag diag = {""};
  uint64_t start_ns = asz_clock_monotonic_ns();
  if (asz_tlog_verify(b->dir, public_key, &head, &diag) != 0)
    return fail(&diag);
  ret->verify_ns = asz_clock_monotonic_ns() - start_ns;
  return 0;
}

static void print(const struct asz_bench_args *args, const struct bench *b, const struct figures *f, uint64_t durable) {
  uint8_t root[32];
  char hash[17];
  asz_tlog_root(b->log, root);
  asz_hex_encode(hash, root, 8);
  uint64_t entries = asz_tlog_size(b->log);
  (void)nftw(b->dir, count_file, 16, FTW_PHYS);
  json_t *report = json_object();
  json_object_set_new(report, "bench", json_string("tlog"));
  json_object_set_new(report, "entry_bytes", json_integer((json_int_t)b->entry_bytes));
  json_object_set_new(report, "bulk_rate_ps", json_integer((json_int_t)((double)f->bulk_entries * 1e9 / (double)f->bulk_ns)));
  json_object_set_new(report, "bulk_entry_ns", json_integer((json_int_t)(f->bulk_ns / f->bulk_entries)));
  json_object_set_new(report, "floor_entry_ns", json_integer((json_int_t)f->floor_ns));
  json_object_set_new(report, "durable_batch_entries", json_integer((json_int_t)durable));
  json_object_set_new(report, "durable_mean_ms", json_real((double)f->durable_ns / (double)f->durable_publishes / 1e6));
  json_object_set_new(report, "durable_max_ms", json_real((double)f->durable_ns_max / 1e6));
  json_object_set_new(report, "durable_rate_ps",
                      json_integer((json_int_t)((double)(durable * f->durable_publishes) * 1e9 / (double)f->durable_ns)));
  json_object_set_new(report, "verify_rate_ps", json_integer((json_int_t)((double)entries * 1e9 / (double)f->verify_ns)));
  json_object_set_new(report, "entries", json_integer((json_int_t)entries));
  json_object_set_new(report, "files", json_integer((json_int_t)file_count));
  json_object_set_new(report, "disk_bytes_per_entry", json_real((double)file_bytes / (double)entries));
  json_object_set_new(report, "rss_peak_bytes", json_integer((json_int_t)asz_bench_memory_peak_bytes()));
  json_object_set_new(report, "result_hash", json_string(hash));
  json_object_set_new(report, "not_measured",
                      json_string("making the entries; reading from a cold disk; another file system than that of --dir"));
  asz_bench_print(args, report);
}

int main(int argc, char **argv) {
  const char *entry_text = "128", *durable_text = "10000", *base = getenv("TMPDIR");
  const struct asz_bench_option options[] = {{"entry", "bytes of an entry", &entry_text},
                                             {"durable", "entries between two durable checkpoints", &durable_text},
                                             {"dir", "where the log is made and removed", &base}};
  struct asz_bench_args args;
  struct asz_diag diag = {""};
  struct figures figures = {0};
  static struct bench b;
  static const uint8_t seed[32] = {1};
  struct asz_identity key;
  uint64_t durable;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, 3) != 0)
    return status;
  if (asz_bench_number(&b.entry_bytes, "entry", entry_text, 8, ENTRY_BYTES_MAX) != 0 ||
      asz_bench_number(&durable, "durable", durable_text, 1, 30000) != 0) /* 30,000 of the largest fit the queue */
    return 2;
  if (args.smoke)
    durable = 300;
  if (snprintf(b.dir, sizeof b.dir, "%s/bench-tlog-XXXXXX", base && *base ? base : P_tmpdir) >= (int)sizeof b.dir ||
      !mkdtemp(b.dir)) {
    fprintf(stderr, "bench_tlog: %s: cannot be made\n", b.dir);
    return 1;
  }
  asz_identity_from_seed(&key, seed);
  status = asz_tlog_create(b.dir, "bench.example/log", &key, &diag) != 0 || asz_tlog_open(&b.log, b.dir, &key, &diag) != 0;
  if (status)
    (void)fail(&diag);
  uint64_t bulk = BULK_BYTES / (b.entry_bytes + 2) < BULK_ENTRIES ? BULK_BYTES / (b.entry_bytes + 2) : BULK_ENTRIES;
  uint64_t turns = args.seconds > 0 ? args.seconds : 10;
  if (!status)
    status = args.smoke ? measure(&b, &figures, 2000, 1, durable, 2) : measure(&b, &figures, bulk, 2, durable, turns);
  if (!status)
    status = verify(&b, key.public_key, &figures);
  if (!status)
    print(&args, &b, &figures, durable);
  asz_tlog_close(b.log);
  (void)nftw(b.dir, remove_file, 16, FTW_DEPTH | FTW_PHYS);
  return status;
}
