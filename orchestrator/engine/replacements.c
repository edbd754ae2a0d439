/* Which certificates are replaced: lists read once by a person, then again by the engine; linters run beside.
 * None of it ever stops the campaign. */
#include "internal.h"
#include "massrevoke/cert.h"
#include "massrevoke/conduct.h"
#include "massrevoke/file.h"
#include "massrevoke/store_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_EVERY 300   /* seconds between looks at the sources */
#define QUERY_PATIENCE 8 /* seconds that a source read again may hold the engine up */
#define LINT_EVERY 60    /* seconds until a linter that cannot be run is tried again */

/* A source that digests what passes through it. */
struct digested {
    struct source source;
    struct digest_state state;
};

static bool digested_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct digested *d = context;
    if (!d->source.read(d->source.context, into, room, got, f))
        return false;
    digest_add(&d->state, into, *got);
    return true;
}

static bool issuer_names(const struct conduct *c, struct arena *a, struct intake_issuers **out,
                         struct fault *f)
{
    struct intake_issuer *names = arena_array(a, c->issuer_count, sizeof *names);
    size_t at = 0;
    for (size_t ca = 0; ca < c->settings->ca_count; ca++)
        for (size_t i = 0; i < c->settings->cas[ca].issuer_count; i++, at++) {
            const char *file = c->settings->cas[ca].issuers[i].certificate_file;
            const char **texts = arena_array(a, 2, sizeof *texts);
            struct cert cert;
            if (!cert_load(file, a, &cert, f))
                return false;
            texts[0] = cert.subject_text;
            texts[1] = file;
            names[at] = (struct intake_issuer){texts, 2};
        }
    *out = intake_issuers_make(names, c->issuer_count, a);
    return true;
}

/* Index of settings for the store's number; -1: none. */
static int default_issuer(const struct conduct *c, int issuer)
{
    for (size_t i = 0; i < c->issuer_count; i++)
        if (issuer != 0 && c->issuers[i] == issuer)
            return (int)i;
    return -1;
}

/* Names of replacement files are relative to the list; a list without a folder has to name them in full. */
static void settle_rows(const struct conduct *c, const char *list, struct arena *a,
                        struct replacement_list *rows)
{
    const char *slash = list == NULL ? NULL : strrchr(list, '/');
    const char *folder = slash == NULL ? "." : arena_copy(a, list, (size_t)(slash - list) + (slash == list));
    for (size_t i = 0; i < rows->count; i++) {
        rows->rows[i].issuer = c->issuers[rows->rows[i].issuer];
        if (rows->rows[i].file[0] != '\0')
            rows->rows[i].file = file_join(a, folder, rows->rows[i].file);
    }
}

static bool read_and_mark(const struct conduct *c, const struct replacement_source *source,
                          struct source bytes, bool again, struct arena *a, struct conduct_replaced *out,
                          struct fault *f)
{
    struct intake_issuers *issuers;
    if (!issuer_names(c, a, &issuers, f))
        return false;
    struct digested tap = {bytes, digest_begin()};
    bool is_file = strcmp(source->kind, "file") == 0;
    bool ok = replacement_list_read(&out->list, source->location, (struct source){digested_read, &tap},
                                    issuers, default_issuer(c, source->issuer), a, f);
    struct digest sha256 = digest_end(&tap.state);
    if (!ok)
        return false;
    out->list.table.file = is_file ? out->list.table.file : source->kind;
    settle_rows(c, is_file ? source->location : NULL, a, &out->list);
    struct act act = {c->campaign.id, c->now, c->who};
    if (!again && out->list.count == 0 && out->list.table.rejects.count > 0)
        return true; /* nothing that could be used: nothing is stored */
    return store_replacements_mark(c->store, &act, source, sha256, out->list.rows, out->list.count,
                                   (int64_t)out->list.table.rejects.count, again, a, &out->counts, f);
}

