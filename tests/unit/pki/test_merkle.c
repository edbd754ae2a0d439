/* Does the tree agree with the recursive definition of RFC 6962 2.1, proofs included? */
#include "massrevoke/hex.h"
#include "massrevoke/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 70

static struct digest leaves[MANY];

static struct digest hash_pair(struct digest l, struct digest r)
{
    struct digest_state s = digest_begin();
    digest_add(&s, "\x01", 1);
    digest_add(&s, l.bytes, DIGEST_SIZE);
    digest_add(&s, r.bytes, DIGEST_SIZE);
    return digest_end(&s);
}

static size_t half(size_t n)
{
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    return k;
}

/* MTH(D[n]) word for word. */
static struct digest mth(const struct digest *d, size_t n)
{
    if (n == 0)
        return digest_of("", 0);
    if (n == 1)
        return d[0];
    size_t k = half(n);
    return hash_pair(mth(d, k), mth(d + k, n - k));
}

/* PATH(m, D[n]) word for word. */
static void path(size_t m, const struct digest *d, size_t n, struct merkle_proof *out)
{
    if (n == 1)
        return;
    size_t k = half(n);
    if (m < k) {
        path(m, d, k, out);
        out->hashes[out->count++] = mth(d + k, n - k);
    } else {
        path(m - k, d + k, n - k, out);
        out->hashes[out->count++] = mth(d, k);
    }
}

/* SUBPROOF(m, D[n], b) word for word. */
static void subproof(size_t m, const struct digest *d, size_t n, int b, struct merkle_proof *out)
{
    if (m == n) {
        if (!b)
            out->hashes[out->count++] = mth(d, n);
        return;
    }
    size_t k = half(n);
    if (m <= k) {
        subproof(m, d, k, b, out);
        out->hashes[out->count++] = mth(d + k, n - k);
    } else {
        subproof(m - k, d + k, n - k, 0, out);
        out->hashes[out->count++] = mth(d, k);
    }
}

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        leaves[i] = merkle_leaf(&i, 1 + i % sizeof i);
    return 0;
}

static void assert_same_proof(const struct merkle_proof *a, const struct merkle_proof *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->hashes, b->hashes, a->count * DIGEST_SIZE);
}

static void known_values(void **state)
{
    (void)state;
    struct merkle empty = {0};
    char text[DIGEST_TEXT];
    assert_string_equal(digest_hex(merkle_root(&empty), text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* the root of one empty leaf, as Certificate Transparency's own tests print it */
    assert_string_equal(digest_hex(merkle_leaf("", 0), text),
                        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

static void root_grows(void **state)
{
    (void)state;
    struct merkle tree = {0};
    for (size_t n = 0; n <= MANY; n++) {
        struct digest naive = mth(leaves, n), ours = merkle_root(&tree);
        assert_memory_equal(naive.bytes, ours.bytes, DIGEST_SIZE);
        assert_int_equal(tree.count, n);
        if (n < MANY)
            merkle_push(&tree, leaves[n]);
    }
}

static void inclusion(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MANY; n++) {
        struct digest root = mth(leaves, n);
        for (size_t m = 0; m < n; m++) {
            struct merkle_proof naive = {0}, ours;
            path(m, leaves, n, &naive);
            merkle_inclusion(leaves, n, m, &ours);
            assert_same_proof(&naive, &ours);
            assert_true(merkle_inclusion_check(leaves[m], m, n, &ours, root));
            assert_false(merkle_inclusion_check(leaves[m], n, n, &ours, root));
            assert_false(merkle_inclusion_check(leaves[(m + 1) % MANY], m, n, &ours, root));
            if (n > 1)
                assert_false(merkle_inclusion_check(leaves[m], (m + 1) % n, n, &ours, root));
            if (ours.count > 0) {
                ours.count--;
                assert_false(merkle_inclusion_check(leaves[m], m, n, &ours, root));
                ours.hashes[ours.count++].bytes[7] ^= 1;
                assert_false(merkle_inclusion_check(leaves[m], m, n, &ours, root));
            }
        }
    }
}

static void consistency(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MANY; n++) {
        struct digest root = mth(leaves, n);
        for (size_t m = 0; m <= n; m++) {
            struct merkle_proof naive = {0}, ours;
            struct digest old = mth(leaves, m);
            if (m > 0)
                subproof(m, leaves, n, 1, &naive);
            merkle_consistency(leaves, n, m, &ours);
            assert_same_proof(&naive, &ours);
            assert_true(merkle_consistency_check(m, old, n, root, &ours));
            assert_false(merkle_consistency_check(n + 1, old, n, root, &ours));
            struct digest wrong = old;
            wrong.bytes[0] ^= 1;
            assert_false(merkle_consistency_check(m, wrong, n, root, &ours));
            if (ours.count > 0) {
                ours.hashes[0].bytes[31] ^= 0x80;
                assert_false(merkle_consistency_check(m, old, n, root, &ours));
                ours.hashes[0].bytes[31] ^= 0x80;
                ours.count--;
                assert_false(merkle_consistency_check(m, old, n, root, &ours));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(root_grows),
        cmocka_unit_test(inclusion),
        cmocka_unit_test(consistency),
    };
    return cmocka_run_group_tests_name("merkle", tests, fill, NULL);
}
