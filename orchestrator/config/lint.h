/* lint.h - what libconfig would read wrongly or report badly, found in the bytes before it sees them.
 * Does not: judge syntax that libconfig reports well. Called by: guard.c. */
#ifndef CONFIG_LINT_H
#define CONFIG_LINT_H

#include "massrevoke/guard.h"

/* Adds problems; false when libconfig would misread the whole (unclosed comment, quote or bracket, duplicate
 * key, NUL, bad UTF-8, unusable @include) and must not be asked. Follows @include. */
bool lint_bytes(struct guard *g, struct str bytes);

#endif
