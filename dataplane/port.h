/* SPDX-License-Identifier: Apache-2.0 */
/* asz_port: one DPDK Ethernet port with a queue pair an lcore and its buffers.
 *
 * Any driver: what a port can do is asked of it, not assumed. Two pools: small buffers for probes (the hot set stays in cache)
 * and full-sized ones for what arrives, ARP and challenges. AF_XDP uses the latter as its shared memory with the kernel. */
#ifndef ASZ_DATAPLANE_PORT_H
#define ASZ_DATAPLANE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"
#include "dataplane/base/wire.h"

struct rte_eth_dev_info;
struct rte_eth_conf;
struct rte_flow;
struct rte_flow_attr;
struct rte_flow_item;
struct rte_flow_action;
struct rte_flow_error;

/* What a port offers is asked, and is configured, through these. For tests: a NIC may be played by what has none of it. */
struct asz_port_ops {
  int (*info_get)(uint16_t port_id, struct rte_eth_dev_info *ret_info);
  int (*configure)(uint16_t port_id, uint16_t rx_queues, uint16_t tx_queues, const struct rte_eth_conf *conf);
  int (*clock_read)(uint16_t port_id, uint64_t *ret_ticks); /* its own clock, the one it stamps by */
  /* rte_flow; all NULL: no rules */
  int (*flow_validate)(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                       const struct rte_flow_action *action, struct rte_flow_error *ret_error);
  struct rte_flow *(*flow_create)(uint16_t port_id, const struct rte_flow_attr *attr, const struct rte_flow_item *pattern,
                                  const struct rte_flow_action *action, struct rte_flow_error *ret_error);
  int (*flow_destroy)(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *ret_error);
};
/* asz_port_ops_dpdk: rte_eth_dev_info_get, rte_eth_dev_configure, rte_eth_read_clock, rte_flow_*. */
extern const struct asz_port_ops asz_port_ops_dpdk;

/* Where the port's times are in an mbuf. Its clock can be read where it does either. */
struct asz_port_times {
  bool rx; /* it stamps what arrives (not of necessity each frame) */
  bool tx; /* it keeps a frame until a given time */
  int offset;
  uint64_t rx_flag; /* of ol_flags: the field holds when the frame arrived ... */
  uint64_t tx_flag; /* ... or when it shall leave */
};

struct asz_port_options {
  uint32_t queue_count;           /* queue pairs, 1..16 */
  bool spread;                    /* have it spread what arrives, where it can */
  bool times;                     /* have it stamp what arrives, and send by time, where it can */
  const struct asz_port_ops *ops; /* NULL: asz_port_ops_dpdk */
};

struct asz_port {
  const struct asz_port_ops *ops;
  uint16_t port_id;
  int node; /* NUMA node; -1 unknown */
  uint16_t queue_count;
  bool spreads[ASZ_FAMILY_COUNT]; /* UDP and TCP over its queues by asz_steer_key: queue = low bits of the hash */
  struct asz_port_times times;
  uint8_t mac[6];
  unsigned interface_index; /* of the kernel's interface under the port; 0: none */
  int interface_fd;         /* a socket to ask about it */
  uint64_t missed_start;    /* the driver's count of missed frames at open */
  struct rte_mempool *probe_pool;
  struct rte_mempool *frame_pool;
};

/* asz_port_open configures the port, starts it and waits up to 5 s for the link. It was probed by EAL and is not started.
 * ASZ_ENOENT, ASZ_EINVAL (not so many queues), ASZ_ENOMEM, ASZ_EDEVICE, ASZ_ETIMEDOUT (no link), each with a line. */
ASZ_MUST_CHECK int asz_port_open(struct asz_port *ret_port, uint16_t port_id, const struct asz_port_options *options,
                                 struct asz_diag *diag);
/* asz_port_multicast: frames to this group (NULL: to every one) are received, too. By the port's filter list, else by taking all
 * multicast; a driver that knows neither filters nothing that it is given (net_ring, net_af_packet). Which of them it was is
 * logged. ASZ_EDEVICE. */
ASZ_MUST_CHECK int asz_port_multicast(const struct asz_port *port, const uint8_t group_mac[6], struct asz_diag *diag);
/* asz_port_close stops the port and gives the pools back. A closed or zeroed port is fine. */
void asz_port_close(struct asz_port *port);
size_t asz_port_memory_bytes(const struct asz_port *port);
/* asz_port_missed: frames that the port lost before we saw them, since open. May be a system call: not for every loop. */
uint64_t asz_port_missed(const struct asz_port *port);
/* asz_port_link_up: has the port its link now? Asks the driver, and the kernel where one of its interfaces lies under the port:
 * AF_PACKET's driver never looks. System calls: a few times a second. */
bool asz_port_link_up(const struct asz_port *port);

#endif
