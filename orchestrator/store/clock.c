/* Anchors: what is known of a clock, and by whom. */
#include "internal.h"
#include "massrevoke/store_clock.h"

bool store_anchors(struct store *s, int campaign, int cohort, struct utc out[static ANCHOR_COUNT],
                   struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    for (int i = 0; i < ANCHOR_COUNT; i++)
        out[i] = UTC_NONE;
    put_int(&p, campaign);
    put_int(&p, cohort);
    if (!store_query(s, "anchor_list", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        enum anchor anchor = anchor_from_name(str_of(get_text(r, i, 0)));
        if (anchor != ANCHOR_COUNT)
            out[anchor] = get_utc(r, i, 1);
    }
    return true;
}

bool store_anchor(struct store *s, int campaign, int cohort, enum anchor anchor, struct utc *at,
                  struct fault *f)
{
    struct utc all[ANCHOR_COUNT];
    if (!store_anchors(s, campaign, cohort, all, f))
        return false;
    *at = all[anchor];
    return true;
}
