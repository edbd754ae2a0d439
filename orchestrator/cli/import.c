/* import: the affected list, from a file, a folder of certificates, or standard input; all of it or nothing.
 */
#include "massrevoke/cert.h"
#include "massrevoke/file.h"
#include "massrevoke/log.h"
#include "session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_MAX 4096                /* bytes a format is told by */
#define BUNDLE_MAX ((size_t)1 << 30) /* bytes of one file of certificates */

/* A source that digests and counts what passes through it. What was read ahead, to tell the format, comes
 * first: a pipe cannot be read twice. */
struct tap {
    struct source source;
    struct digest_state *digest;
    uint64_t bytes, size;
    const char *name;
    size_t head, taken; /* octets read ahead; how many of them were given out */
    char ahead[HEAD_MAX];
};

static bool tap_fill(struct tap *t, struct fault *f)
{
    size_t got = 1;
    while (t->head < sizeof t->ahead && got > 0) {
        if (!t->source.read(t->source.context, t->ahead + t->head, sizeof t->ahead - t->head, &got, f))
            return false;
        t->head += got;
    }
    return true;
}

static bool tap_read(void *context, void *into, size_t room, size_t *got, struct fault *f)
{
    struct tap *t = context;
    *got = t->head - t->taken < room ? t->head - t->taken : room;
    memcpy(into, t->ahead + t->taken, *got);
    t->taken += *got;
    if (*got == 0 && !t->source.read(t->source.context, into, room, got, f))
        return false;
    digest_add(t->digest, into, *got);
    t->bytes += *got;
    if (t->size > (uint64_t)16 << 20) /* short files need no bar */
        log_progress(t->name, t->bytes, t->size);
    return true;
}

/* Everything that is left, for formats that are not read line by line. */
static bool tap_drain(struct tap *t, struct buf *out, struct fault *f)
{
    char part[65536];
    for (size_t got = 1; got > 0;) {
        if (!tap_read(t, part, sizeof part, &got, f))
            return false;
        if (out->n + got > BUNDLE_MAX)
            return fault_set(f, FAULT_FAILED, "%s: more than %zu bytes of certificates", t->name, BUNDLE_MAX);
        buf_add(out, part, got);
    }
    return true;
}

/* Everything an import works with. */
struct import {
    struct session *session;
    const struct invocation *in;
    struct intake_list list;
    struct digest_state digest;
    struct issuer *issuers; /* by index of settings, to know whose a certificate is */
};

static bool load_issuers(struct import *im, struct fault *f)
{
    struct session *s = im->session;
    im->issuers = arena_array(&s->arena, s->issuer_count, sizeof *im->issuers);
    size_t at = 0;
    for (size_t ca = 0; ca < s->settings.ca_count; ca++)
        for (size_t i = 0; i < s->settings.cas[ca].issuer_count; i++, at++)
            if (!issuer_load(s->settings.cas[ca].issuers[i].certificate_file, &s->arena, &im->issuers[at], f))
                return false;
    return true;
}

static struct intake_issuers *import_issuer_names(struct session *s, const struct issuer *issuers)
{
    struct intake_issuer *names = arena_array(&s->arena, s->issuer_count, sizeof *names);
    size_t at = 0;
    for (size_t ca = 0; ca < s->settings.ca_count; ca++)
        for (size_t i = 0; i < s->settings.cas[ca].issuer_count; i++, at++) {
            const char **texts = arena_array(&s->arena, 2, sizeof *texts);
            texts[0] = issuers[at].cert.subject_text;
            texts[1] = s->settings.cas[ca].issuers[i].certificate_file;
            names[at] = (struct intake_issuer){texts, 2};
        }
    return intake_issuers_make(names, s->issuer_count, &s->arena);
}

/* One certificate of a list: whose is it, and is it really theirs? */
static void add_certificate(struct import *im, uint32_t file, size_t nth, struct str der)
{
    AUTO_ARENA a = {0};
    struct cert cert;
    struct fault f = {0};
    const char *why = "its issuer is not configured";
    if (!cert_parse(der, &a, &cert, &f)) {
        intake_list_reject(&im->list, file, nth, arena_text(&im->session->arena, f.text));
        return;
    }
    for (size_t i = 0; i < im->session->issuer_count; i++) {
        if (!str_equal(im->issuers[i].cert.subject, cert.issuer))
            continue;
        why = issuer_check(&im->issuers[i], &cert);
        if (why == NULL) {
            intake_list_add(&im->list, file, nth, (uint16_t)i, &cert.serial);
            return;
        }
    }
    intake_list_reject(&im->list, file, nth, why);
}

