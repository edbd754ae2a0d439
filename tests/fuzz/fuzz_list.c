/* Any bytes as an affected list, in every format and base, with hashes found or not and entries refused. */
#include "massrevoke/intake.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"CN=CA,O=X", "/C=DE/O=Y, Z/CN=CA", "ca.pem"};
static const struct intake_issuer issuers[] = {{names, 1}, {names + 1, 2}};

static void check_entries(const struct intake_list *list)
{
    if (intake_list_in(list) != list->accepted + list->duplicate + list->rejects.count + list->hash_count)
        abort();
    for (size_t i = 0; i < list->accepted; i++)
        if (list->keys[i].issuer > 1 || list->keys[i].serial.n == 0 || list->keys[i].serial.n > SERIAL_MAX ||
            list->places[i].line == 0)
            abort();
}

/* Every other hash is found, by turns of what is there already and of something new. */
static void resolve(struct intake_list *list, struct arena *a)
{
    struct intake_key *keys = arena_array(a, list->hash_count, sizeof *keys);
    bool *found = arena_array(a, list->hash_count, sizeof *found);
    for (size_t i = 0; i < list->hash_count; i++) {
        found[i] = (list->hashes[i].sha256.bytes[0] & 1) != 0;
        keys[i].serial = (struct serial){1, {(uint8_t)(1 + i % 3)}};
    }
    size_t in = intake_list_in(list);
    intake_list_resolve(list, keys, found);
    if (intake_list_in(list) != in || list->hash_count != 0)
        abort();
}

static void refuse(struct intake_list *list, struct arena *a)
{
    bool *refused = arena_array(a, list->accepted, sizeof *refused);
    for (size_t i = 0; i < list->accepted; i++)
        refused[i] = (list->keys[i].serial.bytes[0] & 2) != 0;
    size_t in = intake_list_in(list);
    intake_list_refuse(list, refused, "refused");
    if (intake_list_in(list) != in)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    AUTO_ARENA a = {0};
    AUTO_INTAKE_LIST list = {.issuers = intake_issuers_make(issuers, 2, &a),
                             .default_issuer = (data[0] & 3) % 3 - 1,
                             .base = (enum intake_base)((data[0] >> 2 & 3) % 3),
                             .take_ca = (data[0] & 16) != 0,
                             .seed = {data[0], size},
                             .arena = &a};
    enum intake_format format = (enum intake_format)(data[1] % INTAKE_FORMAT_COUNT);
    struct str left = {(const char *)data + 2, size - 2};
    struct fault f = {0};
    if (format == INTAKE_PEM || format == INTAKE_DER)
        intake_certificates_read(&list, "x", left, NULL, 0);
    else if (intake_list_read(&list, "x", format, source_memory(&left), &f) != (f.kind == FAULT_NONE))
        abort();
    check_entries(&list);
    resolve(&list, &a);
    refuse(&list, &a);
    check_entries(&list);
    AUTO_JSON *json = intake_list_json(&list);
    AUTO_BUF out = {0};
    json_canonical(json, &out);
    intake_list_summary(&list, 5, &out);
    if (json_array_size(json_object_get(json, "rejects")) != list.rejects.count)
        abort();
    return 0;
}
