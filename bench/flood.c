/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/flood.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/clock.h"

enum { SILENCE_MS = 20, SEGMENTS = 16 };

struct sender {
  const struct asz_flood *flood;
  int fd;
  uint32_t next;
  uint8_t joined[SEGMENTS * ASZ_FLOOD_PAYLOAD_MAX];
};

int asz_flood_open(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

static const uint8_t *next_payload(struct sender *sender) {
  const struct asz_flood *flood = sender->flood;
  return flood->payload + (size_t)(sender->next++ & (flood->count - 1)) * flood->stride_bytes;
}

/* Sends up to `count` requests; how many, or negative. */
static int send_single(struct sender *sender, unsigned count) {
  struct mmsghdr message[ASZ_FLOOD_BATCH];
  struct iovec iov[ASZ_FLOOD_BATCH];
  if (count > ASZ_FLOOD_BATCH)
    count = ASZ_FLOOD_BATCH;
  memset(message, 0, sizeof message);
  for (unsigned i = 0; i < count; i++) {
    iov[i] = (struct iovec){.iov_base = (void *)(uintptr_t)next_payload(sender), .iov_len = sender->flood->payload_bytes};
    message[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
  }
  return sendmmsg(sender->fd, message, count, 0);
}

static int send_joined(struct sender *sender) {
  const uint32_t bytes = sender->flood->payload_bytes;
  for (unsigned i = 0; i < SEGMENTS; i++)
    memcpy(sender->joined + i * bytes, next_payload(sender), bytes);
  return send(sender->fd, sender->joined, SEGMENTS * bytes, 0) < 0 ? -1 : SEGMENTS;
}

static unsigned receive(int fd) {
  static uint8_t room[ASZ_FLOOD_BATCH][ASZ_FLOOD_PAYLOAD_MAX];
  struct mmsghdr message[ASZ_FLOOD_BATCH];
  struct iovec iov[ASZ_FLOOD_BATCH];
  memset(message, 0, sizeof message);
  for (unsigned i = 0; i < ASZ_FLOOD_BATCH; i++) {
    iov[i] = (struct iovec){.iov_base = room[i], .iov_len = sizeof room[i]};
    message[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
  }
  const int got = recvmmsg(fd, message, ASZ_FLOOD_BATCH, MSG_DONTWAIT, NULL);
  return got > 0 ? (unsigned)got : 0;
}

int asz_flood_run(const struct asz_flood *flood, int fd, uint64_t duration_ns) {
  struct sender sender = {.flood = flood, .fd = fd};
  const int segment_bytes = (int)flood->payload_bytes;
  if (flood->segment && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment_bytes, sizeof segment_bytes) != 0)
    return ASZ_EIO;
  unsigned room = flood->window;
  for (const uint64_t end_ns = asz_clock_monotonic_ns() + duration_ns; asz_clock_monotonic_ns() < end_ns;) {
    while (room >= (flood->segment ? (unsigned)SEGMENTS : 1)) {
      const int sent = flood->segment ? send_joined(&sender) : send_single(&sender, room);
      if (sent <= 0)
        return ASZ_EIO;
      room -= (unsigned)sent;
    }
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, SILENCE_MS) == 0)
      room = flood->window;
    room += receive(fd);
    if (room > flood->window)
      room = flood->window; /* replies that were thought lost */
  }
  return 0;
}
