/* replacement_list.h - which affected certificates have another one in their place already: a list, read.
 *
 * CSV with a header: issuer,serial,replacement_serial,replacement_sha256,replacement_file,at; only serial is
 * required. A row that cannot be used is kept with its line and the reason. Pure. Does not: open files, know
 * what is affected (store), or look into the replacement. Called by: engine (conduct), tests. */
#ifndef MASSREVOKE_REPLACEMENT_LIST_H
#define MASSREVOKE_REPLACEMENT_LIST_H

#include "massrevoke/intake.h"
#include "massrevoke/replacement.h"

/* A file of them: in = count + rejects. */
struct replacement_list {
    struct replacement_row *rows;
    size_t count, room;
    struct intake_table table;
};

/* Reads it. Rows without an issuer take default_issuer (-1: none). Faults: the source's; FAILED for a header
 * that cannot be used; USAGE when there is neither an issuer column nor a default. */
MUST_USE bool replacement_list_read(struct replacement_list *out, const char *name, struct source source,
                                    struct intake_issuers *issuers, int default_issuer, struct arena *a,
                                    struct fault *f);

/* Frees all but the arena. */
void replacement_list_free(struct replacement_list *list);
#define AUTO_REPLACEMENT_LIST __attribute__((cleanup(replacement_list_free))) struct replacement_list

#endif
