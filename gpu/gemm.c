/* SPDX-License-Identifier: Apache-2.0 */
/* The host's judgement of opened columns. It asks what gpu/kinds/gemm.h and mem.h ask, in the same order, but hashes by libsodium
 * and multiplies by a backend: two ways to one reason, compared by tests. */
#include "gpu/gemm.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "dataplane/base/bytes.h"
#include "gpu/tree.h"

static const uint8_t label_a[] = "assize/1/gemm/a", label_b[] = "assize/1/gemm/b", label_s[] = "assize/1/gemm/s";
static const uint8_t label_pick[] = "assize/1/pick";
enum { LABEL_BYTES = sizeof label_a - 1, PICK_LABEL_BYTES = sizeof label_pick - 1 };

const char *asz_gemm_reason_name(unsigned reason) {
  static const char *const name[] = {
#define REASON_NAME(symbol, value, text) [value] = text,
      ASZ_GEMM_REASON_LIST(REASON_NAME)
#undef REASON_NAME
  };
  return reason < sizeof name / sizeof name[0] ? name[reason] : "unknown";
}

void asz_gemm_host_a_key(uint8_t ret_key[32], uint32_t preset, const uint8_t beacon[32]) {
  uint8_t message[LABEL_BYTES + 33];
  memcpy(message, label_a, LABEL_BYTES);
  memcpy(message + LABEL_BYTES, beacon, 32);
  message[LABEL_BYTES + 32] = (uint8_t)preset;
  crypto_generichash(ret_key, 32, message, sizeof message, NULL, 0);
}

void asz_gemm_host_b_key(uint8_t ret_key[32], const uint8_t seed[32], uint32_t t, const uint8_t previous_root[32]) {
  uint8_t message[LABEL_BYTES + 68];
  memcpy(message, label_b, LABEL_BYTES);
  memcpy(message + LABEL_BYTES, seed, 32);
  asz_be32_store(message + LABEL_BYTES + 32, t);
  memcpy(message + LABEL_BYTES + 36, previous_root, 32);
  crypto_generichash(ret_key, 32, message, sizeof message, NULL, 0);
}

void asz_gemm_host_stream(uint8_t *ret_bytes, size_t size_bytes, const uint8_t key[32]) {
  static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
  crypto_stream_chacha20(ret_bytes, size_bytes, nonce, key);
}

void asz_gemm_host_s(uint32_t *ret_s, const struct asz_gemm_shape *shape, const uint8_t rho[32]) {
  uint8_t message[LABEL_BYTES + 1], key[32];
  memcpy(message, label_s, LABEL_BYTES);
  message[LABEL_BYTES] = (uint8_t)shape->preset;
  crypto_generichash(key, 32, message, sizeof message, rho, 32);
  asz_gemm_host_stream((uint8_t *)ret_s, (size_t)4 * shape->n, key); /* little-endian machines: bytes.h */
  for (uint32_t i = 0; i < shape->n; i++)
    ret_s[i] = asz_gemm_s_of(ret_s[i]);
}

void asz_mem_host_weights(uint64_t *ret_weights, const struct asz_gemm_shape *shape, const uint8_t fold_seed[32]) {
  asz_gemm_host_stream((uint8_t *)ret_weights, (size_t)8 * shape->n, fold_seed);
  for (uint32_t i = 0; i < shape->n; i++) {
    uint64_t w = ret_weights[i] >> 4;
    ret_weights[i] = w & ((UINT64_C(1) << ASZ_MEM_HALF_BITS) - 1);
    ret_weights[shape->n + i] = w >> ASZ_MEM_HALF_BITS;
  }
}

void asz_gemm_picks(struct asz_gemm_pick *ret_pick, unsigned count, const struct asz_gemm_shape *shape, const uint8_t rho[32],
                    uint8_t kind, const uint8_t provider_pk[32], uint32_t device, const uint8_t root[32]) {
  uint8_t message[PICK_LABEL_BYTES + 70], key[32];
  uint32_t word[2 * ASZ_GEMM_PICKS_MAX];
  assert(count >= 1 && count <= ASZ_GEMM_PICKS_MAX);
  memcpy(message, label_pick, PICK_LABEL_BYTES);
  message[PICK_LABEL_BYTES] = kind;
  message[PICK_LABEL_BYTES + 1] = (uint8_t)shape->preset;
  memcpy(message + PICK_LABEL_BYTES + 2, provider_pk, 32);
  asz_be32_store(message + PICK_LABEL_BYTES + 34, device);
  memcpy(message + PICK_LABEL_BYTES + 38, root, 32);
  crypto_generichash(key, 32, message, sizeof message, rho, 32);
  asz_gemm_host_stream((uint8_t *)word, (size_t)8 * count, key);
  for (unsigned o = 0; o < count; o++)
    ret_pick[o] = (struct asz_gemm_pick){.t = word[2 * o] & (shape->t - 1), .j = word[2 * o + 1] & (shape->m - 1)};
}

