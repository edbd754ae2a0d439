/* contact.h - whom to tell: the values of the contacts file (contract section 3), and what an address is.
 *
 * Pure. Does not: parse the file (intake), choose (notifier) or send. Called by: intake, store, notifier. */
#ifndef MASSREVOKE_CONTACT_H
#define MASSREVOKE_CONTACT_H

#include "massrevoke/text.h"

/* In which order people are told. */
enum contact_role { CONTACT_PRIMARY, CONTACT_BACKUP, CONTACT_PARTNER, CONTACT_ROLE_COUNT };

/* One contact. Text terminated, "" when unknown, owned by the reader's arena. */
struct contact {
    int64_t id; /* the store's number, 0 before it is stored */
    const char *subscriber;
    enum contact_role role;
    int tier; /* 0 first within the role */
    const char *name, *email, *language, *timezone, *phone;
    const char *class; /* class of the subscriber: "" or riskiest, automated, critical, ... */
    bool address_bad;  /* the address is not one well-formed mailbox; counted, never sent to */
    size_t line;
};

/* "primary", "backup", "partner"; static. */
const char *contact_role_name(enum contact_role role);

/* Reverse of contact_role_name; CONTACT_ROLE_COUNT when there is none. */
enum contact_role contact_role_from_name(struct str name);

/* Why `address` is not exactly one mailbox that can be written into an SMTP envelope as it stands: RFC 5321
 * 4.1.2 without quoted local parts and address literals, ASCII, the domain with a dot or `localhost`. NULL
 * when it is one; static text else. Stricter than mail, because libcurl puts CR and LF on the wire unchanged.
 */
const char *contact_address_problem(struct str address);

#endif
