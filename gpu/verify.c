/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: a pool of batches, the order in which they come back, and who judges each of them.
 *
 * Batches come back in the order of submission. With a device, submit starts one there and poll asks whether the oldest is done;
 * several are in flight. Without one, or after the device failed, poll itself judges the oldest batch on the CPU, a budget of
 * items at a time; with one, those that were too small for it, while it is at work on others. The device's failure is therefore
 * no special path: its batches simply become batches that the CPU has not judged yet. A device is trusted with verdicts only
 * after the known answers (selftest.c), and a verdict byte that is no verdict counts as a failure of the device.
 *
 * Each batch's arrays are slices of one piece of memory, its slab, so that a device can pin them in one call. Slabs lie one after
 * the other in what the caller lends, or in an allocation of the verifier's. */
#include "gpu/verify.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/base/log.h"
#include "gpu/device.h"
#include "gpu/kind.h"

enum {
  BATCH_CAPACITY_MAX = 65536,
  KEY_CAPACITY_MAX = 1 << 24,
  BATCH_COUNT_MAX = 16, /* per kind */
  SLICE_ALIGN = 256,    /* what CUDA aligns its own allocations to; also a multiple of any cache line */
  SLAB_ALIGN = 4096,    /* pages, the unit in which memory is pinned */
};

struct slot {
  struct asz_batch batch; /* first, so that the caller's pointer leads back here */
  void *slab;
  size_t slab_bytes;
  uint64_t ticket;   /* order of submission */
  uint64_t first_ns; /* FILLING: when its first item was seen, if it was */
  bool first_seen, on_device;
  bool judged;                         /* READY, by the CPU, behind one that is not */
  struct asz_verify_progress progress; /* of the CPU */
  const struct asz_verify_kind *kind;
};

struct asz_verifier {
  struct asz_verify_cpu cpu;
  char cpu_name[64];
  uint8_t preset_max;
  void *slot_memory[ASZ_VERIFY_SLOTS];
  struct asz_device device; /* ops NULL: none */
  bool device_failed;       /* set once; the device is only freed from then on */
  struct asz_diag device_error;
  bool serving; /* the known answers are behind it */
  uint64_t tickets;
  uint64_t fallbacks;
  uint64_t deadline_ns;
  uint32_t unpinned;
  void *own_memory;
  uint8_t *memory; /* what is left of it, or of the caller's, for slabs */
  unsigned slot_count;
  struct slot slot[ASZ_VERIFY_KINDS * BATCH_COUNT_MAX];
};

void asz_verify_config_default(struct asz_verify_config *ret_config) {
  *ret_config = (struct asz_verify_config){.backend = ASZ_BACKEND_AUTO,
                                           .batch_capacity = 16384,
                                           .batch_count = 4,
                                           .key_table_bytes = ASZ_SIG_TABLE_DEFAULT,
                                           .openings = 1024,
                                           .deadline_us = 500};
}

static bool is_ready(const struct slot *slot) {
  return slot->batch.state == ASZ_BATCH_READY;
}

/* Should the CPU go on with it? */
static bool waits_for_cpu(const struct slot *slot) {
  return is_ready(slot) && !slot->on_device && !slot->judged;
}

static struct slot *oldest_that(struct asz_verifier *verifier, bool (*is)(const struct slot *slot)) {
  struct slot *oldest = NULL;
  for (unsigned i = 0; i < verifier->slot_count; i++) {
    struct slot *slot = &verifier->slot[i];
    if (is(slot) && (!oldest || slot->ticket < oldest->ticket))
      oldest = slot;
  }
  return oldest;
}

static bool device_takes(const struct asz_verifier *verifier, unsigned kind) {
  return verifier->device.ops && (verifier->device.kinds >> kind & 1) != 0;
}

