#include "massrevoke/outcome.h"

const char *mail_outcome_name(enum mail_outcome outcome)
{
    static const char *const names[MAIL_OUTCOME_COUNT] = {"accepted", "refused", "later", "unknown",
                                                          "rejected"};
    return names[outcome];
}
