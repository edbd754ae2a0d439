/* list.h - what the files that read the affected list share. Does not: leave intake/. */
#ifndef MASSREVOKE_INTAKE_LIST_H
#define MASSREVOKE_INTAKE_LIST_H

#include "intake/table.h"

/* FAULT_USAGE when the input names no issuer and there is no default one. */
MUST_USE bool list_need_issuer(const struct intake_list *list, const char *name, struct fault *f);

/* Adds a certificate that was there itself (by_hash), or was named by its serial. */
void list_add(struct intake_list *list, struct intake_place place, uint16_t issuer,
              const struct serial *serial, bool by_hash);

/* Keeps a hash for looking up. */
void list_add_hash(struct intake_list *list, struct intake_place place, const struct digest *sha256);

/* Reads a form that has one entry a line: serials, index, links. The reader stands at the beginning. */
MUST_USE bool list_read_lines(struct intake_list *list, uint32_t file, enum intake_format format,
                              struct csv_reader *csv, struct fault *f);

/* Reads a CSV with a header, t open at its beginning. */
MUST_USE bool list_read_rows(struct intake_list *list, uint32_t file, struct table_reader *t, bool ccadb,
                             struct fault *f);

#endif
