/* SPDX-License-Identifier: Apache-2.0 */
/* How fast one lcore makes probes: the real engine sends an epoch of one kind (`stamp`, or --kind) into net_null, in permuted
 * order, each probe with its own cookie and right checksums, paced. The rate asked for is more than a core can do, so the pacer
 * is always behind and the core's own speed shows. With `--device net_null0` the port hands in a burst of empty frames whenever
 * it is asked, and the core throws those away as well. */
#include <stdio.h>
#include <string.h>

#include "bench/rig.h"
#include "dataplane/eal.h"

enum { DEVICE_BYTES_MAX = 128 };

/* "--vdev=" and the device; -1 with a line on stderr when it is no net_null, of which alone a core's own speed would show. */
static int eal_args(char ret_args[DEVICE_BYTES_MAX], const char *device) {
  int size = snprintf(ret_args, DEVICE_BYTES_MAX, "--vdev=%s", device);
  if (strncmp(device, "net_null0", strlen("net_null0")) == 0 && strchr(device, ' ') == NULL && size < DEVICE_BYTES_MAX)
    return 0;
  fprintf(stderr, "--device is \"%s\", expected net_null0 and its arguments\n", device);
  return -1;
}

int main(int argc, char **argv) {
  struct asz_rig rig = {.name = "make", .counter = ASZ_CTR_TX_PROBES, .device = "net_null0,no-rx=1"};
  struct asz_bench_args args;
  int status = asz_rig_parse(&args, &rig, argc, argv);
  if (status >= 0)
    return status;
  char eal[DEVICE_BYTES_MAX];
  if (eal_args(eal, rig.device) != 0)
    return 2;
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, rig.lcores);
  if (asz_rig_start(&rig, &args, lcores, eal) != 0)
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
