/* A CA that takes our credentials no more, or answers nothing, is left alone, tried with one certificate at a
 * time, and taken up again by whichever engine is there; all the while the campaign is not given up. One that
 * always turns away the same few certificates gets all the others meanwhile. */
#include "../lib/campaign.h"
#include "../lib/fake_http.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"
#include "massrevoke/store_safety.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROFILE "immediate"
#define CERTIFICATES 100

static struct world world;

enum mood { FINE, NO_CREDENTIALS, SILENT, BUSY };

/* Stands before ca_openssl. */
struct moody {
    struct ca_door door;
    struct ca_door *inner;
    enum mood mood;
    struct ca_item *queue; /* refused or lost ones */
    size_t queued;
    int conversations, largest, named; /* while not fine: how often, and with how many certificates */
};

static bool take(struct moody *m, const struct ca_item *items, size_t n, bool ask, struct fault *f)
{
    if (m->mood == FINE)
        return (ask ? m->inner->ops->status : m->inner->ops->revoke)(m->inner, items, n, f);
    free(m->queue);
    m->queue = arena_grow(NULL, n * sizeof *m->queue);
    memcpy(m->queue, items, n * sizeof *m->queue);
    m->queued = n;
    m->conversations++;
    m->named += (int)n;
    m->largest = (int)n > m->largest ? (int)n : m->largest;
    return true;
}

static bool take_requests(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    return take((struct moody *)d, items, n, false, f);
}

static bool take_questions(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    return take((struct moody *)d, items, n, true, f);
}

static bool step(struct ca_door *d, bool *busy, struct fault *f)
{
    struct moody *m = (struct moody *)d;
    size_t n = m->queued;
    for (size_t i = 0; i < n; i++) {
        struct ca_answer a = {.number = m->queue[i].number,
                              .outcome = m->mood == SILENT ? CA_ASK : CA_WAIT,
                              .at = UTC_NONE,
                              .reason = -1,
                              .text = "no answer"};
        d->answer(d->answer_context, &a, 1);
    }
    m->queued = 0;
    *busy = false;
    m->inner->answer = d->answer;
    m->inner->answer_context = d->answer_context;
    if (n > 0 && m->mood == NO_CREDENTIALS)
        return fault_set(f, FAULT_CONFIG, "HTTP 403: not you");
    if (n > 0 && m->mood == BUSY)
        return fault_set(f, FAULT_UNAVAILABLE, "HTTP 503: not now");
    return m->inner->ops->step(m->inner, busy, f);
}

static bool publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    struct moody *m = (struct moody *)d;
    return m->inner->ops->publish(m->inner, issuer, now, f);
}

static void end(struct ca_door *d)
{
    free(((struct moody *)d)->queue);
}

static const struct ca_door_ops ops = {take_requests, take_questions, step, publish, end};

struct run {
    struct world_run parts;
    struct moody moody;
    struct engine *engine;
    int campaign;
    const char *name;
};

static void open_engine(struct run *r, enum mood mood)
{
    struct fault f = {0};
    world_open(&world, r->campaign, r->name, PROFILE, &r->parts);
    r->moody = (struct moody){.door = *r->parts.door, .inner = r->parts.door, .mood = mood};
    r->moody.door.ops = &ops;
    r->parts.ca.door = &r->moody.door;
    assert_true(engine_open(&r->parts.parts, &r->engine, &f));
}

static void close_engine(struct run *r)
{
    engine_close(r->engine);
    ca_close(&r->moody.door);
    world_close(&r->parts);
}

static void begin(struct run *r, const char *name, enum mood mood)
{
    world_reset(&world);
    *r = (struct run){.campaign = world_campaign(&world, name, PROFILE), .name = name};
    open_engine(r, mood);
}

static void run_for(struct run *r, int64_t seconds)
{
    struct fault f = {0};
    struct engine_report last;
    for (int64_t until = world.now->s + seconds; world.now->s < until; ++world.now->s) {
        if (!engine_step(r->engine, &last, &f))
            fail_msg("%s", f.text);
        if (last.state != ENGINE_WORKING)
            return;
        if (utc_is_set(last.next) && last.next.s > world.now->s + 1)
            world.now->s = (last.next.s < until ? last.next.s : until) - 1;
    }
}

