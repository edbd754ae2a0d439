/* verify without a file: what every pointer shows now, edge by edge, how long publication took, and what
 * nothing can prove. */
#include "massrevoke/hex.h"
#include "massrevoke/store_outside.h"
#include "session.h"
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>

#define LISTED 100     /* certificates that cannot be checked, by name */
#define HOURS_SHOWN 24 /* the last ones, for people */

/* Everything that is printed. */
struct outside_view {
    const struct session *session;
    const struct engine_report *report;
    struct edge *edges;
    size_t edge_count;
    struct publication *hours;
    size_t hour_count;
    struct not_checkable *dark;
    size_t dark_count;
    int64_t dark_total;
};

static const char *why_dark(const struct not_checkable *d)
{
    return d->known ? "it names neither CRL nor OCSP, and no CRL is configured for its issuer"
                    : "it is not in the inventory, and no CRL is configured for its issuer";
}

static bool gather(struct session *s, struct outside_view *x, struct fault *f)
{
    return store_edges(s->store, s->campaign.id, &s->arena, &x->edges, &x->edge_count, f) &&
           store_publication(s->store, &s->campaign, &s->arena, &x->hours, &x->hour_count, f) &&
           store_not_checkable(s->store, s->campaign.id, LISTED, &s->arena, &x->dark, &x->dark_count,
                               &x->dark_total, f);
}

/* --- JSON --------------------------------------------------------------------------------------------------
 */

static json_t *edge_json(const struct edge *e)
{
    char text[DIGEST_TEXT];
    json_t *o = json_object();
    struct fault ignored;
    json_t *headers = NULL;
    json_set_text(o, "kind", e->crl ? "crl" : "ocsp");
    json_set_int(o, "issuer", e->issuer);
    json_set_text(o, "url", e->url);
    json_set_text(o, "vantage", e->vantage);
    json_set_utc(o, "at", e->at);
    json_set_bool(o, "counts", e->counts);
    json_set_int(o, "http_status", e->http_status);
    json_set_text(o, "problem", e->problem);
    json_set_text(o, "findings", e->findings);
    json_set_utc(o, "this_update", e->this_update);
    json_set_utc(o, "next_update", e->next_update);
    json_set_text(o, "sha256", e->size > 0 ? digest_hex(e->sha256, text) : NULL);
    json_set_int(o, "size", e->size);
    if (json_read("headers", str_of(e->headers), &headers, &ignored))
        json_object_set_new(o, "headers", headers);
    return o;
}

static json_t *hours_json(const struct outside_view *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->hour_count; i++) {
        const struct publication *p = &x->hours[i];
        json_t *o = json_object();
        json_set_int(o, "hour", p->hour);
        json_set_int(o, "certificates", p->certificates);
        json_set_int(o, "median_seconds", p->median);
        json_set_int(o, "p90_seconds", p->p90);
        json_set_int(o, "p99_seconds", p->p99);
        json_set_int(o, "slowest_seconds", p->slowest);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *dark_json(const struct outside_view *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->dark_count; i++) {
        char hex[SERIAL_HEX_TEXT];
        json_t *o = json_object();
        json_set_text(o, "issuer", x->dark[i].issuer);
        json_set_text(o, "serial", serial_hex(&x->dark[i].serial, hex));
        json_set_text(o, "reason", why_dark(&x->dark[i]));
        json_array_append_new(list, o);
    }
    return list;
}

static void print_json(const struct outside_view *x)
{
    json_t *object = json_object(), *edges = json_array();
    json_set_text(object, "campaign", x->session->campaign.name);
    json_set_int(object, "published", x->report->published);
    json_set_int(object, "vanished", x->report->vanished);
    json_set_int(object, "ocsp_left", x->report->ocsp_left);
    json_set_text(object, "warning", x->report->warning);
    for (size_t i = 0; i < x->edge_count; i++)
        json_array_append_new(edges, edge_json(&x->edges[i]));
    json_object_set_new(object, "edges", edges);
    json_object_set_new(object, "publication", hours_json(x));
    json_set_int(object, "not_checkable", x->dark_total);
    json_object_set_new(object, "not_checkable_list", dark_json(x));
    session_print(object);
}

/* --- for people --------------------------------------------------------------------------------------------
 */

static void edge_text(const struct edge *e)
{
    char at[UTC_TEXT];
    printf("  %-4s %-12s %s\n       ", e->crl ? "CRL" : "OCSP", e->vantage, e->url);
    if (e->problem[0] != '\0')
        printf("nothing: %s\n", e->problem);
    else
        printf("%s, thisUpdate %s%s%s\n", e->counts ? "counts" : "does not count",
               utc_format(e->this_update, at), e->findings[0] == '\0' ? "" : "; ", e->findings);
}

