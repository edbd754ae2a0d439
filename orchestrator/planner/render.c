/* The plan as JSON, as one screen and as CSV. */
#include "massrevoke/planner.h"

#include <assert.h>
#include <inttypes.h>

#define SCREEN 24        /* lines of a screen, the prompt included */
#define VALUE_WIDTH 59   /* columns behind the labels */
#define GIVEN_UP_LINES 4 /* on the screen */

const char *planner_limit_name(enum plan_limit limit)
{
    static const char *const names[] = {
        [PLAN_LIMIT_NONE] = "none",
        [PLAN_LIMIT_BACKEND_RATE] = "backend_rate",
        [PLAN_LIMIT_PUBLICATION] = "publication",
        [PLAN_LIMIT_NOTICE] = "notice",
        [PLAN_LIMIT_DEADLINE] = "deadline",
        [PLAN_LIMIT_HELPDESK] = "helpdesk",
    };
    static_assert(sizeof names / sizeof *names == PLAN_LIMIT_COUNT, "every limit has its word");
    return names[limit];
}

static json_t *slots_json(const struct plan *p)
{
    json_t *slots = json_array();
    for (size_t i = 0; i < p->slot_count; i++) {
        json_t *slot = json_object();
        json_set_int(slot, "hour", p->slots[i].hour);
        json_set_utc(slot, "start", p->slots[i].start);
        json_set_int(slot, "certificates", p->slots[i].certificates);
        json_set_int(slot, "subscribers", p->slots[i].subscribers);
        json_set_utc(slot, "notice_by", p->slots[i].notice_by);
        json_set_utc(slot, "ari_start", p->slots[i].ari_start);
        json_set_utc(slot, "ari_end", p->slots[i].ari_end);
        json_array_append_new(slots, slot);
    }
    return slots;
}

static json_t *shards_json(const struct plan *p)
{
    json_t *shards = json_array();
    for (size_t i = 0; i < p->shard_count; i++) {
        json_t *shard = json_object();
        json_set_text(shard, "url", p->shards[i].url);
        json_set_int(shard, "entries", (int64_t)p->shards[i].entries);
        json_set_int(shard, "bytes", (int64_t)p->shards[i].bytes);
        json_set_bool(shard, "over_limit", p->shards[i].over);
        json_array_append_new(shards, shard);
    }
    return shards;
}

static json_t *given_up_json(const struct plan *p)
{
    json_t *lines = json_array();
    for (struct str rest = str_of(p->given_up); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        json_array_append_new(lines, json_stringn(line.p, line.n));
    }
    return lines;
}

/* In 1,000 s -> a second, two decimals, rounded half up. */
static uint64_t hundredths(uint64_t thousandths)
{
    return (thousandths + 5) / 10;
}

json_t *planner_json(const struct plan *p)
{
    char hex[DIGEST_TEXT];
    json_t *doc = json_object();
    json_set_bool(doc, "feasible", p->feasible);
    json_set_int(doc, "certificates", (int64_t)(p->number_count + p->expires_first));
    json_object_set_new(doc, "slots", slots_json(p));
    json_set_utc(doc, "finish", p->finish);
    json_set_int(doc, "slack_seconds", p->slack.s);
    json_set_int(doc, "outage_tolerance_seconds", p->outage_tolerance.s);
    json_set_text(doc, "limiting_resource", planner_limit_name(p->limiting));
    json_set_int(doc, "late", (int64_t)p->late);
    json_set_int(doc, "expires_first", (int64_t)p->expires_first);
    json_set_int(doc, "should_24h", (int64_t)p->should_24h);
    json_set_int(doc, "held", (int64_t)p->held);
    json_object_set_new(doc, "needs_per_second_clock",
                        json_real((double)hundredths(p->needs_by_clock) / 100));
    json_object_set_new(doc, "needs_per_second_window",
                        json_real((double)hundredths(p->needs_by_window) / 100));
    json_set_int(doc, "work_seconds", p->work.s);
    json_object_set_new(doc, "shards", shards_json(p));
    json_object_set_new(doc, "given_up", given_up_json(p));
    json_set_text(doc, "digest", digest_hex(p->digest, hex));
    if (!p->feasible) {
        json_set_int(doc, "shortfall_certificates", (int64_t)p->shortfall);
        json_set_text(doc, "remedy", p->remedy);
    }
    return doc;
}

/* The sentence a commander reads aloud. */
static void headline(const struct plan *p, const struct plan_input *in, struct buf *out)
{
    char finish[UTC_TEXT], deadline[UTC_TEXT], span[SPAN_TEXT];
    size_t n = p->number_count - (size_t)p->held;
    utc_format(utc_add(in->received, in->deadline), deadline);
    if (n == 0) {
        buf_format(out, "Nothing to revoke before the deadline %s.\n", deadline);
        return;
    }
    utc_format(p->finish, finish);
    bool after = p->slack.s < 0;
    span_format((struct span){after ? -p->slack.s : p->slack.s}, span);
    if (p->feasible)
        buf_format(out, "FEASIBLE: all %zu certificates are published by\n", n);
    else
        buf_format(out, "INFEASIBLE: %" PRIu64 " of %zu certificates are late; the last is published by\n",
                   p->late, n);
    buf_format(out, "%s, %s %s the deadline %s.\n", finish, span, after ? "after" : "before", deadline);
}

