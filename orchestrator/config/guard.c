#include "massrevoke/guard.h"
#include "lint.h"
#include "massrevoke/file.h"
#include "massrevoke/nearest.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_KEPT 200

static const char *const expected[GUARD_TYPE_COUNT] = {
    [GUARD_BOOL] = "true or false",
    [GUARD_INT] = "a whole number",
    [GUARD_TEXT] = "a text in quotes",
    [GUARD_SPAN] = "a length of time in quotes, as \"36h\"",
    [GUARD_RATE] = "a rate in quotes, as \"320/h\"",
    [GUARD_TIME] = "a time in quotes, as \"2026-11-22T14:41Z\"",
    [GUARD_PATH] = "a path in quotes",
    [GUARD_TEXTS] = "texts in brackets, as [ \"a\", \"b\" ]",
    [GUARD_GROUP] = "a group { ... }",
    [GUARD_LIST] = "a list of groups ( { ... }, { ... } )",
};

static void add_line(struct guard_problems *p, char *line)
{
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* foreign bytes must not steer the terminal */
    if (p->lines == NULL)
        p->lines = arena_array(p->arena, PROBLEMS_KEPT, sizeof *p->lines);
    if (p->kept < PROBLEMS_KEPT)
        p->lines[p->kept++] = line;
    p->count++;
}

void guard_problems_add(struct guard_problems *p, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_line(p, arena_text(p->arena, text));
}

void guard_problem(struct guard *g, const struct guard_node *at, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    guard_problems_add(g->problems, "%s:%d: %s%s%s", at->file, at->line, at->path,
                       at->path[0] == '\0' ? "" : ": ", text);
}

bool guard_clean(const struct guard_problems *p, struct fault *f)
{
    if (p->count == 0)
        return true;
    char text[sizeof f->text];
    size_t used = 0, shown = 0;
    for (; shown < p->kept; shown++) {
        size_t n = strlen(p->lines[shown]);
        if (used + n + 40 > sizeof text)
            break;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", shown == 0 ? "" : "\n",
                                 p->lines[shown]);
    }
    if (shown == 0)
        used = (size_t)snprintf(text, sizeof text, "%.900s", p->lines[shown++]);
    if (shown < p->count)
        snprintf(text + used, sizeof text - used, "\nand %zu more", p->count - shown);
    return fault_set(f, FAULT_CONFIG, "%s", text);
}

/* -- values ---------------------------------------------------------------------------------------------- */

static bool in_range(const struct guard_key *k, int64_t value)
{
    return (k->min == 0 && k->max == 0) || (value >= k->min && value <= k->max);
}

static void read_number(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    n->number =
        config_setting_type(s) == CONFIG_TYPE_INT64 ? config_setting_get_int64(s) : config_setting_get_int(s);
    if (!in_range(n->key, n->number))
        guard_problem(g, n, "%lld is out of range (%lld to %lld)", (long long)n->number,
                      (long long)n->key->min, (long long)n->key->max);
}

static void read_text(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    n->text = arena_text(g->arena, config_setting_get_string(s));
    size_t length = strlen(n->text);
    if (length == 0)
        guard_problem(g, n, "the text is empty; leave the key out instead");
    else if (!in_range(n->key, (int64_t)length))
        guard_problem(g, n, "%zu bytes long (%lld to %lld allowed)", length, (long long)n->key->min,
                      (long long)n->key->max);
    if (n->key->words == NULL || length == 0)
        return;
    struct nearest near = {.wanted = n->text};
    AUTO_BUF known = {0};
    for (const char *const *w = n->key->words; *w != NULL; w++) {
        if (strcmp(*w, n->text) == 0)
            return;
        nearest_offer(&near, *w);
        buf_format(&known, "%s%s", known.n == 0 ? "" : ", ", *w);
    }
    guard_problem(g, n, "unknown value '%.60s'%s%s (known: %s)", n->text, near.word ? ", did you mean " : "",
                  near.word ? near.word : "", known.p);
}

/* Span, rate and time: the strict parsers of time.h, their words and hint as the problem. */
static void read_parsed(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    const char *text = config_setting_get_string(s);
    struct fault f;
    struct span span = {0};
    struct utc time = {0};
    bool ok = n->key->type == GUARD_SPAN   ? span_parse(text, &span, &f)
              : n->key->type == GUARD_RATE ? rate_parse(text, &n->rate, &f)
                                           : utc_parse(text, &time, &f);
    n->number = n->key->type == GUARD_SPAN ? span.s : time.s;
    if (!ok)
        guard_problem(g, n, "%s (%s)", f.text, f.hint);
    else if (n->key->type == GUARD_SPAN && !in_range(n->key, n->number))
        guard_problem(g, n, "'%.40s' is out of range (%llds to %llds)", text, (long long)n->key->min,
                      (long long)n->key->max);
}

