#include "ca_crl.h"
#include "massrevoke/cms.h"
#include "massrevoke/file.h"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CRL_MAX ((size_t)1024 * 1024 * 1024)
#define PATIENCE_STEPS 80 /* of 10 ms */

bool ca_crl_lock(const char *path, int *lock, struct fault *f)
{
    for (int i = 0; !file_lock(path, false, lock, f); i++) {
        if (f->kind != FAULT_CONFLICT)
            return false;
        if (i == PATIENCE_STEPS) {
            f->kind = FAULT_UNAVAILABLE;
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return true;
}

/* value + 1; the largest value stays, crl_write refuses it. */
static struct serial successor(struct serial value)
{
    uint8_t octets[SERIAL_MAX] = {0};
    memcpy(octets + SERIAL_MAX - value.n, value.bytes, value.n);
    for (size_t i = SERIAL_MAX; i-- > 0;)
        if (++octets[i] != 0)
            break;
    struct serial next;
    return serial_from_octets(octets, SERIAL_MAX, &next) == NULL ? next : value;
}

/* The number for the next CRL: what crlnumber says, but above the CRL in place. */
static bool next_number(const struct ca_crl *c, struct serial *number, struct fault *f)
{
    AUTO_ARENA a = {0};
    struct str text, crl;
    struct serial placed;
    if (!file_read(c->number, 4096, &a, &text, f))
        return false;
    struct str digits = str_trim(text);
    const char *why = digits.n % 2 != 0 ? "an odd number of digits" : serial_from_hex(digits, number);
    if (digits.n > 0 && digits.n % 2 == 0 && strspn(arena_copy(&a, digits.p, digits.n), "0") == digits.n) {
        *number = (struct serial){.n = 1, .bytes = {1}};
        why = NULL;
    }
    if (why != NULL)
        return fault_set(f, FAULT_FAILED, "%s:1: not a CRL number: %s", c->number, why);
    if (access(c->crl, F_OK) != 0)
        return true;
    if (!file_read(c->crl, CRL_MAX, &a, &crl, f))
        return false;
    if (!crl_number(crl, &placed)) {
        fault_set(f, FAULT_CONFLICT, "%s is no CRL in DER with a number; it was not replaced", c->crl);
        return fault_hint(f, "move the file away, then publish again");
    }
    if (serial_compare(number, &placed) <= 0)
        *number = successor(placed);
    return true;
}

static bool write_number(const struct ca_crl *c, struct serial number, struct fault *f)
{
    char digits[SERIAL_HEX_TEXT + 1];
    serial_hex(&number, digits);
    size_t n = strlen(digits);
    digits[n] = '\n';
    struct stat st;
    mode_t mode = stat(c->number, &st) == 0 ? st.st_mode & 0777 : 0644;
    return file_write(c->number, (struct str){digits, n + 1}, mode, f);
}

bool ca_crl_place(const struct ca_crl *c, const struct issuer *issuer, struct utc now,
                  const struct crl_entry *entries, size_t count, struct fault *f)
{
    AUTO_BUF crl = {0};
    EVP_PKEY *key = NULL;
    struct crl_head head = {.issuer = issuer->cert.subject,
                            .key_id = issuer->cert.ski,
                            .this_update = now,
                            .next_update = utc_add(now, c->validity),
                            .point = c->point == NULL ? (struct str){NULL, 0} : str_of(c->point)};
    if (!next_number(c, &head.number, f) || !key_load(c->key, c->key_password_file, &key, f))
        return false;
    bool ok = EVP_PKEY_eq(key, issuer->key) == 1;
    if (!ok)
        fault_set(f, FAULT_CONFIG, "%s is not the key of the CA's certificate", c->key);
    ok = ok && crl_write(&head, entries, count, key, &crl, f);
    key_release(key);
    /* the number is used up before it is seen: a crash in between only skips one */
    return ok && write_number(c, successor(head.number), f) && file_write(c->crl, buf_str(&crl), 0644, f);
}
