/* backend_keys.h - the keys of a CA that belong to one backend: which are needed, which are another's, and
 * what `http` makes of them. Pure. Does not: open anything. Called by: settings.c. */
#ifndef CONFIG_BACKEND_KEYS_H
#define CONFIG_BACKEND_KEYS_H

#include "massrevoke/guard.h"
#include "massrevoke/settings.h"

/* Adds a problem for each needed key that is missing, each key of another backend, each wrong value. */
void backend_keys_check(struct guard *g, const struct guard_node *ca);

/* Adds a problem when a PostgreSQL connection string holds a password. */
void backend_keys_check_conninfo(struct guard *g, const struct guard_node *n);

/* The values of backend "http"; empty for other backends. */
struct settings_http backend_keys_http(struct guard *g, const struct guard_node *ca);

#endif
