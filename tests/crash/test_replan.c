/* Does the plan follow reality: a slow CA, replaced certificates, people told again before an earlier hour,
 * linters, and a kill between the new plan and its first claim? */
#include "../lib/campaign.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/file.h"
#include "massrevoke/store_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILE "tls-5-day"
#define CERTIFICATES 1500
#define HOUR 3600

static struct world world;

/* Contacts belong to no campaign: one that does nothing else brings them in, before the others are planned.
 */
static void import_contacts(void)
{
    struct fault f = {0};
    struct str bytes;
    AUTO_INTAKE_CONTACTS contacts = {0};
    const uint64_t seed[2] = {1, 2};
    struct conduct c = {.store = world.store, .settings = &world.settings, .now = *world.now, .who = "olga"};
    c.campaign.id = world_campaign(&world, "contacts", PROFILE);
    const char *path = file_join(&world.arena, world.folder, "contacts.csv");
    assert_true(file_read(path, (size_t)1 << 20, &world.arena, &bytes, &f));
    assert_true(intake_contacts_read(&contacts, path, source_memory(&bytes), seed, &world.arena, &f));
    assert_true(conduct_contacts(&c, contacts.rows, contacts.count, &f));
}

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){5, 1});
    import_contacts();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

/* ---- a CA that takes its time: campaign time passes while it works ---- */

struct slow {
    struct ca_door door;
    struct ca_door *inner;
    int64_t seconds; /* a certificate */
};

static struct slow *slow_of(struct ca_door *d)
{
    return (struct slow *)(void *)((char *)d - offsetof(struct slow, door));
}

static void hand_over(struct slow *s)
{
    s->inner->answer = s->door.answer;
    s->inner->answer_context = s->door.answer_context;
}

static bool take_time(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    struct slow *s = slow_of(d);
    hand_over(s);
    world.now->s += s->seconds * (int64_t)n;
    return s->inner->ops->revoke(s->inner, items, n, f);
}

static bool pass_status(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    struct slow *s = slow_of(d);
    hand_over(s);
    return s->inner->ops->status(s->inner, items, n, f);
}

static bool pass_step(struct ca_door *d, bool *busy, struct fault *f)
{
    return slow_of(d)->inner->ops->step(slow_of(d)->inner, busy, f);
}

static bool pass_publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    return slow_of(d)->inner->ops->publish(slow_of(d)->inner, issuer, now, f);
}

static void pass_close(struct ca_door *d)
{
    (void)d;
}

static const struct ca_door_ops slow_ops = {take_time, pass_status, pass_step, pass_publish, pass_close};

/* ---- a relay that keeps its answers back ---- */

struct late_mail {
    struct mail_door door;
    struct mail_door *inner;
    struct utc until; /* no answer before */
};

static struct late_mail *late_of(struct mail_door *d)
{
    return (struct late_mail *)(void *)((char *)d - offsetof(struct late_mail, door));
}

static bool late_send(struct mail_door *d, const struct mail_message *m, struct fault *f)
{
    struct late_mail *l = late_of(d);
    l->inner->answer = d->answer;
    l->inner->answer_context = d->answer_context;
    return l->inner->ops->send(l->inner, m, f);
}

static bool late_step(struct mail_door *d, bool *busy, struct fault *f)
{
    struct late_mail *l = late_of(d);
    *busy = true;
    return world.now->s < l->until.s || l->inner->ops->step(l->inner, busy, f);
}

static void late_close(struct mail_door *d)
{
    (void)d;
}

static const struct mail_door_ops late_ops = {late_send, late_step, late_close};

/* ---- a run of the engine with these doors ---- */

struct run {
    struct world_run world;
    struct slow slow;
    struct late_mail mail;
    struct engine *engine;
    struct engine_report last;
    char behind[512]; /* the first sentence it said */
};

