/* The schedule as iCalendar, through libical: it knows what to escape and where to fold. */
#include "massrevoke/planner.h"

#include <libical/ical.h>

static struct icaltimetype time_of(struct utc t)
{
    struct civil c = utc_to_civil(t);
    struct icaltimetype time = icaltime_null_time();
    time.year = c.year;
    time.month = c.month;
    time.day = c.day;
    time.hour = c.hour;
    time.minute = c.minute;
    time.second = c.second;
    time.zone = icaltimezone_get_utc_timezone();
    return time;
}

/* One entry; it blocks nobody's time and is nobody else's business. */
static icalcomponent *add_event(icalcomponent *calendar, const char *uid, struct utc stamp, struct utc start,
                                struct utc end, const char *summary)
{
    icalcomponent *event = icalcomponent_new(ICAL_VEVENT_COMPONENT);
    icalcomponent_add_property(event, icalproperty_new_uid(uid));
    icalcomponent_add_property(event, icalproperty_new_dtstamp(time_of(stamp)));
    icalcomponent_add_property(event, icalproperty_new_dtstart(time_of(start)));
    icalcomponent_add_property(event, icalproperty_new_dtend(time_of(end)));
    icalcomponent_add_property(event, icalproperty_new_summary(summary));
    icalcomponent_add_property(event, icalproperty_new_class(ICAL_CLASS_PRIVATE));
    icalcomponent_add_property(event, icalproperty_new_transp(ICAL_TRANSP_TRANSPARENT));
    icalcomponent_add_component(calendar, event);
    return event;
}

static void add_alarm(icalcomponent *event, const char *text)
{
    icalcomponent *alarm = icalcomponent_new(ICAL_VALARM_COMPONENT);
    struct icaltriggertype trigger = {.duration = {.is_neg = 1, .hours = 24}}; /* hours: no DST day */
    trigger.time = icaltime_null_time();
    icalcomponent_add_property(alarm, icalproperty_new_action(ICAL_ACTION_DISPLAY));
    icalcomponent_add_property(alarm, icalproperty_new_trigger(trigger));
    icalcomponent_add_property(alarm, icalproperty_new_description(text));
    icalcomponent_add_component(event, alarm);
}

void planner_ics(const struct plan *plan, const struct plan_input *in, const char *campaign, struct utc stamp,
                 const struct plan_event *extra, size_t count, struct buf *out)
{
    AUTO_ARENA a = {0};
    icalcomponent *calendar = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);
    icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
    icalcomponent_add_property(calendar, icalproperty_new_prodid("-//massrevoke//schedule//EN"));
    icalcomponent_add_property(calendar, icalproperty_new_calscale("GREGORIAN"));
    icalcomponent_add_property(calendar, icalproperty_new_method(ICAL_METHOD_PUBLISH));
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct plan_slot *s = &plan->slots[i];
        struct utc end = {in->received.s + (s->hour + 1) * 3600};
        (void)add_event(calendar, arena_format(&a, "%s-%lld@massrevoke", campaign, (long long)s->hour), stamp,
                        s->start, end,
                        arena_format(&a, "%s: revoke %u certificates of %u subscribers", campaign,
                                     s->certificates, s->subscribers));
    }
    struct utc deadline = utc_add(in->received, in->deadline);
    const char *text = arena_format(&a, "%s: deadline, all revoked and published", campaign);
    add_alarm(add_event(calendar, arena_format(&a, "%s-deadline@massrevoke", campaign), stamp, deadline,
                        deadline, text),
              text);
    for (size_t i = 0; i < count; i++)
        (void)add_event(calendar, arena_format(&a, "%s-%s@massrevoke", campaign, extra[i].uid), stamp,
                        extra[i].start, extra[i].start, extra[i].summary);
    char *bytes = icalcomponent_as_ical_string_r(calendar);
    buf_text(out, bytes);
    icalmemory_free_buffer(bytes);
    icalcomponent_free(calendar);
}
