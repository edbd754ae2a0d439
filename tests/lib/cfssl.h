/* cfssl.h - a real cfssl over a PostgreSQL server of its own, which a test may kill, stop and restart.
 *
 * The CA is one of ca_new, so its certificates carry a CRL pointer that fetch.map can lead to its folder; its
 * certificates stand in cfssl's database, made with the columns of cfssl's own migrations (facts of backends
 * 1.2). Every helper ends the program with a message when it fails. Called by: tests of the service. */
#ifndef TESTS_LIB_CFSSL_H
#define TESTS_LIB_CFSSL_H

#include "massrevoke/arena.h"
#include "massrevoke/outcome.h"
#include "stock.h"

#include <libpq-fe.h>

struct cfssl {
    struct arena arena;
    char *folder;         /* everything lies below */
    const char *ca;       /* the CA's folder: ca.pem, private/ca.key, inventory.csv, ... */
    const char *conninfo; /* of its database, tables unqualified */
    PGconn *db;           /* how the helpers ask it; NULL: not connected */
    char url[64];
    int port;
    pid_t pid; /* 0: not running */
    bool tls;
    struct serial *serials;
    size_t count;
    const char *aki; /* as in the database, lower-case hex */
};

/* Is there a cfssl on this machine? */
bool cfssl_there(void);

/* Makes CA, server and tables of `count` certificates; starts nothing but PostgreSQL. */
void cfssl_make(struct cfssl *c, int count);
void cfssl_free(struct cfssl *c);

/* Fills the table anew with the first `count` certificates, all good; up to ten of them whole, else without
 * PEM. */
void cfssl_with_certificates(struct cfssl *c, size_t count);

/* Starts `cfssl serve` and waits until it answers; with tls under mutual TLS for the client name "revoker".
 */
void cfssl_start(struct cfssl *c, bool tls);

/* Sends it a signal (SIGSTOP, SIGCONT), or ends it at once. */
void cfssl_signal(struct cfssl *c, int signal);
void cfssl_kill(struct cfssl *c);

/* PostgreSQL ends as after a crash (immediate mode), and comes again. */
void cfssl_database_crash(struct cfssl *c);
void cfssl_database_start(struct cfssl *c);

/* First column of the first row; static storage, "" for none. */
const char *cfssl_ask(struct cfssl *c, const char *sql);

/* What the database says of one serial: "good", or "revoked REASON SECONDS"; static storage. */
const char *cfssl_row(struct cfssl *c, const struct serial *serial);

/* Which of `serials` the database calls revoked. */
void cfssl_revoked(struct cfssl *c, bool *out);

/* A client certificate with that name below the folder: NAME.pem, NAME.key, signed by client-ca.pem. */
void cfssl_client(struct cfssl *c, const char *name);

#endif
