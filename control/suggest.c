/* SPDX-License-Identifier: Apache-2.0 */
#include "control/suggest.h"

#include <string.h>

enum { WORD_MAX = 63 };

static size_t min3(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Edit distance in which two neighbours swapped are one slip, the commonest one (optimal string alignment, Damerau 1964). Three
 * rows of the table are kept. Both words have at most WORD_MAX characters. */
static size_t distance(const char *a, const char *b) {
  size_t rows[3][WORD_MAX + 1];
  size_t b_length = strlen(b), i;
  for (size_t j = 0; j <= b_length; j++)
    rows[0][j] = j;
  for (i = 1; a[i - 1]; i++) {
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second_above = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      row[j] = min3(row[j - 1] + 1, above[j] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && second_above[j - 2] + 1 < row[j])
        row[j] = second_above[j - 2] + 1;
    }
  }
  return rows[(i - 1) % 3][b_length];
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
