#include "cfssl.h"

#include "cluster.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/cert.h"
#include "massrevoke/cluster.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"
#include "shell.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(bool ok, const char *what, const char *why)
{
    if (ok)
        return;
    fprintf(stderr, "cfssl: %s: %s\n", what, why);
    abort();
}

bool cfssl_there(void)
{
    return shell_has("cfssl");
}

/* --- PostgreSQL --- */

void cfssl_database_start(struct cfssl *c)
{
    struct fault f = {0};
    const char *conninfo, *before = getenv("MASSREVOKE_STATE");
    char *kept = arena_text(&c->arena, before);
    setenv("MASSREVOKE_STATE", file_join(&c->arena, c->folder, "state"), 1);
    must(cluster_start(&(struct settings){0}, &c->arena, &conninfo, &f), "PostgreSQL", f.text);
    c->conninfo = arena_format(&c->arena, "%s options='-c search_path=certdb'", conninfo);
    if (kept == NULL)
        unsetenv("MASSREVOKE_STATE");
    else
        setenv("MASSREVOKE_STATE", kept, 1);
}

static pid_t postmaster(struct cfssl *c, struct cluster_status *s)
{
    struct fault f = {0};
    char *kept = arena_text(&c->arena, getenv("MASSREVOKE_STATE"));
    setenv("MASSREVOKE_STATE", file_join(&c->arena, c->folder, "state"), 1);
    must(cluster_status(&c->arena, s, &f), "PostgreSQL", f.text);
    if (kept == NULL)
        unsetenv("MASSREVOKE_STATE");
    else
        setenv("MASSREVOKE_STATE", kept, 1);
    return (pid_t)s->pid;
}

void cfssl_database_crash(struct cfssl *c)
{
    struct cluster_status s;
    pid_t pid = postmaster(c, &s);
    must(pid > 0 && kill(pid, SIGQUIT) == 0, "PostgreSQL", "does not run");
    for (int i = 0; i < 500 && waitpid(pid, NULL, WNOHANG) <= 0 && kill(pid, 0) == 0; i++)
        poll(NULL, 0, 10);
    PQfinish(c->db);
    c->db = NULL;
}

static void no_notice(void *context, const char *text)
{
    (void)context, (void)text;
}

static PGconn *connect_db(struct cfssl *c)
{
    if (c->db == NULL) {
        c->db = PQconnectdb(c->conninfo);
        PQsetNoticeProcessor(c->db, no_notice, NULL);
    }
    must(PQstatus(c->db) == CONNECTION_OK, "database", PQerrorMessage(c->db));
    return c->db;
}

static void run_sql(PGconn *db, const char *sql)
{
    PGresult *r = PQexec(db, sql);
    must(PQresultStatus(r) == PGRES_COMMAND_OK, sql, PQerrorMessage(db));
    PQclear(r);
}

const char *cfssl_ask(struct cfssl *c, const char *sql)
{
    static char text[200];
    PGconn *db = connect_db(c);
    PGresult *r = PQexec(db, sql);
    must(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK, sql,
         PQerrorMessage(db));
    snprintf(text, sizeof text, "%s", PQntuples(r) == 0 ? "" : PQgetvalue(r, 0, 0));
    PQclear(r);
    return text;
}

const char *cfssl_row(struct cfssl *c, const struct serial *serial)
{
    char digits[SERIAL_DECIMAL_TEXT];
    return cfssl_ask(c, arena_format(&c->arena,
                                     "SELECT CASE WHEN status = 'good' THEN 'good' ELSE 'revoked ' || reason "
                                     "|| ' ' || floor(extract(epoch FROM revoked_at)) END FROM certificates "
                                     "WHERE serial_number = '%s'",
                                     serial_decimal(serial, digits)));
}

