/* SPDX-License-Identifier: Apache-2.0 */
/* asz_udp: a UDP socket over IPv4 or IPv6 that receives and sends in batches, and answers from whatever address it was asked at.
 *
 * A socket bound to 0.0.0.0 or :: serves all addresses of its family, also whole prefixes that were made local by a route (AnyIP:
 * `ip route add local 10.77.0.0/16 dev lo`). The kernel says which address was asked, and is told it as the source of the reply.
 * It stamps each datagram when it arrives (SO_TIMESTAMPNS), so that its wait in the socket buffer, half a millisecond under full
 * load, shows as dwell time. A family has a socket of its own: one for both would show IPv4 addresses in the clothes of IPv6
 * ones, and lose what tells a broadcast. All memory is taken when the socket is opened. */
#ifndef ASZ_CONTROL_RESPONDER_SOCKET_H
#define ASZ_CONTROL_RESPONDER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/responder/datagram.h"
#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

/* 64 datagrams a system call: 32 and 128 made no difference, 95 % of the time goes to the kernel for each packet. */
enum { ASZ_UDP_BATCH = 64 };

struct asz_udp;

/* asz_udp_open: listen is an address of this machine, not a link-local one, or the family's "all"; port 0: any free one.
 * ASZ_EPERM with what to do about it for a port under 1024, ASZ_EEXIST for one that is taken, ASZ_EINVAL for an address that this
 * machine does not have, ASZ_ENOTSUP for a family that the kernel does not have, else ASZ_EIO. */
ASZ_MUST_CHECK int asz_udp_open(struct asz_udp **ret_udp, const struct asz_address *listen, uint16_t port, struct asz_diag *diag);
void asz_udp_close(struct asz_udp *udp);
int asz_udp_fd(const struct asz_udp *udp);
uint16_t asz_udp_port(const struct asz_udp *udp);

/* asz_udp_receive fills up to ASZ_UDP_BATCH of datagram[0..count) and returns how many; 0 when nothing waits. Never blocks. */
unsigned asz_udp_receive(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count);
/* asz_udp_kernel_drops: datagrams that the kernel dropped since the socket was opened because our buffer was full, as known from
 * the last one received. */
uint64_t asz_udp_kernel_drops(const struct asz_udp *udp);
/* asz_udp_unstamped: datagrams received that the kernel had not stamped. */
uint64_t asz_udp_unstamped(const struct asz_udp *udp);
/* asz_udp_send sends count <= ASZ_UDP_BATCH datagrams from their local to their peer address; sets ret_sent[i]. Never blocks: the
 * kernel holds packets to a neighbour that does not exist for seconds, and nobody else shall wait for those. */
void asz_udp_send(struct asz_udp *udp, struct asz_datagram *const *datagram, unsigned count, bool *ret_sent);

#endif
