/* plan_parts.h - what reading, numbering and writing a plan share.
 *
 * Does not: leave store/. plan_read.c fills the rows, plan_number.c (pure) makes the material of them,
 * plan_write.c sends what the material's draft holds. */
#ifndef MASSREVOKE_STORE_PLAN_PARTS_H
#define MASSREVOKE_STORE_PLAN_PARTS_H

#include "copy.h"
#include "massrevoke/store_plan.h"

#define PAGE_SIZE 1000
#define BLOCK_SIZE 250 /* numbers or ids in a row of member and place */
#define PAGE_BLOCKS (PAGE_SIZE / BLOCK_SIZE)

/* A place of the hash table of names; index 0: free. */
struct name_slot {
    uint32_t tag;   /* half of the hash */
    uint32_t index; /* of the name, + 1 */
};

/* Distinct texts, numbered in order of arrival. */
struct names {
    struct str *texts; /* bytes in the arena */
    size_t count, room;
    struct name_slot *slots;
    size_t slot_count;
};

#define NAME_NONE UINT32_MAX

/* Index of the text, made when new; NAME_NONE when it is not there and must not be made (a NULL). */
uint32_t names_index(struct names *n, struct str text, struct arena *a);

/* A certificate of the cohort as read. */
struct plan_row {
    uint32_t id, subscriber, shard; /* indices of names */
    uint16_t issuer;                /* index of rows.issuers */
    int16_t reason;
    uint8_t needs;
    bool known, replaced, held;
    struct serial serial;
    struct utc not_after;
};

/* What contacts say of a subscriber. */
struct plan_contact {
    uint8_t turn; /* CLASS_COUNT: nothing */
    bool reachable;
};

/* A page: made anew, or as it stands. */
struct plan_page {
    int page, issuer;    /* issuer: the store's number */
    uint32_t first;      /* fresh: index of its first certificate */
    uint16_t used;       /* numbers */
    struct digest scope; /* fresh */
    struct utc expires;  /* fresh: its first notAfter */
    const uint8_t *states;
    const int32_t *canaries; /* offsets, ascending; none when fresh */
    size_t canary_count;
};

/* Everything of a cohort, as of one moment. */
struct plan_rows {
    struct arena arena;
    struct plan_row *rows;
    size_t count, room;
    struct names subscribers, shards; /* shards: the bytes of certificate.shard */
    struct plan_contact *contacts;    /* by subscriber */
    int *issuers;                     /* ascending */
    struct digest *issuer_sha256;
    size_t issuer_count;
    bool fresh;
    const char *mark;
    int next_page;
    struct plan_page *pages; /* of a started cohort */
    size_t page_count;
    int32_t *ids;      /* of a started cohort: certificate of number first_number + i, -1: none */
    bool *claimed;     /* likewise */
    bool with_claimed; /* what a claimed chunk holds is wanted too */
    size_t number_count;
    int64_t first_number;
};

/* Frees. */
void plan_rows_free(struct plan_rows *rows);
#define AUTO_PLAN_ROWS __attribute__((cleanup(plan_rows_free))) struct plan_rows

/* What store_plan_write sends beside the plan. */
struct plan_draft {
    bool fresh;
    const char *mark;
    struct plan_page *pages;
    size_t page_count;
    uint32_t *ids;    /* fresh: of each certificate */
    uint8_t *needs;   /* fresh: of each certificate */
    int32_t *changed; /* numbers that a hold binds (fresh) or that were due (not fresh) */
    size_t changed_count;
};

/* Numbers or picks the certificates, fills everything of *out but the shards' URLs and sizes;
 * representatives[i] is a row of shard i. All in `a`. FAILED when the numbers run out. Pure. */
MUST_USE bool plan_number(struct plan_rows *rows, struct arena *a, struct plan_material *out,
                          uint32_t **representatives, struct fault *f);

#endif
