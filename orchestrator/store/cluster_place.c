/* Where the private cluster lies, who owns it, and which programs run it. */
#include "cluster_parts.h"

#include "massrevoke/file.h"
#include "massrevoke/hex.h"
#include "massrevoke/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ROOT_STATE "/var/lib/massrevoke"
#define ELSEWHERE ROOT_STATE "/clusters"
#define DEBIAN_PROGRAMS "/usr/lib/postgresql"
/* postgres keeps paths in buffers of 1,024 bytes (MAXPGPATH) and adds its own names behind ours */
#define LONGEST_BASE 900

bool cluster_read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    out[n < 0 ? 0 : n] = '\0';
    return n >= 0;
}

/* MASSREVOKE_STATE, else by who asks (contract section 4); an empty variable counts as not set, a relative
 * XDG path as invalid (XDG Base Directory Specification). */
static const char *state_wanted(struct arena *a)
{
    const char *named = getenv("MASSREVOKE_STATE");
    if (named != NULL && named[0] != '\0')
        return named;
    if (geteuid() == 0)
        return ROOT_STATE;
    const char *xdg = getenv("XDG_STATE_HOME");
    if (xdg != NULL && xdg[0] == '/')
        return file_join(a, xdg, "massrevoke");
    const char *home = getenv("HOME");
    const struct passwd *entry = home == NULL || home[0] != '/' ? getpwuid(geteuid()) : NULL;
    if (entry != NULL)
        home = entry->pw_dir;
    return home == NULL || home[0] != '/' ? NULL : file_join(a, home, ".local/state/massrevoke");
}

/* Makes a folder with exactly `mode`, whatever the umask: the server's account must be able to pass the
 * parents that root makes on the way. */
static bool make_folder(const char *path, mode_t mode, struct fault *f)
{
    mode_t before = umask(geteuid() == 0 ? 0022 : 0077);
    bool ok = file_make_folders(path, 0755, f);
    umask(before);
    if (ok && chmod(path, mode) != 0)
        ok = fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    return ok;
}

bool cluster_state_folder(struct arena *a, const char **out, struct fault *f)
{
    const char *wanted = state_wanted(a);
    if (wanted == NULL) {
        fault_set(f, FAULT_FAILED, "no state folder: neither HOME nor a passwd entry names a home");
        return fault_hint(f, "set MASSREVOKE_STATE to a folder of your own");
    }
    struct stat st;
    if (stat(wanted, &st) != 0 && errno == ENOENT && !make_folder(wanted, geteuid() == 0 ? 0711 : 0700, f))
        return fault_wrap(f, "state folder");
    char *real = realpath(wanted, NULL);
    if (real == NULL || stat(real, &st) != 0 || !S_ISDIR(st.st_mode)) {
        fault_set(f, FAULT_FAILED, "state folder %s: %s", wanted, strerror(real == NULL ? errno : ENOTDIR));
        free(real);
        return false;
    }
    *out = arena_text(a, real);
    free(real);
    /* whoever can write here could put a database of their own in our place */
    if ((st.st_mode & S_IWOTH) != 0) {
        fault_set(f, FAULT_REFUSED, "state folder %s can be written by everybody", *out);
        return fault_hint(f, "chmod o-w %s, or set MASSREVOKE_STATE to another folder", *out);
    }
    if (geteuid() != 0 && st.st_uid != geteuid()) {
        fault_set(f, FAULT_REFUSED, "state folder %s belongs to user id %ld", *out, (long)st.st_uid);
        return fault_hint(f, "set MASSREVOKE_STATE to a folder of your own");
    }
    return true;
}

static const char *pointer_file(struct arena *a, const char *state)
{
    return file_join(a, state, "cluster.pointer");
}

static void place_set(struct arena *a, struct cluster_place *place, const char *base)
{
    place->base = base;
    place->data = file_join(a, base, "data");
    place->log_file = file_join(a, base, "server.log");
}

