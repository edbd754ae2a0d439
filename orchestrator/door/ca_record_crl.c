#include "ca_record_crl.h"
#include "ca_crl.h"

#include <stdlib.h>
#include <unistd.h>

/* One issuer; lock NULL: we sign nothing for it. */
struct place {
    struct issuer issuer;
    struct ca_crl *crls;       /* one for each of its lists */
    const char *const *points; /* their URLs; of a full one NULL */
    size_t crl_count;
    const char *lock;
};

struct ca_record_crl {
    struct ca_record *record;
    struct place *places;
    size_t count;
    const struct place *at_work; /* whose list is asked for; NULL: none */
    int held;                    /* its lock, from before the list until its CRL is placed */
    struct utc since;            /* when that began: its thisUpdate */
};

bool ca_record_crl_wanted(const struct settings_ca *ca)
{
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (ca->issuers[i].key_file != NULL)
            return true;
    return false;
}

static bool take_place(const struct settings_ca *ca, size_t i, struct arena *a, struct place *out,
                       struct fault *f)
{
    const struct settings_issuer *s = &ca->issuers[i];
    if (s->key_file == NULL)
        return true;
    if (!issuer_load(s->certificate_file, a, &out->issuer, f))
        return false;
    if (out->issuer.cert.ski.n == 0)
        return fault_set(f, FAULT_CONFIG, "%s has no subject key identifier; CRLs must name it (BR 7.2)",
                         s->certificate_file);
    const struct settings_shard full = {NULL, s->crl_file}, *lists = s->shard_count > 0 ? s->shards : &full;
    out->crl_count = s->shard_count > 0 ? s->shard_count : 1;
    out->crls = arena_array(a, out->crl_count, sizeof *out->crls);
    const char **points = arena_array(a, out->crl_count, sizeof *points);
    for (size_t k = 0; k < out->crl_count; k++) {
        points[k] = arena_text(a, lists[k].url);
        out->crls[k] = (struct ca_crl){.key = arena_text(a, s->key_file),
                                       .key_password_file = arena_text(a, ca->key_password_file),
                                       .number = arena_text(a, s->crl_number_file),
                                       .crl = arena_text(a, lists[k].crl_file),
                                       .point = points[k],
                                       .validity = ca->crl_validity};
    }
    out->points = points;
    out->lock = arena_format(a, "%s.lock", s->crl_number_file);
    return true;
}

bool ca_record_crl_open(const struct settings_ca *ca, const struct backend_record *how, struct arena *a,
                        struct ca_record_crl **out, struct fault *f)
{
    struct ca_record_crl *c = arena_alloc(a, sizeof *c);
    *out = c;
    c->held = -1;
    c->places = arena_array(a, ca->issuer_count, sizeof *c->places);
    c->count = ca->issuer_count;
    if (how->revoked == NULL)
        return fault_set(f, FAULT_CONFIG,
                         "CA %s: the profile has no list of what is `revoked`, so key_file has "
                         "no use",
                         ca->name);
    for (size_t i = 0; i < ca->issuer_count; i++)
        if (!take_place(ca, i, a, &c->places[i], f))
            return false;
    c->record = ca_record_open(arena_text(a, ca->http.record_conninfo), how, f);
    return c->record != NULL;
}

static bool begin(struct ca_record_crl *c, const struct place *p, struct utc now, struct fault *f)
{
    if (!ca_crl_lock(p->lock, &c->held, f))
        return false;
    c->at_work = p;
    c->since = now;
    return true;
}

static void end(struct ca_record_crl *c)
{
    if (c->held >= 0)
        close(c->held);
    c->held = -1;
    c->at_work = NULL;
}

static bool place_all(const struct ca_record_crl *c, const struct crl_entry *entries, const size_t *counts,
                      struct fault *f)
{
    const struct place *p = c->at_work;
    bool ok = true;
    for (size_t k = 0; ok && k < p->crl_count; entries += counts[k++])
        ok = ca_crl_place(&p->crls[k], &p->issuer, c->since, entries, counts[k], f);
    return ok;
}

bool ca_record_crl_publish(struct ca_record_crl *c, size_t index, const char *aki, struct utc now, bool *done,
                           struct fault *f)
{
    const struct place *p = &c->places[index];
    struct crl_entry *entries = NULL;
    AUTO_ARENA a = {0};
    *done = false;
    if (p->lock == NULL)
        return fault_set(f, FAULT_REFUSED, "this issuer has no key_file: no CRL can be signed for it");
    if (c->at_work != NULL && c->at_work != p)
        return true; /* one list at a time */
    if (c->at_work == NULL && !begin(c, p, now, f))
        return false;
    size_t *counts = arena_array(&a, p->crl_count + 1, sizeof *counts);
    size_t points = p->points[0] == NULL ? 0 : p->crl_count;
    bool ok = ca_record_revoked(c->record, aki, p->points, points, &entries, counts, done, f);
    if (ok && !*done)
        return true;
    ok = ok && place_all(c, entries, counts, f);
    free(entries);
    end(c);
    return ok;
}

void ca_record_crl_close(struct ca_record_crl *c)
{
    for (size_t i = 0; c != NULL && i < c->count; i++)
        issuer_release(&c->places[i].issuer);
    if (c == NULL)
        return;
    end(c);
    ca_record_close(c->record);
}
