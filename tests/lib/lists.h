/* lists.h - lists and inventories of made-up certificates beside small's campaign.
 * Does not: hide the store. Called by: tests of lists. */
#ifndef TESTS_LISTS_H
#define TESTS_LISTS_H

#include "massrevoke/store_population.h"
#include "small.h"

/* cmocka's setup and teardown: *state is a struct small whose campaign is a second one, c2, empty and not
 * started; number 1 is small's own, which has. */
int lists_start(void **state);
int lists_stop(void **state);

/* Certificate n: serial 0x20 and two octets, line n + 1. */
struct listed lists_row(const struct small *s, int n);

/* A list of these rows, received when the campaign was. */
struct population lists_population(const struct listed *rows, size_t n);

/* Adds it, by ann, an hour after receipt. Nine days are short-lived before receipt, not after. Ends the test
 * on any fault. */
struct population_result lists_add(struct small *s, const struct population *p);

/* Adds certificates [first, first + n). */
struct population_result lists_add_range(struct small *s, int first, int n);

/* An inventory row for certificate n, with names of its own. */
struct inventory_row lists_known(struct small *s, int n);

/* Loads rows into the inventory. */
void lists_put(struct small *s, const struct inventory_row *rows, size_t n);

#endif
