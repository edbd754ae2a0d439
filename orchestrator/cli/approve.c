/* request and approve: a second person signs the text that names what will happen. */
#include "massrevoke/cms.h"
#include "massrevoke/file.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *request_json(const struct request *r)
{
    json_t *o = json_object();
    json_set_int(o, "request", r->request);
    json_set_text(o, "what", r->what);
    json_set_int(o, "cohort", r->cohort);
    json_set_int(o, "approvals", r->approvals);
    json_set_utc(o, "at", r->at);
    json_set_utc(o, "expires_at", r->expires_at);
    json_set_text(o, "void", r->void_reason[0] == '\0' ? NULL : r->void_reason);
    json_set_text(o, "text", r->text);
    return o;
}

/* Expiry binds until a plan's cohort is started, and every other request until it is approved. */
static bool has_expired(const struct session *s, const struct request *r, const struct cohort *cohorts,
                        size_t n, struct utc now)
{
    if (r->expires_at.s > now.s)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(r->what, "plan") == 0 && cohorts[i].cohort == r->cohort)
            return !utc_is_set(cohorts[i].started_at);
    return r->approvals < s->settings.quorum;
}

static void request_line(const struct session *s, const struct request *r, bool expired)
{
    char expires[UTC_TEXT];
    const char *state = r->void_reason[0] != '\0'            ? r->void_reason
                        : expired                            ? "expired"
                        : r->approvals >= s->settings.quorum ? "approved"
                                                             : "waits";
    printf("%4d  %-8s cohort %-3d %d of %d approvals, expires %s  %s\n", r->request, r->what, r->cohort,
           r->approvals, s->settings.quorum, utc_format(r->expires_at, expires), state);
}

bool cmd_request_list(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct request *requests;
    struct cohort *cohorts;
    size_t n, cohort_count;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_cohorts(s.store, s.campaign.id, &s.arena, &cohorts, &cohort_count, f) ||
        !store_requests(s.store, s.campaign.id, &s.arena, &requests, &n, f))
        return false;
    struct utc now = s.clock.now(s.clock.self);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (in->json)
            json_array_append_new(list, request_json(&requests[i]));
        else
            request_line(&s, &requests[i], has_expired(&s, &requests[i], cohorts, cohort_count, now));
    if (in->json)
        session_print(json_pack("{s:O}", "requests", list));
    else if (n == 0)
        puts("No request. Next: massrevoke plan");
    json_decref(list);
    return true;
}

static bool request_number(const struct invocation *in, int *number, struct fault *f)
{
    char *end;
    *number = 0;
    if (in->arg_count == 0)
        return true;
    long value = strtol(in->args[0], &end, 10);
    if (*end != '\0' || value < 1 || value > INT32_MAX)
        return fault_set(f, FAULT_USAGE, "'%.40s' is not the number of a request", in->args[0]);
    *number = (int)value;
    return true;
}

bool cmd_request_show(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct request r;
    int number;
    (void)exit_code;
    if (!request_number(in, &number, f) || !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_request(&c, number, &s.arena, &r, f))
        return false;
    if (in->json)
        session_print(request_json(&r));
    else
        fputs(r.text, stdout); /* exactly the bytes that are signed */
    return true;
}

static bool signature_bytes(struct session *s, const struct invocation *in, const struct request *r,
                            struct str *out, struct fault *f)
{
    const char *made = in->values[OPTION_SIGNATURE], *key = in->values[OPTION_KEY],
               *cert = in->values[OPTION_CERT];
    if (made != NULL && key == NULL && cert == NULL)
        return file_read(made, CMS_MAX, &s->arena, out, f);
    if (made != NULL || key == NULL || cert == NULL) {
        fault_set(f, FAULT_USAGE,
                  "an approval is signed with --key FILE --cert FILE, or elsewhere and given with "
                  "--signature FILE");
        return fault_hint(f,
                          "massrevoke request show %d > request.txt; openssl cms -sign -binary -in "
                          "request.txt -signer CERT -inkey KEY -outform DER -out request.p7s",
                          r->request);
    }
    AUTO_BUF signature = {0};
    if (!cms_sign(str_of(r->text), key, NULL, cert, &signature, f))
        return false;
    *out = (struct str){arena_copy(&s->arena, signature.p, signature.n), signature.n};
    return true;
}

static bool withdraw(struct session *s, const struct invocation *in, struct fault *f)
{
    int64_t wanted = 0;
    struct conduct c = session_conduct(s);
    if (!option_int(in, OPTION_COHORT, 1, INT32_MAX, &wanted, f))
        return false;
    int cohort = (int)wanted;
    if (!conduct_withdraw(&c, &cohort, f))
        return false;
    printf("Withdrawn by %s: cohort %d stops before the next certificate.\nNext: massrevoke plan; massrevoke "
           "approve; massrevoke start --cohort %d\n",
           s->who, cohort, cohort);
    return true;
}

bool cmd_approve(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct request r;
    struct str signature = {NULL, 0};
    const char *who;
    int number, approvals;
    (void)exit_code;
    if (!request_number(in, &number, f) || !session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    if (option_given(in, OPTION_WITHDRAW))
        return withdraw(&s, in, f);
    struct conduct c = session_conduct(&s);
    if (!conduct_request(&c, number, &s.arena, &r, f) || !signature_bytes(&s, in, &r, &signature, f) ||
        !conduct_approve(&c, &r, signature, &approvals, &who, f))
        return false;
    printf("Request %d signed by %s: %d of %d approvals.\n", r.request, who, approvals, s.settings.quorum);
    if (approvals >= s.settings.quorum && strcmp(r.what, "plan") == 0)
        printf("Next: massrevoke start --confirm %s\n", s.campaign.name);
    if (approvals >= s.settings.quorum && strcmp(r.what, "release") == 0)
        puts("What it names is released from the hold. Next: massrevoke run");
    if (approvals >= s.settings.quorum && (strcmp(r.what, "clock") == 0 || strcmp(r.what, "rule") == 0))
        puts("The clock has moved. Next: massrevoke plan");
    return true;
}
