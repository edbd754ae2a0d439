/* What to fetch for which certificates. */
#include "massrevoke/verifier.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct verifier_place *x = a, *y = b;
    int order = x->urls == y->urls ? 0 : strcmp(x->urls, y->urls);
    if (order == 0)
        order = (x->issuer > y->issuer) - (x->issuer < y->issuer);
    return order != 0 ? order : (x->item > y->item) - (x->item < y->item);
}

size_t verifier_pointers(struct verifier_place *places, size_t n, struct arena *a,
                         struct verifier_pointer **out)
{
    qsort(places, n, sizeof *places, compare);
    *out = arena_array(a, n, sizeof **out);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        struct verifier_pointer *last = count == 0 ? NULL : &(*out)[count - 1];
        if (last != NULL && last->issuer == places[i].issuer && strcmp(last->urls, places[i].urls) == 0)
            last->count++;
        else
            (*out)[count++] = (struct verifier_pointer){places[i].urls, places[i].issuer, &places[i], 1};
    }
    return count;
}

size_t verifier_urls(const char *urls, struct arena *a, const char ***out)
{
    size_t n = 0;
    *out = arena_array(a, strlen(urls) / 2 + 1, sizeof **out);
    for (struct str rest = str_of(urls); rest.p != NULL;) {
        struct str one = str_cut(&rest, ' ');
        if (one.n > 0)
            (*out)[n++] = arena_copy(a, one.p, one.n);
    }
    return n;
}
