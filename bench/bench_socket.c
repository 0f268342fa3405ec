/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel offers to a UDP server, and what it is worth to a reflector: the number of datagrams a system call, time stamps
 * on arrival, receive offload (UDP_GRO), segmentation offload (UDP_SEGMENT), io_uring. The server here only reflects, so that
 * nothing but the kernel's cost differs between two runs; requests and replies are plain STAMP over loopback.
 *
 * rate_cpu_s: replies for a second of CPU time of the serving thread; on loopback that includes the delivery to the client.
 * wait_*_ns: between the kernel's stamp and the moment at which the server read it: what T2 would hide if the server took it
 * itself. */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>
#if ASZ_HAVE_URING
#include <liburing.h>
#endif

#include "bench/bench.h"
#include "bench/flood.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/stamp.h"

enum {
  BATCH_MAX = 256,
  ROOM = 2048, /* 16 joined requests of 44 bytes fit */
  SEGMENTS_MAX = 64,
  REQUESTS = 1024,
  WINDOW = 1024,
  WAITS = 1 << 16, /* a ring of the last ones */
  BUFFER_BYTES = 4 << 20,
  POLL_MS = 10,
};

enum stamp { STAMP_NONE, STAMP_NS, STAMP_TIMESTAMPING };

struct variant {
  uint64_t batch;
  enum stamp stamp;
  bool gro, gso, uring;
};

struct slot {
  struct sockaddr_in peer;
  struct iovec iov;
  uint32_t size_bytes, segment_bytes;
  uint64_t rx_ns;
  union {
    struct cmsghdr align;
    uint8_t bytes[256];
  } control;
  uint8_t payload[ROOM];
};

struct server {
  struct variant variant;
  int fd;
  _Atomic bool stop;
  uint64_t cpu_ns, replies, wait_count;
  uint64_t wait_ns[WAITS];
  struct slot slot[BATCH_MAX];
  struct mmsghdr message[BATCH_MAX];
};

static uint64_t thread_cpu_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

