#include "ca_list.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define EARLIER INT64_C(1767225600) /* 2026-01-01, before every request of a test */

static struct ca_list *list;
static struct ca_door *door;
static struct ca_answer answers[64];
static size_t count;

static void collect(void *context, const struct ca_answer *all, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        assert_true(count < sizeof answers / sizeof *answers);
        answers[count++] = all[i];
    }
}

static void reopen(void)
{
    struct fault f = {0};
    ca_close(door);
    door = NULL;
    if (!list->open(&door, &f))
        fail_msg("%s", f.text);
    door->answer = collect;
}

static int begin(void **state)
{
    *state = list;
    list->reset();
    reopen();
    return 0;
}

static int end(void **state)
{
    (void)state;
    ca_close(door);
    door = NULL;
    return 0;
}

/* --- helpers --- */

static struct ca_item item(size_t i, enum reason reason)
{
    return (struct ca_item){
        .number = (uint32_t)i, .issuer = CA_LIST_ISSUER, .serial = list->serials[i], .reason = reason};
}

/* Steps as the engine does: only when the descriptor says so. */
static bool settle(struct fault *f)
{
    bool busy = true, ok = true;
    for (int i = 0; ok && busy; i++) {
        assert_true(i < 100000);
        ca_wait(door, 30000);
        ok = door->ops->step(door, &busy, f);
    }
    return ok;
}

static bool send_all(const struct ca_item *items, size_t n, struct fault *f)
{
    count = 0;
    *f = (struct fault){0};
    return door->ops->revoke(door, items, n, f) && settle(f);
}

static bool ask_all(const struct ca_item *items, size_t n, struct fault *f)
{
    count = 0;
    *f = (struct fault){0};
    return door->ops->status(door, items, n, f) && settle(f);
}

static const struct ca_answer *answer_to(uint32_t number)
{
    const struct ca_answer *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (answers[i].number == number) {
            assert_null(found); /* one answer each */
            found = &answers[i];
        }
    assert_non_null(found);
    return found;
}

static void expect(uint32_t number, enum ca_outcome outcome)
{
    const struct ca_answer *a = answer_to(number);
    if (a->outcome != outcome)
        fail_msg("%s: certificate %u: outcome %d instead of %d: %s", list->name, number, a->outcome, outcome,
                 a->text);
}

static void must_revoke(size_t i, enum reason reason)
{
    struct fault f;
    struct ca_item one = item(i, reason);
    if (!send_all(&one, 1, &f))
        fail_msg("%s: %s", list->name, f.text);
    expect((uint32_t)i, CA_REVOKED_NOW);
}

/* What the record says must be this. */
static void expect_row(size_t i, bool revoked, int reason)
{
    struct ca_list_row row = list->row(&list->serials[i]);
    if (row.revoked != revoked)
        fail_msg("%s: certificate %zu is %srevoked", list->name, i, row.revoked ? "" : "not ");
    if (revoked && row.reason >= 0)
        assert_int_equal(row.reason, reason);
}

/* A reason that every backend of the list can express. */
static enum reason usual(void)
{
    return (door->facts.reasons >> REASON_SUPERSEDED & 1) != 0 ? REASON_SUPERSEDED : REASON_UNSPECIFIED;
}

static enum reason other(void)
{
    return (door->facts.reasons >> REASON_CESSATION_OF_OPERATION & 1) != 0 ? REASON_CESSATION_OF_OPERATION
                                                                           : REASON_UNSPECIFIED;
}

#define NEEDS(what)                                                                                          \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            print_message("%s: passed over, it has no such thing: %s\n", list->name, #what);                 \
            skip();                                                                                          \
        }                                                                                                    \
    } while (0)

/* --- the list --- */

static void facts_are_honest(void **state)
{
    (void)state;
    assert_int_equal(door->facts.reasons, list->reasons);
    assert_int_equal(door->facts.keeps_first_date, list->keeps_first_date);
    assert_int_equal(door->facts.tells_status, list->tells_status);
    assert_non_null(door->facts.name);
    assert_true(!list->needs_quiet || door->facts.quiet.s >= 10);
    assert_true(door->facts.rate.count > 0);
}

