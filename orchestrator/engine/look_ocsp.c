/* OCSP: every certificate that has a responder, by every edge, at a polite rate. GET decides (BR 4.9.9); POST
 * is tried once for each responder. Published certificates are asked about again only in samples. */
#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define TURN 1000     /* questions at most in one turn: the engine has other work */
#define AT_A_TIME 64  /* questions under way: then it is seen whether anybody answers */
#define REST_FIRST 60 /* seconds that a responder is left alone when nothing comes, then twice as long */
#define REST_MOST 3600

/* One certificate at one edge. */
struct ask {
    struct responder *responder;
    size_t reply; /* place of its request; SIZE_MAX: not sent, the responder rests */
    struct verifier_ocsp judged;
    bool answered;
};

/* One certificate with its edges. */
struct asked {
    const struct watched *item;
    struct ask *asks;
    size_t count;
};

static bool is_pending(const struct watched *w)
{
    return (w->state & CERTIFICATE_SEEN_OCSP) == 0;
}

static bool has_responder(const struct look *l, const struct watched *w)
{
    return (w->needs & CERTIFICATE_NEEDS_OCSP) != 0 && w->ocsp[0] != '\0' &&
           look_issuer(l, w->issuer) != NULL;
}

/* --- the queue -------------------------------------------------------------------------------------------
 */

/* One of `of` at random, without favouring any. */
static size_t below(size_t of)
{
    uint64_t r = 0;
    (void)!getrandom(&r, sizeof r, 0);
    return (size_t)(r % of);
}

static void add(struct outside *o, const struct watched *w, const char **url)
{
    struct watched *place = &o->queue[o->count++];
    *place = *w;
    if (*url == NULL || strcmp(*url, w->ocsp) != 0)
        *url = arena_text(&o->queue_arena, w->ocsp);
    place->ocsp = *url;
    place->cdp = "";
}

/* Published ones that are asked again: so many of them, each as likely (selection sampling). */
static void add_sample(struct look *l, struct outside *o, const struct watched *items, size_t n)
{
    size_t left = 0, want = (size_t)l->engine->parts.settings->ocsp_sample;
    const char *url = NULL;
    for (size_t i = 0; i < n; i++)
        left += !is_pending(&items[i]) && has_responder(l, &items[i]);
    for (size_t i = 0; i < n && want > 0; i++) {
        if (is_pending(&items[i]) || !has_responder(l, &items[i]))
            continue;
        if (left <= want || below(left) < want) {
            add(o, &items[i], &url);
            want--;
        }
        left--;
    }
}

/* Goes on behind the certificate asked last, so that all have their turn however short the turns are. */
void look_queue(struct look *l, const struct watched *items, size_t n, bool all)
{
    struct outside *o = outside_of(l->engine);
    const char *url = NULL;
    size_t start = 0;
    arena_free(&o->queue_arena);
    o->queue = arena_array(&o->queue_arena, n, sizeof *o->queue);
    o->count = o->at = 0;
    while (start < n && items[start].number <= o->last)
        start++;
    for (size_t k = 0; k < n; k++) /* the engine waits for the answers to its questions */
        if (look_is_doubt(&items[k]) && has_responder(l, &items[k]))
            add(o, &items[k], &url);
    for (size_t k = 0; k < n; k++) {
        const struct watched *w = &items[(start + k) % n];
        if ((is_pending(w) || look_proves_reason(w, false)) && !look_is_doubt(w) && has_responder(l, w))
            add(o, w, &url);
    }
    if (all)
        add_sample(l, o, items, n);
    for (size_t i = 0; i < o->responder_count; i++) {
        struct responder *r = &o->responders[i];
        r->found = (struct findings){0};
        r->told = SIZE_MAX;
        if (r->no_post != NULL)
            r->found.list[r->found.count++] =
                verifier_finding(FINDING_ID_OCSP_POST, &o->queue_arena, r->no_post);
    }
}

/* --- responders ------------------------------------------------------------------------------------------
 */

static struct responder *responder_for(struct outside *o, const char *url, int issuer,
                                       const struct settings_vantage *way)
{
    for (size_t i = 0; i < o->responder_count; i++) {
        struct responder *r = &o->responders[i];
        if (r->way == way && r->issuer == issuer && strcmp(r->url, url) == 0)
            return r;
    }
    return NULL;
}

