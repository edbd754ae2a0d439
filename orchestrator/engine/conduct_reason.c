/* Changing a reason: who may be changed, by whom, and what is signed. */
#include "massrevoke/conduct_reason.h"
#include "conduct_parts.h"
#include "massrevoke/ca_doors.h"
#include "massrevoke/hex.h"

#include <inttypes.h>
#include <stdio.h>

#define HOW_ELSEWHERE                                                                                        \
    "massrevoke reason ... --by-administrator, and once it is approved: massrevoke reason export N"

/* --- what is signed --- */

/* SHA-256 over number, issuer, serial, and the reason and date of each as they were. */
static struct digest digest_items(const struct reason_item *items, size_t n)
{
    struct digest_state d = digest_begin();
    for (size_t i = 0; i < n; i++) {
        char line[SERIAL_HEX_TEXT + UTC_TEXT + 60], hex[SERIAL_HEX_TEXT], at[UTC_TEXT];
        int length =
            snprintf(line, sizeof line, "%" PRId64 " %d/%s %d %s\n", items[i].number, items[i].issuer,
                     serial_hex(&items[i].serial, hex), items[i].old_reason, utc_format(items[i].old_at, at));
        digest_add(&d, line, (size_t)length);
    }
    return digest_end(&d);
}

static const char *words_of(const struct reason_change *c, const struct reason_item *items, size_t n,
                            struct arena *a)
{
    char hex[DIGEST_TEXT], why[DIGEST_TEXT], at[UTC_TEXT];
    bool dated = utc_is_set(c->compromised_at);
    return arena_format(
        a, "change %d of reasons: %zu certificates (sha256 %s) to %s, %s%s, by %s; why sha256 %s", c->change,
        n, digest_hex(digest_items(items, n), hex), reason_name((int)c->reason),
        dated ? "dated " : "dates kept", dated ? utc_format(c->compromised_at, at) : "",
        c->elsewhere ? "the CA's administrator" : "the CA's backend",
        digest_hex(digest_of(c->why, strlen(c->why)), why));
}

bool conduct_reason_words(struct store *s, int campaign, const struct reason_change *change, struct arena *a,
                          const char **out, struct fault *f)
{
    struct reason_item *items;
    size_t n;
    if (!store_reason_items(s, campaign, change->change, a, &items, &n, f))
        return false;
    *out = words_of(change, items, n, a);
    return true;
}

