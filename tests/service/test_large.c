/* A CRL of tens of megabytes over HTTP (facts of incidents: F23): does the engine read it from a real nginx
 * in memory that does not grow with it, and what is told when the transfer breaks off, drips, or only takes
 * its time? */
#include "../lib/campaign.h"
#include "../lib/fake_http.h"
#include "../lib/stock.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"
#include "massrevoke/verify_issuer.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROFILE "immediate"
#define NAME "large"
#define CERTIFICATES 20
#define ENTRIES ((size_t)1000000) /* about 50 MB */
#define MEMORY_KB 16384           /* that the engine may take for it */
#define TIMEOUT 2

/* What a child saw. */
struct seen {
    long before_kb, after_kb;
    double seconds;
    char warning[1100];
    bool ok;
};

static struct world world;
static struct settings_vantage way;
static struct fake_http origin;
static struct str half; /* of the CRL, with a header that promises the whole */
static char folder[STOCK_PATH], address[4][32];
static pid_t nginx;
static int campaign;
static struct seen *seen;

enum { WHOLE, BREAKS, DRIPS, STEADY };

static void break_off(void *context, const struct fake_request *request, struct fake_reply *reply)
{
    (void)context, (void)request;
    buf_add(&reply->bytes, half.p, half.n);
    reply->close = true;
}

static const char head_of_configuration[] =
    "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log;\nevents {}\nhttp {\n"
    "access_log %s/access.log;\nroot %s/www;\nclient_body_temp_path %s/t1;\nproxy_temp_path %s/t2;\n"
    "fastcgi_temp_path %s/t3;\nuwsgi_temp_path %s/t4;\nscgi_temp_path %s/t5;\n";

static bool start_nginx(void)
{
    AUTO_BUF text = {0};
    int port[4];
    setenv("PATH", arena_format(&world.arena, "%s:/usr/sbin:/sbin", getenv("PATH")), 1);
    setenv("NO_PROXY", "127.0.0.1", 1);
    stock_folder(folder);
    mkdir(arena_format(&world.arena, "%s/www", folder), 0755);
    for (int i = 0; i < 4; i++) {
        port[i] = stock_port();
        snprintf(address[i], sizeof address[i], "127.0.0.1:%d", port[i]);
    }
    fake_http_start(&origin, 0, break_off, NULL);
    buf_format(&text, head_of_configuration, folder, folder, folder, folder, folder, folder, folder, folder,
               folder);
    buf_format(&text,
               "server { listen %s; }\nserver { listen %s; location / { proxy_pass %s; } }\n"
               "server { listen %s; limit_rate 100k; }\nserver { listen %s; limit_rate 12m; }\n}\n",
               address[WHOLE], address[BREAKS], origin.url, address[DRIPS], address[STEADY]);
    stock_write(folder, "nginx.conf", buf_str(&text));
    if (stock_run(folder, "nginx -v") == 127)
        return false;
    nginx = stock_start(folder, arena_format(&world.arena, "nginx -p %s -c nginx.conf", folder));
    return stock_wait_port(port[WHOLE]);
}

