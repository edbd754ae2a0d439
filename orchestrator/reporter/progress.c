#include "figures.h"
#include "massrevoke/json.h"
#include "passages.h"
#include "renderers.h"
#include "words.h"

#include <inttypes.h>

#define HOUR_ROWS 24

/* The hours that have begun and in which something was planned or happened; at most the newest HOUR_ROWS, the
 * earlier ones summed in the first row. */
static void put_hours(const struct snapshot *s, struct buf *out)
{
    size_t worth = 0, seen = 0;
    for (size_t i = 0; i < s->hour_count; i++)
        worth += s->hours[i].start.s <= s->as_of.s &&
                 (s->hours[i].planned | s->hours[i].recorded | s->hours[i].published) != 0;
    if (worth == 0) {
        buf_text(out, "No revocation was due before the time of this report.\n\n");
        return;
    }
    size_t early = worth > HOUR_ROWS ? worth - HOUR_ROWS + 1 : 0;
    struct snapshot_hour sum = {.start = UTC_NONE};
    buf_text(out, "| Hour (UTC) | Planned | Revoked in the CA's records | Seen published |\n"
                  "|---|---:|---:|---:|\n");
    for (size_t i = 0; i < s->hour_count; i++) {
        struct snapshot_hour h = s->hours[i];
        if (h.start.s > s->as_of.s || (h.planned | h.recorded | h.published) == 0)
            continue;
        char name[WORDS_MINUTE];
        words_minute(h.start, name);
        name[16] = '\0'; /* the column's head says UTC */
        if (seen++ < early) {
            sum.planned += h.planned;
            sum.recorded += h.recorded;
            sum.published += h.published;
            if (seen < early)
                continue;
            h = sum;
            strcpy(name, "earlier");
        }
        buf_format(out, "| %s | %s | %s | %s |\n", name, NUMBER(h.planned), NUMBER(h.recorded),
                   NUMBER(h.published));
    }
    buf_text(out, "\n");
}

bool render_progress(const struct report_input *in, struct buf *out, struct fault *f)
{
    (void)f;
    const struct snapshot *s = in->snapshot;
    buf_format(out, "### Revocation progress update (%s)\n\n", MINUTE(s->as_of));
    buf_text(out, "Campaign ");
    words_markdown(out, s->campaign);
    if (s->bug > 0)
        buf_format(out, ", tracked in bug %" PRId64, s->bug);
    buf_text(out, ".\n\n");
    passage_figures(s, out);
    buf_text(out, "#### What \"revoked\" means here\n\n");
    passage_meaning(s, out);
    buf_text(out, "#### Certificates by cohort\n\n");
    passage_cohorts(s, out);
    buf_text(out, "#### Revocations per hour\n\n");
    put_hours(s, out);
    buf_text(out, "#### How to check these figures\n\n"
                  "The affected list in CCADB column order is attached to this bug. Every decision and every "
                  "batch is a leaf of an append-only log (RFC 6962); its head at the time of this report, "
                  "as origin, size and root:\n\n");
    passage_log_head(s, out);
    return true;
}

bool render_progress_json(const struct report_input *in, struct buf *out, struct fault *f)
{
    (void)f;
    const struct snapshot *s = in->snapshot;
    char root[DIGEST_TEXT];
    AUTO_JSON *object = json_object();
    json_set_text(object, "report", "progress");
    json_set_text(object, "campaign", s->campaign);
    json_set_text(object, "mode", s->mode);
    json_set_utc(object, "as_of", s->as_of);
    json_set_int(object, "affected", s->totals.affected);
    json_set_int(object, "revoked", s->totals.revoked);
    json_set_int(object, "not_yet_revoked", totals_not_yet_revoked(&s->totals));
    json_set_int(object, "expired_first", s->totals.expired);
    json_set_utc(object, "estimate", figures_estimate(s));
    json_set_int(object, "outside_estimate", figures_outside_estimate(s));
    json_set_int(object, "log_size", s->log_size);
    json_set_text(object, "log_root", digest_hex(s->log_root, root));
    json_pretty(object, out);
    return true;
}
