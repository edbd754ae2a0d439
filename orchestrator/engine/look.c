/* Looking outside: fetch what the pointers name, judge it, commit what it showed. The word "published" comes
 * from here only (design sentence 1). One CRL answers for thousands; an unchanged one is not stored again. */
#include "internal.h"
#include "massrevoke/cert.h"
#include "massrevoke/file.h"
#include "massrevoke/verifier.h"
#include "massrevoke/verify_issuer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Seconds between looks while something is pending: soon after a CRL of ours, for responders and caches are
 * often only moments behind, then twice as long each time. */
#define LOOK_FIRST 2
#define LOOK_EVERY 300
#define OCSP_BATCH 256 /* requests under way at once */

/* Certificates that share a CRL pointer: a run of the sorted list. */
struct group {
    const struct watched *items;
    size_t count;
    const char *url;
    int issuer;
};

struct look {
    struct engine *engine;
    struct arena *arena;
    struct act act;
    struct engine_report *report;
    struct pointer *pointers;
    size_t pointer_count;
    struct verify_issuer *issuers; /* by index of settings */
    struct ocsp_cache cache;
    uint64_t seed[2];
};

/* What a CRL pointer showed last without a fault, and to whom: as long as both stay and it is fresh, the
 * answer "unchanged" is enough. */
struct fetched {
    const char *url;
    int issuer;
    struct fetch_headers headers;
    struct digest asked;
    struct utc until;
};

/* First of several URLs; a certificate's shards all hold it (BR 7.2.2.1), one suffices as proof. */
static const char *first_url(struct arena *a, const char *urls)
{
    size_t n = strcspn(urls, " ");
    return urls[n] == '\0' ? urls : arena_copy(a, urls, n);
}

