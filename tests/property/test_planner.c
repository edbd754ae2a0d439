/* Does the planner keep its promises on thousands of random small campaigns, judged by brute force? */
#include "massrevoke/planner.h"
#include "planner/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CERTIFICATES 60
#define SUBSCRIBERS 8
#define CAS 3
#define SHARDS 3
#define FREEZES 2
#define RECEIVED INT64_C(1700001234)
#define ROUNDS 6000

static uint64_t seed;
static const char *const urls[SHARDS] = {"http://a/1", "http://a/2", "http://a/3"};

/* splitmix64: same numbers everywhere. */
static int64_t pick(int64_t low, int64_t high)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return low + (int64_t)((z ^ z >> 31) % (uint64_t)(high - low + 1));
}

/* One random campaign with its memory. */
struct campaign {
    struct plan_certificate certificates[CERTIFICATES];
    struct plan_subscriber subscribers[SUBSCRIBERS];
    struct plan_shard shards[SHARDS];
    struct freeze freezes[FREEZES];
    struct rate rates[CAS];
    struct plan_input in;
};

static struct rate random_rate(void)
{
    switch (pick(0, 4)) {
    case 0:
        return (struct rate){0, 0};
    case 1:
        return (struct rate){1, pick(2, 9) * 1800};
    default:
        return (struct rate){pick(1, 9), 3600};
    }
}

static void random_certificates(struct campaign *c)
{
    size_t n = (size_t)pick(0, CERTIFICATES);
    uint16_t issuer = 0;
    uint32_t subscriber = 0, number = (uint32_t)pick(0, 5);
    for (size_t i = 0; i < n; i++) {
        if (pick(0, 5) == 0)
            subscriber = (uint32_t)pick(0, SUBSCRIBERS - 1);
        if (pick(0, 15) == 0 && issuer < 4)
            issuer++;
        number += (uint32_t)pick(1, 3);
        c->certificates[i] = (struct plan_certificate){
            .number = number,
            .subscriber = subscriber,
            .issuer = issuer,
            .ca = (uint16_t)(issuer % CAS),
            .shard = (uint32_t)pick(0, SHARDS - 1),
            .turn = (uint8_t)(pick(0, 3) == 0 ? pick(0, CLASS_COUNT - 1) : subscriber % CLASS_COUNT),
            .held = pick(0, 9) == 0,
            .by_ocsp = pick(0, 99) == 0,
            .not_after = UTC_NONE,
        };
        if (pick(0, 4) == 0)
            c->certificates[i].not_after.s = RECEIVED + pick(0, 40) * 1800;
    }
    c->in.certificates = c->certificates;
    c->in.certificate_count = n;
}

/* Every limit is there in some campaigns and absent in others. */
static void random_profile(struct campaign *c)
{
    struct profile *p = &c->in.profile;
    *p = (struct profile){.name = "random",
                          .notices = pick(0, 3) > 0,
                          .first_notice.s = pick(0, 4) * 3600,
                          .reserve.s = pick(0, 3) * 1800,
                          .publish_margin.s = pick(0, 6) * 1200,
                          .publish_at_once = pick(0, 5) == 0,
                          .canary = pick(0, 1) ? (int)pick(1, 8) : 0,
                          .canary_wait.s = pick(0, 1) * pick(0, 6) * 1800,
                          .outage_floor.s = pick(0, 5) * 3600,
                          .rate_cap = {pick(0, 3) == 0 ? pick(1, 9) : 0, 3600},
                          .helpdesk_per_hour = (int)pick(0, 3),
                          .ari_lead.s = pick(0, 2) * pick(1, 9000),
                          .ocsp_refresh.s = pick(0, 1) * pick(0, 5) * 1800,
                          .crl_limit = pick(0, 1) * 500,
                          .freezes = c->freezes,
                          .freeze_count = (size_t)pick(0, FREEZES)};
    if (pick(0, 2) == 0)
        c->in.ocsp_rate = (struct rate){pick(1, 20), 3600};
    p->first_slot.s = pick(0, 12) * 1800;
    for (int k = 0; k < CLASS_COUNT; k++) {
        p->class_notice[k].s = k < CLASS_UNREACHABLE ? 0 : p->first_slot.s + pick(0, 1) * pick(0, 8) * 1800;
        p->class_ceiling[k].s = pick(0, 3) == 0 ? p->class_notice[k].s + pick(1, 9) * 3600 : 0;
    }
    for (int i = 0; i < FREEZES; i++) {
        c->freezes[i].from.s = RECEIVED + pick(0, 36) * 1800;
        c->freezes[i].to.s = c->freezes[i].from.s + pick(1, 9000);
        c->freezes[i].why = i == 0 ? "first" : "second";
    }
}

