/* What a campaign's certificates, pages, journal and plan add up to. A small campaign is counted each time.
 * Of a large one the last count is kept, and carried on by the journal as long as no event changed which
 * certificates there are or what is dealt: then a look costs what happened since the last one, not what there
 * is. */
#include "report_counts.h"
#include "massrevoke/hex.h"

#include <inttypes.h>

#define BATCH 1000     /* rows of the journal at a time */
#define KEEP_AFTER 100 /* rows of journal and log: a look that carried on more keeps what it came to */

/* Where the journal was read to. */
struct place {
    int64_t seq, page, step;
};

static struct cohort_sum *cohort_of(struct counts *c, struct arena *a, int64_t cohort)
{
    for (size_t i = 0; i < c->cohort_count; i++)
        if (c->cohorts[i].cohort == cohort)
            return &c->cohorts[i];
    struct cohort_sum *grown = arena_array(a, c->cohort_count + 1, sizeof *grown);
    if (c->cohort_count > 0)
        memcpy(grown, c->cohorts, c->cohort_count * sizeof *grown);
    c->cohorts = grown;
    grown[c->cohort_count] = (struct cohort_sum){.cohort = (int)cohort};
    return &grown[c->cohort_count++];
}

/* The hours stay in their order. */
static struct hour_sum *hour_of(struct counts *c, struct arena *a, int64_t hour)
{
    size_t i = c->hour_count;
    while (i > 0 && c->hours[i - 1].hour >= hour)
        i--;
    if (i < c->hour_count && c->hours[i].hour == hour)
        return &c->hours[i];
    struct hour_sum *grown = arena_array(a, c->hour_count + 1, sizeof *grown);
    if (i > 0)
        memcpy(grown, c->hours, i * sizeof *grown);
    if (i < c->hour_count)
        memcpy(grown + i + 1, c->hours + i, (c->hour_count - i) * sizeof *grown);
    c->hours = grown;
    c->hour_count++;
    grown[i] = (struct hour_sum){.hour = hour};
    return &grown[i];
}

/* ---- the text that is kept, and the one that counting gives: lists of numbers ---- */

static int64_t number_at(const json_t *list, size_t i)
{
    return (int64_t)json_integer_value(json_array_get(list, i));
}

/* Columns of a cohort in counts_now. */
static void read_certificates(const json_t *root, struct arena *a, struct counts *c)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "cohorts"), i, row)
    {
        struct cohort_sum *o = cohort_of(c, a, number_at(row, 0));
        o->affected = number_at(row, 1);
        o->unnumbered = number_at(row, 2);
        o->excluded_expired = number_at(row, 3);
        o->short_lived = number_at(row, 4);
        o->withdrawn = number_at(row, 5);
    }
    const json_t *issuers = json_object_get(root, "issuers");
    c->issuer_count = json_array_size(issuers);
    c->issuers = arena_array(a, c->issuer_count, sizeof *c->issuers);
    for (i = 0; i < c->issuer_count; i++) {
        row = json_array_get(issuers, i);
        c->issuers[i] = (struct snapshot_issuer){arena_text(a, json_string_value(json_array_get(row, 0))),
                                                 number_at(row, 1)};
    }
    for (i = 0; i < COUNTED_TYPES; i++)
        c->types[i] = number_at(json_object_get(root, "types"), i);
    for (i = 0; i < COUNTED_PEOPLE; i++)
        c->people[i] = number_at(json_object_get(root, "people"), i);
}

