/* SPDX-License-Identifier: Apache-2.0 */
/* One thread owns the sockets (a STAMP and a challenge one of each family), the validators, the limits, the caches and the
 * counters; workers only make proofs. So there is no lock on the path of a STAMP packet, and a long proof delays none.
 *
 * A turn of the loop: wait; take a batch of STAMP requests; decide on each; take T3 once; reflect and send the batch. Then a
 * batch of challenges, which either are answered from the cache or become jobs; then finished jobs. Under --lab-delay-us
 * everything that would be sent waits in a queue instead, and T3 is taken when it leaves.
 *
 * T3 is early for the last packets of a batch, by the time that those before them take in the kernel: 5 us each, so 0.3 ms in a
 * full batch of 64. It is advice only: a validator scores the raw round trip. */
#include "control/responder/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/responder/delay.h"
#include "control/responder/privileges.h"
#include "control/responder/proofs.h"
#include "control/responder/report.h"
#include "control/responder/signals.h"
#include "control/responder/socket.h"
#include "control/responder/stamp_path.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"

enum {
  DELAY_SLOTS = 16384, /* 25 MiB, lab only: 100 ms at 160,000 replies a second */
  PROOFS_A_TURN = 32,  /* finished jobs and chunks before STAMP gets its turn again */
  PORT_TRIES = 16,     /* for a number that is free over both families */
};

enum port { PORT_STAMP, PORT_CHALLENGE, PORT_COUNT };

struct server {
  const struct asz_options *options;
  struct asz_resp_counters counters;
  struct asz_udp *udp[PORT_COUNT][ASZ_FAMILY_COUNT]; /* NULL: nobody listens there */
  struct asz_limiter *limiter;
  struct asz_hmac_lanes *lanes;
  struct asz_delay *delay; /* NULL but in a lab */
  struct asz_stamp_path stamp_path;
  struct asz_proofs proofs;
  struct asz_report report;
  int signal_fd;
  uint64_t end_ns; /* monotonic; UINT64_MAX: never */
  bool stop;
  struct asz_reply batch[ASZ_UDP_BATCH];
};

static void count(struct server *server, enum asz_resp_counter counter) {
  server->counters.value[counter]++;
}

static bool is_challenge(const struct asz_reply *reply) {
  return reply->answered_as == ASZ_RESP_ANSWERED_CHALLENGES || reply->answered_as == ASZ_RESP_ANSWERED_AGAIN ||
         reply->answered_as == ASZ_RESP_ANSWERED_WELCOMES || reply->answered_as == ASZ_RESP_ANSWERED_OPENINGS ||
         reply->answered_as == ASZ_RESP_ANSWERED_RECEIPTS;
}

/* The socket that a reply goes out of: the one that its request came in by. */
static struct asz_udp *socket_of(const struct server *server, const struct asz_reply *reply) {
  return server->udp[is_challenge(reply) ? PORT_CHALLENGE : PORT_STAMP][reply->datagram.ends.peer.family];
}

/* Sends replies of one socket: the last step of every answer. */
static void send_run(struct server *server, struct asz_reply *const *reply, unsigned reply_count) {
  struct asz_datagram *datagram[ASZ_UDP_BATCH] = {NULL};
  bool sent[ASZ_UDP_BATCH];
  const bool challenge = is_challenge(reply[0]);
  const uint64_t t3_ns = challenge ? 0 : asz_clock_now_ns();
  for (unsigned i = 0; i < reply_count; i++) {
    datagram[i] = &reply[i]->datagram;
    if (!challenge)
      asz_stamp_path_finish(datagram[i], &reply[i]->grant, t3_ns);
  }
  asz_udp_send(socket_of(server, reply[0]), datagram, reply_count, sent);
  for (unsigned i = 0; i < reply_count; i++)
    count(server, sent[i] ? reply[i]->answered_as : ASZ_RESP_SEND_FAILED);
}

/* In runs of one socket each. */
static void send_now(struct server *server, struct asz_reply *const *reply, unsigned reply_count) {
  for (unsigned first = 0, end; first < reply_count; first = end) {
    const struct asz_udp *udp = socket_of(server, reply[first]);
    for (end = first + 1; end < reply_count && socket_of(server, reply[end]) == udp;)
      end++;
    send_run(server, reply + first, end - first);
  }
}

static void send_or_hold(struct server *server, struct asz_reply *const *reply, unsigned reply_count, uint64_t now_ns) {
  if (!server->delay) {
    send_now(server, reply, reply_count);
    return;
  }
  for (unsigned i = 0; i < reply_count; i++)
    if (!asz_delay_push(server->delay, reply[i], now_ns))
      count(server, ASZ_RESP_DROPPED_LAB_FULL);
}

