/* Is the pace exact? Random limits, random moments of asking: what it lets through never exceeds a limit, and
 * what no limit forbids is let through at once. */
#include "massrevoke/arena.h"
#include "massrevoke/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RUNS 300
#define STEPS 400

static uint64_t state;

static int64_t draw(int64_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((state >> 33) % (uint64_t)below);
}

/* What was let through, one entry a moment. */
struct past {
    int64_t at[STEPS], n[STEPS];
    size_t count;
};

static int64_t let_since(const struct past *p, int64_t after)
{
    int64_t sum = 0;
    for (size_t i = 0; i < p->count; i++)
        sum += p->at[i] > after ? p->n[i] : 0;
    return sum;
}

static struct rate_limits some_limits(void)
{
    struct rate_limits l = {.window_count = 0};
    if (draw(4) > 0) {
        l.rate = (struct rate){1 + draw(300), 1 + draw(60)};
        l.burst = draw(2) * (1 + draw(50));
    }
    l.window_count = (size_t)draw(4);
    for (size_t i = 0; i < l.window_count; i++)
        l.windows[i] = (struct rate){1 + draw(200), 1 + draw(300)};
    return l;
}

static int64_t burst_of(const struct rate_limits *l)
{
    return l->burst > 0 ? l->burst : l->rate.count * 10 / l->rate.per + 1;
}

/* The most that may go at `now`, from the whole past and the words of the configuration alone. */
static int64_t allowed(const struct rate_limits *l, const struct past *p, int64_t now)
{
    int64_t n = INT64_MAX;
    for (size_t i = 0; i < l->window_count; i++) {
        int64_t room = l->windows[i].count - let_since(p, now - l->windows[i].per * 1000);
        n = room < n ? room : n;
    }
    if (l->rate.count == 0)
        return n;
    /* over every stretch that ends now: no more than the burst and what the rate adds in it */
    for (size_t i = 0; i < p->count; i++) {
        int64_t ms = now - p->at[i];
        int64_t room = burst_of(l) + l->rate.count * ms / (l->rate.per * 1000);
        room -= let_since(p, p->at[i] - 1);
        n = room < n ? room : n;
    }
    return burst_of(l) < n ? burst_of(l) : n;
}

/* Never more, and never idle when it is allowed: the very number. */
static void check_exact(const struct rate_limits *l, const struct past *p, int64_t now, int64_t n)
{
    int64_t most = allowed(l, p, now);
    most = most > 0 ? most : 0;
    if (n != most)
        fail_msg("at %lld: %lld let through, %lld allowed", (long long)now, (long long)n, (long long)most);
}

static void never_more_and_never_idle(void **unused)
{
    (void)unused;
    for (int run = 0; run < RUNS; run++) {
        struct rate_limits limits = some_limits();
        struct past past = {.count = 0};
        struct pace pace;
        int64_t now = draw(100000), gap = 1 + draw(3000);
        pace_open(&pace, &limits, 0);
        for (int step = 0; step < STEPS; step++) {
            now += draw(gap);
            int64_t n = pace_allow(&pace, now);
            check_exact(&limits, &past, now, n);
            n = n > 1000 ? 1000 : n;
            n = draw(3) == 0 ? draw(n + 1) : n;
            pace_take(&pace, n);
            if (n > 0) {
                past.at[past.count] = now;
                past.n[past.count++] = n;
            }
        }
        pace_close(&pace);
    }
}

/* The moment it names is the first at which so many may go. */
static void it_says_when_to_come_again(void **unused)
{
    (void)unused;
    for (int run = 0; run < RUNS; run++) {
        struct rate_limits limits = some_limits();
        struct pace pace;
        int64_t now = draw(100000);
        pace_open(&pace, &limits, 0);
        for (int step = 0; step < 100; step++) {
            int64_t n = 1 + draw(20), most = pace_most(&pace);
            n = n < most ? n : most;
            int64_t next = pace_next(&pace, now, n);
            assert_true(next >= now);
            if (next > now)
                assert_true(pace_allow(&pace, next - 1) < n);
            assert_true(pace_allow(&pace, next) >= n);
            pace_take(&pace, n);
            now = next;
        }
        pace_close(&pace);
    }
}

static void time_that_runs_backwards_gives_nothing(void **unused)
{
    (void)unused;
    struct rate_limits limits = {.rate = {10, 1}, .burst = 5, .windows = {{7, 2}}, .window_count = 1};
    struct pace pace;
    pace_open(&pace, &limits, 0);
    assert_int_equal(pace_allow(&pace, 10000), 5);
    pace_take(&pace, 5);
    assert_int_equal(pace_allow(&pace, 5000), 0);
    assert_int_equal(pace_allow(&pace, 10000), 0);
    assert_int_equal(pace_allow(&pace, 10100), 1);
    pace_close(&pace);
}

