/* plan_files.h - what plans/ says of clocks, profiles and rules, read once a session.
 *
 * Reading the files costs more than all queries of a look at a campaign. A file that changes is read by the
 * next session; one that cannot be read is tried again. Memory: the store's arena. Does not: judge. Called
 * by: report.c, tasks.c. Faults: CONFIG. */
#ifndef STORE_PLAN_FILES_H
#define STORE_PLAN_FILES_H

#include "internal.h"
#include "massrevoke/milestone.h"
#include "massrevoke/rules.h"

/* The milestones and a profile; owned by the store. */
MUST_USE bool plan_files_clocks(struct store *s, const char *dir, const char *profile,
                                const struct milestone **rows, size_t *count, const struct profile **out,
                                struct fault *f);

/* The paraphrase of a rule, owned by the store; "" when there is no such rule. */
const char *plan_files_rule(struct store *s, const char *dir, const char *rule);

#endif
