/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/base/clock.h"
#include "dataplane/base/wire.h"

/* 4 MiB: about 10,000 small datagrams by the kernel's count, 10 ms at a million a second. */
enum { BUFFER_BYTES = 4 << 20 };

/* What comes with a datagram: address, TTL, time, drops. What goes with one: the address. */
union control_in {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)) +
                CMSG_SPACE(sizeof(uint32_t))];
};
union control_out {
  struct cmsghdr align;
  uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct asz_udp {
  int fd;
  uint16_t port;
  uint32_t kernel_drops_last; /* the kernel's 32-bit count */
  uint64_t kernel_drops;
  uint64_t unstamped;
  struct mmsghdr message[ASZ_UDP_BATCH]; /* of the call in progress: a receive or a send */
  struct iovec iov[ASZ_UDP_BATCH];
  struct sockaddr_in peer[ASZ_UDP_BATCH];
  union control_in control_in[ASZ_UDP_BATCH];
  union control_out control_out[ASZ_UDP_BATCH];
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

static int configure(int fd) {
  enlarge_buffers(fd);
  return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) || set_option(fd, IPPROTO_IP, IP_RECVTTL, 1) ||
         set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) || set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
}

static int bind_failed(uint32_t listen_ipv4, uint16_t port, int error, struct asz_diag *diag) {
  char address[16];
  asz_ipv4_format(address, listen_ipv4);
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

int asz_udp_open(struct asz_udp **ret_udp, uint32_t listen_ipv4, uint16_t port, struct asz_diag *diag) {
  struct asz_udp *udp = calloc(1, sizeof *udp);
  if (!udp)
    return asz_diag_set(diag, ASZ_ENOMEM, "out of memory");
  int err = 0;
  udp->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (udp->fd < 0 || configure(udp->fd) != 0) {
    err = asz_diag_set(diag, ASZ_EIO, "cannot make a UDP socket: %s", strerror(errno));
    goto failed;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(listen_ipv4)};
  socklen_t address_bytes = sizeof address;
  if (bind(udp->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      getsockname(udp->fd, (struct sockaddr *)&address, &address_bytes) != 0) {
    err = bind_failed(listen_ipv4, port, errno, diag);
    goto failed;
  }
  udp->port = ntohs(address.sin_port);
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
        .msg_control = &udp->control_in[i],
        .msg_controllen = sizeof udp->control_in[i],
    };
  }
}

static void read_control(struct asz_udp *udp, struct msghdr *header, struct asz_datagram *datagram) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
    const void *data = CMSG_DATA(control);
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, data, sizeof info);
      datagram->local_ipv4 = ntohl(info.ipi_spec_dst.s_addr);
      datagram->broadcast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
    } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TTL) {
      int ttl;
      memcpy(&ttl, data, sizeof ttl);
      datagram->ttl = (uint8_t)ttl;
    } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec when;
      memcpy(&when, data, sizeof when);
      datagram->rx_ns = (uint64_t)when.tv_sec * 1000000000u + (uint64_t)when.tv_nsec;
    } else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
      uint32_t drops;
      memcpy(&drops, data, sizeof drops);
      udp->kernel_drops += (uint32_t)(drops - udp->kernel_drops_last);
      udp->kernel_drops_last = drops;
    }
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
    struct msghdr *header = &udp->message[i].msg_hdr;
    to->peer_ipv4 = ntohl(udp->peer[i].sin_addr.s_addr);
    to->peer_port = ntohs(udp->peer[i].sin_port);
    to->local_ipv4 = 0;
    to->ttl = 0;
    to->broadcast = false;
    to->rx_ns = 0;
    to->size_bytes = header->msg_flags & MSG_TRUNC ? ASZ_UDP_PAYLOAD_MAX + 1 : udp->message[i].msg_len;
    read_control(udp, header, to);
    if (!to->rx_ns) {
      to->rx_ns = now_ns ? now_ns : (now_ns = asz_clock_now_ns());
      udp->unstamped++;
    }
  }
  return (unsigned)received;
}

static void prepare_send(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const struct asz_datagram *from = datagram[i];
    udp->iov[i] = (struct iovec){.iov_base = datagram[i]->payload, .iov_len = from->size_bytes};
    udp->peer[i] = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(from->peer_port), .sin_addr.s_addr = htonl(from->peer_ipv4)};
    struct msghdr *header = &udp->message[i].msg_hdr;
    *header = (struct msghdr){
        .msg_name = &udp->peer[i],
        .msg_namelen = sizeof udp->peer[i],
        .msg_iov = &udp->iov[i],
        .msg_iovlen = 1,
        .msg_control = &udp->control_out[i],
        .msg_controllen = sizeof udp->control_out[i],
    };
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    const struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(from->local_ipv4)};
    memcpy(CMSG_DATA(control), &info, sizeof info);
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
