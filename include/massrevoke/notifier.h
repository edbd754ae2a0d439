/* notifier.h - whom to tell now, and the message itself.
 *
 * Pure but for notifier_read_templates, which may read an override folder: bytes and values in, bytes and
 * values out, `now` is an argument. Does not: send (mail_door.h), keep tries (store), read a clock, or move a
 * revocation time: nothing here knows how. The kinds of today never claim a revocation; such a sentence
 * may only be written from a published row. Sources: BR 4.9.5, 5.7.1.2; RFC 5322, 2045, 2047, 2231, 4180.
 * Called by: engine, cli notify, drill. */
#ifndef MASSREVOKE_NOTIFIER_H
#define MASSREVOKE_NOTIFIER_H

#include "massrevoke/notice.h"

/* The files of plans/notices/en, read once. */
struct notice_templates {
    struct str subject[NOTICE_KIND_COUNT], text[NOTICE_KIND_COUNT];
    struct str table; /* the attached CSV */
};

/* Reads all templates by plans_file() (an override in plans_dir wins). CONFIG when one is missing. */
MUST_USE bool notifier_read_templates(const char *plans_dir, struct arena *a, struct notice_templates *out,
                                      struct fault *f);

/* Renders every template against every name it may use, sections shown or not, so that a wrong name stops
 * before the first message. CONFIG names template, line and name. */
MUST_USE bool notifier_check_templates(const struct notice_templates *templates, struct fault *f);

/* One message to make. Addresses bare. */
struct notice_input {
    const struct notice_templates *templates;
    enum notice_kind kind;
    const struct notice_facts *facts;
    const struct contact *contact;
    const char *from, *reply_to;
    const char *message_id; /* notice_message_id() */
    struct utc date;        /* of the first try; every further try carries the same */
};

/* The complete message in CRLF form, byte for byte the same for the same input: plain text and all
 * certificates as certificates.csv, everything UTF-8 (at most NOTICE_TABLE_MAX bytes of cells: what is beyond
 * is counted in the text). No header that would silence a vacation responder, since its answer tells us that
 * nobody read it (RFC 3834 2). Faults: CONFIG (template, from, reply_to), REFUSED (the contact's address),
 * CONFLICT (a first notice without any planned hour). Cost: linear in the certificates. */
MUST_USE bool notifier_compose(const struct notice_input *in, struct arena *a, struct str *eml,
                               struct fault *f);

#define NOTICE_TABLE_MAX ((size_t)6 * 1024 * 1024)

/* One subscriber with work left. Whoever is settled is not handed in, and so is told nothing more. */
struct notifier_subscriber {
    const struct contact *contacts; /* any order */
    size_t contact_count;
    const struct notice_try *tries; /* of all its contacts and kinds, any order */
    size_t try_count;
    struct utc acked; /* the latest acknowledgement; UTC_NONE */
};

/* What holds for the whole campaign. */
struct notifier_terms {
    enum notice_kind kind;
    struct utc start;         /* no message before it */
    struct span backup_after; /* silence so long: the next contacts (profile.backup_after) */
    struct utc resumed;       /* a person let notices go on after a rejected text; UTC_NONE */
};

/* One message to send now. */
struct notice_due {
    size_t subscriber; /* index */
    const struct contact *contact;
    int attempt; /* from 1 */
};

struct notifier_decision {
    const struct notice_due *due; /* subscribers in order; primary, backup, partner; tier; id */
    size_t due_count;
    struct utc wake;    /* ask again then, or when an answer came; UTC_NONE: nothing to wait for */
    bool rejected;      /* the relay refused the text: nothing is due until a person resumes */
    size_t unreachable; /* subscribers none of whose contacts can be reached */
};

/* Decides what must be sent at `now`.
 *
 * Primary contacts are told at once. The backups follow as soon as a primary address is bad or refused or
 * there is no primary; for a kind that waits for an answer also when backup_after has passed since the first
 * try without an acknowledgement. Partners (resellers, hosters) are the last resort: they follow the backups
 * by the same rules and are never told before them. MAIL_LATER is tried again after 1, 5, 15, 30 and then
 * every 60 minutes; MAIL_UNKNOWN the same way, at most NOTICE_UNKNOWN_EXTRA times. An acknowledgement at or
 * after the first try of this kind ends the matter for the subscriber; one before it (of a heads-up, say)
 * does not keep the first notice back. Pure; cost: contacts times tries. */
void notifier_due(const struct notifier_terms *terms, const struct notifier_subscriber *subscribers,
                  size_t count, struct utc now, struct arena *a, struct notifier_decision *out);

/* When a kind's messages should have gone out at the latest; UTC_NONE: no milestone says. */
struct notifier_limits {
    struct utc first, backup; /* whoever of a subscriber is told first; those who follow */
};

/* What waits while nothing is sent; a sum over kinds and cohorts (latest UTC_NONE to begin with). */
struct notifier_waiting {
    size_t left;       /* messages, to all who do not answer */
    size_t hour;       /* which are due within an hour, tries again too */
    size_t late;       /* which come too late even if they go at once */
    struct utc latest; /* go on by then and no other comes too late; UTC_NONE: none is left that could */
};

/* Adds to *sum what is not sent of the terms' kind. hours[i]: the hour that subscriber i is told of, after
 * which a message comes too late; UTC_NONE: none. Pure; cost: twice that of notifier_due. */
void notifier_wait(const struct notifier_terms *terms, const struct notifier_limits *limits,
                   const struct notifier_subscriber *subscribers, const struct utc *hours, size_t count,
                   struct utc now, struct arena *a, struct notifier_waiting *sum);

#endif