static int compare_watched(const void *a, const void *b)
{
    const struct watched *x = a, *y = b;
    int order = x->cdp == y->cdp ? 0 : strcmp(x->cdp, y->cdp);
    if (order == 0)
        order = (x->issuer > y->issuer) - (x->issuer < y->issuer);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static const struct pointer *last_fetch(const struct look *l, const char *url, int issuer)
{
    for (size_t i = 0; i < l->pointer_count; i++)
        if (l->pointers[i].issuer == issuer && strcmp(l->pointers[i].url, url) == 0)
            return &l->pointers[i];
    return NULL;
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

static const struct verify_issuer *issuer_of(const struct look *l, int issuer)
{
    int index = engine_issuer_index(l->engine, issuer);
    return index < 0 ? NULL : &l->issuers[index];
}

static struct verifier_question question(const struct look *l, int issuer, const char *url)
{
    return (struct verifier_question){.issuer = issuer_of(l, issuer),
                                      .now = l->act.at,
                                      .url = url,
                                      .kind = VERIFIER_SUBSCRIBER,
                                      .seed = {l->seed[0], l->seed[1]}};
}

static struct fetched *fetched_for(const struct engine *e, const struct group *g)
{
    for (size_t i = 0; i < e->fetched_count; i++)
        if (e->fetched[i].issuer == g->issuer && strcmp(e->fetched[i].url, g->url) == 0)
            return &e->fetched[i];
    return NULL;
}

/* Whom a group asks for, as far as a CRL's answer depends on it. */
static struct digest asked_of(const struct group *g)
{
    struct digest_state s = digest_begin();
    for (size_t i = 0; i < g->count; i++) {
        const struct watched *w = &g->items[i];
        const int64_t row[4] = {w->number, w->state, w->reason, w->not_after.s};
        digest_add(&s, row, sizeof row);
    }
    return digest_end(&s);
}

/* Headers for a conditional request, or NULL when the bytes are wanted anyway. */
static const struct fetch_headers *known_to(const struct look *l, const struct group *g)
{
    const struct fetched *shown = fetched_for(l->engine, g);
    if (shown == NULL || shown->until.s < l->act.at.s)
        return NULL;
    struct digest asked = asked_of(g);
    return memcmp(&asked, &shown->asked, sizeof asked) == 0 ? &shown->headers : NULL;
}

/* Keeps what a good CRL showed; forgets one with a fault, which is to be told at every look. */
static void remember(struct look *l, const struct group *g, const struct fetch_headers *headers,
                     const struct verifier_crl *judged)
{
    struct engine *e = l->engine;
    struct fetched *shown = fetched_for(e, g);
    bool good = judged->counts && judged->findings.errors == 0 &&
                (headers->etag[0] != '\0' || headers->last_modified[0] != '\0');
    if (shown == NULL && good) {
        struct fetched *all = arena_array(&e->arena, e->fetched_count + 1, sizeof *all);
        memcpy(all, e->fetched, e->fetched_count * sizeof *all);
        e->fetched = all;
        shown = &all[e->fetched_count++];
        shown->url = arena_text(&e->arena, g->url);
        shown->issuer = g->issuer;
    }
    if (shown == NULL)
        return;
    shown->until = good ? judged->crl.next_update : UTC_NONE;
    shown->headers = *headers;
    shown->asked = asked_of(g);
}

/* How old a cache says the answer is belongs to the object: a stale one is often only a cached one. */
static void add_headers(json_t *json, const struct fetch_headers *headers)
{
    const struct {
        const char *key, *value;
    } rows[] = {{"etag", headers->etag},
                {"last_modified", headers->last_modified},
                {"age", headers->age},
                {"cache_control", headers->cache_control}};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value[0] != '\0')
            json_set_text(object, rows[i].key, rows[i].value);
    if (json_object_size(object) > 0)
        json_object_set_new(json, "headers", object);
    else
        json_decref(object);
}

static const char *findings_text(struct arena *a, const char *object, const struct findings *findings,
                                 const struct fetch_headers *headers)
{
    AUTO_JSON *json = verifier_json(object, findings);
    add_headers(json, headers);
    AUTO_BUF text = {0};
    json_canonical(json, &text);
    return arena_copy(a, text.p, text.n);
}

static void warn(struct look *l, const char *url, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].severity == FINDING_ERROR) {
            snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s: %s (%s): %.150s", url,
                     findings->list[i].id, findings->list[i].section, findings->list[i].seen);
            return;
        }
}

static uint8_t mark_of(bool crl)
{
    return crl ? CERTIFICATE_SEEN_CRL : CERTIFICATE_SEEN_OCSP;
}

/* Was it shown before, and has it still to be there? */
static bool was_seen(const struct watched *w)
{
    return (w->state & mark_of(true)) != 0 && certificate_state(w->state) != CERTIFICATE_WITHDRAWN;
}

static bool commit_crl(struct look *l, const struct group *g, const struct fetch_reply *reply, bool same,
                       const struct verifier_crl *judged, struct fault *f)
{
    int64_t *seen = arena_array(l->arena, g->count, sizeof *seen),
            *missing = arena_array(l->arena, g->count, sizeof *missing);
    struct sighting sight = {
        .crl = true,
        .url = g->url,
        .issuer = g->issuer,
        .number = -1,
        .bytes = reply->bytes,
        .this_update = judged->parsed ? judged->crl.this_update : UTC_NONE,
        .next_update = judged->parsed ? judged->crl.next_update : UTC_NONE,
        .counts = judged->counts,
        .findings = findings_text(l->arena, "crl", &judged->findings, &reply->headers),
        .seen = seen,
        .missing = missing,
    };
    if (judged->parsed)
        sight.crl_number = judged->crl.number.octets;
    for (size_t i = 0; i < g->count && judged->counts; i++) {
        if (judged->sights[i].revoked && (g->items[i].state & mark_of(true)) == 0)
            seen[sight.seen_count++] = g->items[i].number;
        else if (judged->sights[i].vanished)
            missing[sight.missing_count++] = g->items[i].number;
    }
    if (same && sight.seen_count == 0 && sight.missing_count == 0)
        return true;
    bool fresh;
    if (!store_sight(l->engine->parts.store, &l->act, &sight, &fresh, f))
        return false;
    l->report->published += fresh ? (int64_t)sight.seen_count : 0;
    l->report->vanished += fresh ? (int64_t)sight.missing_count : 0;
    return true;
}

