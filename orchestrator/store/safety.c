/* Canaries, breakers and another try: the rows behind the brakes that nobody pulls. */
#include "listed.h"
#include "massrevoke/store_safety.h"

static struct utc date_of(const PGresult *r, int row, int column)
{
    int64_t at = get_int(r, row, column);
    return at == 0 ? UTC_NONE : (struct utc){at};
}

bool store_canaries(struct store *s, int campaign, struct arena *a, struct canary **out, size_t *n,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "canary_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct canary){
            .number = get_int(r, i, 0),
            .cohort = (int)get_int(r, i, 1),
            .issuer = (int)get_int(r, i, 2),
            .state = (enum certificate_state)get_int(r, i, 3),
            .recorded_at = get_utc(r, i, 4),
            .ca_at = date_of(r, i, 5), /* settled as 0 when the CA did not say */
            .ca_reason = get_null(r, i, 6) ? -1 : (int)get_int(r, i, 6),
            .reason = (int)get_int(r, i, 7),
            .serial = get_serial(r, i, 8),
            .old_reason = get_null(r, i, 9) ? -1 : (int)get_int(r, i, 9),
        };
    return true;
}

bool store_canary_replace(struct store *s, const struct act *act, const struct canary *c, bool *found,
                          struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, c->number);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "canary_replace", &p, &r, f))
        return false;
    *found = !get_null(r, 0, 0);
    return true;
}

static json_t *canary_json(const struct canary *c, const char *why)
{
    json_t *data = json_object();
    json_set_int(data, "cohort", c->cohort);
    json_set_int(data, "issuer", c->issuer);
    json_set_int(data, "number", c->number);
    json_set_text(data, "why", why);
    return data;
}

bool store_canary_pass(struct store *s, const struct act *act, const struct canary *c, const char *why,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = canary_json(c, why);
    put_int(&p, act->campaign);
    put_int(&p, c->cohort);
    put_int(&p, c->issuer);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "canary_pass", &p, f);
}

bool store_canary_silent(struct store *s, const struct act *act, const struct canary *c, const char *why,
                         struct fault *f)
{
    AUTO_JSON *data = canary_json(c, why);
    return store_note(s, act, "canary_silent", data, f);
}

bool store_canary_stop(struct store *s, const struct act *act, const struct canary *c, const char *why,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = canary_json(c, why);
    put_int(&p, act->campaign);
    put_int(&p, c->issuer);
    put_int(&p, c->number);
    put_text(&p, why);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "canary_stop", &p, f);
}

bool store_stops_lift(struct store *s, const struct act *act, const char *reason, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_text(data, "reason", reason);
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    if (!store_query(s, "stops_lift", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_stops(struct store *s, int campaign, struct arena *a, struct issuer_stop **out, size_t *n,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "stop_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct issuer_stop){.issuer = arena_text(a, get_text(r, i, 0)),
                                         .why = arena_text(a, get_text(r, i, 3)),
                                         .at = get_utc(r, i, 2)};
    return true;
}

bool store_breaker_set(struct store *s, const struct act *act, const char *ca, const char *what,
                       const char *text, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_text(data, "ca", ca);
    if (what[0] != '\0') {
        json_set_text(data, "class", what);
        json_set_text(data, "text", text);
    }
    put_int(&p, act->campaign);
    put_text(&p, ca);
    put_text(&p, what);
    put_text(&p, text);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "breaker_set", &p, f);
}

bool store_breakers(struct store *s, int campaign, struct arena *a, struct open_breaker **out, size_t *n,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "breaker_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct open_breaker){.ca = arena_text(a, get_text(r, i, 0)),
                                          .what = arena_text(a, get_text(r, i, 1)),
                                          .text = arena_text(a, get_text(r, i, 3)),
                                          .at = get_utc(r, i, 2)};
    return true;
}

bool store_cohort_has(struct store *s, int campaign, int cohort, const struct listed *item, bool *yes,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    put_int(&p, item->issuer);
    put_bytes(&p, item->serial.bytes, item->serial.n);
    if (!store_query(s, "cohort_has", &p, &r, f))
        return false;
    *yes = get_bool(r, 0, 0);
    return true;
}

static bool list_certificates(struct store *s, const char *query, struct parameters *p, struct arena *a,
                              struct cohort_certificate **out, size_t *n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    if (!store_query(s, query, p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct cohort_certificate){get_serial(r, i, 0), arena_text(a, get_text(r, i, 1)),
                                                arena_text(a, get_text(r, i, 2))};
    return true;
}

bool store_cohort_certificates(struct store *s, int campaign, int cohort, int64_t most, struct arena *a,
                               struct cohort_certificate **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_int(&p, cohort);
    put_int(&p, most);
    return list_certificates(s, "cohort_certificates", &p, a, out, n, f);
}

bool store_cohort_cas(struct store *s, int campaign, int cohort, struct arena *a,
                      struct cohort_certificate **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_int(&p, cohort);
    return list_certificates(s, "cohort_cas", &p, a, out, n, f);
}

bool store_proof_pointers(struct store *s, int campaign, const int64_t *numbers, size_t n, struct arena *a,
                          struct proof_pointer **out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array list = {{0}};
    for (size_t i = 0; i < n; i++)
        array_int(&list, numbers[i]);
    put_int(&p, campaign);
    put_array(&p, &list);
    if (!store_query(s, "proof_pointers", &p, &r, f))
        return false;
    if ((size_t)PQntuples(r) != n)
        return fault_set(f, FAULT_FAILED, "database: %d of %zu certificates in doubt have a row",
                         PQntuples(r), n);
    *out = arena_array(a, n, sizeof **out);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = (struct proof_pointer){arena_text(a, get_text(r, (int)i, 0)),
                                           arena_text(a, get_text(r, (int)i, 1))};
    return true;
}

bool store_due_within(struct store *s, int campaign, struct utc until, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_utc(&p, until);
    if (!store_query(s, "due_within", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_retry(struct store *s, const struct act *act, const struct listed *items, size_t n,
                 const char *reason, struct arena *a, struct retried **out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_object_set_new(data, "certificates", listed_json(items, n));
    json_set_text(data, "reason", reason);
    put_int(&p, act->campaign);
    put_listed(&p, items, n);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    if (!store_query(s, "act_retry", &p, &r, f))
        return false;
    *out = arena_array(a, n, sizeof **out);
    for (size_t i = 0; i < n && i < (size_t)PQntuples(r); i++)
        (*out)[i] = (struct retried){(enum certificate_state)get_int(r, (int)i, 0), get_bool(r, (int)i, 1)};
    return true;
}
