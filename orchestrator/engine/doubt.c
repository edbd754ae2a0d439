/* Doubt where the CA tells no status: the world is asked. "Revoked" counts from any object that passed its
 * checks, "not revoked" only from one that was made after the quiet time, when no request of ours could still
 * be executed (design section 3, sentence 7). What the world does not show in time needs a person. */
#include "internal.h"
#include "massrevoke/cert.h"
#include "massrevoke/file.h"
#include "massrevoke/store_outside.h"
#include "massrevoke/store_safety.h"
#include "massrevoke/verifier.h"
#include "massrevoke/verify_issuer.h"
#include "spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define FIRST_GAP 2 /* seconds to the second look, then twice as long each time */
#define GAP_MOST 300

/* What is asked of the world in one look. */
struct inquiry {
    struct engine *engine;
    struct work *work;
    struct arena arena;
    uint32_t *slots; /* in the order of crl, issuer */
    struct proof_pointer *pointers;
    bool *answered;
    size_t count;
    uint64_t seed[2];
    struct verify_issuer *issuers; /* by index of settings; made when needed */
    bool *loaded;
};

bool engine_asks_outside(const struct engine *e, const struct work *w)
{
    return !e->parts.cas[w->ca].door->facts.tells_status && w->ask_count > w->asks_done;
}

static const struct verify_issuer *issuer_of(struct inquiry *q, int index, struct fault *f)
{
    const struct settings *s = q->engine->parts.settings;
    size_t at = 0;
    for (size_t ca = 0; ca < s->ca_count && !q->loaded[index]; at += s->cas[ca++].issuer_count) {
        size_t nth = (size_t)index - at;
        struct str bytes;
        if ((size_t)index < at || nth >= s->cas[ca].issuer_count)
            continue;
        if (!file_read(s->cas[ca].issuers[nth].certificate_file, CERT_MAX, &q->arena, &bytes, f) ||
            !verify_issuer_load(bytes, &q->arena, &q->issuers[index], f))
            return NULL;
        q->loaded[index] = true;
    }
    return &q->issuers[index];
}

static struct verifier_question question(const struct inquiry *q, const struct verify_issuer *issuer,
                                         const char *url)
{
    return (struct verifier_question){.issuer = issuer,
                                      .now = engine_act(q->engine).at,
                                      .url = url,
                                      .kind = VERIFIER_SUBSCRIBER,
                                      .seed = {q->seed[0], q->seed[1]}};
}

static void answer(struct inquiry *q, size_t i, enum ca_outcome outcome, struct utc at, int reason)
{
    struct slot *s = &q->work->slots[q->slots[i]];
    q->answered[i] = true;
    engine_take_answer(
        q->engine, q->work, s,
        &(struct ca_answer){.number = (uint32_t)s->number, .outcome = outcome, .at = at, .reason = reason});
}

/* The object that an outcome rests on is kept. */
static bool keep_crl(struct inquiry *q, const char *url, int issuer, struct str bytes,
                     const struct verifier_crl *judged, struct fault *f)
{
    struct act act = engine_act(q->engine);
    AUTO_JSON *json = verifier_json("crl", &judged->findings);
    AUTO_BUF text = {0};
    struct spool spool = {0};
    json_canonical(json, &text);
    bool kept = spool_add(&spool, bytes);
    spool_end(&spool);
    struct sighting sight = {.crl = true,
                             .url = url,
                             .issuer = q->engine->parts.issuers[issuer],
                             .number = -1,
                             .sha256 = spool.sha256,
                             .size = spool.size,
                             .read = spool_read,
                             .context = &spool,
                             .this_update = judged->crl.this_update,
                             .next_update = judged->crl.next_update,
                             .crl_number = judged->crl.number.octets,
                             .counts = judged->counts,
                             .findings = text.p};
    bool fresh;
    kept = (kept || fault_set(f, FAULT_FAILED, "no room for a CRL of %zu bytes in TMPDIR", bytes.n)) &&
           store_sight(q->engine->parts.store, &act, &sight, &fresh, f);
    spool_free(&spool);
    return kept;
}

