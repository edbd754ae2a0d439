#include "massrevoke/hex.h"
#include "massrevoke/reason.h"
#include "verifier/findings.h"

#include <stdio.h>
#include <stdlib.h>

/* The first entry with some fault, kept because entries go with their piece. */
struct first {
    size_t index, octet_count; /* octet_count: of the whole serial; octets holds at most 24 */
    char octets[24];
    struct utc at;
    int reason;
};

/* What the checks need at hand. */
struct judge {
    const struct verifier_question *q;
    struct arena *arena;
    const struct crl *crl;
    struct findings *list;
    const struct tally *tally;
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
    char oid[CRL_OID_TEXT];
    if (crl->signature_problem != NULL)
        finding_add(j->list, j->arena, FINDING_ID_SIGNATURE, "%s (algorithm %s)", crl->signature_problem,
                    crl_algorithm_text(crl->inner_algorithm, oid));
}

static void judge_header(const struct judge *j)
{
    const struct crl *crl = j->crl;
    if (crl->version != 1)
        finding_add(j->list, j->arena, FINDING_ID_CRL_VERSION, "version %d", crl->version + 1);
    finding_if(j->list, j->arena, !crl->time_forms_ok, FINDING_ID_CRL_TIME_FORM,
               "thisUpdate or nextUpdate in the other form");
    finding_if(j->list, j->arena, crl->has_entries && crl->entry_count == 0 && crl->entry_problem == NULL,
               FINDING_ID_CRL_EMPTY_LIST, "an empty revokedCertificates");
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

/* What can be wrong with an entry; the order in which findings come. */
#define ENTRY_FAULTS(X)                                                                                      \
    X(ENTRY_SERIAL, !e->serial_ok)                                                                           \
    X(ENTRY_SERIAL_DER, !e->serial_minimal)                                                                  \
    X(ENTRY_DATE_AFTER, e->at.s > head->this_update.s)                                                       \
    X(ENTRY_DATE_EARLY, e->at.s < EARLIEST.s)                                                                \
    X(CRL_TIME_FORM, !e->time_form_ok)                                                                       \
    X(ENTRY_REASON_ZERO, e->reason == REASON_UNSPECIFIED)                                                    \
    X(ENTRY_REASON, e->reason > 0 && !reason_is_permitted(e->reason))                                        \
    X(ENTRY_REASON_MISSING, e->reason < 0 && is_ca)                                                          \
    X(ENTRY_REASON_CRITICAL, e->reason_critical)                                                             \
    X(ENTRY_CRITICAL, e->unknown_critical)                                                                   \
    X(ENTRY_EXTENSION_TWICE, e->duplicate)                                                                   \
    X(ENTRY_TWICE, e->repeated)

enum entry_fault {
#define X(id, test) FAULTY_##id,
    ENTRY_FAULTS(X)
#undef X
        ENTRY_FAULT_COUNT
};

static const enum finding_id entry_findings[] = {
#define X(id, test) FINDING_ID_##id,
    ENTRY_FAULTS(X)
#undef X
};

/* Faults counted while the entries pass, and entries that nobody looked for; told at the end. */
struct tally {
    bool is_ca;
    struct utc since;
    struct verifier_stranger *strangers;
    size_t stranger_count, stranger_room, stranger_total;
    size_t counts[ENTRY_FAULT_COUNT];
    struct first firsts[ENTRY_FAULT_COUNT];
};

static unsigned faults_of(const struct crl *head, const struct crl_listed *e, bool is_ca)
{
    unsigned faults = 0;
#define X(id, test) faults |= (unsigned)(test) << FAULTY_##id;
    ENTRY_FAULTS(X)
#undef X
    return faults;
}

static void note_fault(struct tally *t, size_t which, const struct crl_listed *e)
{
    if (t->counts[which]++ > 0)
        return;
    struct first *first = &t->firsts[which];
    *first =
        (struct first){.index = e->index, .octet_count = e->serial_der.n, .at = e->at, .reason = e->reason};
    memcpy(first->octets, e->serial_der.p,
           e->serial_der.n < sizeof first->octets ? e->serial_der.n : sizeof first->octets);
}

static void note_stranger(struct tally *t, const struct crl_listed *e)
{
    t->stranger_total++;
    if (t->stranger_count == VERIFIER_STRANGERS)
        return;
    if (t->stranger_count == t->stranger_room) {
        t->stranger_room = t->stranger_room == 0 ? 16 : 2 * t->stranger_room;
        t->strangers = arena_grow(t->strangers, t->stranger_room * sizeof *t->strangers);
    }
    t->strangers[t->stranger_count++] =
        (struct verifier_stranger){.serial = e->serial, .at = e->at, .reason = e->reason};
}

static void note_entries(void *context, const struct crl *head, const struct crl_listed *entries,
                         size_t count)
{
    struct tally *t = context;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].at.s >= t->since.s && !entries[i].wanted && entries[i].serial_ok)
            note_stranger(t, &entries[i]);
        for (unsigned faults = faults_of(head, &entries[i], t->is_ca); faults != 0; faults &= faults - 1)
            note_fault(t, (size_t)__builtin_ctz(faults), &entries[i]);
    }
}

