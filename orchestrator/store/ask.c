#include "internal.h"
#include "massrevoke/store_ask.h"

/* Columns of find.sql. */
enum {
    MATCH,
    WHY,
    ISSUER,
    ISSUER_SUBJECT,
    SERIAL,
    SUBSCRIBER,
    SUBJECT,
    DNS_NAMES,
    NOT_AFTER,
    CERT_SHA256,
    COHORT,
    EXCLUDED,
    WITHDRAWN,
    BYTE,
    PLANNED
};

static const char *state_of(const PGresult *r, int row, struct arena *a)
{
    if (get_null(r, row, COHORT))
        return "";
    if (get_bool(r, row, WITHDRAWN))
        return certificate_state_name(CERTIFICATE_WITHDRAWN);
    if (get_text(r, row, EXCLUDED)[0] != '\0')
        return arena_text(a, get_text(r, row, EXCLUDED));
    if (get_null(r, row, BYTE))
        return certificate_state_name(CERTIFICATE_WAITING);
    return certificate_state_name(certificate_state((uint8_t)get_int(r, row, BYTE)));
}

static struct found found_of(const PGresult *r, int row, struct arena *a)
{
    return (struct found){
        .match = get_bool(r, row, MATCH),
        .why = arena_text(a, get_text(r, row, WHY)),
        .issuer = (int)get_int(r, row, ISSUER),
        .cohort = (int)get_int(r, row, COHORT),
        .issuer_subject = arena_text(a, get_text(r, row, ISSUER_SUBJECT)),
        .subscriber = arena_text(a, get_text(r, row, SUBSCRIBER)),
        .subject = arena_text(a, get_text(r, row, SUBJECT)),
        .dns_names = arena_text(a, get_text(r, row, DNS_NAMES)),
        /* bytea comes as \\x and digits */
        .cert_sha256 = get_null(r, row, CERT_SHA256) ? "" : arena_text(a, get_text(r, row, CERT_SHA256) + 2),
        .state = state_of(r, row, a),
        .serial = get_serial(r, row, SERIAL),
        .not_after = get_utc(r, row, NOT_AFTER),
        .planned = get_utc(r, row, PLANNED),
    };
}

bool store_find(struct store *s, int campaign, const struct find *what, size_t most, struct arena *a,
                struct found **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array serials = {{0}};
    put_int(&p, campaign);
    if (what->sha256 != NULL)
        put_digest(&p, *what->sha256);
    else
        put_text(&p, NULL);
    for (size_t i = 0; i < what->serial_count; i++)
        array_bytes(&serials, what->serials[i].bytes, what->serials[i].n);
    put_array(&p, &serials);
    put_text(&p, what->host);
    put_text(&p, what->name);
    put_int(&p, (int64_t)most);
    if (!store_query(s, "find", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = found_of(r, (int)i, a);
    return true;
}

bool store_reach(struct store *s, int campaign, struct arena *a, struct reach **out, size_t *n,
                 struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "reach", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct reach){.subscriber = arena_text(a, get_text(r, (int)i, 0)),
                                   .certificates = get_int(r, (int)i, 1),
                                   .primary = get_bool(r, (int)i, 2),
                                   .backup = get_bool(r, (int)i, 3),
                                   .partner = get_bool(r, (int)i, 4)};
    return true;
}

bool store_asked_pointers(struct store *s, int campaign, size_t most, struct arena *a,
                          struct asked_pointer **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, (int64_t)most);
    if (!store_query(s, "check_pointers", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct asked_pointer){(int)get_int(r, i, 0), arena_text(a, get_text(r, i, 1)),
                                           arena_text(a, get_text(r, i, 2)), get_serial(r, i, 3)};
    return true;
}

bool store_server_facts(struct store *s, struct arena *a, struct server_facts *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    if (!store_query(s, "server_facts", &p, &r, f))
        return false;
    *out = (struct server_facts){get_utc(r, 0, 0), get_bool(r, 0, 1), get_bool(r, 0, 2),
                                 arena_text(a, get_text(r, 0, 3))};
    return true;
}
