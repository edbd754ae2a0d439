#include "massrevoke/ca_exec.h"
#include "ca_exec_call.h"
#include "ca_queue.h"
#include "issuer_names.h"
#include "massrevoke/backend_exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HINT "check this CA's command, its profile, and what the program itself is configured for"
#define SKEW INT64_C(60) /* seconds that the CA's clock may be behind ours */
#define CALL_SECONDS 10  /* of the CA's rate: what a call has been given no brake takes back */

/* What was said of one serial. */
struct told {
    bool told;
    bool again; /* stands in this batch before: goes in once */
    struct backend_verdict verdict;
};

/* Jobs [from, from + count) of the queue, of one issuer and reason: one process. */
struct batch {
    struct arena arena;
    size_t *order; /* indexes ascending by serial */
    struct told *told;
    size_t from, count;
    const struct backend_call *call;
    struct utc since;
    enum backend_meaning whole; /* what a line said about all that are told by none */
    bool has_whole;
    char text[200]; /* the first words on standard error, or the line that stopped it */
};

struct ca_exec {
    struct ca_door door; /* first: the contract's handle is a pointer to it */
    struct arena arena;
    struct backend_exec how;
    struct backend_call status; /* the profile's, or of status_command */
    const char *const *command, *const *status_command;
    struct issuer_name *names;
    int seconds;
    struct exec_call process;
    struct ca_queue queue;
    struct batch batch;
};

static struct ca_exec *self(struct ca_door *d)
{
    return (struct ca_exec *)d;
}

static bool queue_revoke(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    exec_call_wake(&self(d)->process);
    return ca_queue_add(&self(d)->queue, items, count, false, f);
}

static bool queue_status(struct ca_door *d, const struct ca_item *items, size_t count, struct fault *f)
{
    if (!d->facts.tells_status)
        return fault_set(f, FAULT_REFUSED, "backend %s tells no status (status_command)", d->facts.name);
    exec_call_wake(&self(d)->process);
    return ca_queue_add(&self(d)->queue, items, count, true, f);
}

/* --- one process --- */

static const char *word_of(const struct ca_exec *c, const struct ca_job *job)
{
    unsigned code = (unsigned)job->item.reason;
    return job->ask ? "" : code < BACKEND_REASONS ? c->how.words[code] : NULL;
}

/* What can't be expressed never leaves. */
static void refuse_inexpressible(struct ca_exec *c)
{
    const struct ca_job *job;
    while ((job = ca_queue_peek(&c->queue)) != NULL && word_of(c, job) == NULL) {
        c->queue.next++;
        ca_queue_answer(&c->queue, job->item.number, CA_PERSON, UTC_NONE, -1,
                        "the CA's command can't express this reason");
    }
}

static bool same_batch(const struct ca_job *a, const struct ca_job *b)
{
    return a->ask == b->ask && a->item.issuer == b->item.issuer &&
           (a->ask || a->item.reason == b->item.reason);
}

static const struct serial *serial_at(const struct ca_exec *c, size_t i)
{
    return &c->queue.jobs[c->batch.from + i].item.serial;
}

static int by_serial(const void *a, const void *b, void *context)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    int order = serial_compare(serial_at(context, x), serial_at(context, y));
    return order != 0 ? order : (x > y) - (x < y);
}

static void fill(struct ca_exec *c, const struct ca_job *first)
{
    struct batch *b = &c->batch;
    struct ca_queue *q = &c->queue;
    b->from = q->next;
    b->call = first->ask ? &c->status : &c->how.revoke;
    b->since = c->door.now(c->door.clock);
    while (q->next < q->count && (int)(q->next - b->from) < c->how.batch &&
           same_batch(first, &q->jobs[q->next]))
        q->next++;
    b->count = q->under_way = q->next - b->from;
    b->order = arena_array(&b->arena, b->count, sizeof *b->order);
    b->told = arena_array(&b->arena, b->count, sizeof *b->told);
    for (size_t i = 0; i < b->count; i++)
        b->order[i] = i;
    qsort_r(b->order, b->count, sizeof *b->order, by_serial, c);
    for (size_t i = 1; i < b->count; i++)
        b->told[b->order[i]].again = serial_equal(serial_at(c, b->order[i - 1]), serial_at(c, b->order[i]));
}

