/* SPDX-License-Identifier: Apache-2.0 */
/* What a validator writes into its log: an epoch's opening (the commitment), its close (the reveal and the report's root), and a
 * recommendation to slash (the hash of its evidence). Small maps; key 0 is always the type. */
#include "control/evidence/entry.h"

#include <assert.h>

#include "control/evidence/evidence.h"
#include "control/evidence/strict_cbor.h"

/* Pairs of each map, the type included. */
enum { OPEN_PAIRS = 7, CLOSE_PAIRS = 6, SLASH_PAIRS = 7 };

static struct asz_cbor_writer begin(uint8_t *entry, unsigned pairs, enum asz_entry_type type) {
  struct asz_cbor_writer writer = {.data = entry, .capacity = ASZ_TLOG_ENTRY_MAX};
  asz_cbor_put_map(&writer, pairs);
  asz_cbor_pair_uint(&writer, 0, type);
  return writer;
}

size_t asz_entry_epoch_open(uint8_t *ret_entry, uint32_t epoch, const uint8_t commitment[32], const uint8_t beacon[32],
                            const uint8_t params_hash[32], const uint8_t registry_root[32], uint64_t opened_ns) {
  struct asz_cbor_writer writer = begin(ret_entry, OPEN_PAIRS, ASZ_ENTRY_EPOCH_OPEN);
  asz_cbor_pair_uint(&writer, 1, epoch);
  asz_cbor_pair_bytes(&writer, 2, commitment, 32);
  asz_cbor_pair_bytes(&writer, 3, beacon, 32);
  asz_cbor_pair_bytes(&writer, 4, params_hash, 32);
  asz_cbor_pair_bytes(&writer, 5, registry_root, 32);
  asz_cbor_pair_uint(&writer, 6, opened_ns);
  assert(!writer.err);
  return writer.size;
}

size_t asz_entry_epoch_close(uint8_t *ret_entry, uint32_t epoch, const uint8_t secret[32], const uint8_t report_root[32],
                             uint32_t provider_count, uint64_t closed_ns) {
  struct asz_cbor_writer writer = begin(ret_entry, CLOSE_PAIRS, ASZ_ENTRY_EPOCH_CLOSE);
  asz_cbor_pair_uint(&writer, 1, epoch);
  asz_cbor_pair_bytes(&writer, 2, secret, 32);
  asz_cbor_pair_bytes(&writer, 3, report_root, 32);
  asz_cbor_pair_uint(&writer, 4, provider_count);
  asz_cbor_pair_uint(&writer, 5, closed_ns);
  assert(!writer.err);
  return writer.size;
}

size_t asz_entry_slash(uint8_t *ret_entry, uint32_t epoch, enum asz_offence offence, const uint8_t provider_pk[32],
                       uint32_t device, const uint8_t bundle_hash[32], uint32_t stake_bps) {
  struct asz_cbor_writer writer = begin(ret_entry, SLASH_PAIRS, ASZ_ENTRY_SLASH);
  asz_cbor_pair_uint(&writer, 1, epoch);
  asz_cbor_pair_uint(&writer, 2, offence);
  asz_cbor_pair_bytes(&writer, 3, provider_pk, 32);
  asz_cbor_pair_uint(&writer, 4, device);
  asz_cbor_pair_bytes(&writer, 5, bundle_hash, 32);
  asz_cbor_pair_uint(&writer, 6, stake_bps);
  assert(!writer.err);
  return writer.size;
}

static void read_type(struct asz_cbor_reader *reader, unsigned pairs, enum asz_entry_type type) {
  asz_cbor_map(reader, pairs);
  asz_cbor_key(reader, 0, "type");
  if (asz_cbor_uint(reader, UINT8_MAX) != type && !reader->err)
    reader->err = asz_diag_set(reader->diag, ASZ_EFORMAT, "%s: an entry of another type", reader->what);
}

int asz_entry_epoch_open_read(struct asz_epoch_open *ret_open, const uint8_t *entry, size_t size_bytes, struct asz_diag *diag) {
  struct asz_epoch_open open;
  struct asz_cbor_reader reader;
  asz_cbor_start(&reader, entry, size_bytes, "opening entry", diag);
  read_type(&reader, OPEN_PAIRS, ASZ_ENTRY_EPOCH_OPEN);
  open.epoch = (uint32_t)asz_cbor_field_uint(&reader, 1, "epoch", UINT32_MAX);
  asz_cbor_field_copy(&reader, 2, "commitment", open.commitment, 32);
  asz_cbor_field_copy(&reader, 3, "beacon", open.beacon, 32);
  asz_cbor_field_copy(&reader, 4, "params_hash", open.params_hash, 32);
  asz_cbor_field_copy(&reader, 5, "registry_root", open.registry_root, 32);
  open.opened_ns = asz_cbor_field_uint(&reader, 6, "opened_ns", UINT64_MAX);
  int err = asz_cbor_end(&reader);
  if (!err)
    *ret_open = open;
  return err;
}

int asz_entry_epoch_close_read(struct asz_epoch_close *ret_close, const uint8_t *entry, size_t size_bytes,
                               struct asz_diag *diag) {
  struct asz_epoch_close close;
  struct asz_cbor_reader reader;
  asz_cbor_start(&reader, entry, size_bytes, "closing entry", diag);
  read_type(&reader, CLOSE_PAIRS, ASZ_ENTRY_EPOCH_CLOSE);
  close.epoch = (uint32_t)asz_cbor_field_uint(&reader, 1, "epoch", UINT32_MAX);
  asz_cbor_field_copy(&reader, 2, "secret", close.secret, 32);
  asz_cbor_field_copy(&reader, 3, "report_root", close.report_root, 32);
  close.provider_count = (uint32_t)asz_cbor_field_uint(&reader, 4, "provider_count", UINT32_MAX);
  close.closed_ns = asz_cbor_field_uint(&reader, 5, "closed_ns", UINT64_MAX);
  int err = asz_cbor_end(&reader);
  if (!err)
    *ret_close = close;
  return err;
}

int asz_entry_slash_read(struct asz_slash_entry *ret_slash, const uint8_t *entry, size_t size_bytes, struct asz_diag *diag) {
  struct asz_slash_entry slash;
  struct asz_cbor_reader reader;
  asz_cbor_start(&reader, entry, size_bytes, "slash entry", diag);
  read_type(&reader, SLASH_PAIRS, ASZ_ENTRY_SLASH);
  slash.epoch = (uint32_t)asz_cbor_field_uint(&reader, 1, "epoch", UINT32_MAX);
  slash.offence = (uint8_t)asz_cbor_field_uint(&reader, 2, "offence", UINT8_MAX);
  asz_cbor_field_copy(&reader, 3, "provider_pk", slash.provider_pk, 32);
  slash.device = (uint32_t)asz_cbor_field_uint(&reader, 4, "device", UINT32_MAX);
  asz_cbor_field_copy(&reader, 5, "bundle_hash", slash.bundle_hash, 32);
  slash.stake_bps = (uint32_t)asz_cbor_field_uint(&reader, 6, "stake_bps", UINT32_MAX);
  int err = asz_cbor_end(&reader);
  if (!err)
    *ret_slash = slash;
  return err;
}
