#include "massrevoke/snapshot.h"

const char *verdict_name(enum verdict v)
{
    static const char *const names[VERDICT_COUNT] = {"missed", "behind", "at_risk", "on_track", "done"};
    return names[v];
}

const char *campaign_state_name(enum campaign_state s)
{
    static const char *const names[CAMPAIGN_STATE_COUNT] = {"open",   "planned",  "approved", "running",
                                                            "paused", "finished", "closed"};
    return names[s];
}

int64_t totals_not_yet_revoked(const struct totals *t)
{
    return t->pending_publication + t->not_revoked + t->held + t->unknown;
}

bool totals_balance(const struct totals *t)
{
    return t->affected ==
           t->revoked + t->pending_publication + t->not_revoked + t->held + t->expired + t->unknown;
}

/* The smallest cure: plan again when the rate suffices, another rate when it does not, honesty when none
 * does. */
static const char *cure(const struct behind *b, struct arena *a)
{
    int64_t seconds = b->deadline.s - b->publish_margin.s - b->now.s;
    if (seconds <= 0)
        return "no rate cures it: prepare the report of a delayed revocation";
    int64_t needed = rate_per_hour((struct rate){b->left, seconds}) + 1;
    if (needed <= b->per_hour)
        return "massrevoke plan deals the rest anew, and in time";
    return arena_format(
        a,
        "raise the rate to %lld/h, then massrevoke plan; if it cannot be, prepare the report of a "
        "delayed revocation",
        (long long)needed);
}

const char *snapshot_behind(const struct behind *b, struct arena *a)
{
    char finish[UTC_TEXT], late[SPAN_TEXT];
    if (b->finish.s <= b->deadline.s)
        return "";
    return arena_format(a, "behind: at %lld/h you finish at %s, %s after the deadline; %s",
                        (long long)b->per_hour, utc_format(b->finish, finish),
                        span_format(utc_sub(b->finish, b->deadline), late), cure(b, a));
}

#define HOLDS_SHOWN 3

static void put_hold(const struct snapshot_hold *h, struct buf *out)
{
    char until[UTC_TEXT];
    buf_format(out, "%lld by %s (%.80s)", (long long)h->certificates,
               h->court ? "court order" : "decision to delay", h->document);
    if (utc_is_set(h->until))
        buf_format(out, " until %s", utc_format(h->until, until));
    else
        buf_text(out, ", which has no end");
}

void snapshot_held_late(const struct snapshot *s, int cohort, struct buf *out)
{
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < s->hold_count; i++) {
        const struct snapshot_hold *h = &s->holds[i];
        if (!h->late || (cohort != 0 && h->cohort != cohort))
            continue;
        if (shown == HOLDS_SHOWN) {
            more++;
            continue;
        }
        buf_text(out, shown++ == 0 ? "" : "; ");
        put_hold(h, out);
    }
    if (more > 0)
        buf_format(out, "; and by %zu more holds", more);
}
