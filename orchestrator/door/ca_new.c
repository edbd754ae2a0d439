#include "massrevoke/ca_new.h"
#include "door/ca_index.h"
#include "door/ca_issue.h"
#include "massrevoke/cert.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"
#include "massrevoke/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define CDP_FOLDER "http://crl.demo-ca.example/"
#define CDP_URL CDP_FOLDER "ca.crl"

/* The CA in the making. */
struct maker {
    const struct ca_new_spec *spec;
    struct arena arena;
    const char *root; /* the folder it grows in, renamed at the end */
    struct issuer_kit kit;
    struct cert ca;
    struct buf index, inventory;
};

/* --- numbers from the seed: splitmix64 (Steele, Lea, Flood 2014), one stream a purpose and index --- */

enum stream { STREAM_SERIAL = 1, STREAM_DATES, STREAM_SUBSCRIBER, STREAM_NAMES, STREAM_CONTACT };

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t stream(const struct maker *m, enum stream purpose, int index)
{
    uint64_t state = m->spec->seed ^ (uint64_t)purpose << 56;
    return draw(&state) ^ (uint64_t)index * UINT64_C(0xd1342543de82ef95);
}

/* 0 to n - 1. */
static int pick(uint64_t *state, int n)
{
    return (int)(draw(state) % (uint64_t)n);
}

/* 8 to 20 octets; a set top bit needs a 21st in DER, so only shorter ones have it (RFC 5280 4.1.2.2). The
 * last four octets are a permutation of the index: no two are the same. */
static struct serial serial_for(const struct maker *m, int index)
{
    uint64_t state = stream(m, STREAM_SERIAL, index);
    uint8_t octets[SERIAL_MAX];
    size_t n = 8 + (size_t)pick(&state, 13);
    for (size_t i = 0; i < n; i++)
        octets[i] = (uint8_t)draw(&state);
    uint32_t last = ((uint32_t)index + (uint32_t)m->spec->seed) * UINT32_C(2654435761);
    for (size_t i = 0; i < 4; i++)
        octets[n - 4 + i] = (uint8_t)(last >> (8 * i));
    if (n == SERIAL_MAX)
        octets[0] &= 0x7f;
    if (octets[0] == 0)
        octets[0] = 0x5a;
    struct serial serial;
    return serial_from_octets(octets, n, &serial) == NULL ? serial : (struct serial){.n = 1, .bytes = {1}};
}

static bool dates_for(const struct maker *m, int index, struct issue_request *r, struct fault *f)
{
    const int64_t short_life = 90 * DAY, long_life = 199 * DAY;
    uint64_t state = stream(m, STREAM_DATES, index);
    struct utc now = m->spec->now;
    if (m->spec->not_after != NULL && utc_is_set(m->spec->not_after[index])) {
        r->not_after = m->spec->not_after[index];
        int64_t left = r->not_after.s - now.s;
        if (left >= long_life - DAY)
            return fault_set(f, FAULT_USAGE, "certificate %d would be valid for more than 199 days", index);
        r->not_before.s = r->not_after.s + 1 - (left < short_life - DAY ? short_life : long_life);
        return true;
    }
    int64_t life = pick(&state, 5) < 3 ? short_life : long_life;
    int64_t age = 3600 + (int64_t)(draw(&state) % (uint64_t)(life - 31 * DAY - 3600));
    r->not_before.s = now.s - age;
    r->not_after.s = r->not_before.s + life - 1;
    return true;
}

/* Everybody gets one; the rest goes mostly to the first, as in life. */
static int subscriber_for(const struct maker *m, int index)
{
    int many = m->spec->subscribers;
    if (m->spec->subscriber != NULL)
        return m->spec->subscriber[index];
    if (index < many)
        return index;
    uint64_t state = stream(m, STREAM_SUBSCRIBER, index);
    return (int)((int64_t)pick(&state, many) * pick(&state, many) / many);
}

/* --- files --- */

/* Without fsync: the rename at the end shows all or nothing to every process, and a toy CA that a power cut
 * spoils is made again. */
