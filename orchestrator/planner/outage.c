/* What if a CA is down for so long, whenever that begins? (planner.h has the argument.) */
#include "work.h"

#include <inttypes.h>

/* One CA's certificates in one slot; at_once: the whole plan is one run. */
struct load {
    int64_t all, bound; /* those with a deadline are done last */
};

/* One CA under the outage. */
struct trial {
    const struct plan_input *in;
    const struct plan *plan;
    struct hours hours;
    struct rate rate;
    uint16_t ca;
    int64_t length;
    struct load *loads;   /* by slot */
    int64_t late, anyway; /* with the outage, and without */
    int64_t worst;        /* seconds */
    int64_t finish;       /* revoked, not yet published */
    bool any;             /* has certificates with a deadline */
};

/* The certificate of a number; *hint is where the last one was. */
static const struct plan_certificate *certificate_of(const struct plan_input *in, uint32_t number,
                                                     size_t *hint)
{
    size_t low = 0, high = in->certificate_count;
    if (*hint + 1 < high && in->certificates[*hint + 1].number == number)
        return &in->certificates[++*hint];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (in->certificates[middle].number <= number)
            low = middle;
        else
            high = middle;
    }
    *hint = low;
    return &in->certificates[low];
}

static bool is_bound(const struct trial *t, const struct plan_certificate *c)
{
    return !c->held && !(utc_is_set(c->not_after) && c->not_after.s < t->hours.deadline.s);
}

/* How long n certificates take, rounded up; 0 without a rate. */
static int64_t takes(const struct trial *t, int64_t n)
{
    return rate_seconds(t->rate, n);
}

/* Of the last n of a run that ends at `end`: how many end after `limit`. */
static int64_t after(const struct trial *t, int64_t n, int64_t end, int64_t limit)
{
    int64_t gap = end - limit;
    if (gap <= 0 || t->rate.count == 0)
        return gap <= 0 ? 0 : n;
    int64_t most = (gap * t->rate.count + t->rate.per - 1) / t->rate.per;
    return n < most ? n : most;
}

static int64_t slot_ends(const struct trial *t, size_t i)
{
    return t->in->received.s + (t->plan->slots[i].hour + 1) * HOUR;
}

/* When the rest is done if the outage ends at `free` with `left` certificates of slot `i` still to do.
 * Counted in parts of a second: so many as the rate has certificates. */
static int64_t work_off(const struct trial *t, size_t i, int64_t left, int64_t from)
{
    int64_t parts = t->rate.count == 0 ? 1 : t->rate.count, each = t->rate.count == 0 ? 0 : t->rate.per;
    int64_t zero = t->hours.start.s, free = (from - zero) * parts, finish = free;
    for (; i < t->plan->slot_count; i++) {
        free += left * each;
        int64_t planned = (slot_ends(t, i) - zero) * parts;
        free = left > 0 && free < planned ? planned : free;
        finish = t->loads[i].bound > 0 ? free : finish;
        left = i + 1 < t->plan->slot_count ? t->loads[i + 1].all : 0;
    }
    return zero + (finish + parts - 1) / parts;
}

/* Slots: what misses the deadline, and the moment that makes it so. */
static void try_slots(struct trial *t)
{
    int64_t last = t->hours.last.s, end = INT64_MIN, n = 0;
    size_t first = t->plan->slot_count;
    for (size_t i = 0; i < t->plan->slot_count; i++) {
        int64_t bound = t->loads[i].bound, ends = slot_ends(t, i);
        int64_t late = ends > last ? bound : after(t, bound, ends, last - t->length);
        t->anyway += ends > last ? bound : 0;
        t->late += late;
        if (late > 0 && first == t->plan->slot_count) {
            first = i;
            t->worst = ends - takes(t, late);
        }
        if (bound > 0) {
            end = ends;
            n = bound;
        }
    }
    t->any = n > 0;
    if (t->any && t->late == 0) {
        t->worst = end - takes(t, n);
        t->finish = end + t->length;
    } else if (t->any) {
        int64_t late = after(t, t->loads[first].bound, slot_ends(t, first), last - t->length);
        late = slot_ends(t, first) > last ? t->loads[first].bound : late;
        t->finish = work_off(t, first, late, t->worst + t->length);
    }
}

/* At once: one run without a gap from the start; the plan's order is the order of work. */
static void try_run(struct trial *t)
{
    int64_t sent = 0, last_bound = 0, first = -1;
    size_t hint = 0;
    int64_t start = t->hours.start.s, last = t->hours.last.s;
    int64_t in_time = rate_done(t->rate, last - t->length - start),
            planned = rate_done(t->rate, last - start);
    for (size_t i = 0; i < t->plan->chunk_count; i++) {
        const struct plan_chunk *c = &t->plan->chunks[i];
        for (uint32_t k = 0; k < c->count && c->ca == t->ca; k++) {
            const struct plan_certificate *one = certificate_of(t->in, t->plan->numbers[c->first + k], &hint);
            sent += !one->held;
            if (!is_bound(t, one))
                continue;
            last_bound = sent;
            t->anyway += sent > planned;
            t->late += sent > in_time;
            first = sent > in_time && first < 0 ? sent : first;
        }
    }
    t->any = last_bound > 0;
    t->worst = start + (first > 0 ? rate_due(t->rate, first - 1) : 0);
    t->finish = start + takes(t, last_bound) + t->length;
}

