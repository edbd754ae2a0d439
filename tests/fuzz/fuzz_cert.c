/* Certificates, CRL numbers and signatures from strangers: any bytes, no crash, and what is read is sound. */
#include "massrevoke/cert.h"
#include "massrevoke/cms.h"
#include "massrevoke/crl_write.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    AUTO_ARENA a = {0};
    struct fault f;
    struct str rest = {(const char *)bytes, n}, der;
    struct cert cert;
    struct serial number;
    size_t who;
    (void)crl_number(rest, &number);
    if (cms_verify(rest, (struct str){"x", 1}, NULL, 0, (struct utc){0}, &who, &f))
        abort();
    for (size_t left = n + 1; rest.n > 0 && rest.n < left;) {
        left = rest.n;
        if (!cert_cut(&rest, &a, &der, &f))
            break;
        if (der.n == 0 || !cert_parse(der, &a, &cert, &f))
            continue;
        if (cert.serial.n < 1 || cert.serial.n > SERIAL_MAX || cert.serial.bytes[0] == 0)
            abort();
        if (!str_is_utf8(str_of(cert.subject_text)) || !str_is_utf8(str_of(cert.issuer_text)))
            abort();
        for (const char *p = cert.dns_names; *p != '\0'; p++)
            if (*p < ' ' || *p > '~')
                abort();
    }
    return 0;
}
