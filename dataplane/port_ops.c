/* SPDX-License-Identifier: Apache-2.0 */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock: experimental since 19.08, unchanged since */
#include <rte_ethdev.h>

#include "dataplane/port.h"

const struct asz_port_ops asz_port_ops_dpdk = {
    .info_get = rte_eth_dev_info_get,
    .configure = rte_eth_dev_configure,
    .clock_read = rte_eth_read_clock,
};
