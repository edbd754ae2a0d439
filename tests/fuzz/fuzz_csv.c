/* Any bytes through the CSV reader, in two ways of delivery: the rows must be the same. */
#include "massrevoke/arena.h"
#include "massrevoke/csv.h"

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

/* FNV-1a: quick, and enough to tell two honest runs apart. */
static uint64_t mix(uint64_t sum, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* A sum over everything the reader says. */
static uint64_t read_all(struct str input, size_t step, char separator)
{
    struct drip d = {input, step};
    struct csv_record row;
    struct fault f;
    size_t line = 0;
    AUTO_CSV r;
    csv_open(&r, "x", (struct source){drip_read, &d});
    r.separator = separator;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    while (csv_next(&r, &row, &f) && !row.end) {
        if (row.line <= line || (row.bad != NULL && row.count != 0))
            abort();
        line = row.line;
        sum = mix(sum, &row.line, sizeof row.line);
        for (size_t i = 0; i < row.count; i++) {
            sum = mix(sum, &row.cells[i].n, sizeof row.cells[i].n);
            sum = mix(sum, row.cells[i].p, row.cells[i].n);
        }
    }
    return sum;
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
    uint64_t whole = read_all(buf_str(&text), SIZE_MAX, separator);
    size_t step = (size_t)(1 + (data[0] >> 4)) * (times > 1 ? 4099 : 1);
    uint64_t parts = read_all(buf_str(&text), step, separator);
    if (whole != parts)
        abort();
    return 0;
}
