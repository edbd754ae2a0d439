#include "list.h"
#include "massrevoke/file.h"
#include "massrevoke/log.h"
#include "massrevoke/store_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_MAX 4096                 /* bytes a format is told by */
#define BUNDLE_MAX ((size_t)1 << 30)  /* bytes of one file of certificates */
#define BAR_FROM ((uint64_t)16 << 20) /* bytes of a file that is worth a bar */
#define FOLDER_BAR_FROM 1000          /* entries of a folder that is */
#define SOURCE_TEXT_MAX 1000          /* bytes of a query kept for the record */

/* ---- bytes ---- */

static bool watch_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct list_watch *w = context;
    if (!w->source.read(w->source.context, into, room, got, f))
        return false;
    w->bytes += *got;
    if (w->size > BAR_FROM)
        log_progress(w->name, w->bytes, w->size);
    return true;
}

struct source list_watch(struct list_watch *w, struct source from, int fd, const char *name)
{
    struct stat st;
    bool sized = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *w = (struct list_watch){.source = from, .size = sized ? (uint64_t)st.st_size : 0, .name = name};
    return (struct source){watch_read, w};
}

/* A source that digests what passes through it. What was read ahead, to tell the format, comes first: a pipe
 * cannot be read twice. */
struct tap {
    struct source source;
    struct digest_state *digest;
    size_t head, taken; /* octets read ahead; how many of them were given out */
    char ahead[HEAD_MAX];
};

static bool tap_fill(struct tap *t, struct fault *f)
{
    size_t got = 1;
    while (t->head < sizeof t->ahead && got > 0) {
        if (!t->source.read(t->source.context, t->ahead + t->head, sizeof t->ahead - t->head, &got, f))
            return false;
        t->head += got;
    }
    return true;
}

static bool tap_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct tap *t = context;
    *got = t->head - t->taken < room ? t->head - t->taken : room;
    memcpy(into, t->ahead + t->taken, *got);
    t->taken += *got;
    if (*got == 0 && !t->source.read(t->source.context, into, room, got, f))
        return false;
    digest_add(t->digest, into, *got);
    return true;
}

/* Everything that is left, for formats that are not read line by line. */
static bool tap_drain(struct tap *t, const char *name, struct buf *out, struct fault *f)
{
    char part[65536];
    for (size_t got = 1; got > 0;) {
        if (!tap_read(t, part, sizeof part, &got, f))
            return false;
        if (out->n + got > BUNDLE_MAX)
            return fault_set(f, FAULT_FAILED, "%s: more than %zu bytes of certificates", name, BUNDLE_MAX);
        buf_add(out, part, got);
    }
    return true;
}

/* ---- issuers ---- */

bool list_issuers(struct session *s, struct issuer **out, struct fault *f)
{
    *out = arena_array(&s->arena, s->issuer_count, sizeof **out);
    size_t at = 0;
    for (size_t ca = 0; ca < s->settings.ca_count; ca++)
        for (size_t i = 0; i < s->settings.cas[ca].issuer_count; i++, at++)
            if (!issuer_load(s->settings.cas[ca].issuers[i].certificate_file, &s->arena, &(*out)[at], f))
                return false;
    return true;
}

struct intake_issuers *list_issuer_names(struct session *s, const struct issuer *issuers)
{
    struct intake_issuer *names = arena_array(&s->arena, s->issuer_count, sizeof *names);
    size_t at = 0;
    for (size_t ca = 0; ca < s->settings.ca_count; ca++)
        for (size_t i = 0; i < s->settings.cas[ca].issuer_count; i++, at++) {
            const char **texts = arena_array(&s->arena, 2, sizeof *texts);
            texts[0] = issuers[at].cert.subject_text;
            texts[1] = s->settings.cas[ca].issuers[i].certificate_file;
            names[at] = (struct intake_issuer){texts, 2};
        }
    return intake_issuers_make(names, s->issuer_count, &s->arena);
}

bool list_seed(uint64_t seed[static 2], struct fault *f)
{
    return getrandom(seed, 2 * sizeof *seed, 0) == (ssize_t)(2 * sizeof *seed) ||
           fault_set(f, FAULT_FAILED, "no random numbers from the system");
}

bool list_open(const char *path, int *fd, struct fault *f)
{
    *fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
}

/* ---- one list ---- */

static bool read_source(struct list_input *input, struct source source, const char *name,
                        enum intake_format format, struct fault *f)
{
    struct tap tap = {.source = source, .digest = &input->digest};
    AUTO_BUF bytes = {0};
    if (!tap_fill(&tap, f))
        return false;
    if (format == INTAKE_AUTO)
        format = intake_detect((struct str){tap.ahead, tap.head});
    if (format != INTAKE_PEM && format != INTAKE_DER)
        return intake_list_read(&input->list, name, format, (struct source){tap_read, &tap}, f);
    if (!tap_drain(&tap, name, &bytes, f))
        return false;
    intake_certificates_read(&input->list, name, buf_str(&bytes), input->issuers,
                             input->session->issuer_count);
    return true;
}

