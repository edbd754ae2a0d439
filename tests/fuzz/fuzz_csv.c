/* Any bytes through the CSV reader, in two ways of delivery: the rows must be the same. */
#include "massrevoke/arena.h"
#include "massrevoke/csv.h"
#include "massrevoke/digest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct drip {
    struct str left;
    size_t step;
};

static bool drip_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    (void)f;
    struct drip *d = context;
    *got = d->left.n < d->step ? d->left.n : d->step;
    *got = *got < room ? *got : room;
    if (*got > 0)
        memcpy(into, d->left.p, *got);
    d->left.p += *got;
    d->left.n -= *got;
    return true;
}

/* A digest over everything the reader says. */
static struct digest read_all(struct str input, size_t step, char separator)
{
    struct drip d = {input, step};
    struct csv_record row;
    struct fault f;
    size_t line = 0;
    AUTO_CSV r;
    csv_open(&r, "x", (struct source){drip_read, &d});
    r.separator = separator;
    struct digest_state state = digest_begin();
    while (csv_next(&r, &row, &f) && !row.end) {
        if (row.line <= line || (row.bad != NULL && row.count != 0))
            abort();
        line = row.line;
        digest_add(&state, &row.line, sizeof row.line);
        for (size_t i = 0; i < row.count; i++) {
            digest_add(&state, &row.cells[i].n, sizeof row.cells[i].n);
            digest_add(&state, row.cells[i].p, row.cells[i].n);
        }
    }
    return digest_end(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* the first byte says how often the rest stands there, so that long rows come up too */
    static const char separators[] = {',', ';', '\t', CSV_NO_SEPARATOR};
    AUTO_BUF text = {0};
    size_t times = (data[0] & 3) == 3 ? 1 + 70000 / size : 1;
    for (size_t i = 0; i < times; i++)
        buf_add(&text, data + 1, size - 1);
    char separator = separators[data[0] >> 2 & 3];
    struct digest whole = read_all(buf_str(&text), SIZE_MAX, separator);
    size_t step = (size_t)(1 + (data[0] >> 4)) * (times > 1 ? 4099 : 1);
    struct digest parts = read_all(buf_str(&text), step, separator);
    if (memcmp(&whole, &parts, sizeof whole) != 0)
        abort();
    return 0;
}