static bool judge_crl(struct look *l, const struct group *g, const struct fetch_reply *reply, struct fault *f)
{
    struct verifier_question q = question(l, g->issuer, g->url);
    struct verifier_crl judged;
    const struct pointer *last = last_fetch(l, g->url, g->issuer);
    struct digest now = digest_of(reply->bytes.p, reply->bytes.n);
    bool same = last != NULL && memcmp(last->sha256.bytes, now.bytes, DIGEST_SIZE) == 0;
    struct verifier_wanted *wanted = arena_array(l->arena, g->count, sizeof *wanted);
    for (size_t i = 0; i < g->count; i++)
        wanted[i] = (struct verifier_wanted){.number = (uint32_t)g->items[i].number,
                                             .serial = g->items[i].serial,
                                             .reason = g->items[i].reason,
                                             .seen = was_seen(&g->items[i]),
                                             .earlier = certificate_state(g->items[i].state) ==
                                                        CERTIFICATE_WAS_BEFORE,
                                             .not_after = g->items[i].not_after};
    const struct verifier_before before = {.this_update = last == NULL ? UTC_NONE : last->this_update};
    q.wanted = wanted;
    q.wanted_count = g->count;
    q.before = same || !utc_is_set(before.this_update) ? NULL : &before;
    verifier_judge_crl(reply->bytes, &q, l->arena, &judged);
    warn(l, g->url, &judged.findings);
    remember(l, g, &reply->headers, &judged);
    return engine_canaries_seen(l->engine, g->items, g->count, &judged, f) &&
           commit_crl(l, g, reply, same, &judged, f);
}

/* Cuts the sorted list into groups of one pointer and issuer; those without a CRL pointer fall out. */
static size_t make_groups(struct look *l, struct watched *items, size_t n, struct group **out)
{
    for (size_t i = 0; i < n; i++)
        items[i].cdp = first_url(l->arena, items[i].cdp);
    qsort(items, n, sizeof *items, compare_watched);
    *out = arena_array(l->arena, n, sizeof **out);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (items[i].cdp[0] == '\0' || (items[i].needs & CERTIFICATE_NEEDS_CRL) == 0)
            continue;
        struct group *last = count == 0 ? NULL : &(*out)[count - 1];
        if (last != NULL && last->issuer == items[i].issuer && strcmp(last->url, items[i].cdp) == 0 &&
            &last->items[last->count] == &items[i])
            last->count++;
        else
            (*out)[count++] = (struct group){&items[i], 1, items[i].cdp, items[i].issuer};
    }
    return count;
}

static bool look_at_crls(struct look *l, struct watched *items, size_t n, struct fault *f)
{
    struct group *groups;
    size_t count = make_groups(l, items, n, &groups);
    struct fetch_request *requests = arena_array(l->arena, count, sizeof *requests);
    struct fetch_reply *replies = arena_array(l->arena, count, sizeof *replies);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct fetch_request){.url = groups[i].url, .known = known_to(l, &groups[i])};
    if (count > 0 && !fetch_all(l->engine->parts.fetch, requests, count, l->arena, replies, f))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!replies[i].ok)
            snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s cannot be fetched: %s",
                     groups[i].url, replies[i].problem);
        else if (!replies[i].unchanged && !judge_crl(l, &groups[i], &replies[i], f))
            return false;
    }
    return true;
}

