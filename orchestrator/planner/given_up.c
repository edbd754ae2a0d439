/* Soft limits that the plan does not keep, in the order in which they are given up, and who loses what. */
#include "work.h"

static void line(const struct work *w, struct plan *out, const char *text)
{
    out->given_up = arena_format(w->arena, "%s%s\n", out->given_up, text);
}

size_t given_up_crowded(const struct work *w, const struct plan *p)
{
    size_t n = 0;
    int desk = w->in->profile.helpdesk_per_hour;
    for (size_t i = 0; i < p->slot_count && desk > 0; i++)
        n += p->slots[i].subscribers > (uint32_t)desk;
    return n;
}

static bool counts(const struct lot *l)
{
    return lot_role(l) != ROLE_NONE && lot_role(l) != ROLE_HELD;
}

/* Certificates and subscribers that go inside a freeze. */
static void list_freeze(struct work *w, struct plan *out, const struct freeze *f)
{
    AUTO_ARENA scratch = {0};
    bool *seen = arena_array(&scratch, w->ranks, sizeof *seen);
    uint64_t certificates = 0, subscribers = 0;
    for (size_t i = 0; i < w->lot_count + work_cuts(w); i++) {
        const struct lot *l = work_lot(w, i);
        int64_t slot = w->slots[i];
        if (!counts(l) || slot_start(w, slot).s >= f->to.s || slot_end(w, slot).s <= f->from.s)
            continue;
        certificates += l->count;
        subscribers += !seen[l->rank];
        seen[l->rank] = true;
    }
    if (certificates > 0)
        line(w, out,
             arena_format(w->arena, "freeze: %llu certificates of %llu subscribers inside: %s",
                          (unsigned long long)certificates, (unsigned long long)subscribers,
                          f->why == NULL ? "-" : f->why));
}

/* "notice: 360 in_use certificates before their 36 h" for each class that loses any. */
static void list_classes(const struct work *w, struct plan *out, const char *what, const uint64_t *counts_of,
                         const char *side, const struct span *limits)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        if (counts_of[c] > 0)
            line(w, out,
                 arena_format(w->arena, "%s: %llu %s certificates %s their %lld h", what,
                              (unsigned long long)counts_of[c], class_name((enum plan_class)c), side,
                              (long long)limits[c].s / HOUR));
}

/* A span that is shorter than the profile wants it. */
static void list_span(const struct work *w, struct plan *out, const char *what, struct span got,
                      struct span wanted)
{
    char a[SPAN_TEXT], b[SPAN_TEXT];
    if (out->number_count > out->held && wanted.s > 0 && got.s < wanted.s)
        line(w, out,
             arena_format(w->arena, "%s: %s instead of %s", what,
                          span_format((struct span){got.s < 0 ? 0 : got.s}, a), span_format(wanted, b)));
}

static const char *megabytes(const struct work *w, uint64_t bytes)
{
    uint64_t tenths = (bytes + 99999) / 100000;
    return arena_format(w->arena, "%llu.%llu MB", (unsigned long long)tenths / 10,
                        (unsigned long long)tenths % 10);
}

/* CRLs that grow beyond what a root program asks for; nothing of the schedule could change that. */
static void list_shards(const struct work *w, struct plan *out)
{
    for (size_t i = 0; i < out->shard_count && out->shards[i].over; i++)
        line(w, out,
             arena_format(w->arena, "CRL size: %s, more than %s: %s", megabytes(w, out->shards[i].bytes),
                          megabytes(w, (uint64_t)w->in->profile.crl_limit), out->shards[i].url));
}

void given_up_list(struct work *w, struct plan *out)
{
    const struct profile *p = &w->in->profile;
    list_classes(w, out, "ceiling", w->losses.after, "after", p->class_ceiling);
    if (given_up_crowded(w, out) > 0)
        line(w, out,
             arena_format(w->arena, "help desk: more than %d subscribers in %zu slots", p->helpdesk_per_hour,
                          given_up_crowded(w, out)));
    if (p->rate_cap.count > 0 && !w->kept.cap && !w->hours.at_once)
        line(w, out, "rate cap: the backends run at their full rate");
    for (size_t i = 0; i < p->freeze_count; i++)
        if ((w->kept.freezes >> i & 1) == 0)
            list_freeze(w, out, &p->freezes[i]);
    if (w->losses.ari > 0)
        line(w, out,
             arena_format(w->arena, "ARI lead: %llu automated certificates have less than %lld h",
                          (unsigned long long)w->losses.ari, (long long)p->ari_lead.s / HOUR));
    list_classes(w, out, "notice", w->losses.early, "before", p->class_notice);
    list_span(w, out, "reserve", out->slack, p->reserve);
    list_span(w, out, "outage floor", out->outage_tolerance, p->outage_floor);
    if (w->gave_canary)
        line(w, out, "canary: none, there is no time to wait for its publication");
    list_shards(w, out);
}
