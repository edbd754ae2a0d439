/* store_source.h - any SQL query of any PostgreSQL as a source of CSV: how a CA's own records come in.
 *
 * The query runs as COPY (query) TO STDOUT (FORMAT csv, HEADER) over a connection of its own, in a read-only
 * transaction that sees one moment, in UTF-8 and UTC; the names of its columns are the header. Passwords come
 * by libpq's usual ways only (passfile, service file, PGPASSWORD), and are never shown. I/O. Does not: touch
 * our own store, understand the rows (intake), or keep more than one of them. Faults: UNAVAILABLE when that
 * server cannot be reached or goes away; FAILED when it refuses the query. Called by: cli, engine. */
#ifndef MASSREVOKE_STORE_SOURCE_H
#define MASSREVOKE_STORE_SOURCE_H

#include "massrevoke/source.h"

struct query_source;

/* Connects and begins the query; one statement, a semicolon behind it is allowed. *bytes pulls from *out,
 * which query_source_close ends. `patience` bounds, in seconds, the connecting, the query as a whole and, one
 * second more, every silence of its server; 0: none of them (but ten seconds to connect). */
MUST_USE bool store_query_source(const char *conninfo, const char *query, int patience,
                                 struct query_source **out, struct source *bytes, struct fault *f);

/* Ends the connection, wherever the reading stands; NULL is allowed. */
void query_source_close(struct query_source *q);

#endif
