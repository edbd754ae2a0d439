#include "internal.h"
#include "massrevoke/store_notice.h"

/* Outcome for its name; an unreadable one counts as unknown. */
static enum mail_outcome outcome_from(const char *name)
{
    for (int i = 0; i < MAIL_OUTCOME_COUNT; i++)
        if (strcmp(name, mail_outcome_name((enum mail_outcome)i)) == 0)
            return (enum mail_outcome)i;
    return MAIL_UNKNOWN;
}

static bool query_cohort(struct store *s, const char *query, int campaign, int cohort, PGresult **r,
                         struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    put_int(&p, cohort);
    return store_query(s, query, &p, r, f);
}

static struct notice_certificate read_certificate(const PGresult *r, int row, struct arena *a)
{
    return (struct notice_certificate){
        .serial = get_serial(r, row, 1),
        .subject = arena_text(a, get_text(r, row, 2)),
        .dns_names = arena_text(a, get_text(r, row, 3)),
        .not_after = get_utc(r, row, 4),
        .has_cert_sha256 = !get_null(r, row, 5),
        .cert_sha256 = get_digest(r, row, 5),
        .planned = get_utc(r, row, 6),
        .told = PQnfields(r) > 7 ? get_utc(r, row, 7) : UTC_NONE, /* moved_certificates */
    };
}

/* Runs of rows with one subscriber; every query is ordered by it, so one pass merges them. */
static size_t run_of(const PGresult *r, int column, int from, const char *subscriber)
{
    int end = from;
    while (end < PQntuples(r) && strcmp(get_text(r, end, column), subscriber) == 0)
        end++;
    return (size_t)(end - from);
}

static void skip_to(const PGresult *r, int column, int *at, const char *subscriber)
{
    while (*at < PQntuples(r) && strcmp(get_text(r, *at, column), subscriber) < 0)
        ++*at;
}

static void read_contacts(const PGresult *r, int *at, struct arena *a, struct notice_subscriber *sub)
{
    skip_to(r, 1, at, sub->id);
    sub->contact_count = run_of(r, 1, *at, sub->id);
    struct contact *list = arena_array(a, sub->contact_count, sizeof *list);
    for (size_t i = 0; i < sub->contact_count; i++, ++*at)
        list[i] = (struct contact){
            .id = get_int(r, *at, 0),
            .subscriber = sub->id,
            .role = contact_role_from_name(str_of(get_text(r, *at, 2))),
            .tier = (int)get_int(r, *at, 3),
            .name = arena_text(a, get_text(r, *at, 4)),
            .email = arena_text(a, get_text(r, *at, 5)),
            .language = arena_text(a, get_text(r, *at, 6)),
            .timezone = arena_text(a, get_text(r, *at, 7)),
            .phone = arena_text(a, get_text(r, *at, 8)),
            .class = arena_text(a, get_text(r, *at, 9)),
            .address_bad = get_bool(r, *at, 10),
        };
    sub->contacts = list;
}

static void read_tries(const PGresult *r, int *at, struct arena *a, struct notice_subscriber *sub)
{
    skip_to(r, 0, at, sub->id);
    size_t n = run_of(r, 0, *at, sub->id);
    sub->tries = arena_array(a, n + sub->contact_count, sizeof *sub->tries);
    for (size_t i = 0; i < n; i++, ++*at) {
        enum notice_kind kind = notice_kind_from_name(str_of(get_text(r, *at, 2)));
        if (kind == NOTICE_KIND_COUNT)
            continue;
        sub->tries[sub->try_count++] = (struct notice_try){
            .contact = get_int(r, *at, 1),
            .kind = kind,
            .attempt = (int)get_int(r, *at, 3),
            .outcome = outcome_from(get_text(r, *at, 4)),
            .at = get_utc(r, *at, 5),
        };
    }
}

static void read_ack(const PGresult *r, int *at, struct notice_subscriber *sub)
{
    skip_to(r, 0, at, sub->id);
    sub->acked = run_of(r, 0, *at, sub->id) > 0 ? get_utc(r, *at, 1) : UTC_NONE;
}

