/* One host, and a lock file besides the session, where a backend can overwrite a date (design section 3): a
 * process that is stopped keeps the file, one that is killed does not. */
#include "internal.h"
#include "massrevoke/file.h"

#include <stdio.h>
#include <unistd.h>

/* Issuers whose backend may overwrite a date: what is sent to the others is safe, or guarded. */
static size_t issuers_at_stake(const struct engine *e, struct arena *a, int **out)
{
    size_t n = 0;
    *out = arena_array(a, e->parts.issuer_count, sizeof **out);
    for (size_t i = 0; i < e->parts.issuer_count; i++)
        if (!e->parts.cas[engine_ca_of(e, (int)i)].door->facts.keeps_first_date)
            (*out)[n++] = e->parts.issuers[i];
    return n;
}

/* Of this session: the number is never given again. */
static const char *lock_file(const struct engine *e, struct arena *a)
{
    return arena_format(a, "%s/%s.%d.lock", e->parts.locks, store_id(e->parts.store), e->id);
}

bool engine_guard(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct act act = engine_act(e);
    int *issuers;
    size_t n = issuers_at_stake(e, &a, &issuers);
    if (e->guarded || e->parts.locks == NULL || n == 0)
        return true;
    const char *path = lock_file(e, &a);
    if (!file_make_folders(e->parts.locks, 0700, f) || (e->lock < 0 && !file_lock(path, false, &e->lock, f)))
        return false;
    if (!store_engine_guard(e->parts.store, &act, e->id, issuers, n, path, e->parts.gone, f)) {
        if (f->kind == FAULT_CONFLICT)
            fault_hint(
                f, "run it on that host; when that one is gone for good: massrevoke run --override REASON");
        return false;
    }
    e->guarded = true;
    return true;
}

void engine_unguard(struct engine *e, bool ended)
{
    AUTO_ARENA a = {0};
    if (e->lock < 0)
        return;
    if (ended) /* it owned nothing any more: nobody will look */
        (void)unlink(lock_file(e, &a));
    close(e->lock);
    e->lock = -1;
    e->guarded = false;
}

bool engine_relieve(struct engine *e, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct engine_owner *owners;
    size_t n;
    if (!e->guarded)
        return true;
    if (!store_engine_owners(e->parts.store, e->parts.campaign, e->id, &a, &owners, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        bool ours = strcmp(owners[i].host, e->parts.host) == 0;
        if (ours && !file_is_locked(owners[i].lock_file)) {
            if (!store_engine_freed(e->parts.store, owners[i].engine, f))
                return false;
        } else if (ours && access(owners[i].lock_file, R_OK) != 0)
            snprintf(
                e->warning, sizeof e->warning,
                "engine %d may still run: its lock file %.300s can't be read; if no such process is left, "
                "make an empty file there",
                owners[i].engine, owners[i].lock_file);
    }
    return true;
}
