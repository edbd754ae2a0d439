/* postfix.h - a real postfix of a test's own: one folder, one port on 127.0.0.1, mail into Maildirs.
 *
 * Takes mail for *@cust.test into FOLDER/mail/inbox/new; refuses refused@cust.test with 550 and
 * later@cust.test with 450, both at RCPT. Needs root, because postfix does. Does not: touch the system's
 * postfix. */
#ifndef TESTS_POSTFIX_H
#define TESTS_POSTFIX_H

#include <stdbool.h>

struct postfix {
    char folder[64];
    int port;
    char url[64];
};

/* Starts one; false with a sentence in why (static) when this machine cannot. */
bool postfix_start(struct postfix *p, const char **why);

/* Stops it and removes its folder. */
void postfix_stop(struct postfix *p);

/* A TCP port on 127.0.0.1 that is free now. */
int free_port(void);

#endif
