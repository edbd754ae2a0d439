#include "notices.h"
#include "template.h"

#include <stdio.h>

#define SHOWN 10 /* certificates named in the text itself */

const struct notice_file notice_files[NOTICE_KIND_COUNT] = {
    [NOTICE_HEADS_UP] = {"notices/en/heads-up.subject", "notices/en/heads-up.txt"},
    [NOTICE_FIRST] = {"notices/en/first.subject", "notices/en/first.txt"},
    [NOTICE_MOVED] = {"notices/en/moved.subject", "notices/en/moved.txt"},
};

/* The names a template may use. A heads-up ends before SLOT: it has no plan, so it cannot name an hour; only
 * a notice of an earlier hour knows the old one. */
enum name {
    CAMPAIGN,
    CA,
    SUBSCRIBER,
    CONTACT_NAME,
    REFERENCE,
    REPLY_TO,
    RULE,
    RULE_TEXT,
    DEADLINE_DAY,
    COUNT,
    MANY,
    MORE,
    ATTACHED,
    CUT,
    SLOT,
    SLOT_DAY,
    LAST_SLOT,
    LAST_SLOT_DAY,
    SEVERAL_SLOTS,
    DEADLINE,
    RECEIVED,
    OLD_SLOT,
    OLD_SLOT_DAY,
    NAME_COUNT
};

static const char *const names[NAME_COUNT] = {
    "campaign",      "ca",        "subscriber",   "contact_name", "reference",    "reply_to",
    "rule",          "rule_text", "deadline_day", "count",        "many",         "more",
    "attached",      "cut",       "slot",         "slot_day",     "last_slot",    "last_slot_day",
    "several_slots", "deadline",  "received",     "old_slot",     "old_slot_day",
};

/* How many of the names each kind may use. */
static const size_t names_of[NOTICE_KIND_COUNT] = {
    [NOTICE_HEADS_UP] = SLOT, [NOTICE_FIRST] = OLD_SLOT, [NOTICE_MOVED] = NAME_COUNT};

enum column { SERIAL, SUBJECT, DNS_NAMES, NOT_AFTER, PLANNED, CERT_SHA256, TOLD, COLUMN_COUNT };

static const char *const columns[COLUMN_COUNT] = {"serial",  "subject",     "dns_names", "not_after",
                                                  "planned", "cert_sha256", "told"};

static const char *time_text(struct arena *a, struct utc t)
{
    char out[UTC_TEXT];
    return utc_is_set(t) ? arena_text(a, utc_format(t, out)) : "";
}

/* "Friday 27 November 2026". */
static const char *day_text(struct arena *a, struct utc t)
{
    static const char *const days[] = {"Thursday", "Friday",  "Saturday", "Sunday",
                                       "Monday",   "Tuesday", "Wednesday"};
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    if (!utc_is_set(t))
        return "";
    struct civil c = utc_to_civil(t);
    int64_t day = t.s / 86400 - (t.s % 86400 < 0); // 1970-01-01 was a Thursday
    return arena_format(a, "%s %d %s %d", days[(day % 7 + 7) % 7], c.day, months[c.month - 1], c.year);
}

static const char *number_text(struct arena *a, size_t n)
{
    return n == 0 ? "" : arena_format(a, "%zu", n);
}

/* Fills the table's cells until they would exceed NOTICE_TABLE_MAX bytes; returns how many rows fit. */
static size_t fill_rows(const struct notice_facts *facts, struct arena *a, const char **cells)
{
    size_t bytes = 0;
    for (size_t i = 0; i < facts->certificate_count; i++) {
        const struct notice_certificate *c = &facts->certificates[i];
        bytes += strlen(c->subject) + strlen(c->dns_names) + 160;
        if (bytes > NOTICE_TABLE_MAX)
            return i;
        char serial[SERIAL_HEX_TEXT], hash[DIGEST_TEXT] = "";
        const char **row = &cells[i * COLUMN_COUNT];
        row[SERIAL] = arena_text(a, serial_hex(&c->serial, serial));
        row[SUBJECT] = c->subject;
        row[DNS_NAMES] = c->dns_names;
        row[NOT_AFTER] = time_text(a, c->not_after);
        row[PLANNED] = time_text(a, c->planned);
        row[TOLD] = time_text(a, c->told);
        row[CERT_SHA256] = c->has_cert_sha256 ? arena_text(a, digest_hex(c->cert_sha256, hash)) : "";
    }
    return facts->certificate_count;
}

/* The whole hour that holds t, and the earlier of two times of which either may be unknown. */
static struct utc earlier_hour(struct utc known, struct utc t)
{
    if (!utc_is_set(t))
        return known;
    t.s -= ((t.s % 3600) + 3600) % 3600;
    return utc_is_set(known) ? utc_min(known, t) : t;
}

/* First and last planned hour of the certificates, and the first that was told before; UTC_NONE when there is
 * none. */
