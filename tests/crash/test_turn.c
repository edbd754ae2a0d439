/* The turn before a slow CA, by the real clock: does a pause bind within a second although requests are under
 * way, do what was on the wire and what was not come to the right end, and are outcomes committed while
 * others are still awaited, and at once when none are (sentences 4, 6 and 8)? */
#include "../lib/campaign.h"
#include "../lib/fake_http.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CERTIFICATES 60
#define AT_ONCE 4
#define ANSWER_MS 250
#define TIMEOUT 9 /* seconds, of a look */

static const char profile_text[] =
    "version = 1;\nname = \"slow\";\nkeeps_first_date = true;\nquiet = \"1s\";\nconcurrency = 4;\n"
    "reasons = ( { reason = \"superseded\"; word = \"superseded\"; } );\n"
    "revoke = {\n  method = \"POST\";\n  path = \"/revoke\";\n  body = \"{serial.hex} {reason.name}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked\"; } );\n};\n"
    "status = {\n  method = \"GET\";\n  path = \"/status/{serial.hex}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked_before\"; },\n"
    "    { http = 200; json = \"/success\"; is = \"false\"; outcome = \"not_revoked\"; } );\n};\n";

static struct world world;
static struct fake_http server;
static char cfg[512];

/* What the pausing thread saw. */
struct brake {
    int campaign;
    int answered_at_pause;      /* outcomes in the database when it was given */
    int begun_after_one_second; /* requests, counted when its second was over */
    struct fake_http *server;   /* of pull_early */
};

static void answer_slowly(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    (void)context, (void)request;
    fake_answer(reply, 200, "Content-Type: application/json\r\n", "{\"success\":true}");
    reply->delay_ms = ANSWER_MS;
}

static int set_up(void **state)
{
    struct fault f = {0};
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    snprintf(cfg, sizeof cfg, "%s/slow.cfg", world.folder);
    if (!file_write(cfg, str_of(profile_text), 0644, &f))
        return 1;
    fake_http_start(&server, 0, answer_slowly, NULL);
    *world.now = clock_system().now(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_http_stop(&server);
    world_free(&world);
    return 0;
}

/* A connection of its own: the world's is the engine's thread's. */
static int look(PGconn *sql, const char *query)
{
    PGresult *r = PQexec(sql, query);
    int value = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) > 0 ? atoi(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    return value;
}

/* Pauses in the middle, by the statement that `pause` commits, and counts what still begins. */
static void *pull_brake(void *context)
{
    struct brake *b = context;
    char text[200];
    PGconn *sql = PQconnectdb(world.conninfo);
    snprintf(text, sizeof text, "SET search_path TO %s", world.schema);
    PQclear(PQexec(sql, text));
    for (int i = 0; i < 6000 && atomic_load(&server.requests) < 3 * AT_ONCE; i++)
        poll(NULL, 0, 10);
    snprintf(text, sizeof text, "SELECT sum(pending_publication) FROM page WHERE campaign = %d", b->campaign);
    for (int i = 0; i < 300 && (b->answered_at_pause = look(sql, text)) < AT_ONCE; i++)
        poll(NULL, 0, 10);
    snprintf(text, sizeof text,
             "UPDATE campaign SET paused_revoke = true, generation = generation + 1 WHERE campaign = %d",
             b->campaign);
    PQclear(PQexec(sql, text));
    poll(NULL, 0, 1000);
    b->begun_after_one_second = atomic_load(&server.requests);
    PQfinish(sql);
    return NULL;
}

static void open_run(int campaign, const char *name, const char *url, struct world_run *run)
{
    struct fault f = {0};
    world_open(&world, campaign, name, "immediate", run);
    run->parts.clock = clock_system();
    struct settings_ca s = world.ca;
    s.http = (struct settings_http){.profile = cfg, .url = url, .timeout = {30}};
    if (!ca_http_open(&s, 0, run->parts.clock, &run->ca.door, &f))
        fail_msg("%s", f.text);
}

static int count(const char *what, int campaign)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT %s campaign = %d", what, campaign)));
}

