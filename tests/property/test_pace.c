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
        pace_open(&pace, &limits);
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
        pace_open(&pace, &limits);
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
    pace_open(&pace, &limits);
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
        pace_open(&pace, limits[i]);
        assert_int_equal(pace_within(&pace, 3600000), expected[i]);
        pace_close(&pace);
    }
}

static void a_ca_that_turns_away_is_sent_fewer_at_a_time(void **unused)
{
    (void)unused;
    struct rate_limits none = {.window_count = 0};
    struct pace pace;
    pace_open(&pace, &none);
    assert_int_equal(pace_allow(&pace, 1), INT64_MAX);
    assert_int_equal(pace_concurrency(&pace, 100), 100);
    pace_slow(&pace);
    assert_int_equal(pace_concurrency(&pace, 100), 50);
    for (int i = 0; i < 20; i++)
        pace_slow(&pace);
    assert_int_equal(pace_concurrency(&pace, 100), 1);
    for (int i = 0; i < 200; i++)
        pace_ease(&pace);
    assert_int_equal(pace_concurrency(&pace, 100), 100);
    pace_close(&pace);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
