/* Any bytes as an inventory or as contacts. */
#include "massrevoke/intake.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"CN=CA,O=X"};
static const struct intake_issuer issuers[] = {{names, 1}};
static const uint64_t seed[2] = {1, 2};

static void inventory(struct str left, int default_issuer, struct arena *a)
{
    struct fault f;
    AUTO_INTAKE_INVENTORY v = {0};
    if (intake_inventory_read(&v, "x", source_memory(&left), intake_issuers_make(issuers, 1, a),
                              default_issuer, seed, a, &f) &&
        v.table.in != v.count + v.table.replaced + v.table.rejects.count)
        abort();
    for (size_t i = 0; i < v.count; i++)
        if (v.rows[i].issuer != 0 || v.rows[i].subscriber == NULL || v.rows[i].type == NULL)
            abort();
}

static void contacts(struct str left, struct arena *a)
{
    struct fault f;
    AUTO_INTAKE_CONTACTS v = {0};
    if (intake_contacts_read(&v, "x", source_memory(&left), seed, a, &f) &&
        v.table.in != v.count + v.table.replaced + v.table.rejects.count)
        abort();
    size_t bad = 0;
    for (size_t i = 0; i < v.count; i++) {
        bad += v.rows[i].address_bad;
        if (!v.rows[i].address_bad && strpbrk(v.rows[i].email, "\r\n<>,; \t") != NULL)
            abort();
    }
    if (bad != v.bad_addresses)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    AUTO_ARENA a = {0};
    struct str text = {(const char *)data + 1, size - 1};
    if (data[0] & 1)
        inventory(text, data[0] & 2 ? 0 : -1, &a);
    else
        contacts(text, &a);
    return 0;
}