static bool put(const struct maker *m, const char *name, struct str bytes, mode_t mode, struct fault *f)
{
    AUTO_ARENA a = {0};
    const char *path = file_join(&a, m->root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = fd >= 0;
    while (ok && bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        ok = n >= 0 || errno == EINTR;
        bytes.p += n > 0 ? n : 0;
        bytes.n -= n > 0 ? (size_t)n : 0;
    }
    ok = fd >= 0 && close(fd) == 0 && ok;
    return ok || fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
}

static bool put_text(const struct maker *m, const char *name, const char *text, struct fault *f)
{
    return put(m, name, str_of(text), 0644, f);
}

static bool put_bio(const struct maker *m, const char *name, BIO *from, bool encoded, mode_t mode,
                    struct fault *f)
{
    char *bytes = NULL;
    long n = from == NULL ? 0 : BIO_get_mem_data(from, &bytes);
    bool ok = encoded && n > 0 ? put(m, name, (struct str){bytes, (size_t)n}, mode, f)
                               : fault_set(f, FAULT_FAILED, "openssl can't encode %s", name);
    BIO_free(from);
    return ok;
}

static bool put_certificate(const struct maker *m, const char *name, X509 *x, struct fault *f)
{
    BIO *out = BIO_new(BIO_s_mem());
    bool encoded = out != NULL && PEM_write_bio_X509(out, x) == 1;
    return put_bio(m, name, out, encoded, 0644, f);
}

static bool put_key(const struct maker *m, const char *name, EVP_PKEY *key, struct fault *f)
{
    BIO *out = BIO_new(BIO_s_secmem());
    bool encoded = out != NULL && PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
    return put_bio(m, name, out, encoded, 0600, f);
}

static bool read_back(X509 *x, struct arena *a, struct cert *out, struct fault *f)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    bool ok = n > 0 && cert_parse((struct str){(const char *)der, (size_t)n}, a, out, f);
    OPENSSL_free(der);
    return ok;
}

/* --- certificates --- */

static const char *host(struct arena *a, int index, int subscriber, uint64_t *state)
{
    static const char *const words[] = {"www",    "api", "shop", "mail", "login",
                                        "portal", "vpn", "pay",  "cdn",  "app"};
    return arena_format(a, "%s-%d.sub-%04d.example", words[pick(state, 10)], index + 1, subscriber + 1);
}

static void add_cell(struct buf *row, const char *cell, const char *end)
{
    bool quote = strpbrk(cell, ",\"\r\n") != NULL;
    if (quote)
        buf_text(row, "\"");
    for (const char *p = cell; *p != '\0'; p++)
        buf_add(row, "\"\"", quote && *p == '"' ? 1 : 0), buf_add(row, p, 1);
    buf_text(row, quote ? "\"" : "");
    buf_text(row, end);
}

static void add_row(struct buf *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_cell(out, cells[i], i + 1 < count ? "," : "\n");
}

/* One row of each of index.txt and inventory.csv, from what was really issued. */
static void record(struct maker *m, const struct cert *cert, int subscriber, const char *file)
{
    char serial[SERIAL_HEX_TEXT], before[UTC_TEXT], after[UTC_TEXT], sha256[DIGEST_TEXT], spki[DIGEST_TEXT];
    AUTO_ARENA a = {0};
    const char *cells[] = {m->ca.subject_text,
                           serial_hex(&cert->serial, serial),
                           arena_format(&a, "sub-%04d", subscriber + 1),
                           cert->subject_text,
                           utc_format(cert->not_before, before),
                           utc_format(cert->not_after, after),
                           digest_hex(cert->sha256, sha256),
                           "",
                           digest_hex(cert->spki_sha256, spki),
                           cert->dns_names,
                           cert->type,
                           cert->cdp,
                           cert->ocsp,
                           file};
    add_row(&m->inventory, cells, sizeof cells / sizeof *cells);
    buf_text(&m->index, "V\t");
    ca_index_time(cert->not_after, &m->index);
    buf_format(&m->index, "\t\t%s\tunknown\t/%s\n", serial, cert->subject_text);
}

