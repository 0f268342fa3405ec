/* SPDX-License-Identifier: Apache-2.0 */
/* The emulator's port as one that has times of its own, both ways: its clock is the TSC. tests/dataplane/nic_bed.c plays a NIC,
 * too, but one whose clock is wrong, jumps and breaks. */
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>

#include "dataplane/base/clock.h"
#include "dataplane/emulator/internal.h"
#include "dataplane/port.h"

static int info_get(uint16_t port_id, struct rte_eth_dev_info *ret_info) {
  int rc = rte_eth_dev_info_get(port_id, ret_info);
  ret_info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  ret_info->tx_offload_capa |= RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP;
  return rc;
}

/* The ring knows nothing of what was offered in its name. */
static int configure(uint16_t port_id, uint16_t rx_queues, uint16_t tx_queues, const struct rte_eth_conf *conf) {
  struct rte_eth_conf known = *conf;
  known.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  known.txmode.offloads &= ~RTE_ETH_TX_OFFLOAD_SEND_ON_TIMESTAMP;
  return rte_eth_dev_configure(port_id, rx_queues, tx_queues, &known);
}

static int clock_read(uint16_t port_id, uint64_t *ret_ticks) {
  (void)port_id;
  *ret_ticks = asz_tsc();
  return 0;
}

const struct asz_port_ops asz_emulator_port_ops = {.info_get = info_get, .configure = configure, .clock_read = clock_read};

int asz_emulator_stamps_init(struct asz_emulator *e) {
  if (!e->config.nic_times)
    return 0;
  bool ok = rte_mbuf_dyn_rx_timestamp_register(&e->stamp_offset, &e->stamp_flag) == 0 &&
            rte_mbuf_dyn_tx_timestamp_register(&e->stamp_offset, &e->due_flag) == 0;
  return ok ? 0 : ASZ_EDEVICE;
}

uint64_t asz_emulator_sent_tsc(const struct asz_emulator *e, const struct rte_mbuf *frame, uint64_t taken_tsc) {
  if ((frame->ol_flags & e->due_flag) == 0)
    return taken_tsc;
  uint64_t due_tsc = *RTE_MBUF_DYNFIELD(frame, e->stamp_offset, const rte_mbuf_timestamp_t *);
  return due_tsc > taken_tsc ? due_tsc : taken_tsc; /* a NIC sends what is past at once */
}

void asz_emulator_stamp(const struct asz_emulator *e, struct rte_mbuf *const *frame, unsigned count, uint64_t tsc) {
  for (unsigned i = 0; i < count; i++) {
    *RTE_MBUF_DYNFIELD(frame[i], e->stamp_offset, rte_mbuf_timestamp_t *) = tsc;
    frame[i]->ol_flags |= e->stamp_flag;
  }
}
