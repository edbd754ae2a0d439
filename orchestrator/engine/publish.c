/* Publishing is its own idempotent action, apart from revoking: design section 4. */
#include "internal.h"

int engine_issuer_index(const struct engine *e, int issuer)
{
    for (size_t i = 0; i < e->parts.issuer_count; i++)
        if (e->parts.issuers[i] == issuer)
            return (int)i;
    return -1;
}

int engine_ca_of(const struct engine *e, int issuer_index)
{
    size_t first = 0;
    for (size_t ca = 0; ca < e->parts.settings->ca_count; ca++) {
        first += e->parts.settings->cas[ca].issuer_count;
        if ((size_t)issuer_index < first)
            return (int)ca;
    }
    return -1;
}

struct span engine_quiet(const struct engine *e, size_t issuer)
{
    return e->parts.cas[engine_ca_of(e, (int)issuer)].door->facts.quiet;
}

/* Canaries, and what is in doubt at a CA without a status, wait for a CRL: at once, and once more when no
 * request of theirs can still be under way, for only such a one says "not revoked". */
static bool proof_wanted(const struct engine *e, size_t issuer, struct utc now)
{
    if (!utc_is_set(e->proving[issuer]))
        return false;
    struct utc settled = utc_add(e->proving[issuer], engine_quiet(e, issuer));
    return e->dirty[issuer] || (now.s > settled.s && e->published[issuer].s <= settled.s);
}

/* A CRL is wanted at once when something was recorded since the last one and the profile says so; else as
 * often as it says, while anything waits for publication. */
static bool wants_crl(const struct engine *e, size_t issuer, struct utc now)
{
    if (!utc_is_set(e->published[issuer]) || (e->dirty[issuer] && e->parts.profile.publish_at_once) ||
        proof_wanted(e, issuer, now))
        return true;
    return now.s >= e->published[issuer].s + e->parts.profile.crl_every.s;
}

bool engine_publish(struct engine *e, struct engine_report *r, struct fault *f)
{
    struct utc now = e->parts.clock.now(e->parts.clock.self);
    int64_t pending = r->counts.n[BUCKET_PENDING_PUBLICATION] + e->reasons.unseen;
    for (size_t i = 0; i < e->parts.issuer_count; i++) {
        struct ca_door *door = e->parts.cas[engine_ca_of(e, (int)i)].door;
        bool wanted =
            utc_is_set(e->asked_crl[i]) || (pending > 0 ? wants_crl(e, i, now) : proof_wanted(e, i, now));
        if (!door->facts.can_publish || !wanted)
            continue;
        if (!utc_is_set(e->asked_crl[i])) { /* what is recorded from now on is for the next one */
            e->asked_crl[i] = now;
            e->dirty[i] = false;
        }
        struct fault wrong = {0};
        if (!door->ops->publish(door, (uint16_t)i, now, &wrong)) {
            e->asked_crl[i] = UTC_NONE;
            e->dirty[i] = true;
            if (engine_backend_away(e, &wrong))
                continue;
            *f = wrong;
            return false;
        }
        if (door->publishing)
            continue;
        e->published[i] = e->asked_crl[i];
        e->asked_crl[i] = UTC_NONE;
        e->last_pending_look = UTC_NONE; /* look at it now */
        e->look_gap = (struct span){0};
    }
    return true;
}