bool cluster_find(struct arena *a, struct cluster_place *place, struct fault *f)
{
    if (!cluster_state_folder(a, &place->state, f))
        return false;
    const char *base = file_join(a, place->state, "cluster");
    char text[PATH_MAX];
    if (cluster_read_small(pointer_file(a, place->state), text, sizeof text)) {
        struct str line = str_trim(str_of(text));
        if (line.n == 0 || line.p[0] != '/' || memchr(line.p, '\n', line.n) != NULL)
            return fault_set(f, FAULT_CONFLICT, "%s does not hold one absolute path",
                             pointer_file(a, place->state));
        base = arena_copy(a, line.p, line.n);
    }
    place_set(a, place, base);
    struct stat st;
    place->exists = lstat(base, &st) == 0;
    if (!place->exists && errno != ENOENT)
        return fault_set(f, FAULT_FAILED, "%s: %s", base, strerror(errno));
    if (!place->exists)
        return true;
    bool passable = access(base, X_OK) == 0;
    if (passable && lstat(file_join(a, place->data, "PG_VERSION"), &st) == 0)
        return true;
    if (!passable && errno == EACCES) {
        fault_set(f, FAULT_REFUSED, "the cluster in %s belongs to user id %ld", base, (long)st.st_uid);
        return fault_hint(f, "work as that user or as root, or set MASSREVOKE_STATE to a folder of your own");
    }
    fault_set(f, FAULT_CONFLICT, "%s is in the way: it is not a database cluster of massrevoke", base);
    return fault_hint(f, "move it away, or set MASSREVOKE_STATE to another folder");
}

/* Probes in a child, as the server's user, every folder from / down to context. */
static bool pass_all(void *context, int64_t *value, struct fault *f)
{
    char *path = context;
    *value = 0;
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        if (access(path, X_OK) != 0)
            return fault_set(f, FAULT_REFUSED, "%s", path);
        *p = end;
        if (end == '\0')
            return true;
    }
}

static bool can_pass(const struct cluster_user *user, struct arena *a, const char *path, struct fault *f)
{
    return cluster_do_as(user, pass_all, arena_text(a, path), NULL, f);
}

bool cluster_settle(const struct cluster_user *user, struct arena *a, struct cluster_place *place,
                    struct fault *f)
{
    if (strlen(place->base) > LONGEST_BASE)
        return fault_set(f, FAULT_FAILED, "%s: a path of %zu bytes is too long for PostgreSQL (at most %d)",
                         place->base, strlen(place->base), LONGEST_BASE);
    const char *pointer = pointer_file(a, place->state);
    struct fault blocked = {0};
    if (access(pointer, F_OK) == 0 || can_pass(user, a, place->state, &blocked))
        return true;
    if (blocked.kind != FAULT_REFUSED) {
        *f = blocked;
        return false;
    }
    if (!make_folder(ELSEWHERE, 0711, f))
        return false;
    if (!can_pass(user, a, ELSEWHERE, f)) {
        fault_set(f, FAULT_REFUSED, "the user %s can pass neither %s nor %s", user->name, blocked.text,
                  ELSEWHERE);
        return fault_hint(f, "chmod a+x %s", blocked.text);
    }
    uint8_t bytes[8];
    char name[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return fault_set(f, FAULT_FAILED, "no random bytes: %s", strerror(errno));
    /* the pointer first: a cluster that is made and then not pointed to would be lost */
    const char *base = arena_format(a, ELSEWHERE "/%s", hex_lower(bytes, sizeof bytes, name));
    if (!file_write(pointer, str_of(arena_format(a, "%s\n", base)), 0600, f))
        return false;
    place_set(a, place, base);
    log_line("the database goes to %s: its user %s cannot pass %s", base, user->name, blocked.text);
    return true;
}

/* Names go into pg_ident.conf: nothing there may read as quote, comment or regular expression. */
static bool name_is_plain(const char *name)
{
    return name[0] != '\0' && name[0] != '/' && name[0] != '#' && strpbrk(name, "\"\\\n\r\t ,") == NULL;
}

static bool user_from(const struct passwd *entry, const char *what, struct arena *a, struct cluster_user *out,
                      struct fault *f)
{
    if (entry == NULL)
        return fault_set(f, FAULT_UNAVAILABLE, "there is no account %s, and PostgreSQL needs one", what);
    if (!name_is_plain(entry->pw_name))
        return fault_set(f, FAULT_UNAVAILABLE, "the login name %s cannot stand in pg_ident.conf",
                         entry->pw_name);
    *out = (struct cluster_user){entry->pw_uid, entry->pw_gid, arena_text(a, entry->pw_name)};
    return true;
}

bool cluster_find_user(const struct settings *s, const struct cluster_place *place, struct arena *a,
                       struct cluster_user *out, struct fault *f)
{
    struct stat st;
    uid_t self = geteuid();
    if (place->exists && lstat(place->data, &st) == 0) {
        if (self != 0 && st.st_uid != self) {
            fault_set(f, FAULT_REFUSED, "the cluster in %s belongs to user id %ld", place->base,
                      (long)st.st_uid);
            return fault_hint(f, "set MASSREVOKE_STATE to a folder of your own");
        }
        return user_from(getpwuid(st.st_uid), arena_format(a, "with user id %ld", (long)st.st_uid), a, out,
                         f);
    }
    if (self != 0)
        return user_from(getpwuid(self), arena_format(a, "with user id %ld", (long)self), a, out, f);
    const char *name = s->db_run_as == NULL ? "postgres" : s->db_run_as;
    if (!user_from(getpwnam(name), name, a, out, f))
        return fault_hint(f,
                          "install the package postgresql (it makes the account postgres), or set db.run_as");
    if (out->uid == 0)
        return fault_set(f, FAULT_CONFIG, "db.run_as: PostgreSQL refuses to run as root");
    return true;
}

/* Major version of a folder name like "15", 0 for anything else. */
static long version_of_name(const char *name)
{
    char *end;
    long n = strtol(name, &end, 10);
    return *name < '1' || *name > '9' || *end != '\0' ? 0 : n;
}

static bool has_programs(struct arena *a, const char *folder)
{
    return access(file_join(a, folder, "postgres"), X_OK) == 0 &&
           access(file_join(a, folder, "initdb"), X_OK) == 0;
}

/* The folder of `wanted` below Debian's, else of the highest version there; NULL when there is none. */
static const char *debian_programs(struct arena *a, long wanted)
{
    DIR *d = opendir(DEBIAN_PROGRAMS);
    const char *best = NULL;
    long best_version = 0;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        long version = version_of_name(e->d_name);
        const char *folder = arena_format(a, DEBIAN_PROGRAMS "/%s/bin", e->d_name);
        bool settled = wanted != 0 && best_version == wanted;
        if (version == 0 || settled || (version < best_version && version != wanted) ||
            !has_programs(a, folder))
            continue;
        best = folder;
        best_version = version;
    }
    if (d != NULL)
        closedir(d);
    return best;
}