static void every_form_of_serial(void **state)
{
    (void)state;
    struct ca_item items[CA_LIST_COUNT];
    struct fault f;
    int64_t before = list->now().s;
    enum reason reason = usual();
    for (size_t i = 0; i < list->count; i++)
        items[i] = item(i, reason);
    if (!send_all(items, list->count - 1, &f))
        fail_msg("%s: %s", list->name, f.text);
    assert_int_equal(count, list->count - 1);
    for (size_t i = 0; i + 1 < list->count; i++) {
        expect((uint32_t)i, CA_REVOKED_NOW);
        expect_row(i, true, (int)reason);
        struct ca_list_row row = list->row(&list->serials[i]);
        assert_true(row.at == 0 || (row.at >= before - 5 && row.at <= list->now().s + 5));
    }
    expect_row(list->count - 1, false, -1); /* nobody else was touched */
}

static void every_reason(void **state)
{
    (void)state;
    for (int code = 0; code <= 10; code++) {
        struct fault f;
        struct ca_item one = item((size_t)code % list->count, (enum reason)code);
        bool can = (door->facts.reasons >> code & 1) != 0;
        if ((size_t)code >= list->count)
            list->reset();
        if (!send_all(&one, 1, &f))
            fail_msg("%s: reason %d: %s", list->name, code, f.text);
        expect(one.number, can ? CA_REVOKED_NOW : CA_PERSON);
        expect_row(one.number, can, code);
    }
}

static void unknown_to_the_ca(void **state)
{
    (void)state;
    NEEDS(list->tells_unknown);
    struct fault f;
    struct ca_item nobody = item(2, usual());
    nobody.serial.bytes[1] ^= 0x55;
    if (!send_all(&nobody, 1, &f))
        fail_msg("%s", f.text);
    expect(2, CA_UNKNOWN);
    expect_row(2, false, -1);
    if (!list->tells_status)
        return;
    if (!ask_all(&nobody, 1, &f))
        fail_msg("%s", f.text);
    expect(2, list->vague_status ? CA_ASK : CA_UNKNOWN);
}

static void what_the_status_says(void **state)
{
    (void)state;
    struct fault f;
    struct ca_item two[] = {item(0, usual()), item(1, usual())};
    if (!list->tells_status) {
        assert_false(door->ops->status(door, two, 2, &f));
        assert_int_equal(f.kind, FAULT_REFUSED);
        return;
    }
    NEEDS(list->revoke != NULL);
    int64_t at = list->revoke(&list->serials[1], EARLIER, other());
    if (!ask_all(two, 2, &f))
        fail_msg("%s", f.text);
    expect(0, CA_NOT_REVOKED);
    expect(1, CA_REVOKED_BEFORE);
    assert_int_equal(answer_to(1)->at.s, list->tells_no_date ? UTC_NONE.s : at);
    assert_true(answer_to(1)->reason == (int)other() || answer_to(1)->reason == -1);
}

/* With the same and with another reason: the first date and reason stand, or the status tells of them. */
static void already_revoked(void **state)
{
    (void)state;
    NEEDS(list->revoke != NULL);
    struct fault f;
    struct ca_item two[] = {item(0, usual()), item(1, usual())};
    NEEDS(list->keeps_first_date);
    (void)list->revoke(&list->serials[0], EARLIER, usual());
    (void)list->revoke(&list->serials[1], EARLIER, other());
    struct ca_list_row was[] = {list->row(&list->serials[0]), list->row(&list->serials[1])};
    if (!send_all(two, 2, &f))
        fail_msg("%s", f.text);
    for (uint32_t i = 0; i < 2; i++) {
        expect(i, CA_REVOKED_BEFORE);
        struct ca_list_row row = list->row(&list->serials[i]);
        assert_int_equal(row.at, was[i].at);
        assert_int_equal(row.reason, was[i].reason);
        assert_true(!utc_is_set(answer_to(i)->at) || answer_to(i)->at.s == was[i].at);
    }
}