static bool read_descriptor(struct list_input *input, int fd, const char *name, enum intake_format format,
                            struct fault *f)
{
    struct source_file file = {fd, name};
    struct list_watch watch;
    return read_source(input, list_watch(&watch, source_descriptor(&file), fd, name), name, format, f);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_file(struct list_input *input, const char *path, enum intake_format format, struct fault *f)
{
    int fd;
    if (!list_open(path, &fd, f))
        return false;
    bool ok = read_descriptor(input, fd, fd == STDIN_FILENO ? "standard input" : path, format, f);
    if (fd != STDIN_FILENO)
        close(fd);
    return ok;
}

/* Files of a folder in order of name; subfolders are not entered. */
static bool read_folder(struct list_input *input, const char *path, enum intake_format format,
                        struct fault *f)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, by_name);
    bool ok = n >= 0 || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = file_join(&input->session->arena, path, entries[i]->d_name);
        struct stat st;
        if (ok && entries[i]->d_name[0] != '.' && stat(name, &st) == 0 && S_ISREG(st.st_mode))
            ok = read_file(input, name, format, f);
        if (n > FOLDER_BAR_FROM)
            log_progress(path, (uint64_t)i + 1, (uint64_t)n);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return ok;
}

static bool read_query(struct list_input *input, enum intake_format format, struct fault *f)
{
    const struct invocation *in = input->in;
    struct query_source *query;
    struct source bytes;
    if (!store_query_source(in->values[OPTION_CONNINFO], in->values[OPTION_QUERY], 0, &query, &bytes, f))
        return false;
    input->source =
        arena_format(&input->session->arena, "query: %.*s", SOURCE_TEXT_MAX, in->values[OPTION_QUERY]);
    /* a COPY is a table, whatever its header looks like */
    bool ok = read_source(input, bytes, "the query", format == INTAKE_AUTO ? INTAKE_CSV : format, f);
    query_source_close(query);
    return ok;
}

static bool read_input(struct list_input *input, enum intake_format format, struct fault *f)
{
    struct stat st;
    const struct invocation *in = input->in;
    if (in->values[OPTION_QUERY] != NULL)
        return read_query(input, format, f);
    input->source = in->args[0];
    if (strcmp(in->args[0], "-") != 0 && stat(in->args[0], &st) == 0 && S_ISDIR(st.st_mode))
        return read_folder(input, in->args[0], format, f);
    return read_file(input, in->args[0], format, f);
}

static bool list_options(struct list_input *input, enum intake_format *format, struct fault *f)
{
    const char *base = input->in->values[OPTION_SERIALS], *wanted = input->in->values[OPTION_FORMAT];
    if (base != NULL && strcmp(base, "hex") != 0 && strcmp(base, "decimal") != 0)
        return fault_set(f, FAULT_USAGE, "--serials is hex or decimal, not '%.40s'", base);
    input->list.base = base == NULL               ? INTAKE_BASE_UNDECLARED
                       : strcmp(base, "hex") == 0 ? INTAKE_BASE_HEX
                                                  : INTAKE_BASE_DECIMAL;
    *format = wanted == NULL ? INTAKE_AUTO : intake_format_from_name(str_of(wanted));
    if (*format != INTAKE_FORMAT_COUNT)
        return true;
    fault_set(f, FAULT_USAGE, "format '%.40s' is not known", wanted);
    return fault_hint(f, "one of serials, csv, ccadb, index, links, pem, der");
}

bool list_check(const struct invocation *in, struct fault *f)
{
    bool query = option_given(in, OPTION_QUERY);
    if (query != option_given(in, OPTION_CONNINFO)) {
        fault_set(f, FAULT_USAGE, "--conninfo and --query belong together");
        return fault_hint(f, "--conninfo 'host=db dbname=ca' --query 'SELECT serial, issuer FROM ...'");
    }
    if (query == (in->arg_count == 1)) {
        fault_set(f, FAULT_USAGE, query ? "a FILE and a --query are two lists" : "no list is named");
        return fault_hint(f, "name a FILE, a FOLDER or - for standard input, or give --conninfo and --query");
    }
    return true;
}

bool list_read(struct list_input *input, struct session *s, const struct invocation *in, struct fault *f)
{
    enum intake_format format = INTAKE_AUTO;
    struct conduct c = session_conduct(s);
    input->session = s;
    input->in = in;
    input->list.arena = &s->arena;
    /* BR 4.9.1.2 is about subordinate CA certificates */
    const char *rule = in->values[OPTION_RULE] != NULL ? in->values[OPTION_RULE] : s->campaign.rule;
    input->list.take_ca = strncmp(rule, "4.9.1.2-", 8) == 0;
    input->digest = digest_begin();
    if (!list_options(input, &format, f) || !list_seed(input->list.seed, f) ||
        !session_issuer(s, in, &input->list.default_issuer, f) || !list_issuers(s, &input->issuers, f))
        return false;
    input->list.issuers = list_issuer_names(s, input->issuers);
    if (!read_input(input, format, f))
        return false;
    input->sha256 = digest_end(&input->digest);
    return conduct_resolve(&c, &input->list, f);
}

void list_tell_issuer(const struct list_input *input)
{
    if (input->list.default_used)
        log_line("issuer of rows without one: %s",
                 input->issuers[input->list.default_issuer].cert.subject_text);
}

void list_release(struct list_input *input)
{
    for (size_t i = 0; input->issuers != NULL && i < input->session->issuer_count; i++)
        issuer_release(&input->issuers[i]);
    intake_list_free(&input->list);
    if (input->digest.context != NULL)
        (void)digest_end(&input->digest);
}
