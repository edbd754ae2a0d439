/* Processes of the private cluster: work done as another user, initdb, the server, and a look at it. */
#include "cluster_parts.h"

#include "massrevoke/file.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_ROTATE_BYTES (4 * 1024 * 1024)

/* What the server is told on its command line, where no edit of postgresql.conf can weaken it: no network,
 * the socket beside the data (relative, so its path has no limit), and every commit on disk before it is
 * answered. */
static const char *const firm[] = {
    "listen_addresses=",
    "unix_socket_directories=../socket",
    "unix_socket_permissions=0700",
    "port=5432",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
};

/* What initdb's postgresql.conf gets at its end; whoever owns the cluster may change it there. Modest, for a
 * laptop with a few GB: at a million certificates the tables in use fit into the buffers' and the kernel's
 * cache, sorts and hashes of a report mostly stay in memory (a few at once, each up to work_mem, at most a
 * dozen sessions), and an import or a plan does not force a checkpoint on the way. */
static const char advisable[] = "\n# Put here by massrevoke; yours to change. Network, socket and durability "
                                "are set on the command line.\n"
                                "shared_buffers = 256MB\n"
                                "work_mem = 32MB\n"
                                "maintenance_work_mem = 128MB\n"
                                "effective_cache_size = 1GB\n"
                                "max_wal_size = 2GB\n"
                                "max_connections = 50\n"
                                "client_connection_check_interval = 1s\n"
                                "timezone = 'UTC'\n"
                                "log_timezone = 'UTC'\n"
                                "log_checkpoints = off\n"
                                "jit = off\n";

static pid_t wait_for(pid_t pid, int *status)
{
    pid_t got;
    while ((got = waitpid(pid, status, 0)) < 0 && errno == EINTR)
        continue;
    return got;
}

