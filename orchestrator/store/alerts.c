/* Alerts: raised, called out, taken, over; and what causes are found from. */
#include "internal.h"
#include "massrevoke/store_alert.h"

#include <inttypes.h>

static enum mail_outcome outcome_from(const char *name)
{
    for (int i = 0; i < MAIL_OUTCOME_COUNT; i++)
        if (strcmp(name, mail_outcome_name((enum mail_outcome)i)) == 0)
            return (enum mail_outcome)i;
    return MAIL_UNKNOWN;
}

static struct alert read_alert(const PGresult *r, int i, struct arena *a)
{
    return (struct alert){
        .alert = get_int(r, i, 0),
        .cause = {.kind = alert_kind_from_name(str_of(get_text(r, i, 1))),
                  .subject = arena_text(a, get_text(r, i, 2)),
                  .since = get_utc(r, i, 3),
                  .text = arena_text(a, get_text(r, i, 4)),
                  .cost = arena_text(a, get_text(r, i, 5)),
                  .command = arena_text(a, get_text(r, i, 6))},
        .raised_at = get_utc(r, i, 7),
        .acked_at = get_utc(r, i, 8),
        .acked_by = arena_text(a, get_text(r, i, 9)),
        .cleared_at = get_utc(r, i, 10),
        .elsewhere = get_bool(r, i, 11),
    };
}

static struct alert_try read_try(const PGresult *r, int i, struct arena *a)
{
    return (struct alert_try){
        .step = (int)get_int(r, i, 1),
        .path = strcmp(get_text(r, i, 2), alert_path_name(ALERT_MAIL)) == 0 ? ALERT_MAIL : ALERT_COMMAND,
        .attempt = (int)get_int(r, i, 3),
        .at = get_utc(r, i, 4),
        .open = get_bool(r, i, 5),
        .outcome = outcome_from(get_text(r, i, 6)),
        .to = arena_text(a, get_text(r, i, 7)),
        .text = arena_text(a, get_text(r, i, 8)),
    };
}

/* Both lists ascend by alert. One that a newer program raised, of a kind unknown here, is left out. */
bool store_alerts(struct store *s, int campaign, struct utc since, int engine, struct arena *a,
                  struct alert **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0}, q = {0};
    AUTO_RESULT *r = NULL, *calls = NULL;
    put_int(&p, campaign);
    put_utc(&p, since);
    put_int(&p, engine);
    put_int(&q, campaign);
    put_utc(&q, since);
    if (!store_query(s, "alert_list", &p, &r, f) || !store_query(s, "alert_tries", &q, &calls, f))
        return false;
    *out = arena_array(a, (size_t)PQntuples(r), sizeof **out);
    *n = 0;
    int call = 0;
    for (int i = 0; i < PQntuples(r); i++) {
        struct alert one = read_alert(r, i, a);
        struct alert_try *tries = arena_array(a, (size_t)PQntuples(calls), sizeof *tries);
        for (; call < PQntuples(calls) && get_int(calls, call, 0) <= one.alert; call++)
            if (get_int(calls, call, 0) == one.alert)
                tries[one.try_count++] = read_try(calls, call, a);
        one.tries = tries;
        if (one.cause.kind != ALERT_KIND_COUNT)
            (*out)[(*n)++] = one;
    }
    return true;
}

static void get_numbers(const PGresult *r, struct arena *a, int64_t **out, size_t *n)
{
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = get_int(r, (int)i, 0);
}

bool store_alert_raise(struct store *s, const struct act *act, int engine, const struct alert_cause *causes,
                       const size_t *which, size_t n, struct arena *a, int64_t **numbers, size_t *raised,
                       struct fault *f)
{
    enum { KIND, SUBJECT, SINCE, TEXT, COST, COMMAND, ENGINE, DATA, COLUMNS };
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array columns[COLUMNS] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct alert_cause *c = &causes[which[i]];
        AUTO_JSON *data = json_object();
        AUTO_BUF text = {0};
        json_set_text(data, "kind", alert_kind_name(c->kind));
        json_set_text(data, "subject", c->subject);
        json_canonical(data, &text);
        array_text(&columns[KIND], alert_kind_name(c->kind));
        array_text(&columns[SUBJECT], c->subject);
        array_utc(&columns[SINCE], c->since);
        array_text(&columns[TEXT], c->text);
        array_text(&columns[COST], c->cost);
        array_text(&columns[COMMAND], c->command);
        if (c->own)
            array_int(&columns[ENGINE], engine);
        else
            array_utc(&columns[ENGINE], UTC_NONE);
        array_text(&columns[DATA], buf_str(&text).p);
    }
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    for (int i = 0; i < COLUMNS; i++)
        put_array(&p, &columns[i]);
    if (!store_query(s, "alert_raise", &p, &r, f))
        return false;
    get_numbers(r, a, numbers, raised);
    return true;
}

