/* milestone.h - the anchors of a clock, and the tasks that people have to do by it.
 *
 * An anchor is a moment that somebody knows of: when the report was received, acknowledged, confirmed, when
 * the scope was known, issuance stopped and the fault fixed. Only `received` moves a deadline (BR 4.9.5); the
 * others are told in reports. A milestone is a row of dated data (plans/clocks): what is due so long after
 * which point of a campaign. Tasks are milestones worked out for a campaign at a moment, with what people
 * said about them; what the program knows itself closes them without anybody. Pure, but for milestones_read
 * (I/O only for an override). Does not: keep anchors or tasks (store_clock.h), move a deadline (conduct.h),
 * or print. Sources: BR 4.9.5, CCADB Incident Reporting Guidelines, root program policies; each row names its
 * own. Called by: store, engine, reporter, cli. */
#ifndef MASSREVOKE_MILESTONE_H
#define MASSREVOKE_MILESTONE_H

#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

enum anchor {
    ANCHOR_RECEIVED,
    ANCHOR_ACKNOWLEDGED,
    ANCHOR_CONFIRMED,
    ANCHOR_SCOPE,
    ANCHOR_STOPPED,
    ANCHOR_FIXED,
    ANCHOR_COUNT
};

/* "received", "acknowledged", ...; static. */
const char *anchor_name(enum anchor anchor);

/* Reverse; ANCHOR_COUNT when there is none. */
enum anchor anchor_from_name(struct str name);

/* May this anchor be at `at`, beside the `known` ones (UTC_NONE: not known) and when the first affected
 * certificate was issued (UTC_NONE: not known)? REFUSED names both sides of an impossible order. */
MUST_USE bool anchor_check(enum anchor anchor, struct utc at, const struct utc known[static ANCHOR_COUNT],
                           struct utc first_issued, struct fault *f);

enum task_role {
    TASK_COMMANDER,
    TASK_COMPLIANCE,
    TASK_COMMUNICATIONS,
    TASK_OPERATIONS,
    TASK_LEGAL,
    TASK_ENGINEERING,
    TASK_ROLE_COUNT
};

/* "commander", ...; static. */
const char *task_role_name(enum task_role role);

/* What a task's time counts from. */
enum milestone_point {
    POINT_RECEIVED,
    POINT_FIRST_NOTICE,  /* the latest that the profile allows; without notices the first slot, dealt or
                            allowed */
    POINT_BACKUP_NOTICE, /* first_notice and the silence the profile bears; not without notices */
    POINT_FIRST_SLOT,    /* as dealt */
    POINT_START,
    POINT_DEADLINE,
    POINT_MISS,  /* since when a missed deadline is known or planned */
    POINT_EVENT, /* something arrives; never known beforehand */
    POINT_COUNT
};

/* What the program knows by itself. */
enum milestone_fact {
    FACT_NONE,
    FACT_STOPPED, /* the anchors of that name */
    FACT_SCOPE,
    FACT_PLANNED,
    FACT_APPROVED,
    FACT_STARTED,
    FACT_TOLD,    /* a first notice was accepted */
    FACT_BACKUPS, /* no silent subscriber with a backup contact that was not tried */
    FACT_CANARY,  /* every canary has spoken */
    FACT_SETTLED, /* nothing is left to do */
    FACT_COUNT
};

/* For whom a row makes a task. */
enum milestone_per { PER_CAMPAIGN, PER_RECEIPT, PER_COHORT, PER_COUNT };

/* One row of plans/clocks. */
struct milestone {
    const char *id, *title, *section;
    enum task_role role;
    enum milestone_point from;
    struct span after; /* negative: before the point */
    struct span every; /* 0: once */
    enum milestone_per per;
    enum milestone_fact done;
    const char *document, *version, *effective;
    struct digest digest; /* of the file's bytes */
};

/* All rows, in the order of files and rows. CONFIG lists every problem. Values live in `a`. */
MUST_USE bool milestones_read(const char *plans_dir, struct arena *a, const struct milestone **rows,
                              size_t *count, struct fault *f);

/* A campaign (cohort 0) or one of its cohorts, as far as tasks depend on it. */
struct milestone_subject {
    int cohort;
    struct utc points[POINT_COUNT]; /* UTC_NONE: not known, so no task hangs on it */
    bool facts[FACT_COUNT];
    struct utc fact_at[FACT_COUNT]; /* UTC_NONE when nobody kept it */
};

/* One task. Named "preliminary", "update-2" (the second of a repeated one), "start:1" (of cohort 1). */
struct task {
    const char *name, *title, *section, *document; /* document: with its version */
    int cohort;                                    /* 0: the campaign's */
    enum task_role role;
    struct utc due, done_at; /* done_at UTC_NONE when open, or when it is not known */
    bool done;
    bool by_program;                     /* a fact closes it; a person only with a reason */
    const char *person, *done_by, *note; /* "" when nobody said; done_by "massrevoke": a fact */
};

/* Works out the tasks of a campaign. subjects[0] is the campaign, the others its cohorts; `said` is what
 * people recorded, as tasks: persons, and those done, which keep the due time and title they were done under.
 * A repeated task has one open instance, until subjects[0] is settled. Open ones first, each by due time and
 * name. */
void milestone_tasks(const struct milestone *rows, size_t row_count, const struct milestone_subject *subjects,
                     size_t subject_count, const struct task *said, size_t said_count, struct arena *a,
                     struct task **out, size_t *count);

/* Is it open, and its time past? */
bool task_is_overdue(const struct task *t, struct utc now);

/* The task with that name, or the only one whose name begins with it and ':' or '-'; open ones before done
 * ones. FAILED: none, or several, which the fault lists. */
MUST_USE bool task_find(const struct task *tasks, size_t count, const char *name, const struct task **out,
                        struct fault *f);

#endif
