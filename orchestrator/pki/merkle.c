#include "massrevoke/merkle.h"

#include <string.h>

struct digest merkle_leaf(const void *bytes, size_t n)
{
    struct digest_state s = digest_begin();
    digest_add(&s, "\x00", 1);
    digest_add(&s, bytes, n);
    return digest_end(&s);
}

static struct digest node(struct digest left, struct digest right)
{
    uint8_t both[1 + 2 * DIGEST_SIZE] = {1};
    memcpy(both + 1, left.bytes, DIGEST_SIZE);
    memcpy(both + 1 + DIGEST_SIZE, right.bytes, DIGEST_SIZE);
    return digest_of(both, sizeof both);
}

static bool same(struct digest a, struct digest b)
{
    return memcmp(a.bytes, b.bytes, DIGEST_SIZE) == 0;
}

void merkle_push(struct merkle *tree, struct digest leaf)
{
    size_t top = (size_t)__builtin_popcountll(tree->count);
    for (uint64_t bits = tree->count; bits & 1; bits >>= 1)
        leaf = node(tree->peaks[--top], leaf);
    tree->peaks[top] = leaf;
    tree->count++;
}

struct digest merkle_root(const struct merkle *tree)
{
    size_t top = (size_t)__builtin_popcountll(tree->count);
    if (top == 0)
        return digest_of("", 0);
    struct digest root = tree->peaks[--top];
    while (top > 0)
        root = node(tree->peaks[--top], root);
    return root;
}

static struct digest root_of(const struct digest *leaves, uint64_t count)
{
    struct merkle tree = {0};
    for (uint64_t i = 0; i < count; i++)
        merkle_push(&tree, leaves[i]);
    return merkle_root(&tree);
}

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void reverse(struct merkle_proof *proof)
{
    for (size_t i = 0, k = proof->count; i + 1 < k; i++) {
        struct digest h = proof->hashes[i];
        proof->hashes[i] = proof->hashes[--k];
        proof->hashes[k] = h;
    }
}

void merkle_inclusion(const struct digest *leaves, uint64_t count, uint64_t index, struct merkle_proof *out)
{
    out->count = 0;
    while (count > 1) {
        uint64_t k = split(count);
        bool right = index >= k;
        out->hashes[out->count++] = right ? root_of(leaves, k) : root_of(leaves + k, count - k);
        leaves += right ? k : 0;
        index -= right ? k : 0;
        count = right ? count - k : k;
    }
    reverse(out);
}

/* RFC 9162 2.1.3.2. */
bool merkle_inclusion_check(struct digest leaf, uint64_t index, uint64_t count,
                            const struct merkle_proof *proof, struct digest root)
{
    if (index >= count || proof->count > MERKLE_PROOF_MAX)
        return false;
    uint64_t at = index, last = count - 1;
    struct digest r = leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) == 0 && at != last) {
            r = node(r, proof->hashes[i]);
        } else {
            r = node(proof->hashes[i], r);
            for (; (at & 1) == 0 && at != 0; at >>= 1)
                last >>= 1;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && same(r, root);
}

void merkle_consistency(const struct digest *leaves, uint64_t count, uint64_t old, struct merkle_proof *out)
{
    out->count = 0;
    if (old == 0 || old == count)
        return;
    /* `whole`: the old tree is still a whole subtree from the left edge, whose root the checker knows */
    bool whole = true;
    while (old != count) {
        uint64_t k = split(count);
        bool right = old > k;
        out->hashes[out->count++] = right ? root_of(leaves, k) : root_of(leaves + k, count - k);
        whole = whole && !right;
        leaves += right ? k : 0;
        old -= right ? k : 0;
        count = right ? count - k : k;
    }
    if (!whole)
        out->hashes[out->count++] = root_of(leaves, count);
    reverse(out);
}

/* RFC 9162 2.1.4.2. */
bool merkle_consistency_check(uint64_t old, struct digest old_root, uint64_t count, struct digest root,
                              const struct merkle_proof *proof)
{
    if (old > count || proof->count > MERKLE_PROOF_MAX)
        return false;
    if (old == 0)
        return proof->count == 0 && same(old_root, digest_of("", 0));
    if (old == count)
        return proof->count == 0 && same(old_root, root);
    uint64_t at = old - 1, last = count - 1;
    for (; (at & 1) == 1; at >>= 1)
        last >>= 1;
    size_t i = 0;
    if (at != 0 && proof->count == 0)
        return false;
    struct digest before = at == 0 ? old_root : proof->hashes[i++], after = before;
    for (; i < proof->count; i++) {
        if (last == 0)
            return false;
        if ((at & 1) == 1 || at == last) {
            before = node(proof->hashes[i], before);
            after = node(proof->hashes[i], after);
            for (; (at & 1) == 0 && at != 0; at >>= 1)
                last >>= 1;
        } else {
            after = node(after, proof->hashes[i]);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && same(before, old_root) && same(after, root);
}