static void random_campaign(struct campaign *c)
{
    *c = (struct campaign){0};
    random_certificates(c);
    for (int i = 0; i < SUBSCRIBERS; i++)
        c->subscribers[i] = (struct plan_subscriber){"s"};
    for (int i = 0; i < CAS; i++)
        c->rates[i] = random_rate();
    for (int i = 0; i < SHARDS; i++)
        c->shards[i] = (struct plan_shard){urls[i], (uint64_t)pick(0, 3) * 100};
    c->in.subscribers = c->subscribers;
    c->in.subscriber_count = SUBSCRIBERS;
    c->in.shards = pick(0, 1) ? c->shards : NULL;
    c->in.shard_count = c->in.shards == NULL ? 0 : SHARDS;
    c->in.ca_rates = c->rates;
    c->in.ca_count = CAS;
    c->in.received.s = RECEIVED;
    c->in.deadline.s = pick(1, 40) * 1800;
    c->in.should.s = pick(0, 1) * 5 * 3600;
    c->in.now.s = RECEIVED + (pick(0, 2) == 0 ? pick(-100, 22 * 3600) : pick(0, 3600));
    random_profile(c);
}

static int64_t begin_of(const struct campaign *c)
{
    int64_t begin = c->in.now.s > RECEIVED ? c->in.now.s : RECEIVED;
    int64_t first = RECEIVED + c->in.profile.first_slot.s;
    return c->in.profile.publish_at_once && first > begin ? first : begin;
}

/* The longest that publication takes: one margin for the whole plan. */
static int64_t margin_of(const struct campaign *c)
{
    int64_t margin = c->in.profile.publish_margin.s, asked = 0;
    for (size_t i = 0; i < c->in.certificate_count; i++)
        asked += c->certificates[i].by_ocsp && !c->certificates[i].held;
    if (asked > 0 && c->in.profile.ocsp_refresh.s > margin)
        margin = c->in.profile.ocsp_refresh.s;
    int64_t count = c->in.ocsp_rate.count; /* all are asked about once */
    return count == 0 ? margin : margin + (asked * c->in.ocsp_rate.per + count - 1) / count;
}

static int64_t last_of(const struct campaign *c)
{
    return RECEIVED + c->in.deadline.s - margin_of(c);
}

/* Must it be revoked by the deadline: not held, still valid then, and when work can begin? */
static bool outlives(const struct campaign *c, const struct plan_certificate *k)
{
    if (k->held)
        return false;
    return !utc_is_set(k->not_after) ||
           (k->not_after.s >= RECEIVED + c->in.deadline.s && k->not_after.s >= begin_of(c));
}

/* Of how many slots a slow CA may use one. */
static int64_t every_of(struct rate r)
{
    int64_t every = 1;
    while (every * 3600 * r.count < r.per)
        every++;
    return every;
}

/* Most that a rate may revoke in the slot [from, to), of which `before` slots were usable. */
static int64_t most_in(struct rate r, int64_t from, int64_t to, int64_t before)
{
    if (r.count == 0)
        return CERTIFICATES;
    if (r.count * 3600 < r.per)
        return before % every_of(r) == 0;
    return (to - from) * r.count / r.per;
}

/* Fewest late certificates of one CA: walks the hours and takes away what each can do. */
static int64_t fewest_late(const struct campaign *c, uint16_t ca)
{
    int64_t left = 0, begin = begin_of(c), slots = 0;
    int64_t last = last_of(c);
    for (size_t i = 0; i < c->in.certificate_count; i++)
        left += c->certificates[i].ca == ca && outlives(c, &c->certificates[i]);
    struct rate r = c->rates[ca];
    if (c->in.profile.publish_at_once) {
        for (int64_t done = 1; left > 0; done++, left--)
            if (begin + rate_seconds(r, done) > last)
                break;
        return left;
    }
    for (int64_t end = RECEIVED + 3600; end <= last; end += 3600)
        if (end > begin) {
            int64_t from = end - 3600 > begin ? end - 3600 : begin;
            int64_t room = most_in(r, from, end, slots++);
            left -= left < room ? left : room;
        }
    return left;
}

