#include "massrevoke/reason.h"
#include "verifier/findings.h"

/* What the checks need at hand. */
struct judge {
    const struct verifier_question *q;
    struct arena *arena;
    struct findings *list;
    const struct ocsp_response *response;
    const struct ocsp_single *single;
};

static void judge_signature(const struct judge *j, struct ocsp_cache *cache)
{
    struct ocsp_signer signer;
    char text[UTC_TEXT];
    const char *problem = ocsp_signature_problem(j->response, j->q->issuer, j->q->now, cache, &signer);
    finding_if(j->list, j->arena, problem != NULL, FINDING_ID_SIGNATURE, problem);
    if (problem != NULL || signer.is_issuer)
        return;
    finding_if(j->list, j->arena, !signer.has_nocheck, FINDING_ID_OCSP_NOCHECK, "none");
    if (utc_is_set(j->single->next_update) && j->single->next_update.s > signer.not_after.s)
        finding_add(j->list, j->arena, FINDING_ID_OCSP_RESPONDER_END, "notAfter %s",
                    utc_format(signer.not_after, text));
}

static void judge_times(const struct judge *j)
{
    const struct ocsp_single *s = j->single;
    char text[SPAN_TEXT], at[UTC_TEXT];
    finding_freshness(j->list, j->arena, s->this_update, s->next_update, j->q->now);
    if (utc_is_set(j->q->now) && j->response->produced_at.s > utc_add(j->q->now, TOLERANCE).s)
        finding_add(j->list, j->arena, FINDING_ID_OCSP_PRODUCED_FUTURE, "%s",
                    utc_format(j->response->produced_at, at));
    finding_if(j->list, j->arena, !utc_is_set(s->next_update), FINDING_ID_OCSP_NEXT_UPDATE, "no nextUpdate");
    if (!utc_is_set(s->next_update))
        return;
    struct span validity = utc_sub(s->next_update, s->this_update);
    span_format(validity, text);
    finding_if(j->list, j->arena, validity.s > TEN_DAYS.s, FINDING_ID_OCSP_VALIDITY_LONG, text);
    finding_if(j->list, j->arena, validity.s < 8 * 3600, FINDING_ID_OCSP_VALIDITY_SHORT, text);
}

/* "good" for what the CA says is revoked: made before that, it is an old answer; made after, it is wrong. */
static void judge_good(const struct judge *j)
{
    char made[UTC_TEXT], revoked[UTC_TEXT];
    bool before = j->single->this_update.s <= j->q->revoked_at.s;
    finding_add(j->list, j->arena, before ? FINDING_ID_OCSP_GOOD_BEFORE : FINDING_ID_OCSP_GOOD_AFTER,
                "good, thisUpdate %s, revoked at %s", utc_format(j->single->this_update, made),
                utc_format(j->q->revoked_at, revoked));
}

static void judge_single(const struct judge *j)
{
    const struct ocsp_single *s = j->single;
    char at[UTC_TEXT];
    finding_if(j->list, j->arena, j->response->unknown_critical || s->unknown_critical,
               FINDING_ID_OCSP_CRITICAL, "a critical extension");
    finding_if(j->list, j->arena, s->has_reason_extension, FINDING_ID_OCSP_REASON_EXTENSION, "reasonCode");
    finding_if(j->list, j->arena, s->not_issued, FINDING_ID_OCSP_NOT_ISSUED,
               "revoked, certificateHold, 1970-01-01: the answer for a serial never issued");
    finding_if(j->list, j->arena, s->status == OCSP_UNKNOWN, FINDING_ID_OCSP_UNKNOWN, "unknown");
    if (s->status == OCSP_GOOD && is_given(j->q->revoked_at))
        judge_good(j);
    if (s->status != OCSP_REVOKED || s->not_issued)
        return;
    if (s->reason == REASON_UNSPECIFIED || (s->reason > 0 && !reason_is_permitted(s->reason)))
        finding_add(j->list, j->arena, FINDING_ID_OCSP_REASON, "reason %d", s->reason);
    finding_if(j->list, j->arena, s->reason < 0 && j->q->kind == VERIFIER_CA, FINDING_ID_OCSP_REASON_MISSING,
               "none");
    if (s->revoked_at.s > s->this_update.s)
        finding_add(j->list, j->arena, FINDING_ID_OCSP_DATE_AFTER, "%s", utc_format(s->revoked_at, at));
}

/* An error response is unsigned: it says nothing but that there is no answer. */
static bool is_successful(const struct judge *j)
{
    int status = j->response->response_status;
    const char *name = ocsp_response_status_name(status);
    if (status != 0)
        finding_add(j->list, j->arena, FINDING_ID_OCSP_STATUS, "%s (%d)", name == NULL ? "unassigned" : name,
                    status);
    return status == 0;
}

void verifier_judge_ocsp(struct str bytes, const struct serial *serial, const struct verifier_question *q,
                         struct ocsp_cache *cache, struct arena *a, struct verifier_ocsp *out)
{
    struct fault f = {0};
    *out = (struct verifier_ocsp){0};
    out->parsed = ocsp_parse(bytes, &out->response, &f);
    if (!out->parsed) {
        finding_add(&out->findings, a, FINDING_ID_UNPARSABLE, "%s", f.text);
        return;
    }
    struct judge j = {q, a, &out->findings, &out->response, &out->single};
    if (!is_successful(&j))
        return;
    if (q->issuer == NULL) {
        finding_add(j.list, a, FINDING_ID_SIGNATURE_UNCHECKED, "no issuer certificate was given");
        return;
    }
    const char *problem = ocsp_find(&out->response, q->issuer, serial, &out->single);
    if (problem != NULL) {
        finding_add(j.list, a, FINDING_ID_OCSP_MATCH, "%s", problem);
        return;
    }
    out->found = true;
    judge_signature(&j, cache);
    judge_times(&j);
    judge_single(&j);
    out->counts = !out->findings.unusable;
    out->revoked = out->counts && out->single.status == OCSP_REVOKED && !out->single.not_issued &&
                   out->single.reason != REASON_CERTIFICATE_HOLD &&
                   out->single.reason != REASON_REMOVE_FROM_CRL;
}
