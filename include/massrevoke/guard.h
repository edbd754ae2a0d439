/* guard.h - the guard around libconfig: bytes against a schema table, every problem at once.
 *
 * libconfig 1.5 reads 3000000000 as a negative number, an unclosed comment as an empty file and a misspelt
 * key as nothing at all. So a lexer looks at the bytes first (numbers beyond 32 bits without L, unclosed
 * comments, quotes and brackets, duplicate keys, NUL, text that is not UTF-8), then libconfig parses, then
 * the tree is walked against a table, and only values that passed come out. Used for massrevoke.cfg, rules,
 * profiles and drill scenarios. I/O only for @include. Does not: keep libconfig's tree, print, or know what a
 * key means. Called by: config/settings, model/rules, model/profile, drill. */
#ifndef MASSREVOKE_GUARD_H
#define MASSREVOKE_GUARD_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

#define GUARD_FILE_MAX ((size_t)1024 * 1024) /* bytes of one configuration file */

/* What a value must be. */
enum guard_type {
    GUARD_BOOL,  /* true or false */
    GUARD_INT,   /* min..max is the value */
    GUARD_TEXT,  /* not empty; min..max is the length in bytes */
    GUARD_SPAN,  /* "36h"; min..max in seconds */
    GUARD_RATE,  /* "320/h" */
    GUARD_TIME,  /* "2026-11-22T14:41Z" */
    GUARD_PATH,  /* made absolute from the file's folder; ${CREDENTIALS_DIRECTORY}/ is expanded */
    GUARD_TEXTS, /* [ "a", "b" ]; min..max is how many */
    GUARD_GROUP, /* { ... } with `keys` */
    GUARD_LIST,  /* ( { ... }, { ... } ) with `keys`; min..max is how many */
    GUARD_TYPE_COUNT
};

/* One row of a schema; a row without name ends the table. min and max both 0: no limit. */
struct guard_key {
    const char *name;
    enum guard_type type;
    bool required;
    int64_t min, max;
    const struct guard_key *keys;
    const char *const *words; /* GUARD_TEXT: the only words allowed, ended by NULL */
};

/* The first row of every schema: a file that lost its head is noticed. */
#define GUARD_VERSION                                                                                        \
    {                                                                                                        \
        .name = "version", .type = GUARD_INT, .required = true, .min = 1, .max = 1                           \
    }

/* The rows of a file of dated data: which document it restates, in which version, since when. */
#define GUARD_DOCUMENT                                                                                       \
    {.name = "document", .type = GUARD_TEXT, .required = true, .min = 1, .max = 80},                         \
        {.name = "document_version", .type = GUARD_TEXT, .required = true, .min = 1, .max = 20},             \
    {                                                                                                        \
        .name = "effective", .type = GUARD_TIME, .required = true                                            \
    }

/* One value that passed, or a place where none stands (`given` false). A group has one node for each row of
 * its schema, a list one for each element. Owned by the arena of the reading. */
struct guard_node {
    bool given;
    const char *path; /* "cas[0].rate" */
    const char *file;
    int line; /* of an absent key: the line of its group */
    const struct guard_key *key;
    int64_t number; /* BOOL, INT, SPAN, TIME */
    struct rate rate;
    const char *text; /* TEXT, PATH */
    const struct guard_node *inside;
    size_t count;
};

/* Problems of one or several readings, as "file:line: key: problem", control characters replaced. Start with
 * `{.arena = a}`. More than 200 are counted, not kept. */
struct guard_problems {
    struct arena *arena;
    const char **lines;
    size_t kept, count;
};

/* One reading. */
struct guard {
    struct arena *arena;
    struct guard_problems *problems;
    const char *name;   /* of the file, for messages */
    const char *folder; /* absolute; NULL for embedded bytes: then neither @include nor relative paths */
    struct guard_node root;
};

/* Reads bytes as `name` against the schema; everything lives in p->arena. Problems are added to *p and the
 * getters then give what passed; true when this reading added none. */
bool guard_read(struct guard *g, const char *name, const char *folder, struct str bytes,
                const struct guard_key *schema, struct guard_problems *p);

/* Adds a problem found by the caller at a node. */
void guard_problem(struct guard *g, const struct guard_node *at, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds one line that has no place in a file. */
void guard_problems_add(struct guard_problems *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* True when there is no problem; else CONFIG with as many lines as the fault holds and how many more. */
MUST_USE bool guard_clean(const struct guard_problems *p, struct fault *f);

/* The node of a key; asking for a key the schema does not have is a bug and ends the process. */
const struct guard_node *guard_get(const struct guard_node *group, const char *key);

/* Values of a group's keys; `fallback` where the key is not given. Text lives as long as the arena. */
bool guard_bool(const struct guard_node *group, const char *key, bool fallback);
int64_t guard_int(const struct guard_node *group, const char *key, int64_t fallback);
const char *guard_text(const struct guard_node *group, const char *key, const char *fallback);
struct span guard_span(const struct guard_node *group, const char *key, struct span fallback);
struct rate guard_rate(const struct guard_node *group, const char *key, struct rate fallback);
struct utc guard_time(const struct guard_node *group, const char *key, struct utc fallback);

#endif
