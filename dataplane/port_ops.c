/* SPDX-License-Identifier: Apache-2.0 */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock: experimental since 19.08, unchanged since */
#include <rte_ethdev.h>
#include <rte_flow.h>

#include "dataplane/port.h"

const struct asz_port_ops asz_port_ops_dpdk = {
    .info_get = rte_eth_dev_info_get,
    .configure = rte_eth_dev_configure,
    .clock_read = rte_eth_read_clock,
    .flow_validate = rte_flow_validate,
    .flow_create = rte_flow_create,
    .flow_destroy = rte_flow_destroy,
};