/* What goes in an hour when all that may goes: the narrowest limit says so. */
static void the_narrowest_limit_says_what_goes_in_an_hour(void **unused)
{
    (void)unused;
    struct rate_limits none = {.window_count = 0},
                       rate = {.rate = {1, 6}, .windows = {{1000, 300}}, .window_count = 1},
                       window = {.rate = {1, 1}, .windows = {{5, 60}, {100, 300}}, .window_count = 2};
    const struct rate_limits *limits[] = {&none, &rate, &window};
    const int64_t expected[] = {INT64_MAX, 600, 300};
    for (size_t i = 0; i < 3; i++) {
        struct pace pace;
        pace_open(&pace, limits[i], 0);
        assert_int_equal(pace_within(&pace, 3600000), expected[i]);
        pace_close(&pace);
    }
}

static void a_ca_that_turns_away_is_sent_fewer_at_a_time(void **unused)
{
    (void)unused;
    struct rate_limits none = {.window_count = 0};
    struct pace pace;
    pace_open(&pace, &none, 100);
    assert_int_equal(pace_allow(&pace, 1), INT64_MAX);
    assert_int_equal(pace_at_once(&pace), 100);
    pace_slow(&pace);
    assert_int_equal(pace_at_once(&pace), 50);
    for (int i = 0; i < 20; i++)
        pace_slow(&pace);
    assert_int_equal(pace_at_once(&pace), 1);
    for (int i = 0; i < 200; i++)
        pace_ease(&pace);
    assert_int_equal(pace_at_once(&pace), 100);
    pace_close(&pace);
}

/* --- several engines at one CA --- */

#define ENGINES 4
#define SENDS 8000
#define AT_ONCE 6

/* One of them; `known` and `rank` are what its last heartbeat told. */
struct sender {
    bool joined, lost; /* lost: its session is gone, and it has not noticed yet */
    bool opened;
    int64_t opens_at, beats_at;
    int64_t claimed; /* and not sent: it is in the ledger that it may be */
    int known, rank;
    struct pace pace;
};

/* The CA, as it sees all of them, and the ledger's memory of it in whole seconds. */
struct ca {
    struct rate_limits limits;
    struct sender senders[ENGINES];
    int64_t at[SENDS], n[SENDS];
    size_t count;
};

static void look_around(struct ca *ca, size_t me, int64_t now)
{
    struct sender *s = &ca->senders[me];
    s->known = s->rank = 0;
    for (size_t i = 0; i < ENGINES; i++) {
        s->known += ca->senders[i].joined;
        s->rank += ca->senders[i].joined && i < me;
    }
    s->beats_at = now + draw(PACE_LEARN_MS);
}

/* Begins with everything that anybody sent, or may have. */
static void recall(struct ca *ca, struct sender *s, int64_t now)
{
    int64_t memory, may = 0;
    pace_open(&s->pace, &ca->limits, AT_ONCE);
    memory = pace_memory(&s->pace);
    pace_join(&s->pace, now - memory, s->known, s->rank);
    for (size_t i = 0; i < ca->count; i++) {
        int64_t ago = now / 1000 - ca->at[i] / 1000 - 1;
        if (ca->at[i] > now - memory - 1000)
            pace_recall(&s->pace, now - 1000 * (ago > 0 ? ago : 0), ca->n[i], true);
    }
    for (size_t i = 0; i < ENGINES; i++)
        may += ca->senders[i].claimed;

    pace_recall(&s->pace, now, may, false);
    s->opened = true;
}

static void join(struct ca *ca, size_t me, int64_t now)
{
    struct sender *s = &ca->senders[me];
    *s = (struct sender){.joined = true};
    look_around(ca, me, now);
    s->opens_at = s->known > 1 ? now + PACE_GRACE_MS : now;
}

/* Its end: nobody tells the others. One that lost its session sends on until it looks. */
static void leave(struct sender *s, bool lost)
{
    s->joined = false;
    s->lost = lost && s->opened;
    if (s->lost)
        return;
    if (s->opened)
        pace_close(&s->pace);
    *s = (struct sender){.joined = false};
}

