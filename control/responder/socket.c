/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/responder/ancillary.h"
#include "dataplane/base/clock.h"

/* 4 MiB: about 10,000 small datagrams by the kernel's count, 10 ms at a million a second. */
enum { BUFFER_BYTES = 4 << 20 };

struct asz_udp {
  int fd;
  uint16_t port;
  uint32_t kernel_drops_last; /* the kernel's 32-bit count */
  uint64_t kernel_drops;
  uint64_t unstamped;
  struct mmsghdr message[ASZ_UDP_BATCH]; /* of the call in progress: a receive or a send */
  struct iovec iov[ASZ_UDP_BATCH];
  union asz_socket_address peer[ASZ_UDP_BATCH];
  union asz_ancillary_in in[ASZ_UDP_BATCH];
  union asz_ancillary_out out[ASZ_UDP_BATCH];
};

static int set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/* A larger buffer is welcome, not needed: FORCE goes past net.core.*mem_max but wants CAP_NET_ADMIN. */
static void enlarge_buffers(int fd) {
  if (set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) != 0)
    (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  if (set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) != 0)
    (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
}

static int bind_failed(const struct asz_address *listen, uint16_t port, int error, struct asz_diag *diag) {
  char address[ASZ_IPV6_TEXT_BYTES];
  asz_address_format(address, listen);
  switch (error) {
  case EACCES:
  case EPERM:
    return asz_diag_set(diag, ASZ_EPERM,
                        "UDP port %u needs privileges: start as root, or `setcap cap_net_bind_service=+ep` on this program, or "
                        "choose a port above 1023",
                        port);
  case EADDRINUSE:
    return asz_diag_set(diag, ASZ_EEXIST, "UDP port %u on %s is in use: stop the other program or choose another port", port,
                        address);
  case EADDRNOTAVAIL:
    return asz_diag_set(diag, ASZ_EINVAL, "this machine has no address %s to listen on", address);
  default:
    return asz_diag_set(diag, ASZ_EIO, "cannot listen on %s UDP port %u: %s", address, port, strerror(error));
  }
}

static int open_failed(const struct asz_address *listen, int error, struct asz_diag *diag) {
  if (error == EAFNOSUPPORT)
    return asz_diag_set(diag, ASZ_ENOTSUP, "this kernel has no %s", listen->family == ASZ_FAMILY_IPV6 ? "IPv6" : "IPv4");
  return asz_diag_set(diag, ASZ_EIO, "cannot make a UDP socket: %s", strerror(error));
}

int asz_udp_open(struct asz_udp **ret_udp, const struct asz_address *listen, uint16_t port, struct asz_diag *diag) {
  const bool ipv6 = listen->family == ASZ_FAMILY_IPV6;
  struct asz_udp *udp = calloc(1, sizeof *udp);
  if (!udp)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  int err = 0;
  udp->fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (udp->fd < 0 || asz_ancillary_ask(udp->fd, listen->family) != 0) {
    err = open_failed(listen, errno, diag);
    goto failed;
  }
  enlarge_buffers(udp->fd);
  union asz_socket_address address;
  socklen_t address_bytes = asz_socket_address_of(&address, listen, port, 0);
  if (bind(udp->fd, &address.any, address_bytes) != 0 || getsockname(udp->fd, &address.any, &address_bytes) != 0) {
    err = bind_failed(listen, port, errno, diag);
    goto failed;
  }
  if (asz_ancillary_any_source(udp->fd, listen->family) != 0) {
    err = open_failed(listen, errno, diag);
    goto failed;
  }
  udp->port = asz_socket_address_port(&address);
  *ret_udp = udp;
  return 0;
failed:
  asz_udp_close(udp);
  return err;
}

void asz_udp_close(struct asz_udp *udp) {
  if (!udp)
    return;
  if (udp->fd >= 0)
    close(udp->fd);
  free(udp);
}

int asz_udp_fd(const struct asz_udp *udp) {
  return udp->fd;
}

uint16_t asz_udp_port(const struct asz_udp *udp) {
  return udp->port;
}

uint64_t asz_udp_kernel_drops(const struct asz_udp *udp) {
  return udp->kernel_drops;
}

uint64_t asz_udp_unstamped(const struct asz_udp *udp) {
  return udp->unstamped;
}

static void prepare_receive(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    udp->iov[i] = (struct iovec){.iov_base = datagram[i]->payload, .iov_len = sizeof datagram[i]->payload};
    udp->message[i].msg_hdr = (struct msghdr){
        .msg_name = &udp->peer[i],
        .msg_namelen = sizeof udp->peer[i],
        .msg_iov = &udp->iov[i],
        .msg_iovlen = 1,
        .msg_control = &udp->in[i],
        .msg_controllen = sizeof udp->in[i],
    };
  }
}

unsigned asz_udp_receive(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count) {
  if (count > ASZ_UDP_BATCH)
    count = ASZ_UDP_BATCH;
  prepare_receive(udp, datagram, count);
  /* An error is the echo of something that we sent before (ICMP), or an interrupt: nothing was received. */
  const int received = recvmmsg(udp->fd, udp->message, count, MSG_DONTWAIT, NULL);
  if (received <= 0)
    return 0;
  uint64_t now_ns = 0; /* asked only when the kernel stamped nothing */
  for (int i = 0; i < received; i++) {
    struct asz_datagram *to = datagram[i];
    uint32_t drops = udp->kernel_drops_last;
    asz_ancillary_read(&udp->message[i].msg_hdr, &udp->peer[i], to, &drops);
    udp->kernel_drops += (uint32_t)(drops - udp->kernel_drops_last);
    udp->kernel_drops_last = drops;
    to->size_bytes = udp->message[i].msg_hdr.msg_flags & MSG_TRUNC ? ASZ_UDP_PAYLOAD_MAX + 1 : udp->message[i].msg_len;
    if (!to->rx_ns) {
      to->rx_ns = now_ns ? now_ns : (now_ns = asz_clock_now_ns());
      udp->unstamped++;
    }
  }
  return (unsigned)received;
}

static void prepare_send(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    struct msghdr *header = &udp->message[i].msg_hdr;
    udp->iov[i] = (struct iovec){.iov_base = datagram[i]->payload, .iov_len = datagram[i]->size_bytes};
    *header = (struct msghdr){.msg_iov = &udp->iov[i], .msg_iovlen = 1};
    asz_ancillary_write(datagram[i], &udp->out[i], &udp->peer[i], header);
  }
}

void asz_udp_send(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count, bool *ret_sent) {
  assert(count <= ASZ_UDP_BATCH);
  prepare_send(udp, datagram, count);
  for (unsigned i = 0; i < count;) {
    /* sendmmsg stops at the first that fails and says why only when nothing went before it: skip that one, go on. */
    const int sent = sendmmsg(udp->fd, &udp->message[i], count - i, MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR)
      continue;
    const unsigned end = i + (sent > 0 ? (unsigned)sent : 0);
    for (; i < end; i++)
      ret_sent[i] = true;
    if (sent <= 0)
      ret_sent[i++] = false;
  }
}
