/* store_log.h - is the record whole? The append-only log checked leaf by leaf, and taken out of the house.
 *
 * An event's leaf is canonical JSON with the digest of every fact row of its transaction; its hash is a leaf
 * of an RFC 6962 tree whose head stands in the incident report (design sentence 10). Verification reads one
 * moment and trusts nothing but the leaves: rows, pages and certificate rows must follow from them.
 *
 * I/O. Does not: repair, or know what a head was in the past (the caller brings it). Called by: cli, drill.
 */
#ifndef MASSREVOKE_STORE_LOG_H
#define MASSREVOKE_STORE_LOG_H

#include "massrevoke/digest.h"
#include "massrevoke/store_campaign.h"

/* A head: how many leaves, and the root of their tree. */
struct log_head {
    int64_t size;
    struct digest root;
};

/* Reads "SIZE:ROOT" (64 hex digits). USAGE when it is none. */
MUST_USE bool store_log_head_parse(const char *text, struct log_head *out, struct fault *f);

/* The head now. */
MUST_USE bool store_log_head(struct store *s, int campaign, struct log_head *out, struct fault *f);

/* What a check found. */
struct log_verdict {
    bool ok;
    char what[300]; /* the first event or row that differs, "" when none does */
    struct log_head head;
};

/* Checks every leaf, every fact row, pages, certificate rows, fetched bytes, and that the first claimed->size
 * leaves have claimed->root (NULL: no claim). A difference is a verdict, not a fault. */
MUST_USE bool store_log_verify(struct store *s, int campaign, const struct log_head *claimed,
                               struct log_verdict *out, struct fault *f);

/* Writes the record into a new or empty folder: leaves, facts, objects, requests with signatures, the head,
 * SHA256SUMS (last, so a folder that has it is complete) and VERIFY.md, which says how to check it all with
 * stock tools. CONFLICT when the folder is not empty. Files are 0644: they hold ids and digests, and what was
 * published or signed. */
MUST_USE bool store_log_export(struct store *s, int campaign, const char *folder, struct log_head *out,
                               struct fault *f);

/* Where the log of a campaign ends, and on which database. */
struct log_mark {
    int64_t size;
    struct digest last;         /* over the hashes of the last hundred leaves */
    struct digest asked;        /* the same for those that end with leaf `seq`; zero when there is none */
    const char *was_on, *is_on; /* "system identifier/timeline"; "" not known */
    int confirmed;              /* how often a person let engines go on from a database that was put back */
};

/* As it is now; texts live in `a`. */
MUST_USE bool store_log_mark(struct store *s, int campaign, int64_t seq, struct arena *a,
                             struct log_mark *out, struct fault *f);

/* Notes the database the campaign is on, when none is known. */
MUST_USE bool store_generation_note(struct store *s, int campaign, struct fault *f);

/* A person confirms that engines may go on: an event, and a new generation. `seen`: leaves known before. */
MUST_USE bool store_generation_confirm(struct store *s, const struct act *act, int64_t seen, int64_t size,
                                       struct fault *f);

#endif
