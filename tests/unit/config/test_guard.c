/* Does the guard catch what libconfig reads wrongly, with file and line, and give exact values else? */
#include "massrevoke/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const colours[] = {"red", "green", NULL};
static const struct guard_key inner_keys[] = {
    {.name = "name", .type = GUARD_TEXT, .required = true},
    {.name = "length", .type = GUARD_SPAN, .min = 60, .max = 3600},
    {0},
};
static const struct guard_key keys[] = {
    GUARD_VERSION,
    {.name = "flag", .type = GUARD_BOOL},
    {.name = "small", .type = GUARD_INT, .min = 1, .max = 10},
    {.name = "any", .type = GUARD_INT},
    {.name = "colour", .type = GUARD_TEXT, .words = colours},
    {.name = "rate", .type = GUARD_RATE},
    {.name = "at", .type = GUARD_TIME},
    {.name = "place", .type = GUARD_PATH},
    {.name = "words", .type = GUARD_TEXTS, .min = 0, .max = 2},
    {.name = "group", .type = GUARD_GROUP, .keys = inner_keys},
    {.name = "list", .type = GUARD_LIST, .keys = inner_keys},
    {0},
};

struct reading {
    struct arena a;
    struct guard_problems p;
    struct guard g;
};

static void read_bytes(struct reading *r, const char *folder, struct str bytes)
{
    r->a = (struct arena){0};
    r->p = (struct guard_problems){.arena = &r->a};
    bool clean = guard_read(&r->g, "t.cfg", folder, bytes, keys, &r->p);
    assert_int_equal(clean, r->p.count == 0);
}

/* Each input and the problems it must give, one a line, exactly. */
static const struct {
    const char *input, *problems;
} traps[] = {
    {"version = 1; any = 6000000000;",
     "t.cfg:1: the number 6000000000 does not fit 32 bits; write it as 6000000000L\n"},
    {"version = 1;\nany = 3000000000;",
     "t.cfg:2: the number 3000000000 does not fit 32 bits; write it as 3000000000L\n"},
    {"version = 1; any = -2147483649;",
     "t.cfg:1: the number -2147483649 does not fit 32 bits; write it as -2147483649L\n"},
    {"version = 1; any = 0xFFFFFFFF;",
     "t.cfg:1: the number 0xFFFFFFFF does not fit 32 bits; write it as 0xFFFFFFFFL\n"},
    {"version = 1; any = 99999999999999999999L;",
     "t.cfg:1: the number 99999999999999999999L does not fit 64 bits\n"},
    {"version = 1; any = 6000000000L;", ""},
    {"version = 1; any = 2147483647;", ""},
    {"version = 1; any = 010;", ""},
    {"version = 1; small = 11;", "t.cfg:1: small: 11 is out of range (1 to 10)\n"},
    {"version = 1; small = 6000000000L;", "t.cfg:1: small: 6000000000 is out of range (1 to 10)\n"},
    {"version = 1; small = 1.5;", "t.cfg:1: small: expected a whole number\n"},
    {"/* all is gone\nversion = 1;", "t.cfg:1: a comment is opened here and never closed\n"},
    {"version = 1;\ncolour = \"red;\nflag = true;\n",
     "t.cfg:2: a quote is opened here and not closed on the same line\n"},
    {"version = 1;\nflag = true;\nflag = false;\n", "t.cfg:3: flag: duplicate key, first given at t.cfg:2\n"},
    {"version = 1; group = { name = \"a\";\n name : \"b\"; };",
     "t.cfg:2: name: duplicate key, first given at t.cfg:1\n"},
    {"version = 1; list = ( { name = \"a\"; }, { name = \"a\"; } );", ""},
    {"version = 1; group = { name = \"a\";\n", "t.cfg:1: '{' is opened here and never closed\n"},
    {"version = 1; words = ( \"a\" ];", "t.cfg:1: ']' closes nothing that is open here\n"},
    {"flag = true;", "t.cfg:1: version: required, but missing (expected a whole number)\n"},
    {"", "t.cfg:1: version: required, but missing (expected a whole number)\n"},
    {"version = 2;", "t.cfg:1: version: 2 is out of range (1 to 1)\n"},
    {"version = 1; colur = \"red\";", "t.cfg:1: colur: unknown key, did you mean colour\n"},
    {"version = 1; FLAG = true;", "t.cfg:1: FLAG: unknown key\n"},
    {"version = 1; colour = \"gren\";",
     "t.cfg:1: colour: unknown value 'gren', did you mean green (known: red, green)\n"},
    {"version = 1; colour = \"\";", "t.cfg:1: colour: the text is empty; leave the key out instead\n"},
    {"version = 1; words = [ \"a\", \"b\", \"c\" ];", "t.cfg:1: words: 3 entries (0 to 2 allowed)\n"},
    {"version = 1; words = [ 1 ];", "t.cfg:1: words[0]: expected a text in quotes\n"},
    {"version = 1; words = [];", ""},
    {"version = 1; list = ( { name = \"a\"; }, { length = \"5s\"; } );",
     "t.cfg:1: list[1].length: '5s' is out of range (60s to 3600s)\n"
     "t.cfg:1: list[1].name: required, but missing (expected a text in quotes)\n"},
    {"version = 1; list = ( 5 );", "t.cfg:1: list[0]: expected a group { ... }\n"},
    {"version = 1; group = ( );", "t.cfg:1: group: expected a group { ... }\n"},
    {"version = 1; group = { name = \"x\"; length = \"36\"; };",
     "t.cfg:1: group.length: '36' is not a length of time (write it with its unit: 90s, 30m, 36h, 5d)\n"},
    {"version = 1; rate = 5;", "t.cfg:1: rate: expected a rate in quotes, as \"320/h\"\n"},
    {"version = 1; place = \"${HOME}/x\";",
     "t.cfg:1: place: only ${CREDENTIALS_DIRECTORY}/ at the start is expanded\n"},
    {"version = 1;\n@include \"../x\"\n", NULL}, /* unreadable: the text holds the system's words */
    {"version = 1;\n  @include \"/etc/passwd\"\n",
     "t.cfg:2: write an include as @include \"file.cfg\", relative to the main file\n"},
    {"version = 1; flag = \"\x1b[2J\";", "t.cfg:1: flag: expected true or false\n"},
    {"version = 1; colour = \"\x1b[2J\";", "t.cfg:1: colour: unknown value '?[2J' (known: red, green)\n"},
    {"version = 1;\n// \xff\n", "t.cfg:2: bytes that are not UTF-8 in this line\n"},
    {"version = 1;\nflag = = true;", "t.cfg:2: syntax error\n"},
    {"version = 1; # /* \" {\n// /* \"\nflag = true; /* \" { */", ""},
    {"version = 1; colour = \"\\\"\";", "t.cfg:1: colour: unknown value '\"' (known: red, green)\n"},
};

