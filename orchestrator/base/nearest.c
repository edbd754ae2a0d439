#include "massrevoke/nearest.h"

#include <string.h>

#define LONGEST 63

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edits from a to b: insert, delete, replace, or swap of two neighbours (optimal string alignment). */
static size_t distance(const char *a, size_t an, const char *b, size_t bn)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= bn; j++)
        last[j] = j;
    for (size_t i = 1; i <= an; i++) {
        row[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1, row[j]);
        }
        size_t *oldest = before;
        before = last, last = row, row = oldest;
    }
    return last[bn];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t wanted = strlen(n->wanted), other = strlen(candidate);
    if (wanted > LONGEST || other > LONGEST)
        return;
    size_t d = distance(n->wanted, wanted, candidate, other);
    if (d > 1 + wanted / 3 || d >= wanted || (n->word != NULL && d >= n->distance))
        return;
    n->word = candidate;
    n->distance = d;
}