static const char *path_programs(struct arena *a)
{
    for (struct str rest = str_of(getenv("PATH")); rest.p != NULL;) {
        struct str part = str_cut(&rest, ':');
        const char *folder = arena_copy(a, part.p, part.n);
        if (folder[0] == '/' && has_programs(a, folder))
            return folder;
    }
    return NULL;
}

/* "15.20" out of "postgres (PostgreSQL) 15.20 (Debian ...)"; NULL when it says something else. */
static const char *ask_version(struct arena *a, const char *folder)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    int status = cluster_run((const char *[]){file_join(a, folder, "postgres"), "--version", NULL}, ends[1]);
    close(ends[1]);
    char text[256];
    ssize_t n = status == 0 ? read(ends[0], text, sizeof text - 1) : 0;
    close(ends[0]);
    text[n < 0 ? 0 : n] = '\0';
    const char *mark = strstr(text, "(PostgreSQL) ");
    if (mark == NULL)
        return NULL;
    mark += strlen("(PostgreSQL) ");
    return arena_copy(a, mark, strcspn(mark, " \n"));
}

bool cluster_find_programs(const struct settings *s, const struct cluster_place *place, struct arena *a,
                           struct cluster_programs *out, struct fault *f)
{
    char made_by[32] = "";
    if (place->exists &&
        !cluster_read_small(file_join(a, place->data, "PG_VERSION"), made_by, sizeof made_by))
        return fault_set(f, FAULT_FAILED, "%s/PG_VERSION: %s", place->data, strerror(errno));
    made_by[strcspn(made_by, "\n")] = '\0';
    out->folder = s->db_bindir != NULL ? s->db_bindir : debian_programs(a, version_of_name(made_by));
    if (out->folder == NULL)
        out->folder = path_programs(a);
    if (out->folder == NULL) {
        fault_set(f, FAULT_UNAVAILABLE, "no PostgreSQL server programs in " DEBIAN_PROGRAMS "/*/bin or PATH");
        return fault_hint(f, "install the package postgresql, or name the folder in db.bindir");
    }
    out->version = has_programs(a, out->folder) ? ask_version(a, out->folder) : NULL;
    if (out->version == NULL)
        return fault_set(f, s->db_bindir != NULL ? FAULT_CONFIG : FAULT_UNAVAILABLE,
                         "%s holds no working postgres and initdb", out->folder);
    size_t n = strlen(made_by);
    bool same = strncmp(out->version, made_by, n) == 0 && strspn(out->version + n, "0123456789") == 0;
    if (!place->exists || same)
        return true;
    fault_set(f, FAULT_CONFLICT, "the cluster in %s was made by PostgreSQL %s, the programs in %s are %s",
              place->base, made_by, out->folder, out->version);
    return fault_hint(f, "install postgresql-%s, or name the folder of its programs in db.bindir", made_by);
}

int64_t cluster_free_bytes(const char *folder)
{
    struct statvfs v;
    if (statvfs(folder, &v) != 0 || v.f_bavail > INT64_MAX / (v.f_frsize + 1))
        return -1;
    return (int64_t)(v.f_bavail * v.f_frsize);
}