static void open_run(struct run *r, int campaign, const char *name, int64_t seconds, bool mail)
{
    struct fault f = {0};
    world_open(&world, campaign, name, PROFILE, &r->world);
    r->slow = (struct slow){.door = *r->world.door, .inner = r->world.door, .seconds = seconds};
    r->slow.door.ops = &slow_ops;
    r->world.ca.door = &r->slow.door;
    r->mail = (struct late_mail){.until = {0}};
    if (mail) {
        assert_true(mail_open(&world.settings, &r->mail.inner, &f));
        r->mail.door = (struct mail_door){.ops = &late_ops, .fd = -1};
        r->world.parts.mail = &r->mail.door;
    } else {
        r->world.parts.profile.notices = false;
    }
    r->behind[0] = '\0';
    assert_true(engine_open(&r->world.parts, &r->engine, &f));
}

static void close_run(struct run *r)
{
    engine_close(r->engine);
    mail_close(r->mail.inner);
    world_close(&r->world);
}

static void step(struct run *r)
{
    struct fault f = {0};
    if (!engine_step(r->engine, &r->last, &f))
        fail_msg("%s", f.text);
    if (r->behind[0] == '\0')
        snprintf(r->behind, sizeof r->behind, "%s", r->last.behind);
}

/* Steps until `until`, or the end; waits as `run` does, but five minutes at most. */
static enum engine_state run_until(struct run *r, struct utc until)
{
    for (int i = 0; i < 20000 && world.now->s < until.s; i++) {
        step(r);
        if (r->last.state != ENGINE_WORKING)
            return r->last.state;
        struct utc next = utc_is_set(r->last.next) ? r->last.next : utc_add(*world.now, (struct span){60});
        next = utc_min(next, utc_add(*world.now, (struct span){300}));
        world.now->s = utc_min(utc_max(next, utc_add(*world.now, (struct span){1})), until).s;
    }
    return ENGINE_WORKING;
}

static struct utc after(int64_t hours)
{
    return utc_add(world_begin(), (struct span){hours * HOUR});
}

static int64_t number(const char *sql)
{
    return strtoll(world_ask(&world, sql), NULL, 10);
}

#define ask(format, campaign) number(arena_format(&world.arena, format, campaign))

static struct snapshot look(int campaign, const char *name)
{
    struct campaign c = {.id = campaign, .name = name};
    struct snapshot_terms terms = {
        .quorum = 1, .publish_margin = {2 * HOUR}, .reserve = {12 * HOUR}, .rate = {5, 1}};
    struct snapshot s;
    struct fault f = {0};
    if (!store_snapshot(world.store, &c, *world.now, &terms, false, &world.arena, &s, &f))
        fail_msg("%s", f.text);
    return s;
}

/* A CA of 17 an hour cannot keep a plan of 18 to 19 an hour, yet can be in time: one new plan sees to that.
 */
