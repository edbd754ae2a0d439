/* Where the log ends: what tells a database that was put back from the one we knew. */
#include "internal.h"
#include "massrevoke/store_log.h"

bool store_log_mark(struct store *s, int campaign, int64_t seq, struct arena *a, struct log_mark *out,
                    struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, seq);
    if (!store_query(s, "generation_mark", &p, &r, f))
        return false;
    if (PQntuples(r) == 0)
        return fault_set(f, FAULT_FAILED, "the campaign has no log");
    *out = (struct log_mark){.size = get_int(r, 0, 0),
                             .last = get_digest(r, 0, 1),
                             .asked = get_digest(r, 0, 2),
                             .was_on = arena_text(a, get_text(r, 0, 3)),
                             .is_on = arena_text(a, get_text(r, 0, 4)),
                             .confirmed = (int)get_int(r, 0, 5)};
    return true;
}

bool store_generation_note(struct store *s, int campaign, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    return store_do(s, "generation_note", &p, f);
}

bool store_generation_confirm(struct store *s, const struct act *act, int64_t seen, int64_t size,
                              struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    json_set_int(data, "seen", seen);
    json_set_int(data, "size", size);
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "generation_confirm", &p, f);
}
