#include "massrevoke/executor.h"

enum executor_step executor_step(uint8_t state, bool keeps_first_date)
{
    enum certificate_state s = certificate_state(state);
    bool noted = state & (CERTIFICATE_NOTE_HOLD | CERTIFICATE_NOTE_DROP);
    if (s != CERTIFICATE_ASKED && s != CERTIFICATE_DOUBT)
        return EXECUTOR_NOTHING;
    return keeps_first_date && !noted ? EXECUTOR_SEND : EXECUTOR_ASK;
}

bool executor_may_send(uint8_t state, enum ca_outcome answer)
{
    bool noted = state & (CERTIFICATE_NOTE_HOLD | CERTIFICATE_NOTE_DROP);
    return certificate_state(state) == CERTIFICATE_ASKED && !noted && answer == CA_NOT_REVOKED;
}

/* An answer "revoked before" to a certificate in doubt is our own earlier request, unless the CA's date says
 * not. */
static enum certificate_event before_event(struct utc intent, struct utc ca_at)
{
    bool ours = utc_is_set(ca_at) && ca_at.s >= intent.s;
    return ours ? CERTIFICATE_EVENT_REVOKED : CERTIFICATE_EVENT_BEFORE;
}

bool executor_event(uint8_t state, struct utc intent, enum ca_outcome outcome, struct utc ca_at,
                    enum certificate_event *event)
{
    bool asked = certificate_state(state) == CERTIFICATE_ASKED;
    switch (outcome) {
    case CA_REVOKED_NOW:
        *event = CERTIFICATE_EVENT_REVOKED;
        return true;
    case CA_REVOKED_BEFORE:
        *event = before_event(intent, ca_at);
        return true;
    case CA_NOT_REVOKED:
        *event = asked ? CERTIFICATE_EVENT_UNSENT : CERTIFICATE_EVENT_NOT_REVOKED;
        return true;
    case CA_UNKNOWN:
        *event = CERTIFICATE_EVENT_NOT_KNOWN;
        return true;
    case CA_WAIT: /* proves nothing about an earlier request */
        *event = CERTIFICATE_EVENT_WAIT;
        return asked;
    case CA_ASK:
        *event = CERTIFICATE_EVENT_NO_ANSWER;
        return asked;
    case CA_PERSON:
        *event = CERTIFICATE_EVENT_PERSON;
        return true;
    case CA_OUTCOME_COUNT:
        break;
    }
    return false;
}
