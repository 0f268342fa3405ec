/* SPDX-License-Identifier: Apache-2.0 */
/* A real assize-responder as a child process, and a plain socket that asks it. Failures are failed assertions of the test. */
#ifndef ASZ_TESTS_CONTROL_RESPONDER_PROCESS_H
#define ASZ_TESTS_CONTROL_RESPONDER_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "control/responder/counters.h"
#include "tests/control/responder/fixture.h"

enum { PROCESS_OUTPUT_BYTES = 16384, PROCESS_WAIT_S = 20 };

struct process {
  pid_t pid;
  int out_fd, err_fd;
  char dir[1024]; /* temporary, holds the key file */
  char key_path[1100];
  uint16_t stamp_port, challenge_port;                       /* as it says itself */
  char out[PROCESS_OUTPUT_BYTES], err[PROCESS_OUTPUT_BYTES]; /* what it has printed so far */
};

/* process_exec starts the program with words[] (NULL-terminated; "KEY" stands for the path of the fixture's key file), in a
 * network namespace (-1: this one). Skips the test when the program is not there. */
void process_exec(struct process *ret_process, const struct fixture *fixture, int netns_fd, const char *const *words);
/* process_run: `run` with the fixture's key and validator, any free ports, --json and the extra words; returns once it listens.
 */
void process_run(struct process *ret_process, const struct fixture *fixture, int netns_fd, const char *const *extra);
/* process_wait_lines reads on stdout until there are `count` lines. */
void process_wait_lines(struct process *process, unsigned count);
/* process_end sends a signal (0: none), waits for the end, reads what is left and removes the files. Returns the exit code. */
int process_end(struct process *process, int signal);
/* process_end_well: the same, and asserts exit code 0. */
void process_end_well(struct process *process, int signal);
/* process_counter: a counter from the last JSON line on stdout; process_counter_named: by its name there. */
uint64_t process_counter(const struct process *process, enum asz_resp_counter counter);
uint64_t process_counter_named(const struct process *process, const char *name);

/* temporary_template: a path for mkstemp or mkdtemp, in $TMPDIR. */
void temporary_template(char *ret_path, size_t size_bytes);

/* client_open: a UDP socket bound to an address (host order) that waits PROCESS_WAIT_S for a reply; client_open_at: of either
 * family. */
int client_open(uint32_t local_ipv4);
int client_open_at(const struct asz_address *local);
void client_send(int fd, uint32_t ipv4, uint16_t port, const struct asz_datagram *datagram);
/* client_send_to: link is the interface of a link-local address, else 0. */
void client_send_to(int fd, const struct asz_address *to, uint32_t link, uint16_t port, const struct asz_datagram *datagram);
/* client_receive: payload, size and peer of the next datagram. */
void client_receive(int fd, struct asz_datagram *ret_datagram);
/* client_ask: send and receive; asserts that the reply comes from the very address and port that was asked. */
void client_ask(int fd, uint32_t ipv4, uint16_t port, const struct asz_datagram *request, struct asz_datagram *ret_reply);
void client_ask_at(int fd, const struct asz_address *to, uint32_t link, uint16_t port, const struct asz_datagram *request,
                   struct asz_datagram *ret_reply);
/* address_of asserts that the text is an address. */
struct asz_address address_of(const char *text);
/* client_is_silent: nothing is waiting to be received. */
int client_is_silent(int fd);

#endif
