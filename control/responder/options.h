/* SPDX-License-Identifier: Apache-2.0 */
/* asz_options: the responder's command line: one table of options makes the struct, the parser and the help. */
#ifndef ASZ_CONTROL_RESPONDER_OPTIONS_H
#define ASZ_CONTROL_RESPONDER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control/responder/duty.h"
#include "control/responder/limiter.h"
#include "control/responder/workers.h"
#include "dataplane/base/address.h"
#include "dataplane/base/challenge.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/stamp.h"

/* X(field, type, name, argument, default, min, max, group, help)
 * type: FLAG (no argument), U64 (decimal in min..max), IPV6, ADDRESSES (one of each family), TEXT, LIST (may be
 * given often). group: KEY (all commands), RUN, LAB (run, in a laboratory only). */
#define ASZ_OPTION_LIST(X)                                                                                                       \
  X(key, TEXT, "--key", "FILE", NULL, 0, 0, KEY, "Ed25519 identity, mode 0600; made by keygen")                                  \
  X(validator, LIST, "--validator", "HEX", {.count = 0}, 0, 0, RUN,                                                              \
    "public key of a validator that may ask; may be given often")                                                                \
  X(validators, TEXT, "--validators", "FILE", NULL, 0, 0, RUN, "the same, one key a line, # opens a comment")                    \
  X(listen, ADDRESSES, "--listen", "ADDRESS", {.given = {false}}, 0, 0, RUN,                                                     \
    "answer there alone; once for IPv4, once for IPv6; without it: at all addresses of both")                                    \
  X(port, U64, "--port", "N", ASZ_STAMP_PORT, 0, 65535, RUN, "UDP port of STAMP; 0 takes any free one")                          \
  X(challenge_port, U64, "--challenge-port", "N", ASZ_CHALLENGE_PORT, 0, 65535, RUN, "UDP port of challenges; 0 takes any")      \
  X(eal, TEXT, "--eal", "ARGS", NULL, 0, 0, RUN, "answer on the DPDK port that these EAL arguments make, not on kernel sockets") \
  X(local_ip, ADDRESSES, "--local-ip", "ADDRESS", {.given = {false}}, 0, 0, RUN,                                                 \
    "with --eal: our address on the port, one of a family; the kernel must not own it")                                          \
  X(local_prefix, U64, "--local-prefix", "N", 32, 8, 32, RUN, "with --eal: answer at all addresses of the IPv4 prefix")          \
  X(local_prefix6, U64, "--local-prefix6", "N", 128, 32, 128, RUN, "with --eal: answer at all addresses of the IPv6 prefix")     \
  X(gateway_ip6, IPV6, "--gateway-ip6", "IPV6", {.family = 0}, 0, 0, RUN,                                                        \
    "with --eal: a router that shall know us behind a switch that snoops; asked for without a tag")                              \
  X(lcores, TEXT, "--lcores", "LIST", NULL, 0, 0, RUN, "with --eal: as EAL's, the first is the control thread's")                \
  X(memory_mib, U64, "--memory-mib", "N", 128, 64, 1048576, RUN, "with --eal: memory for buffers and rings")                     \
  X(rate_pps, U64, "--rate-pps", "N", 100000, 1, ASZ_RATE_PPS_MAX, RUN, "datagrams a second from one source address")            \
  X(challenge_rate, U64, "--challenge-rate", "N", 1000, 1, 1000000, RUN, "challenges a second from one validator")               \
  X(seq_log2_max, U64, "--seq-log2-max", "N", 20, ASZ_SEQ_LOG2_MIN, ASZ_SEQ_LOG2_MAX, RUN, "longest seq chain, log2 of steps")   \
  X(workers, U64, "--workers", "N", 1, 1, ASZ_WORKERS_MAX, RUN, "threads that make proofs")                                      \
  X(gemm, TEXT, "--gemm", "PRESET", NULL, 0, 0, RUN,                                                                             \
    "consent to gemm, presets up to this: tiny, cpu, gpu, ..; without it to none")                                               \
  X(mem, TEXT, "--mem", "PRESET", NULL, 0, 0, RUN,                                                                               \
    "consent to hold an arena of mem as large as this preset's; without it to none")                                             \
  X(mem_bandwidth, U64, "--mem-bandwidth", "N", 0, 0, 1000000000000000, RUN, "bytes a second of that memory, as you claim")      \
  X(prover, TEXT, "--prover", "WHICH", "auto", 0, 0, RUN,                                                                        \
    "gemm and mem by cpu, cuda, or auto: cuda where a device passes (default auto)")                                             \
  X(work_mib, U64, "--work-mib", "N", 256, 1, 16777216, RUN, "memory for gemm and mem, arenas included")                         \
  X(duty_ppm, U64, "--duty-ppm", "N", 10000, 1, ASZ_DUTY_PPM_MAX, RUN, "millionths of an hour to spend on gemm and mem")         \
  X(devices, U64, "--devices", "N", 1, 1, 1000000, RUN, "devices behind this key that gemm and mem may be asked of")             \
  X(no_plain, FLAG, "--no-plain", "", false, 0, 0, RUN, "answer nobody but the validators")                                      \
  X(user, TEXT, "--user", "NAME", NULL, 0, 0, RUN, "become this user once the ports are open")                                   \
  X(stats_file, TEXT, "--stats-file", "FILE", NULL, 0, 0, RUN, "write the counters there as JSON, on SIGUSR1 and at the end")    \
  X(json, FLAG, "--json", "", false, 0, 0, RUN, "print the counters on stdout as one JSON line, on SIGUSR1 and at the end")      \
  X(duration_s, U64, "--duration", "S", 0, 0, 1000000000, RUN, "stop after S seconds; 0 runs until SIGINT or SIGTERM")           \
  X(lab_wrong_answers, FLAG, "--lab-wrong-answers", "", false, 0, 0, LAB,                                                        \
    "sign broken seq chains and columns that were not committed to")                                                             \
  X(lab_delay_us, U64, "--lab-delay-us", "N", 0, 0, 10000000, LAB, "hold every reply back for N microseconds")                   \
  X(lab_loss_ppm, U64, "--lab-loss-ppm", "N", 0, 0, 1000000, LAB, "leave N of a million requests unanswered, at random")         \
  X(lab_silent, FLAG, "--lab-silent", "", false, 0, 0, LAB, "answer nothing")

