/* Approving and starting: what lets a campaign go. */
#include "conduct_parts.h"
#include "massrevoke/conduct.h"
#include "massrevoke/hex.h"
#include "massrevoke/store_plan.h"

bool conduct_waits(const struct conduct *c, const struct request *r)
{
    return r->void_reason[0] == '\0' && r->approvals < c->settings->quorum && r->expires_at.s > c->now.s;
}

bool conduct_request(const struct conduct *c, int wanted, struct arena *a, struct request *out,
                     struct fault *f)
{
    struct request *requests;
    size_t n, open = 0;
    const struct request *only = NULL;
    if (!store_requests(c->store, c->campaign.id, a, &requests, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (requests[i].request == wanted || (wanted == 0 && conduct_waits(c, &requests[i]))) {
            only = &requests[i];
            open++;
        }
    }
    if (open > 1) {
        fault_set(f, FAULT_CONFLICT, "%zu requests wait", open);
        return fault_hint(f, "massrevoke request list; then massrevoke approve N");
    }
    if (only == NULL && wanted != 0)
        return fault_set(f, FAULT_FAILED, "there is no request %d", wanted);
    if (only == NULL) {
        fault_set(f, FAULT_APPROVAL, "no request waits for approval");
        return fault_hint(f, "massrevoke plan");
    }
    *out = *only;
    return true;
}

static bool same_value(struct arena *a, const struct request *r, const char *key, const char *want)
{
    const char *value = approval_value(a, r->text, key);
    return value != NULL && strcmp(value, want) == 0;
}

/* The text must name this campaign, mode and store; it does unless somebody put a foreign one into the table.
 */
static bool names_this(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    if (!same_value(&a, r, "campaign", c->campaign.name))
        return fault_set(f, FAULT_REFUSED, "request %d names another campaign", r->request);
    if (!same_value(&a, r, "mode", c->campaign.mode))
        return fault_set(f, FAULT_REFUSED, "request %d is not of mode %s", r->request, c->campaign.mode);
    if (!same_value(&a, r, "store", store_id(c->store)))
        return fault_set(f, FAULT_REFUSED, "request %d was made in another store", r->request);
    return true;
}

/* To hold, or to end a hold? */
static bool names_certificates(const struct request *r)
{
    return strcmp(r->what, "hold") == 0 || strcmp(r->what, "release") == 0;
}

static bool bind_now(const struct conduct *c, const struct request *r, struct fault *f)
{
    if (names_certificates(r))
        return conduct_hold_bind(c, r, f);
    if (strcmp(r->what, "clock") == 0 || strcmp(r->what, "rule") == 0)
        return conduct_clock_bind(c, r, f);
    if (strcmp(r->what, "reason") == 0)
        return conduct_reason_bind(c, r, f);
    return true;
}

/* Everybody signed the same text, which is the one that stands there now. Also with more than enough: whoever
 * died between the last signature and this left it unbound. */
static bool bind_if_signed(const struct conduct *c, const struct request *r, struct fault *f)
{
    AUTO_ARENA a = {0};
    int good;
    if (!approval_count(c->store, c->settings, c->campaign.id, r, &a, &good, f))
        return false;
    if (good >= c->settings->quorum)
        return bind_now(c, r, f);
    return fault_set(f, FAULT_APPROVAL,
                     "request %d: only %d of its signatures hold for its text as it stands now: nothing is "
                     "carried out",
                     r->request, good);
}

bool conduct_approve(const struct conduct *c, const struct request *r, struct str signature, int *approvals,
                     const char **who, struct fault *f)
{
    size_t index;
    char time[UTC_TEXT];
    if (!names_this(c, r, f))
        return false;
    if (r->void_reason[0] != '\0')
        return fault_set(f, FAULT_APPROVAL, "request %d is void: %s", r->request, r->void_reason);
    if (approval_expiry(r->text).s <= c->now.s)
        return fault_set(f, FAULT_REFUSED, "request %d expired at %s", r->request,
                         utc_format(r->expires_at, time));
    if (!approval_signer(c->settings, r, signature, c->now, &index, f) ||
        (names_certificates(r) && !conduct_hold_check(c, r, f)))
        return false;
    *who = c->settings->approvers[index].name;
    struct act act = {c->campaign.id, c->now, *who};
    if (!store_approval_add(c->store, &act, r->request, *who, signature, digest_of(r->text, strlen(r->text)),
                            approvals, f)) {
        if (f->kind == FAULT_CONFLICT)
            f->kind = FAULT_REFUSED; /* the same person twice: contract section 1 */
        return false;
    }
    return *approvals < c->settings->quorum || bind_if_signed(c, r, f);
}

/* What a brake without a number means: the only cohort that runs. */
static bool running_cohort(const struct conduct *c, int *cohort, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort *cohorts;
    size_t n, running = 0;
    if (!store_cohorts(c->store, c->campaign.id, &a, &cohorts, &n, f))
        return false;
    for (size_t i = 0; i < n; i++)
        if (utc_is_set(cohorts[i].started_at) && !utc_is_set(cohorts[i].voided_at)) {
            *cohort = cohorts[i].cohort;
            running++;
        }
    if (running == 1)
        return true;
    fault_set(f, FAULT_CONFLICT, "%zu cohorts run", running);
    return fault_hint(f, running == 0 ? "nothing to withdraw from" : "name one with --cohort N");
}

bool conduct_withdraw(const struct conduct *c, int *cohort, struct fault *f)
{
    struct act act = conduct_act(c);
    bool approver = false;
    for (size_t i = 0; i < c->settings->approver_count; i++)
        approver = approver || approval_is_requester(&c->settings->approvers[i], c->who);
    if (!approver)
        return fault_set(f, FAULT_REFUSED, "%s is not an approver: only approvers withdraw", c->who);
    return (*cohort != 0 || running_cohort(c, cohort, f)) && store_void(c->store, &act, *cohort, f);
}

static bool digest_value(struct arena *a, const struct request *r, const char *key, struct digest *out)
{
    const char *hex = approval_value(a, r->text, key);
    return hex != NULL && strlen(hex) == 2 * DIGEST_SIZE && hex_read(hex, DIGEST_SIZE, out->bytes);
}

/* What was signed against what stands in the store now: pages, plan text, plan digest. */
static bool still_stands(const struct conduct *c, const struct cohort *cohort, const struct request *r,
                         struct arena *a, struct fault *f)
{
    struct digest scope, scope_now, plan, plan_now;
    struct stored_plan stored;
    if (!store_scope_digest(c->store, c->campaign.id, cohort->cohort, &scope_now, f) ||
        !store_plan_get(c->store, c->campaign.id, cohort->plan, a, &stored, f))
        return false;
    plan_now = digest_of(stored.text, strlen(stored.text));
    if (!digest_value(a, r, "scope-sha256", &scope) || memcmp(scope.bytes, scope_now.bytes, DIGEST_SIZE) != 0)
        return fault_set(f, FAULT_APPROVAL, "the certificates of cohort %d are not those of request %d",
                         cohort->cohort, r->request);
    if (!digest_value(a, r, "plan-sha256", &plan) || memcmp(plan.bytes, plan_now.bytes, DIGEST_SIZE) != 0 ||
        memcmp(plan.bytes, stored.digest.bytes, DIGEST_SIZE) != 0)
        return fault_set(f, FAULT_APPROVAL, "plan %d is not the one of request %d", cohort->plan, r->request);
    return true;
}

bool conduct_start(const struct conduct *c, int wanted, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cohort cohort;
    struct request r;
    char time[UTC_TEXT];
    if (!conduct_cohort(c, wanted, false, &a, &cohort, f))
        return false;
    if (utc_is_set(cohort.started_at) && !utc_is_set(cohort.voided_at))
        return fault_set(f, FAULT_CONFLICT, "cohort %d has started already", cohort.cohort);
    if (cohort.plan == 0) {
        fault_set(f, FAULT_APPROVAL, "cohort %d has no plan that stands", cohort.cohort);
        return fault_hint(f, "massrevoke plan; massrevoke approve --key FILE --cert FILE");
    }
    if (!approval_of_cohort(c->store, c->settings, c->campaign.id, c->campaign.name, c->campaign.mode,
                            cohort.cohort, &a, &r, f))
        return false;
    if (approval_expiry(r.text).s <= c->now.s) {
        fault_set(f, FAULT_APPROVAL, "request %d expired at %s", r.request, utc_format(r.expires_at, time));
        return fault_hint(f, "massrevoke plan; massrevoke approve --key FILE --cert FILE");
    }
    bool named;
    if (!still_stands(c, &cohort, &r, &a, f) || !conduct_check_cas(c, &cohort, &a, &named, f))
        return false;
    struct act act = conduct_act(c);
    return store_start(c->store, &act, cohort.cohort, r.request, f);
}
