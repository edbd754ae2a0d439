#include "massrevoke/class.h"

const char *const class_words[CLASS_COUNT + 1] = {
    "riskiest", "replaced", "unused", "orphan", "unreachable", "automated", "in_use", "critical", NULL,
};

const char *class_name(enum plan_class c)
{
    return class_words[c];
}

enum plan_class class_from_name(struct str name)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        if (str_is(name, class_words[c]))
            return (enum plan_class)c;
    return CLASS_COUNT;
}
