#include "massrevoke/csv.h"
#include "massrevoke/reporter.h"

void reporter_timeline_csv(const struct snapshot *s, struct buf *out)
{
    struct csv_writer w = {.out = out};
    buf_text(out, "at,actor,event,text\n");
    for (size_t i = 0; i < s->event_count; i++) {
        const struct snapshot_event *e = &s->events[i];
        char at[UTC_TEXT];
        csv_text(&w, utc_format(e->at, at));
        csv_text(&w, e->actor);
        csv_text(&w, e->type);
        csv_text(&w, e->text);
        csv_end_row(&w);
    }
}
