#include "massrevoke/canary.h"

#define SKEW 300 /* seconds by which a CA's clock may be ahead of ours */

/* Every state that is not named is on its way. */
static const enum canary_standing standings[CERTIFICATE_STATE_COUNT] = {
    [CERTIFICATE_RECORDED] = CANARY_RECORDED, [CERTIFICATE_OCSP_SEEN] = CANARY_RECORDED,
    [CERTIFICATE_WAS_BEFORE] = CANARY_OUT,    [CERTIFICATE_HELD] = CANARY_OUT,
    [CERTIFICATE_UNKNOWN] = CANARY_OUT,       [CERTIFICATE_EXPIRED] = CANARY_OUT,
    [CERTIFICATE_WITHDRAWN] = CANARY_OUT,
};

enum canary_standing canary_standing(const struct canary *c)
{
    enum canary_standing standing =
        c->state < CERTIFICATE_STATE_COUNT ? standings[c->state] : CANARY_ON_ITS_WAY;
    return standing == CANARY_RECORDED && !utc_is_set(c->recorded_at) ? CANARY_ON_ITS_WAY : standing;
}

static bool is_wanted(const struct canary *c, int reason)
{
    return reason == c->reason || (c->old_reason >= 0 && reason == c->old_reason);
}

const char *canary_contradiction(const struct canary *c, const struct canary_sight *sight, struct span quiet,
                                 struct arena *a)
{
    char time[UTC_TEXT], recorded[UTC_TEXT];
    if (canary_standing(c) != CANARY_RECORDED)
        return NULL;
    if (sight->listed && !sight->revoked)
        return arena_format(a, "the CRL of %s lists it with reason %s, which is no revocation",
                            utc_format(sight->this_update, time), reason_name(sight->reason));
    if (sight->listed && !is_wanted(c, sight->reason))
        return arena_format(a, "the CRL of %s lists it with reason %s instead of %s",
                            utc_format(sight->this_update, time), reason_name(sight->reason),
                            reason_name(c->reason));
    if (!sight->listed && sight->complete && sight->this_update.s > c->recorded_at.s + quiet.s)
        return arena_format(a, "it is missing from the complete CRL of %s, though the CA recorded it at %s",
                            utc_format(sight->this_update, time), utc_format(c->recorded_at, recorded));
    return NULL;
}

const char *canary_record_fault(const struct canary *c, struct arena *a)
{
    char time[UTC_TEXT], recorded[UTC_TEXT];
    if (c->ca_reason >= 0 && !is_wanted(c, c->ca_reason))
        return arena_format(a, "the CA recorded reason %s instead of %s", reason_name(c->ca_reason),
                            reason_name(c->reason));
    if (utc_is_set(c->ca_at) && c->ca_at.s > c->recorded_at.s + SKEW)
        return arena_format(a, "the CA dates it %s, later than its answer of %s", utc_format(c->ca_at, time),
                            utc_format(c->recorded_at, recorded));
    return NULL;
}

bool canary_is_told(const struct ca_answer *answer)
{
    return answer->outcome != CA_WAIT && answer->outcome != CA_ASK;
}

const char *canary_status_fault(struct canary *c, const struct ca_answer *answer, struct arena *a)
{
    char recorded[UTC_TEXT];
    if (answer->outcome == CA_NOT_REVOKED || answer->outcome == CA_UNKNOWN)
        return arena_format(a, "asked for its status, the CA says that it %s, though it recorded it at %s",
                            answer->outcome == CA_UNKNOWN ? "does not know it" : "is not revoked",
                            utc_format(c->recorded_at, recorded));
    if (answer->outcome == CA_PERSON)
        return arena_format(a, "asked for its status, the CA says what a person must judge: %.119s",
                            answer->text);
    if (answer->reason >= 0)
        c->ca_reason = answer->reason;
    if (utc_is_set(answer->at))
        c->ca_at = answer->at;
    return canary_record_fault(c, a);
}