/* Sends what is due. */
static void release_held(struct server *server, uint64_t now_ns) {
  for (;;) {
    struct asz_reply *run[ASZ_UDP_BATCH], *reply;
    unsigned run_count = 0;
    while (run_count < ASZ_UDP_BATCH && (reply = asz_delay_peek(server->delay, run_count, now_ns)))
      run[run_count++] = reply;
    if (run_count == 0)
      return;
    send_now(server, run, run_count);
    asz_delay_pop(server->delay, run_count);
  }
}

static bool lab_drops(const struct asz_options *options) {
  return options->lab_silent || (options->lab_loss_ppm && randombytes_uniform(1000000) < options->lab_loss_ppm);
}

/* What holds for both ports before anything is read: true when the datagram goes no further. */
static bool drop_early(struct server *server, const struct asz_datagram *datagram) {
  count(server, ASZ_RESP_RX);
  if (datagram->broadcast)
    count(server, ASZ_RESP_DROPPED_BROADCAST);
  else if (lab_drops(server->options))
    count(server, ASZ_RESP_DROPPED_LAB);
  else
    return false;
  return true;
}

/* A decision on one datagram: its drop, or how it is answered. ASZ_RESP_ANSWERED_CHALLENGES: later, a worker has it;
 * ASZ_RESP_ANSWERED_OPENINGS: its chunks wait. */
static enum asz_resp_counter decide_stamp(struct server *server, struct asz_reply *reply, uint64_t now_ns) {
  return asz_stamp_path_admit(&server->stamp_path, &reply->datagram, now_ns, &reply->grant);
}

static enum asz_resp_counter decide_challenge(struct server *server, struct asz_reply *reply, uint64_t now_ns) {
  return asz_proofs_admit(&server->proofs, &reply->datagram, now_ns);
}

static void serve_socket(struct server *server, struct asz_udp *udp,
                         enum asz_resp_counter (*decide)(struct server *, struct asz_reply *, uint64_t), uint64_t now_ns) {
  struct asz_datagram *datagram[ASZ_UDP_BATCH];
  for (unsigned i = 0; i < ASZ_UDP_BATCH; i++)
    datagram[i] = &server->batch[i].datagram;
  const unsigned received = asz_udp_receive(udp, datagram, ASZ_UDP_BATCH);

  struct asz_reply *reply[ASZ_UDP_BATCH];
  unsigned reply_count = 0;
  for (unsigned i = 0; i < received; i++) {
    struct asz_reply *candidate = &server->batch[i];
    if (drop_early(server, &candidate->datagram))
      continue;
    candidate->answered_as = decide(server, candidate, now_ns);
    switch (candidate->answered_as) {
    case ASZ_RESP_ANSWERED_PLAIN:
    case ASZ_RESP_ANSWERED_TLV:
    case ASZ_RESP_ANSWERED_AUTH:
    case ASZ_RESP_ANSWERED_AGAIN:
      reply[reply_count++] = candidate;
      break;
    case ASZ_RESP_ANSWERED_CHALLENGES:
    case ASZ_RESP_ANSWERED_OPENINGS:
      break;
    default:
      count(server, candidate->answered_as);
    }
  }
  send_or_hold(server, reply, reply_count, now_ns);
}

static void serve_proofs(struct server *server, uint64_t now_ns) {
  struct asz_reply *reply[PROOFS_A_TURN];
  unsigned reply_count = 0;
  enum asz_resp_counter outcome;
  while (reply_count < PROOFS_A_TURN &&
         asz_proofs_next(&server->proofs, now_ns, &server->batch[reply_count].datagram, &outcome)) {
    if (outcome == ASZ_RESP_DROPPED_RATE) {
      count(server, outcome);
      continue;
    }
    server->batch[reply_count].answered_as = outcome;
    reply[reply_count] = &server->batch[reply_count];
    reply_count++;
  }
  send_or_hold(server, reply, reply_count, now_ns);
}

static void report(struct server *server) {
  uint64_t drops = 0, unstamped = 0;
  for (unsigned i = 0; i < PORT_COUNT * ASZ_FAMILY_COUNT; i++) {
    const struct asz_udp *udp = server->udp[i / ASZ_FAMILY_COUNT][i % ASZ_FAMILY_COUNT];
    drops += udp ? asz_udp_kernel_drops(udp) : 0;
    unstamped += udp ? asz_udp_unstamped(udp) : 0;
  }
  server->counters.value[ASZ_RESP_RX_KERNEL_DROPPED] = drops;
  server->counters.value[ASZ_RESP_RX_UNSTAMPED] = unstamped;
  asz_report_write(&server->report, &server->counters, asz_clock_monotonic_ns());
}

static void serve_signals(struct server *server) {
  bool wanted = false;
  asz_signals_read(server->signal_fd, &server->stop, &wanted);
  if (wanted)
    report(server);
}

