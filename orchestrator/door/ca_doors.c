#include "massrevoke/ca_doors.h"
#include "massrevoke/ca_acme.h"
#include "massrevoke/ca_exec.h"
#include "massrevoke/ca_http.h"
#include "massrevoke/ca_openssl.h"
#include "massrevoke/ca_sql.h"

#include <string.h>

/* Backends by their name in the configuration. */
static const struct backend_kind {
    const char *name;
    bool (*open)(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                 struct ca_door **out, struct fault *f);
    bool (*describe)(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f);
} kinds[] = {
    {"ca_openssl", ca_openssl_open, ca_openssl_describe},
    {"http", ca_http_open, ca_http_describe},
    {"sql", ca_sql_open, ca_sql_describe},
    {"acme", ca_acme_open, ca_acme_describe},
    {"exec", ca_exec_open, ca_exec_describe},
};

static const struct backend_kind *kind_of(const struct settings_ca *ca, struct fault *f)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, ca->backend) == 0)
            return &kinds[i];
    fault_set(f, FAULT_CONFIG, "CA %s: backend %s is not known", ca->name, ca->backend);
    return NULL;
}

bool ca_doors_open(const struct settings_ca *ca, uint16_t first_issuer, struct clock clock,
                   struct ca_door **out, struct fault *f)
{
    const struct backend_kind *kind = kind_of(ca, f);
    return kind != NULL && kind->open(ca, first_issuer, clock, out, f);
}

bool ca_doors_describe(const struct settings_ca *ca, struct arena *a, struct ca_facts *out, struct fault *f)
{
    const struct backend_kind *kind = kind_of(ca, f);
    return kind != NULL && kind->describe(ca, a, out, f);
}
