#include "generation.h"
#include "massrevoke/cluster.h"
#include "massrevoke/file.h"
#include "massrevoke/hex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEEP_EVERY 10
#define LINE_MAX 200

/* "SIZE HASH CONFIRMED", as written below. */
static bool parse(struct str line, struct generation *g)
{
    char text[LINE_MAX], *hex, *end;
    snprintf(text, sizeof text, "%.*s", (int)line.n, line.p);
    g->size = strtoll(text, &hex, 10);
    if (g->size < 0 || *hex++ != ' ' || strcspn(hex, " ") != 2 * DIGEST_SIZE ||
        !hex_read(hex, DIGEST_SIZE, g->last.bytes))
        return false;
    g->confirmed = (int)strtol(hex + 2 * DIGEST_SIZE, &end, 10);
    return strcmp(end, "\n") == 0;
}

bool generation_open(struct session *s, struct generation *out, struct fault *f)
{
    const char *state, *folder;
    struct str bytes;
    *out = (struct generation){.session = s, .kept = UTC_NONE};
    if (!cluster_state_folder(&s->arena, &state, f))
        return false;
    folder = file_join(&s->arena, state, "seen");
    out->file = arena_format(&s->arena, "%s/%s.%d", folder, store_id(s->store), s->campaign.id);
    if (!file_make_folders(folder, 0700, f))
        return false;
    if (access(out->file, F_OK) != 0 && errno == ENOENT)
        return true;
    return file_read(out->file, LINE_MAX - 1, &s->arena, &bytes, f) &&
           (parse(bytes, out) ||
            fault_set(f, FAULT_FAILED, "%s holds not what was written there", out->file));
}

static bool refuse(const struct generation *g, const char *why, struct fault *f)
{
    fault_set(f, FAULT_CONFLICT, "the database was put back to an earlier state: %s; nothing acts on it",
              why);
    return fault_hint(
        f,
        "find out what was lost since; when engines may go on from here: massrevoke db confirm -c "
        "%s",
        g->session->campaign.name);
}

/* Why this is not the database that this host knows; NULL: it is. */
static const char *judge(struct generation *g, const struct log_mark *m, struct arena *a)
{
    bool told = m->was_on[0] != '\0' && m->is_on[0] != '\0';
    if (told && strcmp(m->was_on, m->is_on) != 0)
        return arena_format(a, "it was on server and timeline %s and is on %s", m->was_on, m->is_on);
    if (m->confirmed > g->confirmed) /* a person has, on another host */
        g->size = 0;
    g->confirmed = m->confirmed > g->confirmed ? m->confirmed : g->confirmed;
    if (m->confirmed < g->confirmed || m->size < g->size)
        return arena_format(a, "its log has %" PRId64 " entries, this host saw %" PRId64, m->size, g->size);
    if (g->size > 0 && memcmp(m->asked.bytes, g->last.bytes, DIGEST_SIZE) != 0)
        return arena_format(a, "entry %" PRId64 " of its log is another one", g->size - 1);
    g->size = m->size;
    g->last = m->last;
    return NULL;
}

bool generation_check(void *context, struct store *store, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct generation *g = context;
    struct log_mark m;
    if (!store_log_mark(store, g->session->campaign.id, g->size - 1, &a, &m, f))
        return false;
    const char *why = judge(g, &m, &a);
    return why == NULL ? store_generation_note(store, g->session->campaign.id, f) : refuse(g, why, f);
}

bool generation_keep(struct generation *g, bool now, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct utc at = g->session->clock.now(g->session->clock.self);
    struct log_mark m;
    char hex[DIGEST_TEXT];
    if (!now && utc_is_set(g->kept) && at.s < g->kept.s + KEEP_EVERY)
        return true;
    if (!store_log_mark(g->session->store, g->session->campaign.id, g->size - 1, &a, &m, f))
        return false;
    if (judge(g, &m, &a) != NULL) /* engines find out when they begin */
        return true;
    const char *line =
        arena_format(&a, "%" PRId64 " %s %d\n", g->size, digest_hex(g->last, hex), g->confirmed);
    g->kept = at;
    return file_write(g->file, str_of(line), 0600, f);
}

bool generation_follow(struct session *s, struct fault *f)
{
    struct generation g;
    return generation_open(s, &g, f) && generation_keep(&g, true, f);
}
