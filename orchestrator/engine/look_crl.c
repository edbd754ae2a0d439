/* CRLs: every pointer by every edge, streamed through the verifier into a file, and committed when all of its
 * edges have been judged. One CRL answers for thousands; an unchanged one is not stored again. */
#include "look.h"
#include "spool.h"

#include <stdio.h>
#include <stdlib.h>

/* One pointer, with what is wanted of it. */
struct group {
    const struct verifier_pointer *pointer;
    const struct watched *items; /* by `item` of the places */
    struct verifier_wanted *wanted;
    const struct pointer *newest; /* that counted before this look; NULL: none */
    struct verifier_before before;
    struct ask *asks; /* its edges */
    size_t ask_count;
};

/* One edge of a pointer, under way. */
struct ask {
    struct look *look;
    struct group *group;
    const char *url, *name; /* name: of the vantage point */
    const struct settings_vantage *way;
    struct http_headers known;
    bool conditional, unkept; /* unkept: the spool has no room for it */
    struct verifier_question q;
    struct verifier_reader *reader;
    struct spool spool;
    struct fetch_reply reply;
    struct verifier_crl judged;
};

static const struct watched *item(const struct group *g, size_t i)
{
    return &g->items[g->pointer->places[i].item];
}

static uint8_t mark_of(const struct group *g, size_t i)
{
    return item(g, i)->state & CERTIFICATE_SEEN_CRL;
}

/* -- what need not be sent again ------------------------------------------------------------------------- */

static struct fetched *fetched_for(const struct outside *o, const struct ask *k)
{
    for (size_t i = 0; i < o->fetched_count; i++)
        if (o->fetched[i].issuer == k->group->pointer->issuer && strcmp(o->fetched[i].url, k->url) == 0 &&
            strcmp(o->fetched[i].vantage, k->name) == 0)
            return &o->fetched[i];
    return NULL;
}

/* Whom a group asks for, as far as a CRL's answer depends on it. */
static struct digest asked_of(const struct group *g)
{
    struct digest_state s = digest_begin();
    for (size_t i = 0; i < g->pointer->count; i++) {
        const struct watched *w = item(g, i);
        const int64_t row[] = {w->number,    w->state,          w->reason,  w->not_after.s,
                               w->settled.s, w->reason_until.s, w->changing};
        digest_add(&s, row, sizeof row);
    }
    return digest_end(&s);
}

static bool is_conditional(struct look *l, struct ask *k)
{
    const struct fetched *shown = fetched_for(outside_of(l->engine), k);
    if (shown == NULL || shown->until.s < l->act.at.s)
        return false;
    struct digest asked = asked_of(k->group);
    k->known = shown->headers;
    return memcmp(&asked, &shown->asked, sizeof asked) == 0;
}

/* Keeps what a good CRL showed; forgets one with a fault, which is to be told at every look. */
static void remember(struct look *l, const struct ask *k, bool good)
{
    struct outside *o = outside_of(l->engine);
    struct fetched *shown = fetched_for(o, k);
    const struct http_headers *h = &k->reply.headers;
    good = good && k->judged.counts && k->judged.findings.errors == 0 &&
           (h->etag[0] != '\0' || h->last_modified[0] != '\0');
    if (shown == NULL && good) {
        struct fetched *all = arena_array(&o->arena, o->fetched_count + 1, sizeof *all);
        if (o->fetched_count > 0)
            memcpy(all, o->fetched, o->fetched_count * sizeof *all);
        o->fetched = all;
        shown = &all[o->fetched_count++];
        shown->url = arena_text(&o->arena, k->url);
        shown->vantage = arena_text(&o->arena, k->name);
        shown->issuer = k->group->pointer->issuer;
    }
    if (shown == NULL)
        return;
    shown->until = good ? k->judged.crl.next_update : UTC_NONE;
    shown->headers = *h;
    shown->asked = asked_of(k->group);
}

/* -- fetching -------------------------------------------------------------------------------------------- */

/* A piece on its way: judged and kept, and nothing more until all of it was. */
static bool take_piece(void *context, struct str piece)
{
    struct ask *k = context;
    if (k->reader == NULL)
        k->reader = verifier_crl_begin(&k->q, k->look->arena);
    verifier_crl_add(k->reader, piece);
    k->unkept = !spool_add(&k->spool, piece);
    return !k->unkept;
}

