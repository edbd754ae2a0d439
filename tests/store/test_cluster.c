/* Does the private cluster start from nothing, survive what machines do to it, and refuse what it must? Run
 * as whoever calls, and when that is root once more as `nobody`. */
#include "../lib/cluster.h"

#include "massrevoke/cluster.h"
#include "massrevoke/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct settings defaults;

/* The state folder of one test; the environment names it. */
static char *enter_state(const char *below)
{
    char *folder = test_folder(), state[4096];
    snprintf(state, sizeof state, "%s%s", folder, below);
    free(folder);
    setenv("MASSREVOKE_STATE", state, 1);
    return strdup(state);
}

static void leave_state(char *state)
{
    struct fault f;
    assert_true(cluster_stop(&(bool){false}, &f));
    free(state);
}

static bool start(struct arena *a, const char **conninfo, struct fault *f)
{
    *f = (struct fault){0};
    bool ok = cluster_start(&defaults, a, conninfo, f);
    if (!ok)
        print_message("fault: %s (%s)\n", f->text, f->hint);
    return ok;
}

static struct cluster_status status(struct arena *a)
{
    struct cluster_status s;
    struct fault f;
    assert_true(cluster_status(a, &s, &f));
    return s;
}

/* One value of a query in the caller's arena; NULL when it failed. */
static const char *ask(struct arena *a, const char *conninfo, const char *query)
{
    PGconn *c = PQconnectdb(conninfo);
    PGresult *r = PQexec(c, query);
    const char *value = NULL;
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1)
        value = arena_text(a, PQgetvalue(r, 0, 0));
    else if (PQresultStatus(r) == PGRES_COMMAND_OK)
        value = "";
    else
        print_message("%s: %s\n", query, PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
    return value;
}