/* "needs 0.96/s over the 24 h clock; 1.03/s in what is left of it", and how long that takes at full rate. */
static void put_needs(const struct plan *p, const struct plan_input *in, struct buf *out)
{
    char work[SPAN_TEXT];
    uint64_t clock = hundredths(p->needs_by_clock), window = hundredths(p->needs_by_window);
    buf_format(out, "  needs              %" PRIu64 ".%02" PRIu64 "/s over the %" PRId64 " h clock; ",
               clock / 100, clock % 100, in->deadline.s / 3600);
    if (p->needs_by_window == 0 && p->needs_by_clock > 0)
        buf_text(out, "no time is left of it\n");
    else
        buf_format(out, "%" PRIu64 ".%02" PRIu64 "/s in what is left of it\n", window / 100, window % 100);
    buf_format(out, "  work               %s at the backend's rate\n", span_format(p->work, work));
}

/* Text in lines of what is left of the screen's width, at most `most` of them. */
static void put_wrapped(const char *label, const char *text, int most, struct buf *out)
{
    for (int line = 0; line < most && *text != '\0'; line++) {
        size_t n = strlen(text), take = n;
        if (n > VALUE_WIDTH) {
            take = VALUE_WIDTH;
            while (take > 1 && text[take] != ' ')
                take--;
            take = take == 1 ? VALUE_WIDTH : take;
        }
        buf_format(out, "  %-17s  %.*s\n", line == 0 ? label : "", (int)take, text);
        text += take + (text[take] == ' ');
    }
}

/* The soft limits that were given up, each on a line of its own, cut at the screen's edge. */
static void put_given_up(const struct plan *p, struct buf *out)
{
    struct str rest = str_of(p->given_up);
    size_t all = 0, shown = 0;
    for (const char *c = p->given_up; *c != '\0'; c++)
        all += *c == '\n';
    for (size_t most = all > GIVEN_UP_LINES ? GIVEN_UP_LINES - 1 : all; shown < most; shown++) {
        struct str line = str_cut(&rest, '\n');
        size_t n = line.n > VALUE_WIDTH ? VALUE_WIDTH : line.n;
        while (n < line.n && n > 0 && ((unsigned char)line.p[n] & 0xc0) == 0x80)
            n--; /* not inside a character */
        buf_format(out, "  given up           %.*s\n", (int)n, line.p);
    }
    if (shown < all)
        buf_format(out, "                     and %zu more (--json lists them)\n", all - shown);
}

/* Lines written since byte `from`. */
static size_t lines_since(const struct buf *out, size_t from)
{
    size_t n = 0;
    for (size_t i = from; i < out->n; i++)
        n += out->p[i] == '\n';
    return n;
}

/* The hours on at most `room` lines: all of them, else the first and the last ones. */
static void table(const struct plan *p, size_t room, struct buf *out)
{
    bool cut = p->slot_count > room;
    size_t head = cut ? room / 2 : p->slot_count, tail = cut ? p->slot_count - (room - head - 1) : head;
    if (p->slot_count > 0)
        buf_text(out, "\n   hour  start                 certificates  subscribers\n");
    for (size_t i = 0; i < p->slot_count; i++) {
        char start[UTC_TEXT];
        if (i == head && i < tail) {
            buf_format(out, "    ...  %zu more hours\n", tail - head);
            i = tail;
        }
        const struct plan_slot *s = &p->slots[i];
        buf_format(out, "%7" PRId64 "  %s  %12u  %11u\n", s->hour, utc_format(s->start, start),
                   s->certificates, s->subscribers);
    }
}

void planner_text(const struct plan *p, const struct plan_input *in, struct buf *out)
{
    char span[SPAN_TEXT], hex[DIGEST_TEXT];
    size_t from = out->n;
    headline(p, in, out);
    buf_format(out, "\n  outage tolerance   %s\n", span_format(p->outage_tolerance, span));
    buf_format(out, "  limited by         %s\n", planner_limit_name(p->limiting));
    if (in->should.s > 0)
        buf_format(out, "  within %3" PRId64 " h       %" PRIu64 " certificates (should)\n",
                   in->should.s / 3600, p->should_24h);
    put_needs(p, in, out);
    buf_format(out, "  expire first       %" PRIu64 "; canaries %zu; held %" PRIu64 "\n", p->expires_first,
               p->canary_count, p->held);
    put_given_up(p, out);
    if (!p->feasible) {
        buf_format(out, "  short by           %" PRIu64 " certificates\n", p->shortfall);
        put_wrapped("remedy", p->remedy, 2, out);
    }
    size_t used = lines_since(out, from) + 5; /* two blanks, the table's head, the digest, the prompt */
    table(p, used + 3 < SCREEN ? SCREEN - used : 3, out);
    buf_format(out, "\n  plan digest %s\n", digest_hex(p->digest, hex));
}

void planner_csv(const struct plan *p, struct buf *out)
{
    buf_text(out, "hour,start,certificates,subscribers\r\n");
    for (size_t i = 0; i < p->slot_count; i++) {
        char start[UTC_TEXT];
        const struct plan_slot *s = &p->slots[i];
        buf_format(out, "%" PRId64 ",%s,%u,%u\r\n", s->hour, utc_format(s->start, start), s->certificates,
                   s->subscribers);
    }
}
