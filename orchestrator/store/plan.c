/* Plans as they stand in the store, what is signed of them, requests and approvals. */
#include "listed.h"
#include "massrevoke/store_plan.h"

bool store_inventory_count(struct store *s, int64_t *n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(s, "inventory_count", NULL, &r, f))
        return false;
    *n = get_int(r, 0, 0);
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

bool store_plan_moves(struct store *s, int campaign, int old_plan, int new_plan, struct arena *a,
                      struct plan_moves *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, old_plan);
    put_int(&p, new_plan);
    put_int(&p, PLAN_MOVES_MAX);
    if (!store_query(s, "plan_moves", &p, &r, f))
        return false;
    *out = (struct plan_moves){.count = (size_t)PQntuples(r)};
    out->rows = arena_array(a, out->count, sizeof *out->rows);
    for (int i = 0; i < PQntuples(r); i++)
        out->rows[i] =
            (struct plan_move){arena_text(a, get_text(r, i, 0)), get_utc(r, i, 1), get_utc(r, i, 2)};
    if (out->count > 0) {
        out->earlier = get_int(r, 0, 3);
        out->later = get_int(r, 0, 4);
    }
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
    if (request->named_count > 0)
        json_object_set_new(data, "certificates", listed_json(request->named, request->named_count));
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
    put_listed(&p, request->named, request->named_count);
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

/* What `query` names of the campaign and the number. */
static bool read_listed(struct store *s, const char *query, int campaign, int number, struct arena *a,
                        struct listed **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, number);
    if (!store_query(s, query, &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct listed){.issuer = (int)get_int(r, i, 0), .serial = get_serial(r, i, 1)};
    return true;
}

bool store_request_items(struct store *s, int campaign, int request, struct arena *a, struct listed **out,
                         size_t *n, struct fault *f)
{
    return read_listed(s, "request_items", campaign, request, a, out, n, f);
}

bool store_hold_items(struct store *s, int campaign, int hold, struct arena *a, struct listed **out,
                      size_t *n, struct fault *f)
{
    return read_listed(s, "hold_items", campaign, hold, a, out, n, f);
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
