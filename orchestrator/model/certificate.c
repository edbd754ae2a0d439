#include "massrevoke/certificate.h"

static const struct {
    const char *name, *meaning;
    enum bucket bucket;
} states[CERTIFICATE_STATE_COUNT] = {
    [CERTIFICATE_NONE] = {"none", "no certificate", BUCKET_OUTSIDE},
#define STATE(id, name, bucket, text) [CERTIFICATE_##id] = {name, text, BUCKET_##bucket},
#define EVENT(id, name, text)
#define EDGE(from, event, to)
#include "certificate.def"
#undef STATE
#undef EVENT
};

static const char *const events[CERTIFICATE_EVENT_COUNT] = {
#define STATE(id, name, bucket, text)
#define EVENT(id, name, text) [CERTIFICATE_EVENT_##id] = name,
#include "certificate.def"
#undef STATE
#undef EVENT
#undef EDGE
};

static const uint8_t edges[CERTIFICATE_STATE_COUNT][CERTIFICATE_EVENT_COUNT] = {
#define STATE(id, name, bucket, text)
#define EVENT(id, name, text)
#define EDGE(from, event, to) [CERTIFICATE_##from][CERTIFICATE_EVENT_##event] = CERTIFICATE_##to,
#include "certificate.def"
#undef STATE
#undef EVENT
#undef EDGE
};

enum certificate_state certificate_edge(enum certificate_state from, enum certificate_event event)
{
    return (enum certificate_state)edges[from][event];
}

#define SEEN (CERTIFICATE_SEEN_CRL | CERTIFICATE_SEEN_OCSP)
#define NOTES (CERTIFICATE_NOTE_HOLD | CERTIFICATE_NOTE_DROP)

static uint8_t with_state(unsigned marks, enum certificate_state state)
{
    return (uint8_t)((marks & ~(unsigned)CERTIFICATE_STATE_MASK) | (unsigned)state);
}

/* Which state the marks mean, once something was seen; needs has at least one bit. */
static enum certificate_state seen_state(unsigned marks, unsigned needs)
{
    unsigned wanted = (needs & CERTIFICATE_NEEDS_CRL ? CERTIFICATE_SEEN_CRL : 0u) |
                      (needs & CERTIFICATE_NEEDS_OCSP ? CERTIFICATE_SEEN_OCSP : 0u);
    if ((marks & wanted) == wanted)
        return CERTIFICATE_PUBLISHED;
    return marks & CERTIFICATE_SEEN_CRL ? CERTIFICATE_CRL_SEEN : CERTIFICATE_OCSP_SEEN;
}

/* Sightings and losses move marks; the state follows from them. */
static uint8_t apply_sighting(uint8_t byte, enum certificate_event event, unsigned needs)
{
    bool saw = event == CERTIFICATE_EVENT_SAW_CRL || event == CERTIFICATE_EVENT_SAW_OCSP;
    bool crl = event == CERTIFICATE_EVENT_SAW_CRL || event == CERTIFICATE_EVENT_LOST_CRL;
    unsigned mark = crl ? CERTIFICATE_SEEN_CRL : CERTIFICATE_SEEN_OCSP;
    if (saw)
        return with_state((byte | mark) & ~(unsigned)NOTES, seen_state(byte | mark, needs));
    if ((byte & mark) == 0)
        return 0;
    return with_state(byte & ~mark, CERTIFICATE_VANISHED);
}

/* Outcomes after which a noted hold or drop has no object any more. */
static bool ends_notes(enum certificate_state state)
{
    return certificate_bucket(state) == BUCKET_PENDING_PUBLICATION || state == CERTIFICATE_PUBLISHED;
}

/* Applies a noted drop or hold when the state has an edge for it. */
static uint8_t apply_note(uint8_t byte)
{
    enum certificate_event event =
        byte & CERTIFICATE_NOTE_DROP ? CERTIFICATE_EVENT_DROP : CERTIFICATE_EVENT_HOLD;
    enum certificate_state to = certificate_edge(certificate_state(byte), event);
    if ((byte & NOTES) == 0 || to == CERTIFICATE_NONE)
        return byte;
    return with_state(byte & ~(unsigned)NOTES, to);
}