static const struct plan_certificate *find(const struct campaign *c, uint32_t number)
{
    for (size_t i = 0; i < c->in.certificate_count; i++)
        if (c->certificates[i].number == number)
            return &c->certificates[i];
    abort(); /* a number that was never given */
}

static void each_is_dealt_once(const struct campaign *c, const struct plan *p)
{
    uint32_t next = 0;
    int dealt[1024] = {0};
    assert_int_equal(p->number_count + p->expires_first, c->in.certificate_count);
    for (size_t i = 0; i < p->chunk_count; i++) {
        const struct plan_chunk *k = &p->chunks[i];
        assert_int_equal(k->first, next);
        assert_in_range(k->count, 1, PLAN_CHUNK_MAX);
        assert_true(k->count == 1 || c->rates[k->ca].count == 0 ||
                    k->count * c->rates[k->ca].per <= PLAN_CHUNK_SECONDS * c->rates[k->ca].count);
        next += k->count;
        for (uint32_t n = k->first; n < next; n++) {
            const struct plan_certificate *certificate = find(c, p->numbers[n]);
            assert_int_equal(certificate->ca, k->ca);
            assert_int_equal(certificate->issuer, k->issuer);
            dealt[p->numbers[n]]++;
        }
    }
    assert_int_equal(next, p->number_count);
    for (size_t i = 0; i < c->in.certificate_count; i++) {
        int times = dealt[c->certificates[i].number];
        bool may_expire = !outlives(c, &c->certificates[i]) && !c->certificates[i].held;
        assert_true(times == 1 || (times == 0 && may_expire));
    }
}

static int64_t end_of(const struct plan_slot *s)
{
    return RECEIVED + (s->hour + 1) * 3600;
}

static void no_rate_is_exceeded(const struct campaign *c, const struct plan *p)
{
    int64_t begin = begin_of(c), last_used[CAS] = {-1000, -1000, -1000};
    for (size_t i = 0; i < p->slot_count; i++) {
        const struct plan_slot *s = &p->slots[i];
        int64_t load[CAS] = {0}, before[CAS] = {0};
        assert_true(i == 0 || p->slots[i - 1].hour < s->hour);
        assert_true(s->start.s >= begin && s->start.s < end_of(s));
        for (uint32_t k = s->first_chunk; k < s->first_chunk + s->chunk_count; k++) {
            const struct plan_chunk *chunk = &p->chunks[k];
            assert_int_equal(chunk->slot, i);
            assert_true(chunk->due.s >= s->start.s && chunk->due.s < end_of(s));
            assert_true(chunk->due.s >= before[chunk->ca]);
            before[chunk->ca] = chunk->due.s;
            load[chunk->ca] += chunk->count;
        }
        for (uint16_t ca = 0; ca < CAS && !c->in.profile.publish_at_once; ca++) {
            struct rate r = c->rates[ca];
            assert_true(load[ca] <= most_in(r, s->start.s, end_of(s), 0));
            if (load[ca] > 0 && r.count > 0)
                assert_true(s->hour - last_used[ca] >= every_of(r));
            last_used[ca] = load[ca] > 0 ? s->hour : last_used[ca];
        }
    }
}

static void lateness_is_least(const struct campaign *c, const struct plan *p)
{
    int64_t least = 0;
    for (uint16_t ca = 0; ca < CAS; ca++)
        least += fewest_late(c, ca);
    assert_int_equal(p->late, least);
    assert_int_equal(p->feasible, least == 0);
    assert_int_equal(p->feasible, *p->remedy == '\0');
    if (p->number_count > p->held) {
        assert_int_equal(p->slack.s, RECEIVED + c->in.deadline.s - p->finish.s);
        assert_int_equal(p->feasible, p->slack.s >= 0);
    }
}

/* A certificate of one CA in plan order. Times are scaled by the rate's count, so that all are whole. */
struct job {
    int64_t release;
    bool bound;
};

/* When the last job with a deadline ends, if the backend is away in [from, to), and how many end after
 * `last`.
 */
