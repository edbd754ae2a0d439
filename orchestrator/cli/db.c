/* db: the private cluster, or the configured server: start, stop, migrate, status. */
#include "generation.h"
#include "massrevoke/cluster.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_private(const struct session *s, struct fault *f)
{
    if (s->settings.db_conninfo == NULL)
        return true;
    fault_set(f, FAULT_CONFLICT, "db.conninfo names a server of yours: massrevoke does not start or stop it");
    return fault_hint(f, "massrevoke db status");
}

bool cmd_db_start(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct cluster_status status;
    (void)exit_code;
    if (!settings_read(in->values[OPTION_CONFIG], &s.arena, &s.settings, f) || !is_private(&s, f) ||
        !session_conninfo(&s, f) || !store_open(s.conninfo, SESSION_SCHEMA, &s.store, f) ||
        !cluster_status(&s.arena, &status, f))
        return false;
    printf("Database ready: PostgreSQL %s, pid %ld, in %s.\n", status.version, status.pid, status.folder);
    return true;
}

/* Engines of any campaign hold their lock in the server: it is not stopped under them. */
static bool engines_work(bool *yes, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct cluster_status status;
    *yes = false;
    if (!cluster_status(&s.arena, &status, f))
        return false;
    if (!status.running)
        return true;
    s.settings = (struct settings){0};
    return cluster_start(&s.settings, &s.arena, &s.conninfo, f) && store_engines_work(s.conninfo, yes, f);
}

bool cmd_db_stop(struct invocation *in, int *exit_code, struct fault *f)
{
    bool was_running, busy;
    (void)exit_code;
    (void)in;
    if (!engines_work(&busy, f))
        return false;
    if (busy) {
        fault_set(f, FAULT_CONFLICT, "an engine works in this database");
        return fault_hint(f, "stop massrevoke run first (Ctrl-C loses nothing)");
    }
    if (!cluster_stop(&was_running, f))
        return false;
    puts(was_running ? "Database stopped." : "No database was running.");
    return true;
}

bool cmd_db_migrate(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    enum store_schema state;
    int applied, known;
    (void)exit_code;
    if (!settings_read(in->values[OPTION_CONFIG], &s.arena, &s.settings, f) || !session_conninfo(&s, f) ||
        !store_probe(s.conninfo, SESSION_SCHEMA, &state, &applied, &known, f) ||
        !store_open(s.conninfo, SESSION_SCHEMA, &s.store, f))
        return false;
    printf("Schema %s: %d of %d migrations were there, now %d.\n", SESSION_SCHEMA, applied, known, known);
    return true;
}

bool cmd_db_confirm(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct generation g;
    struct log_mark m;
    (void)exit_code;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !generation_open(&s, &g, f) ||
        !store_log_mark(s.store, s.campaign.id, 0, &s.arena, &m, f))
        return false;
    const char *question =
        arena_format(&s.arena,
                     "The log of this database has %" PRId64 " entries; this host saw %" PRId64
                     ". What is not in it is forgotten: engines go on from here.",
                     m.size, g.size);
    struct act act = {s.campaign.id, s.clock.now(s.clock.self), s.who};
    if (!session_confirm(&s, in, question, f) || !store_generation_confirm(s.store, &act, g.size, m.size, f))
        return false;
    g.size = 0;
    if (!generation_keep(&g, true, f))
        return false;
    puts("Confirmed: engines may act on this database.\nNext: massrevoke status; massrevoke run");
    return true;
}

static void print_status(const struct invocation *in, const struct session *s, const struct cluster_status *c,
                         enum store_schema schema, int applied, int known, bool reachable)
{
    static const char *const words[] = {"absent", "older", "current"};
    if (in->json) {
        json_t *o = json_object();
        json_set_bool(o, "private", s->settings.db_conninfo == NULL);
        json_set_bool(o, "running", reachable);
        json_set_int(o, "pid", c->pid);
        json_set_text(o, "folder", c->folder);
        json_set_text(o, "version", c->version);
        json_set_int(o, "free_bytes", c->free_bytes);
        json_set_text(o, "schema", reachable ? words[schema] : NULL);
        json_set_int(o, "migrations", applied);
        session_print(o);
        return;
    }
    if (s->settings.db_conninfo != NULL)
        puts("Server of db.conninfo.");
    else if (!c->exists)
        printf("Private cluster: not made yet; it will be in %s.\n", c->folder);
    else
        printf("Private cluster: PostgreSQL %s in %s, %s.\n", c->version, c->folder,
               c->running ? "running" : "stopped");
    if (reachable)
        printf("Schema %s: %s, %d of %d migrations.\n", SESSION_SCHEMA, words[schema], applied, known);
    if (s->settings.db_conninfo == NULL)
        printf("Free space: %" PRId64 " MB.\n", c->free_bytes / 1000000);
}

bool cmd_db_status(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct cluster_status c = {.folder = "", .version = "", .owner = "", .log_file = ""};
    enum store_schema schema = STORE_SCHEMA_ABSENT;
    int applied = 0, known = 0;
    (void)exit_code;
    if (!settings_read(in->values[OPTION_CONFIG], &s.arena, &s.settings, f))
        return false;
    bool reachable = s.settings.db_conninfo != NULL;
    if (!reachable && !cluster_status(&s.arena, &c, f))
        return false;
    reachable = reachable || c.running;
    if (reachable &&
        (!session_conninfo(&s, f) || !store_probe(s.conninfo, SESSION_SCHEMA, &schema, &applied, &known, f)))
        return false;
    print_status(in, &s, &c, schema, applied, known, reachable);
    return true;
}
