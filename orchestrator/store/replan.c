/* How fast the work goes, what is behind, and whom a plan moved earlier. */
#include "internal.h"
#include "massrevoke/outcome.h"
#include "massrevoke/plan.h"
#include "massrevoke/store_replan.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

bool store_measured(struct store *s, int campaign, struct utc now, size_t ca_count, struct arena *a,
                    struct rate **rates, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array good = {{0}};
    uint8_t doubtful = CA_ASK;
    array_int(&good, CA_REVOKED_NOW);
    array_int(&good, CA_REVOKED_BEFORE);
    put_int(&p, campaign);
    put_utc(&p, now);
    put_array(&p, &good);
    put_bytes(&p, &doubtful, 1);
    *rates = arena_array(a, ca_count, sizeof **rates);
    if (!store_query(s, "measured", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t ca = get_int(r, i, 0), certificates = get_int(r, i, 1), seconds = get_int(r, i, 2);
        bool enough = certificates >= MEASURED_CERTIFICATES || seconds >= MEASURED_SECONDS;
        if (ca >= 0 && ca < (int64_t)ca_count && enough && certificates > 0 && seconds > 0)
            (*rates)[ca] = (struct rate){certificates, seconds};
    }
    return true;
}

/* One open chunk, as pace.sql packs it, and whose it is. */
struct open_chunk {
    uint64_t packed; /* due time * CHUNK_SCALE + size */
    int row;
};

#define CHUNK_SCALE 1024

static_assert(PLAN_CHUNK_MAX < CHUNK_SCALE, "pace.sql packs by it");

static int by_due(const void *a, const void *b)
{
    const struct open_chunk *x = a, *y = b;
    if (x->packed != y->packed)
        return x->packed < y->packed ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The open chunks of one CA, by due time; *n of them. */
static struct open_chunk *open_chunks(const PGresult *r, int64_t ca, struct arena *a, size_t *n)
{
    size_t room = 0;
    for (int row = 0; row < PQntuples(r); row++)
        room += (size_t)PQgetlength(r, row, 2) / 16; /* two digits an octet */
    struct open_chunk *chunks = arena_array(a, room, sizeof *chunks);
    *n = 0;
    for (int row = 0; row < PQntuples(r); row++) {
        struct str bytes = get_int(r, row, 1) == ca ? get_bytes(r, row, 2, a) : (struct str){"", 0};
        for (size_t i = 0; i + 8 <= bytes.n; i += 8) {
            uint64_t packed;
            memcpy(&packed, bytes.p + i, sizeof packed);
            chunks[(*n)++] = (struct open_chunk){be64toh(packed), row};
        }
    }
    qsort(chunks, *n, sizeof *chunks, by_due);
    return chunks;
}

/* A chunk ends when the CA has done it and all before it, counted from the chunk that made it wait last.
 * Times are counted in certificates of the rate: t seconds are t * rate.count, one certificate rate.per. */
static void work_off(const struct open_chunk *chunks, size_t n, struct rate rate, struct utc now,
                     struct pace_end *ends)
{
    int64_t before = 0, waited = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        struct utc due = {(int64_t)(chunks[i].packed / CHUNK_SCALE)};
        int64_t size = (int64_t)(chunks[i].packed % CHUNK_SCALE);
        int64_t wait = utc_max(due, now).s * rate.count - before * rate.per;
        waited = wait > waited ? wait : waited;
        before += size;
        struct pace_end *end = &ends[chunks[i].row];
        end->left += size;
        end->planned = utc_max(end->planned, due);
        end->finish.s = (waited + before * rate.per + rate.count - 1) / rate.count;
    }
}

bool store_pace(struct store *s, int campaign, struct utc now, const struct rate *rates, size_t ca_count,
                struct arena *a, struct pace_end **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    bool any = false;
    for (size_t ca = 0; ca < ca_count; ca++)
        any = any || rates[ca].count > 0;
    *out = NULL;
    *n = 0;
    put_int(&p, campaign);
    if (!any || !store_query(s, "pace", &p, &r, f))
        return !any;
    size_t rows = (size_t)PQntuples(r);
    struct pace_end *ends = arena_array(a, rows, sizeof *ends);
    for (size_t ca = 0; ca < ca_count; ca++) {
        AUTO_ARENA scratch = {0};
        size_t count;
        if (rates[ca].count == 0)
            continue;
        const struct open_chunk *chunks = open_chunks(r, (int64_t)ca, &scratch, &count);
        work_off(chunks, count, rates[ca], now, ends);
    }
    *out = ends;
    for (size_t i = 0; i < rows; i++) {
        ends[i].cohort = (int)get_int(r, (int)i, 0);
        ends[i].ca = (int)get_int(r, (int)i, 1);
        if (ends[i].left > 0)
            ends[(*n)++] = ends[i];
    }
    return true;
}

bool store_replan_due(struct store *s, int campaign, struct utc now, const int *skip, size_t skip_count,
                      struct arena *a, struct replan_due **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    struct array left_out = {{0}};
    for (size_t i = 0; i < skip_count; i++)
        array_int(&left_out, skip[i]);
    put_int(&p, campaign);
    put_utc(&p, now);
    put_array(&p, &left_out);
    if (!store_query(s, "replan_due", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct replan_due){.cohort = (int)get_int(r, i, 0),
                                        .ca = get_null(r, i, 1) ? -1 : (int)get_int(r, i, 1),
                                        .oldest = get_utc(r, i, 2),
                                        .backlog = get_int(r, i, 3),
                                        .planned_at = get_utc(r, i, 4),
                                        .feasible = get_bool(r, i, 5),
                                        .replaced = get_bool(r, i, 6)};
    return true;
}

static bool move(struct store *s, const struct act *act, int cohort, int64_t *moved, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, act->campaign);
    put_int(&p, cohort);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    if (!store_query(s, "moves_note", &p, &r, f))
        return false;
    *moved += get_int(r, 0, 0);
    return true;
}

bool store_moves_note(struct store *s, const struct act *act, int64_t *moved, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    *moved = 0;
    put_int(&p, act->campaign);
    if (!store_query(s, "moves_due", &p, &r, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        if (!move(s, act, (int)get_int(r, i, 0), moved, f))
            return false;
    return true;
}

bool store_moved_waiting(struct store *s, int campaign, struct utc now, bool looks, struct arena *a,
                         int **chunks, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_utc(&p, now);
    if (!store_query(s, looks ? "moved_waiting" : "moved_held", &p, &r, f))
        return false;
    const int64_t *list = get_ints(r, 0, 0, a, n);
    *chunks = arena_array(a, *n, sizeof **chunks);
    for (size_t i = 0; i < *n; i++)
        (*chunks)[i] = (int)list[i];
    return true;
}
