/* Does the engine come to the same end wherever it is killed? It dies before and after the n-th call of its
 * CA's door and of each statement that commits, for every n, until a run survives; a second engine then
 * finishes. */
#include "../lib/campaign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROFILE "immediate"
#define CERTIFICATES 40
#define CHUNK_RATE ((struct rate){1, 1}) /* chunks of ten */

/* Counts down to the death of this process. */
static int fuse;

static void burn(void)
{
    if (--fuse == 0)
        _exit(9);
}

/* A door that dies before and after what the door behind it does. */
struct mortal {
    struct ca_door door;
    struct ca_door *inner;
};

static struct ca_door *inner_of(struct ca_door *d)
{
    struct ca_door *inner = ((struct mortal *)d)->inner;
    inner->answer = d->answer;
    inner->answer_context = d->answer_context;
    return inner;
}

static bool mortal_revoke(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    burn();
    struct ca_door *inner = inner_of(d);
    bool ok = inner->ops->revoke(inner, items, n, f);
    burn();
    return ok;
}

static bool mortal_status(struct ca_door *d, const struct ca_item *items, size_t n, struct fault *f)
{
    burn();
    struct ca_door *inner = inner_of(d);
    bool ok = inner->ops->status(inner, items, n, f);
    burn();
    return ok;
}

static bool mortal_step(struct ca_door *d, bool *busy, struct fault *f)
{
    burn();
    struct ca_door *inner = inner_of(d);
    bool ok = inner->ops->step(inner, busy, f);
    burn();
    return ok;
}

static bool mortal_publish(struct ca_door *d, uint16_t issuer, struct utc now, struct fault *f)
{
    burn();
    struct ca_door *inner = inner_of(d);
    bool ok = inner->ops->publish(inner, issuer, now, f);
    burn();
    return ok;
}

static const struct ca_door_ops mortal_ops = {
    .revoke = mortal_revoke, .status = mortal_status, .step = mortal_step, .publish = mortal_publish};

/* Only statements that change something: a death around a mere question is the death after the last change.
 */
static void mortal_commit(void *context, const char *query, bool after)
{
    static const char *const commits[] = {"engine_begin",    "queue_",   "sight",
                                          "object_part_put", "log_note", "hold_rel"};
    (void)context, (void)after;
    for (size_t i = 0; i < sizeof commits / sizeof *commits; i++)
        if (strncmp(query, commits[i], strlen(commits[i])) == 0 && strcmp(query, "queue_next") != 0)
            burn();
}

/* Runs an engine to its end; with a fuse it dies on the way. */
static enum engine_state run_engine(struct world *w, int campaign, const char *name, int fuse_length)
{
    struct world_run run;
    struct fault f = {0};
    struct engine *e;
    struct engine_report last;
    world_open(w, campaign, name, PROFILE, &run);
    struct mortal mortal = {.door = *run.door, .inner = run.door};
    mortal.door.ops = &mortal_ops;
    fuse = fuse_length;
    if (fuse > 0) {
        run.ca.door = &mortal.door;
        store_hook(run.parts.store, mortal_commit, NULL);
    }
    assert_true(engine_open(&run.parts, &e, &f));
    enum engine_state state = world_finish(w, e, &last);
    engine_close(e);
    world_close(&run);
    return state;
}

/* True when the child survived: it needed fewer steps than its fuse is long. */
static bool run_mortal(struct world *w, int campaign, const char *name, int fuse_length)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run_engine(w, campaign, name, fuse_length) == ENGINE_LEFT ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9);
    return WEXITSTATUS(status) == 0;
}

static void ignore_answers(void *context, const struct ca_answer *answers, size_t count)
{
    (void)context, (void)answers, (void)count;
}

/* One certificate is unknown to the CA, one was revoked long before, two neighbours are not in the list. */
static void make_world(struct world *w)
{
    struct fault f = {0};
    struct world_run run;
    bool busy;
    world_make(w, CERTIFICATES, CHUNK_RATE);
    w->key_count -= 2;
    w->keys[w->key_count - 1].serial = (struct serial){.n = 5, .bytes = {9, 9, 9, 9, 9}};
    world_open(w, 0, "", PROFILE, &run);
    struct ca_item before = {.serial = w->keys[3].serial, .reason = REASON_KEY_COMPROMISE};
    *w->now = utc_add(world_begin(), (struct span){-5000});
    run.door->answer = ignore_answers;
    assert_true(run.door->ops->revoke(run.door, &before, 1, &f));
    assert_true(run.door->ops->step(run.door, &busy, &f));
    world_close(&run);
    world_keep(w);
    world_reset(w);
}

/* What every run must come to. */
struct truth {
    const char *pages, *revoked;
};

static void check(struct world *w, int campaign, const struct truth *truth, const char *at_death)
{
    const char *index = world_index(w);
    assert_string_equal(world_pages(w, campaign), truth->pages);
    assert_string_equal(world_revoked(w, index), truth->revoked);
    assert_true(world_keeps_dates(w, at_death, index));
    assert_string_equal(world_wrong(w, campaign), "");
}

static struct truth undisturbed(struct world *w)
{
    int campaign = world_campaign(w, "undisturbed", PROFILE);
    assert_int_equal(run_engine(w, campaign, "undisturbed", 0), ENGINE_LEFT);
    struct truth truth = {world_pages(w, campaign), world_revoked(w, world_index(w))};
    check(w, campaign, &truth, arena_copy(&w->arena, w->index.p, w->index.n));
    int rows = 0;
    for (const char *p = truth.revoked; *p != '\0'; p++)
        rows += *p == '\n';
    assert_int_equal(rows,
                     CERTIFICATES - 3); /* two neighbours and one that the unknown serial took the place of */
    return truth;
}

static void test_death_at_every_step(void **state)
{
    struct world w = {0};
    (void)state;
    make_world(&w);
    struct truth truth = undisturbed(&w);
    int n = 1;
    for (bool survived = false; !survived; n++) {
        char name[24];
        snprintf(name, sizeof name, "death-%d", n);
        world_reset(&w);
        int campaign = world_campaign(&w, name, PROFILE);
        survived = run_mortal(&w, campaign, name, n);
        const char *at_death = world_index(&w);
        assert_int_equal(run_engine(&w, campaign, name, 0), ENGINE_LEFT);
        check(&w, campaign, &truth, at_death);
    }
    print_message("%d deaths\n", n - 2);
    assert_true(n > 40); /* four chunks with six commits and four calls each, and publishing */
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_death_at_every_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
