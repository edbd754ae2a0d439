/* alert_keys.h - the keys of `alert`: whom to call, and the outgoing heartbeat. Pure. Does not: send
 * anything, or open what it names. Called by: settings.c. */
#ifndef CONFIG_ALERT_KEYS_H
#define CONFIG_ALERT_KEYS_H

#include "massrevoke/guard.h"
#include "massrevoke/settings.h"

extern const struct guard_key alert_keys[];

/* The values of the group, given or not. */
struct settings_alert alert_keys_take(struct guard *g, const struct guard_node *alert);

/* Adds a problem for each wrong address, for a mail that has no way out, for a heartbeat that goes nowhere.
 */
void alert_keys_check(struct guard *g, const struct guard_node *alert, const struct settings *s);

/* Adds a problem when the text is not one bare address: a local part, one '@', a domain, nothing that could
 * end a header line. */
void alert_keys_check_address(struct guard *g, const struct guard_node *n);

#endif
