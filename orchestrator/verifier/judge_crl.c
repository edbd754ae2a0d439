#include "massrevoke/hex.h"
#include "massrevoke/reason.h"
#include "verifier/findings.h"

#include <stdio.h>

/* What the checks need at hand. */
struct judge {
    const struct verifier_question *q;
    struct arena *arena;
    struct verifier_crl *out;
    const struct crl *crl;
    struct findings *list;
};

static void judge_signature(const struct judge *j)
{
    const struct crl *crl = j->crl;
    const struct verify_issuer *issuer = j->q->issuer;
    if (!str_equal(crl->inner_algorithm, crl->outer_algorithm)) {
        finding_add(j->list, j->arena, FINDING_ID_CRL_ALGORITHM, "they differ");
        return;
    }
    if (issuer == NULL) {
        finding_add(j->list, j->arena, FINDING_ID_SIGNATURE_UNCHECKED, "no issuer certificate was given");
        return;
    }
    finding_if(j->list, j->arena, !str_equal(crl->issuer, issuer->subject_der), FINDING_ID_CRL_ISSUER,
               "other bytes");
    finding_if(j->list, j->arena, !issuer->may_sign_crl, FINDING_ID_CRL_ISSUER_USAGE,
               "a key usage without cRLSign");
    const char *problem = crl_signature_problem(crl, issuer);
    finding_if(j->list, j->arena, problem != NULL, FINDING_ID_SIGNATURE, problem);
}

static void judge_header(const struct judge *j)
{
    const struct crl *crl = j->crl;
    if (crl->version != 1)
        finding_add(j->list, j->arena, FINDING_ID_CRL_VERSION, "version %d", crl->version + 1);
    finding_if(j->list, j->arena, !crl->time_forms_ok, FINDING_ID_CRL_TIME_FORM,
               "thisUpdate or nextUpdate in the other form");
    finding_if(j->list, j->arena, crl->has_entries && crl->entries.n == 0, FINDING_ID_CRL_EMPTY_LIST,
               "an empty revokedCertificates");
    finding_if(j->list, j->arena, !utc_is_set(crl->next_update), FINDING_ID_CRL_NEXT_UPDATE, "no nextUpdate");
    finding_freshness(j->list, j->arena, crl->this_update, crl->next_update, j->q->now);
    if (!utc_is_set(crl->next_update))
        return;
    bool is_ca = j->q->kind == VERIFIER_CA;
    int64_t days = is_ca ? 366 : 10, seconds = utc_sub(crl->next_update, crl->this_update).s;
    char text[SPAN_TEXT];
    if (seconds > days * 86400)
        finding_add(j->list, j->arena, is_ca ? FINDING_ID_CRL_VALIDITY_CA : FINDING_ID_CRL_VALIDITY, "%s",
                    span_format((struct span){seconds}, text));
}

static void judge_aki(const struct judge *j)
{
    const struct crl_aki *aki = &j->crl->aki;
    const struct verify_issuer *issuer = j->q->issuer;
    finding_if(j->list, j->arena, !aki->present, FINDING_ID_CRL_AKI, "no authorityKeyIdentifier");
    if (!aki->present)
        return;
    finding_if(j->list, j->arena, aki->critical, FINDING_ID_CRL_AKI_FORM, "critical");
    finding_if(j->list, j->arena, aki->key.n == 0, FINDING_ID_CRL_AKI_FORM, "no keyIdentifier");
    finding_if(j->list, j->arena, aki->other_fields, FINDING_ID_CRL_AKI_FORM,
               "authorityCertIssuer or authorityCertSerialNumber");
    bool differs = issuer != NULL && issuer->ski.n > 0 && aki->key.n > 0 && !str_equal(aki->key, issuer->ski);
    finding_if(j->list, j->arena, differs, FINDING_ID_CRL_AKI_KEY, "another key identifier");
}

static void judge_number(const struct judge *j)
{
    const struct crl_number *number = &j->crl->number;
    finding_if(j->list, j->arena, !number->present, FINDING_ID_CRL_NUMBER, "no CRLNumber");
    finding_if(j->list, j->arena, number->critical, FINDING_ID_CRL_NUMBER_FORM, "critical");
    finding_if(j->list, j->arena, number->negative, FINDING_ID_CRL_NUMBER_FORM, "negative");
    finding_if(j->list, j->arena, number->present && !number->minimal, FINDING_ID_CRL_NUMBER_FORM,
               "not in shortest form");
    bool large = number->octets.n > 20 || (number->octets.n == 20 && (number->octets.p[0] & 0x80) != 0);
    finding_if(j->list, j->arena, large, FINDING_ID_CRL_NUMBER_FORM, "2^159 or more");
}

