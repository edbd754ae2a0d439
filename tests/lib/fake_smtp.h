/* fake_smtp.h - an SMTP relay that misbehaves on purpose: real relays cannot be asked to break a connection
 * after the final dot.
 *
 * One thread, one connection at a time, behaviour by a letter per connection. Does not: keep mail. */
#ifndef TESTS_FAKE_SMTP_H
#define TESTS_FAKE_SMTP_H

#include <pthread.h>
#include <stdatomic.h>

/* What a connection does; the last one is repeated. */
#define FAKE_TAKES 'a'           /* 250 to everything */
#define FAKE_DROPS_AFTER_DOT 'd' /* closes when the message is in */
#define FAKE_HANGS_AFTER_DOT 'h' /* never answers */
#define FAKE_451_AT_RCPT 'g'     /* greylisting */
#define FAKE_550_AT_RCPT 'r'     /* no such user */
#define FAKE_550_AT_MAIL 'm'     /* the sender is not welcome */
#define FAKE_421_AT_MAIL 'b'     /* busy, goes away */
#define FAKE_451_AFTER_DOT 'l'   /* later */
#define FAKE_554_AFTER_DOT 'x'   /* content refused */
#define FAKE_DROPS_IN_BODY 'i'   /* closes as soon as DATA is answered */
#define FAKE_421_AT_SECOND 's'   /* takes one message, then 421 at the next MAIL */

struct fake_smtp {
    int fd, port;
    char url[64];
    const char *behaviour;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int connections, messages; /* messages: ended by a dot */
};

/* Starts; `behaviour` one letter a connection. */
void fake_smtp_start(struct fake_smtp *s, const char *behaviour);

/* Ends it. */
void fake_smtp_stop(struct fake_smtp *s);

#endif
