/* The queue of questions to responders, before servers that say what the test wants: is a responder that
 * knows only SHA-256 asked so, one that asks for patience left alone for as long, does one of two URLs decide
 * while the other is away, and do responders resolve doubt where there is no CRL? */
#include "../lib/campaign.h"
#include "../lib/careless.h"
#include "../lib/fake_http.h"
#include "../lib/forge.h"
#include "massrevoke/file.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PROFILE "immediate"
#define CERTIFICATES 8
#define BOTH "http://ocsp-a.example/ http://ocsp-b.example/x"
#define TIMES 64

/* What a responder is told to do, and what it was asked. */
struct script {
    int http;            /* 200, or an error for everything */
    const char *headers; /* of its answers, lines ended by CRLF */
    bool later;          /* tryLater */
    bool only_sha256;    /* unauthorized for another CertID */
    bool no_post;
    bool good; /* says "good", as if it knew nothing yet */
    int gets, posts, sha1, sha256;
    int64_t times[TIMES]; /* by the campaign's clock, of gets */
};

static struct world world;
static struct settings_vantage ways[2];
static struct fake_http server, second; /* second: an edge for CRLs */
static bool lags;                       /* it serves the CRL of the beginning */
static struct forge_ca ca;
static struct script scripts[2]; /* ocsp-a, ocsp-b */
static struct careless_record *record;

/* -- the responders -------------------------------------------------------------------------------------- */

/* Base64 with %XX of the last part of the path, or the body of a POST. */
static struct str request_of(const struct fake_request *q, struct arena *a)
{
    if (strncmp(q->line, "POST ", 5) == 0) {
        const char *length = strstr(q->head, "Content-Length:");
        return (struct str){q->body, strtoul(length + 15, NULL, 10)};
    }
    char *path = arena_copy(a, q->line + 4, strcspn(q->line + 4, " ")), *out = path;
    for (const char *in = strrchr(path, '/') + 1; *in != '\0'; in++) {
        unsigned byte = (unsigned char)*in;
        if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1)
            in += 2;
        *out++ = (char)byte;
    }
    char *der = arena_alloc(a, (size_t)(out - path) + 4);
    int n = EVP_DecodeBlock((unsigned char *)der, (unsigned char *)path, (int)(out - path));
    return (struct str){der, n < 0 ? 0 : (size_t)n};
}

static const struct intake_key *key_of(struct str request)
{
    for (size_t i = 0; i < world.key_count; i++)
        if (memmem(request.p, request.n, world.keys[i].serial.bytes, world.keys[i].serial.n) != NULL)
            return &world.keys[i];
    return NULL;
}

/* When the CA revoked it, by its own record; UTC_NONE: it did not. */
static struct utc revoked_at(const struct serial *serial, struct arena *a)
{
    char hex[SERIAL_HEX_TEXT];
    struct str index;
    struct fault f = {0};
    if (!file_read(file_join(a, world.folder, "index.txt"), 1 << 20, a, &index, &f))
        return UTC_NONE;
    const char *text = arena_copy(a, index.p, index.n), *row = strstr(text, serial_hex(serial, hex));
    while (row != NULL && row > text && row[-1] != '\n')
        row--; /* to its beginning: R, expiry, date with reason */
    struct str line = str_of(row == NULL ? "" : row), cell = str_cut(&line, '\t');
    if (!str_is(cell, "R"))
        return UTC_NONE;
    (void)str_cut(&line, '\t');
    struct utc at = *world.now;
    char iso[UTC_TEXT];
    cell = str_cut(&line, ',');
    snprintf(iso, sizeof iso, "20%.2s-%.2s-%.2sT%.2s:%.2s:%.2sZ", cell.p, cell.p + 2, cell.p + 4, cell.p + 6,
             cell.p + 8, cell.p + 10);
    return utc_parse(iso, &at, &f) ? at : UTC_NONE;
}

static struct str answer_about(const struct intake_key *key, const struct script *s, bool sha256,
                               struct arena *a)
{
    struct forge_ocsp o = forge_ocsp_good(a, &ca);
    struct utc now = *world.now, at = s->good ? UTC_NONE : revoked_at(&key->serial, a);
    char octets[SERIAL_MAX];
    memcpy(octets, key->serial.bytes, key->serial.n);
    o.serial = (struct str){arena_copy(a, octets, key->serial.n), key->serial.n};
    if ((octets[0] & 0x80) != 0)
        o.serial = forge_join(a, FORGE_BYTES("\0"), o.serial);
    o.hash = sha256 ? CERTID_SHA256 : CERTID_SHA1;
    o.status = utc_is_set(at) ? forge_ocsp_revoked(a, at, REASON_SUPERSEDED) : FORGE_BYTES("\x80\x00");
    o.this_update = forge_time(a, now, true);
    o.next_update = forge_wrap(a, 0xa0, 1, forge_time(a, utc_add(now, (struct span){86400}), true));
    if (!utc_is_set(at) && record->count > 0 && !s->good) { /* the judge of blind requests hears it, too */
        struct careless_item *item = careless_find(record, &key->serial);
        item->cleared = item->cleared || item->executed == 0;
    }
    return forge_ocsp_sign(a, &ca, &ca, &o);
}

