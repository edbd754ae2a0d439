/* inventory.h - what is known of one certificate from the CA's records: the values, no behaviour.
 *
 * Pure. Does not: parse (intake) or store. Called by: intake, store, planner, verifier, reporter. */
#ifndef MASSREVOKE_INVENTORY_H
#define MASSREVOKE_INVENTORY_H

#include "massrevoke/digest.h"
#include "massrevoke/serial.h"
#include "massrevoke/time.h"

/* One row of the inventory file (contract section 3). Text is terminated, "" when unknown, owned by the arena
 * of whoever read it. Lists inside a text are separated by one blank. */
struct inventory_row {
    int issuer; /* index into settings' issuers, counted over all CAs in file order; -1 unknown */
    struct serial serial;
    const char *subscriber, *subject;
    struct utc not_before, not_after; /* UTC_NONE when unknown */
    bool has_cert_sha256, has_precert_sha256, has_spki_sha256;
    struct digest cert_sha256, precert_sha256, spki_sha256;
    const char *dns_names;
    const char *type; /* DV, OV, IV, EV, CA or "" */
    const char *cdp;  /* URLs of the CRL distribution point */
    const char *ocsp; /* URL of the responder in AIA */
    const char *certificate_file;
    size_t line; /* where it stood in its file, from 1 */
};

#endif