/* How long to wait when nothing arrives: until the end, or until a held reply is due; not at all when chunks wait. */
static struct timespec wait_time(const struct server *server, uint64_t now_ns) {
  uint64_t until_ns = server->end_ns;
  if (server->delay && asz_delay_next_ns(server->delay) < until_ns)
    until_ns = asz_delay_next_ns(server->delay);
  if (asz_proofs_waiting(&server->proofs))
    until_ns = now_ns;
  uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  if (wait_ns > 3600 * 1000000000ull)
    wait_ns = 3600 * 1000000000ull;
  return (struct timespec){.tv_sec = (time_t)(wait_ns / 1000000000u), .tv_nsec = (long)(wait_ns % 1000000000u)};
}

/* ppoll steps over a descriptor of -1. */
static struct pollfd wait_for(const struct asz_udp *udp) {
  return (struct pollfd){.fd = udp ? asz_udp_fd(udp) : -1, .events = POLLIN};
}

static int loop(struct server *server, struct asz_diag *diag) {
  enum { SIGNALS, PROOFS, STAMP, CHALLENGES = STAMP + ASZ_FAMILY_COUNT, FD_COUNT = CHALLENGES + ASZ_FAMILY_COUNT };
  struct pollfd fds[FD_COUNT] = {
      [SIGNALS] = {.fd = server->signal_fd, .events = POLLIN},
      [PROOFS] = {.fd = asz_proofs_fd(&server->proofs), .events = POLLIN},
  };
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++) {
    fds[STAMP + family] = wait_for(server->udp[PORT_STAMP][family]);
    fds[CHALLENGES + family] = wait_for(server->udp[PORT_CHALLENGE][family]);
  }
  for (uint64_t now_ns = asz_clock_monotonic_ns(); !server->stop && now_ns < server->end_ns; now_ns = asz_clock_monotonic_ns()) {
    if (server->delay)
      release_held(server, now_ns);
    const struct timespec wait = wait_time(server, now_ns);
    if (ppoll(fds, FD_COUNT, &wait, NULL) < 0 && errno != EINTR)
      return asz_diag_set(diag, ASZ_EIO, "cannot wait for packets: %s", strerror(errno));
    now_ns = asz_clock_monotonic_ns();
    for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
      if (fds[STAMP + family].revents)
        serve_socket(server, server->udp[PORT_STAMP][family], decide_stamp, now_ns);
    for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++)
      if (fds[CHALLENGES + family].revents)
        serve_socket(server, server->udp[PORT_CHALLENGE][family], decide_challenge, now_ns);
    if (fds[PROOFS].revents || asz_proofs_waiting(&server->proofs))
      serve_proofs(server, now_ns);
    if (fds[SIGNALS].revents)
      serve_signals(server);
  }
  return 0;
}

/* Both families on one port number; where any number will do, IPv4's free one may be taken over IPv6, so a few are tried. */
static int open_pair(struct asz_udp *ret_udp[ASZ_FAMILY_COUNT], const struct asz_option_addresses *listen, uint16_t port,
                     struct asz_diag *diag) {
  for (unsigned tries = port ? 1 : PORT_TRIES;; tries--) {
    int err = asz_udp_open(&ret_udp[ASZ_FAMILY_IPV4], &listen->address[ASZ_FAMILY_IPV4], port, diag);
    if (!err)
      err = asz_udp_open(&ret_udp[ASZ_FAMILY_IPV6], &listen->address[ASZ_FAMILY_IPV6], asz_udp_port(ret_udp[ASZ_FAMILY_IPV4]),
                         diag);
    if (err != ASZ_EEXIST || tries == 1)
      return err;
    asz_udp_close(ret_udp[ASZ_FAMILY_IPV4]);
    ret_udp[ASZ_FAMILY_IPV4] = NULL;
  }
}

static int open_port(struct asz_udp *ret_udp[ASZ_FAMILY_COUNT], const struct asz_option_addresses *listen, uint16_t port,
                     struct asz_diag *diag) {
  const bool ipv4 = listen->given[ASZ_FAMILY_IPV4], ipv6 = listen->given[ASZ_FAMILY_IPV6];
  if (ipv4 != ipv6) {
    const enum asz_family family = ipv6 ? ASZ_FAMILY_IPV6 : ASZ_FAMILY_IPV4;
    return asz_udp_open(&ret_udp[family], &listen->address[family], port, diag);
  }
  const int err = open_pair(ret_udp, listen, port, diag);
  return err == ASZ_ENOTSUP && !ipv6 && ret_udp[ASZ_FAMILY_IPV4] ? 0 : err; /* a kernel without IPv6, and nobody asked for it */
}

