/* Are the profiles of command lines and databases sound, is a dangerous one refused, and does a line mean
 * what the rows say? */
#include "massrevoke/backend_exec.h"
#include "massrevoke/backend_sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/massrevoke-exec-XXXXXX.cfg";

static int make(void **unused)
{
    (void)unused;
    int fd = mkstemps(path, 4);
    return fd < 0 || close(fd) != 0;
}

static int unmake(void **unused)
{
    (void)unused;
    return unlink(path);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#define REASONS "reasons = ( { reason = \"superseded\"; word = \"4\"; } ); "
#define EXEC                                                                                                 \
    "version = 1; interface = \"exec\"; name = \"x\"; keeps_first_date = false; quiet = \"9s\"; batch = 2; " \
    "serial = \"{serial.hex}\"; " REASONS
#define CALL(keys) "revoke = { arguments = [ \"{reason.name}\" ]; " keys " };"
#define SQL                                                                                                  \
    "version = 1; interface = \"sql\"; name = \"x\"; quiet = \"9s\"; batch = 2; serial = "                   \
    "\"{serial.hex}\"; " REASONS

static const char *const refused_exec[][2] = {
    {EXEC CALL("exits = ( { code = 1; outcome = \"revoked\"; } );"),
     "an exit code can only say revoked (0 only"},
    {EXEC CALL("exits = ( { code = 0; to = 3; outcome = \"revoked\"; } );"), "an exit code can only say"},
    {EXEC CALL("exits = ( { code = 4; to = 3; outcome = \"ask\"; } );"), "is below `code`"},
    {EXEC CALL("lines = ( { contains = \"ok\"; outcome = \"revoked\"; } );"), "without a serial (`before`)"},
    {EXEC CALL("lines = ( { outcome = \"ask\"; } );"), "give `before`, `contains` or both"},
    {EXEC CALL("lines = ( { before = \"x\"; outcome = \"not_revoked\"; } );"), "only a status can say"},
    {EXEC CALL("input = false;"), "here by neither"},
    {EXEC CALL("tabs = true; errors = true;"), "with `tabs` there is nothing"},
    {EXEC "revoke = { arguments = [ \"{serial.hex}\" ]; };", "arguments take {serials}"},
    {EXEC "revoke = { arguments = [ \"x\" ]; };", "revoke sends no reason"},
    {SQL CALL(""), "interface: unknown value 'sql'"},
};

static const char *const refused_sql[][2] = {
    {SQL "revoke = \"UPDATE t SET r = $3, d = $4 WHERE a = $1 AND s = ANY ($2)\"; status = \"$1 $2\";",
     "expected RETURNING in it"},
    {SQL "revoke = \"UPDATE t SET r = $3 WHERE a = $1 AND s = ANY ($2) RETURNING s\"; status = \"$1 $2\";",
     "$4 is missing"},
    {SQL
     "revoke = \"UPDATE t SET r = $3, d = $4 WHERE a = $1 AND s = ANY ($2) RETURNING s\"; status = \"$1\";",
     "$2 is missing"},
    {SQL "revoke = \"DELETE FROM t WHERE $1 $2 $3 $4 RETURNING s\"; status = \"$1 $2\";",
     "expected UPDATE in it"},
    {EXEC CALL(""), "interface: unknown value 'exec'"},
};

static void dangerous_profiles_are_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof refused_exec / sizeof *refused_exec; i++) {
        AUTO_ARENA a = {0};
        struct backend_exec b;
        struct fault f;
        write_text(refused_exec[i][0]);
        assert_false(backend_exec_read(NULL, path, &a, &b, &f));
        if (strstr(f.text, refused_exec[i][1]) == NULL)
            fail_msg("%zu: %s", i, f.text);
    }
    for (size_t i = 0; i < sizeof refused_sql / sizeof *refused_sql; i++) {
        AUTO_ARENA a = {0};
        struct backend_sql b;
        struct fault f;
        write_text(refused_sql[i][0]);
        assert_false(backend_sql_read(NULL, path, &a, &b, &f));
        if (strstr(f.text, refused_sql[i][1]) == NULL)
            fail_msg("%zu: %s", i, f.text);
    }
}

