/* A CRL judged and looked up in one pass over its bytes, against OpenSSL's objects: time, and memory at its
 * highest. The lists are our publisher's, with random serials in no order. */
#include "../lib/forge.h"
#include "bench.h"
#include "massrevoke/crl_write.h"
#include "massrevoke/file.h"
#include "massrevoke/reason.h"
#include "massrevoke/verifier.h"

#include <fcntl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One case: so many entries, so many wanted of which one in ten is not listed. */
struct size {
    const char *name;
    size_t entries, wanted;
};
static const struct size million = {"1m", 1000000, 1000000}, five = {"5m", 5000000, 100000};

struct work {
    struct arena arena;
    const struct size *size;
    struct forge_ca ca;
    struct str bytes;
    struct verifier_wanted *wanted;
    char crl_path[64], ca_path[64];
};

static struct serial serial_at(size_t i)
{
    unsigned long state = i * 2 + 1;
    struct serial s = {.n = 16};
    for (size_t at = 0; at < 16; at += 8) {
        unsigned long word = bench_random(&state);
        memcpy(s.bytes + at, &word, 8);
    }
    s.bytes[0] = (uint8_t)((s.bytes[0] & 0x7f) | 1);
    return s;
}

/* The wanted lie all over the list; every tenth lies behind its end. */
static struct verifier_wanted *make_wanted(const struct size *size, struct arena *a)
{
    struct verifier_wanted *wanted = arena_array(a, size->wanted, sizeof *wanted);
    size_t step = size->entries / size->wanted;
    for (size_t i = 0; i < size->wanted; i++)
        wanted[i] = (struct verifier_wanted){.number = (uint32_t)i,
                                             .serial = serial_at(i % 10 == 9 ? size->entries + i : i * step),
                                             .reason = -1};
    return wanted;
}

static void write_crl(struct work *w)
{
    AUTO_BUF out = {0};
    struct fault f = {0};
    struct crl_entry *entries = arena_grow(NULL, w->size->entries * sizeof *entries);
    for (size_t i = 0; i < w->size->entries; i++)
        entries[i] = (struct crl_entry){.serial = serial_at(i),
                                        .at = {FORGE_NOW.s - 90000 + (int64_t)(i % 80000)},
                                        .reason = i % 5 == 0 ? REASON_UNSPECIFIED : REASON_SUPERSEDED,
                                        .invalid_since = UTC_NONE};
    const struct crl_head head = {.issuer = w->ca.issuer.subject_der,
                                  .key_id = w->ca.issuer.ski,
                                  .number = {1, {7}},
                                  .this_update = {FORGE_NOW.s - 3600},
                                  .next_update = {FORGE_NOW.s + 6 * 86400}};
    if (!crl_write(&head, entries, w->size->entries, w->ca.key, &out, &f) ||
        !file_write(w->crl_path, buf_str(&out), 0644, &f) || !file_write(w->ca_path, w->ca.der, 0644, &f) ||
        !file_read(w->crl_path, (size_t)1 << 32, &w->arena, &w->bytes, &f))
        bench_die("%s", f.text);
    free(entries);
}

static void make(void **context, const struct size *size)
{
    struct work *w = arena_grow(NULL, sizeof *w);
    *w = (struct work){.size = size};
    (void)mkdir("build", 0777);
    (void)mkdir("build/bench", 0777);
    snprintf(w->crl_path, sizeof w->crl_path, "build/bench/%s.crl", size->name);
    snprintf(w->ca_path, sizeof w->ca_path, "build/bench/%s.ca", size->name);
    w->ca = forge_ca(&w->arena, FORGE_CA, "Bench CA", NULL);
    w->wanted = make_wanted(size, &w->arena);
    write_crl(w);
    *context = w;
}

static void make_million(void **context)
{
    make(context, &million);
}

static void make_five(void **context)
{
    make(context, &five);
}

static void done(void *context)
{
    struct work *w = context;
    unlink(w->crl_path);
    unlink(w->ca_path);
    forge_ca_free(&w->ca);
    arena_free(&w->arena);
    free(w);
}

/* --- one time each, over bytes at hand or over the file --- */

static void expect(const struct size *size, size_t found, const char *who)
{
    if (found != size->wanted - size->wanted / 10)
        bench_die("%s found %zu of %zu", who, found, size->wanted);
}

static struct verifier_question question(const struct size *size, const struct verify_issuer *issuer,
                                         const struct verifier_wanted *wanted)
{
    return (struct verifier_question){.issuer = issuer,
                                      .now = FORGE_NOW,
                                      .seed = {0x12345678, 0x9abcdef0},
                                      .wanted = wanted,
                                      .wanted_count = size->wanted};
}