static int count(const struct run *r, const char *what)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT %s campaign = %d", what, r->campaign)));
}

static int events(const struct run *r, const char *type)
{
    return count(r, arena_format(&world.arena, "count(*) FROM event WHERE type = '%s' AND", type));
}

static void finish_well(struct run *r)
{
    struct engine_report last;
    r->moody.mood = FINE;
    assert_int_equal(world_finish(&world, r->engine, &last), ENGINE_SETTLED);
    assert_int_equal(count(r, "sum(revoked) FROM page WHERE"), CERTIFICATES);
    assert_int_equal(events(r, "breaker_open"), events(r, "breaker_closed"));
    assert_string_equal(world_wrong(&world, r->campaign), "");
    close_engine(r);
}

static const char *open_row(const struct run *r)
{
    return world_ask(&world,
                     arena_format(&world.arena,
                                  "SELECT concat_ws(' ', ca, class) FROM breaker WHERE closed_at IS NULL AND"
                                  " campaign = %d",
                                  r->campaign));
}

static void credentials_that_are_refused(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "credentials", NO_CREDENTIALS);
    run_for(&r, 30);
    assert_int_equal(r.moody.conversations, 1);
    assert_int_equal(events(&r, "breaker_open"), 1);
    assert_string_equal(open_row(&r), "demo stop\n");
    r.moody.largest = 0;
    run_for(&r, 600); /* after 60, 180, 420 s */
    assert_int_equal(r.moody.conversations, 4);
    assert_int_equal(r.moody.largest, 1);
    assert_int_equal(events(&r, "breaker_open"), 1);
    finish_well(&r);
    assert_string_equal(open_row(&r), "");
}

/* What was asked into the silence is in doubt; nothing more is added to it but one a probe. */
static void a_ca_that_falls_silent(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "silent", SILENT);
    run_for(&r, 4);
    assert_string_equal(open_row(&r), "demo silent\n");
    int named = r.moody.named;
    run_for(&r, 1000);
    assert_true(r.moody.named > named && r.moody.named - named < 15);
    finish_well(&r);
}

static void a_ca_that_turns_everything_away(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "busy", BUSY);
    run_for(&r, 10);
    assert_string_equal(open_row(&r), "");
    run_for(&r, 30);
    assert_string_equal(open_row(&r), "demo busy\n");
    finish_well(&r);
}

/* The next engine begins with a probe, not with a thousand. */
static void the_next_engine_knows(void **state)
{
    (void)state;
    struct run r;
    begin(&r, "next", NO_CREDENTIALS);
    run_for(&r, 10);
    close_engine(&r);
    open_engine(&r, NO_CREDENTIALS);
    run_for(&r, 10);
    assert_int_equal(r.moody.conversations, 1);
    assert_int_equal(r.moody.largest, 1);
    close_engine(&r);
    open_engine(&r, FINE);
    finish_well(&r);
    assert_int_equal(events(&r, "breaker_open"), 1);
}

/* --- a few certificates that the CA turns away, whatever it does with the others --- */

#define ODD 5

static const char profile_text[] =
    "version = 1;\nname = \"odd\";\nkeeps_first_date = true;\nquiet = \"1s\";\nconcurrency = 4;\n"
    "reasons = ( { reason = \"superseded\"; word = \"superseded\"; } );\n"
    "revoke = {\n  method = \"POST\";\n  path = \"/revoke\";\n  body = \"{serial.hex} {reason.name}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked\"; },\n"
    "    { http = 403; outcome = \"stop\"; }, { http = 503; outcome = \"wait\"; } );\n};\n";

struct odd_ca {
    struct fake_http server;
    int status; /* what the odd ones get: the first ODD that were ever asked for, which the plan puts first */
    char serials[ODD][SERIAL_HEX_TEXT];
    int known, tries, taken;
};

