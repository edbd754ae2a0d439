/* spool.h - a fetched object on its way to the store: bytes in a file without a name, hashed as they come.
 *
 * In memory is nothing of them; the file goes with its descriptor, whatever happens. I/O. Does not: keep
 * anything beyond spool_free. Called by: engine. */
#ifndef MASSREVOKE_ENGINE_SPOOL_H
#define MASSREVOKE_ENGINE_SPOOL_H

#include "massrevoke/digest.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"

#include <sys/types.h>

/* Zero-initialise; spool_free in any case. */
struct spool {
    bool open;
    int fd;
    int64_t size;
    struct digest_state hash;
    struct digest sha256; /* after spool_end */
    bool hashed;
};

/* Adds a piece; the file lies in the first of TMPDIR, /var/tmp and /tmp that takes it. False: none does, or
 * it is full. */
bool spool_add(struct spool *s, struct str piece);

/* No more will come: the digest, also of nothing. */
void spool_end(struct spool *s);

/* Reads on, as store_outside's object_read_fn. */
ssize_t spool_read(void *spool, char *out, size_t room);

void spool_free(struct spool *s);

#endif
