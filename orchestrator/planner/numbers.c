#include "planner/numbers.h"

#include <time.h>

#define BLOCK 4096U             /* numbers hashed at once */
#define LARGE ((size_t)1 << 18) /* numbers that take longer than a thread takes to start */
#define PAUSE_NS 100000

/* Takes in what is ready; false when that was nothing. */
static bool follow(struct numbers_hash *h)
{
    uint32_t block[BLOCK];
    size_t ready = atomic_load_explicit(&h->ready, memory_order_acquire), before = h->done;
    for (size_t n; h->done < ready; h->done += n) {
        n = ready - h->done < BLOCK ? ready - h->done : BLOCK;
        for (size_t k = 0; k < n; k++) {
            uint32_t v = h->numbers[h->done + k];
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            v = __builtin_bswap32(v);
#endif
            block[k] = v;
        }
        digest_add(&h->state, block, n * sizeof *block);
    }
    return h->done > before;
}

static void *run(void *context)
{
    struct numbers_hash *h = context;
    while (!atomic_load_explicit(&h->over, memory_order_acquire))
        if (!follow(h))
            (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    return NULL;
}

void numbers_begin(struct numbers_hash *h, const uint32_t *numbers, size_t most)
{
    h->numbers = numbers;
    h->state = digest_begin();
    h->done = 0;
    atomic_init(&h->ready, 0);
    atomic_init(&h->over, false);
    h->beside = most >= LARGE && pthread_create(&h->thread, NULL, run, h) == 0;
}

struct digest numbers_end(struct numbers_hash *h)
{
    atomic_store_explicit(&h->over, true, memory_order_release);
    if (h->beside)
        (void)pthread_join(h->thread, NULL);
    (void)follow(h);
    return digest_end(&h->state);
}