bool conduct_reason_bind(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct reason_change *all;
    size_t n;
    const char *words = NULL, *signed_words = approval_value(&a, r->text, "what");
    if (!store_reasons(c->store, c->campaign.id, &a, &all, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (all[i].change == r->hold &&
            !conduct_reason_words(c->store, c->campaign.id, &all[i], &a, &words, f))
            return false;
    if (words == NULL || signed_words == NULL || strcmp(words, signed_words) != 0)
        return fault_set(f, FAULT_APPROVAL, "change %d of reasons is not the one that request %d names",
                         r->hold, r->request);
    return store_reason_bind(c->store, &act, r->hold, f);
}

/* --- what may be changed --- */

static bool is_revoked(enum certificate_state state)
{
    enum bucket b = certificate_bucket(state);
    return b == BUCKET_REVOKED || b == BUCKET_PENDING_PUBLICATION;
}

static bool check_target(const struct conduct_reason *w, const struct listed *item,
                         const struct reason_target *t, struct fault *f)
{
    char hex[SERIAL_HEX_TEXT];
    bool same_date = !utc_is_set(w->compromised_at) || w->compromised_at.s == t->told.s;
    serial_hex(&item->serial, hex);
    if (t->number < 0 || !is_revoked(t->state)) {
        fault_set(f, FAULT_REFUSED, "%s is not revoked: its reason is not one to change", hex);
        return fault_hint(f, "massrevoke drop %s --reason TEXT; then import it with --rule ITEM", hex);
    }
    if (t->busy != 0)
        return fault_set(f, FAULT_CONFLICT, "%s: change %d of its reason is not over", hex, t->busy);
    if (t->reason == (int)w->to && same_date)
        return fault_set(f, FAULT_CONFLICT, "%s bears the reason %s already", hex, reason_name((int)w->to));
    return true;
}

static bool check_backend(const struct settings_ca *ca, const struct conduct_reason *w, struct arena *a,
                          struct fault *f)
{
    struct ca_facts facts;
    if (!ca_doors_describe(ca, a, &facts, f))
        return false;
    bool can = (facts.changes >> w->to & 1) != 0;
    if (can && (facts.takes_date || !utc_is_set(w->compromised_at)))
        return true;
    fault_set(f, FAULT_REFUSED,
              can ? "CA %s: backend %s can't be given a date: nothing was written"
                  : "CA %s: backend %s can't change a reason to it and keep the date: nothing was written",
              ca->name, facts.name);
    return fault_hint(f, HOW_ELSEWHERE);
}

static bool check(const struct conduct *c, const struct conduct_reason *w, const struct listed *items,
                  const struct reason_target *targets, size_t n, struct arena *a, struct fault *f)
{
    int last = -1;
    for (size_t i = 0; i < n; i++) {
        int ca = conduct_ca_of(c, items[i].issuer, NULL);
        if (ca < 0)
            return fault_set(f, FAULT_CONFIG, "an issuer of these certificates is not configured any more");
        if (!check_target(w, &items[i], &targets[i], f) ||
            (ca != last && !w->elsewhere && !check_backend(&c->settings->cas[ca], w, a, f)))
            return false;
        last = ca;
    }
    return true;
}

/* Issuers of the items, a line each. */
static const char *subjects_of(const struct reason_item *items, size_t n, struct arena *a)
{
    AUTO_BUF out = {0};
    for (size_t i = 0; i < n; i++) {
        bool had = false;
        for (size_t k = 0; k < i && !had; k++)
            had = items[k].issuer == items[i].issuer;
        if (!had)
            buf_format(&out, "%s%s", out.n == 0 ? "" : "\n", items[i].issuer_subject);
    }
    return arena_text(a, out.p == NULL ? "" : out.p);
}

bool conduct_reason(const struct conduct *c, const struct conduct_reason *w, const struct listed *items,
                    size_t n, int *change, int *request, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = conduct_act(c);
    struct reason_target *targets;
    struct reason_item *written;
    size_t count;
    if (!reason_is_permitted((int)w->to))
        return fault_set(f, FAULT_USAGE, "%s is no reason of an entry (BR 7.2.2)", reason_name((int)w->to));
    if ((utc_is_set(w->compromised_at) && !conduct_compromise_date(c, (int)w->to, w->compromised_at, f)) ||
        !store_reason_look(c->store, c->campaign.id, items, n, &a, &targets, f) ||
        !check(c, w, items, targets, n, &a, f))
        return false;
    struct reason_change row = {
        .reason = w->to, .compromised_at = w->compromised_at, .elsewhere = w->elsewhere, .why = w->why};
    if (!store_reason_propose(c->store, &act, &row, items, targets, n, change, f) ||
        !store_reason_items(c->store, c->campaign.id, *change, &a, &written, &count, f))
        return false;
    row.change = *change;
    const char *words = words_of(&row, written, count, &a);
    const struct approval_subject subject = {
        .what = words,
        .reason = (int)w->to,
        .issuers = subjects_of(written, count, &a),
        .certificates = (int64_t)count,
        .scope = digest_items(written, count),
        .plan = digest_of(words, strlen(words)),
        .compromised_at = w->compromised_at,
        .first_hour = c->now,
        .more = "",
    };
    struct request r = {.what = "reason", .hold = *change};
    return conduct_send_request(c, &subject, &r, &a, request, f);
}