static void finish(struct ask *k)
{
    struct group *g = k->group;
    spool_end(&k->spool);
    bool same = g->newest != NULL && memcmp(g->newest->sha256.bytes, k->spool.sha256.bytes, DIGEST_SIZE) == 0;
    k->q.before = same || g->newest == NULL ? NULL : &g->before;
    if (k->reader == NULL && k->reply.ok && !k->reply.unchanged)
        k->reader = verifier_crl_begin(&k->q, k->look->arena); /* an empty answer is judged, too */
    if (k->reader != NULL)
        verifier_crl_end(k->reader, &k->judged);
    k->reader = NULL;
}

/* Fetches those of the asks that `again` picks; every one is finished in any case. */
static bool fetch(struct look *l, struct ask *asks, size_t n, bool again, struct fault *f)
{
    struct fetch_request *requests = arena_array(l->arena, n, sizeof *requests);
    struct fetch_reply *replies = arena_array(l->arena, n, sizeof *replies);
    struct ask **picked = arena_array(l->arena, n, sizeof(struct ask *));
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (again && !asks[i].conditional)
            continue;
        spool_free(&asks[i].spool);
        asks[i].conditional = !again && is_conditional(l, &asks[i]);
        requests[count] = (struct fetch_request){.url = asks[i].url,
                                                 .known = asks[i].conditional ? &asks[i].known : NULL,
                                                 .through = asks[i].way,
                                                 .piece = take_piece,
                                                 .context = &asks[i]};
        picked[count++] = &asks[i];
    }
    bool ok = count == 0 || fetch_all(l->engine->parts.fetch, requests, count, l->arena, replies, f);
    for (size_t i = 0; i < count; i++) {
        picked[i]->reply = ok ? replies[i] : (struct fetch_reply){.problem = "not fetched"};
        if (picked[i]->unkept)
            snprintf(picked[i]->reply.problem, sizeof picked[i]->reply.problem,
                     "no room for it in TMPDIR, /var/tmp or /tmp");
        picked[i]->conditional = picked[i]->reply.ok && picked[i]->reply.unchanged;
        finish(picked[i]);
    }
    return ok;
}

/* -- one pointer, all edges judged ----------------------------------------------------------------------- */

/* Entries that nobody looked for here: what the inventory and the campaigns know of them. */
static bool find_strangers(struct look *l, struct ask *k, struct fault *f)
{
    const struct verifier_crl *crl = &k->judged;
    struct stranger *known;
    size_t n, unasked = 0, elsewhere = 0;
    if (crl->stranger_count == 0)
        return true;
    struct serial *serials = arena_array(l->arena, crl->stranger_count, sizeof *serials);
    for (size_t i = 0; i < crl->stranger_count; i++)
        serials[i] = crl->strangers[i].serial;
    if (!store_strangers(l->engine->parts.store, k->group->pointer->issuer, k->group->pointer->urls, serials,
                         crl->stranger_count, l->arena, &known, &n, f))
        return false;
    const struct verifier_stranger *first[2] = {NULL, NULL};
    for (size_t i = n; i > 0; i--) {
        first[known[i - 1].elsewhere] = &crl->strangers[known[i - 1].place];
        unasked += !known[i - 1].elsewhere;
        elsewhere += known[i - 1].elsewhere;
    }
    verifier_add_strangers(&k->judged.findings, l->arena, first[0], unasked, first[1], elsewhere);
    return true;
}