bool store_alert_clear(struct store *s, const struct act *act, const int64_t *alerts, size_t n,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    struct array list = {{0}};
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++) {
        array_int(&list, alerts[i]);
        json_array_append_new(names, json_integer(alerts[i]));
    }
    json_object_set_new(data, "alerts", names);
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_array(&p, &list);
    put_json(&p, data);
    return store_do(s, "alert_clear", &p, f);
}

bool store_alert_ack(struct store *s, const struct act *act, int64_t alert, struct arena *a,
                     int64_t **numbers, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    json_set_int(data, "alert", alert);
    put_int(&p, act->campaign);
    put_int(&p, alert);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    if (!store_query(s, "alert_ack", &p, &r, f))
        return false;
    get_numbers(r, a, numbers, n);
    return true;
}

bool store_alert_call(struct store *s, const struct act *act, int engine, int64_t alert, int step,
                      enum alert_path path, const char *to, bool *mine, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, alert);
    put_int(&p, step);
    put_text(&p, alert_path_name(path));
    put_text(&p, to);
    put_utc(&p, act->at);
    put_int(&p, engine);
    if (!store_query(s, "alert_call", &p, &r, f))
        return false;
    *mine = get_bool(r, 0, 0);
    return true;
}

bool store_alert_told(struct store *s, int campaign, int engine, int64_t alert, int step,
                      enum alert_path path, enum mail_outcome outcome, const char *text, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_int(&p, alert);
    put_int(&p, step);
    put_text(&p, alert_path_name(path));
    put_int(&p, engine);
    put_text(&p, mail_outcome_name(outcome));
    put_text(&p, text);
    return store_do(s, "alert_told", &p, f);
}

bool store_silent_engines(struct store *s, int campaign, struct utc now, struct span limit, struct arena *a,
                          struct alert_engine **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, limit.s);
    if (!store_query(s, "alert_engines", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct alert_engine){arena_text(a, get_text(r, i, 0)), (int)get_int(r, i, 1),
                                          utc_add(now, (struct span){-get_int(r, i, 2)})};
    return true;
}

/* Caches and responders are often minutes behind: only what lasts is an alarm. A CRL with an error is one at
 * once, for it stays what it is. */
#define LASTS 300

static bool is_alarm(const char *id, const char *severity, bool crl, struct span lasted)
{
    if (strncmp(id, "edge_", 5) == 0 || !crl)
        return lasted.s >= LASTS && (strcmp(severity, "error") == 0 || strcmp(id, "edge_unreachable") == 0);
    return strcmp(severity, "error") == 0;
}

/* The first alarm among findings; false: there is none. */
static bool first_alarm(const char *findings, bool crl, struct span lasted, struct arena *a,
                        struct alert_finding *out)
{
    AUTO_JSON *root = NULL;
    struct fault ignored = {0};
    size_t i;
    json_t *one;
    if (!json_read("findings", str_of(findings), &root, &ignored))
        return false;
    json_array_foreach(json_object_get(root, "findings"), i, one)
    {
        const char *severity = json_string_value(json_object_get(one, "severity"));
        const char *id = json_string_value(json_object_get(one, "id"));
        const char *section = json_string_value(json_object_get(one, "section"));
        const char *seen = json_string_value(json_object_get(one, "seen"));
        if (severity == NULL || id == NULL || !is_alarm(id, severity, crl, lasted))
            continue;
        out->id = arena_text(a, id);
        out->section = section == NULL ? "" : arena_text(a, section);
        out->seen = seen == NULL ? "" : arena_text(a, seen);
        return true;
    }
    return false;
}

/* Edges of one pointer share what is found at all of them together. */
static bool is_told(const struct alert_finding *list, size_t n, const struct alert_finding *one)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].url, one->url) == 0 && strcmp(list[i].id, one->id) == 0)
            return true;
    return false;
}

