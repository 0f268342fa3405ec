/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/port_rules.h"

#include <string.h>

#include "dataplane/base/clock.h"

/* One writer: no locked instruction is needed for readers to see whole values. */
static void count(struct asz_port_rules *rules, enum asz_resp_counter counter) {
  _Atomic uint64_t *value = &rules->counter[counter];
  atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + 1, memory_order_relaxed);
}

static bool is_answer(enum asz_resp_counter outcome) {
  return outcome == ASZ_RESP_ANSWERED_PLAIN || outcome == ASZ_RESP_ANSWERED_TLV || outcome == ASZ_RESP_ANSWERED_AUTH;
}

static bool admit_stamp(struct asz_port_rules *rules, unsigned i, const struct asz_reflect_request *request, uint64_t now_ns) {
  const struct asz_stamp_request asked = {
      .payload = request->payload, .size_bytes = request->payload_bytes, .peer = &request->peer, .peer_port = request->peer_port};
  count(rules, ASZ_RESP_RX);
  const enum asz_resp_counter outcome = asz_stamp_path_judge(&rules->path, &asked, now_ns, &rules->grant[i]);
  count(rules, outcome);
  return is_answer(outcome);
}

/* Challenges that pass here are counted where they are decided. */
static bool admit_challenge(struct asz_port_rules *rules, const struct asz_reflect_request *request, uint64_t now_ns) {
  if (asz_limiter_take(rules->path.limiter, &request->peer, now_ns))
    return true;
  count(rules, ASZ_RESP_RX);
  count(rules, ASZ_RESP_DROPPED_RATE);
  return false;
}

static void admit(void *self, struct asz_reflect_request *request, unsigned request_count, uint64_t now_ns) {
  struct asz_port_rules *rules = self;
  for (unsigned i = 0; i < request_count; i++) {
    switch (request[i].kind) {
    case ASZ_REFLECT_KIND_STAMP:
      request[i].admitted = admit_stamp(rules, i, &request[i], now_ns);
      break;
    case ASZ_REFLECT_KIND_CHALLENGE:
      request[i].admitted = admit_challenge(rules, &request[i], now_ns);
      break;
    default:
      request[i].admitted = asz_limiter_take(rules->path.limiter, &request[i].peer, now_ns);
    }
  }
}

static void finish(void *self, struct asz_reflect_request *request, unsigned request_count, uint64_t t2_ns, uint64_t t3_ns) {
  struct asz_port_rules *rules = self;
  const uint64_t t2_ntp64 = asz_clock_ntp64(t2_ns), t3_ntp64 = asz_clock_ntp64(t3_ns);
  for (unsigned i = 0; i < request_count; i++) {
    if (request[i].kind == ASZ_REFLECT_KIND_STAMP && request[i].admitted)
      asz_stamp_path_reflect(request[i].payload, request[i].payload_bytes, request[i].ttl, &rules->grant[i], t2_ntp64, t3_ntp64);
  }
}

void asz_port_rules_init(struct asz_port_rules *ret_rules, const struct asz_stamp_path *path) {
  memset(ret_rules, 0, sizeof *ret_rules);
  ret_rules->path = *path;
}

struct asz_reflector_rules asz_port_rules_of(struct asz_port_rules *rules) {
  return (struct asz_reflector_rules){.self = rules, .admit = admit, .finish = finish};
}

void asz_port_rules_add(const struct asz_port_rules *rules, struct asz_resp_counters *counters) {
  for (unsigned i = 0; i < ASZ_RESP_COUNTER_COUNT; i++)
    counters->value[i] += atomic_load_explicit(&rules->counter[i], memory_order_relaxed);
}
