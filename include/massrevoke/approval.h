/* approval.h - what a person signs, and whether what was signed is what stands in the store now.
 *
 * A request is a small canonical text, one "key: value" a line, that names mode, campaign, store, plan
 * digest, scope digest, issuers, count, reason and expiry (design sentence 3). Its scope digest is the
 * SHA-256 over the digests of the cohort's pages, each over (number, issuer, serial, reason) of its rows.
 * Approvals are detached CMS signatures over the bytes of the text (RFC 5652). I/O: reads the store and the
 * approvers' certificates. Does not: sign, store approvals, or start anything. Called by: engine (before
 * every claim is acted on), cli. */
#ifndef MASSREVOKE_APPROVAL_H
#define MASSREVOKE_APPROVAL_H

#include "massrevoke/settings.h"
#include "massrevoke/store_queue.h"

#define APPROVAL_REASONS (-1) /* certificates of several reasons, each told beside it */

/* What a request names. */
struct approval_subject {
    const char *mode, *campaign, *store_id;
    const char *what;           /* "plan 2 of cohort 1", "delay 1: ...", ... */
    int64_t certificates, base; /* base: certificates in the inventory, for the share */
    const char *issuers;        /* subjects, one a line */
    int reason;                 /* or APPROVAL_REASONS */
    struct digest scope, plan;
    struct utc compromised_at; /* the date of the entries; UTC_NONE or 0: that of the revocation */
    struct utc first_hour, requested, expires;
    const char *const *requesters; /* NULL-terminated */
    const char *more;              /* further lines, each ended: certificates by name, an override */
};

/* The text, with "@REQUEST@" where store_request_add puts the number. */
const char *approval_compose(struct arena *a, const struct approval_subject *s);

/* The value of a key in a request's text; NULL when it is not there. */
const char *approval_value(struct arena *a, const char *text, const char *key);

/* All values of a key, one a line, each ended. */
const char *approval_values(struct arena *a, const char *text, const char *key);

/* When the request expires, as signed; 1970 when the text does not say. */
struct utc approval_expiry(const char *text);

/* Whose signature over this request's text is it, checked at `at`? *who is an index into settings->approvers.
 * REFUSED: a stranger's, over another text (another campaign's, another mode's), or a requester's own. */
MUST_USE bool approval_signer(const struct settings *settings, const struct request *r, struct str signature,
                              struct utc at, size_t *who, struct fault *f);

/* How many different persons have a good signature on this request, as its text stands now. */
MUST_USE bool approval_count(struct store *s, const struct settings *settings, int campaign,
                             const struct request *r, struct arena *a, int *good, struct fault *f);

/* Is person `approver` (index) one of the requesters: by name or by one of the logins? */
bool approval_is_requester(const struct settings_approver *approver, const char *requesters);

/* The newest valid request of a cohort's plan with its quorum of good signatures, naming this campaign, mode
 * and store. APPROVAL tells what is missing. */
MUST_USE bool approval_of_cohort(struct store *s, const struct settings *settings, int campaign,
                                 const char *name, const char *mode, int cohort, struct arena *a,
                                 struct request *out, struct fault *f);

/* What was signed for a cohort: which certificates, and the date of their entries (UTC_NONE: that of the
 * revocation). */
struct approval_signed {
    struct digest scope;
    struct utc compromised_at;
};

/* APPROVAL when there is none. */
MUST_USE bool approval_signed_scope(struct store *s, const struct settings *settings, int campaign,
                                    const char *name, const char *mode, int cohort,
                                    struct approval_signed *out, struct fault *f);

/* Does a valid request with its quorum of good signatures, naming this campaign, mode and store, say exactly
 * `words` of a change of reasons? */
MUST_USE bool approval_of_change(struct store *s, const struct settings *settings, int campaign,
                                 const char *name, const char *mode, int change, const char *words,
                                 struct arena *a, bool *signed_so, struct fault *f);

#endif
