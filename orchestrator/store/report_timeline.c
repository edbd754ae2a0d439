/* Events as sentences for a timeline: a table of texts with the fields of the leaf's data, no personal data.
 */
#include "report_parts.h"

#include <inttypes.h>

/* {key} is the value of that key of the leaf's data, {#key} how many elements it has. */
static const struct {
    const char *type, *text;
} sentences[] = {
    {"open", "the campaign was opened for item {rule}, received {received}"},
    {"import", "a list was imported: {accepted} certificates accepted, {rejected} lines rejected"},
    {"anchor", "{anchor} at {at} (typed as {typed}) was recorded for {cohorts}"},
    {"clock", "the receipt moved from {old_received} to {received} for {cohorts}"},
    {"rule", "clause {rule} took the place of {old_rule} for {cohorts}"},
    {"task_done", "task {task} is done: {title}"},
    {"plan", "a plan for cohort {cohort} was made: {certificates} certificates, finish {finish}"},
    {"replan", "cohort {cohort} was planned anew as plan {plan}: {reason}"},
    {"moved",
     "{certificates} certificates of {subscribers} subscribers got an earlier hour: they are told first"},
    {"replacements", "{accepted} certificates are known to be replaced"},
    {"lint", "the replacement of {serial} fails lint: {found}"},
    {"request", "request {request} asks to approve the {what} of cohort {cohort}"},
    {"approve", "request {request} got an approval"},
    {"withdraw", "the approval of cohort {cohort} was withdrawn"},
    {"start", "cohort {cohort} was started under request {request}"},
    {"pause", "the campaign was paused: {reason}"},
    {"resume", "the campaign was resumed"},
    {"hold", "hold {hold} began to bind"},
    {"release", "hold {hold} was released"},
    {"drop", "{#certificates} certificates were dropped: {reason}"},
    {"expire", "{certificates} certificates expired before they were revoked"},
    {"missed", "cohort {cohort} passed its deadline with work left"},
    {"scope_altered", "a page does not match what was signed: its certificates are not revoked"},
    {"canary_replaced", "canary {replaced} of cohort {cohort} gave its place to {number}"},
    {"canary_unproved", "the rest of an issuer in cohort {cohort} went without its canaries' proof: {why}"},
    {"canary_silent", "the rest of an issuer in cohort {cohort} waits on for its canaries: {why}"},
    {"canary_contradicted",
     "an issuer was stopped, canary {number} of cohort {cohort} is contradicted: {why}"},
    {"stops_lifted", "stopped issuers went on by a person's word: {reason}"},
    {"breaker_open", "{ca} is left alone ({class}): {text}"},
    {"breaker_closed", "{ca} answers again"},
    {"retry", "{#certificates} certificates are tried again: {reason}"},
    {"blast_radius",
     "{affected} of {base} certificates, more than {percent} %, were planned by a person's word: {reason}"},
    {"restored", "the database was put back (log of {size} entries, {seen} were known), and engines went on "
                 "by a person's word"},
    {"host_gone", "engines of another host count as dead by a person's word: {reason}"},
    {"compromised", "the keys of cohort {cohort} were compromised at {compromised_at}"},
    {"reason_bound", "change {change} of reasons was approved"},
    {"reason_asked", "{certificates} certificates are given another reason"},
    {"reason_shown", "{certificates} certificates show their changed reason"},
    {"inject", "inject: {text}"},
    {"decide", "decision: {text}"},
    {"close", "the campaign was closed"},
};
#define SENTENCES (sizeof sentences / sizeof *sentences)

static void put_value(const json_t *value, bool count, struct buf *out)
{
    if (count)
        buf_format(out, "%zu", json_array_size(value));
    else if (json_is_string(value) && json_string_length(value) == 0)
        buf_text(out, "none given");
    else if (json_is_string(value))
        buf_text(out, json_string_value(value));
    else if (json_is_integer(value))
        buf_format(out, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_boolean(value))
        buf_text(out, json_is_true(value) ? "yes" : "no");
    else
        buf_text(out, "unknown");
}

static const char *sentence(struct arena *a, const char *text, const json_t *data)
{
    AUTO_BUF out = {0};
    char key[32];
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "{");
        buf_add(&out, p, n);
        p += n;
        if (*p == '\0')
            break;
        bool count = p[1] == '#';
        p += count ? 2 : 1;
        n = strcspn(p, "}");
        memcpy(key, p, n < sizeof key ? n : sizeof key - 1);
        key[n < sizeof key ? n : sizeof key - 1] = '\0';
        put_value(json_object_get(data, key), count, &out);
        p += n + 1;
    }
    return arena_copy(a, out.p, out.n);
}

/* An event whose leaf cannot be read still has its time and kind; evidence verify tells what is wrong with
 * it. */
static const char *text_of(struct arena *a, const char *type, const char *leaf)
{
    AUTO_JSON *root = NULL;
    struct fault ignored = {0};
    if (!json_read("leaf", str_of(leaf), &root, &ignored))
        return "the record of this event is damaged";
    for (size_t i = 0; i < SENTENCES; i++)
        if (strcmp(sentences[i].type, type) == 0)
            return sentence(a, sentences[i].text, json_object_get(root, "data"));
    return arena_text(a, type);
}

bool report_timeline(struct store *store, int campaign, struct arena *a, struct snapshot *s, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array types = {{0}};
    for (size_t i = 0; i < SENTENCES; i++)
        array_text(&types, sentences[i].type);
    put_int(&p, campaign);
    put_array(&p, &types);
    if (!store_query(store, "report_events", &p, &r, f))
        return false;
    s->event_count = (size_t)PQntuples(r);
    struct snapshot_event *events = arena_array(a, s->event_count, sizeof *events);
    for (int i = 0; i < PQntuples(r); i++) {
        const char *type = arena_text(a, get_text(r, i, 2));
        events[i] = (struct snapshot_event){.at = get_utc(r, i, 0),
                                            .actor = arena_text(a, get_text(r, i, 1)),
                                            .type = type,
                                            .text = text_of(a, type, get_text(r, i, 3))};
    }
    s->events = events;
    return true;
}
