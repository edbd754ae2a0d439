/* internal.h - the engine's state, shared by the files of engine/. Does not: leave engine/. */
#ifndef MASSREVOKE_ENGINE_INTERNAL_H
#define MASSREVOKE_ENGINE_INTERNAL_H

#include "massrevoke/breaker.h"
#include "massrevoke/canary.h"
#include "massrevoke/conduct.h"
#include "massrevoke/engine.h"
#include "massrevoke/executor.h"
#include "massrevoke/notifier.h"
#include "massrevoke/pace.h"
#include "massrevoke/store_notice.h"
#include "massrevoke/store_replan.h"
#include "massrevoke/store_report.h"

#include <poll.h>

#define ENGINE_COMMIT_MS 100    /* an outcome waits no longer for its commit (sentence 4) */
#define ENGINE_BEAT_MS 1000     /* between heartbeats while something long is heard out */
#define ENGINE_UNCOMMITTED 4000 /* outcomes in memory: with more nothing new goes out */

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How far a certificate of a claimed chunk has come. */
enum slot_stage {
    SLOT_OPEN,     /* nothing of it is at a door */
    SLOT_AT_DOOR,  /* sent or asked about, no answer yet */
    SLOT_ANSWERED, /* nothing more is done to it under this claim */
};

/* One certificate of a claimed chunk. What is sent comes from the re-hashed page, so it is what was signed.
 */
struct slot {
    const struct claim *claim;
    int64_t number, intent; /* UTC seconds of its first intent */
    struct serial serial;
    const char *file;   /* the certificate's, for doors that need it; NULL: none */
    int reason, issuer; /* issuer: index of settings, -1: not to be touched */
    struct utc date;    /* of the entry, as signed; UTC_NONE: when it is done */
    bool stranger;      /* known by a list only, at a CA that says yes to any serial */
    uint8_t state;      /* as claimed */
    uint8_t stage;      /* enum slot_stage */
    bool question;      /* at the door for its status, not to be revoked */
    bool outside;       /* the world is being asked about it: place `ask` of its work's asks */
    uint32_t ask;
};

struct slot_place {
    int64_t number;
    uint32_t slot;
};

/* A claim being worked on; lives in its own arena until it is given back. */
struct work {
    struct arena arena;
    struct claim *claims;
    size_t count;
    int ca;
    struct utc ready;          /* not before: the quiet time of what is in doubt */
    struct slot *slots;        /* in the order of the plan */
    struct slot_place *places; /* in the order of numbers */
    size_t slot_count;
    uint32_t *asks, *sends; /* slots to ask about and to revoke; [..._done, ..._count) have not gone out */
    size_t ask_count, asks_done, send_count, sends_done;
    size_t held_back;   /* the last of the room of `sends`: to be revoked when nothing else can (refused.c) */
    size_t at_door;     /* without an answer */
    size_t uncommitted; /* outcomes that wait in engine.pending */
    struct utc asks_outside; /* when the world is asked next, for a CA that tells no status */
    int64_t outside_gap;
    bool stopped; /* nothing more of it goes out: what is open goes back unsent */
    bool lost;    /* the session that claimed it is gone: its answers are kept, nothing is given back */
};

/* A certificate that a CA turned away by itself. */
struct refusal {
    int64_t number;
    int64_t taken; /* by the CA until then */
};

/* Does our heartbeat say that we send to a CA, and is our part of its limits ours already? */
enum line_use { LINE_OUT, LINE_ANNOUNCED, LINE_SHARED };

