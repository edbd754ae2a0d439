/* sample.h - the campaign that the reporter's tests render: figures after the shape of a real five-day case.
 */
#ifndef TESTS_REPORTER_SAMPLE_H
#define TESTS_REPORTER_SAMPLE_H

#include "massrevoke/file.h"
#include "massrevoke/reporter.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_RECEIVED                                                                                      \
    {                                                                                                        \
        1794896580                                                                                           \
    } /* 2026-11-17T06:23:00Z */
#define SAMPLE_HOUR(n)                                                                                       \
    {                                                                                                        \
        1794895200 + (n)*INT64_C(3600)                                                                       \
    }

static const struct snapshot_cohort sample_cohorts[] = {
    {.cohort = 1,
     .state = CAMPAIGN_RUNNING,
     .rule = "4.9.1.1-12",
     .rule_text = "issued against the Baseline Requirements or the CA's own policy",
     .reason = 4,
     .received = SAMPLE_RECEIVED,
     .deadline = {1795328580},
     .totals = {20500, 12274, 300, 7589, 287, 47, 3},
     .verdict = VERDICT_ON_TRACK,
     .projected_finish = {1795295100},
     .slack = {33480}},
    {.cohort = 2,
     .state = CAMPAIGN_RUNNING,
     .rule = "4.9.1.1-12",
     .rule_text = "issued against the Baseline Requirements or the CA's own policy",
     .reason = 4,
     .received = {1794981600},
     .deadline = {1795413600},
     .totals = {352, 100, 10, 240, 0, 2, 0},
     .verdict = VERDICT_AT_RISK,
     .projected_finish = {1795298700},
     .slack = {114900}},
};

static const struct snapshot_hour sample_hours[] = {
    {SAMPLE_HOUR(67), 300, 300, 290}, {SAMPLE_HOUR(68), 300, 298, 280}, {SAMPLE_HOUR(69), 300, 300, 300},
    {SAMPLE_HOUR(70), 300, 100, 0},   {SAMPLE_HOUR(71), 300, 0, 0},     {SAMPLE_HOUR(72), 1200, 0, 0},
    {SAMPLE_HOUR(73), 300, 0, 0},
};

static const struct snapshot_issuer sample_issuers[] = {
    {"CN=Example TLS CA 1,O=Example Trust,C=DE", 20000},
    {"CN=Example TLS CA 2,O=Example Trust,C=DE", 852},
};

static const struct snapshot_event sample_events[] = {
    {{1794897000}, "m.okafor", "opened", "Campaign opened under 4.9.1.1 item 12"},
    {{1794900000}, "m.okafor", "imported", "20,500 certificates imported, 17 duplicates"},
    {{1794910000}, "p.rao", "approved", "Plan approved, \"as read aloud\""},
    {{1794911000}, "m.okafor", "started", "Campaign started"},
    {{1795140000}, "j.lind", "hold", "Court order 4 O 12/26 holds 287 certificates"},
};

static const struct snapshot_engine sample_engines[] = {{"host-a", "run", {1795147958}, true}};

/* A running campaign, figures balanced. */
static inline struct snapshot sample(void)
{
    struct snapshot s = {
        .campaign = "2026-11-rdn-order",
        .mode = "live",
        .commander = "m.okafor",
        .bug = 1999901,
        .state = CAMPAIGN_RUNNING,
        .pause_reason = "",
        .as_of = {1795147960}, /* 2026-11-20T04:12:40Z */
        .received = SAMPLE_RECEIVED,
        .deadline = {1795328580},
        .projected_finish = {1795295100},
        .slack = {33480},
        .verdict = VERDICT_AT_RISK,
        .totals = {20852, 12374, 310, 7829, 287, 49, 3},
        .in_doubt = 2,
        .needs_person = 5,
        .excluded_expired = 28,
        .excluded_withdrawn = 4,
        .balance_ok = true,
        .balance_checked_at = {1795147960},
        .balance_detail = "",
        .cohorts = sample_cohorts,
        .cohort_count = 2,
        .hours = sample_hours,
        .hour_count = sizeof sample_hours / sizeof *sample_hours,
        .issuers = sample_issuers,
        .issuer_count = 2,
        .events = sample_events,
        .event_count = 5,
        .engines = sample_engines,
        .engine_count = 1,
        .subscribers = 1217,
        .subscribers_told = 1204,
        .subscribers_acked = 640,
        .subscribers_bad_address = 3,
        .subscribers_no_contact = 13,
        .notices_sent = 1300,
        .notices_refused = 3,
        .backups_told = 96,
        .requests_waiting = 1,
        .waiting_text = "request 3 waits for one more approval",
        .next_command = "massrevoke request show 3",
        .log_size = 41877,
        .types_dv = 20000,
        .types_ov = 852,
    };
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        s.log_root.bytes[i] = (uint8_t)(i * 7);
    return s;
}

/* Compares with tests/unit/reporter/golden/NAME, or writes it when REWRITE is set; true when equal. */
static inline bool sample_golden(const char *name, const struct buf *text)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct str want;
    const char *path = arena_format(&a, "tests/unit/reporter/golden/%s", name);
    if (getenv("REWRITE") != NULL)
        return file_write(path, buf_str(text), 0644, &f);
    if (!file_read(path, 1 << 20, &a, &want, &f)) {
        fprintf(stderr, "%s\n", f.text);
        return false;
    }
    if (str_equal(want, buf_str(text)))
        return true;
    fprintf(stderr, "%s differs; REWRITE=1 writes it anew. Now:\n%s", path, text->p);
    return false;
}

#endif
