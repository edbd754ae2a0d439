/* drop, hold, release: taking certificates out, for good or for a time. */
#include "session.h"

#include <stdio.h>

/* Counts verdicts; what was too late or absent is listed and makes the exit code 8. */
static void tell_drop(const struct invocation *in, const char *const *verdicts, int *exit_code)
{
    static const char *const words[] = {"withdrawn", "noted", "too_late", "absent"};
    static const char *const texts[] = {"withdrawn",
                                        "asked already: withdrawn the moment the answer allows it",
                                        "too late, the CA has it as revoked", "not in this campaign"};
    json_t *list = json_array();
    for (int i = 0; i < in->arg_count; i++) {
        size_t word = 0;
        while (word < 3 && strcmp(verdicts[i], words[word]) != 0)
            word++;
        if (word >= 2)
            *exit_code = fault_exit_code(FAULT_PARTLY);
        if (in->json)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s}", "serial", in->args[i], "verdict", words[word]));
        else
            printf("%s  %s\n", in->args[i], texts[word]);
    }
    if (in->json)
        session_print(json_pack("{s:O}", "certificates", list));
    json_decref(list);
}

bool cmd_drop(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    const char **verdicts;
    if (!option_required(in, OPTION_REASON, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !session_serials(&s, in, &items, f) ||
        !session_confirm_scope(&s, in, "Certificates leave a campaign that has started.", f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!store_drop(s.store, &act, items, (size_t)in->arg_count, in->values[OPTION_REASON], &s.arena,
                    &verdicts, f))
        return false;
    tell_drop(in, verdicts, exit_code);
    return true;
}

#define MAY_GO "asked already: held the moment the answer allows it, and may be revoked all the same"
#define TOO_LATE "too late, the CA has it as revoked"

/* Why a hold does not bind what stands so; NULL: it does. */
static const char *const unbound[CERTIFICATE_STATE_COUNT] = {
    [CERTIFICATE_NONE] = "not in this campaign",
    [CERTIFICATE_ASKED] = MAY_GO,
    [CERTIFICATE_DOUBT] = MAY_GO,
    [CERTIFICATE_RECORDED] = TOO_LATE,
    [CERTIFICATE_WAS_BEFORE] = TOO_LATE,
    [CERTIFICATE_CRL_SEEN] = TOO_LATE,
    [CERTIFICATE_OCSP_SEEN] = TOO_LATE,
    [CERTIFICATE_VANISHED] = TOO_LATE,
    [CERTIFICATE_PUBLISHED] = "too late, it is published as revoked",
    [CERTIFICATE_EXPIRED] = "expired: nothing is left to hold",
    [CERTIFICATE_UNKNOWN] = "unknown to the CA: held when it is tried again",
    [CERTIFICATE_WITHDRAWN] = "withdrawn from this campaign",
};

static void hold_json(const struct invocation *in, int hold, const enum certificate_state *states, int binds)
{
    json_t *list = json_array();
    for (int i = 0; i < in->arg_count; i++) {
        const char *state = states[i] == CERTIFICATE_NONE ? "absent" : certificate_state_name(states[i]);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "serial", in->args[i], "state", state,
                                              "binds", (int)(unbound[states[i]] == NULL)));
    }
    session_print(json_pack("{s:i, s:i, s:i, s:o}", "hold", hold, "binds", binds, "not_bound",
                            in->arg_count - binds, "certificates", list));
}

static void hold_text(const struct invocation *in, int hold, const enum certificate_state *states, int binds)
{
    printf("Hold %d binds now: %d certificates. It moves no deadline, and ends only by a signed release.\n",
           hold, binds);
    if (binds < in->arg_count)
        printf("It does not bind %d. If the CA revokes them all the same, status and an alert tell.\n",
               in->arg_count - binds);
    for (int i = 0; i < in->arg_count; i++)
        if (unbound[states[i]] != NULL)
            printf("%s  %s\n", in->args[i], unbound[states[i]]);
}

/* Counts what a court order binds; what it does not is listed and makes the exit code 8. */
static bool tell_court(struct session *s, const struct invocation *in, const struct listed *items, int hold,
                       int *exit_code, struct fault *f)
{
    enum certificate_state *states;
    int binds = 0;
    if (!store_standing(s->store, s->campaign.id, items, (size_t)in->arg_count, &s->arena, &states, f))
        return false;
    for (int i = 0; i < in->arg_count; i++)
        binds += unbound[states[i]] == NULL;
    if (binds < in->arg_count)
        *exit_code = fault_exit_code(FAULT_PARTLY);
    (in->json ? hold_json : hold_text)(in, hold, states, binds);
    return true;
}

static void tell_delay(const struct invocation *in, int hold, int request)
{
    if (in->json)
        session_print(json_pack("{s:i, s:i, s:i}", "hold", hold, "request", request, "binds", 0));
    else
        printf("Delay %d binds after its approval. Next: massrevoke approve %d --key FILE --cert FILE\n",
               hold, request);
}

bool cmd_hold(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    struct utc until = UTC_NONE;
    int hold, request;
    bool court = option_given(in, OPTION_COURT);
    if (court == option_given(in, OPTION_DELAY))
        return fault_set(f, FAULT_USAGE,
                         "a hold is either --court DOCUMENT or --delay --decision D --until TIME");
    if (!court && (!option_required(in, OPTION_DECISION, f) || !option_required(in, OPTION_UNTIL, f)))
        return false;
    if (!option_time(in, OPTION_UNTIL, &until, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !session_serials(&s, in, &items, f))
        return false;
    struct conduct c = session_conduct(&s);
    const char *document = in->values[court ? OPTION_COURT : OPTION_DECISION];
    if (!conduct_hold(&c, court, document, until, items, (size_t)in->arg_count, &hold, &request, f))
        return false;
    if (court)
        return tell_court(&s, in, items, hold, exit_code, f);
    tell_delay(in, hold, request);
    return true;
}

bool cmd_release(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    int64_t released;
    int request;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !session_serials(&s, in, &items, f))
        return false;
    struct conduct c = session_conduct(&s);
    if (!conduct_release(&c, items, (size_t)in->arg_count, &released, &request, f))
        return false;
    if (released > 0)
        printf("Released %lld certificates from delay.\n", (long long)released);
    if (request != 0)
        printf("A court hold ends by approval. Next: massrevoke approve %d --key FILE --cert FILE\n",
               request);
    return true;
}