/* What goes on with one CA. */
struct line {
    struct engine *engine;
    int ca;
    struct pace pace;
    struct utc noted_at;       /* the second in which questions were noted last (engine_note_questions) */
    int64_t noted, notes_left; /* so many; of them not yet asked */
    enum line_use use;
    int engines, rank;          /* that send to it, and before us, as the last heartbeat told */
    int64_t opens_at;           /* ticks when all others know of us */
    int64_t used_at;            /* ticks when there was something to send */
    size_t requests, questions; /* at its door */
    bool halted;    /* it turned something away: nothing more goes out until all is heard and given back */
    bool met_doubt; /* some answer left open what happened */
    bool heard;     /* something was answered in this conversation */
    bool served;    /* and something of that clearly */
    bool idle;      /* nothing was due when it was claimed for last, in this turn */
    bool readable;  /* its door wants to step */
    bool yields;    /* a batch of its own waits for the door to be free: nothing else goes to it (alone.c) */
    int64_t stepped_at; /* ticks */
    struct fault wrong; /* what its door ended with */
    struct utc rest;    /* it turned requests away and is left alone until then */
    int64_t rest_seconds;
    struct utc status_rest; /* it did not tell the status of canaries and is not asked for it until then */
    bool silent;            /* and that is noted */
    int64_t taken;          /* requests that were answered clearly */
    struct refusal *refusals;
    size_t refusal_count;
    struct serial refused; /* the last in this conversation; n 0: none */
    bool one_only; /* what it turned away for our configuration is known to be one certificate's own */
    struct breaker breaker;
    bool breaker_changed;   /* and that is not written yet */
    char breaker_text[240]; /* the words that changed it */
};

/* A claim on its way through the store: first the chunks, then the rows of their pages. */
struct claiming {
    struct work *work; /* NULL: none */
    bool reads_rows;
    int *pages;
    size_t page_count;
};

/* An outcome to commit and the work it is of, NULL when that is forgotten. */
struct outcome {
    struct settlement item;
    struct work *work;
};

/* What the second connection is at. */
enum writing { WRITING_NOTHING, WRITING_OUTCOMES, WRITING_GIVE_BACK };

struct scope_cache; /* page digests that are what was signed (scope.c) */

/* Certificates of changes of reasons: to be sent or asked about, done and not seen yet, left to a person. */
struct reasons_left {
    int64_t to_do, unseen, person;
};

struct verifier_crl;
struct outside;  /* what looking outside remembers (look.h) */
struct alerting; /* causes and calls (alert.c) */

struct engine {
    struct engine_parts parts;
    struct arena arena;
    struct store *writer;    /* commits outcomes and gives back while parts.store claims and reads */
    struct store *beat;      /* only for the heartbeat: never behind anything else */
    int id;                  /* engine number of the session of parts.store; 0: none */
    int lock;                /* descriptor of its lock file; -1: it needs none, or has none yet */
    bool guarded;            /* that is settled for this session */
    struct engine_use *uses; /* room for what a heartbeat says, one a CA */
    unsigned only;
    int64_t checked_at, generation; /* ticks of the last heartbeat, and what it said */
    int64_t blind_until;            /* ticks; the last one failed right before something was to leave */
    struct line *lines;             /* per CA */
    struct claiming claiming;
    struct work **works; /* claimed, not yet given back */
    size_t work_count;
    struct outcome *pending; /* not yet committed; the first `writing_count` are under way */
    size_t pending_count, pending_room, writing_count;
    int64_t turn_ends;     /* ticks; nothing new is claimed in this turn from then on */
    int64_t pending_since; /* ticks when the oldest that is not under way came */
    enum writing writing;
    struct work **returning; /* being given back */
    size_t returning_count;
    struct ca_item *items; /* on their way to a door */
    size_t item_room;
    struct pollfd *polls;                 /* doors, and the connections that work */
    bool store_readable, writer_readable; /* the server has written to them, when they were polled last */
    struct scope_cache *scopes;
    int *barred; /* chunks not to be claimed in this turn */
    size_t barred_count;
    int *skip; /* chunks whose pages do not match what was signed */
    size_t skip_count;
    bool *dirty;           /* per issuer of settings: recorded since the last publication */
    struct utc *published; /* per issuer of settings: last publication by this engine */
    struct utc *asked_crl; /* per issuer: when the one under way was asked for; UTC_NONE: none is */
    struct utc last_full_look, last_pending_look;
    struct utc last_notify, notify_wake; /* when notices were decided last, and want to be again */
    struct notice_seen notice_seen;      /* what that decision knew of */
    struct span look_gap;                /* to the next look at what is pending; 0: a CRL of ours is new */
    int64_t recorded;                    /* not yet in a CRL we have seen, at the end of the last step */
    struct state_counts counts;          /* of the last step that reached its end */
    char warning[512];
    struct utc pace_checked; /* when the measured rate was held against the plan last */
    int64_t *planned_rate;   /* per CA, an hour, of the last plan this engine made; 0: none */
    char behind[512];
    size_t next_source; /* of replacements: the first to be read again */
    struct utc sources_read, lint_due;
    struct replacement_unlinted linting[LINT_AT_ONCE]; /* by the id of its process; serial.n 0: free */
    struct balance_round balance;
    struct utc balance_due; /* the next turn of the check of the ledger */
    bool saw_work;          /* something was left at an earlier step: the end is worth an event */
    struct arena canary_arena;
    struct canary *canaries; /* that have not shown themselves, as of this step */
    size_t canary_count;
    struct ca_answer *told; /* what a CA said of a canary when asked for its status after the wait */
    size_t told_count;
    struct utc
        *proving; /* per issuer of settings: since when something waits for a CRL as proof: canaries, doubt */
    struct reasons_left reasons; /* as of this step */
    struct mailbag *bag;         /* messages at the door */
    struct outside *outside;     /* NULL: nothing was looked at yet */
    struct alerting *alerting;   /* NULL: there is no door for alerts */
};