static int server_open(struct server *server, uint16_t *ret_port) {
  const struct variant *variant = &server->variant;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_bytes = sizeof address;
  server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int failed = server->fd < 0 || bind(server->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
               getsockname(server->fd, (struct sockaddr *)&address, &address_bytes) != 0;
  if (!failed && set(server->fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) != 0)
    (void)set(server->fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  if (!failed && variant->stamp == STAMP_NS)
    failed = set(server->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (!failed && variant->stamp == STAMP_TIMESTAMPING)
    failed = set(server->fd, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
  if (!failed && variant->gro)
    failed = set(server->fd, SOL_UDP, UDP_GRO, 1);
  *ret_port = ntohs(address.sin_port);
  return failed ? ASZ_EIO : 0;
}

static void slot_prepare(struct slot *slot, struct msghdr *header) {
  slot->iov = (struct iovec){.iov_base = slot->payload, .iov_len = sizeof slot->payload};
  *header = (struct msghdr){.msg_name = &slot->peer,
                            .msg_namelen = sizeof slot->peer,
                            .msg_iov = &slot->iov,
                            .msg_iovlen = 1,
                            .msg_control = &slot->control,
                            .msg_controllen = sizeof slot->control};
}

/* Both ways to ask for a stamp begin with the same three fields; SO_TIMESTAMPING has two more behind. */
static void slot_received(struct slot *slot, struct msghdr *header, uint32_t size_bytes) {
  slot->size_bytes = slot->segment_bytes = size_bytes;
  slot->rx_ns = 0;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
    struct timespec when;
    int segment;
    if (control->cmsg_level == SOL_SOCKET && (control->cmsg_type == SCM_TIMESTAMPNS || control->cmsg_type == SCM_TIMESTAMPING)) {
      memcpy(&when, CMSG_DATA(control), sizeof when);
      slot->rx_ns = (uint64_t)when.tv_sec * 1000000000u + (uint64_t)when.tv_nsec;
    } else if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      memcpy(&segment, CMSG_DATA(control), sizeof segment);
      slot->segment_bytes = (uint32_t)segment;
    }
  }
}

static void slot_reflect(struct server *server, struct slot *slot, uint64_t now_ns) {
  const uint64_t t2_ns = slot->rx_ns ? slot->rx_ns : now_ns;
  if (slot->rx_ns)
    server->wait_ns[server->wait_count++ % WAITS] = now_ns - slot->rx_ns;
  for (uint32_t at = 0; at + ASZ_STAMP_BYTES <= slot->size_bytes; at += slot->segment_bytes) {
    const uint32_t rest = slot->size_bytes - at;
    if (asz_stamp_reflect(slot->payload + at, rest < slot->segment_bytes ? rest : slot->segment_bytes, asz_clock_ntp64(t2_ns),
                          asz_clock_ntp64(now_ns), ASZ_STAMP_ERROR_UNSYNCHRONISED, 64, NULL) > 0)
      server->replies++;
  }
}

static void segment_size_set(struct slot *slot, struct msghdr *header) {
  const uint16_t segment = (uint16_t)slot->segment_bytes;
  header->msg_control = &slot->control;
  header->msg_controllen = CMSG_SPACE(sizeof segment);
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  control->cmsg_level = SOL_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof segment);
  memcpy(CMSG_DATA(control), &segment, sizeof segment);
}

/* One message for a run of datagrams to one peer, which here are all; how many of `count` went into it. With receive offload a
 * slot holds several requests already and goes back as it came. */
static unsigned message_make(struct server *server, unsigned first, unsigned count, struct iovec *iov, struct msghdr *header) {
  struct slot *slot = &server->slot[first];
  unsigned joined = 1;
  iov[0] = (struct iovec){.iov_base = slot->payload, .iov_len = slot->size_bytes};
  while (server->variant.gso && !server->variant.gro && joined < count && joined < SEGMENTS_MAX) {
    struct slot *other = &server->slot[first + joined];
    if (other->size_bytes != slot->size_bytes || memcmp(&other->peer, &slot->peer, sizeof slot->peer) != 0)
      break;
    iov[joined++] = (struct iovec){.iov_base = other->payload, .iov_len = other->size_bytes};
  }
  *header = (struct msghdr){.msg_name = &slot->peer, .msg_namelen = sizeof slot->peer, .msg_iov = iov, .msg_iovlen = joined};
  if (joined > 1 || slot->segment_bytes < slot->size_bytes)
    segment_size_set(slot, header);
  return joined;
}

static void reply_all(struct server *server, unsigned count) {
  static struct iovec iov[BATCH_MAX];
  unsigned messages = 0;
  for (unsigned i = 0; i < count; messages++)
    i += message_make(server, i, count - i, &iov[i], &server->message[messages].msg_hdr);
  for (unsigned i = 0; i < messages;) {
    const int sent = sendmmsg(server->fd, &server->message[i], messages - i, MSG_DONTWAIT);
    i += sent > 0 ? (unsigned)sent : 1;
  }
}

static void serve(struct server *server) {
  const unsigned batch = (unsigned)server->variant.batch;
  while (!atomic_load_explicit(&server->stop, memory_order_relaxed)) {
    struct pollfd wait = {.fd = server->fd, .events = POLLIN};
    (void)poll(&wait, 1, POLL_MS);
    for (unsigned i = 0; i < batch; i++)
      slot_prepare(&server->slot[i], &server->message[i].msg_hdr);
    const int received = recvmmsg(server->fd, server->message, batch, MSG_DONTWAIT, NULL);
    const uint64_t now_ns = asz_clock_now_ns();
    for (int i = 0; i < received; i++) {
      slot_received(&server->slot[i], &server->message[i].msg_hdr, server->message[i].msg_len);
      slot_reflect(server, &server->slot[i], now_ns);
    }
    if (received > 0)
      reply_all(server, (unsigned)received);
  }
}

#if ASZ_HAVE_URING
/* Each slot is receiving or sending; what completes is turned round, and all of a turn goes to the kernel in one system call. */
static void uring_receive(struct io_uring *ring, struct server *server, unsigned i) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
  slot_prepare(&server->slot[i], &server->message[i].msg_hdr);
  io_uring_prep_recvmsg(sqe, server->fd, &server->message[i].msg_hdr, 0);
  io_uring_sqe_set_data64(sqe, 2 * (uint64_t)i);
}

