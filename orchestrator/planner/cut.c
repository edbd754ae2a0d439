#include "cut.h"

#include <pthread.h>

/* One part of the certificates. */
struct part {
    const struct work *w; /* its input and hours */
    const struct plan_certificate *next, *end;
    struct lot *lots, *lot; /* the first one, and where the next one goes; `rank` is still the subscriber */
    struct shard_work *shards;
    struct canary_search search;
    size_t by_ocsp;
    struct fault fault;
    bool ok, beside; /* all is well; a thread has it */
    pthread_t thread;
};

static bool bad_certificate(const struct plan_certificate *c, uint64_t next, struct fault *f)
{
    if (c->number < next)
        return fault_set(f, FAULT_USAGE, "plan: number %u does not come after %u", c->number,
                         (uint32_t)(next - 1));
    return fault_set(f, FAULT_USAGE, "plan: number %u has a subscriber, ca, shard or class out of range",
                     c->number);
}

static struct lot *open_lot(struct part *p, const struct plan_certificate *c, uint32_t place)
{
    struct lot *l = p->lot++;
    *l = (struct lot){.first = (uint32_t)(c - p->w->in->certificates),
                      .number = c->number,
                      .rank = c->subscriber,
                      .place = place,
                      .issuer = c->issuer,
                      .ca = c->ca};
    return l;
}

/* Nothing special: neither held nor out before the deadline, or before the start. */
static inline bool is_plain(const struct plan_certificate *c, int64_t ordinary)
{
    return !c->held && (c->not_after.s >= ordinary || !utc_is_set(c->not_after));
}

/* Whose it is, in one word. */
static inline uint64_t owner_of(const struct plan_certificate *c)
{
    return (uint64_t)c->ca << 48 | (uint64_t)c->issuer << 32 | c->subscriber;
}

/* Counts a certificate in its shard. */
static inline void list(struct canary_search *search, struct shard_work *shards, uint64_t issuer,
                        size_t category, const struct plan_certificate *c)
{
    struct shard_work *shard = &shards[c->shard];
    shard->entries++;
    canary_offer(search, shard, issuer, category, c);
}

/* Does c go on with what the one before it belongs to, as far as that hangs on neither role nor hour? */
static inline bool goes_on(const struct plan_certificate *c, uint64_t owner, uint8_t turn)
{
    return c->number == (uint64_t)c[-1].number + 1 && owner_of(c) == owner && c->turn == turn;
}

/* The plain certificates from the next one on that are one lot. The loop that a plan's time goes into. */
static void cut_plain(struct part *p, int64_t ordinary)
{
    const struct plan_certificate *c = p->next, *first = c, *end = p->end;
    struct lot *lot = open_lot(p, c, PLACE(ROLE_CLASS, c->turn, 0));
    struct shard_work *shards = p->shards;
    size_t shard_count = p->w->shard_count;
    uint64_t owner = owner_of(c), issuer = CANARY_MARK(c->issuer, 0), by_ocsp = 0;
    uint8_t turn = c->turn;
    do {
        by_ocsp += c->by_ocsp;
        list(&p->search, shards, issuer, turn, c);
        c++;
    } while (c < end && goes_on(c, owner, turn) && c->shard < shard_count && is_plain(c, ordinary));
    p->by_ocsp += by_ocsp;
    lot->count = (uint32_t)(c - first);
    p->next = c;
}

/* The same for what is held or runs out. What has run out too early is in no lot. */
static void cut_special(struct part *p)
{
    const struct work *w = p->w;
    const struct plan_certificate *c = p->next, *first = c;
    uint32_t place = work_place(w, c), role = place >> 28;
    struct lot *lot = role == ROLE_NONE ? NULL : open_lot(p, c, place);
    /* by the second, not by the hour, decides which of these go: each is a lot of its own */
    bool alone = w->hours.at_once && role == ROLE_EXPIRING;
    do {
        p->by_ocsp += c->by_ocsp && role != ROLE_HELD;
        if (role == ROLE_EXPIRING)
            list(&p->search, p->shards, CANARY_MARK(c->issuer, 0), CLASS_COUNT, c);
        c++;
    } while (c < p->end && !alone && goes_on(c, owner_of(first), first->turn) && c->shard < w->shard_count &&
             work_place(w, c) == place);
    if (lot != NULL)
        lot->count = (uint32_t)(c - first);
    p->next = c;
}

static bool cut_part(struct part *p)
{
    const struct plan_input *in = p->w->in;
    int64_t ordinary = utc_max(p->w->hours.deadline, p->w->hours.start).s;
    uint64_t next = p->next == in->certificates ? 0 : (uint64_t)p->next[-1].number + 1;
    for (; p->next < p->end; next = (uint64_t)p->next[-1].number + 1) {
        const struct plan_certificate *c = p->next;
        if (c->number < next || c->subscriber >= in->subscriber_count || c->ca >= in->ca_count ||
            c->turn >= CLASS_COUNT || c->shard >= p->w->shard_count)
            return bad_certificate(c, next, &p->fault);
        if (is_plain(c, ordinary))
            cut_plain(p, ordinary);
        else
            cut_special(p);
    }
    return true;
}

static void *run(void *context)
{
    struct part *p = context;
    p->ok = cut_part(p);
    return NULL;
}

