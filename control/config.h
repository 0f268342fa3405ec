/* SPDX-License-Identifier: Apache-2.0 */
/* asz_config: the validator's configuration: one table of keys {section, name, type, unit, default, range, help}, one INI file,
 * one struct. The table makes the parser, the documentation, `init`'s commented file and the hash of the parameters that scores
 * depend on. */
#ifndef ASZ_CONTROL_CONFIG_H
#define ASZ_CONTROL_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* X(section, key, type, unit, default, min, max, scored, help)
 * type: U64 (decimal), BOOL (yes/no; min and max 0, 1), TEXT (printable ASCII without ';'; min and max are lengths; a line of the
 * file holds 198 characters), IPV4 (default a dotted quad), IPV6 (:: is none), WORD (one of the words in `unit`, separated by |).
 * scored: 1 when the value changes scores or slashes: part of the parameter hash that is logged. */
#define ASZ_CONFIG_LIST(X)                                                                                                       \
  X(validator, origin, TEXT, "name", "assize.example/validator", 3, 150, 0,                                                      \
    "origin line of the transparency log: a name that you own")                                                                  \
  X(network, eal, TEXT, "arguments", "", 0, 180, 0,                                                                              \
    "EAL arguments that select the port, e.g. --vdev=net_af_xdp0,iface=eth1 or -a 0000:81:00.0")                                 \
  X(network, lcores, TEXT, "EAL --lcores", "auto", 1, 180, 0,                                                                    \
    "main and prober lcores on their CPUs, as 0@0,1@1; auto: the first ones")                                                    \
  X(network, prober_lcores, U64, "lcores", "1", 1, 16, 0,                                                                        \
    "prober lcores, each with a queue pair of the port and its share of the providers: a power of two")                          \
  X(network, memory_mib, U64, "MiB", "512", 64, 1048576, 0, "memory for packet buffers and tables")                              \
  X(network, huge_pages, WORD, "auto|yes|no", "auto", 0, 0, 0, "use huge pages: auto takes them where they are")                 \
  X(network, local_ip, IPV4, "address", "0.0.0.0", 0, 0, 0, "our address on the port; the kernel must not own it")               \
  X(network, gateway_ip, IPV4, "address", "0.0.0.0", 0, 0, 0, "next hop of all IPv4 providers")                                  \
  X(network, local_ip6, IPV6, "address", "::", 0, 0, 0, "our IPv6 address on the port, for providers that have one; :: is none") \
  X(network, gateway_ip6, IPV6, "address", "::", 0, 0, 0, "next hop of their probes; may be link-local")                         \
  X(network, vlan, U64, "802.1Q VLAN", "0", 0, 4094, 0, "tag of everything that is sent and received; 0: none")                  \
  X(network, check_checksums, BOOL, "", "yes", 0, 1, 0, "verify UDP, ICMP and TCP checksums of replies in software")             \
  X(network, source_port_base, U64, "port", "49152", 1024, 57344, 0,                                                             \
    "plain STAMP spreads its cookie over 8,192 ports from here")                                                                 \
  X(network, spreading, WORD, "auto|no|assumed", "auto", 0, 0, 0,                                                                \
    "who brings replies back to the prober lcore that asked: auto: the port, by hash or rules, where it can; no: software")      \
  X(network, nic_times, WORD, "auto|no", "auto", 0, 0, 0,                                                                        \
    "times that the port gives to frames: auto uses them where its driver offers them and its clock can be read")                \
  X(network, challenge_source_port, U64, "port", "48620", 1024, 65535, 0, "our port for challenges")                             \
  X(probe, interval_ms, U64, "ms", "1000", 1, 1000000, 1, "time between two probes to a provider")                               \
  X(probe, pair_gap_us, U64, "us", "5000", 0, 10000, 1,                                                                          \
    "probes go in pairs, this far apart at most: delay variation of each way; 0: singly")                                        \
  X(probe, rate_max_pps, U64, "probes/s", "1000000", 1, 200000000, 0, "cap over all providers; run refuses a plan above it")     \
  X(probe, roster_file, TEXT, "path", "", 0, 180, 0,                                                                             \
    "file of who is probed, as for provider import; read at the start and on SIGHUP; relative to the home; empty: all "          \
    "registered")                                                                                                                \
  X(probe, deny_file, TEXT, "path", "", 0, 180, 0,                                                                               \
    "file of addresses and prefixes that are never sent anything, read again when it changes; relative to the home")             \
  X(probe, rate_max_prefix_pps, U64, "probes/s", "0", 0, 200000000, 0,                                                           \
    "cap for each /24 (IPv6: /48); run refuses a plan above it; 0: none")                                                        \
  X(probe, rate_max_as_pps, U64, "probes/s", "0", 0, 200000000, 0,                                                               \
    "cap for each autonomous system, by probe.as_file; run refuses a plan above it; 0: none")                                    \
  X(probe, as_file, TEXT, "path", "", 0, 180, 0,                                                                                 \
    "file of lines prefix,asn: which AS an address is in, longest prefix first; relative to the home")                           \
  X(probe, timeout_ms, U64, "ms", "1000", 1, 4000, 1, "a reply later than this is late")                                         \
  X(probe, late_bound_us, U64, "us", "2000", 1, 1000000, 1,                                                                      \
    "a probe sent later than this after it was due counts against the engine")                                                   \
  X(probe, fault_bound_ppm, U64, "ppm", "20000", 0, 1000000, 1, "a slot with more engine faults than this is unjudged")          \
  X(probe, sketch_cells, U64, "cells", "256", 32, 1024, 1,                                                                       \
    "memory of a provider's RTT distribution, 2 bytes each, a power of two: 64 for many millions of providers")                  \
  X(time, epoch_s, U64, "s", "3600", 1, 86400, 1, "length of an epoch")                                                          \
  X(time, slot_s, U64, "s", "60", 1, 3600, 1, "liveness slot; at most 64 in an epoch")                                           \
  X(time, challenge_slot_s, U64, "s", "600", 1, 86400, 1, "correctness slot")                                                    \
  X(challenge, enabled, BOOL, "", "yes", 0, 1, 1, "challenge providers that have a key")                                         \
  X(challenge, seq_log2_steps, U64, "log2", "20", 5, 24, 1, "length of a seq chain; lab preset 12, standard preset 20")          \
  X(challenge, rate_ps, U64, "challenges/s", "1000", 1, 1000000, 0, "challenges sent per second")                                \
  X(challenge, deadline_ms, U64, "ms", "5000", 10, 600000, 1, "an answer later than this is missing")                            \
  X(challenge, tries, U64, "", "3", 1, 10, 1, "transmissions of one challenge before it counts as missing")                      \
  X(challenge, gemm_preset, WORD, "no|tiny|cpu|gpu", "no", 0, 0, 1,                                                              \
    "matrix product asked of those who consent to it; tiny is for trials")                                                       \
  X(challenge, gemm_deadline_ms, U64, "ms", "20000", 10, 600000, 1, "a commitment to a product later than this is missing")      \
  X(challenge, mem_preset, WORD, "no|tiny|cpu|gpu|mem-1g|mem-16g|mem-64g", "no", 0, 0, 1,                                        \
    "arena that those who consent to it build in each epoch and fold in each later slot; tiny is for trials")                    \
  X(challenge, mem_build_deadline_ms, U64, "ms", "60000", 10, 600000, 1, "an arena not built within this is missing")            \
  X(challenge, mem_fold_deadline_ms, U64, "ms", "5000", 10, 600000, 1, "a fold later than this is missing")                      \
  X(challenge, duty_ppm, U64, "ppm", "10000", 1, 1000000, 1,                                                                     \
    "share of an epoch that a provider is asked to spend on gemm and mem; over it it is asked no more of them")                  \
  X(challenge, receipts, BOOL, "", "yes", 0, 1, 1, "ask each provider once a slot to sign what it answered to our probes")       \
  X(challenge, openings, U64, "columns", "8", 1, 32, 1, "columns of each product, build and fold that are opened and checked")   \
  X(challenge, opening_deadline_ms, U64, "ms", "10000", 10, 600000, 1, "what is not opened within this is missing")              \
  X(verify, backend, WORD, "auto|cpu|cuda|reference", "auto", 0, 0, 0,                                                           \
    "who verifies answers; reference: libsodium and plain C, one at a time")                                                     \
  X(verify, key_table_kib, U64, "KiB", "20", 20, 1024, 0, "memory for each known key on the CPU: 20, 40 or 400")                 \
  X(verify, batch_items, U64, "items", "16384", 1, 65536, 0, "items in a batch")                                                 \
  X(score, rtt_target_ms, U64, "ms", "100", 1, 10000, 1, "q95 target of a provider without its own")                             \
  X(score, rtt_target_regions, TEXT, "REGION=MS ...", "", 0, 175, 1,                                                             \
    "q95 targets in ms by region, where a provider has none of its own, as eu=40 us-east=90; eu is also that of eu-west")        \
  X(score, sla_uptime_ppm, U64, "ppm", "999900", 500000, 999999, 1,                                                              \
    "uptime of thirty days that the service-level account measures against")                                                     \
  X(slash, s1_stake_bps_first, U64, "bps", "100", 0, 10000, 1, "stake share of a first S1; doubled on each later one")           \
  X(slash, s1_stake_bps_max, U64, "bps", "1000", 0, 10000, 1, "largest stake share of an S1")                                    \
  X(slash, s3_uptime_ppm_min, U64, "ppm", "900000", 0, 1000000, 1, "S3 below this uptime in an epoch")                           \
  X(slash, s3_latency_factor, U64, "times", "8", 2, 1000, 1, "S3 above this multiple of the latency target")                     \
  X(slash, s3_slots_min, U64, "slots", "3", 1, 64, 1, "no S3 from an epoch with fewer judged slots")                             \
  X(slash, jail_first_s, U64, "s", "3600", 1, 864000, 1, "jail of the first two S3")                                             \
  X(slash, jail_last_s, U64, "s", "86400", 1, 8640000, 1, "jail of each later S3")                                               \
  X(store, snapshot_s, U64, "s", "5", 0, 3600, 0, "how often what the running epoch measured is saved; 0: never")                \
  X(store, transcript_days, U64, "days", "35", 1, 3650, 0, "how long failures and transcripts are kept")