static void put(const char *folder, const char *name, const char *text)
{
    AUTO_ARENA a = {0};
    const char *path = file_join(&a, folder, name);
    struct stat st;
    bool owned = lstat(folder, &st) == 0;
    FILE *out = fopen(path, "w");
    assert_true(owned && out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
    assert_true(geteuid() != 0 || chown(path, st.st_uid, st.st_gid) == 0);
}

static char *get(struct arena *a, const char *folder, const char *name)
{
    struct str text;
    struct fault f;
    return file_read(file_join(a, folder, name), 1 << 20, a, &text, &f) ? arena_copy(a, text.p, text.n)
                                                                        : NULL;
}

/* From nothing to a connection, once more at no cost, stop, stop again, start: the data is there. */
static void life(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo, *again;
    bool was_running;
    char *folder = enter_state("/state");
    assert_false(status(&a).exists);
    assert_true(cluster_stop(&was_running, &f));
    assert_false(was_running);
    assert_true(start(&a, &conninfo, &f));
    static const char *const expected[][2] = {
        {"select current_user", "massrevoke"},
        {"show listen_addresses", ""},
        {"show fsync", "on"},
        {"show synchronous_commit", "on"},
        {"show timezone", "UTC"},
        {"show max_connections", "50"},
        {"show server_encoding", "UTF8"},
        {"show client_connection_check_interval", "1s"},
        {"show lc_collate", "C"},
        {"create table kept as select 1 as x", ""},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_string_equal(ask(&a, conninfo, expected[i][0]), expected[i][1]);
    long pid = status(&a).pid;
    assert_true(start(&a, &again, &f));
    assert_string_equal(again, conninfo);
    assert_int_equal(status(&a).pid, pid);
    assert_true(status(&a).running && status(&a).exists && status(&a).free_bytes > 0);
    const char *major = get(&a, file_join(&a, status(&a).folder, "data"), "PG_VERSION");
    assert_string_equal(arena_format(&a, "%s\n", status(&a).version), major);
    assert_true(cluster_stop(&was_running, &f));
    assert_true(was_running);
    assert_false(status(&a).running);
    assert_true(cluster_stop(&was_running, &f));
    assert_false(was_running);
    assert_true(start(&a, &conninfo, &f));
    assert_string_equal(ask(&a, conninfo, "select x from kept"), "1");
    leave_state(folder);
}

/* Nobody else gets in: neither another account nor another role. */
static void access_is_closed(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/state");
    assert_true(start(&a, &conninfo, &f));
    assert_null(ask(&a, arena_format(&a, "%s user=postgres", conninfo), "select 1"));
    struct stat st;
    assert_int_equal(stat(file_join(&a, status(&a).folder, "socket"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(status(&a).log_file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    if (geteuid() == 0) {
        /* even past the folder's mode, `peer` knows who it is */
        assert_int_equal(chmod(status(&a).folder, 0755), 0);
        assert_int_equal(chmod(file_join(&a, status(&a).folder, "socket"), 0755), 0);
        assert_int_equal(chmod(file_join(&a, status(&a).folder, "socket/.s.PGSQL.5432"), 0777), 0);
        pid_t pid = fork();
        if (pid == 0) {
            struct passwd *p = getpwnam("nobody");
            if (p == NULL || setgroups(0, NULL) != 0 || setgid(p->pw_gid) != 0 || setuid(p->pw_uid) != 0)
                _exit(2);
            _exit(ask(&a, conninfo, "select 1") == NULL ? 0 : 1);
        }
        int rc;
        assert_int_equal(waitpid(pid, &rc, 0), pid);
        assert_int_equal(rc, 0);
    }
    leave_state(folder);
}

/* A path far longer than a socket address, and one full of what quoting gets wrong. */
static void strange_paths(void **state)
{
    (void)state;
    char deep[400] = "";
    while (strlen(deep) < 310)
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "/a-rather-long-name-%02zu",
                 strlen(deep) % 100);
    const char *const below[] = {deep, "/it's a \\ \"path\", with=all"};
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA a = {0};
        struct fault f;
        const char *conninfo;
        char *folder = enter_state(below[i]);
        assert_true(start(&a, &conninfo, &f));
        assert_string_equal(ask(&a, conninfo, "select 1"), "1");
        leave_state(folder);
    }
}

/* Below a folder that only its owner can pass: as root the cluster goes elsewhere, is found again from there,
 * and holds after a stop. */
static void closed_parent(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/closed/state");
    char *parent = arena_copy(&a, folder, strlen(folder) - strlen("/state"));
    assert_int_equal(mkdir(parent, 0700), 0);
    mode_t before = umask(0077);
    assert_true(start(&a, &conninfo, &f));
    umask(before);
    const char *base = status(&a).folder;
    assert_string_equal(ask(&a, conninfo, "create table kept as select 7 as x"), "");
    assert_true((strncmp(base, folder, strlen(folder)) == 0) == (geteuid() != 0));
    assert_true(cluster_stop(&(bool){false}, &f));
    assert_true(start(&a, &conninfo, &f));
    assert_string_equal(ask(&a, conninfo, "select x from kept"), "7");
    assert_string_equal(status(&a).folder, base);
    leave_state(folder);
    if (geteuid() == 0 && strncmp(base, "/var/lib/massrevoke/clusters/", 29) == 0) {
        const char *command = arena_format(&a, "rm -rf -- '%s'", base);
        assert_int_equal(system(command), 0);
    }
}

/* Both get a connection to one and the same server. */
static void two_at_once(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    char *folder = enter_state("/state");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            struct fault f;
            const char *conninfo;
            long pid =
                start(&a, &conninfo, &f) && ask(&a, conninfo, "select 1") != NULL ? status(&a).pid : -1;
            _exit(write(ends[1], &pid, sizeof pid) == (ssize_t)sizeof pid ? 0 : 1);
        }
    close(ends[1]);
    long pid[4] = {0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read(ends[0], &pid[i], sizeof *pid), sizeof *pid);
        wait(NULL);
    }
    close(ends[0]);
    assert_true(pid[0] > 0 && pid[0] == pid[1] && pid[0] == pid[2]);
    leave_state(folder);
}

/* A pid file of a dead process, and one whose number now belongs to another process of the same account. */
static void stale_pid_file(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/state");
    assert_true(start(&a, &conninfo, &f));
    struct cluster_status s = status(&a);
    const char *data = file_join(&a, s.folder, "data");
    struct stat st;
    assert_int_equal(stat(data, &st), 0);
    pid_t other = fork();
    if (other == 0) {
        if (geteuid() == 0 && (setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0))
            _exit(2);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a test that fails */
        pause();
        _exit(0);
    }
    char *rest = strchr(get(&a, data, "postmaster.pid"), '\n');
    const long numbers[] = {4194000, other};
    for (size_t i = 0; i < 2; i++) {
        assert_true(cluster_stop(&(bool){false}, &f));
        put(data, "postmaster.pid", arena_format(&a, "%ld%s", numbers[i], rest));
        assert_int_equal(status(&a).pid, 0);
        bool was_running;
        assert_true(cluster_stop(&was_running, &f));
        assert_false(was_running);
        assert_true(start(&a, &conninfo, &f));
        assert_string_equal(ask(&a, conninfo, "select 1"), "1");
    }
    assert_int_equal(kill(other, SIGKILL), 0);
    waitpid(other, NULL, 0);
    leave_state(folder);
}

/* kill -9 of the server while a session is open: the next start works, what was committed is there. */
static void killed_server(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/state");
    assert_true(start(&a, &conninfo, &f));
    for (int i = 0; i < 3; i++) {
        PGconn *open_session = PQconnectdb(conninfo);
        assert_string_equal(ask(&a, conninfo, arena_format(&a, "create table t%d as select %d as x", i, i)),
                            "");
        PQsendQuery(open_session, "select pg_sleep(60)");
        assert_int_equal(kill((pid_t)status(&a).pid, SIGKILL), 0);
        while (status(&a).pid != 0)
            sched_yield(); /* the kernel takes a moment */
        assert_true(start(&a, &conninfo, &f));
        assert_string_equal(ask(&a, conninfo, arena_format(&a, "select x from t%d", i)), i == 0   ? "0"
                                                                                         : i == 1 ? "1"
                                                                                                  : "2");
        PQfinish(open_session);
    }
    leave_state(folder);
}

/* The server's log when it has written its last line, which it does behind everything else that one sees of
 * its end. */
static char *last_log(struct arena *a)
{
    char *log = get(a, status(a).folder, "server.log");
    for (int i = 0; i < 1000 && strstr(log, "database system is shut down\n") == NULL; i++) {
        poll(NULL, 0, 10);
        log = get(a, status(a).folder, "server.log");
    }
    return log;
}

/* Another major version, named on both sides; nothing changes. */
static void other_version(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/state");
    assert_true(start(&a, &conninfo, &f));
    assert_true(cluster_stop(&(bool){false}, &f));
    const char *data = file_join(&a, status(&a).folder, "data");
    char *version = get(&a, data, "PG_VERSION"), *log = last_log(&a);
    put(data, "PG_VERSION", "1\n"); /* also a prefix of the true one */
    assert_false(start(&a, &conninfo, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_non_null(strstr(f.text, "made by PostgreSQL 1, the programs"));
    assert_non_null(strstr(f.hint, "postgresql-1,"));
    assert_string_equal(get(&a, status(&a).folder, "server.log"), log);
    put(data, "PG_VERSION", version);
    assert_true(start(&a, &conninfo, &f));
    leave_state(folder);
}

/* Foreign content, a folder open to everybody, a broken pointer, programs that are none: refused, untouched.
 */
static void refusals(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    const char *conninfo;
    char *folder = enter_state("/state");
    const char *foreign = file_join(&a, folder, "cluster");
    assert_true(file_make_folders(foreign, 0711, &f));
    put(foreign, "letter.txt", "dear");
    assert_false(start(&a, &conninfo, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_non_null(strstr(f.text, foreign));
    assert_string_equal(get(&a, foreign, "letter.txt"), "dear");
    free(folder);

    folder = enter_state("/state");
    assert_true(file_make_folders(folder, 0711, &f) && chmod(folder, 01777) == 0);
    assert_false(start(&a, &conninfo, &f));
    assert_int_equal(f.kind, FAULT_REFUSED);
    free(folder);

    folder = enter_state("/state");
    assert_true(file_make_folders(folder, 0711, &f));
    put(folder, "cluster.pointer", "not/absolute\n");
    assert_false(start(&a, &conninfo, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    assert_int_equal(unlink(file_join(&a, folder, "cluster.pointer")), 0);

    struct settings wrong = {.db_bindir = "/usr/share"};
    assert_false(cluster_start(&wrong, &a, &conninfo, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    wrong = (struct settings){.db_run_as = "no-such-account-here"};
    assert_true(geteuid() != 0 || !cluster_start(&wrong, &a, &conninfo, &f));
    assert_false(status(&a).exists);

    /* what an interrupted initdb left is cleared away, and only that */
    assert_int_equal(mkdir(file_join(&a, folder, "cluster.new"), 0700), 0);
    put(file_join(&a, folder, "cluster.new"), "junk", "junk");
    struct passwd *postgres = getpwnam("postgres");
    assert_true(geteuid() != 0 ||
                chown(file_join(&a, folder, "cluster.new"), postgres->pw_uid, postgres->pw_gid) == 0);
    assert_true(start(&a, &conninfo, &f));
    assert_int_equal(access(file_join(&a, folder, "cluster.new"), F_OK), -1);
    leave_state(folder);
}

/* Less than 200 MB: no cluster is made. Needs a mount of its own; where the kernel gives none, skipped. */
static void full_disk(void **state)
{
    (void)state;
    char *folder = enter_state("");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        AUTO_ARENA a = {0};
        struct fault f = {0};
        const char *conninfo;
        if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("small", folder, "tmpfs", 0, "size=64m,mode=0711") != 0)
            _exit(77);
        bool ok = start(&a, &conninfo, &f);
        _exit(!ok && f.kind == FAULT_FAILED && strstr(f.text, "MB free, the database needs 200 MB") != NULL &&
                      !status(&a).exists
                  ? 0
                  : 1);
    }
    int rc;
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    close(ends[0]);
    close(ends[1]);
    free(folder);
    if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77)
        skip();
    assert_int_equal(rc, 0);
}

/* The starter's pipe closes when the starter ends, and Ctrl-C for its process group does not reach the
 * server. */
static void own_session(void **state)
{
    (void)state;
    AUTO_ARENA a = {0};
    struct fault f;
    char *folder = enter_state("/state"), byte;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const char *conninfo;
        setpgid(0, 0);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        dup2(ends[1], 100);
        if (!start(&a, &conninfo, &f))
            _exit(1);
        raise(SIGSTOP);
        _exit(0);
    }
    close(ends[1]);
    int rc;
    assert_int_equal(waitpid(pid, &rc, WUNTRACED), pid);
    assert_true(WIFSTOPPED(rc));
    assert_int_equal(kill(-pid, SIGINT), 0);
    assert_int_equal(kill(-pid, SIGCONT), 0);
    assert_int_equal(waitpid(pid, &rc, 0), pid);
    while (read(ends[0], &byte, 1) > 0)
        continue; /* would hang if the server held the other end */
    close(ends[0]);
    assert_true(status(&a).running);
    leave_state(folder);
}

static int run_all(const char *name)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life),          cmocka_unit_test(access_is_closed), cmocka_unit_test(strange_paths),
        cmocka_unit_test(closed_parent), cmocka_unit_test(two_at_once),      cmocka_unit_test(stale_pid_file),
        cmocka_unit_test(killed_server), cmocka_unit_test(other_version),    cmocka_unit_test(refusals),
        cmocka_unit_test(full_disk),     cmocka_unit_test(own_session),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    if (geteuid() != 0)
        return run_all("cluster as a plain user");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct passwd *p = getpwnam("nobody");
        if (p == NULL || setgroups(0, NULL) != 0 || setgid(p->pw_gid) != 0 || setuid(p->pw_uid) != 0)
            return 2;
        exit(run_all("cluster as a plain user"));
    }
    int rc;
    bool plain = waitpid(pid, &rc, 0) == pid && rc == 0;
    return run_all("cluster as root") == 0 && plain ? 0 : 1;
}
