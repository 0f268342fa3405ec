/* SPDX-License-Identifier: Apache-2.0 */
/* asz_emulator: the lab's provider network, on its own lcore, behind a pair of rings that a net_ring port of the prober shares.
 *
 * Provider i has the IPv4 address base + i, or, if it is one of the IPv6 share, fd61:737a:: with the same number behind it.
 * Everything about it (delay, jitter, loss, cheat) comes from one seed and, if given, a scenario; that is its known truth. It
 * answers ARP and neighbour solicitations for the gateway, STAMP with and without our TLV, ICMP echo, TCP SYN. Challenges are not
 * computed here (this room does not know the provers): they are handed to the caller by asz_emulator_challenge_recv and the
 * answer comes back by asz_emulator_answer_send. */
#ifndef ASZ_DATAPLANE_EMULATOR_EMULATOR_H
#define ASZ_DATAPLANE_EMULATOR_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/base/challenge.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/session.h"

/* X(symbol, name, what it does). Only WRONG_ANSWER earns an S1. */
#define ASZ_CHEAT_LIST(X)                                                                                                        \
  X(NONE, "none", "honest")                                                                                                      \
  X(DEAD, "dead", "answers nothing")                                                                                             \
  X(LOSSY, "lossy", "drops a share of the probes")                                                                               \
  X(SLOW, "slow", "adds delay to every reply")                                                                                   \
  X(WRONG_ANSWER, "wrong-answer", "signs wrong challenge answers")                                                               \
  X(MUTE, "mute", "answers probes but no challenge")                                                                             \
  X(FORGE, "forge", "answers with made-up cookies before the true reply could be there")                                         \
  X(REPLAY, "replay", "sends each reply again after the timeout")                                                                \
  X(DUPLICATE, "duplicate", "sends each reply twice")                                                                            \
  X(CLOCK_LIAR, "clock-liar", "claims a long dwell time (T3 - T2) to look nearer")                                               \
  X(BAD_MAC, "bad-mac", "answers with a wrong reply MAC")                                                                        \
  X(EARLY, "early", "answers the next question before it is asked, by a guess of it")                                            \
  X(SPOOF, "spoof", "sends made-up replies in the name of another provider, and of nobody")                                      \
  X(KNOWN_ONLY, "known-only", "answers only who proves to be a validator")                                                       \
  X(RELAY, "relay", "another machine answers, from its own address")                                                             \
  X(FLOOR, "floor", "holds every reply back to one common delay")                                                                \
  X(PRECOMPUTED, "precomputed", "answers challenges with what it computed for a nonce that it guessed")

enum asz_cheat {
#define ASZ_CHEAT_ENUM(symbol, name, help) ASZ_CHEAT_##symbol,
  ASZ_CHEAT_LIST(ASZ_CHEAT_ENUM)
#undef ASZ_CHEAT_ENUM
      ASZ_CHEAT_COUNT
};
const char *asz_cheat_name(enum asz_cheat cheat);
enum asz_cheat asz_cheat_from_name(const char *name); /* ASZ_CHEAT_COUNT when unknown */

/* The truth about one provider: one cache line. Delay of a reply = delay_ns + uniform[0, jitter_ns), by a detour more, of a
 * `floor` at least floor_ns. A share is of
 * 1,000,000 draws from the seed, independent unless said otherwise (dataplane/emulator/faults.c). */