static void a_pause_binds_within_a_second(void **state)
{
    (void)state;
    struct world_run run;
    struct engine *e;
    struct engine_report r = {0};
    struct fault f = {0};
    pthread_t thread;
    struct brake brake = {.campaign = world_campaign(&world, "paused", "immediate")};
    open_run(brake.campaign, "paused", server.url, &run);
    assert_true(engine_open(&run.parts, &e, &f));
    engine_only(e, ENGINE_EXECUTE);
    assert_int_equal(pthread_create(&thread, NULL, pull_brake, &brake), 0);
    for (int i = 0; i < 200 && r.state != ENGINE_PAUSED; i++)
        assert_true(engine_step(e, &r, &f));
    pthread_join(thread, NULL);
    assert_int_equal(r.state, ENGINE_PAUSED);
    poll(NULL, 0, 2 * ANSWER_MS);
    assert_true(engine_step(e, &r, &f));
    assert_int_equal(atomic_load(&server.requests), brake.begun_after_one_second);
    assert_true(brake.begun_after_one_second < CERTIFICATES);
    /* committed while other requests were under way */
    assert_true(brake.answered_at_pause >= AT_ONCE && brake.answered_at_pause < CERTIFICATES);
    /* every request was heard out; what had not gone out waits, nothing is in doubt */
    assert_int_equal(count("sum(pending_publication) FROM page WHERE", brake.campaign),
                     atomic_load(&server.requests));
    assert_int_equal(count("sum(doubt) FROM page WHERE", brake.campaign), 0);
    assert_int_equal(count("count(*) FROM chunk WHERE state = 'claimed' AND", brake.campaign), 0);
    assert_string_equal(world_wrong(&world, brake.campaign), "");
    (void)world_ask(&world,
                    arena_format(&world.arena,
                                 "UPDATE campaign SET paused_revoke = false, generation = generation + 1"
                                 " WHERE campaign = %d",
                                 brake.campaign));
    for (int i = 0;
         i < 200 && count("sum(pending_publication) FROM page WHERE", brake.campaign) < CERTIFICATES; i++)
        assert_true(engine_step(e, &r, &f));
    assert_int_equal(atomic_load(&server.requests), CERTIFICATES);
    engine_close(e);
    ca_close(run.ca.door);
    world_close(&run);
    assert_string_equal(world_wrong(&world, brake.campaign), "");
}