static void every_trap_is_told_with_its_line(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        struct reading r;
        read_bytes(&r, "/nowhere", str_of(traps[i].input));
        AUTO_BUF all = {0};
        buf_text(&all, "");
        for (size_t l = 0; l < r.p.kept; l++)
            buf_format(&all, "%s\n", r.p.lines[l]);
        if (traps[i].problems == NULL)
            assert_int_equal(r.p.count, 1);
        else if (strcmp(all.n == 0 ? "" : all.p, traps[i].problems) != 0)
            fail_msg("trap %zu: %s\ngives\n%sexpected\n%s", i, traps[i].input, all.p, traps[i].problems);
        arena_free(&r.a);
    }
}

static void all_problems_come_at_once(void **unused)
{
    (void)unused;
    struct reading r;
    read_bytes(&r, NULL,
               str_of("version = 1;\nany = 3000000000;\nsmall = 0;\nflga = true;\nplace = \"x\";\n"));
    struct fault f;
    assert_false(guard_clean(&r.p, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_string_equal(f.text,
                        "t.cfg:2: the number 3000000000 does not fit 32 bits; write it as 3000000000L\n"
                        "t.cfg:3: small: 0 is out of range (1 to 10)\n"
                        "t.cfg:4: flga: unknown key, did you mean flag\n"
                        "t.cfg:5: place: a relative path has no meaning here");
    arena_free(&r.a);
}

static void a_nul_byte_hides_nothing(void **unused)
{
    (void)unused;
    struct reading r;
    static const char bytes[] = "version = 1;\n\0flga = true;";
    read_bytes(&r, NULL, (struct str){bytes, sizeof bytes - 1});
    assert_int_equal(r.p.count, 1);
    assert_string_equal(r.p.lines[0], "t.cfg:2: a NUL byte in this line");
    arena_free(&r.a);
}

static void many_problems_are_counted(void **unused)
{
    (void)unused;
    struct reading r;
    AUTO_BUF b = {0};
    buf_text(&b, "version = 1;\n");
    for (int i = 0; i < 500; i++)
        buf_format(&b, "strange_key_%d = 1;\n", i);
    read_bytes(&r, NULL, buf_str(&b));
    struct fault f;
    assert_int_equal(r.p.count, 500);
    assert_false(guard_clean(&r.p, &f));
    assert_non_null(strstr(f.text, " more"));
    arena_free(&r.a);
}

static void hostile_nesting_is_refused(void **unused)
{
    (void)unused;
    AUTO_BUF b = {0};
    for (int i = 0; i < 100000; i++)
        buf_text(&b, "(");
    struct reading r;
    read_bytes(&r, NULL, buf_str(&b));
    assert_int_equal(r.p.count, 1);
    arena_free(&r.a);
}

static void values_come_out_exactly(void **unused)
{
    (void)unused;
    struct reading r;
    read_bytes(&r, "/base",
               str_of("version = 1; flag = TRUE; any = -5000000000L; colour = \"green\"; rate = \"100/5s\";"
                      "at = \"2026-03-31T02:00+02:00\"; place = \"a/b\"; words = [ \"x\", \"y\" ];"
                      "group : { name = \"n\"; length = \"30m\" }; list = ( { name = \"l\"; } );"));
    const struct guard_node *root = &r.g.root, *list = guard_get(root, "list");
    assert_int_equal(r.p.count, 0);
    assert_true(guard_bool(root, "flag", false));
    assert_true(guard_int(root, "any", 0) == INT64_C(-5000000000));
    assert_int_equal(guard_int(root, "small", 7), 7);
    assert_string_equal(guard_text(root, "colour", NULL), "green");
    assert_int_equal(guard_rate(root, "rate", (struct rate){0}).per, 5);
    assert_true(guard_time(root, "at", UTC_NONE).s == utc_from_civil(2026, 3, 31, 0, 0, 0).s);
    assert_string_equal(guard_text(root, "place", NULL), "/base/a/b");
    assert_int_equal(guard_get(root, "words")->count, 2);
    assert_string_equal(guard_get(root, "words")->inside[1].text, "y");
    assert_int_equal(guard_span(guard_get(root, "group"), "length", (struct span){0}).s, 1800);
    assert_int_equal(list->count, 1);
    assert_int_equal(guard_span(&list->inside[0], "length", (struct span){9}).s, 9);
    arena_free(&r.a);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void includes_keep_their_own_lines(void **unused)
{
    (void)unused;
    char folder[] = "/tmp/massrevoke-guard-XXXXXX", expected[400];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "local.cfg", "// one\nflga = true;\nany = 3000000000;\n");
    write_file(folder, "self.cfg", "@include \"self.cfg\"\n");
    struct reading r;
    read_bytes(&r, folder, str_of("version = 1;\n@include \"local.cfg\"\nsmall = 0;\n"));
    assert_int_equal(r.p.count, 3);
    snprintf(expected, sizeof expected, "%s/local.cfg:3: the number", folder);
    assert_memory_equal(r.p.lines[0], expected, strlen(expected));
    snprintf(expected, sizeof expected, "%s/local.cfg:2: flga: unknown key, did you mean flag", folder);
    assert_string_equal(r.p.lines[1], expected);
    assert_string_equal(r.p.lines[2], "t.cfg:3: small: 0 is out of range (1 to 10)");
    arena_free(&r.a);
    read_bytes(&r, folder, str_of("version = 1;\n@include \"self.cfg\"\n"));
    assert_int_equal(r.p.count, 1);
    assert_non_null(strstr(r.p.lines[0], "nested deeper"));
    arena_free(&r.a);
    read_bytes(&r, NULL, str_of("version = 1;\n@include \"local.cfg\"\n"));
    assert_int_equal(r.p.count, 1);
    assert_string_equal(r.p.lines[0], "t.cfg:2: @include is allowed only in a file on disk");
    arena_free(&r.a);
    for (const char *const *name = (const char *const[]){"local.cfg", "self.cfg", NULL}; *name; name++) {
        snprintf(expected, sizeof expected, "%s/%s", folder, *name);
        unlink(expected);
    }
    rmdir(folder);
}

static void credentials_are_found_where_systemd_puts_them(void **unused)
{
    (void)unused;
    struct reading r;
    const struct str text = str_of("version = 1; place = \"${CREDENTIALS_DIRECTORY}/key\";");
    unsetenv("CREDENTIALS_DIRECTORY");
    read_bytes(&r, "/base", text);
    assert_int_equal(r.p.count, 1);
    arena_free(&r.a);
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
    read_bytes(&r, "/base", text);
    assert_string_equal(guard_text(&r.g.root, "place", NULL), "/run/credentials/x/key");
    arena_free(&r.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trap_is_told_with_its_line),
        cmocka_unit_test(all_problems_come_at_once),
        cmocka_unit_test(a_nul_byte_hides_nothing),
        cmocka_unit_test(many_problems_are_counted),
        cmocka_unit_test(hostile_nesting_is_refused),
        cmocka_unit_test(values_come_out_exactly),
        cmocka_unit_test(includes_keep_their_own_lines),
        cmocka_unit_test(credentials_are_found_where_systemd_puts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
