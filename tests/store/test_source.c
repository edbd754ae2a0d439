/* Any SELECT as CSV: whole, read only, one statement; what goes wrong is said with its kind. */
#include "../lib/cluster.h"
#include "massrevoke/arena.h"
#include "massrevoke/store_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Everything the query gives, read in pieces of `room`; the fault's kind. */
static enum fault_kind all(const char *query, size_t room, struct buf *out, struct fault *f)
{
    struct query_source *q;
    struct source bytes;
    char part[4096];
    *f = (struct fault){0};
    buf_clear(out);
    if (!store_query_source(test_conninfo(), query, 0, &q, &bytes, f))
        return f->kind;
    for (size_t got = 1; got > 0;) {
        if (!bytes.read(bytes.context, part, room, &got, f))
            break;
        buf_add(out, part, got);
    }
    query_source_close(q);
    return f->kind;
}

static void rows_come_as_csv(void **state)
{
    (void)state;
    AUTO_BUF out = {0};
    struct fault f;
    static const char query[] = "select '0A0B' as serial, 'CN=a, \"b\"' as issuer "
                                "union all select '0C', 'x' order by 1 ; ;\n -- the end";
    static const size_t rooms[] = {1, 7, 4096};
    assert_int_equal(all("select 1 as serial;", 4096, &out, &f), FAULT_NONE);
    assert_string_equal(out.p, "serial\n1\n");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            all("select '0A0B' as serial, 'CN=a, \"b\"' as issuer -- the end", rooms[i], &out, &f),
            FAULT_NONE);
        assert_string_equal(out.p, "serial,issuer\n0A0B,\"CN=a, \"\"b\"\"\"\n");
    }
    assert_int_equal(all(query, 4096, &out, &f), FAULT_FAILED); /* a remark hides no second statement */
    assert_int_equal(
        all("select '2026-01-01T00:00:00Z'::timestamptz as t, '\\x9a'::bytea as s", 99, &out, &f),
        FAULT_NONE);
    assert_string_equal(out.p, "t,s\n2026-01-01 00:00:00+00,\\x9a\n");
    assert_int_equal(all("select g as serial from generate_series(1, 20000) g", 4096, &out, &f), FAULT_NONE);
    assert_int_equal(out.n, strlen("serial\n") + 108894);
}

static void nothing_is_changed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "create table t (a int)",
        "select 1) to stdout; create table massrevoke_t (a int); copy (select 1",
        "insert into pg_class select * from pg_class returning relname",
        "with x as (delete from pg_class returning relname) select * from x",
        "selec",
        "",
        ";",
        "select * from nowhere_at_all",
        "select 1/(3 - g) from generate_series(1, 5) g",
    };
    AUTO_BUF out = {0};
    struct fault f;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(all(bad[i], 4096, &out, &f), FAULT_FAILED);
        assert_non_null(strstr(f.text, "the query was refused"));
        assert_int_not_equal(f.hint[0], '\0');
    }
}

static void a_server_that_is_away(void **state)
{
    (void)state;
    struct query_source *q;
    struct source bytes;
    struct fault f = {0};
    assert_false(store_query_source("host=/nowhere dbname=x", "select 1", 0, &q, &bytes, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_null(q);
    query_source_close(q);
    f = (struct fault){0};
    assert_false(store_query_source("no such = = thing", "select 1", 0, &q, &bytes, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    assert_true(store_query_source(test_conninfo(), "select g from generate_series(1, 1000000) g", 0, &q,
                                   &bytes, &f));
    query_source_close(q); /* in the middle */
}

/* A query that takes long, and a server that says nothing, are given up. */
static void patience_ends(void **unused)
{
    (void)unused;
    struct query_source *q;
    struct source bytes;
    struct fault f = {0};
    char part[16], conninfo[64];
    size_t got;
    bool ok = store_query_source(test_conninfo(), "select pg_sleep(600)", 1, &q, &bytes, &f) &&
              bytes.read(bytes.context, part, sizeof part, &got, &f) &&
              bytes.read(bytes.context, part, sizeof part, &got, &f);
    assert_false(ok);
    assert_non_null(strstr(f.text, "timeout"));
    query_source_close(q);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&here, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d dbname=x", ntohs(here.sin_port));
    assert_false(store_query_source(conninfo, "select 1", 1, &q, &bytes, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(rows_come_as_csv),
        cmocka_unit_test(nothing_is_changed),
        cmocka_unit_test(a_server_that_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
