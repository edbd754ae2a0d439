#include "massrevoke/planner.h"
#include "work.h"

bool planner_build(const struct plan_input *in, struct arena *a, struct plan *out, struct fault *f)
{
    AUTO_ARENA scratch = {0};
    struct work w;
    if (!work_open(&w, in, &scratch, f))
        return false;
    canary_choose(&w);
    if (!window_choose(&w, f))
        return false;
    place_all(&w);
    w.arena = a; /* what follows outlives the run */
    deal_out(&w, out);
    remedy_find(&w, out);
    return true;
}
