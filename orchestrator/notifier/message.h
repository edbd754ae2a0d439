/* message.h - RFC 5322 messages by GMime: the same bytes for the same input.
 *
 * Does not: choose words or addresses. Pure. Called by: compose.c, alerting_mail.c. */
#ifndef NOTIFIER_MESSAGE_H
#define NOTIFIER_MESSAGE_H

#include "massrevoke/arena.h"
#include "massrevoke/text.h"
#include "massrevoke/time.h"

#include <gmime/gmime.h>

/* Everything but the body. Addresses bare and checked; names UTF-8, or left out. */
struct message_head {
    const char *from_name, *from, *to_name, *to, *reply_to, *subject, *message_id;
    struct utc date;
};

/* A message with its head; freed by message_write. */
GMimeMessage *message_new(const struct message_head *head);

/* A part of foreign UTF-8 text, quoted-printable. */
GMimeObject *message_text(const char *subtype, struct str text);

/* The message in CRLF form, in the arena; frees it. */
struct str message_write(GMimeMessage *message, struct arena *a);

#endif
