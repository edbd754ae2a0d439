/* backend_keys.h - the keys of a CA that belong to some backends: which are needed, which are another's, and
 * what becomes of them. Pure. Does not: open anything. Called by: settings.c. */
#ifndef CONFIG_BACKEND_KEYS_H
#define CONFIG_BACKEND_KEYS_H

#include "massrevoke/guard.h"
#include "massrevoke/settings.h"

/* Words of `backend`, ended by NULL. */
extern const char *const backend_keys_names[];

/* Adds a problem for each needed key that is missing, each key of another backend, each wrong value. */
void backend_keys_check(struct guard *g, const struct guard_node *ca);

/* Adds a problem when a PostgreSQL connection string holds a password. */
void backend_keys_check_conninfo(struct guard *g, const struct guard_node *n);

/* The texts of a list like [ "a", "b" ]; *count of them. */
const char *const *backend_keys_words(struct arena *a, const struct guard_node *n, size_t *count);

/* The values of every backend but ca_openssl. */
struct settings_http backend_keys_http(struct guard *g, const struct guard_node *ca);

#endif
