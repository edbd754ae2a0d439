/* What is not ours: the CAs' interfaces and clocks, the CRLs and responders they publish, what CCADB knows.
 */
#include "check.h"
#include "massrevoke/csv.h"
#include "massrevoke/file.h"
#include "massrevoke/store_ask.h"
#include "massrevoke/verifier.h"
#include "massrevoke/verify_issuer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <unistd.h>

#define CLOCK_WARN 5 /* seconds; a Date has whole ones */
#define CLOCK_FAIL 60
#define POINTERS 10000 /* looked at for disclosure */
#define FETCHED 50     /* of these are fetched */
#define ASK_SECONDS 60

/* --- the CAs --- */

static void check_clock(struct check *c, const char *name, struct utc theirs)
{
    if (!utc_is_set(theirs))
        return;
    int64_t off = theirs.s - c->session->clock.now(c->session->clock.self).s, far = off < 0 ? -off : off;
    check_add(c,
              far > CLOCK_FAIL   ? CHECK_FAIL
              : far > CLOCK_WARN ? CHECK_WARN
                                 : CHECK_OK,
              FAULT_PARTLY, "clock", SAY(c, "of CA %s", name), SAY(c, "%" PRId64 " s from ours", off),
              "let both hosts follow the same time server");
}

/* The answer to one question about a certificate of the inventory. */
static void on_answer(void *context, const struct ca_answer *answers, size_t count)
{
    struct ca_answer *out = context;
    if (count > 0)
        *out = answers[0];
}

/* A question that the CA answers proves more than an open port: it lets us in, and knows its certificates. */
static void ask_one(struct check *c, struct ca_door *d, const char *name, uint16_t issuer,
                    const struct serial *serial)
{
    static const char *const seen[CA_OUTCOME_COUNT] = {[CA_REVOKED_NOW] = "it is revoked",
                                                       [CA_REVOKED_BEFORE] = "it is revoked",
                                                       [CA_NOT_REVOKED] = "it is not revoked",
                                                       [CA_UNKNOWN] = "the CA has no such one",
                                                       [CA_WAIT] = "later",
                                                       [CA_ASK] = "no clear answer",
                                                       [CA_PERSON] = "a person must look"};
    struct ca_answer *answer = arena_array(&c->session->arena, 1, sizeof *answer);
    struct fault f = {0};
    char hex[SERIAL_HEX_TEXT];
    const struct ca_item item = {.number = 0, .issuer = issuer, .serial = *serial};
    struct utc end = utc_add(c->session->clock.now(c->session->clock.self), (struct span){ASK_SECONDS});
    d->answer = on_answer;
    *answer = (struct ca_answer){.outcome = CA_ASK};
    d->answer_context = answer;
    bool ok = d->ops->status(d, &item, 1, &f);
    for (bool busy = ok; ok && busy && c->session->clock.now(c->session->clock.self).s < end.s;) {
        ok = d->ops->step(d, &busy, &f);
        if (busy)
            ca_wait(d, 100);
    }
    const char *subject = SAY(c, "CA %s, asked about %s", name, serial_hex(serial, hex));
    if (!ok) {
        check_fault(c, "backend", subject, &f, "see that the CA runs and that its address is right");
        return;
    }
    bool clear = answer->outcome == CA_NOT_REVOKED || answer->outcome == CA_REVOKED_BEFORE ||
                 answer->outcome == CA_REVOKED_NOW;
    check_add(c,
              clear                           ? CHECK_OK
              : answer->outcome == CA_UNKNOWN ? CHECK_WARN
                                              : CHECK_FAIL,
              FAULT_UNAVAILABLE, "backend", subject,
              answer->text[0] == '\0' ? seen[answer->outcome]
                                      : SAY(c, "%s: %s", seen[answer->outcome], answer->text),
              "massrevoke show SERIAL; is it this CA's?");
}

static void probe_one(struct check *c, struct ca_door *d, const char *name)
{
    struct fault f = {0};
    struct ca_probe p;
    if (d->probe == NULL)
        return;
    if (!d->probe(d, &p, &f)) {
        check_fault(c, "backend", SAY(c, "CA %s", name), &f,
                    "see that the CA runs, its address, and who we show to be");
        return;
    }
    check_add(c, p.lets_us ? CHECK_OK : CHECK_WARN, FAULT_NONE, "backend", SAY(c, "CA %s", name),
              SAY(c, "reached: %s%s", p.text, p.lets_us ? "" : "; that we may revoke there it does not show"),
              p.lets_us ? "" : "revoke a certificate of a test there with these credentials");
    check_clock(c, name, p.date);
}

