/* pebble.h - a real ACME server (pebble) on ports of its own, and just enough of a client to get certificates
 * from it.
 *
 * Every helper ends the program with a message when it fails. Does not: prove control of a name (pebble is
 * told to believe it). Called by: tests of the service. */
#ifndef TESTS_LIB_PEBBLE_H
#define TESTS_LIB_PEBBLE_H

#include "massrevoke/arena.h"
#include "massrevoke/outcome.h"
#include "stock.h"

struct pebble {
    struct arena arena;
    char folder[STOCK_PATH];
    int port, management;
    pid_t pid;
    char directory[64];           /* its URL */
    char ca_pem[STOCK_PATH + 32]; /* that its TLS certificate chains to */
    char issuer_pem[STOCK_PATH + 32];
    char account_key[STOCK_PATH + 32], other_key[STOCK_PATH + 32], subscriber_key[STOCK_PATH + 32];
    const char *new_nonce, *new_account, *new_order, *account, *other;
};

/* Is there a pebble on this machine? */
bool pebble_there(void);

/* Starts it, refusing `reject` percent of all good nonces, with two accounts. */
void pebble_start(struct pebble *p, int reject);
void pebble_stop(struct pebble *p);

/* Gets a certificate for the account; written to FOLDER/certs/SERIAL.pem. */
struct serial pebble_issue(struct pebble *p);

/* What its management interface says: false when it does not know the serial; *reason -1: not revoked. */
bool pebble_status(struct pebble *p, const struct serial *serial, int *reason, int64_t *at);

#endif