static void print_text(const struct outside_view *x)
{
    char median[SPAN_TEXT], p90[SPAN_TEXT], p99[SPAN_TEXT], slowest[SPAN_TEXT], hex[SERIAL_HEX_TEXT];
    printf("newly seen published %" PRId64 ", vanished %" PRId64 "%s%s\n", x->report->published,
           x->report->vanished, x->report->warning[0] == '\0' ? "" : "; ", x->report->warning);
    if (x->report->ocsp_left > 0)
        printf("%" PRId64
               " certificates were not asked about at the responders: fetch.ocsp_rate; `run` goes on\n",
               x->report->ocsp_left);
    for (size_t i = 0; i < x->edge_count; i++)
        edge_text(&x->edges[i]);
    if (x->hour_count > 0)
        puts("  hour  published  from record to published: median, 90 %, 99 %, slowest");
    for (size_t i = x->hour_count > HOURS_SHOWN ? x->hour_count - HOURS_SHOWN : 0; i < x->hour_count; i++) {
        const struct publication *p = &x->hours[i];
        printf("  %4" PRId64 "  %9" PRId64 "  %s, %s, %s, %s\n", p->hour, p->certificates,
               span_format((struct span){p->median}, median), span_format((struct span){p->p90}, p90),
               span_format((struct span){p->p99}, p99), span_format((struct span){p->slowest}, slowest));
    }
    for (size_t i = 0; i < x->dark_count; i++)
        printf("  not checkable: %s: %s\n", serial_hex(&x->dark[i].serial, hex), why_dark(&x->dark[i]));
    if (x->dark_total > (int64_t)x->dark_count)
        printf("  and %" PRId64 " more\n", x->dark_total - (int64_t)x->dark_count);
}

/* --- one line a certificate --------------------------------------------------------------------------------
 */

static void print_proof(void *context, const struct proof *p)
{
    char hex[SERIAL_HEX_TEXT], recorded[UTC_TEXT], published[UTC_TEXT], seconds[24] = "";
    AUTO_BUF issuer = {0};
    (void)context;
    for (const char *c = p->issuer; *c != '\0'; c++) /* RFC 4180 2.7 */
        buf_format(&issuer, *c == '"' ? "\"\"" : "%c", *c);
    if (utc_is_set(p->recorded) && utc_is_set(p->published))
        snprintf(seconds, sizeof seconds, "%" PRId64, utc_sub(p->published, p->recorded).s);
    printf("\"%s\",%s,%s,%s,%s,%s,%s,%s\r\n", issuer.p == NULL ? "" : issuer.p, serial_hex(&p->serial, hex),
           certificate_state_name(certificate_state(p->state)),
           utc_is_set(p->recorded) ? utc_format(p->recorded, recorded) : "",
           utc_is_set(p->published) ? utc_format(p->published, published) : "", seconds,
           p->checkable ? "" : "no pointer, and no CRL configured for its issuer", p->before ? "yes" : "");
}

static bool print_csv(const struct session *s, struct fault *f)
{
    fputs("issuer,serial,state,recorded,published,seconds,not_checkable,revoked_before_us\r\n", stdout);
    return store_proofs(s->store, s->campaign.id, print_proof, NULL, f);
}

bool verify_outside(const struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct engine_parts parts;
    struct engine *e = NULL;
    struct engine_report r;
    const char *format = in->values[OPTION_FORMAT];
    bool csv = format != NULL && strcmp(format, "csv") == 0;
    if (format != NULL && !csv && strcmp(format, "text") != 0)
        return fault_set(f, FAULT_USAGE, "--format: '%.40s' is neither text nor csv", format);
    if (csv && in->json)
        return fault_set(f, FAULT_USAGE, "--json and --format csv: one at a time");
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !session_engine(&s, &parts, f) ||
        !engine_open(&parts, &e, f))
        return false;
    struct outside_view x = {.session = &s, .report = &r};
    bool ok = engine_verify_now(e, &r, f) && (csv ? print_csv(&s, f) : gather(&s, &x, f));
    if (ok && in->json)
        print_json(&x);
    else if (ok && !csv)
        print_text(&x);
    if (ok && r.vanished > 0)
        *exit_code = fault_exit_code(FAULT_EVIDENCE);
    engine_close(e);
    return ok;
}
