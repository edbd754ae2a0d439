#include "massrevoke/approval.h"
#include "massrevoke/cms.h"
#include "massrevoke/hex.h"

#include <inttypes.h>

const char *approval_compose(struct arena *a, const struct approval_subject *s)
{
    AUTO_BUF b = {0};
    char hex[DIGEST_TEXT], time[UTC_TEXT];
    buf_text(&b, "massrevoke approval request v1\nrequest: @REQUEST@\n");
    buf_format(&b, "mode: %s\ncampaign: %s\nstore: %s\nwhat: %s\ncertificates: %" PRId64 "\n", s->mode,
               s->campaign, s->store_id, s->what, s->certificates);
    if (s->base > 0) /* hundredths of a percent, in whole numbers: the same on every machine */
        buf_format(&b, "share-of-base: %" PRId64 ".%02d %% of %" PRId64 "\n",
                   s->certificates * 10000 / s->base / 100, (int)(s->certificates * 10000 / s->base % 100),
                   s->base);
    else
        buf_text(&b, "share-of-base: unknown, the inventory is empty\n");
    for (struct str rest = str_of(s->issuers); rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        buf_format(&b, "issuer: %.*s\n", (int)line.n, line.p);
    }
    buf_text(&b, s->more);
    if (s->reason != APPROVAL_REASONS)
        buf_format(&b, "reason: %d %s\n", s->reason, reason_name(s->reason));
    if (utc_is_set(s->compromised_at) && s->compromised_at.s != 0)
        buf_format(&b, "compromised-at: %s\n", utc_format(s->compromised_at, time));
    buf_format(&b, "scope-sha256: %s\n", digest_hex(s->scope, hex));
    buf_format(&b, "plan-sha256: %s\n", digest_hex(s->plan, hex));
    buf_format(&b, "first-hour: %s\n", utc_format(s->first_hour, time));
    for (size_t i = 0; s->requesters[i] != NULL; i++)
        buf_format(&b, "requested-by: %s\n", s->requesters[i]);
    buf_format(&b, "requested-at: %s\n", utc_format(s->requested, time));
    buf_format(&b, "expires-at: %s\n", utc_format(s->expires, time));
    return arena_copy(a, b.p, b.n);
}

const char *approval_value(struct arena *a, const char *text, const char *key)
{
    size_t n = strlen(key);
    for (struct str rest = str_of(text); rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > n + 2 && memcmp(line.p, key, n) == 0 && memcmp(line.p + n, ": ", 2) == 0)
            return arena_copy(a, line.p + n + 2, line.n - n - 2);
    }
    return NULL;
}

const char *approval_values(struct arena *a, const char *text, const char *key)
{
    AUTO_BUF values = {0};
    size_t n = strlen(key);
    for (struct str rest = str_of(text); rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > n + 2 && memcmp(line.p, key, n) == 0 && memcmp(line.p + n, ": ", 2) == 0) {
            buf_add(&values, line.p + n + 2, line.n - n - 2);
            buf_text(&values, "\n");
        }
    }
    return arena_copy(a, buf_str(&values).p, values.n);
}

struct utc approval_expiry(const char *text)
{
    AUTO_ARENA a = {0};
    struct fault ignored;
    struct utc at;
    const char *value = approval_value(&a, text, "expires-at");
    return value != NULL && utc_parse(value, &at, &ignored) ? at : (struct utc){0};
}

static bool names_line(const char *lines, const char *name)
{
    for (struct str rest = str_of(lines); rest.p != NULL;)
        if (str_is(str_cut(&rest, '\n'), name))
            return true;
    return false;
}

bool approval_is_requester(const struct settings_approver *approver, const char *requesters)
{
    if (names_line(requesters, approver->name))
        return true;
    for (size_t i = 0; i < approver->login_count; i++)
        if (names_line(requesters, approver->logins[i]))
            return true;
    return false;
}

bool approval_signer(const struct settings *settings, const struct request *r, struct str signature,
                     struct utc at, size_t *who, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cert *persons = arena_array(&a, settings->approver_count, sizeof *persons);
    for (size_t i = 0; i < settings->approver_count; i++)
        if (!cert_load(settings->approvers[i].certificate_file, &a, &persons[i], f))
            return fault_wrap(f, "approver %s", settings->approvers[i].name);
    if (!cms_verify(signature, str_of(r->text), persons, settings->approver_count, at, who, f))
        return false;
    /* as signed: a row of the table may have been altered */
    if (!approval_is_requester(&settings->approvers[*who], approval_values(&a, r->text, "requested-by")))
        return true;
    fault_set(f, FAULT_REFUSED, "%s is among those who requested this: somebody else must approve",
              settings->approvers[*who].name);
    return fault_hint(f, "approvers configured: %zu; requesters never count", settings->approver_count);
}

