/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/control/responder/process.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/responder/ancillary.h"

enum { WORDS_MAX = 64 };

static void program_path(char *ret_path, size_t size_bytes) {
  const char *build = getenv("ASSIZE_BUILD");
  if (!build)
    cr_skip_test("needs ASSIZE_BUILD, the build directory (`meson test` sets it)");
  snprintf(ret_path, size_bytes, "%s/control/responder/assize-responder", build);
  if (access(ret_path, X_OK) != 0)
    cr_skip_test("assize-responder is not built");
}

void temporary_template(char *ret_path, size_t size_bytes) {
  const char *directory = getenv("TMPDIR");
  snprintf(ret_path, size_bytes, "%s/responder.XXXXXX", directory ? directory : P_tmpdir);
}

static void write_key(struct process *process, const struct asz_identity *provider) {
  temporary_template(process->dir, sizeof process->dir);
  cr_assert_not_null(mkdtemp(process->dir));
  snprintf(process->key_path, sizeof process->key_path, "%s/key", process->dir);
  const int fd = open(process->key_path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert_geq(fd, 0);
  char seed[65];
  asz_hex_encode(seed, provider->secret_key, 32); /* libsodium's secret key opens with the seed */
  dprintf(fd, "assize-key-v1\n%s\n", seed);
  close(fd);
}

void process_exec(struct process *ret_process, const struct fixture *fixture, int netns_fd, const char *const *words) {
  char path[4096];
  program_path(path, sizeof path);
  memset(ret_process, 0, sizeof *ret_process);
  write_key(ret_process, &fixture->provider);
  const char *argv[WORDS_MAX + 2] = {path};
  for (unsigned i = 0; words[i]; i++) {
    cr_assert_lt(i, WORDS_MAX);
    argv[i + 1] = strcmp(words[i], "KEY") == 0 ? ret_process->key_path : words[i];
  }
  int out[2], err[2];
  cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
  cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
  ret_process->pid = fork();
  if (ret_process->pid == 0) {
    if ((netns_fd < 0 || setns(netns_fd, CLONE_NEWNET) == 0) && dup2(out[1], 1) == 1 && dup2(err[1], 2) == 2)
      execv(path, (char *const *)argv);
    _exit(127);
  }
  cr_assert_gt(ret_process->pid, 0);
  close(out[1]);
  close(err[1]);
  ret_process->out_fd = out[0];
  ret_process->err_fd = err[0];
}

/* Appends what there is; false at the end of the stream. */
static int read_more(int fd, char *text) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  cr_assert_eq(poll(&wait, 1, PROCESS_WAIT_S * 1000), 1, "the responder says nothing");
  const size_t length = strlen(text);
  cr_assert_lt(length, PROCESS_OUTPUT_BYTES - 1);
  const ssize_t got = read(fd, text + length, PROCESS_OUTPUT_BYTES - 1 - length);
  cr_assert_geq(got, 0);
  text[length + (size_t)got] = '\0';
  return got > 0;
}

void process_run(struct process *ret_process, const struct fixture *fixture, int netns_fd, const char *const *extra) {
  char validator[65];
  asz_hex_encode(validator, fixture->validator.public_key, 32);
  const char *words[WORDS_MAX] = {"run", "--key", "KEY", "--validator", validator, "--port", "0", "--challenge-port",
                                  "0",   "--json"};
  for (unsigned i = 0; extra[i]; i++)
    words[10 + i] = extra[i];
  process_exec(ret_process, fixture, netns_fd, words);
  const char *ports;
  while (!(ports = strstr(ret_process->err, "stamp port ")) || !strchr(ports, '\n'))
    cr_assert(read_more(ret_process->err_fd, ret_process->err), "ended at once: %s", ret_process->err);
  unsigned stamp, challenge;
  cr_assert_eq(sscanf(ports, "stamp port %u, challenge port %u", &stamp, &challenge), 2);
  ret_process->stamp_port = (uint16_t)stamp;
  ret_process->challenge_port = (uint16_t)challenge;
}

static unsigned line_count(const char *text) {
  unsigned count = 0;
  for (; *text; text++)
    count += *text == '\n';
  return count;
}

void process_wait_lines(struct process *process, unsigned count) {
  while (line_count(process->out) < count)
    cr_assert(read_more(process->out_fd, process->out), "ended before line %u", count);
}

