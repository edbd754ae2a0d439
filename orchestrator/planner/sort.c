#include "sort.h"

#include <stdbool.h>
#include <string.h>

#define DIGIT_MAX 13 /* bits: a table of positions and a line of each target stay in the cache */

static bool is_sorted(const uint64_t *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (items[i - 1] >> 32 > items[i] >> 32)
            return false;
    return true;
}

static void pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift, unsigned bits)
{
    size_t at[(1U << DIGIT_MAX) + 1], digits = (size_t)1 << bits;
    memset(at, 0, (digits + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[(from[i] >> shift & (digits - 1)) + 1]++;
    for (size_t d = 0; d < digits; d++)
        at[d + 1] += at[d];
    for (size_t i = 0; i < n; i++)
        to[at[from[i] >> shift & (digits - 1)]++] = from[i];
}

uint64_t *sort_items(uint64_t *items, uint64_t *spare, size_t n, uint32_t most)
{
    if (is_sorted(items, n))
        return items;
    unsigned bits = 1;
    while (bits < 32 && most >> bits != 0)
        bits++;
    unsigned passes = (bits + DIGIT_MAX - 1) / DIGIT_MAX, digit = (bits + passes - 1) / passes;
    for (unsigned i = 0; i < passes; i++) {
        pass(items, spare, n, 32 + i * digit, digit);
        uint64_t *done = spare;
        spare = items;
        items = done;
    }
    return items;
}
