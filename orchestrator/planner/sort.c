#include "sort.h"

#include <stdbool.h>
#include <string.h>

#define DIGIT 11
#define DIGITS (1U << DIGIT)

static bool is_sorted(const uint64_t *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (items[i - 1] >> 32 > items[i] >> 32)
            return false;
    return true;
}

static void pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    size_t at[DIGITS + 1];
    memset(at, 0, sizeof at);
    for (size_t i = 0; i < n; i++)
        at[(from[i] >> shift & (DIGITS - 1)) + 1]++;
    for (size_t d = 0; d < DIGITS; d++)
        at[d + 1] += at[d];
    for (size_t i = 0; i < n; i++)
        to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

uint64_t *sort_items(uint64_t *items, uint64_t *spare, size_t n, uint32_t most)
{
    if (is_sorted(items, n))
        return items;
    for (unsigned shift = 32; most > 0; shift += DIGIT, most >>= DIGIT) {
        pass(items, spare, n, shift);
        uint64_t *done = spare;
        spare = items;
        items = done;
    }
    return items;
}
