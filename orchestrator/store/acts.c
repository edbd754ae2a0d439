/* Start, and the brakes: void, pause, drop, hold. */
#include "listed.h"

static void put_tail(struct parameters *p, const struct act *act, const json_t *data)
{
    put_utc(p, act->at);
    put_text(p, act->who);
    put_json(p, data);
}

int listed_compare(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    return x->issuer != y->issuer ? (x->issuer > y->issuer) - (x->issuer < y->issuer)
                                  : serial_compare(&x->serial, &y->serial);
}

void put_listed(struct parameters *p, const struct listed *items, size_t n)
{
    struct array issuers = {{0}}, serials = {{0}};
    for (size_t i = 0; i < n; i++) {
        array_int(&issuers, items[i].issuer);
        array_bytes(&serials, items[i].serial.bytes, items[i].serial.n);
    }
    put_array(p, &issuers);
    put_array(p, &serials);
}

json_t *listed_json(const struct listed *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        char hex[SERIAL_HEX_TEXT];
        json_array_append_new(list,
                              json_sprintf("%d/%s", items[i].issuer, serial_hex(&items[i].serial, hex)));
    }
    return list;
}

bool store_start(struct store *s, const struct act *act, int cohort, int request, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "cohort", cohort);
    json_set_int(data, "request", request);
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_int(&p, request);
    put_tail(&p, act, data);
    return store_do(s, "campaign_start", &p, f);
}

bool store_void(struct store *s, const struct act *act, int cohort, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "cohort", cohort);
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_tail(&p, act, data);
    return store_do(s, "cohort_void", &p, f);
}

bool store_pause(struct store *s, const struct act *act, bool revoke, bool notify, const char *reason,
                 bool resume, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_bool(data, "revoke", revoke);
    json_set_bool(data, "notify", notify);
    json_set_text(data, "reason", reason);
    put_int(&p, act->campaign);
    put_bool(&p, revoke);
    put_bool(&p, notify);
    put_text(&p, reason);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, resume ? "resume" : "pause");
    put_json(&p, data);
    return store_do(s, "campaign_pause", &p, f);
}

bool store_drop(struct store *s, const struct act *act, const struct listed *items, size_t n,
                const char *reason, struct arena *a, const char ***verdicts, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_text(data, "reason", reason);
    json_object_set_new(data, "certificates", listed_json(items, n));
    put_int(&p, act->campaign);
    put_listed(&p, items, n);
    put_tail(&p, act, data);
    if (!store_query(s, "act_drop", &p, &r, f))
        return false;
    *verdicts = arena_array(a, n, sizeof **verdicts);
    for (int i = 0; i < PQntuples(r); i++)
        (*verdicts)[i] = arena_text(a, get_text(r, i, 1));
    return true;
}

bool store_hold_add(struct store *s, const struct act *act, const char *kind, const char *document,
                    struct digest sha256, struct utc until, const struct listed *items, size_t n, int *hold,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_text(&p, kind);
    put_text(&p, document);
    put_digest(&p, sha256);
    put_utc(&p, until);
    put_listed(&p, items, n);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "hold_add", &p, &r, f))
        return false;
    *hold = (int)get_int(r, 0, 0);
    return true;
}

bool store_hold_activate(struct store *s, const struct act *act, int hold, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "hold", hold);
    put_int(&p, act->campaign);
    put_int(&p, hold);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, "hold");
    put_json(&p, data);
    return store_do(s, "hold_activate", &p, f);
}

bool store_standing(struct store *s, int campaign, const struct listed *items, size_t n, struct arena *a,
                    enum certificate_state **states, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_listed(&p, items, n);
    if (!store_query(s, "standing", &p, &r, f))
        return false;
    *states = arena_array(a, n, sizeof **states);
    for (size_t i = 0; i < n; i++)
        (*states)[i] = certificate_state((uint8_t)get_int(r, (int)i, 1));
    return true;
}

bool store_release_over(struct store *s, int campaign, int hold, int request, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_int(&p, hold);
    put_int(&p, request);
    return store_do(s, "release_over", &p, f);
}

bool store_hold_release(struct store *s, const struct act *act, int hold, const struct listed *items,
                        size_t n, int64_t *released, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_int(data, "hold", hold);
    if (n > 0)
        json_object_set_new(data, "certificates", listed_json(items, n));
    put_int(&p, act->campaign);
    put_int(&p, hold);
    if (n > 0) {
        put_listed(&p, items, n);
    } else {
        put_text(&p, NULL);
        put_text(&p, NULL);
    }
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, "release");
    put_json(&p, data);
    if (!store_query(s, "hold_release", &p, &r, f))
        return false;
    *released = get_int(r, 0, 0);
    return true;
}

bool store_holds(struct store *s, int campaign, struct arena *a, struct hold **out, size_t *n,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "hold_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct hold){
            .hold = (int)get_int(r, i, 0),
            .kind = arena_text(a, get_text(r, i, 1)),
            .document = arena_text(a, get_text(r, i, 2)),
            .until = get_utc(r, i, 3),
            .author = arena_text(a, get_text(r, i, 4)),
            .at = get_utc(r, i, 5),
            .active = get_bool(r, i, 6),
            .certificates = get_int(r, i, 7),
        };
    return true;
}

bool store_holdings(struct store *s, int campaign, const struct listed *items, size_t n, struct arena *a,
                    struct holding **out, size_t *count, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_listed(&p, items, n);
    if (!store_query(s, "holdings", &p, &r, f))
        return false;
    *count = (size_t)PQntuples(r);
    *out = arena_array(a, *count, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct holding){.hold = (int)get_int(r, i, 0),
                                     .kind = arena_text(a, get_text(r, i, 1)),
                                     .document = arena_text(a, get_text(r, i, 2)),
                                     .place = (size_t)get_int(r, i, 3) - 1};
    return true;
}

bool store_listed_facts(struct store *s, int campaign, const struct listed *items, size_t n, struct arena *a,
                        struct listed_facts **out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_listed(&p, items, n);
    if (!store_query(s, "listed_facts", &p, &r, f))
        return false;
    if ((size_t)PQntuples(r) != n)
        return fault_set(f, FAULT_FAILED, "an issuer of these certificates is not in the store");
    *out = arena_array(a, n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct listed_facts){.cohort = (int)get_int(r, i, 0),
                                          .reason = (int)get_int(r, i, 1),
                                          .issuer = arena_text(a, get_text(r, i, 2))};
    return true;
}
