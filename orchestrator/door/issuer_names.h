/* issuer_names.h - what the issuers of a CA are called over there. Reads the issuers' certificates. Does not:
 * talk to anybody. Called by: doors. */
#ifndef DOOR_ISSUER_NAMES_H
#define DOOR_ISSUER_NAMES_H

#include "massrevoke/arena.h"
#include "massrevoke/settings.h"

struct issuer_name {
    const char *aki;  /* key identifier in lower-case hex, as configured or the certificate's own */
    const char *name; /* as configured, may be NULL */
};

/* One for each issuer of `ca`, in the arena. CONFIG: a certificate can't be read, or `profile` needs names
 * and one is missing. */
MUST_USE bool issuer_names_load(const struct settings_ca *ca, bool needs_name, const char *profile,
                                struct arena *a, struct issuer_name **out, struct fault *f);

#endif
