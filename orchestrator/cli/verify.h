/* verify.h - the part of `verify` that looks at a campaign's pointers. Does not: leave cli/. Called by:
 * verify. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "command.h"

/* Fetches and judges everything now; text, --json or --format csv. */
MUST_USE bool verify_outside(const struct invocation *in, int *exit_code, struct fault *f);

#endif