/* The serials in the product's form, each behind `separator` but the first; on input each ends its line. */
static void write_serials(struct ca_exec *c, char separator, struct buf *out)
{
    for (size_t i = 0; i < c->batch.count; i++) {
        struct backend_values values = {.serial = serial_at(c, i)};
        if (c->batch.told[i].again)
            continue;
        if (i > 0 && separator != '\n')
            buf_add(out, &separator, 1);
        backend_expand(&c->how.serial, &values, out);
        if (separator == '\n')
            buf_add(out, &separator, 1);
    }
}

static const char *const *make_words(struct ca_exec *c, const struct ca_job *first)
{
    const struct backend_call *call = c->batch.call;
    const char *const *command = first->ask && c->status_command != NULL ? c->status_command : c->command;
    struct arena *a = &c->batch.arena;
    const struct issuer_name *name = &c->names[first->item.issuer - c->queue.first_issuer];
    AUTO_BUF serials = {0};
    size_t n = 0, at = 0;
    while (command[n] != NULL)
        n++;
    const char **words = arena_array(a, n + call->argument_count + 1, sizeof *words);
    for (; at < n; at++)
        words[at] = command[at];
    write_serials(c, ',', &serials);
    struct backend_values values = {.serial = &first->item.serial,
                                    .aki = name->aki,
                                    .issuer_name = name->name,
                                    .reason_name = word_of(c, first),
                                    .reason_code = (int)first->item.reason,
                                    .serials = serials.p};
    for (size_t i = 0; i < call->argument_count; i++) {
        AUTO_BUF word = {0};
        backend_expand(&call->arguments[i], &values, &word);
        words[at++] = arena_text(a, word.p == NULL ? "" : word.p);
    }
    return words;
}

static void end_batch(struct ca_exec *c)
{
    arena_free(&c->batch.arena);
    c->batch = (struct batch){0};
    c->queue.under_way = 0;
}

static void begin(struct ca_exec *c)
{
    refuse_inexpressible(c);
    const struct ca_job *first = ca_queue_peek(&c->queue);
    AUTO_BUF input = {0};
    struct fault f = {0};
    if (first == NULL)
        return;
    fill(c, first);
    if (!ca_queue_may_leave(&c->queue, c->batch.from, c->batch.count)) {
        end_batch(c);
        return;
    }
    const char *const *words = make_words(c, first);
    if (c->batch.call->input)
        write_serials(c, '\n', &input);
    if (exec_call_start(&c->process, words, buf_str(&input), c->seconds, &f))
        return;
    ca_queue_halt(&c->queue, f.kind, f.text, HINT);
    for (size_t i = 0; i < c->batch.count; i++)
        ca_queue_answer(&c->queue, c->queue.jobs[c->batch.from + i].item.number, CA_WAIT, UTC_NONE, -1,
                        f.text);
    end_batch(c);
}

/* --- what it says --- */