static void send_some(struct ca *ca, struct sender *s, int64_t now)
{
    int64_t n = pace_allow(&s->pace, now);
    if (!s->lost && s->claimed == 0)
        s->claimed = n > 500 ? 500 : n;
    n = draw((n < s->claimed ? n : s->claimed) + 1);
    if (n == 0 || ca->count == SENDS)
        return;
    pace_take(&s->pace, n);
    s->claimed -= n;
    ca->at[ca->count] = now;
    ca->n[ca->count++] = n;
}

static void act(struct ca *ca, size_t me, int64_t now, int64_t come, bool quiet)
{
    struct sender *s = &ca->senders[me];
    if (s->lost && now >= s->beats_at)
        leave(s, false);
    if (!s->joined && !s->lost) {
        if (draw(come) == 0)
            join(ca, me, now);
        return;
    }
    if (!quiet && !s->lost && draw(300) == 0) {
        leave(s, draw(2) == 0);
        return;
    }
    if (!s->lost && now >= s->beats_at)
        look_around(ca, me, now);
    if (!s->opened && now >= s->opens_at)
        recall(ca, s, now);
    if (!s->opened)
        return;
    if (!s->lost)
        pace_share(&s->pace, now, s->known, s->rank);
    send_some(ca, s, now);
}

/* Of everything that arrived, the last at `at[count - 1]`. */
static void check_all_together(const struct ca *ca)
{
    const struct rate_limits *l = &ca->limits;
    int64_t now = ca->at[ca->count - 1], sum = 0;
    for (size_t i = ca->count; i-- > 0;) {
        int64_t ms = now - ca->at[i];
        sum += ca->n[i];
        for (size_t k = 0; k < l->window_count; k++)
            if (ms < l->windows[k].per * 1000 && sum > l->windows[k].count)
                fail_msg("at %lld: %lld within %lld ms", (long long)now, (long long)sum, (long long)ms);
        if (l->rate.count > 0 && sum > burst_of(l) + l->rate.count * ms / (l->rate.per * 1000))
            fail_msg("at %lld: %lld within %lld ms by the rate", (long long)now, (long long)sum,
                     (long long)ms);
    }
}

/* All parts of the limits have owners. */
static void check_complete(struct ca *ca, int64_t now)
{
    int64_t burst = 0, at_once = 0, windows[RATE_WINDOWS] = {0};
    for (size_t i = 0; i < ENGINES; i++) {
        struct pace *p = &ca->senders[i].pace;
        assert_true(ca->senders[i].opened);
        (void)pace_allow(p, now);
        burst += p->burst.ours;
        at_once += (int64_t)pace_at_once(p);
        for (size_t k = 0; k < ca->limits.window_count; k++)
            windows[k] += p->windows[k].count.ours;
        assert_int_equal(p->divisor, ENGINES);
    }
    assert_int_equal(burst, ca->limits.rate.count > 0 ? burst_of(&ca->limits) : 0);
    assert_int_equal(at_once, AT_ONCE);
    for (size_t k = 0; k < ca->limits.window_count; k++)
        assert_int_equal(windows[k], ca->limits.windows[k].count);
}

/* They come and go and die as they like, and at times nothing is to be done for long: the CA never sees more
 * than its limits, and when nobody comes and goes any more every part of them has an owner again. */
static void together_they_keep_to_the_limits(void **unused)
{
    (void)unused;
    static struct ca ca;
    for (int run = 0; run < 200; run++) {
        int64_t now = 1000000 + draw(1000), lively = 0, memory;
        struct pace any;
        ca = (struct ca){.limits = some_limits()};
        pace_open(&any, &ca.limits, AT_ONCE);
        memory = pace_memory(&any);
        for (int step = 0; step < 5000; step++) {
            size_t before = ca.count;
            bool jump = draw(100) == 0;
            now += jump ? memory + draw(2000) : draw(100);
            lively = jump ? now + 2000 : lively;
            act(&ca, (size_t)draw(ENGINES), now, now < lively ? 5 : 100, false);
            if (ca.count > before)
                check_all_together(&ca);
        }
        for (int64_t end = now + 20000 + 2 * memory; now < end; now += draw(100))
            act(&ca, (size_t)draw(ENGINES), now, 5, true);
        check_complete(&ca, now);
        for (size_t i = 0; i < ENGINES; i++)
            leave(&ca.senders[i], false);
    }
}

int main(void)
{
    state = 42;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_and_never_idle),
        cmocka_unit_test(it_says_when_to_come_again),
        cmocka_unit_test(the_narrowest_limit_says_what_goes_in_an_hour),
        cmocka_unit_test(time_that_runs_backwards_gives_nothing),
        cmocka_unit_test(a_ca_that_turns_away_is_sent_fewer_at_a_time),
        cmocka_unit_test(together_they_keep_to_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
