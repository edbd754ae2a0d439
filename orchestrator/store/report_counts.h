/* report_counts.h - what a campaign's certificates, pages, journal and plan add up to.
 *
 * `affected` and the other counts of certificates are counted from their rows, the six counters are the sum
 * of the pages. For a large campaign both are kept with the length of the log at which they were true
 * (sql/schema, table kept) and carried on by the journal; what no longer holds is counted anew. I/O. Does
 * not: leave store/; judge. Called by: report.c, tasks.c. Faults: UNAVAILABLE, FAILED. */
#ifndef STORE_REPORT_COUNTS_H
#define STORE_REPORT_COUNTS_H

#include "internal.h"
#include "massrevoke/certificate.h"
#include "massrevoke/merkle.h"
#include "massrevoke/snapshot.h"
#include "massrevoke/store_campaign.h"

#define COUNTED_TYPES 6  /* DV, OV, IV, EV, other, not checkable */
#define COUNTED_PEOPLE 3 /* subscribers, with a bad address, without any contact */
#define COUNTED_TOLD 4   /* subscribers told, by a backup contact; messages accepted, refused */

struct counts_wanted {
    const struct campaign *campaign;
    struct span margin; /* from recorded to published */
    bool whole;         /* not the cohorts alone */
    bool large;         /* more certificates than are counted at each look */
    bool anew;          /* nothing kept is taken */
};

struct cohort_sum {
    int cohort;
    int64_t affected, unnumbered, excluded_expired, short_lived, withdrawn; /* counted rows */
    int64_t counters[BUCKET_COUNT], doubt, person;                          /* of the pages */
    int64_t should_24h; /* dealt so that they are published within the SHOULD */
};

struct hour_sum {
    int64_t hour; /* since receipt */
    int64_t planned, recorded, published;
};

struct counts {
    struct cohort_sum *cohorts;
    size_t cohort_count;
    struct hour_sum *hours; /* ascending; empty unless whole or large, like all that follows */
    size_t hour_count;
    struct snapshot_issuer *issuers;
    size_t issuer_count;
    int64_t types[COUNTED_TYPES], people[COUNTED_PEOPLE], told[COUNTED_TOLD];
    struct merkle log;
};

/* What is to be kept of it: body NULL when nothing is. */
struct counts_kept {
    int64_t seq, inventory, contact, withdrawn;
    const char *certificates, *body;
};

/* Counts, in the arena; must run inside a read. Cost: a large campaign's is that of the journal since the
 * last look, or linear in its certificates after a change of what it consists of. */
MUST_USE bool report_counts(struct store *s, const struct counts_wanted *w, struct arena *a,
                            struct counts *out, struct counts_kept *kept, struct fault *f);

/* What is open in a cohort by its pages; 1 when it has none. */
int64_t counts_undone(const struct counts *c, int cohort);

/* The sums of the pages alone. */
MUST_USE bool report_counts_pages(struct store *s, int campaign, struct arena *a, struct counts *out,
                                  struct fault *f);

/* Keeps it, after the read has ended. A store that refuses is none the worse for it: the next look counts. */
void report_counts_keep(struct store *s, int campaign, const struct counts_kept *kept);

#endif