enum { ASZ_CONFIG_TEXT_MAX = 192 }; /* with the NUL; over every TEXT's max */

struct asz_config {
#define ASZ_CONFIG_FIELD_U64(section, key)                                      uint64_t section##_##key;
#define ASZ_CONFIG_FIELD_BOOL(section, key)                                     uint64_t section##_##key;
#define ASZ_CONFIG_FIELD_WORD(section, key)                                     uint64_t section##_##key; /* index of the word */
#define ASZ_CONFIG_FIELD_IPV4(section, key)                                     uint32_t section##_##key; /* host order */
#define ASZ_CONFIG_FIELD_IPV6(section, key)                                     uint8_t section##_##key[16];
#define ASZ_CONFIG_FIELD_TEXT(section, key)                                     char section##_##key[ASZ_CONFIG_TEXT_MAX];
#define ASZ_CONFIG_FIELD(section, key, type, unit, def, min, max, scored, help) ASZ_CONFIG_FIELD_##type(section, key)
  ASZ_CONFIG_LIST(ASZ_CONFIG_FIELD)
#undef ASZ_CONFIG_FIELD
};

void asz_config_default(struct asz_config *ret_config);
/* asz_config_preset: the defaults changed by a named preset: "standard" (changes nothing) or "lab" (short epochs on one machine).
 * ASZ_EINVAL for another name. asz_config_presets: the names, separated by |. */