/* Only root can become somebody else; groups first, then there is no way back. */
static bool become(const struct cluster_user *user, struct fault *f)
{
    if (geteuid() != 0)
        return true;
    if (setgroups(0, NULL) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        return fault_set(f, FAULT_FAILED, "cannot become the user %s: %s", user->name, strerror(errno));
    return true;
}

struct answer {
    bool ok;
    int64_t value;
    struct fault fault;
};

bool cluster_do_as(const struct cluster_user *user, cluster_work *work, void *context, int64_t *value,
                   struct fault *f)
{
    struct answer answer = {0};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault_set(f, FAULT_FAILED, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        answer.ok = become(user, &answer.fault) && work(context, &answer.value, &answer.fault);
        /* shorter than PIPE_BUF: whole or not at all */
        _exit(write(ends[1], &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
    }
    close(ends[1]);
    ssize_t n;
    while ((n = read(ends[0], &answer, sizeof answer)) < 0 && errno == EINTR)
        continue;
    close(ends[0]);
    if (pid > 0)
        wait_for(pid, &(int){0});
    if (n != (ssize_t)sizeof answer)
        return fault_set(f, FAULT_FAILED, "a child process ended without an answer");
    if (value != NULL)
        *value = answer.value;
    if (!answer.ok)
        *f = answer.fault;
    return answer.ok;
}

/* In a new child: standard streams, nothing else open but `keep` (as descriptor 3, close-on-exec), default
 * signals. */
static void isolate(int out, int keep)
{
    int null = open("/dev/null", O_RDWR);
    int kept = fcntl(keep < 0 ? null : keep, F_DUPFD, 10), target = fcntl(out, F_DUPFD, 10);
    if (null < 0 || kept < 0 || target < 0 || dup2(null, 0) < 0 || dup2(target, 1) < 0 ||
        dup2(target, 2) < 0 || dup3(kept, 3, O_CLOEXEC) < 0 || close_range(4, ~0U, 0) != 0)
        _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
}

static void become_program(const char *const argv[], const char *extra)
{
    const char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", extra, NULL};
    union {
        const char *const *in;
        char *const *out;
    } arguments = {argv},
      variables = {environment}; /* execve does not write; its prototype is older than const */
    execve(argv[0], arguments.out, variables.out);
}

int cluster_run(const char *const argv[], int out)
{
    pid_t pid = fork();
    if (pid == 0) {
        isolate(out, -1);
        become_program(argv, NULL);
        _exit(127);
    }
    int status;
    if (pid < 0 || wait_for(pid, &status) < 0 || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* Is process `pid` the server of this data folder? Its command line says so; unlike its working folder root
 * may read that in a container without CAP_SYS_PTRACE too. A zombie has none. */
static bool is_server(long pid, const char *data)
{
    AUTO_ARENA a = {0};
    struct stat here, there;
    char *proc = arena_format(&a, "/proc/%ld", pid), text[4096];
    int fd = open(file_join(&a, proc, "cmdline"), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    if (n <= 0 || stat(data, &here) != 0 || stat(proc, &there) != 0 || here.st_uid != there.st_uid)
        return false;
    struct str rest = {text, (size_t)n};
    str_cut(&rest, '\0');
    return str_is(str_cut(&rest, '\0'), "-D") && str_is(str_cut(&rest, '\0'), data);
}

bool cluster_has_ended(long pid)
{
    AUTO_ARENA a = {0};
    char text[256]; /* "PID (postgres) STATE ..." */
    if (!cluster_read_small(arena_format(&a, "/proc/%ld/stat", pid), text, sizeof text))
        return true;
    const char *state = strrchr(text, ')');
    return state == NULL || strncmp(state, ") Z", 3) == 0 || strncmp(state, ") X", 3) == 0;
}

struct cluster_server cluster_look(const char *data)
{
    AUTO_ARENA a = {0};
    char text[4096];
    if (!cluster_read_small(file_join(&a, data, "postmaster.pid"), text, sizeof text))
        return (struct cluster_server){0};
    struct cluster_server server = {.recorded = strtol(text, NULL, 10)};
    if (server.recorded <= 1)
        return (struct cluster_server){0};
    server.alive = is_server(server.recorded, data);
    struct str rest = str_of(text), line = {0};
    for (int i = 0; i < 8 && rest.p != NULL; i++)
        line = str_cut(&rest, '\n');
    server.ready = server.alive && str_is(str_trim(line), "ready");
    return server;
}

struct launch {
    const struct cluster_place *place;
    const struct cluster_programs *programs;
};

/* The server itself: `alarm` closes when the exec succeeds, else carries errno. */
static void be_server(const struct launch *l, int alarm, int log, const char *stale)
{
    AUTO_ARENA a = {0};
    size_t n = 0, room = 3 + 2 * (sizeof firm / sizeof *firm) + 1;
    const char **argv = arena_array(&a, room, sizeof *argv);
    argv[n++] = file_join(&a, l->programs->folder, "postgres");
    argv[n++] = "-D";
    argv[n++] = l->place->data; /* what is_server() looks for, at this place */
    for (size_t i = 0; i < sizeof firm / sizeof *firm; i++) {
        argv[n++] = "-c";
        argv[n++] = firm[i];
    }
    umask(0077);
    isolate(log, alarm);
    become_program(argv, stale);
    int why = errno;
    if (write(3, &why, sizeof why) < 0)
        _exit(126);
    _exit(127);
}

/* As the server's user: log, then the server as a grandchild, so that it is nobody's zombie when it ends. */
static bool launch(void *context, int64_t *value, struct fault *f)
{
    const struct launch *l = context;
    AUTO_ARENA a = {0};
    struct stat st;
    const char *log_file = l->place->log_file;
    if (stat(log_file, &st) == 0 && st.st_size > LOG_ROTATE_BYTES)
        rename(log_file, arena_format(&a, "%s.1", log_file));
    int log = open(log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0)
        return fault_set(f, FAULT_UNAVAILABLE, "%s: %s", log_file, strerror(errno));
    if (chdir(l->place->data) != 0)
        return fault_set(f, FAULT_UNAVAILABLE, "%s: %s", l->place->data, strerror(errno));
    /* The recorded process is not our server (the caller looked), but PostgreSQL sees only that the number is
     * in use. Named as its grandparent it cannot be a rival; the check for live sessions on the old shared
     * memory stays in force, which deleting the file would defeat. */
    const char *stale = arena_format(&a, "PG_GRANDPARENT_PID=%ld", cluster_look(l->place->data).recorded);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fault_set(f, FAULT_UNAVAILABLE, "pipe: %s", strerror(errno));
    setsid();
    pid_t pid = fork();
    if (pid == 0)
        be_server(l, ends[1], log, stale);
    close(ends[1]);
    int why = 0;
    ssize_t n = pid < 0 ? -1 : read(ends[0], &why, sizeof why);
    if (n != 0)
        return fault_set(f, FAULT_UNAVAILABLE, "%s/postgres: %s", l->programs->folder,
                         strerror(n < 0 ? errno : why));
    *value = pid;
    return true;
}

bool cluster_launch(const struct cluster_user *user, const struct cluster_place *place,
                    const struct cluster_programs *programs, long *pid, struct fault *f)
{
    int64_t value = 0;
    bool ok = cluster_do_as(user, launch, &(struct launch){place, programs}, &value, f);
    *pid = (long)value;
    return ok;
}

struct creation {
    const struct cluster_programs *programs;
    const char *folder; /* the new folder */
    const char *ident;  /* text of pg_ident.conf */
};

/* As the server's user, inside the new folder. */
static bool create(void *context, int64_t *value, struct fault *f)
{
    const struct creation *c = context;
    AUTO_ARENA a = {0};
    *value = 0;
    umask(0077);
    const char *data = file_join(&a, c->folder, "data"), *said = file_join(&a, c->folder, "initdb.log");
    int out = open(said, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0 || mkdir(file_join(&a, c->folder, "socket"), 0700) != 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", c->folder, strerror(errno));
    const char *argv[] = {file_join(&a, c->programs->folder, "initdb"),
                          "--no-sync",
                          "--no-locale",
                          "--encoding=UTF8",
                          "--auth-local=peer",
                          "--auth-host=reject",
                          "--username=" CLUSTER_ROLE,
                          "--no-instructions",
                          "--pgdata",
                          data,
                          NULL};
    if (cluster_run(argv, out) != 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", argv[0], cluster_log_tail(&a, said, 0));
    char config[65536];
    const char *file = file_join(&a, data, "postgresql.conf");
    if (!cluster_read_small(file, config, sizeof config))
        return fault_set(f, FAULT_FAILED, "%s: %s", file, strerror(errno));
    if (!file_write(file, str_of(arena_format(&a, "%s%s", config, advisable)), 0600, f) ||
        !file_write(file_join(&a, data, "pg_ident.conf"), str_of(c->ident), 0600, f) ||
        !file_write(file_join(&a, data, "pg_hba.conf"),
                    str_of("local all " CLUSTER_ROLE " peer map=" CLUSTER_ROLE "\n"), 0600, f))
        return false;
    int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0) /* once for all that initdb left unsynced */
        return fault_set(f, FAULT_FAILED, "%s: %s", data, strerror(errno));
    return true;
}

/* As the server's user: what an interrupted creation left. rm never follows links on the way. */
static bool empty(void *context, int64_t *value, struct fault *f)
{
    const char *folder = context;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    *value = cluster_run((const char *[]){"/bin/rm", "-rf", "--", folder, NULL}, null);
    return null >= 0 || fault_set(f, FAULT_FAILED, "/dev/null: %s", strerror(errno));
}

static const char *ident_map(struct arena *a, const struct cluster_user *user)
{
    const char *text = arena_format(a, "%s root %s\n", CLUSTER_ROLE, CLUSTER_ROLE);
    return arena_format(a, "%s%s \"%s\" %s\n", text, CLUSTER_ROLE, user->name, CLUSTER_ROLE);
}

bool cluster_create(const struct cluster_user *user, const struct cluster_place *place,
                    const struct cluster_programs *programs, struct fault *f)
{
    AUTO_ARENA a = {0};
    char *folder = arena_format(&a, "%s.new", place->base);
    struct stat st;
    if (lstat(folder, &st) == 0) {
        if (!cluster_do_as(user, empty, folder, NULL, f))
            return false;
        if (rmdir(folder) != 0 && errno != ENOENT)
            return fault_set(f, FAULT_CONFLICT, "%s is in the way: %s", folder, strerror(errno));
    }
    if (mkdir(folder, 0700) != 0 || (geteuid() == 0 && chown(folder, user->uid, user->gid) != 0))
        return fault_set(f, FAULT_FAILED, "%s: %s", folder, strerror(errno));
    struct creation c = {programs, folder, ident_map(&a, user)};
    if (!cluster_do_as(user, create, &c, NULL, f)) {
        if (cluster_do_as(user, empty, folder, NULL, &(struct fault){0}))
            rmdir(folder);
        return false;
    }
    if (rename(folder, place->base) != 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", place->base, strerror(errno));
    int parent = open(arena_format(&a, "%s/..", place->base), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || fsync(parent) != 0)
        return fault_set(f, FAULT_FAILED, "%s/..: %s", place->base, strerror(errno));
    close(parent);
    return true;
}

const char *cluster_log_tail(struct arena *a, const char *path, off_t from)
{
    char text[601];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "";
    off_t size = lseek(fd, 0, SEEK_END), start = size - (off_t)(sizeof text - 1);
    ssize_t n = pread(fd, text, sizeof text - 1, start < from ? from : start);
    close(fd);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = text[i] == '\n' ? '|' : ' ';
    return arena_copy(a, text, n < 0 ? 0 : (size_t)n);
}
