/* Changes of reasons: their rows, their facts. */
#include "listed.h"
#include "massrevoke/store_reason.h"

bool store_reason_look(struct store *s, int campaign, const struct listed *items, size_t n, struct arena *a,
                       struct reason_target **out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_listed(&p, items, n);
    if (!store_query(s, "reason_look", &p, &r, f))
        return false;
    if ((size_t)PQntuples(r) != n)
        return fault_set(f, FAULT_FAILED, "database: %d of %zu certificates came back", PQntuples(r), n);
    *out = arena_array(a, n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct reason_target){.number = get_null(r, i, 0) ? -1 : get_int(r, i, 0),
                                           .state = (enum certificate_state)get_int(r, i, 1),
                                           .reason = (int)get_int(r, i, 2),
                                           .told = get_utc(r, i, 3),
                                           .busy = (int)get_int(r, i, 4)};
    return true;
}

bool store_reason_propose(struct store *s, const struct act *act, const struct reason_change *c,
                          const struct listed *items, const struct reason_target *targets, size_t n,
                          int *change, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array numbers = {{0}}, reasons = {{0}}, dates = {{0}};
    for (size_t i = 0; i < n; i++) {
        array_int(&numbers, targets[i].number);
        array_int(&reasons, targets[i].reason);
        array_int(&dates, utc_is_set(targets[i].told) ? targets[i].told.s : 0);
    }
    put_int(&p, act->campaign);
    put_int(&p, (int)c->reason);
    put_utc(&p, c->compromised_at);
    put_bool(&p, c->elsewhere);
    put_text(&p, c->why);
    put_array(&p, &numbers);
    put_listed(&p, items, n);
    put_array(&p, &reasons);
    put_array(&p, &dates);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "reason_propose", &p, &r, f))
        return false;
    *change = (int)get_int(r, 0, 0);
    return true;
}

bool store_reasons(struct store *s, int campaign, struct arena *a, struct reason_change **out, size_t *n,
                   struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "reason_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct reason_change){
            .change = (int)get_int(r, i, 0),
            .reason = (enum reason)get_int(r, i, 1),
            .compromised_at = get_utc(r, i, 2),
            .elsewhere = get_bool(r, i, 3),
            .why = arena_text(a, get_text(r, i, 4)),
            .author = arena_text(a, get_text(r, i, 5)),
            .at = get_utc(r, i, 6),
            .bound_at = get_utc(r, i, 7),
            .request = (int)get_int(r, i, 8),
            .certificates = get_int(r, i, 9),
            .waits = get_int(r, i, 10),
            .asked = get_int(r, i, 11),
            .changed = get_int(r, i, 12),
            .elsewhere_open = get_int(r, i, 13),
            .shown = get_int(r, i, 14),
            .person = get_int(r, i, 15),
        };
    return true;
}

bool store_reason_items(struct store *s, int campaign, int change, struct arena *a, struct reason_item **out,
                        size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, change);
    if (!store_query(s, "reason_items", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct reason_item){.number = get_int(r, i, 0),
                                         .issuer = (int)get_int(r, i, 1),
                                         .issuer_subject = arena_text(a, get_text(r, i, 2)),
                                         .serial = get_serial(r, i, 3),
                                         .old_reason = (int)get_int(r, i, 4),
                                         .old_at = get_utc(r, i, 5),
                                         .state = arena_text(a, get_text(r, i, 6)),
                                         .said = arena_text(a, get_text(r, i, 7))};
    return true;
}

bool store_reason_bind(struct store *s, const struct act *act, int change, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "change", change);
    put_int(&p, act->campaign);
    put_int(&p, change);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "reason_bind", &p, f);
}

bool store_reason_claim(struct store *s, const struct act *act, int engine, const int *changes,
                        size_t change_count, const int *issuers, size_t issuer_count, struct span quiet,
                        int64_t most, struct arena *a, struct reason_claim **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array allowed = {{0}}, of = {{0}};
    for (size_t i = 0; i < change_count; i++)
        array_int(&allowed, changes[i]);
    for (size_t i = 0; i < issuer_count; i++)
        array_int(&of, issuers[i]);
    put_int(&p, act->campaign);
    put_int(&p, engine);
    put_array(&p, &allowed);
    put_array(&p, &of);
    put_int(&p, quiet.s);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_int(&p, most);
    if (!store_query(s, "reason_claim", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct reason_claim){(int)get_int(r, i, 0), get_int(r, i, 1), (int)get_int(r, i, 2),
                                          get_serial(r, i, 3)};
    return true;
}

/* What an answer to a change is called. */
static const char *const words[CA_OUTCOME_COUNT] = {
    [CA_REVOKED_NOW] = "changed",
    [CA_REVOKED_BEFORE] = "already",
    [CA_NOT_REVOKED] = "not_revoked",
    [CA_UNKNOWN] = "unknown",
    [CA_WAIT] = "wait",
    [CA_ASK] = "ask",
    [CA_PERSON] = "person",
};

bool store_reason_settle(struct store *s, const struct act *act, int engine,
                         const struct reason_claim *claims, const struct ca_answer *answers, size_t n,
                         struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array changes = {{0}}, numbers = {{0}}, said = {{0}}, dates = {{0}}, reasons = {{0}},
                 texts = {{0}};
    for (size_t i = 0; i < n; i++) {
        array_int(&changes, claims[i].change);
        array_int(&numbers, claims[i].number);
        array_text(&said, words[answers[i].outcome]);
        array_int(&dates, utc_is_set(answers[i].at) ? answers[i].at.s : 0);
        array_int(&reasons, answers[i].reason);
        array_text(&texts, answers[i].text);
    }
    put_int(&p, act->campaign);
    put_int(&p, engine);
    put_array(&p, &changes);
    put_array(&p, &numbers);
    put_array(&p, &said);
    put_array(&p, &dates);
    put_array(&p, &reasons);
    put_array(&p, &texts);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    return store_do(s, "reason_settle", &p, f);
}

bool store_reason_shown(struct store *s, const struct act *act, const struct reason_sight *seen, size_t n,
                        struct digest object, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array numbers = {{0}}, dates = {{0}};
    for (size_t i = 0; i < n; i++) {
        array_int(&numbers, seen[i].number);
        array_int(&dates, utc_is_set(seen[i].at) ? seen[i].at.s : 0);
    }
    put_int(&p, act->campaign);
    put_array(&p, &numbers);
    put_array(&p, &dates);
    put_digest(&p, object);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    return store_do(s, "reason_shown", &p, f);
}