static int open_sockets(struct server *server, struct asz_diag *diag) {
  const struct asz_options *options = server->options;
  const int err = open_port(server->udp[PORT_STAMP], &options->listen, (uint16_t)options->port, diag);
  return err ? err : open_port(server->udp[PORT_CHALLENGE], &options->listen, (uint16_t)options->challenge_port, diag);
}

static int take_memory(struct server *server, struct asz_authority *authority, const struct asz_identity *identity,
                       struct asz_diag *diag) {
  const struct asz_options *options = server->options;
  uint8_t hash_key[16];
  randombytes_buf(hash_key, sizeof hash_key);
  const struct asz_rate source_rate = asz_rate_make(options->rate_pps, options->rate_pps); /* burst: one second's worth */
  int err = asz_limiter_new(&server->limiter, &source_rate, hash_key);
  if (!err)
    err = asz_hmac_lanes_new(&server->lanes);
  if (!err && options->lab_delay_us)
    err = asz_delay_new(&server->delay, DELAY_SLOTS, options->lab_delay_us * 1000);
  if (!err)
    err = asz_proofs_open(&server->proofs, options, identity, authority, server->limiter, hash_key, diag);
  if (err)
    return diag->text[0] ? err : asz_diag_set(diag, err, "cannot start: %s", asz_err_str(err));
  server->stamp_path = (struct asz_stamp_path){.authority = authority,
                                               .limiter = server->limiter,
                                               .lanes = server->lanes,
                                               .receipts = server->proofs.receipts,
                                               .plain_allowed = !options->no_plain};
  return 0;
}

/* "0.0.0.0 and ::": of the families that have a socket. */
static void listening_format(char *ret_text, size_t size_bytes, const struct server *server) {
  ret_text[0] = '\0';
  for (unsigned family = 0; family < ASZ_FAMILY_COUNT; family++) {
    if (!server->udp[PORT_STAMP][family])
      continue;
    char address[ASZ_IPV6_TEXT_BYTES];
    asz_address_format(address, &server->options->listen.address[family]);
    const size_t length = strlen(ret_text);
    snprintf(ret_text + length, size_bytes - length, "%s%s", length ? " and " : "", address);
  }
}

static uint16_t port_number(struct asz_udp *const udp[ASZ_FAMILY_COUNT]) {
  return asz_udp_port(udp[ASZ_FAMILY_IPV4] ? udp[ASZ_FAMILY_IPV4] : udp[ASZ_FAMILY_IPV6]);
}

static void say_hello(const struct server *server, const struct asz_identity *identity, size_t validator_count) {
  char listening[2 * ASZ_IPV6_TEXT_BYTES + 8], key[65];
  listening_format(listening, sizeof listening, server);
  asz_hex_encode(key, identity->public_key, sizeof identity->public_key);
  if (asz_options_lab(server->options))
    asz_log(ASZ_LOG_WARN, "LAB SWITCHES ARE ON: this responder misbehaves on purpose and must never serve a real provider");
  if (validator_count == 0)
    asz_log(ASZ_LOG_WARN, "no --validator: only plain STAMP is answered, no challenges");
  asz_log(ASZ_LOG_INFO, "provider %s listening on %s, stamp port %u, challenge port %u, %zu validators", key, listening,
          port_number(server->udp[PORT_STAMP]), port_number(server->udp[PORT_CHALLENGE]), validator_count);
}

static void close_all(struct server *server) {
  asz_proofs_close(&server->proofs);
  for (unsigned i = 0; i < PORT_COUNT * ASZ_FAMILY_COUNT; i++)
    asz_udp_close(server->udp[i / ASZ_FAMILY_COUNT][i % ASZ_FAMILY_COUNT]);
  asz_limiter_free(server->limiter);
  asz_hmac_lanes_free(server->lanes);
  asz_delay_free(server->delay);
  if (server->signal_fd >= 0)
    close(server->signal_fd);
  free(server);
}

int asz_serve(const struct asz_options *options, const struct asz_identity *identity, struct asz_authority *authority,
              struct asz_diag *diag) {
  struct server *server = calloc(1, sizeof *server);
  if (!server)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  server->options = options;
  server->signal_fd = -1;
  int err = open_sockets(server, diag);
  if (!err && options->user)
    err = asz_privileges_drop(options->user, diag);
  if (!err)
    err = asz_signals_open(&server->signal_fd, diag);
  if (!err)
    err = take_memory(server, authority, identity, diag);
  if (!err) {
    const uint64_t start_ns = asz_clock_monotonic_ns();
    server->end_ns = options->duration_s ? start_ns + options->duration_s * 1000000000u : UINT64_MAX;
    server->report = (struct asz_report){
        .file = options->stats_file, .json = options->json, .start_ns = start_ns, .provider_pk = identity->public_key};
    say_hello(server, identity, asz_authority_count(authority));
    err = loop(server, diag);
    report(server);
  }
  close_all(server);
  return err;
}
