#include "massrevoke/csv.h"
#include "massrevoke/hex.h"
#include "massrevoke/reason.h"
#include "passages.h"
#include "renderers.h"
#include "words.h"

#include <ctype.h>
#include <inttypes.h>

/* IRG 3.2, appendix: these, in this order, first. */
static const char columns[] =
    "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,Serial #,"
    "dNSNames,Is revoked?,Revocation date,Revocation reason\r\n";

static bool listed(const struct affected_row *r)
{
    return r->excluded_expired || certificate_bucket(r->state) != BUCKET_OUTSIDE;
}

/* What a row counts as in the list: what had expired before receipt is expired, whatever its state says. */
static enum bucket bucket_of(const struct affected_row *r)
{
    return r->excluded_expired ? BUCKET_EXPIRED : certificate_bucket(r->state);
}

bool report_check_rows(const struct report_input *in, struct fault *f)
{
    const struct totals *t = &in->snapshot->totals;
    const int64_t expected[BUCKET_OUTSIDE] = {
        [BUCKET_REVOKED] = t->revoked,         [BUCKET_PENDING_PUBLICATION] = t->pending_publication,
        [BUCKET_NOT_REVOKED] = t->not_revoked, [BUCKET_HELD] = t->held,
        [BUCKET_EXPIRED] = t->expired,         [BUCKET_UNKNOWN] = t->unknown,
    };
    int64_t counted[BUCKET_COUNT] = {0};
    for (size_t i = 0; i < in->row_count; i++)
        if (!in->rows[i].excluded_expired)
            counted[certificate_bucket(in->rows[i].state)]++;
    for (int b = 0; b < BUCKET_OUTSIDE; b++)
        if (counted[b] != expected[b]) {
            fault_set(f, FAULT_REFUSED,
                      "the affected list has %" PRId64 " %s certificates, the totals %" PRId64, counted[b],
                      bucket_name((enum bucket)b), expected[b]);
            return fault_hint(f, "run the report again; if it stays, see massrevoke status");
        }
    return true;
}

static void put_upper(const char *hex, struct buf *out)
{
    buf_text(out, hex[0] == '\0' ? "N/A" : "");
    for (; *hex != '\0'; hex++) {
        char c = (char)toupper((unsigned char)*hex);
        buf_add(out, &c, 1);
    }
    buf_text(out, ",");
}

static void put_text(const char *text, struct buf *out)
{
    csv_text(&(struct csv_writer){.out = out}, text[0] == '\0' ? "N/A" : text);
    buf_text(out, ",");
}

static void put_time(struct utc t, struct buf *out)
{
    char text[UTC_TEXT];
    buf_format(out, "%s,", utc_is_set(t) ? utc_format(t, text) : "N/A");
}

/* "Is revoked?": of one that is unknown to its CA nobody can promise a date. */
static const char *revoked_word(const struct affected_row *r)
{
    switch (bucket_of(r)) {
    case BUCKET_REVOKED:
        return "Yes";
    case BUCKET_EXPIRED:
        return "N/A";
    case BUCKET_UNKNOWN:
        return "Delayed";
    case BUCKET_PENDING_PUBLICATION:
    case BUCKET_NOT_REVOKED:
    case BUCKET_HELD:
    case BUCKET_OUTSIDE:
    case BUCKET_COUNT:
        break;
    }
    return r->delayed ? "Delayed" : "Planned";
}

static void put_row(const struct affected_row *r, struct buf *out)
{
    bool expired = bucket_of(r) == BUCKET_EXPIRED, revoked = bucket_of(r) == BUCKET_REVOKED;
    const char *reason = r->reason == REASON_UNSPECIFIED ? NULL : reason_name(r->reason);
    put_upper(r->precert_sha256, out);
    put_upper(r->cert_sha256, out);
    put_text(r->subject, out);
    put_text(r->issuer, out);
    put_time(r->not_before, out);
    put_time(r->not_after, out);
    put_upper(r->serial, out);
    put_text(r->dns_names, out);
    buf_format(out, "%s,", revoked_word(r));
    put_time(expired ? UTC_NONE : revoked ? r->revoked : r->planned, out);
    buf_format(out, "%s\r\n", expired || reason == NULL ? "N/A" : reason);
}

static void put_csv(const struct report_input *in, struct buf *out)
{
    buf_text(out, columns);
    for (size_t i = 0; i < in->row_count; i++)
        if (listed(&in->rows[i]))
            put_row(&in->rows[i], out);
}

static void put_links(const struct report_input *in, struct buf *out)
{
    for (size_t i = 0; i < in->row_count; i++) {
        const struct affected_row *r = &in->rows[i];
        const char *hash = r->cert_sha256[0] != '\0' ? r->cert_sha256 : r->precert_sha256;
        if (listed(r) && hash[0] != '\0')
            buf_format(out, "https://crt.sh/?sha256=%s\n", hash);
    }
}

size_t reporter_without_hash(const struct affected_row *rows, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += listed(&rows[i]) && rows[i].cert_sha256[0] == '\0' && rows[i].precert_sha256[0] == '\0';
    return n;
}

bool render_affected_csv(const struct report_input *in, struct buf *out, struct fault *f)
{
    if (!report_check_rows(in, f))
        return false;
    put_csv(in, out);
    return true;
}

bool render_affected_links(const struct report_input *in, struct buf *out, struct fault *f)
{
    if (!report_check_rows(in, f))
        return false;
    put_links(in, out);
    return true;
}

bool render_affected_cover(const struct report_input *in, struct buf *out, struct fault *f)
{
    const struct snapshot *s = in->snapshot;
    if (!report_check_rows(in, f))
        return false;
    size_t rows = 0, without = reporter_without_hash(in->rows, in->row_count);
    for (size_t i = 0; i < in->row_count; i++)
        rows += listed(&in->rows[i]);
    bool links = s->totals.affected >= REPORT_LINKS_FROM;
    AUTO_BUF list = {0};
    char digest[DIGEST_TEXT];
    (links ? put_links : put_csv)(in, &list);
    digest_hex(digest_of(buf_str(&list).p, list.n), digest);
    buf_format(out, "### Affected certificates (%s)\n\n", MINUTE(s->as_of));
    buf_format(out, "The attached %s lists ", links ? "text file of crt.sh links" : "CSV file");
    words_certificates(out, (int64_t)(links ? rows - without : rows));
    buf_format(out, ", revoked ones included. Its SHA-256 is `%s`.", digest);
    if (without > 0)
        buf_format(out, " No hash is known of %s%s.", NUMBER((int64_t)without),
                   links ? ", which only the CSV form can list" : ", shown as N/A");
    buf_text(out, "\n\n");
    passage_figures(s, out);
    passage_meaning(s, out);
    buf_text(out, "Head of the evidence log (RFC 6962) as origin, size and root:\n\n");
    passage_log_head(s, out);
    return true;
}