static void planned_hours(const struct notice_facts *facts, struct utc *first, struct utc *last,
                          struct utc *told)
{
    *first = *last = *told = UTC_NONE;
    for (size_t i = 0; i < facts->certificate_count; i++) {
        const struct notice_certificate *c = &facts->certificates[i];
        *first = earlier_hour(*first, c->planned);
        *last = utc_max(*last, earlier_hour(UTC_NONE, c->planned));
        *told = earlier_hour(*told, c->told);
    }
}

static void fill_texts(const struct notice_input *in, size_t rows, struct arena *a, const char **texts)
{
    const struct notice_facts *facts = in->facts;
    size_t count = facts->certificate_count;
    struct utc first, last, told;
    planned_hours(facts, &first, &last, &told);
    texts[CAMPAIGN] = facts->campaign;
    texts[CA] = facts->ca;
    texts[SUBSCRIBER] = facts->subscriber;
    texts[CONTACT_NAME] = in->contact->name;
    texts[REFERENCE] = arena_format(a, "%s/%s", facts->campaign, facts->subscriber);
    texts[REPLY_TO] = in->reply_to;
    texts[RULE] = facts->rule;
    texts[RULE_TEXT] = facts->rule_text;
    texts[DEADLINE_DAY] = day_text(a, facts->deadline);
    texts[COUNT] = arena_format(a, "%zu", count);
    texts[MANY] = count == 1 ? "" : "many";
    texts[MORE] = number_text(a, count > SHOWN ? count - SHOWN : 0);
    texts[ATTACHED] = arena_format(a, "%zu", rows);
    texts[CUT] = number_text(a, count - rows);
    texts[SLOT] = time_text(a, first);
    texts[SLOT_DAY] = day_text(a, first);
    texts[LAST_SLOT] = time_text(a, last);
    texts[LAST_SLOT_DAY] = day_text(a, last);
    texts[SEVERAL_SLOTS] = first.s != last.s ? "several" : "";
    texts[DEADLINE] = time_text(a, facts->deadline);
    texts[RECEIVED] = time_text(a, facts->received);
    texts[OLD_SLOT] = time_text(a, told);
    texts[OLD_SLOT_DAY] = day_text(a, told);
}

static bool render(const char *file, struct str text, enum template_part part,
                   const struct template_values *values, struct arena *a, struct str *out, struct fault *f)
{
    AUTO_BUF b = {0};
    struct template t = {.name = file, .text = text, .part = part};
    if (!template_render(&t, values, &b, f))
        return fault_wrap(f, "plans");
    *out = (struct str){arena_copy(a, buf_str(&b).p, b.n), b.n};
    return true;
}

bool notices_render(const struct notice_input *in, struct arena *a, struct notice_texts *out, struct fault *f)
{
    *out = (struct notice_texts){.subject = {NULL, 0}};
    const struct notice_templates *t = in->templates;
    const struct notice_file *file = &notice_files[in->kind];
    const char **cells = arena_array(a, in->facts->certificate_count * COLUMN_COUNT, sizeof *cells);
    const char *texts[NAME_COUNT];
    size_t rows = fill_rows(in->facts, a, cells);
    fill_texts(in, rows, a, texts);
    if (in->kind != NOTICE_HEADS_UP && texts[SLOT][0] == '\0')
        return fault_set(f, FAULT_CONFLICT, "subscriber %s has no planned hour to be told of",
                         in->facts->subscriber);
    const struct template_list lists[] = {
        {"shown", columns, COLUMN_COUNT, cells, rows < SHOWN ? rows : SHOWN},
        {"certificates", columns, COLUMN_COUNT, cells, rows},
    };
    struct template_values values = {names, texts, names_of[in->kind], lists, 2};
    if (!render(file->subject, t->subject[in->kind], TEMPLATE_TEXT, &values, a, &out->subject, f) ||
        !render(file->text, t->text[in->kind], TEMPLATE_TEXT, &values, a, &out->text, f) ||
        !render(NOTICE_TABLE_FILE, t->table, TEMPLATE_CSV, &values, a, &out->table, f))
        return false;
    out->subject = str_trim(out->subject);
    if (out->subject.n == 0 || memchr(out->subject.p, '\n', out->subject.n) != NULL)
        return fault_set(f, FAULT_CONFIG, "plans: %s: a subject is exactly one line", file->subject);
    return true;
}

bool notifier_check_templates(const struct notice_templates *templates, struct fault *f)
{
    AUTO_ARENA a = {0};
    const struct notice_certificate certificate = {.serial = {1, {1}},
                                                   .subject = "",
                                                   .dns_names = "",
                                                   .not_after = UTC_NONE,
                                                   .planned = {0},
                                                   .told = {0}};
    const struct notice_facts facts = {.campaign = "check",
                                       .ca = "check",
                                       .subscriber = "check",
                                       .rule = "",
                                       .rule_text = "",
                                       .certificates = &certificate,
                                       .certificate_count = 1};
    const struct contact contact = {.name = "", .email = ""};
    struct notice_input in = {.templates = templates, .facts = &facts, .contact = &contact, .reply_to = ""};
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++) {
        struct notice_texts texts;
        in.kind = (enum notice_kind)kind;
        if (!notices_render(&in, &a, &texts, f))
            return false;
    }
    return true;
}
