/* A CRL in the row of CRLs of its pointer, and its entries against what was asked for. */
#include "massrevoke/reason.h"
#include "verifier/findings.h"

#include <stdio.h>

/* -1, 0, 1: which came first. */
static int sign(int64_t difference)
{
    return (difference > 0) - (difference < 0);
}

/* Number and thisUpdate must both have grown, or the CRL is an old copy and neither has. */
static void judge_order(const struct verifier_question *q, struct verifier_crl *judged, struct arena *a)
{
    char before[UTC_TEXT], now[UTC_TEXT];
    const struct crl *crl = &judged->crl;
    int times = sign(utc_sub(crl->this_update, q->before->this_update).s);
    utc_format(q->before->this_update, before);
    utc_format(crl->this_update, now);
    bool known = q->before->number.p != NULL && crl->number.present;
    int numbers = known ? sign(crl_number_compare(crl->number.octets, q->before->number)) : times;
    if (times < 0 && numbers < 0)
        finding_add(&judged->findings, a, FINDING_ID_CRL_OLDER, "thisUpdate %s, before %s", now, before);
    else if (known && (numbers == 0 || numbers != times))
        finding_add(&judged->findings, a, FINDING_ID_CRL_NUMBER_GROWS, "%s number, thisUpdate %s, before %s",
                    numbers == 0  ? "the same"
                    : numbers < 0 ? "a smaller"
                                  : "a greater",
                    now, before);
}

/* Is this CRL the very next one, by its number? */
static bool is_next(const struct verifier_question *q, const struct crl *crl)
{
    struct str old = q->before->number, new = crl->number.octets;
    if (old.p == NULL || !crl->number.present)
        return false;
    uint8_t sum[24] = {0};
    if (old.n >= sizeof sum)
        return false;
    memcpy(sum + sizeof sum - old.n, old.p, old.n);
    for (size_t i = sizeof sum; i > 0 && ++sum[i - 1] == 0; i--)
        continue;
    return crl_number_compare((struct str){(const char *)sum, sizeof sum}, new) == 0;
}

/* What a missing entry, seen before, means. */
enum missing { MISSING_FINE, MISSING_VANISHED, MISSING_GONE };

static enum missing missing(const struct verifier_question *q, const struct crl *crl, struct utc not_after)
{
    if (!utc_is_set(not_after) || crl->this_update.s <= not_after.s)
        return MISSING_VANISHED;
    if (q->before == NULL || q->before->this_update.s > not_after.s)
        return MISSING_FINE;                                  /* it was on one issued after the end */
    return is_next(q, crl) ? MISSING_VANISHED : MISSING_GONE; /* else one between, unseen, may have had it */
}

/* A CA's clock and its answer's may differ by moments; a date before 1990 has its own finding. */
static bool date_differs(const struct verifier_wanted *wanted, const struct verifier_sight *sight)
{
    if (!is_given(wanted->told))
        return false;
    int64_t apart = utc_sub(sight->at, wanted->told).s;
    return apart > TOLERANCE.s || apart < -TOLERANCE.s;
}

/* Certificates of one finding: how many, and the first. */
struct group {
    size_t count;
    const struct verifier_wanted *first;
    const struct verifier_sight *sight;
};

static void put(struct group *g, const struct verifier_wanted *wanted, const struct verifier_sight *sight)
{
    if (g->count++ > 0)
        return;
    g->first = wanted;
    g->sight = sight;
}

static void tell(const struct group *g, struct verifier_crl *judged, struct arena *a, enum finding_id id)
{
    char hex[SERIAL_HEX_TEXT], at[UTC_TEXT];
    if (g->count == 0)
        return;
    serial_hex(&g->first->serial, hex);
    if (!g->sight->listed)
        finding_add(&judged->findings, a, id, "%zu missing, the first: serial %s, notAfter %s", g->count, hex,
                    utc_format(g->first->not_after, at));
    else
        finding_add(&judged->findings, a, id, "%zu listed, the first: serial %s, %s, reason %d, asked for %d",
                    g->count, hex, utc_format(g->sight->at, at), g->sight->reason, g->first->reason);
}

void judge_successor(const struct verifier_question *q, struct verifier_crl *judged, struct arena *a)
{
    struct group vanished = {0}, gone = {0}, dated = {0}, asked = {0}, earlier = {0};
    bool older = q->before != NULL && judged->crl.this_update.s < q->before->this_update.s;
    if (q->before != NULL)
        judge_order(q, judged, a);
    for (size_t i = 0; i < q->wanted_count; i++) {
        const struct verifier_wanted *w = &q->wanted[i];
        struct verifier_sight *s = &judged->sights[i];
        if (s->listed && s->reason_differs)
            put(w->earlier && reason_is_permitted(s->reason) ? &earlier : &asked, w, s);
        if (s->listed && date_differs(w, s))
            put(&dated, w, s);
        if (s->listed || !w->seen || !judged->complete || older)
            continue;
        enum missing why = missing(q, &judged->crl, w->not_after);
        s->vanished = why == MISSING_VANISHED;
        if (why != MISSING_FINE)
            put(s->vanished ? &vanished : &gone, w, s);
    }
    tell(&vanished, judged, a, FINDING_ID_ENTRY_VANISHED);
    tell(&gone, judged, a, FINDING_ID_ENTRY_GONE);
    tell(&asked, judged, a, FINDING_ID_ENTRY_REASON_ASKED);
    tell(&earlier, judged, a, FINDING_ID_ENTRY_EARLIER);
    if (dated.count > 0) {
        char hex[SERIAL_HEX_TEXT], at[UTC_TEXT], told[UTC_TEXT];
        finding_add(&judged->findings, a, FINDING_ID_ENTRY_DATE_LEDGER,
                    "%zu listed with another date, the first: serial %s, %s, the CA told us %s", dated.count,
                    serial_hex(&dated.first->serial, hex), utc_format(dated.sight->at, at),
                    utc_format(dated.first->told, told));
    }
}

static void add_strangers(struct findings *findings, struct arena *a, enum finding_id id,
                          const struct verifier_stranger *first, size_t count)
{
    char hex[SERIAL_HEX_TEXT], at[UTC_TEXT], reason[12] = "absent";
    if (count == 0)
        return;
    if (first->reason >= 0)
        snprintf(reason, sizeof reason, "%d", first->reason);
    finding_add(findings, a, id, "%zu listed, the first: serial %s, %s, reason %s", count,
                serial_hex(&first->serial, hex), utc_format(first->at, at), reason);
}

void verifier_add_strangers(struct findings *findings, struct arena *a,
                            const struct verifier_stranger *unasked, size_t unasked_count,
                            const struct verifier_stranger *elsewhere, size_t elsewhere_count)
{
    add_strangers(findings, a, FINDING_ID_ENTRY_UNASKED, unasked, unasked_count);
    add_strangers(findings, a, FINDING_ID_ENTRY_SHARD, elsewhere, elsewhere_count);
}