/* First place in `order` whose serial is not below this one. */
static size_t find(const struct ca_exec *c, const struct serial *serial)
{
    size_t low = 0, high = c->batch.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (serial_compare(serial_at(c, c->batch.order[middle]), serial) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Two lines that differ leave it open. */
static void tell(struct told *t, const struct backend_verdict *v)
{
    if (t->told && (t->verdict.meaning != v->meaning || t->verdict.at.s != v->at.s))
        t->verdict = (struct backend_verdict){.meaning = BACKEND_ASK, .at = UTC_NONE, .reason = -1};
    else
        t->verdict = *v;
    t->told = true;
}

static void keep_words(struct batch *b, struct str line)
{
    if (b->text[0] == '\0')
        snprintf(b->text, sizeof b->text, "%.*s", (int)(line.n < 190 ? line.n : 190), line.p);
}

static void heard(void *context, struct str line, bool error)
{
    struct ca_exec *c = context;
    struct batch *b = &c->batch;
    struct backend_said said;
    if (error)
        keep_words(b, line);
    if ((error && !b->call->errors) || !backend_exec_judge(&c->how, b->call, line, &said))
        return;
    if (said.whole) {
        b->has_whole = true;
        b->whole = said.verdict.meaning;
        keep_words(b, line);
        return;
    }
    for (size_t k = find(c, &said.serial);
         k < b->count && serial_equal(serial_at(c, b->order[k]), &said.serial); k++)
        tell(&b->told[b->order[k]], &said.verdict);
}

static enum ca_outcome outcome_of(const struct ca_exec *c, bool ask, struct backend_verdict v)
{
    switch (v.meaning) {
    case BACKEND_REVOKED:
        return ask || (utc_is_set(v.at) && v.at.s < c->batch.since.s - SKEW) ? CA_REVOKED_BEFORE
                                                                             : CA_REVOKED_NOW;
    case BACKEND_BEFORE:
        return CA_REVOKED_BEFORE;
    case BACKEND_NOT_REVOKED: /* of a revocation: it was not executed */
        return ask ? CA_NOT_REVOKED : CA_WAIT;
    case BACKEND_UNKNOWN:
        return CA_UNKNOWN;
    case BACKEND_PERSON:
        return CA_PERSON;
    case BACKEND_WAIT:
    case BACKEND_STOP:
        return CA_WAIT;
    case BACKEND_ASK:
    case BACKEND_MEANING_COUNT:
        break;
    }
    return ask ? CA_WAIT : CA_ASK; /* a question is harmless: it can be put again */
}

/* What the answers tell about the backend as a whole; it is silent when not one is clear. */
static void watch(struct ca_exec *c, enum backend_meaning meaning, bool silent, const char *text)
{
    if (meaning == BACKEND_STOP)
        ca_queue_halt(&c->queue, FAULT_CONFIG, text, HINT);
    else if (meaning == BACKEND_WAIT || silent)
        ca_queue_halt(&c->queue, FAULT_UNAVAILABLE, text, HINT);
}

static void settle(struct ca_exec *c, int code)
{
    struct batch *b = &c->batch;
    char text[260];
    bool silent = true;
    struct backend_verdict rest = {.meaning = b->has_whole ? b->whole
                                              : code < 0   ? BACKEND_ASK
                                                           : backend_exec_exit(b->call, code),
                                   .at = UTC_NONE,
                                   .reason = -1};
    if (code < 0)
        snprintf(text, sizeof text, "killed, or no end within %d s: %s", c->seconds, b->text);
    else
        snprintf(text, sizeof text, "exit code %d: %s", code, b->text);
    for (size_t i = 0; i < b->count; i++) {
        if (!b->told[i].told)
            b->told[i].verdict = rest;
        silent = silent && b->told[i].verdict.meaning == BACKEND_ASK;
    }
    for (size_t i = 0; i < b->count; i++) {
        const struct ca_job *job = &c->queue.jobs[b->from + i];
        struct backend_verdict v = b->told[i].verdict;
        if (b->told[i].again && v.meaning == BACKEND_REVOKED)
            v.meaning = BACKEND_BEFORE;
        watch(c, v.meaning, silent, text);
        ca_queue_answer(&c->queue, job->item.number, outcome_of(c, job->ask, v), v.at, v.reason,
                        v.meaning <= BACKEND_NOT_REVOKED ? "" : text);
    }
    end_batch(c);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct ca_exec *c = self(d);
    int code;
    if (exec_call_step(&c->process, heard, c, &code))
        settle(c, code);
    if (c->process.pid == 0)
        begin(c);
    bool ok = ca_queue_end_step(&c->queue, busy, f);
    if (*busy)
        exec_call_wake(&c->process);
    return ok;
}

static bool no_publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    (void)issuer, (void)now;
    return fault_set(f, FAULT_REFUSED, "backend %s signs its CRLs by itself", d->facts.name);
}

/* --- opening --- */

/* As the process will be looked up; "" is the current folder there. */
static bool is_program(const char *name)
{
    char path[4096];
    const char *folders = strchr(name, '/') == NULL ? getenv("PATH") : NULL;
    if (folders == NULL)
        return strchr(name, '/') != NULL && access(name, X_OK) == 0;
    struct str rest = str_of(folders);
    while (rest.p != NULL) {
        struct str folder = str_cut(&rest, ':');
        int n = snprintf(path, sizeof path, "%.*s/%s", (int)folder.n, folder.p, name);
        if (folder.n > 0 && n < (int)sizeof path && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* Its programs are there; none is run, for nobody knows what it would do. */
static bool probe(struct ca_door *d, struct ca_probe *out, struct fault *f)
{
    struct ca_exec *c = self(d);
    const char *const *commands[] = {c->command, c->status_command};
    *out = (struct ca_probe){.date = UTC_NONE};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i] != NULL && !is_program(commands[i][0]))
            return fault_set(f, FAULT_CONFIG, "%s: %s is no program that may be run", c->queue.where,
                             commands[i][0]);
    snprintf(out->text, sizeof out->text, "its programs are there; none was run");
    return true;
}

static void close_door(struct ca_door *d)
{
    struct ca_exec *c = self(d);
    exec_call_close(&c->process);
    end_batch(c);
    ca_queue_free(&c->queue);
    arena_free(&c->arena);
    free(c);
}

static const struct ca_door_ops ops = {
    .revoke = queue_revoke, .status = queue_status, .step = step, .publish = no_publish, .close = close_door};

static const char *const *copy_words(struct arena *a, const char *const *words, size_t n)
{
    const char **out = arena_array(a, n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = arena_text(a, words[i]);
    return n == 0 ? NULL : out;
}

/* Requests in one call: the profile's, and at most ten seconds of the rate. */
static size_t call_most(int batch, struct rate r)
{
    int64_t most = r.count > 0 ? CALL_SECONDS * r.count / r.per : batch;
    return most < 1 ? 1 : most < batch ? (size_t)most : (size_t)batch;
}

static bool describe(const struct settings_ca *ca, struct arena *a, struct backend_exec *how,
                     struct ca_facts *out, struct fault *f)
{
    if (!backend_exec_read(ca->http.plans_dir, ca->http.profile, a, how, f))
        return false;
    *out = (struct ca_facts){.name = how->name,
                             .keeps_first_date = how->keeps_first_date,
                             .tells_status = how->status.given || ca->status_command_count > 0,
                             .quiet = how->quiet,
                             .rate = ca->rate,
                             .reasons = backend_reasons(how->words),
                             .window = call_most(how->batch, ca->rate),
                             .calls = true};
    return true;
}

bool ca_exec_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    struct backend_exec how;
    return describe(ca, a, &how, out, f);
}

bool ca_exec_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                  struct ca_door **out, struct fault *f)
{
    struct ca_exec *c = arena_grow(NULL, sizeof *c);
    *c = (struct ca_exec){.seconds = (int)ca->http.timeout.s, .process = {.ended = -1}};
    c->door = (struct ca_door){
        .ops = &ops, .probe = probe, .fd = -1, .now = clock.now, .clock = clock.self, .away_until = UTC_NONE};
    c->queue = (struct ca_queue){.door = &c->door,
                                 .where = arena_format(&c->arena, "CA %s", ca->name),
                                 .first_issuer = first_issuer,
                                 .issuer_count = ca->issuer_count};
    c->command = copy_words(&c->arena, ca->command, ca->command_count);
    c->status_command = copy_words(&c->arena, ca->status_command, ca->status_command_count);
    bool ok = exec_call_open(&c->process, f) && describe(ca, &c->arena, &c->how, &c->door.facts, f) &&
              issuer_names_load(ca, c->how.uses_issuer_name, c->how.name, &c->arena, &c->names, f);
    if (!ok) {
        close_door(&c->door);
        return false;
    }
    c->status = c->status_command != NULL ? backend_exec_protocol() : c->how.status;
    c->door.fd = c->process.epoll;
    *out = &c->door;
    return true;
}
