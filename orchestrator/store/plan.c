/* Numbering, the planner's material, dealing, requests and approvals. */
#include "internal.h"
#include "massrevoke/store_campaign.h"

#include <stdlib.h>

static void put_act(struct parameters *p, const struct act *act)
{
    put_utc(p, act->at);
    put_text(p, act->who);
}

/* The server's statistics after a load: without them it takes fresh rows by the thousand for one and joins
 * them in a nested loop. After the commit, so that no lock is added to it; a failure costs time and nothing
 * else. */
static void refresh_statistics(struct store *s, const char *analyze)
{
    struct fault ignored = {0};
    (void)!store_run(s, "statistics", analyze, &ignored);
}

bool store_plan_number(struct store *s, const struct act *act, int cohort, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_act(&p, act);
    if (!store_query(s, "plan_number", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    refresh_statistics(s, "ANALYZE certificate, page");
    return true;
}

/* Index of `value` in a growing table of distinct integers. */
static int issuer_index(struct plan_material *m, int issuer)
{
    for (size_t i = 0; i < m->issuer_count; i++)
        if (m->issuers[i] == issuer)
            return (int)i;
    m->issuers[m->issuer_count] = issuer;
    return (int)m->issuer_count++;
}

/* Distinct texts in order of first sight, by sorting row indices once: O(n log n). */
struct text_row {
    const char *text;
    int row;
};

static int compare_text_rows(const void *a, const void *b)
{
    const struct text_row *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

/* numbers[row] = index of the row's text among the sorted distinct ones; firsts[index] = a row that has it.
 */
static size_t index_texts(const PGresult *r, int column, struct arena *a, uint32_t *numbers, int **firsts)
{
    size_t n = (size_t)PQntuples(r), distinct = 0;
    struct text_row *rows = arena_array(a, n, sizeof *rows);
    *firsts = arena_array(a, n, sizeof **firsts);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct text_row){get_text(r, (int)i, column), (int)i};
    qsort(rows, n, sizeof *rows, compare_text_rows);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(rows[i].text, rows[i - 1].text) != 0)
            (*firsts)[distinct++] = rows[i].row;
        numbers[rows[i].row] = (uint32_t)distinct - 1;
    }
    return distinct;
}

static bool read_scope(struct store *s, int campaign, int cohort, struct arena *a, struct plan_material *out,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "plan_scope", &p, &r, f))
        return false;
    out->scope = arena_text(a, get_text(r, 0, 0));
    return true;
}

