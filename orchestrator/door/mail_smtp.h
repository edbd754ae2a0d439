/* mail_smtp.h - the SMTP door with its patience as an argument; production uses mail_smtp_open (mail_door.h).
 *
 * I/O over the network, in threads of its own. Does not: speak TLS or log in (an smtp:// relay on the CA's
 * own network), retry, or send two recipients in one message. Called by: mail_smtp.c, tests. */
#ifndef DOOR_MAIL_SMTP_H
#define DOOR_MAIL_SMTP_H

#include "massrevoke/mail_door.h"

/* RFC 5321 4.5.3.2.6: after the final dot a relay may take ten minutes. */
#define MAIL_SMTP_TIMEOUT 600

/* As mail_smtp_open, waiting at most timeout_seconds for any reply of the relay. */
MUST_USE bool mail_smtp_open_timeout(const char *url, int threads, int timeout_seconds,
                                     struct mail_door **out, struct fault *f);

#endif
