/* SPDX-License-Identifier: Apache-2.0 */
/* asz_eal: starts DPDK's environment the way this program wants it: one process, in memory, quiet, as little as needed.
 *
 * Works without root and without huge pages (slower: each TLB miss costs). No files are left in /run, no telemetry socket is
 * opened, no PCI device is touched unless extra_args allows one with -a. Beside engine.h and emulator/emulator.h the only header
 * of dataplane/ that control/ includes. */
#ifndef ASZ_DATAPLANE_EAL_H
#define ASZ_DATAPLANE_EAL_H

#include <stddef.h>

#include "dataplane/base/diag.h"
#include "dataplane/base/err.h"

enum asz_eal_huge { ASZ_EAL_HUGE_NO = 0, ASZ_EAL_HUGE_YES = 1, ASZ_EAL_HUGE_AUTO = 2 };
enum {
  ASZ_EAL_MEMORY_MIB = 128
}; /* enough for one engine: 19 MB of small buffers, 40 MB of large ones, rings; or twice for a lab */

enum { ASZ_EAL_LCORES_BYTES = 256, ASZ_EAL_WORKERS_MAX = 17 };
/* asz_eal_lcores writes an --lcores text for main and `workers` (1..17) workers: lcores 0, 1, 2, ... on the CPUs that this thread
 * may use, around again when there are fewer; a main lcore that sleeps does not hurt the worker it shares with. */
void asz_eal_lcores(char ret_text[ASZ_EAL_LCORES_BYTES], unsigned workers);

/* asz_eal_start, once in a process (also after a failure: EAL does not start twice), from the thread that will be the main lcore.
 *   lcores      as DPDK's --lcores, e.g. "0,1" or "0@0,1@1,2@0"; the first is the main lcore (this thread), the others are
 * workers. NULL: asz_eal_lcores for one worker extra_args  more EAL arguments, separated by blanks, e.g.
 * "--vdev=net_af_packet0,iface=veth0" or "-a 0000:81:00.0"; may be NULL memory_mib  for buffers and rings; ASZ_EAL_MEMORY_MIB
 * huge        ASZ_EAL_HUGE_AUTO: huge pages when enough are free, else ordinary ones This thread keeps the CPUs that it might run
 * on before, less those of the workers (all of them when none would be left), so that threads it starts later don't crowd onto
 * the main lcore. ASZ_EINVAL (arguments), ASZ_EEXIST (started before), ASZ_EDEVICE (EAL refused: a device of extra_args that
 * can't be made, no permission, no memory). */
ASZ_MUST_CHECK int asz_eal_start(const char *lcores, const char *extra_args, unsigned memory_mib, enum asz_eal_huge huge,
                                 struct asz_diag *diag);
void asz_eal_stop(void); /* engines and emulators are freed before; fine when not started */

/* asz_eal_worker: lcore id of worker 0, 1, ...; -1 when there are not so many. */
int asz_eal_worker(unsigned index);
/* asz_eal_port: id of the port of a device ("net_af_packet0", "0000:81:00.0"), or of the only one when device is NULL; -1: none.
 */
int asz_eal_port(const char *device);
/* asz_eal_huge_used: 1 when buffers are in huge pages. */
int asz_eal_huge_used(void);
/* asz_eal_memory_new: page-aligned memory of the huge pages that buffers lie in, for a device to share; NULL without huge pages,
 * or when so many more are not free: what the dataplane still needs is left to it. asz_eal_memory_free: before asz_eal_stop; NULL
 * is fine. */
void *asz_eal_memory_new(size_t size_bytes);
void asz_eal_memory_free(void *memory);

#endif
