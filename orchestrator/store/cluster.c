/* The private cluster: start, stop, status. The order of start is: look (no lock), lock, look again, make,
 * launch, wait. */
#include "cluster_parts.h"

#include "massrevoke/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH_BYTES (INT64_C(200) * 1000 * 1000)
#define START_LIMIT_MS 60000
#define STOP_LIMIT_MS 60000
/* after kill -9 of the postmaster its sessions notice within moments and let go of the shared memory */
#define RETRY_LIMIT_MS 2000
#define RETRY_PAUSE_MS 50
#define SOCKET_NAME "/.s.PGSQL.5432"

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        continue;
}

/* `host` for libpq. A socket address holds 108 bytes, and libpq takes a comma for a list: such a folder is
 * named by a descriptor instead, which stays open as long as this process. */
static const char *socket_host(struct arena *a, const struct cluster_place *place, struct fault *f)
{
    const char *folder = file_join(a, place->base, "socket");
    if (strlen(folder) + sizeof SOCKET_NAME <= sizeof((struct sockaddr_un *)NULL)->sun_path &&
        strchr(folder, ',') == NULL)
        return folder;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return arena_format(a, "/proc/self/fd/%d", fd);
    fault_set(f, FAULT_FAILED, "%s: %s", folder, strerror(errno));
    return NULL;
}

