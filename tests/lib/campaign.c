#include "campaign.h"

#include "cluster.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/cert.h"
#include "massrevoke/cms.h"
#include "massrevoke/embed.h"
#include "massrevoke/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct utc world_begin(void)
{
    return (struct utc){1795000000}; /* 2026-11-18T11:06:40Z */
}

static void must(bool ok, const char *what, const struct fault *f)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s %s\n", what, f->text, f->hint);
    abort();
}

static struct utc now_of(void *self)
{
    return *(struct utc *)self;
}

static void jump(void *self, struct utc until, struct span longest, int fd)
{
    struct utc *now = self, most = utc_add(*now, longest);
    (void)fd;
    if (utc_is_set(until) && until.s > now->s)
        *now = utc_min(until, most);
}

static struct clock clock_of(const struct world *w)
{
    return (struct clock){.self = w->now, .now = now_of, .wait = jump};
}

static struct str read_file(struct world *w, const char *name)
{
    struct fault f = {0};
    struct str bytes;
    must(file_read(file_join(&w->arena, w->folder, name), (size_t)1 << 26, &w->arena, &bytes, &f), name, &f);
    return bytes;
}

static void write_file(struct world *w, const char *name, struct str bytes)
{
    struct fault f = {0};
    must(file_write(file_join(&w->arena, w->folder, name), bytes, 0644, &f), name, &f);
}

void world_keep(struct world *w)
{
    w->index = read_file(w, "index.txt");
    w->crl_number = read_file(w, "crlnumber");
    w->crl = read_file(w, "pub/ca.crl");
}

void world_reset(struct world *w)
{
    write_file(w, "index.txt", w->index);
    write_file(w, "crlnumber", w->crl_number);
    write_file(w, "pub/ca.crl", w->crl);
    *w->now = world_begin();
}

static struct conduct conduct_of(struct world *w)
{
    return (struct conduct){.store = w->store,
                            .settings = &w->settings,
                            .issuers = w->issuers,
                            .issuer_count = w->issuer_count,
                            .now = *w->now,
                            .who = "olga"};
}

/* The inventory of the demo CA; its keys are what is revoked. */
static void read_inventory(struct world *w)
{
    struct fault f = {0};
    AUTO_INTAKE_INVENTORY inventory = {0};
    struct cert ca;
    must(cert_load(w->ca.issuers[0].certificate_file, &w->arena, &ca, &f), "issuer", &f);
    const char *const names[] = {ca.subject_text};
    struct intake_issuer issuer = {names, 1};
    struct str bytes = read_file(w, "inventory.csv");
    const uint64_t seed[2] = {1, 2};
    must(intake_inventory_read(&inventory, "inventory.csv", source_memory(&bytes),
                               intake_issuers_make(&issuer, 1, &w->arena), 0, seed, &w->arena, &f),
         "inventory", &f);
    w->row_count = inventory.count;
    w->rows = arena_array(&w->arena, inventory.count, sizeof *w->rows);
    w->keys = arena_array(&w->arena, inventory.count, sizeof *w->keys);
    for (size_t i = 0; i < inventory.count; i++) {
        w->rows[i] = inventory.rows[i];
        w->keys[w->key_count++] = (struct intake_key){.serial = inventory.rows[i].serial};
    }
}

void world_make(struct world *w, int count, struct rate rate)
{
    struct fault f = {0};
    char *folder = test_folder();
    w->folder = arena_format(&w->arena, "%s/ca", folder);
    free(folder);
    w->now = mmap(NULL, sizeof *w->now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w->now == MAP_FAILED)
        abort();
    *w->now = world_begin();
    struct ca_new_spec spec = {
        .directory = w->folder, .count = count, .subscribers = 7, .seed = 5, .now = world_begin()};
    must(ca_new(&spec, &f), "ca new", &f);
    must(settings_read(file_join(&w->arena, w->folder, "massrevoke.cfg"), &w->arena, &w->settings, &f),
         "settings", &f);
    w->ca = w->settings.cas[0];
    w->ca.rate = rate;
    w->settings.cas = &w->ca;
    w->conninfo = test_conninfo();
    snprintf(w->schema, sizeof w->schema, "test_world_%d", (int)getpid());
    must(store_open(w->conninfo, w->schema, &w->store, &f), "store", &f);
    w->sql = PQconnectdb(w->conninfo);
    world_ask(w, arena_format(&w->arena, "SET search_path TO %s", w->schema));
    must(conduct_issuers(w->store, &w->settings, &w->arena, &w->issuers, &w->issuer_count, &f), "issuers",
         &f);
    read_inventory(w);
    world_keep(w);
}

