/* list.h - reading an affected list from wherever the command line says: a file, a folder, standard input, or
 * a query of another database.
 *
 * What import and reconcile share. I/O. Does not: change the store. Called by: import, reconcile, and for its
 * parts inventory and contacts. */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "massrevoke/cert.h"
#include "session.h"

/* A list being read; zero-initialise, list_release at the end. */
struct list_input {
    struct session *session;
    const struct invocation *in;
    struct intake_list list; /* every hash of it looked up */
    struct digest_state digest;
    struct digest sha256;   /* of the bytes read */
    const char *source;     /* FILE, or the query: for the record */
    struct issuer *issuers; /* by index of settings, to know whose a certificate is */
};

/* Is there a FILE or a --query, and not both? USAGE, before anything is opened. */
MUST_USE bool list_check(const struct invocation *in, struct fault *f);

/* Reads it all, by --format, --serials, --issuer. Faults: USAGE, FAILED, CONFIG; UNAVAILABLE for a database.
 */
MUST_USE bool list_read(struct list_input *input, struct session *s, const struct invocation *in,
                        struct fault *f);

/* Says on standard error which issuer rows without one have taken, if any. */
void list_tell_issuer(const struct list_input *input);

/* Frees all; harmless when nothing was read. */
void list_release(struct list_input *input);
#define AUTO_LIST __attribute__((cleanup(list_release))) struct list_input

/* The parts: issuers' certificates by index of settings (released by the caller), their names prepared for
 * comparing, random bytes for hashing, a file or standard input for "-". */
MUST_USE bool list_issuers(struct session *s, struct issuer **out, struct fault *f);
struct intake_issuers *list_issuer_names(struct session *s, const struct issuer *issuers);
MUST_USE bool list_seed(uint64_t seed[static 2], struct fault *f);
MUST_USE bool list_open(const char *path, int *fd, struct fault *f);

/* A source that draws a progress bar over a long file; zero-initialise, list_watch fills it. */
struct list_watch {
    struct source source;
    uint64_t bytes, size;
    const char *name;
};

/* The same bytes as `from`; `fd` tells how many there will be. */
struct source list_watch(struct list_watch *w, struct source from, int fd, const char *name);

#endif
