/* The affected list: entries, duplicates, rejects. */
#include "massrevoke/intake.h"
#include "intake/list.h"
#include "intake/set.h"

#include <stdlib.h>

_Static_assert(sizeof(struct intake_key) == 24, "a key is hashed and compared as bytes");

static const char not_found[] =
    "no certificate of a configured issuer in the inventory has this SHA-256; name it "
    "by issuer and serial, or import the certificate itself";

uint32_t intake_list_file(struct intake_list *list, const char *name)
{
    list->files = grow_array(list->files, list->file_count, &list->file_room, sizeof *list->files);
    list->files[list->file_count] = arena_text(list->arena, name);
    return (uint32_t)list->file_count++;
}

static struct str key_bytes(const struct intake_key *key)
{
    return (struct str){(const char *)key, sizeof *key};
}

static bool same_key(const void *context, uint32_t number, struct str key)
{
    const struct intake_list *list = context;
    return memcmp(&list->keys[number], key.p, sizeof list->keys[number]) == 0;
}

/* keys, places and by_hash have the same room. */
static void grow_entries(struct intake_list *list)
{
    size_t room = list->accepted_room;
    list->keys = grow_array(list->keys, list->accepted, &room, sizeof *list->keys);
    room = list->accepted_room;
    list->by_hash = grow_array(list->by_hash, list->accepted, &room, sizeof *list->by_hash);
    list->places = grow_array(list->places, list->accepted, &list->accepted_room, sizeof *list->places);
}

void list_add(struct intake_list *list, struct intake_place place, uint16_t issuer,
              const struct serial *serial, bool by_hash)
{
    struct intake_key key = {.serial = *serial, .issuer = issuer};
    memcpy(list->set.seed, list->seed, sizeof list->seed);
    uint32_t first = intake_set_put(&list->set, key_bytes(&key), (uint32_t)list->accepted, same_key, list);
    if (first != INTAKE_SET_NEW) {
        list->duplicates =
            grow_array(list->duplicates, list->duplicate, &list->duplicate_room, sizeof *list->duplicates);
        list->duplicates[list->duplicate++] = (struct intake_duplicate){place, list->places[first]};
        list->by_hash[first] = list->by_hash[first] || by_hash;
        return;
    }
    grow_entries(list);
    list->keys[list->accepted] = key;
    list->by_hash[list->accepted] = by_hash;
    list->places[list->accepted++] = place;
}

void list_add_hash(struct intake_list *list, struct intake_place place, const struct digest *sha256)
{
    list->hashes = grow_array(list->hashes, list->hash_count, &list->hash_room, sizeof *list->hashes);
    list->hashes[list->hash_count++] = (struct intake_hash){*sha256, place};
}

void intake_list_add(struct intake_list *list, uint32_t file, size_t line, uint16_t issuer,
                     const struct serial *serial)
{
    list_add(list, (struct intake_place){file, (uint32_t)line}, issuer, serial, false);
}

void intake_list_resolve(struct intake_list *list, const struct intake_key *keys, const bool *found)
{
    for (size_t i = 0; i < list->hash_count; i++) {
        struct intake_place place = list->hashes[i].place;
        if (found[i])
            list_add(list, place, keys[i].issuer, &keys[i].serial, true);
        else
            intake_list_reject(list, place.file, place.line, not_found);
    }
    list->hash_count = 0;
}

void intake_list_refuse(struct intake_list *list, const bool *refused, const char *reason)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->accepted; i++) {
        if (refused[i]) {
            intake_list_reject(list, list->places[i].file, list->places[i].line, reason);
            continue;
        }
        list->keys[kept] = list->keys[i];
        list->by_hash[kept] = list->by_hash[i];
        list->places[kept++] = list->places[i];
    }
    list->accepted = kept;
    intake_set_free(&list->set); /* its numbers are not those of the entries any more */
}

void intake_list_reject(struct intake_list *list, uint32_t file, size_t line, const char *reason)
{
    remarks_add(&list->rejects, list->files[file], line, reason);
}

bool list_need_issuer(const struct intake_list *list, const char *name, struct fault *f)
{
    if (list->default_issuer >= 0)
        return true;
    fault_set(f, FAULT_USAGE, "%s names no issuer, and not exactly one is configured", name);
    return fault_hint(f, "say whose serials these are: --issuer CERTIFICATE");
}

static bool read_any(struct intake_list *list, struct table_reader *t, enum intake_format format,
                     struct fault *f)
{
    struct str head;
    if (!csv_peek(&t->csv, &head, f))
        return false;
    if (format == INTAKE_AUTO)
        format = intake_detect(head);
    if (format == INTAKE_PEM || format == INTAKE_DER)
        return fault_set(f, FAULT_FAILED, "%s holds certificates (%s), not a list of serials", t->name,
                         intake_format_name(format));
    uint32_t file = intake_list_file(list, t->name);
    if (format != INTAKE_CSV && format != INTAKE_CCADB)
        return list_read_lines(list, file, format, &t->csv, f);
    t->csv.separator = csv_guess_separator(head);
    return list_read_rows(list, file, t, format == INTAKE_CCADB, f);
}

bool intake_list_read(struct intake_list *list, const char *name, enum intake_format format,
                      struct source source, struct fault *f)
{
    struct table_reader t = {.name = name, .arena = list->arena};
    csv_open(&t.csv, name, source);
    bool ok = read_any(list, &t, format, f);
    csv_close(&t.csv);
    return ok;
}

void intake_list_free(struct intake_list *list)
{
    free(list->files);
    free(list->keys);
    free(list->places);
    free(list->by_hash);
    free(list->hashes);
    free(list->learned);
    free(list->duplicates);
    free(list->rejects.items);
    intake_set_free(&list->set);
    *list = (struct intake_list){0};
}
