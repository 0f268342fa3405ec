/* SPDX-License-Identifier: Apache-2.0 */
#include "control/suggest.h"

#include <string.h>

enum { WORD_MAX = 63 };

static size_t min3(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Levenshtein's distance with one row of the table kept. Both words have at most WORD_MAX characters. */
static size_t distance(const char *a, const char *b) {
  size_t row[WORD_MAX + 1];
  size_t b_length = strlen(b);
  for (size_t j = 0; j <= b_length; j++)
    row[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t above = row[j];
      row[j] = min3(row[j - 1] + 1, above + 1, diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[b_length];
}

const char *asz_suggest(const char *word, const char *const *names, size_t count) {
  const char *best = NULL;
  size_t best_distance = WORD_MAX;
  if (strlen(word) > WORD_MAX)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    size_t length = strlen(names[i]);
    if (length > WORD_MAX)
      continue;
    size_t d = distance(word, names[i]);
    if (d < best_distance && d * 3 <= length + 1) { /* +1: one slip in a word of two letters is still near */
      best = names[i];
      best_distance = d;
    }
  }
  return best;
}
