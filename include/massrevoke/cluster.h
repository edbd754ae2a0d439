/* cluster.h - the private PostgreSQL server that massrevoke keeps when no other one is configured.
 *
 * One folder, one Unix socket, no network: made on first use, started on demand and left running. As root the
 * server runs as `db.run_as` or `postgres`, else as the user who calls. The cluster lies in `cluster/` below
 * the state folder; where the server's user cannot reach that, in a folder below /var/lib/massrevoke/clusters
 * named by the file `cluster.pointer` in the state folder. Access is `peer` through an ident map: the account
 * that made it, the server's account and root become the database role `massrevoke`, nobody else gets in.
 * I/O, processes. Does not: connect, know a table, upgrade between major versions, or touch a server that is
 * configured by `db.conninfo`. Sources: PostgreSQL 15 manual, chapters 19 and 21; postmaster.pid and
 * PG_GRANDPARENT_PID as in its miscinit.c. Called by: cli (wiring, `db`), drill, tests. */
#ifndef MASSREVOKE_CLUSTER_H
#define MASSREVOKE_CLUSTER_H

#include "massrevoke/settings.h"

/* What `db status` shows. Texts live in the caller's arena. */
struct cluster_status {
    bool exists;          /* it was made */
    bool running;         /* its server accepts connections */
    long pid;             /* 0: not running */
    const char *folder;   /* where it lies, or would lie */
    const char *log_file; /* the server's own log */
    const char *version;  /* major version that made it, "" when it does not exist */
    const char *owner;    /* login name of the server's account, "" when it does not exist */
    int64_t free_bytes;   /* on that file system, for an ordinary user */
};

/* Finds the state folder (contract section 4) as an absolute path without symbolic links, and makes it if
 * missing: 0700, for root 0711 so that the server's account can pass. Faults: FAILED (cannot be made),
 * REFUSED (everybody may write in it, or it belongs to somebody else). */
MUST_USE bool cluster_state_folder(struct arena *a, const char **out, struct fault *f);

/* Makes what is missing, starts what is not running, waits until connections are accepted and gives a
 * conninfo for them, valid in this process (for a very long path it holds one descriptor for the life of the
 * process). Already running: about 0.1 ms. From nothing: about 0.5 s. Two callers at once: the second waits
 * for the first. Faults: UNAVAILABLE (no server programs, start failed: with the tail of the server's log),
 * CONFLICT (made by another major version, foreign content), FAILED (less than 200 MB free, folders), CONFIG
 * (db.bindir, db.run_as). After a fault an existing cluster is as it was. */
MUST_USE bool cluster_start(const struct settings *s, struct arena *a, const char **conninfo,
                            struct fault *f);

/* Stops the server (PostgreSQL's fast mode: sessions are ended, nothing is lost) and waits for the end, at
 * most 60 s. True when nothing runs; *was_running says whether one did. Needs no settings. Faults:
 * UNAVAILABLE (does not end), FAILED (not allowed to). */
MUST_USE bool cluster_stop(bool *was_running, struct fault *f);

/* Looks without changing anything but making the state folder. */
MUST_USE bool cluster_status(struct arena *a, struct cluster_status *out, struct fault *f);

#endif
