/* Do the shipped incidents hold the figures of their bugs, is what the planner gets of them even and
 * complete, and is a bad file refused? */
#include "massrevoke/incident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void shipped_ones_hold_the_figures_of_their_bugs(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        int64_t certificates;
        int hours;
    } wanted[] = {
        {"cfca-2024", 2098, 120}, {"digicert-2024", 83267, 24}, {"lets-encrypt-2020", 3048289, 120}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        AUTO_ARENA a = {0};
        struct incident incident;
        struct fault f = {0};
        if (!incident_read(NULL, wanted[i].name, &a, &incident, &f))
            fail_msg("%s", f.text);
        assert_string_equal(incident.name, wanted[i].name);
        assert_int_equal(incident.certificates, wanted[i].certificates);
        assert_int_equal(incident.rule.deadline.s, wanted[i].hours * 3600);
        assert_true(incident.rate.count > 0);
    }
}

static void the_input_is_even_and_complete(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct rate rate = {1, 1};
    struct incident incident = {
        .certificates = 1000, .subscribers = 40, .issuers = 3, .riskiest = 10, .replaced = 100, .rate = rate};
    struct plan_input in = incident_input(&incident, &rate, (struct utc){0}, &a);
    size_t per_subscriber[40] = {0}, per_issuer[3] = {0}, turns[CLASS_COUNT] = {0};
    for (size_t i = 0; i < in.certificate_count; i++) {
        per_subscriber[in.certificates[i].subscriber]++;
        per_issuer[in.certificates[i].issuer]++;
        turns[in.certificates[i].turn]++;
        assert_int_equal(in.certificates[i].number, i);
        assert_true(in.certificates[i].shard < in.shard_count);
    }
    assert_int_equal(in.certificate_count, 1000);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(per_subscriber[i], 25);
    for (size_t i = 0; i < 3; i++)
        assert_in_range(per_issuer[i], 333, 334);
    assert_int_equal(turns[CLASS_RISKIEST], 10);
    assert_int_equal(turns[CLASS_REPLACED], 100);
}

/* One file for all cases: what stands in it, and a word of the complaint. */
static void bad_files_are_refused_with_every_problem(void **unused)
{
    (void)unused;
    static const char good[] =
        "version = 1; name = \"x\"; title = \"x\"; source = \"x\"; rule = \"4.9.1.1-12\"; "
        "received = \"2026-01-01T00:00Z\"; rate = \"1/s\"; ";
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"certificates = 10; subscribers = 11;", "subscribers: more than"},
        {"certificates = 10; subscribers = 2; issuers = 3;", "issuers: more than"},
        {"certificates = 10; subscribers = 2; riskiest = 6; replaced = 5;", "replaced: with the riskiest"},
        {"certificates = 10;", "subscribers"},
        {"certificates = 10; subscribers = 2; sorrows = 1;", "sorrows"},
        {"certificates = 0; subscribers = 2;", "certificates"},
    };
    char folder[] = "/tmp/incident-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/bad.cfg", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA a = {0};
        struct incident incident;
        struct fault f = {0};
        FILE *file = fopen(path, "w");
        fprintf(file, "%s%s\n", good, cases[i].text);
        fclose(file);
        assert_false(incident_read(NULL, path, &a, &incident, &f));
        assert_int_equal(f.kind, FAULT_CONFIG);
        if (strstr(f.text, cases[i].complaint) == NULL)
            fail_msg("'%s' instead of '%s'", f.text, cases[i].complaint);
    }
    struct fault f = {0};
    AUTO_ARENA a = {0};
    struct incident incident;
    assert_false(incident_read(NULL, "lets-encrpyt-2020", &a, &incident, &f));
    assert_non_null(strstr(f.text, "did you mean lets-encrypt-2020"));
    remove(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_ones_hold_the_figures_of_their_bugs),
        cmocka_unit_test(the_input_is_even_and_complete),
        cmocka_unit_test(bad_files_are_refused_with_every_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
