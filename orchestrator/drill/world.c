#include "world.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/cert.h"
#include "massrevoke/cms.h"
#include "massrevoke/crl_read.h"
#include "massrevoke/file.h"
#include "massrevoke/rules.h"
#include "seed.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>

#define HOUR INT64_C(3600)
#define LIST_MAX ((size_t)64 * 1024 * 1024)

/* --- the folder --- */

static bool is_empty(const char *path, bool *exists)
{
    DIR *folder = opendir(path);
    *exists = folder != NULL || errno != ENOENT;
    if (folder == NULL)
        return false;
    bool empty = true;
    for (struct dirent *e; empty && (e = readdir(folder)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

static bool make_folder(struct drill_world *w, const char *out, struct fault *f)
{
    bool exists;
    if (!is_empty(out, &exists) && exists) {
        fault_set(f, FAULT_CONFLICT, "%s exists and is no empty folder; it was not touched", out);
        return fault_hint(f, "name a new folder with --out");
    }
    if (!file_make_folders(out, 0755, f))
        return false;
    char *real = realpath(out, NULL);
    if (real == NULL)
        return fault_set(f, FAULT_FAILED, "%s: %s", out, strerror(errno));
    w->out = arena_text(&w->arena, real);
    free(real);
    w->ca = file_join(&w->arena, w->out, "ca");
    w->pub = file_join(&w->arena, w->out, "pub");
    w->spool = file_join(&w->arena, w->out, "spool");
    return file_make_folders(w->pub, 0755, f) && file_make_folders(w->spool, 0700, f);
}

/* --- the profile: the scenario's values in place of the shipped ones --- */

static void put_key(struct buf *out, const struct guard_node *n)
{
    char time[UTC_TEXT];
    switch (n->key->type) {
    case GUARD_BOOL:
        buf_format(out, "%s = %s;\n", n->key->name, n->number ? "true" : "false");
        break;
    case GUARD_INT:
        buf_format(out, "%s = %" PRId64 ";\n", n->key->name, n->number);
        break;
    case GUARD_SPAN:
        buf_format(out, "%s = \"%" PRId64 "s\";\n", n->key->name, n->number);
        break;
    case GUARD_RATE:
        buf_format(out, "%s = \"%" PRId64 "/%" PRId64 "s\";\n", n->key->name, n->rate.count, n->rate.per);
        break;
    case GUARD_TEXT:
        buf_format(out, "%s = \"%s\";\n", n->key->name, n->text);
        break;
    case GUARD_TIME:
        buf_format(out, "%s = \"%s\";\n", n->key->name, utc_format((struct utc){n->number}, time));
        break;
    case GUARD_LIST:
        buf_format(out, "%s = (", n->key->name);
        for (size_t i = 0; i < n->count; i++) {
            buf_text(out, i == 0 ? "{ " : ", { ");
            for (size_t k = 0; k < n->inside[i].count; k++)
                if (n->inside[i].inside[k].given)
                    put_key(out, &n->inside[i].inside[k]);
            buf_text(out, "}");
        }
        buf_text(out, ");\n");
        break;
    case GUARD_PATH:
    case GUARD_TEXTS:
    case GUARD_GROUP:
    case GUARD_TYPE_COUNT:
        break; /* no profile has such a key */
    }
}

static const struct guard_node *changed(const struct scenario *s, const struct guard_node *n)
{
    for (size_t i = 0; i < s->changes->count; i++)
        if (s->changes->inside[i].given && strcmp(s->changes->inside[i].key->name, n->key->name) == 0)
            return &s->changes->inside[i];
    return n;
}

/* "profiles/NAME.cfg" below OUT/plans, which then stands before the embedded plans. */
static bool make_profile(struct drill_world *w, struct profile *out, struct fault *f)
{
    struct guard_problems problems = {.arena = &w->arena};
    struct guard g;
    struct str bytes;
    const char *file, *plans = file_join(&w->arena, w->out, "plans");
    if (!profile_bytes(NULL, w->scenario->profile, &w->arena, &file, &bytes, f))
        return false;
    (void)guard_read(&g, file, NULL, bytes, profile_schema(), &problems);
    if (!guard_clean(&problems, f))
        return false;
    AUTO_BUF text = {0};
    for (size_t i = 0; i < g.root.count; i++) {
        const struct guard_node *n = changed(w->scenario, &g.root.inside[i]);
        if (n->given)
            put_key(&text, n);
    }
    w->profile = guard_text(&g.root, "name", "drill");
    const char *folder = file_join(&w->arena, plans, "profiles");
    const char *path = arena_format(&w->arena, "%s/%s.cfg", folder, w->profile);
    w->settings.plans_dir = plans;
    return file_make_folders(folder, 0755, f) && file_write(path, buf_str(&text), 0644, f) &&
           profile_read(plans, w->profile, &w->arena, out, f);
}

/* --- the CA --- */

/* Who is found late and who expires before the first slot: the first ones of a shuffled deck. The expiring
 * ones run out from an hour after the drill begins to an hour before that slot. */
static bool make_ca(struct drill_world *w, const struct profile *profile, struct fault *f)
{
    const struct scenario *s = w->scenario;
    size_t n = (size_t)s->certificates, late = (size_t)s->late, expiring = (size_t)s->expire_first;
    int *deck = arena_array(&w->arena, n, sizeof *deck);
    struct utc *not_after = arena_array(&w->arena, n, sizeof *not_after);
    struct utc first = utc_add(s->received, (struct span){s->begins.s + HOUR});
    int64_t room = s->received.s + profile->first_slot.s - HOUR - first.s;
    if (expiring > 0 && room <= 0)
        return fault_set(
            f, FAULT_CONFIG,
            "%s: population.expire_first: there is no time between begins and the profile's first slot",
            s->file);
    seed_shuffle(w->seed, SEED_POPULATION, deck, n);
    for (size_t i = 0; i < n; i++)
        not_after[i] = UTC_NONE;
    for (size_t i = late; i < late + expiring; i++) {
        uint64_t state = seed_stream(w->seed, SEED_EXPIRY, (uint64_t)deck[i]);
        not_after[deck[i]].s = first.s + (int64_t)(seed_draw(&state) % (uint64_t)room);
    }
    w->late = deck;
    struct ca_new_spec spec = {.directory = w->ca,
                               .count = s->certificates,
                               .subscribers = s->subscribers,
                               .seed = w->seed,
                               .now = s->received,
                               .not_after = not_after};
    return ca_new(&spec, f);
}

static int compare_ints(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* The first list: everybody but those who are found late, in order of issue. */
static void make_first_list(struct drill_world *w)
{
    size_t n = (size_t)w->scenario->certificates, late = (size_t)w->scenario->late;
    int *first = arena_array(&w->arena, n, sizeof *first);
    memcpy(first, w->late + late, (n - late) * sizeof *first);
    qsort(first, n - late, sizeof *first, compare_ints);
    w->first_list = world_serials(w, first, n - late);
}

/* --- settings --- */

static bool below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return path != NULL && strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Does the private key in the drill's CA folder belong to this certificate? */
static bool owns_key(const char *certificate_file, const char *folder, bool *yes, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    EVP_PKEY *key = NULL;
    if (!key_load(file_join(&a, folder, "private/ca.key"), NULL, &key, f))
        return false;
    bool read = file_read(certificate_file, CERT_MAX, &a, &bytes, f);
    BIO *in = read ? BIO_new_mem_buf(bytes.p, (int)bytes.n) : NULL;
    X509 *x = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
    *yes = x != NULL && X509_check_private_key(x, key) == 1;
    X509_free(x);
    BIO_free(in);
    key_release(key);
    return read;
}

bool world_check(const struct settings *s, const char *folder, const char *out, struct fault *f)
{
    if (!s->demo)
        return fault_set(f, FAULT_REFUSED, "a drill works only on a demo CA");
    if (s->db_conninfo != NULL)
        return fault_set(f, FAULT_REFUSED, "a drill works only in the private database");
    if (s->mail_relay_url != NULL || !below(s->mail_spool_dir, out))
        return fault_set(f, FAULT_REFUSED, "a drill mails only into its own spool");
    for (size_t i = 0; i < s->map_count; i++)
        if (!below(s->map[i].folder, out))
            return fault_set(f, FAULT_REFUSED, "a drill fetches only from its own folder, not from %s",
                             s->map[i].folder);
    for (size_t i = 0; i < s->ca_count; i++) {
        const struct settings_ca *ca = &s->cas[i];
        if (strcmp(ca->backend, "ca_openssl") != 0 || !below(ca->directory, folder) ||
            !below(ca->config_file, folder))
            return fault_set(f, FAULT_REFUSED, "a drill revokes only through the CA it made: %s is another",
                             ca->name);
        for (size_t k = 0; k < ca->issuer_count; k++) {
            bool yes;
            if (!owns_key(ca->issuers[k].certificate_file, folder, &yes, f))
                return false;
            if (!yes)
                return fault_set(f, FAULT_REFUSED,
                                 "a drill accepts only issuers whose key it made: %s is not one",
                                 ca->issuers[k].certificate_file);
        }
    }
    return true;
}

/* What `ca new` wrote, with the drill's own folders, both approvers needed, and the scenario's rate. */
static bool make_settings(struct drill_world *w, const char *plans, struct fault *f)
{
    struct settings *s = &w->settings;
    if (!settings_read(file_join(&w->arena, w->ca, "massrevoke.cfg"), &w->arena, s, f))
        return false;
    struct settings_ca *cas = arena_array(&w->arena, s->ca_count, sizeof *cas);
    struct settings_map *map = arena_array(&w->arena, s->map_count, sizeof *map);
    memcpy(cas, s->cas, s->ca_count * sizeof *cas);
    for (size_t i = 0; i < s->ca_count && w->scenario->rate.count > 0; i++)
        cas[i].rate = w->scenario->rate;
    for (size_t i = 0; i < s->map_count; i++)
        map[i] = (struct settings_map){s->map[i].url, w->pub};
    s->cas = cas;
    s->map = map;
    s->plans_dir = plans;
    s->mail_spool_dir = w->spool;
    s->quorum = (int)s->approver_count;
    return world_check(s, w->ca, w->out, f);
}

/* --- lists --- */

static struct intake_issuers *issuer_names(struct drill_world *w, struct fault *f)
{
    const struct settings_issuer *issuer = &w->settings.cas[0].issuers[0];
    struct cert cert;
    if (!cert_load(issuer->certificate_file, &w->arena, &cert, f))
        return NULL;
    const char **texts = arena_array(&w->arena, 1, sizeof *texts);
    texts[0] = cert.subject_text;
    return intake_issuers_make(&(struct intake_issuer){texts, 1}, 1, &w->arena);
}

/* SipHash keys: nobody attacks a drill, so its seed will do. */
static const uint64_t hash_seed[2] = {1, 2};

static bool read_files(struct drill_world *w, struct fault *f)
{
    struct str bytes;
    struct intake_issuers *issuers = issuer_names(w, f);
    AUTO_INTAKE_INVENTORY inventory = {0};
    AUTO_INTAKE_CONTACTS contacts = {0};
    if (issuers == NULL ||
        !file_read(file_join(&w->arena, w->ca, "inventory.csv"), LIST_MAX, &w->arena, &bytes, f) ||
        !intake_inventory_read(&inventory, "inventory.csv", source_memory(&bytes), issuers, 0, hash_seed,
                               &w->arena, f) ||
        !file_read(file_join(&w->arena, w->ca, "contacts.csv"), LIST_MAX, &w->arena, &bytes, f) ||
        !intake_contacts_read(&contacts, "contacts.csv", source_memory(&bytes), hash_seed, &w->arena, f))
        return false;
    w->certificate_count = inventory.count;
    w->inventory = arena_array(&w->arena, inventory.count, sizeof *w->inventory);
    memcpy(w->inventory, inventory.rows, inventory.count * sizeof *w->inventory);
    w->contact_count = contacts.count;
    w->contacts = arena_array(&w->arena, contacts.count, sizeof *w->contacts);
    memcpy(w->contacts, contacts.rows, contacts.count * sizeof *w->contacts);
    if (w->certificate_count == (size_t)w->scenario->certificates)
        return true;
    return fault_set(f, FAULT_FAILED, "the drill's CA has %zu certificates, not %d", w->certificate_count,
                     w->scenario->certificates);
}

bool world_list(struct drill_world *w, const char *name, const char *serials, struct intake_list *list,
                struct fault *f)
{
    struct str bytes = str_of(serials);
    *list = (struct intake_list){.issuers = issuer_names(w, f),
                                 .base = INTAKE_BASE_HEX,
                                 .seed = {hash_seed[0], hash_seed[1]},
                                 .arena = &w->arena};
    return list->issuers != NULL && intake_list_read(list, name, INTAKE_SERIALS, source_memory(&bytes), f);
}

const char *world_serials(struct drill_world *w, const int *certificates, size_t n)
{
    AUTO_BUF out = {0};
    char hex[SERIAL_HEX_TEXT];
    for (size_t i = 0; i < n; i++)
        buf_format(&out, "%s\n", serial_hex(&w->inventory[certificates[i]].serial, hex));
    return arena_copy(&w->arena, out.p, out.n);
}

const struct contact *world_contact(const struct drill_world *w, struct str address)
{
    for (size_t i = 0; i < w->contact_count; i++)
        if (str_is(address, w->contacts[i].email))
            return &w->contacts[i];
    return NULL;
}

bool world_deliver_crl(struct drill_world *w, bool flip, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str bytes;
    struct crl crl;
    if (!file_read(file_join(&a, w->ca, "pub/ca.crl"), LIST_MAX, &a, &bytes, f) ||
        !crl_read(bytes, &(struct crl_question){0}, &a, &crl, NULL, f))
        return false;
    char *copy = arena_copy(&a, bytes.p, bytes.n), *name = memmem(copy, bytes.n, crl.issuer.p, crl.issuer.n);
    if (flip && name != NULL)
        name[crl.issuer.n - 1] ^= 1;
    return file_write(file_join(&a, w->pub, "ca.crl"), (struct str){copy, bytes.n}, 0644, f);
}

bool drill_world_open(struct drill_world *w, const struct scenario *s, uint64_t seed, const char *out,
                      struct fault *f)
{
    struct profile profile;
    *w = (struct drill_world){.scenario = s, .seed = seed};
    if (!make_folder(w, out, f) || !make_profile(w, &profile, f))
        return false;
    const char *plans = w->settings.plans_dir;
    if (!make_ca(w, &profile, f) || !make_settings(w, plans, f) || !read_files(w, f))
        return false;
    make_first_list(w);
    AUTO_ARENA a = {0};
    return file_write(file_join(&a, w->out, "affected-list.txt"), str_of(w->first_list), 0644, f) &&
           world_deliver_crl(w, false, f);
}

void drill_world_end(struct drill_world *w)
{
    arena_free(&w->arena);
}
