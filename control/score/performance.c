/* SPDX-License-Identifier: Apache-2.0 */
#include "control/score/performance.h"

#include <assert.h>

#include "dataplane/base/bytes.h"

enum { TIMES_BYTES = 20 };

void asz_work_times_add(struct asz_work_times *times, uint64_t took_ns) {
  assert(took_ns > 0);
  if (times->count == 0 || took_ns < times->min_ns)
    times->min_ns = took_ns;
  if (took_ns > times->max_ns)
    times->max_ns = took_ns;
  times->count += times->count < UINT32_MAX;
}

bool asz_performance_any(const struct asz_performance *p) {
  return p->product.count > 0 || p->build.count > 0 || p->fold.count > 0 || p->arena_bytes > 0;
}

bool asz_s_performance_ppm(const struct asz_performance *performance, uint32_t *ret_ppm) {
  const uint64_t ppm = 1000000, ns_per_s = 1000000000;
  if (performance->fold.count == 0 || performance->claimed_bytes_ps == 0)
    return false;
  /* 10^6 (arena / slowest) / claimed as one fraction: 64 bits times 10^15 and 64 times 64 both fit 128 */
  unsigned __int128 due = (unsigned __int128)performance->claimed_bytes_ps * performance->fold.max_ns;
  unsigned __int128 done = (unsigned __int128)performance->arena_bytes * (ns_per_s * ppm);
  unsigned __int128 share = done / due;
  *ret_ppm = share < ppm ? (uint32_t)share : (uint32_t)ppm;
  return true;
}

static void times_write(uint8_t *to, const struct asz_work_times *times) {
  asz_be32_store(to, times->count);
  asz_be64_store(to + 4, times->min_ns);
  asz_be64_store(to + 12, times->max_ns);
}

static bool times_read(struct asz_work_times *ret_times, const uint8_t *from) {
  *ret_times = (struct asz_work_times){asz_be32_load(from), asz_be64_load(from + 4), asz_be64_load(from + 12)};
  return ret_times->count == 0 ? ret_times->max_ns == 0 && ret_times->min_ns == 0
                               : ret_times->min_ns > 0 && ret_times->min_ns <= ret_times->max_ns;
}

void asz_performance_write(uint8_t ret_bytes[ASZ_PERFORMANCE_BYTES], const struct asz_performance *p) {
  const uint32_t folds[] = {p->folds_in_bounds, p->folds_too_slow, p->folds_too_fast, p->folds_untimed};
  uint8_t *to = ret_bytes + 3 * TIMES_BYTES;
  times_write(ret_bytes, &p->product);
  times_write(ret_bytes + TIMES_BYTES, &p->build);
  times_write(ret_bytes + 2 * TIMES_BYTES, &p->fold);
  for (unsigned i = 0; i < 4; i++, to += 4)
    asz_be32_store(to, folds[i]);
  asz_be64_store(to, p->arena_bytes);
  asz_be64_store(to + 8, p->claimed_bytes_ps);
}

int asz_performance_read(struct asz_performance *ret_performance, const uint8_t bytes[ASZ_PERFORMANCE_BYTES]) {
  const uint8_t *from = bytes + 3 * TIMES_BYTES;
  struct asz_performance p = {
      .folds_in_bounds = asz_be32_load(from),
      .folds_too_slow = asz_be32_load(from + 4),
      .folds_too_fast = asz_be32_load(from + 8),
      .folds_untimed = asz_be32_load(from + 12),
      .arena_bytes = asz_be64_load(from + 16),
      .claimed_bytes_ps = asz_be64_load(from + 24),
  };
  if (!times_read(&p.product, bytes) || !times_read(&p.build, bytes + TIMES_BYTES) ||
      !times_read(&p.fold, bytes + 2 * TIMES_BYTES))
    return ASZ_EFORMAT;
  *ret_performance = p;
  return 0;
}