/* Makes those of a certificate's responders that are new. Pointers to them are taken only afterwards. */
static size_t meet(struct look *l, struct outside *o, const struct watched *w, const char ***urls)
{
    const struct settings *s = l->engine->parts.settings;
    size_t n = verifier_urls(w->ocsp, l->arena, urls);
    for (size_t u = 0; u < n; u++)
        for (size_t v = 0; v < s->vantage_count; v++) {
            if (responder_for(o, (*urls)[u], w->issuer, &s->vantages[v]) != NULL)
                continue;
            struct responder *all = arena_array(&o->arena, o->responder_count + 1, sizeof *all);
            if (o->responder_count > 0)
                memcpy(all, o->responders, o->responder_count * sizeof *all);
            all[o->responder_count++] = (struct responder){.url = arena_text(&o->arena, (*urls)[u]),
                                                           .name = s->vantages[v].name,
                                                           .way = &s->vantages[v],
                                                           .issuer = w->issuer,
                                                           .until = UTC_NONE,
                                                           .told = SIZE_MAX};
            o->responders = all;
        }
    return n;
}

static void find(struct outside *o, struct responder *r, const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        bool had = false;
        for (size_t k = 0; k < r->found.count; k++)
            had = had || r->found.list[k].which == findings->list[i].which;
        if (had)
            continue;
        r->found.list[r->found.count] = findings->list[i];
        r->found.list[r->found.count++].seen = arena_text(&o->queue_arena, findings->list[i].seen);
    }
}

static bool is_resting(const struct look *l, const struct responder *r)
{
    return utc_is_set(r->until) && r->until.s > l->act.at.s;
}

/* Nothing came from it: it is left alone, longer each time (all answers of one turn are one time), and as
 * long as it asks for. */
static void rest(struct look *l, struct responder *r, const struct fetch_reply *reply)
{
    int64_t wanted = http_retry_after(&reply->headers, l->act.at);
    if (!is_resting(l, r))
        r->rest = r->rest == 0 ? REST_FIRST : r->rest * 2 > REST_MOST ? REST_MOST : r->rest * 2;
    struct utc until = utc_add(l->act.at, (struct span){wanted > r->rest ? wanted : r->rest});
    r->until = is_resting(l, r) ? utc_max(r->until, until) : until;
}

/* -- asking ---------------------------------------------------------------------------------------------- */

static struct fetch_request request_of(struct look *l, const struct watched *w, const struct responder *r,
                                       enum certid_hash hash, bool post)
{
    return (struct fetch_request){.url = r->url,
                                  .ocsp_request =
                                      ocsp_request(look_issuer(l, w->issuer), &w->serial, hash, l->arena),
                                  .post = post,
                                  .through = r->way};
}

static void judge(struct look *l, const struct watched *w, struct str bytes, struct verifier_ocsp *out)
{
    struct verifier_question q = look_question(l, w->issuer, NULL);
    bool was_revoked = certificate_state(w->state) != CERTIFICATE_WITHDRAWN && !look_is_doubt(w);
    q.revoked_at = was_revoked ? w->since : UTC_NONE;
    verifier_judge_ocsp(bytes, &w->serial, &q, &outside_of(l->engine)->cache, l->arena, out);
}

static bool fetch_one(struct look *l, const struct fetch_request *request, struct fetch_reply *reply)
{
    struct fault ignored = {0};
    return fetch_all(l->engine->parts.fetch, request, 1, l->arena, reply, &ignored) && reply->ok;
}

/* Does it say that it knows nothing of what it was asked? One that is busy or broken says nothing. */
static bool knows_not(const struct verifier_ocsp *judged)
{
    int status = judged->response.response_status;
    return judged->parsed && !judged->found &&
           (status == OCSP_SUCCESSFUL || status == OCSP_MALFORMED || status == OCSP_UNAUTHORIZED);
}

/* A responder that does not know a SHA-1 CertID may know SHA-256 (RFC 9919), once found out for all. */
static void try_other_hash(struct look *l, const struct watched *w, struct ask *k)
{
    struct responder *r = k->responder;
    struct verifier_ocsp again;
    struct fetch_reply reply;
    if (r->other_tried || !knows_not(&k->judged))
        return;
    r->other_tried = true;
    struct fetch_request request = request_of(l, w, r, CERTID_SHA256, false);
    if (!fetch_one(l, &request, &reply))
        return;
    judge(l, w, reply.bytes, &again);
    if (!again.found)
        return;
    r->hash = CERTID_SHA256;
    k->judged = again;
}

