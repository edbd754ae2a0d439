/* ca_list.h - the one list of questions that every CA door must answer alike, and what a backend supplies to
 * be asked them: a small adapter that makes a door, looks behind it, and breaks the backend.
 *
 * What an adapter leaves NULL cannot happen to that backend; the tests that need it are passed over and say
 * so. Called by: tests of contract and service. */
#ifndef TESTS_LIB_CA_LIST_H
#define TESTS_LIB_CA_LIST_H

#include "massrevoke/ca_door.h"

#define CA_LIST_ISSUER 3 /* the first issuer's number */
#define CA_LIST_COUNT 24 /* certificates at most */

/* What the backend's own record says of a certificate. */
struct ca_list_row {
    bool revoked;
    int64_t at; /* when it is revoked; 0: the record does not say */
    int reason; /* -1: the record does not say */
};

/* Answers that a backend in trouble gives. */
enum ca_list_odd {
    CA_LIST_BUSY,    /* 429, "wait", a deadlock */
    CA_LIST_AWAY,    /* 503, an error of no meaning */
    CA_LIST_SLOW,    /* slower than the door waits */
    CA_LIST_GARBAGE, /* bytes that mean nothing */
    CA_LIST_REFUSED, /* credentials or configuration: nothing more is sent */
    CA_LIST_ODD_COUNT
};

struct ca_list {
    const char *name;
    /* Known to the backend and not revoked after reset: [0] one that DER writes with a leading 00, [1] with
     * an odd number of hex digits, [2] of 20 octets (as far as the backend has such). */
    struct serial serials[CA_LIST_COUNT];
    size_t count;
    unsigned reasons;
    bool keeps_first_date, tells_status, tells_unknown;
    bool vague_status;  /* of a serial it does not know it tells nothing that can be believed */
    bool tells_no_date; /* its status says "revoked" alone */
    bool races;         /* the backend itself may say "now", or fail, when two requests come at once */
    bool refuses;       /* it refuses some requests at random: the answer that is lost may be such a one */
    bool needs_quiet;   /* facts.quiet must be set: requests may be under way */

    void (*reset)(void);
    bool (*open)(struct ca_door **out, struct fault *f);
    struct ca_list_row (*row)(const struct serial *s);
    struct utc (*now)(void); /* what the door takes for now */
    /* Behind the door's back, at an earlier time if the backend can; when it was. */
    int64_t (*revoke)(const struct serial *s, int64_t at, enum reason reason);
    /* Requests are executed and their answers are lost. */
    void (*lose_answers)(bool on);
    void (*kill)(void);
    void (*start)(void);
    /* The next request gets such an answer; the outcome that must become of it, CA_OUTCOME_COUNT when this
     * backend has no such trouble. */
    enum ca_outcome (*odd)(enum ca_list_odd odd);
};

/* publish() until it is done, or fails. */
bool ca_list_publish(struct ca_door *of, struct utc now, struct fault *f);

/* Serials of every form: [0] to [2] as above, the others of 16 octets. */
void ca_list_serials(struct serial *out, size_t n);

/* Asks everything; 0 when all is well (cmocka_run_group_tests). */
int ca_list_run(struct ca_list *list);

#endif
