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
