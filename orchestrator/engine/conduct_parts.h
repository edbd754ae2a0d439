/* conduct_parts.h - what the files of conduct share. Does not: leave engine/. */
#ifndef MASSREVOKE_ENGINE_CONDUCT_PARTS_H
#define MASSREVOKE_ENGINE_CONDUCT_PARTS_H

#include "massrevoke/conduct.h"

/* Writes the request for a hold or a release; its plan digest is that of the words `what`. */
MUST_USE bool conduct_request_for_hold(const struct conduct *c, const struct cohort *cohort, const char *what,
                                       const char *kind, int hold, struct arena *a, int *request,
                                       struct fault *f);

/* Started, and no approver has withdrawn since: everything else waits for an approval. */
bool conduct_goes(const struct cohort *cohort);

#endif