void cfssl_revoked(struct cfssl *c, bool *out)
{
    AUTO_BUF sql = {0};
    char digits[SERIAL_DECIMAL_TEXT];
    PGconn *db = connect_db(c);
    buf_text(&sql, "SELECT status = 'revoked' FROM (VALUES ");
    for (size_t i = 0; i < c->count; i++)
        buf_format(&sql, "%s(%zu, '%s'::bytea)", i == 0 ? "" : ",", i,
                   serial_decimal(&c->serials[i], digits));
    buf_text(&sql, ") AS v (i, serial_number) LEFT JOIN certificates USING (serial_number) ORDER BY i");
    PGresult *r = PQexec(db, sql.p);
    must(PQresultStatus(r) == PGRES_TUPLES_OK && (size_t)PQntuples(r) == c->count, "database",
         PQerrorMessage(db));
    for (size_t i = 0; i < c->count; i++)
        out[i] = PQgetvalue(r, (int)i, 0)[0] == 't';
    PQclear(r);
}

/* As cfssl's PostgreSQL migrations have it. */
static const char schema[] =
    "CREATE SCHEMA certdb;"
    "CREATE TABLE certdb.certificates (serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL,"
    " ca_label bytea, status bytea NOT NULL, reason int, expiry timestamptz, revoked_at timestamptz,"
    " pem bytea NOT NULL, PRIMARY KEY (serial_number, authority_key_identifier));"
    "CREATE TABLE certdb.ocsp_responses (serial_number bytea NOT NULL, authority_key_identifier bytea NOT "
    "NULL,"
    " body bytea NOT NULL, expiry timestamptz, PRIMARY KEY (serial_number, authority_key_identifier));";

static const char *pem_of(struct cfssl *c, size_t i)
{
    struct fault f = {0};
    struct str bytes;
    char hex[SERIAL_HEX_TEXT];
    must(file_read(arena_format(&c->arena, "%s/newcerts/%s.pem", c->ca, serial_hex(&c->serials[i], hex)),
                   1 << 16, &c->arena, &bytes, &f),
         "certificate", f.text);
    return arena_copy(&c->arena, bytes.p, bytes.n);
}

void cfssl_with_certificates(struct cfssl *c, size_t count)
{
    PGconn *db = connect_db(c);
    AUTO_BUF sql = {0};
    char digits[SERIAL_DECIMAL_TEXT];
    run_sql(db, "TRUNCATE certificates");
    buf_text(&sql, "INSERT INTO certificates VALUES ");
    for (size_t i = 0; i < count; i++)
        buf_format(&sql, "%s('%s','%s','','good',0,'2036-01-01','0001-01-01Z','%s')", i == 0 ? "" : ",",
                   serial_decimal(&c->serials[i], digits), c->aki, count <= 10 ? pem_of(c, i) : "-");
    run_sql(db, sql.p);
    run_sql(db, "ANALYZE certificates");
}

/* --- the CA --- */

static void read_serials(struct cfssl *c)
{
    struct fault f = {0};
    struct str rest;
    must(file_read(file_join(&c->arena, c->ca, "index.txt"), (size_t)1 << 28, &c->arena, &rest, &f),
         "index.txt", f.text);
    for (size_t i = 0; i < c->count; i++) {
        struct str line = str_cut(&rest, '\n'), field = {0};
        for (int k = 0; k < 4; k++)
            field = str_cut(&line, '\t');
        must(serial_from_hex(field, &c->serials[i]) == NULL, "index.txt", "a serial can't be read");
    }
}

void cfssl_make(struct cfssl *c, int count)
{
    struct fault f = {0};
    struct cert cert;
    *c = (struct cfssl){.folder = test_folder(), .count = (size_t)count};
    c->ca = file_join(&c->arena, c->folder, "ca");
    struct ca_new_spec spec = {
        .directory = c->ca, .count = count, .subscribers = 20, .seed = 11, .now = {time(NULL)}};
    must(ca_new(&spec, &f), "CA", f.text);
    must(cert_load(file_join(&c->arena, c->ca, "ca.pem"), &c->arena, &cert, &f), "CA", f.text);
    c->aki = hex_lower(cert.ski.p, cert.ski.n, arena_alloc(&c->arena, 2 * cert.ski.n + 1));
    c->serials = arena_array(&c->arena, c->count, sizeof *c->serials);
    read_serials(c);
    cfssl_database_start(c);
    run_sql(connect_db(c), schema);
    cfssl_with_certificates(c, c->count);
    c->port = stock_port();
}

