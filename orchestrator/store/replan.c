/* How fast the work goes, what is behind, and whom a plan moved earlier. */
#include "internal.h"
#include "massrevoke/outcome.h"
#include "massrevoke/store_replan.h"

bool store_measured(struct store *s, int campaign, struct utc now, size_t ca_count, struct arena *a,
                    struct rate **rates, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array good = {{0}};
    uint8_t doubtful = CA_ASK;
    array_int(&good, CA_REVOKED_NOW);
    array_int(&good, CA_REVOKED_BEFORE);
    put_int(&p, campaign);
    put_utc(&p, now);
    put_array(&p, &good);
    put_bytes(&p, &doubtful, 1);
    *rates = arena_array(a, ca_count, sizeof **rates);
    if (!store_query(s, "measured", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t ca = get_int(r, i, 0), certificates = get_int(r, i, 1), seconds = get_int(r, i, 2);
        bool enough = certificates >= MEASURED_CERTIFICATES || seconds >= MEASURED_SECONDS;
        if (ca >= 0 && ca < (int64_t)ca_count && enough && certificates > 0 && seconds > 0)
            (*rates)[ca] = (struct rate){certificates, seconds};
    }
    return true;
}

bool store_pace(struct store *s, int campaign, struct utc now, const struct rate *rates, size_t ca_count,
                struct arena *a, struct pace_end **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array cas = {{0}}, certificates = {{0}}, seconds = {{0}};
    bool any = false;
    for (size_t i = 0; i < ca_count; i++) {
        if (rates[i].count == 0)
            continue;
        any = true;
        array_int(&cas, (int64_t)i);
        array_int(&certificates, rates[i].count);
        array_int(&seconds, rates[i].per);
    }
    put_int(&p, campaign);
    put_utc(&p, now);
    put_array(&p, &cas);
    put_array(&p, &certificates);
    put_array(&p, &seconds);
    *n = 0;
    *out = NULL;
    if (!any)
        return true;
    if (!store_query(s, "pace", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct pace_end){.cohort = (int)get_int(r, i, 0),
                                      .ca = (int)get_int(r, i, 1),
                                      .left = get_int(r, i, 2),
                                      .planned = get_utc(r, i, 3),
                                      .finish = get_utc(r, i, 4)};
    return true;
}

bool store_replan_due(struct store *s, int campaign, struct utc now, const int *skip, size_t skip_count,
                      struct arena *a, struct replan_due **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array left_out = {{0}};
    for (size_t i = 0; i < skip_count; i++)
        array_int(&left_out, skip[i]);
    put_int(&p, campaign);
    put_utc(&p, now);
    put_array(&p, &left_out);
    if (!store_query(s, "replan_due", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct replan_due){.cohort = (int)get_int(r, i, 0),
                                        .ca = get_null(r, i, 1) ? -1 : (int)get_int(r, i, 1),
                                        .oldest = get_utc(r, i, 2),
                                        .backlog = get_int(r, i, 3),
                                        .planned_at = get_utc(r, i, 4),
                                        .feasible = get_bool(r, i, 5),
                                        .replaced = get_bool(r, i, 6)};
    return true;
}

static bool move(struct store *s, const struct act *act, int cohort, int64_t *moved, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "moves_note", &p, &r, f))
        return false;
    *moved += get_int(r, 0, 0);
    return true;
}

bool store_moves_note(struct store *s, const struct act *act, int64_t *moved, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    *moved = 0;
    put_int(&p, act->campaign);
    if (!store_query(s, "moves_due", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        if (!move(s, act, (int)get_int(r, i, 0), moved, f))
            return false;
    return true;
}

bool store_moved_waiting(struct store *s, int campaign, struct utc now, bool looks, struct arena *a,
                         int **chunks, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_utc(&p, now);
    if (!store_query(s, looks ? "moved_waiting" : "moved_held", &p, &r, f))
        return false;
    const int64_t *list = get_ints(r, 0, 0, a, n);
    *chunks = arena_array(a, *n, sizeof **chunks);
    for (size_t i = 0; i < *n; i++)
        (*chunks)[i] = (int)list[i];
    return true;
}
