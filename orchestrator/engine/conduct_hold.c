/* Holding and releasing: what stays out for a time, and what it takes to let it go. */
#include "conduct_parts.h"
#include "massrevoke/conduct.h"
#include "massrevoke/hex.h"

#include <stdio.h>
#include <stdlib.h>

/* SHA-256 over issuer number and serial of each: which certificates are named is part of what is signed. */
static struct digest digest_listed(const struct listed *items, size_t n)
{
    struct digest_state d = digest_begin();
    for (size_t i = 0; i < n; i++) {
        char line[SERIAL_HEX_TEXT + 16], hex[SERIAL_HEX_TEXT];
        int length =
            snprintf(line, sizeof line, "%d/%s\n", items[i].issuer, serial_hex(&items[i].serial, hex));
        digest_add(&d, line, (size_t)length);
    }
    return digest_end(&d);
}

/* A person's words in a line of a request: no line of their own can come of them. */
static const char *one_line(struct arena *a, const char *text)
{
    char *out = arena_text(a, text);
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    return out;
}

/* --- what is signed --- */

/* Sorts by issuer and serial, each once; how many are left. */
static size_t sort_listed(struct listed *items, size_t n)
{
    size_t kept = 0;
    qsort(items, n, sizeof *items, listed_compare);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || listed_compare(&items[kept - 1], &items[i]) != 0)
            items[kept++] = items[i];
    return kept;
}

/* `items` sorted: the same certificates give the same words. */
static const char *release_words(int hold, const char *document, const struct listed *items, size_t n,
                                 struct arena *a)
{
    char hex[DIGEST_TEXT];
    return arena_format(a, "release from court hold %d: %zu certificates (sha256 %s), document %s", hold, n,
                        digest_hex(digest_listed(items, n), hex), one_line(a, document));
}

static const char *delay_words(int hold, struct utc until, const char *decision, const struct listed *items,
                               size_t n, struct arena *a)
{
    char hex[DIGEST_TEXT], time[UTC_TEXT];
    return arena_format(a, "delay %d: %zu certificates (sha256 %s) until %s, decision %s", hold, n,
                        digest_hex(digest_listed(items, n), hex), utc_format(until, time),
                        one_line(a, decision));
}

/* Fills what is said of the certificates: their issuers, each of them by name, the reason if it is one. Files
 * the request under their cohort, or under none (0) when there are several: then the people of all may not
 * approve. */
static void describe(const struct listed *items, const struct listed_facts *facts, size_t n,
                     struct request *r, struct approval_subject *subject, struct arena *a)
{
    AUTO_BUF issuers = {0};
    AUTO_BUF lines = {0};
    r->cohort = facts[0].cohort;
    subject->reason = facts[0].reason;
    for (size_t i = 0; i < n; i++) {
        char hex[SERIAL_HEX_TEXT];
        if (i == 0 || items[i].issuer != items[i - 1].issuer)
            buf_format(&issuers, "%s%s", i == 0 ? "" : "\n", facts[i].issuer);
        buf_format(&lines, "certificate: %s (issued by %s), reason %s\n", serial_hex(&items[i].serial, hex),
                   facts[i].issuer, reason_name(facts[i].reason));
        if (facts[i].cohort != r->cohort)
            r->cohort = 0;
        if (facts[i].reason != subject->reason)
            subject->reason = APPROVAL_REASONS;
    }
    subject->issuers = arena_copy(a, issuers.p, issuers.n);
    subject->more = arena_copy(a, lines.p, lines.n);
}

/* Writes the request that says `words` of these certificates; r names what, hold and what is kept. */
static bool send(const struct conduct *c, const char *words, const struct listed *items, size_t n,
                 struct request *r, struct arena *a, int *request, struct fault *f)
{
    struct listed_facts *facts;
    if (!store_listed_facts(c->store, c->campaign.id, items, n, a, &facts, f))
        return false;
    struct approval_subject subject = {
        .what = words,
        .certificates = (int64_t)n,
        .scope = digest_listed(items, n),
        .plan = digest_of(words, strlen(words)),
        .compromised_at = UTC_NONE,
        .first_hour = c->now,
    };
    describe(items, facts, n, r, &subject, a);
    return conduct_send_request(c, &subject, r, a, request, f);
}

/* --- is it what was signed? --- */

static bool is_release(const struct request *r)
{
    return strcmp(r->what, "release") == 0;
}

