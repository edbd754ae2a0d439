#include "massrevoke/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_join(struct arena *a, const char *folder, const char *name)
{
    if (name[0] == '/' || folder == NULL || folder[0] == '\0')
        return arena_text(a, name);
    size_t n = strlen(folder);
    return arena_format(a, "%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", name);
}

static bool read_all(int fd, const char *path, size_t max, struct buf *b, struct fault *f)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
        if ((size_t)n > max - b->n)
            return fault_set(f, FAULT_FAILED, "%s is larger than %zu bytes", path, max);
        buf_add(b, chunk, (size_t)n);
    }
}

/* As many bytes as are there, at most `room`; -1 with errno. */
static ssize_t read_whole(int fd, char *out, size_t room)
{
    size_t n = 0;
    while (n < room) {
        ssize_t got = read(fd, out + n, room - n);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        n += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)n;
}

/* Straight to its place where the size is known beforehand; what is no file, or grows meanwhile, is gathered.
 */
static bool read_file(int fd, const char *path, size_t max, struct arena *a, struct str *out, struct fault *f)
{
    AUTO_BUF b = {0};
    struct stat st;
    size_t size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
    if (size > max)
        return fault_set(f, FAULT_FAILED, "%s is larger than %zu bytes", path, max);
    char *bytes = arena_alloc(a, size + 1);
    ssize_t n = read_whole(fd, bytes, size + 1);
    if (n < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    *out = (struct str){bytes, (size_t)n};
    if ((size_t)n <= size) {
        bytes[n] = '\0';
        return true;
    }
    if ((size_t)n > max)
        return fault_set(f, FAULT_FAILED, "%s is larger than %zu bytes", path, max);
    buf_add(&b, bytes, (size_t)n);
    if (!read_all(fd, path, max, &b, f))
        return false;
    *out = (struct str){arena_copy(a, buf_str(&b).p, b.n), b.n};
    return true;
}

bool file_read(const char *path, size_t max, struct arena *a, struct str *out, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    bool ok = read_file(fd, path, max, a, out, f);
    close(fd);
    return ok;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return true;
}

/* fsync of the folder that holds path, so that a rename survives a power cut. */
static bool sync_folder(const char *path)
{
    AUTO_ARENA a = {0};
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL   ? "."
                         : slash == path ? "/"
                                         : arena_copy(&a, path, (size_t)(slash - path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

const char *file_write_aside(const char *path, struct str bytes, mode_t mode, struct arena *a,
                             struct fault *f)
{
    const char *aside = arena_format(a, "%s.%ld.tmp", path, (long)getpid());
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) {
        fault_set(f, FAULT_FAILED, "%s: %s", aside, strerror(errno));
        return NULL;
    }
    bool ok = fchmod(fd, mode) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (ok)
        return aside;
    fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    unlink(aside);
    return NULL;
}

bool file_place(const char *aside, const char *path, struct fault *f)
{
    if (rename(aside, path) == 0 && sync_folder(path))
        return true;
    fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    unlink(aside);
    return false;
}

bool file_write(const char *path, struct str bytes, mode_t mode, struct fault *f)
{
    AUTO_ARENA a = {0};
    const char *aside = file_write_aside(path, bytes, mode, &a, f);
    return aside != NULL && file_place(aside, path, f);
}

bool file_make_folders(const char *path, mode_t mode, struct fault *f)
{
    AUTO_ARENA a = {0};
    char *copy = arena_text(&a, path);
    for (char *p = copy + 1; p[-1] != '\0'; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char end = *p;
        *p = '\0';
        struct stat st;
        if (mkdir(copy, mode) != 0 && (errno != EEXIST || stat(copy, &st) != 0 || !S_ISDIR(st.st_mode)))
            return fault_set(f, FAULT_FAILED, "%s: %s", copy, strerror(errno == EEXIST ? ENOTDIR : errno));
        *p = end;
        if (end == '\0')
            break;
    }
    return true;
}

bool file_lock(const char *path, bool wait, int *lock, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    int rc;
    while ((rc = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) != 0 && errno == EINTR)
        continue;
    if (rc == 0) {
        *lock = fd;
        return true;
    }
    enum fault_kind kind = errno == EWOULDBLOCK ? FAULT_CONFLICT : FAULT_FAILED;
    fault_set(f, kind, "%s: %s", path,
              errno == EWOULDBLOCK ? "another process holds the lock" : strerror(errno));
    close(fd);
    return false;
}

bool file_is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool free = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0;
    if (fd >= 0)
        close(fd);
    return !free;
}
