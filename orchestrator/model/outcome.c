#include "massrevoke/outcome.h"

const char *ca_outcome_name(enum ca_outcome outcome)
{
    static const char *const names[CA_OUTCOME_COUNT] = {
        "revoked_now", "revoked_before", "not_revoked", "unknown", "wait", "ask", "person"};
    return names[outcome];
}

const char *mail_outcome_name(enum mail_outcome outcome)
{
    static const char *const names[MAIL_OUTCOME_COUNT] = {"accepted", "refused", "later", "unknown",
                                                          "rejected"};
    return names[outcome];
}
