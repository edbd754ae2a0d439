#include "csv_field.h"
#include "massrevoke/reporter.h"

void reporter_timeline_csv(const struct snapshot *s, struct buf *out)
{
    buf_text(out, "at,actor,event,text\n");
    for (size_t i = 0; i < s->event_count; i++) {
        const struct snapshot_event *e = &s->events[i];
        char at[UTC_TEXT];
        buf_format(out, "%s,", utc_format(e->at, at));
        csv_field(out, e->actor);
        buf_text(out, ",");
        csv_field(out, e->type);
        buf_text(out, ",");
        csv_field(out, e->text);
        buf_text(out, "\n");
    }
}