/* Certificates and tries by these queries; contacts and acknowledgements are the same for every kind. */
static bool read_subscribers(struct store *s, int campaign, int cohort, const char *certificate_query,
                             const char *try_query, struct arena *a, struct notice_subscriber **out,
                             size_t *n, struct fault *f)
{
    AUTO_RESULT *certificates = NULL;
    AUTO_RESULT *contacts = NULL;
    AUTO_RESULT *tries = NULL;
    AUTO_RESULT *acks = NULL;
    AUTO_PARAMETERS p = {0};
    put_int(&p, campaign);
    *n = 0;
    if (!query_cohort(s, certificate_query, campaign, cohort, &certificates, f))
        return false;
    if (PQntuples(certificates) == 0)
        return true;
    if (!query_cohort(s, "notice_contacts", campaign, cohort, &contacts, f) ||
        !query_cohort(s, try_query, campaign, cohort, &tries, f) || !store_query(s, "ack_list", &p, &acks, f))
        return false;
    int contact = 0, attempt = 0, ack = 0;
    *out = arena_array(a, (size_t)PQntuples(certificates), sizeof **out);
    for (int row = 0; row < PQntuples(certificates);) {
        struct notice_subscriber *sub = &(*out)[(*n)++];
        sub->id = arena_text(a, get_text(certificates, row, 0));
        sub->about = PQnfields(certificates) > 8 ? (int)get_int(certificates, row, 8) : 0;
        sub->certificate_count = run_of(certificates, 0, row, sub->id);
        struct notice_certificate *list = arena_array(a, sub->certificate_count, sizeof *list);
        for (size_t i = 0; i < sub->certificate_count; i++, row++)
            list[i] = read_certificate(certificates, row, a);
        sub->certificates = list;
        read_contacts(contacts, &contact, a, sub);
        read_tries(tries, &attempt, a, sub);
        read_ack(acks, &ack, sub);
    }
    return true;
}

bool store_notice_subscribers(struct store *s, int campaign, int cohort, struct arena *a,
                              struct notice_subscriber **out, size_t *n, struct fault *f)
{
    return read_subscribers(s, campaign, cohort, "notice_certificates", "notice_tries", a, out, n, f);
}

bool store_notice_moved(struct store *s, int campaign, int cohort, struct arena *a,
                        struct notice_subscriber **out, size_t *n, struct fault *f)
{
    return read_subscribers(s, campaign, cohort, "moved_certificates", "moved_tries", a, out, n, f);
}

bool store_notice_news(struct store *s, int campaign, struct notice_seen *seen, bool *news, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, seen->event);
    if (!store_query(s, "notice_news", &p, &r, f))
        return false;
    *news = get_bool(r, 0, 0) || get_int(r, 0, 2) != seen->plan;
    *seen = (struct notice_seen){get_int(r, 0, 1), get_int(r, 0, 2)};
    return true;
}

bool store_notice_begin(struct store *s, const struct act *act, int cohort, const char *subscriber,
                        int64_t contact, enum notice_kind kind, int about, int64_t *notice, struct utc *first,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_text(&p, subscriber);
    put_int(&p, contact);
    put_text(&p, notice_kind_name(kind));
    put_int(&p, about);
    put_utc(&p, act->at);
    if (!store_query(s, "notice_begin", &p, &r, f))
        return false;
    *notice = get_int(r, 0, 0);
    *first = get_utc(r, 0, 1);
    return true;
}

bool store_notice_tried(struct store *s, const struct act *act, const struct notice_result *results, size_t n,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    struct array notices = {{0}}, outcomes = {{0}}, texts = {{0}};
    for (size_t i = 0; i < n; i++) {
        array_int(&notices, results[i].notice);
        array_text(&outcomes, mail_outcome_name(results[i].outcome));
        array_text(&texts, str_is_utf8(str_of(results[i].text)) ? results[i].text : "(not UTF-8)");
    }
    put_int(&p, act->campaign);
    put_array(&p, &notices);
    put_array(&p, &outcomes);
    put_array(&p, &texts);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    return store_do(s, "notice_tried", &p, f);
}

bool store_ack(struct store *s, const struct act *act, const char *subscriber, const char *text, bool *first,
               struct fault *f)
{
    AUTO_PARAMETERS known = {0};
    AUTO_RESULT *there = NULL;
    put_int(&known, act->campaign);
    put_text(&known, subscriber);
    if (!store_query(s, "subscriber_known", &known, &there, f))
        return false;
    if (!get_bool(there, 0, 0))
        return fault_set(f, FAULT_FAILED, "no affected certificate belongs to subscriber %s", subscriber);
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    AUTO_JSON *data = json_object();
    char hex[DIGEST_TEXT];
    json_set_text(data, "subscriber_sha256", digest_hex(digest_of(subscriber, strlen(subscriber)), hex));
    put_int(&p, act->campaign);
    put_text(&p, subscriber);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, text);
    put_json(&p, data);
    if (!store_query(s, "ack_add", &p, &r, f))
        return false;
    *first = get_bool(r, 0, 0);
    return true;
}