/* Index in settings of an issuer by the store's number; -1: not configured any more. */
static int issuer_index(const struct check *c, int issuer)
{
    for (size_t i = 0; i < c->session->issuer_count; i++)
        if (c->session->issuers[i] == issuer)
            return (int)i;
    return -1;
}

static bool pointers(struct check *c, struct asked_pointer **list, size_t *n)
{
    struct fault f = {0};
    *n = 0;
    if (c->session->store == NULL)
        return false;
    if (store_asked_pointers(c->session->store, c->campaign ? c->session->campaign.id : 0, POINTERS,
                             &c->session->arena, list, n, &f))
        return true;
    check_fault(c, "database", "pointers", &f, "massrevoke db status");
    return false;
}

void check_backends(struct check *c)
{
    struct asked_pointer *list = NULL;
    size_t n = 0, first = 0;
    if (!c->doors)
        return;
    (void)pointers(c, &list, &n);
    for (size_t ca = 0; ca < c->session->ca_count; ca++) {
        const struct settings_ca *s = &c->session->settings.cas[ca];
        struct ca_door *d = c->session->cas[ca].door;
        probe_one(c, d, s->name);
        size_t i = 0;
        while (i < n && (issuer_index(c, list[i].issuer) < (int)first ||
                         issuer_index(c, list[i].issuer) >= (int)(first + s->issuer_count)))
            i++;
        if (i < n && d->facts.tells_status)
            ask_one(c, d, s->name, (uint16_t)issuer_index(c, list[i].issuer), &list[i].serial);
        else
            check_add(c, CHECK_WARN, FAULT_NONE, "backend", SAY(c, "CA %s", s->name),
                      d->facts.tells_status
                          ? "no certificate of it is known to ask about"
                          : "it tells no status: what was not answered is only known from CRL and OCSP",
                      d->facts.tells_status ? "massrevoke inventory FILE"
                                            : "give it a record to ask, see massrevoke.cfg(5)");
        first += s->issuer_count;
    }
}

/* Reasons of the campaign's cohorts, or (none is open) of every clause. */
static unsigned wanted_reasons(struct check *c, struct fault *f)
{
    unsigned bits = 0;
    struct cohort *cohorts;
    const struct rule *rules;
    size_t n;
    if (c->campaign &&
        store_cohorts(c->session->store, c->session->campaign.id, &c->session->arena, &cohorts, &n, f))
        for (size_t i = 0; i < n; i++)
            bits |= 1U << cohorts[i].reason;
    if (!c->campaign && rules_all(c->session->settings.plans_dir, &c->session->arena, &rules, &n, f))
        for (size_t i = 0; i < n; i++)
            bits |= 1U << rules[i].reason;
    return bits;
}

void check_reasons(struct check *c)
{
    struct fault f = {0};
    if (!c->doors)
        return;
    unsigned wanted = wanted_reasons(c, &f);
    for (size_t ca = 0; ca < c->session->ca_count; ca++) {
        AUTO_BUF missing = {0};
        const char *name = c->session->settings.cas[ca].name;
        for (int code = 0; code < 32; code++)
            if ((wanted & ~c->session->cas[ca].door->facts.reasons & (1U << code)) != 0)
                buf_format(&missing, "%s%s", missing.n > 0 ? ", " : "", reason_name(code));
        if (missing.n == 0)
            check_add(c, CHECK_OK, FAULT_NONE, "reasons", SAY(c, "CA %s", name),
                      c->campaign ? "it can express every reason of the campaign"
                                  : "it can express every clause's reason",
                      "");
        else
            check_add(c, c->campaign ? CHECK_FAIL : CHECK_WARN, FAULT_PARTLY, "reasons",
                      SAY(c, "CA %s", name), SAY(c, "it cannot express %s", missing.p),
                      "such a campaign is refused when it is planned");
    }
}

/* --- what is published --- */

struct looking {
    struct check *check;
    struct verify_issuer *issuers; /* by index of settings; subject_der empty: could not be read */
    struct ocsp_cache cache;
    uint64_t seed[2];
    const char **done; /* URLs looked at */
    size_t done_count;
};

/* Is it new, and may it still be looked at? */
static bool take(struct looking *l, const char *url)
{
    for (size_t i = 0; i < l->done_count; i++)
        if (strcmp(l->done[i], url) == 0)
            return false;
    if (l->done_count == FETCHED)
        return false;
    l->done[l->done_count++] = url;
    return true;
}

static struct verifier_question question(const struct looking *l, int index, const char *url)
{
    return (struct verifier_question){.issuer = &l->issuers[index],
                                      .now = l->check->session->clock.now(l->check->session->clock.self),
                                      .url = url,
                                      .kind = VERIFIER_SUBSCRIBER,
                                      .seed = {l->seed[0], l->seed[1]}};
}

