/* store_queue.h - what engines do: claim, settle, give back, expire (design section 3, sentences 1 to 7).
 *
 * The commit of store_claim is the durable intent for every item it returns as asked. Ownership is the
 * database session: an engine owns nothing after a reconnect and begins again with a new number.
 *
 * I/O. Does not: talk to a CA, keep what was seen outside (store_outside), or pace. Faults: UNAVAILABLE,
 * FAILED. */
#ifndef MASSREVOKE_STORE_QUEUE_H
#define MASSREVOKE_STORE_QUEUE_H

#include "massrevoke/certificate.h"
#include "massrevoke/outcome.h"
#include "massrevoke/scope.h"
#include "massrevoke/store_campaign.h"

/* Registers an engine in this session and takes its lock. */
MUST_USE bool store_engine_begin(struct store *s, int campaign, const char *host, int pid, const char *kind,
                                 struct utc at, int *engine, struct fault *f);

/* This engine is going to send for `issuers`, whose dates can be overwritten, under the lock file `path`,
 * which it holds. CONFLICT: an engine of another host lives, or left something of theirs under way; that does
 * not count when `gone` says why its host is gone for good, which is an event. */
MUST_USE bool store_engine_guard(struct store *s, const struct act *act, int engine, const int *issuers,
                                 size_t n, const char *path, const char *gone, struct fault *f);

/* An engine whose chunks nobody may take before its lock file is found free. */
struct engine_owner {
    int engine;
    const char *host, *lock_file;
};
MUST_USE bool store_engine_owners(struct store *s, int campaign, int engine, struct arena *a,
                                  struct engine_owner **out, size_t *n, struct fault *f);
MUST_USE bool store_engine_freed(struct store *s, int engine, struct fault *f);

/* A CA that an engine sends to, by its name in the configuration, which means the same CA in all campaigns of
 * the store. */
struct engine_use {
    const char *ca;
    struct utc away; /* in: it wants to be left alone until then; out: the latest of what all engines know */
    int engines, rank; /* out: so many send to it, this one among them, and so many of those came before */
};

/* Heartbeat over the second connection; ends engines that stood still for 30 s of the server's clock. *alive:
 * this engine's session still holds its lock. From here on it sends to these n CAs and no other: an engine
 * whose heartbeat begins later sees that. */
MUST_USE bool store_engine_beat(struct store *s, int campaign, int engine, struct utc at,
                                struct engine_use *uses, size_t n, bool *alive, int64_t *generation,
                                struct fault *f);

/* The engine says goodbye; one that is gone without is told by an alert. */
MUST_USE bool store_engine_end(struct store *s, int engine, struct utc at, struct fault *f);

/* Does an engine of this campaign run now? */
MUST_USE bool store_engine_runs(struct store *s, int campaign, bool *yes, struct fault *f);

/* Does any massrevoke session of this server hold an engine's lock? */
MUST_USE bool store_engines_work(const char *conninfo, bool *yes, struct fault *f);

/* One claimed chunk. */
struct claim {
    int chunk, plan, cohort, issuer, epoch;
    int64_t generation; /* of the campaign, read in the claim's transaction */
    size_t count;
    int64_t *numbers;
    uint8_t *states;  /* bytes of model/certificate.def: asked, doubt (with notes), or nothing to do */
    int64_t *intents; /* UTC seconds of the first intent for each number */
};

/* Claims due chunks of CA `ca` up to `most` certificates (at least one chunk when one is due); chunks in
 * `skip` are left alone. *n may be 0: nothing due, paused, or all taken. */
MUST_USE bool store_claim(struct store *s, const struct act *act, int engine, int ca, int64_t most,
                          const int *skip, size_t skip_count, struct arena *a, struct claim **out, size_t *n,
                          struct fault *f);

/* The same in two halves: what one connection does while another works. Nothing else may be done on the
 * connection between them. *done is false while the server is at it, unless `wait`. */
MUST_USE bool store_claim_send(struct store *s, const struct act *act, int engine, int ca, int64_t most,
                               const int *skip, size_t skip_count, struct fault *f);
MUST_USE bool store_claim_receive(struct store *s, bool wait, struct arena *a, struct claim **out, size_t *n,
                                  bool *done, struct fault *f);

/* One outcome to commit. */
struct settlement {
    int chunk, epoch;
    int64_t number;
    enum ca_outcome outcome;
    enum certificate_event event; /* what it means for the ledger */
    struct utc ca_at;
    int ca_reason; /* -1 unknown */
};

/* Commits outcomes (at most a few thousand a call); *stray counts events that had no edge. */
MUST_USE bool store_settle(struct store *s, const struct act *act, const struct settlement *items, size_t n,
                           int64_t *stray, struct fault *f);

/* In two halves, as a claim. */
MUST_USE bool store_settle_send(struct store *s, const struct act *act, const struct settlement *items,
                                size_t n, struct fault *f);