bool approval_count(struct store *s, const struct settings *settings, int campaign, const struct request *r,
                    struct arena *a, int *good, struct fault *f)
{
    struct approval *approvals;
    size_t n;
    bool *counted = arena_array(a, settings->approver_count, sizeof *counted);
    *good = 0;
    if (!store_approvals(s, campaign, r->request, a, &approvals, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t who = 0;
        struct fault ignored = {0};
        if (!approval_signer(settings, r, approvals[i].signature, approvals[i].at, &who, &ignored) ||
            counted[who])
            continue;
        counted[who] = true;
        ++*good;
    }
    return true;
}

static bool names_us(struct arena *a, const struct request *r, const char *name, const char *mode,
                     const char *store)
{
    const char *campaign = approval_value(a, r->text, "campaign"),
               *its_mode = approval_value(a, r->text, "mode"),
               *its_store = approval_value(a, r->text, "store");
    return campaign != NULL && its_mode != NULL && its_store != NULL && strcmp(campaign, name) == 0 &&
           strcmp(its_mode, mode) == 0 && strcmp(its_store, store) == 0;
}

bool approval_of_change(struct store *s, const struct settings *settings, int campaign, const char *name,
                        const char *mode, int change, const char *words, struct arena *a, bool *signed_so,
                        struct fault *f)
{
    struct request *requests;
    size_t n;
    *signed_so = false;
    if (!store_requests(s, campaign, a, &requests, &n, f))
        return false;
    for (size_t i = n; i-- > 0 && !*signed_so;) {
        const struct request *r = &requests[i];
        int good = 0;
        if (strcmp(r->what, "reason") != 0 || r->hold != change || r->void_reason[0] != '\0' ||
            !names_us(a, r, name, mode, store_id(s)))
            continue;
        const char *what = approval_value(a, r->text, "what");
        if (what == NULL || strcmp(what, words) != 0)
            continue;
        if (!approval_count(s, settings, campaign, r, a, &good, f))
            return false;
        *signed_so = good >= settings->quorum;
    }
    return true;
}

bool approval_of_cohort(struct store *s, const struct settings *settings, int campaign, const char *name,
                        const char *mode, int cohort, struct arena *a, struct request *out, struct fault *f)
{
    struct request *requests;
    size_t n;
    int best = 0;
    const char *why = "there is no request for its plan";
    if (!store_requests(s, campaign, a, &requests, &n, f))
        return false;
    for (size_t i = n; i-- > 0;) {
        const struct request *r = &requests[i];
        int good;
        if (strcmp(r->what, "plan") != 0 || r->cohort != cohort)
            continue;
        if (r->void_reason[0] != '\0') {
            if (best == 0)
                why = arena_format(a, "request %d is void: %s", r->request, r->void_reason);
            continue;
        }
        if (!names_us(a, r, name, mode, store_id(s)))
            continue;
        if (!approval_count(s, settings, campaign, r, a, &good, f))
            return false;
        if (good >= settings->quorum) {
            *out = *r;
            return true;
        }
        best = r->request;
        why = arena_format(a, "request %d has %d of %d approvals", r->request, good, settings->quorum);
    }
    fault_set(f, FAULT_APPROVAL, "cohort %d is not approved: %s", cohort, why);
    return best != 0 ? fault_hint(f, "massrevoke approve %d --key FILE --cert FILE", best)
                     : fault_hint(f, "massrevoke plan; massrevoke approve --key FILE --cert FILE");
}

bool approval_signed_scope(struct store *s, const struct settings *settings, int campaign, const char *name,
                           const char *mode, int cohort, struct approval_signed *out, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct request r = {.text = ""};
    *out = (struct approval_signed){.compromised_at = UTC_NONE};
    if (!approval_of_cohort(s, settings, campaign, name, mode, cohort, &a, &r, f))
        return false;
    const char *hex = approval_value(&a, r.text, "scope-sha256"),
               *date = approval_value(&a, r.text, "compromised-at");
    if (date != NULL && !utc_parse(date, &out->compromised_at, f))
        return fault_wrap(f, "request %d", r.request);
    if (hex != NULL && strlen(hex) == 2 * DIGEST_SIZE && hex_read(hex, DIGEST_SIZE, out->scope.bytes))
        return true;
    return fault_set(f, FAULT_APPROVAL, "request %d names no scope digest", r.request);
}