static bool idp_names(const struct crl_idp *idp, const char *url)
{
    for (size_t i = 0; i < idp->uri_count; i++)
        if (str_is(idp->uris[i], url))
            return true;
    return false;
}

static void judge_idp(const struct judge *j)
{
    const struct crl_idp *idp = &j->crl->idp;
    if (!idp->present)
        return;
    finding_if(j->list, j->arena, !idp->critical, FINDING_ID_CRL_IDP_CRITICAL, "non-critical");
    finding_if(j->list, j->arena, idp->uri_count == 0, FINDING_ID_CRL_IDP_POINT, "no URI");
    finding_if(j->list, j->arena, idp->other_names, FINDING_ID_CRL_IDP_POINT, "another form of name");
    bool elsewhere =
        j->q->url != NULL && (idp->uri_count > 0 || idp->other_names) && !idp_names(idp, j->q->url);
    if (elsewhere)
        finding_add(j->list, j->arena, FINDING_ID_CRL_IDP_URL, "%.*s instead of %s",
                    idp->uri_count == 0 ? 6 : (int)(idp->uris[0].n > 200 ? 200 : idp->uris[0].n),
                    idp->uri_count == 0 ? "no URI" : idp->uris[0].p, j->q->url);
    finding_if(j->list, j->arena, idp->indirect, FINDING_ID_CRL_IDP_INDIRECT, "indirectCRL");
    finding_if(j->list, j->arena, idp->only_attribute, FINDING_ID_CRL_IDP_INDIRECT,
               "onlyContainsAttributeCerts");
    finding_if(j->list, j->arena, j->q->kind == VERIFIER_CA ? idp->only_user : idp->only_ca,
               FINDING_ID_CRL_IDP_SCOPE, idp->only_user ? "onlyContainsUserCerts" : "onlyContainsCACerts");
    finding_if(j->list, j->arena, idp->only_user && idp->only_ca, FINDING_ID_CRL_IDP_SCOPE,
               "onlyContainsUserCerts and onlyContainsCACerts");
    finding_if(j->list, j->arena, idp->only_some_reasons, FINDING_ID_CRL_IDP_REASONS, "onlySomeReasons");
}

static void judge_extensions(const struct judge *j)
{
    const struct {
        struct str oid;
        enum finding_id id;
    } odd[] = {{j->crl->unknown_critical, FINDING_ID_CRL_EXTENSION_CRITICAL},
               {j->crl->duplicate, FINDING_ID_CRL_EXTENSION_TWICE},
               {j->crl->unknown, FINDING_ID_CRL_EXTENSION_OTHER}};
    char text[CRL_OID_TEXT];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (odd[i].oid.n > 0)
            finding_add(j->list, j->arena, odd[i].id, "%s", crl_oid_text(odd[i].oid, text));
}

#define EARLIEST ((struct utc){631152000}) /* 1990-01-01 */

static bool bad_serial(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return !e->serial_ok;
}

static bool bad_late(const struct judge *j, const struct crl_entry *e)
{
    return e->at.s > j->crl->this_update.s;
}

static bool bad_early(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->at.s < EARLIEST.s;
}

static bool bad_form(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return !e->time_form_ok;
}

static bool bad_zero(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->reason == REASON_UNSPECIFIED;
}

static bool bad_reason(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->reason > 0 && !reason_is_permitted(e->reason);
}

static bool bad_missing(const struct judge *j, const struct crl_entry *e)
{
    return e->reason < 0 && j->q->kind == VERIFIER_CA;
}

static bool bad_reason_critical(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->reason_critical;
}

static bool bad_critical(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->unknown_critical;
}

static bool bad_twice(const struct judge *j, const struct crl_entry *e)
{
    (void)j;
    return e->duplicate;
}

/* What every entry must satisfy. */
static const struct {
    enum finding_id id;
    bool (*bad)(const struct judge *j, const struct crl_entry *e);
} entry_checks[] = {
    {FINDING_ID_ENTRY_SERIAL, bad_serial},          {FINDING_ID_ENTRY_DATE_AFTER, bad_late},
    {FINDING_ID_ENTRY_DATE_EARLY, bad_early},       {FINDING_ID_CRL_TIME_FORM, bad_form},
    {FINDING_ID_ENTRY_REASON_ZERO, bad_zero},       {FINDING_ID_ENTRY_REASON, bad_reason},
    {FINDING_ID_ENTRY_REASON_MISSING, bad_missing}, {FINDING_ID_ENTRY_REASON_CRITICAL, bad_reason_critical},
    {FINDING_ID_ENTRY_CRITICAL, bad_critical},      {FINDING_ID_ENTRY_EXTENSION_TWICE, bad_twice},
};
#define ENTRY_CHECKS (sizeof entry_checks / sizeof *entry_checks)

