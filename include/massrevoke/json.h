/* json.h - jansson with our rules: strict in, canonical out.
 *
 * In: duplicates rejected, size bounded. Out: canonical form is sorted keys, no blanks, no trailing newline;
 * its bytes are what we hash and sign. Pure. Does not: hide jansson; callers build json_t values themselves.
 * Called by: store (log leaves), planner, reporter, cli. */
#ifndef MASSREVOKE_JSON_H
#define MASSREVOKE_JSON_H

#include "massrevoke/fault.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"
#include <jansson.h>

/* Drops the reference at scope exit: `AUTO_JSON *doc = json_object();` */
void json_release(json_t **value);
#define AUTO_JSON __attribute__((cleanup(json_release))) json_t

/* Parses; FAULT_FAILED names `what`, line and column. *out is owned by the caller. */
MUST_USE bool json_read(const char *what, struct str bytes, json_t **out, struct fault *f);

/* Appends the canonical form. */
void json_canonical(const json_t *value, struct buf *out);

/* Appends the form for people and pipes: two blanks of indent, keys in the order they were set, newline. */
void json_pretty(const json_t *value, struct buf *out);

/* object[key] = time as text ending in Z; null for UTC_NONE. */
void json_set_utc(json_t *object, const char *key, struct utc t);

/* object[key] = text; null for NULL; bytes that are not UTF-8 are replaced by '?'. */
void json_set_text(json_t *object, const char *key, const char *text);

/* object[key] = number. */
void json_set_int(json_t *object, const char *key, int64_t value);

/* object[key] = boolean. */
void json_set_bool(json_t *object, const char *key, bool value);

#endif
