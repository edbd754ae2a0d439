/* backend_parts.h - what the profiles of all kinds of backends have in common: the words for reasons and
 * outcomes, and templates with values in braces. Pure. Does not: know HTTP, SQL or processes. Called by:
 * backend.c, backend_sql.c, backend_exec.c. */
#ifndef MODEL_BACKEND_PARTS_H
#define MODEL_BACKEND_PARTS_H

#include "massrevoke/backend.h"
#include "massrevoke/guard.h"

#define BACKEND_SERIALS                                                                                      \
    (1U << BACKEND_SERIAL_HEX | 1U << BACKEND_SERIAL_DECIMAL | 1U << BACKEND_SERIAL_COLON |                  \
     1U << BACKEND_SERIAL_PREFIXED | 1U << BACKEND_SERIAL_PADDED)

/* Words of a file for enum backend_meaning, ended by NULL. */
extern const char *const backend_meanings[BACKEND_MEANING_COUNT + 1];

/* Letters that may go into JSON, paths and headers as they are. */
extern const char backend_word_letters[];

/* Rows of `reasons`. */
extern const struct guard_key backend_reason_keys[];

/* The meaning of a word; BACKEND_ASK for none. */
enum backend_meaning backend_meaning_named(const char *name);

/* A template; each value it uses sets its bit in *used. Unknown values are problems. */
struct backend_template backend_take_template(struct guard *g, const struct guard_node *n, unsigned *used);

/* The list `reasons` of the file into words; `sent`: the request names the reason at all. */
void backend_take_reasons(struct guard *g, const char *words[static BACKEND_REASONS], bool sent);

/* One form of the serial and nothing else: a problem when it is not. */
struct backend_template backend_take_serial(struct guard *g, const struct guard_node *n);

#endif
