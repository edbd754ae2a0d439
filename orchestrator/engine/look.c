/* Looking outside: fetch what the pointers name, judge it, commit what it showed. The word "published" comes
 * from here only (design sentence 1). */
#include "look.h"
#include "massrevoke/cert.h"
#include "massrevoke/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Seconds between looks while something is pending: soon after a CRL of ours, for responders and caches are
 * often only moments behind, then twice as long each time. */
#define LOOK_FIRST 2
#define LOOK_EVERY 300

struct outside *outside_of(struct engine *e)
{
    if (e->outside == NULL) {
        e->outside = arena_grow(NULL, sizeof *e->outside);
        *e->outside = (struct outside){.last = -1};
        pace_open(&e->outside->pace, &(struct rate_limits){.rate = e->parts.settings->ocsp_rate}, 0);
    }
    return e->outside;
}

void outside_free(struct outside *o)
{
    if (o == NULL)
        return;
    pace_close(&o->pace);
    ocsp_cache_free(&o->cache);
    arena_free(&o->queue_arena);
    arena_free(&o->arena);
    free(o);
}

static bool load_issuers(struct look *l, struct fault *f)
{
    const struct settings *s = l->engine->parts.settings;
    l->issuers = arena_array(l->arena, l->engine->parts.issuer_count, sizeof *l->issuers);
    size_t at = 0;
    for (size_t ca = 0; ca < s->ca_count; ca++)
        for (size_t i = 0; i < s->cas[ca].issuer_count; i++, at++) {
            struct str bytes;
            if (!file_read(s->cas[ca].issuers[i].certificate_file, CERT_MAX, l->arena, &bytes, f) ||
                !verify_issuer_load(bytes, l->arena, &l->issuers[at], f))
                return fault_wrap(f, "issuer %s", s->cas[ca].issuers[i].certificate_file);
        }
    return true;
}

const struct verify_issuer *look_issuer(const struct look *l, int issuer)
{
    int index = engine_issuer_index(l->engine, issuer);
    return index < 0 ? NULL : &l->issuers[index];
}

struct verifier_question look_question(const struct look *l, int issuer, const char *url)
{
    return (struct verifier_question){.issuer = look_issuer(l, issuer),
                                      .now = l->act.at,
                                      .url = url,
                                      .kind = VERIFIER_SUBSCRIBER,
                                      .since = l->since,
                                      .seed = {l->seed[0], l->seed[1]}};
}

void look_warn(struct look *l, const char *url, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].severity == FINDING_ERROR) {
            snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s: %s (%s): %.150s", url,
                     findings->list[i].id, findings->list[i].section, findings->list[i].seen);
            return;
        }
}

bool look_proves_reason(const struct watched *w, bool crl)
{
    return w->changing && ((w->needs & CERTIFICATE_NEEDS_CRL) != 0) == crl;
}

bool look_shows_reason(const struct watched *w, int reason, struct utc at)
{
    return reason == w->reason && (!utc_is_set(w->dated) || at.s == w->dated.s);
}

/* How old a cache says the answer is belongs to the object: a stale one is often only a cached one. */
static json_t *headers_json(const struct http_headers *headers)
{
    json_t *object = json_object();
    for (size_t i = 0; i < HTTP_HEADERS; i++)
        if (http_header_value(headers, i)[0] != '\0')
            json_set_text(object, http_header_names[i], http_header_value(headers, i));
    return object;
}

static const char *text_of(struct arena *a, const json_t *json)
{
    AUTO_BUF text = {0};
    json_canonical(json, &text);
    return arena_copy(a, text.p, text.n);
}

const char *look_headers(struct arena *a, const struct http_headers *headers)
{
    AUTO_JSON *json = headers_json(headers);
    return text_of(a, json);
}

const char *look_findings(struct arena *a, const char *object, const struct findings *findings,
                          const struct http_headers *headers)
{
    AUTO_JSON *json = verifier_json(object, findings);
    json_object_set_new(json, "headers", headers_json(headers));
    return text_of(a, json);
}