/* May it look whom the campaign tells? One that only executes may lack the right: it leaves plans, tasks and
 * their alerts to the others. */
bool engine_sees_people(const struct engine *e);

/* Act of the engine at its clock's now. */
struct act engine_act(const struct engine *e);

/* The same for acts of conduct.h, on the engine's campaign by number and name. */
struct conduct engine_conduct(const struct engine *e);

/* --- execute.c: the turn --- */

/* Claims, sends, asks, settles, gives back what is due now; returns after a second or two with requests still
 * under way, when there is more. */
MUST_USE bool engine_execute(struct engine *e, struct engine_report *r, struct fault *f);

/* A short turn beside something that waits for servers outside; *busy: there is more at once. */
MUST_USE bool engine_execute_beside(struct engine *e, struct engine_report *r, bool *busy, struct fault *f);

/* Takes the answers that are there, whatever the database does: they must not grow old at a door. */
void engine_hear(struct engine *e);

/* Hears out what is on the wire and commits it, gives everything back. */
MUST_USE bool engine_wind_up(struct engine *e, struct engine_report *r, struct fault *f);

/* When engine_execute has something to do with what is claimed; UTC_NONE: nothing is. */
struct utc engine_execute_next(const struct engine *e);

/* When a pace lets one through. */
struct utc engine_pace_next(const struct engine *e, struct pace *pace);

/* When the first CA takes requests again. */
struct utc engine_free_next(const struct engine *e);

/* Milliseconds of the clock. */
int64_t engine_ticks(const struct engine *e);

/* --- guard.c --- */

/* Takes the lock file of this session where a backend can overwrite dates; once a session. CONFLICT: an
 * engine of another host is in the way. */
MUST_USE bool engine_guard(struct engine *e, struct fault *f);

/* Lets go of it: what this session owned is a dead owner's from here on. */
void engine_unguard(struct engine *e, bool ended);

/* Engines that own chunks and are gone from this host are marked so; who is in the way becomes a warning. */
MUST_USE bool engine_relieve(struct engine *e, struct fault *f);

/* --- share.c --- */

/* The heartbeat: what others do is kept, and works stop whose claim no longer holds (a brake, or this session
 * lost its lock: then not *alive). */
MUST_USE bool engine_beat(struct engine *e, bool *alive, struct fault *f);

/* Sentence 3, right before something leaves: is the session alive, the generation the one of the claim? What
 * engine_beat finds stands in the works afterwards. `fresh`: not by what was seen a moment ago. */
