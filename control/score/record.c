/* SPDX-License-Identifier: Apache-2.0 */
/* The 96-byte record of a provider and epoch: a leaf of the report's Merkle tree, so its bytes are a promise. It holds what was
 * measured (slots bit by bit, counts, two quantiles) and what was concluded, so that a reader can recompute the second from the
 * first. Counts that do not fit say so by being all ones. Byte table: docs/scoring.md. */
#include <string.h>

#include "control/score/score_private.h"
#include "dataplane/base/bound.h"
#include "dataplane/base/bytes.h"

enum {
  RECORD_VERSION = 1,
  AT_TIER = 1,
  AT_BINDING = 2,
  AT_FLAGS = ASZ_RECORD_AT_FLAGS, /* bit 0: gate open; bits 1 to 7: bound of the RTT's error (asz_bound) */
  AT_DEVICE = ASZ_RECORD_AT_DEVICE,
  AT_ROW = 8,
  AT_KEY = ASZ_RECORD_AT_KEY,
  AT_SENT = 48,
  AT_ANSWERED = 50,
  AT_LATE = 52,
  AT_UNJUDGED = 54,
  AT_SLOTS_JUDGED = ASZ_RECORD_AT_SLOTS_JUDGED,
  AT_SLOTS_UP = ASZ_RECORD_AT_SLOTS_UP,
  AT_RTT_Q50 = 72,
  AT_RTT_Q95 = ASZ_RECORD_AT_RTT_Q95,
  AT_E_VALUE = 80,
  AT_PASS = 84,
  AT_FAIL = 86,
  AT_AVAILABILITY_LOW = 88,
  AT_COMPOSITE = 92,
};
_Static_assert(AT_COMPOSITE + 4 == ASZ_RECORD_BYTES, "the record is full");

static uint16_t fit16(uint32_t value) {
  return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static uint32_t fit32(uint64_t value) {
  return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

uint32_t asz_score_record_rtt(const struct asz_score *score) {
  return fit32(score->rtt_q50_ns);
}

uint8_t asz_score_gate_byte(const struct asz_score *score) {
  uint8_t error = score->rtt_error_ns > 0 ? asz_bound_code(score->rtt_error_ns) : 0;
  return (uint8_t)(score->gate_open | error << 1);
}

void asz_score_record_write(uint8_t ret_record[ASZ_RECORD_BYTES], int64_t provider_row, const uint8_t provider_pk[32],
                            uint32_t device, const struct asz_measure *measure, const struct asz_score *score) {
  ret_record[0] = RECORD_VERSION;
  ret_record[AT_TIER] = score->tier;
  ret_record[AT_BINDING] = score->binding;
  ret_record[AT_FLAGS] = asz_score_gate_byte(score);
  asz_be32_store(ret_record + AT_DEVICE, device);
  asz_be64_store(ret_record + AT_ROW, (uint64_t)provider_row);
  memcpy(ret_record + AT_KEY, provider_pk, 32);
  asz_be16_store(ret_record + AT_SENT, fit16(measure->sent));
  asz_be16_store(ret_record + AT_ANSWERED, fit16(measure->answered));
  asz_be16_store(ret_record + AT_LATE, fit16(measure->late));
  asz_be16_store(ret_record + AT_UNJUDGED, fit16(measure->unjudged));
  asz_be64_store(ret_record + AT_SLOTS_JUDGED, measure->slots_judged);
  asz_be64_store(ret_record + AT_SLOTS_UP, measure->slots_judged & measure->slots_up);
  asz_be32_store(ret_record + AT_RTT_Q50, asz_score_record_rtt(score));
  asz_be32_store(ret_record + AT_RTT_Q95, fit32(score->rtt_q95_ns));
  asz_be32_store(ret_record + AT_E_VALUE, fit32(score->e_value_q32 >> 32));
  asz_be16_store(ret_record + AT_PASS, fit16(measure->answers_pass));
  asz_be16_store(ret_record + AT_FAIL, fit16(measure->answers_fail));
  asz_be32_store(ret_record + AT_AVAILABILITY_LOW, score->availability_low_ppm);
  asz_be32_store(ret_record + AT_COMPOSITE, score->composite_ppm);
}
