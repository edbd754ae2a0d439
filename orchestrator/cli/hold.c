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

static const char *state_word(enum certificate_state state)
{
    return state == CERTIFICATE_NONE ? "absent" : certificate_state_name(state);
}

/* Where the certificates of a hold stand. */
struct held {
    int hold, request; /* request: 0 for a court order, which binds at once */
    const enum certificate_state *states;
    int bound; /* of them, now or after the approval */
};

static void hold_json(const struct invocation *in, const struct held *h)
{
    json_t *list = json_array();
    for (int i = 0; i < in->arg_count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "serial", in->args[i], "state",
                                              state_word(h->states[i]), "binds",
                                              (int)(unbound[h->states[i]] == NULL)));
    }
    json_t *out = json_pack("{s:i, s:i, s:i, s:o}", "hold", h->hold, "binds", h->request == 0 ? h->bound : 0,
                            "not_bound", in->arg_count - h->bound, "certificates", list);
    if (h->request != 0)
        json_object_set_new(out, "request", json_integer(h->request));
    session_print(out);
}

static void hold_text(const struct invocation *in, const struct held *h)
{
    if (h->request == 0)
        printf(
            "Hold %d binds now: %d certificates. It moves no deadline, and ends only by a signed release.\n",
            h->hold, h->bound);
    else
        printf("Delay %d binds after its approval: %d certificates. Next: massrevoke approve %d --key FILE "
               "--cert FILE\n",
               h->hold, h->bound, h->request);
    if (h->bound < in->arg_count)
        printf("It does not bind %d. If the CA revokes them all the same, status and an alert tell.\n",
               in->arg_count - h->bound);
    for (int i = 0; i < in->arg_count; i++)
        if (unbound[h->states[i]] != NULL)
            printf("%s  %s\n", in->args[i], unbound[h->states[i]]);
}

/* Counts what a hold binds; what it does not is listed and makes the exit code 8. */
static bool tell_hold(struct session *s, const struct invocation *in, const struct listed *items,
                      struct held *h, int *exit_code, struct fault *f)
{
    enum certificate_state *states;
    if (!store_standing(s->store, s->campaign.id, items, (size_t)in->arg_count, &s->arena, &states, f))
        return false;
    h->states = states;
    for (int i = 0; i < in->arg_count; i++)
        h->bound += unbound[states[i]] == NULL;
    if (h->bound < in->arg_count)
        *exit_code = fault_exit_code(FAULT_PARTLY);
    (in->json ? hold_json : hold_text)(in, h);
    return true;
}

bool cmd_hold(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    struct utc until = UTC_NONE;
    struct held held = {0};
    bool court = option_given(in, OPTION_COURT);
    if (court == option_given(in, OPTION_DELAY))
        return fault_set(f, FAULT_USAGE,
                         "a hold is either --court DOCUMENT or --delay --decision D --until TIME");
    if (court && option_given(in, OPTION_UNTIL))
        return fault_set(f, FAULT_USAGE,
                         "a court hold has no end (--until): it ends only by a signed release");
    if (!court && (!option_required(in, OPTION_DECISION, f) || !option_required(in, OPTION_UNTIL, f)))
        return false;
    if (!option_time(in, OPTION_UNTIL, &until, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !session_serials(&s, in, &items, f))
        return false;
    struct conduct c = session_conduct(&s);
    const char *document = in->values[court ? OPTION_COURT : OPTION_DECISION];
    size_t n = (size_t)in->arg_count;
    return (court ? conduct_hold_court(&c, document, items, n, &held.hold, f)
                  : conduct_hold_delay(&c, document, until, items, n, &held.hold, &held.request, f)) &&
           tell_hold(&s, in, items, &held, exit_code, f);
}

static const char *release_word(enum release_verdict verdict)
{
    return verdict == RELEASE_DONE ? "released" : verdict == RELEASE_ASKED ? "asked" : "not_held";
}

static void release_json(const struct invocation *in, const struct conduct_release *r,
                         const enum certificate_state *states, int released, int not_held)
{
    json_t *requests = json_array(), *list = json_array();
    for (size_t i = 0; i < r->request_count; i++)
        json_array_append_new(requests, json_pack("{s:i, s:i, s:i, s:b}", "hold", r->requests[i].hold,
                                                  "request", r->requests[i].request, "certificates",
                                                  (int)r->requests[i].certificates, "waited",
                                                  (int)r->requests[i].waited));
    for (int i = 0; i < in->arg_count; i++) {
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "serial", in->args[i], "state",
                                        state_word(states[i]), "verdict", release_word(r->verdicts[i])));
    }
    session_print(json_pack("{s:i, s:i, s:o, s:o}", "released", released, "not_held", not_held, "requests",
                            requests, "certificates", list));
}

static void release_text(const struct invocation *in, const struct conduct_release *r,
                         const enum certificate_state *states, int released, int not_held)
{
    if (released > 0)
        printf("Released %d certificates from delay.\n", released);
    for (size_t i = 0; i < r->request_count; i++) {
        const struct release_request *q = &r->requests[i];
        printf(q->waited ? "Request %d waits already to end court hold %d for these %zu certificates.\n"
                         : "Request %d is to end court hold %d for %zu certificates, and for no others.\n",
               q->request, q->hold, q->certificates);
        printf("Next: massrevoke approve %d --key FILE --cert FILE\n", q->request);
    }
    if (not_held > 0)
        printf("%d are not held.\n", not_held);
    for (int i = 0; i < in->arg_count; i++)
        if (r->verdicts[i] == RELEASE_NOT_HELD)
            printf("%s  %s\n", in->args[i],
                   states[i] == CERTIFICATE_NONE ? "not in this campaign" : "no active hold names it");
}

/* Counts what was released; what no hold names is listed and makes the exit code 8. */
static bool tell_release(struct session *s, const struct invocation *in, const struct listed *items,
                         const struct conduct_release *r, int *exit_code, struct fault *f)
{
    enum certificate_state *states;
    int released = 0, not_held = 0;
    if (!store_standing(s->store, s->campaign.id, items, (size_t)in->arg_count, &s->arena, &states, f))
        return false;
    for (int i = 0; i < in->arg_count; i++) {
        released += r->verdicts[i] == RELEASE_DONE;
        not_held += r->verdicts[i] == RELEASE_NOT_HELD;
    }
    if (not_held > 0)
        *exit_code = fault_exit_code(FAULT_PARTLY);
    (in->json ? release_json : release_text)(in, r, states, released, not_held);
    return true;
}

bool cmd_release(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    struct conduct_release released;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !session_serials(&s, in, &items, f))
        return false;
    struct conduct c = session_conduct(&s);
    return conduct_release(&c, items, (size_t)in->arg_count, &s.arena, &released, f) &&
           tell_release(&s, in, items, &released, exit_code, f);
}