static bool commit(struct look *l, struct ask *k, const struct verifier_shown *shown, bool decides, bool odd,
                   struct fault *f)
{
    const struct group *g = k->group;
    size_t n = g->pointer->count;
    int64_t *seen = arena_array(l->arena, n, sizeof *seen),
            *missing = arena_array(l->arena, n, sizeof *missing);
    struct sighting sight = {
        .crl = true,
        .url = g->pointer->urls,
        .issuer = g->pointer->issuer,
        .number = -1,
        .sha256 = k->spool.sha256,
        .size = k->spool.size,
        .read = spool_read,
        .context = &k->spool,
        .this_update = k->judged.parsed ? k->judged.crl.this_update : UTC_NONE,
        .next_update = k->judged.parsed ? k->judged.crl.next_update : UTC_NONE,
        .crl_number = k->judged.parsed ? k->judged.crl.number.octets : (struct str){"", 0},
        .counts = k->judged.counts,
        .anomaly = odd || k->judged.findings.errors > 0,
        .findings = look_findings(l->arena, "crl", &k->judged.findings, &k->reply.headers),
        .seen = seen,
        .missing = missing,
    };
    for (size_t i = 0; i < n && decides; i++) {
        if (look_is_doubt(item(g, i)))
            continue;
        if (shown->shown[i] && mark_of(g, i) == 0)
            seen[sight.seen_count++] = item(g, i)->number;
        else if (shown->vanished[i])
            missing[sight.missing_count++] = item(g, i)->number;
    }
    bool fresh;
    if (!store_sight(l->engine->parts.store, &l->act, &sight, &fresh, f))
        return false;
    l->report->published += fresh ? (int64_t)sight.seen_count : 0;
    l->report->vanished += fresh ? (int64_t)sight.missing_count : 0;
    return true;
}

/* The edge's row: findings of the object, and those of the pointer as a whole. */
static bool note_edge(struct look *l, struct ask *k, const struct findings *together, struct fault *f)
{
    const struct finding *all[FINDING_ID_COUNT * 2];
    size_t n = 0;
    if (k->reply.ok && k->reply.unchanged)
        return true; /* as at the last look */
    struct edge edge = {.crl = true,
                        .issuer = k->group->pointer->issuer,
                        .url = k->url,
                        .vantage = k->name,
                        .at = l->act.at,
                        .http_status = k->reply.http_status,
                        .problem = k->reply.ok ? "" : k->reply.problem,
                        .headers = look_headers(l->arena, &k->reply.headers),
                        .sha256 = k->spool.sha256,
                        .size = k->reply.ok ? k->spool.size : 0,
                        .crl_number = k->judged.crl.number.octets,
                        .this_update = k->judged.parsed ? k->judged.crl.this_update : UTC_NONE,
                        .next_update = k->judged.parsed ? k->judged.crl.next_update : UTC_NONE,
                        .counts = k->judged.counts};
    for (size_t i = 0; i < k->judged.findings.count; i++)
        all[n++] = &k->judged.findings.list[i];
    for (size_t i = 0; i < together->count; i++)
        all[n++] = &together->list[i];
    return look_edge(l, &edge, all, n, f);
}

/* The newest object decides; older ones, of lagging edges, are kept first and move nothing. */
static bool commit_all(struct look *l, struct group *g, const struct verifier_shown *shown, struct fault *f)
{
    bool odd = shown->findings.errors > 0;
    for (size_t turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < g->ask_count; i++) {
            bool decides = shown->any_counts && i == shown->newest, again = false;
            for (size_t k = 0; k < i && !decides; k++) /* the same bytes came by another edge */
                again = again || memcmp(&g->asks[k].spool.sha256, &g->asks[i].spool.sha256, DIGEST_SIZE) == 0;
            if (!g->asks[i].reply.ok || again || decides != (turn == 1))
                continue;
            if (!commit(l, &g->asks[i], shown, decides, odd, f))
                return false;
        }
    return true;
}

/* The questions among the items. A listing on any CRL that counts is an answer, the newest first; only the
 * newest says that something is not there. */
static void tell_doubts(struct look *l, const struct group *g, const struct verifier_shown *shown)
{
    for (size_t i = 0; i < g->pointer->count; i++) {
        struct doubt_shown told = {.not_revoked_at = UTC_NONE};
        for (size_t k = 0; look_is_doubt(item(g, i)) && shown->any_counts && k < g->ask_count; k++) {
            const struct ask *edge = &g->asks[(shown->newest + k) % g->ask_count];
            const struct verifier_sight *s = edge->judged.counts ? &edge->judged.sights[i] : NULL;
            if (k == 0 && edge->judged.complete)
                told.not_revoked_at = edge->judged.crl.this_update;
            if (s != NULL && s->listed && !told.listed)
                told = (struct doubt_shown){true, s->revoked, s->at, s->reason, UTC_NONE};
        }
        doubt_hear(l, item(g, i), &told);
    }
}

