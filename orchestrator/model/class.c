#include "massrevoke/class.h"

static const char *const names[CLASS_COUNT] = {
    [CLASS_RISKIEST] = "riskiest", [CLASS_REPLACED] = "replaced",       [CLASS_UNUSED] = "unused",
    [CLASS_ORPHAN] = "orphan",     [CLASS_UNREACHABLE] = "unreachable", [CLASS_AUTOMATED] = "automated",
    [CLASS_IN_USE] = "in_use",     [CLASS_CRITICAL] = "critical",
};

const char *class_name(enum plan_class c)
{
    return names[c];
}

enum plan_class class_from_name(struct str name)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        if (str_is(name, names[c]))
            return (enum plan_class)c;
    return CLASS_COUNT;
}