static size_t aligned(size_t bytes) {
  return (bytes + ASZ_GEMM_ALIGN_BYTES - 1) / ASZ_GEMM_ALIGN_BYTES * ASZ_GEMM_ALIGN_BYTES;
}

size_t asz_gemm_slot_footprint(uint32_t preset) {
  struct asz_gemm_shape shape = asz_gemm_shape_of(preset);
  if (shape.preset == 0)
    return 0;
  return aligned(sizeof(struct asz_gemm_slot)) + aligned(asz_gemm_u_packed_bytes(shape.k)) + aligned((size_t)4 * shape.k) +
         aligned((size_t)4 * shape.n);
}

struct asz_gemm_slot *asz_gemm_slot_new(void *memory, uint32_t preset, const struct asz_gemm_backend *backend,
                                        const uint8_t beacon[32], const uint8_t rho[32]) {
  struct asz_gemm_slot *slot = memory;
  uint8_t *rest = (uint8_t *)memory + aligned(sizeof *slot), a_key[32];
  assert(asz_gemm_slot_footprint(preset) != 0 && (uintptr_t)memory % ASZ_GEMM_ALIGN_BYTES == 0);
  *slot = (struct asz_gemm_slot){.shape = asz_gemm_shape_of(preset), .backend = backend};
  slot->u_packed = rest;
  slot->u = (uint32_t *)(rest + aligned(asz_gemm_u_packed_bytes(slot->shape.k)));
  slot->s = (uint32_t *)((uint8_t *)slot->u + aligned((size_t)4 * slot->shape.k));
  asz_gemm_host_s(slot->s, &slot->shape, rho);
  asz_gemm_host_a_key(a_key, preset, beacon);
  backend->u_make(slot->u, &slot->shape, a_key, slot->s);
  backend->u_pack(slot->u_packed, slot->u, slot->shape.k);
  return slot;
}

static bool step_leads_to(const uint8_t root[32], const struct asz_gemm_shape *shape, uint32_t t, const uint8_t step_root[32],
                          const uint8_t *path) {
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[32];
  asz_tree_head(head, ASZ_TREE_STEP, t, shape->t, shape->m);
  asz_tree_host_leaf(hash, head, step_root, 32);
  asz_tree_host_climb(hash, t, path, shape->log2_t);
  return memcmp(hash, root, 32) == 0;
}

static bool column_leads_to_root(const struct asz_gemm_shape *shape, struct asz_gemm_pick pick, const uint8_t *opening) {
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[32];
  asz_tree_head(head, ASZ_TREE_COLUMN, pick.t, pick.j, shape->n);
  asz_tree_host_leaf(hash, head, opening + ASZ_GEMM_AT_COLUMN, (size_t)4 * shape->n);
  asz_tree_host_climb(hash, pick.j, opening + asz_gemm_at_path(shape), shape->log2_m);
  return memcmp(hash, opening + ASZ_GEMM_AT_ROOT, 32) == 0;
}

static enum asz_gemm_reason gemm_reason(const struct asz_gemm_slot *slot, const struct asz_gemm_openings *openings, uint32_t i) {
  const struct asz_gemm_shape *shape = &slot->shape;
  const uint8_t *opening = openings->opening + i * openings->opening_bytes, *root = openings->root[i];
  const uint8_t *previous_root = opening + ASZ_GEMM_AT_PREVIOUS_ROOT, *column = opening + ASZ_GEMM_AT_COLUMN;
  struct asz_gemm_pick pick = openings->pick[i];
  uint8_t b_key[32];
  if (asz_be32_load(opening + ASZ_GEMM_AT_T) != pick.t || asz_be32_load(opening + ASZ_GEMM_AT_J) != pick.j)
    return ASZ_GEMM_REASON_WRONG_PICK;
  if (!asz_gemm_first_step_is_empty(shape, pick.t, opening))
    return ASZ_GEMM_REASON_NONZERO_PADDING;
  if (!asz_gemm_in_range(shape, column))
    return ASZ_GEMM_REASON_OUT_OF_RANGE;
  asz_gemm_host_b_key(b_key, openings->seed[i], pick.t, previous_root);
  if (asz_gemm_s_dot_c(shape, slot->s, column) != slot->backend->u_dot_b(slot->u_packed, shape->k, b_key, pick.j))
    return ASZ_GEMM_REASON_WRONG_PRODUCT;
  if (!column_leads_to_root(shape, pick, opening))
    return ASZ_GEMM_REASON_WRONG_LEAF_PATH;
  if (!step_leads_to(root, shape, pick.t, opening + ASZ_GEMM_AT_ROOT, opening + asz_gemm_at_step_path(shape)))
    return ASZ_GEMM_REASON_WRONG_STEP_PATH;
  if (pick.t > 0 && !step_leads_to(root, shape, pick.t - 1, previous_root, opening + asz_gemm_at_link_path(shape)))
    return ASZ_GEMM_REASON_WRONG_LINK;
  return ASZ_GEMM_REASON_NONE;
}