static void check(const struct size *size, const struct verifier_crl *judged)
{
    size_t found = 0;
    if (!judged->counts || judged->findings.count != 0)
        bench_die("ours: %s", judged->findings.list[0].seen);
    for (size_t i = 0; i < size->wanted; i++)
        found += judged->sights[i].revoked;
    expect(size, found, "ours");
}

static double ours(void *context)
{
    struct work *w = context;
    AUTO_ARENA a = {0};
    struct verifier_crl judged;
    struct verifier_question q = question(w->size, &w->ca.issuer, w->wanted);
    double begun = bench_now();
    verifier_judge_crl(w->bytes, &q, &a, &judged);
    check(w->size, &judged);
    return bench_now() - begun;
}

static void look_up(const struct size *size, const struct verifier_wanted *wanted, struct str bytes,
                    EVP_PKEY *key)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)bytes.n);
    if (crl == NULL || X509_CRL_verify(crl, key) != 1)
        bench_die("openssl does not take the CRL");
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    size_t found = 0;
    for (size_t i = 0; i < size->wanted; i++) {
        X509_REVOKED *entry;
        ASN1_STRING_set(number, wanted[i].serial.bytes, wanted[i].serial.n);
        found += X509_CRL_get0_by_serial(crl, &entry, number) == 1;
    }
    expect(size, found, "openssl");
    ASN1_INTEGER_free(number);
    X509_CRL_free(crl);
}

static double openssl(void *context)
{
    struct work *w = context;
    double begun = bench_now();
    look_up(w->size, w->wanted, w->bytes, w->ca.key);
    return bench_now() - begun;
}

/* --- memory: a process of its own, which reads the file and says how much it held --- */

static void say_memory(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            printf("%ld\n", strtol(line + 6, NULL, 10) * 1024);
    if (status != NULL)
        fclose(status);
}

static int memory_child(const char *who, const char *name)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    struct str der, bytes;
    struct verify_issuer issuer;
    const struct size *size = strcmp(name, million.name) == 0 ? &million : &five;
    struct verifier_wanted *wanted = make_wanted(size, &a);
    const char *path = arena_format(&a, "build/bench/%s.crl", name);
    if (!file_read(arena_format(&a, "build/bench/%s.ca", name), 65536, &a, &der, &f) ||
        !verify_issuer_load(der, &a, &issuer, &f))
        bench_die("%s", f.text);
    if (strcmp(who, "openssl") == 0) {
        /* straight to the heap: the arena would copy */
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0)
            bench_die("%s", path);
        char *held = arena_grow(NULL, (size_t)st.st_size);
        for (ssize_t n, at = 0; (n = read(fd, held + at, (size_t)(st.st_size - at))) > 0;)
            at += n;
        close(fd);
        bytes = (struct str){held, (size_t)st.st_size};
        look_up(size, wanted, bytes, issuer.pkey);
        free(held);
    } else {
        static char piece[65536];
        struct verifier_crl judged;
        struct verifier_question q = question(size, &issuer, wanted);
        struct verifier_reader *r = verifier_crl_begin(&q, &a);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
            verifier_crl_add(r, (struct str){piece, (size_t)n});
        close(fd);
        verifier_crl_end(r, &judged);
        check(size, &judged);
    }
    say_memory();
    verify_issuer_free(&issuer);
    return 0;
}

static double memory_of(const struct work *w, const char *who)
{
    char command[128], line[64] = "";
    snprintf(command, sizeof command, "/proc/%d/exe --memory %s %s", (int)getpid(), who, w->size->name);
    FILE *child = popen(command, "r");
    if (child == NULL || fgets(line, sizeof line, child) == NULL || pclose(child) != 0)
        bench_die("the child for %s failed", who);
    return strtod(line, NULL);
}

static double our_memory(void *context)
{
    return memory_of(context, "ours");
}

static double openssl_memory(void *context)
{
    return memory_of(context, "openssl");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--memory") == 0)
        return memory_child(argv[2], argv[3]);
    static const struct bench rows[] = {
        {.name = "crl_verify_1m",
         .peer_name = "openssl",
         .unit = "s",
         .pairs = 5,
         .ours = ours,
         .peer = openssl,
         .make = make_million,
         .free = done},
        {.name = "crl_memory_1m",
         .peer_name = "openssl",
         .unit = "bytes",
         .pairs = 3,
         .ours = our_memory,
         .peer = openssl_memory,
         .make = make_million,
         .free = done},
        {.name = "crl_verify_5m",
         .peer_name = "openssl",
         .unit = "s",
         .pairs = 3,
         .ours = ours,
         .peer = openssl,
         .make = make_five,
         .free = done},
        {.name = "crl_memory_5m",
         .peer_name = "openssl",
         .unit = "bytes",
         .pairs = 3,
         .ours = our_memory,
         .peer = openssl_memory,
         .make = make_five,
         .free = done,
         .by_name = true},
    };
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
