/* SPDX-License-Identifier: Apache-2.0 */
/* How many round trips one prober lcore does: it makes, sends, receives, validates and records probes of one kind (`stamp`, or
 * --kind); a second lcore turns each frame round in place, as a reflector would (asz_loopback).
 *
 * The rate asked for is more than a core can do. The loop clocks itself all the same: one turn sends a burst and takes a burst,
 * so as long as the reflector is the faster one (it is, by far, on a core of its own) nothing queues up and nothing is refused.
 */
#include <stdio.h>

#include "bench/rig.h"
#include "dataplane/eal.h"

static int loop_open(struct asz_rig *rig, uint16_t *ret_port_id) {
  int err = asz_rig_providers(rig), lcore = asz_eal_worker(1);
  if (err != 0)
    return err;
  err = lcore >= 0 ? asz_loopback_open(rig->loopback, (unsigned)lcore, ASZ_LOOPBACK_RING_SHORT, ret_port_id) : ASZ_EDEVICE;
  if (err != 0)
    fprintf(stderr, "bench_loop: can't make a ring port and a second lcore\n");
  return err;
}

int main(int argc, char **argv) {
  struct asz_rig rig = {.name = "loop", .counter = ASZ_CTR_RX_ANSWERED};
  struct asz_bench_args args;
  int status = asz_rig_parse(&args, &rig, argc, argv);
  if (status >= 0)
    return status;
  if (!asz_loopback_speaks(rig.kind)) {
    fprintf(stderr, "bench_loop: --kind is %s, expected a kind of stamp: its reflector speaks no other\n",
            asz_probe_name(rig.kind));
    return 2;
  }
  if (rig.lcores != 1) {
    fprintf(stderr, "bench_loop: --lcores is %u, expected 1: its reflector has one queue\n", rig.lcores);
    return 2;
  }
  char lcores[ASZ_EAL_LCORES_BYTES];
  asz_eal_lcores(lcores, 2);
  if (asz_rig_start(&rig, &args, lcores, NULL) != 0)
    return 1;
  struct asz_rig_result result;
  uint16_t port_id;
  int err = loop_open(&rig, &port_id);
  if (err == 0)
    err = asz_rig_run(&result, &rig, port_id);
  if (err == 0)
    asz_rig_print(&args, &rig, &result, "a real port; loss; the reflector's cost; cycles are the prober's CPU time in TSC ticks");
  asz_loopback_free(rig.loopback);
  asz_eal_stop();
  return err == 0 ? 0 : 1;
}
