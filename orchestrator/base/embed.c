#include "massrevoke/embed.h"

const struct embed_file *embed_find(const char *path)
{
    for (const struct embed_file *file = embed_files; file->path != NULL; file++)
        if (strcmp(file->path, path) == 0)
            return file;
    return NULL;
}

const struct embed_file *embed_next(const char *prefix, const struct embed_file *previous)
{
    for (const struct embed_file *file = previous == NULL ? embed_files : previous + 1; file->path != NULL;
         file++)
        if (strncmp(file->path, prefix, strlen(prefix)) == 0)
            return file;
    return NULL;
}