static void serve_crl(bool old, struct fake_reply *reply)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct str crl = world.crl;
    if (!old && !file_read(file_join(&a, world.folder, "pub/ca.crl"), 1 << 20, &a, &crl, &f))
        abort();
    buf_format(&reply->bytes, "HTTP/1.1 200 X\r\nContent-Length: %zu\r\n\r\n", crl.n);
    buf_add(&reply->bytes, crl.p, crl.n);
}

static void respond(void *context, const struct fake_request *q, struct fake_reply *reply)
{
    AUTO_ARENA a = {0};
    if (strstr(q->line, ".crl") != NULL) {
        serve_crl(context != NULL && lags, reply);
        return;
    }
    bool post = strncmp(q->line, "POST ", 5) == 0;
    struct script *s = &scripts[strstr(q->head, "ocsp-b.example") != NULL];
    struct str request = request_of(q, &a), body = {0};
    const struct intake_key *key = key_of(request);
    bool sha256 = memmem(request.p, request.n, "\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9) != NULL;
    if (!post && s->gets < TIMES)
        s->times[s->gets] = world.now->s;
    *(post ? &s->posts : &s->gets) += 1;
    *(sha256 ? &s->sha256 : &s->sha1) += !post;
    if (s->later)
        body = FORGE_BYTES("\x30\x03\x0a\x01\x03");
    else if (key == NULL || (s->only_sha256 && !sha256))
        body = FORGE_BYTES("\x30\x03\x0a\x01\x06");
    else
        body = answer_about(key, s, sha256, &a);
    int status = s->http != 0 ? s->http : post && s->no_post ? 405 : 200;
    buf_format(&reply->bytes,
               "HTTP/1.1 %d X\r\nContent-Type: application/ocsp-response\r\n%sContent-Length: %zu\r\n\r\n",
               status, s->headers == NULL ? "" : s->headers, body.n);
    buf_add(&reply->bytes, body.p, body.n);
}

/* -- the campaign ---------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct fault f = {0};
    struct str pem;
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fake_http_start(&server, 0, respond, NULL);
    fake_http_start(&second, 0, respond, &second);
    ways[0] = (struct settings_vantage){"fra", arena_format(&world.arena, "127.0.0.1:%d", server.port), NULL};
    ways[1] = (struct settings_vantage){"nyc", arena_format(&world.arena, "127.0.0.1:%d", second.port), NULL};
    world.settings.vantages = ways;
    world.settings.vantage_count = 1;
    FILE *file = fopen(file_join(&world.arena, world.folder, "private/ca.key"), "r");
    ca.key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    if (file != NULL)
        fclose(file);
    return ca.key == NULL ||
           !file_read(file_join(&world.arena, world.folder, "ca.pem"), 1 << 16, &world.arena, &pem, &f) ||
           !verify_issuer_load(pem, &world.arena, &ca.issuer, &f);
}

static int tear_down(void **state)
{
    (void)state;
    fake_http_stop(&server);
    fake_http_stop(&second);
    verify_issuer_free(&ca.issuer);
    EVP_PKEY_free(ca.key);
    munmap(record, sizeof *record);
    world_free(&world);
    return 0;
}

/* A campaign whose certificates name these responders, and a CRL or not. */
static int begin(const char *name, const char *ocsp, bool crl)
{
    world_reset(&world);
    memset(scripts, 0, sizeof scripts);
    *record = (struct careless_record){0};
    for (size_t i = 0; i < world.row_count; i++) {
        world.rows[i].ocsp = ocsp;
        world.rows[i].cdp = crl ? "http://crl.demo-ca.example/ca.crl" : "";
    }
    world_ask(&world, crl ? "UPDATE issuer SET crl = 'http://crl.demo-ca.example/ca.crl'"
                          : "UPDATE issuer SET crl = ''");
    return world_campaign(&world, name, PROFILE);
}

static struct world_run run;
static struct engine *engine;

static void open_engine(int campaign, const char *name)
{
    struct fault f = {0};
    world_open(&world, campaign, name, PROFILE, &run);
    assert_true(engine_open(&run.parts, &engine, &f));
}

static void close_engine(void)
{
    engine_close(engine);
    world_close(&run);
}

/* Steps until so many seconds of the campaign's clock are over; its last words in `r`. */
static void go_on(int64_t seconds, struct engine_report *r)
{
    struct fault f = {0};
    for (int64_t end = world.now->s + seconds; world.now->s <= end; world.now->s += seconds > 500 ? 5 : 1)
        assert_true(engine_step(engine, r, &f));
}

static int revoked(int campaign)
{
    return atoi(world_ask(
        &world, arena_format(&world.arena, "SELECT sum(revoked) FROM page WHERE campaign = %d", campaign)));
}

static const char *findings(int campaign, const char *url)
{
    return world_ask(
        &world, arena_format(&world.arena,
                             "SELECT findings FROM edge WHERE kind = 'ocsp' AND campaign = %d AND url = '%s'",
                             campaign, url));
}

static void a_responder_that_knows_only_sha256(void **state)
{
    (void)state;
    int campaign = begin("sha256", "http://ocsp-a.example/", true);
    struct engine_report r;
    scripts[0].only_sha256 = scripts[0].no_post = true;
    open_engine(campaign, "sha256");
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_int_equal(revoked(campaign), CERTIFICATES);
    assert_int_equal(scripts[0].sha1, CERTIFICATES); /* the first turn: its questions were out already */
    assert_true(scripts[0].sha256 >= CERTIFICATES);
    int posts = scripts[0].posts; /* once, whatever comes */
    assert_int_equal(posts, 1);
    assert_true(engine_verify_now(engine, &r, &(struct fault){0}));
    assert_int_equal(scripts[0].sha1, CERTIFICATES);
    assert_int_equal(scripts[0].posts, posts);
    assert_non_null(strstr(findings(campaign, "http://ocsp-a.example/"), "ocsp_post"));
    close_engine();
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* Before they are proved all are asked about, and after it a sample. */
static void only_the_published_are_sampled(void **state)
{
    (void)state;
    int campaign = begin("sample", "http://ocsp-a.example/", true);
    struct engine_report r;
    int sample = world.settings.ocsp_sample;
    world.settings.ocsp_sample = 3;
    open_engine(campaign, "sample");
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_int_equal(revoked(campaign), CERTIFICATES);
    assert_true(scripts[0].gets >= CERTIFICATES);
    for (int look = 0; look < 3; look++) {
        int before = scripts[0].gets;
        ++world.now->s;
        assert_true(engine_verify_now(engine, &r, &(struct fault){0}));
        assert_int_equal(scripts[0].gets - before, 3);
    }
    close_engine();
    world.settings.ocsp_sample = sample;
}

/* The longest time, by the clock, in which it was not asked. */
static int64_t longest_rest(const struct script *s, int from)
{
    int64_t longest = 0;
    for (int i = from + 1; i < s->gets && i < TIMES; i++)
        longest = s->times[i] - s->times[i - 1] > longest ? s->times[i] - s->times[i - 1] : longest;
    return longest;
}

static void one_that_asks_for_patience_is_left_alone(void **state)
{
    (void)state;
    int campaign = begin("later", "http://ocsp-a.example/", true);
    struct engine_report r;
    scripts[0].later = true;
    open_engine(campaign, "later");
    go_on(30, &r);
    assert_int_equal(scripts[0].gets, CERTIFICATES); /* one turn, and then silence */
    assert_int_equal(revoked(campaign), 0);
    assert_non_null(strstr(findings(campaign, "http://ocsp-a.example/"), "ocsp_status"));
    go_on(300, &r);
    int64_t wait = scripts[0].times[CERTIFICATES] - scripts[0].times[CERTIFICATES - 1];
    assert_in_range(wait, 60, 300); /* after a minute, at the look that comes then */
    scripts[0].later = false;
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_int_equal(revoked(campaign), CERTIFICATES);
    assert_in_range(longest_rest(&scripts[0], 2 * CERTIFICATES - 1), 120, 600); /* longer, not for ever */
    close_engine();
    assert_string_equal(world_wrong(&world, campaign), "");
}

static void its_own_word_about_the_time_is_kept(void **state)
{
    (void)state;
    for (int busy = 503; busy != 0; busy = busy == 503 ? 429 : busy == 429 ? 200 : 0) {
        const char *name = arena_format(&world.arena, "retry-%d", busy);
        int campaign = begin(name, "http://ocsp-a.example/", true);
        struct engine_report r;
        scripts[0] = (struct script){
            .http = busy == 200 ? 0 : busy, .later = busy == 200, .headers = "Retry-After: 900\r\n"};
        open_engine(campaign, name);
        go_on(890, &r);
        assert_int_equal(scripts[0].gets, CERTIFICATES);
        assert_int_equal(revoked(campaign), 0);
        scripts[0].http = 0;
        scripts[0].later = false;
        scripts[0].headers = NULL;
        assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
        assert_in_range(scripts[0].times[CERTIFICATES] - scripts[0].times[CERTIFICATES - 1], 900, 1300);
        assert_int_equal(revoked(campaign), CERTIFICATES);
        close_engine();
    }
}

static void one_of_two_responders_is_away(void **state)
{
    (void)state;
    int campaign = begin("two", BOTH, true);
    struct engine_report r;
    scripts[0].http = 500;
    open_engine(campaign, "two");
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_int_equal(revoked(campaign), CERTIFICATES);
    assert_true(scripts[0].gets > 0 && scripts[1].gets >= CERTIFICATES);
    assert_non_null(strstr(findings(campaign, "http://ocsp-a.example/"), "edge_unreachable"));
    assert_string_equal(world_ask(&world, arena_format(&world.arena,
                                                       "SELECT problem FROM edge WHERE kind = 'ocsp' AND "
                                                       "campaign = %d ORDER BY url",
                                                       campaign)),
                        "HTTP status 500\n\n");
    close_engine();
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* While one still says "good" nothing is published, however sure the other is. */
static void one_of_two_responders_is_behind(void **state)
{
    (void)state;
    int campaign = begin("behind", BOTH, true);
    struct engine_report r;
    scripts[0].good = true;
    open_engine(campaign, "behind");
    go_on(120, &r);
    assert_int_equal(revoked(campaign), 0);
    assert_non_null(strstr(findings(campaign, "http://ocsp-a.example/"), "ocsp_good_after"));
    assert_non_null(strstr(findings(campaign, "http://ocsp-a.example/"), "edge_differs"));
    scripts[0].good = false;
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_int_equal(revoked(campaign), CERTIFICATES);
    close_engine();
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* An engine before a CA that tells no status, loses answers and would overwrite dates. */
static void open_blind_engine(int campaign, const char *name, struct careless *door, bool publishes)
{
    struct fault f = {0};
    *record = (struct careless_record){.overwrites = true, .faulty = true};
    for (size_t i = 0; i < world.key_count; i++)
        (void)careless_find(record, &world.keys[i].serial);
    world_open(&world, campaign, name, PROFILE, &run);
    careless_wrap(door, run.door, record);
    door->door.facts.tells_status = false;
    door->door.facts.can_publish = publishes;
    run.ca.door = &door->door;
    assert_true(engine_open(&run.parts, &engine, &f));
}

/* A lagging edge keeps no doubt alive, and no proof is made of the others while it lags. */
static void doubt_is_resolved_by_the_newest_edge(void **state)
{
    (void)state;
    const char *name = "edges";
    struct careless door;
    struct engine_report r;
    int campaign = begin(name, "", true);
    size_t maps = world.settings.map_count;
    world.settings.map_count = 0;
    world.settings.vantage_count = 2;
    lags = true;
    open_blind_engine(campaign, name, &door, true);
    go_on(1200, &r);
    assert_int_equal(r.counts.n[BUCKET_PENDING_PUBLICATION], CERTIFICATES);
    assert_int_equal(revoked(campaign), 0);
    lags = false;
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_string_equal(record->crime, "");
    assert_int_equal(revoked(campaign), CERTIFICATES);
    engine_close(engine);
    ca_close(&door.door);
    world_close(&run);
    world.settings.map_count = maps;
    world.settings.vantage_count = 1;
    assert_string_equal(world_wrong(&world, campaign), "");
}

/* A CA that tells no status and publishes no CRL: its responder resolves doubt. */
static void doubt_is_resolved_by_a_responder(void **state)
{
    (void)state;
    const char *name = "blind";
    struct careless door;
    struct engine_report r;
    int campaign = begin(name, "http://ocsp-a.example/", false);
    open_blind_engine(campaign, name, &door, false);
    assert_int_equal(world_finish(&world, engine, &r), ENGINE_SETTLED);
    assert_string_equal(record->crime, "");
    assert_int_equal(revoked(campaign), CERTIFICATES);
    engine_close(engine);
    ca_close(&door.door);
    world_close(&run);
    assert_string_equal(world_wrong(&world, campaign), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_responder_that_knows_only_sha256),
        cmocka_unit_test(only_the_published_are_sampled),
        cmocka_unit_test(one_that_asks_for_patience_is_left_alone),
        cmocka_unit_test(its_own_word_about_the_time_is_kept),
        cmocka_unit_test(one_of_two_responders_is_away),
        cmocka_unit_test(one_of_two_responders_is_behind),
        cmocka_unit_test(doubt_is_resolved_by_the_newest_edge),
        cmocka_unit_test(doubt_is_resolved_by_a_responder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
