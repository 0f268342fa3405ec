/* SPDX-License-Identifier: Apache-2.0 */
/* asz_resp_counters: one list of everything that can happen to a datagram in the responder. Nothing is dropped without a name,
 * since a silent drop is all that a prober sees. One thread counts in one of these. */
#ifndef ASZ_CONTROL_RESPONDER_COUNTERS_H
#define ASZ_CONTROL_RESPONDER_COUNTERS_H

#include <stdint.h>
#include <stdio.h>

/* X(symbol, name in JSON, help) */
#define ASZ_RESP_COUNTER_LIST(X)                                                                                                 \
  X(RX, "rx", "datagrams received, on both ports")                                                                               \
  X(RX_KERNEL_DROPPED, "rx_kernel_dropped", "datagrams that the kernel dropped because our socket buffer was full")              \
  X(RX_UNSTAMPED, "rx_unstamped", "datagrams without the kernel's time stamp: T2 is the time at which we read them")             \
  X(ANSWERED_PLAIN, "answered_plain", "plain STAMP replies sent")                                                                \
  X(ANSWERED_TLV, "answered_tlv", "STAMP replies sent with our TLV and its MAC")                                                 \
  X(ANSWERED_AUTH, "answered_auth", "STAMP replies sent in authenticated mode (HMAC)")                                           \
  X(ANSWERED_CHALLENGES, "answered_challenges", "challenge answers sent, each after its proof was made")                         \
  X(ANSWERED_AGAIN, "answered_again", "challenge answers sent again from the cache for a retransmitted challenge")               \
  X(ANSWERED_WELCOMES, "answered_welcomes", "WELCOMEs sent, each after it was signed")                                           \
  X(ANSWERED_OPENINGS, "answered_openings", "chunks of openings sent")                                                           \
  X(ANSWERED_RECEIPTS, "answered_receipts", "receipts sent, each after it was signed")                                           \
  X(DROPPED_SHORT, "dropped_short", "shorter than the smallest packet of its port")                                              \
  X(DROPPED_LONG, "dropped_long", "longer than a datagram that we would answer")                                                 \
  X(DROPPED_VERSION, "dropped_version", "our TLV or challenge in a version that we do not speak")                                \
  X(DROPPED_FORMAT, "dropped_format", "right size and version, impossible contents")                                             \
  X(DROPPED_LOOP, "dropped_loop", "from a source port under 1024, or an authenticated reply: another reflector")                 \
  X(DROPPED_BROADCAST, "dropped_broadcast", "sent to a broadcast or multicast address")                                          \
  X(DROPPED_RATE, "dropped_rate", "over the rate limit of its source address")                                                   \
  X(DROPPED_PLAIN, "dropped_plain", "plain STAMP while --no-plain")                                                              \
  X(DROPPED_UNAUTHORISED, "dropped_unauthorised", "from a validator that is not in our list")                                    \
  X(DROPPED_BAD_MAC, "dropped_bad_mac", "MAC does not verify")                                                                   \
  X(DROPPED_STALE_EPOCH, "dropped_stale_epoch", "epoch older than the current and the previous one")                             \
  X(DROPPED_EPOCH_RATE, "dropped_epoch_rate", "claims of new epochs faster than we derive keys")                                 \
  X(DROPPED_TRIAL_RATE, "dropped_trial_rate", "authenticated STAMP from new sources faster than we try keys")                    \
  X(DROPPED_CHALLENGE_RATE, "dropped_challenge_rate", "genuine challenges over the rate of their validator")                     \
  X(DROPPED_STEPS, "dropped_steps", "seq challenges longer than --seq-log2-max")                                                 \
  X(DROPPED_CONSENT, "dropped_consent", "kinds, presets and devices that we did not consent to")                                 \
  X(DROPPED_TOKEN, "dropped_token", "OPENs whose token was not sent to the address that they come from")                         \
  X(DROPPED_DUTY, "dropped_duty", "gemm and mem challenges over --duty-ppm")                                                     \
  X(DROPPED_MEMORY, "dropped_memory", "gemm and mem challenges for which --work-mib has no room")                                \
  X(DROPPED_NO_ARENA, "dropped_no_arena", "folds of an arena that its validator has not built in this epoch")                    \
  X(DROPPED_NO_COMMIT, "dropped_no_commit", "OPENs of an answer that we did not give, or do not keep any more")                  \
  X(DROPPED_REOPEN, "dropped_reopen", "OPENs with another rho or number of openings than the first one")                         \
  X(DROPPED_NONCES, "dropped_nonces", "too many different nonces for one slot, device and kind")                                 \
  X(DROPPED_IN_PROGRESS, "dropped_in_progress", "retransmitted challenge while its proof is still being made")                   \
  X(DROPPED_QUEUE_FULL, "dropped_queue_full", "challenges that found all workers and their queue busy")                          \
  X(DROPPED_LAB, "dropped_lab", "dropped on purpose by --lab-loss-ppm or --lab-silent")                                          \
  X(DROPPED_LAB_FULL, "dropped_lab_full", "replies that found the queue of --lab-delay-us full")                                 \
  X(SEND_FAILED, "send_failed", "replies that the kernel did not take")

enum asz_resp_counter {
#define ASZ_RESP_COUNTER_ENUM(symbol, name, help) ASZ_RESP_##symbol,
  ASZ_RESP_COUNTER_LIST(ASZ_RESP_COUNTER_ENUM)
#undef ASZ_RESP_COUNTER_ENUM
      ASZ_RESP_COUNTER_COUNT
};

struct asz_resp_counters {
  uint64_t value[ASZ_RESP_COUNTER_COUNT];
};

/* Name and help of a counter; counter < ASZ_RESP_COUNTER_COUNT (asserted). */
const char *asz_resp_counter_name(enum asz_resp_counter counter);
const char *asz_resp_counter_help(enum asz_resp_counter counter);

/* asz_resp_counter_of_auth: the drop that an error of asz_authority_check stands for. */
enum asz_resp_counter asz_resp_counter_of_auth(int err);

/* asz_resp_counters_json prints `"name":value` for all, comma-separated, without braces. */
void asz_resp_counters_json(FILE *out, const struct asz_resp_counters *counters);
/* asz_resp_counters_text prints a line `value name  help` for each that is not zero. */
void asz_resp_counters_text(FILE *out, const struct asz_resp_counters *counters);

#endif
