/* notice.h - a notice and its tries: what one contact is told about its certificates, and what became of it.
 *
 * A notice is one message to one contact about one kind of news; each try to send it is one fact that never
 * changes, and the state of a notice follows from its tries. Pure. Does not: compose or decide whom to tell
 * (notifier.h), send (mail_door.h), or move any revocation time. Sources: BR 4.9.5 (subscribers are told),
 * BR 5.7.1.2 (how they are told in a mass revocation), RFC 5321 4.1.2 (mailbox). Called by: notifier, doors,
 * store, engine, cli. */
#ifndef MASSREVOKE_NOTICE_H
#define MASSREVOKE_NOTICE_H

#include "massrevoke/arena.h"
#include "massrevoke/contact.h"
#include "massrevoke/digest.h"
#include "massrevoke/outcome.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* What a notice says: a heads-up warns before there is a plan, the first notice names the hour, the third
 * kind tells that the hour is earlier than it said. */
enum notice_kind { NOTICE_HEADS_UP, NOTICE_FIRST, NOTICE_MOVED, NOTICE_KIND_COUNT };

/* Where one notice stands. */
enum notice_state {
    NOTICE_NEW,      /* never tried */
    NOTICE_SENDING,  /* a try waits for its answer */
    NOTICE_AGAIN,    /* another try is owed */
    NOTICE_TOLD,     /* the relay or the spool took it */
    NOTICE_DOUBTFUL, /* may have arrived; no further try */
    NOTICE_REFUSED,  /* the address was refused for good */
    NOTICE_REJECTED, /* the text was refused: a person must look at the template */
    NOTICE_STATE_COUNT
};

/* How often a message of unknown fate goes out again, always under its first Message-ID. */
#define NOTICE_UNKNOWN_EXTRA 2

/* One try. `open`: its answer is still awaited by a living sender, `outcome` means nothing. The try of a dead
 * sender is handed in as MAIL_UNKNOWN. */
struct notice_try {
    int64_t contact; /* contact.id */
    enum notice_kind kind;
    int attempt; /* from 1 */
    bool open;
    enum mail_outcome outcome;
    struct utc at; /* when it was handed to the door */
};

/* What the tries of one notice add up to. */
struct notice_standing {
    enum notice_state state;
    int attempts;           /* tries so far */
    struct utc first, last; /* times of the first and the last try; UTC_NONE without any */
};

/* One certificate as a notice lists it; text terminated, "" when unknown. */
struct notice_certificate {
    struct serial serial;
    const char *subject, *dns_names; /* names separated by one blank */
    struct utc not_after, planned;   /* UTC_NONE when unknown or not planned */
    struct utc told;                 /* the hour that was told before, moved ones only */
    bool has_cert_sha256;
    struct digest cert_sha256;
};

/* Everything one notice states, besides the contact's own name. Text terminated. */
struct notice_facts {
    const char *campaign;
    const char *ca;         /* the name the CA signs its letters with */
    const char *subscriber; /* the CA's reference for the customer */
    const char *rule;       /* "4.9.1.1-12" */
    const char *rule_text;  /* its trigger in our words */
    struct utc received, deadline;
    const struct notice_certificate *certificates; /* in list order */
    size_t certificate_count;
};

/* "heads_up", "first", "moved"; static. */
const char *notice_kind_name(enum notice_kind kind);

/* Reverse; NOTICE_KIND_COUNT when there is none. */
enum notice_kind notice_kind_from_name(struct str name);

/* "new", "sending", ...; static. */
const char *notice_state_name(enum notice_state state);

/* Standing of the notice (contact, kind) after those of `tries` that belong to it, in any order. Rejections
 * at or before `resumed` (UTC_NONE: none) are forgiven: a person changed the template and let it go on. Cost:
 * one pass. */
struct notice_standing notice_standing(const struct notice_try *tries, size_t count, int64_t contact,
                                       enum notice_kind kind, struct utc resumed);

/* Is it one bare mailbox that may go onto an SMTP wire: ASCII dot-atom, "@", a domain of letters, digits and
 * hyphens, at most 254 octets? Quoted local parts and address literals are not accepted, nor is anything that
 * needs SMTPUTF8 (RFC 6531); an internationalised domain is written in its xn-- form. */
bool notice_address_ok(struct str address);

/* Message-ID without angle brackets, the same for every try of a notice: from the campaign's name and the
 * store's number of the notice, in the domain of `from`. */
const char *notice_message_id(struct arena *a, const char *campaign, int64_t notice, const char *from);

#endif
