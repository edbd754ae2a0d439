/* From slots to chunks: the plan's arrays, its figures, its canonical bytes. */
#include "work.h"

/* Where the dealing stands. */
struct deal {
    const struct work *w;
    struct plan *out;
    uint32_t *order; /* certificate indexes in the order of out->numbers */
    size_t n;
    int64_t *sent;     /* by CA: in this slot, at_once: in all */
    int64_t *ends;     /* by CA: end of the last slot that holds one with a deadline */
    struct utc worked; /* when the last one is revoked */
};

/* Slot by slot; in it canaries first, then CA by CA, in it by role and number: neighbours share pages. */
static void deal_order(struct deal *d, struct arena *scratch)
{
    const struct work *w = d->w;
    size_t all = w->in->certificate_count, cas = w->in->ca_count;
    uint32_t *key = arena_array(scratch, all, sizeof *key), *from = arena_array(scratch, all, sizeof *from);
    d->order = arena_array(scratch, all, sizeof *d->order);
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t i = 0; i < all; i++) {
        uint32_t ca = w->in->certificates[i].ca, places = ROLE_COUNT + 1;
        if (w->role[i] == ROLE_NONE)
            continue;
        from[d->n++] = (uint32_t)i;
        key[i] = w->role[i] == ROLE_CANARY
                     ? ca
                     : (uint32_t)cas + ca * places + (uint32_t)role_place(w, ca, (enum role)w->role[i]);
        first = w->slot[i] < first ? w->slot[i] : first;
        last = w->slot[i] > last ? w->slot[i] : last;
    }
    work_sort(key, cas * (ROLE_COUNT + 2), from, d->order, d->n);
    for (size_t i = 0; i < d->n; i++) {
        from[i] = d->order[i];
        key[from[i]] = w->slot[from[i]] - first;
    }
    work_sort(key, d->n == 0 ? 0 : last - first + 1, from, d->order, d->n);
}

/* Most numbers in one chunk of a CA: design section 3. */
static size_t chunk_most(struct rate r)
{
    int64_t most = r.count == 0 ? PLAN_CHUNK_MAX : PLAN_CHUNK_SECONDS * r.count / r.per;
    if (most > PLAN_CHUNK_MAX)
        most = PLAN_CHUNK_MAX;
    return most < 1 ? 1 : (size_t)most;
}

/* Length of the chunk that starts at position i. */
static size_t chunk_length(const struct deal *d, size_t i)
{
    const struct work *w = d->w;
    const struct plan_certificate *all = w->in->certificates, *c = &all[d->order[i]];
    size_t most = chunk_most(w->in->ca_rates[c->ca]), n = 1;
    bool canary = w->role[d->order[i]] == ROLE_CANARY;
    for (; n < most && i + n < d->n; n++) {
        uint32_t k = d->order[i + n];
        if (w->slot[k] != w->slot[d->order[i]] || all[k].ca != c->ca || all[k].issuer != c->issuer ||
            (w->role[k] == ROLE_CANARY) != canary)
            break;
    }
    return n;
}

/* The chunk that starts at position i, due as the rate reaches it; keeps the CA's count and end. */
static struct plan_chunk chunk_at(struct deal *d, size_t i, size_t n, uint32_t slot, struct utc start)
{
    const struct work *w = d->w;
    const struct plan_certificate *c = &w->in->certificates[d->order[i]];
    struct rate rate = w->cas[c->ca].rate;
    struct utc base = w->hours.at_once ? w->hours.start : start, end;
    int64_t *sent = &d->sent[c->ca];
    struct plan_chunk chunk = {.ca = c->ca,
                               .issuer = c->issuer,
                               .canary = w->role[d->order[i]] == ROLE_CANARY,
                               .slot = slot,
                               .due = utc_max(start, utc_add(base, (struct span){rate_due(rate, *sent)})),
                               .first = (uint32_t)i,
                               .count = (uint32_t)n};
    *sent += (int64_t)n;
    int64_t hour = w->slot[d->order[i]];
    end = utc_add(base, (struct span){rate_seconds(rate, *sent)});
    if (!w->hours.at_once) {
        /* a slot counts whole without a rate to tell by, and when the deadline cuts it: a late certificate
         * never shows slack; a rate below one an hour still ends with its slot */
        bool cut = hour >= w->hours.end && end.s <= w->hours.last.s;
        end = rate.count == 0 || cut ? slot_end(w, hour) : utc_min(end, slot_end(w, hour));
    }
    d->worked = utc_max(d->worked, end);
    return chunk;
}