/* POST is asked once; GET has answered already. */
static void try_post(struct look *l, const struct watched *w, struct responder *r)
{
    struct findings found = {0};
    struct verifier_ocsp judged = {0};
    struct fetch_reply reply;
    r->post_tried = true;
    struct fetch_request request = request_of(l, w, r, r->hash, true);
    if (fetch_one(l, &request, &reply))
        judge(l, w, reply.bytes, &judged);
    else
        judged.findings.count = 0;
    if (judged.counts)
        return;
    r->no_post = arena_text(&outside_of(l->engine)->arena,
                            reply.ok ? "an answer by POST that does not count" : reply.problem);
    found.list[found.count++] = verifier_finding(FINDING_ID_OCSP_POST, l->arena, r->no_post);
    find(outside_of(l->engine), r, &found);
}

static void take(struct look *l, const struct watched *w, struct ask *k, const struct fetch_reply *reply)
{
    struct responder *r = k->responder;
    struct findings cached = {0};
    judge(l, w, reply->bytes, &k->judged);
    try_other_hash(l, w, k);
    k->answered = true;
    if (k->judged.counts && !r->post_tried)
        try_post(l, w, r);
    bool later = k->judged.parsed && k->judged.response.response_status == OCSP_TRY_LATER;
    if (later)
        rest(l, r, reply);
    verifier_add_cache(&cached, l->arena, r->name, http_age(&reply->headers),
                       http_fresh_for(&reply->headers));
    find(outside_of(l->engine), r, &cached);
    find(outside_of(l->engine), r, &k->judged.findings);
    look_warn(l, r->url, &k->judged.findings);
    r->last = (struct edge){.issuer = r->issuer,
                            .url = r->url,
                            .vantage = r->name,
                            .at = l->act.at,
                            .http_status = reply->http_status,
                            .problem = "",
                            .headers = look_headers(l->arena, &reply->headers),
                            .sha256 = digest_of(reply->bytes.p, reply->bytes.n),
                            .size = (int64_t)reply->bytes.n,
                            .crl_number = {"", 0},
                            .this_update = k->judged.found ? k->judged.single.this_update : UTC_NONE,
                            .next_update = k->judged.found ? k->judged.single.next_update : UTC_NONE,
                            .counts = k->judged.counts};
}

static void miss(struct look *l, struct ask *k, const struct fetch_reply *reply)
{
    struct responder *r = k->responder;
    struct findings found = {0};
    r->failed++;
    found.list[found.count++] = verifier_finding(FINDING_ID_EDGE_UNREACHABLE, l->arena, reply->problem);
    find(outside_of(l->engine), r, &found);
    r->last = (struct edge){.issuer = r->issuer,
                            .url = r->url,
                            .vantage = r->name,
                            .at = l->act.at,
                            .http_status = reply->http_status,
                            .problem = reply->problem,
                            .headers = look_headers(l->arena, &reply->headers),
                            .crl_number = {"", 0},
                            .this_update = UTC_NONE,
                            .next_update = UTC_NONE};
    if (r->failed == r->sent || reply->http_status == 429 || reply->http_status == 503)
        rest(l, r, reply);
    snprintf(l->engine->warning, sizeof l->engine->warning, "%.200s cannot be asked: %s", r->url,
             reply->problem);
}

/* -- what all edges say together ------------------------------------------------------------------------- */

/* Bytes at hand, for the store to read. */
struct at_hand {
    struct str bytes;
    size_t at;
};

static ssize_t read_at_hand(void *context, char *out, size_t room)
{
    struct at_hand *h = context;
    if (out == NULL) {
        h->at = 0;
        return 0;
    }
    size_t n = h->bytes.n - h->at < room ? h->bytes.n - h->at : room;
    memcpy(out, h->bytes.p + h->at, n);
    h->at += n;
    return (ssize_t)n;
}

/* Kept are answers that move a state, and wrong ones; "good" made before the revocation is only waited for.
 */
