/* fetch_parts.h - what the files of the fetch door share. Does not: leave door/. Called by: fetch_*. */
#ifndef MASSREVOKE_DOOR_FETCH_PARTS_H
#define MASSREVOKE_DOOR_FETCH_PARTS_H

#include "massrevoke/fetch_door.h"

/* A body on its way: to the taker of the request, or into `bytes`; never more than max. */
struct fetch_body {
    const struct fetch_request *request;
    struct buf bytes;
    size_t size, max;
    bool too_large, refused; /* refused: by the taker */
};

/* Takes a piece; false: the transfer must end. */
bool fetch_body_add(struct fetch_body *body, struct str piece);

/* Ends it: the reply's bytes; frees. */
void fetch_body_end(struct fetch_body *body, struct arena *a, struct fetch_reply *reply);

/* The longest map entry that begins the URL and ends where a path part does, *rest what follows; NULL. */
const struct settings_map *fetch_mapped(const struct settings *s, const char *url, const char **rest);

/* Reads the file a mapped URL names; only a regular one below the folder, through no link. */
void fetch_read_mapped(const struct settings_map *map, const char *rest, const struct fetch_request *request,
                       struct arena *a, struct fetch_reply *reply);

#endif
