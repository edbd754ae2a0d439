#include "internal.h"
#include "massrevoke/store_queue.h"

#include <stdlib.h>

static void put_act(struct parameters *p, const struct act *act)
{
    put_utc(p, act->at);
    put_text(p, act->who);
}

bool store_engine_begin(struct store *s, int campaign, const char *host, int pid, const char *kind,
                        struct utc at, int *engine, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_text(&p, host);
    put_int(&p, pid);
    put_text(&p, kind);
    put_utc(&p, at);
    if (!store_query(s, "engine_begin", &p, &r, f))
        return false;
    *engine = (int)get_int(r, 0, 0);
    return true;
}

bool store_engine_beat(struct store *s, int campaign, int engine, struct utc at, struct engine_use *uses,
                       size_t n, bool *alive, int64_t *generation, struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array cas = {0}, aways = {0};
    size_t ignored;
    for (size_t i = 0; i < n; i++) {
        array_text(&cas, uses[i].ca);
        array_int(&aways, utc_is_set(uses[i].away) ? uses[i].away.s : 0);
    }
    put_int(&p, campaign);
    put_int(&p, engine);
    put_utc(&p, at);
    put_array(&p, &cas);
    put_array(&p, &aways);
    if (!store_query(s, "engine_beat", &p, &r, f))
        return false;
    *alive = get_bool(r, 0, 0);
    *generation = get_int(r, 0, 1);
    const int64_t *engines = get_ints(r, 0, 2, &a, &ignored), *ranks = get_ints(r, 0, 3, &a, &ignored),
                  *untils = get_ints(r, 0, 4, &a, &ignored);
    for (size_t i = 0; i < n; i++) {
        uses[i].engines = (int)engines[i];
        uses[i].rank = (int)ranks[i];
        uses[i].away = UTC_NONE;
        if (untils[i] > 0)
            uses[i].away.s = untils[i];
    }
    return true;
}

bool store_engine_end(struct store *s, int engine, struct utc at, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, engine);
    put_utc(&p, at);
    return store_do(s, "engine_end", &p, f);
}

static struct claim read_claim(const PGresult *r, int row, struct arena *a)
{
    struct claim c = {
        .chunk = (int)get_int(r, row, 0),
        .plan = (int)get_int(r, row, 1),
        .cohort = (int)get_int(r, row, 2),
        .issuer = (int)get_int(r, row, 3),
        .epoch = (int)get_int(r, row, 4),
        .generation = get_int(r, row, 5),
    };
    size_t ignored;
    c.numbers = get_ints(r, row, 6, a, &c.count);
    struct str states = get_bytes(r, row, 7, a);
    c.states = arena_alloc(a, c.count);
    memcpy(c.states, states.p, states.n < c.count ? states.n : c.count);
    c.intents = get_ints(r, row, 8, a, &ignored);
    return c;
}

bool store_engine_guard(struct store *s, const struct act *act, int engine, const int *issuers, size_t n,
                        const char *path, const char *gone, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    struct array list = {{0}};
    for (size_t i = 0; i < n; i++)
        array_int(&list, issuers[i]);
    json_set_text(data, "reason", gone);
    put_int(&p, act->campaign);
    put_int(&p, engine);
    put_array(&p, &list);
    put_text(&p, path);
    put_bool(&p, gone != NULL);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "engine_guard", &p, f);
}

bool store_engine_owners(struct store *s, int campaign, int engine, struct arena *a,
                         struct engine_owner **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, engine);
    if (!store_query(s, "engine_owners", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct engine_owner){(int)get_int(r, i, 0), arena_text(a, get_text(r, i, 1)),
                                          arena_text(a, get_text(r, i, 2))};
    return true;
}

bool store_engine_freed(struct store *s, int engine, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, engine);
    return store_do(s, "engine_freed", &p, f);
}

bool store_claim_send(struct store *s, const struct act *act, int engine, int ca, int64_t most,
                      const int *skip, size_t skip_count, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array skipped = {{0}};
    for (size_t i = 0; i < skip_count; i++)
        array_int(&skipped, skip[i]);
    put_int(&p, act->campaign);
    put_int(&p, engine);
    put_int(&p, ca);
    put_act(&p, act);
    put_int(&p, most);
    put_array(&p, &skipped);
    return store_send(s, "queue_claim", &p, f);
}

