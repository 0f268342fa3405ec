/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads that share nothing but rings. The reflector's lcore answers STAMP and echo by the port's rules; this thread takes
 * challenges from one ring, decides on them exactly as it does for a socket, and puts answers into the other. Each has an
 * authority and a limiter of its own: a lock between them would stand in the packet loop, and an epoch that only one of them has
 * seen is at worst stale a packet later for the other.
 *
 * A ring makes no descriptor readable, and the lcore must not make a system call to say that something is in it, so this thread
 * looks twice a millisecond. An answer is that much later, which its deadline (a second) does not notice. */
#include "control/responder/serve_port.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/responder/port_rules.h"
#include "control/responder/proofs.h"
#include "control/responder/report.h"
#include "control/responder/signals.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "dataplane/eal.h"
#include "dataplane/reflector.h"

enum {
  LOOK_NS = 500000,
  DATAGRAMS_A_TURN = 64, /* of each ring, before signals get their turn */
};
static const uint64_t ns_per_s = 1000000000;

struct server {
  const struct asz_options *options;
  struct asz_authority *lane_authority; /* a copy */
  struct asz_hmac_lanes *lane_lanes;
  struct asz_limiter *lane_limiter, *limiter;
  struct asz_port_rules rules;
  struct asz_reflector *reflector;
  struct asz_proofs proofs;
  struct asz_resp_counters counters; /* of this thread: challenges */
  struct asz_report report;
  uint64_t port_counter[ASZ_REFLECT_COUNTER_COUNT];
  uint64_t end_ns, tend_ns; /* monotonic */
  int signal_fd;
  bool stop, link_up, gateway_silent;
};

static void count(struct server *server, enum asz_resp_counter counter) {
  server->counters.value[counter]++;
}

static void datagram_of(struct asz_datagram *ret_datagram, const struct asz_reflector_datagram *from) {
  ret_datagram->ends = from->ends;
  ret_datagram->ttl = from->ttl;
  ret_datagram->broadcast = false;
  ret_datagram->size_bytes = from->size_bytes;
  ret_datagram->rx_ns = from->rx_ns;
  memcpy(ret_datagram->payload, from->payload, from->size_bytes);
}

static void send_answer(struct server *server, const struct asz_datagram *answer, enum asz_resp_counter answered_as) {
  struct asz_reflector_datagram datagram = {.ends = answer->ends, .size_bytes = (uint16_t)answer->size_bytes};
  memcpy(datagram.payload, answer->payload, answer->size_bytes);
  count(server, asz_reflector_answer_send(server->reflector, &datagram) == 0 ? answered_as : ASZ_RESP_SEND_FAILED);
}

static void serve_challenges(struct server *server, uint64_t now_ns) {
  struct asz_reflector_datagram received;
  struct asz_datagram datagram;
  for (unsigned i = 0; i < DATAGRAMS_A_TURN && asz_reflector_challenge_recv(server->reflector, &received); i++) {
    count(server, ASZ_RESP_RX);
    datagram_of(&datagram, &received);
    const enum asz_resp_counter outcome = asz_proofs_admit(&server->proofs, &datagram, now_ns);
    if (outcome == ASZ_RESP_ANSWERED_AGAIN)
      send_answer(server, &datagram, outcome);
    else if (outcome != ASZ_RESP_ANSWERED_CHALLENGES && outcome != ASZ_RESP_ANSWERED_OPENINGS)
      count(server, outcome);
  }
}

static void serve_proofs(struct server *server, uint64_t now_ns) {
  struct asz_datagram datagram;
  enum asz_resp_counter outcome;
  for (unsigned i = 0; i < DATAGRAMS_A_TURN && asz_proofs_next(&server->proofs, now_ns, &datagram, &outcome); i++) {
    if (outcome == ASZ_RESP_DROPPED_RATE)
      count(server, outcome);
    else
      send_answer(server, &datagram, outcome);
  }
}

static void report(struct server *server) {
  struct asz_resp_counters sum = server->counters;
  asz_port_rules_add(&server->rules, &sum);
  asz_reflector_counters(server->reflector, server->port_counter);
  asz_report_write(&server->report, &sum, asz_clock_monotonic_ns());
}