static void a_slow_ca_is_planned_for(void **state)
{
    (void)state;
    struct run r;
    world_reset(&world);
    int campaign = world_campaign(&world, "slow", PROFILE);
    open_run(&r, campaign, "slow", 211, false);
    assert_int_equal(run_until(&r, after(200)), ENGINE_SETTLED);
    close_run(&r);
    assert_int_equal(ask("SELECT sum(revoked) FROM page WHERE campaign = %d", campaign), CERTIFICATES);
    assert_int_equal(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'replan'", campaign), 1);
    assert_int_equal(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'missed'", campaign), 0);
    assert_int_equal(ask("SELECT count(*) FROM request WHERE campaign = %d", campaign), 1);
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* One of 12 an hour cannot: that is said, with figures, and planned; when it becomes fast again so does the
 * plan. */
static void behind_is_said_and_cured(void **state)
{
    (void)state;
    struct run r;
    world_reset(&world);
    int campaign = world_campaign(&world, "behind", PROFILE);
    open_run(&r, campaign, "behind", 300, false);
    assert_int_equal(run_until(&r, after(60)), ENGINE_WORKING);
    struct snapshot s = look(campaign, "behind");
    assert_int_equal(s.verdict, VERDICT_BEHIND);
    assert_int_equal(s.measured_per_hour, 12);
    assert_non_null(strstr(s.behind, "behind: at 12/h you finish at 2026-11-2"));
    assert_non_null(strstr(s.behind, "raise the rate to "));
    assert_non_null(strstr(r.behind, "behind: at 12/h you finish at "));
    assert_int_equal(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'replan'", campaign), 1);
    assert_int_equal(
        ask("SELECT (summary::json ->> 'feasible')::boolean::int FROM plan JOIN cohort USING (campaign, plan)"
            " WHERE campaign = %d",
            campaign),
        0);
    r.slow.seconds = 1;
    assert_int_equal(run_until(&r, after(66)), ENGINE_WORKING);
    close_run(&r);
    assert_int_equal(
        ask("SELECT (summary::json ->> 'feasible')::boolean::int FROM plan JOIN cohort USING (campaign, plan)"
            " WHERE campaign = %d",
            campaign),
        1);
    assert_string_equal(look(campaign, "behind").behind, "");
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* ---- replacements ---- */

/* A list of `n` certificates whose hour comes last. */
static const char *write_list(int campaign, const char *name, int n)
{
    AUTO_BUF out = {0};
    struct fault f = {0};
    const char *path = arena_format(&world.arena, "%s/%s", world.folder, name);
    buf_format(
        &out, "serial,replacement_file\n%s",
        world_ask(&world,
                  arena_format(&world.arena,
                               "SELECT encode(y.serial, 'hex') || ',new.pem' FROM affected y JOIN chunk h ON"
                               " h.campaign = y.campaign AND y.number = ANY (h.numbers) WHERE y.campaign = %d"
                               " AND h.state <> 'closed' ORDER BY h.due_at DESC, y.number DESC LIMIT %d",
                               campaign, n)));
    assert_true(file_write(path, buf_str(&out), 0644, &f));
    return path;
}

static struct replacement_counts mark(int campaign, const char *name, const char *path)
{
    struct fault f = {0};
    struct conduct c = {.store = world.store,
                        .settings = &world.settings,
                        .issuers = world.issuers,
                        .issuer_count = world.issuer_count,
                        .now = *world.now,
                        .who = "olga",
                        .campaign = {.id = campaign, .name = name}};
    struct replacement_source source = {
        .kind = "file", .location = path, .query = "", .stamp = "", .issuer = world.issuers[0]};
    struct conduct_replaced out;
    if (!conduct_replacements(&c, &source, false, &world.arena, &out, &f))
        fail_msg("%s", f.text);
    replacement_list_free(&out.list);
    return out.counts;
}

/* Hours from receipt to the slot of the latest of the replaced ones, as it is dealt now. */
static int64_t replaced_hour(int campaign)
{
    return ask("SELECT max(h.slot_start - 1795000000) / 3600 FROM replacement r JOIN affected y USING "
               "(campaign, issuer,"
               " serial) JOIN chunk h ON h.campaign = y.campaign AND y.number = ANY (h.numbers) WHERE "
               "r.campaign = %d"
               " AND h.state <> 'closed'",
               campaign);
}

static void replaced_ones_go_first_and_their_people_know(void **state)
{
    (void)state;
    struct run r;
    world_reset(&world);
    int campaign = world_campaign(&world, "replaced", PROFILE);
    open_run(&r, campaign, "replaced", 0, true);
    assert_int_equal(run_until(&r, after(30)), ENGINE_WORKING);
    const char *path = write_list(campaign, "replaced.csv", 1);
    assert_int_equal(mark(campaign, "replaced", path).accepted, 1);
    struct replacement_counts again = mark(campaign, "replaced", path);
    assert_int_equal(again.accepted, 0);
    assert_int_equal(again.duplicate, 1);
    assert_true(replaced_hour(campaign) > 40);
    /* the engine reads the list again when it has changed, moves them, and tells them before it claims them
     */
    write_list(campaign, "replaced.csv", 7);
    r.mail.until = after(31);
    r.mail.until.s += 100;
    assert_int_equal(run_until(&r, after(31)), ENGINE_WORKING);
    assert_int_equal(ask("SELECT count(*) FROM replacement WHERE campaign = %d", campaign), 7);
    assert_true(replaced_hour(campaign) < 34); /* the next free slot */
    assert_true(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'replan'", campaign) <= 2);
    assert_true(ask("SELECT count(*) FROM moved WHERE campaign = %d", campaign) >= 6);
    assert_int_equal(run_until(&r, after(34)), ENGINE_WORKING);
    close_run(&r);
    assert_int_equal(ask("SELECT count(*) FROM request WHERE campaign = %d", campaign), 1);
    /* what was marked and what the list brought later may be planned ten minutes apart, and never again */
    assert_in_range(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'replan'", campaign), 1,
                    2);
    assert_true(
        ask("SELECT count(*) FROM notice_try t JOIN notice n USING (campaign, notice) WHERE t.campaign = %d"
            " AND n.kind = 'moved' AND t.outcome = 'accepted'",
            campaign) > 0);
    /* of nobody who moved was a chunk claimed between the new plan and the message, or its five minutes */
    assert_int_equal(
        ask("SELECT count(*) FROM moved m JOIN affected y USING (campaign, issuer, serial) JOIN chunk h ON"
            " h.campaign = y.campaign AND y.number = ANY (h.numbers) AND h.plan = m.plan WHERE m.campaign = "
            "%d"
            " AND h.claimed_at < m.until_at AND h.claimed_at < (SELECT min(t.at) FROM notice n JOIN "
            "notice_try t"
            " USING (campaign, notice) WHERE n.campaign = m.campaign AND n.subscriber = m.subscriber AND "
            "n.kind = 'moved')",
            campaign),
        0);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void a_failing_lint_is_shown_and_stops_nothing(void **state)
{
    (void)state;
    static const char *const command[] = {"/bin/sh", "-c", "echo \"$1 has no SAN\"; exit 1", "lint"};
    struct run r;
    struct fault f = {0};
    struct lint_door *door;
    world_reset(&world);
    int campaign = world_campaign(&world, "lint", PROFILE);
    assert_true(lint_open(command, 4, &door, &f));
    open_run(&r, campaign, "lint", 0, false);
    close_run(&r);
    mark(campaign, "lint", write_list(campaign, "lint.csv", 6));
    open_run(&r, campaign, "lint", 0, false);
    engine_close(r.engine);
    r.world.parts.lint = door;
    assert_true(engine_open(&r.world.parts, &r.engine, &f));
    for (int i = 0; i < 400 && ask("SELECT count(*) FROM replacement WHERE campaign = %d AND lint IS NULL",
                                   campaign) > 0;
         i++) {
        step(&r);
        usleep(5000);
        ++world.now->s;
    }
    struct snapshot s = look(campaign, "lint");
    assert_int_equal(s.replacements.lint_failed, 6);
    assert_non_null(strstr(s.replacements.failures[0].text, "/new.pem has no SAN"));
    assert_int_equal(ask("SELECT count(*) FROM event WHERE campaign = %d AND type = 'lint'", campaign), 6);
    assert_int_equal(run_until(&r, after(26)), ENGINE_WORKING);
    assert_true(ask("SELECT sum(pending_publication + revoked) FROM page WHERE campaign = %d", campaign) > 0);
    close_run(&r);
    lint_close(door);
}

/* ---- a kill between the new plan and the first claim ---- */

static void die_after_plan(void *context, const char *query, bool done)
{
    const char *wanted = context;
    if (done && strcmp(query, wanted) == 0)
        _exit(9);
}

static void kill_at(const char *name, const char *query)
{
    int status;
    world_reset(&world);
    int campaign = world_campaign(&world, name, PROFILE);
    struct run r;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_run(&r, campaign, name, 211, false);
        char wanted[40];
        snprintf(wanted, sizeof wanted, "%s", query);
        store_hook(r.world.parts.store, die_after_plan, wanted);
        run_until(&r, after(200));
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 9);
    assert_string_equal(world_wrong(&world, campaign), "");
    open_run(&r, campaign, name, 211, false);
    assert_int_equal(run_until(&r, after(30)), ENGINE_WORKING);
    close_run(&r);
    assert_int_equal(ask("SELECT count(*) FROM plan WHERE campaign = %d", campaign), 2);
    assert_true(ask("SELECT sum(pending_publication + revoked) FROM page WHERE campaign = %d", campaign) >
                80);
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void a_kill_after_the_new_plan_is_harmless(void **state)
{
    (void)state;
    kill_at("killed", "plan_write");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_ca_is_planned_for),
        cmocka_unit_test(behind_is_said_and_cured),
        cmocka_unit_test(replaced_ones_go_first_and_their_people_know),
        cmocka_unit_test(a_failing_lint_is_shown_and_stops_nothing),
        cmocka_unit_test(a_kill_after_the_new_plan_is_harmless),
    };
    cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
