/* merkle.h - the RFC 6962 hash tree: root, inclusion and consistency proofs.
 *
 * A leaf hash is SHA-256(00 | leaf), a node SHA-256(01 | left | right); a tree of n leaves splits at the
 * largest power of two below n (RFC 6962 2.1). Pure. Does not: keep leaves; whoever wants a proof brings the
 * leaf hashes. Called by: store (log), reporter, cli evidence. */
#ifndef MASSREVOKE_MERKLE_H
#define MASSREVOKE_MERKLE_H

#include "massrevoke/digest.h"
#include <stdbool.h>

#define MERKLE_PROOF_MAX 65 /* hashes in the longest proof of a tree of fewer than 2^64 leaves */

/* A growing tree as its compact range: one root for each bit set in `count`, largest subtree first.
 * Zero-initialise to start. */
struct merkle {
    uint64_t count;
    struct digest peaks[64];
};

/* Hashes of a proof, in the order of RFC 6962. */
struct merkle_proof {
    size_t count;
    struct digest hashes[MERKLE_PROOF_MAX];
};

/* Hash of one leaf of n bytes. */
struct digest merkle_leaf(const void *bytes, size_t n);

/* Appends a leaf hash; amortised two hashes. */
void merkle_push(struct merkle *tree, struct digest leaf);

/* Root of what was pushed so far, O(log n); SHA-256 of nothing for the empty tree. */
struct digest merkle_root(const struct merkle *tree);

/* Audit path of leaf `index` among `count` leaf hashes (RFC 6962 2.1.1); index < count. O(count). */
void merkle_inclusion(const struct digest *leaves, uint64_t count, uint64_t index, struct merkle_proof *out);

/* Does the path lead from the leaf at `index` to the root of `count` leaves? */
bool merkle_inclusion_check(struct digest leaf, uint64_t index, uint64_t count,
                            const struct merkle_proof *proof, struct digest root);

/* Proof that the first `old` of `count` leaves are a prefix (RFC 6962 2.1.2); old <= count. O(count). Empty
 * when old is 0 or count. */
void merkle_consistency(const struct digest *leaves, uint64_t count, uint64_t old, struct merkle_proof *out);

/* Does the proof show that the tree (old, old_root) is a prefix of the tree (count, root)? */
bool merkle_consistency_check(uint64_t old, struct digest old_root, uint64_t count, struct digest root,
                              const struct merkle_proof *proof);

#endif