/* "17 entries, the first at position 3: serial 0A1B, 2026-11-22T14:41:56Z, reason 6". */
static void add_entry_finding(const struct judge *j, enum finding_id id, size_t count,
                              const struct crl_entry *first)
{
    char hex[2 * 24 + 1], at[UTC_TEXT], reason[12] = "absent";
    size_t n = first->serial_der.n > 24 ? 24 : first->serial_der.n;
    hex_upper(first->serial_der.p, n, hex);
    if (first->reason >= 0)
        snprintf(reason, sizeof reason, "%d", first->reason);
    finding_add(j->list, j->arena, id, "%zu %s, the first at position %zu: serial %s%s, %s, reason %s", count,
                count == 1 ? "entry" : "entries", first->index + 1, hex, n < first->serial_der.n ? "..." : "",
                utc_format(first->at, at), reason);
}

static void judge_entries(const struct judge *j)
{
    size_t counts[ENTRY_CHECKS] = {0};
    struct crl_entry firsts[ENTRY_CHECKS] = {0};
    struct crl_walk w = crl_walk(j->crl);
    for (struct crl_entry e; crl_next(&w, &e); j->out->entries++)
        for (size_t i = 0; i < ENTRY_CHECKS; i++)
            if (entry_checks[i].bad(j, &e) && counts[i]++ == 0)
                firsts[i] = e;
    if (w.problem != NULL)
        finding_add(j->list, j->arena, FINDING_ID_UNPARSABLE, "entry %zu: %s", w.index, w.problem);
    for (size_t i = 0; i < ENTRY_CHECKS; i++)
        if (counts[i] > 0)
            add_entry_finding(j, entry_checks[i].id, counts[i], &firsts[i]);
    struct crl_entry first;
    size_t doubles = w.unordered ? crl_count_doubles(j->crl, j->out->entries, j->q->seed, &first) : 0;
    if (doubles > 0)
        add_entry_finding(j, FINDING_ID_ENTRY_TWICE, doubles, &first);
}

void verifier_judge_crl(struct str bytes, const struct verifier_question *q, struct arena *a,
                        struct verifier_crl *out)
{
    static void (*const checks[])(const struct judge *) = {
        judge_signature, judge_header, judge_aki, judge_number, judge_idp, judge_extensions, judge_entries};
    struct fault f = {0};
    *out = (struct verifier_crl){.seed = {q->seed[0], q->seed[1]}};
    out->parsed = crl_parse(bytes, a, &out->crl, &f);
    if (!out->parsed) {
        finding_add(&out->findings, a, FINDING_ID_UNPARSABLE, "%s", f.text);
        return;
    }
    struct judge j = {q, a, out, &out->crl, &out->findings};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](&j);
    out->counts = !out->findings.unusable;
    const struct crl_idp *idp = &out->crl.idp;
    out->complete = out->counts && !idp->only_some_reasons && (!idp->present || q->url != NULL);
}

static struct verifier_sight sight(const struct verifier_wanted *wanted, const struct crl_hit *hit)
{
    struct verifier_sight s = {.number = wanted->number, .at = UTC_NONE, .reason = -1};
    if (!hit->listed)
        return s;
    s.listed = true;
    s.at = hit->at;
    s.reason = hit->reason < 0 ? REASON_UNSPECIFIED : hit->reason;
    s.revoked = s.reason != REASON_CERTIFICATE_HOLD && s.reason != REASON_REMOVE_FROM_CRL;
    s.reason_differs = wanted->reason >= 0 && s.reason != wanted->reason;
    return s;
}

bool verifier_match_crl(const struct verifier_crl *judged, const struct verifier_wanted *wanted, size_t count,
                        struct verifier_sight *sights, struct fault *f)
{
    if (!judged->counts)
        return fault_set(f, FAULT_REFUSED, "this CRL proves nothing: see its findings");
    AUTO_ARENA scratch = {0};
    struct serial *serials = arena_array(&scratch, count, sizeof *serials);
    struct crl_hit *hits = arena_array(&scratch, count, sizeof *hits);
    for (size_t i = 0; i < count; i++)
        serials[i] = wanted[i].serial;
    if (!crl_match(&judged->crl, serials, count, judged->seed, hits, f))
        return false;
    for (size_t i = 0; i < count; i++)
        sights[i] = sight(&wanted[i], &hits[i]);
    return true;
}
