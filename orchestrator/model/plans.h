/* plans.h - how rules, profiles and incidents find their data files: override folder first, embedded else.
 * Does not: parse. Called by: rules.c, profile.c, incident.c. */
#ifndef MODEL_PLANS_H
#define MODEL_PLANS_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/text.h"

/* Names ("profiles/immediate.cfg") of the data files of one folder ("profiles"), ascending and each once.
 * With `own_only` a plans_dir that has any file there hides the embedded ones. Unreadable folders count as
 * empty.
 */
const char **plans_list(const char *plans_dir, const char *folder, bool own_only, struct arena *a,
                        size_t *count);

/* The bytes of FOLDER/NAME.cfg as shipped or overridden, or of the file at the path `name` (with a '/' or
 * ending in .cfg); *file names it. CONFIG says which names there are; `kind` is the word for it ("profile").
 */
MUST_USE bool plans_named(const char *plans_dir, const char *folder, const char *kind, const char *name,
                          struct arena *a, const char **file, struct str *bytes, struct fault *f);

#endif
