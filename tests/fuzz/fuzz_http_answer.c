/* Any bytes as what a CA's server sends: no crash, no overrun, the same answer however it comes in pieces,
 * and what was whole stays so when more follows. The first octet says whether the connection has ended. */
#include "massrevoke/http_answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_whole(struct str bytes, const struct http_answer *a, const struct buf *body)
{
    AUTO_BUF again = {0};
    struct http_answer b;
    if (a->used > bytes.n || body->n > a->used || a->status < 200 || a->status > 999)
        abort();
    if (a->retry_after.n > 0 && (a->retry_after.p < bytes.p || a->retry_after.p >= bytes.p + bytes.n))
        abort();
    if (!a->keeps)
        return;
    if (http_answer_read((struct str){bytes.p, a->used}, false, &b, &again) != HTTP_WHOLE ||
        b.used != a->used || b.status != a->status || !str_equal(buf_str(&again), buf_str(body)))
        abort();
}

/* Short of its end it is never whole, nor wrong. */
static void check_pieces(struct str bytes, size_t used)
{
    AUTO_BUF body = {0};
    struct http_answer a;
    size_t step = used / 64 + 1;
    for (size_t n = 0; n < used; n += step)
        if (http_answer_read((struct str){bytes.p, n}, false, &a, &body) != HTTP_MORE)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_BUF body = {0};
    struct http_answer a;
    if (n == 0)
        return 0;
    bool ended = bytes[0] & 1;
    struct str all = {(const char *)bytes + 1, n - 1};
    enum http_reading is = http_answer_read(all, ended, &a, &body);
    if (is == HTTP_MORE && ended)
        abort();
    if (is != HTTP_WHOLE)
        return 0;
    check_whole(all, &a, &body);
    if (a.keeps)
        check_pieces(all, a.used);
    return 0;
}
