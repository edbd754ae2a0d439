#include "massrevoke/planner.h"
#include "work.h"

#include <assert.h>

static_assert(sizeof(struct lot) == 24, "planner.h states the memory by it");

bool planner_make(const struct plan_input *in, bool cures, struct arena *a, struct plan *out, struct fault *f)
{
    AUTO_ARENA scratch = {0};
    struct work w;
    if (!work_open(&w, in, &scratch, f) || !window_choose(&w, f))
        return false;
    place_all(&w);
    w.arena = a; /* what follows outlives the run */
    deal_out(&w, out);
    given_up_list(&w, out);
    remedy_find(&w, cures, out);
    buf_free(&w.cuts);
    return true;
}

bool planner_build(const struct plan_input *in, struct arena *a, struct plan *out, struct fault *f)
{
    return planner_make(in, true, a, out, f);
}