struct asz_truth {
  uint64_t delay_ns;
  uint32_t jitter_ns;
  uint32_t loss_ppm;          /* of requests, in good weather */
  uint32_t bad_loss_ppm;      /* in bad weather */
  uint32_t to_bad_ppm;        /* changes of the weather, once a probe; together at most 1,000,000 ... */
  uint32_t to_good_ppm;       /* ... so the share of bad weather is to_bad / (to_bad + to_good) and to_bad 0 means never */
  uint32_t outage_ppm;        /* of the runs of 2^outage_log2_probes probes: lost whole */
  uint32_t region_outage_ppm; /* the same of all providers of the region at once */
  uint32_t duplicate_ppm;     /* of replies: arrive twice */
  uint32_t detour_ppm;        /* of replies: take detour_ns more, so that they may arrive behind later ones */
  uint32_t detour_ns;         /* 0..2,000,000,000 */
  uint32_t broken_ppm;        /* of replies: one bit flipped, the checksum left wrong; with altered_ppm at most 1,000,000 */
  uint32_t altered_ppm;       /* of replies: one bit flipped of what the cookie protects, the checksum mended */
  uint32_t floor_ns;          /* 0..2,000,000,000; of a `floor`: no reply takes less */
  uint16_t region;            /* whose outages it shares */
  uint8_t outage_log2_probes; /* 0..16 */
  uint8_t cheat;              /* enum asz_cheat */
};
_Static_assert(sizeof(struct asz_truth) <= 64, "one cache line");

/* asz_truth_rtts: the RTTs that the truth gives to the first `requests` probes of a provider, in their order: to those that it
 * answers and that come back whole, asked as a validator. ret_rtt_ns has room for `requests`. Returns how many. Pure. */
uint32_t asz_truth_rtts(const struct asz_truth *truth, uint64_t seed, uint32_t provider, uint32_t requests, uint64_t *ret_rtt_ns);

/* What the emulator in fact did to one provider's probes, counted on its lcore. Read after stop. Then, exactly:
 * requests = lost + withheld + faults + replies. One cache line; 2^32 probes of one provider last longer than any lab. */
struct asz_deed {
  uint64_t delay_sum_ns; /* of replies: what the delay line really took, from dequeue to enqueue */
  uint32_t requests;     /* probes that arrived */
  uint32_t lost;         /* dropped by draw, outages included */
  uint32_t withheld;     /* not answered on purpose: by a dead provider, or to a request whose MAC does not verify */
  uint32_t faults;       /* replies that the emulator itself lost: the lab's fault, neither the provider's nor the prober's */
  uint32_t replies;      /* sent, cheats' extra ones and copies not counted, corrupted ones counted */
  uint32_t broken;       /* of replies: with a wrong checksum */
  uint32_t altered;      /* of replies: with a mended one */
  uint32_t detoured;     /* of replies: took the longer way */
  uint32_t reordered;    /* of replies that were not corrupted: left behind the reply to a later probe, for whatever reason */
  uint32_t duplicates;   /* copies that the network made */
  uint32_t extra;        /* made by the cheat besides: forged, guessed, replayed, duplicated, in the name of others */
  uint32_t challenges;   /* challenge datagrams that arrived */
  uint32_t held;         /* of replies: may be late because a busy machine kept the lcore away for more than 0.1 ms */
  uint32_t named;        /* frames that a `spoof` sent in this provider's name */
};
_Static_assert(sizeof(struct asz_deed) == 64, "one cache line");

struct asz_emulator_config {
  unsigned lcore_id;
  uint32_t provider_count;       /* 1..1,048,576 */
  uint32_t base_ipv4;            /* provider i is at base_ipv4 + i; default 10.64.0.1 */
  uint32_t gateway_ipv4;         /* answered by ARP; default 10.63.255.254; over ND: asz_emulator_gateway_ipv6 */
  uint32_t ipv6_ppm;             /* share of the providers that have an IPv6 address, evenly spread; 0..1,000,000; default 0 */
  uint64_t seed;                 /* draws; same seed, same network */
  uint64_t timeout_ns;           /* the prober's, so that `replay` can wait longer */
  uint64_t interval_ns;          /* between two probes to a provider, so that `early` can guess; default 1 s */
  const struct asz_truth *truth; /* provider_count; see asz_scenario */
  bool nic_times;         /* its port has times: it stamps what leaves here and sends what comes when it is due; the engine has
                             asz_emulator_port_ops then */
  uint32_t in_flight_max; /* delay line capacity, 1..4,194,304; default 65,536; more are dropped: the lab's faults */
};
void asz_emulator_config_default(struct asz_emulator_config *ret_config);