static int64_t simulate(const struct job *jobs, size_t n, int64_t service, int64_t from, int64_t to,
                        int64_t last, uint64_t *late)
{
    *late = 0;
    int64_t free = INT64_MIN / 2, end = INT64_MIN / 2;
    for (size_t i = 0; i < n; i++) {
        int64_t start = free > jobs[i].release ? free : jobs[i].release;
        if (start >= from && start < to)
            start = to;
        free = start + service; /* a rate is so much in so long: work cut by the outage goes on after it */
        if (start < from && free > from)
            free += to - from;
        if (jobs[i].bound) {
            end = free;
            *late += end > last;
        }
    }
    return end;
}

/* Adds one slot's jobs of a CA: those without a deadline in round 0, those with one in round 1; at once: all
 * in round 0, in plan order. */
static size_t jobs_in(const struct campaign *c, const struct plan *p, const struct plan_slot *s, uint16_t ca,
                      int round, struct job *jobs)
{
    size_t n = 0;
    for (uint32_t k = s->first_chunk; k < s->first_chunk + s->chunk_count; k++)
        for (uint32_t m = 0; m < p->chunks[k].count && p->chunks[k].ca == ca; m++) {
            bool bound = outlives(c, find(c, p->numbers[p->chunks[k].first + m]));
            if (round == (c->in.profile.publish_at_once ? 0 : bound))
                jobs[n++].bound = bound;
        }
    return n;
}

/* The jobs of one CA: as late in their slot as the rate allows, those with a deadline last; at once: as the
 * rate reaches them. */
static size_t jobs_of(const struct campaign *c, const struct plan *p, uint16_t ca, struct job *jobs,
                      int64_t scale, int64_t service)
{
    size_t n = 0;
    for (size_t i = 0; i < p->slot_count; i++) {
        size_t first = n;
        n += jobs_in(c, p, &p->slots[i], ca, 0, jobs + n);
        n += jobs_in(c, p, &p->slots[i], ca, 1, jobs + n);
        for (size_t k = first; k < n; k++)
            jobs[k].release = c->in.profile.publish_at_once
                                  ? begin_of(c) * scale
                                  : end_of(&p->slots[i]) * scale - (int64_t)(n - k) * service;
    }
    return n;
}

/* Does every deadline hold when the backend of `ca` is away for `length` seconds, whenever that starts? */
static bool survives(const struct campaign *c, const struct plan *p, uint16_t ca, int64_t length)
{
    struct job jobs[CERTIFICATES];
    struct rate r = c->rates[ca];
    int64_t scale = r.count == 0 ? 1 : r.count, service = r.count == 0 ? 0 : r.per;
    int64_t last = last_of(c) * scale;
    size_t n = jobs_of(c, p, ca, jobs, scale, service == 0 ? 1 : service);
    for (size_t i = 0; i < n; i++)
        for (int64_t shift = -1; shift <= 1; shift++) {
            int64_t from =
                jobs[i].release + (int64_t)i * service * c->in.profile.publish_at_once + shift * scale;
            uint64_t late;
            if (simulate(jobs, n, service == 0 ? 1 : service, from, from + length * scale, last, &late) >
                last)
                return false;
        }
    return true;
}

/* The figure holds for every CA and start, and two seconds more (a start lies on a whole second) does not. */
static void tolerance_is_exact(const struct campaign *c, const struct plan *p)
{
    bool bound = false, longer = true, unlimited = false;
    for (size_t i = 0; i < p->number_count; i++)
        bound |= outlives(c, find(c, p->numbers[i]));
    for (uint16_t ca = 0; ca < CAS; ca++)
        unlimited |= c->rates[ca].count == 0;
    if (!p->feasible || !bound || (unlimited && c->in.profile.publish_at_once))
        return;
    for (uint16_t ca = 0; ca < CAS; ca++) {
        assert_true(survives(c, p, ca, p->outage_tolerance.s));
        longer &= survives(c, p, ca, p->outage_tolerance.s + 2);
    }
    assert_false(longer);
}

/* The worst outage of one CA, tried at the start of every job: most late, then the latest finish, which comes
 * back in whole seconds. */
static uint64_t worst_outage(const struct campaign *c, const struct plan *p, uint16_t ca, int64_t length,
                             int64_t *finish)
{
    struct job jobs[CERTIFICATES];
    struct rate r = c->rates[ca];
    size_t n = jobs_of(c, p, ca, jobs, r.count, r.per);
    uint64_t most = 0;
    *finish = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        uint64_t late;
        int64_t from = jobs[i].release + (int64_t)i * r.per * c->in.profile.publish_at_once;
        int64_t end = simulate(jobs, n, r.per, from, from + length * r.count, last_of(c) * r.count, &late);
        end = end < 0 ? INT64_MIN : (end + r.count - 1) / r.count;
        if (late > most || (late == most && end > *finish))
            *finish = end;
        most = late > most ? late : most;
    }
    return most;
}

