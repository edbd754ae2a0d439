/* One notice as an RFC 5322 message. Why no Auto-Submitted, Precedence or List-* header: with one of them a
 * vacation responder keeps silent, and its answer is how we learn that nobody reads. */
#include "notices.h"

#include <gmime/gmime.h>
#include <pthread.h>

static void start_gmime(void)
{
    g_mime_init();
}

/* A part of foreign UTF-8 text. The charset is named by us, never guessed: guessing gives iso-8859-1 or
 * worse.
 */
static GMimeObject *text_part(const char *subtype, struct str text)
{
    GMimePart *part = g_mime_part_new_with_type("text", subtype);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text.p, text.n);
    GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_object_unref(stream);
    g_mime_part_set_content(part, content);
    g_object_unref(content);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    return GMIME_OBJECT(part);
}

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
    add_part(whole, text_part("plain", texts->text));
    GMimeObject *table = text_part("csv", texts->table);
    g_mime_object_set_disposition(table, GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(GMIME_PART(table), "certificates.csv");
    add_part(whole, table);
    return whole;
}

/* Adds a mailbox; a name that is not UTF-8 is left out. */
static void add_mailbox(InternetAddressList *list, const char *name, const char *address)
{
    bool named = name[0] != '\0' && str_is_utf8(str_of(name));
    InternetAddress *mailbox = internet_address_mailbox_new(named ? name : NULL, address);
    internet_address_set_charset(mailbox, "utf-8");
    internet_address_list_add(list, mailbox);
    g_object_unref(mailbox);
}

static void write_message(GMimeMessage *message, struct arena *a, struct str *eml)
{
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    GMimeStream *out = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, out);
    const GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    *eml = (struct str){arena_copy(a, bytes->data, bytes->len), bytes->len};
    g_object_unref(out);
    g_mime_format_options_free(options);
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct notice_texts texts;
    if (!check_addresses(in, f) || !notices_render(in, a, &texts, f))
        return false;
    pthread_once(&once, start_gmime);
    GMimeMessage *message = g_mime_message_new(TRUE);
    add_mailbox(g_mime_message_get_from(message), in->facts->ca, in->from);
    add_mailbox(g_mime_message_get_to(message), in->contact->name, in->contact->email);
    add_mailbox(g_mime_message_get_reply_to(message), "", in->reply_to);
    g_mime_message_set_subject(message, arena_copy(a, texts.subject.p, texts.subject.n), "utf-8");
    GDateTime *date = g_date_time_new_from_unix_utc(in->date.s);
    g_mime_message_set_date(message, date);
    g_date_time_unref(date);
    g_mime_message_set_message_id(message, in->message_id);
    GMimeMultipart *whole = body(&texts, in->message_id);
    g_mime_message_set_mime_part(message, GMIME_OBJECT(whole));
    g_object_unref(whole);
    write_message(message, a, eml);
    g_object_unref(message);
    return true;
}
