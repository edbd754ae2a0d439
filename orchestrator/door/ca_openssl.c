#include "massrevoke/ca_openssl.h"
#include "door/ca_crl.h"
#include "door/ca_index.h"
#include "massrevoke/cert.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INDEX_MAX ((size_t)4 * 1024 * 1024 * 1024)
#define PIECE ((size_t)1024 * 1024)
#define ABSENT_STEPS 100 /* of 10 ms: openssl renames index.txt away before it renames the new one in */
#define CHANGED_TRIES 5  /* passes begun anew because somebody wrote without the lock */

/* One queued item. Jobs of the same serial hang together in the order they came. */
struct job {
    struct ca_item item;
    bool ask;
    uint32_t next; /* index + 1 of the next job with this serial */
    size_t line;   /* where the index has it, 0: nowhere */
    struct ca_answer answer;
};

/* One CA directory. */
struct ca_openssl {
    struct ca_door door; /* first: the contract's handle is a pointer to it */
    struct arena arena;
    const char *directory, *index, *lock, *crl_number, *key, *crl;
    const char *key_password_file;
    struct issuer *issuers;
    size_t issuer_count;
    uint16_t first_issuer;
    struct span crl_validity;
    struct job *jobs;
    size_t job_count, job_room;
    uint32_t *table; /* open addressing over serials: index + 1 of a first job */
    size_t table_mask;
    uint64_t seed; /* serials are chosen by strangers; the order of our table is not */
};

static struct ca_openssl *self(struct ca_door *d)
{
    return (struct ca_openssl *)d;
}

static void pause_10_ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* --- the queue --- */

static bool queue(struct ca_openssl *c, const struct ca_item *items, size_t count, bool ask, struct fault *f)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].issuer < c->first_issuer || items[i].issuer - c->first_issuer >= (int)c->issuer_count)
            return fault_set(f, FAULT_REFUSED, "certificate %u belongs to issuer %u, not to the CA in %s",
                             items[i].number, items[i].issuer, c->directory);
    if (c->job_count + count > UINT32_MAX / 4)
        return fault_set(f, FAULT_CONFLICT, "too many certificates are queued for the CA in %s",
                         c->directory);
    while (c->job_room < c->job_count + count) {
        c->job_room = c->job_room == 0 ? 1024 : c->job_room * 2;
        c->jobs = arena_grow(c->jobs, c->job_room * sizeof *c->jobs);
    }
    for (size_t i = 0; i < count; i++)
        c->jobs[c->job_count++] = (struct job){.item = items[i], .ask = ask};
    return true;
}

static bool queue_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    return queue(self(d), items, count, false, f);
}

static bool queue_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    return queue(self(d), items, count, true, f);
}