/* "What if the CA is down for so long?" has the answer that trying every moment gives. */
static void outage_is_exact(const struct campaign *c, const struct plan *p)
{
    struct plan_outage o;
    uint64_t most = 0;
    int64_t finish = INT64_MIN, length = pick(1, 30000);
    for (uint16_t ca = 0; ca < CAS; ca++)
        if (c->rates[ca].count == 0)
            return;
    if (!p->feasible)
        return;
    planner_outage(&c->in, p, (struct span){length}, &o);
    for (uint16_t ca = 0; ca < CAS; ca++) {
        int64_t end;
        uint64_t late = worst_outage(c, p, ca, length, &end);
        if (late > most || (late == most && end > finish))
            finish = end;
        most = late > most ? late : most;
    }
    assert_int_equal(o.late, most);
    assert_int_equal(o.in_time, most == 0);
    assert_int_equal(o.tolerance.s, p->outage_tolerance.s);
    assert_int_equal(utc_is_set(o.finish), finish != INT64_MIN);
    if (finish == INT64_MIN)
        return;
    finish += margin_of(c);
    if (utc_is_set(p->finish) && p->finish.s > finish)
        finish = p->finish.s;
    /* with late ones the moment is a whole second, a job's start need not be one */
    assert_in_range(o.finish.s, finish - (most > 0), finish + 1 * (most > 0));
}

static void canaries_lead(const struct campaign *c, const struct plan *p)
{
    int64_t canary_end = INT64_MIN, rest = INT64_MAX;
    bool done = false;
    for (size_t i = 0; i < p->chunk_count; i++) {
        const struct plan_slot *s = &p->slots[p->chunks[i].slot];
        if (p->chunks[i].canary && end_of(s) > canary_end)
            canary_end = end_of(s);
        if (!p->chunks[i].canary && s->start.s < rest)
            rest = s->start.s;
        done |= !p->chunks[i].canary;
        assert_true(!done || !p->chunks[i].canary || c->in.profile.publish_at_once);
    }
    if (p->canary_count > 0 && done && !c->in.profile.publish_at_once) {
        int64_t wait = c->in.profile.canary_wait.s, margin = margin_of(c);
        assert_true(canary_end + (wait > margin ? wait : margin) <= rest);
    }
    bool given_up = strstr(p->given_up, "canary:") != NULL;
    assert_false(given_up && p->canary_count > 0);
    size_t most = c->in.profile.canary == 0 ? 0 : (size_t)c->in.profile.canary;
    size_t counted = p->number_count - p->held;
    if (most > 0 && !given_up && p->expires_first == 0)
        assert_true(p->canary_count >= (most < counted ? most : counted));
    for (size_t i = 1; i < p->canary_count; i++)
        assert_true(p->canaries[i - 1] < p->canaries[i]);
}

/* Where some are late, a canary that is kept makes nothing end in a later hour than without it. */
static void late_plans_wait_for_nothing(const struct campaign *c, const struct plan *p)
{
    AUTO_ARENA a = {0};
    struct plan_input without = c->in;
    struct plan other;
    struct fault f = {0};
    if (p->feasible || p->canary_count == 0 || c->in.profile.publish_at_once)
        return;
    without.profile.canary = 0;
    assert_true(planner_build(&without, &a, &other, &f));
    assert_int_equal(p->late, other.late);
    assert_true(p->finish.s < other.finish.s + 3600);
}

static bool is_held(const struct campaign *c, uint32_t number)
{
    return find(c, number)->held;
}