static int set_up(void **state)
{
    (void)state;
    world_make(&world, CERTIFICATES, (struct rate){100, 1});
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    way.name = "edge";
    world.settings.map_count = 0;
    world.settings.vantages = &way;
    world.settings.vantage_count = 1;
    world.settings.fetch_timeout = (struct span){TIMEOUT};
    if (!start_nginx()) {
        fprintf(stderr, "nginx is missing: scripts/install-deps check\n");
        return 1;
    }
    campaign = world_campaign(&world, NAME, PROFILE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stock_stop(nginx);
    fake_http_stop(&origin);
    stock_remove(folder);
    world_free(&world);
    return 0;
}

static long peak_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kb;
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An engine in a process of its own, whose memory is only its own. */
static void in_child(void (*work)(struct engine *), int edge)
{
    int status;
    *seen = (struct seen){0};
    way.address = address[edge];
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct world_run run;
        struct fault f = {0};
        struct engine *e;
        world_open(&world, campaign, NAME, PROFILE, &run);
        if (engine_open(&run.parts, &e, &f)) {
            work(e);
            engine_close(e);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0 && seen->ok);
}

static int count(const char *column)
{
    return atoi(world_ask(&world, arena_format(&world.arena, "SELECT sum(%s) FROM page WHERE campaign = %d",
                                               column, campaign)));
}

static void revoke_all(struct engine *e)
{
    struct engine_report r = {0};
    struct fault f = {0};
    engine_only(e, ENGINE_EXECUTE);
    for (int i = 0; i < 1000 && r.counts.n[BUCKET_PENDING_PUBLICATION] < CERTIFICATES; i++) {
        if (!engine_step(e, &r, &f))
            return;
        ++world.now->s;
    }
    seen->ok = r.counts.n[BUCKET_PENDING_PUBLICATION] == CERTIFICATES;
}

static void look(struct engine *e)
{
    struct engine_report r;
    struct fault f = {0};
    seen->before_kb = peak_kb();
    double begun = wall();
    seen->ok = engine_verify_now(e, &r, &f);
    seen->seconds = wall() - begun;
    seen->after_kb = peak_kb();
    snprintf(seen->warning, sizeof seen->warning, "%s", seen->ok ? r.warning : f.text);
}

/* Twice what moves states and once for nothing new: the last one is not sent. */
static void look_again(struct engine *e)
{
    look(e);
    for (int i = 0; i < 2 && seen->ok; i++) {
        ++world.now->s;
        long before = seen->before_kb;
        look(e);
        seen->before_kb = before;
    }
}

/* -- the CRL --------------------------------------------------------------------------------------------- */

/* The campaign's certificates as the CA dated them, at the front, and a million others. */
static size_t make_entries(struct crl_entry *out)
{
    size_t n = 0;
    char *rows = arena_text(
        &world.arena,
        world_ask(&world,
                  arena_format(&world.arena,
                               "SELECT encode(k.serial, 'hex') || ' ' || t.told FROM told_dates(%d, "
                               "ARRAY[0]) t JOIN affected k ON k.campaign = %d AND k.number = t.number",
                               campaign, campaign)));
    for (struct str rest = str_of(rows); rest.n > 0; n++) {
        struct str line = str_cut(&rest, '\n'), hex = str_cut(&line, ' ');
        out[n] = (struct crl_entry){
            .at = {strtoll(line.p, NULL, 10)}, .reason = REASON_SUPERSEDED, .invalid_since = UTC_NONE};
        for (size_t i = 0; i < hex.n / 2; i++)
            sscanf(hex.p + 2 * i, "%2hhx", &out[n].serial.bytes[i]);
        out[n].serial.n = (uint8_t)(hex.n / 2);
    }
    for (uint64_t z = 1; n < ENTRIES; n++) {
        out[n] = (struct crl_entry){.serial = {.n = 16},
                                    .at = {world_begin().s - 1000000},
                                    .reason = REASON_SUPERSEDED,
                                    .invalid_since = UTC_NONE};
        for (size_t i = 0; i < 16; i++)
            out[n].serial.bytes[i] = (uint8_t)((z = z * 6364136223846793005u + 1442695040888963407u) >> 56);
        out[n].serial.bytes[0] = (uint8_t)(out[n].serial.bytes[0] % 127 + 1);
    }
    return n;
}

static size_t write_crl(void)
{
    AUTO_ARENA a = {0};
    AUTO_BUF der = {0};
    struct fault f = {0};
    struct str pem;
    struct verify_issuer issuer;
    FILE *file = fopen(file_join(&a, world.folder, "private/ca.key"), "r");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    assert_non_null(key);
    fclose(file);
    assert_true(file_read(file_join(&a, world.folder, "ca.pem"), 1 << 16, &a, &pem, &f) &&
                verify_issuer_load(pem, &a, &issuer, &f));
    struct crl_entry *entries = arena_array(&a, ENTRIES, sizeof *entries);
    const struct crl_head head = {.issuer = issuer.subject_der,
                                  .key_id = issuer.ski,
                                  .number = {2, {0x40, 0}},
                                  .this_update = *world.now,
                                  .next_update = {world.now->s + 6 * 86400}};
    assert_true(crl_write(&head, entries, make_entries(entries), key, &der, &f));
    stock_write(folder, "www/ca.crl", buf_str(&der));
    const char *promise = arena_format(
        &a, "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: %zu\r\n\r\n", der.n);
    char *bytes = malloc(strlen(promise) + der.n / 2);
    memcpy(bytes, promise, strlen(promise));
    memcpy(bytes + strlen(promise), der.p, der.n / 2);
    half = (struct str){bytes, strlen(promise) + der.n / 2};
    EVP_PKEY_free(key);
    verify_issuer_free(&issuer);
    return der.n;
}

static void a_large_crl_is_read_in_little_memory(void **state)
{
    (void)state;
    in_child(revoke_all, WHOLE);
    size_t size = write_crl();
    assert_true(size > 40000000);
    const char *problem = "SELECT problem || ' ' || findings FROM edge WHERE kind = 'crl'";

    in_child(look, BREAKS);
    assert_non_null(strstr(seen->warning, "cannot be fetched"));
    assert_non_null(strstr(world_ask(&world, problem), "bytes remaining to read"));
    assert_non_null(strstr(world_ask(&world, problem), "edge_unreachable"));
    assert_int_equal(count("revoked"), 0);

    in_child(look, DRIPS);
    assert_non_null(strstr(seen->warning, "Timeout: "));
    assert_non_null(strstr(world_ask(&world, problem), arena_format(&world.arena, " of %zu bytes", size)));
    assert_true(seen->seconds < 3 * TIMEOUT);
    assert_int_equal(count("revoked"), 0);

    in_child(look, STEADY); /* longer than the timeout, but it flows */
    assert_string_equal(seen->warning, "");
    assert_true(seen->seconds > TIMEOUT);
    assert_int_equal(count("revoked"), CERTIFICATES);
    assert_string_equal(world_ask(&world, problem), " \n");

    in_child(look_again, WHOLE);
    assert_string_equal(seen->warning, "");
    assert_int_equal(count("revoked"), CERTIFICATES);
    print_message("%zu bytes: peak memory %ld KB, before %ld KB; unchanged in %.3f s\n", size, seen->after_kb,
                  seen->before_kb, seen->seconds);
    assert_true(seen->after_kb - seen->before_kb < MEMORY_KB);
    AUTO_ARENA a = {0};
    struct str access;
    struct fault f = {0};
    assert_true(file_read(file_join(&a, folder, "access.log"), 1 << 20, &a, &access, &f));
    assert_non_null(memmem(access.p, access.n, "\" 304 ", 6));
    assert_string_equal(world_wrong(&world, campaign), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_large_crl_is_read_in_little_memory)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