/* Which certificates show the reason, and the date, that a change gave them. */
static bool note_reasons(struct look *l, const struct ask *k, const struct verifier_shown *shown,
                         struct fault *f)
{
    const struct group *g = k->group;
    struct reason_sight *seen = arena_array(l->arena, g->pointer->count, sizeof *seen);
    size_t n = 0;
    for (size_t i = 0; i < g->pointer->count; i++) {
        const struct verifier_sight *s = &k->judged.sights[i];
        if (shown->shown[i] && look_proves_reason(item(g, i), true) &&
            look_shows_reason(item(g, i), s->reason, s->at))
            seen[n++] = (struct reason_sight){item(g, i)->number, s->at};
    }
    return n == 0 || store_reason_shown(l->engine->parts.store, &l->act, seen, n, k->spool.sha256, f);
}

static bool conclude(struct look *l, struct group *g, struct fault *f)
{
    struct verifier_edge *edges = arena_array(l->arena, g->ask_count, sizeof *edges);
    struct verifier_shown shown;
    bool unchanged = g->ask_count > 0;
    for (size_t i = 0; i < g->ask_count; i++) {
        struct ask *k = &g->asks[i];
        const char *name = g->ask_count == 1 ? k->name : arena_format(l->arena, "%s (%s)", k->name, k->url);
        unchanged = unchanged && k->reply.ok && k->reply.unchanged;
        edges[i] = (struct verifier_edge){.name = name,
                                          .problem = k->reply.ok ? NULL : k->reply.problem,
                                          .crl = k->reply.ok ? &k->judged : NULL};
    }
    if (unchanged) {
        tell_doubts(l, g, &(struct verifier_shown){0});
        return true;
    }
    verifier_combine_crls(edges, g->ask_count, g->wanted, g->pointer->count, l->arena, &shown);
    for (size_t i = 0; i < g->ask_count; i++) {
        struct ask *k = &g->asks[i];
        if (k->reply.ok)
            verifier_add_cache(&k->judged.findings, l->arena, k->name, http_age(&k->reply.headers),
                               http_fresh_for(&k->reply.headers));
        if (shown.any_counts && i == shown.newest &&
            (!find_strangers(l, k, f) || !note_reasons(l, k, &shown, f) ||
             !engine_canaries_seen(l->engine, &k->judged, g->pointer->count, f)))
            return false;
        look_warn(l, k->url, &k->judged.findings);
        remember(l, k, shown.findings.count == 0);
    }
    look_warn(l, g->pointer->urls, &shown.findings);
    if (shown.answered == 0)
        snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s cannot be fetched: %s",
                 g->pointer->urls, g->ask_count == 0 ? "no http URL" : g->asks[0].reply.problem);
    bool ok = commit_all(l, g, &shown, f);
    for (size_t i = 0; ok && i < g->ask_count; i++)
        ok = note_edge(l, &g->asks[i], &shown.findings, f);
    if (ok)
        tell_doubts(l, g, &shown);
    return ok;
}

/* -- all pointers ---------------------------------------------------------------------------------------- */

static const struct pointer *newest_of(const struct look *l, const struct verifier_pointer *p)
{
    for (size_t i = 0; i < l->pointer_count; i++)
        if (l->pointers[i].issuer == p->issuer && strcmp(l->pointers[i].url, p->urls) == 0)
            return &l->pointers[i];
    return NULL;
}

/* Was it shown before, and has it still to be there? */
static bool was_seen(const struct watched *w)
{
    return (w->state & CERTIFICATE_SEEN_CRL) != 0 && certificate_state(w->state) != CERTIFICATE_WITHDRAWN;
}

static void make_wanted(struct look *l, struct group *g)
{
    g->wanted = arena_array(l->arena, g->pointer->count, sizeof *g->wanted);
    for (size_t i = 0; i < g->pointer->count; i++) {
        const struct watched *w = item(g, i);
        g->wanted[i] = (struct verifier_wanted){.number = (uint32_t)w->number,
                                                .serial = w->serial,
                                                .reason = w->reason,
                                                .seen = was_seen(w),
                                                .earlier = w->earlier,
                                                .told = w->told,
                                                .reason_until = w->reason_until,
                                                .reason_before = w->reason_before,
                                                .not_after = w->not_after};
    }
    g->newest = newest_of(l, g->pointer);
    if (g->newest != NULL)
        g->before = (struct verifier_before){
            g->newest->this_update, g->newest->number.n == 0 ? (struct str){NULL, 0} : g->newest->number};
}

