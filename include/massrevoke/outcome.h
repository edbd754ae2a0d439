/* outcome.h - what a CA and a mail relay can answer: the words between doors, executor, notifier and store.
 *
 * Six outcomes for a CA and never two at once (design section 4); which wire answer means which is the door's
 * table, what it does to a certificate is the executor's. Pure. Does not: talk to anybody. */
#ifndef MASSREVOKE_OUTCOME_H
#define MASSREVOKE_OUTCOME_H

#include "massrevoke/fault.h"
#include "massrevoke/reason.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* What a CA can answer. */
enum ca_outcome {
    CA_REVOKED_NOW,    /* done by this request */
    CA_REVOKED_BEFORE, /* was revoked already; `at` and `reason` are the CA's */
    CA_NOT_REVOKED,    /* status only: known and not revoked */
    CA_UNKNOWN,        /* the CA's own record has no such certificate */
    CA_WAIT,           /* proof that the request was not executed; try again later */
    CA_ASK,            /* anything else without proof: outcome unknown */
    CA_PERSON,         /* the answer must be resolved by a person */
    CA_OUTCOME_COUNT
};

/* One certificate to revoke or to ask about. */
struct ca_item {
    uint32_t number; /* the campaign's; comes back in the answer */
    uint16_t issuer; /* index of the issuer in settings */
    struct serial serial;
    enum reason reason; /* revoke only */
    struct utc
        date; /* revoke only: the date of the entry (a compromise); UTC_NONE or 0: the request's time */
    /* revoke only: the reason of a certificate that is revoked already; its date stays, unless `date` is set.
     * CA_REVOKED_NOW: changed; CA_REVOKED_BEFORE: it says so already; CA_NOT_REVOKED: and it was not touched
     */
    bool change;
};

/* Is the date of the entry named? */
static inline bool ca_item_is_dated(const struct ca_item *item)
{
    return utc_is_set(item->date) && item->date.s != 0;
}

/* One answer. */
struct ca_answer {
    uint32_t number;
    enum ca_outcome outcome;
    struct utc at;  /* the CA's revocation time; UTC_NONE when it did not say */
    int reason;     /* the CA's reason code, -1 when it did not say */
    char text[120]; /* the CA's words for people, may be empty */
    bool refused;   /* CA_WAIT: for this very request, not for an earlier one */
    bool blames;    /* and because our credentials or our configuration are wrong */
    bool withheld;  /* CA_WAIT: ca_door.may_leave said no; the CA knows nothing of it */
};

/* What became of one message. */
enum mail_outcome {
    MAIL_ACCEPTED, /* spooled, or 250 after the final dot */
    MAIL_REFUSED,  /* the address was refused for good (5xx at RCPT) */
    MAIL_LATER,    /* 4xx or no connection before DATA: surely not sent */
    MAIL_UNKNOWN,  /* the connection broke after DATA: may have been sent */
    MAIL_REJECTED, /* the content was refused (5xx after DATA): stop the template */
    MAIL_OUTCOME_COUNT
};

/* Name of an outcome ("accepted"); static. */
const char *mail_outcome_name(enum mail_outcome outcome);

#endif
