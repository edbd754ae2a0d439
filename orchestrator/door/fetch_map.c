/* URLs that are read from a folder, and the body that any reply has. */
#include "fetch_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool fetch_body_add(struct fetch_body *body, struct str piece)
{
    body->too_large = piece.n > body->max - body->size;
    if (body->too_large)
        return false;
    body->size += piece.n;
    if (body->request->piece == NULL)
        buf_add(&body->bytes, piece.p, piece.n);
    else
        body->refused = !body->request->piece(body->request->context, piece);
    return !body->refused;
}

void fetch_body_end(struct fetch_body *body, struct arena *a, struct fetch_reply *reply)
{
    reply->bytes = (struct str){"", 0};
    if (reply->ok && body->bytes.n > 0)
        reply->bytes = (struct str){arena_copy(a, body->bytes.p, body->bytes.n), body->bytes.n};
    buf_free(&body->bytes);
}

const struct settings_map *fetch_mapped(const struct settings *s, const char *url, const char **rest)
{
    const struct settings_map *best = NULL;
    size_t best_n = 0;
    for (size_t i = 0; i < s->map_count; i++) {
        size_t n = strlen(s->map[i].url);
        bool begins = n > 0 && strncmp(url, s->map[i].url, n) == 0;
        bool at_part = begins && (url[n - 1] == '/' || url[n] == '/' || url[n] == '\0');
        if (at_part && n > best_n) {
            best = &s->map[i];
            best_n = n;
        }
    }
    if (best != NULL)
        *rest = url + best_n;
    return best;
}

/* Opens a file below the folder part by part, so that neither ".." nor a symbolic link leads out of it; -1
 * and errno when there is none. */
static int open_below(const char *folder, const char *path)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (struct str rest = str_of(path); fd >= 0 && rest.p != NULL;) {
        struct str part = str_cut(&rest, '/');
        char name[256];
        if (part.n == 0 && rest.p != NULL)
            continue;
        bool bad = part.n == 0 || part.n >= sizeof name || str_is(part, ".") || str_is(part, "..");
        memcpy(name, part.p, bad ? 0 : part.n);
        name[bad ? 0 : part.n] = '\0';
        int flags = rest.p == NULL ? O_NONBLOCK : O_DIRECTORY;
        int next = bad ? -1 : openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags);
        int error = bad ? EINVAL : errno;
        close(fd);
        fd = next;
        errno = error;
    }
    return fd;
}

/* Reads an open regular file. */
static bool read_open(int fd, struct fetch_body *body)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    char chunk[65536];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) != 0;) {
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && !fetch_body_add(body, (struct str){chunk, (size_t)n})) {
            errno = body->too_large ? EFBIG : ECANCELED;
            return false;
        }
    }
    return true;
}

void fetch_read_mapped(const struct settings_map *map, const char *rest, const struct fetch_request *request,
                       struct arena *a, struct fetch_reply *reply)
{
    struct fetch_body body = {.request = request, .max = FETCH_MAX};
    int fd = open_below(map->folder, rest);
    reply->ok = fd >= 0 && read_open(fd, &body);
    if (!reply->ok) {
        const char *why = errno == ELOOP ? "a symbolic link (not followed)" : strerror(errno);
        snprintf(reply->problem, sizeof reply->problem, "%.80s below %.60s: %s", rest, map->folder, why);
    } else {
        reply->http_status = 200;
    }
    fetch_body_end(&body, a, reply);
    if (fd >= 0)
        close(fd);
}