ASZ_MUST_CHECK int asz_config_preset(struct asz_config *ret_config, const char *preset, struct asz_diag *diag);
const char *asz_config_presets(void);
/* asz_config_set: one "section.key=value" as given on a command line; `where` names the source in the line. Relations are not
 * checked: call asz_config_check after the last. *config is untouched on failure. */
ASZ_MUST_CHECK int asz_config_set(struct asz_config *config, const char *assignment, const char *where, struct asz_diag *diag);
/* asz_config_load: defaults, then the file. Unknown sections and keys, doubled keys, bad values: one line with file, line, key
 * and what was expected (ASZ_EFORMAT, ASZ_ERANGE). *ret_config is untouched on failure. Relations between keys (epoch and slots,
 * ports) are checked too. */
ASZ_MUST_CHECK int asz_config_load(struct asz_config *ret_config, const char *path, struct asz_diag *diag);
/* asz_config_read: the same from an open stream; `name` stands for the file in messages. */
ASZ_MUST_CHECK int asz_config_read(struct asz_config *ret_config, FILE *in, const char *name, struct asz_diag *diag);
/* asz_config_check: the relations alone; `where` names the source in the line. */
ASZ_MUST_CHECK int asz_config_check(const struct asz_config *config, const char *where, struct asz_diag *diag);
/* asz_config_rtt_targets: what the keys of section score say of latency targets; fails as asz_config_check would. */
struct asz_rtt_targets;
ASZ_MUST_CHECK int asz_config_rtt_targets(const struct asz_config *config, const char *where, struct asz_rtt_targets *ret_targets,
                                          struct asz_diag *diag);
/* asz_config_differs: the full name of the first key in a section that has another value; NULL: none. */
const char *asz_config_differs(const struct asz_config *a, const struct asz_config *b, const char *section);
/* asz_config_write: a complete commented file of the given values. Returns 0 or ASZ_EIO. */
ASZ_MUST_CHECK int asz_config_write(FILE *out, const struct asz_config *config);
/* asz_config_write_table: every key as one row of a Markdown table: `assize help config` and docs/operating.md. */
void asz_config_write_table(FILE *out);
/* asz_config_hash: SHA-256 over the scored keys as "section.key=value\n" lines in table order: the parameter hash. */
void asz_config_hash(const struct asz_config *config, uint8_t ret_hash[32]);

#endif