/* A PEM bundle or one DER certificate; `nth` counts certificates from 1 in place of lines. */
static void import_certificates(struct import *im, const char *name, struct str bytes)
{
    uint32_t file = intake_list_file(&im->list, name);
    for (size_t nth = 1;; nth++) {
        AUTO_ARENA a = {0};
        struct str der;
        struct fault bad = {0};
        if (!cert_cut(&bytes, &a, &der, &bad)) {
            intake_list_reject(&im->list, file, nth, arena_text(&im->session->arena, bad.text));
            return;
        }
        if (der.n == 0)
            return;
        add_certificate(im, file, nth, der);
    }
}

static bool import_descriptor(struct import *im, int fd, const char *name, enum intake_format format,
                              struct fault *f)
{
    struct stat st;
    struct source_file file = {fd, name};
    struct tap tap = {.source = source_descriptor(&file), .digest = &im->digest, .name = name};
    AUTO_BUF bytes = {0};
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        tap.size = (uint64_t)st.st_size;
    if (!tap_fill(&tap, f))
        return false;
    if (format == INTAKE_AUTO)
        format = intake_detect((struct str){tap.ahead, tap.head});
    if (format != INTAKE_PEM && format != INTAKE_DER)
        return intake_list_read(&im->list, name, format, (struct source){tap_read, &tap}, f);
    if (!tap_drain(&tap, &bytes, f))
        return false;
    import_certificates(im, name, buf_str(&bytes));
    return true;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool import_path(struct import *im, const char *path, enum intake_format format, struct fault *f);

/* Files of a folder in order of name; subfolders are not entered. */
static bool import_folder(struct import *im, const char *path, enum intake_format format, struct fault *f)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, by_name);
    bool ok = n >= 0 || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = file_join(&im->session->arena, path, entries[i]->d_name);
        struct stat st;
        if (ok && entries[i]->d_name[0] != '.' && stat(name, &st) == 0 && S_ISREG(st.st_mode))
            ok = import_path(im, name, format, f);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return ok;
}

static bool import_path(struct import *im, const char *path, enum intake_format format, struct fault *f)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return import_descriptor(im, STDIN_FILENO, "standard input", format, f);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return import_folder(im, path, format, f);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    bool ok = import_descriptor(im, fd, path, format, f);
    close(fd);
    return ok;
}

static bool list_options(struct import *im, enum intake_format *format, struct fault *f)
{
    const char *base = im->in->values[OPTION_SERIALS], *wanted = im->in->values[OPTION_FORMAT];
    im->list.arena = &im->session->arena;
    if (getrandom(im->list.seed, sizeof im->list.seed, 0) != (ssize_t)sizeof im->list.seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    if (base != NULL && strcmp(base, "hex") != 0 && strcmp(base, "decimal") != 0)
        return fault_set(f, FAULT_USAGE, "--serials is hex or decimal, not '%.40s'", base);
    im->list.base = base == NULL               ? INTAKE_BASE_UNDECLARED
                    : strcmp(base, "hex") == 0 ? INTAKE_BASE_HEX
                                               : INTAKE_BASE_DECIMAL;
    *format = wanted == NULL ? INTAKE_AUTO : intake_format_from_name(str_of(wanted));
    if (*format != INTAKE_FORMAT_COUNT)
        return true;
    fault_set(f, FAULT_USAGE, "format '%.40s' is not known", wanted);
    return fault_hint(f, "one of serials, csv, ccadb, pem, der");
}

/* The clock of these certificates, when it is not the campaign's. */
static bool clock_options(const struct import *im, struct conduct_list *list, struct fault *f)
{
    list->rule = im->in->values[OPTION_RULE];
    list->received = UTC_NONE;
    if (!option_time(im->in, OPTION_RECEIVED, &list->received, f))
        return false;
    if (utc_is_set(list->received) && im->in->values[OPTION_SOURCE] == NULL) {
        fault_set(f, FAULT_USAGE, "another receipt needs its evidence");
        return fault_hint(f, "add --source TEXT: how that evidence arrived");
    }
    if (im->in->values[OPTION_SOURCE] != NULL)
        list->source = im->in->values[OPTION_SOURCE];
    return true;
}

static void tell(const struct import *im, int cohort, int64_t added)
{
    AUTO_BUF text = {0};
    if (im->list.default_used)
        log_line("issuer of rows without one: %s", im->issuers[im->list.default_issuer].cert.subject_text);
    if (im->in->json) {
        session_print(intake_list_json(&im->list));
        return;
    }
    intake_list_summary(&im->list, 20, &text);
    fputs(buf_str(&text).p, stdout);
    if (cohort > 0)
        printf("%lld new in cohort %d of campaign %s.\nNext: massrevoke inventory FILE; massrevoke contacts "
               "FILE; massrevoke plan\n",
               (long long)added, cohort, im->session->campaign.name);
    else
        puts("Nothing was stored.");
}

static bool store_it(struct import *im, struct conduct_list *list, int *exit_code, struct fault *f)
{
    struct conduct c = session_conduct(im->session);
    int cohort = 0;
    int64_t added = 0;
    enum fault_kind verdict = intake_list_verdict(&im->list);
    list->list = &im->list;
    list->sha256 = digest_end(&im->digest);
    if (im->list.accepted > 0 &&
        (!session_confirm_scope(im->session, im->in, "Certificates are added to a campaign that has started.",
                                f) ||
         !conduct_import(&c, list, &cohort, &added, f)))
        return false;
    *exit_code = fault_exit_code(verdict);
    tell(im, cohort, added);
    return true;
}

static void release(struct import *im)
{
    for (size_t i = 0; im->issuers != NULL && i < im->session->issuer_count; i++)
        issuer_release(&im->issuers[i]);
    intake_list_free(&im->list);
    if (im->digest.context != NULL)
        (void)digest_end(&im->digest);
}

bool cmd_import(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct import im = {.session = &s, .in = in};
    struct conduct_list list = {.source = in->args[0]};
    enum intake_format format;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f))
        return false;
    im.digest = digest_begin();
    bool ok = list_options(&im, &format, f) && clock_options(&im, &list, f) &&
              session_issuer(&s, in, &im.list.default_issuer, f) && load_issuers(&im, f);
    if (ok) {
        im.list.issuers = import_issuer_names(&s, im.issuers);
        ok = import_path(&im, in->args[0], format, f) && store_it(&im, &list, exit_code, f);
    }
    release(&im);
    return ok;
}

