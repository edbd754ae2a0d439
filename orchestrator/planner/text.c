/* The canonical text of a plan: the bytes that are digested and, by their digest, signed. */
#include "work.h"

#define BLOCK 16384

/* Appends v to bytes, big endian in n bytes. */
static size_t put(uint8_t *bytes, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
    return n;
}

/* SHA-256 over each chunk as ca 2, issuer 2, canary 1, slot 4, due 8, first 4, count 4 bytes, big endian. */
static struct digest chunks_digest(const struct plan *p)
{
    uint8_t block[BLOCK];
    size_t n = 0;
    struct digest_state s = digest_begin();
    for (size_t i = 0; i < p->chunk_count; i++) {
        const struct plan_chunk *c = &p->chunks[i];
        n += put(block + n, c->ca, 2);
        n += put(block + n, c->issuer, 2);
        n += put(block + n, c->canary, 1);
        n += put(block + n, c->slot, 4);
        n += put(block + n, (uint64_t)c->due.s, 8);
        n += put(block + n, c->first, 4);
        n += put(block + n, c->count, 4);
        if (n > sizeof block - 25 || i + 1 == p->chunk_count) {
            digest_add(&s, block, n);
            n = 0;
        }
    }
    return digest_end(&s);
}

static void set_digest(json_t *object, const char *key, struct digest d)
{
    char hex[DIGEST_TEXT];
    json_set_text(object, key, digest_hex(d, hex));
}

void text_write(const struct work *w, struct digest numbers, struct plan *out)
{
    AUTO_JSON *doc = json_object();
    json_set_int(doc, "version", 2);
    set_digest(doc, "rule", w->in->rule_digest);
    set_digest(doc, "profile", w->in->profile.digest);
    json_set_utc(doc, "received", w->in->received);
    json_set_utc(doc, "deadline", w->hours.deadline);
    json_set_int(doc, "certificates", (int64_t)out->number_count);
    json_set_int(doc, "held", (int64_t)out->held);
    json_set_int(doc, "expires_first", (int64_t)out->expires_first);
    json_set_int(doc, "late", (int64_t)out->late);
    json_set_utc(doc, "finish", out->finish);
    set_digest(doc, "chunks", chunks_digest(out));
    set_digest(doc, "numbers", numbers);
    json_t *slots = json_array();
    for (size_t i = 0; i < out->slot_count; i++) {
        json_t *slot = json_object();
        json_set_int(slot, "hour", out->slots[i].hour);
        json_set_utc(slot, "start", out->slots[i].start);
        json_set_int(slot, "certificates", out->slots[i].certificates);
        json_set_int(slot, "subscribers", out->slots[i].subscribers);
        json_array_append_new(slots, slot);
    }
    json_object_set_new(doc, "slots", slots);
    AUTO_BUF text = {0};
    json_canonical(doc, &text);
    out->text = arena_copy(w->arena, text.p, text.n);
    out->digest = digest_of(text.p, text.n);
}
