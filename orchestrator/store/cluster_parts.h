/* cluster_parts.h - what the files of the private cluster share: where it lies, and work done as another
 * user. I/O. Does not: leave the folder store/. Called by: store/cluster*.c. */
#ifndef STORE_CLUSTER_PARTS_H
#define STORE_CLUSTER_PARTS_H

#include "massrevoke/cluster.h"
#include <sys/types.h>

#define CLUSTER_ROLE "massrevoke" /* the superuser inside, and the only role that may connect */

/* The account that owns the cluster and runs its server. */
struct cluster_user {
    uid_t uid;
    gid_t gid;
    const char *name;
};

/* Where it lies. base holds data/, socket/ and server.log. */
struct cluster_place {
    const char *state, *base, *data, *log_file;
    bool exists;
};

/* Server programs: folder and what `postgres --version` says ("15.20"). */
struct cluster_programs {
    const char *folder, *version;
};

/* Fills place from the state folder and its pointer file, if there is one. Faults: FAILED; CONFLICT when
 * something else stands in its place. */
MUST_USE bool cluster_find(struct arena *a, struct cluster_place *place, struct fault *f);

/* Decides where a cluster that does not exist yet shall lie: when `user` cannot pass a folder on the way,
 * writes the pointer file and says so on standard error. Faults: FAILED; REFUSED when there is no way at all.
 */
MUST_USE bool cluster_settle(const struct cluster_user *user, struct arena *a, struct cluster_place *place,
                             struct fault *f);

/* The owner of an existing cluster; else who shall own it: the caller, as root db.run_as or `postgres`.
 * Faults: CONFIG, UNAVAILABLE (no such account), REFUSED (belongs to somebody else). */
MUST_USE bool cluster_find_user(const struct settings *s, const struct cluster_place *place, struct arena *a,
                                struct cluster_user *out, struct fault *f);

/* The server programs: db.bindir; else those of the cluster's own version; else the newest of
 * /usr/lib/postgresql; else PATH. Faults: UNAVAILABLE (none), CONFIG (db.bindir), CONFLICT (other version
 * than the cluster's). */
MUST_USE bool cluster_find_programs(const struct settings *s, const struct cluster_place *place,
                                    struct arena *a, struct cluster_programs *out, struct fault *f);

/* Bytes an ordinary user may still write below `folder`; -1 when the file system does not say. */
int64_t cluster_free_bytes(const char *folder);

/* Up to `size` - 1 bytes of a small file, terminated; false when it cannot be read. */
bool cluster_read_small(const char *path, char *out, size_t size);

/* Has the process ended? A zombie has: where nobody reaps orphans it stays for good. */
bool cluster_has_ended(long pid);

/* The server's pid file, and whether that process is really this cluster's server. */
struct cluster_server {
    long recorded; /* pid in the file, 0: no file */
    bool alive;    /* that process is the server of this data folder: after a crash a pid may be anybody's */
    bool ready;    /* it accepts connections */
};

/* Reads it: three small files below /proc and the data folder. */
struct cluster_server cluster_look(const char *data);

/* Does `work` in a child process as `user` (as root with changed groups and ids) and hands its value and
 * fault back. What it writes belongs to that user; what it opens, changes or leaks ends with it. */
typedef bool cluster_work(void *context, int64_t *value, struct fault *f);
MUST_USE bool cluster_do_as(const struct cluster_user *user, cluster_work *work, void *context,
                            int64_t *value, struct fault *f);

/* Runs a program to its end, standard input empty, standard output and error on `out`; its exit status, or -1
 * when it could not be run or was killed. The environment is empty but for PATH and LC_ALL. */
int cluster_run(const char *const argv[], int out);

/* Starts the server as `user` in its own session with nothing inherited; *pid is its process, which has
 * already become `postgres`. Faults: UNAVAILABLE. */
MUST_USE bool cluster_launch(const struct cluster_user *user, const struct cluster_place *place,
                             const struct cluster_programs *programs, long *pid, struct fault *f);

/* Makes the cluster: all of it below base + ".new", then one rename. Faults: FAILED with the tail of initdb's
 * words. */
MUST_USE bool cluster_create(const struct cluster_user *user, const struct cluster_place *place,
                             const struct cluster_programs *programs, struct fault *f);

/* The last words of a log from byte `from` on, one line, for a fault text; "" when there is none. */
const char *cluster_log_tail(struct arena *a, const char *path, off_t from);

#endif