/* One CRL about the slots [from, to). */
static bool ask_crl(struct inquiry *q, size_t from, size_t to, struct fault *f)
{
    const char *url = q->pointers[from].crl;
    int issuer = q->work->slots[q->slots[from]].issuer;
    struct fetch_request request = {.url = url};
    struct fetch_reply reply;
    const struct verify_issuer *of = issuer_of(q, issuer, f);
    if (of == NULL || !fetch_all(q->engine->parts.fetch, &request, 1, &q->arena, &reply, f))
        return false;
    if (!reply.ok)
        return true;
    struct verifier_question ask = question(q, of, url);
    struct verifier_wanted *wanted = arena_array(&q->arena, to - from, sizeof *wanted);
    for (size_t i = from; i < to; i++)
        wanted[i - from] = (struct verifier_wanted){
            .serial = q->work->slots[q->slots[i]].serial, .reason = -1, .not_after = UTC_NONE};
    ask.wanted = wanted;
    ask.wanted_count = to - from;
    struct verifier_crl judged;
    verifier_judge_crl(reply.bytes, &ask, &q->arena, &judged);
    bool late = judged.counts && judged.complete && judged.crl.this_update.s > q->work->ready.s, used = false;
    for (size_t i = from; i < to && judged.counts; i++) {
        const struct verifier_sight *s = &judged.sights[i - from];
        if (s->revoked)
            answer(q, i, CA_REVOKED_BEFORE, s->at, s->reason);
        else if (s->listed)
            answer(q, i, CA_PERSON, UTC_NONE, s->reason);
        else if (late)
            answer(q, i, CA_NOT_REVOKED, UTC_NONE, -1);
        used = used || s->listed || late;
    }
    return !used || keep_crl(q, url, issuer, reply.bytes, &judged, f);
}

/* A certificate that has only a responder. */
static bool ask_ocsp(struct inquiry *q, size_t i, struct ocsp_cache *cache, struct fault *f)
{
    const struct slot *slot = &q->work->slots[q->slots[i]];
    const char *url = q->pointers[i].ocsp;
    const struct verify_issuer *of = issuer_of(q, slot->issuer, f);
    struct fetch_reply reply;
    if (of == NULL)
        return false;
    struct fetch_request request = {.url = arena_copy(&q->arena, url, strcspn(url, " ")),
                                    .ocsp_request = ocsp_request(of, &slot->serial, CERTID_SHA1, &q->arena)};
    if (!fetch_all(q->engine->parts.fetch, &request, 1, &q->arena, &reply, f))
        return false;
    if (!reply.ok)
        return true;
    struct verifier_question ask = question(q, of, request.url);
    struct verifier_ocsp judged;
    verifier_judge_ocsp(reply.bytes, &slot->serial, &ask, cache, &q->arena, &judged);
    if (judged.counts && judged.revoked)
        answer(q, i, CA_REVOKED_BEFORE, judged.single.revoked_at,
               judged.single.reason < 0 ? REASON_UNSPECIFIED : judged.single.reason);
    else if (judged.counts && judged.found && judged.single.status == OCSP_GOOD &&
             judged.single.this_update.s > q->work->ready.s)
        answer(q, i, CA_NOT_REVOKED, UTC_NONE, -1);
    return true;
}

