/* replacement.h - an affected certificate that has another one in its place: the value, no behaviour.
 *
 * Pure. Does not: parse (replacement_list.h) or store. Called by: intake, store, engine. */
#ifndef MASSREVOKE_REPLACEMENT_H
#define MASSREVOKE_REPLACEMENT_H

#include "massrevoke/digest.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* One row; texts live in the reader's arena. */
struct replacement_row {
    int issuer; /* index of settings; whoever stores it makes it the store's number */
    struct serial serial;
    size_t line;
    struct utc at; /* when it was replaced; UTC_NONE */
    bool has_serial, has_sha256;
    struct serial replacement_serial;
    struct digest sha256;
    const char *file; /* of the replacement; "" */
};

#endif
