#include "seed.h"

uint64_t seed_draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t seed_stream(uint64_t seed, enum seed_purpose purpose, uint64_t index)
{
    uint64_t state = seed ^ (uint64_t)purpose << 56;
    return seed_draw(&state) ^ index * UINT64_C(0xd1342543de82ef95);
}

void seed_shuffle(uint64_t seed, enum seed_purpose purpose, int *order, size_t n)
{
    uint64_t state = seed_stream(seed, purpose, n);
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)(seed_draw(&state) % (i + 1));
        order[i] = order[at];
        order[at] = (int)i;
    }
}