/* What is kept beside it: sums of the pages, hours, the hash tree. */
static void read_sums(const json_t *root, struct arena *a, struct counts *c)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "pages"), i, row)
    {
        struct cohort_sum *o = cohort_of(c, a, number_at(row, 0));
        for (size_t b = 0; b < BUCKET_COUNT; b++)
            o->counters[b] = number_at(row, 1 + b);
        o->doubt = number_at(row, 1 + BUCKET_COUNT);
        o->person = number_at(row, 2 + BUCKET_COUNT);
        o->should_24h = number_at(row, 3 + BUCKET_COUNT);
    }
    json_array_foreach(json_object_get(root, "hours"), i, row)
    {
        struct hour_sum *h = hour_of(c, a, number_at(row, 0));
        h->planned = number_at(row, 1);
        h->recorded = number_at(row, 2);
        h->published = number_at(row, 3);
    }
    for (i = 0; i < COUNTED_TOLD; i++)
        c->told[i] = number_at(json_object_get(root, "told"), i);
    c->log.count = (uint64_t)json_integer_value(json_object_get(root, "leaves"));
    json_array_foreach(json_object_get(root, "peaks"), i, row)
    {
        if (i < sizeof c->log.peaks / sizeof *c->log.peaks)
            (void)hex_read(json_string_value(row), DIGEST_SIZE, c->log.peaks[i].bytes);
    }
}

static json_t *numbers(const int64_t *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(values[i]));
    return list;
}

static json_t *write_sums(const struct counts *c)
{
    json_t *root = json_object(), *pages = json_array(), *hours = json_array(), *peaks = json_array();
    for (size_t i = 0; i < c->cohort_count; i++) {
        const struct cohort_sum *o = &c->cohorts[i];
        int64_t row[BUCKET_COUNT + 4] = {o->cohort};
        memcpy(row + 1, o->counters, sizeof o->counters);
        row[BUCKET_COUNT + 1] = o->doubt;
        row[BUCKET_COUNT + 2] = o->person;
        row[BUCKET_COUNT + 3] = o->should_24h;
        json_array_append_new(pages, numbers(row, sizeof row / sizeof *row));
    }
    for (size_t i = 0; i < c->hour_count; i++) {
        const struct hour_sum *h = &c->hours[i];
        json_array_append_new(hours, numbers((int64_t[]){h->hour, h->planned, h->recorded, h->published}, 4));
    }
    for (int i = 0; i < __builtin_popcountll(c->log.count); i++) {
        char hex[DIGEST_TEXT];
        digest_hex(c->log.peaks[i], hex);
        json_array_append_new(peaks, json_string(hex));
    }
    json_object_set_new(root, "pages", pages);
    json_object_set_new(root, "hours", hours);
    json_object_set_new(root, "told", numbers(c->told, COUNTED_TOLD));
    json_object_set_new(root, "peaks", peaks);
    json_set_int(root, "leaves", (int64_t)c->log.count);
    return root;
}

/* ---- counting ---- */

bool report_counts_pages(struct store *s, int campaign, struct arena *a, struct counts *c, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "counts_pages", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        struct cohort_sum *o = cohort_of(c, a, get_int(r, i, 0));
        for (int b = 0; b < BUCKET_COUNT; b++)
            o->counters[b] = get_int(r, i, 1 + b);
        o->doubt = get_int(r, i, 1 + BUCKET_COUNT);
        o->person = get_int(r, i, 2 + BUCKET_COUNT);
    }
    return true;
}

static bool sum_dealt(struct store *s, const struct counts_wanted *w, struct arena *a, struct counts *c,
                      struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, w->campaign->id);
    put_utc(&p, w->campaign->received);
    put_int(&p, w->margin.s);
    if (!store_query(s, "counts_dealt", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        hour_of(c, a, get_int(r, i, 1))->planned += get_int(r, i, 2);
        cohort_of(c, a, get_int(r, i, 0))->should_24h += get_int(r, i, 3);
    }
    return true;
}

static bool is_recorded(uint8_t byte)
{
    enum certificate_state state = certificate_state(byte);
    return state == CERTIFICATE_RECORDED || state == CERTIFICATE_WAS_BEFORE;
}

/* Columns of counts_changes. */
enum { SEQ, PAGE, STEP, AT, WORK, COHORT, BEFORES, AFTERS };

