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

#define ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without the angle brackets */
#define LOCAL_MAX 64
#define LABEL_MAX 63

static bool letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* atext of RFC 5322 3.2.3. */
static bool atom_character(char c)
{
    return letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static const char *local_part_problem(struct str local)
{
    if (local.n == 0 || local.n > LOCAL_MAX)
        return "the part before @ is empty or longer than 64 characters";
    while (local.p != NULL) {
        struct str atom = str_cut(&local, '.');
        if (atom.n == 0)
            return "misplaced dot before @";
        for (size_t i = 0; i < atom.n; i++)
            if (!atom_character(atom.p[i]))
                return "a character before @ that is not allowed in an address";
    }
    return NULL;
}

static const char *domain_problem(struct str domain)
{
    if (str_is(domain, "localhost"))
        return NULL;
    if (memchr(domain.p, '.', domain.n) == NULL)
        return "the domain has no dot";
    bool numeric = true; /* of the last label */
    while (domain.p != NULL) {
        struct str label = str_cut(&domain, '.');
        if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return "a label of the domain is empty, too long, or begins or ends with a dash";
        numeric = true;
        for (size_t i = 0; i < label.n; i++) {
            if (!letter_or_digit(label.p[i]) && label.p[i] != '-')
                return "a character in the domain that is not a letter, digit or dash (write IDN as xn--)";
            numeric = numeric && label.p[i] >= '0' && label.p[i] <= '9';
        }
    }
    return numeric ? "the domain is a number" : NULL;
}

const char *contact_address_problem(struct str address)
{
    if (address.n == 0)
        return "no address";
    if (address.n > ADDRESS_MAX)
        return "longer than 254 characters";
    struct str domain = address;
    struct str local = str_cut(&domain, '@');
    if (domain.p == NULL)
        return "no @";
    const char *problem = local_part_problem(local);
    return problem != NULL ? problem : domain_problem(domain);
}
