#include "passages.h"
#include "figures.h"
#include "words.h"

#include <inttypes.h>
#include <stdio.h>

#define COHORT_ROWS 40

static void put_estimate(const struct snapshot *s, struct buf *out)
{
    int64_t left = totals_not_yet_revoked(&s->totals), outside = figures_outside_estimate(s);
    struct utc estimate = figures_estimate(s);
    if (s->totals.affected == 0) {
        buf_text(out, "none yet, no certificate is listed");
        return;
    }
    if (left == 0) {
        buf_text(out, "complete: every affected certificate is revoked or expired first");
        return;
    }
    if (utc_is_set(estimate))
        buf_text(out, MINUTE(estimate));
    else
        buf_text(out, "none yet");
    if (outside > 0)
        buf_format(out, ", not counting %s held, %s unknown to the CA and %s waiting for a person",
                   NUMBER(s->totals.held), NUMBER(s->totals.unknown), NUMBER(s->needs_person));
}

void passage_figures_sentence(const struct snapshot *s, struct buf *out)
{
    buf_format(out, "As of %s: %s revoked, %s not yet revoked, %s planned for revocation but expired first, ",
               MINUTE(s->as_of), NUMBER(s->totals.revoked), NUMBER(totals_not_yet_revoked(&s->totals)),
               NUMBER(s->totals.expired));
    buf_format(out, "%s affected in total; estimate of completion: ", NUMBER(s->totals.affected));
    put_estimate(s, out);
    buf_text(out, ".");
}

/* Early or late by the cohort that has least to spare: each has a deadline of its own. */
static void put_tightest(const struct snapshot *s, struct buf *out)
{
    const struct snapshot_cohort *tightest = NULL;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        bool open = totals_not_yet_revoked(&c->totals) > 0 && utc_is_set(c->projected_finish);
        if (open && utc_sub(c->deadline, c->projected_finish).s < least) {
            tightest = c;
            least = utc_sub(c->deadline, c->projected_finish).s;
        }
    }
    if (tightest != NULL)
        buf_format(out, " Cohort %d has least to spare: %s %s its deadline (%s).", tightest->cohort,
                   SPAN((struct span){least < 0 ? -least : least}), least < 0 ? "after" : "before",
                   MINUTE(tightest->deadline));
}

void passage_figures(const struct snapshot *s, struct buf *out)
{
    buf_format(out, "Figures are as of **%s**.\n\n", MINUTE(s->as_of));
    buf_text(out, "| CCADB summary item | Certificates |\n|---|---:|\n");
    buf_format(out, "| Revoked | %s |\n", NUMBER(s->totals.revoked));
    buf_format(out, "| Not yet revoked | %s |\n", NUMBER(totals_not_yet_revoked(&s->totals)));
    buf_format(out, "| Planned for revocation, expired first | %s |\n", NUMBER(s->totals.expired));
    buf_format(out, "| **Total affected** | **%s** |\n\n", NUMBER(s->totals.affected));
    buf_text(out, "**Estimate for completion of all remaining revocations:** ");
    put_estimate(s, out);
    buf_text(out, ".");
    put_tightest(s, out);
    buf_text(out, "\n\n");
}

void passage_meaning(const struct snapshot *s, struct buf *out)
{
    buf_text(out,
             "A certificate is counted as revoked when the CRL and the OCSP responder it names, each that "
             "it has, were fetched by us and both show it revoked under a valid signature. ");
    buf_format(out, "Not yet revoked is made of %s revoked in the CA's records and not yet seen published, ",
               NUMBER(s->totals.pending_publication));
    buf_format(out, "%s not revoked, %s held and %s unknown to the CA.", NUMBER(s->totals.not_revoked),
               NUMBER(s->totals.held), NUMBER(s->totals.unknown));
    if (s->revoked_outside_scope > 0)
        buf_format(out, " Withdrawn from this campaign and revoked all the same: %s, counted nowhere above.",
                   NUMBER(s->revoked_outside_scope));
    buf_text(out, "\n\n");
}

static void put_cohort(const char *name, const char *rule, const struct snapshot_cohort *c, struct buf *out)
{
    buf_format(out, "| %s | ", name);
    words_markdown(out, rule);
    buf_format(out, " | %s | %s |", MINUTE(c->received), MINUTE(c->deadline));
    buf_format(out, " %s | %s | %s | %s |", NUMBER(c->totals.affected), NUMBER(c->totals.revoked),
               NUMBER(totals_not_yet_revoked(&c->totals)), NUMBER(c->totals.expired));
    bool left = totals_not_yet_revoked(&c->totals) > 0;
    buf_format(out, " %s |\n", left ? MINUTE(c->projected_finish) : "done");
}

