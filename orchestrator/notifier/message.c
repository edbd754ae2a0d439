#include "message.h"

#include <pthread.h>

static void start_gmime(void)
{
    g_mime_init();
}

/* The charset is named by us, never guessed: guessing gives iso-8859-1 or worse. */
GMimeObject *message_text(const char *subtype, struct str text)
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

/* Adds a mailbox; a name that is not UTF-8 is left out. */
static void add_mailbox(InternetAddressList *list, const char *name, const char *address)
{
    bool named = name[0] != '\0' && str_is_utf8(str_of(name));
    InternetAddress *mailbox = internet_address_mailbox_new(named ? name : NULL, address);
    internet_address_set_charset(mailbox, "utf-8");
    internet_address_list_add(list, mailbox);
    g_object_unref(mailbox);
}

GMimeMessage *message_new(const struct message_head *head)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_gmime);
    GMimeMessage *message = g_mime_message_new(TRUE);
    add_mailbox(g_mime_message_get_from(message), head->from_name, head->from);
    add_mailbox(g_mime_message_get_to(message), head->to_name, head->to);
    add_mailbox(g_mime_message_get_reply_to(message), "", head->reply_to);
    g_mime_message_set_subject(message, head->subject, "utf-8");
    GDateTime *date = g_date_time_new_from_unix_utc(head->date.s);
    g_mime_message_set_date(message, date);
    g_date_time_unref(date);
    g_mime_message_set_message_id(message, head->message_id);
    return message;
}

struct str message_write(GMimeMessage *message, struct arena *a)
{
    GMimeFormatOptions *options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    GMimeStream *out = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, out);
    const GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    struct str eml = {arena_copy(a, bytes->data, bytes->len), bytes->len};
    g_object_unref(out);
    g_mime_format_options_free(options);
    g_object_unref(message);
    return eml;
}
