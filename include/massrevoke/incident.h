/* incident.h - an incident in a few figures, to plan before anything has been imported: the files below
 * plans/incidents.
 *
 * How many certificates and subscribers, which clause, when received and read, what the CA can do: enough for
 * "would we make it?". I/O only to read the file. Does not: plan (planner.h), or touch a campaign.
 * Called by: cli (plan --incident). */
#ifndef MASSREVOKE_INCIDENT_H
#define MASSREVOKE_INCIDENT_H

#include "massrevoke/plan.h"

#define INCIDENT_CERTIFICATES_MAX 100000000

struct incident {
    const char *name, *title, *source;
    int64_t certificates, subscribers, issuers; /* subscribers and issuers: at most as many as certificates */
    int64_t riskiest, replaced;                 /* of the certificates */
    struct utc received;
    struct span read_after; /* from receipt to when planning begins */
    struct rule rule;
    struct profile profile; /* with the file's own limits in place */
    struct rate rate;       /* of the one CA */
};

/* An incident by shipped name or by path (a name with '/' or ending in .cfg). CONFIG lists every problem. */
MUST_USE bool incident_read(const char *plans_dir, const char *name, struct arena *a, struct incident *out,
                            struct fault *f);

/* What the planner reads, made up evenly: every issuer has the same share, every subscriber of an issuer too;
 * the first certificates are the riskiest, the next ones replaced. Everything lives in `a`; `rate` must live
 * as long. 32 bytes a certificate. Pure. */
struct plan_input incident_input(const struct incident *incident, const struct rate *rate, struct utc now,
                                 struct arena *a);

#endif
