/* Is an answer found whole at its last octet and not before, and is everything that would leave its end open
 * refused? */
#include "massrevoke/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct whole {
    const char *bytes;
    int status;
    const char *body, *retry_after;
    bool keeps, at_end; /* at_end: only when the connection has ended */
};

static const struct whole wholes[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", "", true, false},
    {"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", 200, "hello", "", true, false},
    {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", "", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", "", true, false},
    {"HTTP/1.1 503 Busy\r\nRetry-After:  30 \r\nContent-Length: 0\r\n\r\n", 503, "", "30", true, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, "", "", true, false},
    {"HTTP/1.1 100 Continue\r\nRetry-After: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"
     "Content-Length: 1\r\n\r\nx",
     200, "x", "", true, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
     200, "abc0123456789", "", true, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 200, "", "", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200,
     "a", "", false, false},
    {"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false, false},
    {"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", true, false},
    {"HTTP/1.1 200 OK\r\n\r\nuntil it ends", 200, "until it ends", "", false, true},
    {"HTTP/1.0 200 OK\r\n\r\n", 200, "", "", false, true},
};

static enum http_reading read_first(const char *bytes, size_t n, bool ended, struct http_answer *a,
                                    struct buf *body)
{
    return http_answer_read((struct str){bytes, n}, ended, a, body);
}

static void whole_at_the_last_octet_only(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        const struct whole *w = &wholes[i];
        AUTO_BUF body = {0};
        struct http_answer a;
        size_t n = strlen(w->bytes);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(read_first(w->bytes, k, false, &a, &body), HTTP_MORE);
        assert_int_equal(read_first(w->bytes, n, false, &a, &body), w->at_end ? HTTP_MORE : HTTP_WHOLE);
        assert_int_equal(read_first(w->bytes, n, true, &a, &body), HTTP_WHOLE);
        assert_int_equal(a.status, w->status);
        assert_int_equal(a.used, n);
        assert_int_equal(a.keeps, w->keeps);
        assert_true(str_is(buf_str(&body), w->body));
        assert_true(str_is(a.retry_after, w->retry_after));
    }
}

static void what_follows_is_not_taken(void **unused)
{
    (void)unused;
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 404 No\r\n\r\n";
    AUTO_BUF body = {0};
    struct http_answer a;
    assert_int_equal(read_first(two, sizeof two - 1, false, &a, &body), HTTP_WHOLE);
    assert_int_equal(a.used, strstr(two, "xHTTP") + 1 - two);
    assert_true(str_is(buf_str(&body), "x"));
}

static void an_end_too_soon_is_wrong(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
        for (size_t k = 0; k < strlen(wholes[i].bytes) && !wholes[i].at_end; k++) {
            AUTO_BUF body = {0};
            struct http_answer a;
            assert_int_equal(read_first(wholes[i].bytes, k, true, &a, &body), HTTP_WRONG);
        }
}

static void what_leaves_the_end_open_is_wrong(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {
        "\x16\x03\x01\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        AUTO_BUF body = {0};
        struct http_answer a;
        if (read_first(wrong[i], strlen(wrong[i]), false, &a, &body) != HTTP_WRONG)
            fail_msg("not wrong: %s", wrong[i]);
    }
    static const char zero[] = "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n";
    AUTO_BUF body = {0};
    struct http_answer a;
    assert_int_equal(read_first(zero, sizeof zero - 1, false, &a, &body), HTTP_WRONG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_at_the_last_octet_only),
        cmocka_unit_test(what_follows_is_not_taken),
        cmocka_unit_test(an_end_too_soon_is_wrong),
        cmocka_unit_test(what_leaves_the_end_open_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