bool store_inventory_count(struct store *s, int64_t *n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(s, "inventory_count", NULL, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_plan_material(struct store *s, int campaign, int cohort, bool preview, struct arena *a,
                         struct plan_material *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    *out = (struct plan_material){0};
    if (!read_scope(s, campaign, cohort, a, out, f) ||
        !store_query(s, preview ? "plan_preview" : "plan_input", &p, &r, f))
        return false;
    size_t n = (size_t)PQntuples(r);
    uint32_t *subscribers = arena_array(a, n, sizeof *subscribers),
             *shards = arena_array(a, n, sizeof *shards);
    int *firsts, *ignored;
    out->issuers = arena_array(a, n, sizeof *out->issuers);
    out->subscriber_count = index_texts(r, 1, a, subscribers, &firsts);
    (void)index_texts(r, 3, a, shards, &ignored);
    out->subscribers = arena_array(a, out->subscriber_count, sizeof *out->subscribers);
    for (size_t i = 0; i < out->subscriber_count; i++)
        out->subscribers[i] = (struct plan_subscriber){
            .id = arena_text(a, get_text(r, firsts[i], 1)),
        };
    out->certificates = arena_array(a, n, sizeof *out->certificates);
    out->certificate_count = n;
    for (size_t i = 0; i < n; i++)
        out->certificates[i] = (struct plan_certificate){
            .number = (uint32_t)get_int(r, (int)i, 0),
            .subscriber = subscribers[i],
            .issuer = (uint16_t)issuer_index(out, (int)get_int(r, (int)i, 2)),
            .shard = shards[i],
            .turn = get_bool(r, (int)i, 6)   ? CLASS_RISKIEST
                    : get_bool(r, (int)i, 9) ? CLASS_REPLACED
                    : get_bool(r, (int)i, 5) ? CLASS_IN_USE
                                             : CLASS_UNREACHABLE,
            /* doubt is resolved before expiry: however late, it must be in a live chunk */
            .not_after = get_bool(r, (int)i, 7) ? UTC_NONE : get_utc(r, (int)i, 4),
        };
    for (size_t i = 0; i < n; i++)
        out->canary_open = out->canary_open || get_bool(r, (int)i, 8);
    return true;
}

static void put_chunks(struct parameters *p, const struct plan_material *m, const struct plan *plan)
{
    struct array cas = {{0}}, issuers = {{0}}, canary = {{0}}, starts = {{0}}, dues = {{0}}, firsts = {{0}},
                 counts = {{0}};
    for (size_t i = 0; i < plan->chunk_count; i++) {
        const struct plan_chunk *c = &plan->chunks[i];
        array_int(&cas, c->ca);
        array_int(&issuers, m->issuers[c->issuer]);
        array_bool(&canary, c->canary);
        array_utc(&starts, plan->slots[c->slot].start);
        array_utc(&dues, c->due);
        array_int(&firsts, c->first);
        array_int(&counts, c->count);
    }
    put_array(p, &cas);
    put_array(p, &issuers);
    put_array(p, &canary);
    put_array(p, &starts);
    put_array(p, &dues);
    put_array(p, &firsts);
    put_array(p, &counts);
}

static void put_numbers(struct parameters *p, const uint32_t *numbers, size_t n)
{
    struct array list = {{0}};
    for (size_t i = 0; i < n; i++)
        array_int(&list, numbers[i]);
    put_array(p, &list);
}

bool store_plan_deal(struct store *s, const struct act *act, int cohort, const struct plan_material *m,
                     const struct plan *plan, json_t *summary, int *number, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    char hex[DIGEST_TEXT];
    json_set_int(data, "cohort", cohort);
    json_set_text(data, "sha256", digest_hex(plan->digest, hex));
    json_set_bool(data, "feasible", plan->feasible);
    json_set_int(data, "certificates", (int64_t)plan->number_count);
    json_set_utc(data, "finish", plan->finish);
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_act(&p, act);
    put_digest(&p, plan->digest);
    put_text(&p, plan->text);
    put_json(&p, summary);
    put_text(&p, m->scope);
    put_chunks(&p, m, plan);
    put_numbers(&p, plan->numbers, plan->number_count);
    put_numbers(&p, plan->canaries, plan->canary_count);
    put_json(&p, data);
    if (!store_query(s, "plan_deal", &p, &r, f))
        return false;
    *number = (int)get_int(r, 0, 0);
    refresh_statistics(s, "ANALYZE chunk");
    return true;
}

bool store_plan_get(struct store *s, int campaign, int plan, struct arena *a, struct stored_plan *out,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, plan);
    if (!store_query(s, "plan_get", &p, &r, f))
        return false;
    if (PQntuples(r) == 0)
        return fault_set(f, FAULT_FAILED, "there is no plan %d", plan);
    *out = (struct stored_plan){
        .plan = (int)get_int(r, 0, 0),
        .cohort = (int)get_int(r, 0, 1),
        .at = get_utc(r, 0, 2),
        .author = arena_text(a, get_text(r, 0, 3)),
        .digest = get_digest(r, 0, 4),
        .text = arena_text(a, get_text(r, 0, 5)),
        .summary = arena_text(a, get_text(r, 0, 6)),
    };
    return true;
}

bool store_plan_slots(struct store *s, int campaign, struct arena *a, struct dealt_slot **out, size_t *n,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "plan_slots", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct dealt_slot){get_utc(r, i, 0), get_utc(r, i, 3), get_int(r, i, 1),
                                        get_int(r, i, 2), (int)get_int(r, i, 4)};
    return true;
}

