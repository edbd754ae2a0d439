#include "figures.h"
#include "massrevoke/json.h"
#include "massrevoke/reporter.h"

static json_t *totals_json(const struct totals *t)
{
    json_t *object = json_object();
    for (size_t i = 0; i < FIGURES_FIELDS; i++)
        json_set_int(object, figures_fields[i].key, figures_count(t, &figures_fields[i]));
    return object;
}

static json_t *excluded_json(const struct snapshot *s)
{
    json_t *object = json_object();
    json_set_int(object, "expired_before_receipt", s->excluded_expired);
    json_set_int(object, "short_lived", s->excluded_short_lived);
    json_set_int(object, "withdrawn", s->excluded_withdrawn);
    return object;
}

static json_t *balance_json(const struct snapshot *s)
{
    AUTO_BUF why = {0};
    json_t *object = json_object();
    json_set_bool(object, "ok", reporter_balances(s, &why));
    json_set_utc(object, "checked_at", s->balance_checked_at);
    json_set_int(object, "counted_twice", s->counted_twice);
    json_set_int(object, "not_counted", s->not_counted);
    return object;
}

static json_t *cohorts_json(const struct snapshot *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        json_t *object = json_object();
        json_set_int(object, "cohort", c->cohort);
        json_set_text(object, "state", campaign_state_name(c->state));
        json_set_text(object, "rule", c->rule);
        json_set_utc(object, "received", c->received);
        json_set_utc(object, "deadline", c->deadline);
        json_object_set_new(object, "totals", totals_json(&c->totals));
        json_set_int(object, "held_late", c->held_late);
        json_set_text(object, "verdict", verdict_name(c->verdict));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *tasks_json(const struct snapshot_tasks *tasks)
{
    json_t *object = json_object(), *next = json_null();
    json_set_int(object, "open", tasks->open);
    json_set_int(object, "overdue", tasks->overdue);
    if (tasks->next != NULL) {
        next = json_object();
        json_set_text(next, "task", tasks->next);
        json_set_text(next, "title", tasks->title);
        json_set_utc(next, "due", tasks->due);
    }
    json_object_set_new(object, "next", next);
    return object;
}

static json_t *alerts_json(const struct snapshot *s)
{
    json_t *object = json_object();
    json_set_int(object, "open", s->alerts_open);
    json_set_int(object, "unacknowledged", s->alerts_unacked);
    return object;
}

static json_t *replacements_json(const struct snapshot *s)
{
    const struct snapshot_replacements *r = &s->replacements;
    json_t *object = json_object(), *failures = json_array();
    json_set_int(object, "replaced", r->replaced);
    json_set_int(object, "live_replaced", r->live_replaced);
    json_set_int(object, "live_unreplaced", totals_not_yet_revoked(&s->totals) - r->live_replaced);
    json_set_int(object, "lint_failed", r->lint_failed);
    for (size_t i = 0; i < r->failure_count; i++) {
        char hex[SERIAL_HEX_TEXT];
        json_t *one = json_object();
        json_set_text(one, "serial", serial_hex(&r->failures[i].serial, hex));
        json_set_text(one, "file", r->failures[i].file);
        json_set_text(one, "found", r->failures[i].text);
        json_array_append_new(failures, one);
    }
    json_object_set_new(object, "failures", failures);
    return object;
}

static json_t *reasons_json(const struct snapshot_reasons *r)
{
    json_t *object = json_object();
    json_set_int(object, "certificates", r->certificates);
    json_set_int(object, "to_do", r->to_do);
    json_set_int(object, "not_seen", r->unseen);
    json_set_int(object, "with_administrator", r->with_administrator);
    json_set_int(object, "shown", r->shown);
    json_set_int(object, "needs_person", r->needs_person);
    return object;
}

static json_t *outside_json(const struct snapshot_outside *o)
{
    json_t *object = json_object(), *published = json_object();
    json_set_int(object, "edges", o->edges);
    json_set_int(object, "unreachable", o->unreachable);
    json_set_int(object, "odd", o->odd);
    json_set_text(object, "worst", o->worst == NULL || o->worst[0] == '\0' ? NULL : o->worst);
    json_set_int(published, "certificates", o->hour_certificates);
    json_set_int(published, "median_seconds", o->median.s);
    json_set_int(published, "p90_seconds", o->p90.s);
    json_set_int(published, "slowest_seconds", o->slowest.s);
    if (o->hour_certificates == 0) {
        json_decref(published);
        published = json_null();
    }
    json_object_set_new(object, "last_hour", published);
    return object;
}

static json_t *engines_json(const struct snapshot *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->engine_count; i++) {
        json_t *object = json_object();
        json_set_text(object, "host", s->engines[i].host);
        json_set_text(object, "kind", s->engines[i].kind);
        json_set_utc(object, "last_seen", s->engines[i].last_seen);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *stops_json(const struct snapshot *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->stop_count; i++) {
        json_t *object = json_object();
        json_set_text(object, s->stops[i].issuer ? "issuer" : "ca", s->stops[i].name);
        json_set_utc(object, "since", s->stops[i].at);
        json_set_text(object, "why", s->stops[i].why);
        json_array_append_new(array, object);
    }
    return array;
}

void reporter_status_json(const struct snapshot *s, struct buf *out)
{
    AUTO_JSON *object = json_object();
    json_set_text(object, "campaign", s->campaign);
    json_set_text(object, "mode", s->mode);
    json_set_text(object, "state", campaign_state_name(s->state));
    json_set_utc(object, "as_of", s->as_of);
    json_set_utc(object, "deadline", s->deadline);
    json_set_utc(object, "projected_finish", s->projected_finish);
    if (utc_is_set(s->projected_finish)) /* slack is deadline minus finish: without a finish there is none */
        json_set_int(object, "slack_seconds", s->slack.s);
    else
        json_object_set_new(object, "slack_seconds", json_null());
    json_set_text(object, "verdict", verdict_name(s->verdict));
    json_object_set_new(object, "totals", totals_json(&s->totals));
    json_set_int(object, "in_doubt", s->in_doubt);
    json_set_int(object, "needs_person", s->needs_person);
    json_set_int(object, "not_checkable", s->not_checkable);
    json_object_set_new(object, "excluded", excluded_json(s));
    json_set_int(object, "revoked_outside_scope", s->revoked_outside_scope);
    json_object_set_new(object, "balance", balance_json(s));
    json_object_set_new(object, "cohorts", cohorts_json(s));
    json_object_set_new(object, "engines", engines_json(s));
    json_object_set_new(object, "stops", stops_json(s));
    json_object_set_new(object, "tasks", tasks_json(&s->tasks));
    if (s->measured_per_hour > 0)
        json_set_int(object, "measured_rate_per_hour", s->measured_per_hour);
    else
        json_object_set_new(object, "measured_rate_per_hour", json_null());
    json_set_text(object, "behind", s->behind == NULL || s->behind[0] == '\0' ? NULL : s->behind);
    json_object_set_new(object, "replacements", replacements_json(s));
    json_object_set_new(object, "reasons", reasons_json(&s->reasons));
    json_object_set_new(object, "alerts", alerts_json(s));
    json_set_text(object, "delayed_report", s->delay_expected ? "massrevoke report delayed" : NULL);
    json_object_set_new(object, "outside", outside_json(&s->outside));
    json_set_int(object, "held_late", s->held_late);
    json_set_int(object, "held_yet_revoked", s->held_yet_revoked);
    json_set_int(object, "dropped_yet_revoked", s->dropped_yet_revoked);
    json_pretty(object, out);
}
