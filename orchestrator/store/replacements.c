/* Certificates that are replaced: marked from lists, linted, counted. */
#include "copy.h"
#include "massrevoke/store_replan.h"

static bool stage(struct store *s, const struct replacement_row *rows, size_t n, struct fault *f)
{
    struct copy copy;
    if (!copy_begin(
            s, &copy, "staging_replacement",
            "issuer integer, serial bytea, line bigint, replaced_at bigint, replacement_serial bytea, "
            "sha256 bytea, file text",
            f))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct replacement_row *row = &rows[i];
        copy_int(&copy, row->issuer);
        copy_bytes(&copy, row->serial.bytes, row->serial.n);
        copy_big(&copy, (int64_t)row->line);
        copy_utc(&copy, row->at);
        if (row->has_serial)
            copy_bytes(&copy, row->replacement_serial.bytes, row->replacement_serial.n);
        else
            copy_null(&copy);
        if (row->has_sha256)
            copy_bytes(&copy, row->sha256.bytes, DIGEST_SIZE);
        else
            copy_null(&copy);
        copy_text(&copy, row->file);
        copy_row(&copy);
    }
    return copy_end(&copy, f);
}

bool store_replacements_mark(struct store *s, const struct act *act, const struct replacement_source *source,
                             struct digest sha256, const struct replacement_row *rows, size_t n,
                             int64_t rejected, bool again, struct arena *a, struct replacement_counts *out,
                             struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    if (!stage(s, rows, n, f))
        return false;
    put_int(&p, act->campaign);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_text(&p, source->kind);
    put_text(&p, source->location);
    put_text(&p, source->query);
    if (source->issuer == 0)
        put_text(&p, NULL);
    else
        put_int(&p, source->issuer);
    put_text(&p, source->stamp);
    put_digest(&p, sha256);
    put_bool(&p, again);
    put_int(&p, rejected);
    if (!store_query(s, "replacements_mark", &p, &r, f))
        return false;
    *out = (struct replacement_counts){
        .accepted = get_int(r, 0, 0), .duplicate = get_int(r, 0, 1), .unknown = get_int(r, 0, 2)};
    out->unknown_lines = get_ints(r, 0, 3, a, &out->unknown_line_count);
    if (out->accepted > 0)
        store_analyze(s, "replacement");
    return true;
}

bool store_replacement_sources(struct store *s, int campaign, struct arena *a,
                               struct replacement_source **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    if (!store_query(s, "replacement_sources", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct replacement_source){.kind = arena_text(a, get_text(r, i, 0)),
                                                .location = arena_text(a, get_text(r, i, 1)),
                                                .query = arena_text(a, get_text(r, i, 2)),
                                                .issuer = (int)get_int(r, i, 3),
                                                .stamp = arena_text(a, get_text(r, i, 4))};
    return true;
}

bool store_replacements_unlinted(struct store *s, int campaign, int64_t most, struct arena *a,
                                 struct replacement_unlinted **out, size_t *n, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_RESULT *r = NULL;
    put_int(&p, campaign);
    put_int(&p, most);
    if (!store_query(s, "replacement_unlinted", &p, &r, f))
        return false;
    *n = (size_t)PQntuples(r);
    *out = arena_array(a, *n, sizeof **out);
    for (int i = 0; i < PQntuples(r); i++)
        (*out)[i] = (struct replacement_unlinted){(int)get_int(r, i, 0), get_serial(r, i, 1),
                                                  arena_text(a, get_text(r, i, 2))};
    return true;
}

bool store_replacement_linted(struct store *s, const struct act *act,
                              const struct replacement_unlinted *which, const char *found, struct fault *f)
{
    AUTO_PARAMETERS p = {0};
    AUTO_JSON *data = json_object();
    char hex[SERIAL_HEX_TEXT];
    json_set_int(data, "issuer", which->issuer);
    json_set_text(data, "serial", serial_hex(&which->serial, hex));
    json_set_text(data, "found", found);
    put_int(&p, act->campaign);
    put_int(&p, which->issuer);
    put_bytes(&p, which->serial.bytes, which->serial.n);
    put_text(&p, found);
    put_utc(&p, act->at);
    put_text(&p, act->who);
    put_json(&p, data);
    return store_do(s, "replacement_linted", &p, f);
}

bool store_conninfo_is_open(const char *conninfo, struct fault *f)
{
    char *why = NULL;
    bool secret = false;
    PQconninfoOption *options = PQconninfoParse(conninfo, &why);
    if (options == NULL) {
        fault_set(f, FAULT_USAGE, "--conninfo: %s", why == NULL ? "cannot be read" : why);
        PQfreemem(why);
        return false;
    }
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
        secret = secret || (strstr(o->keyword, "password") != NULL && o->val != NULL);
    PQconninfoFree(options);
    if (!secret)
        return true;
    fault_set(f, FAULT_REFUSED, "a password has no place in --conninfo: it would be kept and shown");
    return fault_hint(f, "use passfile=, service= or ~/.pgpass");
}
