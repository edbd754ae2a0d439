#include "issuer_names.h"
#include "massrevoke/cert.h"
#include "massrevoke/hex.h"

bool issuer_names_load(const struct settings_ca *ca, bool needs_name, const char *profile, struct arena *a,
                       struct issuer_name **out, struct fault *f)
{
    struct issuer_name *names = arena_array(a, ca->issuer_count, sizeof *names);
    for (size_t i = 0; i < ca->issuer_count; i++) {
        struct cert cert;
        const char *path = ca->issuers[i].certificate_file;
        if (!cert_load(path, a, &cert, f)) {
            f->kind = FAULT_CONFIG;
            return false;
        }
        char *own = arena_alloc(a, 2 * cert.ski.n + 1);
        hex_lower(cert.ski.p, cert.ski.n, own);
        names[i].aki = ca->http.authority_key != NULL ? arena_text(a, ca->http.authority_key) : own;
        names[i].name = arena_text(a, ca->issuers[i].name);
        if (needs_name && names[i].name == NULL)
            return fault_set(f, FAULT_CONFIG, "%s: backend %s needs the issuer's `name`", path, profile);
    }
    *out = names;
    return true;
}
