/* Are files read whole and bounded, written whole or not at all, and locks exclusive? */
#include "massrevoke/file.h"
#include "massrevoke/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/test_file.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    static const char *const files[] = {"f", "lock", "a/b/c", "a/b", "a"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void)remove(file_join(&a, folder, files[i]));
    return rmdir(folder);
}

static void written_is_read(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f;
    struct str bytes;
    struct stat st;
    const char *path = file_join(&a, folder, "f");
    assert_true(file_write(path, (struct str){"a\0b", 3}, 0600, &f));
    assert_true(file_write(path, (struct str){"a\0bc", 4}, 0640, &f));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_true(file_read(path, 4, &a, &bytes, &f));
    assert_int_equal(bytes.n, 4);
    assert_memory_equal(bytes.p, "a\0bc", 5);
    assert_false(file_read(path, 3, &a, &bytes, &f));
    assert_non_null(strstr(f.text, "larger than 3 bytes"));
    assert_false(file_read(file_join(&a, folder, "none"), 3, &a, &bytes, &f));
    assert_non_null(strstr(f.text, "No such file"));
    assert_false(file_read(folder, 3, &a, &bytes, &f));
    assert_false(file_write(file_join(&a, folder, "none/x"), str_of("x"), 0600, &f));
}

static void a_failed_write_leaves_nothing(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f;
    struct stat st;
    const char *taken = file_join(&a, folder, "a");
    assert_true(file_make_folders(file_join(&a, folder, "a/b"), 0700, &f));
    assert_false(file_write(taken, str_of("x"), 0600, &f)); /* a folder stands there */
    assert_int_equal(stat(arena_format(&a, "%s.%ld.tmp", taken, (long)getpid()), &st), -1);
}

static void folders(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f;
    struct stat st;
    const char *deep = file_join(&a, folder, "a/b/c");
    assert_true(file_make_folders(deep, 0700, &f));
    assert_true(file_make_folders(arena_format(&a, "%s/", deep), 0700, &f));
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(file_write(file_join(&a, folder, "f"), str_of("x"), 0600, &f));
    assert_false(file_make_folders(file_join(&a, folder, "f/x"), 0700, &f));
    assert_non_null(strstr(f.text, "Not a directory"));
    assert_string_equal(file_join(&a, "x/", "y"), "x/y");
    assert_string_equal(file_join(&a, "x", "y"), "x/y");
    assert_string_equal(file_join(&a, "x", "/y"), "/y");
    assert_string_equal(file_join(&a, NULL, "y"), "y");
}

static void locks_exclude(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f;
    int first = -1, second = -1;
    const char *path = file_join(&a, folder, "lock");
    assert_true(file_lock(path, true, &first, &f));
    assert_int_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_false(file_lock(path, false, &second, &f));
    assert_int_equal(f.kind, FAULT_CONFLICT);
    close(first);
    assert_true(file_lock(path, false, &second, &f));
    close(second);
    assert_false(file_lock(file_join(&a, folder, "none/lock"), false, &second, &f));
    assert_int_equal(f.kind, FAULT_FAILED);
}

static void descriptors_are_sources(void **unused)
{
    (void)unused;
    AUTO_ARENA a = {0};
    struct fault f;
    char bytes[4];
    size_t got = 9;
    const char *path = file_join(&a, folder, "f");
    assert_true(file_write(path, str_of("hello"), 0600, &f));
    struct source_file file = {open(path, O_RDONLY | O_CLOEXEC), path};
    struct source s = source_descriptor(&file);
    assert_true(s.read(s.context, bytes, 4, &got, &f));
    assert_int_equal(got, 4);
    assert_true(s.read(s.context, bytes, 4, &got, &f));
    assert_int_equal(got, 1);
    assert_int_equal(bytes[0], 'o');
    assert_true(s.read(s.context, bytes, 4, &got, &f));
    assert_int_equal(got, 0);
    close(file.descriptor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(a_failed_write_leaves_nothing),
        cmocka_unit_test(folders),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(descriptors_are_sources),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