static void twice_in_one_batch(void **state)
{
    (void)state;
    NEEDS(list->keeps_first_date);
    struct fault f;
    struct ca_item two[] = {item(0, usual()), item(0, usual())};
    two[1].number = 1;
    if (!send_all(two, 2, &f))
        fail_msg("%s", f.text);
    assert_int_equal(count, 2);
    size_t now = 0, before = 0;
    for (uint32_t i = 0; i < 2; i++) {
        now += answer_to(i)->outcome == CA_REVOKED_NOW;
        before += answer_to(i)->outcome == CA_REVOKED_BEFORE;
    }
    assert_true(now > 0 && ((now == 1 && before == 1) || list->races)); /* in either order */
    expect_row(0, true, (int)usual());
}

/* The date of a compromise stands in the entry, and later requests do not move it. */
static void a_named_date_is_recorded(void **state)
{
    (void)state;
    NEEDS(door->facts.takes_date);
    struct fault f;
    struct utc date = {list->now().s - 86400};
    struct ca_item two[] = {item(0, REASON_KEY_COMPROMISE), item(1, usual())};
    two[0].date = date;
    if (!send_all(two, 2, &f))
        fail_msg("%s: %s", list->name, f.text);
    expect(0, CA_REVOKED_NOW);
    expect(1, CA_REVOKED_NOW);
    assert_int_equal(answer_to(0)->at.s, date.s);
    expect_row(0, true, REASON_KEY_COMPROMISE);
    assert_int_equal(list->row(&list->serials[0]).at, date.s);
    assert_true(list->row(&list->serials[1]).at > date.s);
}

/* What is revoked gets another reason and keeps its date; what is not, or not known, is left alone. */
static void a_reason_changes_and_its_date_stays(void **state)
{
    (void)state;
    NEEDS((door->facts.changes >> REASON_KEY_COMPROMISE & 1) != 0);
    struct fault f;
    must_revoke(0, usual());
    must_revoke(1, usual());
    int64_t was = list->row(&list->serials[0]).at;
    struct utc date = {was - 86400};
    struct ca_item all[] = {item(0, REASON_KEY_COMPROMISE), item(1, REASON_KEY_COMPROMISE),
                            item(2, REASON_KEY_COMPROMISE), item(3, REASON_KEY_COMPROMISE)};
    all[3].serial.bytes[0] ^= 1; /* nobody's */
    all[1].date = date;
    for (size_t i = 0; i < 4; i++)
        all[i].change = true;
    for (int turn = 0; turn < 2; turn++) { /* idempotent: what is in doubt is simply sent again */
        if (!send_all(all, 4, &f))
            fail_msg("%s: %s", list->name, f.text);
        for (uint32_t i = 0; i < 2; i++) {
            expect(i, turn == 0 ? CA_REVOKED_NOW : CA_REVOKED_BEFORE);
            assert_int_equal(answer_to(i)->at.s, i == 0 ? was : date.s);
            assert_int_equal(answer_to(i)->reason, REASON_KEY_COMPROMISE);
            expect_row(i, true, REASON_KEY_COMPROMISE);
            assert_int_equal(list->row(&list->serials[i]).at, i == 0 ? was : date.s);
        }
        expect(2, CA_NOT_REVOKED);
        expect_row(2, false, -1);
        expect(3, CA_UNKNOWN);
    }
}

static void a_foreign_issuer_is_refused(void **state)
{
    (void)state;
    struct fault f;
    struct ca_item two[] = {item(0, usual()), item(1, usual())};
    for (int step = -1; step <= 1; step += 2) {
        two[1].issuer = (uint16_t)(CA_LIST_ISSUER + step);
        assert_false(send_all(two, 2, &f));
        assert_int_equal(f.kind, FAULT_REFUSED);
    }
    bool busy = true;
    assert_true(door->ops->step(door, &busy, &f));
    assert_false(busy);
    assert_int_equal(count, 0);
    expect_row(0, false, -1);
    expect_row(1, false, -1);
}