void world_free(struct world *w)
{
    struct fault f = {0};
    store_close(w->store);
    PQfinish(w->sql);
    must(store_drop_schema(w->conninfo, w->schema, &f), "drop schema", &f);
    munmap(w->now, sizeof *w->now);
    arena_free(&w->arena);
}

static void import_all(struct world *w, const struct conduct *c)
{
    struct fault f = {0};
    AUTO_INTAKE_LIST list = {.seed = {1, 2}, .arena = &w->arena};
    uint32_t file = intake_list_file(&list, "list");
    struct population_result result;
    for (size_t i = 0; i < w->key_count; i++)
        intake_list_add(&list, file, i + 1, 0, &w->keys[i].serial);
    struct conduct_list in = {
        .list = &list, .sha256 = digest_of("list", 4), .source = "test", .received = UTC_NONE};
    must(conduct_import(c, &in, &result, &f), "import", &f);
}

/* As `approve --key --cert` does, by the first of the demo's two people. */
static void approve(struct world *w, const struct conduct *c, int request)
{
    struct fault f = {0};
    struct request r;
    AUTO_BUF signature = {0};
    const char *cert = w->settings.approvers[0].certificate_file, *who;
    const char *key = arena_format(&w->arena, "%.*s.key", (int)(strlen(cert) - strlen(".crt")), cert);
    int approvals;
    must(conduct_request(c, request, &w->arena, &r, &f), "request", &f);
    must(cms_sign(str_of(r.text), key, NULL, cert, &signature, &f), "sign", &f);
    must(conduct_approve(c, &r, buf_str(&signature), &approvals, &who, &f), "approve", &f);
}

int world_campaign(struct world *w, const char *name, const char *profile)
{
    struct fault f = {0};
    struct conduct c = conduct_of(w);
    struct conduct_opening opening = {.name = name,
                                      .mode = "live",
                                      .rule = w->compromised.s == 0 ? "4.9.1.1-12" : "4.9.1.1-3",
                                      .received = *w->now,
                                      .profile = profile};
    struct conduct_plan plan;
    int id;
    must(conduct_open(&c, &opening, &id, &f), "open", &f);
    must(store_campaign_find(w->store, name, &w->arena, &c.campaign, &f), "find", &f);
    import_all(w, &c);
    struct inventory_row *rows = arena_array(&w->arena, w->row_count, sizeof *rows);
    memcpy(rows, w->rows, w->row_count * sizeof *rows); /* conduct renumbers their issuers */
    must(conduct_inventory(&c, rows, w->row_count, &f), "inventory", &f);
    c.compromised_at = w->compromised;
    must(conduct_plan(&c, 0, c.now, false, &w->arena, &plan, &f), "plan", &f);
    approve(w, &c, plan.request);
    must(conduct_start(&c, 0, &f), "start", &f);
    return id;
}

void world_open(struct world *w, int campaign, const char *name, const char *profile, struct world_run *run)
{
    struct fault f = {0};
    struct profile p;
    *run = (struct world_run){0};
    must(ca_openssl_open(&w->ca, 0, clock_of(w), &run->door, &f), "door", &f);
    run->ca.door = run->door;
    must(profile_read(NULL, profile, &w->arena, &p, &f), "profile", &f);
    run->parts = (struct engine_parts){
        .settings = &w->settings,
        .conninfo = w->conninfo,
        .schema = w->schema,
        .clock = clock_of(w),
        .cas = &run->ca,
        .ca_count = 1,
        .issuers = w->issuers,
        .issuer_count = w->issuer_count,
        .profile = p,
        .campaign = campaign,
        .campaign_name = name,
        .mode = "live",
        .who = "engine",
        .host = "test",
    };
    must(store_open(w->conninfo, w->schema, &run->parts.store, &f), "store", &f);
    must(fetch_open(&w->settings, &run->parts.fetch, &f), "fetch", &f);
}

void world_close(struct world_run *run)
{
    fetch_close(run->parts.fetch);
    store_close(run->parts.store);
    ca_close(run->door);
}

