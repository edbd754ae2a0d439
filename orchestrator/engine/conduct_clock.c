/* Anchors and clauses: what moves a deadline, and what it takes. */
#include "massrevoke/conduct_clock.h"
#include "conduct_parts.h"
#include "massrevoke/hex.h"

#include <inttypes.h>

/* A cohort that a change reaches; number 0 is the campaign, whose clause and receipt later lists take. */
struct reached {
    int number, reason, plan;
    const char *rule;
    struct utc received, deadline, should_by;
    bool started;
};

/* Whom a change without a cohort reaches besides the campaign. */
enum reach { SAME_RECEIPT, SAME_RULE };

static bool is_reached(const struct conduct *c, const struct cohort *k, int wanted, enum reach by)
{
    if (wanted != 0)
        return k->cohort == wanted;
    return by == SAME_RECEIPT ? k->received.s == c->campaign.received.s
                              : strcmp(k->rule, c->campaign.rule) == 0;
}

static bool reach(const struct conduct *c, int wanted, enum reach by, struct arena *a, struct reached **out,
                  size_t *n, struct fault *f)
{
    struct cohort *cohorts;
    struct rule rule;
    size_t count;
    *n = 0;
    if (!store_cohorts(c->store, c->campaign.id, a, &cohorts, &count, f) ||
        (wanted == 0 && !rules_find(c->settings->plans_dir, c->campaign.rule, a, &rule, f)))
        return false;
    *out = arena_array(a, count + 1, sizeof **out);
    if (wanted == 0)
        (*out)[(*n)++] = (struct reached){.rule = c->campaign.rule,
                                          .reason = (int)rule.reason,
                                          .received = c->campaign.received,
                                          .deadline = utc_add(c->campaign.received, rule.deadline),
                                          .should_by = UTC_NONE};
    for (size_t i = 0; i < count; i++)
        if (is_reached(c, &cohorts[i], wanted, by))
            (*out)[(*n)++] = (struct reached){.number = cohorts[i].cohort,
                                              .reason = cohorts[i].reason,
                                              .plan = cohorts[i].plan,
                                              .rule = cohorts[i].rule,
                                              .received = cohorts[i].received,
                                              .deadline = cohorts[i].deadline,
                                              .should_by = cohorts[i].should_by,
                                              .started = utc_is_set(cohorts[i].started_at)};
    return *n > 0 || fault_set(f, FAULT_FAILED, "there is no cohort %d", wanted);
}

/* One line, the same for the same change: it is what approvers sign. */
static const char *change_text(struct arena *a, int number, const struct clock_change *change)
{
    AUTO_BUF b = {0};
    char hex[DIGEST_TEXT];
    buf_format(&b, "%s change %d", change->kind, number);
    for (size_t i = 0; i < change->count; i++) {
        const struct clock_row *row = &change->rows[i];
        char from[UTC_TEXT], to[UTC_TEXT], old_end[UTC_TEXT], end[UTC_TEXT];
        buf_text(&b, i == 0 ? ": " : "; ");
        if (row->cohort == 0)
            buf_text(&b, "campaign");
        else
            buf_format(&b, "cohort %d", row->cohort);
        buf_format(&b, " clause %s to %s, reason %s to %s, received %s to %s, deadline %s to %s",
                   row->old_rule, row->rule, reason_name(row->old_reason), reason_name(row->reason),
                   utc_format(row->old_received, from), utc_format(row->received, to),
                   utc_format(row->old_deadline, old_end), utc_format(row->deadline, end));
    }
    buf_format(&b, "; source sha256 %s", digest_hex(digest_of(change->source, strlen(change->source)), hex));
    return arena_copy(a, b.p, b.n);
}

static bool is_free(const struct clock_row *row)
{
    return row->deadline.s < row->old_deadline.s ||
           (row->deadline.s == row->old_deadline.s && row->reason == row->old_reason);
}

/* The cohort a request is filed under, whose people may not approve it: the only one it moves, else all (0).
 */
static bool filed_under(const struct conduct *c, const struct clock_change *change, struct arena *a,
                        struct cohort *out, struct fault *f)
{
    struct cohort *cohorts;
    size_t n, real = change->count - (change->rows[0].cohort == 0);
    const struct clock_row *last = &change->rows[change->count - 1];
    if (!store_cohorts(c->store, c->campaign.id, a, &cohorts, &n, f))
        return false;
    *out = (struct cohort){0};
    for (size_t i = 0; i < n && real == 1; i++)
        if (cohorts[i].cohort == last->cohort)
            *out = cohorts[i];
    out->reason = last->reason;
    return true;
}

