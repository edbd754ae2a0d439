/* cluster.h - a real PostgreSQL for tests.
 *
 * Does not: make schemas (a test makes its own, so tests share one server). Called by: tests of the store and
 * of everything above it. */
#ifndef TESTS_CLUSTER_H
#define TESTS_CLUSTER_H

/* A conninfo for a private cluster: the suite's, when MASSREVOKE_TEST_STATE names its state folder
 * (scripts/run-tests does), else one of this program on tmpfs that ends with it. Ends the program with a
 * message when there is none to be had. Static storage. */
const char *test_conninfo(void);

/* A new empty folder below /dev/shm (/tmp where that is small) that other accounts can pass, removed with all
 * content when this process ends. Freed by the caller. */
char *test_folder(void);

#endif