static void count_change(const struct counts_wanted *w, const PGresult *r, int row, bool pages,
                         struct arena *a, struct counts *c)
{
    AUTO_ARENA bytes = {0};
    struct str befores = get_bytes(r, row, BEFORES, &bytes), afters = get_bytes(r, row, AFTERS, &bytes);
    struct cohort_sum *o = cohort_of(c, a, get_int(r, row, COHORT));
    int64_t recorded = 0, published = 0;
    for (size_t i = 0; i < befores.n && i < afters.n; i++) {
        uint8_t was = (uint8_t)befores.p[i], is = (uint8_t)afters.p[i];
        enum certificate_state before = certificate_state(was), after = certificate_state(is);
        recorded += is_recorded(is) && !is_recorded(was);
        published += after == CERTIFICATE_PUBLISHED && before != CERTIFICATE_PUBLISHED;
        if (!pages)
            continue;
        o->counters[certificate_bucket(before)]--;
        o->counters[certificate_bucket(after)]++;
        o->doubt += (after == CERTIFICATE_DOUBT) - (before == CERTIFICATE_DOUBT);
        o->person += (after == CERTIFICATE_NEEDS_PERSON) - (before == CERTIFICATE_NEEDS_PERSON);
    }
    if (recorded + published == 0 || !get_bool(r, row, WORK))
        return;
    int64_t since = get_int(r, row, AT) - w->campaign->received.s;
    struct hour_sum *h = hour_of(c, a, since / 3600);
    h->recorded += recorded;
    h->published += published;
}

/* Carries the hours, and with `pages` the sums of the pages, on by the journal from an event on. */
static bool add_journal(struct store *s, const struct counts_wanted *w, int64_t from, bool pages,
                        struct arena *a, struct counts *c, int64_t *rows, struct fault *f)
{
    struct place at = {from, -1, -1};
    for (int n = BATCH; n == BATCH;) {
        AUTO_PARAMETERS p = {0};
        AUTO_RESULT *r = NULL;
        put_int(&p, w->campaign->id);
        put_int(&p, at.seq);
        put_int(&p, at.page);
        put_int(&p, at.step);
        put_int(&p, BATCH);
        if (!store_query(s, "counts_changes", &p, &r, f))
            return false;
        n = PQntuples(r);
        for (int i = 0; i < n; i++)
            count_change(w, r, i, pages, a, c);
        if (n > 0)
            at = (struct place){get_int(r, n - 1, SEQ), get_int(r, n - 1, PAGE), get_int(r, n - 1, STEP)};
        *rows += n;
    }
    return true;
}

static bool add_log(struct store *s, int campaign, struct counts *c, int64_t *rows, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, (int64_t)c->log.count);
    if (!store_query(s, "log_hashes", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        merkle_push(&c->log, get_digest(r, i, 0));
    *rows += PQntuples(r);
    return true;
}

/* Who was told for the first time since that event, and the messages since. */
static bool add_told(struct store *s, int campaign, int64_t from, struct counts *c, int64_t *rows,
                     struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, from);
    if (!store_query(s, "counts_told", &p, &r, f))
        return false;
    for (int i = 0; i < COUNTED_TOLD; i++)
        c->told[i] += get_int(r, 0, i);
    *rows += get_int(r, 0, 2);
    return true;
}

int64_t counts_undone(const struct counts *c, int cohort)
{
    for (size_t i = 0; i < c->cohort_count; i++) {
        const int64_t *n = c->cohorts[i].counters;
        int64_t open =
            n[BUCKET_PENDING_PUBLICATION] + n[BUCKET_NOT_REVOKED] + n[BUCKET_HELD] + n[BUCKET_UNKNOWN];
        if (c->cohorts[i].cohort == cohort)
            return open == 0 && n[BUCKET_REVOKED] + n[BUCKET_EXPIRED] + n[BUCKET_OUTSIDE] == 0 ? 1 : open;
    }
    return 1;
}

/* ---- keeping ---- */

/* Columns of counts_now and of counts_kept that say what a count holds with. */
static void read_terms(const PGresult *r, int column, struct counts_kept *k)
{
    k->seq = get_int(r, 0, column);
    k->inventory = get_int(r, 0, column + 1);
    k->contact = get_int(r, 0, column + 2);
    k->withdrawn = get_int(r, 0, column + 3);
}

