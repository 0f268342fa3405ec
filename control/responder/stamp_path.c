/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/stamp_path.h"

#include <assert.h>

#include "dataplane/base/bytes.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"
#include "dataplane/base/stamp_auth.h"

/* A first TLV with our type and enterprise number means us, whatever else is wrong with it. */
static bool claims_our_tlv(const uint8_t *payload, size_t size_bytes) {
  return size_bytes >= ASZ_TLV_AT_VERSION + 1u && payload[ASZ_TLV_AT + 1] == ASZ_TLV_TYPE &&
         asz_be32_load(payload + ASZ_TLV_AT_ENTERPRISE) == ASZ_TLV_ENTERPRISE;
}

static enum asz_resp_counter admit_tlv(struct asz_stamp_path *path, const uint8_t *payload, uint64_t now_ns,
                                       struct asz_stamp_grant *grant) {
  struct asz_validator *validator = asz_authority_find(path->authority, payload + ASZ_TLV_AT_VALIDATOR);
  if (!validator)
    return ASZ_RESP_DROPPED_UNAUTHORISED;
  grant->epoch = asz_be32_load(payload + ASZ_TLV_AT_EPOCH);
  grant->window = asz_receipts_window(path->receipts, asz_authority_number(path->authority, validator));
  const int err = asz_authority_check(path->authority, validator, grant->epoch, payload + ASZ_TLV_AT_MAC, payload, ASZ_TLV_AT_MAC,
                                      now_ns, &grant->session);
  return err ? asz_resp_counter_of_auth(err) : ASZ_RESP_ANSWERED_TLV;
}

static enum asz_resp_counter admit_auth(struct asz_stamp_path *path, const struct asz_stamp_request *request, uint64_t now_ns,
                                        const struct asz_hmac_key **ret_key) {
  if (asz_authority_count(path->authority) == 0)
    return ASZ_RESP_DROPPED_UNAUTHORISED;
  const int err = asz_authority_check_hmac(path->authority, path->lanes, request->peer, request->payload, now_ns, ret_key);
  if (err == ASZ_EAGAIN)
    return ASZ_RESP_DROPPED_TRIAL_RATE;
  return err ? ASZ_RESP_DROPPED_BAD_MAC : ASZ_RESP_ANSWERED_AUTH;
}

static enum asz_resp_counter judge(struct asz_stamp_path *path, const struct asz_stamp_request *request, uint64_t now_ns,
                                   struct asz_stamp_grant *grant) {
  const uint8_t *payload = request->payload;
  const size_t size_bytes = request->size_bytes;
  if (size_bytes < ASZ_STAMP_BYTES)
    return ASZ_RESP_DROPPED_SHORT;
  if (size_bytes > ASZ_UDP_PAYLOAD_MAX)
    return ASZ_RESP_DROPPED_LONG;

  const bool ours = claims_our_tlv(payload, size_bytes);
  if (ours && payload[ASZ_TLV_AT_VERSION] != ASZ_TLV_VERSION)
    return ASZ_RESP_DROPPED_VERSION;
  if (ours && (!asz_tlv_find(payload, size_bytes) || payload[ASZ_TLV_AT_ROLE] != ASZ_TLV_ROLE_REQUEST))
    return ASZ_RESP_DROPPED_FORMAT;
  const bool auth = !ours && asz_stamp_auth_find(payload, size_bytes);
  if (request->peer_port < ASZ_SENDER_PORT_MIN || (auth && asz_stamp_auth_is_reply(payload)))
    return ASZ_RESP_DROPPED_LOOP;

  if (!asz_limiter_take(path->limiter, request->peer, now_ns))
    return ASZ_RESP_DROPPED_RATE;
  if (ours)
    return admit_tlv(path, payload, now_ns, grant);
  if (auth)
    return admit_auth(path, request, now_ns, &grant->hmac);
  return path->plain_allowed ? ASZ_RESP_ANSWERED_PLAIN : ASZ_RESP_DROPPED_PLAIN;
}

enum asz_resp_counter asz_stamp_path_judge(struct asz_stamp_path *path, const struct asz_stamp_request *request, uint64_t now_ns,
                                           struct asz_stamp_grant *ret_grant) {
  struct asz_stamp_grant grant = {.lanes = path->lanes};
  grant.answered_as = judge(path, request, now_ns, &grant);
  *ret_grant = grant;
  return grant.answered_as;
}

enum asz_resp_counter asz_stamp_path_admit(struct asz_stamp_path *path, const struct asz_datagram *datagram, uint64_t now_ns,
                                           struct asz_stamp_grant *ret_grant) {
  const struct asz_stamp_request request = {.payload = datagram->payload,
                                            .size_bytes = datagram->size_bytes,
                                            .peer = &datagram->ends.peer,
                                            .peer_port = datagram->ends.peer_port};
  return asz_stamp_path_judge(path, &request, now_ns, ret_grant);
}

void asz_stamp_path_reflect(uint8_t *payload, size_t size_bytes, uint8_t ttl, const struct asz_stamp_grant *grant,
                            uint64_t t2_ntp64, uint64_t t3_ntp64) {
  const struct asz_session *session = grant->answered_as == ASZ_RESP_ANSWERED_TLV ? &grant->session : NULL;
  int reply_bytes;
  if (grant->answered_as == ASZ_RESP_ANSWERED_AUTH)
    reply_bytes = asz_stamp_auth_reflect(grant->lanes, grant->hmac, payload, size_bytes, t2_ntp64, t3_ntp64,
                                         ASZ_STAMP_ERROR_UNSYNCHRONISED, ttl);
  else
    reply_bytes = asz_stamp_reflect(payload, size_bytes, t2_ntp64, t3_ntp64, ASZ_STAMP_ERROR_UNSYNCHRONISED, ttl, session);
  assert(reply_bytes == (int)size_bytes); /* judge let nothing shorter through */
  if (grant->window) {
    struct asz_reply_times times;
    asz_reply_times_of(&times, payload);
    asz_window_note(grant->window, grant->epoch, &times);
  }
}

void asz_stamp_path_finish(struct asz_datagram *datagram, const struct asz_stamp_grant *grant, uint64_t t3_ns) {
  asz_stamp_path_reflect(datagram->payload, datagram->size_bytes, datagram->ttl, grant, asz_clock_ntp64(datagram->rx_ns),
                         asz_clock_ntp64(t3_ns));
}
