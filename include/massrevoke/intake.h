/* intake.h - from the CA's lists to values: affected serials, certificates, inventory, contacts.
 *
 * Everything comes from a pull source and ends in numbers and values; a line that cannot be used is kept with
 * its number and reason, and in = accepted + duplicate + rejected (contract section 1, Import). Blank lines,
 * comments and headers are not counted. Identity is issuer + serial (design sentence 7): a line that names a
 * certificate by SHA-256 alone waits until the caller has asked the inventory. Pure. Does not: open files,
 * know what is stored already, or decide. A caller throws the value away after a fault: nothing is ever half
 * imported. Called by: cli, engine, drill. */
#ifndef MASSREVOKE_INTAKE_H
#define MASSREVOKE_INTAKE_H

#include "massrevoke/arena.h"
#include "massrevoke/cert.h"
#include "massrevoke/contact.h"
#include "massrevoke/inventory.h"
#include "massrevoke/json.h"
#include "massrevoke/source.h"

/* ---- issuers ---- */

/* One configured issuer: texts that mean it. Distinguished names in any spelling (OpenSSL's one line, RFC
 * 4514 in either order, quoted or escaped); anything else, a file name say, is compared byte by byte. */
struct intake_issuer {
    const char *const *names;
    size_t name_count;
};

#define INTAKE_ISSUER_NONE (-1)
#define INTAKE_ISSUER_MANY (-2)

struct intake_issuers; /* prepared for comparing; lives in an arena */

/* Prepares `count` issuers (index = the caller's issuer index); everything is copied into the arena. */
struct intake_issuers *intake_issuers_make(const struct intake_issuer *issuers, size_t count,
                                           struct arena *a);

/* Index of the issuer that `text` names; when it names several, `preferred` if that is among them, else
 * INTAKE_ISSUER_MANY; INTAKE_ISSUER_NONE when it names none. Names are equal when their attributes are, in
 * the order written or wholly reversed; types in any case, values byte by byte after unescaping; blanks
 * around
 * '=', ',', '+' mean nothing. Remembers the last text: rows of one issuer cost a memcmp. */
int intake_issuer_find(struct intake_issuers *issuers, struct str text, int preferred);

/* Appends the comparable form of a distinguished name (RFC 4514, RFC 2253, OpenSSL one line); false when text
 * is none. */
bool intake_name_normalize(struct str text, struct buf *out);

/* ---- what went wrong ---- */

/* A remark about one line of one file: a reject, a warning. Texts live in the arena of the reader or are
 * static. */
struct intake_remark {
    const char *file;
    size_t line;
    const char *reason;
};

/* A growing list of remarks. */
struct intake_remarks {
    struct intake_remark *items;
    size_t count, room;
};

/* ---- the affected list ---- */

enum intake_format {
    INTAKE_AUTO,    /* by the first bytes */
    INTAKE_SERIALS, /* one serial or SHA-256 a line, # begins a comment */
    INTAKE_CSV,     /* a header names the columns: serial, issuer, SHA-256 of (pre)certificate */
    INTAKE_CCADB,   /* the 11 columns of the CCADB affected list: its serials are hex by definition */
    INTAKE_INDEX,   /* index.txt of `openssl ca`: every row is a certificate, whatever its status */
    INTAKE_LINKS,   /* crt.sh links by SHA-256, one a line */
    INTAKE_PEM,     /* certificates: intake_certificates_read */
    INTAKE_DER,
    INTAKE_FORMAT_COUNT
};

enum intake_base { INTAKE_BASE_UNDECLARED, INTAKE_BASE_HEX, INTAKE_BASE_DECIMAL };

/* A place in the input. */
struct intake_place {
    uint32_t file; /* index into intake_list.files */
    uint32_t line;
};

/* Who a certificate is. 24 bytes without padding, so that it hashes and compares as bytes. */
struct intake_key {
    struct serial serial;
    uint8_t unused;
    uint16_t issuer;
};