static uint64_t fold_of(const struct asz_gemm_shape *shape, const uint8_t fold_seed[32], const uint8_t *column) {
  uint8_t stream[ASZ_GEMM_CHUNK]; /* a piece of the weights at a time: the column decides how many, not the stack */
  static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
  uint64_t low = 0, high = 0;
  for (uint32_t i = 0; i < shape->n; i++) {
    size_t at = (size_t)8 * i % sizeof stream;
    if (at == 0) {
      size_t rest = (size_t)8 * (shape->n - i), bytes = rest < sizeof stream ? rest : sizeof stream;
      memset(stream, 0, bytes);
      crypto_stream_chacha20_xor_ic(stream, stream, bytes, nonce, i / 8, fold_seed);
    }
    uint64_t w = asz_mem_z_load(stream + at) >> 4;
    uint32_t x = asz_hd_le32_load(column + (size_t)4 * i) & 0xffff;
    low += (w & ((UINT64_C(1) << ASZ_MEM_HALF_BITS) - 1)) * x;
    high += (w >> ASZ_MEM_HALF_BITS) * x;
  }
  return asz_mem_join(low, high);
}

static enum asz_gemm_reason fold_reason(const struct asz_gemm_slot *slot, const struct asz_gemm_openings *openings, uint32_t i) {
  const struct asz_gemm_shape *shape = &slot->shape;
  const uint8_t *opening = openings->opening + i * openings->opening_bytes, *z = opening + asz_mem_at_z(shape);
  struct asz_gemm_pick pick = openings->pick[i];
  uint32_t group = pick.j / ASZ_GEMM_FOLD_COLUMNS;
  uint8_t head[ASZ_TREE_HEAD_BYTES], hash[32];
  if (asz_mem_z_load(z + (size_t)8 * (pick.j % ASZ_GEMM_FOLD_COLUMNS)) !=
      fold_of(shape, openings->fold_seed[i], opening + ASZ_GEMM_AT_COLUMN))
    return ASZ_GEMM_REASON_WRONG_FOLD;
  asz_tree_head(head, ASZ_TREE_FOLD, pick.t, group, ASZ_GEMM_FOLD_COLUMNS);
  asz_tree_host_leaf(hash, head, z, ASZ_MEM_GROUP_BYTES);
  asz_tree_host_climb(hash, pick.t * (shape->m / ASZ_GEMM_FOLD_COLUMNS) + group, opening + asz_mem_at_z_path(shape),
                      asz_mem_log2_groups(shape));
  return memcmp(hash, openings->z_root[i], 32) == 0 ? ASZ_GEMM_REASON_NONE : ASZ_GEMM_REASON_WRONG_FOLD_PATH;
}

void asz_gemm_judge(const struct asz_gemm_slot *slot, const struct asz_gemm_openings *openings, uint32_t first, uint32_t count) {
  bool is_fold = openings->fold_seed != NULL;
  size_t expected_bytes = is_fold ? asz_mem_opening_bytes(&slot->shape) : asz_gemm_opening_bytes(&slot->shape);
  for (uint32_t i = first; i < first + count; i++) {
    enum asz_gemm_reason reason = ASZ_GEMM_REASON_WRONG_SIZE;
    if (openings->opening_bytes == expected_bytes) {
      reason = gemm_reason(slot, openings, i);
      if (reason == ASZ_GEMM_REASON_NONE && is_fold)
        reason = fold_reason(slot, openings, i);
    }
    openings->reason[i] = (uint8_t)reason;
    openings->verdict[i] = (uint8_t)asz_gemm_verdict_of(reason);
  }
}