struct gate {
    bool shut;
    int asked;
};

static bool is_open(void *context, uint32_t number)
{
    struct gate *gate = context;
    assert_true(number < 2);
    gate->asked++;
    return !gate->shut;
}

/* The door asks right before, whatever had to go before the request; questions revoke nothing. */
static void what_may_not_leave_comes_back(void **state)
{
    (void)state;
    struct gate gate = {.shut = true};
    struct fault f;
    struct ca_item two[] = {item(0, usual()), item(1, usual())};
    door->may_leave = is_open;
    door->may_leave_context = &gate;
    if (!send_all(two, 2, &f))
        fail_msg("%s: %s", list->name, f.text);
    assert_int_equal(count, 2);
    assert_true(gate.asked > 0);
    for (uint32_t i = 0; i < 2; i++) {
        expect(i, CA_WAIT);
        assert_true(answer_to(i)->withheld && !answer_to(i)->refused);
        expect_row(i, false, -1);
    }
    if (list->tells_status) { /* asked in the same breath, and maybe in the same pass */
        count = 0;
        assert_true(door->ops->revoke(door, &two[0], 1, &f) && door->ops->status(door, &two[1], 1, &f));
        two[1].serial = two[0].serial;
        two[1].number = 1;
        assert_true(door->ops->status(door, &two[1], 1, &f) && settle(&f));
        for (size_t i = 0; i < count; i++)
            assert_true(answers[i].outcome == CA_WAIT || answers[i].outcome == CA_NOT_REVOKED);
        two[1] = item(1, usual());
    }
    gate.asked = 0;
    if (list->tells_status && !ask_all(two, 2, &f))
        fail_msg("%s: %s", list->name, f.text);
    assert_int_equal(gate.asked, 0);
    gate.shut = false;
    if (!send_all(two, 2, &f))
        fail_msg("%s: %s", list->name, f.text);
    for (uint32_t i = 0; i < 2; i++) {
        expect(i, CA_REVOKED_NOW);
        assert_false(answer_to(i)->withheld);
        expect_row(i, true, (int)usual());
    }
    assert_true(gate.asked >= 2);
}

/* Where neither holds only CRL and OCSP can tell (the engine's business). */
static bool can_find_out(void)
{
    return list->tells_status || list->keeps_first_date;
}

/* What is known of a certificate that was asked for before, by the way this backend has. */
static void find_out(size_t i)
{
    struct fault f;
    struct ca_item one = item(i, usual());
    if (list->tells_status ? !ask_all(&one, 1, &f) : !send_all(&one, 1, &f))
        fail_msg("%s: %s", list->name, f.text);
}

/* Asks for certificate i and loses the answer; was it executed? */
static bool lose_one(size_t i)
{
    struct fault f;
    struct ca_item one = item(i, usual());
    must_revoke(0, usual()); /* whatever is kept open is open now */
    list->lose_answers(true);
    (void)!send_all(&one, 1, &f);
    list->lose_answers(false);
    assert_int_equal(count, 1);
    expect((uint32_t)i, CA_ASK);
    for (int k = 0; k < 100 && !list->row(&list->serials[i]).revoked; k++)
        poll(NULL, 0, 20);
    return list->row(&list->serials[i]).revoked;
}

static void an_answer_is_lost(void **state)
{
    (void)state;
    NEEDS(list->lose_answers != NULL);
    size_t i = 1;
    while (!lose_one(i) && list->refuses && i + 1 < list->count) {
        i++;
        list->reset();
    }
    expect_row(i, true, (int)usual());
    struct ca_list_row was = list->row(&list->serials[i]);
    if (!can_find_out())
        return;
    find_out(i);
    expect((uint32_t)i, CA_REVOKED_BEFORE);
    assert_int_equal(list->row(&list->serials[i]).at, was.at);
}

