/* The whole executor, durable ledger and log included, before an nginx that answers at once or after 100 ms
 * (echo_sleep of libnginx-mod-http-echo): against wrk at equal concurrency, curl --parallel, xargs with curl,
 * and the same client without a ledger. Each side is told in seconds for the same number of revocations. And
 * the CPU seconds of one revocation, ours and the database server's, in campaigns of growing size. */
#include "../lib/campaign.h"
#include "../lib/stock.h"
#include "bench.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SAMPLE 200 /* requests of xargs, scaled */

/* One case. */
struct load {
    const char *path; /* of nginx: "/now" or "/later" */
    int concurrency;
    size_t count;    /* revocations of one run */
    int connections; /* the door's limit; with one, libcurl transfers, 0: it makes connections only */
    bool tls;
};

struct bed {
    struct world world;
    struct load load;
    char folder[STOCK_PATH];
    pid_t nginx, server; /* the server: of the database */
    int port, runs;
    double cpu_ours, cpu_server; /* of the last run, a revocation */
};

static const char profile_text[] =
    "version = 1;\nname = \"bench\";\nkeeps_first_date = true;\nquiet = \"60s\";\nconcurrency = 50;\n"
    "reasons = ( { reason = \"superseded\"; word = \"superseded\"; } );\n"
    "revoke = {\n  method = \"POST\";\n  path = \"/revoke\";\n"
    "  headers = [ \"Content-Type: application/json\" ];\n"
    "  body = \"{\\\"serial\\\":\\\"{serial.hex}\\\",\\\"reason\\\":\\\"{reason.name}\\\"}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked\"; } );\n};\n"
    "status = {\n  method = \"GET\";\n  path = \"/status/{serial.hex}\";\n"
    "  answers = ( { http = 200; json = \"/success\"; is = \"true\"; outcome = \"revoked_before\"; } "
    ");\n};\n";

static const char nginx_text[] =
    "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log %s/error.log crit;\n"
    "load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;\n"
    "events { worker_connections 8192; }\n"
    "http {\n  access_log off;\n  keepalive_requests 100000000;\n  keepalive_timeout 600s;\n"
    "  client_body_temp_path %s;\n  proxy_temp_path %s;\n  fastcgi_temp_path %s;\n  uwsgi_temp_path %s;\n"
    "  scgi_temp_path %s;\n  default_type application/json;\n"
    "  server {\n    listen 127.0.0.1:%d %s backlog=4096;\n"
    "    ssl_certificate %s/server.pem;\n    ssl_certificate_key %s/server.key;\n"
    "    location /now { return 200 '{\"success\":true}'; }\n"
    "    location /later { echo_sleep 0.1; echo '{\"success\":true}'; }\n  }\n}\n";

static void must(bool ok, const char *what, const struct fault *f)
{
    if (!ok)
        bench_die("%s: %s", what, f->text);
}

static struct serial serial_at(unsigned long *state)
{
    struct serial s = {.n = 16};
    for (size_t at = 0; at < 16; at += 8) {
        unsigned long word = bench_random(state);
        memcpy(s.bytes + at, &word, 8);
    }
    s.bytes[0] = (uint8_t)((s.bytes[0] & 0x7f) | 1);
    return s;
}

static void start_nginx(struct bed *b)
{
    AUTO_ARENA a = {0};
    const char *d = b->folder;
    b->port = stock_port();
    stock_write(d, "bench.cfg", str_of(profile_text));
    if (!stock_server_certificate(d))
        bench_die("openssl does not make a certificate; see %s/log", d);
    stock_write(
        d, "nginx.conf",
        str_of(arena_format(&a, nginx_text, d, d, d, d, d, d, d, b->port, b->load.tls ? "ssl" : "", d, d)));
    b->nginx = stock_start(d, arena_format(&a, "nginx -p %s -c nginx.conf", d));
    if (!stock_wait_port(b->port))
        bench_die("nginx does not start: it needs nginx-light and libnginx-mod-http-echo; see %s/log", d);
}

static void make(void **context, struct load load)
{
    struct bed *b = calloc(1, sizeof *b);
    if (b == NULL)
        bench_die("no memory");
    *context = b;
    b->load = load;
    stock_folder(b->folder);
    start_nginx(b);
    world_make(&b->world, 8, (struct rate){1000000, 1});
    b->world.ca.limits = (struct rate_limits){0}; /* those of the demo's configuration are lower */
    unsigned long state = 7;
    struct intake_key *keys = arena_array(&b->world.arena, load.count, sizeof *keys);
    for (size_t i = 0; i < load.count; i++)
        keys[i] = (struct intake_key){.serial = serial_at(&state)};
    b->world.keys = keys;
    b->world.key_count = load.count;
}

