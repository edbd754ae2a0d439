/* Anchors and changes of a clock. */
#include "internal.h"
#include "massrevoke/store_clock.h"

#include <assert.h>

bool store_anchors(struct store *s, int campaign, int cohort, struct utc out[static ANCHOR_COUNT],
                   struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    for (int i = 0; i < ANCHOR_COUNT; i++)
        out[i] = UTC_NONE;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "anchor_list", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        enum anchor anchor = anchor_from_name(str_of(get_text(r, i, 0)));
        if (anchor != ANCHOR_COUNT)
            out[anchor] = get_utc(r, i, 1);
    }
    return true;
}

bool store_anchor(struct store *s, int campaign, int cohort, enum anchor anchor, struct utc *at,
                  struct fault *f)
{
    struct utc all[ANCHOR_COUNT];
    if (!store_anchors(s, campaign, cohort, all, f))
        return false;
    *at = all[anchor];
    return true;
}

bool store_issued(struct store *s, int campaign, int cohort, struct utc at, struct utc *first, int64_t *after,
                  struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, cohort);
    put_utc(&p, at);
    if (!store_query(s, "clock_issued", &p, &r, f))
        return false;
    *first = get_utc(r, 0, 0);
    *after = get_int(r, 0, 1);
    return true;
}

/* Adds a cohort to a list for the log: "campaign, 1, 2". */
static void add_cohort(struct buf *list, int cohort)
{
    buf_text(list, list->n == 0 ? "" : ", ");
    if (cohort == 0)
        buf_text(list, "campaign");
    else
        buf_format(list, "%d", cohort);
}

/* What somebody wrote may name people: the log carries its digest. */
static void set_source(json_t *data, const char *source, const char *raw)
{
    char hex[DIGEST_TEXT];
    json_set_text(data, "source_sha256", digest_hex(digest_of(source, strlen(source)), hex));
    json_set_text(data, "typed", raw);
}

bool store_anchor_add(struct store *s, const struct act *act, const struct anchor_record *record,
                      const int *cohorts, size_t n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    AUTO_BUF names = {0};
    struct array list = {{0}};
    for (size_t i = 0; i < n; i++)
        add_cohort(&names, cohorts[i]);
    json_set_text(data, "anchor", anchor_name(record->anchor));
    json_set_utc(data, "at", record->at);
    json_set_text(data, "cohorts", buf_str(&names).p);
    set_source(data, record->source, record->raw);
    for (size_t i = 0; i < n; i++)
        array_int(&list, cohorts[i]);
    put_int(&p, act->campaign);
    put_array(&p, &list);
    put_text(&p, anchor_name(record->anchor));
    put_utc(&p, record->at);
    put_text(&p, record->source);
    put_text(&p, record->raw);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "anchor_add", &p, f);
}

static void put_change(struct parameters *p, const struct act *act, const struct clock_change *change)
{
    enum {
        COHORT,
        OLD_RULE,
        OLD_REASON,
        OLD_RECEIVED,
        OLD_DEADLINE,
        RULE,
        REASON,
        RECEIVED,
        DEADLINE,
        SHOULD
    };
    struct array columns[SHOULD + 1] = {0};
    for (size_t i = 0; i < change->count; i++) {
        const struct clock_row *row = &change->rows[i];
        array_int(&columns[COHORT], row->cohort);
        array_text(&columns[OLD_RULE], row->old_rule);
        array_int(&columns[OLD_REASON], row->old_reason);
        array_utc(&columns[OLD_RECEIVED], row->old_received);
        array_utc(&columns[OLD_DEADLINE], row->old_deadline);
        array_text(&columns[RULE], row->rule);
        array_int(&columns[REASON], row->reason);
        array_utc(&columns[RECEIVED], row->received);
        array_utc(&columns[DEADLINE], row->deadline);
        array_utc(&columns[SHOULD], row->should_by);
    }
    put_int(p, act->campaign);
    put_text(p, change->kind);
    put_text(p, change->source);
    put_text(p, change->raw);
    for (size_t i = 0; i <= SHOULD; i++)
        put_array(p, &columns[i]);
    put_utc(p, act->at);
    put_text(p, act->who);
}

bool store_clock_propose(struct store *s, const struct act *act, const struct clock_change *change,
                         int *number, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_change(&p, act, change);
    if (!store_query(s, "clock_propose", &p, &r, f))
        return false;
    *number = (int)get_int(r, 0, 0);
    return true;
}

/* A change in the log, as its first row has it. */
static json_t *change_json(const struct clock_change *change)
{
    assert(change->count > 0);
    const struct clock_row *row = &change->rows[0];
    json_t *data = json_object();
    AUTO_BUF names = {0};
    for (size_t i = 0; i < change->count; i++)
        add_cohort(&names, change->rows[i].cohort);
    json_set_text(data, "old_rule", row->old_rule);
    json_set_text(data, "rule", row->rule);
    json_set_utc(data, "old_received", row->old_received);
    json_set_utc(data, "received", row->received);
    json_set_utc(data, "deadline", row->deadline);
    json_set_text(data, "cohorts", buf_str(&names).p);
    set_source(data, change->source, change->raw);
    return data;
}

bool store_clock_move(struct store *s, const struct act *act, const struct clock_change *change,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = change_json(change);
    put_change(&p, act, change);
    put_json(&p, data);
    return store_do(s, "clock_move", &p, f);
}

bool store_clock_apply(struct store *s, const struct act *act, int number, struct fault *f)
{
    AUTO_ARENA a = {0};
    AUTO_PARAMETERS p = {0};
    struct clock_change change = {.kind = ""};
    if (!store_clock_get(s, act->campaign, number, &a, &change, f))
        return false;
    AUTO_JSON *data = change_json(&change);
    put_int(&p, act->campaign);
    put_int(&p, number);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, change.kind);
    put_json(&p, data);
    return store_do(s, "clock_apply", &p, f);
}

bool store_clock_get(struct store *s, int campaign, int number, struct arena *a, struct clock_change *out,
                     struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, number);
    if (!store_query(s, "clock_change", &p, &r, f))
        return false;
    if (PQntuples(r) == 0)
        return fault_set(f, FAULT_FAILED, "there is no change %d of a clock", number);
    size_t n = (size_t)PQntuples(r);
    struct clock_row *rows = arena_array(a, n, sizeof *rows);
    for (int i = 0; i < PQntuples(r); i++)
        rows[i] = (struct clock_row){
            .cohort = (int)get_int(r, i, 0),
            .old_rule = arena_text(a, get_text(r, i, 2)),
            .old_reason = (int)get_int(r, i, 3),
            .old_received = get_utc(r, i, 4),
            .old_deadline = get_utc(r, i, 5),
            .rule = arena_text(a, get_text(r, i, 6)),
            .reason = (int)get_int(r, i, 7),
            .received = get_utc(r, i, 8),
            .deadline = get_utc(r, i, 9),
            .should_by = get_utc(r, i, 10),
        };
    *out = (struct clock_change){.kind = arena_text(a, get_text(r, 0, 1)),
                                 .source = arena_text(a, get_text(r, 0, 11)),
                                 .raw = arena_text(a, get_text(r, 0, 12)),
                                 .rows = rows,
                                 .count = n};
    return true;
}