static bool commit(struct look *l, const struct asked *one, const struct verifier_told *told,
                   const struct fetch_reply *replies, struct fault *f)
{
    const struct watched *w = one->item;
    bool had = !is_pending(w), doubt = look_is_doubt(w);
    const struct ask *k = &one->asks[told->deciding];
    bool wrong = k->answered && (k->judged.findings.errors > 0 || told->findings.errors > 0);
    bool moves = !doubt && (told->good ? had : told->revoked && !had);
    if (!k->answered || (!moves && !wrong))
        return true;
    struct at_hand bytes = {replies[k->reply].bytes, 0};
    struct sighting sight = {
        .url = k->responder->url,
        .issuer = w->issuer,
        .number = w->number,
        .sha256 = digest_of(bytes.bytes.p, bytes.bytes.n),
        .size = (int64_t)bytes.bytes.n,
        .read = read_at_hand,
        .context = &bytes,
        .this_update = k->judged.found ? k->judged.single.this_update : UTC_NONE,
        .next_update = k->judged.found ? k->judged.single.next_update : UTC_NONE,
        .crl_number = {"", 0},
        .counts = k->judged.counts,
        .anomaly = wrong,
        .findings = look_findings(l->arena, "ocsp", &k->judged.findings, &replies[k->reply].headers),
        .seen = &w->number,
        .seen_count = moves && told->revoked,
        .missing = &w->number,
        .missing_count = moves && !told->revoked && k->judged.found,
    };
    bool fresh;
    if (!store_sight(l->engine->parts.store, &l->act, &sight, &fresh, f))
        return false;
    l->report->published += fresh ? (int64_t)sight.seen_count : 0;
    l->report->vanished += fresh ? (int64_t)sight.missing_count : 0;
    return true;
}

/* A question: "revoked" by any edge is an answer, else the newest word. */
static void tell_doubt(struct look *l, const struct asked *one)
{
    struct doubt_shown told = {.not_revoked_at = UTC_NONE};
    struct utc newest = UTC_NONE;
    for (size_t i = 0; i < one->count; i++) {
        const struct verifier_ocsp *judged = &one->asks[i].judged;
        const struct ocsp_single *s = &judged->single;
        if (!one->asks[i].answered || !judged->counts || !judged->found)
            continue;
        if (judged->revoked && !told.listed)
            told = (struct doubt_shown){true, true, s->revoked_at,
                                        s->reason < 0 ? REASON_UNSPECIFIED : s->reason, UTC_NONE};
        if (utc_is_set(newest) && newest.s >= s->this_update.s)
            continue;
        newest = s->this_update;
        told.not_revoked_at = s->status == OCSP_GOOD ? newest : UTC_NONE;
    }
    doubt_hear(l, one->item, &told);
}

/* Where no CRL shows it, the responder does. */
static bool note_reason(struct look *l, const struct watched *w, const struct verifier_ocsp *judged,
                        const struct fetch_reply *reply, struct fault *f)
{
    const struct reason_sight seen = {w->number, judged->single.revoked_at};
    int reason = judged->single.reason < 0 ? REASON_UNSPECIFIED : judged->single.reason;
    if (!look_shows_reason(w, reason, seen.at))
        return true;
    return store_reason_shown(l->engine->parts.store, &l->act, &seen, 1,
                              digest_of(reply->bytes.p, reply->bytes.n), f);
}

static bool conclude(struct look *l, struct asked *one, const struct fetch_reply *replies, struct fault *f)
{
    struct verifier_edge *edges = arena_array(l->arena, one->count, sizeof *edges);
    struct verifier_told told;
    for (size_t i = 0; i < one->count; i++) {
        struct ask *k = &one->asks[i];
        edges[i] = (struct verifier_edge){.name = k->responder->name,
                                          .problem = k->answered ? NULL : "no answer",
                                          .ocsp = k->answered ? &k->judged : NULL};
    }
    verifier_combine_ocsp(edges, one->count, l->arena, &told);
    if (look_is_doubt(one->item))
        tell_doubt(l, one);
    if (told.answered == 0)
        return true;
    look_warn(l, one->item->ocsp, &told.findings);
    const struct ask *deciding = &one->asks[told.deciding];
    if (told.revoked && deciding->answered && look_proves_reason(one->item, false) &&
        !note_reason(l, one->item, &deciding->judged, &replies[deciding->reply], f))
        return false;
    for (size_t i = 0; i < one->count; i++)
        find(outside_of(l->engine), one->asks[i].responder, &told.findings);
    return commit(l, one, &told, replies, f);
}

