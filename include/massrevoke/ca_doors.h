/* ca_doors.h - every CA backend by its name in the configuration: opened, or only described.
 *
 * Describing reads the profile and nothing else, so a plan can be refused before anything is sent. Does not:
 * connect. Called by: cli (wiring, config check), engine (planning). */
#ifndef MASSREVOKE_CA_DOORS_H
#define MASSREVOKE_CA_DOORS_H

#include "massrevoke/arena.h"
#include "massrevoke/ca_door.h"
#include "massrevoke/clock.h"
#include "massrevoke/settings.h"

/* Opens the door of `ca`, whose issuers have the numbers first_issuer, first_issuer + 1, ... in settings.
 * Faults: CONFIG. */
MUST_USE bool ca_doors_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                            struct ca_door **out, struct fault *f);

/* What the backend of `ca` is like, from configuration and profile alone; texts live in `a`. CONFIG: the
 * profile has problems, all listed. */
MUST_USE bool ca_doors_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out,
                                struct fault *f);

#endif
