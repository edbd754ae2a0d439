/* notify and ack: telling subscribers now, and recording that one of them answered. */
#include "generation.h"
#include "massrevoke/store_notice.h"
#include "session.h"

#include <stdio.h>

static bool kind_option(const struct invocation *in, enum notice_kind *kind, struct fault *f)
{
    const char *name = in->values[OPTION_KIND];
    *kind = name == NULL ? NOTICE_HEADS_UP : notice_kind_from_name(str_of(name));
    if (*kind != NOTICE_KIND_COUNT)
        return true;
    fault_set(f, FAULT_USAGE, "there is no kind of notice '%.40s'", name);
    return fault_hint(f,
                      "heads_up (before there is a plan), first (names the hour) or moved (an earlier hour)");
}

static void tell(const struct invocation *in, const struct engine_notified *n, bool dry_run)
{
    if (in->json) {
        json_t *o = json_object();
        json_set_int(o, "subscribers", n->subscribers);
        json_set_int(o, "messages", n->messages);
        json_set_int(o, "accepted", n->accepted);
        json_set_int(o, "refused", n->refused);
        json_set_int(o, "unreachable", n->unreachable);
        json_set_bool(o, "dry_run", dry_run);
        session_print(o);
    } else if (dry_run) {
        printf("%lld subscribers, %lld messages rendered, none sent. %lld subscribers cannot be reached.\n",
               (long long)n->subscribers, (long long)n->messages, (long long)n->unreachable);
    } else {
        printf("%lld subscribers, %lld messages: %lld accepted, %lld refused. %lld subscribers cannot be "
               "reached.\n",
               (long long)n->subscribers, (long long)n->messages, (long long)n->accepted,
               (long long)n->refused, (long long)n->unreachable);
    }
}

bool cmd_notify(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct engine_parts parts;
    struct engine *engine;
    struct engine_notified told;
    enum notice_kind kind;
    bool dry_run = option_given(in, OPTION_DRY_RUN);
    if (!kind_option(in, &kind, f) || !session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !session_engine(&s, &parts, f))
        return false;
    if (s.mail == NULL) {
        fault_set(f, FAULT_CONFIG, "mail is not configured");
        return fault_hint(f, "set mail.spool_dir or mail.relay_url");
    }
    parts.who = "notify";
    if (s.campaign.paused_notify && !dry_run)
        return fault_set(f, FAULT_CONFLICT, "notices are paused: %s", s.campaign.pause_reason);
    struct generation generation;
    parts.may_act = dry_run ? NULL : generation_check;
    parts.may_act_context = &generation;
    if (!generation_open(&s, &generation, f) || !engine_open(&parts, &engine, f))
        return false;
    bool ok = engine_notify_now(engine, kind, dry_run, &told, f);
    engine_close(engine);
    if (!ok)
        return false;
    tell(in, &told, dry_run);
    *exit_code = told.refused + told.unreachable > 0 ? fault_exit_code(FAULT_PARTLY) : 0;
    return true;
}

bool cmd_ack(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    bool first;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    const char *text = in->values[OPTION_REASON] == NULL ? "" : in->values[OPTION_REASON];
    if (!store_ack(s.store, &act, in->args[0], text, &first, f))
        return false;
    printf("%s %s. Its backup contacts are not told; no hour moves.\n", in->args[0],
           first ? "has answered" : "had answered before");
    return true;
}