/* The event's text, and the ids by which the store sees whether anything is new. */
static void describe(struct arena *a, struct edge *edge, const struct finding *const *findings, size_t count)
{
    AUTO_JSON *json = json_object();
    AUTO_BUF ids = {0};
    json_t *list = json_array();
    int64_t errors = 0;
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_object();
        json_set_text(one, "id", findings[i]->id);
        json_set_text(one, "severity", finding_severity_name(findings[i]->severity));
        json_set_text(one, "section", findings[i]->section);
        json_set_text(one, "seen", findings[i]->seen);
        json_array_append_new(list, one);
        errors += findings[i]->severity == FINDING_ERROR;
        buf_format(&ids, "%s%s", ids.n == 0 ? "" : " ", findings[i]->id);
    }
    json_set_bool(json, "counts", edge->counts);
    json_set_int(json, "errors", errors);
    json_object_set_new(json, "findings", list);
    json_set_int(json, "issuer", edge->issuer);
    json_set_text(json, "kind", edge->crl ? "crl" : "ocsp");
    json_set_text(json, "url", edge->url);
    json_set_text(json, "vantage", edge->vantage);
    edge->findings = arena_copy(a, buf_str(&ids).p, ids.n);
    edge->data = text_of(a, json);
}

bool look_edge(struct look *l, struct edge *edge, const struct finding *const *findings, size_t count,
               struct fault *f)
{
    bool changed;
    describe(l->arena, edge, findings, count);
    return store_edge(l->engine->parts.store, &l->act, edge, &changed, f);
}

struct utc engine_look_due(const struct engine *e)
{
    if (!utc_is_set(e->last_pending_look))
        return (struct utc){INT64_MIN + 1};
    return utc_add(e->last_pending_look, e->look_gap);
}

/* A look that took long is not repeated soon: the engine has other work. */
static void looked(struct engine *e, struct utc begun)
{
    struct span took = utc_sub(engine_act(e).at, begun);
    int64_t gap = e->look_gap.s == 0 ? LOOK_FIRST : 2 * e->look_gap.s;
    gap = gap < 2 * took.s ? 2 * took.s : gap;
    e->look_gap.s = gap < LOOK_EVERY ? gap : LOOK_EVERY;
    e->last_pending_look = begun;
}

static bool begin(struct look *l, struct fault *f)
{
    struct campaign campaign;
    if (getrandom(l->seed, sizeof l->seed, 0) != (ssize_t)sizeof l->seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    if (!store_campaign_find(l->engine->parts.store, l->engine->parts.campaign_name, l->arena, &campaign, f))
        return false;
    l->since = campaign.received;
    return load_issuers(l, f);
}

static void end(struct look *l)
{
    for (size_t i = 0; l->issuers != NULL && i < l->engine->parts.issuer_count; i++)
        verify_issuer_free(&l->issuers[i]);
}

bool engine_look(struct engine *e, bool all, struct engine_report *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct look l = {.engine = e, .arena = &a, .act = engine_act(e), .report = r};
    struct watched *items = NULL;
    size_t n = 0;
    bool ok = begin(&l, f) &&
              store_pointers(e->parts.store, e->parts.campaign, &a, &l.pointers, &l.pointer_count, f) &&
              store_watch(e->parts.store, e->parts.campaign, all, &a, &items, &n, f) &&
              doubt_join(&l, &items, &n, f) && look_at_crls(&l, items, n, f);
    if (ok)
        look_queue(&l, items, n, all);
    ok = ok && look_at_ocsp(&l, f);
    end(&l);
    if (ok)
        looked(e, l.act.at);
    if (ok && all)
        e->last_full_look = l.act.at;
    return ok;
}

bool engine_ask_responders(struct engine *e, struct engine_report *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct look l = {.engine = e, .arena = &a, .act = engine_act(e), .report = r};
    bool ok = begin(&l, f) && look_at_ocsp(&l, f);
    end(&l);
    return ok;
}

struct utc engine_ask_due(const struct engine *e)
{
    struct outside *o = e->outside;
    return o == NULL || o->at == o->count ? UTC_NONE : engine_pace_next(e, &o->pace);
}

int64_t engine_ask_left(const struct engine *e)
{
    return e->outside == NULL ? 0 : (int64_t)(e->outside->count - e->outside->at);
}
