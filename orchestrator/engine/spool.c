#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool spool_open(struct spool *s)
{
    const char *const folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    s->fd = -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && s->fd < 0; i++)
        if (folders[i] != NULL && folders[i][0] != '\0')
            s->fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return false;
    s->open = true;
    s->hash = digest_begin();
    return true;
}

bool spool_add(struct spool *s, struct str piece)
{
    if (!s->open && !spool_open(s))
        return false;
    digest_add(&s->hash, piece.p, piece.n);
    s->size += (int64_t)piece.n;
    for (ssize_t n; piece.n > 0; piece.p += n, piece.n -= (size_t)n)
        if ((n = write(s->fd, piece.p, piece.n)) < 0) {
            if (errno != EINTR)
                return false;
            n = 0;
        }
    return true;
}

void spool_end(struct spool *s)
{
    if (s->open && !s->hashed)
        s->sha256 = digest_end(&s->hash);
    else if (!s->hashed)
        s->sha256 = digest_of("", 0);
    s->hashed = true;
}

ssize_t spool_read(void *spool, char *out, size_t room)
{
    struct spool *s = spool;
    if (!s->open)
        return 0;
    if (out == NULL)
        return lseek(s->fd, 0, SEEK_SET) == 0 ? 0 : -1;
    ssize_t n;
    do
        n = read(s->fd, out, room);
    while (n < 0 && errno == EINTR);
    return n;
}

void spool_free(struct spool *s)
{
    spool_end(s);
    if (s->open)
        close(s->fd);
    *s = (struct spool){0};
}
