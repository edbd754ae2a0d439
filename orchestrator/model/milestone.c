#include "massrevoke/milestone.h"

static const char *const anchors[ANCHOR_COUNT] = {"received", "acknowledged", "confirmed",
                                                  "scope",    "stopped",      "fixed"};

const char *anchor_name(enum anchor anchor)
{
    return anchors[anchor];
}

enum anchor anchor_from_name(struct str name)
{
    for (int i = 0; i < ANCHOR_COUNT; i++)
        if (str_is(name, anchors[i]))
            return (enum anchor)i;
    return ANCHOR_COUNT;
}