static size_t slot_of(const struct ca_openssl *c, const struct serial *s)
{
    uint64_t words[3] = {0}, h = c->seed;
    memcpy(words, s->bytes, SERIAL_MAX);
    for (size_t i = 0; i < 3; i++) {
        h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (size_t)(h ^ s->n) & c->table_mask;
}

/* The table's place for a serial: its first job, or the free place where it would be. */
static uint32_t *place_of(struct ca_openssl *c, const struct serial *s)
{
    size_t at = slot_of(c, s);
    while (c->table[at] != 0 && !serial_equal(&c->jobs[c->table[at] - 1].item.serial, s))
        at = (at + 1) & c->table_mask;
    return &c->table[at];
}

static void build_table(struct ca_openssl *c)
{
    size_t size = 16;
    while (size < 4 * c->job_count)
        size *= 2;
    c->table = arena_grow(c->table, size * sizeof *c->table);
    memset(c->table, 0, size * sizeof *c->table);
    c->table_mask = size - 1;
    /* from the last to the first, so that chains come out in the order of the queue */
    for (size_t i = c->job_count; i-- > 0;) {
        uint32_t *place = place_of(c, &c->jobs[i].item.serial);
        c->jobs[i].next = *place;
        c->jobs[i].line = 0;
        *place = (uint32_t)i + 1;
    }
}

/* --- one pass --- */

static void answer(struct job *job, enum ca_outcome outcome, struct utc at, int reason, const char *text)
{
    job->answer =
        (struct ca_answer){.number = job->item.number, .outcome = outcome, .at = at, .reason = reason};
    snprintf(job->answer.text, sizeof job->answer.text, "%.*s", (int)sizeof job->answer.text - 1, text);
}

static bool can_express(enum reason reason)
{
    return reason <= REASON_AA_COMPROMISE && (CA_INDEX_REASONS >> reason & 1) != 0;
}

/* Writes reason and date of the job into the row. */
static void put_revoked(const struct job *job, struct ca_index_row *row, struct utc at, bool *changed)
{
    row->type = 'R';
    row->at = ca_item_is_dated(&job->item) ? job->item.date : at;
    row->reason = (int)job->item.reason;
    *changed = true;
}

/* The reason of a row that is revoked already: the date stays unless another is named. */
static void change(struct job *job, struct ca_index_row *row, bool *changed)
{
    struct utc at = ca_item_is_dated(&job->item) ? job->item.date : row->at;
    bool same = row->type == 'R' && row->reason == (int)job->item.reason && row->at.s == at.s;
    if (row->type != 'R')
        answer(job, CA_NOT_REVOKED, UTC_NONE, -1, "");
    else if (!can_express(job->item.reason))
        answer(job, CA_PERSON, row->at, row->reason, "openssl ca can't express this reason");
    else {
        if (!same)
            put_revoked(job, row, row->at, changed);
        answer(job, same ? CA_REVOKED_BEFORE : CA_REVOKED_NOW, row->at, row->reason, "");
    }
}

/* Answers one job from its row and applies a revocation to the row. */
static void settle(struct job *job, struct ca_index_row *row, struct utc now, bool *changed)
{
    if (!job->ask && job->item.change)
        change(job, row, changed);
    else if (row->type == 'R')
        answer(job, CA_REVOKED_BEFORE, row->at, row->reason, "");
    else if (job->ask)
        answer(job, CA_NOT_REVOKED, UTC_NONE, -1, row->type == 'E' ? "marked expired in the index" : "");
    else if (row->type == 'E')
        answer(job, CA_PERSON, UTC_NONE, -1, "the index marks it expired; it was not touched");
    else if (!can_express(job->item.reason))
        answer(job, CA_PERSON, UTC_NONE, -1, "openssl ca can't express this reason");
    else {
        put_revoked(job, row, now, changed);
        answer(job, CA_REVOKED_NOW, row->at, row->reason, "");
    }
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* While others rename it into place it may be missing for a moment. */
static bool find_index(const struct ca_openssl *c, struct stat *st, struct fault *f)
{
    for (int i = 0; stat(c->index, st) != 0; i++) {
        if (errno != ENOENT || i == ABSENT_STEPS)
            return fault_set(f, FAULT_UNAVAILABLE, "%s: %s", c->index, strerror(errno));
        pause_10_ms();
    }
    return true;
}

/* Reads the whole index, settles every queued job and puts the new content into *out, which stays empty when
 * no row changes. */
static bool walk_index(struct ca_openssl *c, struct str bytes, struct utc now, struct buf *out,
                       struct fault *f)
{
    struct ca_index_walk walk = {.path = c->index, .rest = bytes};
    struct ca_index_row row;
    const char *kept = bytes.p; /* what follows here up to a changed row is copied as it is */
    bool end = false;
    /* a file somebody emptied must not make every certificate unknown to the CA */
    if (bytes.n == 0)
        return fault_set(f, FAULT_FAILED, "%s is empty", c->index);
    build_table(c);
    while (ca_index_next(&walk, &row, &end, f) && !end) {
        uint32_t first = *place_of(c, &row.serial);
        bool changed = false;
        if (first != 0 && c->jobs[first - 1].line != 0)
            return fault_set(f, FAULT_FAILED, "%s:%zu: the serial stands in line %zu already", c->index,
                             walk.line, c->jobs[first - 1].line);
        for (uint32_t at = first; at != 0; at = c->jobs[at - 1].next) {
            settle(&c->jobs[at - 1], &row, now, &changed);
            c->jobs[at - 1].line = walk.line;
        }
        if (!changed)
            continue;
        buf_add(out, kept, (size_t)(row.line.p - kept));
        ca_index_revoke(&row, row.at, (enum reason)row.reason, out);
        kept = row.line.p + row.line.n;
    }
    if (!end)
        return false;
    if (out->n > 0)
        buf_add(out, kept, (size_t)(bytes.p + bytes.n - kept));
    for (size_t i = 0; i < c->job_count; i++)
        if (c->jobs[i].line == 0)
            answer(&c->jobs[i], CA_UNKNOWN, UTC_NONE, -1, "not in the CA's index");
    return true;
}

static bool is_as_read(const struct ca_openssl *c, const struct stat *was)
{
    struct stat now;
    return stat(c->index, &now) == 0 && same_file(was, &now);
}

/* May the new index take the old one's place? If not, nothing that this pass says of anything is true. */
static bool may_leave(struct ca_openssl *c)
{
    bool may = true;
    for (size_t i = 0; i < c->job_count && may; i++)
        may = c->jobs[i].ask || ca_may_leave(&c->door, c->jobs[i].item.number);
    for (size_t i = 0; i < c->job_count && !may; i++) {
        answer(&c->jobs[i], CA_WAIT, UTC_NONE, -1, CA_WITHHELD);
        c->jobs[i].answer.withheld = true;
    }
    return may;
}

/* Puts the new index in the place of the one that was read; *again: somebody else has changed that. *risky:
 * from here on a failure leaves open which of the two stands there. The owner is kept, so that the CA's own
 * user can go on writing when we run as root. */
static bool replace_index(struct ca_openssl *c, struct str bytes, const struct stat *was, bool *again,
                          bool *risky, struct fault *f)
{
    AUTO_ARENA a = {0};
    const char *aside = file_write_aside(c->index, bytes, was->st_mode & 0777, &a, f);
    if (aside == NULL)
        return false;
    *again = !is_as_read(c, was);
    if (*again || !may_leave(c)) {
        unlink(aside);
        return true;
    }
    *risky = true;
    if (!file_place(aside, c->index, f))
        return false;
    if (geteuid() == 0 && was->st_uid != 0 && chown(c->index, was->st_uid, was->st_gid) != 0)
        return fault_set(f, FAULT_FAILED, "%s: its owner can't be kept: %s", c->index, strerror(errno));
    return true;
}

static bool pass(struct ca_openssl *c, bool *risky, struct fault *f)
{
    struct utc now = c->door.now(c->door.clock);
    if (utc_to_civil(now).year < 1950 || utc_to_civil(now).year > 2049)
        return fault_set(f, FAULT_FAILED, "%s holds dates of the years 1950 to 2049 only", c->index);
    for (int i = 0; i < CHANGED_TRIES; i++) {
        AUTO_ARENA a = {0};
        AUTO_BUF out = {0};
        struct str bytes;
        struct stat before;
        bool again;
        if (!find_index(c, &before, f) || !file_read(c->index, INDEX_MAX, &a, &bytes, f) ||
            !walk_index(c, bytes, now, &out, f))
            return false;
        if (out.n == 0)
            again = !is_as_read(c, &before);
        else if (!replace_index(c, buf_str(&out), &before, &again, risky, f))
            return false;
        if (!again)
            return true;
    }
    fault_set(f, FAULT_UNAVAILABLE, "%s changes all the time although we hold %s", c->index, c->lock);
    return fault_hint(f, "run other commands as: flock %s openssl ca ...", c->lock);
}

static void deliver(struct ca_openssl *c)
{
    enum { BATCH = 256 };
    struct ca_answer answers[BATCH];
    struct job *jobs = c->jobs;
    size_t count = c->job_count;
    /* the receiver may queue again from inside its callback */
    c->jobs = NULL;
    c->job_count = c->job_room = 0;
    for (size_t i = 0, n = 0; i < count; i++) {
        answers[n++] = jobs[i].answer;
        if (n == BATCH || i + 1 == count) {
            c->door.answer(c->door.answer_context, answers, n);
            n = 0;
        }
    }
    free(jobs);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_openssl *c = self(d);
    int lock = -1;
    bool risky = false, ok = true;
    if (c->job_count > 0) {
        ok = ca_crl_lock(c->lock, &lock, f) && pass(c, &risky, f);
        if (lock >= 0)
            close(lock);
        for (size_t i = 0; !ok && i < c->job_count; i++)
            answer(&c->jobs[i], risky && !c->jobs[i].ask ? CA_ASK : CA_WAIT, UTC_NONE, -1, f->text);
        deliver(c);
    }
    *busy = c->job_count > 0;
    return ok;
}

/* --- publishing --- */

/* What is revoked, growing. */
struct entries {
    struct crl_entry *list;
    size_t count, room;
};

/* Takes what is revoked in these whole lines. */
static bool take_entries(struct ca_index_walk *walk, struct str lines, struct entries *e, struct fault *f)
{
    struct ca_index_row row;
    bool end = false;
    walk->rest = lines;
    while (ca_index_next(walk, &row, &end, f) && !end) {
        if (row.type != 'R')
            continue;
        if (e->count == e->room) {
            e->room = e->room == 0 ? 1024 : e->room * 2;
            e->list = arena_grow(e->list, e->room * sizeof *e->list);
        }
        e->list[e->count++] = (struct crl_entry){
            .serial = row.serial, .at = row.at, .reason = row.reason, .invalid_since = row.invalid_since};
    }
    return end;
}

/* The index in pieces: a million rows are a hundred megabytes that nobody needs at once. */
static bool read_pieces(const struct ca_openssl *c, int fd, char *piece, struct entries *e, struct fault *f)
{
    struct ca_index_walk walk = {.path = c->index};
    for (size_t held = 0;;) {
        ssize_t n = read(fd, piece + held, PIECE - held);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, FAULT_FAILED, "%s: %s", c->index, strerror(errno));
        held += (size_t)n;
        const char *last = held == 0 ? NULL : memrchr(piece, '\n', held);
        /* at the end, or in a line that does not end, what is left is judged as it is */
        bool as_it_is = n == 0 || (last == NULL && held == PIECE);
        size_t whole = as_it_is ? held : last == NULL ? 0 : (size_t)(last - piece) + 1;
        if (!take_entries(&walk, (struct str){piece, whole}, e, f))
            return false;
        if (n == 0)
            return true;
        held -= whole;
        memmove(piece, piece + whole, held);
    }
}

static bool read_entries(const struct ca_openssl *c, struct entries *e, struct fault *f)
{
    struct stat st;
    if (!find_index(c, &st, f))
        return false;
    int fd = open(c->index, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", c->index, strerror(errno));
    char *piece = arena_grow(NULL, PIECE);
    bool ok = read_pieces(c, fd, piece, e, f);
    free(piece);
    close(fd);
    return ok;
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct ca_openssl *c = self(d);
    if (issuer < c->first_issuer || issuer - c->first_issuer >= (int)c->issuer_count)
        return fault_set(f, FAULT_REFUSED, "issuer %u is not the CA in %s", issuer, c->directory);
    const struct issuer *one = &c->issuers[issuer - c->first_issuer];
    struct entries entries = {0};
    int lock = -1;
    const struct ca_crl crl = {.key = c->key,
                               .key_password_file = c->key_password_file,
                               .number = c->crl_number,
                               .crl = c->crl,
                               .validity = c->crl_validity};
    bool ok = ca_crl_lock(c->lock, &lock, f) && read_entries(c, &entries, f) &&
              ca_crl_place(&crl, one, now, entries.list, entries.count, f);
    if (lock >= 0)
        close(lock);
    free(entries.list);
    return ok;
}

/* --- opening --- */

static void close_door(struct ca_door *d)
{
    struct ca_openssl *c = self(d);
    for (size_t i = 0; i < c->issuer_count; i++)
        issuer_release(&c->issuers[i]);
    arena_free(&c->arena);
    free(c->jobs);
    free(c->table);
    free(c);
}

/* The default CA section's value as a path; `fallback` (may be NULL: required) below the directory. A link is
 * followed now, so that the rename later replaces the file and not the link. */
static bool conf_path(struct ca_openssl *c, const CONF *conf, const char *file, const char *key,
                      const char *fallback, const char **out, struct fault *f)
{
    const char *section = NCONF_get_string(conf, "ca", "default_ca");
    const char *value = section == NULL ? NULL : NCONF_get_string(conf, section, key);
    ERR_clear_error();
    if (section == NULL)
        return fault_set(f, FAULT_CONFIG, "%s: no default_ca in section [ca]", file);
    if (value == NULL && fallback == NULL)
        return fault_set(f, FAULT_CONFIG, "%s: no %s in section [%s]", file, key, section);
    *out = file_join(&c->arena, c->directory, value == NULL ? fallback : value);
    char *real = realpath(*out, NULL);
    if (real != NULL)
        *out = arena_text(&c->arena, real);
    free(real);
    return true;
}

static bool read_conf(struct ca_openssl *c, const char *file, const char **certificate, struct fault *f)
{
    CONF *conf = NCONF_new(NULL);
    long line = 0;
    bool ok = conf != NULL && NCONF_load(conf, file, &line) > 0;
    if (!ok && line > 0)
        fault_set(f, FAULT_CONFIG, "%s:%ld: openssl can't read this line", file, line);
    else if (!ok)
        fault_set(f, FAULT_CONFIG, "%s: openssl can't read it", file);
    ERR_clear_error();
    ok = ok && conf_path(c, conf, file, "database", NULL, &c->index, f) &&
         conf_path(c, conf, file, "certificate", NULL, certificate, f) &&
         conf_path(c, conf, file, "private_key", NULL, &c->key, f) &&
         conf_path(c, conf, file, "crlnumber", NULL, &c->crl_number, f) &&
         conf_path(c, conf, file, "massrevoke_crl", "pub/ca.crl", &c->crl, f);
    NCONF_free(conf);
    return ok;
}

static bool load_issuers(struct ca_openssl *c, const struct settings_ca *ca, const char *certificate,
                         struct fault *f)
{
    struct issuer own;
    if (!issuer_load(certificate, &c->arena, &own, f))
        return false;
    issuer_release(&own);
    if (own.cert.ski.n == 0)
        return fault_set(f, FAULT_CONFIG, "%s has no subject key identifier; CRLs must name it (BR 7.2)",
                         certificate);
    c->issuers = arena_array(&c->arena, ca->issuer_count, sizeof *c->issuers);
    for (size_t i = 0; i < ca->issuer_count; i++) {
        const char *path = ca->issuers[i].certificate_file;
        if (!issuer_load(path, &c->arena, &c->issuers[i], f))
            return false;
        c->issuer_count++;
        const struct cert *cert = &c->issuers[i].cert;
        if (!str_equal(cert->subject, own.cert.subject) ||
            memcmp(&cert->spki_sha256, &own.cert.spki_sha256, sizeof cert->spki_sha256) != 0)
            return fault_set(f, FAULT_CONFIG, "%s has not the name and key of %s, the CA of %s", path,
                             certificate, c->directory);
    }
    return true;
}

/* A folder that can be written and a key that can be used: what a revocation and its CRL need. */
static bool probe(struct ca_door *d, struct ca_probe *out, struct fault *f)
{
    struct ca_openssl *c = self(d);
    struct evp_pkey_st *key = NULL;
    *out = (struct ca_probe){.date = UTC_NONE};
    if (access(c->directory, W_OK | X_OK) != 0 || access(c->index, R_OK | W_OK) != 0)
        return fault_set(f, FAULT_CONFIG, "%s cannot be written: %s", c->index, strerror(errno));
    if (!key_load(c->key, c->key_password_file, &key, f)) {
        f->kind = FAULT_CONFIG;
        return false;
    }
    key_release(key);
    out->lets_us = true;
    snprintf(out->text, sizeof out->text, "index and key can be used");
    return true;
}

static const struct ca_door_ops ops = {
    .revoke = queue_revoke, .status = queue_status, .step = step, .publish = publish, .close = close_door};

static struct ca_facts facts_of(struct rate rate)
{
    return (struct ca_facts){.name = "ca_openssl",
                             .keeps_first_date = true,
                             .tells_status = true,
                             .can_publish = true,
                             .rate = rate,
                             .reasons = CA_INDEX_REASONS,
                             .changes = CA_INDEX_REASONS,
                             .takes_date = true};
}

bool ca_openssl_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    (void)a, (void)f;
    *out = facts_of(ca->rate);
    return true;
}

bool ca_openssl_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                     struct ca_door **out, struct fault *f)
{
    struct ca_openssl *c = arena_grow(NULL, sizeof *c);
    *c = (struct ca_openssl){.first_issuer = first_issuer, .crl_validity = ca->crl_validity};
    c->door = (struct ca_door){.ops = &ops, .probe = probe, .fd = -1, .now = clock.now, .clock = clock.self};
    c->door.facts = facts_of(ca->rate);
    c->directory = arena_text(&c->arena, ca->directory);
    c->key_password_file = arena_text(&c->arena, ca->key_password_file);
    c->lock = file_join(&c->arena, c->directory, "index.lock");
    const char *file = ca->config_file, *certificate = NULL;
    if (file == NULL)
        file = file_join(&c->arena, c->directory, "openssl.cnf");
    bool ok = RAND_bytes((unsigned char *)&c->seed, sizeof c->seed) == 1;
    if (!ok)
        fault_set(f, FAULT_FAILED, "openssl has no random numbers");
    ok = ok && read_conf(c, file, &certificate, f) && load_issuers(c, ca, certificate, f);
    if (ok)
        *out = &c->door;
    else
        close_door(&c->door);
    return ok;
}