static bool count_certificates(struct store *s, const struct counts_wanted *w, bool whole, struct arena *a,
                               struct counts *c, struct counts_kept *k, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *root = NULL;
    put_int(&p, w->campaign->id);
    put_bool(&p, whole);
    if (!store_query(s, "counts_now", &p, &r, f) || !json_read("counts", str_of(get_text(r, 0, 0)), &root, f))
        return false;
    read_certificates(root, a, c);
    read_terms(r, 1, k);
    k->certificates = arena_text(a, get_text(r, 0, 0));
    return true;
}

/* *from: the event from which on the journal is to be added; -1: nothing is kept that still holds. */
static bool read_kept(struct store *s, const struct counts_wanted *w, struct arena *a, struct counts *c,
                      struct counts_kept *k, int64_t *from, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *root = NULL;
    struct fault ignored = {0};
    *from = -1;
    put_int(&p, w->campaign->id);
    if (!store_query(s, "counts_kept", &p, &r, f))
        return false;
    if (PQntuples(r) == 0 || !json_read("kept counts", str_of(get_text(r, 0, 0)), &root, &ignored) ||
        json_integer_value(json_object_get(root, "received")) != w->campaign->received.s ||
        json_integer_value(json_object_get(root, "margin")) != w->margin.s)
        return true;
    const json_t *certificates = json_object_get(root, "certificates");
    AUTO_BUF text = {0};
    json_canonical(certificates, &text);
    read_certificates(certificates, a, c);
    read_sums(json_object_get(root, "sums"), a, c);
    read_terms(r, 2, k);
    k->certificates = arena_copy(a, text.p, text.n);
    *from = get_int(r, 0, 1);
    return true;
}

static const char *kept_text(const struct counts_wanted *w, const struct counts *c,
                             const struct counts_kept *k, struct arena *a, struct fault *f)
{
    AUTO_JSON *root = json_object();
    AUTO_BUF text = {0};
    json_t *certificates;
    if (!json_read("counts", str_of(k->certificates), &certificates, f))
        return NULL;
    json_object_set_new(root, "certificates", certificates);
    json_object_set_new(root, "sums", write_sums(c));
    json_set_int(root, "received", w->campaign->received.s);
    json_set_int(root, "margin", w->margin.s);
    json_canonical(root, &text);
    return arena_copy(a, text.p, text.n);
}

bool report_counts(struct store *s, const struct counts_wanted *w, struct arena *a, struct counts *out,
                   struct counts_kept *k, struct fault *f)
{
    bool whole = w->whole || w->large;
    int64_t from = -1, rows = 0;
    *out = (struct counts){0};
    *k = (struct counts_kept){0};
    if (w->large && !w->anew && !read_kept(s, w, a, out, k, &from, f))
        return false;
    bool kept = from >= 0;
    if (!kept && (!count_certificates(s, w, whole, a, out, k, f) ||
                  !report_counts_pages(s, w->campaign->id, a, out, f) || !sum_dealt(s, w, a, out, f)))
        return false;
    if (whole && (!add_journal(s, w, kept ? from : 0, kept, a, out, &rows, f) ||
                  !add_told(s, w->campaign->id, kept ? from : 0, out, &rows, f) ||
                  !add_log(s, w->campaign->id, out, &rows, f)))
        return false;
    if (w->large && (!kept || rows > KEEP_AFTER)) {
        k->body = kept_text(w, out, k, a, f);
        return k->body != NULL;
    }
    return true;
}

void report_counts_keep(struct store *s, int campaign, const struct counts_kept *k)
{
    AUTO_PARAMETERS p = {0};
    struct fault ignored = {0};
    if (k->body == NULL)
        return;
    put_int(&p, campaign);
    put_int(&p, k->seq);
    put_int(&p, k->inventory);
    put_int(&p, k->contact);
    put_int(&p, k->withdrawn);
    put_text(&p, k->body);
    (void)!store_do(s, "counts_keep", &p, &ignored);
}
