/* Any bytes as a configuration file: no crash, no leak of ours, and a clean reading has version = 1. */
#include "massrevoke/guard.h"

#include <stdlib.h>

static const struct guard_key inner[] = {
    {.name = "text", .type = GUARD_TEXT, .required = true},
    {.name = "span", .type = GUARD_SPAN},
    {0},
};

static const struct guard_key keys[] = {
    GUARD_VERSION,
    {.name = "flag", .type = GUARD_BOOL},
    {.name = "rate", .type = GUARD_RATE},
    {.name = "time", .type = GUARD_TIME},
    {.name = "path", .type = GUARD_PATH},
    {.name = "texts", .type = GUARD_TEXTS, .min = 0, .max = 9},
    {.name = "group", .type = GUARD_GROUP, .keys = inner},
    {.name = "list", .type = GUARD_LIST, .keys = inner},
    {0},
};

/* libconfig 1.5 itself forgets a scanner buffer after a syntax error inside a text. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = {0};
    struct guard_problems p = {.arena = &a};
    struct guard g;
    struct fault f;
    bool clean = guard_read(&g, "fuzz", NULL, (struct str){(const char *)data, size}, keys, &p);
    if (clean != guard_clean(&p, &f) || (clean && guard_int(&g.root, "version", 0) != 1))
        abort();
    return 0;
}