MUST_USE bool engine_check(struct engine *e, bool fresh, struct fault *f);

/* The same for what a door is about to let go; false: it is not known. One look that failed is enough for all
 * that wait at a door. */
MUST_USE bool engine_still_holds(struct engine *e);

/* Fills the memory of a CA's pace with what others sent, or may have. */
MUST_USE bool engine_recall(struct engine *e, struct line *line, struct fault *f);

/* Makes it known to whoever comes to the CA later that we ask n questions there in this second, before they
 * leave; nothing where they do not count. In one second each further note is for as many as all before it, as
 * far as the pace allows. */
MUST_USE bool engine_note_questions(struct engine *e, int ca, int64_t n, struct fault *f);

/* How many may be asked now by what is noted: none when the note took until the next second. */
int64_t engine_noted(const struct engine *e, int ca);

/* Is a request of this kind one by which the CA's limits are counted? */
bool engine_counts(const struct engine *e, int ca, bool question);

/* So many go now: takes them from the pace, and questions from what is noted. */
void engine_take(struct engine *e, int ca, bool question, int64_t n);

/* There is something to send to a CA: *yes, it may go, as far as pace and breaker allow; else the others are
 * told, or know and are waited for, or the CA wants to be left alone until engine_joined_at, in ticks. */
MUST_USE bool engine_join(struct engine *e, int ca, bool *yes, struct fault *f);
int64_t engine_joined_at(const struct engine *e, const struct line *line);

/* The session is gone: it sends to no CA. */
void engine_leave_all(struct engine *e);

/* --- claim.c --- */

/* Chunks that must not be claimed in this turn. */
MUST_USE bool engine_find_barred(struct engine *e, struct fault *f);

/* Begins to claim for a CA; engine.claiming is busy then. */
MUST_USE bool engine_claim_begin(struct engine *e, int ca, int64_t most, struct fault *f);

/* Forgets a claim under way: the session is gone. */
void engine_claim_forget(struct engine *e);

/* Goes on with it; *moved: it came further. What was claimed and matches what was signed becomes a work. */
MUST_USE bool engine_claim_go_on(struct engine *e, bool wait, bool *moved, struct fault *f);

/* --- converse.c --- */

/* The milliseconds of the clock at which more of what is queued for a CA may go; INT64_MAX: nothing is. */
int64_t engine_feed_next(const struct engine *e, int ca);

/* Hands what may go to the CA's door; *moved: something went. */
MUST_USE bool engine_feed(struct engine *e, int ca, struct engine_report *r, bool *moved, struct fault *f);

/* Lets the door work and takes its answers. What goes wrong there is kept in the line. */
void engine_step_door(struct engine *e, int ca);

/* Certificates claimed for this CA, not answered and not at its door. */
int64_t engine_queued(const struct engine *e, int ca);

/* What an answer means for a certificate at a door, or one that needs no door. */
void engine_take_answer(struct engine *e, struct work *w, struct slot *slot, const struct ca_answer *answer);

/* The slot of a number; NULL: the work has none. */
struct slot *engine_slot(const struct work *w, int64_t number);

/* --- refused.c: certificates that a CA turns away by themselves --- */

/* Takes note of one; true: it is for a person, for the CA took others since it refused this one before, and
 * says that something is wrong with us. */
MUST_USE bool engine_note_refusal(struct line *line, const struct slot *slot, bool blames);

/* Puts a slot among those to be revoked: behind all others when it was turned away before. */
void engine_put_send(const struct engine *e, struct work *w, uint32_t slot);

/* Those that were held back may go, if nothing else of this CA is there to go or to be claimed. */
void engine_release_refused(struct engine *e, int ca);

/* --- doubt.c --- */

/* Has it questions that the CA cannot answer? */
bool engine_asks_outside(const struct engine *e, const struct work *w);

/* Asks this CA's every certificate of the world before its first request: the CA tells no status, and a
 * request may overwrite a date. */
bool engine_asks_first(const struct engine *e, int ca);

