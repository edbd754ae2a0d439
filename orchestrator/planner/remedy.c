/* What binds the plan, and the smallest single change that would make it feasible: searched for by the hard
 * limits, which decide feasibility (planner.h), then proved by planning with it. */
#include "work.h"

/* How many would be late under another input; the certificates with a deadline stay the same. */
static int64_t late_under(const struct work *w, const struct plan_input *in)
{
    struct hours h = hours_of(in, w->by_ocsp);
    int64_t late = 0;
    for (size_t i = 0; i < in->ca_count; i++) {
        int64_t bound = w->cas[i].canary_bound + w->cas[i].rest_bound;
        int64_t room = hours_capacity(&h, in->received, in->ca_rates[i]);
        late += bound > room ? bound - room : 0;
    }
    return late;
}

/* Is the plan of another input really feasible? */
static bool cures(const struct work *w, const struct plan_input *in)
{
    AUTO_ARENA scratch = {0};
    struct plan plan;
    struct fault f = {0};
    return late_under(w, in) == 0 && planner_make(in, false, &scratch, &plan, &f) && plan.feasible;
}

static const char *ca_name(const struct work *w, size_t i)
{
    return w->in->ca_names != NULL ? w->in->ca_names[i] : arena_format(w->arena, "CA %zu", i);
}

/* Smallest whole number an hour at which CA i makes it; 0 when none does. Capacity grows with the rate. */
static int64_t rate_needed(const struct work *w, size_t i)
{
    int64_t bound = w->cas[i].canary_bound + w->cas[i].rest_bound, low = 1, high = PLANNER_RATE_MAX;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (hours_capacity(&w->hours, w->in->received, (struct rate){middle, HOUR}) >= bound)
            high = middle;
        else
            low = middle + 1;
    }
    return hours_capacity(&w->hours, w->in->received, (struct rate){low, HOUR}) >= bound ? low : 0;
}

/* "raise the rate of demo to 320/h": of every CA that is short; NULL when no rate is enough. */
static const char *cure_rate(const struct work *w)
{
    const char *text = "";
    struct plan_input in = *w->in;
    struct rate *rates = arena_array(w->arena, in.ca_count, sizeof *rates);
    for (size_t i = 0; i < in.ca_count; i++) {
        rates[i] = in.ca_rates[i];
        if (hours_capacity(&w->hours, in.received, rates[i]) >= w->cas[i].canary_bound + w->cas[i].rest_bound)
            continue;
        rates[i] = (struct rate){rate_needed(w, i), HOUR};
        text = arena_format(w->arena, "%s%s of %s to %lld/h", text, *text ? " and" : "raise the rate",
                            ca_name(w, i), (long long)rates[i].count);
        if (rates[i].count == 0)
            return NULL;
    }
    in.ca_rates = rates;
    return cures(w, &in) ? text : NULL;
}

/* The hours' fractions count too when nothing waits for slots. */
static const char *cure_at_once(const struct work *w)
{
    struct plan_input in = *w->in;
    in.profile.publish_at_once = true;
    in.profile.first_slot.s = 0;
    if (w->hours.at_once || !cures(w, &in))
        return NULL;
    return "plan with the profile immediate: it also uses the minutes that make no whole hour";
}

static void set_margin(struct plan_input *in, int64_t seconds)
{
    in->profile.publish_margin.s = seconds;
    in->profile.ocsp_refresh.s = seconds;
}

/* "publish within 30 min instead of 2 h 00 min": the longest margin that is short enough. */
static const char *cure_publication(const struct work *w)
{
    struct plan_input in = *w->in;
    int64_t low = 0, high = w->hours.margin.s;
    set_margin(&in, 0);
    if (late_under(w, &in) > 0)
        return NULL;
    while (high - low > 1) { /* low is enough, high is too long */
        int64_t middle = low + (high - low) / 2;
        set_margin(&in, middle);
        if (late_under(w, &in) == 0)
            low = middle;
        else
            high = middle;
    }
    set_margin(&in, low);
    if (!cures(w, &in))
        return NULL;
    char now[SPAN_TEXT], then[SPAN_TEXT];
    return arena_format(w->arena, "publish within %s instead of %s", span_format((struct span){low}, then),
                        span_format(w->hours.margin, now));
}

static const char *no_cure(const struct work *w)
{
    char text[UTC_TEXT];
    bool passed = w->in->now.s >= w->hours.deadline.s;
    utc_format(passed ? w->hours.deadline : w->hours.last, text);
    if (passed)
        return arena_format(w->arena, "none: the deadline passed at %s", text);
    if (w->hours.start.s >= w->hours.last.s)
        return arena_format(w->arena, "none: what is revoked after %s is published too late", text);
    return arena_format(w->arena, "none: no single change is enough before %s", text);
}

static void infeasible(const struct work *w, struct plan *out)
{
    const char *at_once = cure_at_once(w), *rate = cure_rate(w), *publication = cure_publication(w);
    out->limiting = rate != NULL          ? PLAN_LIMIT_BACKEND_RATE
                    : publication != NULL ? PLAN_LIMIT_PUBLICATION
                                          : PLAN_LIMIT_DEADLINE;
    out->remedy = at_once != NULL       ? at_once
                  : rate != NULL        ? rate
                  : publication != NULL ? publication
                                        : no_cure(w);
}

/* The first slot at which all that is there has had its notice. */
static int64_t last_notice(const struct work *w)
{
    int64_t hour = w->hours.open;
    for (size_t i = 0; i < w->in->ca_count; i++)
        for (int c = 0; c < CLASS_COUNT; c++)
            if (w->cas[i].count[c] > 0 && w->hours.notice[c] > hour)
                hour = w->hours.notice[c];
    return hour;
}

/* What binds a feasible plan. */
static enum plan_limit binding(const struct work *w, const struct plan *p)
{
    const struct hours *h = &w->hours;
    int64_t need = w->canaries > 0 && p->canary_count < p->number_count ? 2 + h->cycle : 1;
    if (w->forced && last_notice(w) + need <= h->safe)
        return PLAN_LIMIT_BACKEND_RATE;
    if (w->forced)
        return h->open + need <= h->safe ? PLAN_LIMIT_NOTICE : PLAN_LIMIT_DEADLINE;
    if (w->in->profile.rate_cap.count > 0 && !w->kept.cap && !h->at_once)
        return PLAN_LIMIT_BACKEND_RATE;
    return given_up_crowded(w, p) > 0 ? PLAN_LIMIT_HELPDESK : PLAN_LIMIT_NONE;
}

void remedy_find(const struct work *w, bool wanted, struct plan *out)
{
    if (out->feasible)
        out->limiting = out->number_count == out->held ? PLAN_LIMIT_NONE : binding(w, out);
    else if (wanted)
        infeasible(w, out);
}