bool store_edge_alarms(struct store *s, int campaign, struct utc now, struct arena *a,
                       struct alert_finding **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "alert_findings", &p, &r, f))
        return false;
    *out = arena_array(a, (size_t)PQntuples(r), sizeof **out);
    *n = 0;
    for (int i = 0; i < PQntuples(r); i++) {
        struct alert_finding *one = &(*out)[*n];
        one->url = arena_text(a, get_text(r, i, 0));
        one->since = get_utc(r, i, 1);
        if (first_alarm(get_text(r, i, 2), get_bool(r, i, 3), utc_sub(now, one->since), a, one) &&
            !is_told(*out, *n, one))
            ++*n;
    }
    return true;
}

/* What begins and what ends a cause. An event that has no end of its own lasts as long as work is left. */
static const struct {
    const char *begins, *ends;
    enum alert_kind kind;
    const char *key; /* of the leaf's data, for the subject */
    const char *text;
} standing[] = {
    {"breaker_open", "breaker_closed", ALERT_BREAKER, "ca", "the breaker stopped CA"},
    {"canary_contradicted", "stops_lifted", ALERT_CANARY, "issuer",
     "the world contradicts a canary of issuer"},
    {"canary_silent", "canary_contradicted", ALERT_CANARY, "cohort",
     "the rest waits for the CA to tell the status of canaries: cohort"},
    {"canary_unproved", NULL, ALERT_CANARY, "cohort", "the canaries were not proved in time: cohort"},
};
#define STANDING (sizeof standing / sizeof *standing)

static const char *value_text(const json_t *data, const char *key, struct arena *a)
{
    const json_t *value = json_object_get(data, key);
    return json_is_integer(value)  ? arena_format(a, "%" PRId64, (int64_t)json_integer_value(value))
           : json_is_string(value) ? arena_text(a, json_string_value(value))
                                   : "";
}

static void drop_ended(struct alert_event *list, size_t *n, size_t row, const char *subject)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        /* an end without a subject ends all of its kind */
        bool ended = list[i].kind == standing[row].kind &&
                     (subject[0] == '\0' || strcmp(list[i].subject, subject) == 0);
        if (!ended)
            list[kept++] = list[i];
    }
    *n = kept;
}

static void take_event(const char *type, const char *leaf, struct utc at, struct arena *a,
                       struct alert_event **list, size_t *n)
{
    AUTO_JSON *root = NULL;
    struct fault ignored = {0};
    const json_t *data =
        json_read("leaf", str_of(leaf), &root, &ignored) ? json_object_get(root, "data") : NULL;
    for (size_t i = 0; i < STANDING; i++) {
        const char *value = value_text(data, standing[i].key, a);
        const char *subject = value[0] == '\0' ? "" : arena_format(a, "%s %s", standing[i].key, value);
        bool begins = strcmp(type, standing[i].begins) == 0;
        if (!begins && (standing[i].ends == NULL || strcmp(type, standing[i].ends) != 0))
            continue;
        drop_ended(*list, n, i, subject);
        if (!begins)
            continue;
        const char *why = value_text(data, "why", a),
                   *words = why[0] == '\0' ? value_text(data, "text", a) : why;
        struct alert_event *more = arena_array(a, *n + 1, sizeof *more);
        memcpy(more, *list, *n * sizeof *more);
        more[(*n)++] = (struct alert_event){
            standing[i].kind, subject,
            arena_format(a, "%s %s%s%s", standing[i].text, value, words[0] == '\0' ? "" : ": ", words), at};
        *list = more;
    }
}

bool store_alert_events(struct store *s, int campaign, int64_t *seq, struct arena *a,
                        struct alert_event **list, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array types = {{0}};
    for (size_t i = 0; i < STANDING; i++) {
        array_text(&types, standing[i].begins);
        if (standing[i].ends != NULL)
            array_text(&types, standing[i].ends);
    }
    put_int(&p, campaign);
    put_int(&p, *seq);
    put_array(&p, &types);
    if (!store_query(s, "alert_events", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        *seq = get_int(r, i, 0);
        take_event(get_text(r, i, 2), get_text(r, i, 3), get_utc(r, i, 1), a, list, n);
    }
    return true;
}
