#include "massrevoke/reason.h"

#include <strings.h>

static const char *const names[] = {
    "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
    "superseded",    "cessationOfOperation", "certificateHold", NULL,
    "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
};
#define NAMES ((int)(sizeof names / sizeof *names))

const char *reason_name(int code)
{
    return code < 0 || code >= NAMES ? NULL : names[code];
}

int reason_from_name(struct str name)
{
    for (int code = 0; code < NAMES; code++)
        if (names[code] != NULL && strlen(names[code]) == name.n &&
            strncasecmp(names[code], name.p, name.n) == 0)
            return code;
    return -1;
}

bool reason_is_permitted(int code)
{
    return code == REASON_UNSPECIFIED || code == REASON_KEY_COMPROMISE ||
           code == REASON_AFFILIATION_CHANGED || code == REASON_SUPERSEDED ||
           code == REASON_CESSATION_OF_OPERATION || code == REASON_PRIVILEGE_WITHDRAWN;
}
