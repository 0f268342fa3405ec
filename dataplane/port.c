/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "dataplane/base/log.h"
#include "dataplane/probes/probe.h"
#include "dataplane/steer.h"

enum {
  DESCRIPTORS = 1024,    /* about 100 us of a full 10 Gb/s queue; the driver adjusts it to its own limits */
  PROBE_BUFFERS = 32768, /* a queue: a full transmit ring of a slow peer (net_ring: 16,384) and as many again on their way */
  FRAME_BUFFERS = 16384, /* a queue: AF_XDP wants twice its two rings of 2,048, and keeps them */
  BUFFER_CACHE = 512,    /* the most that DPDK allows: bursts come from and go to the cache, not the shared ring */
  PROBE_ROOM = RTE_PKTMBUF_HEADROOM + 192, /* over ASZ_PROBE_FRAME_MAX, whole cache lines */
  LINK_WAIT_MS = 5000,
  LINK_POLL_MS = 10,
};
_Static_assert(PROBE_ROOM - RTE_PKTMBUF_HEADROOM >= (int)ASZ_PROBE_FRAME_MAX, "a template fits");

static int pool_make(struct rte_mempool **ret_pool, const char *what, uint16_t port_id, unsigned count, uint16_t room, int node,
                     struct asz_diag *diag) {
  char name[RTE_MEMPOOL_NAMESIZE];
  snprintf(name, sizeof name, "asz_%s_%u", what, port_id);
  struct rte_mempool *pool = rte_pktmbuf_pool_create(name, count, BUFFER_CACHE, 0, room, node);
  if (pool == NULL)
    return asz_diag_set(diag, ASZ_ENOMEM, "port %u: no memory for %u buffers of %u bytes (%s): give EAL more (engine memory)",
                        port_id, count, room, rte_strerror(rte_errno));
  *ret_pool = pool;
  return 0;
}

static int device_error(uint16_t port_id, const char *step, int rc, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EDEVICE, "port %u: %s failed: %s", port_id, step, rte_strerror(rc < 0 ? -rc : rc));
}

static int queues_check(const struct asz_port *port, const struct rte_eth_dev_info *info, struct asz_diag *diag) {
  uint16_t most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);
  if (port->queue_count <= most)
    return 0;
  return asz_diag_set(diag, ASZ_EINVAL, "port %u: %u prober lcores need as many queue pairs, it has %u", port->port_id,
                      port->queue_count, most);
}

static int queue_setup(const struct asz_port *port, uint16_t queue, uint16_t rx_descriptors, uint16_t tx_descriptors,
                       struct asz_diag *diag) {
  int rc = rte_eth_rx_queue_setup(port->port_id, queue, rx_descriptors, (unsigned)port->node, NULL, port->frame_pool);
  if (rc != 0)
    return device_error(port->port_id, "setting up a receive queue", rc, diag);
  rc = rte_eth_tx_queue_setup(port->port_id, queue, tx_descriptors, (unsigned)port->node, NULL);
  if (rc != 0)
    return device_error(port->port_id, "setting up a transmit queue", rc, diag);
  return 0;
}

/* Asks for the port's own times. Its clock can be asked only when it runs. */
static void times_ask(struct asz_port *port, struct rte_eth_conf *conf, const struct rte_eth_dev_info *info) {
  struct asz_port_times *times = &port->times; /* one field of an mbuf for both directions */
  times->rx = (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0 &&
              rte_mbuf_dyn_rx_timestamp_register(&times->offset, &times->rx_flag) == 0;
  times->tx = (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP) != 0 &&
              rte_mbuf_dyn_tx_timestamp_register(&times->offset, &times->tx_flag) == 0;
  conf->rxmode.offloads |= times->rx ? RTE_ETH_RX_OFFLOAD_TIMESTAMP : 0;
  conf->txmode.offloads |= times->tx ? RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP : 0;
}

/* Times of a clock that nobody can read say nothing. */
static void times_check(struct asz_port *port) {
  uint64_t ticks;
  if ((port->times.rx || port->times.tx) && port->ops->clock_read(port->port_id, &ticks) != 0)
    port->times.rx = port->times.tx = false;
}

/* Asks for receive-side scaling over addresses and ports under our key, of the families for which the port knows it. */
static void spreading_ask(struct asz_port *port, struct rte_eth_conf *conf, const struct rte_eth_dev_info *info) {
  static uint8_t key[64]; /* some ports want more than the hash of any packet of ours reaches: zeros behind ours */
  static const uint64_t wanted[ASZ_FAMILY_COUNT] = {
      [ASZ_FAMILY_IPV4] = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP,
      [ASZ_FAMILY_IPV6] = RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_TCP,
  };
  uint8_t key_bytes = info->hash_key_size != 0 ? info->hash_key_size : ASZ_STEER_KEY_BYTES;
  if (key_bytes < ASZ_STEER_KEY_BYTES || key_bytes > sizeof key || info->reta_size == 0)
    return;
  memcpy(key, asz_steer_key, ASZ_STEER_KEY_BYTES);
  uint64_t asked = 0;
  for (enum asz_family family = 0; family < ASZ_FAMILY_COUNT; family++) {
    port->spreads[family] = (info->flow_type_rss_offloads & wanted[family]) == wanted[family];
    asked |= port->spreads[family] ? wanted[family] : 0;
  }
  if (asked == 0)
    return;
  conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){.rss_key = key, .rss_key_len = key_bytes, .rss_hf = asked};
}

