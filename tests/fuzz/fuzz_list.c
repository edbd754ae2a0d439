/* Any bytes as an affected list, in every format and base. */
#include "massrevoke/intake.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"CN=CA,O=X", "/C=DE/O=Y, Z/CN=CA", "ca.pem"};
static const struct intake_issuer issuers[] = {{names, 1}, {names + 1, 2}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list = {.issuers = intake_issuers_make(issuers, 2, &a),
                             .default_issuer = (data[0] >> 4 & 3) - 1 == 2 ? 1 : (data[0] >> 4 & 3) - 1,
                             .base = (enum intake_base)((data[0] >> 2 & 3) % 3),
                             .seed = {data[0], size},
                             .arena = &a};
    struct str left = {(const char *)data + 1, size - 1};
    struct fault f = {0};
    bool ok = intake_list_read(&list, "x", (enum intake_format)(data[0] & 3), source_memory(&left), &f);
    if (ok != (f.kind == FAULT_NONE))
        abort();
    if (intake_list_in(&list) != list.accepted + list.duplicate + list.rejects.count)
        abort();
    for (size_t i = 0; i < list.accepted; i++)
        if (list.keys[i].issuer > 1 || list.keys[i].serial.n == 0 || list.keys[i].serial.n > SERIAL_MAX)
            abort();
    AUTO_JSON *json = intake_list_json(&list);
    AUTO_BUF out = {0};
    json_canonical(json, &out);
    intake_list_summary(&list, 5, &out);
    if (json_array_size(json_object_get(json, "rejects")) != list.rejects.count)
        abort();
    return 0;
}