static bool judge_ocsp(struct look *l, const struct watched *w, const char *url,
                       const struct fetch_reply *reply, struct fault *f)
{
    struct verifier_question q = question(l, w->issuer, url);
    struct verifier_ocsp judged;
    verifier_judge_ocsp(reply->bytes, &w->serial, &q, &l->cache, l->arena, &judged);
    warn(l, url, &judged.findings);
    bool had = (w->state & mark_of(false)) != 0;
    bool revoked = judged.counts && judged.revoked;
    if (revoked == had)
        return true; /* nothing new: a "good" that may still be cached is asked again later */
    struct sighting sight = {
        .url = url,
        .issuer = w->issuer,
        .number = w->number,
        .bytes = reply->bytes,
        .this_update = judged.found ? judged.single.this_update : UTC_NONE,
        .next_update = judged.found ? judged.single.next_update : UTC_NONE,
        .counts = judged.counts,
        .findings = findings_text(l->arena, "ocsp", &judged.findings, &reply->headers),
        .seen = &w->number,
        .seen_count = revoked,
        .missing = &w->number,
        .missing_count = judged.counts && judged.found && !revoked,
    };
    bool fresh;
    if (sight.seen_count == 0 && sight.missing_count == 0)
        return true;
    if (!store_sight(l->engine->parts.store, &l->act, &sight, &fresh, f))
        return false;
    l->report->published += fresh && revoked;
    l->report->vanished += fresh && !revoked;
    return true;
}

static bool look_at_ocsp_batch(struct look *l, const struct watched *const *items, size_t n, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct fetch_request *requests = arena_array(&a, n, sizeof *requests);
    struct fetch_reply *replies = arena_array(&a, n, sizeof *replies);
    for (size_t i = 0; i < n; i++)
        requests[i] = (struct fetch_request){
            .url = first_url(&a, items[i]->ocsp),
            .ocsp_request = ocsp_request(issuer_of(l, items[i]->issuer), &items[i]->serial, CERTID_SHA1, &a)};
    if (!fetch_all(l->engine->parts.fetch, requests, n, &a, replies, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!replies[i].ok)
            snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s cannot be asked: %s",
                     requests[i].url, replies[i].problem);
        else if (!judge_ocsp(l, items[i], requests[i].url, &replies[i], f))
            return false;
    }
    return true;
}

static bool look_at_ocsp(struct look *l, const struct watched *items, size_t n, bool all, struct fault *f)
{
    const struct watched *batch[OCSP_BATCH];
    size_t filled = 0;
    for (size_t i = 0; i < n; i++) {
        bool wanted = (items[i].needs & CERTIFICATE_NEEDS_OCSP) != 0 && items[i].ocsp[0] != '\0' &&
                      (all || (items[i].state & mark_of(false)) == 0) &&
                      issuer_of(l, items[i].issuer) != NULL;
        if (wanted)
            batch[filled++] = &items[i];
        if (filled > 0 && (filled == OCSP_BATCH || i + 1 == n)) {
            if (!look_at_ocsp_batch(l, batch, filled, f))
                return false;
            filled = 0;
        }
    }
    return true;
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

bool engine_look(struct engine *e, bool all, struct engine_report *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct look l = {.engine = e, .arena = &a, .act = engine_act(e), .report = r};
    struct watched *items;
    size_t n;
    if (getrandom(l.seed, sizeof l.seed, 0) != (ssize_t)sizeof l.seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    bool ok = store_pointers(e->parts.store, e->parts.campaign, &a, &l.pointers, &l.pointer_count, f) &&
              store_watch(e->parts.store, e->parts.campaign, all, &a, &items, &n, f) && load_issuers(&l, f) &&
              look_at_crls(&l, items, n, f) && look_at_ocsp(&l, items, n, all, f);
    for (size_t i = 0; l.issuers != NULL && i < e->parts.issuer_count; i++)
        verify_issuer_free(&l.issuers[i]);
    ocsp_cache_free(&l.cache);
    if (ok)
        looked(e, l.act.at);
    if (ok && all)
        e->last_full_look = l.act.at;
    return ok;
}
