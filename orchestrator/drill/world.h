/* world.h - the made-up world of a drill: its folder, its CA, its lists, its settings.
 *
 * I/O below one folder only. Does not: connect to anything, or take a CA, an issuer, an address or a server
 * from a configuration: whatever a drill revokes with was made here. Called by: drill. */
#ifndef DRILL_WORLD_H
#define DRILL_WORLD_H

#include "massrevoke/intake.h"
#include "massrevoke/settings.h"
#include "scenario.h"

struct drill_world {
    struct arena arena;
    const struct scenario *scenario;
    uint64_t seed;
    const char *profile;                /* its name below settings.plans_dir */
    const char *out, *ca, *pub, *spool; /* folders; pub: the distribution point */
    struct settings settings;
    struct inventory_row *inventory; /* in order of issue */
    size_t certificate_count;
    struct contact *contacts;
    size_t contact_count;
    const int *late; /* certificates (by order of issue) that are found later, in order of being found */
    const char *first_list; /* serials in hex, one a line */
};

/* Makes the folder (CONFLICT: it exists and is not empty, or a file; untouched), the CA, the distribution
 * point, the profile, the lists. `out` is the folder as given. About 0.4 ms a certificate. drill_world_end
 * ends it. */
MUST_USE bool drill_world_open(struct drill_world *w, const struct scenario *s, uint64_t seed,
                               const char *out, struct fault *f);

/* Refuses settings that name anything but the CA made in `folder`: another backend, another directory, an
 * issuer whose private key does not lie there, a relay, an URL that is not mapped below `out`. REFUSED names
 * it. */
MUST_USE bool world_check(const struct settings *s, const char *folder, const char *out, struct fault *f);

/* Reads a list of serials as import would. intake_list_free at the end. */
MUST_USE bool world_list(struct drill_world *w, const char *name, const char *serials,
                         struct intake_list *list, struct fault *f);

/* Serials of `n` certificates, hex, one a line, in the arena. */
const char *world_serials(struct drill_world *w, const int *certificates, size_t n);

/* The subscriber behind an address and the contact's role; NULL: nobody's. */
const struct contact *world_contact(const struct drill_world *w, struct str address);

/* Places what the CA signed at the distribution point; flip: with one byte of the issuer's name changed. */
MUST_USE bool world_deliver_crl(struct drill_world *w, bool flip, struct fault *f);

/* Frees it. */
void drill_world_end(struct drill_world *w);

#endif
