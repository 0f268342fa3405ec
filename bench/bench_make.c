/* SPDX-License-Identifier: Apache-2.0 */
/* How fast one lcore makes probes: the real engine sends an epoch of one kind (`stamp`, or --kind) into net_null, in permuted
 * order, each probe with its own cookie and right checksums, paced. The rate asked for is more than a core can do, so the pacer
 * is always behind and the core's own speed shows. */
#include "bench/rig.h"
#include "dataplane/eal.h"

int main(int argc, char **argv) {
  struct asz_rig rig = {.name = "make", .counter = ASZ_CTR_TX_PROBES};
  struct asz_bench_args args;
  int status = asz_rig_parse(&args, &rig, argc, argv);
  if (status >= 0)
    return status;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, rig.lcores);
  if (asz_rig_start(&rig, &args, lcores, "--vdev=net_null0,no-rx=1") != 0)
    return 1;
  struct asz_rig_result result;
  int err = asz_rig_providers(&rig);
  if (err == 0)
    err = asz_rig_run(&result, &rig, (uint16_t)asz_eal_port("net_null0"));
  if (err == 0)
    asz_rig_print(&args, &rig, &result, "a real port's transmit cost; receiving; cycles are CPU time in TSC ticks");
  asz_loopback_free(rig.loopback);
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