void cfssl_free(struct cfssl *c)
{
    struct cluster_status s;
    cfssl_kill(c);
    PQfinish(c->db);
    pid_t pid = postmaster(c, &s);
    if (pid > 0)
        kill(pid, SIGINT);
    for (int i = 0; pid > 0 && i < 500 && waitpid(pid, NULL, WNOHANG) <= 0 && kill(pid, 0) == 0; i++)
        poll(NULL, 0, 10);
    arena_free(&c->arena);
    free(c->folder);
}

/* --- cfssl --- */

/* lib/pq reads the same keywords as libpq but takes no `options`. */
static void write_database_file(struct cfssl *c)
{
    const char *end = strstr(c->conninfo, " options=");
    must(end != NULL, "database", c->conninfo);
    const char *text = arena_format(
        &c->arena, "{\"driver\":\"postgres\",\"data_source\":\"%.*s sslmode=disable search_path=certdb\"}",
        (int)(end - c->conninfo), c->conninfo);
    stock_write(c->folder, "db.json", str_of(text));
}

void cfssl_client(struct cfssl *c, const char *name)
{
    if (access(file_join(&c->arena, c->folder, "client-ca.pem"), F_OK) != 0)
        must(stock_run(c->folder,
                       "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
                       "-subj /CN=clients -keyout client-ca.key -out client-ca.pem") == 0,
             "openssl", "client CA");
    must(stock_run(c->folder,
                   arena_format(&c->arena,
                                "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
                                "/CN=%s -keyout %s.key -out %s.csr",
                                name, name, name)) == 0,
         "openssl", name);
    must(stock_run(c->folder,
                   arena_format(&c->arena,
                                "openssl x509 -req -in %s.csr -CA client-ca.pem -CAkey client-ca.key "
                                "-set_serial 7 -days 20 -out %s.pem",
                                name, name)) == 0,
         "openssl", name);
}

static const char *tls_words(struct cfssl *c)
{
    cfssl_client(c, "revoker");
    must(stock_run(c->folder,
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "
                   "/CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "
                   "server.key -out server.pem") == 0,
         "openssl", "server certificate");
    return " -tls-cert server.pem -tls-key server.key -mutual-tls-ca client-ca.pem -mutual-tls-cn ^revoker$";
}

void cfssl_start(struct cfssl *c, bool tls)
{
    write_database_file(c);
    c->tls = tls;
    snprintf(c->url, sizeof c->url, "%s://127.0.0.1:%d", tls ? "https" : "http", c->port);
    c->pid =
        stock_start(c->folder, arena_format(&c->arena,
                                            "cfssl serve -address 127.0.0.1 -port %d -ca ca/ca.pem -ca-key "
                                            "ca/private/ca.key -db-config db.json -loglevel 2%s",
                                            c->port, tls ? tls_words(c) : ""));
    must(stock_wait_port(c->port), "cfssl", "does not listen");
}

void cfssl_signal(struct cfssl *c, int signal)
{
    must(c->pid > 0 && kill(c->pid, signal) == 0, "cfssl", "does not run");
    if (signal == SIGSTOP) /* its threads stop one after the other */
        must(waitpid(c->pid, NULL, WUNTRACED) == c->pid, "cfssl", "does not stop");
}

void cfssl_kill(struct cfssl *c)
{
    if (c->pid > 0 && kill(c->pid, SIGKILL) == 0)
        waitpid(c->pid, NULL, 0);
    c->pid = 0;
}