/* Size and time of change, so that a file that stands still is not read again. */
static bool stamp_of(int fd, struct arena *a, const char **out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    *out = arena_format(a, "%lld %lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                        st.st_mtim.tv_nsec);
    return true;
}

static bool from_file(const struct conduct *c, struct replacement_source *source, bool again, struct arena *a,
                      struct conduct_replaced *out, struct fault *f)
{
    bool stream = strcmp(source->kind, "stream") == 0;
    int fd = stream ? STDIN_FILENO : open(source->location, O_RDONLY | O_CLOEXEC);
    const char *stamp = "";
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", source->location, strerror(errno));
    struct source_file file = {fd, source->location};
    bool ok = stream || stamp_of(fd, a, &stamp) ||
              fault_set(f, FAULT_FAILED, "%s: %s", source->location, strerror(errno));
    bool same = again && strcmp(stamp, source->stamp) == 0;
    source->stamp = stamp;
    ok = ok && (same || read_and_mark(c, source, source_descriptor(&file), again, a, out, f));
    if (!stream)
        close(fd);
    return ok;
}

static bool from_query(const struct conduct *c, const struct replacement_source *source, bool again,
                       struct arena *a, struct conduct_replaced *out, struct fault *f)
{
    struct query_source *query;
    struct source bytes;
    if (!store_conninfo_is_open(source->location, f) ||
        !store_query_source(source->location, source->query, again ? QUERY_PATIENCE : 0, &query, &bytes, f))
        return false;
    bool ok = read_and_mark(c, source, bytes, again, a, out, f);
    query_source_close(query);
    return ok;
}

bool conduct_replacements(const struct conduct *c, struct replacement_source *source, bool again,
                          struct arena *a, struct conduct_replaced *out, struct fault *f)
{
    *out = (struct conduct_replaced){0};
    return strcmp(source->kind, "query") == 0 ? from_query(c, source, again, a, out, f)
                                              : from_file(c, source, again, a, out, f);
}

static bool read_sources(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct replacement_source *sources;
    size_t n;
    struct conduct c = engine_conduct(e);
    if (!store_replacement_sources(e->parts.store, e->parts.campaign, &a, &sources, &n, f))
        return false;
    bool away = false; /* one that does not answer is waited for; the others have their turn next time */
    for (size_t k = 0; k < n && !away; k++) {
        size_t i = (e->next_source + k) % n;
        struct conduct_replaced out;
        struct fault problem = {0};
        bool ok = conduct_replacements(&c, &sources[i], true, &a, &out, &problem);
        if (!ok && strcmp(sources[i].kind, "query") == 0) {
            e->next_source = i + 1;
            away = true;
        }
        if (ok && out.list.table.rejects.count > 0)
            snprintf(e->warning, sizeof e->warning,
                     "replacements: %.200s: %zu lines cannot be used, the first is %zu: %.100s",
                     sources[i].location, out.list.table.rejects.count, out.list.table.rejects.items[0].line,
                     out.list.table.rejects.items[0].reason);
        replacement_list_free(&out.list);
        if (!ok && store_is_lost(e->parts.store)) {
            *f = problem;
            return false;
        }
        if (!ok)
            snprintf(e->warning, sizeof e->warning, "replacements are not read again: %.400s", problem.text);
    }
    return true;
}

static bool keep_answers(struct engine *e, bool *busy, struct fault *f)
{
    struct lint_answer answer;
    struct act act = engine_act(e);
    while (lint_next(e->parts.lint, &answer, busy)) {
        struct replacement_unlinted *job = &e->linting[answer.id];
        char hex[SERIAL_HEX_TEXT];
        if (!store_replacement_linted(e->parts.store, &act, job, answer.found, f))
            return false;
        if (answer.found[0] != '\0')
            snprintf(e->warning, sizeof e->warning, "the replacement of %s fails lint: %s",
                     serial_hex(&job->serial, hex), answer.found);
        job->serial.n = 0;
    }
    return true;
}

static bool is_linting(const struct engine *e, const struct replacement_unlinted *one)
{
    for (size_t i = 0; i < LINT_AT_ONCE; i++)
        if (e->linting[i].issuer == one->issuer && serial_equal(&e->linting[i].serial, &one->serial))
            return true;
    return false;
}

/* Puts the next ones into free places; *none: there is nothing left to look at. */
static bool start_linting(struct engine *e, bool *none, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct replacement_unlinted *list;
    size_t n;
    if (!store_replacements_unlinted(e->parts.store, e->parts.campaign, (int64_t)2 * LINT_AT_ONCE, &a, &list,
                                     &n, f))
        return false;
    *none = n == 0;
    for (size_t i = 0; i < n && lint_room(e->parts.lint) > 0; i++) {
        struct fault problem = {0};
        int64_t place = 0;
        while (e->linting[place].serial.n != 0)
            place++;
        if (is_linting(e, &list[i]))
            continue;
        if (!lint_start(e->parts.lint, place, list[i].file, &problem)) {
            snprintf(e->warning, sizeof e->warning, "replacements are not linted: %.400s", problem.text);
            *none = true;
            return true;
        }
        e->linting[place] = (struct replacement_unlinted){list[i].issuer, list[i].serial, NULL};
    }
    return true;
}

static bool lint(struct engine *e, struct utc now, struct utc *wake, struct fault *f)
{
    bool busy = false, none = false;
    if (e->parts.lint == NULL)
        return true;
    if (!keep_answers(e, &busy, f))
        return false;
    if (!utc_is_set(e->lint_due) || now.s >= e->lint_due.s) {
        if (!start_linting(e, &none, f))
            return false;
        e->lint_due = none ? utc_add(now, (struct span){LINT_EVERY}) : now;
        busy = busy || !none;
    }
    if (busy)
        *wake = utc_add(now, (struct span){1});
    return true;
}

bool engine_replacements(struct engine *e, struct utc *wake, struct fault *f)
{
    struct utc now = engine_act(e).at;
    *wake = UTC_NONE;
    if (!utc_is_set(e->sources_read) || now.s >= e->sources_read.s + READ_EVERY) {
        if (!read_sources(e, f))
            return false;
        e->sources_read = now;
        e->lint_due = UTC_NONE;
    }
    return lint(e, now, wake, f);
}