/* ---- inventory and contacts: the same reading, other tables ---- */

static bool open_table(const char *path, int *fd, struct fault *f)
{
    *fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
}

/* Prints what a table came to; exit 8 when rows were rejected, 1 when nothing was left. */
static void tell_table(const struct invocation *in, const struct intake_table *t, size_t used, int *exit_code)
{
    AUTO_BUF text = {0};
    intake_table_summary(t, 20, &text);
    if (in->json) {
        json_t *o = json_object();
        json_set_int(o, "in", (int64_t)t->in);
        json_set_int(o, "accepted", (int64_t)used);
        json_set_int(o, "rejected", (int64_t)t->rejects.count);
        json_set_int(o, "warnings", (int64_t)t->warnings.count);
        session_print(o);
    } else {
        fputs(buf_str(&text).p, stdout);
    }
    *exit_code = t->rejects.count == 0 ? 0
                 : used > 0            ? fault_exit_code(FAULT_PARTLY)
                                       : fault_exit_code(FAULT_FAILED);
}

bool cmd_inventory(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_INTAKE_INVENTORY inventory = {0};
    struct import im = {.session = &s, .in = in};
    uint64_t seed[2];
    int fd, index;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !session_issuer(&s, in, &index, f) ||
        !load_issuers(&im, f) || !open_table(in->args[0], &fd, f))
        return false;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    struct source_file file = {fd, in->args[0]};
    struct intake_issuers *names = import_issuer_names(&s, im.issuers);
    bool ok = intake_inventory_read(&inventory, in->args[0], source_descriptor(&file), names, index, seed,
                                    &s.arena, f);
    struct conduct c = session_conduct(&s);
    ok = ok && (inventory.count == 0 || conduct_inventory(&c, inventory.rows, inventory.count, f));
    if (fd != STDIN_FILENO)
        close(fd);
    for (size_t i = 0; i < s.issuer_count; i++)
        issuer_release(&im.issuers[i]);
    if (ok)
        tell_table(in, &inventory.table, inventory.count, exit_code);
    return ok;
}

bool cmd_contacts(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    AUTO_INTAKE_CONTACTS contacts = {0};
    uint64_t seed[2];
    int fd;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !open_table(in->args[0], &fd, f))
        return false;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return fault_set(f, FAULT_FAILED, "no random numbers from the system");
    struct source_file file = {fd, in->args[0]};
    bool ok = intake_contacts_read(&contacts, in->args[0], source_descriptor(&file), seed, &s.arena, f);
    struct conduct c = session_conduct(&s);
    ok = ok && (contacts.count == 0 || conduct_contacts(&c, contacts.rows, contacts.count, f));
    if (fd != STDIN_FILENO)
        close(fd);
    if (ok)
        tell_table(in, &contacts.table, contacts.count, exit_code);
    return ok;
}
