/* check: is everything there that a campaign will need, before it needs it? */
#include "check.h"

#include <stdio.h>

void check_add(struct check *c, enum check_state state, enum fault_kind kind, const char *area,
               const char *subject, const char *seen, const char *remedy)
{
    struct arena *a = &c->session->arena;
    if (c->count == c->room) {
        struct check_row *more = arena_array(a, 2 * c->room + 16, sizeof *more);
        if (c->count > 0)
            memcpy(more, c->rows, c->count * sizeof *more);
        c->rows = more;
        c->room = 2 * c->room + 16;
    }
    c->rows[c->count++] = (struct check_row){
        area, arena_text(a, subject), state, arena_text(a, seen), arena_text(a, remedy), kind};
}

void check_fault(struct check *c, const char *area, const char *subject, const struct fault *f,
                 const char *remedy)
{
    enum fault_kind kind = f->kind == FAULT_CONFIG || f->kind == FAULT_UNAVAILABLE ? f->kind : FAULT_PARTLY;
    check_add(c, CHECK_FAIL, kind, area, subject, f->text, f->hint[0] != '\0' ? f->hint : remedy);
}

static const char *const words[] = {"ok", "warn", "FAIL"};

static void print_rows(const struct check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct check_row *r = &c->rows[i];
        printf("%-4s  %-10s %s: %s\n", words[r->state], r->area, r->subject, r->seen);
        if (r->state != CHECK_OK && r->remedy[0] != '\0')
            printf("                 do: %s\n", r->remedy);
    }
}

static json_t *rows_json(const struct check *c)
{
    static const char *const states[] = {"ok", "warn", "fail"};
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++) {
        const struct check_row *r = &c->rows[i];
        json_t *o = json_object();
        json_set_text(o, "area", r->area);
        json_set_text(o, "subject", r->subject);
        json_set_text(o, "state", states[r->state]);
        json_set_text(o, "seen", r->seen);
        json_set_text(o, "remedy", r->state == CHECK_OK || r->remedy[0] == '\0' ? NULL : r->remedy);
        json_array_append_new(list, o);
    }
    return list;
}

/* The configuration first, then who is away, then everything else. */
static int exit_of(const struct check *c, const size_t n[static 3])
{
    static const enum fault_kind order[] = {FAULT_CONFIG, FAULT_UNAVAILABLE};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; i < c->count; i++)
            if (c->rows[i].state == CHECK_FAIL && c->rows[i].kind == order[k])
                return fault_exit_code(order[k]);
    return n[CHECK_FAIL] > 0 ? fault_exit_code(FAULT_PARTLY) : 0;
}

/* A database that is away stops nothing else from being looked at; a configuration that is wrong does. */
static bool open_session(const struct invocation *in, struct session *s, struct check *c, struct fault *f)
{
    if (!session_open(in, SESSION_STORE, s, f)) {
        if (s->settings.ca_count == 0 && f->kind == FAULT_CONFIG)
            return false;
        check_fault(c, "database", s->settings.db_conninfo == NULL ? "private cluster" : "db.conninfo", f,
                    "massrevoke db status");
        *f = (struct fault){0};
        return true;
    }
    const char *name = in->values[OPTION_CAMPAIGN];
    if (name == NULL)
        name = getenv("MASSREVOKE_CAMPAIGN");
    struct fault none = {0};
    c->campaign = store_campaign_find(s->store, name, &s->arena, &s->campaign, &none) &&
                  profile_read(s->settings.plans_dir, s->campaign.profile, &s->arena, &s->profile, &none);
    if (!c->campaign && name != NULL) {
        *f = none;
        return false;
    }
    return true;
}

static void open_doors(struct check *c)
{
    struct fault f = {0};
    c->doors = session_engine(c->session, &c->parts, &f);
    if (!c->doors)
        check_fault(c, "backend", "configuration", &f, "massrevoke config check");
}

bool cmd_check(struct invocation *in, int *exit_code, struct fault *f)
{
    static void (*const parts[])(struct check *) = {check_database,  check_disk,      check_backends,
                                                    check_reasons,   check_published, check_disclosed,
                                                    check_approvers, check_contacts,  check_alerts};
    AUTO_SESSION s = {0};
    struct check c = {.session = &s};
    size_t n[3] = {0};
    if (!open_session(in, &s, &c, f))
        return false;
    open_doors(&c);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        parts[i](&c);
    for (size_t i = 0; i < c.count; i++)
        n[c.rows[i].state]++;
    if (in->json) {
        json_t *object = json_object();
        json_set_text(object, "campaign", c.campaign ? s.campaign.name : NULL);
        json_set_bool(object, "ok", n[CHECK_FAIL] == 0);
        json_set_int(object, "warnings", (int64_t)n[CHECK_WARN]);
        json_set_int(object, "failures", (int64_t)n[CHECK_FAIL]);
        json_object_set_new(object, "checks", rows_json(&c));
        session_print(object);
    } else {
        print_rows(&c);
        printf("%zu ok, %zu warnings, %zu failures%s%s\n", n[CHECK_OK], n[CHECK_WARN], n[CHECK_FAIL],
               c.campaign ? ", for campaign " : "; no campaign is open, so its own parts were not looked at",
               c.campaign ? s.campaign.name : "");
    }
    *exit_code = exit_of(&c, n);
    return true;
}