/* The drop is remembered even if the hold came first; a release takes back a noted hold. */
static uint8_t note(uint8_t byte, enum certificate_event event)
{
    if (event == CERTIFICATE_EVENT_HOLD)
        return (uint8_t)(byte | CERTIFICATE_NOTE_HOLD);
    if (event == CERTIFICATE_EVENT_DROP)
        return (uint8_t)(byte | CERTIFICATE_NOTE_DROP);
    if (event == CERTIFICATE_EVENT_RELEASE && byte & CERTIFICATE_NOTE_HOLD)
        return (uint8_t)(byte & ~CERTIFICATE_NOTE_HOLD);
    return 0;
}

/* A withdrawn certificate stays withdrawn; that it is revoked all the same is marked. */
static uint8_t outside(uint8_t byte, enum certificate_event event)
{
    if (event == CERTIFICATE_EVENT_SAW_OCSP)
        return (uint8_t)(byte | CERTIFICATE_SEEN_OCSP);
    bool revoked = event == CERTIFICATE_EVENT_REVOKED || event == CERTIFICATE_EVENT_BEFORE ||
                   event == CERTIFICATE_EVENT_SAW_CRL;
    return revoked ? (uint8_t)(byte | CERTIFICATE_SEEN_CRL) : 0;
}

uint8_t certificate_apply(uint8_t byte, enum certificate_event event, unsigned needs)
{
    enum certificate_state from = certificate_state(byte);
    if (from == CERTIFICATE_NONE)
        return 0;
    if (from == CERTIFICATE_WITHDRAWN)
        return outside(byte, event);
    enum certificate_state to = certificate_edge(from, event);
    bool noting = from == CERTIFICATE_ASKED || from == CERTIFICATE_DOUBT || from == CERTIFICATE_UNKNOWN;
    if (to == CERTIFICATE_NONE)
        return noting ? note(byte, event) : 0;
    if (event >= CERTIFICATE_EVENT_SAW_CRL && event <= CERTIFICATE_EVENT_LOST_OCSP)
        return apply_sighting(byte, event, needs);
    unsigned marks = ends_notes(to) || event == CERTIFICATE_EVENT_DROP || event == CERTIFICATE_EVENT_EXPIRE
                         ? byte & ~(unsigned)NOTES
                         : byte;
    return apply_note(with_state(marks, to));
}

void certificate_table(uint8_t out[static CERTIFICATE_TABLE_SIZE])
{
    memset(out, 0, CERTIFICATE_TABLE_SIZE);
    for (unsigned needs = 0; needs < 4; needs++)
        for (unsigned event = 0; event < CERTIFICATE_EVENT_COUNT; event++)
            for (unsigned byte = 0; byte < 256; byte++)
                out[(needs * CERTIFICATE_EVENT_COUNT + event) * 256 + byte] = certificate_apply(
                    (uint8_t)byte, (enum certificate_event)event, needs == 0 ? CERTIFICATE_NEEDS_CRL : needs);
}

enum bucket certificate_bucket(enum certificate_state state)
{
    return states[state].bucket;
}

const char *certificate_state_name(enum certificate_state state)
{
    return states[state].name;
}

const char *certificate_state_meaning(enum certificate_state state)
{
    return states[state].meaning;
}

const char *certificate_event_name(enum certificate_event event)
{
    return events[event];
}

const char *bucket_name(enum bucket bucket)
{
    static const char *const names[BUCKET_COUNT] = {
        "revoked", "pending_publication", "not_revoked", "held", "expired", "unknown", "outside"};
    return names[bucket];
}

enum certificate_state certificate_state_from_name(struct str name)
{
    for (int state = 1; state < CERTIFICATE_STATE_COUNT; state++)
        if (str_is(name, states[state].name))
            return (enum certificate_state)state;
    return CERTIFICATE_NONE;
}
