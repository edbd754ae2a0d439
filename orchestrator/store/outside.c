/* What the world shows (store_outside.h). */
#include "copy.h"
#include "massrevoke/store_outside.h"

#include <stdlib.h>

#define PART_SIZE ((size_t)1 << 20)
#define PAGE 1000
#define BITMAP 125 /* bytes a page */
#define TRIES 3    /* another engine may thin the same bytes out between two calls */

bool store_watch(struct store *s, int campaign, bool all, struct arena *a, struct watched **out, size_t *n,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_bool(&p, all);
    if (!store_query(s, "watch", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    const char *cdp = NULL, *ocsp = NULL;
    for (int i = 0; i < PQntuples(r); i++) {
        /* neighbours mostly share their shard and responder: keep one copy */
        if (cdp == NULL || strcmp(cdp, get_text(r, i, 7)) != 0)
            cdp = arena_text(a, get_text(r, i, 7));
        if (ocsp == NULL || strcmp(ocsp, get_text(r, i, 8)) != 0)
            ocsp = arena_text(a, get_text(r, i, 8));
        (*out)[i] = (struct watched){
            .number = get_int(r, i, 0),
            .issuer = (int)get_int(r, i, 1),
            .serial = get_serial(r, i, 2),
            .reason = (int)get_int(r, i, 3),
            .needs = (unsigned)get_int(r, i, 4),
            .state = (uint8_t)get_int(r, i, 5),
            .not_after = get_utc(r, i, 6),
            .told = get_utc(r, i, 9),
            .settled = get_utc(r, i, 10),
            .earlier = get_bool(r, i, 11),
            .since = get_utc(r, i, 12),
            .reason_before = (int)get_int(r, i, 13),
            .reason_until = get_utc(r, i, 14),
            .dated = get_utc(r, i, 15),
            .changing = get_bool(r, i, 16),
            .cdp = cdp,
            .ocsp = ocsp,
        };
    }
    return true;
}

/* -- objects ------------------------------------------------------------------------------------------- */

/* Fills a part as far as the object goes; its size, -1 when it cannot be read. */
static ssize_t next_part(const struct sighting *sight, char *part)
{
    size_t n = 0;
    for (ssize_t got = 1; n < PART_SIZE && got > 0; n += got > 0 ? (size_t)got : 0)
        if ((got = sight->read(sight->context, part + n, PART_SIZE - n)) < 0)
            return -1;
    return (ssize_t)n;
}

/* Bytes first, under their digest: an object row never names bytes that are not there. */
static bool put_parts(struct store *s, const struct sighting *sight, struct fault *f)
{
    char *part = arena_grow(NULL, PART_SIZE);
    bool ok = sight->read(sight->context, NULL, 0) >= 0;
    int64_t left = sight->size;
    for (int nth = 0; ok && (left > 0 || nth == 0); nth++) {
        AUTO_PARAMETERS p = {0};
        ssize_t n = next_part(sight, part);
        if (n < 0 || (n == 0 && left > 0)) {
            ok = fault_set(f, FAULT_FAILED, "a fetched object cannot be read back");
            break;
        }
        put_digest(&p, sight->sha256);
        put_int(&p, nth);
        put_bytes(&p, part, (size_t)n);
        ok = store_do(s, "object_part_put", &p, f);
        left -= n;
    }
    free(part);
    return ok;
}

/* Pages with a bitmap each of what was seen and what is missing. */
struct marks {
    struct array pages, seen, missing;
};

static void set_bits(uint8_t *bits, int64_t page, const int64_t *numbers, size_t n, size_t *at)
{
    for (; *at < n && numbers[*at] / PAGE == page; ++*at) {
        int64_t o = numbers[*at] % PAGE;
        bits[o / 8] = (uint8_t)(bits[o / 8] | 1u << (o % 8));
    }
}

/* Both lists are ascending: one walk. */
static void mark(const struct sighting *sight, struct marks *out)
{
    size_t s = 0, m = 0;
    while (s < sight->seen_count || m < sight->missing_count) {
        uint8_t seen[BITMAP] = {0}, missing[BITMAP] = {0};
        int64_t a = s < sight->seen_count ? sight->seen[s] / PAGE : INT64_MAX,
                b = m < sight->missing_count ? sight->missing[m] / PAGE : INT64_MAX, page = a < b ? a : b;
        set_bits(seen, page, sight->seen, sight->seen_count, &s);
        set_bits(missing, page, sight->missing, sight->missing_count, &m);
        array_int(&out->pages, page);
        array_bytes(&out->seen, seen, sizeof seen);
        array_bytes(&out->missing, missing, sizeof missing);
    }
}

static void put_octets(struct parameters *p, struct str octets)
{
    if (octets.n > 0 && octets.n <= SERIAL_MAX)
        put_bytes(p, octets.p, octets.n);
    else
        put_text(p, NULL);
}

/* Kind, pointer and digest: what an object is known by. */
static void put_object(struct parameters *p, const struct act *act, const struct sighting *sight)
{
    put_int(p, act->campaign);
    put_text(p, sight->crl ? "crl" : "ocsp");
    put_text(p, sight->url);
    put_int(p, sight->issuer);
    if (sight->number < 0)
        put_text(p, NULL);
    else
        put_int(p, sight->number);
    put_digest(p, sight->sha256);
}

static bool is_known(struct store *s, const struct act *act, const struct sighting *sight, bool *yes,
                     struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_object(&p, act, sight);
    put_bool(&p, sight->counts);
    if (!store_query(s, "object_known", &p, &r, f))
        return false;
    *yes = get_bool(r, 0, 0);
    return true;
}

static bool commit(struct store *s, const struct act *act, const struct sighting *sight, bool *there,
                   bool *fresh, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct marks marks = {0};
    mark(sight, &marks);
    put_object(&p, act, sight);
    put_int(&p, sight->size);
    put_utc(&p, act->at);
    put_bool(&p, sight->counts);
    put_bool(&p, sight->anomaly);
    put_octets(&p, sight->crl_number);
    put_utc(&p, sight->this_update);
    put_utc(&p, sight->next_update);
    put_text(&p, sight->findings);
    put_array(&p, &marks.pages);
    put_array(&p, &marks.seen);
    put_array(&p, &marks.missing);
    put_int(&p, (int64_t)sight->seen_count);
    put_int(&p, (int64_t)sight->missing_count);
    put_text(&p, act->who);
    if (!store_query(s, "sight", &p, &r, f))
        return false;
    *there = get_int(r, 0, 0) != 0;
    *fresh = get_bool(r, 0, 1);
    return true;
}

bool store_sight(struct store *s, const struct act *act, const struct sighting *sight, bool *fresh,
                 struct fault *f)
{
    bool there;
    if (!is_known(s, act, sight, &there, f))
        return false;
    if (there && sight->seen_count == 0 && sight->missing_count == 0) {
        *fresh = false;
        return true;
    }
    for (int try = 0; try < TRIES; try++) {
        if (!there && !put_parts(s, sight, f))
            return false;
        if (!commit(s, act, sight, &there, fresh, f))
            return false;
        if (there)
            return true;
    }
    return fault_set(f, FAULT_UNAVAILABLE, "the bytes of a fetched object do not stay");
}

bool store_pointers(struct store *s, int campaign, struct arena *a, struct pointer **out, size_t *n,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "object_latest", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct pointer){arena_text(a, get_text(r, i, 0)),
                                     (int)get_int(r, i, 1),
                                     get_utc(r, i, 2),
                                     get_utc(r, i, 4),
                                     get_digest(r, i, 3),
                                     get_bytes(r, i, 5, a)};
    return true;
}

bool store_object(struct store *s, struct digest sha256, object_part_fn *part, void *context, int64_t *parts,
                  struct fault *f)
{
    int64_t count = 0;
    for (bool more = true; more; count += more) {
        AUTO_ARENA a = {0};
        AUTO_PARAMETERS p = {0};
        AUTO_RESULT *r = NULL;
        put_digest(&p, sha256);
        put_int(&p, count);
        if (!store_query(s, "object_part", &p, &r, f))
            return false;
        more = PQntuples(r) > 0;
        if (more)
            part(context, get_bytes(r, 0, 0, &a));
    }
    if (parts != NULL)
        *parts = count;
    return true;
}

/* -- edges, strangers, publication ----------------------------------------------------------------------- */

bool store_edge(struct store *s, const struct act *act, const struct edge *edge, bool *changed,
                struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_text(&p, edge->crl ? "crl" : "ocsp");
    put_int(&p, edge->issuer);
    put_text(&p, edge->url);
    put_text(&p, edge->vantage);
    put_utc(&p, edge->at);
    put_int(&p, edge->http_status);
    put_text(&p, edge->problem);
    put_text(&p, edge->headers);
    if (edge->size > 0)
        put_digest(&p, edge->sha256);
    else
        put_text(&p, NULL);
    put_int(&p, edge->size);
    put_octets(&p, edge->crl_number);
    put_utc(&p, edge->this_update);
    put_utc(&p, edge->next_update);
    put_bool(&p, edge->counts);
    put_text(&p, edge->findings);
    put_text(&p, act->who);
    put_text(&p, edge->data);
    if (!store_query(s, "edge_note", &p, &r, f))
        return false;
    *changed = get_bool(r, 0, 0);
    return true;
}

bool store_edges(struct store *s, int campaign, struct arena *a, struct edge **out, size_t *n,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "edge_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++) {
        struct edge *e = &(*out)[i];
        *e = (struct edge){.crl = strcmp(get_text(r, i, 0), "crl") == 0,
                           .issuer = (int)get_int(r, i, 1),
                           .url = arena_text(a, get_text(r, i, 2)),
                           .vantage = arena_text(a, get_text(r, i, 3)),
                           .at = get_utc(r, i, 4),
                           .http_status = (long)get_int(r, i, 5),
                           .problem = arena_text(a, get_text(r, i, 6)),
                           .headers = arena_text(a, get_text(r, i, 7)),
                           .size = get_int(r, i, 9),
                           .crl_number = get_bytes(r, i, 10, a),
                           .this_update = get_utc(r, i, 11),
                           .next_update = get_utc(r, i, 12),
                           .counts = get_bool(r, i, 13),
                           .findings = arena_text(a, get_text(r, i, 14)),
                           .data = ""};
        if (e->size > 0)
            e->sha256 = get_digest(r, i, 8);
    }
    return true;
}

