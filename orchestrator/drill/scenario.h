/* scenario.h - a drill's scenario file as one value: people, faults, what is expected.
 *
 * Read through the guard around libconfig, every problem at once with file and line. Times of a scenario
 * count from receipt. I/O only to read the file. Does not: run anything, or know a clock. Sources: BR 5.7.1.2
 * (elements of a mass revocation plan, yearly test). Called by: drill. */
#ifndef DRILL_SCENARIO_H
#define DRILL_SCENARIO_H

#include "massrevoke/arena.h"
#include "massrevoke/digest.h"
#include "massrevoke/guard.h"
#include "massrevoke/reporter.h"

/* What a contact does with a message. */
enum reaction { REACTION_SILENT, REACTION_ANSWERS, REACTION_REFUSED };

/* One contact's manners: it answers `after` on average, half as long to half as long again. */
struct scenario_voice {
    enum reaction reaction;
    struct span after;
};

/* What a share (in percent) of the subscribers is like. */
struct scenario_behaviour {
    const char *name;
    int share;
    struct scenario_voice primary, backup;
};

enum inject_kind {
#define INJECT(id, name) INJECT_##id,
#include "injects.def"
#undef INJECT
    INJECT_KIND_COUNT
};

/* Something that happens. */
struct scenario_inject {
    const char *id, *to, *text;
    struct span at, lasts; /* lasts 0: to the end */
    enum inject_kind kind;
    int count, percent;
};

enum metric_kind { METRIC_COUNT, METRIC_SPAN, METRIC_SINCE, METRIC_WORD };
enum expectation_op { OP_EQUAL, OP_AT_MOST, OP_AT_LEAST };

/* What must have come true at the end. */
struct scenario_expectation {
    const char *id, *text, *what;
    enum metric_kind kind;
    enum expectation_op op;
    int64_t number;    /* count, or seconds */
    const char *word;  /* WORD */
    const char *value; /* as written */
};

struct scenario {
    const char *file, *name, *title, *source;
    struct digest digest; /* of the file's bytes */
    uint64_t seed;
    int certificates, subscribers, expire_first; /* certificates: with those that are found late */
    int late;                                    /* sum of what the injects find late */
    const char *rule, *profile;
    const char *profile_path;         /* NULL, or the absolute path where `profile` is a path */
    const struct guard_node *changes; /* values that replace the profile's; given or not */
    struct rate rate;                 /* of the CA */
    struct utc received;
    struct span begins, approval,
        duration; /* opened at; from a request to its signatures; end of the exercise */
    const struct scenario_behaviour *behaviours;
    size_t behaviour_count;
    const struct scenario_inject *injects; /* ascending */
    size_t inject_count;
    const struct scenario_expectation *expectations;
    size_t expectation_count;
    const char *elements[REPORTER_ELEMENTS]; /* of BR 5.7.1.2; NULL: not exercised */
};

/* Reads it. CONFIG: the file cannot be read, or lists every problem as "file:line: key: problem". */
MUST_USE bool scenario_read(const char *path, struct arena *a, struct scenario *out, struct fault *f);

/* The same from bytes; `folder` as for guard_read. */
MUST_USE bool scenario_parse(const char *name, const char *folder, struct str bytes, struct arena *a,
                             struct scenario *out, struct fault *f);

/* "message", "ca_down", ...; static. */
const char *inject_name(enum inject_kind kind);

#endif