bool store_claim_receive(struct store *s, bool wait, struct arena *a, struct claim **out, size_t *n,
                         bool *done, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_receive(s, wait, &r, f))
        return false;
    *done = r != NULL;
    *n = *done ? (size_t)PQntuples(r) : 0;
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = read_claim(r, (int)i, a);
    return true;
}

bool store_claim(struct store *s, const struct act *act, int engine, int ca, int64_t most, const int *skip,
                 size_t skip_count, struct arena *a, struct claim **out, size_t *n, struct fault *f)
{
    bool done;
    return store_claim_send(s, act, engine, ca, most, skip, skip_count, f) &&
           store_claim_receive(s, true, a, out, n, &done, f);
}

static int compare_settlements(const void *a, const void *b)
{
    const struct settlement *x = *(const struct settlement *const *)a,
                            *y = *(const struct settlement *const *)b;
    if (x->chunk != y->chunk)
        return x->chunk < y->chunk ? -1 : 1;
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x > y) - (x < y); /* two answers for one certificate: in the order in which they came */
}

/* Does `next` go on where `item` stops, with the same answer on the same page? */
static bool is_next(const struct settlement *item, const struct settlement *next)
{
    return next->number == item->number + 1 && next->number % 1000 != 0 && next->chunk == item->chunk &&
           next->epoch == item->epoch && next->outcome == item->outcome && next->event == item->event &&
           next->ca_at.s == item->ca_at.s && next->ca_reason == item->ca_reason;
}

bool store_settle_send(struct store *s, const struct act *act, const struct settlement *items, size_t n,
                       struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_PARAMETERS p = {0};
    struct array chunks = {{0}}, epochs = {{0}}, firsts = {{0}}, counts = {{0}}, outcomes = {{0}},
                 events = {{0}}, ats = {{0}}, reasons = {{0}};
    const struct settlement **sorted = arena_array(&a, n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &items[i];
    qsort(sorted, n, sizeof *sorted, compare_settlements);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && is_next(sorted[end - 1], sorted[end]);)
            end++;
        array_int(&chunks, sorted[i]->chunk);
        array_int(&epochs, sorted[i]->epoch);
        array_int(&firsts, sorted[i]->number);
        array_int(&counts, (int64_t)(end - i));
        array_int(&outcomes, sorted[i]->outcome);
        array_int(&events, sorted[i]->event);
        array_int(&ats, utc_is_set(sorted[i]->ca_at) ? sorted[i]->ca_at.s : 0);
        array_int(&reasons, sorted[i]->ca_reason);
    }
    put_int(&p, act->campaign);
    put_act(&p, act);
    struct array *const lists[] = {&chunks, &epochs, &firsts, &counts, &outcomes, &events, &ats, &reasons};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        put_array(&p, lists[i]);
    return store_send(s, "queue_settle", &p, f);
}

bool store_settle_receive(struct store *s, bool wait, int64_t *stray, bool *done, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_receive(s, wait, &r, f))
        return false;
    *done = r != NULL;
    *stray = *done ? PQntuples(r) : 0;
    return true;
}

bool store_settle(struct store *s, const struct act *act, const struct settlement *items, size_t n,
                  int64_t *stray, struct fault *f)
{
    bool done;
    return store_settle_send(s, act, items, n, f) && store_settle_receive(s, true, stray, &done, f);
}

bool store_give_back_send(struct store *s, const struct act *act, int engine, const int *chunks, size_t n,
                          struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array list = {{0}};
    for (size_t i = 0; i < n; i++)
        array_int(&list, chunks[i]);
    put_int(&p, act->campaign);
    put_int(&p, engine);
    put_act(&p, act);
    put_array(&p, &list);
    return store_send(s, "queue_give_back", &p, f);
}

bool store_give_back_receive(struct store *s, bool wait, bool *done, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_receive(s, wait, &r, f))
        return false;
    *done = r != NULL;
    return true;
}

bool store_give_back(struct store *s, const struct act *act, int engine, const int *chunks, size_t n,
                     struct fault *f)
{
    bool done;
    return store_give_back_send(s, act, engine, chunks, n, f) && store_give_back_receive(s, true, &done, f);
}