static void drop(void *context)
{
    struct bed *b = context;
    stock_stop(b->nginx);
    stock_remove(b->folder);
    world_free(&b->world);
    free(b);
}

/* Where nginx answers. */
static const char *url(const struct bed *b, struct arena *a)
{
    return arena_format(a, "%s://127.0.0.1:%d%s", b->load.tls ? "https" : "http", b->port, b->load.path);
}

/* The door to nginx; what it needs lives in `a`. */
static struct ca_door *open_door(struct bed *b, struct clock clock, struct arena *a)
{
    struct fault f = {0};
    struct ca_door *door;
    struct settings_ca s = b->world.ca;
    s.concurrency = b->load.concurrency;
    s.http = (struct settings_http){
        .profile = arena_format(a, "%s/bench.cfg", b->folder),
        .url = url(b, a),
        .ca_file = arena_format(a, "%s/server.pem", b->folder),
        .timeout = {30},
        .connections = b->load.connections,
    };
    must(ca_http_open(&s, 0, clock, &door, &f), "door", &f);
    return door;
}

/* A fresh campaign, planned and started, outside of what is measured. */
static int prepare(struct bed *b, const char *name)
{
    *b->world.now = clock_system().now(NULL);
    int campaign = world_campaign(&b->world, name, "immediate");
    (void)world_ask(&b->world, "ANALYZE");
    (void)world_ask(&b->world, "CHECKPOINT");
    return campaign;
}

static double cpu_of_process(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Parent and CPU seconds of a process; with those of children that have ended. */
static bool process_stat(long pid, long *parent, double *own, double *ended)
{
    char path[64], text[1024];
    long t[4];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    const char *rest = strrchr(text, ')'); /* 4 is the parent, 14 to 17 the times */
    if (rest == NULL || sscanf(rest, ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", parent,
                               &t[0], &t[1], &t[2], &t[3]) != 5)
        return false;
    *own = (double)(t[0] + t[1]) / (double)sysconf(_SC_CLK_TCK);
    *ended = (double)(t[2] + t[3]) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

/* Of all processes of the database server, those that have ended too. */
static double cpu_of_server(struct bed *b)
{
    long parent;
    double own, ended, sum = 0;
    if (b->server == 0 && process_stat(strtol(world_ask(&b->world, "SELECT pg_backend_pid()"), NULL, 10),
                                       &parent, &own, &ended))
        b->server = (pid_t)parent;
    DIR *all = opendir("/proc");
    for (const struct dirent *e; all != NULL && (e = readdir(all)) != NULL;) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && process_stat(pid, &parent, &own, &ended))
            sum += pid == b->server ? own + ended : parent == b->server ? own : 0;
    }
    if (all != NULL)
        closedir(all);
    return sum;
}

/* From the first claim until the last outcome is committed. */
static double execute(struct bed *b)
{
    AUTO_ARENA a = {0};
    struct world_run run;
    struct fault f = {0};
    struct engine *e;
    struct engine_report r;
    const char *name = arena_format(&a, "run-%d", b->runs++);
    int campaign = prepare(b, name);
    world_open(&b->world, campaign, name, "immediate", &run);
    run.parts.clock = clock_system();
    run.ca.door = open_door(b, run.parts.clock, &a);
    must(engine_open(&run.parts, &e, &f), "engine", &f);
    engine_only(e, ENGINE_EXECUTE);
    double server = cpu_of_server(b), begun = bench_now(), cpu = cpu_of_process();
    for (int64_t done = 0; done < (int64_t)b->load.count; done += r.settled) {
        must(engine_step(e, &r, &f), "step", &f);
        if (r.stray > 0 || r.warning[0] != '\0')
            bench_die("%lld strays, %s", (long long)r.stray, r.warning);
    }
    double took = bench_now() - begun;
    b->cpu_ours = (cpu_of_process() - cpu) / (double)b->load.count;
    b->cpu_server = (cpu_of_server(b) - server) / (double)b->load.count;
    printf("    %.0f/s; CPU of each: %.1f us ours, %.1f us the database's\n", (double)b->load.count / took,
           b->cpu_ours * 1e6, b->cpu_server * 1e6);
    engine_close(e);
    ca_close(run.ca.door);
    world_close(&run);
    if (b->runs % 8 == 0)
        (void)world_ask(&b->world, "VACUUM ANALYZE");
    return took;
}

static double ours(void *context)
{
    return execute(context);
}

/* --- CPU by size --- */

/* Campaigns of one size, as many as make 10,000 revocations: a line of the table; CPU seconds of one
 * revocation. */