/* asz_emulator_has_ipv6: is provider i of the IPv6 share? asz_emulator_ipv6: the address that stands for an IPv4 one. Pure. */
bool asz_emulator_has_ipv6(uint32_t ipv6_ppm, uint32_t provider);
void asz_emulator_ipv6(uint8_t ret_ipv6[16], uint32_t ipv4);
extern const uint8_t asz_emulator_gateway_ipv6[16]; /* link-local */

/* asz_emulator_port_ops: for the port_ops of struct asz_engine_config, where nic_times is set. */
extern const struct asz_port_ops asz_emulator_port_ops;

struct asz_emulator;

/* asz_emulator_new makes the rings and the net_ring port (its id in *ret_port_id, for asz_engine_config.port_id), copies the
 * truth and takes all memory: about 0.6 KiB per in_flight_max of EAL memory, 136 bytes a provider of ordinary memory. Needs EAL;
 * one emulator at a time (ASZ_EEXIST). ASZ_EINVAL names the field. */
ASZ_MUST_CHECK int asz_emulator_new(struct asz_emulator **ret_emulator, const struct asz_emulator_config *config,
                                    uint16_t *ret_port_id, struct asz_diag *diag);
/* asz_emulator_sessions hands over the sessions of an epoch (provider_count, for the TLV): call before each epoch; both the
 * current and the previous array are kept in use and must stay valid. NULL, or never called: TLV probes are answered without a
 * MAC check (as by a plain reflector). hmac (provider_count, for authenticated mode) holds for all epochs and must stay valid;
 * NULL: authenticated probes are not answered. Control thread, at any time. */
void asz_emulator_sessions(struct asz_emulator *emulator, uint32_t epoch, const struct asz_session *session,
                           const struct asz_hmac_key *hmac);
ASZ_MUST_CHECK int asz_emulator_launch(struct asz_emulator *emulator);
/* asz_emulator_stop waits for the lcore, which gives back every buffer on its way out. Stop the engine first (its buffers are in
 * our rings), then this, then free both in any order. Calling it again is fine. */
void asz_emulator_stop(struct asz_emulator *emulator);
void asz_emulator_free(struct asz_emulator *emulator); /* stops if needed, closes the port; NULL is fine */
/* asz_emulator_deeds: provider_count entries; valid after stop. */
const struct asz_deed *asz_emulator_deeds(const struct asz_emulator *emulator);
/* asz_emulator_faults: frames that the emulator itself lost, of any kind (never a provider's fault). asz_emulator_strays: frames
 * that a real network would not have answered: malformed, wrong checksum, wrong MAC address, no such provider or port: when not
 * 0, the prober is at fault. Valid after stop. */
uint64_t asz_emulator_faults(const struct asz_emulator *emulator);
uint64_t asz_emulator_strays(const struct asz_emulator *emulator);
size_t asz_emulator_memory_bytes(const struct asz_emulator *emulator); /* what it took, for the sum that is shown */

struct asz_emulator_datagram {
  uint32_t provider;
  uint16_t size_bytes;
  uint16_t peer_port; /* the validator's source port, to be kept for the answer */
  uint64_t tsc;       /* when a challenge arrived; from when on an answer is on its way: may be past or to come */
  uint8_t payload[ASZ_DATAGRAM_MAX_BYTES];
};
_Static_assert(sizeof(struct asz_emulator_datagram) == 1216, "what crosses the challenge rings");
/* Challenge datagrams that arrived (1 taken, 0 none) and answers to send (ASZ_EAGAIN when full); one control thread. Challenges
 * to a mute or dead provider, and those lost by draw, never get here; an answer takes the provider's delay on its way. */
int asz_emulator_challenge_recv(struct asz_emulator *emulator, struct asz_emulator_datagram *ret_datagram);
ASZ_MUST_CHECK int asz_emulator_answer_send(struct asz_emulator *emulator, const struct asz_emulator_datagram *datagram);

#endif