static bool ask(const struct conduct *c, const struct clock_change *change, struct arena *a, int *request,
                struct fault *f)
{
    struct act act = conduct_act(c);
    struct cohort cohort;
    int number;
    return filed_under(c, change, a, &cohort, f) && store_clock_propose(c->store, &act, change, &number, f) &&
           conduct_request_for_clock(c, &cohort, change_text(a, number, change), change->kind, number, a,
                                     request, f);
}

/* Applies what is free, asks for the rest; fills *out. */
static bool change_clock(const struct conduct *c, const struct clock_change *change,
                         const struct reached *reached, struct arena *a, struct conduct_clock *out,
                         struct fault *f)
{
    bool all_free = true;
    struct act act = conduct_act(c);
    out->rows = change->rows;
    out->count = change->count;
    out->plan_again = arena_array(a, change->count, sizeof *out->plan_again);
    for (size_t i = 0; i < change->count; i++) {
        all_free = all_free && is_free(&change->rows[i]);
        if (reached[i].plan != 0)
            out->plan_again[out->plan_again_count++] = reached[i].number;
    }
    if (!all_free) /* the plan stands until then */
        out->plan_again_count = 0;
    if (!all_free)
        return ask(c, change, a, &out->request, f);
    out->moved = true;
    return store_clock_move(c->store, &act, change, f);
}

bool conduct_clock_bind(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct clock_change change;
    const char *signed_text = approval_value(&a, r->text, "what");
    if (!store_clock_get(c->store, c->campaign.id, r->hold, &a, &change, f))
        return false;
    if (signed_text == NULL || strcmp(signed_text, change_text(&a, r->hold, &change)) != 0)
        return fault_set(f, FAULT_APPROVAL, "change %d of the clock is not the one that request %d names",
                         r->hold, r->request);
    return store_clock_apply(c->store, &act, r->hold, f);
}

/* --- anchors --- */

/* Every clock that is reached must bear the anchor. */
static bool check_order(const struct conduct *c, const struct anchor_record *r, const struct reached *reached,
                        size_t n, struct utc first_issued, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        struct utc known[ANCHOR_COUNT];
        if (!store_anchors(c->store, c->campaign.id, reached[i].number, known, f))
            return false;
        known[ANCHOR_RECEIVED] = reached[i].received;
        if (!anchor_check(r->anchor, r->at, known, first_issued, f))
            return reached[i].number == 0 ? false : fault_wrap(f, "cohort %d", reached[i].number);
    }
    return true;
}

static bool move_receipt(const struct conduct *c, const struct anchor_record *r,
                         const struct reached *reached, size_t n, struct arena *a, struct conduct_clock *out,
                         struct fault *f)
{
    struct clock_row *rows = arena_array(a, n, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        const struct reached *k = &reached[i];
        struct span moved = utc_sub(r->at, k->received);
        rows[i] = (struct clock_row){.cohort = k->number,
                                     .old_rule = k->rule,
                                     .rule = k->rule,
                                     .old_reason = k->reason,
                                     .reason = k->reason,
                                     .old_received = k->received,
                                     .received = r->at,
                                     .old_deadline = k->deadline,
                                     .deadline = utc_add(k->deadline, moved),
                                     .should_by =
                                         utc_is_set(k->should_by) ? utc_add(k->should_by, moved) : UTC_NONE};
    }
    struct clock_change change = {
        .kind = "clock", .source = r->source, .raw = r->raw, .rows = rows, .count = n};
    return change_clock(c, &change, reached, a, out, f);
}

static bool note_anchor(const struct conduct *c, const struct anchor_record *r, const struct reached *reached,
                        size_t n, struct arena *a, struct fault *f)
{
    struct act act = conduct_act(c);
    int *cohorts = arena_array(a, n, sizeof *cohorts);
    for (size_t i = 0; i < n; i++)
        cohorts[i] = reached[i].number;
    return store_anchor_add(c->store, &act, r, cohorts, n, f);
}

/* What an anchor should make somebody think about. */
static const char *anchor_warning(const struct anchor_record *r, const struct reached *k, int64_t after,
                                  struct arena *a)
{
    if (r->anchor == ANCHOR_FIXED && after > 0)
        return arena_format(a,
                            "%" PRId64 " affected certificates were issued after it: replacements that were "
                            "listed by mistake, or was it fixed later?",
                            after);
    if ((r->anchor == ANCHOR_STOPPED || r->anchor == ANCHOR_FIXED) && r->at.s < k->received.s)
        return arena_format(a, "that is before the report was received: possible, and reports will say so");
    return "";
}