static double cpu_at(struct bed *b, size_t count)
{
    int runs = count < 10000 ? (int)(10000 / count) : 1;
    double process = 0, server = 0, took = 0;
    b->load.count = b->world.key_count = count;
    for (int i = 0; i < runs; i++) {
        took += execute(b);
        process += b->cpu_ours;
        server += b->cpu_server;
    }
    printf("  %8zu revocations: %6.1f us ours, %6.1f us the database's, %6.1f us together; %.0f/s\n", count,
           process / runs * 1e6, server / runs * 1e6, (process + server) / runs * 1e6,
           (double)count * runs / took);
    return (process + server) / runs;
}

static size_t largest(void)
{
    const char *said = getenv("BENCH_CPU_LARGEST"); /* 1000000 takes ten minutes of a quiet machine */
    return said == NULL ? 100000 : strtoul(said, NULL, 10);
}

static double cpu_large(void *context)
{
    double cost = 0;
    for (size_t n = 10000; n <= largest(); n *= 10)
        cost = cpu_at(context, n);
    return cost;
}

static double cpu_small(void *context)
{
    return cpu_at(context, 1000);
}

/* --- the peers --- */

static double command_output(const char *command)
{
    char line[256] = "";
    FILE *child = popen(command, "r");
    if (child == NULL || fgets(line, sizeof line, child) == NULL || pclose(child) != 0)
        bench_die("failed: %s", command);
    return strtod(line, NULL);
}

static double wrk(void *context)
{
    struct bed *b = context;
    AUTO_ARENA a = {0};
    stock_write(
        b->folder, "post.lua",
        str_of("wrk.method = 'POST'\n"
               "wrk.body = '{\"serial\":\"0123456789ABCDEF0123456789ABCDEF\",\"reason\":\"superseded\"}'\n"
               "wrk.headers['Content-Type'] = 'application/json'\n"));
    double rate = command_output(
        arena_format(&a, "wrk -t1 -c%d -d3s -s %s/post.lua %s/revoke | sed -n 's/^Requests.sec: *//p'",
                     b->load.concurrency, b->folder, url(b, &a)));
    printf("    wrk %.0f/s\n", rate);
    return (double)b->load.count / rate;
}

/* A request with its own body for each, in one curl. */
static double curl(void *context)
{
    struct bed *b = context;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    const char *where = url(b, &a);
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < b->load.count; i++)
        buf_format(&text,
                   "%surl = \"%s/revoke\"\ncacert = \"%s/server.pem\"\nheader = \"Content-Type: "
                   "application/json\"\ndata = "
                   "\"{\\\"serial\\\":\\\"%s\\\",\\\"reason\\\":\\\"superseded\\\"}\"\noutput = "
                   "\"/dev/null\"\n",
                   i == 0 ? "" : "next\n", where, b->folder, serial_hex(&b->world.keys[i].serial, hex));
    stock_write(b->folder, "curl.config", buf_str(&text));
    double begun = bench_now();
    if (system(arena_format(
            &a, "curl -s --no-progress-meter --parallel --parallel-max %d --config %s/curl.config",
            b->load.concurrency, b->folder)) != 0)
        bench_die("curl failed");
    return bench_now() - begun;
}

/* A process a request, 50 at a time: a sample, scaled. */
static double xargs(void *context)
{
    struct bed *b = context;
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < SAMPLE; i++)
        buf_format(&text, "%s\n", serial_hex(&b->world.keys[i].serial, hex));
    stock_write(b->folder, "serials", buf_str(&text));
    double begun = bench_now();
    if (system(arena_format(&a,
                            "xargs -P50 -I@ curl -s -o /dev/null --cacert %s/server.pem "
                            "-H 'Content-Type: application/json' -d "
                            "'{\"serial\":\"@\",\"reason\":\"superseded\"}' %s/revoke <%s/serials",
                            b->folder, url(b, &a), b->folder)) != 0)
        bench_die("xargs failed");
    return (bench_now() - begun) * (double)b->load.count / SAMPLE;
}

/* The client alone: the same door, fed as the engine feeds it, nothing written down. */
struct alone {
    size_t answered;
};

static void count_answers(void *context, const struct ca_answer *answers, size_t count)
{
    struct alone *alone = context;
    for (size_t i = 0; i < count; i++)
        if (answers[i].outcome != CA_REVOKED_NOW)
            bench_die("an answer that is none: %s", answers[i].text);
    alone->answered += count;
}

