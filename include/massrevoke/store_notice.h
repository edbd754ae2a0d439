/* store_notice.h - what the notifier needs from the store, and where its tries go.
 *
 * A notice is one row for ever (cohort, contact, kind, what it is about), its number makes its Message-ID; a
 * try is one fact, one row a recipient and attempt. I/O. Does not: decide whom to tell or compose. Faults:
 * UNAVAILABLE, FAILED. */
#ifndef MASSREVOKE_STORE_NOTICE_H
#define MASSREVOKE_STORE_NOTICE_H

#include "massrevoke/notice.h"
#include "massrevoke/store_campaign.h"

/* Everything about one subscriber of a cohort that has work left. */
struct notice_subscriber {
    const char *id;
    const struct contact *contacts;
    size_t contact_count;
    struct notice_try *tries; /* room for one more per contact */
    size_t try_count;
    struct utc acked; /* UTC_NONE */
    const struct notice_certificate *certificates;
    size_t certificate_count;
    int about; /* moved ones: the plan whose hours the message tells of; else 0 */
};

/* What the decision of whom to tell hangs on besides the clock: `news` is true when, after `seen`, somebody
 * wrote what an engine's own work does not (a plan, an acknowledgement, contacts, a hold ...), or a plan was
 * compared with what people were told; `seen` moves on. Costs the events since then. */
struct notice_seen {
    int64_t event, plan;
};
MUST_USE bool store_notice_news(struct store *s, int campaign, struct notice_seen *seen, bool *news,
                                struct fault *f);

/* Subscribers of a cohort with unsettled certificates, by id. */
MUST_USE bool store_notice_subscribers(struct store *s, int campaign, int cohort, struct arena *a,
                                       struct notice_subscriber **out, size_t *n, struct fault *f);

/* Those whose hour moved earlier than they were told (store_replan.h), with these certificates only, and only
 * the tries of that message. */
MUST_USE bool store_notice_moved(struct store *s, int campaign, int cohort, struct arena *a,
                                 struct notice_subscriber **out, size_t *n, struct fault *f);

/* The number of the notice to this contact, made when new, and the time it was first made. about: 0, or the
 * plan whose hours it tells of. */
MUST_USE bool store_notice_begin(struct store *s, const struct act *act, int cohort, const char *subscriber,
                                 int64_t contact, enum notice_kind kind, int about, int64_t *notice,
                                 struct utc *first, struct fault *f);

/* What became of tries. */
struct notice_result {
    int64_t notice;
    enum mail_outcome outcome;
    const char *text; /* the relay's words */
};
MUST_USE bool store_notice_tried(struct store *s, const struct act *act, const struct notice_result *results,
                                 size_t n, struct fault *f);

/* Records an acknowledgement; *first false when there was one. FAILED: no such subscriber in the campaign. */
MUST_USE bool store_ack(struct store *s, const struct act *act, const char *subscriber, const char *text,
                        bool *first, struct fault *f);

#endif