/* Gives the next slice of a slab that is `item_bytes` an item; with slab NULL only counts. */
static void *slice(uint8_t *slab, size_t *used_bytes, size_t item_bytes, uint32_t capacity) {
  void *start = slab ? slab + *used_bytes : NULL;
  *used_bytes += (item_bytes * capacity + SLICE_ALIGN - 1) / SLICE_ALIGN * SLICE_ALIGN;
  return start;
}

/* Points the batch's arrays into the slab and returns the slab's size; called first with NULL for the size alone. */
static size_t lay_out(struct asz_batch *batch, const struct asz_verify_kind *kind, uint8_t *slab) {
  size_t used = 0;
  batch->verdict = slice(slab, &used, sizeof *batch->verdict, batch->capacity);
  batch->tag = slice(slab, &used, sizeof *batch->tag, batch->capacity);
  for (unsigned c = 0; c < kind->column_count; c++) {
    bool openings = kind->column[c].pointer_at == offsetof(struct asz_batch, opening);
    size_t item_bytes = openings ? batch->opening_bytes : kind->column[c].item_bytes;
    *asz_column_data(&kind->column[c], batch) = slice(slab, &used, item_bytes, batch->capacity);
  }
  return (used + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
}

static bool is_opened(unsigned kind) {
  return kind > ASZ_KIND_SINGLE_MAX;
}

/* Of the largest opening of a kind that the verifier may be given: presets do not stand in the order of their sizes. */
static size_t opening_bytes_max(unsigned kind, uint8_t preset_max) {
  size_t most = 0;
  for (unsigned preset = 1; preset <= preset_max; preset++) {
    struct asz_gemm_shape shape = asz_gemm_shape_of(preset);
    size_t bytes = kind == ASZ_KIND_MEM ? asz_mem_opening_bytes(&shape) : asz_gemm_opening_bytes(&shape);
    most = bytes > most ? bytes : most;
  }
  return most;
}

/* The batch of a kind in a pool of this configuration, without memory. */
static struct asz_batch batch_of(const struct asz_verify_config *config, const struct asz_verify_kind *kind) {
  struct asz_batch batch = {.kind = kind->kind, .capacity = config->batch_capacity};
  if (is_opened(kind->kind)) {
    batch.capacity = config->openings;
    batch.opening_bytes = opening_bytes_max(kind->kind, config->preset_max);
  }
  return batch;
}

/* How many batches of a kind there are. */
static uint32_t count_of(const struct asz_verify_config *config, const struct asz_verify_kind *kind) {
  return is_opened(kind->kind) && config->preset_max == 0 ? 0 : config->batch_count;
}

/* Adds one batch to the pool and shows it to the device. */
static int add_slot(struct asz_verifier *verifier, const struct asz_verify_kind *kind, const struct asz_batch *batch,
                    struct asz_diag *diag) {
  struct slot *slot = &verifier->slot[verifier->slot_count];
  slot->kind = kind;
  slot->batch = *batch;
  slot->slab = verifier->memory;
  slot->slab_bytes = lay_out(&slot->batch, kind, slot->slab);
  memset(slot->slab, 0, slot->slab_bytes);
  verifier->memory += slot->slab_bytes;
  unsigned index = verifier->slot_count++;
  if (!device_takes(verifier, kind->kind))
    return 0;
  int rc = verifier->device.ops->attach(verifier->device.state, index, &slot->batch, slot->slab, slot->slab_bytes, diag);
  verifier->unpinned += rc > 0;
  return rc < 0 ? rc : 0;
}

static int check_config(const struct asz_verify_config *config, struct asz_diag *diag) {
  if (config->batch_capacity < 1 || config->batch_capacity > BATCH_CAPACITY_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: batch_capacity is %u, expected 1..%d", config->batch_capacity,
                        BATCH_CAPACITY_MAX);
  if (config->batch_count < 1 || config->batch_count > BATCH_COUNT_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: batch_count is %u, expected 1..%d", config->batch_count, BATCH_COUNT_MAX);
  if (config->key_capacity > KEY_CAPACITY_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: key_capacity is %u, expected 0..%d", config->key_capacity, KEY_CAPACITY_MAX);
  if (config->key_capacity > 0 && asz_sig_keys_table_bytes(config->key_table_bytes) == 0)
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: key_table_bytes is %zu, expected %d at least", config->key_table_bytes,
                        ASZ_SIG_TABLE_SMALL);
  if (config->preset_max > ASZ_GEMM_PRESET_MAX)
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: preset_max is %u, expected 0..%d", config->preset_max, ASZ_GEMM_PRESET_MAX);
  if (config->preset_max > 0 && (config->openings < 1 || config->openings > BATCH_CAPACITY_MAX))
    return asz_diag_set(diag, ASZ_ERANGE, "verifier: openings is %u, expected 1..%d", config->openings, BATCH_CAPACITY_MAX);
  return 0;
}

/* The CPU's half: instructions, and room for keys. */
static int open_cpu(struct asz_verifier *verifier, const struct asz_verify_config *config, struct asz_diag *diag) {
  struct asz_verify_cpu *cpu = &verifier->cpu;
  cpu->reference = config->backend == ASZ_BACKEND_REFERENCE;
  cpu->sig = asz_sig_backend_best();
  cpu->sha256 = asz_sha256_backend_best();
  cpu->gemm = cpu->reference ? asz_gemm_backend_named("plain") : asz_gemm_backend_at(0);
  if (cpu->reference)
    snprintf(verifier->cpu_name, sizeof verifier->cpu_name, "reference");
  else
    snprintf(verifier->cpu_name, sizeof verifier->cpu_name, "cpu: sig %s, seq %s, gemm %s", cpu->sig->name, cpu->sha256->name,
             cpu->gemm->name);
  int rc = config->key_capacity ? asz_sig_keys_new(&cpu->keys, config->key_capacity, config->key_table_bytes) : 0;
  return rc ? asz_diag_set(diag, rc, "no memory for tables of %u keys", config->key_capacity) : 0;
}

/* Bytes of all slabs of a configuration that was checked. */
static size_t slabs_bytes(const struct asz_verify_config *config) {
  size_t bytes = 0;
  for (unsigned k = 0; k < ASZ_VERIFY_KINDS; k++) {
    struct asz_batch batch = batch_of(config, asz_verify_kinds[k]);
    bytes += count_of(config, asz_verify_kinds[k]) * lay_out(&batch, asz_verify_kinds[k], NULL);
  }
  return bytes;
}

size_t asz_verify_footprint(const struct asz_verify_config *config) {
  return check_config(config, NULL) == 0 ? slabs_bytes(config) : 0;
}

static int add_slots(struct asz_verifier *verifier, const struct asz_verify_config *config, struct asz_diag *diag) {
  size_t bytes = slabs_bytes(config);
  int rc = 0;
  if (config->memory) {
    assert(config->memory_bytes >= bytes && (uintptr_t)config->memory % SLAB_ALIGN == 0);
  } else {
    verifier->own_memory = aligned_alloc(SLAB_ALIGN, bytes);
    if (!verifier->own_memory)
      return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the verifier's batches (%zu bytes)", bytes);
  }
  verifier->memory = config->memory ? config->memory : verifier->own_memory;
  for (unsigned k = 0; k < ASZ_VERIFY_KINDS; k++) {
    struct asz_batch batch = batch_of(config, asz_verify_kinds[k]);
    for (uint32_t i = 0; rc == 0 && i < count_of(config, asz_verify_kinds[k]); i++)
      rc = add_slot(verifier, asz_verify_kinds[k], &batch, diag);
  }
  if (verifier->unpinned > 0)
    asz_log(ASZ_LOG_WARN, "%u batches could not be pinned for the device (ulimit -l?): their copies are slower",
            verifier->unpinned);
  return rc;
}

int asz_verify_new_on(struct asz_verifier **ret_verifier, const struct asz_verify_config *config, const struct asz_device *device,
                      struct asz_diag *diag) {
  struct asz_verifier *verifier = calloc(1, sizeof *verifier);
  if (!verifier) {
    if (device)
      device->ops->free(device->state);
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for the verifier");
  }
  if (device)
    verifier->device = *device;
  int rc = check_config(config, diag);
  if (rc == 0 && sodium_init() < 0)
    rc = asz_diag_set(diag, ASZ_ENOTSUP, "libsodium cannot start on this machine");
  if (rc == 0)
    rc = open_cpu(verifier, config, diag);
  verifier->preset_max = config->preset_max;
  verifier->deadline_ns = UINT64_C(1000) * config->deadline_us;
  if (rc == 0)
    rc = add_slots(verifier, config, diag);
  if (rc == 0)
    rc = asz_verify_self_test(verifier, diag);
  if (rc == 0 && verifier->device_failed) /* the right answers came from the CPU */
    rc = asz_diag_set(diag, ASZ_ENOTSUP, "%s", verifier->device_error.text);
  if (rc != 0) {
    asz_verify_free(verifier);
    return rc;
  }
  verifier->serving = true;
  *ret_verifier = verifier;
  return 0;
}

/* On the CPU's fast instructions, or, should those give a wrong answer, without them. */
static int new_on_cpu(struct asz_verifier **ret_verifier, const struct asz_verify_config *config, struct asz_diag *diag) {
  struct asz_verify_config reference = *config;
  reference.backend = ASZ_BACKEND_REFERENCE;
  int rc = asz_verify_new_on(ret_verifier, config, NULL, diag);
  if (rc != ASZ_ENOTSUP || config->backend == ASZ_BACKEND_REFERENCE)
    return rc;
  asz_log(ASZ_LOG_WARN, "verifying without fast instructions: %s", diag ? diag->text : "a wrong answer");
  return asz_verify_new_on(ret_verifier, &reference, NULL, diag);
}

int asz_verify_new(struct asz_verifier **ret_verifier, const struct asz_verify_config *config, struct asz_diag *diag) {
  int rc = check_config(config, diag); /* before a device is woken for nothing */
  if (rc != 0)
    return rc;
  if (config->backend == ASZ_BACKEND_CPU || config->backend == ASZ_BACKEND_REFERENCE)
    return new_on_cpu(ret_verifier, config, diag);

  struct asz_device device;
  struct asz_diag reason = {""};
  rc = asz_device_cuda_open(&device, &reason);
  bool found = rc == 0;
  if (found)
    rc = asz_verify_new_on(ret_verifier, config, &device, &reason);
  if (rc == 0)
    return 0;
  if (config->backend == ASZ_BACKEND_CUDA)
    return asz_diag_set(diag, rc, "%s", reason.text);
  if (found) /* a machine without a device is ordinary; a device that cannot be used is news */
    asz_log(ASZ_LOG_WARN, "verifying on the CPU: %s", reason.text);
  return new_on_cpu(ret_verifier, config, diag);
}

void asz_verify_free(struct asz_verifier *verifier) {
  if (!verifier)
    return;
  if (verifier->device.ops) /* before the slabs: work in flight reads them */
    verifier->device.ops->free(verifier->device.state);
  free(verifier->own_memory);
  for (unsigned i = 0; i < ASZ_VERIFY_SLOTS; i++)
    free(verifier->slot_memory[i]);
  asz_sig_keys_free(verifier->cpu.keys);
  free(verifier);
}

static bool device_serves(const struct asz_verifier *verifier) {
  return verifier->device.ops && !verifier->device_failed;
}

const char *asz_verify_backend_name(const struct asz_verifier *verifier) {
  return device_serves(verifier) ? verifier->device.name : verifier->cpu_name;
}

uint64_t asz_verify_fallbacks(const struct asz_verifier *verifier) {
  return verifier->fallbacks;
}

uint32_t asz_verify_unpinned(const struct asz_verifier *verifier) {
  return verifier->unpinned;
}

bool asz_verify_kind_serves(const struct asz_verifier *verifier, unsigned kind) {
  for (unsigned i = 0; i < verifier->slot_count; i++)
    if (verifier->slot[i].batch.kind == kind)
      return true;
  return false;
}

struct asz_batch *asz_verify_batch(struct asz_verifier *verifier, unsigned kind) {
  for (unsigned i = 0; i < verifier->slot_count; i++) {
    struct asz_batch *batch = &verifier->slot[i].batch;
    if (batch->kind == kind && batch->state == ASZ_BATCH_FREE) {
      batch->state = ASZ_BATCH_FILLING;
      batch->count = 0;
      verifier->slot[i].first_seen = false;
      return batch;
    }
  }
  return NULL;
}

/* The device is given up: all that it holds goes to the CPU from the first item on. */
static void abandon_device(struct asz_verifier *verifier, const char *why) {
  asz_diag_set(&verifier->device_error, ASZ_EDEVICE, "%s failed: %s", verifier->device.name, why);
  if (verifier->serving)
    asz_log(ASZ_LOG_WARN, "%s; verifying on the CPU from here on", verifier->device_error.text);
  verifier->device_failed = true;
  for (unsigned i = 0; i < verifier->slot_count; i++) {
    struct slot *slot = &verifier->slot[i];
    if (slot->batch.state == ASZ_BATCH_READY && slot->on_device) {
      memset(slot->batch.verdict, ASZ_VERDICT_NONE, slot->batch.count);
      slot->on_device = false;
      verifier->fallbacks++;
    }
  }
}

int asz_verify_key_set(struct asz_verifier *verifier, uint32_t key, const uint8_t public_key[32]) {
  const uint8_t *known = verifier->cpu.keys ? asz_sig_keys_get(verifier->cpu.keys, key) : NULL;
  if (known && memcmp(known, public_key, 32) == 0)
    return 0;
  if (device_serves(verifier) && oldest_that(verifier, is_ready))
    return ASZ_EAGAIN;
  int rc = verifier->cpu.keys ? asz_sig_keys_set(verifier->cpu.keys, key, public_key) : ASZ_ERANGE;
  struct asz_diag reason = {""};
  if (rc == 0 && device_serves(verifier) && verifier->device.ops->key_set &&
      verifier->device.ops->key_set(verifier->device.state, key, public_key, &reason) < 0)
    abandon_device(verifier, reason.text);
  return rc;
}

int asz_verify_slot_set(struct asz_verifier *verifier, uint32_t slot, uint8_t preset, const uint8_t beacon[32],
                        const uint8_t rho[32]) {
  assert(slot < ASZ_VERIFY_SLOTS && preset >= 1 && preset <= verifier->preset_max);
  size_t footprint = asz_gemm_slot_footprint(preset);
  void *memory = aligned_alloc(SLAB_ALIGN, (footprint + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN);
  if (!memory)
    return ASZ_ENOMEM;
  free(verifier->slot_memory[slot]);
  verifier->slot_memory[slot] = memory;
  verifier->cpu.slot[slot] = asz_gemm_slot_new(memory, preset, verifier->cpu.gemm, beacon, rho);
  struct asz_diag reason = {""};
  if (device_serves(verifier) && verifier->device.ops->slot_set &&
      verifier->device.ops->slot_set(verifier->device.state, slot, verifier->cpu.slot[slot], &reason) < 0)
    abandon_device(verifier, reason.text);
  return 0;
}

static struct slot *slot_of(struct asz_verifier *verifier, const struct asz_batch *batch) {
  struct slot *slot = (struct slot *)batch;
  assert(slot >= verifier->slot && slot < verifier->slot + verifier->slot_count);
  return slot;
}

bool asz_verify_due(struct asz_verifier *verifier, const struct asz_batch *batch, uint64_t now_ns) {
  struct slot *slot = slot_of(verifier, batch);
  assert(batch->state == ASZ_BATCH_FILLING);
  if (batch->count == 0)
    return false;
  if (!slot->first_seen) {
    slot->first_seen = true;
    slot->first_ns = now_ns;
  }
  return batch->count == batch->capacity || now_ns - slot->first_ns >= verifier->deadline_ns;
}

void asz_verify_submit(struct asz_verifier *verifier, struct asz_batch *batch) {
  struct slot *slot = slot_of(verifier, batch);
  assert(batch->state == ASZ_BATCH_FILLING && batch->count >= 1 && batch->count <= batch->capacity);
  memset(batch->verdict, ASZ_VERDICT_NONE, batch->count);
  batch->state = ASZ_BATCH_READY;
  slot->ticket = verifier->tickets++;
  slot->progress = (struct asz_verify_progress){.judged = 0};
  slot->judged = false;
  bool too_few = verifier->serving && batch->count < verifier->device.items_min[batch->kind];
  bool unset = is_opened(batch->kind) && (batch->slot >= ASZ_VERIFY_SLOTS || !verifier->cpu.slot[batch->slot]);
  slot->on_device = device_serves(verifier) && device_takes(verifier, batch->kind) && !too_few && !unset;
  if (!slot->on_device)
    return;
  struct asz_diag reason = {""};
  if (verifier->device.ops->start(verifier->device.state, (unsigned)(slot - verifier->slot), batch, &reason) < 0)
    abandon_device(verifier, reason.text);
}

static bool verdicts_are_verdicts(const struct asz_batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++)
    if (batch->verdict[i] < ASZ_VERDICT_PASS || batch->verdict[i] > ASZ_VERDICT_MALFORMED)
      return false;
  return true;
}

/* True when the device has finished the slot. On a failure the slot is the CPU's. */
static bool device_has_finished(struct asz_verifier *verifier, struct slot *slot) {
  struct asz_diag reason = {""};
  int rc = verifier->device.ops->poll(verifier->device.state, (unsigned)(slot - verifier->slot), &slot->batch, &reason);
  if (rc == 0)
    return false;
  if (rc > 0 && verdicts_are_verdicts(&slot->batch))
    return true;
  abandon_device(verifier, rc < 0 ? reason.text : "it returned bytes that are no verdicts");
  return false;
}

/* The CPU goes on with a batch; true when it is judged. */
static bool judge_some(const struct asz_verifier *verifier, struct slot *slot, uint32_t budget) {
  if (slot->kind->work && !verifier->cpu.reference)
    return slot->kind->work(&verifier->cpu, &slot->batch, &slot->progress, budget);
  uint32_t left = slot->batch.count - slot->progress.judged;
  uint32_t now = budget == 0 || budget > left ? left : budget;
  slot->kind->judge(&verifier->cpu, &slot->batch, slot->progress.judged, now);
  slot->progress.judged += now;
  return slot->progress.judged == slot->batch.count;
}

struct asz_batch *asz_verify_poll(struct asz_verifier *verifier, uint32_t budget) {
  struct slot *oldest = oldest_that(verifier, is_ready);
  if (!oldest)
    return NULL;
  bool done = oldest->judged || (oldest->on_device && device_has_finished(verifier, oldest));
  struct slot *next = done ? NULL : oldest_that(verifier, waits_for_cpu);
  if (next) {
    next->judged = judge_some(verifier, next, budget);
    done = oldest->judged;
  }
  if (!done)
    return NULL;
  oldest->batch.state = ASZ_BATCH_DONE;
  return &oldest->batch;
}

void asz_verify_release(struct asz_verifier *verifier, struct asz_batch *batch) {
  assert(slot_of(verifier, batch)->batch.state == ASZ_BATCH_DONE);
  batch->state = ASZ_BATCH_FREE;
}