/* The first error, else how many warnings. */
static void tell(struct looking *l, const char *area, const char *url, const struct findings *f,
                 const char *good)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].severity == FINDING_ERROR) {
            check_add(l->check, CHECK_FAIL, FAULT_PARTLY, area, url,
                      SAY(l->check, "%s (%s): %s", f->list[i].id, f->list[i].section, f->list[i].seen),
                      "massrevoke verify");
            return;
        }
    size_t warnings = 0;
    for (size_t i = 0; i < f->count; i++)
        warnings += f->list[i].severity == FINDING_WARNING;
    check_add(l->check, warnings > 0 ? CHECK_WARN : CHECK_OK, FAULT_NONE, area, url,
              warnings > 0 ? SAY(l->check, "%s, %zu warnings", good, warnings) : good, "massrevoke verify");
}

static bool fetch(struct looking *l, const char *area, const struct fetch_request *request,
                  struct fetch_reply *reply)
{
    struct fault f = {0};
    if (!fetch_all(l->check->session->fetch, request, 1, &l->check->session->arena, reply, &f))
        check_fault(l->check, area, request->url, &f, "see that it is served to the outside");
    else if (!reply->ok)
        check_add(l->check, CHECK_FAIL, FAULT_UNAVAILABLE, area, request->url, reply->problem,
                  "see that it is served to the outside");
    else
        return true;
    return false;
}

static void look_at_crl(struct looking *l, int index, const char *url)
{
    struct fetch_reply reply;
    struct verifier_crl judged;
    const struct fetch_request request = {.url = url};
    if (!take(l, url) || !fetch(l, "crl", &request, &reply))
        return;
    struct verifier_question q = question(l, index, url);
    verifier_judge_crl(reply.bytes, &q, &l->check->session->arena, &judged);
    tell(l, "crl", url, &judged.findings, SAY(l->check, "%zu bytes, good", reply.bytes.n));
}

static void look_at_ocsp(struct looking *l, int index, const char *url, const struct serial *serial)
{
    struct fetch_reply reply;
    struct verifier_ocsp judged;
    struct arena *a = &l->check->session->arena;
    const struct fetch_request request = {
        .url = url, .ocsp_request = ocsp_request(&l->issuers[index], serial, CERTID_SHA1, a)};
    if (!take(l, url) || !fetch(l, "ocsp", &request, &reply))
        return;
    struct verifier_question q = question(l, index, url);
    verifier_judge_ocsp(reply.bytes, serial, &q, &l->cache, a, &judged);
    tell(l, "ocsp", url, &judged.findings, judged.revoked ? "answers revoked" : "answers");
}

static void look_at_all(struct looking *l, const struct asked_pointer *p, int index)
{
    struct arena *a = &l->check->session->arena;
    for (struct str rest = str_of(p->cdp); rest.n > 0 && rest.p != NULL;) {
        struct str url = str_cut(&rest, ' ');
        look_at_crl(l, index, arena_copy(a, url.p, url.n));
    }
    for (struct str rest = str_of(p->ocsp); rest.n > 0 && rest.p != NULL;) {
        struct str url = str_cut(&rest, ' ');
        look_at_ocsp(l, index, arena_copy(a, url.p, url.n), &p->serial);
    }
}

static void load_issuers(struct looking *l)
{
    const struct settings *s = &l->check->session->settings;
    struct arena *a = &l->check->session->arena;
    size_t at = 0;
    for (size_t ca = 0; ca < s->ca_count; ca++)
        for (size_t i = 0; i < s->cas[ca].issuer_count; i++, at++) {
            const struct settings_issuer *one = &s->cas[ca].issuers[i];
            struct fault f = {0};
            struct str bytes;
            if (!file_read(one->certificate_file, CERT_MAX, a, &bytes, &f) ||
                !verify_issuer_load(bytes, a, &l->issuers[at], &f)) {
                l->issuers[at].subject_der.n = 0;
                check_fault(l->check, "crl", one->certificate_file, &f, "massrevoke config check");
            } else if (one->crl != NULL)
                look_at_crl(l, (int)at, one->crl);
        }
}