/* What is held comes after everything else, and without it every figure is the same. */
static void held_count_in_nothing(const struct campaign *c, const struct plan *p)
{
    AUTO_ARENA a = {0};
    struct plan without;
    struct fault f = {0};
    struct campaign other = *c;
    size_t n = 0, held = 0;
    for (size_t i = 0; i < c->in.certificate_count; i++) {
        held += c->certificates[i].held;
        if (!c->certificates[i].held)
            other.certificates[n++] = c->certificates[i];
    }
    other.in.certificates = other.certificates;
    other.in.certificate_count = n;
    assert_true(planner_build(&other.in, &a, &without, &f));
    assert_int_equal(p->held, held);
    assert_int_equal(p->number_count, without.number_count + held);
    assert_true(p->feasible == without.feasible && p->late == without.late);
    assert_true(p->finish.s == without.finish.s && p->slack.s == without.slack.s);
    assert_int_equal(p->outage_tolerance.s, without.outage_tolerance.s);
    assert_int_equal(p->expires_first, without.expires_first);
    assert_int_equal(p->should_24h, without.should_24h);
    assert_true(p->needs_by_clock == without.needs_by_clock && p->needs_by_window == without.needs_by_window);
    assert_int_equal(p->work.s, without.work.s);
    assert_int_equal(p->shard_count, without.shard_count);
    assert_memory_equal(p->shards, without.shards, p->shard_count * sizeof *p->shards);
    assert_string_equal(p->remedy, without.remedy);
    uint32_t last = 0, first = UINT32_MAX;
    for (size_t i = 0; i < p->chunk_count && !c->in.profile.publish_at_once; i++)
        for (uint32_t k = 0; k < p->chunks[i].count; k++) {
            bool one = is_held(c, p->numbers[p->chunks[i].first + k]);
            last = !one ? p->chunks[i].slot + 1 : last;
            first = one && first == UINT32_MAX ? p->chunks[i].slot : first;
        }
    assert_true(first >= last);
}

/* The first slot in which a class has had its notice. */
static int64_t notice_of(const struct campaign *c, int k)
{
    int64_t open = (begin_of(c) - RECEIVED) / 3600, hour = (c->in.profile.class_notice[k].s + 3599) / 3600;
    return hour > open ? hour : open;
}

/* Do all certificates that no earlier hour ends, each after its notice, fit before reserve and floor? One
 * hour after the other, whatever may go. */
static bool notice_can_be_kept(const struct campaign *c, uint16_t ca)
{
    const struct profile *p = &c->in.profile;
    int64_t spare = p->reserve.s > p->outage_floor.s ? p->reserve.s : p->outage_floor.s;
    int64_t begin = begin_of(c), slots = 0, left[CLASS_COUNT] = {0}, all = 0;
    for (size_t i = 0; i < c->in.certificate_count; i++) {
        const struct plan_certificate *k = &c->certificates[i];
        bool gone = !outlives(c, k) && (k->held || k->not_after.s < begin ||
                                        k->not_after.s < RECEIVED + notice_of(c, k->turn) * 3600);
        left[k->turn] += k->ca == ca && !gone;
        all += k->ca == ca && !gone;
    }
    for (int64_t end = RECEIVED + 3600; end <= last_of(c) - spare && all > 0; end += 3600) {
        int64_t from = end - 3600 > begin ? end - 3600 : begin, hour = (end - RECEIVED) / 3600 - 1;
        int64_t room = end > begin ? most_in(c->rates[ca], from, end, slots++) : 0;
        for (int k = 0; k < CLASS_COUNT; k++) {
            int64_t n = notice_of(c, k) > hour ? 0 : left[k] < room ? left[k] : room;
            left[k] -= n;
            room -= n;
            all -= n;
        }
    }
    return all == 0;
}

/* Notice, reserve and floor are kept whenever they can be; a freeze that is not named as given up is kept. */
static void soft_limits_are_kept(const struct campaign *c, const struct plan *p)
{
    bool can = c->in.profile.canary == 0 && !c->in.profile.publish_at_once;
    for (uint16_t ca = 0; ca < CAS; ca++)
        can = can && notice_can_be_kept(c, ca);
    if (can && p->number_count > p->held) {
        assert_null(strstr(p->given_up, "notice:"));
        assert_null(strstr(p->given_up, "reserve:"));
        assert_null(strstr(p->given_up, "outage floor:"));
    }
    for (size_t i = 0; i < p->slot_count; i++)
        for (size_t k = 0; k < c->in.profile.freeze_count; k++) {
            const struct plan_slot *s = &p->slots[i];
            bool inside = s->start.s < c->freezes[k].to.s && end_of(s) > c->freezes[k].from.s;
            bool only_held = true;
            for (uint32_t n = s->first_chunk; n < s->first_chunk + s->chunk_count; n++)
                for (uint32_t m = 0; m < p->chunks[n].count; m++)
                    only_held = only_held && is_held(c, p->numbers[p->chunks[n].first + m]);
            if (inside && !only_held)
                assert_non_null(strstr(p->given_up, c->freezes[k].why));
        }
}

