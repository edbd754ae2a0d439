#include "subscribers.h"
#include "massrevoke/file.h"
#include "seed.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#define MESSAGE_MAX ((size_t)16 * 1024 * 1024)

void subscribers_deal(struct drill_subscribers *s, const struct drill_world *w)
{
    const struct scenario *scenario = w->scenario;
    size_t n = (size_t)scenario->subscribers, dealt = 0;
    *s = (struct drill_subscribers){.world = w};
    int *order = arena_array(&s->arena, n, sizeof *order);
    int *behaviour = arena_array(&s->arena, n, sizeof *behaviour);
    seed_shuffle(w->seed, SEED_BEHAVIOUR, order, n);
    int64_t share = 0;
    for (size_t i = 0; i < scenario->behaviour_count; i++) {
        share += scenario->behaviours[i].share;
        /* cumulative rounding: no share is off by more than one, and all are dealt */
        for (size_t end = (n * (size_t)share + 50) / 100; dealt < end; dealt++)
            behaviour[order[dealt]] = (int)i;
    }
    s->behaviour = behaviour;
}

/* "sub-0007" -> 6; -1 when it is none of ours. */
static int number_of(const struct drill_subscribers *s, const char *subscriber)
{
    const char *dash = strrchr(subscriber, '-');
    long n = dash == NULL ? 0 : strtol(dash + 1, NULL, 10);
    return n >= 1 && n <= s->world->scenario->subscribers ? (int)n - 1 : -1;
}

static const struct scenario_voice *voice_of(const struct drill_subscribers *s, const struct contact *c)
{
    int n = number_of(s, c->subscriber);
    if (n < 0)
        return NULL;
    const struct scenario_behaviour *b = &s->world->scenario->behaviours[s->behaviour[n]];
    return c->role == CONTACT_PRIMARY ? &b->primary : &b->backup;
}

bool subscribers_refuse(void *subscribers, const char *address)
{
    const struct drill_subscribers *s = subscribers;
    const struct contact *c = world_contact(s->world, str_of(address));
    const struct scenario_voice *v = c == NULL ? NULL : voice_of(s, c);
    return v == NULL || v->reaction == REACTION_REFUSED;
}

/* The bare address of the first To: header. */
static struct str recipient(struct str eml)
{
    for (struct str rest = eml; rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');
        if (str_trim(line).n == 0)
            break;
        if (line.n < 3 || strncmp(line.p, "To:", 3) != 0)
            continue;
        const char *end = eml.p + eml.n, *open = memchr(line.p, '<', (size_t)(end - line.p));
        const char *close = open == NULL ? NULL : memchr(open, '>', (size_t)(end - open));
        struct str bare = {line.p + 3, line.n - 3};
        return close == NULL || open > line.p + 2000 ? str_trim(bare)
                                                     : (struct str){open + 1, (size_t)(close - open - 1)};
    }
    return (struct str){0};
}

static bool earlier(const struct drill_answer *a, const struct drill_answer *b)
{
    return a->at.s != b->at.s ? a->at.s < b->at.s : strcmp(a->subscriber, b->subscriber) < 0;
}

static void add_answer(struct drill_subscribers *s, struct drill_answer answer)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 64 : 2 * s->room;
        s->due = arena_grow(s->due, s->room * sizeof *s->due);
    }
    size_t at = s->count++;
    for (; at > s->done && earlier(&answer, &s->due[at - 1]); at--)
        s->due[at] = s->due[at - 1];
    s->due[at] = answer;
}

static bool read_one(struct drill_subscribers *s, const char *name, struct utc now, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str eml;
    if (!file_read(file_join(&a, s->world->spool, name), MESSAGE_MAX, &a, &eml, f))
        return false;
    const struct contact *c = world_contact(s->world, recipient(eml));
    const struct scenario_voice *v = c == NULL ? NULL : voice_of(s, c);
    if (v == NULL)
        return fault_set(f, FAULT_FAILED, "%s/%s is addressed to nobody of this drill", s->world->spool,
                         name);
    if (v->reaction != REACTION_ANSWERS)
        return true;
    uint64_t state =
        seed_stream(s->world->seed, SEED_ANSWER, (uint64_t)number_of(s, c->subscriber) * 4 + c->role);
    int64_t wait = v->after.s / 2 + (int64_t)(seed_draw(&state) % (uint64_t)(v->after.s + 1));
    add_answer(s, (struct drill_answer){utc_add(now, (struct span){wait}), c->subscriber,
                                        contact_role_name(c->role)});
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_message(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".eml") == 0;
}

bool subscribers_read(struct drill_subscribers *s, struct utc now, struct fault *f)
{
    DIR *folder = opendir(s->world->spool);
    if (folder == NULL)
        return fault_set(f, FAULT_FAILED, "%s: %s", s->world->spool, strerror(errno));
    size_t known = s->seen_count;
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        const char *name = e->d_name;
        if (!is_message(name) ||
            (known > 0 && bsearch(&name, s->seen, known, sizeof *s->seen, compare_names) != NULL))
            continue;
        if (s->seen_count == s->seen_room) {
            s->seen_room = s->seen_room == 0 ? 256 : 2 * s->seen_room;
            s->seen = arena_grow(s->seen, s->seen_room * sizeof *s->seen);
        }
        s->seen[s->seen_count++] = arena_text(&s->arena, name);
    }
    closedir(folder);
    if (s->seen_count == known)
        return true;
    qsort(s->seen + known, s->seen_count - known, sizeof *s->seen, compare_names);
    bool ok = true;
    for (size_t i = known; ok && i < s->seen_count; i++)
        ok = read_one(s, s->seen[i], now, f);
    qsort(s->seen, s->seen_count, sizeof *s->seen, compare_names);
    return ok;
}

const struct drill_answer *subscribers_next(const struct drill_subscribers *s)
{
    return s->done < s->count ? &s->due[s->done] : NULL;
}

void subscribers_done(struct drill_subscribers *s)
{
    s->done++;
}

void subscribers_free(struct drill_subscribers *s)
{
    free(s->due);
    free(s->seen);
    arena_free(&s->arena);
}