/* The status says "not revoked", and then the old request arrives: only the quiet time helps. */
static void an_old_request_runs_after_the_question(void **state)
{
    (void)state;
    NEEDS(list->tells_status && list->revoke != NULL);
    struct fault f;
    struct ca_item one = item(3, usual());
    if (!ask_all(&one, 1, &f))
        fail_msg("%s", f.text);
    expect(3, CA_NOT_REVOKED);
    int64_t at = list->revoke(&list->serials[3], EARLIER, usual());
    if (list->keeps_first_date) {
        if (!send_all(&one, 1, &f))
            fail_msg("%s", f.text);
        expect(3, CA_REVOKED_BEFORE);
    }
    if (!ask_all(&one, 1, &f))
        fail_msg("%s", f.text);
    expect(3, CA_REVOKED_BEFORE);
    assert_int_equal(answer_to(3)->at.s, list->tells_no_date ? UTC_NONE.s : at);
}

/* Answers of a batch against the record: "now" is revoked, "wait" is not. */
static void agree(size_t n)
{
    assert_int_equal(count, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct ca_answer *a = answer_to(i);
        bool revoked = list->row(&list->serials[i]).revoked;
        if (a->outcome == CA_REVOKED_NOW)
            assert_true(revoked);
        else if (a->outcome == CA_WAIT)
            assert_false(revoked);
        else
            assert_int_equal(a->outcome, CA_ASK);
    }
}

/* After trouble: what is not surely revoked is asked about or sent again; first dates stand. */
static void finish(size_t n)
{
    if (!can_find_out())
        return;
    struct ca_item items[CA_LIST_COUNT];
    struct ca_list_row was[CA_LIST_COUNT];
    struct fault f;
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        was[i] = list->row(&list->serials[i]);
        items[i] = item(i, usual());
    }
    if (list->tells_status) {
        if (!ask_all(items, n, &f))
            fail_msg("%s", f.text);
        for (uint32_t i = 0; i < n; i++) {
            expect(i, was[i].revoked ? CA_REVOKED_BEFORE : CA_NOT_REVOKED);
            if (!was[i].revoked)
                items[left++] = item(i, usual());
        }
    } else {
        left = n;
    }
    if (!send_all(items, left, &f))
        fail_msg("%s", f.text);
    for (size_t i = 0; i < n; i++) {
        struct ca_list_row row = list->row(&list->serials[i]);
        assert_true(row.revoked);
        if (was[i].revoked)
            assert_int_equal(row.at, was[i].at);
    }
}