enum { ASZ_OPTION_LIST_MAX = 64 };

struct asz_option_values {
  const char *text[ASZ_OPTION_LIST_MAX];
  unsigned count;
};

struct asz_option_addresses {
  bool given[ASZ_FAMILY_COUNT];
  struct asz_address address[ASZ_FAMILY_COUNT]; /* of its family, also where none was given: all zero then */
};

/* Text points into argv. */
#define ASZ_OPTION_TYPE_FLAG      bool
#define ASZ_OPTION_TYPE_U64       uint64_t
#define ASZ_OPTION_TYPE_IPV6      struct asz_address
#define ASZ_OPTION_TYPE_TEXT      const char *
#define ASZ_OPTION_TYPE_LIST      struct asz_option_values
#define ASZ_OPTION_TYPE_ADDRESSES struct asz_option_addresses
struct asz_options {
#define ASZ_OPTION_FIELD(field, type, name, argument, def, min, max, group, help) ASZ_OPTION_TYPE_##type field;
  ASZ_OPTION_LIST(ASZ_OPTION_FIELD)
#undef ASZ_OPTION_FIELD
};

enum asz_option_group { ASZ_OPTION_KEY = 1, ASZ_OPTION_RUN = 2, ASZ_OPTION_LAB = 4 };

/* asz_options_parse reads argv[0..argc) (`--name value`, `--name=value`), taking options of the given groups only. ASZ_EINVAL,
 * ASZ_EFORMAT, ASZ_ERANGE, each with a line that names the option and what was expected. *ret_options is untouched on failure. */
ASZ_MUST_CHECK int asz_options_parse(struct asz_options *ret_options, unsigned groups, int argc, char *const *argv,
                                     struct asz_diag *diag);
/* asz_options_check: do the options of `run` go together? Kernel sockets and a DPDK port (--eal) have some of their own.
 * ASZ_EINVAL, with a line. */
ASZ_MUST_CHECK int asz_options_check(const struct asz_options *options, struct asz_diag *diag);
/* asz_options_help prints the options of one group, one a line. */
void asz_options_help(FILE *out, enum asz_option_group group);
/* asz_options_lab: true when any switch of the laboratory is on. */
bool asz_options_lab(const struct asz_options *options);

#endif