static bool is_fetchable(const struct look *l, const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0 ||
           fetch_is_mapped(l->engine->parts.fetch, url);
}

/* Every URL by every way; a folder is one way, whatever leads to it. Without any fetchable URL the first one
 * is asked all the same, so that its edge says why. */
static void make_asks(struct look *l, struct group *g)
{
    const struct settings *s = l->engine->parts.settings;
    const char **urls;
    size_t n = verifier_urls(g->pointer->urls, l->arena, &urls), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (is_fetchable(l, urls[i]))
            urls[kept++] = urls[i];
    n = kept == 0 && n > 0 ? 1 : kept;
    g->asks = arena_array(l->arena, n * s->vantage_count, sizeof *g->asks);
    for (size_t u = 0; u < n; u++) {
        bool mapped = fetch_is_mapped(l->engine->parts.fetch, urls[u]);
        for (size_t v = 0; v < (mapped ? 1 : s->vantage_count); v++) {
            struct ask *k = &g->asks[g->ask_count++];
            *k = (struct ask){.look = l, .group = g, .url = urls[u]};
            k->way = mapped ? NULL : &s->vantages[v];
            k->name = mapped ? "folder" : s->vantages[v].name;
            k->q = look_question(l, g->pointer->issuer, urls[u]);
            k->q.wanted = g->wanted;
            k->q.wanted_count = g->pointer->count;
        }
    }
}

/* A group whose edges do not all say "unchanged" needs the bytes of all: they decide together. */
static bool look_at_group(struct look *l, struct group *g, struct fault *f)
{
    bool all = true, any = false;
    for (size_t i = 0; i < g->ask_count; i++) {
        all = all && g->asks[i].conditional;
        any = any || g->asks[i].conditional;
    }
    if (any && !all && !fetch(l, g->asks, g->ask_count, true, f))
        return false;
    return conclude(l, g, f);
}

/* Several pointers at a time, so that a slow one does not keep the others: as many edges as are fetched at
 * once, and not more certificates than memory should hold. */
#define WANTED_AT_ONCE ((size_t)1000000)

static bool look_at_batch(struct look *l, struct group *groups, size_t count, struct fault *f)
{
    size_t n = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        n += groups[i].ask_count;
    struct ask *asks = arena_array(l->arena, n, sizeof *asks);
    for (size_t i = 0; i < count; i++) { /* side by side */
        memcpy(asks + at, groups[i].asks, groups[i].ask_count * sizeof *asks);
        groups[i].asks = asks + at;
        at += groups[i].ask_count;
    }
    bool ok = fetch(l, asks, n, false, f);
    for (size_t i = 0; ok && i < count; i++)
        ok = look_at_group(l, &groups[i], f);
    for (size_t i = 0; i < n; i++)
        spool_free(&asks[i].spool);
    return ok;
}

bool look_at_crls(struct look *l, const struct watched *items, size_t n, struct fault *f)
{
    struct verifier_place *places = arena_array(l->arena, n, sizeof *places);
    struct verifier_pointer *pointers;
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        if (items[i].cdp[0] != '\0' && (items[i].needs & CERTIFICATE_NEEDS_CRL) != 0)
            places[count++] = (struct verifier_place){items[i].cdp, items[i].issuer, i};
    count = verifier_pointers(places, count, l->arena, &pointers);
    for (size_t from = 0, to; ok && from < count; from = to) {
        AUTO_ARENA batch = {0};
        size_t edges = 0, wanted = 0;
        struct look part = *l; /* what it needs goes with it */
        part.arena = &batch;
        struct group *groups = arena_array(&batch, FETCH_AT_ONCE, sizeof *groups);
        for (to = from; to < count && to - from < FETCH_AT_ONCE; to++) {
            struct group *g = &groups[to - from];
            if (to > from && (edges >= FETCH_AT_ONCE || wanted + pointers[to].count > WANTED_AT_ONCE))
                break;
            *g = (struct group){.pointer = &pointers[to], .items = items};
            make_wanted(&part, g);
            make_asks(&part, g);
            edges += g->ask_count;
            wanted += g->pointer->count;
        }
        ok = look_at_batch(&part, groups, to - from, f);
    }
    return ok;
}
