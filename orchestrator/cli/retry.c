/* retry: another try for what the CA did not know or a person had to look at. */
#include "massrevoke/store_safety.h"
#include "session.h"

#include <stdio.h>

static const char *text_of(const struct retried *r)
{
    return r->waits                          ? "waits for its next turn"
           : r->state == CERTIFICATE_NONE    ? "has no number in this campaign: nothing planned it"
           : r->state == CERTIFICATE_WAITING ? "waits already"
                                             : "is beyond another try";
}

bool cmd_retry(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct listed *items;
    struct retried *results;
    size_t n = (size_t)in->arg_count;
    const char *reason = in->values[OPTION_REASON] == NULL ? "" : in->values[OPTION_REASON];
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !session_serials(&s, in, &items, f) ||
        !session_confirm_scope(&s, in, "The CA is asked to revoke these again.", f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!store_retry(s.store, &act, items, n, reason, &s.arena, &results, f))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const char *state =
            results[i].state == CERTIFICATE_NONE ? "absent" : certificate_state_name(results[i].state);
        if (!results[i].waits)
            *exit_code = fault_exit_code(FAULT_PARTLY);
        if (in->json)
            json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "serial", in->args[i], "was", state,
                                                  "waits", (int)results[i].waits));
        else
            printf("%s  %-12s  %s\n", in->args[i], state, text_of(&results[i]));
    }
    if (in->json)
        session_print(json_pack("{s:O}", "certificates", list));
    json_decref(list);
    return true;
}