static void count_loads(struct trial *t)
{
    size_t hint = 0;
    for (size_t i = 0; i < t->plan->chunk_count; i++) {
        const struct plan_chunk *c = &t->plan->chunks[i];
        for (uint32_t k = 0; k < c->count && c->ca == t->ca; k++) {
            const struct plan_certificate *one = certificate_of(t->in, t->plan->numbers[c->first + k], &hint);
            t->loads[c->slot].all += !one->held;
            t->loads[c->slot].bound += is_bound(t, one);
        }
    }
}

static size_t by_ocsp(const struct plan_input *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->certificate_count; i++)
        n += in->certificates[i].by_ocsp && !in->certificates[i].held;
    return n;
}

void planner_outage(const struct plan_input *in, const struct plan *plan, struct span length,
                    struct plan_outage *out)
{
    struct hours hours = hours_of(in, by_ocsp(in));
    int64_t worst_late = -1, worst_finish = 0;
    *out = (struct plan_outage){.length = length,
                                .worst = UTC_NONE,
                                .finish = UTC_NONE,
                                .late = plan->late,
                                .tolerance = plan->outage_tolerance};
    for (size_t i = 0; i < in->ca_count; i++) {
        AUTO_ARENA scratch = {0};
        struct trial t = {.in = in, .plan = plan, .hours = hours, .rate = in->ca_rates[i], .ca = (uint16_t)i};
        t.length = length.s;
        t.loads = arena_array(&scratch, plan->slot_count, sizeof *t.loads);
        if (hours.at_once) {
            try_run(&t);
        } else {
            count_loads(&t);
            try_slots(&t);
        }
        int64_t late = t.late - t.anyway; /* by this outage alone */
        if (!t.any || late < worst_late || (late == worst_late && t.finish <= worst_finish))
            continue;
        worst_late = late;
        worst_finish = t.finish;
        out->ca = i;
        out->late = plan->late + (uint64_t)late;
        out->worst.s = t.worst;
        out->finish.s = t.finish + hours.margin.s;
    }
    if (utc_is_set(out->finish) && utc_is_set(plan->finish)) /* another CA may end later without any outage */
        out->finish = utc_max(out->finish, plan->finish);
    out->in_time = out->late == 0;
}

static const char *ca_name(const struct plan_input *in, size_t ca)
{
    return in->ca_names == NULL ? "the CA" : in->ca_names[ca];
}

json_t *planner_outage_json(const struct plan_outage *o, const struct plan_input *in)
{
    json_t *doc = json_object();
    struct utc deadline = utc_add(in->received, in->deadline);
    json_set_int(doc, "outage_seconds", o->length.s);
    json_set_bool(doc, "in_time", o->in_time);
    json_set_text(doc, "ca", ca_name(in, o->ca));
    json_set_utc(doc, "worst_start", o->worst);
    json_set_utc(doc, "finish", o->finish);
    json_set_utc(doc, "deadline", deadline);
    json_set_int(doc, "slack_seconds", utc_is_set(o->finish) ? utc_sub(deadline, o->finish).s : 0);
    json_set_int(doc, "late", (int64_t)o->late);
    json_set_int(doc, "outage_tolerance_seconds", o->tolerance.s);
    return doc;
}

void planner_outage_text(const struct plan_outage *o, const struct plan_input *in, struct buf *out)
{
    char length[SPAN_TEXT], span[SPAN_TEXT], tolerance[SPAN_TEXT], worst[UTC_TEXT], finish[UTC_TEXT];
    span_format(o->length, length);
    if (!utc_is_set(o->finish)) {
        buf_text(out, "Nothing that has a deadline is planned: no outage can make it late.\n");
        return;
    }
    struct span slack = utc_sub(utc_add(in->received, in->deadline), o->finish);
    if (o->in_time)
        buf_format(out, "IN TIME: %s may be down for %s, whenever that begins.\n", ca_name(in, o->ca),
                   length);
    else
        buf_format(out, "NOT IN TIME: %" PRIu64 " certificates are late if %s is down for %s.\n", o->late,
                   ca_name(in, o->ca), length);
    buf_format(out, "\n  worst begin        %s\n", utc_format(o->worst, worst));
    buf_format(out, "  then published by  %s\n", utc_format(o->finish, finish));
    buf_format(out, "                     %s %s the deadline\n",
               span_format((struct span){slack.s < 0 ? -slack.s : slack.s}, span),
               slack.s < 0 ? "after" : "before");
    buf_format(out, "  outage tolerance   %s\n", span_format(o->tolerance, tolerance));
}