/* A certificate that stood in the input before. */
struct intake_duplicate {
    struct intake_place place, first;
};

/* A line that names a certificate by nothing but its SHA-256 (or that of its precertificate). */
struct intake_hash {
    struct digest sha256;
    struct intake_place place;
};

/* Remembers keys by number: open addressing under SipHash with a seed, because the keys come from strangers.
 */
struct intake_set {
    uint64_t *slots; /* high half of the hash, number + 1; 0 free */
    size_t room, count;
    uint64_t seed[2];
};

/* Everything read so far. Entry i is keys[i] at places[i], in order of appearance. About 50 to 80 bytes an
 * accepted entry. Set the first group, zero the rest; intake_list_free at the end. */
/* Why a CA certificate is rejected, however it was named. */
#define INTAKE_CA_REFUSED "a CA certificate: only a campaign under a clause of BR 4.9.1.2 takes those"

struct intake_list {
    struct intake_issuers *issuers;
    int default_issuer; /* index, or -1: none was named and not exactly one is configured */
    enum intake_base base;
    bool take_ca;     /* CA certificates too: the campaign's clause is of BR 4.9.1.2 */
    uint64_t seed[2]; /* random bytes, from the caller: this module has none */
    struct arena *arena;

    const char **files;
    size_t file_count, file_room;
    struct intake_key *keys;
    struct intake_place *places;
    bool *by_hash; /* named by SHA-256, or the certificate itself was there */
    size_t accepted, accepted_room;
    struct intake_hash *hashes; /* not yet looked up */
    size_t hash_count, hash_room;
    struct inventory_row *learned; /* what certificates said of themselves; subscriber "" */
    size_t learned_count, learned_room;
    struct intake_duplicate *duplicates;
    size_t duplicate, duplicate_room;
    struct intake_remarks rejects;
    bool default_used; /* some entry took the default issuer: the caller prints its name */
    struct intake_set set;
};

/* Format by the first bytes (a few kilobytes are enough); never INTAKE_AUTO. */
enum intake_format intake_detect(struct str head);

/* "serials", "csv", "ccadb", "index", "links", "pem", "der"; INTAKE_FORMAT_COUNT when there is none ("auto"
 * is INTAKE_AUTO). */
enum intake_format intake_format_from_name(struct str name);

/* Name of a format; static. */
const char *intake_format_name(enum intake_format format);

/* Begins a file and returns its number; `name` is copied. */
uint32_t intake_list_file(struct intake_list *list, const char *name);

/* Reads one list of any form but PEM and DER. Linear. Faults: the source's; FAILED for UTF-16, a header with
 * neither serial nor SHA-256, or certificates; USAGE when an issuer has to be named first (before anything is
 * added). */
MUST_USE bool intake_list_read(struct intake_list *list, const char *name, enum intake_format format,
                               struct source source, struct fault *f);

/* Reads certificates: PEM bundles or DER, one behind the other; their number in the file stands for a line. A
 * damaged one is a rejected line; the next PEM block is read all the same. Each must be signed by one of the
 * issuers (index = index in the settings); a CA certificate only counts when list->take_ca. What it says
 * joins list->learned. About 0.2 ms a certificate. */
void intake_certificates_read(struct intake_list *list, const char *name, struct str bytes,
                              const struct issuer *issuers, size_t issuer_count);

/* Adds one certificate, as a row would: accepted or duplicate. */
void intake_list_add(struct intake_list *list, uint32_t file, size_t line, uint16_t issuer,
                     const struct serial *serial);

/* Answers list->hashes: found[i] says that keys[i] is it, else its line is rejected. */
void intake_list_resolve(struct intake_list *list, const struct intake_key *keys, const bool *found);

/* Turns accepted entries i with refused[i] into rejected lines. Nothing can be added afterwards. */
void intake_list_refuse(struct intake_list *list, const bool *refused, const char *reason);

