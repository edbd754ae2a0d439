#include "alert_keys.h"

static const struct guard_key oncall_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .required = true, .min = 1, .max = 64},
    {.name = "email", .type = GUARD_TEXT, .required = true, .min = 3, .max = 254},
    {0},
};

static const struct guard_key heartbeat_keys[] = {
    {.name = "file", .type = GUARD_PATH},
    {.name = "url", .type = GUARD_TEXT, .min = 1, .max = 1000},
    {.name = "url_file", .type = GUARD_PATH},
    {.name = "every", .type = GUARD_SPAN, .min = 5, .max = 86400},
    {0},
};

const struct guard_key alert_keys[] = {
    {.name = "command", .type = GUARD_TEXTS, .min = 1, .max = 30},
    {.name = "oncall", .type = GUARD_LIST, .min = 1, .max = 50, .keys = oncall_keys},
    {.name = "after", .type = GUARD_SPAN, .min = 1, .max = 86400},
    {.name = "heartbeat", .type = GUARD_GROUP, .keys = heartbeat_keys},
    {0},
};

void alert_keys_check_address(struct guard *g, const struct guard_node *n)
{
    if (!n->given)
        return;
    const char *at = strchr(n->text, '@');
    bool ok = at != NULL && at != n->text && at[1] != '\0' && strchr(at + 1, '@') == NULL;
    for (const char *p = n->text; *p != '\0'; p++)
        ok = ok && (unsigned char)*p > ' ' && *p != 0x7f && strchr("<>,;:\"()", *p) == NULL;
    if (!ok)
        guard_problem(g, n, "'%.80s' is not one bare mail address", n->text);
}

struct settings_alert alert_keys_take(struct guard *g, const struct guard_node *alert)
{
    const struct guard_node *words = guard_get(alert, "command"), *people = guard_get(alert, "oncall"),
                            *beat = guard_get(alert, "heartbeat");
    const char **command = arena_array(g->arena, words->count, sizeof *command);
    struct settings_oncall *oncall = arena_array(g->arena, people->count, sizeof *oncall);
    for (size_t i = 0; i < words->count; i++)
        command[i] = words->inside[i].text;
    for (size_t i = 0; i < people->count; i++)
        oncall[i] = (struct settings_oncall){guard_text(&people->inside[i], "name", NULL),
                                             guard_text(&people->inside[i], "email", NULL)};
    return (struct settings_alert){
        .command = command,
        .command_count = words->count,
        .oncall = oncall,
        .oncall_count = people->count,
        .after = guard_span(alert, "after", (struct span){900}),
        .beat_file = guard_text(beat, "file", NULL),
        .beat_url = guard_text(beat, "url", NULL),
        .beat_url_file = guard_text(beat, "url_file", NULL),
        .beat_every = guard_span(beat, "every", (struct span){60}),
    };
}

static bool is_web(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

void alert_keys_check(struct guard *g, const struct guard_node *alert, const struct settings *s)
{
    const struct guard_node *people = guard_get(alert, "oncall"), *beat = guard_get(alert, "heartbeat");
    for (size_t i = 0; i < people->count; i++)
        alert_keys_check_address(g, guard_get(&people->inside[i], "email"));
    if (people->given && s->mail_spool_dir == NULL && s->mail_relay_url == NULL)
        guard_problem(g, people, "needs mail.relay_url or mail.spool_dir to leave the house");
    if (s->alert.beat_url != NULL && !is_web(s->alert.beat_url))
        guard_problem(g, guard_get(beat, "url"), "expected http:// or https://");
    if (s->alert.beat_url != NULL && s->alert.beat_url_file != NULL)
        guard_problem(g, guard_get(beat, "url_file"), "give either url or url_file, not both");
    if (beat->given && s->alert.beat_file == NULL && s->alert.beat_url == NULL &&
        s->alert.beat_url_file == NULL)
        guard_problem(g, beat, "needs a file, a url or a url_file");
}
