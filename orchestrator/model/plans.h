/* plans.h - how rules and profiles find their data files: override folder first, embedded else.
 * Does not: parse. Called by: rules.c, profile.c. */
#ifndef MODEL_PLANS_H
#define MODEL_PLANS_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"

/* Names ("profiles/immediate.cfg") of the data files of one folder ("profiles"), ascending and each once.
 * With `own_only` a plans_dir that has any file there hides the embedded ones. Unreadable folders count as
 * empty.
 */
const char **plans_list(const char *plans_dir, const char *folder, bool own_only, struct arena *a,
                        size_t *count);

#endif
