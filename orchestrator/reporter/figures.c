#include "figures.h"
#include "massrevoke/reporter.h"

#include <inttypes.h>
#include <stdio.h>

const struct figures_field figures_fields[FIGURES_FIELDS] = {
    {"affected", offsetof(struct totals, affected)},
    {"revoked", offsetof(struct totals, revoked)},
    {"pending_publication", offsetof(struct totals, pending_publication)},
    {"not_revoked", offsetof(struct totals, not_revoked)},
    {"held", offsetof(struct totals, held)},
    {"expired", offsetof(struct totals, expired)},
    {"unknown", offsetof(struct totals, unknown)},
};

int64_t figures_count(const struct totals *t, const struct figures_field *field)
{
    int64_t value;
    memcpy(&value, (const char *)t + field->offset, sizeof value);
    return value;
}

struct utc figures_estimate(const struct snapshot *s)
{
    struct utc latest = s->projected_finish;
    for (size_t i = 0; i < s->cohort_count; i++)
        if (totals_not_yet_revoked(&s->cohorts[i].totals) > 0)
            latest = utc_max(latest, s->cohorts[i].projected_finish);
    return totals_not_yet_revoked(&s->totals) > 0 ? latest : UTC_NONE;
}

int64_t figures_outside_estimate(const struct snapshot *s)
{
    return s->totals.held + s->totals.unknown + s->needs_person;
}

int64_t figures_ccadb_total(const struct snapshot *s)
{
    return s->totals.affected + s->excluded_expired + s->excluded_short_lived;
}

/* Starts the next complaint. */
static void also(struct buf *why)
{
    if (why->n > 0)
        buf_text(why, "; ");
}

static void check_totals(const char *whose, const struct totals *t, struct buf *why)
{
    int64_t sum = 0;
    for (size_t i = 0; i < FIGURES_FIELDS; i++) {
        int64_t n = figures_count(t, &figures_fields[i]);
        sum += i == 0 ? 0 : n;
        if (n >= 0)
            continue;
        also(why);
        buf_format(why, "%s: %s is %" PRId64, whose, figures_fields[i].key, n);
    }
    if (sum == t->affected)
        return;
    also(why);
    buf_format(why, "%s: %" PRId64 " affected, but the six counts add up to %" PRId64, whose, t->affected,
               sum);
}

/* Every certificate is in exactly one cohort, so cohorts add up to the campaign, count by count. */
static void check_cohorts(const struct snapshot *s, struct buf *why)
{
    for (size_t i = 0; i < FIGURES_FIELDS && s->cohort_count > 0; i++) {
        int64_t sum = 0, total = figures_count(&s->totals, &figures_fields[i]);
        for (size_t k = 0; k < s->cohort_count; k++)
            sum += figures_count(&s->cohorts[k].totals, &figures_fields[i]);
        if (sum == total)
            continue;
        also(why);
        buf_format(why, "%s is %" PRId64 ", but the cohorts add up to %" PRId64, figures_fields[i].key, total,
                   sum);
    }
}

bool reporter_balances(const struct snapshot *s, struct buf *why)
{
    AUTO_BUF found = {0};
    if (!s->balance_ok || s->counted_twice != 0 || s->not_counted != 0) {
        buf_format(&found, "%" PRId64 " counted twice, %" PRId64 " not counted", s->counted_twice,
                   s->not_counted);
        if (s->balance_detail != NULL && s->balance_detail[0] != '\0')
            buf_format(&found, " (%s)", s->balance_detail);
    }
    check_totals("campaign", &s->totals, &found);
    for (size_t i = 0; i < s->cohort_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "cohort %d", s->cohorts[i].cohort);
        check_totals(name, &s->cohorts[i].totals, &found);
    }
    check_cohorts(s, &found);
    buf_add(why, buf_str(&found).p, found.n);
    return found.n == 0;
}