/* Makes the queue the low bits of the hash; false when the port will not: then replies come where it likes. */
static bool spreading_map(const struct asz_port *port, uint16_t reta_size) {
  struct rte_eth_rss_reta_entry64 reta[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
  bool asked = port->spreads[ASZ_FAMILY_IPV4] || port->spreads[ASZ_FAMILY_IPV6];
  if (!asked || reta_size > RTE_ETH_RSS_RETA_SIZE_512 || reta_size % port->queue_count != 0)
    return false;
  for (uint16_t i = 0; i < reta_size; i++) {
    reta[i / RTE_ETH_RETA_GROUP_SIZE].mask = UINT64_MAX;
    reta[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE] = i % port->queue_count;
  }
  return rte_eth_dev_rss_reta_update(port->port_id, reta, reta_size) == 0;
}

static int configure(struct asz_port *port, const struct asz_port_options *options, struct asz_diag *diag) {
  struct rte_eth_dev_info info;
  int rc = port->ops->info_get(port->port_id, &info);
  if (rc != 0)
    return device_error(port->port_id, "asking for its limits", rc, diag);
  int err = queues_check(port, &info, diag);
  if (err != 0)
    return err;
  struct rte_eth_conf conf = {.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE, .txmode.mq_mode = RTE_ETH_MQ_TX_NONE};
  if (options->spread && port->queue_count > 1)
    spreading_ask(port, &conf, &info);
  if (options->times)
    times_ask(port, &conf, &info);
  /* Every probe comes from one pool and is referenced once, but challenges and ARP do not: without MBUF_FAST_FREE then. */
  rc = port->ops->configure(port->port_id, port->queue_count, port->queue_count, &conf);
  if (rc != 0)
    return device_error(port->port_id, "configuring its queue pairs", rc, diag);
  uint16_t rx_descriptors = DESCRIPTORS, tx_descriptors = DESCRIPTORS;
  rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->port_id, &rx_descriptors, &tx_descriptors);
  if (rc != 0)
    return device_error(port->port_id, "sizing the queues", rc, diag);
  for (uint16_t queue = 0; queue < port->queue_count && err == 0; queue++)
    err = queue_setup(port, queue, rx_descriptors, tx_descriptors, diag);
  if (err != 0)
    return err;
  rc = rte_eth_dev_start(port->port_id);
  if (rc != 0)
    return device_error(port->port_id, "starting", rc, diag);
  if (!spreading_map(port, info.reta_size))
    memset(port->spreads, 0, sizeof port->spreads);
  times_check(port);
  (void)rte_eth_promiscuous_disable(port->port_id); /* some drivers know no such mode: then it is off */
  return 0;
}