/* Told before it goes, and the renewal window wholly before the slot, its end after its start. */
static void slot_times_are_sound(const struct campaign *c, const struct plan *p)
{
    for (size_t i = 0; i < p->slot_count; i++) {
        const struct plan_slot *s = &p->slots[i];
        assert_int_equal(utc_is_set(s->notice_by), c->in.profile.notices);
        assert_int_equal(utc_is_set(s->ari_start), c->in.profile.ari_lead.s > 0);
        assert_true(!utc_is_set(s->notice_by) || s->notice_by.s <= s->start.s);
        if (c->in.profile.ari_lead.s > 0)
            assert_true(s->ari_start.s < s->ari_end.s && s->ari_end.s <= s->start.s &&
                        s->start.s - s->ari_start.s == c->in.profile.ari_lead.s);
    }
}

/* Whatever there is to say, it is one screen of 24 lines and 80 columns, the prompt included. */
static void it_is_one_screen(const struct campaign *c, const struct plan *p)
{
    AUTO_BUF text = {0};
    int lines = 0;
    planner_text(p, &c->in, &text);
    for (struct str rest = buf_str(&text); rest.p != NULL; lines++)
        assert_in_range(str_cut(&rest, '\n').n, 0, 80);
    assert_in_range(lines, 4, 24);
}

/* Entries of each CRL counted one by one; too large a CRL is named, and changes nothing. */
static void shards_are_counted(const struct campaign *c, const struct plan *p)
{
    uint64_t entries[SHARDS] = {0};
    for (size_t i = 0; i < p->number_count; i++)
        entries[find(c, p->numbers[i])->shard] += !is_held(c, p->numbers[i]);
    for (size_t i = 0; i < p->shard_count; i++) {
        const struct plan_shard_size *s = &p->shards[i];
        assert_int_equal(s->entries, entries[s->shard]);
        assert_int_equal(s->bytes, c->shards[s->shard].bytes + s->entries * PLAN_ENTRY_BYTES);
        assert_int_equal(s->over, c->in.profile.crl_limit > 0 && s->bytes > 500);
        assert_true(i == 0 || s[-1].bytes >= s->bytes);
        entries[s->shard] = 0;
    }
    for (size_t i = 0; i < SHARDS && c->in.shards != NULL; i++)
        assert_int_equal(entries[i], 0);
}

static void same_again(const struct campaign *c, const struct plan *p)
{
    AUTO_ARENA a = {0};
    struct plan again;
    struct fault f = {0};
    struct plan_subscriber turned[SUBSCRIBERS];
    struct campaign other = *c;
    for (size_t i = 0; i < SUBSCRIBERS; i++) /* the subscriber table in another order */
        turned[SUBSCRIBERS - 1 - i] = c->subscribers[i];
    for (size_t i = 0; i < SHARDS; i++) /* and that of the shards */
        other.shards[SHARDS - 1 - i] = c->shards[i];
    other.in.shards = c->in.shards == NULL ? NULL : other.shards;
    for (size_t i = 0; i < c->in.certificate_count; i++) {
        other.certificates[i].subscriber = SUBSCRIBERS - 1 - c->certificates[i].subscriber;
        other.certificates[i].shard = SHARDS - 1 - c->certificates[i].shard;
    }
    other.in.certificates = other.certificates;
    other.in.subscribers = turned;
    assert_true(planner_build(&other.in, &a, &again, &f));
    assert_string_equal(p->text, again.text);
    assert_memory_equal(&p->digest, &again.digest, sizeof p->digest);
}

