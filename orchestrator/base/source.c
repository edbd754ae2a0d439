#include "massrevoke/source.h"

#include <errno.h>
#include <unistd.h>

static bool read_memory(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    (void)f;
    struct str *left = context;
    *got = left->n < room ? left->n : room;
    if (*got > 0)
        memcpy(into, left->p, *got);
    left->p += *got;
    left->n -= *got;
    return true;
}

struct source source_memory(struct str *bytes)
{
    return (struct source){read_memory, bytes};
}

static bool read_descriptor(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    const struct source_file *file = context;
    ssize_t n;
    do
        n = read(file->descriptor, into, room);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", file->name, strerror(errno));
    *got = (size_t)n;
    return true;
}

struct source source_descriptor(struct source_file *file)
{
    return (struct source){read_descriptor, file};
}
