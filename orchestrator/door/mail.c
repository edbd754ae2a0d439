#include "massrevoke/mail_door.h"

#define MAIL_THREADS 4 /* more make a busy relay slower, measured with postfix on the same host */

bool mail_open(const struct settings *s, struct mail_door **out, struct fault *f)
{
    *out = NULL;
    if (s->mail_spool_dir != NULL)
        return mail_spool_open(s->mail_spool_dir, out, f);
    if (s->mail_relay_url != NULL)
        return mail_smtp_open(s->mail_relay_url, MAIL_THREADS, out, f);
    return true;
}