static void random_campaigns(void **unused)
{
    (void)unused;
    static struct campaign c;
    int feasible = 0, late = 0, canary = 0, expired = 0;
    for (int round = 0; round < ROUNDS; round++) {
        AUTO_ARENA a = {0};
        struct plan p;
        struct fault f = {0};
        seed = (uint64_t)round;
        random_campaign(&c);
        if (!planner_build(&c.in, &a, &p, &f))
            fail_msg("round %d: %s", round, f.text);
        each_is_dealt_once(&c, &p);
        no_rate_is_exceeded(&c, &p);
        lateness_is_least(&c, &p);
        tolerance_is_exact(&c, &p);
        canaries_lead(&c, &p);
        late_plans_wait_for_nothing(&c, &p);
        outage_is_exact(&c, &p);
        held_count_in_nothing(&c, &p);
        soft_limits_are_kept(&c, &p);
        slot_times_are_sound(&c, &p);
        shards_are_counted(&c, &p);
        it_is_one_screen(&c, &p);
        same_again(&c, &p);
        feasible += p.feasible && p.number_count > 0;
        late += p.late > 0;
        canary += p.canary_count > 0;
        expired += p.expires_first > 0;
    }
    /* the dice must reach every kind of campaign */
    assert_true(feasible > ROUNDS / 5 && late > ROUNDS / 10 && canary > ROUNDS / 10 && expired > ROUNDS / 10);
}

/* An input cut in so many parts. */
struct cutting {
    struct work w;
    struct canary_search search;
};

static bool cut(struct cutting *k, const struct plan_input *in, size_t parts, struct arena *a,
                struct fault *f)
{
    k->w = (struct work){.in = in, .arena = a, .hours = hours_of(in, 0), .grouped = true};
    k->w.cas = arena_array(a, in->ca_count, sizeof *k->w.cas);
    canary_begin(&k->search, &k->w, a);
    return cut_lots(&k->w, parts, &k->search, f);
}

static void searches_equal(const struct canary_search *a, const struct canary_search *b)
{
    assert_int_equal(a->best.n, b->best.n);
    assert_int_equal(a->noted.n, b->noted.n);
    if (a->best.n > 0)
        assert_memory_equal(a->best.p, b->best.p, a->best.n);
    if (a->noted.n > 0)
        assert_memory_equal(a->noted.p, b->noted.p, a->noted.n);
    for (int c = 0; c <= CLASS_COUNT; c++) {
        assert_int_equal(a->count[c], b->count[c]);
        assert_int_equal(a->least[c], b->least[c]);
        assert_memory_equal(a->first[c], b->first[c], a->count[c] * sizeof *a->first[c]);
    }
}

static void cuttings_equal(const struct cutting *one, const struct cutting *many)
{
    const struct work *a = &one->w, *b = &many->w;
    assert_int_equal(a->lot_count, b->lot_count);
    assert_memory_equal(a->lots, b->lots, a->lot_count * sizeof *a->lots);
    assert_int_equal(a->shard_count, b->shard_count);
    assert_memory_equal(a->shards, b->shards, a->shard_count * sizeof *a->shards);
    assert_memory_equal(a->cas, b->cas, a->in->ca_count * sizeof *a->cas);
    assert_int_equal(a->ranks, b->ranks);
    assert_memory_equal(a->rank_lots, b->rank_lots, a->ranks * sizeof *a->rank_lots);
    assert_int_equal(a->grouped, b->grouped);
    assert_int_equal(a->by_ocsp, b->by_ocsp);
    searches_equal(&one->search, &many->search);
}

static void parts_make_no_difference(void **unused)
{
    (void)unused;
    static struct campaign c;
    static const size_t parts[] = {2, 3, 7, 20};
    for (int round = 0; round < ROUNDS / 4; round++) {
        AUTO_ARENA a = {0};
        struct fault f = {0};
        struct cutting one, many;
        seed = (uint64_t)round;
        random_campaign(&c);
        assert_true(cut(&one, &c.in, 1, &a, &f));
        assert_true(cut(&many, &c.in, parts[round % 4], &a, &f));
        cuttings_equal(&one, &many);
        canary_end(&one.search);
        canary_end(&many.search);
    }
}

/* Two bad certificates: the first one is named, whichever part finds its own first. */
static void the_first_fault_is_named(void **unused)
{
    (void)unused;
    static struct campaign c;
    AUTO_ARENA a = {0};
    struct cutting k;
    for (size_t parts = 1; parts < 8; parts++) {
        struct fault f = {0};
        seed = 1;
        do
            random_campaign(&c);
        while (c.in.certificate_count < CERTIFICATES / 2);
        c.certificates[7].ca = CAS;
        c.certificates[20].ca = CAS;
        assert_false(cut(&k, &c.in, parts, &a, &f));
        assert_non_null(strstr(f.text, arena_format(&a, "number %u has", c.certificates[7].number)));
        canary_end(&k.search);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_campaigns),
        cmocka_unit_test(parts_make_no_difference),
        cmocka_unit_test(the_first_fault_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