/* The first certificate from the i-th on that begins a lot. */
static const struct plan_certificate *boundary(const struct plan_input *in, size_t i)
{
    const struct plan_certificate *c = in->certificates + i, *end = in->certificates + in->certificate_count;
    while (i > 0 && c < end && goes_on(c, owner_of(c - 1), c[-1].turn))
        c++;
    return c;
}

/* Begins part i of so many; its lots go where they can't meet those of others. */
static void begin(struct part *p, const struct work *w, size_t i, size_t count, struct arena *a)
{
    const struct plan_input *in = w->in;
    *p = (struct part){.w = w};
    p->next = boundary(in, in->certificate_count * i / count);
    p->end = boundary(in, in->certificate_count * (i + 1) / count);
    p->lots = p->lot = w->lots + (p->next - in->certificates);
    p->shards = arena_array(a, w->shard_count, sizeof *p->shards);
    canary_begin(&p->search, w, a);
}

/* How many shards there are: counted where the input does not tell. */
static size_t count_shards(const struct plan_input *in)
{
    size_t n = 0;
    if (in->shards != NULL)
        return in->shard_count;
    for (size_t i = 0; i < in->certificate_count; i++)
        n = in->certificates[i].shard >= n ? in->certificates[i].shard + (size_t)1 : n;
    return n;
}

/* Where the parts come together, in their order. */
struct whole {
    struct work *w;
    struct canary_search *search;
    uint32_t *ranks; /* by subscriber: its rank plus one, 0 when not seen */
    uint32_t rank;   /* of the last lot that is not held */
    size_t held;     /* lots */
};

static void add_shards(const struct whole *all, const struct part *p)
{
    struct work *w = all->w;
    for (size_t i = 0; i < w->shard_count; i++)
        w->shards[i].entries += p->shards[i].entries;
    for (size_t i = 0; i < p->search.noted.n / sizeof(uint32_t); i++) {
        uint32_t index;
        memcpy(&index, p->search.noted.p + i * sizeof index, sizeof index);
        const struct plan_certificate *c = &w->in->certificates[index];
        bool expires = work_place(w, c) >> 28 == ROLE_EXPIRING;
        canary_offer(all->search, &w->shards[c->shard], CANARY_MARK(c->issuer, 0),
                     expires ? CLASS_COUNT : c->turn, c);
    }
}

/* The rank of a subscriber: the next one when it has none. */
static inline uint32_t rank_of(const struct whole *all, uint32_t subscriber)
{
    uint32_t seen = all->ranks[subscriber], next = (uint32_t)all->w->ranks + 1;
    all->w->ranks += seen == 0;
    all->ranks[subscriber] = seen == 0 ? next : seen;
    return all->ranks[subscriber] - 1;
}

/* Puts the lots of a part behind those before them; what is held gets its rank later. */
static void add_lots(struct whole *all, const struct part *p)
{
    struct work *w = all->w;
    for (const struct lot *from = p->lots; from < p->lot; from++) {
        struct lot *l = &w->lots[w->lot_count++];
        *l = *from;
        work_tally(w, l, 1);
        if (lot_role(l) == ROLE_HELD) {
            all->held++;
            continue;
        }
        l->rank = rank_of(all, l->rank);
        w->rank_lots[l->rank]++;
        w->grouped = w->grouped && l->rank >= all->rank;
        all->rank = l->rank;
    }
}

static void add(struct whole *all, const struct part *p)
{
    all->w->by_ocsp += p->by_ocsp;
    add_shards(all, p);
    add_lots(all, p);
}

/* Held lots get their ranks behind all others: what is held changes nothing for the rest. */
static void rank_held(const struct whole *all)
{
    struct work *w = all->w;
    for (size_t i = 0; i < w->lot_count && all->held > 0; i++)
        if (lot_role(&w->lots[i]) == ROLE_HELD) {
            w->lots[i].rank = rank_of(all, w->lots[i].rank);
            w->rank_lots[w->lots[i].rank]++;
        }
}

/* Waits for a part, or cuts it here when no thread has it. */
static bool finish(struct part *p)
{
    if (p->beside)
        (void)pthread_join(p->thread, NULL);
    else
        run(p);
    return p->ok;
}

bool cut_lots(struct work *w, size_t count, struct canary_search *search, struct fault *f)
{
    AUTO_ARENA scratch = {0};
    struct part *parts = arena_array(&scratch, count, sizeof *parts);
    struct whole all = {.w = w, .search = search};
    all.ranks = arena_array(&scratch, w->in->subscriber_count, sizeof *all.ranks);
    w->shard_count = count_shards(w->in);
    w->shards = arena_array(w->arena, w->shard_count, sizeof *w->shards);
    w->lots = arena_raw(w->arena, w->in->certificate_count, sizeof *w->lots);
    w->rank_lots = arena_array(w->arena, w->in->subscriber_count, sizeof *w->rank_lots);
    for (size_t i = 0; i < count; i++) {
        begin(&parts[i], w, i, count, &scratch);
        parts[i].beside = i > 0 && pthread_create(&parts[i].thread, NULL, run, &parts[i]) == 0;
    }
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        bool fine = finish(&parts[i]);
        if (ok && fine)
            add(&all, &parts[i]);
        else if (ok)
            *f = parts[i].fault;
        ok = ok && fine;
        canary_end(&parts[i].search);
    }
    rank_held(&all);
    return ok;
}
