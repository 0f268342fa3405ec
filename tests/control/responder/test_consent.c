/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "control/responder/consent.h"

static struct asz_options parsed(int argc, const char *const *argv) {
  struct asz_options options;
  struct asz_diag diag = {""};
  cr_assert_eq(asz_options_parse(&options, ASZ_OPTION_RUN, argc, (char *const *)argv, &diag), 0, "%s", diag.text);
  return options;
}
#define PARSED(...) parsed(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), (const char *[]){__VA_ARGS__})

static void refused(struct asz_options options, int err, const char *line) {
  struct asz_diag diag = {""};
  cr_assert_eq(asz_consent_check(&options, &diag), err);
  cr_assert_not_null(strstr(diag.text, line), "%s", diag.text);
}

Test(consent, unknown_presets_are_refused_with_those_that_there_are)
{
  refused(PARSED("--gemm", "large"), ASZ_EINVAL,
          "--gemm: expected one of tiny, cpu, gpu, mem-1g, mem-16g, mem-64g, found 'large'");
  refused(PARSED("--mem", "0x81"), ASZ_EINVAL, "--mem: expected one of tiny, cpu, gpu, mem-1g, mem-16g, mem-64g, found '0x81'");
}

Test(consent, memory_that_is_too_small_is_refused_with_what_would_do)
{
  refused(PARSED("--mem", "gpu"), ASZ_ETOOBIG, "--work-mib: expected ");
  refused(PARSED("--gemm", "cpu", "--work-mib", "1"), ASZ_ETOOBIG, "found 1");
  struct asz_options larger = PARSED("--mem", "mem-1g", "--work-mib", "1200");
  cr_assert_eq(asz_consent_check(&larger, NULL), 0, "the 4 GiB of preset gpu, a lower value, are not consented to");
  struct asz_options enough = PARSED("--gemm", "gpu", "--mem", "tiny");
  cr_assert_eq(asz_consent_check(&enough, NULL), 0, "the default is enough for a gemm of any preset");
}

Test(consent, sig_and_seq_alone_without_an_option)
{
  struct asz_declaration declaration;
  struct asz_options options = PARSED("--seq-log2-max", "12");
  cr_assert(!asz_consent_declare(&declaration, &options));
  cr_assert_eq(declaration.consent, 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ);
  cr_assert_eq(declaration.seq_log2_max, 12);
  cr_assert_eq(declaration.devices, 1);
  cr_assert(asz_declaration_valid(&declaration));
}

Test(consent, what_the_options_say_is_declared)
{
  struct asz_declaration declaration;
  struct asz_options options = PARSED("--gemm", "cpu", "--mem", "tiny", "--devices", "3", "--mem-bandwidth", "123456789012");
  cr_assert_eq(asz_consent_check(&options, NULL), 0);
  cr_assert(asz_consent_declare(&declaration, &options));
  cr_assert_eq(declaration.consent, 1u << ASZ_KIND_SIG | 1u << ASZ_KIND_SEQ | 1u << ASZ_KIND_GEMM | 1u << ASZ_KIND_MEM);
  cr_assert_eq(declaration.gemm_preset_max, ASZ_GEMM_PRESET_CPU);
  cr_assert_eq(declaration.mem_preset, ASZ_GEMM_PRESET_TINY);
  cr_assert_eq(declaration.devices, 3);
  cr_assert_eq(declaration.bandwidth_bytes_ps, 123456789012);
  cr_assert(asz_declaration_valid(&declaration));
}