enum engine_state world_finish(struct world *w, struct engine *e, struct engine_report *last)
{
    struct fault f = {0};
    for (int step = 0; step < 20000; step++) {
        must(engine_step(e, last, &f), "step", &f);
        if (last->state != ENGINE_WORKING && last->state != ENGINE_PAUSED)
            return last->state;
        if (last->asked + last->settled == 0)
            usleep(1000); /* another session may have to end first, and that is not a matter of our clock */
        if (!utc_is_set(last->next))
            ++w->now->s;
        else if (last->next.s > w->now->s)
            *w->now = utc_min(last->next, utc_add(*w->now, (struct span){60}));
    }
    fprintf(stderr, "the engine does not come to an end: %s\n", last->warning);
    abort();
}

const char *world_ask(struct world *w, const char *sql)
{
    AUTO_BUF out = {0};
    PGresult *r = PQexec(w->sql, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK) {
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(w->sql));
        abort();
    }
    buf_text(&out, "");
    for (int i = 0; i < PQntuples(r); i++)
        buf_format(&out, "%s\n", PQgetvalue(r, i, 0));
    PQclear(r);
    return arena_copy(&w->arena, out.p, out.n);
}

const char *world_pages(struct world *w, int campaign)
{
    return world_ask(
        w, arena_format(&w->arena,
                        "SELECT concat_ws(' ', page, encode(states, 'hex'), revoked, pending_publication,"
                        " not_revoked, held, expired, unknown, withdrawn, doubt, needs_person)"
                        " FROM page WHERE campaign = %d ORDER BY page",
                        campaign));
}

const char *world_index(struct world *w)
{
    struct str bytes = read_file(w, "index.txt");
    return arena_copy(&w->arena, bytes.p, bytes.n);
}

/* Columns of index.txt: type, expiry, date with reason, serial, ... */
static bool next_row(struct str *rest, struct str cell[static 4])
{
    if (rest->n == 0)
        return false;
    struct str line = str_cut(rest, '\n');
    for (int i = 0; i < 4; i++)
        cell[i] = str_cut(&line, '\t');
    return cell[0].n > 0;
}

const char *world_revoked(struct world *w, const char *index)
{
    AUTO_BUF out = {0};
    struct str rest = str_of(index), cell[4];
    buf_text(&out, "");
    while (next_row(&rest, cell)) {
        (void)str_cut(&cell[2], ',');
        if (str_is(cell[0], "R"))
            buf_format(&out, "%.*s %.*s\n", (int)cell[3].n, cell[3].p, (int)cell[2].n, cell[2].p);
    }
    return arena_copy(&w->arena, out.p, out.n);
}

bool world_keeps_dates(struct world *w, const char *earlier, const char *later)
{
    struct str rest = str_of(earlier), cell[4];
    while (next_row(&rest, cell)) {
        const char *row =
            arena_format(&w->arena, "\t%.*s\t%.*s\t", (int)cell[2].n, cell[2].p, (int)cell[3].n, cell[3].p);
        if (str_is(cell[0], "R") && strstr(later, row) == NULL)
            return false;
    }
    return true;
}

/* Events with a wrong hash, or whose leaf does not carry the digests of their rows; gaps. */
static const char log_check[] =
    "SELECT 'event ' || e.seq || ' differs' FROM event e WHERE e.campaign = %d AND"
    " (e.hash <> sha256('\\x00'::bytea || convert_to(e.leaf, 'UTF8')) OR strpos(e.leaf, '\"rows\":{' ||"
    " (SELECT coalesce(string_agg(format('\"%%s\":\"%%s\"', key, encode(sha256(convert_to(body, 'UTF8')), "
    "'hex')), ','"
    " ORDER BY key COLLATE \"C\"), '') FROM fact_rows(e.campaign, e.seq)) || '}') = 0)"
    " UNION ALL SELECT 'the log has a gap' FROM log WHERE campaign = %d AND"
    " (size, size - 1) <> (SELECT count(*), max(seq) FROM event WHERE campaign = %d)";

const char *world_wrong(struct world *w, int campaign)
{
    AUTO_BUF out = {0};
    buf_text(&out, "");
    char id[16];
    const char *values[] = {id};
    snprintf(id, sizeof id, "%d", campaign);
    for (const struct embed_file *m = NULL; (m = embed_next("sql/invariant/", m)) != NULL;) {
        PGresult *r = PQexecParams(w->sql, m->bytes.p, 1, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK)
            buf_format(&out, "%s: %s", m->path, PQerrorMessage(w->sql));
        for (int i = 0; i < PQntuples(r); i++)
            buf_format(&out, "%s: %s: %s\n", m->path, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1));
        PQclear(r);
    }
    buf_text(&out, world_ask(w, arena_format(&w->arena, log_check, campaign, campaign, campaign)));
    return arena_copy(&w->arena, out.p, out.n);
}