bool store_scope_digest(struct store *s, int campaign, int cohort, struct digest *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "scope_digest", &p, &r, f))
        return false;
    *out = get_digest(r, 0, 0);
    return true;
}

bool store_scope_issuers(struct store *s, int campaign, int cohort, struct arena *a, const char **subjects,
                         int64_t *certificates, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_BUF text = {0};
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "scope_issuers", &p, &r, f))
        return false;
    *certificates = 0;
    for (int i = 0; i < PQntuples(r); i++) {
        buf_format(&text, "%s%s", i == 0 ? "" : "\n", get_text(r, i, 1));
        *certificates += get_int(r, i, 2);
    }
    *subjects = arena_copy(a, buf_str(&text).p, text.n);
    return true;
}

bool store_requesters(struct store *s, int campaign, int cohort, struct arena *a, const char ***out,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "requesters", &p, &r, f))
        return false;
    *out = arena_array(a, (size_t)PQntuples(r) + 1, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = arena_text(a, get_text(r, i, 0));
    return true;
}

static void put_optional(struct parameters *p, int value)
{
    if (value == 0)
        put_text(p, NULL);
    else
        put_int(p, value);
}

bool store_request_add(struct store *s, const struct act *act, const struct request *request,
                       const char *const *requesters, int *number, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_text(data, "request", "@REQUEST@");
    json_set_text(data, "what", request->what);
    json_set_int(data, "cohort", request->cohort);
    struct array names = {{0}};
    for (size_t i = 0; requesters[i] != NULL; i++)
        array_text(&names, requesters[i]);
    put_int(&p, act->campaign);
    put_text(&p, request->what);
    put_int(&p, request->cohort);
    put_optional(&p, request->plan);
    put_optional(&p, request->hold);
    put_utc(&p, act->at);
    put_utc(&p, request->expires_at);
    put_array(&p, &names);
    put_text(&p, request->text);
    put_text(&p, act->who);
    put_json(&p, data);
    if (!store_query(s, "request_add", &p, &r, f))
        return false;
    *number = (int)get_int(r, 0, 0);
    return true;
}

bool store_requests(struct store *s, int campaign, struct arena *a, struct request **out, size_t *n,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "request_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct request){
            .request = (int)get_int(r, i, 0),
            .what = arena_text(a, get_text(r, i, 1)),
            .cohort = (int)get_int(r, i, 2),
            .plan = (int)get_int(r, i, 3),
            .hold = (int)get_int(r, i, 4),
            .at = get_utc(r, i, 5),
            .expires_at = get_utc(r, i, 6),
            .text = arena_text(a, get_text(r, i, 7)),
            .void_reason = arena_text(a, get_text(r, i, 8)),
            .requesters = arena_text(a, get_text(r, i, 9)),
            .approvals = (int)get_int(r, i, 10),
            .approvers = arena_text(a, get_text(r, i, 11)),
        };
    return true;
}

bool store_approval_add(struct store *s, const struct act *act, int request, const char *approver,
                        struct str signature, struct digest signed_text, int *count, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    char hex[DIGEST_TEXT];
    json_set_int(data, "request", request);
    json_set_text(data, "text_sha256", digest_hex(signed_text, hex));
    put_int(&p, act->campaign);
    put_int(&p, request);
    put_text(&p, approver);
    put_utc(&p, act->at);
    put_bytes(&p, signature.p, signature.n);
    put_json(&p, data);
    if (!store_query(s, "approval_add", &p, &r, f)) {
        if (strstr(f->text, "23505") != NULL)
            fault_set(f, FAULT_CONFLICT, "%s has approved request %d already", approver, request);
        return false;
    }
    *count = (int)get_int(r, 0, 0);
    return true;
}

bool store_approvals(struct store *s, int campaign, int request, struct arena *a, struct approval **out,
                     size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, request);
    if (!store_query(s, "approval_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] =
            (struct approval){arena_text(a, get_text(r, i, 0)), get_utc(r, i, 1), get_bytes(r, i, 2, a)};
    return true;
}