/* The questions that are still open, those of one CRL side by side. */
static bool open_inquiry(struct engine *e, struct work *w, struct inquiry *q, struct fault *f)
{
    size_t n = w->ask_count - w->asks_done;
    *q = (struct inquiry){.engine = e, .work = w, .count = n};
    if (getrandom(q->seed, sizeof q->seed, 0) != (ssize_t)sizeof q->seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    q->slots = w->asks + w->asks_done;
    q->answered = arena_array(&q->arena, n, sizeof *q->answered);
    memset(q->answered, 0, n * sizeof *q->answered);
    q->issuers = arena_array(&q->arena, e->parts.issuer_count, sizeof *q->issuers);
    q->loaded = arena_array(&q->arena, e->parts.issuer_count, sizeof *q->loaded);
    memset(q->loaded, 0, e->parts.issuer_count * sizeof *q->loaded);
    int64_t *numbers = arena_array(&q->arena, n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = w->slots[q->slots[i]].number;
    return store_proof_pointers(e->parts.store, e->parts.campaign, numbers, n, &q->arena, &q->pointers, f);
}

static bool same_crl(const struct inquiry *q, size_t a, size_t b)
{
    return q->work->slots[q->slots[a]].issuer == q->work->slots[q->slots[b]].issuer &&
           strcmp(q->pointers[a].crl, q->pointers[b].crl) == 0;
}

/* Brings those of the same CRL as `from` behind it; where they end. */
static size_t gather(struct inquiry *q, size_t from)
{
    size_t to = from + 1;
    for (size_t i = to; i < q->count; i++)
        if (same_crl(q, from, i)) {
            uint32_t slot = q->slots[i];
            struct proof_pointer pointer = q->pointers[i];
            q->slots[i] = q->slots[to];
            q->pointers[i] = q->pointers[to];
            q->slots[to] = slot;
            q->pointers[to++] = pointer;
        }
    return to;
}

/* What was answered leaves the list. */
static void close_inquiry(struct inquiry *q, struct ocsp_cache *cache)
{
    struct work *w = q->work;
    size_t kept = w->asks_done;
    for (size_t i = 0; i < q->count; i++)
        if (!q->answered[i])
            w->asks[kept++] = q->slots[i];
    w->ask_count = kept;
    for (size_t i = 0; q->loaded != NULL && i < q->engine->parts.issuer_count; i++)
        if (q->loaded[i])
            verify_issuer_free(&q->issuers[i]);
    ocsp_cache_free(cache);
    arena_free(&q->arena);
}

static bool inquire(struct engine *e, struct work *w, bool last, struct fault *f)
{
    struct inquiry q;
    struct ocsp_cache cache = {0};
    bool ok = open_inquiry(e, w, &q, f);
    for (size_t from = 0, to; ok && from < q.count; from = to) {
        to = gather(&q, from);
        if (q.pointers[from].crl[0] != '\0')
            ok = ask_crl(&q, from, to, f);
        for (size_t i = from; ok && i < to && q.pointers[from].crl[0] == '\0'; i++)
            ok = q.pointers[i].ocsp[0] == '\0' || ask_ocsp(&q, i, &cache, f);
    }
    for (size_t i = 0; ok && last && i < q.count; i++)
        if (!q.answered[i])
            answer(&q, i, CA_PERSON, UTC_NONE, -1);
    close_inquiry(&q, &cache);
    return ok;
}

/* A CA that publishes is asked for a CRL made after the quiet time. */
static void want_crls(struct engine *e, const struct work *w)
{
    for (size_t i = w->asks_done; i < w->ask_count; i++) {
        int issuer = w->slots[w->asks[i]].issuer;
        struct utc since = {w->ready.s - engine_quiet(e, (size_t)issuer).s};
        e->proving[issuer] = utc_max(e->proving[issuer], since);
    }
}

bool engine_doubts(struct engine *e, struct utc *wake, struct fault *f)
{
    struct utc now = engine_act(e).at;
    struct span patience = {e->parts.profile.publish_margin.s + e->parts.profile.crl_every.s};
    *wake = UTC_NONE;
    for (size_t i = 0; i < e->work_count; i++) {
        struct work *w = e->works[i];
        if (w->stopped || w->lost || !engine_asks_outside(e, w))
            continue;
        if (now.s > w->ready.s) {
            want_crls(e, w);
            if (now.s >= w->asks_outside.s && !inquire(e, w, now.s >= w->ready.s + patience.s, f))
                return false;
            if (now.s >= w->asks_outside.s) {
                w->outside_gap = w->outside_gap == 0 ? FIRST_GAP : 2 * w->outside_gap;
                w->outside_gap = w->outside_gap < GAP_MOST ? w->outside_gap : GAP_MOST;
                w->asks_outside = utc_add(now, (struct span){w->outside_gap});
            }
        } else {
            w->asks_outside = utc_add(w->ready, (struct span){1});
        }
        bool more = e->pending_count > 0 || w->send_count > w->sends_done;
        *wake = more ? now : utc_is_set(*wake) ? utc_min(*wake, w->asks_outside) : w->asks_outside;
    }
    return true;
}
