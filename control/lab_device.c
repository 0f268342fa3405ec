/* SPDX-License-Identifier: Apache-2.0 */
#include "control/lab_device.h"

enum { NS_PER_US = 1000 };

uint64_t asz_lab_device_claim(const struct asz_lab_device *device, uint64_t arena_bytes) {
  return device->piece_us ? arena_bytes * 1000000 / device->claim_us : 0;
}

uint64_t asz_lab_device_serve(const struct asz_lab_device *device, uint64_t *busy_ns, uint64_t asked_ns) {
  if (device->piece_us == 0)
    return asked_ns;
  const uint64_t way_ns = (uint64_t)device->path_us * NS_PER_US / 2, there_ns = asked_ns + way_ns;
  *busy_ns = (*busy_ns > there_ns ? *busy_ns : there_ns) + (uint64_t)device->piece_us * NS_PER_US;
  return *busy_ns + way_ns;
}

uint64_t asz_lab_device_took_ns(const struct asz_lab_device *device, uint32_t place) {
  return ((uint64_t)device->piece_us * place + device->path_us) * NS_PER_US;
}
