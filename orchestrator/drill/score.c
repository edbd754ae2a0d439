#include "score.h"

#include <inttypes.h>

/* A value of any kind; `there` false: it did not happen. */
struct measured {
    bool there;
    int64_t number;
    const char *word;
};

static struct measured count(int64_t number)
{
    return (struct measured){true, number, NULL};
}

static struct measured moment(const struct score_facts *x, struct utc at)
{
    return (struct measured){utc_is_set(at), utc_is_set(at) ? utc_sub(at, x->snapshot->received).s : 0, NULL};
}

static struct measured word(const char *text)
{
    return (struct measured){true, 0, text};
}

#define TAKE_COUNT(value) count(value)
#define TAKE_SPAN(value) count((value).s)
#define TAKE_SINCE(value) moment(x, value)
#define TAKE_WORD(value) word(value)

int64_t score_missed(const struct snapshot *s)
{
    int64_t missed = 0;
    for (size_t i = 0; i < s->cohort_count; i++)
        missed += s->cohorts[i].missed;
    return missed;
}

static struct measured measure(const struct score_facts *x, const char *what)
{
    const struct snapshot *s = x->snapshot;
#define METRIC(name, kind, value)                                                                            \
    if (strcmp(what, #name) == 0)                                                                            \
        return TAKE_##kind(value);
#include "metrics.def"
#undef METRIC
    return (struct measured){0};
}

static bool is_met(const struct scenario_expectation *e, const struct measured *m)
{
    if (!m->there)
        return false;
    if (e->kind == METRIC_WORD)
        return m->word != NULL && strcmp(m->word, e->word) == 0;
    return e->op == OP_EQUAL     ? m->number == e->number
           : e->op == OP_AT_MOST ? m->number <= e->number
                                 : m->number >= e->number;
}

static const char *show(struct arena *a, enum metric_kind kind, const struct measured *m)
{
    char span[SPAN_TEXT];
    if (!m->there)
        return "did not happen";
    switch (kind) {
    case METRIC_COUNT:
        return arena_format(a, "%" PRId64, m->number);
    case METRIC_SPAN:
        return arena_text(a, span_format((struct span){m->number}, span));
    case METRIC_SINCE:
        return arena_format(a, "%s after receipt", span_format((struct span){m->number}, span));
    case METRIC_WORD:
        return arena_text(a, m->word);
    }
    return "";
}

struct report_expectation *score(const struct scenario *scenario, const struct score_facts *facts,
                                 struct arena *a)
{
    static const char *const words[] = {"", "at most ", "at least "};
    struct report_expectation *out = arena_array(a, scenario->expectation_count, sizeof *out);
    for (size_t i = 0; i < scenario->expectation_count; i++) {
        const struct scenario_expectation *e = &scenario->expectations[i];
        struct measured seen = measure(facts, e->what), wanted = {true, e->number, e->word};
        out[i] = (struct report_expectation){
            .id = e->id,
            .text = e->text,
            .expected = arena_format(a, "%s: %s%s", e->what, words[e->op], show(a, e->kind, &wanted)),
            .seen = show(a, e->kind, &seen),
            .met = is_met(e, &seen),
        };
    }
    return out;
}
