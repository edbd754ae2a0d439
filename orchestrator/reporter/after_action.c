#include "passages.h"
#include "renderers.h"
#include "words.h"

#include <inttypes.h>

/* BR 5.7.1.2 (ballot SC-089): what a mass revocation plan must hold, in our words. */
static const char *const elements[REPORTER_ELEMENTS] = {
    "Activation criteria",
    "Customer contact information",
    "Automation points",
    "Targets and timelines",
    "Subscriber notification methods",
    "Role assignments",
    "Training and education",
    "Plan testing",
    "Post-test analysis and updates",
};

static void put_scope(const struct snapshot *s, const struct report_exercise *x, struct buf *out)
{
    char digest[DIGEST_TEXT];
    buf_text(out, "### Scope\n\n");
    buf_text(out,
             "No active subscriber certificate was revoked: the certificates, their CA and its keys were "
             "made for this exercise, and no production backend was reachable from it.\n\n");
    buf_text(out, "- Scenario: ");
    words_markdown(out, x->scenario);
    buf_text(out, "\n- Level: ");
    words_markdown(out, x->level);
    buf_format(out, "\n- Seed: %" PRIu64 "\n- Scenario SHA-256: `%s`\n", x->seed,
               digest_hex(x->scenario_digest, digest));
    buf_format(out, "- Exercise clock: %s to %s\n\n", MINUTE(s->received), MINUTE(s->as_of));
}

static void put_subscribers(const struct snapshot *s, struct buf *out)
{
    const struct {
        const char *what;
        int64_t count;
    } rows[] = {
        {"Subscribers", s->subscribers},
        {"Told", s->subscribers_told},
        {"Answered", s->subscribers_acked},
        {"With a bad address", s->subscribers_bad_address},
        {"Without any contact", s->subscribers_no_contact},
        {"Backup contacts told", s->backups_told},
        {"Notices sent", s->notices_sent},
        {"Notices refused", s->notices_refused},
    };
    buf_text(out, "### Subscribers\n\n| What | Number |\n|---|---:|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        buf_format(out, "| %s | %s |\n", rows[i].what, NUMBER(rows[i].count));
    buf_text(out, "\n");
}

static void put_measures(const struct report_exercise *x, struct buf *out)
{
    buf_text(out, "### Measured times\n\n");
    if (x->measure_count == 0) {
        buf_text(out, "None was measured.\n\n");
        return;
    }
    buf_text(out, "| What | From | To | Took |\n|---|---|---|---:|\n");
    for (size_t i = 0; i < x->measure_count; i++) {
        const struct report_measure *m = &x->measures[i];
        bool both = utc_is_set(m->from) && utc_is_set(m->to);
        buf_text(out, "| ");
        words_markdown(out, m->what);
        buf_format(out, " | %s | %s | %s |\n", MINUTE(m->from), MINUTE(m->to),
                   both ? SPAN(utc_sub(m->to, m->from)) : "did not happen");
    }
    buf_text(out, "\n");
}

static void put_expectations(const struct report_exercise *x, struct buf *out)
{
    size_t met = 0;
    for (size_t i = 0; i < x->expectation_count; i++)
        met += x->expectations[i].met;
    buf_format(out, "### Expectations\n\n%zu of %zu met.\n\n", met, x->expectation_count);
    if (x->expectation_count == 0)
        return;
    buf_text(out, "| Id | Expectation | Expected | Seen | Verdict |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < x->expectation_count; i++) {
        const struct report_expectation *e = &x->expectations[i];
        const char *const cells[] = {e->id, e->text, e->expected, e->seen};
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
            buf_text(out, "| ");
            words_markdown(out, cells[k]);
            buf_text(out, " ");
        }
        buf_format(out, "| %s |\n", e->met ? "met" : "NOT MET");
    }
    buf_text(out, "\n");
}

static void put_elements(const struct report_exercise *x, struct buf *out)
{
    buf_text(out, "### Mass revocation plan, BR 5.7.1.2\n\n"
                  "| Element | What it asks for | Exercised by |\n|---:|---|---|\n");
    for (size_t i = 0; i < REPORTER_ELEMENTS; i++) {
        buf_format(out, "| %zu | %s | ", i + 1, elements[i]);
        words_markdown(out, x->elements[i] == NULL ? "not exercised" : x->elements[i]);
        buf_text(out, " |\n");
    }
    buf_text(out, "\n");
}

/* What people decided and what happened, with who: an exercise report stays inside the CA and its audit. */
static void put_events(const struct snapshot *s, struct buf *out)
{
    buf_text(out, "### Timeline\n\n");
    for (size_t i = 0; i < s->event_count; i++) {
        buf_format(out, "- %s, ", MINUTE(s->events[i].at));
        words_markdown(out, s->events[i].actor);
        buf_text(out, ": ");
        words_markdown(out, s->events[i].text);
        buf_text(out, "\n");
    }
    buf_text(out, s->event_count == 0 ? "Nothing was recorded.\n\n" : "\n");
}

bool reporter_after_action(const struct snapshot *s, const struct report_exercise *exercise, struct buf *out,
                           struct fault *f)
{
    if (!report_check(s, f))
        return false;
    AUTO_BUF body = {0};
    buf_text(&body, "## After-action report: ");
    words_markdown(&body, exercise->scenario);
    buf_text(&body, "\n\n");
    put_scope(s, exercise, &body);
    buf_text(&body, "### Figures\n\n");
    passage_figures(s, &body);
    passage_meaning(s, &body);
    passage_cohorts(s, &body);
    put_subscribers(s, &body);
    put_measures(exercise, &body);
    put_expectations(exercise, &body);
    put_elements(exercise, &body);
    put_events(s, &body);
    buf_text(&body, "### Evidence\n\nHead of the log (RFC 6962) as origin, size and root:\n\n");
    passage_log_head(s, &body);
    report_frame(s, buf_str(&body), out);
    return true;
}
