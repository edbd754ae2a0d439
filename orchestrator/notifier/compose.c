/* One notice as an RFC 5322 message. Why no Auto-Submitted, Precedence or List-* header: with one of them a
 * vacation responder keeps silent, and its answer is how we learn that nobody reads. */
#include "message.h"
#include "notices.h"

static void add_part(GMimeMultipart *whole, GMimeObject *part)
{
    g_mime_multipart_add(whole, part);
    g_object_unref(part);
}

/* Text and table under a boundary derived from the Message-ID. "=_" cannot occur in quoted-printable
 * (RFC 2045 6.7), so no content can forge it. */
static GMimeMultipart *body(const struct notice_texts *texts, const char *message_id)
{
    char hex[DIGEST_TEXT], boundary[40];
    digest_hex(digest_of(message_id, strlen(message_id)), hex);
    snprintf(boundary, sizeof boundary, "=_%.32s", hex);
    GMimeMultipart *whole = g_mime_multipart_new_with_subtype("mixed");
    g_mime_multipart_set_boundary(whole, boundary);
    add_part(whole, message_text("plain", texts->text));
    GMimeObject *table = message_text("csv", texts->table);
    g_mime_object_set_disposition(table, GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(GMIME_PART(table), "certificates.csv");
    add_part(whole, table);
    return whole;
}

static bool check_addresses(const struct notice_input *in, struct fault *f)
{
    if (!notice_address_ok(str_of(in->from)))
        return fault_set(f, FAULT_CONFIG, "mail.from: '%.200s' is not one bare mailbox", in->from);
    if (!notice_address_ok(str_of(in->reply_to)))
        return fault_set(f, FAULT_CONFIG, "mail.reply_to: '%.200s' is not one bare mailbox", in->reply_to);
    if (in->contact->address_bad || !notice_address_ok(str_of(in->contact->email)))
        return fault_set(f, FAULT_REFUSED, "subscriber %.200s: contact in line %zu has no usable address",
                         in->facts->subscriber, in->contact->line);
    return true;
}

bool notifier_compose(const struct notice_input *in, struct arena *a, struct str *eml, struct fault *f)
{
    struct notice_texts texts;
    if (!check_addresses(in, f) || !notices_render(in, a, &texts, f))
        return false;
    const struct message_head head = {.from_name = in->facts->ca,
                                      .from = in->from,
                                      .to_name = in->contact->name,
                                      .to = in->contact->email,
                                      .reply_to = in->reply_to,
                                      .subject = arena_copy(a, texts.subject.p, texts.subject.n),
                                      .message_id = in->message_id,
                                      .date = in->date};
    GMimeMessage *message = message_new(&head);
    GMimeMultipart *whole = body(&texts, in->message_id);
    g_mime_message_set_mime_part(message, GMIME_OBJECT(whole));
    g_object_unref(whole);
    *eml = message_write(message, a);
    return true;
}