static void read_path(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    static const char variable[] = "${CREDENTIALS_DIRECTORY}/";
    read_text(g, s, n);
    const char *folder = g->folder, *name = n->text;
    if (strncmp(name, variable, sizeof variable - 1) == 0) {
        folder = getenv("CREDENTIALS_DIRECTORY");
        name += sizeof variable - 1;
        if (folder == NULL || folder[0] != '/') {
            guard_problem(g, n, "CREDENTIALS_DIRECTORY is not set (systemd sets it for LoadCredential=)");
            return;
        }
    } else if (strstr(name, "${") != NULL) {
        guard_problem(g, n, "only ${CREDENTIALS_DIRECTORY}/ at the start is expanded");
    }
    if (folder == NULL && name[0] != '/')
        guard_problem(g, n, "a relative path has no meaning here");
    n->text = file_join(g->arena, folder, name);
}

static void walk_group(struct guard *g, config_setting_t *s, const struct guard_key *keys,
                       struct guard_node *n);

/* A node for the i-th element of a list. */
static struct guard_node element(struct guard *g, const struct guard_node *list, config_setting_t *s, int i)
{
    return (struct guard_node){.given = true,
                               .path = arena_format(g->arena, "%s[%d]", list->path, i),
                               .file = list->file,
                               .line = (int)config_setting_source_line(s),
                               .key = list->key};
}

static void read_list(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    bool texts = n->key->type == GUARD_TEXTS;
    int count = config_setting_length(s), wanted = texts ? CONFIG_TYPE_STRING : CONFIG_TYPE_GROUP;
    struct guard_node *nodes = arena_array(g->arena, (size_t)count, sizeof *nodes);
    if (!in_range(n->key, count))
        guard_problem(g, n, "%d entries (%lld to %lld allowed)", count, (long long)n->key->min,
                      (long long)n->key->max);
    for (int i = 0; i < count; i++) {
        config_setting_t *one = config_setting_get_elem(s, (unsigned)i);
        nodes[i] = element(g, n, one, i);
        if (config_setting_type(one) != wanted)
            guard_problem(g, &nodes[i], "expected %s", expected[texts ? GUARD_TEXT : GUARD_GROUP]);
        else if (!texts)
            walk_group(g, one, n->key->keys, &nodes[i]);
        else if ((nodes[i].text = arena_text(g->arena, config_setting_get_string(one)))[0] == '\0')
            guard_problem(g, &nodes[i], "the text is empty");
        if (!texts && nodes[i].inside == NULL)
            walk_group(g, NULL, n->key->keys, &nodes[i]);
    }
    n->inside = nodes;
    n->count = (size_t)count;
}

static void read_group(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    walk_group(g, s, n->key->keys, n);
}

static void read_bool(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    (void)g;
    n->number = config_setting_get_bool(s);
}

/* What each type looks like to libconfig (a bit for each of its types), and who reads it. */
#define LC(type) (1U << CONFIG_TYPE_##type)
static const struct {
    unsigned accepts;
    void (*read)(struct guard *, config_setting_t *, struct guard_node *);
} types[GUARD_TYPE_COUNT] = {
    [GUARD_BOOL] = {LC(BOOL), read_bool},     [GUARD_INT] = {LC(INT) | LC(INT64), read_number},
    [GUARD_TEXT] = {LC(STRING), read_text},   [GUARD_SPAN] = {LC(STRING), read_parsed},
    [GUARD_RATE] = {LC(STRING), read_parsed}, [GUARD_TIME] = {LC(STRING), read_parsed},
    [GUARD_PATH] = {LC(STRING), read_path},   [GUARD_TEXTS] = {LC(ARRAY) | LC(LIST), read_list},
    [GUARD_GROUP] = {LC(GROUP), read_group},  [GUARD_LIST] = {LC(LIST), read_list},
};

/* -- the walk -------------------------------------------------------------------------------------------- */

static const char *child_path(struct guard *g, const struct guard_node *group, const char *key)
{
    return arena_format(g->arena, "%s%s%s", group->path, group->path[0] == '\0' ? "" : ".", key);
}

/* libconfig names an included file as it was written, and the main file not at all. */
static const char *file_name(struct guard *g, const char *included)
{
    return included == NULL ? g->name : file_join(g->arena, g->folder, included);
}

static void unknown_key(struct guard *g, config_setting_t *s, const struct guard_node *group,
                        const struct guard_key *keys)
{
    const char *key = config_setting_name(s);
    struct nearest near = {.wanted = key};
    for (const struct guard_key *k = keys; k->name != NULL; k++)
        nearest_offer(&near, k->name);
    guard_problems_add(g->problems, "%s:%d: %s: unknown key%s%s", file_name(g, config_setting_source_file(s)),
                       (int)config_setting_source_line(s), child_path(g, group, key),
                       near.word ? ", did you mean " : "", near.word ? near.word : "");
}

