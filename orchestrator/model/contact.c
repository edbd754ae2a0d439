#include "massrevoke/contact.h"

static const char *const roles[CONTACT_ROLE_COUNT] = {"primary", "backup", "partner"};

const char *contact_role_name(enum contact_role role)
{
    return roles[role];
}

enum contact_role contact_role_from_name(struct str name)
{
    for (int role = 0; role < CONTACT_ROLE_COUNT; role++)
        if (str_is(name, roles[role]))
            return (enum contact_role)role;
    return CONTACT_ROLE_COUNT;
}
