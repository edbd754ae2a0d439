#include "massrevoke/time.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Days from 1970-01-01, proleptic Gregorian; the era method of H. Hinnant's public algorithm description. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct utc utc_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    return (struct utc){days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second};
}

struct civil utc_to_civil(struct utc t)
{
    int64_t days = t.s / 86400, rest = t.s % 86400;
    if (rest < 0)
        rest += 86400, days--;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = (int)month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
    };
}

static bool digits(const char **p, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool expect(const char **p, const char *set)
{
    if (**p == '\0' || !strchr(set, **p))
        return false;
    (*p)++;
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool zone(const char **p, int *offset)
{
    *offset = 0;
    if (expect(p, "Zz"))
        return true;
    int sign = **p == '-' ? -1 : 1, hours, minutes;
    if (!expect(p, "+-") || !digits(p, 2, &hours) || !expect(p, ":") || !digits(p, 2, &minutes))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

bool utc_parse(const char *text, struct utc *out, struct fault *f)
{
    struct civil c = {0};
    int offset = 0;
    const char *p = text;
    bool ok = digits(&p, 4, &c.year) && expect(&p, "-") && digits(&p, 2, &c.month) && expect(&p, "-") &&
              digits(&p, 2, &c.day) && expect(&p, "Tt ") && digits(&p, 2, &c.hour) && expect(&p, ":") &&
              digits(&p, 2, &c.minute);
    if (ok && *p == ':')
        ok = expect(&p, ":") && digits(&p, 2, &c.second);
    if (ok && *p == '\0') {
        fault_set(f, FAULT_USAGE, "time '%.60s' has no zone", text);
        return fault_hint(f, "add Z for UTC, as in %.40sZ", text);
    }
    ok = ok && zone(&p, &offset) && *p == '\0' && c.year >= 1950 && c.month >= 1 && c.month <= 12 &&
         c.day >= 1 && c.day <= month_days(c.year, c.month) && c.hour < 24 && c.minute < 60 && c.second < 60;
    if (!ok) {
        fault_set(f, FAULT_USAGE, "'%.60s' is not a time", text);
        return fault_hint(f, "write it as 2026-11-22T14:41Z, or with an offset: 2026-11-22T15:41+01:00");
    }
    *out = utc_from_civil(c.year, c.month, c.day, c.hour, c.minute, c.second);
    out->s -= offset;
    return true;
}

const char *utc_format(struct utc t, char out[static UTC_TEXT])
{
    if (!utc_is_set(t)) {
        strcpy(out, "-");
        return out;
    }
    struct civil c = utc_to_civil(t);
    snprintf(out, UTC_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
             (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100,
             (unsigned)c.second % 100);
    return out;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    default:
        return 0;
    }
}

/* Reads digits into *out, at most 12 of them; false when there is none. */
static bool number(const char **p, int64_t *out)
{
    int count = 0;
    for (*out = 0; isdigit((unsigned char)**p); (*p)++, count++) {
        if (count == 12)
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return count > 0;
}

bool span_parse(const char *text, struct span *out, struct fault *f)
{
    const char *p = text;
    bool ok = *p != '\0';
    out->s = 0;
    while (ok && *p != '\0') {
        int64_t n, unit;
        ok = number(&p, &n) && (unit = unit_seconds(*p)) > 0 && n <= INT64_C(100000000000) / unit;
        if (ok) {
            out->s += n * unit;
            p++;
        }
    }
    if (ok)
        return true;
    fault_set(f, FAULT_USAGE, "'%.60s' is not a length of time", text);
    return fault_hint(f, "write it with its unit: 90s, 30m, 36h, 5d");
}

const char *span_format(struct span d, char out[static SPAN_TEXT])
{
    const char *sign = d.s < 0 ? "-" : "";
    uint64_t s = d.s < 0 ? 0 - (uint64_t)d.s : (uint64_t)d.s;
    unsigned long long days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60;
    if (days > 0)
        snprintf(out, SPAN_TEXT, "%s%llu d %02llu h %02llu min", sign, days, hours, minutes);
    else if (hours > 0)
        snprintf(out, SPAN_TEXT, "%s%llu h %02llu min", sign, hours, minutes);
    else if (minutes > 0)
        snprintf(out, SPAN_TEXT, "%s%llu min", sign, minutes);
    else
        snprintf(out, SPAN_TEXT, "%s%llu s", sign, (unsigned long long)s);
    return out;
}

bool rate_parse(const char *text, struct rate *out, struct fault *f)
{
    const char *p = text;
    int64_t times = 1;
    bool ok = number(&p, &out->count) && out->count > 0 && expect(&p, "/");
    if (ok && isdigit((unsigned char)*p))
        ok = number(&p, &times) && times > 0 && times < 1000000;
    if (ok)
        ok = (out->per = times * unit_seconds(*p)) > 0 && p[1] == '\0';
    if (ok)
        return true;
    fault_set(f, FAULT_USAGE, "'%.60s' is not a rate", text);
    return fault_hint(f, "write it as 2000/s, 320/h or 100/5s");
}

int64_t rate_per_hour(struct rate r)
{
    if (r.count == 0)
        return 0;
    if (r.count > INT64_MAX / 3600)
        return INT64_MAX / r.per;
    return r.count * 3600 / r.per;
}

struct rate rate_slower(struct rate a, struct rate b)
{
    if (a.count == 0 || b.count == 0)
        return a.count == 0 ? b : a;
    int64_t left, right;
    if (__builtin_mul_overflow(a.count, b.per, &left) || __builtin_mul_overflow(b.count, a.per, &right))
        return rate_per_hour(a) <= rate_per_hour(b) ? a : b;
    return left <= right ? a : b;
}

struct rate_limits rate_limits_halved(struct rate_limits l)
{
    for (size_t i = 0; i < l.window_count; i++) {
        struct rate *w = &l.windows[i];
        *w = w->count > 1 ? (struct rate){w->count / 2, w->per} : (struct rate){w->count, 2 * w->per};
    }
    return l;
}

int64_t rate_seconds(struct rate r, int64_t n)
{
    if (r.count == 0 || n <= 0)
        return 0;
    int64_t rest = n % r.count, part, seconds;
    if (__builtin_mul_overflow(rest, r.per, &part))
        part = r.per; /* a rate of more than 10^7 in more than 10^11 s: up to the next whole period will do */
    else
        part = part / r.count + (part % r.count != 0);
    if (__builtin_mul_overflow(n / r.count, r.per, &seconds) ||
        __builtin_add_overflow(seconds, part, &seconds))
        return INT64_MAX;
    return seconds;
}