static double without_ledger(void *context)
{
    struct bed *b = context;
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct alone alone = {0};
    struct ca_door *door = open_door(b, clock_system(), &a);
    struct ca_item *items = arena_array(&a, b->load.count, sizeof *items);
    for (size_t i = 0; i < b->load.count; i++)
        items[i] = (struct ca_item){
            .number = (uint32_t)i, .serial = b->world.keys[i].serial, .reason = REASON_SUPERSEDED};
    door->answer = count_answers;
    door->answer_context = &alone;
    double begun = bench_now(), cpu = cpu_of_process();
    for (size_t sent = 0; alone.answered < b->load.count;) {
        size_t room = door->facts.window - (sent - alone.answered), left = b->load.count - sent;
        size_t n = room < left ? room : left;
        bool busy;
        if (n > 0)
            must(door->ops->revoke(door, items + sent, n, &f), "revoke", &f);
        else
            ca_wait(door, 1000);
        sent += n;
        must(door->ops->step(door, &busy, &f), "step", &f);
    }
    double took = bench_now() - begun;
    cpu = (cpu_of_process() - cpu) / (double)b->load.count;
    printf("    without ledger %.0f/s; CPU of each: %.1f us ours\n", (double)b->load.count / took, cpu * 1e6);
    ca_close(door);
    return took;
}

/* What is loaded: path, concurrency, revocations, connections, TLS. */
#define LOAD(NAME, ...)                                                                                      \
    static void NAME(void **context)                                                                         \
    {                                                                                                        \
        make(context, (struct load){__VA_ARGS__});                                                           \
    }
LOAD(make_instant, "/now", 50, 60000, 0, false)
LOAD(make_ledger, "/now", 50, 120000, 0, false)
LOAD(make_libcurl, "/now", 50, 120000, 50, false)
LOAD(make_instant_libcurl, "/now", 50, 60000, 50, false)
LOAD(make_500_tls, "/later", 500, 30000, 0, true)
LOAD(make_tls, "/now", 50, 120000, 0, true)
LOAD(make_instant_tls, "/now", 50, 60000, 0, true)
LOAD(make_500, "/later", 500, 30000, 0, false)
LOAD(make_1000, "/later", 1000, 60000, 0, false)
LOAD(make_cpu, "/now", 50, largest(), 0, false)

#define ROW(NAME, PEER_NAME, PAIRS, PEER, MAKE, EXTRAPOLATED, BY_NAME)                                       \
    {                                                                                                        \
        .name = NAME, .peer_name = PEER_NAME, .unit = "s", .pairs = PAIRS, .extrapolated = EXTRAPOLATED,     \
        .by_name = BY_NAME, .ours = ours, .peer = PEER, .make = MAKE, .free = drop                           \
    }

int main(int argc, char **argv)
{
    static const struct bench rows[] = {
        ROW("execute_instant", "wrk", 5, wrk, make_instant, false, false),
        ROW("execute_100ms_500", "wrk", 3, wrk, make_500, false, false),
        ROW("execute_100ms_1000", "wrk", 3, wrk, make_1000, false, false),
        ROW("execute_vs_curl", "curl --parallel", 5, curl, make_instant, false, false),
        ROW("execute_vs_xargs", "xargs -P50 curl", 3, xargs, make_instant, true, false),
        /* what every CA behind TLS gets, beside the same peers over TLS */
        ROW("execute_instant_tls", "wrk", 5, wrk, make_instant_tls, false, false),
        ROW("execute_100ms_500_tls", "wrk", 3, wrk, make_500_tls, false, true),
        ROW("execute_vs_curl_tls", "curl --parallel", 5, curl, make_instant_tls, false, true),
        ROW("execute_vs_xargs_tls", "xargs -P50 curl", 3, xargs, make_instant_tls, true, true),
        /* where connections are limited (HTTP/2), or an answer could not be read */
        ROW("execute_instant_libcurl", "wrk", 5, wrk, make_instant_libcurl, false, true),
        ROW("execute_ledger_cost", "the same client without a ledger", 5, without_ledger, make_ledger, false,
            true),
        ROW("execute_ledger_cost_tls", "the same client without a ledger", 5, without_ledger, make_tls, false,
            false),
        ROW("execute_ledger_cost_libcurl", "the same client without a ledger", 5, without_ledger,
            make_libcurl, false, true),
        {.name = "execute_client",
         .peer_name = "wrk, no ledger on either side",
         .unit = "s",
         .pairs = 5,
         .by_name = true,
         .ours = without_ledger,
         .peer = wrk,
         .make = make_instant,
         .free = drop},
        {.name = "execute_cpu_flat",
         .peer_name = "the same in a campaign of 1,000",
         .unit = "s",
         .pairs = 3,
         .ours = cpu_large,
         .peer = cpu_small,
         .make = make_cpu,
         .free = drop},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
