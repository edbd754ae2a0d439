/* One pointer at several edges: what they show together, and where they differ. */
#include "verifier/findings.h"

/* "fra, nyc" of the edges for which `which` holds; how many. */
static size_t names_of(const struct verifier_edge *edges, size_t count, const bool *which, struct buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (which[i])
            buf_format(out, "%s%s", n++ == 0 ? "" : ", ", edges[i].name);
    return n;
}

/* Those that gave nothing, the first with its reason. */
static size_t tell_unreachable(const struct verifier_edge *edges, size_t count, struct findings *findings,
                               struct arena *a)
{
    AUTO_BUF names = {0};
    bool *silent = arena_array(a, count, sizeof *silent);
    const char *problem = NULL;
    for (size_t i = 0; i < count; i++) {
        silent[i] = edges[i].problem != NULL;
        if (silent[i] && problem == NULL)
            problem = edges[i].problem;
    }
    size_t n = names_of(edges, count, silent, &names);
    if (n > 0)
        finding_add(findings, a, FINDING_ID_EDGE_UNREACHABLE, "nothing at %.200s: %.200s", names.p, problem);
    return count - n;
}

/* Order of two CRLs of one pointer. */
static int compare(const struct crl *x, const struct crl *y)
{
    int order = crl_number_compare(x->number.octets, y->number.octets);
    return order != 0 ? order : (x->this_update.s > y->this_update.s) - (x->this_update.s < y->this_update.s);
}

static bool is_newest(const struct verifier_edge *edges, const struct verifier_shown *out, size_t i)
{
    return edges[i].crl != NULL && edges[i].crl->counts &&
           compare(&edges[i].crl->crl, &edges[out->newest].crl->crl) == 0;
}

static void find_newest(const struct verifier_edge *edges, size_t count, struct verifier_shown *out)
{
    out->counts = out->answered > 0;
    for (size_t i = 0; i < count; i++) {
        const struct verifier_crl *crl = edges[i].crl;
        if (crl == NULL)
            continue;
        out->counts = out->counts && crl->counts;
        if (crl->counts && (!out->any_counts || compare(&crl->crl, &edges[out->newest].crl->crl) > 0))
            out->newest = i;
        out->any_counts = out->any_counts || crl->counts;
    }
}

/* How many edges whose CRL counts list it, and how many do not. */
struct votes {
    size_t listed, not_listed;
};

static struct votes vote(const struct verifier_edge *edges, size_t count, struct verifier_shown *out,
                         size_t w)
{
    struct votes v = {0};
    for (size_t i = 0; i < count; i++) {
        if (edges[i].crl == NULL || !edges[i].crl->counts)
            continue;
        const struct verifier_sight *sight = &edges[i].crl->sights[w];
        v.listed += sight->revoked;
        v.not_listed += !sight->revoked;
        if (sight->vanished && is_newest(edges, out, i))
            out->vanished[w] = true;
    }
    return v;
}

static void tell_older(const struct verifier_edge *edges, size_t count, struct arena *a,
                       struct verifier_shown *out)
{
    AUTO_BUF names = {0};
    bool *old = arena_array(a, count, sizeof *old);
    char at[UTC_TEXT];
    for (size_t i = 0; i < count; i++)
        old[i] = edges[i].crl != NULL && edges[i].crl->counts && !is_newest(edges, out, i);
    if (names_of(edges, count, old, &names) > 0)
        finding_add(&out->findings, a, FINDING_ID_EDGE_OLDER, "an older CRL at %.200s; %s has thisUpdate %s",
                    names.p, edges[out->newest].name,
                    utc_format(edges[out->newest].crl->crl.this_update, at));
}

void verifier_combine_crls(const struct verifier_edge *edges, size_t count,
                           const struct verifier_wanted *wanted, size_t wanted_count, struct arena *a,
                           struct verifier_shown *out)
{
    size_t differ = 0, first = 0;
    char hex[SERIAL_HEX_TEXT];
    *out = (struct verifier_shown){.shown = arena_array(a, wanted_count, sizeof *out->shown),
                                   .vanished = arena_array(a, wanted_count, sizeof *out->vanished)};
    out->answered = tell_unreachable(edges, count, &out->findings, a);
    find_newest(edges, count, out);
    if (!out->any_counts)
        return;
    for (size_t w = 0; w < wanted_count; w++) {
        struct votes v = vote(edges, count, out, w);
        out->shown[w] = out->counts && v.listed > 0 && v.not_listed == 0;
        if (v.listed > 0 && v.not_listed > 0 && differ++ == 0)
            first = w;
    }
    if (differ > 0)
        finding_add(&out->findings, a, FINDING_ID_EDGE_DIFFERS,
                    "%zu certificates revoked at some edges and not at others, the first: serial %s", differ,
                    serial_hex(&wanted[first].serial, hex));
    tell_older(edges, count, a, out);
}

void verifier_combine_ocsp(const struct verifier_edge *edges, size_t count, struct arena *a,
                           struct verifier_told *out)
{
    *out = (struct verifier_told){0};
    out->answered = tell_unreachable(edges, count, &out->findings, a);
    out->revoked = out->answered > 0;
    bool any_revoked = false;
    for (size_t i = 0; i < count; i++) {
        const struct verifier_ocsp *o = edges[i].ocsp;
        if (o == NULL)
            continue;
        bool good = o->counts && !o->revoked;
        bool newer =
            good && (!out->good || o->single.this_update.s > edges[out->deciding].ocsp->single.this_update.s);
        if (newer || (o->revoked && !out->good && !any_revoked))
            out->deciding = i;
        out->revoked = out->revoked && o->revoked;
        out->good = out->good || good;
        any_revoked = any_revoked || o->revoked;
    }
    if (any_revoked && out->good)
        finding_add(&out->findings, a, FINDING_ID_EDGE_DIFFERS, "revoked at some edges, not at %s",
                    edges[out->deciding].name);
}

void verifier_add_cache(struct findings *findings, struct arena *a, const char *edge, int64_t age,
                        int64_t fresh_for)
{
    if (age >= 0 && fresh_for >= 0 && age > fresh_for)
        finding_add(findings, a, FINDING_ID_EDGE_CACHE, "%s: %lld s old, fresh for %lld s", edge,
                    (long long)age, (long long)fresh_for);
}
