#include "massrevoke/alert.h"

static const struct {
    const char *name, *what;
    int64_t lasts;
} kinds[ALERT_KIND_COUNT] = {
#define ALERT(id, name, lasts, what) {name, what, lasts},
#include "alert.def"
#undef ALERT
};

const char *alert_kind_name(enum alert_kind kind)
{
    return kinds[kind].name;
}

const char *alert_kind_what(enum alert_kind kind)
{
    return kinds[kind].what;
}

struct span alert_kind_lasts(enum alert_kind kind)
{
    return (struct span){kinds[kind].lasts};
}

enum alert_kind alert_kind_from_name(struct str name)
{
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++)
        if (str_is(name, kinds[kind].name))
            return (enum alert_kind)kind;
    return ALERT_KIND_COUNT;
}

const char *alert_path_name(enum alert_path path)
{
    static const char *const names[ALERT_PATH_COUNT] = {"command", "mail"};
    return names[path];
}

const char *alert_state(const struct alert *a)
{
    return utc_is_set(a->cleared_at) ? "cleared" : utc_is_set(a->acked_at) ? "acknowledged" : "open";
}