/* The certificates of a request to hold or to release, sorted: what is kept of it. */
static bool kept_items(const struct conduct *c, const struct request *r, struct arena *a,
                       struct listed **items, size_t *n, struct fault *f)
{
    bool ok = is_release(r) ? store_request_items(c->store, c->campaign.id, r->request, a, items, n, f)
                            : store_hold_items(c->store, c->campaign.id, r->hold, a, items, n, f);
    *n = ok ? sort_listed(*items, *n) : 0;
    return ok;
}

/* APPROVAL: a delay whose end has come can't bind any more. */
static bool check_end(const struct conduct *c, const struct request *r, const struct hold *h, struct fault *f)
{
    char time[UTC_TEXT];
    return is_release(r) || h->until.s > c->now.s ||
           fault_set(f, FAULT_APPROVAL, "request %d: the delay ended at %s", r->request,
                     utc_format(h->until, time));
}

/* What people sign for just these certificates; NULL: there is no such hold of that kind. */
static bool kept_words(const struct conduct *c, const struct request *r, const struct listed *items, size_t n,
                       struct arena *a, const char **words, struct fault *f)
{
    struct hold *holds;
    size_t count;
    *words = NULL;
    if (!store_holds(c->store, c->campaign.id, a, &holds, &count, f))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct hold *h = &holds[i];
        if (h->hold != r->hold || strcmp(h->kind, is_release(r) ? "court" : "delay") != 0)
            continue;
        if (!check_end(c, r, h, f))
            return false;
        *words = is_release(r) ? release_words(h->hold, h->document, items, n, a)
                               : delay_words(h->hold, h->until, h->document, items, n, a);
    }
    return true;
}

/* The certificates kept with a request. APPROVAL when what is kept is not what its text says: nothing but
 * what was signed is carried out. */
static bool named_by(const struct conduct *c, const struct request *r, struct arena *a, struct listed **items,
                     size_t *n, struct fault *f)
{
    const char *words, *done = is_release(r) ? "released" : "held";
    const char *signed_words = approval_value(a, r->text, "what");
    if (!kept_items(c, r, a, items, n, f) || !kept_words(c, r, *items, *n, a, &words, f))
        return false;
    if (*n > 0 && words != NULL && signed_words != NULL && strcmp(words, signed_words) == 0)
        return true;
    if (*n == 0)
        fault_set(f, FAULT_APPROVAL, "request %d names no certificates: nothing is %s", r->request, done);
    else
        fault_set(f, FAULT_APPROVAL, "what is kept of request %d is not what its text names: nothing is %s",
                  r->request, done);
    return fault_hint(f, is_release(r) ? "massrevoke release SERIALS..."
                                       : "massrevoke hold --delay --decision D --until TIME SERIALS...");
}

bool conduct_hold_check(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct listed *items;
    size_t n;
    return named_by(c, r, &a, &items, &n, f);
}

bool conduct_hold_bind(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct listed *items;
    size_t n;
    int64_t released;
    if (!named_by(c, r, &a, &items, &n, f))
        return false;
    if (!is_release(r))
        return store_hold_activate(c->store, &act, r->hold, f);
    return store_hold_release(c->store, &act, r->hold, items, n, &released, f) &&
           store_release_over(c->store, c->campaign.id, r->hold, r->request, f);
}

/* --- holding --- */

/* Is there anything left to hold of it? */
static bool is_left(enum certificate_state state)
{
    enum bucket bucket = certificate_bucket(state);
    return state != CERTIFICATE_NONE &&
           (bucket == BUCKET_NOT_REVOKED || bucket == BUCKET_HELD || bucket == BUCKET_UNKNOWN);
}

/* Of the items those that can be held, sorted; CONFLICT when there are none. */
static bool to_hold(const struct conduct *c, const struct listed *items, size_t n, struct arena *a,
                    struct listed **out, size_t *count, struct fault *f)
{
    enum certificate_state *states;
    if (!store_standing(c->store, c->campaign.id, items, n, a, &states, f))
        return false;
    *out = arena_array(a, n, sizeof **out);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (is_left(states[i]))
            (*out)[(*count)++] = items[i];
    *count = sort_listed(*out, *count);
    if (*count > 0)
        return true;
    fault_set(f, FAULT_CONFLICT, "none of these certificates is left to hold in this campaign");
    return fault_hint(f, "massrevoke show SERIAL tells where one stands");
}

bool conduct_hold_court(const struct conduct *c, const char *document, const struct listed *items, size_t n,
                        int *hold, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct cohort *cohorts;
    size_t cohort_count;
    if (!store_cohorts(c->store, c->campaign.id, &a, &cohorts, &cohort_count, f))
        return false;
    if (cohort_count == 0) /* an order binds nothing that comes later */
        return fault_set(f, FAULT_CONFLICT, "no certificate has been imported");
    return store_hold_add(c->store, &act, "court", document, digest_of(document, strlen(document)), UTC_NONE,
                          items, n, hold, f) &&
           store_hold_activate(c->store, &act, *hold, f);
}