void passage_cohorts(const struct snapshot *s, struct buf *out)
{
    buf_text(out, "| Cohort | BR section and item | Received | Deadline | Affected | Revoked | "
                  "Not yet revoked | Expired first | Estimate |\n"
                  "|---:|---|---|---|---:|---:|---:|---:|---|\n");
    struct snapshot_cohort rest = {.received = UTC_NONE, .deadline = UTC_NONE, .projected_finish = UTC_NONE};
    size_t shown = s->cohort_count <= COHORT_ROWS ? s->cohort_count : COHORT_ROWS - 1;
    for (size_t i = 0; i < s->cohort_count; i++) {
        const struct snapshot_cohort *c = &s->cohorts[i];
        if (i < shown) {
            char name[16];
            snprintf(name, sizeof name, "%d", c->cohort);
            put_cohort(name, c->rule, c, out);
            continue;
        }
        rest.totals.affected += c->totals.affected;
        rest.totals.revoked += c->totals.revoked;
        rest.totals.not_revoked += totals_not_yet_revoked(&c->totals);
        rest.totals.expired += c->totals.expired;
        if (totals_not_yet_revoked(&c->totals) > 0)
            rest.projected_finish = utc_max(rest.projected_finish, c->projected_finish);
    }
    if (shown < s->cohort_count)
        put_cohort("all others", "several", &rest, out);
    buf_text(out, "\n");
}

void passage_log_head(const struct snapshot *s, struct buf *out)
{
    char root[DIGEST_TEXT];
    buf_text(out, "```\nmassrevoke/");
    AUTO_BUF origin = {0};
    words_ascii(&origin, s->campaign);
    for (size_t i = 0; i < origin.n; i++)
        if (strchr("<>`", origin.p[i]) != NULL) /* inside a code block nothing can be escaped */
            origin.p[i] = '?';
    buf_format(out, "%s\n%" PRId64 "\n%s\n```\n\n", buf_str(&origin).p, s->log_size,
               digest_hex(s->log_root, root));
}

void passage_types(const struct snapshot *s, struct buf *out)
{
    const struct {
        const char *name;
        int64_t count;
    } types[] = {{"DV", s->types_dv},
                 {"OV", s->types_ov},
                 {"IV", s->types_iv},
                 {"EV", s->types_ev},
                 {"of unknown type", s->types_unknown}};
    size_t start = out->n;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].count > 0)
            buf_format(out, "%s%s %s", out->n > start ? ", " : "", NUMBER(types[i].count), types[i].name);
    if (out->n == start)
        buf_text(out, "N/A");
}

/* Room for the timeline: the rest of the full report stays below 20,000 characters. */
#define TIMELINE_BYTES 40000
#define TIMELINE_DEADLINES 20 /* of the first cohorts */

/* Deadlines in (after, upto], so that they stand among the events in the order of time. */
static void put_deadlines(const struct snapshot *s, struct utc after, struct utc upto, struct buf *out)
{
    for (size_t i = 0; i < s->cohort_count && i < TIMELINE_DEADLINES; i++)
        if (s->cohorts[i].deadline.s > after.s && s->cohorts[i].deadline.s <= upto.s)
            buf_format(out, "- %s: deadline of cohort %d\n", MINUTE(s->cohorts[i].deadline),
                       s->cohorts[i].cohort);
}

/* One list item an event, oldest first; without actors: a public report names no persons. When they do not
 * fit, the oldest are named as a number. */
void passage_timeline(const struct snapshot *s, struct buf *out)
{
    AUTO_BUF item = {0};
    size_t first = s->event_count, used = 0;
    struct utc last = {INT64_MIN};
    while (first > 0) {
        buf_clear(&item);
        words_markdown(&item, s->events[first - 1].text);
        if ((used += item.n + 28) > TIMELINE_BYTES)
            break;
        first--;
    }
    buf_format(out,
               "- %s: certificate problem report or first evidence received; the clock of BR 4.9.5 starts\n",
               MINUTE(s->received));
    if (first > 0)
        buf_format(out, "- %s earlier events stand in the attached timeline.csv\n", NUMBER((int64_t)first));
    for (size_t i = first; i < s->event_count; i++) {
        put_deadlines(s, last, s->events[i].at, out);
        last = s->events[i].at;
        buf_format(out, "- %s: ", MINUTE(s->events[i].at));
        words_markdown(out, s->events[i].text);
        buf_text(out, "\n");
    }
    put_deadlines(s, last, (struct utc){INT64_MAX}, out);
    struct utc estimate = figures_estimate(s);
    if (utc_is_set(estimate))
        buf_format(out, "- %s: expected completion of revocation, as estimated at %s\n", MINUTE(estimate),
                   MINUTE(s->as_of));
}

const char *passage_banner(const struct snapshot *s)
{
    static const struct {
        const char *mode, *banner;
    } modes[] = {{"live", ""}, {"drill", "EXERCISE EXERCISE EXERCISE"}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].mode, s->mode) == 0)
            return modes[i].banner;
    return modes[1].banner; /* an unknown mode must not look like the real thing */
}