int process_end(struct process *process, int signal) {
  if (signal)
    kill(process->pid, signal);
  while (read_more(process->out_fd, process->out))
    ;
  while (read_more(process->err_fd, process->err))
    ;
  int status;
  cr_assert_eq(waitpid(process->pid, &status, 0), process->pid);
  close(process->out_fd);
  close(process->err_fd);
  unlink(process->key_path);
  rmdir(process->dir);
  cr_assert(WIFEXITED(status), "killed by a signal: %s", process->err);
  return WEXITSTATUS(status);
}

void process_end_well(struct process *process, int signal) {
  const int code = process_end(process, signal);
  cr_assert_eq(code, 0, "exit code %d: %s", code, process->err);
}

uint64_t process_counter(const struct process *process, enum asz_resp_counter counter) {
  return process_counter_named(process, asz_resp_counter_name(counter));
}

uint64_t process_counter_named(const struct process *process, const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *last = NULL;
  for (const char *at = process->out; (at = strstr(at, key)); at++)
    last = at;
  cr_assert_not_null(last, "no %s in: %s", key, process->out);
  return strtoull(last + strlen(key), NULL, 10);
}

struct asz_address address_of(const char *text) {
  struct asz_address address;
  cr_assert_eq(asz_address_parse(&address, text), 0, "%s", text);
  return address;
}

int client_open_at(const struct asz_address *local) {
  const int fd = socket(local->family == ASZ_FAMILY_IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  union asz_socket_address address;
  const socklen_t address_bytes = asz_socket_address_of(&address, local, 0, 0);
  const struct timeval wait = {.tv_sec = PROCESS_WAIT_S};
  cr_assert_geq(fd, 0);
  cr_assert_eq(bind(fd, &address.any, address_bytes), 0);
  cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
  return fd;
}

int client_open(uint32_t local_ipv4) {
  const struct asz_address local = asz_address_ipv4(local_ipv4);
  return client_open_at(&local);
}

void client_send_to(int fd, const struct asz_address *to, uint32_t link, uint16_t port, const struct asz_datagram *datagram) {
  union asz_socket_address address;
  const socklen_t address_bytes = asz_socket_address_of(&address, to, port, link);
  const ssize_t sent = sendto(fd, datagram->payload, datagram->size_bytes, 0, &address.any, address_bytes);
  cr_assert_eq(sent, (ssize_t)datagram->size_bytes);
}

void client_send(int fd, uint32_t ipv4, uint16_t port, const struct asz_datagram *datagram) {
  const struct asz_address to = asz_address_ipv4(ipv4);
  client_send_to(fd, &to, 0, port, datagram);
}

void client_receive(int fd, struct asz_datagram *ret_datagram) {
  union asz_socket_address from;
  socklen_t from_bytes = sizeof from;
  const ssize_t got = recvfrom(fd, ret_datagram->payload, sizeof ret_datagram->payload, 0, &from.any, &from_bytes);
  cr_assert_geq(got, 0, "no reply in %d s", PROCESS_WAIT_S);
  ret_datagram->size_bytes = (uint32_t)got;
  ret_datagram->ends = (struct asz_ends){.peer_port = asz_socket_address_port(&from)};
  if (from.any.sa_family == AF_INET6)
    ret_datagram->ends.peer = asz_address_ipv6(from.ipv6.sin6_addr.s6_addr);
  else
    ret_datagram->ends.peer = asz_address_ipv4(ntohl(from.ipv4.sin_addr.s_addr));
}

void client_ask_at(int fd, const struct asz_address *to, uint32_t link, uint16_t port, const struct asz_datagram *request,
                   struct asz_datagram *ret_reply) {
  client_send_to(fd, to, link, port, request);
  client_receive(fd, ret_reply);
  char asked[ASZ_IPV6_TEXT_BYTES], answered[ASZ_IPV6_TEXT_BYTES];
  asz_address_format(asked, to);
  asz_address_format(answered, &ret_reply->ends.peer);
  cr_assert(asz_address_equal(&ret_reply->ends.peer, to), "answered from %s, asked %s", answered, asked);
  cr_assert_eq(ret_reply->ends.peer_port, port);
}

void client_ask(int fd, uint32_t ipv4, uint16_t port, const struct asz_datagram *request, struct asz_datagram *ret_reply) {
  const struct asz_address to = asz_address_ipv4(ipv4);
  client_ask_at(fd, &to, 0, port, request, ret_reply);
}

int client_is_silent(int fd) {
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) == 0;
}
