#include "massrevoke/reporter.h"
#include "words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* One part of the screen: its text and how many lines it has. */
struct pane {
    struct buf text;
    int lines, columns;
};

#define AUTO_PANE __attribute__((cleanup(pane_free))) struct pane

static void pane_free(struct pane *p)
{
    buf_free(&p->text);
}

/* Adds one line: foreign bytes become ASCII, too long a line ends in "..". */
static void pane_line(struct pane *p, const char *format, ...) PRINTF_LIKE(2, 3);
static void pane_line(struct pane *p, const char *format, ...)
{
    char raw[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    AUTO_BUF line = {0};
    words_ascii(&line, raw);
    size_t width = (size_t)p->columns;
    buf_add(&p->text, buf_str(&line).p, line.n > width ? width - 2 : line.n);
    buf_text(&p->text, line.n > width ? "..\n" : "\n");
    p->lines++;
}

/* "11-22 06:23Z"; "-" when none. */
static const char *short_time(struct utc t, char out[static UTC_TEXT])
{
    char text[UTC_TEXT];
    if (!utc_is_set(t))
        return strcpy(out, "-");
    utc_format(t, text);
    text[10] = ' ';
    snprintf(out, UTC_TEXT, "%.11sZ", text + 5);
    return out;
}
#define SHORT(t) short_time((t), (char[UTC_TEXT]){0})

/* "in 2 d 02 h 10 min", "3 h 10 min ago". */
static const char *distance(struct utc from, struct utc to, char out[static SPAN_TEXT + 8])
{
    struct span d = utc_sub(to, from);
    if (d.s >= 0)
        snprintf(out, SPAN_TEXT + 8, "in %s", SPAN(d));
    else
        snprintf(out, SPAN_TEXT + 8, "%s ago", SPAN((struct span){-d.s}));
    return out;
}
#define DISTANCE(from, to) distance((from), (to), (char[SPAN_TEXT + 8]){0})

static void put_header(const struct snapshot *s, struct pane *p)
{
    char at[UTC_TEXT], mode[16];
    utc_format(s->as_of, at);
    at[10] = at[10] == 'T' ? ' ' : at[10];
    snprintf(mode, sizeof mode, "%s", s->mode);
    for (char *c = mode; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    AUTO_BUF left = {0};
    words_ascii(&left, s->campaign);
    int room =
        p->columns - 12 - 2 - (int)strlen(mode) - 3 - 10 - (int)strlen(at); /* what the name may take */
    room = room < 8 ? 8 : room;
    bool cut = left.n > (size_t)room;
    AUTO_BUF title = {0};
    buf_format(&title, "massrevoke  %.*s%s  [%s]  %s", cut ? room - 2 : room, buf_str(&left).p,
               cut ? ".." : "", mode, campaign_state_name(s->state));
    pane_line(p, "%s%*s", title.p, p->columns - (int)title.n, at);
    AUTO_BUF rule = {0};
    bool others = false;
    for (size_t i = 1; i < s->cohort_count; i++)
        others = others || strcmp(s->cohorts[i].rule, s->cohorts[0].rule) != 0;
    if (s->cohort_count > 0)
        buf_format(&rule, "Rule %s%s, ", s->cohorts[0].rule, others ? " and others" : "");
    if (s->bug > 0)
        buf_format(&rule, "bug %" PRId64 ", ", s->bug);
    pane_line(p, "%sreceived %s, commander %s", buf_str(&rule).p, SHORT(s->received), s->commander);
    AUTO_BUF dashes = {0};
    for (int i = 0; i < p->columns; i++)
        buf_text(&dashes, "-");
    pane_line(p, "%s", dashes.p);
}

static const char *const verdict_words[VERDICT_COUNT] = {"MISSED", "BEHIND", "AT RISK", "ON TRACK", "DONE"};

/* "finish 11-22 06:23Z, 3 h 10 min to spare". */
static void put_finish(const struct snapshot *s, struct buf *out)
{
    bool late = s->slack.s < 0;
    buf_format(out, "finish %s, %s %s", SHORT(s->projected_finish),
               SPAN((struct span){late ? -s->slack.s : s->slack.s}), late ? "LATE" : "to spare");
}

/* A text behind a head of the screen, over at most so many lines. */
static void put_lines(struct pane *p, const char *head, const char *text, int lines)
{
    for (int line = 1; *text != '\0' && line <= lines; line++) {
        size_t room = (size_t)p->columns - 14, n = strlen(text);
        if (n > room && line < lines)
            for (n = room; n > 1 && text[n] != ' ';)
                n--;
        pane_line(p, "%-13s %.*s", line == 1 ? head : "", (int)n, text);
        text += n;
        text += *text == ' ';
    }
}

#define HELD_LINES 2

/* What is held is why it is behind; the finish is that of the rest. */
static void put_held(const struct snapshot *s, struct pane *p)
{
    AUTO_BUF why = {0}, finish = {0};
    buf_text(&why, "held too long: ");
    snapshot_held_late(s, 0, &why);
    put_lines(p, "! BEHIND", buf_str(&why).p, HELD_LINES);
    if (!utc_is_set(s->projected_finish))
        return;
    put_finish(s, &finish);
    pane_line(p, "  FINISH      %s, of the rest", finish.p + strlen("finish "));
}

static void put_verdict(const struct snapshot *s, struct pane *p)
{
    int64_t left = totals_not_yet_revoked(&s->totals);
    AUTO_BUF text = {0};
    if (s->verdict == VERDICT_MISSED)
        buf_format(&text, "a deadline passed with work left; %s not yet revoked", NUMBER(left));
    else if (s->verdict == VERDICT_DONE)
        buf_format(&text, "nothing is left to do, %s not yet revoked", NUMBER(left));
    if (text.n == 0 && utc_is_set(s->projected_finish))
        put_finish(s, &text);
    else if (text.n == 0)
        buf_text(&text, "no estimate of the finish yet");
    if (s->verdict == VERDICT_BEHIND && s->held_late > 0 && s->slack.s >= 0)
        put_held(s, p);
    else
        pane_line(p, "%c %-11s %s", s->verdict <= VERDICT_AT_RISK ? '!' : ' ', verdict_words[s->verdict],
                  text.p);
    if (s->verdict == VERDICT_MISSED && utc_is_set(s->projected_finish)) {
        buf_clear(&text);
        put_finish(s, &text);
        pane_line(p, "  FINISH      %s", text.p + strlen("finish "));
    }
    if (s->state == CAMPAIGN_PAUSED)
        pane_line(p, "! PAUSED      %s", s->pause_reason[0] == '\0' ? "no reason given" : s->pause_reason);
    if (utc_is_set(s->deadline))
        pane_line(p, "  DEADLINE    %s, %s", SHORT(s->deadline), DISTANCE(s->as_of, s->deadline));
    else
        pane_line(p, "  DEADLINE    no certificate is listed yet");
}

static void put_delay(const struct snapshot *s, struct pane *p)
{
    if (s->delay_expected)
        pane_line(p, "! DELAY       a bug of its own is due: massrevoke report delayed");
}

#define BEHIND_LINES 3

/* Why it is behind and what to do, over as many lines as it needs and gets. */
static void put_behind(const struct snapshot *s, struct pane *p)
{
    put_lines(p, "! PACE", s->behind == NULL ? "" : s->behind, BEHIND_LINES);
    if (s->measured_per_hour > 0 && (s->behind == NULL || s->behind[0] == '\0') &&
        s->state == CAMPAIGN_RUNNING)
        pane_line(p, "  PACE        %s/h measured", NUMBER(s->measured_per_hour));
}

static void put_replacements(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_replacements *r = &s->replacements;
    if (r->replaced > 0)
        pane_line(p, "  REPLACED    %s of %s not yet revoked, %s without a replacement",
                  NUMBER(r->live_replaced), NUMBER(totals_not_yet_revoked(&s->totals)),
                  NUMBER(totals_not_yet_revoked(&s->totals) - r->live_replaced));
}

/* Changes of reasons, until all of them are shown. */
static void put_reasons(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_reasons *r = &s->reasons;
    AUTO_BUF person = {0};
    if (r->shown == r->certificates)
        return;
    if (r->needs_person > 0)
        buf_format(&person, ", %s need a person", NUMBER(r->needs_person));
    pane_line(p, "%c REASONS     %s of %s changes shown%s: massrevoke reason list",
              r->needs_person > 0 ? '!' : ' ', NUMBER(r->shown), NUMBER(r->certificates), buf_str(&person).p);
}

/* Is anything left that an engine moves on by itself? */
static bool has_work(const struct snapshot *s)
{
    return s->totals.pending_publication - s->not_checkable > 0 ||
           s->totals.not_revoked - s->needs_person > 0;
}

/* How many engines are alive or stand still, and the one of them that was seen last. */
static size_t count_engines(const struct snapshot *s, bool alive, const struct snapshot_engine **newest)
{
    size_t n = 0;
    for (size_t i = 0; i < s->engine_count; i++) {
        const struct snapshot_engine *e = &s->engines[i];
        if (e->alive == alive && (n++ == 0 || e->last_seen.s > (*newest)->last_seen.s))
            *newest = e;
    }
    return n;
}

/* One that stands still is relieved by the next that comes. */
static void put_engines(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_engine *seen = NULL, *still = NULL;
    size_t alive = count_engines(s, true, &seen), silent = count_engines(s, false, &still);
    bool wanted = s->state == CAMPAIGN_RUNNING && has_work(s);
    if (alive > 0)
        pane_line(p, "  ENGINES     %zu running, last seen %s on %s", alive, SHORT(seen->last_seen),
                  seen->host);
    if (silent > 0)
        pane_line(p, "%c ENGINES     %zu silent since %s on %s", wanted ? '!' : ' ', silent,
                  SHORT(still->last_seen), still->host);
    if (silent > 0 && alive == 0 && wanted)
        pane_line(p, "              end it there if it hangs; a new one takes over: massrevoke run");
    if (alive + silent == 0 && wanted)
        pane_line(p, "! ENGINES     none is running: massrevoke run");
}

/* What stands still though nobody paused it; the first is told. */
static void put_stops(const struct snapshot *s, struct pane *p)
{
    if (s->stop_count == 0)
        return;
    const struct snapshot_stop *first = &s->stops[0];
    pane_line(p, "! STOPPED     %s since %s%s", first->name, SHORT(first->at),
              s->stop_count > 1 ? ", and more: status --json" : "");
    pane_line(p, "              %s", first->why);
    if (first->issuer)
        pane_line(p, "              goes on only by: massrevoke resume --override REASON");
}

/* Overdue ones are loud, the worst by its name; else the next one. */
static void put_tasks(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_tasks *t = &s->tasks;
    if (t->unreadable)
        pane_line(p, "! TASKS       not known, the clocks are wrong: massrevoke config check");
    else if (t->overdue > 0)
        pane_line(p, "! TASKS       %s OVERDUE: %s by %s", NUMBER(t->overdue), t->next,
                  SPAN(utc_sub(s->as_of, t->due)));
    else if (t->next != NULL)
        pane_line(p, "  TASKS       %s open, next: %s in %s", NUMBER(t->open), t->next,
                  SPAN(utc_sub(t->due, s->as_of)));
}

/* Only what is not as it should be: the rest is in `verify`. */
static void put_outside(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_outside *o = &s->outside;
    AUTO_BUF worst = {0};
    if (o->unreachable + o->odd == 0)
        return;
    words_ascii(&worst, o->worst);
    pane_line(p, "! OUTSIDE     of %s edges %s give nothing, %s are odd: massrevoke verify", NUMBER(o->edges),
              NUMBER(o->unreachable), NUMBER(o->odd));
    pane_line(p, "              %.*s", p->columns - 14, buf_str(&worst).p);
}

/* The bar: one mark a share, rounded down, so that a full bar means all. */
static void put_bar(const struct snapshot *s, struct pane *p)
{
    const struct totals *t = &s->totals;
    int width = p->columns - 40;
    double whole = t->affected > 0 ? (double)t->affected : 1;
    const struct {
        char mark;
        int64_t count;
    } parts[] = {{'#', t->revoked}, {'x', t->expired}, {'=', t->pending_publication}};
    AUTO_BUF bar = {0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (int n = (int)((double)parts[i].count / whole * width); n > 0 && bar.n < (size_t)width; n--)
            buf_add(&bar, &parts[i].mark, 1);
    while (bar.n < (size_t)(width > 0 ? width : 0))
        buf_text(&bar, ".");
    int64_t permille = (int64_t)((double)t->revoked / whole * 1000);
    pane_line(p, "  [%s] %" PRId64 ".%" PRId64 " %% of %s revoked", buf_str(&bar).p, permille / 10,
              permille % 10, NUMBER(t->affected));
    pane_line(p, "  # revoked %s  = pending publication %s  x expired %s", NUMBER(t->revoked),
              NUMBER(t->pending_publication), NUMBER(t->expired));
    pane_line(p, "  . not revoked %s  held %s  unknown to the CA %s", NUMBER(t->not_revoked), NUMBER(t->held),
              NUMBER(t->unknown));
}

static void put_balance(const struct snapshot *s, struct pane *p)
{
    AUTO_BUF why = {0};
    if (reporter_balances(s, &why))
        return;
    pane_line(p, "!! COUNTS DO NOT BALANCE: every report is refused until they do");
    size_t width = (size_t)p->columns - 3;
    pane_line(p, "!! %.*s", (int)width, why.p);
    if (why.n > width)
        pane_line(p, "!! %s", why.p + width);
}

static void put_hours(const struct snapshot *s, struct pane *p)
{
    const struct snapshot_hour *last = NULL;
    AUTO_BUF next = {0};
    for (size_t i = 0; i < s->hour_count; i++) {
        const struct snapshot_hour *h = &s->hours[i];
        if (h->start.s + 3600 <= s->as_of.s) {
            last = h->start.s + 86400 > s->as_of.s ? h : NULL; /* within a day its hour names it */
            continue;
        }
        char entry[64];
        struct civil c = utc_to_civil(h->start);
        int n = snprintf(entry, sizeof entry, "  %02dZ %s", c.hour, NUMBER(h->planned));
        if (h->planned > 0 && s->state != CAMPAIGN_FINISHED && next.n + (size_t)n + 12 <= (size_t)p->columns)
            buf_text(&next, entry);
    }
    if (next.n > 0)
        pane_line(p, "  NEXT HOURS%s", next.p);
    if (last != NULL)
        pane_line(p, "  LAST HOUR   %02dZ %s planned, %s recorded by the CA, %s published",
                  utc_to_civil(last->start).hour, NUMBER(last->planned), NUMBER(last->recorded),
                  NUMBER(last->published));
}

static void put_alerts(const struct snapshot *s, struct pane *p)
{
    if (s->alerts_open > 0)
        pane_line(p, "%c ALERTS      %s open, %s not taken by anybody: massrevoke alert list",
                  s->alerts_unacked > 0 ? '!' : ' ', NUMBER(s->alerts_open), NUMBER(s->alerts_unacked));
}

static void put_notices(const struct snapshot *s, struct pane *p)
{
    if (s->subscribers > 0)
        pane_line(p, "  NOTICES     %s of %s told, %s answered, %s bad address, %s no contact",
                  NUMBER(s->subscribers_told), NUMBER(s->subscribers), NUMBER(s->subscribers_acked),
                  NUMBER(s->subscribers_bad_address), NUMBER(s->subscribers_no_contact));
}

/* What only a person can move, the most urgent first; two lines, the rest as a number. */
static void put_waiting(const struct snapshot *s, struct pane *p)
{
    bool text = s->waiting_text != NULL && s->waiting_text[0] != '\0';
    const struct {
        int64_t count;
        const char *text;
    } items[] = {
        {s->held_yet_revoked, "held, yet revoked: the CA had been asked before"},
        {s->revoked_outside_scope, "withdrawn, yet revoked: a decision must name them"},
        {s->dropped_yet_revoked, "dropped, yet revoked: the CA had been asked before"},
        {text ? 0 : s->requests_waiting, "requests wait for an approval"},
        {s->needs_person, "certificates need a person: the CA's answer settles nothing"},
        {s->totals.unknown, "certificates are unknown to the CA"},
        {s->not_checkable, "certificates cannot be checked: no pointer, no configured CRL"},
        {s->replacements.lint_failed, "replacements fail lint: status --json names them"},
        {s->in_doubt, "certificates in doubt: the CA will be asked"},
    };
    int shown = 0, more = 0;
    if (text) {
        pane_line(p, "  WAITING     ! %s", s->waiting_text);
        shown++;
    }
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        if (items[i].count <= 0)
            continue;
        if (shown++ < 2)
            pane_line(p, "  %-11s ! %s %s", shown == 1 ? "WAITING" : "", NUMBER(items[i].count),
                      items[i].text);
        else
            more++;
    }
    if (more > 0)
        pane_line(p, "              and %d more, see status --json", more);
}

/* Cohorts, the worst verdict first, as many as there are lines for. */
static void put_cohorts(const struct snapshot *s, struct pane *p, int room)
{
    size_t fits = room < 2 ? 1 : (size_t)room - 1;
    bool all = s->cohort_count <= fits;
    size_t show = all ? s->cohort_count : fits > 1 ? fits - 1 : 1, shown = 0;
    if (show > 0)
        pane_line(p, "  COHORT  %-10s %10s %10s %10s %10s  %s", "RULE", "AFFECTED", "REVOKED", "LEFT",
                  "EXPIRED", "VERDICT");
    for (int v = 0; v < VERDICT_COUNT; v++)
        for (size_t i = 0; i < s->cohort_count && shown < show; i++) {
            const struct snapshot_cohort *c = &s->cohorts[i];
            if ((int)c->verdict != v)
                continue;
            pane_line(p, "  %-7d %-10.10s %10s %10s %10s %10s  %s", c->cohort, c->rule,
                      NUMBER(c->totals.affected), NUMBER(c->totals.revoked),
                      NUMBER(totals_not_yet_revoked(&c->totals)), NUMBER(c->totals.expired),
                      verdict_words[c->verdict]);
            shown++;
        }
    if (!all && fits > 1)
        pane_line(p, "  and %zu more cohorts, none worse: status --json", s->cohort_count - shown);
}

void reporter_status_text(const struct snapshot *s, int columns, struct buf *out)
{
    columns = columns < 40 ? 40 : columns > 200 ? 200 : columns;
    AUTO_PANE top = {.columns = columns};
    AUTO_PANE middle = {.columns = columns};
    AUTO_PANE bottom = {.columns = columns};
    put_header(s, &top);
    put_verdict(s, &top);
    put_delay(s, &top);
    put_behind(s, &top);
    put_stops(s, &top);
    put_engines(s, &top);
    put_tasks(s, &top);
    put_alerts(s, &top);
    put_reasons(s, &top);
    put_outside(s, &top);
    put_bar(s, &top);
    put_balance(s, &top);
    put_hours(s, &bottom);
    put_notices(s, &bottom);
    put_replacements(s, &bottom);
    put_waiting(s, &bottom);
    if (s->next_command != NULL && s->next_command[0] != '\0')
        pane_line(&bottom, "Next: %s", s->next_command);
    put_cohorts(s, &middle, STATUS_LINES_MAX - top.lines - bottom.lines);
    /* blank lines are for the eye: only where lines are left over */
    bool airy = top.lines + middle.lines + bottom.lines + 2 <= STATUS_LINES_MAX;
    buf_add(out, buf_str(&top.text).p, top.text.n);
    buf_text(out, airy ? "\n" : "");
    buf_add(out, buf_str(&middle.text).p, middle.text.n);
    buf_text(out, airy ? "\n" : "");
    buf_add(out, buf_str(&bottom.text).p, bottom.text.n);
}