static bool is_odd(struct odd_ca *ca, const char *body)
{
    int n = (int)strcspn(body, " ");
    for (int i = 0; i < ca->known; i++)
        if (strncmp(body, ca->serials[i], (size_t)n) == 0)
            return true;
    if (ca->known == ODD)
        return false;
    snprintf(ca->serials[ca->known++], SERIAL_HEX_TEXT, "%.*s", n, body);
    return true;
}

static void answer_oddly(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    struct odd_ca *ca = context;
    bool odd = is_odd(ca, request->body);
    ca->tries += odd;
    ca->taken += !odd;
    if (odd)
        fake_answer(reply, ca->status, "", "not this one");
    else
        fake_answer(reply, 200, "Content-Type: application/json\r\n", "{\"success\":true}");
}

static void run_before_odd_ca(struct run *r, struct odd_ca *ca, const char *name, int status)
{
    struct fault f = {0};
    const char *cfg = arena_format(&world.arena, "%s/odd.cfg", world.folder);
    world_reset(&world);
    *r = (struct run){.campaign = world_campaign(&world, name, PROFILE), .name = name};
    *ca = (struct odd_ca){.status = status};
    fake_http_start(&ca->server, 0, answer_oddly, ca);
    assert_true(file_write(cfg, str_of(profile_text), 0644, &f));
    world_open(&world, r->campaign, r->name, PROFILE, &r->parts);
    struct settings_ca s = world.ca;
    s.http = (struct settings_http){.profile = cfg, .url = ca->server.url, .timeout = {30}};
    if (!ca_http_open(&s, 0, r->parts.parts.clock, &r->parts.ca.door, &f))
        fail_msg("%s", f.text);
    assert_true(engine_open(&r->parts.parts, &r->engine, &f));
    engine_only(r->engine, ENGINE_EXECUTE);
    run_for(r, 600);
    assert_int_equal(ca->taken, CERTIFICATES - ODD);
    assert_int_equal(count(r, "sum(pending_publication) FROM page WHERE"), CERTIFICATES - ODD);
    assert_int_equal(count(r, "sum(not_revoked) FROM page WHERE"), ODD);
}

static void end_odd(struct run *r, struct odd_ca *ca)
{
    engine_close(r->engine);
    ca_close(r->parts.ca.door);
    fake_http_stop(&ca->server);
    world_close(&r->parts);
    assert_string_equal(world_wrong(&world, r->campaign), "");
}

/* A CA that blames us for some, and takes all others: a person gets these. */
static void some_for_which_we_are_blamed(void **state)
{
    (void)state;
    struct run r;
    struct odd_ca ca;
    run_before_odd_ca(&r, &ca, "blamed", 403);
    assert_int_equal(count(&r, "sum(needs_person) FROM page WHERE"), ODD);
    assert_in_range(ca.tries, 2 * ODD, 3 * ODD);
    assert_int_equal(events(&r, "breaker_open"), events(&r, "breaker_closed"));
    end_odd(&r, &ca);
}

/* They are tried to the end, alone, and what stops is told by their numbers. */
static void some_that_always_have_to_wait(void **state)
{
    (void)state;
    struct run r;
    struct odd_ca ca;
    run_before_odd_ca(&r, &ca, "waits", 503);
    assert_int_equal(count(&r, "sum(needs_person) FROM page WHERE"), 0);
    assert_true(ca.tries > 2 * ODD);
    const char *text = world_ask(&world, "SELECT text FROM breaker WHERE closed_at IS NULL");
    bool named = false;
    for (int i = 0; i < ODD; i++)
        named = named || strstr(text, ca.serials[i]) != NULL;
    assert_true(named);
    end_odd(&r, &ca);
}

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_that_are_refused),    cmocka_unit_test(a_ca_that_falls_silent),
        cmocka_unit_test(a_ca_that_turns_everything_away), cmocka_unit_test(the_next_engine_knows),
        cmocka_unit_test(some_for_which_we_are_blamed),    cmocka_unit_test(some_that_always_have_to_wait),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
