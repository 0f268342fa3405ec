/* SPDX-License-Identifier: Apache-2.0 */
/* asz_suggest: "did you mean ...?" for words that a person typed: options, subcommands, configuration keys, columns. */
#ifndef ASZ_CONTROL_SUGGEST_H
#define ASZ_CONTROL_SUGGEST_H

#include <stddef.h>

/* asz_suggest: the name nearest to word by edit distance, the first of equals; NULL when none is near (more than a third of its
 * letters differ). Words over 63 characters have no neighbour. Pure. */
const char *asz_suggest(const char *word, const char *const *names, size_t count);

#endif