bool conduct_anchor(const struct conduct *c, const struct anchor_record *r, int wanted, struct arena *a,
                    struct conduct_clock *out, struct fault *f)
{
    struct reached *reached;
    struct utc first_issued = UTC_NONE;
    int64_t after = 0;
    size_t n;
    char time[UTC_TEXT];
    *out = (struct conduct_clock){.warning = ""};
    if (r->at.s > c->now.s)
        return fault_set(f, FAULT_REFUSED, "%s %s lies in the future", anchor_name(r->anchor),
                         utc_format(r->at, time));
    if (!reach(c, wanted, SAME_RECEIPT, a, &reached, &n, f))
        return false;
    if ((r->anchor == ANCHOR_STOPPED || r->anchor == ANCHOR_FIXED) &&
        !store_issued(c->store, c->campaign.id, wanted, r->at, &first_issued, &after, f))
        return false;
    if (!check_order(c, r, reached, n, first_issued, f))
        return false;
    out->warning = anchor_warning(r, &reached[0], after, a);
    if (r->anchor == ANCHOR_RECEIVED && r->at.s != reached[0].received.s)
        return move_receipt(c, r, reached, n, a, out, f);
    return note_anchor(c, r, reached, n, a, f);
}

/* --- clauses --- */

/* The clause with the shortest clock among `items`; a warning when there were several. */
static bool choose(const struct conduct *c, const char *items, struct arena *a, struct rule *out,
                   const char **warning, struct fault *f)
{
    AUTO_BUF named = {0};
    size_t n = 0;
    *out = (struct rule){0};
    *warning = "";
    for (struct str rest = str_of(items); rest.p != NULL; n++) {
        struct str item = str_cut(&rest, ',');
        struct rule rule;
        if (!rules_find(c->settings->plans_dir, arena_copy(a, item.p, item.n), a, &rule, f))
            return false;
        if (n > 0 && rule.deadline.s == out->deadline.s && rule.reason != out->reason) {
            fault_set(f, FAULT_USAGE, "%s and %s have the same clock, but ask for the reasons %s and %s",
                      out->id, rule.id, reason_name((int)out->reason), reason_name((int)rule.reason));
            return fault_hint(f, "name the one whose reason is to stand in the CRL");
        }
        buf_format(&named, "%s%s", n == 0 ? "" : " and ", rule.id);
        if (n == 0 || rule.deadline.s < out->deadline.s)
            *out = rule;
    }
    if (n > 1)
        *warning = arena_format(a, "%s fit: the shorter clock is taken, %s", named.p, out->id);
    if (out->expand_by_key)
        *warning =
            arena_format(a, "%s%s%s reaches every certificate with the same key (BR 6.1.2): look for more",
                         *warning, **warning == '\0' ? "" : "; ", out->id);
    return true;
}

static bool keeps_reasons(const struct reached *reached, size_t n, const struct rule *rule, struct fault *f)
{
    for (size_t i = 0; i < n; i++)
        if (reached[i].started && reached[i].reason != (int)rule->reason) {
            fault_set(f, FAULT_CONFLICT,
                      "cohort %d has started with reason %s; %s asks for %s, and what was signed keeps its "
                      "reason",
                      reached[i].number, reason_name(reached[i].reason), rule->id,
                      reason_name((int)rule->reason));
            return fault_hint(f, "certificates of that clause: drop them here, import them with --rule %s",
                              rule->id);
        }
    return true;
}

bool conduct_rule(const struct conduct *c, const char *items, int wanted, struct arena *a,
                  struct conduct_clock *out, struct fault *f)
{
    struct reached *reached;
    struct rule rule;
    struct profile profile;
    size_t n, changed = 0;
    const char *warning;
    if (!choose(c, items, a, &rule, &warning, f) || !reach(c, wanted, SAME_RULE, a, &reached, &n, f) ||
        !keeps_reasons(reached, n, &rule, f) || !conduct_profile(c, &rule, a, &profile, f))
        return false;
    *out = (struct conduct_clock){.rule = rule.id, .profile = profile.name, .warning = warning};
    struct clock_row *rows = arena_array(a, n, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        const struct reached *k = &reached[i];
        changed += strcmp(k->rule, rule.id) != 0;
        rows[i] =
            (struct clock_row){.cohort = k->number,
                               .old_rule = k->rule,
                               .rule = rule.id,
                               .old_reason = k->reason,
                               .reason = (int)rule.reason,
                               .old_received = k->received,
                               .received = k->received,
                               .old_deadline = k->deadline,
                               .deadline = utc_add(k->received, rule.deadline),
                               .should_by = rule.should.s > 0 ? utc_add(k->received, rule.should) : UTC_NONE};
    }
    if (changed == 0)
        return fault_set(f, FAULT_CONFLICT, "%s applies already", rule.id);
    struct clock_change change = {.kind = "rule", .source = items, .raw = "", .rows = rows, .count = n};
    return change_clock(c, &change, reached, a, out, f);
}