static void tend(struct server *server, uint64_t now_ns) {
  server->tend_ns = now_ns + ns_per_s;
  const bool up = asz_reflector_tend(server->reflector);
  if (up != server->link_up)
    asz_log(ASZ_LOG_WARN, "the link of the port is %s", up ? "up again" : "down");
  server->link_up = up;
  const bool silent = asz_reflector_gateway_silent(server->reflector);
  char gateway[ASZ_IPV6_TEXT_BYTES];
  asz_address_format(gateway, &server->options->gateway_ip6);
  if (silent != server->gateway_silent)
    asz_log(ASZ_LOG_WARN, "the gateway %s %s", gateway, silent ? "does not answer ND" : "answers ND again");
  server->gateway_silent = silent;
}

static void serve_signals(struct server *server) {
  bool wanted = false;
  asz_signals_read(server->signal_fd, &server->stop, &wanted);
  if (wanted)
    report(server);
}

static int loop(struct server *server, struct asz_diag *diag) {
  enum { SIGNALS, PROOFS, FD_COUNT };
  struct pollfd fds[FD_COUNT] = {
      [SIGNALS] = {.fd = server->signal_fd, .events = POLLIN},
      [PROOFS] = {.fd = asz_proofs_fd(&server->proofs), .events = POLLIN},
  };
  const struct timespec wait = {.tv_nsec = LOOK_NS};
  for (uint64_t now_ns = asz_clock_monotonic_ns(); !server->stop && now_ns < server->end_ns; now_ns = asz_clock_monotonic_ns()) {
    if (ppoll(fds, FD_COUNT, &wait, NULL) < 0 && errno != EINTR)
      return asz_diag_set(diag, ASZ_EIO, "cannot wait for packets: %s", strerror(errno));
    now_ns = asz_clock_monotonic_ns();
    serve_challenges(server, now_ns);
    if (fds[PROOFS].revents || asz_proofs_waiting(&server->proofs))
      serve_proofs(server, now_ns);
    if (fds[SIGNALS].revents)
      serve_signals(server);
    if (now_ns >= server->tend_ns)
      tend(server, now_ns);
  }
  return 0;
}

static int open_port(struct server *server, struct asz_diag *diag) {
  const struct asz_options *options = server->options;
  int err = asz_eal_start(options->lcores, options->eal, (unsigned)options->memory_mib, ASZ_EAL_HUGE_AUTO, diag);
  if (err)
    return err;
  const int port_id = asz_eal_port(NULL), lcore_id = asz_eal_worker(0);
  if (port_id < 0)
    return asz_diag_set(diag, ASZ_EINVAL, "--eal: expected exactly one port from \"%s\", EAL brought up none or several",
                        options->eal);
  if (lcore_id < 0)
    return asz_diag_set(diag, ASZ_EINVAL, "--lcores: expected two lcores, as 0@0,1@1, got \"%s\"", options->lcores);
  const struct asz_address *local = options->local_ip.address; /* all zero where none was given */
  struct asz_reflector_config config = {
      .port_id = (uint16_t)port_id,
      .lcore_id = (unsigned)lcore_id,
      .local_ipv4 = local[ASZ_FAMILY_IPV4].ipv4,
      .prefix_bits = (unsigned)options->local_prefix,
      .prefix6_bits = (unsigned)options->local_prefix6,
      .stamp_port = (uint16_t)options->port,
      .challenge_port = (uint16_t)options->challenge_port,
      .rules = asz_port_rules_of(&server->rules),
  };
  memcpy(config.local_ipv6, local[ASZ_FAMILY_IPV6].ipv6, sizeof config.local_ipv6);
  memcpy(config.gateway_ipv6, options->gateway_ip6.ipv6, sizeof config.gateway_ipv6);
  return asz_reflector_new(&server->reflector, &config, diag);
}

