/* Lists of affected certificates: staged, asked about, compared. */
#include "copy.h"
#include "massrevoke/certificate.h"
#include "massrevoke/store_population.h"
#include "order.h"
#include "population_parts.h"

/* Bits of certificate.marks that a list decides. */
#define MARK_SUPPLIED 16

static struct order_key key_of(const void *rows, size_t i)
{
    const struct listed *row = (const struct listed *)rows + i;
    return (struct order_key){row->issuer, &row->serial};
}

bool population_stage(struct store *s, const struct listed *rows, size_t count, bool places, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct copy copy;
    const uint32_t *order = order_by_key(rows, count, key_of, &a);
    if (!copy_begin(s, &copy, "staging", "issuer integer, serial bytea, line bigint, marks smallint", f))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct listed *row = &rows[order[i]];
        copy_int(&copy, row->issuer);
        copy_bytes(&copy, row->serial.bytes, row->serial.n);
        copy_big(&copy, places ? row - rows : row->line);
        copy_small(&copy, row->by_hash ? MARK_SUPPLIED : 0);
        copy_row(&copy);
    }
    return copy_end(&copy, f);
}

/* ---- asking about a list ---- */

bool store_hashes_find(struct store *s, struct hashed *items, size_t n, struct fault *f)
{
    AUTO_RESULT *r = NULL;
    struct copy copy;
    if (!copy_begin(s, &copy, "staging_hash", "place integer, sha256 bytea", f))
        return false;
    for (size_t i = 0; i < n; i++) {
        items[i].found = false;
        copy_int(&copy, (int32_t)i);
        copy_bytes(&copy, items[i].sha256.bytes, DIGEST_SIZE);
        copy_row(&copy);
    }
    if (!copy_end(&copy, f))
        return false;
    if (!store_query(s, "hashes_find", NULL, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        struct hashed *item = &items[get_int(r, i, 0)];
        item->found = true;
        item->issuer = (int)get_int(r, i, 1);
        item->serial = get_serial(r, i, 2);
    }
    return true;
}

bool store_issued_after(struct store *s, const struct listed *rows, size_t count, struct utc fixed,
                        bool *refused, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    memset(refused, 0, count * sizeof *refused);
    *n = 0;
    if (!population_stage(s, rows, count, true, f))
        return false;
    put_utc(&p, fixed);
    if (!store_query(s, "issued_after", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        refused[get_int(r, i, 0)] = true;
    *n = (size_t)PQntuples(r);
    return true;
}

/* ---- versions and differences ---- */

bool store_leaving_add(struct store *s, const struct act *act, int64_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "leaving_add", &p, &r, f))
        return false;
    *n = get_int(r, 0, 0);
    return true;
}

bool store_population_versions(struct store *s, int campaign, struct arena *a,
                               struct population_version **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "population_list", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct population_version){
            .version = (int)get_int(r, i, 0),
            .cohort = (int)get_int(r, i, 1),
            .source = arena_text(a, get_text(r, i, 2)),
            .author = arena_text(a, get_text(r, i, 3)),
            .heuristic = arena_text(a, get_text(r, i, 4)),
            .decision = arena_text(a, get_text(r, i, 5)),
            .sha256 = get_digest(r, i, 6),
            .at = get_utc(r, i, 7),
            .lines = get_int(r, i, 8),
            .accepted = get_int(r, i, 9),
            .duplicate = get_int(r, i, 10),
            .rejected = get_int(r, i, 11),
            .added = get_int(r, i, 12),
            .dropped = get_int(r, i, 13),
        };
    return true;
}

/* Columns of population_reconcile() and population_since(). */
enum { SAME, ADDED, DROPPED, IS_ADDED, ISSUER, SERIAL, EXCLUDED, WITHDRAWN, STATE, SUBSCRIBER, VERSION };

static const char *state_of(const PGresult *r, int row, struct arena *a)
{
    if (get_int(r, row, VERSION) == 0)
        return "";
    if (get_bool(r, row, WITHDRAWN))
        return certificate_state_name(CERTIFICATE_WITHDRAWN);
    if (!get_null(r, row, EXCLUDED))
        return arena_text(a, get_text(r, row, EXCLUDED));
    int state = (int)get_int(r, row, STATE);
    return certificate_state_name(state == 0 ? CERTIFICATE_WAITING : (enum certificate_state)state);
}

static void read_difference(const PGresult *r, struct arena *a, struct population_difference *out)
{
    *out = (struct population_difference){
        .same = get_int(r, 0, SAME),
        .added = get_int(r, 0, ADDED),
        .dropped = get_int(r, 0, DROPPED),
        .count = (size_t)PQntuples(r) - 1,
    };
    out->changes = arena_array(a, out->count, sizeof *out->changes);
    for (int i = 1; i < PQntuples(r); i++)
        out->changes[i - 1] = (struct population_change){
            .issuer = (int)get_int(r, i, ISSUER),
            .serial = get_serial(r, i, SERIAL),
            .added = get_bool(r, i, IS_ADDED),
            .state = state_of(r, i, a),
            .subscriber = arena_text(a, get_text(r, i, SUBSCRIBER)),
            .version = (int)get_int(r, i, VERSION),
        };
}

bool store_reconcile(struct store *s, int campaign, const struct listed *rows, size_t n, size_t most,
                     struct arena *a, struct population_difference *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, (int64_t)most);
    if (!population_stage(s, rows, n, false, f) || !store_query(s, "population_reconcile", &p, &r, f))
        return false;
    read_difference(r, a, out);
    return true;
}

bool store_population_since(struct store *s, int campaign, int since, size_t most, struct arena *a,
                            struct population_difference *out, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, since);
    put_int(&p, (int64_t)most);
    if (!store_query(s, "population_since", &p, &r, f))
        return false;
    read_difference(r, a, out);
    return true;
}

bool store_blocked_keys(struct store *s, int campaign, struct arena *a, struct digest **out, size_t *n,
                        struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, REASON_KEY_COMPROMISE);
    if (!store_query(s, "blocked_keys", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = get_digest(r, i, 0);
    return true;
}