/* Figures of the certificates of one chunk, of which `sent` are done in its CA when it ends. */
static void judge(struct deal *d, size_t i, size_t n, int64_t sent)
{
    const struct work *w = d->w;
    const struct hours *h = &w->hours;
    struct utc should = utc_add(w->in->received, w->in->should);
    for (size_t k = i; k < i + n; k++) {
        const struct plan_certificate *c = &w->in->certificates[d->order[k]];
        struct utc end = slot_end(w, w->slot[d->order[k]]);
        if (h->at_once)
            end = utc_add(h->start,
                          (struct span){rate_seconds(w->cas[c->ca].rate, sent - (int64_t)(i + n - k - 1))});
        d->out->should_24h += w->in->should.s > 0 && end.s + w->in->profile.publish_margin.s <= should.s;
        if (expires(w, c))
            continue;
        d->out->late += end.s > h->last.s;
        if (end.s > d->ends[c->ca])
            d->ends[c->ca] = end.s;
    }
}

static struct plan_slot *open_slot(struct deal *d, struct plan_slot *slots, int64_t hour)
{
    const struct work *w = d->w;
    struct plan_slot *s = &slots[d->out->slot_count++];
    *s = (struct plan_slot){
        .hour = hour, .start = slot_start(w, hour), .first_chunk = (uint32_t)d->out->chunk_count};
    for (size_t i = 0; i < w->in->ca_count && !w->hours.at_once; i++)
        d->sent[i] = 0;
    return s;
}

/* Numbers, chunks and slots from the order. */
static void deal_chunks(struct deal *d, struct arena *scratch)
{
    const struct work *w = d->w;
    size_t chunk_count = 0, slot_count = 0;
    for (size_t i = 0; i < d->n; i += chunk_length(d, i), chunk_count++)
        slot_count += i == 0 || w->slot[d->order[i]] != w->slot[d->order[i - 1]];
    struct plan_chunk *chunks = arena_array(w->arena, chunk_count, sizeof *chunks);
    struct plan_slot *slots = arena_array(w->arena, slot_count, sizeof *slots), *s = NULL;
    uint32_t *numbers = arena_array(w->arena, d->n, sizeof *numbers);
    uint32_t *seen = arena_array(scratch, w->in->subscriber_count, sizeof *seen);
    for (size_t i = 0, n; i < d->n; i += n) {
        if (i == 0 || w->slot[d->order[i]] != w->slot[d->order[i - 1]])
            s = open_slot(d, slots, w->slot[d->order[i]]);
        n = chunk_length(d, i);
        struct plan_chunk *chunk = &chunks[d->out->chunk_count++];
        *chunk = chunk_at(d, i, n, (uint32_t)d->out->slot_count - 1, s->start);
        judge(d, i, n, d->sent[chunk->ca]);
        s->chunk_count++;
        s->certificates += chunk->count;
        for (size_t k = i; k < i + n; k++) {
            const struct plan_certificate *c = &w->in->certificates[d->order[k]];
            numbers[k] = c->number;
            s->subscribers += seen[c->subscriber] != d->out->slot_count;
            seen[c->subscriber] = (uint32_t)d->out->slot_count;
        }
    }
    d->out->slots = slots;
    d->out->chunks = chunks;
    d->out->numbers = numbers;
    d->out->number_count = d->n;
}