static bool make_conninfo(struct arena *a, const struct cluster_place *place, const char **out,
                          struct fault *f)
{
    const char *host = socket_host(a, place, f);
    AUTO_BUF quoted = {0};
    for (const char *p = host; p != NULL && *p != '\0'; p++)
        buf_format(&quoted, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    if (host != NULL)
        *out = arena_format(a, "host='%s' port=5432 dbname=postgres user=" CLUSTER_ROLE, quoted.p);
    return host != NULL;
}

/* Waits until the server with `pid` is ready; *died tells an early end from a slow start. */
static bool wait_ready(const struct cluster_place *place, long pid, off_t log_from, bool *died,
                       struct fault *f)
{
    AUTO_ARENA a = {0};
    *died = false;
    for (int ms = 0; ms < START_LIMIT_MS; ms++) {
        struct cluster_server server = cluster_look(place->data);
        if (server.ready && server.recorded == pid)
            return true;
        *died = cluster_has_ended(pid);
        if (*died)
            return fault_set(f, FAULT_UNAVAILABLE, "the database server did not start, its log %s ends: %s",
                             place->log_file, cluster_log_tail(&a, place->log_file, log_from));
        pause_ms(1);
    }
    fault_set(f, FAULT_UNAVAILABLE, "the database server (process %ld) is still not ready after %d s: %s",
              pid, START_LIMIT_MS / 1000, cluster_log_tail(&a, place->log_file, log_from));
    return fault_hint(f, "after a crash it may be reading its log: wait and try again; see %s",
                      place->log_file);
}

static bool wait_end(const struct cluster_place *place, long pid, struct fault *f)
{
    for (int ms = 0; ms < STOP_LIMIT_MS; ms++) {
        struct cluster_server server = cluster_look(place->data);
        if (!server.alive || server.recorded != pid)
            return true;
        pause_ms(1);
    }
    return fault_set(f, FAULT_UNAVAILABLE,
                     "the database server (process %ld) does not end within %d s, see %s", pid,
                     STOP_LIMIT_MS / 1000, place->log_file);
}

static bool has_room(const struct cluster_place *place, struct arena *a, struct fault *f)
{
    const char *folder = place->exists
                             ? place->base
                             : arena_copy(a, place->base, (size_t)(strrchr(place->base, '/') - place->base));
    int64_t bytes = cluster_free_bytes(folder);
    if (bytes < 0 || bytes >= ENOUGH_BYTES)
        return true;
    fault_set(f, FAULT_FAILED, "%s: %lld MB free, the database needs 200 MB", folder,
              (long long)bytes / 1000000);
    return fault_hint(f, "make room, or set MASSREVOKE_STATE to a folder on another file system");
}

static bool launch_and_wait(const struct cluster_user *user, const struct cluster_place *place,
                            const struct cluster_programs *programs, struct fault *f)
{
    for (int ms = 0;; ms += RETRY_PAUSE_MS) {
        struct stat st;
        off_t log_from = stat(place->log_file, &st) == 0 ? st.st_size : 0;
        bool stale = cluster_look(place->data).recorded != 0, died;
        long pid;
        if (!cluster_launch(user, place, programs, &pid, f))
            return false;
        if (wait_ready(place, pid, log_from, &died, f))
            return true;
        if (!died || !stale || ms >= RETRY_LIMIT_MS)
            return false;
        pause_ms(RETRY_PAUSE_MS);
    }
}

/* Under the lock. */
static bool start_locked(const struct settings *s, struct arena *a, struct cluster_place *place,
                         struct fault *f)
{
    struct cluster_user user;
    struct cluster_programs programs;
    if (!cluster_find(a, place, f))
        return false;
    struct cluster_server server = cluster_look(place->data);
    if (server.alive && !server.ready && !wait_ready(place, server.recorded, 0, &(bool){false}, f) &&
        cluster_look(place->data).alive)
        return false;
    if (cluster_look(place->data).ready)
        return true;
    if (!cluster_find_user(s, place, a, &user, f) || !cluster_find_programs(s, place, a, &programs, f))
        return false;
    if (!place->exists && !cluster_settle(&user, a, place, f))
        return false;
    if (!has_room(place, a, f))
        return false;
    if (!place->exists && !cluster_create(&user, place, &programs, f))
        return fault_wrap(f, "making the database cluster");
    return launch_and_wait(&user, place, &programs, f);
}

static bool lock_state(const struct cluster_place *place, struct arena *a, int *lock, struct fault *f)
{
    return file_lock(file_join(a, place->state, "cluster.lock"), true, lock, f);
}

bool cluster_start(const struct settings *s, struct arena *a, const char **conninfo, struct fault *f)
{
    struct cluster_place place;
    if (!cluster_find(a, &place, f))
        return false;
    if (!cluster_look(place.data).ready) {
        int lock;
        if (!lock_state(&place, a, &lock, f))
            return false;
        bool ok = start_locked(s, a, &place, f);
        close(lock);
        if (!ok)
            return false;
    }
    return make_conninfo(a, &place, conninfo, f);
}

bool cluster_stop(bool *was_running, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct cluster_place place;
    int lock;
    *was_running = false;
    if (!cluster_find(&a, &place, f) || !lock_state(&place, &a, &lock, f))
        return false;
    struct cluster_server server = cluster_look(place.data);
    bool ok = true;
    *was_running = server.alive;
    if (server.alive && kill((pid_t)server.recorded, SIGINT) != 0 && errno != ESRCH)
        ok = fault_set(f, FAULT_FAILED, "the database server (process %ld): %s", server.recorded,
                       strerror(errno));
    ok = ok && (!server.alive || wait_end(&place, server.recorded, f));
    close(lock);
    return ok;
}

bool cluster_status(struct arena *a, struct cluster_status *out, struct fault *f)
{
    struct cluster_place place;
    if (!cluster_find(a, &place, f))
        return false;
    struct cluster_server server = cluster_look(place.data);
    struct cluster_user owner = {.name = ""};
    char version[32] = "";
    if (place.exists) {
        if (!cluster_find_user(NULL, &place, a, &owner, f))
            return false;
        cluster_read_small(file_join(a, place.data, "PG_VERSION"), version, sizeof version);
        version[strcspn(version, "\n")] = '\0';
    }
    *out = (struct cluster_status){
        .exists = place.exists,
        .running = server.ready,
        .pid = server.alive ? server.recorded : 0,
        .folder = place.base,
        .log_file = place.log_file,
        .version = arena_text(a, version),
        .owner = owner.name,
        .free_bytes = cluster_free_bytes(place.exists ? place.base : place.state),
    };
    return true;
}