/* The end of an engine, as Ctrl-C brings it about: what is on the wire is heard out and committed. */
static void the_end_hears_out_what_is_on_the_wire(void **state)
{
    (void)state;
    struct world_run run;
    struct engine *e;
    struct engine_report r;
    struct fault f = {0};
    int before = atomic_load(&server.requests), campaign = world_campaign(&world, "ended", "immediate");
    open_run(campaign, "ended", server.url, &run);
    assert_true(engine_open(&run.parts, &e, &f));
    engine_only(e, ENGINE_EXECUTE);
    assert_true(engine_step(e, &r, &f));
    engine_close(e);
    int sent = atomic_load(&server.requests) - before;
    assert_true(sent > 0 && sent < CERTIFICATES);
    assert_int_equal(count("sum(pending_publication) FROM page WHERE", campaign), sent);
    assert_int_equal(count("sum(doubt) FROM page WHERE", campaign), 0);
    assert_int_equal(count("count(*) FROM chunk WHERE state = 'claimed' AND", campaign), 0);
    ca_close(run.ca.door);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* --- a request behind another --- */

static const char prepares[] =
    "prepare = {\n  method = \"GET\";\n  path = \"/nonce/{serial.hex}\";\n  take = \"/success\";\n"
    "  answers = ( { http = 200; json = \"/success\"; outcome = \"done\"; } );\n};\n";
static atomic_int posts;

/* The profile with something else at one place, and more behind it. */
static void other_profile(struct buf *out, const char *what, const char *instead, const char *more)
{
    const char *at = strstr(profile_text, what);
    buf_format(out, "%.*s%s%s%s", (int)(at - profile_text), profile_text, instead, at + strlen(what), more);
}

/* Its nonces take three seconds. */
static void prepare_slowly(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    bool post = strncmp(request->line, "POST", 4) == 0;
    (void)context;
    posts += post;
    reply->delay_ms = post ? 0 : 3000;
    fake_answer(reply, 200, "Content-Type: application/json\r\n", "{\"success\":true}");
}

/* Pauses while all places wait for their nonces. */
static void *pull_early(void *context)
{
    struct brake *b = context;
    char text[200];
    PGconn *sql = PQconnectdb(world.conninfo);
    for (int i = 0; i < 3000 && atomic_load(&b->server->requests) < AT_ONCE; i++)
        poll(NULL, 0, 10);
    snprintf(text, sizeof text,
             "UPDATE %s.campaign SET paused_revoke = true, generation = generation + 1 WHERE campaign = %d",
             world.schema, b->campaign);
    PQclear(PQexec(sql, text));
    PQfinish(sql);
    return NULL;
}

/* An engine before a CA of its own. */
struct stage {
    struct fake_http server;
    struct world_run run;
    struct engine *engine;
    int campaign;
};

static void open_stage(struct stage *s, const char *name, const char *profile, fake_handler *handler)
{
    struct fault f = {0};
    assert_true(file_write(cfg, str_of(profile), 0644, &f));
    fake_http_start(&s->server, 0, handler, NULL);
    s->campaign = world_campaign(&world, name, "immediate");
    open_run(s->campaign, name, s->server.url, &s->run);
    assert_true(engine_open(&s->run.parts, &s->engine, &f));
    engine_only(s->engine, ENGINE_EXECUTE);
}

static void close_stage(struct stage *s)
{
    struct fault f = {0};
    engine_close(s->engine);
    ca_close(s->run.ca.door);
    world_close(&s->run);
    fake_http_stop(&s->server);
    assert_true(file_write(cfg, str_of(profile_text), 0644, &f));
    assert_string_equal(world_wrong(&world, s->campaign), "");
}

/* The pause comes between the nonce and the request that it is for: that one does not leave. */
static void a_pause_reaches_what_is_prepared(void **state)
{
    (void)state;
    struct stage s;
    struct engine_report r = {0};
    struct fault f = {0};
    pthread_t thread;
    AUTO_BUF nonces = {0};
    other_profile(&nonces, "{reason.name}", "{reason.name} {prepared}", prepares);
    posts = 0;
    open_stage(&s, "prepared", nonces.p, prepare_slowly);
    struct brake brake = {.campaign = s.campaign, .server = &s.server};
    assert_int_equal(pthread_create(&thread, NULL, pull_early, &brake), 0);
    for (int i = 0; i < 200 && r.state != ENGINE_PAUSED; i++)
        assert_true(engine_step(s.engine, &r, &f));
    pthread_join(thread, NULL);
    for (int i = 0; i < 100 && count("count(*) FROM chunk WHERE state = 'claimed' AND", brake.campaign) > 0;
         i++)
        assert_true(engine_step(s.engine, &r, &f));
    assert_int_equal(atomic_load(&s.server.requests), AT_ONCE);
    assert_int_equal(posts, 0);
    assert_int_equal(count("sum(doubt + needs_person) FROM page WHERE", brake.campaign), 0);
    assert_int_equal(count("count(*) FROM event WHERE type LIKE 'breaker%' AND", brake.campaign), 0);
    (void)world_ask(&world,
                    arena_format(&world.arena,
                                 "UPDATE campaign SET paused_revoke = false, generation = generation + 1"
                                 " WHERE campaign = %d",
                                 brake.campaign));
    for (int i = 0; i < 200 && posts < AT_ONCE; i++)
        assert_true(engine_step(s.engine, &r, &f));
    assert_true(posts >= AT_ONCE);
    close_stage(&s);
}

/* --- nothing more comes: nothing is waited for --- */

#define STOPPED_MS 10000

static int64_t stopped_at; /* ticks */

/* Stands still, but not for ever: an engine that waits for it ends its turn late instead of never. */
static int64_t stopped_ticks(void *self)
{
    int64_t now = clock_system().ticks(self);
    return now - stopped_at < STOPPED_MS ? stopped_at : now;
}

static void answer_at_once(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    (void)context, (void)request;
    fake_answer(reply, 200, "Content-Type: application/json\r\n", "{\"success\":true}");
}

/* The last outcomes of all do not wait for others to be committed with. */
static void the_last_outcomes_are_committed_at_once(void **state)
{
    (void)state;
    struct world_run run;
    struct engine *e;
    struct engine_report r;
    struct fault f = {0};
    struct fake_http other;
    const struct settings_ca before = world.ca;
    fake_http_start(&other, 0, answer_at_once, NULL);
    int campaign = world_campaign(&world, "at-once", "immediate");
    world.ca.limits = (struct rate_limits){0};
    open_run(campaign, "at-once", other.url, &run);
    run.parts.clock.ticks = stopped_ticks;
    stopped_at = clock_system().ticks(NULL);
    assert_true(engine_open(&run.parts, &e, &f));
    engine_only(e, ENGINE_EXECUTE);
    assert_true(engine_step(e, &r, &f));
    assert_int_equal(r.settled, CERTIFICATES);
    assert_in_range(clock_system().ticks(NULL) - stopped_at, 0, STOPPED_MS - 1);
    engine_close(e);
    ca_close(run.ca.door);
    world_close(&run);
    world.ca = before;
    fake_http_stop(&other);
}

/* --- questions are requests, too --- */

#define WINDOW 20 /* requests a second */

static int64_t arrivals[4 * CERTIFICATES]; /* ms */
static int arrival_count, questions;

/* Every third answer to a request is lost, and what was asked for is done. */
static void lose_some(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    struct clock clock = clock_system();
    (void)context;
    if (arrival_count < (int)(sizeof arrivals / sizeof *arrivals))
        arrivals[arrival_count++] = clock.ticks(clock.self);
    questions += strncmp(request->line, "GET", 3) == 0;
    if (strncmp(request->line, "GET", 3) != 0 && arrival_count % 3 == 0)
        reply->close = true;
    else
        fake_answer(reply, 200, "Content-Type: application/json\r\n", "{\"success\":true}");
}

/* A campaign at a CA of this profile; no more than its window holds may arrive within a second, and lost
 * answers do not stop the rest. */
static void keep_to_the_limits(const char *name, const char *profile)
{
    struct stage s;
    struct engine_report r = {0};
    struct fault f = {0};
    const struct settings_ca before = world.ca;
    arrival_count = questions = 0;
    world.ca.limits = (struct rate_limits){.windows = {{WINDOW, 1}}, .window_count = 1};
    open_stage(&s, name, profile, lose_some);
    for (int64_t settled = 0, step = 0; settled < CERTIFICATES && step < 400; step++) {
        assert_true(engine_step(s.engine, &r, &f));
        settled = count("coalesce(sum(pending_publication), 0) FROM page WHERE", s.campaign);
        poll(NULL, 0, 100);
    }
    assert_int_equal(count("sum(pending_publication) FROM page WHERE", s.campaign), CERTIFICATES);
    close_stage(&s);
    world.ca = before;
    int64_t gap = 0;
    for (int i = 1; i < arrival_count; i++)
        gap = arrivals[i] - arrivals[i - 1] > gap ? arrivals[i] - arrivals[i - 1] : gap;
    /* a CA that answers most is not left alone for longer and longer */
    assert_in_range(gap, 0, 6000);
    for (int i = WINDOW; i < arrival_count; i++)
        /* they left in time, and a busy machine reads some together; without limits all come at once */
        if (arrivals[i] - arrivals[i - WINDOW] < 700)
            fail_msg("%d requests within %lld ms", WINDOW + 1,
                     (long long)(arrivals[i] - arrivals[i - WINDOW]));
}

static void questions_keep_to_the_limits(void **state)
{
    (void)state;
    AUTO_BUF careless = {0}; /* it would overwrite a date, so it is asked rather than told again */
    other_profile(&careless, "true", "false", "");
    keep_to_the_limits("questions", careless.p);
    assert_true(questions >= CERTIFICATES / 4);
}

static int asked, lead; /* questions; how many more there were than requests, at most */

static void know_none(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    bool asks = strncmp(request->line, "GET", 3) == 0;
    (void)context;
    asked += asks;
    posts += !asks;
    lead = asked - posts > lead ? asked - posts : lead;
    reply->delay_ms = 50;
    fake_answer(reply, 200, "", asks ? "{\"success\":false}" : "{\"success\":true}");
}

/* A CA that would overwrite a date is asked before each request; what it said is acted upon before the next
 * question, and nothing lies in wait at its door. */
static void what_was_said_does_not_grow_old(void **state)
{
    (void)state;
    struct stage s;
    struct engine_report r;
    struct fault f = {0};
    AUTO_BUF careless = {0};
    other_profile(&careless, "true", "false", "");
    posts = 0;
    open_stage(&s, "fresh", careless.p, know_none);
    for (int i = 0; i < 50 && posts < CERTIFICATES; i++)
        assert_true(engine_step(s.engine, &r, &f));
    assert_int_equal(asked, CERTIFICATES);
    assert_int_equal(posts, CERTIFICATES);
    assert_in_range(lead, 1, 2L * AT_ONCE);
    close_stage(&s);
}

/* A CA that wants a nonce with each request gives it for another request. */
static void preparations_keep_to_the_limits(void **state)
{
    (void)state;
    AUTO_BUF nonces = {0};
    other_profile(&nonces, "{reason.name}", "{reason.name} {prepared}", prepares);
    keep_to_the_limits("preparations", nonces.p);
    assert_true(questions >= CERTIFICATES);
}

/* A port that takes connections and says nothing; the socket. */
static int silent_server(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 16) == 0 &&
                getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* The server of the CRLs hangs: the CA's requests go on all the same. */
static void a_cdn_that_hangs_holds_up_nothing(void **state)
{
    (void)state;
    struct world_run run;
    struct engine *e;
    struct engine_report r;
    struct fault f = {0};
    int port, cdn = silent_server(&port);
    for (size_t i = 0; i < world.row_count; i++)
        world.rows[i].cdp = arena_format(&world.arena, "http://127.0.0.1:%d/hangs.crl", port);
    world.settings.fetch_timeout.s = TIMEOUT;
    int campaign = world_campaign(&world, "hangs", "immediate");
    open_run(campaign, "hangs", server.url, &run);
    assert_true(engine_open(&run.parts, &e, &f));
    int64_t begun = clock_system().ticks(NULL);
    while (count("sum(pending_publication) FROM page WHERE", campaign) < CERTIFICATES &&
           clock_system().ticks(NULL) - begun < 3L * TIMEOUT * 1000)
        assert_true(engine_step(e, &r, &f));
    int gap = count(
        "max(gap) FROM (SELECT campaign, at - lag(at) OVER (ORDER BY seq) AS gap FROM event WHERE type = "
        "'settle' AND campaign = (SELECT max(campaign) FROM campaign)) x WHERE",
        campaign);
    assert_true(accept(cdn, NULL, NULL) >= 0); /* it was looked at */
    assert_in_range(gap, 0, TIMEOUT / 3);
    assert_int_equal(count("sum(pending_publication) FROM page WHERE", campaign), CERTIFICATES);
    engine_close(e);
    close(cdn);
    ca_close(run.ca.door);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* Two engines at a CA that takes one request at a time: the one that has no place looks again in a second,
 * and not all the time. */
static void who_has_no_place_waits(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "other"};
    struct world_run runs[2];
    struct engine *engines[2];
    struct engine_report r[2] = {0};
    struct fault f = {0};
    const struct settings_ca before = world.ca;
    struct utc begun = UTC_NONE;
    world.ca.concurrency = 1;
    for (size_t i = 0; i < 2; i++) {
        open_run(world_campaign(&world, names[i], "immediate"), names[i], server.url, &runs[i]);
        assert_true(engine_open(&runs[i].parts, &engines[i], &f));
        engine_only(engines[i], ENGINE_EXECUTE);
    }
    for (int i = 0; i < 4; i++)
        for (size_t k = 0; k < 2; k++) {
            begun = clock_system().now(NULL);
            assert_true(engine_step(engines[k], &r[k], &f));
        }
    assert_true(r[0].asked > 0);
    assert_int_equal(r[1].asked, 0);
    assert_int_equal(r[1].state, ENGINE_WORKING);
    assert_true(r[1].next.s > begun.s);
    for (size_t i = 2; i-- > 0;) {
        engine_close(engines[i]);
        ca_close(runs[i].ca.door);
        world_close(&runs[i]);
    }
    world.ca = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_binds_within_a_second),
        cmocka_unit_test(the_end_hears_out_what_is_on_the_wire),
        cmocka_unit_test(a_pause_reaches_what_is_prepared),
        cmocka_unit_test(the_last_outcomes_are_committed_at_once),
        cmocka_unit_test(questions_keep_to_the_limits),
        cmocka_unit_test(what_was_said_does_not_grow_old),
        cmocka_unit_test(preparations_keep_to_the_limits),
        cmocka_unit_test(who_has_no_place_waits),
        cmocka_unit_test(a_cdn_that_hangs_holds_up_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