/* -- turns ----------------------------------------------------------------------------------------------- */

/* Sends the questions of some certificates, each to every edge that does not rest. */
static bool ask_some(struct look *l, struct asked *list, size_t n, size_t requests_most, struct fault *f)
{
    struct fetch_request *requests = arena_array(l->arena, requests_most, sizeof *requests);
    struct fetch_reply *replies = arena_array(l->arena, requests_most, sizeof *replies);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].count; k++) {
            struct ask *a = &list[i].asks[k];
            struct responder *r = a->responder;
            a->reply = SIZE_MAX;
            if (is_resting(l, r))
                continue;
            r->sent++;
            a->reply = count;
            requests[count++] = request_of(l, list[i].item, r, r->hash, false);
        }
    pace_take(&outside_of(l->engine)->pace, (int64_t)count);
    if (count > 0 && !fetch_all(l->engine->parts.fetch, requests, count, l->arena, replies, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < list[i].count; k++) {
            struct ask *a = &list[i].asks[k];
            if (a->reply != SIZE_MAX && replies[a->reply].ok)
                take(l, list[i].item, a, &replies[a->reply]);
            else if (a->reply != SIZE_MAX)
                miss(l, a, &replies[a->reply]);
        }
        if (!conclude(l, &list[i], replies, f))
            return false;
    }
    return true;
}

static size_t make_asks(struct look *l, struct outside *o, struct asked *one)
{
    const struct settings *s = l->engine->parts.settings;
    const char **urls;
    size_t n = meet(l, o, one->item, &urls);
    one->asks = arena_array(l->arena, n * s->vantage_count, sizeof *one->asks);
    one->count = 0;
    for (size_t u = 0; u < n; u++)
        for (size_t v = 0; v < s->vantage_count; v++)
            one->asks[one->count++].responder = responder_for(o, urls[u], one->item->issuer, &s->vantages[v]);
    return one->count;
}

/* What responders showed since the queue was made: told when it is more than before, and at the queue's end.
 */
static bool note_responders(struct look *l, struct outside *o, struct fault *f)
{
    for (size_t i = 0; i < o->responder_count; i++) {
        struct responder *r = &o->responders[i];
        const struct finding *all[FINDING_ID_COUNT];
        bool news = r->told == SIZE_MAX ? r->found.count > 0 || o->at == o->count : r->found.count > r->told;
        if (r->sent > 0 && news) {
            for (size_t k = 0; k < r->found.count; k++)
                all[k] = &r->found.list[k];
            if (!look_edge(l, &r->last, all, r->found.count, f))
                return false;
            r->told = r->found.count;
        }
        if (r->sent > r->failed && !is_resting(l, r))
            r->rest = 0;
        r->sent = r->failed = 0;
    }
    return true;
}

bool look_at_ocsp(struct look *l, struct fault *f)
{
    struct outside *o = outside_of(l->engine);
    int64_t allowed = pace_allow(&o->pace, engine_ticks(l->engine));
    size_t left = allowed < TURN ? (size_t)(allowed < 0 ? 0 : allowed) : TURN;
    bool ok = true;
    if (o->at == o->count)
        return true;
    while (ok && left > 0 && o->at < o->count) {
        struct asked list[AT_A_TIME] = {0};
        size_t n = 0, requests = 0;
        while (n < AT_A_TIME && o->at < o->count && requests < AT_A_TIME && requests < left) {
            list[n].item = &o->queue[o->at++];
            o->last = look_is_doubt(list[n].item) ? o->last : list[n].item->number;
            (void)meet(l, o, list[n++].item, &(const char **){NULL});
            requests += l->engine->parts.settings->vantage_count;
        }
        requests = 0;
        for (size_t i = 0; i < n; i++) /* all are met: pointers to responders stay */
            requests += make_asks(l, o, &list[i]);
        ok = ask_some(l, list, n, requests, f);
        left -= requests < left ? requests : left;
    }
    return ok && note_responders(l, o, f);
}
