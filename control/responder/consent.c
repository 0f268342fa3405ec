/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/consent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/responder/works.h"

static const uint64_t bytes_per_mib = UINT64_C(1) << 20;

/* "tiny, cpu, gpu" */
static void names_format(char *ret_text, size_t size_bytes) {
  size_t length = 0;
  ret_text[0] = '\0';
  for (unsigned preset = 1; preset <= ASZ_GEMM_PRESET_MAX && length < size_bytes; preset++)
    length +=
        (size_t)snprintf(ret_text + length, size_bytes - length, "%s%s", preset > 1 ? ", " : "", asz_preset_of(preset)->name);
}

static int check_preset(const char *option, const char *name, struct asz_diag *diag) {
  char names[128];
  if (!name || asz_preset_from_name(name) != 0)
    return 0;
  names_format(names, sizeof names);
  return asz_diag_set(diag, ASZ_EINVAL, "%s: expected one of %s, found '%.80s'", option, names, name);
}

static bool is_covered(unsigned kind, unsigned largest, unsigned preset) {
  return kind == ASZ_KIND_GEMM ? preset <= largest : asz_mem_covers(largest, preset);
}

/* Memory for the largest work of a kind; 0 without consent. */
static uint64_t bytes_of(unsigned kind, const char *name, unsigned threads) {
  const unsigned largest = name ? asz_preset_from_name(name) : 0;
  uint64_t most = 0;
  for (unsigned preset = 1; preset <= ASZ_GEMM_PRESET_MAX; preset++) {
    const uint64_t bytes = is_covered(kind, largest, preset) ? asz_works_bytes(kind, preset, threads) : 0;
    most = bytes > most ? bytes : most;
  }
  return most;
}

int asz_consent_check(const struct asz_options *options, struct asz_diag *diag) {
  int err = check_preset("--gemm", options->gemm, diag);
  if (!err)
    err = check_preset("--mem", options->mem, diag);
  if (err)
    return err;
  const unsigned threads = (unsigned)options->workers;
  const uint64_t bytes = bytes_of(ASZ_KIND_GEMM, options->gemm, threads) + bytes_of(ASZ_KIND_MEM, options->mem, threads);
  if (bytes > options->work_mib * bytes_per_mib)
    return asz_diag_set(diag, ASZ_ETOOBIG,
                        "--work-mib: expected %" PRIu64 " at least for these --gemm, --mem and --workers, found %" PRIu64,
                        (bytes + bytes_per_mib - 1) / bytes_per_mib, options->work_mib);
  return 0;
}

bool asz_consent_declare(struct asz_declaration *ret_declaration, const struct asz_options *options) {
  *ret_declaration = (struct asz_declaration){
      .consent = 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ,
      .devices = (uint32_t)options->devices,
      .seq_log2_max = (uint8_t)options->seq_log2_max,
  };
  if (options->gemm) {
    ret_declaration->consent |= 1u << ASZ_KIND_GEMM;
    ret_declaration->gemm_preset_max = (uint8_t)asz_preset_from_name(options->gemm);
  }
  if (options->mem) {
    ret_declaration->consent |= 1u << ASZ_KIND_MEM;
    ret_declaration->mem_preset = (uint8_t)asz_preset_from_name(options->mem);
    ret_declaration->bandwidth_bytes_ps = options->mem_bandwidth;
  }
  return options->gemm || options->mem;
}