static void shipped_profiles_are_sound(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        bool keeps, status;
        unsigned reasons;
    } shipped[] = {{"boulder", false, false, 1U << 0 | 1U << 1 | 1U << 4 | 1U << 5 | 1U << 9},
                   {"certutil", false, false, 0x3f},
                   {"lines", true, true, 0x3f | 1U << 9 | 1U << 10}};
    for (size_t i = 0; i < 3; i++) {
        AUTO_ARENA a = {0};
        struct backend_exec b;
        struct fault f;
        if (!backend_exec_read(NULL, shipped[i].name, &a, &b, &f))
            fail_msg("%s", f.text);
        assert_int_equal(b.keeps_first_date, shipped[i].keeps);
        assert_int_equal(b.status.given, shipped[i].status);
        assert_int_equal(backend_reasons(b.words), shipped[i].reasons);
    }
    AUTO_ARENA a = {0};
    struct backend_sql b;
    struct fault f;
    if (!backend_sql_read(NULL, "certdb", &a, &b, &f))
        fail_msg("%s", f.text);
    assert_non_null(strstr(b.revoke, "status <> 'revoked'")); /* the guard */
    assert_non_null(b.record.revoked);
}

static void lines_mean_what_they_say(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct backend_exec lines, boulder;
    struct fault f;
    assert_true(backend_exec_read(NULL, "lines", &a, &lines, &f) &&
                backend_exec_read(NULL, "boulder", &a, &boulder, &f));
    static const struct {
        bool tabs;
        const char *line;
        int meaning; /* -1: nothing */
        int64_t at;
        int reason;
    } cases[] = {
        {true, "9A0B\trevoked", BACKEND_REVOKED, 0, -1},
        {true, "9a:0b\trevoked_before\t2026-01-01T00:00:00Z\tkeyCompromise\r", BACKEND_BEFORE, 1767225600, 1},
        {true, "0x9a0b\tunknown\t-\t-", BACKEND_UNKNOWN, 0, -1},
        {true, "9A0B\trevoked\t1767225600\t10", BACKEND_REVOKED, 1767225600, 10},
        {true, "9A0B\tstop", BACKEND_STOP, 0, -1},
        {true, "9A0B\trevoked\tsoon", -1, 0, 0},
        {true, "9A0B\trevoked\t-\t7", -1, 0, 0},
        {true, "9A0B\trevoked\t99999999999999", -1, 0, 0},
        {true, "9A0B\trevoked\t-\t-\tmore", -1, 0, 0},
        {true, "9A0B\tdone", -1, 0, 0},
        {true, "9A0B revoked", -1, 0, 0},
        {true, "\trevoked", -1, 0, 0},
        {true, "9A0G\trevoked", -1, 0, 0},
        {true, "", -1, 0, 0},
        {false, "E1 not revoking \"00000000000000000000000000000000009a0b\": already revoked", BACKEND_BEFORE,
         0, -1},
        {false, "E1 failed to revoke \"9a0b\": rpc error: not found", BACKEND_UNKNOWN, 0, -1},
        {false, "E1 failed to revoke \"9a0b\": timeout", BACKEND_ASK, 0, -1},
        {false, "E1 failed to revoke \"zz\": timeout", -1, 0, 0},
        {false, "no serials to revoke found", BACKEND_STOP, 0, -1},
        {false, "9A0B\trevoked", -1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct backend_said said;
        const struct backend_exec *b = cases[i].tabs ? &lines : &boulder;
        bool fits = backend_exec_judge(b, &b->revoke, str_of(cases[i].line), &said);
        if (fits != (cases[i].meaning >= 0) || (fits && (int)said.verdict.meaning != cases[i].meaning))
            fail_msg("%s", cases[i].line);
        if (!fits)
            continue;
        assert_int_equal(said.verdict.at.s, cases[i].at == 0 ? UTC_NONE.s : cases[i].at);
        assert_int_equal(said.verdict.reason, cases[i].reason);
        assert_true(said.whole ||
                    (said.serial.n == 2 && said.serial.bytes[0] == 0x9a && said.serial.bytes[1] == 0x0b));
    }
    assert_int_equal(backend_exec_exit(&boulder.revoke, 0), BACKEND_REVOKED);
    assert_int_equal(backend_exec_exit(&boulder.revoke, 1), BACKEND_ASK);
    assert_int_equal(backend_exec_exit(&lines.revoke, 0), BACKEND_ASK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_profiles_are_sound),
        cmocka_unit_test(dangerous_profiles_are_refused),
        cmocka_unit_test(lines_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