static int take_memory(struct server *server, struct asz_authority *authority, const struct asz_identity *identity,
                       struct asz_diag *diag) {
  const struct asz_options *options = server->options;
  uint8_t hash_key[16];
  randombytes_buf(hash_key, sizeof hash_key);
  const struct asz_rate source_rate = asz_rate_make(options->rate_pps, options->rate_pps); /* burst: one second's worth */
  int err = asz_authority_copy(&server->lane_authority, authority);
  if (!err)
    err = asz_hmac_lanes_new(&server->lane_lanes);
  if (!err)
    err = asz_limiter_new(&server->lane_limiter, &source_rate, hash_key);
  if (!err)
    err = asz_limiter_new(&server->limiter, &source_rate, hash_key);
  if (!err)
    err = asz_proofs_open(&server->proofs, options, identity, authority, server->limiter, hash_key, diag);
  if (err)
    return diag->text[0] ? err : asz_diag_set(diag, err, "cannot start: %s", asz_err_str(err));
  const struct asz_stamp_path path = {.authority = server->lane_authority,
                                      .limiter = server->lane_limiter,
                                      .lanes = server->lane_lanes,
                                      .receipts = server->proofs.receipts,
                                      .plain_allowed = !options->no_plain};
  asz_port_rules_init(&server->rules, &path);
  return 0;
}

/* "192.0.2.7/32 and 2001:db8::7/128" */
static void addresses_format(char *ret_text, size_t size_bytes, const struct asz_options *options) {
  ret_text[0] = '\0';
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++) {
    if (!options->local_ip.given[family])
      continue;
    char address[ASZ_IPV6_TEXT_BYTES];
    asz_address_format(address, &options->local_ip.address[family]);
    const size_t length = strlen(ret_text);
    const uint64_t bits = family == ASZ_FAMILY_IPV6 ? options->local_prefix6 : options->local_prefix;
    snprintf(ret_text + length, size_bytes - length, "%s%s/%u", length ? " and " : "", address, (unsigned)bits);
  }
}

static void say_hello(const struct server *server, const struct asz_identity *identity, size_t validator_count) {
  const struct asz_options *options = server->options;
  char addresses[2 * ASZ_IPV6_TEXT_BYTES + 16], key[65];
  addresses_format(addresses, sizeof addresses, options);
  asz_hex_encode(key, identity->public_key, sizeof identity->public_key);
  if (asz_options_lab(options))
    asz_log(ASZ_LOG_WARN, "LAB SWITCHES ARE ON: this responder misbehaves on purpose and must never serve a real provider");
  if (validator_count == 0)
    asz_log(ASZ_LOG_WARN, "no --validator: only plain STAMP is answered, no challenges");
  asz_log(ASZ_LOG_INFO, "provider %s on the port of \"%s\" as %s, stamp port %u, challenge port %u, %zu validators", key,
          options->eal, addresses, (unsigned)options->port, (unsigned)options->challenge_port, validator_count);
}

static void close_all(struct server *server) {
  asz_reflector_free(server->reflector);
  asz_eal_stop();
  asz_proofs_close(&server->proofs);
  asz_limiter_free(server->limiter);
  asz_limiter_free(server->lane_limiter);
  asz_hmac_lanes_free(server->lane_lanes);
  asz_authority_free(server->lane_authority);
  if (server->signal_fd >= 0)
    close(server->signal_fd);
  free(server);
}

/* EAL first: threads that are started later keep off the reflector's CPU. */
static int start(struct server *server, struct asz_authority *authority, const struct asz_identity *identity,
                 struct asz_diag *diag) {
  int err = asz_signals_open(&server->signal_fd, diag);
  if (!err)
    err = open_port(server, diag);
  if (!err)
    err = take_memory(server, authority, identity, diag);
  if (!err && asz_reflector_launch(server->reflector) != 0)
    err = asz_diag_set(diag, ASZ_EDEVICE, "cannot start the reflector's lcore");
  return err;
}

int asz_serve_port(const struct asz_options *options, const struct asz_identity *identity, struct asz_authority *authority,
                   struct asz_diag *diag) {
  struct server *server = calloc(1, sizeof *server);
  if (!server)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  server->options = options;
  server->signal_fd = -1;
  server->link_up = true;
  int err = start(server, authority, identity, diag);
  if (!err) {
    const uint64_t start_ns = asz_clock_monotonic_ns();
    server->end_ns = options->duration_s ? start_ns + options->duration_s * ns_per_s : UINT64_MAX;
    server->report = (struct asz_report){.file = options->stats_file,
                                         .json = options->json,
                                         .start_ns = start_ns,
                                         .provider_pk = identity->public_key,
                                         .port = server->port_counter};
    say_hello(server, identity, asz_authority_count(authority));
    err = loop(server, diag);
    asz_reflector_stop(server->reflector);
    report(server);
  }
  close_all(server);
  return err;
}
