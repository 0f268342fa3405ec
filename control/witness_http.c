/* SPDX-License-Identifier: Apache-2.0 */
#include "control/witness_http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "control/parse.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"

/* A client that is slow or many takes no more than this from the others. */
enum { CONNECTIONS_MAX = 64, CONNECTIONS_PER_ADDRESS_MAX = 8, IDLE_S = 10, MEMORY_BYTES = 32 << 10 };

struct asz_witness_http {
  struct MHD_Daemon *daemon;
  struct asz_witness *witness;
};

/* One request's body while it arrives. */
struct upload {
  size_t size;
  bool too_large;
  char body[ASZ_ADD_CHECKPOINT_MAX_BYTES];
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type, char *body, size_t size) {
  struct MHD_Response *response = MHD_create_response_from_buffer(body ? size : 0, body, MHD_RESPMEM_MUST_FREE);
  if (!response) {
    free(body);
    return MHD_NO;
  }
  enum MHD_Result queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_NO
                               ? MHD_NO
                               : MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}

static enum MHD_Result reply_answer(struct MHD_Connection *connection, const struct asz_witness_answer *answer) {
  if (answer->status != 200)
    asz_log(ASZ_LOG_INFO, "witness: %u: %s", answer->status, answer->why.text);
  return reply(connection, answer->status, answer->content_type, answer->body, answer->body_bytes);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status) {
  return reply(connection, status, "text/plain", NULL, 0);
}

static enum MHD_Result take_upload(struct asz_witness_http *http, struct MHD_Connection *connection, const char *data,
                                   size_t *size, void **state) {
  struct upload *upload = *state;
  if (!upload) { /* the headers alone */
    *state = calloc(1, sizeof *upload);
    return *state ? MHD_YES : MHD_NO;
  }
  if (*size > 0) {
    upload->too_large |= *size > sizeof upload->body - upload->size;
    if (!upload->too_large) {
      memcpy(upload->body + upload->size, data, *size);
      upload->size += *size;
    }
    *size = 0;
    return MHD_YES;
  }
  if (upload->too_large)
    return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE);
  struct asz_witness_answer answer;
  asz_witness_add_checkpoint(http->witness, upload->body, upload->size, asz_clock_now_ns() / 1000000000, &answer);
  return reply_answer(connection, &answer);
}

/* "/<origin hash>/checkpoint" */
static enum MHD_Result give_checkpoint(struct asz_witness_http *http, struct MHD_Connection *connection, const char *url) {
  static const char tail[] = "/checkpoint";
  struct asz_witness_answer answer;
  char hash[65];
  if (strlen(url) != 65 + sizeof tail - 1 || strcmp(url + 65, tail) != 0)
    return refuse(connection, MHD_HTTP_NOT_FOUND);
  memcpy(hash, url + 1, 64);
  hash[64] = 0;
  asz_witness_checkpoint(http->witness, hash, &answer);
  return reply_answer(connection, &answer);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **state) {
  (void)version;
  struct asz_witness_http *http = context;
  bool add = strcmp(url, "/add-checkpoint") == 0, get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
  if (add && strcmp(method, MHD_HTTP_METHOD_POST) == 0)
    return take_upload(http, connection, data, size, state);
  *size = 0;
  if (add || !get)
    return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
  return give_checkpoint(http, connection, url);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  free(*state);
}

/* "192.0.2.1:80", "[2001:db8::1]:80" */
static int parse_listen(const char *text, struct sockaddr_storage *ret_address, struct asz_diag *diag) {
  char host[64];
  const char *colon = strrchr(text, ':');
  uint64_t port;
  size_t host_bytes = colon ? (size_t)(colon - text) : 0;
  bool six = host_bytes > 2 && text[0] == '[' && colon[-1] == ']';
  struct sockaddr_in *four_address = (struct sockaddr_in *)ret_address;
  struct sockaddr_in6 *six_address = (struct sockaddr_in6 *)ret_address;
  memset(ret_address, 0, sizeof *ret_address);
  if (host_bytes == 0 || host_bytes >= sizeof host || asz_parse_u64(colon + 1, 0, 65535, &port) != 0)
    return asz_diag_set(diag, ASZ_EINVAL, "--listen: expected ADDRESS:PORT, got \"%s\"", text);
  memcpy(host, text + six, host_bytes - 2 * six);
  host[host_bytes - 2 * six] = 0;
  if (six) {
    *six_address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET6, host, &six_address->sin6_addr) == 1)
      return 0;
  } else {
    *four_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &four_address->sin_addr) == 1)
      return 0;
  }
  return asz_diag_set(diag, ASZ_EINVAL, "--listen: expected an IPv4 address, or an IPv6 one in brackets, got \"%s\"", host);
}

int asz_witness_http_start(struct asz_witness_http **ret_http, struct asz_witness *witness, const char *listen,
                           struct asz_diag *diag) {
  struct sockaddr_storage address;
  int err = parse_listen(listen, &address, diag);
  if (err)
    return err;
  struct asz_witness_http *http = calloc(1, sizeof *http);
  if (!http)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory to listen");
  http->witness = witness;
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
  http->daemon =
      MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                       on_end, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                       (unsigned)CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES, MHD_OPTION_END);
  if (!http->daemon) {
    free(http);
    return asz_diag_set(diag, ASZ_EIO, "--listen: %s: cannot be listened on", listen);
  }
  *ret_http = http;
  return 0;
}

unsigned asz_witness_http_port(const struct asz_witness_http *http) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : 0;
}

void asz_witness_http_stop(struct asz_witness_http *http) {
  if (!http)
    return;
  MHD_stop_daemon(http->daemon);
  free(http);
}
