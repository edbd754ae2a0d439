/* Lists: the affected certificates, one certificate with its history. */
#include "massrevoke/hex.h"
#include "massrevoke/outcome.h"
#include "report_parts.h"

/* What the CA said of a number. */
struct ca_word {
    int64_t number;
    struct utc at, answered;
    int reason;
};

static bool read_words(struct store *s, int campaign, struct arena *a, struct ca_word **out, size_t *n,
                       struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array revoked = {{0}};
    array_int(&revoked, CA_REVOKED_NOW);
    array_int(&revoked, CA_REVOKED_BEFORE);
    put_int(&p, campaign);
    put_array(&p, &revoked);
    if (!store_query(s, "report_results", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t at = get_int(r, i, 1);
        (*out)[i] = (struct ca_word){.number = get_int(r, i, 0),
                                     .at = at == 0 ? UTC_NONE : (struct utc){at},
                                     .reason = (int)get_int(r, i, 2),
                                     .answered = get_utc(r, i, 3)};
    }
    return true;
}

static const char *hex_of(const PGresult *r, int row, int column, struct arena *a)
{
    return get_null(r, row, column) ? "" : arena_text(a, get_text(r, row, column) + 2); /* behind "\x" */
}

/* A hold moves the day to its end, and takes it away when it has none. What is not held (not yet, not any
 * more) goes by its hour. */
static void hold_row(struct affected_row *row, const struct snapshot_hold *h, struct utc deadline)
{
    row->planned = utc_is_set(h->until) ? utc_max(row->planned, h->until) : UTC_NONE;
    row->delayed = h->late || row->planned.s >= deadline.s;
}

static const struct snapshot_hold *find_hold(const struct snapshot_hold *holds, size_t n, int64_t cohort,
                                             int64_t hold)
{
    for (size_t i = 0; i < n; i++)
        if (holds[i].cohort == cohort && holds[i].hold == hold)
            return &holds[i];
    return NULL;
}

/* Before it has a number the best that can be is: now, as in a snapshot. Who has one and no hour (unknown,
 * for a person) has nobody who could promise a day. */
static bool planned_late(const struct affected_row *row, bool numbered, struct utc best, struct utc deadline)
{
    if (utc_is_set(row->planned))
        return row->planned.s >= deadline.s; /* its hour begins then */
    return numbered ? row->state != CERTIFICATE_PUBLISHED : best.s > deadline.s;
}

/* best: when what is revoked at once is published. */
static struct affected_row affected_of(const PGresult *r, int i, const struct ca_word *word, struct utc best,
                                       struct arena *a)
{
    char serial[SERIAL_HEX_TEXT];
    struct serial number = get_serial(r, i, 4);
    struct utc deadline = get_utc(r, i, 12);
    struct affected_row row = {
        .precert_sha256 = hex_of(r, i, 0, a),
        .cert_sha256 = hex_of(r, i, 1, a),
        .subject = arena_text(a, get_text(r, i, 2)),
        .issuer = arena_text(a, get_text(r, i, 3)),
        .serial = arena_text(a, serial_hex(&number, serial)),
        .dns_names = arena_text(a, get_text(r, i, 5)),
        .not_before = get_utc(r, i, 6),
        .not_after = get_utc(r, i, 7),
        .state = certificate_state((uint8_t)get_int(r, i, 9)),
        .planned = get_utc(r, i, 10),
        .revoked = word == NULL ? UTC_NONE : word->at,
        .reason = word == NULL || word->reason < 0 ? (int)get_int(r, i, 11) : word->reason,
        .excluded_expired = get_bool(r, i, 13),
        .issuer_number = (int)get_int(r, i, 14),
        .serial_number = number,
    };
    /* an entry dated as the compromise says nothing of when it was made */
    bool dated = utc_is_set(row.revoked) && row.revoked.s == get_utc(r, i, 17).s;
    struct utc when = dated ? word->answered : row.revoked;
    bool late = planned_late(&row, !get_null(r, i, 8), best, deadline);
    if (!get_null(r, i, 15)) /* changed since */
        row.reason = (int)get_int(r, i, 15);
    if (!get_null(r, i, 16))
        row.revoked = get_utc(r, i, 16);
    row.delayed = !row.excluded_expired && (utc_is_set(when) ? when.s > deadline.s : late);
    return row;
}

static bool read_affected(struct store *s, int campaign, struct utc now, const struct snapshot_terms *terms,
                          struct arena *a, struct affected_row **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct ca_word *words;
    struct cohort *cohorts;
    struct snapshot_hold *holds;
    size_t word_count, cohort_count, hold_count, next = 0;
    put_int(&p, campaign);
    if (!store_cohorts(s, campaign, a, &cohorts, &cohort_count, f) ||
        !report_holds(s, campaign, now, terms, cohorts, cohort_count, a, &holds, &hold_count, f) ||
        !read_words(s, campaign, a, &words, &word_count, f) || !store_query(s, "report_affected", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++) { /* both ascend by number */
        const struct ca_word *word = NULL;
        if (!get_null(r, i, 8)) {
            int64_t number = get_int(r, i, 8);
            while (next < word_count && words[next].number < number)
                next++;
            if (next < word_count && words[next].number == number)
                word = &words[next];
        }
        (*out)[i] = affected_of(r, i, word, utc_add(now, terms->publish_margin), a);
        bool held = (*out)[i].state == CERTIFICATE_HELD || get_null(r, i, 8); /* or will be, with a number */
        if (!held || (*out)[i].excluded_expired || get_null(r, i, 19))
            continue;
        const struct snapshot_hold *hold = find_hold(holds, hold_count, get_int(r, i, 18), get_int(r, i, 19));
        if (hold != NULL)
            hold_row(&(*out)[i], hold, get_utc(r, i, 12));
    }
    return true;
}

bool store_affected(struct store *s, int campaign, struct utc now, const struct snapshot_terms *terms,
                    struct arena *a, struct affected_row **out, size_t *n, struct fault *f)
{
    if (!store_read_begin(s, f))
        return false;
    bool ok = read_affected(s, campaign, now, terms, a, out, n, f);
    store_read_end(s);
    return ok;
}

static bool read_history(struct store *s, int campaign, struct arena *a, struct shown *c, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, c->number);
    if (!store_query(s, "show_history", &p, &r, f))
        return false;
    c->history_count = (size_t)PQntuples(r);
    struct shown_event *events = arena_array(a, c->history_count, sizeof *events);
    for (int i = 0; i < PQntuples(r); i++)
        events[i] = (struct shown_event){.at = get_utc(r, i, 0),
                                         .actor = arena_text(a, get_text(r, i, 1)),
                                         .event = (enum certificate_event)get_int(r, i, 2),
                                         .state = certificate_state((uint8_t)get_int(r, i, 3)),
                                         .seq = get_int(r, i, 4)};
    c->history = events;
    return true;
}

static struct shown shown_of(const PGresult *r, int i, struct arena *a)
{
    return (struct shown){
        .issuer = (int)get_int(r, i, 0),
        .issuer_subject = arena_text(a, get_text(r, i, 1)),
        .serial = get_serial(r, i, 2),
        .cohort = (int)get_int(r, i, 3),
        .number = get_null(r, i, 4) ? -1 : get_int(r, i, 4),
        .subscriber = arena_text(a, get_text(r, i, 5)),
        .reason = (int)get_int(r, i, 6),
        .known = get_bool(r, i, 7),
        .excluded = arena_text(a, get_text(r, i, 8)),
        .withdrawn = get_bool(r, i, 9),
        .not_after = get_utc(r, i, 10),
        .subject = arena_text(a, get_text(r, i, 11)),
        .dns_names = arena_text(a, get_text(r, i, 12)),
        .cdp = arena_text(a, get_text(r, i, 13)),
        .ocsp = arena_text(a, get_text(r, i, 14)),
        .byte = get_null(r, i, 15) ? CERTIFICATE_WAITING : (uint8_t)get_int(r, i, 15),
        .chunk = (int)get_int(r, i, 16),
        .planned = get_utc(r, i, 17),
        .cert_sha256 = hex_of(r, i, 19, a),
        .line = get_int(r, i, 20),
    };
}

static bool read_shown(struct store *s, int campaign, const struct serial *serial, struct arena *a,
                       struct shown **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_bytes(&p, serial->bytes, serial->n);
    if (!store_query(s, "show_certificate", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++) {
        (*out)[i] = shown_of(r, i, a);
        if ((*out)[i].number >= 0 && !read_history(s, campaign, a, &(*out)[i], f))
            return false;
    }
    return true;
}

bool store_show(struct store *s, int campaign, const struct serial *serial, struct arena *a,
                struct shown **out, size_t *n, struct fault *f)
{
    if (!store_read_begin(s, f))
        return false;
    bool ok = read_shown(s, campaign, serial, a, out, n, f);
    store_read_end(s);
    return ok;
}