static bool issue_one(struct maker *m, int index, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct issue_request r = {.kind = ISSUE_SERVER, .serial = serial_for(m, index)};
    uint64_t state = stream(m, STREAM_NAMES, index);
    int subscriber = subscriber_for(m, index);
    if (subscriber < 0 || subscriber >= m->spec->subscribers)
        return fault_set(f, FAULT_USAGE, "certificate %d: there is no subscriber %d", index, subscriber);
    const char *names[2] = {host(&a, index, subscriber, &state), host(&a, index, subscriber, &state)};
    r.common_name = names[0];
    r.names = names;
    r.name_count = strcmp(names[0], names[1]) == 0 ? 1 : 1 + (size_t)pick(&state, 2);
    if (!dates_for(m, index, &r, f))
        return false;
    char serial[SERIAL_HEX_TEXT];
    const char *file = arena_format(&a, "newcerts/%s.pem", serial_hex(&r.serial, serial));
    EVP_PKEY *key = issue_key();
    X509 *x = NULL;
    struct cert cert;
    bool ok = issue_certificate(&m->kit, &r, key, &x, f) && read_back(x, &a, &cert, f) &&
              put_certificate(m, file, x, f);
    if (ok)
        record(m, &cert, subscriber, file);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool issue_all(struct maker *m, struct fault *f)
{
    buf_text(&m->inventory,
             "issuer,serial,subscriber,subject,not_before,not_after,cert_sha256,precert_sha256,"
             "spki_sha256,dns_names,type,cdp,ocsp,certificate_file\n");
    for (int i = 0; i < m->spec->count; i++) {
        if (!issue_one(m, i, f))
            return false;
        log_progress("issuing certificates", (uint64_t)i + 1, (uint64_t)m->spec->count);
    }
    return put(m, "index.txt", buf_str(&m->index), 0644, f) &&
           put(m, "inventory.csv", buf_str(&m->inventory), 0644, f);
}

static bool make_ca(struct maker *m, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct utc now = m->spec->now;
    struct issue_request r = {
        .kind = ISSUE_CA,
        .organization = "Demo Trust Services",
        .common_name = arena_format(&a, "massrevoke demo CA %llu", (unsigned long long)m->spec->seed),
        .serial = serial_for(m, -1),
        .not_before = {now.s - 400 * DAY},
        .not_after = {now.s + 3250 * (int64_t)DAY}};
    struct issue_pointers pointers = {.cdp = CDP_URL, .ocsp = m->spec->ocsp_url};
    return issuer_kit_make(&m->kit, &r, &pointers, f) && put_key(m, "private/ca.key", m->kit.key, f) &&
           put_certificate(m, "ca.pem", m->kit.certificate, f) &&
           read_back(m->kit.certificate, &m->arena, &m->ca, f);
}

/* A key pair of its own for a person or the OCSP responder. */
static bool make_pair(const struct maker *m, struct issue_request *r, const char *key_file,
                      const char *certificate_file, struct fault *f)
{
    r->not_before.s = m->spec->now.s - 30 * DAY;
    r->not_after.s = m->spec->now.s + 730 * DAY;
    EVP_PKEY *key = issue_key();
    X509 *x = NULL;
    bool ok = issue_certificate(&m->kit, r, key, &x, f) && put_key(m, key_file, key, f) &&
              put_certificate(m, certificate_file, x, f);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool make_people(const struct maker *m, struct fault *f)
{
    struct issue_request alice = {.kind = ISSUE_PERSON, .common_name = "Alice", .serial = serial_for(m, -2)};
    struct issue_request bob = {.kind = ISSUE_PERSON, .common_name = "Bob", .serial = serial_for(m, -3)};
    struct issue_request ocsp = {.kind = ISSUE_RESPONDER, .common_name = "OCSP", .serial = serial_for(m, -4)};
    return make_pair(m, &alice, "approvers/alice.key", "approvers/alice.crt", f) &&
           make_pair(m, &bob, "approvers/bob.key", "approvers/bob.crt", f) &&
           (m->spec->ocsp_url == NULL || make_pair(m, &ocsp, "private/ocsp.key", "ocsp.pem", f));
}

static bool make_crl(const struct maker *m, struct fault *f)
{
    AUTO_BUF crl = {0};
    struct crl_head head = {.issuer = m->ca.subject,
                            .key_id = m->ca.ski,
                            .number = {.n = 1, .bytes = {1}},
                            .this_update = m->spec->now,
                            .next_update = {m->spec->now.s + 7 * DAY}};
    return crl_write(&head, NULL, 0, m->kit.key, &crl, f) && put(m, "pub/ca.crl", buf_str(&crl), 0644, f) &&
           put_text(m, "crlnumber", "02\n", f);
}

/* --- contacts --- */

static const struct {
    const char *language, *timezone, *phone;
    const char *names[3];
} countries[] = {
    {"en", "Europe/London", "+44 20 7946 0", {"Siobhán O'Brien", "Grace Smith", "Tom \"TJ\" Jones"}},
    {"de", "Europe/Berlin", "+49 30 23125 ", {"Jürgen Müller", "Anna Weiß", "Zoë Schäfer"}},
    {"fr", "Europe/Paris", "+33 1 99 00 0", {"Amélie Lefèvre", "François Noël", "Chloé Dubois"}},
    {"es", "Europe/Madrid", "+34 91 000 0", {"José García", "Lucía Muñoz", "Íñigo Peña, IT"}},
    {"ja", "Asia/Tokyo", "+81 3 0000 0", {"田中 美咲", "佐藤 翔", "鈴木 葵"}},
    {"pl", "Europe/Warsaw", "+48 22 000 0", {"Łukasz Żak", "Małgorzata Nowak", "Piotr Wójcik"}},
};

static const char *const classes[] = {"", "",          "",          "",         "",
                                      "", "automated", "automated", "critical", "riskiest"};

static void add_contacts(const struct maker *m, int subscriber, struct buf *out)
{
    AUTO_ARENA a = {0};
    uint64_t state = stream(m, STREAM_CONTACT, subscriber);
    size_t country = (size_t)pick(&state, (int)(sizeof countries / sizeof *countries));
    const char *class = classes[pick(&state, 10)];
    int first = pick(&state, 3);
    bool backup = pick(&state, 10) < 9;
    for (int i = 0; i < (backup ? 2 : 1); i++) {
        const char *cells[] = {
            arena_format(&a, "sub-%04d", subscriber + 1),
            i == 0 ? "primary" : "backup",
            "0",
            countries[country].names[(first + i) % 3],
            arena_format(&a, "%s@sub-%04d.example", i == 0 ? "pki" : "on-call", subscriber + 1),
            countries[country].language,
            countries[country].timezone,
            arena_format(&a, "%s%03d", countries[country].phone, pick(&state, 1000)),
            class};
        add_row(out, cells, sizeof cells / sizeof *cells);
    }
}

static bool make_contacts(const struct maker *m, struct fault *f)
{
    AUTO_BUF out = {0};
    buf_text(&out, "subscriber,role,tier,name,email,language,timezone,phone,class\n");
    for (int i = 0; i < m->spec->subscribers; i++)
        add_contacts(m, i, &out);
    return put(m, "contacts.csv", buf_str(&out), 0644, f);
}

/* --- fixed texts --- */

static const char openssl_cnf[] =
    "# For `openssl ca`, started in this folder:  openssl ca -config openssl.cnf -status SERIAL\n"
    "# It writes without a lock; beside massrevoke say:  flock index.lock openssl ca -config openssl.cnf "
    "...\n"
    "[ ca ]\n"
    "default_ca = demo_ca\n\n"
    "[ demo_ca ]\n"
    "dir = .\n"
    "database = $dir/index.txt\n"
    "new_certs_dir = $dir/newcerts\n"
    "certificate = $dir/ca.pem\n"
    "private_key = $dir/private/ca.key\n"
    "crlnumber = $dir/crlnumber\n"
    "massrevoke_crl = $dir/pub/ca.crl\n"
    "rand_serial = yes\n"
    "unique_subject = no\n"
    "default_md = sha256\n"
    "default_days = 90\n"
    "default_crl_days = 7\n"
    "crl_extensions = crl_extensions\n"
    "policy = any_name\n\n"
    "[ any_name ]\n"
    "commonName = supplied\n\n"
    "[ crl_extensions ]\n"
    "authorityKeyIdentifier = keyid:always\n";

static const char massrevoke_cfg[] =
    "// A demo CA: every key in this folder is a toy. Relative paths start at this file.\n"
    "version = 1;\n"
    "demo = true;\n"
    "ca = {\n"
    "    name = \"demo\";\n"
    "    backend = \"ca_openssl\";\n"
    "    directory = \".\";\n"
    "    issuers = ( { certificate_file = \"ca.pem\"; crl = \"" CDP_URL "\"; } );\n"
    "};\n"
    "approvals = {\n"
    "    quorum = 1;\n"
    "    approvers = (\n"
    "        { name = \"alice\"; certificate_file = \"approvers/alice.crt\"; },\n"
    "        { name = \"bob\"; certificate_file = \"approvers/bob.crt\"; }\n"
    "    );\n"
    "};\n"
    "mail = { from = \"massrevoke@demo-ca.example\"; spool_dir = \"spool\"; };\n"
    "fetch = { map = ( { url = \"" CDP_FOLDER "\"; folder = \"pub\"; } ); };\n";

static bool make_texts(const struct maker *m, struct fault *f)
{
    return put_text(m, "openssl.cnf", openssl_cnf, f) && put_text(m, "massrevoke.cfg", massrevoke_cfg, f) &&
           put_text(m, "index.txt.attr", "unique_subject = no\n", f);
}

/* --- the folder --- */

static bool make_folders(const struct maker *m, struct fault *f)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {
        {"private", 0700}, {"newcerts", 0755}, {"pub", 0755}, {"spool", 0700}, {"approvers", 0700}};
    AUTO_ARENA a = {0};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = file_join(&a, m->root, folders[i].name);
        if (mkdir(path, folders[i].mode) != 0)
            return fault_set(f, FAULT_FAILED, "%s: %s", path, strerror(errno));
    }
    return true;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static bool is_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    bool empty = true;
    for (struct dirent *e; empty && (e = readdir(folder)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

/* The target without links and trailing slashes, if nothing stands in the way. */
static bool find_target(const char *directory, struct arena *a, char **target, struct fault *f)
{
    char *real = realpath(directory, NULL), *here = realpath(".", NULL);
    bool exists = real != NULL, is_here = exists && here != NULL && strcmp(real, here) == 0;
    *target = arena_text(a, exists ? real : directory);
    free(real);
    free(here);
    for (size_t n = strlen(*target); n > 1 && (*target)[n - 1] == '/'; n--)
        (*target)[n - 1] = '\0';
    struct stat st;
    if (lstat(*target, &st) == 0 && !is_empty_folder(*target))
        return fault_set(f, FAULT_CONFLICT, "%s exists and is no empty folder; it was not touched",
                         directory);
    if (is_here)
        return fault_set(f, FAULT_CONFLICT, "%s is the current folder; name a new one", directory);
    char *parent = arena_text(a, *target), *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return true;
    *slash = '\0';
    return file_make_folders(parent, 0755, f);
}

static bool place(const struct maker *m, const char *target, struct fault *f)
{
    if (rename(m->root, target) == 0)
        return true;
    bool taken = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR;
    return fault_set(f, taken ? FAULT_CONFLICT : FAULT_FAILED, "%s: %s", target, strerror(errno));
}

/* The URL goes into an extension's text form and must not change its meaning there. */
static bool check_spec(const struct ca_new_spec *spec, struct fault *f)
{
    if (spec->count < 1 || spec->count > CA_NEW_MOST)
        return fault_set(f, FAULT_USAGE, "a demo CA has 1 to %d certificates, not %d", CA_NEW_MOST,
                         spec->count);
    if (spec->subscribers < 1 || spec->subscribers > spec->count)
        return fault_set(f, FAULT_USAGE, "%d certificates have 1 to %d subscribers, not %d", spec->count,
                         spec->count, spec->subscribers);
    const char *url = spec->ocsp_url;
    bool good = url == NULL || (strncmp(url, "http://", 7) == 0 && strlen(url) > 7 && strlen(url) < 500);
    for (const char *p = url; good && p != NULL && *p != '\0'; p++)
        good = *p > ' ' && *p < 0x7f && strchr(",;\"\\'@#$", *p) == NULL;
    return good || fault_set(f, FAULT_USAGE, "%s is no plain http:// URL", url);
}

bool ca_new(const struct ca_new_spec *spec, struct fault *f)
{
    struct maker m = {.spec = spec};
    char *target = NULL;
    bool started = false;
    bool ok = check_spec(spec, f) && find_target(spec->directory, &m.arena, &target, f);
    if (ok) {
        m.root = arena_format(&m.arena, "%s.%ld.new", target, (long)getpid());
        started = mkdir(m.root, 0755) == 0;
        if (!started)
            fault_set(f, FAULT_FAILED, "%s: %s", m.root, strerror(errno));
        ok = started && make_folders(&m, f) && make_ca(&m, f) && issue_all(&m, f) && make_people(&m, f) &&
             make_crl(&m, f) && make_contacts(&m, f) && make_texts(&m, f) && place(&m, target, f);
    }
    if (started && !ok)
        nftw(m.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    ERR_clear_error();
    issuer_kit_release(&m.kit);
    buf_free(&m.index);
    buf_free(&m.inventory);
    arena_free(&m.arena);
    return ok;
}
