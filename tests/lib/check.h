/* check.h - a call that must succeed: CHECK(store_...(..., &f)). Does not: judge what came out.
 * Called by: tests and helpers that use cmocka. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

/* Fails the test with the fault's text; `f` is the fault of the call. */
#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        struct fault f = {0};                                                                                \
        if (!(call))                                                                                         \
            fail_msg("%s: %s", #call, f.text);                                                               \
    } while (0)

#endif
