/* small.h - a small campaign in a real store, by hand: no CA, no mail, a plan of two chunks.
 * Does not: hide the store; tests use its calls and plain SQL beside. Called by: tests of the store. */
#ifndef TESTS_SMALL_H
#define TESTS_SMALL_H

#include "massrevoke/store_outside.h"
#include "massrevoke/store_queue.h"
#include "massrevoke/store_report.h"

#include <libpq-fe.h>

#define SMALL_CERTIFICATES 20
#define SMALL_RECEIVED 1790000000 /* campaign time; the deadline is five days later */
#define SMALL_CHUNK 10

struct small {
    struct arena arena;
    struct store *store;
    PGconn *sql; /* a second session in the same schema */
    const char *schema;
    struct campaign campaign;
    int issuer, engine;
};

/* Opens a schema of its own with a campaign of SMALL_CERTIFICATES, inventory, contacts, planned into two
 * chunks (due an hour and two hours after receipt) and started. Ends the test on any fault. */
void small_open(struct small *s);

/* Drops the schema. */
void small_close(struct small *s);

/* Campaign time `hours` after receipt. */
struct utc small_at(int hours);

/* The act of `who` at that hour. */
struct act small_act(const struct small *s, int hours, const char *who);

/* A list of n (at most 8) certificates, serials 10 LAST and on, received at that hour with a deadline five
 * days later; the cohort it went to. */
int small_late(struct small *s, int hours, uint8_t last, int n);

/* Begins an engine in the store's session. */
void small_engine(struct small *s);

/* Claims what is due at that hour; *n chunks. */
struct claim *small_claim(struct small *s, int hours, size_t *n);

/* Settles every number of a claim with one outcome. */
void small_settle(struct small *s, int hours, const struct claim *c, enum ca_outcome outcome,
                  enum certificate_event event);

/* A CRL shows numbers [first, first + n). */
void small_sight(struct small *s, int hours, int64_t first, size_t n);

/* Claims, settles as revoked and shows both chunks: everything is published. */
void small_finish(struct small *s);

/* Runs SQL with triggers off, as somebody with the database password would; ends the test when it fails. */
void small_sabotage(struct small *s, const char *sql);

/* The campaign's snapshot when it begins, balance derived, for a quorum of one and an hour of publication. */
bool small_look(struct small *s, struct snapshot *out, struct fault *f);

/* First column of the first row as a number. */
int64_t small_number(struct small *s, const char *sql);

/* The fixture of a test with one of them: a struct small in *state. */
int small_set_up(void **state);
int small_tear_down(void **state);

#endif