/* Adds a line that cannot be used; reason static or in the list's arena. */
void intake_list_reject(struct intake_list *list, uint32_t file, size_t line, const char *reason);

/* Why the serial cannot be used under the declared base, NULL when *out is it. All digits without a declared
 * base are refused, unless 0x, \x (a bytea of SQL) or colons say that they are hex. */
const char *intake_serial(struct str text, enum intake_base base, struct serial *out);

/* Reads a SHA-256: 64 hexadecimal digits of either case, colons between octets allowed. */
bool intake_sha256(struct str text, struct digest *out);

/* Why a crt.sh link names no certificate that can be found here, NULL when *out is its SHA-256. */
const char *intake_link(struct str text, struct digest *out);

/* Lines or certificates counted: accepted + duplicate + rejected, and hashes not yet looked up. */
size_t intake_list_in(const struct intake_list *list);

/* FAULT_NONE, PARTLY (some rejected) or FAILED (some rejected and none accepted): exit 0, 8, 1. */
enum fault_kind intake_list_verdict(const struct intake_list *list);

/* The object of `import --json`: in, accepted, duplicate, rejected, rejects. Owned by the caller. */
json_t *intake_list_json(const struct intake_list *list);

/* Appends the same for people: one line of counts, then at most `lines` rejects and duplicates each. */
void intake_list_summary(const struct intake_list *list, size_t lines, struct buf *out);

/* Frees all but the arena. */
void intake_list_free(struct intake_list *list);
#define AUTO_INTAKE_LIST __attribute__((cleanup(intake_list_free))) struct intake_list

/* ---- inventory and contacts ---- */

/* What a table file came to. `warnings` name unknown columns, rows that a later one replaced, and values left
 * out; rows = rows used + replaced + rejected. */
struct intake_table {
    const char *file;
    size_t in;       /* rows read, header and blank lines not counted */
    size_t replaced; /* rows whose place a later row took */
    struct intake_remarks rejects, warnings;
};

/* An inventory file. Rows in order of first appearance, the last of equal issuer + serial wins. */
struct intake_inventory {
    struct inventory_row *rows;
    size_t count, room;
    bool default_used;
    struct intake_table table;
};

/* Reads an inventory (contract section 3). Rows without an issuer take default_issuer. Texts live in the
 * arena. Faults: the source's; FAILED for a header that cannot be used; USAGE when default_issuer is -1 and
 * the file has no issuer column. */
MUST_USE bool intake_inventory_read(struct intake_inventory *out, const char *name, struct source source,
                                    struct intake_issuers *issuers, int default_issuer,
                                    const uint64_t seed[static 2], struct arena *a, struct fault *f);

/* Frees all but the arena. */
void intake_inventory_free(struct intake_inventory *inventory);
#define AUTO_INTAKE_INVENTORY __attribute__((cleanup(intake_inventory_free))) struct intake_inventory

/* A contacts file. Rows in order of first appearance, the last of equal subscriber, role and address wins. */
struct intake_contacts {
    struct contact *rows;
    size_t count, room;
    size_t bad_addresses; /* rows kept with address_bad; each is among table.warnings */
    struct intake_table table;
};

/* Reads contacts (contract section 3). Faults: the source's; FAILED for a header that cannot be used. */
MUST_USE bool intake_contacts_read(struct intake_contacts *out, const char *name, struct source source,
                                   const uint64_t seed[static 2], struct arena *a, struct fault *f);

/* Frees all but the arena. */
void intake_contacts_free(struct intake_contacts *contacts);
#define AUTO_INTAKE_CONTACTS __attribute__((cleanup(intake_contacts_free))) struct intake_contacts

/* The same for people: counts, rejects and warnings, at most `lines` each. */
void intake_table_summary(const struct intake_table *table, size_t lines, struct buf *out);

#endif