/* "17 entries, the first at position 3: serial 0A1B, 2026-11-22T14:41:56Z, reason 6". */
static void add_entry_finding(const struct judge *j, enum finding_id id, size_t count,
                              const struct first *first)
{
    char hex[2 * sizeof first->octets + 1], at[UTC_TEXT], reason[12] = "absent";
    size_t n = first->octet_count > sizeof first->octets ? sizeof first->octets : first->octet_count;
    hex_upper(first->octets, n, hex);
    if (first->reason >= 0)
        snprintf(reason, sizeof reason, "%d", first->reason);
    finding_add(j->list, j->arena, id, "%zu %s, the first at position %zu: serial %s%s, %s, reason %s", count,
                count == 1 ? "entry" : "entries", first->index + 1, hex, n < first->octet_count ? "..." : "",
                utc_format(first->at, at), reason);
}

static void judge_entries(const struct judge *j)
{
    if (j->crl->entry_problem != NULL)
        finding_add(j->list, j->arena, FINDING_ID_UNPARSABLE, "entry %zu: %s", j->crl->entry_count + 1,
                    j->crl->entry_problem);
    for (size_t i = 0; i < ENTRY_FAULT_COUNT; i++)
        if (j->tally->counts[i] > 0)
            add_entry_finding(j, entry_findings[i], j->tally->counts[i], &j->tally->firsts[i]);
}

static struct verifier_sight sight(const struct verifier_wanted *wanted, const struct crl_hit *hit,
                                   struct utc made)
{
    struct verifier_sight s = {.number = wanted->number, .at = UTC_NONE, .reason = -1};
    if (hit->entries == 0)
        return s;
    s.listed = true;
    s.at = hit->at;
    s.reason = hit->reason < 0 ? REASON_UNSPECIFIED : hit->reason;
    s.revoked = s.reason != REASON_CERTIFICATE_HOLD && s.reason != REASON_REMOVE_FROM_CRL;
    bool still = is_given(wanted->reason_until) && made.s <= wanted->reason_until.s &&
                 s.reason == wanted->reason_before;
    s.reason_differs = wanted->reason >= 0 && s.reason != wanted->reason && !still;
    return s;
}

/* --- the whole --- */

struct verifier_reader {
    const struct verifier_question *q;
    struct arena *arena;
    struct crl_reader *reader;
    struct tally tally;
};

struct verifier_reader *verifier_crl_begin(const struct verifier_question *q, struct arena *a)
{
    struct verifier_reader *r = arena_alloc(a, sizeof *r);
    *r =
        (struct verifier_reader){.q = q,
                                 .arena = a,
                                 .tally = {.is_ca = q->kind == VERIFIER_CA,
                                           .since = is_given(q->since) ? q->since : (struct utc){INT64_MAX}}};
    const struct crl_question question = {.issuer = q->issuer,
                                          .seed = {q->seed[0], q->seed[1]},
                                          .entries = note_entries,
                                          .context = &r->tally,
                                          .wanted = q->wanted_count == 0 ? NULL : &q->wanted->serial,
                                          .stride = sizeof *q->wanted,
                                          .wanted_count = q->wanted_count};
    r->reader = crl_read_begin(&question, a);
    return r;
}

void verifier_crl_add(struct verifier_reader *r, struct str piece)
{
    crl_read_add(r->reader, piece);
}

static void tell_entries(const struct verifier_reader *r, const struct crl_hit *hits,
                         struct verifier_crl *out)
{
    const struct verifier_question *q = r->q;
    out->sights = arena_array(r->arena, q->wanted_count, sizeof *out->sights);
    for (size_t i = 0; i < q->wanted_count; i++)
        out->sights[i] = sight(&q->wanted[i], &hits[i], out->crl.this_update);
    const struct tally *t = &r->tally;
    out->strangers = arena_array(r->arena, t->stranger_count, sizeof *out->strangers);
    if (t->stranger_count > 0)
        memcpy(out->strangers, t->strangers, t->stranger_count * sizeof *out->strangers);
    out->stranger_count = t->stranger_count;
    out->stranger_total = t->stranger_total;
}

void verifier_crl_end(struct verifier_reader *r, struct verifier_crl *out)
{
    static void (*const checks[])(const struct judge *) = {
        judge_signature, judge_header, judge_aki, judge_number, judge_idp, judge_extensions, judge_entries};
    struct fault f = {0};
    struct crl_hit *hits = NULL;
    *out = (struct verifier_crl){.parsed = false};
    out->parsed = crl_read_end(r->reader, &out->crl, &hits, &f);
    if (!out->parsed) {
        finding_add(&out->findings, r->arena, FINDING_ID_UNPARSABLE, "%s", f.text);
        free(r->tally.strangers);
        return;
    }
    struct judge j = {r->q, r->arena, &out->crl, &out->findings, &r->tally};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](&j);
    out->counts = !out->findings.unusable && hits != NULL;
    const struct crl_idp *idp = &out->crl.idp;
    out->complete = out->counts && !idp->only_some_reasons && (!idp->present || r->q->url != NULL);
    if (out->counts) {
        tell_entries(r, hits, out);
        judge_successor(r->q, out, r->arena);
    }
    free(hits);
    free(r->tally.strangers);
}

void verifier_judge_crl(struct str bytes, const struct verifier_question *q, struct arena *a,
                        struct verifier_crl *out)
{
    struct verifier_reader *r = verifier_crl_begin(q, a);
    verifier_crl_add(r, bytes);
    verifier_crl_end(r, out);
}