static void killed_and_restarted(void **state)
{
    (void)state;
    NEEDS(list->kill != NULL);
    struct ca_item items[CA_LIST_COUNT];
    struct fault f;
    size_t n = list->count;
    for (size_t i = 0; i < n; i++)
        items[i] = item(i, usual());
    must_revoke(0, usual());
    list->kill();
    assert_false(send_all(items + 1, n - 1, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_int_equal(count, n - 1);
    for (uint32_t i = 1; i < n; i++)
        assert_true(answer_to(i)->outcome == CA_WAIT || answer_to(i)->outcome == CA_ASK);
    list->start();
    for (uint32_t i = 1; i < n; i++)
        if (answer_to(i)->outcome == CA_WAIT)
            expect_row(i, false, -1);
    finish(n);
}

static void killed_in_the_middle(void **state)
{
    (void)state;
    NEEDS(list->kill != NULL);
    struct ca_item items[CA_LIST_COUNT];
    struct fault f = {0};
    bool busy = true;
    for (size_t i = 0; i < list->count; i++)
        items[i] = item(i, usual());
    count = 0;
    assert_true(door->ops->revoke(door, items, list->count, &f));
    for (int i = 0; i < 4 && busy; i++) {
        ca_wait(door, 1000);
        assert_true(door->ops->step(door, &busy, &f));
    }
    list->kill();
    if (busy) /* else there is nothing to wait for */
        (void)!settle(&f);
    list->start();
    agree(list->count);
    finish(list->count);
}

static void ours_restarts_in_the_middle(void **state)
{
    (void)state;
    struct ca_item items[CA_LIST_COUNT];
    struct fault f = {0};
    bool busy = true;
    for (size_t i = 0; i < list->count; i++)
        items[i] = item(i, usual());
    count = 0;
    assert_true(door->ops->revoke(door, items, list->count, &f));
    for (int i = 0; i < 3 && busy; i++) {
        ca_wait(door, 1000);
        assert_true(door->ops->step(door, &busy, &f));
    }
    reopen();
    poll(NULL, 0, 300); /* the quiet time, in small: what was under way has arrived */
    finish(list->count);
}

static void odd_answers(void **state)
{
    (void)state;
    NEEDS(list->odd != NULL);
    static const char *const names[] = {"busy", "away", "slow", "garbage", "refused"};
    for (int odd = 0; odd < CA_LIST_ODD_COUNT; odd++) {
        struct fault f;
        struct ca_item two[] = {item(0, usual()), item(1, usual())};
        list->reset();
        reopen();
        enum ca_outcome outcome = list->odd((enum ca_list_odd)odd);
        if (outcome == CA_OUTCOME_COUNT) {
            print_message("%s: passed over, it has no such thing: %s\n", list->name, names[odd]);
            continue;
        }
        bool ok = send_all(two, 1, &f);
        assert_int_equal(count, 1);
        if (answer_to(0)->outcome != outcome)
            fail_msg("%s: %s: outcome %d instead of %d: %s", list->name, names[odd], answer_to(0)->outcome,
                     outcome, answer_to(0)->text);
        if (outcome == CA_WAIT) {
            assert_false(ok);
            assert_int_equal(f.kind, odd == CA_LIST_REFUSED ? FAULT_CONFIG : FAULT_UNAVAILABLE);
        }
        for (const char *p = answer_to(0)->text; *p != '\0'; p++)
            assert_true(*p >= ' ' && *p < 0x7f);
        if (outcome == CA_WAIT)
            expect_row(0, false, -1);
        list->reset();
        reopen();
        must_revoke(1, usual());
    }
}

/* Before the first and behind the last answer the descriptor is silent: an engine may sleep on it. */
static void the_descriptor_is_honest(void **state)
{
    (void)state;
    NEEDS(door->fd >= 0);
    struct pollfd p = {.fd = door->fd, .events = POLLIN};
    struct fault f = {0};
    assert_int_equal(poll(&p, 1, 0), 0);
    must_revoke(0, usual());
    bool busy = true;
    for (int i = 0; i < 3 && poll(&p, 1, 0) == 1; i++)
        assert_true(door->ops->step(door, &busy, &f));
    assert_int_equal(poll(&p, 1, 0), 0);
}

void ca_list_serials(struct serial *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct serial){.n = i == 2 ? SERIAL_MAX : 16};
        for (size_t k = 0; k < out[i].n; k++)
            out[i].bytes[k] = (uint8_t)(0x11 + 37 * k + 11 * i);
        out[i].bytes[0] = i == 0 ? 0x9A : i == 1 ? 0x0B : i == 2 ? 0x7F : 0x31;
    }
}

int ca_list_run(struct ca_list *of)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        EACH(facts_are_honest),
        EACH(every_form_of_serial),
        EACH(every_reason),
        EACH(unknown_to_the_ca),
        EACH(what_the_status_says),
        EACH(already_revoked),
        EACH(twice_in_one_batch),
        EACH(a_named_date_is_recorded),
        EACH(a_reason_changes_and_its_date_stays),
        EACH(a_foreign_issuer_is_refused),
        EACH(what_may_not_leave_comes_back),
        EACH(an_answer_is_lost),
        EACH(an_old_request_runs_after_the_question),
        EACH(killed_and_restarted),
        EACH(killed_in_the_middle),
        EACH(ours_restarts_in_the_middle),
        EACH(odd_answers),
        EACH(the_descriptor_is_honest),
    };
    list = of;
    return cmocka_run_group_tests_name(of->name, tests, NULL, NULL);
}

bool ca_list_publish(struct ca_door *of, struct utc now, struct fault *f)
{
    bool ok;
    do
        ok = of->ops->publish(of, CA_LIST_ISSUER, now, f);
    while (ok && of->publishing);
    return ok;
}