/* How many of this CA wait for an answer of the world. */
int64_t engine_waits_outside(const struct engine *e, int ca);

/* Wants CRLs for them, and gives back where their answers have grown old; true: a look is due, which takes
 * them along. */
bool engine_doubts(struct engine *e);

/* When the next look for them is due; UTC_NONE: there are none. */
struct utc engine_doubts_next(const struct engine *e);

/* --- breakers.c --- */

/* What was heard of a CA; while its breaker is open and this is an error the line is halted. */
void engine_breaker_hear(struct line *line, enum breaker_class c, const char *text);

/* Writes what has changed, as events; nothing may be under way on the first connection. */
MUST_USE bool engine_breakers_note(struct engine *e, struct fault *f);

/* Takes over the breakers that an earlier engine left open. */
MUST_USE bool engine_breakers_open(struct engine *e, struct fault *f);

/* --- settle.c --- */

/* Keeps an outcome until it is committed. */
void engine_keep(struct engine *e, const struct settlement *item, struct work *w);

/* Goes on with commits: outcomes at 1,000 or 100 ms (sentence 4) or, with `all`, at once; gives works back
 * whose outcomes are committed. With `wait` it ends only when nothing is under way. */
MUST_USE bool engine_settle(struct engine *e, bool all, bool wait, struct engine_report *r, bool *moved,
                            struct fault *f);

/* Is everything of this work heard and committed? */
bool engine_is_finished(const struct work *w);

/* Frees a work. */
void engine_free_work(struct engine *e, struct work *w);

/* The session is gone: nothing of it goes out or back; what is at a door is still heard. */
void engine_lose_works(struct engine *e);

/* A backend that cannot be reached stops neither the other CAs nor publishing and looking: warned of, true.
 * Not so the database: the step ends. */
bool engine_backend_away(struct engine *e, const struct fault *why);

/* --- scope.c --- */

/* Pages that these claims touch, ascending. */
size_t engine_touched(const struct claim *claims, size_t n, struct arena *a, int **pages);

/* Is each claim's page, as the certificate rows stand now, what was signed? bad[i] is set where not; dates[i]
 * is the signed date of its entries. */
MUST_USE bool engine_check_scope(struct engine *e, const struct claim *claims, size_t n, const int *pages,
                                 size_t page_count, const struct scoped *rows, size_t row_count,
                                 struct arena *a, bool *bad, struct utc *dates, struct fault *f);

/* Frees what it remembers. */
void engine_scopes_free(struct engine *e);

/* --- alone.c: a batch that a door is given while nothing else of ours is there --- */

#define ENGINE_REST 30 /* seconds that a CA which did not let such a one in is left alone */

struct alone {
    int ca;
    bool question; /* asked about, not revoked */
    const struct ca_item *items;
    struct ca_answer *answers; /* one for each; CA_ASK: the door gave none */
    size_t count;
    struct fault wrong;    /* what the door ended with */
    struct engine *engine; /* engine_alone's own, as the next */
    int64_t generation;
};

/* Nobody wants a door for himself; those that do say so anew in each step. */
void engine_alone_begin(struct engine *e);

/* Is the door free for one? If not, nothing new goes there until what is under way is answered. */
bool engine_alone_may(struct engine *e, int ca);

/* How many certificates it may hold now, `wanted` at most: by what others send, pace, breaker, window and
 * rest; *n 0: none. Questions are noted. */
MUST_USE bool engine_alone_room(struct engine *e, int ca, bool question, int64_t wanted, int64_t *n,
                                struct fault *f);

/* Hands the batch over and hears it out, which takes as long as the door's patience; what goes wrong at the
 * door is a warning and in `wrong`. False: the database is away, and the answers that came are there. */
MUST_USE bool engine_alone(struct engine *e, struct alone *b, struct fault *f);

/* --- the rest --- */

/* Carries out changes of reasons that are approved (`sends` false: only counts what is left); *wake: when it
 * wants to go on, UTC_NONE: nothing can be done. */