static void walk_member(struct guard *g, config_setting_t *s, struct guard_node *n)
{
    n->given = true;
    n->file = file_name(g, config_setting_source_file(s));
    n->line = (int)config_setting_source_line(s);
    if ((types[n->key->type].accepts >> config_setting_type(s) & 1) == 0) {
        n->given = false;
        guard_problem(g, n, "expected %s", expected[n->key->type]);
        return;
    }
    types[n->key->type].read(g, s, n);
}

/* Fills one node for each row of `keys`; s NULL: an absent group, whose rows are all absent. */
static void walk_group(struct guard *g, config_setting_t *s, const struct guard_key *keys,
                       struct guard_node *n)
{
    size_t rows = 0;
    while (keys[rows].name != NULL)
        rows++;
    struct guard_node *nodes = arena_array(g->arena, rows, sizeof *nodes);
    for (size_t i = 0; i < rows; i++)
        nodes[i] = (struct guard_node){
            .path = child_path(g, n, keys[i].name), .file = n->file, .line = n->line, .key = &keys[i]};
    n->inside = nodes;
    n->count = rows;
    for (int m = 0; s != NULL && m < config_setting_length(s); m++) {
        config_setting_t *member = config_setting_get_elem(s, (unsigned)m);
        size_t i = 0;
        while (i < rows && strcmp(keys[i].name, config_setting_name(member)) != 0)
            i++;
        if (i == rows)
            unknown_key(g, member, n, keys);
        else
            walk_member(g, member, &nodes[i]);
    }
    for (size_t i = 0; i < rows; i++) {
        config_setting_t *member = s == NULL ? NULL : config_setting_get_member(s, keys[i].name);
        if (s != NULL && keys[i].required && member == NULL)
            guard_problem(g, &nodes[i], "required, but missing (expected %s)", expected[keys[i].type]);
        if (keys[i].type == GUARD_GROUP && nodes[i].inside == NULL)
            walk_group(g, NULL, keys[i].keys, &nodes[i]);
    }
}

static void parse(struct guard *g, struct str bytes, const struct guard_key *schema)
{
    config_t config;
    config_init(&config);
    if (g->folder != NULL)
        config_set_include_dir(&config, g->folder);
    if (config_read_string(&config, bytes.p) == CONFIG_TRUE) {
        walk_group(g, config_root_setting(&config), schema, &g->root);
    } else {
        guard_problems_add(g->problems, "%s:%d: %s", file_name(g, config_error_file(&config)),
                           config_error_line(&config), config_error_text(&config));
    }
    config_destroy(&config);
}

bool guard_read(struct guard *g, const char *name, const char *folder, struct str bytes,
                const struct guard_key *schema, struct guard_problems *p)
{
    static const struct guard_key top = {.type = GUARD_GROUP};
    size_t before = p->count;
    *g = (struct guard){.arena = p->arena, .problems = p, .name = name, .folder = folder};
    g->root = (struct guard_node){.given = true, .path = "", .file = name, .line = 1, .key = &top};
    if (lint_bytes(g, bytes))
        parse(g, (struct str){arena_copy(g->arena, bytes.p, bytes.n), bytes.n}, schema);
    if (g->root.inside == NULL)
        walk_group(g, NULL, schema, &g->root);
    return p->count == before;
}

/* -- getters --------------------------------------------------------------------------------------------- */

const struct guard_node *guard_get(const struct guard_node *group, const char *key)
{
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(group->inside[i].key->name, key) == 0)
            return &group->inside[i];
    fprintf(stderr, "massrevoke: no key '%s' in the schema of '%s'\n", key, group->path);
    abort();
}

bool guard_bool(const struct guard_node *group, const char *key, bool fallback)
{
    const struct guard_node *n = guard_get(group, key);
    return n->given ? n->number != 0 : fallback;
}

int64_t guard_int(const struct guard_node *group, const char *key, int64_t fallback)
{
    const struct guard_node *n = guard_get(group, key);
    return n->given ? n->number : fallback;
}

const char *guard_text(const struct guard_node *group, const char *key, const char *fallback)
{
    const struct guard_node *n = guard_get(group, key);
    return n->given ? n->text : fallback;
}

struct span guard_span(const struct guard_node *group, const char *key, struct span fallback)
{
    return (struct span){guard_int(group, key, fallback.s)};
}

struct rate guard_rate(const struct guard_node *group, const char *key, struct rate fallback)
{
    const struct guard_node *n = guard_get(group, key);
    return n->given ? n->rate : fallback;
}

struct utc guard_time(const struct guard_node *group, const char *key, struct utc fallback)
{
    return (struct utc){guard_int(group, key, fallback.s)};
}
