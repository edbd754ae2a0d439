/* The record as a folder that needs neither this program nor its database. */
#include "internal.h"
#include "massrevoke/embed.h"
#include "massrevoke/file.h"
#include "massrevoke/store_log.h"
#include "massrevoke/store_outside.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 1000

struct export
{
    struct store *store;
    int campaign;
    const char *folder;
    struct arena arena;
    struct buf sums; /* of SHA256SUMS */
    FILE *file;
    const char *name, *path;
    struct digest_state digest;
};

static bool out_begin(struct export *x, const char *name, struct fault *f)
{
    x->name = name;
    x->path = file_join(&x->arena, x->folder, name);
    x->file = fopen(x->path, "wxe");
    if (x->file == NULL)
        return fault_set(f, FAULT_FAILED, "%s: %s", x->path, strerror(errno));
    x->digest = digest_begin();
    return true;
}

static void out_add(struct export *x, const char *bytes, size_t n)
{
    digest_add(&x->digest, bytes, n);
    (void)!fwrite(bytes, 1, n, x->file); /* the stream remembers, out_end tells */
}

static bool out_end(struct export *x, struct fault *f)
{
    char hex[DIGEST_TEXT];
    bool good = fflush(x->file) == 0 && ferror(x->file) == 0 && fsync(fileno(x->file)) == 0;
    int why = errno;
    good = fclose(x->file) == 0 && good;
    buf_format(&x->sums, "%s  %s\n", digest_hex(digest_end(&x->digest), hex), x->name);
    return good || fault_set(f, FAULT_FAILED, "%s: %s", x->path, strerror(why));
}

static bool out_whole(struct export *x, const char *name, struct str bytes, struct fault *f)
{
    if (!out_begin(x, name, f))
        return false;
    out_add(x, bytes.p, bytes.n);
    return out_end(x, f);
}

/* One line a row: column `text` of `query`, in batches of events. by_range: $3 is the last event, else how
 * many. */
static bool export_lines(struct export *x, const char *name, const char *query, int text, int64_t size,
                         bool by_range, struct fault *f)
{
    if (!out_begin(x, name, f))
        return false;
    bool ok = true;
    for (int64_t from = 0; ok && from < size; from += EVENTS_AT_ONCE) {
        AUTO_PARAMETERS p = {0};
        AUTO_RESULT *r = NULL;
        put_int(&p, x->campaign);
        put_int(&p, from);
        put_int(&p, by_range ? from + EVENTS_AT_ONCE - 1 : EVENTS_AT_ONCE);
        ok = store_query(x->store, query, &p, &r, f);
        for (int i = 0; ok && i < PQntuples(r); i++) {
            const char *line = get_text(r, i, text);
            out_add(x, line, strlen(line));
            out_add(x, "\n", 1);
        }
    }
    struct fault ignored = {0};
    return out_end(x, ok ? f : &ignored) && ok;
}

static void export_part(void *context, struct str bytes)
{
    out_add(context, bytes.p, bytes.n);
}

static bool export_objects(struct export *x, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, x->campaign);
    if (!store_query(x->store, "report_objects", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        const char *sha256 = get_text(r, i, 0);
        struct fault ignored = {0};
        if (!out_begin(x, arena_format(&x->arena, "objects/%s.%s", sha256 + 2, get_text(r, i, 1)), f))
            return false;
        int64_t parts;
        bool ok = store_object(x->store, get_digest(r, i, 0), export_part, x, &parts, f) &&
                  (parts == get_int(r, i, 2) ||
                   fault_set(f, FAULT_FAILED, "object %s: a part is missing", sha256 + 2));
        if (!out_end(x, ok ? f : &ignored) || !ok)
            return false;
    }
    return true;
}

/* A person's name as part of a file name: whatever could lead elsewhere becomes '_'. */
static const char *plain_name(struct arena *a, const char *name)
{
    char *out = arena_text(a, name);
    for (char *p = out; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p) == NULL)
            *p = '_';
    return out;
}

static bool export_requests(struct export *x, struct fault *f)
{
    struct request *requests;
    size_t n;
    if (!store_requests(x->store, x->campaign, &x->arena, &requests, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct approval *approvals;
        size_t count;
        int number = requests[i].request;
        if (!out_whole(x, arena_format(&x->arena, "requests/%d.txt", number), str_of(requests[i].text), f) ||
            !store_approvals(x->store, x->campaign, number, &x->arena, &approvals, &count, f))
            return false;
        for (size_t k = 0; k < count; k++)
            if (!out_whole(x,
                           arena_format(&x->arena, "requests/%d-%s.p7s", number,
                                        plain_name(&x->arena, approvals[k].approver)),
                           approvals[k].signature, f))
                return false;
    }
    return true;
}

static bool make_folder(struct export *x, struct fault *f)
{
    if (!file_make_folders(file_join(&x->arena, x->folder, "objects"), 0755, f))
        return false;
    return file_make_folders(file_join(&x->arena, x->folder, "requests"), 0755, f);
}

/* What is there already must not be mixed with an export. */
static bool is_free(const char *folder, struct fault *f)
{
    DIR *d = opendir(folder);
    if (d == NULL)
        return errno == ENOENT || fault_set(f, FAULT_FAILED, "%s: %s", folder, strerror(errno));
    bool empty = true;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
    closedir(d);
    return empty || fault_set(f, FAULT_CONFLICT, "%s is not empty; nothing was written", folder);
}

static bool export_all(struct export *x, struct log_head *head, struct fault *f)
{
    char hex[DIGEST_TEXT];
    if (!store_log_head(x->store, x->campaign, head, f) || !make_folder(x, f))
        return false;
    const char *line = arena_format(&x->arena, "%" PRId64 ":%s\n", head->size, digest_hex(head->root, hex));
    const struct embed_file *how = embed_find("plans/reports/evidence/VERIFY.md");
    return export_lines(x, "events.jsonl", "log_events", 4, head->size, false, f) &&
           export_lines(x, "facts.jsonl", "fact_rows", 2, head->size, true, f) && export_objects(x, f) &&
           export_requests(x, f) && out_whole(x, "head", str_of(line), f) &&
           out_whole(x, "VERIFY.md", how == NULL ? str_of("") : how->bytes, f) &&
           file_write(file_join(&x->arena, x->folder, "SHA256SUMS"), buf_str(&x->sums), 0644, f);
}

bool store_log_export(struct store *s, int campaign, const char *folder, struct log_head *out,
                      struct fault *f)
{
    struct export x = {.store = s, .campaign = campaign, .folder = folder};
    if (!is_free(folder, f) || !store_read_begin(s, f))
        return false;
    bool ok = export_all(&x, out, f);
    store_read_end(s);
    arena_free(&x.arena);
    buf_free(&x.sums);
    return ok;
}