MUST_USE bool engine_reasons(struct engine *e, bool sends, struct utc *wake, struct fault *f);

/* Plans cohorts anew whose plan is not kept, and notes whom a plan moved earlier. */
MUST_USE bool engine_replan(struct engine *e, struct fault *f);

/* Reads lists of replacements again and runs the linter; *wake: when it wants to go on, UTC_NONE: no hurry.
 */
MUST_USE bool engine_replacements(struct engine *e, struct utc *wake, struct fault *f);

/* Who of the canaries proves what: lost ones are replaced, and a wait that is over ends, when the CA, asked
 * for their status if it tells any, says so. *wake: when it wants to go on, UTC_NONE: nothing waits. */
MUST_USE bool engine_canaries(struct engine *e, struct utc *wake, struct fault *f);

/* What the `n` sights of a judged CRL show of canaries: a contradiction stops their issuer. */
MUST_USE bool engine_canaries_seen(struct engine *e, const struct verifier_crl *judged, size_t n,
                                   struct fault *f);

/* Frees what they are known by. */
void engine_canaries_free(struct engine *e);

/* Publishes CRLs that are wanted. */
MUST_USE bool engine_publish(struct engine *e, struct engine_report *r, struct fault *f);

/* Fetches and judges what is pending and what is in doubt; `all`: what is published, too. */
MUST_USE bool engine_look(struct engine *e, bool all, struct engine_report *r, struct fault *f);

/* When engine_look wants to run next, given that something is pending. */
struct utc engine_look_due(const struct engine *e);

/* Asks responders on about the certificates in the queue that the last look made. */
MUST_USE bool engine_ask_responders(struct engine *e, struct engine_report *r, struct fault *f);

/* When politeness allows the next question; UTC_NONE: none waits. And how many wait. */
struct utc engine_ask_due(const struct engine *e);
int64_t engine_ask_left(const struct engine *e);

/* Frees what looking outside remembers; NULL is allowed. */
void outside_free(struct outside *o);

/* Sends notices that are due; *next is when it wants to run again. */
MUST_USE bool engine_notify(struct engine *e, struct engine_report *r, struct utc *next, struct fault *f);

/* Sends what the notifier says is due for one kind and cohort; *wake: when to ask again. */
MUST_USE bool engine_notify_cohort(struct engine *e, const struct cohort *cohort, enum notice_kind kind,
                                   struct utc start, bool dry_run, struct utc *wake,
                                   struct engine_notified *told, struct fault *f);

/* Takes the relay's answers without waiting; *busy: some are still owed. */
MUST_USE bool engine_mail_step(struct engine *e, struct engine_report *r, bool *busy, struct fault *f);

/* One message, complete. */
MUST_USE bool engine_compose(struct engine *e, const struct cohort *cohort, const struct rule *rule,
                             enum notice_kind kind, const struct notice_subscriber *sub,
                             const struct contact *contact, int64_t notice, struct utc first, struct arena *a,
                             struct str *eml, struct fault *f);

/* Frees what engine_notify kept. */
void engine_mailbag_free(struct engine *e);

/* Finds causes, raises and ends alerts, makes the calls that are due, beats; never waits. `over`: this is the
 * last step, so nothing is put off. *wake: when it wants to go on. */
MUST_USE bool engine_alert(struct engine *e, struct engine_report *r, bool over, struct utc *wake,
                           struct fault *f);

/* The same without a database: it is the cause. */
void engine_alert_lost(struct engine *e, struct engine_report *r, const char *why);

/* Makes what engine_alert needs; waits a moment for calls under way, then frees. */
void engine_alert_open(struct engine *e);
void engine_alert_close(struct engine *e);

/* Index into settings' issuers for the store's number; -1 when it is not configured. */
int engine_issuer_index(const struct engine *e, int issuer);

/* Seconds after which no request for this issuer of settings can still be executed. */
struct span engine_quiet(const struct engine *e, size_t issuer);

/* CA of an issuer index of settings. */
int engine_ca_of(const struct engine *e, int issuer_index);

#endif