static void list_canaries(const struct work *w, struct plan *out)
{
    uint32_t *canaries = arena_array(w->arena, w->canaries, sizeof *canaries);
    for (size_t i = 0; i < w->in->certificate_count; i++)
        if (w->role[i] == ROLE_CANARY)
            canaries[out->canary_count++] = w->in->certificates[i].number;
    out->canaries = canaries;
}

static void set_figures(const struct deal *d)
{
    const struct work *w = d->w;
    struct plan *out = d->out;
    out->expires_first = w->in->certificate_count - d->n;
    out->feasible = out->late == 0;
    out->shortfall = out->late;
    out->finish = d->n == 0 ? UTC_NONE : utc_add(d->worked, w->in->profile.publish_margin);
    out->slack = utc_sub(w->hours.deadline, d->n == 0 ? w->hours.start : out->finish);
    int64_t end = w->hours.start.s;
    for (size_t i = 0; i < w->in->ca_count; i++)
        end = d->ends[i] > end ? d->ends[i] : end;
    out->outage_tolerance.s = out->late > 0 || end > w->hours.last.s ? 0 : w->hours.last.s - end;
}

/* Appends v to the digest, big endian in n bytes. */
static void add_number(struct digest_state *s, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
    digest_add(s, bytes, n);
}

/* SHA-256 over each chunk as ca 2, issuer 2, canary 1, slot 4, due 8, first 4, count 4 bytes, big endian. */
static struct digest chunks_digest(const struct plan *p)
{
    struct digest_state s = digest_begin();
    for (size_t i = 0; i < p->chunk_count; i++) {
        const struct plan_chunk *c = &p->chunks[i];
        add_number(&s, c->ca, 2);
        add_number(&s, c->issuer, 2);
        add_number(&s, c->canary, 1);
        add_number(&s, c->slot, 4);
        add_number(&s, (uint64_t)c->due.s, 8);
        add_number(&s, c->first, 4);
        add_number(&s, c->count, 4);
    }
    return digest_end(&s);
}

/* SHA-256 over the numbers in plan order, 4 bytes each, big endian. */
static struct digest numbers_digest(const struct plan *p)
{
    uint8_t block[4096];
    size_t n = 0;
    struct digest_state s = digest_begin();
    for (size_t i = 0; i < p->number_count; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            block[n++] = (uint8_t)(p->numbers[i] >> shift);
        if (n == sizeof block || i + 1 == p->number_count) {
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

/* The bytes that are digested and, by their digest, signed. */
static void write_text(const struct work *w, struct plan *out)
{
    AUTO_JSON *doc = json_object();
    json_set_int(doc, "version", 1);
    set_digest(doc, "rule", w->in->rule_digest);
    set_digest(doc, "profile", w->in->profile.digest);
    json_set_utc(doc, "received", w->in->received);
    json_set_utc(doc, "deadline", w->hours.deadline);
    json_set_int(doc, "certificates", (int64_t)out->number_count);
    json_set_int(doc, "expires_first", (int64_t)out->expires_first);
    json_set_int(doc, "late", (int64_t)out->late);
    json_set_utc(doc, "finish", out->finish);
    set_digest(doc, "chunks", chunks_digest(out));
    set_digest(doc, "numbers", numbers_digest(out));
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

void deal_out(struct work *w, struct plan *out)
{
    AUTO_ARENA scratch = {0};
    *out = (struct plan){.remedy = "", .given_up = ""};
    struct deal d = {.w = w, .out = out, .worked = w->hours.start};
    d.sent = arena_array(&scratch, w->in->ca_count, sizeof *d.sent);
    d.ends = arena_array(&scratch, w->in->ca_count, sizeof *d.ends);
    for (size_t i = 0; i < w->in->ca_count; i++)
        d.ends[i] = INT64_MIN;
    deal_order(&d, &scratch);
    deal_chunks(&d, &scratch);
    list_canaries(w, out);
    set_figures(&d);
    write_text(w, out);
}