bool conduct_hold_delay(const struct conduct *c, const char *decision, struct utc until,
                        const struct listed *items, size_t n, int *hold, int *request, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct listed *named;
    char time[UTC_TEXT];
    if (until.s <= c->now.s)
        return fault_set(f, FAULT_USAGE, "a delay until %s: expected a time to come",
                         utc_format(until, time));
    if (!to_hold(c, items, n, &a, &named, &n, f) ||
        !store_hold_add(c->store, &act, "delay", decision, digest_of(decision, strlen(decision)), until,
                        named, n, hold, f))
        return false;
    struct request r = {.what = "hold", .hold = *hold};
    return send(c, delay_words(*hold, until, decision, named, n, &a), named, n, &r, &a, request, f);
}

/* --- releasing --- */

/* The request that waits for exactly this; 0: none. */
static bool find_waiting(const struct conduct *c, int hold, const char *words, struct arena *a, int *request,
                         struct fault *f)
{
    struct request *requests;
    size_t n;
    *request = 0;
    if (!store_requests(c->store, c->campaign.id, a, &requests, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct request *r = &requests[i];
        struct fault unlike = {0};
        if (!is_release(r) || r->hold != hold || !conduct_waits(c, r))
            continue;
        const char *what = approval_value(a, r->text, "what");
        if (what != NULL && strcmp(what, words) == 0 && conduct_hold_check(c, r, &unlike))
            *request = r->request;
    }
    return true;
}

static bool ask_release(const struct conduct *c, const struct holding *of, const struct listed *items,
                        size_t n, struct arena *a, struct release_request *out, struct fault *f)
{
    const char *words = release_words(of->hold, of->document, items, n, a);
    *out = (struct release_request){.hold = of->hold, .certificates = n};
    if (!find_waiting(c, of->hold, words, a, &out->request, f))
        return false;
    out->waited = out->request != 0;
    if (out->waited)
        return true;
    struct request r = {.what = "release", .hold = of->hold, .named = items, .named_count = n};
    return send(c, words, items, n, &r, a, &out->request, f);
}

static bool is_court(const struct holding *h)
{
    return strcmp(h->kind, "court") == 0;
}

/* Ends one hold for those of the items that it names: rows[0 .. n - 1]. */
static bool end_hold(const struct conduct *c, const struct listed *items, const struct holding *rows,
                     size_t n, struct arena *a, struct conduct_release *out, struct fault *f)
{
    struct act act = conduct_act(c);
    bool court = is_court(&rows[0]);
    struct listed *named = arena_array(a, n, sizeof *named);
    int64_t released;
    for (size_t i = 0; i < n; i++) {
        named[i] = items[rows[i].place];
        if (out->verdicts[rows[i].place] != RELEASE_ASKED)
            out->verdicts[rows[i].place] = court ? RELEASE_ASKED : RELEASE_DONE;
    }
    n = sort_listed(named, n);
    if (court)
        return ask_release(c, &rows[0], named, n, a, &out->requests[out->request_count++], f);
    return store_hold_release(c->store, &act, rows[0].hold, named, n, &released, f);
}

/* The court's holds, or the others. */
static bool end_holds(const struct conduct *c, const struct listed *items, bool court,
                      const struct holding *rows, size_t count, struct arena *a, struct conduct_release *out,
                      struct fault *f)
{
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && rows[to].hold == rows[from].hold; to++)
            ;
        if (is_court(&rows[from]) == court && !end_hold(c, items, rows + from, to - from, a, out, f))
            return false;
    }
    return true;
}

bool conduct_release(const struct conduct *c, const struct listed *items, size_t n, struct arena *a,
                     struct conduct_release *out, struct fault *f)
{
    struct holding *rows;
    size_t count;
    *out = (struct conduct_release){.verdicts = arena_array(a, n, sizeof *out->verdicts)};
    if (!store_holdings(c->store, c->campaign.id, items, n, a, &rows, &count, f))
        return false;
    if (count == 0)
        return fault_set(f, FAULT_CONFLICT, "no active hold names %s",
                         n == 1 ? "that certificate" : "any of these certificates");
    out->requests = arena_array(a, count, sizeof *out->requests);
    /* what fails then has asked for something, and ended nothing */
    return end_holds(c, items, true, rows, count, a, out, f) &&
           end_holds(c, items, false, rows, count, a, out, f);
}