static void uring_send(struct io_uring *ring, struct server *server, unsigned i) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
  struct msghdr *header = &server->message[i].msg_hdr;
  server->slot[i].iov.iov_len = server->slot[i].size_bytes;
  header->msg_control = NULL;
  header->msg_controllen = 0;
  io_uring_prep_sendmsg(sqe, server->fd, header, 0);
  io_uring_sqe_set_data64(sqe, 2 * (uint64_t)i + 1);
}

static int serve_uring(struct server *server) {
  struct io_uring ring;
  const unsigned batch = (unsigned)server->variant.batch;
  if (io_uring_queue_init(2 * BATCH_MAX, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0)
    return ASZ_ENOTSUP;
  for (unsigned i = 0; i < batch; i++)
    uring_receive(&ring, server, i);
  while (!atomic_load_explicit(&server->stop, memory_order_relaxed)) {
    struct io_uring_cqe *cqe[BATCH_MAX];
    struct __kernel_timespec wait = {.tv_nsec = POLL_MS * 1000000};
    (void)io_uring_submit_and_wait_timeout(&ring, &cqe[0], 1, &wait, NULL);
    const unsigned done = io_uring_peek_batch_cqe(&ring, cqe, BATCH_MAX);
    const uint64_t now_ns = asz_clock_now_ns();
    for (unsigned k = 0; k < done; k++) {
      const unsigned i = (unsigned)(io_uring_cqe_get_data64(cqe[k]) / 2);
      if (io_uring_cqe_get_data64(cqe[k]) % 2 == 1 || cqe[k]->res < 0) {
        uring_receive(&ring, server, i);
        continue;
      }
      slot_received(&server->slot[i], &server->message[i].msg_hdr, (uint32_t)cqe[k]->res);
      slot_reflect(server, &server->slot[i], now_ns);
      uring_send(&ring, server, i);
    }
    io_uring_cq_advance(&ring, done);
  }
  io_uring_queue_exit(&ring);
  return 0;
}
#else
static int serve_uring(struct server *server) {
  return ASZ_ENOTSUP;
}
#endif

static void *server_main(void *argument) {
  struct server *server = argument;
  const uint64_t start_ns = thread_cpu_ns();
  if (!server->variant.uring)
    serve(server);
  else if (serve_uring(server) != 0)
    fprintf(stderr, "bench_socket: this build or kernel has no io_uring\n");
  server->cpu_ns = thread_cpu_ns() - start_ns;
  return NULL;
}

static int compare_u64(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static json_int_t wait_quantile(const struct server *server, unsigned percent) {
  const uint64_t count = server->wait_count < WAITS ? server->wait_count : WAITS;
  return count ? (json_int_t)server->wait_ns[(count - 1) * percent / 100] : 0;
}

static void report(const struct asz_bench_args *args, struct server *server, uint64_t wall_ns, bool client_segments) {
  static const char *const stamp_name[] = {"none", "ns", "timestamping"};
  const struct variant *variant = &server->variant;
  qsort(server->wait_ns, server->wait_count < WAITS ? server->wait_count : WAITS, sizeof server->wait_ns[0], compare_u64);
  json_t *line = json_object();
  json_object_set_new(line, "bench", json_string("socket"));
  json_object_set_new(line, "batch", json_integer((json_int_t)variant->batch));
  json_object_set_new(line, "stamp", json_string(stamp_name[variant->stamp]));
  json_object_set_new(line, "gro", json_boolean(variant->gro));
  json_object_set_new(line, "gso", json_boolean(variant->gso));
  json_object_set_new(line, "uring", json_boolean(variant->uring));
  json_object_set_new(line, "client_gso", json_boolean(client_segments));
  json_object_set_new(line, "rate_cpu_s", json_integer((json_int_t)((double)server->replies * 1e9 / (double)server->cpu_ns)));
  json_object_set_new(line, "rate_pps", json_integer((json_int_t)((double)server->replies * 1e9 / (double)wall_ns)));
  json_object_set_new(line, "wait_p50_ns", json_integer(wait_quantile(server, 50)));
  json_object_set_new(line, "wait_p99_ns", json_integer(wait_quantile(server, 99)));
  json_object_set_new(line, "not_measured", json_string("a real NIC; many peers; who may ask (bench_reflect has that)"));
  asz_bench_print(args, line);
}

static int run(const struct asz_bench_args *args, const struct variant *variant, bool client_segments) {
  static uint8_t payload[REQUESTS][ASZ_STAMP_BYTES];
  static struct server server;
  const uint64_t duration_ns = args->smoke ? 100000000u : 1000000000u * (uint64_t)(args->seconds ? args->seconds : 3);
  for (uint32_t i = 0; i < REQUESTS; i++)
    asz_stamp_request_write(payload[i], i, UINT64_C(0xe8000000) << 32, ASZ_STAMP_ERROR_UNSYNCHRONISED, 1);
  server.variant = *variant;
  uint16_t port;
  pthread_t thread;
  int err = server_open(&server, &port), fd = err ? -1 : asz_flood_open(port);
  if (err || fd < 0 || pthread_create(&thread, NULL, server_main, &server) != 0)
    return ASZ_EIO;
  const struct asz_flood flood = {.payload = payload[0],
                                  .count = REQUESTS,
                                  .stride_bytes = ASZ_STAMP_BYTES,
                                  .payload_bytes = ASZ_STAMP_BYTES,
                                  .window = WINDOW,
                                  .segment = client_segments};
  err = asz_flood_run(&flood, fd, duration_ns);
  atomic_store(&server.stop, true);
  pthread_join(thread, NULL);
  close(fd);
  close(server.fd);
  if (!err && server.replies == 0)
    err = ASZ_ESTATE;
  if (!err)
    report(args, &server, duration_ns, client_segments);
  return err;
}

static bool is_yes(const char *text) {
  return text != NULL && strcmp(text, "yes") == 0;
}

int main(int argc, char **argv) {
  const char *batch = NULL, *stamp = "ns", *gro = NULL, *gso = NULL, *uring = NULL, *client_gso = NULL;
  const struct asz_bench_option options[] = {
      {"batch", "datagrams a system call, 1 to 256 (64)", &batch},
      {"stamp", "none, ns (SO_TIMESTAMPNS) or timestamping (SO_TIMESTAMPING)", &stamp},
      {"gro", "yes: receive offload", &gro},
      {"gso", "yes: segmentation offload of replies", &gso},
      {"uring", "yes: io_uring instead of recvmmsg and sendmmsg", &uring},
      {"client-gso", "yes: the client joins 16 requests", &client_gso},
  };
  struct asz_bench_args args;
  int status;
  if (asz_bench_parse(&args, &status, argc, argv, options, sizeof options / sizeof options[0]) != 0)
    return status;
  struct variant variant = {.batch = 64, .gro = is_yes(gro), .gso = is_yes(gso), .uring = is_yes(uring)};
  if (batch != NULL && asz_bench_number(&variant.batch, "batch", batch, 1, BATCH_MAX) != 0)
    return 2;
  variant.stamp = strcmp(stamp, "none") == 0 ? STAMP_NONE : strcmp(stamp, "ns") == 0 ? STAMP_NS : STAMP_TIMESTAMPING;
  const int err = run(&args, &variant, is_yes(client_gso));
  if (err)
    fprintf(stderr, "bench_socket: %s\n", asz_err_str(err));
  return err ? 1 : 0;
}