bool store_strangers(struct store *s, int issuer, const char *url, const struct serial *serials, size_t count,
                     struct arena *a, struct stranger **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array list = {{0}};
    for (size_t i = 0; i < count; i++)
        array_bytes(&list, serials[i].bytes, serials[i].n);
    put_int(&p, issuer);
    put_array(&p, &list);
    put_text(&p, url);
    if (!store_query(s, "strangers", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct stranger){(size_t)get_int(r, i, 0) - 1, get_bool(r, i, 1)};
    return true;
}

bool store_publication(struct store *s, const struct campaign *c, struct arena *a, struct publication **out,
                       size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, c->id);
    put_utc(&p, c->received);
    if (!store_query(s, "publication", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct publication){get_int(r, i, 0), get_int(r, i, 1), get_int(r, i, 2),
                                         get_int(r, i, 3), get_int(r, i, 4), get_int(r, i, 5)};
    return true;
}

bool store_not_checkable(struct store *s, int campaign, int64_t most, struct arena *a,
                         struct not_checkable **out, size_t *n, int64_t *total, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, most);
    if (!store_query(s, "not_checkable", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *total = *n == 0 ? 0 : get_int(r, 0, 3);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] =
            (struct not_checkable){arena_text(a, get_text(r, i, 0)), get_serial(r, i, 1), get_bool(r, i, 2)};
    return true;
}

bool store_proofs(struct store *s, int campaign, proof_fn *each, void *context, struct fault *f)
{
    struct copy_out c;
    const int64_t arguments[] = {campaign};
    if (!copy_out_begin(s, &c, "proofs", arguments, 1, f))
        return false;
    while (copy_out_next(&c)) {
        AUTO_ARENA a = {0};
        struct str issuer = copy_out_bytes(&c), serial;
        struct proof proof = {.issuer = arena_copy(&a, issuer.p, issuer.n)};
        serial = copy_out_bytes(&c);
        (void)!serial_from_octets((const uint8_t *)serial.p, serial.n, &proof.serial);
        proof.state = (uint8_t)copy_out_int(&c);
        proof.checkable = copy_out_bool(&c);
        proof.recorded = copy_out_utc(&c);
        proof.published = copy_out_utc(&c);
        proof.before = copy_out_bool(&c);
        each(context, &proof);
    }
    return copy_out_end(&c, f);
}
