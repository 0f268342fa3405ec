/* SPDX-License-Identifier: Apache-2.0 */
/* asz_lab_device: what the lab's providers work on, as a queue and a clock. A device makes one piece of gemm or mem at a time, in
 * the order in which they were asked for, each in piece_us, however fast this machine is; half of path_us lies before it, the
 * other half behind it. So of n identities that are asked in the same moment the j-th answer is due after j pieces and the path.
 * Pure. */
#ifndef ASZ_CONTROL_LAB_DEVICE_H
#define ASZ_CONTROL_LAB_DEVICE_H

#include <stdint.h>

struct asz_lab_device {
  uint32_t piece_us;   /* of a product, a build and a fold; 0: what they take here, and no claim is made */
  uint32_t claim_us;   /* what a fold takes by the speed that is claimed; with piece_us 1.. */
  uint32_t path_us;    /* there and back, beside the provider's own way */
  uint32_t identities; /* that answer from it, 1.. */
};

/* asz_lab_device_claim: bytes a second, where a fold reads so many; 0: no claim. */
uint64_t asz_lab_device_claim(const struct asz_lab_device *device, uint64_t arena_bytes);
/* asz_lab_device_serve: when the answer to a piece of work leaves the identity that was asked at asked_ns. *busy_ns: until when
 * the device works; 0 at first. */
uint64_t asz_lab_device_serve(const struct asz_lab_device *device, uint64_t *busy_ns, uint64_t asked_ns);
/* asz_lab_device_took_ns: the same for the place-th (1..identities) of all its identities, asked at once while it was idle. */
uint64_t asz_lab_device_took_ns(const struct asz_lab_device *device, uint32_t place);

#endif
