/* SPDX-License-Identifier: Apache-2.0 */
/* asz_parse: the strict readers of single values that files and command lines share. Nothing before, nothing behind, no sign, no
 * octal. ret_ is untouched on failure. */
#ifndef ASZ_CONTROL_PARSE_H
#define ASZ_CONTROL_PARSE_H

#include <stdint.h>

#include "dataplane/base/err.h"

/* Decimal digits: ASZ_EFORMAT when it is no number, ASZ_ERANGE outside min..max. */
ASZ_MUST_CHECK int asz_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
/* Dotted quad, to host order: ASZ_EFORMAT. */
ASZ_MUST_CHECK int asz_parse_ipv4(const char *text, uint32_t *ret_ipv4);

#endif
