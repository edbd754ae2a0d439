/* certificate.h - the life of one certificate in a campaign (contract section 2), from certificate.def.
 *
 * A certificate's whole life state is one byte, kept in its page: the low four bits are the state, the high
 * four are marks: which pointers show it now, and a hold or drop noted while it was asked or in doubt. The
 * SQL side holds no logic: it looks the next byte up in a table that certificate_table() makes
 * (store/migrate). Pure. Does not: know pages, facts, or the database. Called by: store, engine, reporter,
 * tests. */
#ifndef MASSREVOKE_CERTIFICATE_H
#define MASSREVOKE_CERTIFICATE_H

#include "massrevoke/text.h"
#include <stdint.h>

/* States; 0 means "no certificate at this place". */
enum certificate_state {
    CERTIFICATE_NONE,
#define STATE(id, name, bucket, text) CERTIFICATE_##id,
#define EVENT(id, name, text)
#define EDGE(from, event, to)
#include "../../orchestrator/model/certificate.def"
#undef STATE
    CERTIFICATE_STATE_COUNT
};

/* Events. */
enum certificate_event {
#define STATE(id, name, bucket, text)
#undef EVENT
#define EVENT(id, name, text) CERTIFICATE_EVENT_##id,
#include "../../orchestrator/model/certificate.def"
#undef STATE
#undef EVENT
#undef EDGE
    CERTIFICATE_EVENT_COUNT
};

/* What a state counts as in public figures; OUTSIDE is not affected any more. */
enum bucket {
    BUCKET_REVOKED,
    BUCKET_PENDING_PUBLICATION,
    BUCKET_NOT_REVOKED,
    BUCKET_HELD,
    BUCKET_EXPIRED,
    BUCKET_UNKNOWN,
    BUCKET_OUTSIDE,
    BUCKET_COUNT
};

/* Marks in the high bits of a state byte. On a withdrawn certificate any SEEN mark means: revoked outside
 * scope. */
#define CERTIFICATE_STATE_MASK 0x0f
#define CERTIFICATE_SEEN_CRL 0x10
#define CERTIFICATE_SEEN_OCSP 0x20
#define CERTIFICATE_NOTE_HOLD 0x40
#define CERTIFICATE_NOTE_DROP 0x80

/* Which pointers must show it before it counts as published. */
#define CERTIFICATE_NEEDS_CRL 1
#define CERTIFICATE_NEEDS_OCSP 2

/* State of a byte. */
static inline enum certificate_state certificate_state(uint8_t byte)
{
    return (enum certificate_state)(byte & CERTIFICATE_STATE_MASK);
}

/* The byte after `event` on a certificate with `needs` (CERTIFICATE_NEEDS_*, at least one): 0 when the event
 * has no edge (kept and reported, never applied). A hold or drop of an asked or doubtful one is noted; a note
 * is applied the moment the state allows it; RELEASE clears a noted hold; an outcome that ends the matter
 * clears notes. */
uint8_t certificate_apply(uint8_t byte, enum certificate_event event, unsigned needs);

#define CERTIFICATE_TABLE_SIZE ((size_t)4 * CERTIFICATE_EVENT_COUNT * 256)

/* Fills the whole function: out[(needs * EVENT_COUNT + event) * 256 + byte]. needs 0 (no pointer
 * known: nothing will ever be seen) has the rows of CERTIFICATE_NEEDS_CRL. */
void certificate_table(uint8_t out[static CERTIFICATE_TABLE_SIZE]);

/* Edge as written in certificate.def: the `to` state, CERTIFICATE_NONE when there is none. */
enum certificate_state certificate_edge(enum certificate_state from, enum certificate_event event);

/* Bucket of a state. */
enum bucket certificate_bucket(enum certificate_state state);

/* Names as in the contract; static storage. */
const char *certificate_state_name(enum certificate_state state);
const char *certificate_state_meaning(enum certificate_state state);
const char *certificate_event_name(enum certificate_event event);
const char *bucket_name(enum bucket bucket);

/* State for a name; CERTIFICATE_NONE when there is none. */
enum certificate_state certificate_state_from_name(struct str name);

#endif
