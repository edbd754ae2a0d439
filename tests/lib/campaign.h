/* campaign.h - a demo CA in a temporary folder and small campaigns over it, made and run in this process
 * through the same functions as the commands use, under a clock of the test's own.
 *
 * One world is one CA and one schema; every campaign of a test is a further row in it, and the CA's record is
 * put back between them. The clock lies in shared memory, so a forked child that dies leaves it where it
 * stood. Every helper ends the program with a message when it fails. Does not: judge; tests compare. Called
 * by: tests. */
#ifndef TESTS_LIB_CAMPAIGN_H
#define TESTS_LIB_CAMPAIGN_H

#include "massrevoke/conduct.h"
#include "massrevoke/engine.h"

#include <libpq-fe.h>

/* A CA and a store; zero-initialise, world_make fills it. */
struct world {
    struct arena arena;
    const char *folder, *conninfo;
    char schema[48];
    struct settings settings;
    struct settings_ca ca; /* settings' only one */
    struct store *store;
    PGconn *sql; /* the test's own look at the tables */
    int *issuers;
    size_t issuer_count;
    struct inventory_row *rows;
    size_t row_count;
    struct intake_key *keys; /* the certificates to revoke, in the order of the inventory */
    size_t key_count;
    struct str index, crl_number, crl; /* the CA's files at the beginning */
    struct utc *now;                   /* shared with children */
    struct utc compromised; /* 0: campaigns are for superseded; else for keyCompromise, and so long ago */
};

/* Makes a CA of `count` certificates with that rate, all of them to be revoked. */
void world_make(struct world *w, int count, struct rate rate);
void world_free(struct world *w);

/* Takes the CA's files as they are now as the beginning. */
void world_keep(struct world *w);

/* Puts the CA's files and the clock back to the beginning. */
void world_reset(struct world *w);

/* The clock's rest position. */
struct utc world_begin(void);

/* Opens, imports, plans, approves (with the demo approvers' keys) and starts a campaign; its number. */
int world_campaign(struct world *w, const char *name, const char *profile);

/* An engine's parts with doors of their own; the engine itself is opened by the test. */
struct world_run {
    struct engine_parts parts;
    struct ca_door *door; /* ca_openssl */
    struct engine_ca ca;
};
void world_open(struct world *w, int campaign, const char *name, const char *profile, struct world_run *run);
void world_close(struct world_run *run);

/* Steps the engine, the clock jumping to whatever it waits for, until it has ended; its last state. */
enum engine_state world_finish(struct world *w, struct engine *e, struct engine_report *last);

/* One look of the test: the first column of all rows, a line each; lives in the world's arena. */
const char *world_ask(struct world *w, const char *sql);

/* State bytes and counters of all pages of a campaign, a line each. */
const char *world_pages(struct world *w, int campaign);

/* index.txt as it stands, and only its revoked rows without their dates, a line each. */
const char *world_index(struct world *w);
const char *world_revoked(struct world *w, const char *index);

/* Are all revoked rows of the earlier index in the later one, with the same date and reason? */
bool world_keeps_dates(struct world *w, const char *earlier, const char *later);

/* Everything that must hold of a campaign at any time: each sql/invariant, the log without gap, each leaf
 * with its hash and the digests of its rows. "" or what is wrong. */
const char *world_wrong(struct world *w, int campaign);

#endif