MUST_USE bool store_settle_receive(struct store *s, bool wait, int64_t *stray, bool *done, struct fault *f);

/* Gives chunks of this engine back; what is still asked returns to due. */
MUST_USE bool store_give_back(struct store *s, const struct act *act, int engine, const int *chunks, size_t n,
                              struct fault *f);

/* In two halves, as a claim. */
MUST_USE bool store_give_back_send(struct store *s, const struct act *act, int engine, const int *chunks,
                                   size_t n, struct fault *f);
MUST_USE bool store_give_back_receive(struct store *s, bool wait, bool *done, struct fault *f);

/* Requests to a CA at one second. */
struct recent_sends {
    struct utc at;
    int64_t n;
    bool answered; /* else so many may have been sent, at any time until then; also questions */
};

/* Those after `since`, of all campaigns of the store, oldest first. What is asked or in doubt in a chunk that
 * is claimed, by another engine than this one, may have been sent as long as its owner lived. Questions by
 * the CA's name, as store_question_note has them. */
MUST_USE bool store_recent_sends(struct store *s, struct utc since, struct utc now, int engine, int ca,
                                 const char *name, struct arena *a, struct recent_sends **out, size_t *n,
                                 struct fault *f);

/* This engine is about to ask a CA at most so many questions more in the second `now`, where they count among
 * its requests. What was noted before `keep` is forgotten. */
MUST_USE bool store_question_note(struct store *s, const char *ca, struct utc now, struct utc keep,
                                  int engine, int64_t n, struct fault *f);

/* Certificates whose notAfter is before act->at and that are not revoked become expired; *n of them. */
MUST_USE bool store_expire(struct store *s, const struct act *act, int64_t *n, struct fault *f);

/* Numbers of active holds whose end is not after `at`. */
MUST_USE bool store_holds_ended(struct store *s, int campaign, struct utc at, struct arena *a, int **out,
                                size_t *n, struct fault *f);

/* What is known of a certificate besides its serial. */
struct certificate_file {
    int64_t number;
    const char *file; /* certificate_file of the inventory; "" when it names none */
    bool known;       /* stands in the inventory or was supplied itself, not only in a list */
};

/* Of these numbers, ascending; those that the campaign does not have are left out. */
MUST_USE bool store_certificate_files(struct store *s, int campaign, const int64_t *numbers, size_t count,
                                      struct arena *a, struct certificate_file **out, size_t *n,
                                      struct fault *f);

/* Certificate rows of these pages as they stand now, in number order, for re-hashing. */
MUST_USE bool store_page_rows(struct store *s, int campaign, const int *pages, size_t page_count,
                              struct arena *a, struct scoped **out, size_t *n, struct fault *f);

/* In two halves, as a claim. */
MUST_USE bool store_page_rows_send(struct store *s, int campaign, const int *pages, size_t page_count,
                                   struct fault *f);
MUST_USE bool store_page_rows_receive(struct store *s, bool wait, struct arena *a, struct scoped **out,
                                      size_t *n, bool *done, struct fault *f);

/* Page digests of a cohort as stored, ascending by page. */
MUST_USE bool store_page_scopes(struct store *s, int campaign, int cohort, struct arena *a,
                                struct page_scope **out, size_t *n, struct fault *f);

/* When the engine must look again; chunks in `skip` are as if they were not there, but for their certificates
 * that are not revoked: those are counted. */
struct queue_next {
    struct utc due;       /* earliest ready chunk; UTC_NONE: none */
    int64_t claimed;      /* chunks that some engine owns */
    struct utc expiry;    /* earliest notAfter of what is not revoked */
    struct utc hold_ends; /* earliest end of an active hold */
    int64_t refused;      /* waiting, due, asked or in doubt, in chunks of `skip` */
};
MUST_USE bool store_next(struct store *s, int campaign, const int *skip, size_t skip_count,
                         struct queue_next *out, struct fault *f);

/* Numbered certificates of started cohorts, summed over their pages. */
struct state_counts {
    int64_t n[BUCKET_COUNT];
    int64_t needs_person;  /* of those not revoked */
    int64_t unseen;        /* of the pending ones: the CA has them, no object that we fetched does */
    int64_t not_checkable; /* of the pending ones: without any pointer */
};
MUST_USE bool store_state_counts(struct store *s, int campaign, struct state_counts *out, struct fault *f);

/* A certificate of a started cohort that is not settled. */
struct leftover {
    enum certificate_state state;
    struct serial serial;
    const char *subscriber;
    bool checkable;
};

/* At most `most` of them in number order; *total is how many there are. */
MUST_USE bool store_leftover(struct store *s, int campaign, int64_t most, struct arena *a,
                             struct leftover **out, size_t *n, int64_t *total, struct fault *f);

/* Marks every started cohort whose deadline lies before act->at with work of its own left: it stays missed.
 * Must be called before anything moves on at that time. */
MUST_USE bool store_mark_missed(struct store *s, const struct act *act, struct fault *f);

#endif