bool store_expire(struct store *s, const struct act *act, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_act(&p, act);
    if (!store_query(s, "queue_expire", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_holds_ended(struct store *s, int campaign, struct utc at, struct arena *a, int **out, size_t *n,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_utc(&p, at);
    if (!store_query(s, "hold_ended", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (int)get_int(r, i, 0);
    return true;
}

bool store_certificate_files(struct store *s, int campaign, const int64_t *numbers, size_t count,
                             struct arena *a, struct certificate_file **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array wanted = {{0}};
    for (size_t i = 0; i < count; i++)
        array_int(&wanted, numbers[i]);
    put_int(&p, campaign);
    put_array(&p, &wanted);
    if (!store_query(s, "certificate_files", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct certificate_file){.number = get_int(r, (int)i, 0),
                                              .file = arena_text(a, get_text(r, (int)i, 1)),
                                              .known = get_bool(r, (int)i, 2)};
    return true;
}

bool store_page_scopes(struct store *s, int campaign, int cohort, struct arena *a, struct page_scope **out,
                       size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "scope_pages", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct page_scope){(int)get_int(r, i, 0), get_digest(r, i, 1)};
    return true;
}

bool store_next(struct store *s, int campaign, const int *skip, size_t skip_count, struct queue_next *out,
                struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array skipped = {{0}};
    for (size_t i = 0; i < skip_count; i++)
        array_int(&skipped, skip[i]);
    put_int(&p, campaign);
    put_array(&p, &skipped);
    if (!store_query(s, "queue_next", &p, &r, f))
        return false;
    *out = (struct queue_next){get_utc(r, 0, 0), get_int(r, 0, 1), get_utc(r, 0, 2), get_utc(r, 0, 3),
                               get_int(r, 0, 4)};
    return true;
}

bool store_state_counts(struct store *s, int campaign, struct state_counts *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "state_counts", &p, &r, f))
        return false;
    *out = (struct state_counts){.needs_person = get_int(r, 0, BUCKET_COUNT),
                                 .unseen = get_int(r, 0, BUCKET_COUNT + 1),
                                 .not_checkable = get_int(r, 0, BUCKET_COUNT + 2)};
    for (int i = 0; i < BUCKET_COUNT; i++)
        out->n[i] = get_int(r, 0, i);
    return true;
}

bool store_mark_missed(struct store *s, const struct act *act, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, act->campaign);
    put_act(&p, act);
    return store_do(s, "cohort_missed", &p, f);
}

bool store_engine_runs(struct store *s, int campaign, bool *yes, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "engine_runs", &p, &r, f))
        return false;
    *yes = get_bool(r, 0, 0);
    return true;
}

bool store_engines_work(const char *conninfo, bool *yes, struct fault *f)
{
    struct store *s;
    AUTO_RESULT *r = NULL;
    if (!store_connect(conninfo, "public", &s, f))
        return false;
    bool ok = store_query(s, "engines_work", NULL, &r, f);
    *yes = ok && get_bool(r, 0, 0);
    store_close(s);
    return ok;
}

bool store_leftover(struct store *s, int campaign, int64_t most, struct arena *a, struct leftover **out,
                    size_t *n, int64_t *total, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, most);
    if (!store_query(s, "leftover", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *total = *n == 0 ? 0 : get_int(r, 0, 4);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct leftover){(enum certificate_state)get_int(r, i, 0), get_serial(r, i, 1),
                                      arena_text(a, get_text(r, i, 2)), get_int(r, i, 3) != 0};
    return true;
}

bool store_question_note(struct store *s, const char *ca, struct utc now, struct utc keep, int engine,
                         int64_t n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_text(&p, ca);
    put_utc(&p, now);
    put_int(&p, engine);
    put_int(&p, n);
    put_utc(&p, keep);
    return store_do(s, "question_note", &p, f);
}

bool store_recent_sends(struct store *s, struct utc since, struct utc now, int engine, int ca,
                        const char *name, struct arena *a, struct recent_sends **out, size_t *n,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_utc(&p, since);
    put_utc(&p, now);
    put_int(&p, engine);
    put_int(&p, ca);
    put_text(&p, name);
    if (!store_query(s, "recent_sends", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct recent_sends){get_utc(r, i, 0), get_int(r, i, 1), get_bool(r, i, 2)};
    return true;
}
