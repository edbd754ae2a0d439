#include "massrevoke/planner.h"
#include "work.h"

#include <assert.h>

static_assert(sizeof(struct lot) == 24, "planner.h states the memory by it");

bool planner_build(const struct plan_input *in, struct arena *a, struct plan *out, struct fault *f)
{
    AUTO_ARENA scratch = {0};
    struct work w;
    if (!work_open(&w, in, &scratch, f) || !window_choose(&w, f))
        return false;
    place_all(&w);
    w.arena = a; /* what follows outlives the run */
    deal_out(&w, out);
    given_up_list(&w, out);
    remedy_find(&w, out);
    buf_free(&w.cuts);
    return true;
}

struct rate planner_rate(const struct rate *windows, size_t n, int concurrency, int latency_ms)
{
    struct rate least = {0};
    for (size_t i = 0; i <= n; i++) {
        /* so many requests at once, each of so many ms: 1000 * concurrency in latency_ms seconds */
        struct rate r = {concurrency > 0 && latency_ms > 0 ? INT64_C(1000) * concurrency : 0, latency_ms};
        if (i < n)
            r = windows[i];
        if (r.count == 0)
            continue;
        if (least.count == 0 || r.count * least.per < least.count * r.per)
            least = r;
    }
    return least;
}