/* By its index, which outlives a change of its name. */
static bool interface_up(const struct asz_port *port) {
  struct ifreq request = {.ifr_ifindex = (int)port->interface_index};
  if (ioctl(port->interface_fd, SIOCGIFNAME, &request) != 0 || ioctl(port->interface_fd, SIOCGIFFLAGS, &request) != 0)
    return false;
  return (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

bool asz_port_link_up(const struct asz_port *port) {
  struct rte_eth_link link = {0};
  if (rte_eth_link_get_nowait(port->port_id, &link) != 0 || link.link_status != RTE_ETH_LINK_UP)
    return false;
  return port->interface_index == 0 || interface_up(port);
}

static int interface_find(struct asz_port *port, struct asz_diag *diag) {
  struct rte_eth_dev_info info;
  int rc = rte_eth_dev_info_get(port->port_id, &info);
  if (rc != 0)
    return device_error(port->port_id, "asking for its interface", rc, diag);
  if (info.if_index == 0)
    return 0;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return device_error(port->port_id, "opening a socket to watch its link", errno, diag);
  port->interface_fd = fd;
  port->interface_index = info.if_index;
  return 0;
}

static int link_wait(const struct asz_port *port, struct asz_diag *diag) {
  for (int waited_ms = 0; waited_ms <= LINK_WAIT_MS; waited_ms += LINK_POLL_MS) {
    if (asz_port_link_up(port))
      return 0;
    rte_delay_us_sleep(LINK_POLL_MS * 1000);
  }
  return asz_diag_set(diag, ASZ_ETIMEDOUT, "port %u: no link after %d ms: is the cable in, the interface up?", port->port_id,
                      LINK_WAIT_MS);
}

int asz_port_open(struct asz_port *ret_port, uint16_t port_id, const struct asz_port_options *options, struct asz_diag *diag) {
  if (!rte_eth_dev_is_valid_port(port_id))
    return asz_diag_set(diag, ASZ_ENOENT, "port %u: no such DPDK port (%u are there)", port_id, rte_eth_dev_count_avail());
  uint32_t queue_count = options->queue_count;
  struct asz_port port = {.ops = options->ops != NULL ? options->ops : &asz_port_ops_dpdk,
                          .port_id = port_id,
                          .node = rte_eth_dev_socket_id(port_id),
                          .queue_count = (uint16_t)queue_count};
  struct rte_ether_addr mac;
  int err = 0, rc = rte_eth_macaddr_get(port_id, &mac);
  if (rc != 0)
    return device_error(port_id, "asking for its MAC address", rc, diag);
  memcpy(port.mac, mac.addr_bytes, sizeof port.mac);
  err = pool_make(&port.probe_pool, "probe", port_id, PROBE_BUFFERS * queue_count - 1, PROBE_ROOM, port.node, diag);
  if (err == 0)
    err = pool_make(&port.frame_pool, "frame", port_id, FRAME_BUFFERS * queue_count - 1, RTE_MBUF_DEFAULT_BUF_SIZE, port.node,
                    diag);
  if (err == 0)
    err = configure(&port, options, diag);
  if (err == 0)
    err = interface_find(&port, diag);
  if (err == 0)
    err = link_wait(&port, diag);
  if (err != 0) {
    asz_port_close(&port);
    return err;
  }
  port.missed_start = asz_port_missed(&port);
  *ret_port = port;
  return 0;
}

int asz_port_multicast(const struct asz_port *port, const uint8_t group_mac[6], struct asz_diag *diag) {
  struct rte_ether_addr group;
  const char *how = "its filter list";
  int rc = -ENOTSUP;
  if (group_mac != NULL) {
    memcpy(group.addr_bytes, group_mac, sizeof group.addr_bytes);
    rc = rte_eth_dev_set_mc_addr_list(port->port_id, &group, 1);
  }
  if (rc == -ENOTSUP) {
    how = "taking all multicast";
    rc = rte_eth_allmulticast_enable(port->port_id);
  }
  if (rc == -ENOTSUP) {
    how = "the driver, which has no filter";
    rc = 0;
  }
  if (rc != 0)
    return device_error(port->port_id, "listening to a multicast group", rc, diag);
  asz_log(ASZ_LOG_INFO, "port %u: neighbour solicitations come through %s", port->port_id, how);
  return 0;
}

void asz_port_close(struct asz_port *port) {
  if (port->probe_pool == NULL)
    return;
  if (port->interface_index != 0)
    close(port->interface_fd);
  (void)rte_eth_dev_stop(port->port_id);
  rte_mempool_free(port->frame_pool);
  rte_mempool_free(port->probe_pool);
  *port = (struct asz_port){0};
}

static size_t pool_bytes(const struct rte_mempool *pool) {
  return (size_t)pool->size * (pool->header_size + pool->elt_size + pool->trailer_size);
}

size_t asz_port_memory_bytes(const struct asz_port *port) {
  return pool_bytes(port->probe_pool) + pool_bytes(port->frame_pool);
}

uint64_t asz_port_missed(const struct asz_port *port) {
  struct rte_eth_stats stats;
  if (rte_eth_stats_get(port->port_id, &stats) != 0)
    return 0;
  return stats.imissed + stats.rx_nombuf - port->missed_start;
}