void check_published(struct check *c)
{
    struct asked_pointer *list;
    size_t n, before = c->count;
    struct looking l = {.check = c};
    if (!c->doors || !pointers(c, &list, &n) || getrandom(l.seed, sizeof l.seed, 0) != (ssize_t)sizeof l.seed)
        return;
    l.issuers = arena_array(&c->session->arena, c->session->issuer_count, sizeof *l.issuers);
    l.done = arena_array(&c->session->arena, FETCHED, sizeof *l.done);
    load_issuers(&l);
    for (size_t i = 0; i < n; i++) {
        int index = issuer_index(c, list[i].issuer);
        if (index >= 0 && l.issuers[index].subject_der.n > 0)
            look_at_all(&l, &list[i], index);
    }
    if (c->count == before)
        check_add(c, CHECK_WARN, FAULT_NONE, "crl", "pointers", "no certificate that is known names any",
                  "massrevoke inventory FILE, or cas.issuers.crl in the configuration");
    if (l.done_count == FETCHED)
        check_add(c, CHECK_WARN, FAULT_NONE, "crl", "pointers",
                  SAY(c, "only the first %d were fetched", FETCHED),
                  "massrevoke verify looks at all of them");
    for (size_t i = 0; i < c->session->issuer_count; i++)
        verify_issuer_free(&l.issuers[i]);
    ocsp_cache_free(&l.cache);
}

/* --- disclosure: CCADB Policy 2.1, 6.2 --- */

/* A CRL address that must be known, and whether the file names it. */
struct disclosed {
    const char *url;
    bool found;
};

static bool is_end(char ch)
{
    return (unsigned char)ch <= ' ' || strchr("\"',;[](){}<>", ch) != NULL;
}

static void mark(struct disclosed *list, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        list[i].found = list[i].found || strcmp(list[i].url, word) == 0;
}

/* CCADB's list is 100 MB and more: read in pieces, every address compared whole. In it JSON writes "/" as
 * "\/". */
static bool read_disclosed(const char *path, struct disclosed *list, size_t n, struct fault *f)
{
    char piece[65536], word[1000];
    size_t filled = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, FAULT_CONFIG, "fetch.disclosed: %s: %s", path, strerror(errno));
    while ((got = read(fd, piece, sizeof piece)) > 0)
        for (ssize_t i = 0; i < got; i++) {
            if (!is_end(piece[i])) {
                if (piece[i] != '\\' && filled < sizeof word)
                    word[filled++] = piece[i];
                continue;
            }
            word[filled < sizeof word ? filled : sizeof word - 1] = '\0';
            if (filled > 7 && filled < sizeof word && strncmp(word, "http", 4) == 0)
                mark(list, n, word);
            filled = 0;
        }
    if (filled > 7 && filled < sizeof word) {
        word[filled] = '\0';
        mark(list, n, word);
    }
    int error = errno;
    close(fd);
    return got == 0 || fault_set(f, FAULT_CONFIG, "fetch.disclosed: %s: %s", path, strerror(error));
}

static size_t list_urls(struct check *c, const struct asked_pointer *from, size_t n, struct disclosed **out)
{
    struct arena *a = &c->session->arena;
    size_t count = 0, room = n + 1;
    *out = arena_array(a, room, sizeof **out);
    for (size_t i = 0; i < n; i++)
        for (struct str rest = str_of(from[i].cdp); rest.n > 0 && rest.p != NULL;) {
            struct str part = str_cut(&rest, ' ');
            const char *url = arena_copy(a, part.p, part.n);
            size_t k = 0;
            while (k < count && strcmp((*out)[k].url, url) != 0)
                k++;
            if (k < count)
                continue;
            if (count == room) {
                struct disclosed *more = arena_array(a, 2 * room, sizeof *more);
                memcpy(more, *out, count * sizeof *more);
                *out = more;
                room *= 2;
            }
            (*out)[count++] = (struct disclosed){.url = url};
        }
    return count;
}

void check_disclosed(struct check *c)
{
    struct asked_pointer *from;
    struct disclosed *list;
    struct fault f = {0};
    size_t n, missing = 0;
    const char *path = c->session->settings.fetch_disclosed;
    if (!pointers(c, &from, &n) || (n = list_urls(c, from, n, &list)) == 0)
        return;
    if (path == NULL) {
        check_add(c, CHECK_WARN, FAULT_NONE, "disclosure", "CCADB",
                  SAY(c,
                      "not compared: each of %zu CRL addresses must be in CCADB within 4 hours of the first "
                      "revocation",
                      n),
                  "set fetch.disclosed to CCADB's list of all certificate records");
        return;
    }
    if (!read_disclosed(path, list, n, &f)) {
        check_fault(c, "disclosure", "CCADB", &f, "massrevoke config check");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        missing += !list[i].found;
        if (!list[i].found && missing <= 20)
            check_add(c, CHECK_FAIL, FAULT_PARTLY, "disclosure", list[i].url,
                      "CCADB does not have it, to the letter; the CCADB Policy 6.2 allows 4 hours from the "
                      "first revocation",
                      "add it to the issuer's record in CCADB");
    }
    if (missing < n)
        check_add(c, CHECK_OK, FAULT_NONE, "disclosure", "CCADB",
                  SAY(c, "%zu of %zu CRL addresses are disclosed", n - missing, n), "");
}
